/* One series of a tree of demand (demand.h): what its past says of each candidate. */
#ifndef COT_ML_DEMAND_SERIES_H
#define COT_ML_DEMAND_SERIES_H

#include "ml/demand.h"

/* An origin that chooses: fold 0 is the newest, one horizon before the last step. */
struct cot_demand_fold {
    double *forecasts;                     /* [COT_DEMAND_N_CANDIDATES * horizon] */
    bool tested;                           /* the series was there for long enough to compare */
    double worth[COT_DEMAND_N_CANDIDATES]; /* logarithm of the mean square of what each missed, in such units */
};

struct cot_demand_work {
    struct cot_demand_fold folds[COT_DEMAND_MAX_FOLDS];
    double *memory;      /* of all folds, and */
    double *candidates;  /* [COT_DEMAND_N_CANDIDATES * horizon] from the last step on; only of past origins */
    size_t serves;       /* candidate */
    double variance;     /* of the one that serves, a step ahead, for the reconciliation */
    double stock_square; /* of its sum over the lead time */
    double unit;         /* mean square of what the last value missed a step ahead; 0: none */
};

/* Values known at a fold's origin. */
size_t cot_demand_known(const struct cot_demand_tree *tree, size_t fold);

/* Mean worth of each candidate over the series of a level, by fold. */
struct cot_demand_pool {
    double worth[COT_DEMAND_MAX_FOLDS][COT_DEMAND_N_CANDIDATES];
    double n[COT_DEMAND_MAX_FOLDS]; /* series */
};

/* What all candidates say at all folds, and what it was worth. */
cot_code cot_demand_series_try(const double *values, const struct cot_demand_tree *tree, size_t n_folds,
                               struct cot_demand_work *ret_work, struct cot_err *err) COT_MUST_CHECK;

/* Chooses, by a level's pool of tried series; fills the forecast (method, folds, scores, mean, low, high: not
 * reconciled yet). */
cot_code cot_demand_series_serve(const double *values, const struct cot_demand_tree *tree, size_t n_folds,
                                 const struct cot_demand_pool *pool, struct cot_demand_work *work,
                                 struct cot_demand_forecast *ret_forecast, struct cot_err *err) COT_MUST_CHECK;

void cot_demand_score_add(struct cot_demand_score *score, const double *forecast, const double *actual, size_t n);

#endif
