/*
 * A net for amounts most of which are 0: a chance of any, and a log-normal amount where there is one.
 *
 * X. Wang, T. Liu, J. Miao, "A deep probabilistic model for customer lifetime value prediction", 2019,
 * arXiv:1912.07753: loss = cross-entropy of y > 0, plus the log-normal's where y > 0; mean = p exp(mu + sigma^2 / 2).
 * The net corrects a start of each row and begins by saying just that. Columns are taken as signed logarithms and
 * standardised; NaN counts as the mean. One thread; the same seed gives the same bytes.
 */
#ifndef COT_ML_ZILN_H
#define COT_ML_ZILN_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

/* x: [n x d] row-major, NaN: no value. y: [n] amounts >= 0, NULL where only predicted. start_odds: log odds of y > 0,
 * start_mean: the amount expected where there is one, > 0; both [n]. */
struct cot_ziln_rows {
    size_t n, d;
    const float *x, *y, *start_odds, *start_mean;
};

struct cot_ziln_options {
    size_t hidden[2];    /* units of the two hidden layers */
    unsigned max_epochs; /* passes over the rows */
    unsigned patience;   /* epochs without gain on the validation rows before it stops */
    size_t batch;
    double rate, decay;
    uint64_t seed;
};
void cot_ziln_options_init(struct cot_ziln_options *options); /* 32 and 16 units, 50 epochs, patience 4, batch 128 */

struct cot_ziln;

/* With validation rows (may be NULL) the epochs that did best on them, else max_epochs. COT_BAD_DATA for no rows or
 * amounts that are negative or not finite, COT_USAGE for options that can't be. */
cot_code cot_ziln_fit(const struct cot_ziln_rows *train, const struct cot_ziln_rows *validation,
                      const struct cot_ziln_options *options, struct cot_ziln **ret_model,
                      struct cot_err *err) COT_MUST_CHECK;
void cot_ziln_free(struct cot_ziln *model);
unsigned cot_ziln_epochs(const struct cot_ziln *model);

/* Expected amount and chance of any, [n]; either may be NULL. */
cot_code cot_ziln_predict(struct cot_ziln *model, const struct cot_ziln_rows *rows, double *ret_mean,
                          double *ret_chance, struct cot_err *err) COT_MUST_CHECK;

/* Loss of one row and its derivatives by the three outputs (odds, location, spread); for tests. */
double cot_ziln_loss(double y, double start_odds, double start_mean, const double outputs[3], double ret_gradient[3]);

#endif
