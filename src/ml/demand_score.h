/* What a tree of demand (demand.h) was worth at its origins, and the widths that this teaches. */
#ifndef COT_ML_DEMAND_SCORE_H
#define COT_ML_DEMAND_SCORE_H

#include "ml/demand_series.h"

struct cot_demand_trial {
    const struct cot_demand_series *series;
    size_t n;
    const struct cot_demand_options *options;
    struct cot_demand_forecast *forecasts;
    struct cot_demand_work *works;
    struct cot_demand_pool pools[COT_DEMAND_MAX_LEVELS];
    cot_code *codes;
    struct cot_err *errs;
    double *values, *variances, *scratch; /* [n], [n], [4 n] */
    double *totals;                       /* [n]: over the lead time */
    double *squares;                      /* [COT_DEMAND_N_COMPARED * n]: of each series, at one origin */
};

/* How far below the root a series is; all that is deeper counts as the last level. */
size_t cot_demand_level(const struct cot_demand_trial *trial, size_t i);

/* Scores levels, then makes the forecasts add up, with the widths and stock levels that the scored origins taught. */
cot_code cot_demand_score(struct cot_demand_trial *trial, struct cot_demand_result *result,
                          struct cot_err *err) COT_MUST_CHECK;

#endif
