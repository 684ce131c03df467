/* The league on a shop's own past, for several horizons: what backtests show and predictions are served from. */
#ifndef COT_ENGINE_SHOP_LEAGUE_H
#define COT_ENGINE_SHOP_LEAGUE_H

#include "engine/shop_origins.h"
#include "predict/league.h"

struct cot_store;

enum { COT_LEAGUE_MAX_HORIZONS = 8, COT_LEAGUE_MAX_FOLDS = 24 };

struct cot_shop_league_options {
    const char *as_of;    /* as in engine/features.h */
    const char *horizons; /* days, with commas; NULL: 30,90,365 */
    unsigned max_folds;   /* origins tested a horizon; 0: 3 */
};

struct cot_shop_league {
    struct cot_shop *shop;
    size_t n_horizons;
    unsigned horizons[COT_LEAGUE_MAX_HORIZONS];
    struct cot_league_result results[COT_LEAGUE_MAX_HORIZONS][COT_N_QUESTIONS];
    struct cot_league_newest *newest[COT_LEAGUE_MAX_HORIZONS];
    struct cot_propensity *propensities[COT_LEAGUE_MAX_HORIZONS]; /* NULL: no categories are known */
    struct cot_shop_origin now; /* who is predicted: those who have ordered and allow analytics */
};

/* History in days that one tested fold of a horizon takes. */
unsigned cot_shop_league_needs_days(unsigned horizon);

/* The longest horizon that was tested; where none was, the shortest: by it value and dates are told. */
size_t cot_shop_league_value_horizon(const struct cot_shop_league *league);

/* COT_USAGE for horizons that are none. What needs no shop to be told, told before one is opened. */
cot_code cot_shop_league_check(const struct cot_shop_league_options *options, struct cot_err *err) COT_MUST_CHECK;

/* COT_USAGE for horizons that are none, COT_NOT_FOUND where nobody has ordered. */
cot_code cot_shop_league_run(const struct cot_context *context, struct cot_store *store,
                             const struct cot_shop_league_options *options, struct cot_shop_league *ret_league,
                             struct cot_err *err) COT_MUST_CHECK;
void cot_shop_league_release(struct cot_shop_league *league);

#endif
