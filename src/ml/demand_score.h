/* What a tree of demand (demand.h) was worth at its origins, and the widths that this teaches. */
#ifndef COT_ML_DEMAND_SCORE_H
#define COT_ML_DEMAND_SCORE_H

#include "ml/demand_series.h"

/* A tree of series, tried, each served by what earned it; not made to add up yet. */
struct cot_demand_trial {
    const struct cot_demand_tree *tree;
    const struct cot_demand_options *options;
    size_t n, n_folds;
    struct cot_demand_forecast *forecasts; /* [n] */
    struct cot_demand_work *works;         /* [n] */
    struct cot_demand_pool pools[COT_DEMAND_MAX_LEVELS];
    cot_code *codes;
    struct cot_err *errs;
    double *values, *variances, *scratch; /* [n], [n], [4 n] */
    double *totals;                       /* [n]: over the lead time */
    double *squares;                      /* [COT_DEMAND_N_COMPARED * n]: of each series */
};

/* What series missed, level by level, in units of what they expected to miss: the widths that this teaches. */
struct cot_demand_widths {
    struct cot_demand_missed {
        double *intervals, *stocks;
        size_t n_intervals, n_stocks;
    } levels[COT_DEMAND_MAX_LEVELS];
    double *memory;
};

/* Room for what all trees miss. */
cot_code cot_demand_widths_init(struct cot_demand_widths *widths, const struct cot_demand_tree *pasts, size_t n_pasts,
                                struct cot_err *err) COT_MUST_CHECK;
void cot_demand_widths_release(struct cot_demand_widths *widths);

/* Scores a past origin, with the widths of those before it, then learns from it. The oldest one has no older one to
 * learn from: its widths only count where it is the only one. ret_said: [horizon] of the root, made to add up. */
void cot_demand_score_past(struct cot_demand_trial *trial, bool widths_count, struct cot_demand_widths *widths,
                           struct cot_demand_result *result, double *ret_said);

/* What customers said of the root of a past origin: weighted by what they missed before, then learned from. */
void cot_demand_customers_score(struct cot_demand_trial *trial, struct cot_demand_customers *customers);

/* Whether customers serve, and with which weight. */
void cot_demand_customers_choose(const struct cot_demand_trial *now, struct cot_demand_customers *customers);

/* Scores become means over series; n_scored: origins. */
void cot_demand_score_finish(const struct cot_demand_trial *now, size_t n_scored, struct cot_demand_result *result);

/* The forecasts themselves: each step made to add up, intervals moved along, stock levels from what came of them. */
void cot_demand_finish(struct cot_demand_trial *now, struct cot_demand_widths *widths,
                       const struct cot_demand_customers *customers);

#endif
