/*
 * The shop in memory: its history as of a moment, loaded from the store.
 *
 * Immutable once loaded, shared by threads, freed with cot_shop_free. About 16 bytes an event, 24 more an order line or
 * refund and 16 more where a discount or cost is known, and the identities.
 */
#ifndef COT_ENGINE_SHOP_H
#define COT_ENGINE_SHOP_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "domain/history.h"
#include "engine/context.h"

struct cot_store;

#define COT_AS_OF_LAST_DAY INT64_MIN

struct cot_shop {
    struct cot_history history; /* timelines, people, catalogue, traits, consent; history.as_of_ms */
    struct cot_zone *zone;
    char currency[4];      /* base currency, "" where the shop has none yet */
    uint8_t *node_kinds;   /* [n_nodes], enum cot_node_kind; 0: no such node */
    uint64_t *text_starts; /* [n_nodes + 1] */
    char *text;            /* value of node i: text[text_starts[i] .. text_starts[i + 1]) */
    uint64_t n_events;     /* in memory */
};

struct cot_shop_options {
    int64_t as_of_ms;   /* COT_AS_OF_LAST_DAY: the end of the last day, in the shop's time zone, on which something
                         * happened or became known */
    unsigned n_threads; /* 0: all cores */
    const struct cot_progress *progress;
};

/* COT_NOT_FOUND where the shop has neither events nor customers. 20 M events take a few seconds. */
cot_code cot_shop_load(struct cot_store *store, const struct cot_shop_options *options, struct cot_shop **ret_shop,
                       struct cot_err *err) COT_MUST_CHECK;
void cot_shop_free(struct cot_shop *shop);

/*
 * What the store says of time and money: the shop's zone (UTC until one is known; the caller frees it), its base
 * currency ("" until one is known) and the minor units of one of it.
 */
cot_code cot_shop_settings(struct cot_store *store, struct cot_zone **ret_zone, char ret_currency[4],
                           double *ret_minor_per_unit, struct cot_err *err) COT_MUST_CHECK;

/* The end of the last day, in the zone, on which something happened or became known. COT_NOT_FOUND without events. */
cot_code cot_shop_last_day(struct cot_store *store, const struct cot_zone *zone, int64_t *ret_as_of_ms,
                           struct cot_err *err) COT_MUST_CHECK;

/* Reads "2011-11-30" (the end of that day in the shop's time zone) or an ISO time. COT_USAGE for anything else, and for
 * days that are neither over nor in the data. */
cot_code cot_shop_as_of(struct cot_store *store, const char *text, int64_t *ret_as_of_ms,
                        struct cot_err *err) COT_MUST_CHECK;

/* The local day of a moment, counted from 1970-01-01. */
int32_t cot_shop_day(const struct cot_shop *shop, int64_t at_ms);
/* Adds "as_of", the moment, and "as_of_day", the shop's day that it lies in: what --as-of takes. */
void cot_shop_add_as_of(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_shop *shop, int64_t as_of_ms);

/* What people call a customer: the shop's own id where there is one (the value of the smallest node of kind user), else
 * "anon-<16 hex>". Not NUL-terminated; valid as long as shop and buffer. i_customer: as in history.people. */
const char *cot_shop_customer_id(const struct cot_shop *shop, uint32_t i_customer, char buffer[COT_ANONYMOUS_ID_SIZE],
                                 size_t *ret_size);

/* Index in history.people of the customer to whom a node belongs, COT_NO_CUSTOMER. */
uint32_t cot_shop_customer_of(const struct cot_shop *shop, uint32_t node_id);

#endif
