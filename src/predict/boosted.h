/*
 * Gradient-boosted trees: XGBoost behind its C API.
 *
 * Trees correct a given start of every row (a model's answer, on the scale of the objective's link), so a shop that is
 * too small to teach them anything keeps that start. One thread a fit: the same bytes at any number of threads.
 * T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016, https://doi.org/10.1145/2939672.2939785;
 * contributions: S. Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
 * Nature Machine Intelligence 2, 2020, https://doi.org/10.1038/s42256-019-0138-9
 */
#ifndef COT_PREDICT_BOOSTED_H
#define COT_PREDICT_BOOSTED_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

enum cot_boosted_objective {
    COT_BOOSTED_SQUARED,  /* any number; identity link */
    COT_BOOSTED_LOGISTIC, /* y 0 or 1; logit link */
    COT_BOOSTED_POISSON,  /* counts; log link */
    COT_BOOSTED_TWEEDIE   /* amounts, many of them 0; log link, variance ~ mean^1.5 */
};

struct cot_boosted_options {
    enum cot_boosted_objective objective;
    unsigned max_rounds;  /* 1 .. 10000 */
    unsigned patience;    /* rounds without gain on the validation rows before it stops; 0: never */
    unsigned max_depth;   /* 1 .. 16 */
    double learning_rate; /* (0, 1] */
    double subsample;     /* share of rows and of columns a tree sees, (0, 1] */
    uint64_t seed;
};
void cot_boosted_options_init(struct cot_boosted_options *options, enum cot_boosted_objective objective);

/* x: [n x d], row-major, NaN: no value. y: [n], may be NULL where only predicted. start: [n], on the link's scale;
 * NULL: the objective's own constant. */
struct cot_boosted_rows {
    size_t n, d;
    const float *x, *y, *start;
};

struct cot_boosted;

/*
 * Fits trees; with validation rows (may be NULL) the number of rounds that did best on them. COT_USAGE for options or
 * shapes that can't be, COT_BAD_DATA for no rows or targets that the objective excludes, COT_INTERNAL with XGBoost's
 * words.
 */
cot_code cot_boosted_fit(const struct cot_boosted_rows *train, const struct cot_boosted_rows *validation,
                         const struct cot_boosted_options *options, struct cot_boosted **ret_model,
                         struct cot_err *err) COT_MUST_CHECK;
void cot_boosted_free(struct cot_boosted *model);

unsigned cot_boosted_rounds(const struct cot_boosted *model);

/* Means (probabilities for the logistic objective), [rows->n]. */
cot_code cot_boosted_predict(struct cot_boosted *model, const struct cot_boosted_rows *rows, float *ret_mean,
                             struct cot_err *err) COT_MUST_CHECK;

/* TreeSHAP: [n x (d + 1)], what each column adds on the link's scale, the last the trees' mean and the row's start; a
 * row sums to the link of its prediction. */
cot_code cot_boosted_contributions(struct cot_boosted *model, const struct cot_boosted_rows *rows,
                                   float *ret_contributions, struct cot_err *err) COT_MUST_CHECK;

#endif
