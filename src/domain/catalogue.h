/*
 * The catalogue as of a moment: each item's category, subcategory and brand, and what it usually costs.
 */
#ifndef COT_DOMAIN_CATALOGUE_H
#define COT_DOMAIN_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "coterie/err.h"
#include "domain/timeline.h"

/* What was said of an item. COT_DICT_NONE: nothing said, what was said before holds. */
struct cot_item_fact {
    uint32_t item;
    uint32_t category;
    uint32_t subcategory;
    uint32_t brand;
    int64_t occurred_at_ms;
    int64_t recorded_at_ms;
    bool timeless; /* undated: holds at any moment until a dated fact says otherwise */
};

struct cot_item {
    uint32_t category; /* COT_DICT_NONE where unknown */
    uint32_t subcategory;
    uint32_t brand;
};

struct cot_catalogue {
    uint32_t n_items;
    struct cot_item *items; /* [n_items], by item_id */
    uint32_t n_categories;  /* codes are below these */
    uint32_t n_brands;
    float *log_price;   /* [n_items]: ln of the item's median unit price in minor units; NaN: never sold at a price */
    float *price_level; /* [n_items]: log_price minus the median of its category (of all items where it has none) */
};

/* Facts with both times <= as_of_ms (and timeless ones), in order of occurred_at, then of the array. */
cot_code cot_catalogue_init(struct cot_catalogue *catalogue, uint32_t n_items, const struct cot_item_fact *facts,
                            size_t n_facts, int64_t as_of_ms, struct cot_err *err) COT_MUST_CHECK;
void cot_catalogue_release(struct cot_catalogue *catalogue);

/* A unit price that was paid, in minor units, > 0. */
struct cot_price {
    uint32_t item; /* < n_items */
    float unit_price;
};

/* The unit price of an order line; false where it has no item or no price > 0. */
bool cot_price_of(const struct cot_entry *entry, const struct cot_lines *lines, uint32_t n_items,
                  struct cot_price *ret_price);

/* Fills log_price and price_level with medians (mean of the middle two). Reorders prices. O(n log n) at worst. */
cot_code cot_catalogue_price(struct cot_catalogue *catalogue, struct cot_price *prices, size_t n_prices,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
