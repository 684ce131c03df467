/*
 * A shop's past as the league takes it: who was known at the end of some days, by whom, and what they did next.
 *
 * Each origin is the shop loaded as of that day: identities, corrections and refunds that came later are not in it.
 * Days are the shop's own. Customers who do not allow analytics, then or now, are left out.
 */
#ifndef COT_ENGINE_SHOP_ORIGINS_H
#define COT_ENGINE_SHOP_ORIGINS_H

#include "engine/shop.h"
#include "engine/shop_categories.h"
#include "predict/league.h"

struct cot_store;

struct cot_shop_origin {
    struct cot_league_origin league; /* its arrays are those below */
    uint32_t *nodes;                 /* [purchases.n] the customer's smallest node, ascending */
    size_t *starts;
    struct cot_purchase *days; /* amounts in major units, less what was given back of them by then; may be 0 */
    float *features;
    double *orders, *spend, *waits;
    struct cot_shop_categories categories;
};

/* Origins before the shop's last day, each one horizon before the one before. */
struct cot_shop_origins {
    size_t n;
    struct cot_shop_origin *origins;
};

struct cot_shop_origins_options {
    unsigned horizon;        /* days */
    unsigned most;           /* origins, as far as the history reaches */
    size_t sample;           /* customers of each, chosen by their identity; 0: all */
    bool without_features;   /* outcomes alone are wanted */
    bool without_categories; /* nor in which categories */
    unsigned n_threads;
    const struct cot_progress *progress;
};

/* The shop's last day as an origin: all customers, no outcomes. COT_NOT_FOUND where nobody has ordered. */
cot_code cot_shop_origin_now(const struct cot_shop *now, unsigned n_threads, struct cot_shop_origin *ret_origin,
                             struct cot_err *err) COT_MUST_CHECK;

/* One earlier day as an origin. Outcomes count for whom the identity belonged to at the origin; one that came up later
 * counts for whom it was joined to. Of the options `most` and
 * progress do not count. */
cot_code cot_shop_origin_make(struct cot_store *store, const struct cot_shop *now, int32_t day,
                              const struct cot_shop_origins_options *options, struct cot_shop_origin *ret_origin,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_shop_origin_release(struct cot_shop_origin *origin);

/* As many as the history before `last` (the shop's last day) allows. */
cot_code cot_shop_origins_make(struct cot_store *store, const struct cot_shop *now, const struct cot_shop_origin *last,
                               const struct cot_shop_origins_options *options, struct cot_shop_origins *ret_origins,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_shop_origins_release(struct cot_shop_origins *origins);

/* Title of a feature column of the origins. */
const char *cot_shop_origin_feature(size_t column);

#endif
