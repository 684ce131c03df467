/*
 * Where discriminant clustering begins: views of the data in which Ward's tree is grown. Part of discriminant_path.c.
 *
 * View 0: the principal components that stand out from noise (parallel analysis: Horn, doi:10.1007/BF02289447). It sees
 * what many columns say together, and is blind where much variance separates nothing.
 * View 1: components of the columns divided by how often they are said: a column's weight is one over the root of the
 * sum of its squared correlations, itself included, so that twenty columns that say one thing weigh like one.
 */
#ifndef COT_ML_DISCRIMINANT_START_H
#define COT_ML_DISCRIMINANT_START_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

enum { N_DISCRIMINANT_VIEWS = 2 };

struct discriminant_view {
    float *scores; /* n x d */
    size_t d;
};

/* ret_n_components: how many parallel analysis keeps. Same bytes at any number of threads. */
cot_code discriminant_views_make(const struct cot_matrix *z, uint64_t seed, unsigned n_threads,
                                 struct discriminant_view *ret_views, size_t *ret_n_components,
                                 struct cot_err *err) COT_MUST_CHECK;
void discriminant_views_release(struct discriminant_view *views);

#endif
