/*
 * Principal components, by the eigenvectors of the covariance matrix (LAPACK dsyevd), in double precision.
 *
 * Each component's sign makes its loading of largest magnitude positive (the first on a tie), so that maps do not flip
 * between runs. Pearson, doi:10.1080/14786440109462720. Example: examples/pca.c. Thread rule: immutable once fitted.
 */
#ifndef COTERIE_PCA_H
#define COTERIE_PCA_H

#include <stddef.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_pca {
    size_t d;
    size_t n_components;
    double *mean;       /* d */
    double *components; /* n_components x d, orthonormal rows, by descending variance */
    double *variance;   /* n_components, n - 1 in the denominator */
    double total;       /* variance of all d columns; variance[i] / total is the share explained */
};

/* Covariance matrices are d x d doubles: columns at most. */
enum { COT_PCA_MAX_COLUMNS = 8192 };

/*
 * x: n x d float32, n >= 2, 1 <= n_components <= d (COT_USAGE else); NaN and infinity refused (COT_BAD_DATA). Beyond
 * rank n - 1 variances are 0. O(n d^2 + d^3) time, O(d^2) memory. Same bytes at any number of threads.
 */
cot_code cot_pca_fit(const struct cot_matrix *x, size_t n_components, unsigned n_threads, struct cot_pca **ret_pca,
                     struct cot_err *err) COT_MUST_CHECK;
void cot_pca_free(struct cot_pca *pca);

/* ret_scores: n x n_components float32. COT_USAGE where x->d is not d. O(n * d * n_components). */
cot_code cot_pca_transform(const struct cot_pca *pca, const struct cot_matrix *x, unsigned n_threads, float *ret_scores,
                           struct cot_err *err) COT_MUST_CHECK;

#endif
