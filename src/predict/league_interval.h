/*
 * Split conformal prediction: how far off were answers like this one at earlier origins?
 *
 * Ratios of what came to what was said are kept by bins of similar predictions: within a bin they are the predictive
 * distribution, relative to the prediction.
 */
#ifndef COT_PREDICT_LEAGUE_INTERVAL_H
#define COT_PREDICT_LEAGUE_INTERVAL_H

#include <stddef.h>

#include "base/rng.h"
#include "coterie/err.h"

enum { COT_CONFORMAL_MOST_BINS = 20 };

struct cot_conformal {
    size_t n_bins;
    double edges[COT_CONFORMAL_MOST_BINS];      /* the largest prediction of each bin */
    size_t starts[COT_CONFORMAL_MOST_BINS + 1]; /* bin b: ratios[starts[b] .. starts[b + 1]), ascending */
    double *ratios;
};

cot_code cot_conformal_fit(const double *predicted, const double *actual, size_t n, struct cot_conformal *ret,
                           struct cot_err *err) COT_MUST_CHECK;
void cot_conformal_release(struct cot_conformal *conformal);

/* The interval that holds 80%: a tenth below, a tenth above. */
void cot_conformal_interval(const struct cot_conformal *conformal, double predicted, double *ret_low, double *ret_high);

/* Share of the predictive distribution below what came, drawn at random within what equals it: uniform on (0, 1) were
 * the distribution right. */
double cot_conformal_pit(const struct cot_conformal *conformal, double predicted, double actual, struct cot_rng *rng);

#endif
