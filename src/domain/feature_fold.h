/*
 * The fold: one pass over a customer's entries, in order, that keeps what the features need.
 *
 * It does not know "now": windows, ages and shop-wide prices come in when a summary is made as of a moment
 * (feature_summary.h). So replay (fold everything up to T) and live serving (extend by one entry as events come, fold
 * anew after anything late) run the same steps in the same order and agree to the bit.
 * One thread at a time. Zero it, then _clear before each customer: that keeps the memory for the next one.
 */
#ifndef COT_DOMAIN_FEATURE_FOLD_H
#define COT_DOMAIN_FEATURE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"
#include "coterie/err.h"
#include "domain/timeline.h"

#define COT_NONE UINT32_MAX

enum { COT_N_HOURS = 24, COT_N_WEEKDAYS = 7 };

struct cot_fold_order {
    uint64_t key; /* 0: none */
    int64_t first_ms;
    int64_t gross_minor;  /* of its lines, before refunds */
    int64_t refund_minor; /* of the refunds that matched it, negative */
    double units;
    double units_returned;
    uint32_t n_lines;
    uint32_t n_items; /* distinct */
    bool discounted;
    bool returned; /* a refund matched it */
};

struct cot_fold_item {
    uint32_t item;
    uint32_t n_lines;
    uint32_t n_orders; /* distinct orders with it */
    uint32_t n_priced; /* lines with a unit price > 0 */
    double log_price_sum;
    int64_t first_ms, last_ms; /* of its lines */
    uint32_t last_purchase;    /* index, COT_NONE */
    uint32_t last_open;        /* latest with units that were not given back */
};

/* One order line with an item, for matching refunds. */
struct cot_fold_purchase {
    int64_t at_ms;
    double units;
    double units_returned;
    uint32_t order;
    uint32_t previous;      /* of the same item */
    uint32_t previous_open; /* of the same item, not wholly given back */
};

struct cot_fold_session {
    int64_t first_ms, last_ms;
    int64_t cart_ms; /* last cart_add; -1: none */
    uint32_t id;     /* hash, 0: none given */
    uint32_t n_events;
    bool bought; /* an order line came within a day after cart_ms */
};

struct cot_fold_message {
    int64_t sent_ms;
    uint32_t campaign; /* hash, 0: none */
    bool email;
    bool opened, clicked, responded;
};

/* Open addressing over an array that holds the keys. */
struct cot_fold_map {
    uint32_t *slots; /* index + 1; 0: free */
    size_t n_slots;  /* in use, a power of 2 */
    size_t capacity; /* allocated */
};

struct cot_fold {
    struct cot_fold_order *orders; /* in order of first_ms */
    size_t n_orders, orders_capacity;
    struct cot_fold_item *items; /* in order of first purchase */
    size_t n_items, items_capacity;
    struct cot_fold_purchase *purchases;
    size_t n_purchases, purchases_capacity;
    struct cot_fold_session *sessions; /* in order of first_ms */
    size_t n_sessions, sessions_capacity;
    struct cot_fold_message *messages; /* in order of sent_ms */
    size_t n_messages, messages_capacity;
    struct cot_fold_map order_map;
    struct cot_fold_map item_map;

    size_t n_entries; /* folded so far */
    uint32_t n_lines;
    uint32_t n_refunds;
    uint32_t n_discount_known; /* lines */
    uint32_t n_discounted;
    uint32_t n_cost_known; /* lines and refunds */
    int64_t gross_minor;   /* order lines */
    int64_t refund_minor;  /* refunds, negative */
    int64_t discount_minor;
    int64_t discount_base_minor; /* revenue of the lines with a known discount */
    int64_t margin_minor;
    int64_t margin_base_minor; /* revenue of the lines and refunds with a known cost */
    double units;
    double units_returned; /* matched */
    uint32_t n_refunds_unmatched;

    uint32_t hour_orders[COT_N_HOURS];       /* orders that have a time of day */
    uint32_t weekday_orders[COT_N_WEEKDAYS]; /* 0 = Monday */
    uint32_t channel_orders[COT_N_CHANNELS];
    int64_t first_order_day, last_order_day; /* local day numbers */
    int64_t last_order_month;                /* year * 12 + month */
    uint32_t n_order_days;                   /* distinct */
    uint32_t n_order_months;                 /* distinct */
    int64_t last_gap_days;                   /* between the last two order days, 0: fewer than two */
    int64_t gap_square_sum;
    double gap_ratio_sum; /* sum of (a / (a + b) - 1/2)^2 over pairs of successive gaps a, b */
    uint32_t n_gap_pairs;

    int64_t first_ms;      /* of any entry, -1: none */
    int64_t last_visit_ms; /* last entry of the engagement group, -1: none */
    uint32_t kind_counts[128];
};

/* What the fold needs besides the entries. */
struct cot_fold_input {
    const struct cot_lines *lines;
    const struct cot_zone *zone; /* the shop's; NULL: UTC */
};

void cot_fold_clear(struct cot_fold *fold);
void cot_fold_release(struct cot_fold *fold);

/* Takes in the entries of a run from fold->n_entries to `end`. COT_NOMEM leaves a fold that must be cleared. */
cot_code cot_fold_extend(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_run *run,
                         size_t end, struct cot_err *err) COT_MUST_CHECK;

/* Index of an order by key or of an item, COT_NONE. For refund.c. */
uint32_t cot_fold_find_order(const struct cot_fold *fold, uint64_t key);
uint32_t cot_fold_find_item(const struct cot_fold *fold, uint32_t item);

#endif
