/*
 * The summary of one customer as of a moment: what every feature reads.
 *
 * Made from the customer's fold, view and profile and the shop's catalogue. Windows are multiples of 24 hours that end
 * at as_of: an event is in the window of 30 days where it came less than 30 x 24 hours before.
 */
#ifndef COT_DOMAIN_FEATURE_SUMMARY_H
#define COT_DOMAIN_FEATURE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/catalogue.h"
#include "domain/feature_fold.h"
#include "domain/prediction.h"
#include "domain/profile.h"

enum cot_window {
    COT_WINDOW_7,
    COT_WINDOW_30,
    COT_WINDOW_60,
    COT_WINDOW_90,
    COT_WINDOW_180,
    COT_WINDOW_365,
    COT_N_WINDOWS
};

/* What is counted in windows. */
enum cot_activity {
    COT_ACTIVITY_ORDERS,
    COT_ACTIVITY_SESSIONS,
    COT_ACTIVITY_VIEWS,
    COT_ACTIVITY_CARTS,
    COT_ACTIVITY_SEARCHES,
    COT_ACTIVITY_WISHES, /* wishlist additions and reviews */
    COT_ACTIVITY_SENT,
    COT_ACTIVITY_OPENS,
    COT_ACTIVITY_CLICKS,
    COT_ACTIVITY_CONTACTS, /* calls and store visits */
    COT_ACTIVITY_COMPLAINTS,
    COT_N_ACTIVITIES
};

struct cot_customer {
    int64_t as_of_ms;
    int64_t local_ms; /* as_of on the shop's clock */
    double minor_per_unit;
    const int64_t *kind_since_ms; /* [128]: first event of each kind in the whole shop, INT64_MAX: none */
    const struct cot_fold *fold;
    const struct cot_profile *profile;
    struct cot_prediction prediction;

    uint32_t counts[COT_N_ACTIVITIES][COT_N_WINDOWS]; /* cumulative: within the last n days */
    int64_t spend_minor[COT_N_WINDOWS];               /* net of refunds */

    uint32_t n_items_recent; /* distinct items bought in the last 90 days */
    uint32_t n_items_new;    /* of those, never bought before */
    uint32_t n_item_orders;  /* distinct pairs of item and order */
    uint32_t n_item_lines;   /* lines with an item */
    uint32_t top_item_lines;
    uint32_t n_category_lines; /* lines with a known category */
    uint32_t n_categories;
    uint32_t top_category; /* code, COT_DICT_NONE */
    uint32_t top_category_lines;
    double category_entropy; /* nats; NaN: no category known */
    uint32_t n_brand_lines;
    uint32_t n_brands;
    uint32_t top_brand;
    uint32_t top_brand_lines;
    double price_level;    /* mean of ln(item's price / its category's), NaN: unknown */
    double price_paid;     /* mean of ln(unit price paid / item's price), NaN: unknown */
    double order_value_m2; /* sum of squared deviations of order values, in minor units squared */

    uint32_t n_orders_discounted;
    uint32_t n_orders_returned;
    uint32_t n_carts; /* sessions with a cart whose fate is decided (a day has gone by, or it was bought) */
    uint32_t n_carts_abandoned;
    uint32_t n_emails, n_emails_opened, n_emails_clicked;
    uint32_t n_messages, n_messages_responded;
    uint64_t n_session_events;
};

/* What a summary needs that is the same for all customers. */
struct cot_summary_input {
    struct cot_fold_input fold; /* lines and zone */
    int64_t as_of_ms;
    double minor_per_unit; /* 100 for GBP, 1 for JPY */
    const struct cot_catalogue *catalogue;
    const int64_t *kind_since_ms; /* [128] */
};

/* A thread's counters of lines by category and brand. */
struct cot_summary_scratch {
    uint32_t *weights; /* [n_categories or n_brands], all 0 between calls */
    uint32_t *touched;
    size_t weights_capacity, touched_capacity;
};
void cot_summary_scratch_release(struct cot_summary_scratch *scratch);

/* The summary points to fold and profile, and has the prediction. `run` is the customer's view; its first
 * fold->n_entries entries are those at or before as_of. O(items + entries of the last 365 days). */
cot_code cot_summary_make(struct cot_customer *ret_customer, const struct cot_summary_input *input,
                          const struct cot_fold *fold, const struct cot_run *run, const struct cot_profile *profile,
                          const struct cot_prediction *prediction, struct cot_summary_scratch *scratch,
                          struct cot_err *err) COT_MUST_CHECK;

/* True where anyone in the shop did such a thing by then: else counts of it are missing, not 0. */
static inline bool cot_customer_shop_has(const struct cot_customer *customer, enum cot_event_kind kind)
{
    return customer->kind_since_ms[kind] <= customer->as_of_ms;
}

#endif
