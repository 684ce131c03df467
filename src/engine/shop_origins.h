/*
 * A shop's past as the league takes it: who was known at the end of some days, by whom, and what they did next.
 *
 * Each origin is the shop loaded as of that day: identities, corrections and refunds that came later are not in it.
 * Days are the shop's own. Customers who do not allow analytics, then or now, are left out.
 */
#ifndef COT_ENGINE_SHOP_ORIGINS_H
#define COT_ENGINE_SHOP_ORIGINS_H

#include "engine/shop.h"
#include "predict/league.h"

struct cot_store;

struct cot_shop_origin {
    struct cot_league_origin league; /* its arrays are those below */
    uint32_t *nodes;                 /* [purchases.n] the customer's smallest node, ascending */
    size_t *starts;
    struct cot_purchase *days; /* amounts in major units, less what was given back of them by then; may be 0 */
    float *features;
    double *orders, *spend;
};

struct cot_shop_origins {
    size_t n;
    struct cot_shop_origin *origins; /* [n] the first is the shop's as-of day, each one horizon before the one before */
    const char **feature_names;      /* [n_features], of the catalogue */
    size_t n_features;
};

struct cot_shop_origins_options {
    unsigned horizon;  /* days */
    unsigned most;     /* origins beside the first, as far as the history reaches */
    size_t sample;     /* customers of each origin beside the first, chosen by their identity; 0: all */
    unsigned n_threads;
    const struct cot_progress *progress;
};

/*
 * The origins before `now`, the shop as of its last day. COT_NOT_FOUND where nobody has ordered. Outcomes count for
 * whom the identity belonged to at the origin; one that came up later counts for whom it was joined to.
 */
cot_code cot_shop_origins_make(struct cot_store *store, const struct cot_shop *now,
                               const struct cot_shop_origins_options *options, struct cot_shop_origins *ret_origins,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_shop_origins_release(struct cot_shop_origins *origins);

/* The local day of a moment. */
int32_t cot_shop_day(const struct cot_shop *shop, int64_t at_ms);

#endif
