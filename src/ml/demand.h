/*
 * Demand of a shop as a tree of series (shop, categories, products): each forecast by what earned it on its own past,
 * then made to add up.
 *
 * Origins lie a horizon apart, back from the last step. At each of them every candidate, models and naive rules,
 * forecasts every series from what was known by then. A candidate's worth for a series is the mean logarithm of its
 * scaled squared error at the series' own origins, drawn towards the mean over all series of the level as if that were
 * five origins more: a few origins of one series are little evidence. Who is worth most serves; a model that does not
 * beat every naive rule so does not. Without an origin the usual model serves (the mean of ets, theta and dotm, or
 * imapa for rare demand), untested.
 *
 * What the backtest says is what would have been said: the caller brings the tree as it was known at each past origin
 * (the products that sold best by then, the categories and the calendar of then), the same choice is made there from
 * the origins before it, and what came is compared.
 *
 * Widths of intervals and safety stocks are what each series missed by at its own earlier origins, made wider or
 * narrower by what that was worth: the share of all series of the level that they held at the past origins (split
 * conformal, pooled). What the backtest says of them is again learned on older origins.
 *
 * What the shop's customers say of it, each by their own rate, may come in as one more forecast of the root, weighted
 * by what it missed at past origins against what the root's own missed. It has to earn that: at two past origins or
 * more, weighted by those before them, it made the root's forecast better; else it is left out.
 *
 * Forecasts are reconciled by least squares with the series' own error variances, exactly, in one pass up and one down
 * the tree (Wickramasuriya, Athanasopoulos, Hyndman, doi:10.1080/01621459.2018.1448825, with a diagonal covariance);
 * none becomes negative.
 */
#ifndef COT_ML_DEMAND_H
#define COT_ML_DEMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"
#include "coterie/forecast.h"

enum {
    COT_DEMAND_MAX_FOLDS = 12,
    COT_DEMAND_N_CANDIDATES = 9,
    COT_DEMAND_LEAST_HISTORY = 16 /* steps before the oldest origin */
};

struct cot_demand_candidate {
    enum cot_forecast_method method;
    const char *title; /* what it does, for people */
    bool naive;
};
extern const struct cot_demand_candidate cot_demand_candidates[COT_DEMAND_N_CANDIDATES];

#define COT_DEMAND_NO_PARENT SIZE_MAX

enum { COT_DEMAND_MAX_LEVELS = 3 };

struct cot_demand_series {
    size_t parent;        /* before its children; the first has COT_DEMAND_NO_PARENT, and only it */
    size_t level;         /* 0: the first; series of a level are judged together; < COT_DEMAND_MAX_LEVELS */
    const double *values; /* [n_steps], >= 0; a parent's are its children's sum */
};

/* What was known at an origin, and what is to be forecast from there. */
struct cot_demand_tree {
    const struct cot_demand_series *series;
    size_t n_series, n_steps, horizon;
    unsigned season;  /* steps a season; 1: none */
    size_t lead;      /* steps that a delivery takes, the step until the next order included; <= horizon; 0: no stock */
    const bool *shut; /* [horizon]: nothing is to be expected of the step; NULL: of none */
    const double *actual;    /* [n_series * horizon] what came, >= 0; of a past origin only */
    const double *customers; /* [horizon] what customers say of the root, >= 0; NULL: nothing */
};

struct cot_demand_options {
    unsigned max_folds;   /* origins that choose, as far as the history reaches; at most COT_DEMAND_MAX_FOLDS */
    double service_level; /* of the stock, in (0.5, 1) */
    unsigned n_threads;   /* 0: all cores */
};

/* Errors over the steps of one or more origins. */
struct cot_demand_score {
    double squares, absolute, actual; /* sums */
    size_t n;
};

struct cot_demand_forecast {
    enum cot_forecast_method method; /* that serves */
    unsigned n_folds;                /* origins that chose it; 0: untested, too short a history */
    bool beats_naive;                /* false as well where nothing was tested */
    struct cot_demand_score scores[COT_DEMAND_N_CANDIDATES]; /* over all n_folds */
    size_t best_naive;                                       /* candidate */
    double against_naive; /* error of what serves / of the best naive rule, as compared for the choice; NaN: untested */
    double *mean, *low, *high; /* [horizon]: reconciled; 80% interval. One allocation, at mean */
    double stock;              /* order-up-to level: stock in hand and on order that lasts with the service level */
};

/* Those who are compared at a level: the candidates, then these two. */
enum {
    COT_DEMAND_SERVES = COT_DEMAND_N_CANDIDATES, /* by the choice of the older origins */
    COT_DEMAND_RECONCILED,                       /* the same, made to add up */
    COT_DEMAND_N_COMPARED
};

/* Of the series of one level (0: the root), at the past origins. */
struct cot_demand_level {
    size_t n_series, n_scored;
    struct cot_demand_score scores[COT_DEMAND_N_COMPARED];
    /* Root mean squared scaled error (as in the M5 competition): a series' error at an origin in units of what the last
     * value missed by a step ahead before; mean over all that have such a unit, n_scaled. */
    double scaled[COT_DEMAND_N_COMPARED];
    size_t n_scaled;
    size_t n_covered, n_intervals; /* values within the 80% interval, of how many */
    size_t n_met, n_stocks;        /* lead times whose demand the stock level met, of how many */
};

/* What customers said of the root at past origins, and what that was worth. */
struct cot_demand_customers {
    unsigned n_pasts, n_weighed;           /* origins: of which they said something; at which it could be weighted */
    struct cot_demand_score said;          /* by customers alone, at all n_pasts */
    struct cot_demand_score without, with; /* the root made to add up, at the n_weighed */
    bool serves;                           /* it is part of the forecast, with this weight at the root */
    double weight;
};

struct cot_demand_result {
    struct cot_demand_forecast *forecasts; /* [n_series] */
    size_t n_series;
    struct cot_demand_level levels[COT_DEMAND_MAX_LEVELS];
    struct cot_demand_customers customers;
    double *said; /* of the root without what customers say, made to add up: the steps of past 0, then those of past 1,
                     ... */
};

/* Origins by which a history of so many steps can choose. */
size_t cot_demand_n_folds(size_t n_steps, size_t horizon, unsigned max_folds);

/*
 * `now`, and past origins, the newest first. COT_USAGE for options out of range or a parent that does not come before
 * its children; COT_BAD_DATA for a value that is negative or not finite. The caller releases the result. Same bytes at
 * any number of threads.
 */
cot_code cot_demand_run(const struct cot_demand_tree *now, const struct cot_demand_tree *pasts, size_t n_pasts,
                        const struct cot_demand_options *options, struct cot_demand_result *ret_result,
                        struct cot_err *err) COT_MUST_CHECK;
void cot_demand_release(struct cot_demand_result *result);

/* One step of all series made to add up: values with variances (>= 0) by least squares, none below 0. scratch: 4 n. */
void cot_demand_reconcile(const struct cot_demand_series *series, size_t n_series, const double *variances,
                          double *values, double *scratch);

/* The least number of units that is enough with this chance, where a mean (>= 0) and a variance of what is missed are
 * known: negative binomial, or Poisson where the variance is not above the mean; normal beyond a mean of 1,000. */
double cot_demand_quantile(double mean, double variance, double chance);

#endif
