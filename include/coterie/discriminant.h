/*
 * Discriminant clustering: clusters and the directions in which they differ, found together.
 *
 * K-means on many features lets whatever varies most decide, whether or not it separates anything. Here a partition
 * and a metric take turns: from a partition, Fisher's discriminant axes (directions by between-cluster over
 * within-cluster variance); on those axes, every row to its nearest centre; until nothing moves. That is classification
 * EM for a mixture of Gaussians with one shared covariance (Celeux and Govaert, doi:10.1016/0167-9473(92)90042-E;
 * Ding and Li, ICML 2007). Features that vary without separating get no weight, correlated ones count once. The
 * partition to begin with is Ward's tree on the principal components that stand out from noise (parallel analysis:
 * Horn, doi:10.1007/BF02289447), polished by k-means.
 *
 * Example: examples/discriminant.c. Thread rule: any thread; results are immutable.
 */
#ifndef COTERIE_DISCRIMINANT_H
#define COTERIE_DISCRIMINANT_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/choose_k.h"
#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_discriminant_options {
    const double *shrinkage; /* [d] 0..1: how far a column's within-cluster variance is drawn to its total one, so that
                                no column decides alone: indicators of categories have no variance at all inside a
                                cluster of one category. NULL: 0.1 each */
    const double *mean;      /* [d] and */
    const double *total; /* d x d: as cot_discriminant_total gives them, for several fits to one z; NULL: measured */
    unsigned max_iter;   /* rounds at most */
    unsigned n_threads;  /* 0: all cores */
};

struct cot_discriminant {
    size_t n, d, k, q; /* q <= k - 1 axes */
    double *mean;      /* [d] */
    double *axes;      /* d x q row-major: y = (z - mean) axes; clusters have about unit variance on each axis */
    double *ratios;    /* [q] between- over within-cluster variance, descending */
    float *centroids;  /* k x q; an empty cluster's is far away */
    double *masses;    /* [k] rows */
    uint32_t *labels;  /* [n] */
    double silhouette; /* simplified, on the axes */
    double bic;        /* of the shared-covariance mixture, in all d columns; lower is better */
};

/* Means [d] and covariances (d x d, lower triangle, n in the denominator) of z. O(n d^2). */
cot_code cot_discriminant_total(const struct cot_matrix *z, unsigned n_threads, double *ret_mean, double *ret_total,
                                struct cot_err *err) COT_MUST_CHECK;

/*
 * z: n x d float32, standardised columns; start: n labels in 0..k-1. COT_USAGE for k < 2 or labels out of range,
 * COT_BAD_DATA for NaN or infinity, COT_NOMEM. O(max_iter * n d k). Same bytes at any number of threads.
 */
cot_code cot_discriminant_fit(const struct cot_matrix *z, const uint32_t *start, size_t k,
                              const struct cot_discriminant_options *options, struct cot_discriminant **ret_fit,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_discriminant_free(struct cot_discriminant *fit);

/* ret_y: n x q float32. O(n d q). */
cot_code cot_discriminant_project(const struct cot_discriminant *fit, const struct cot_matrix *z, unsigned n_threads,
                                  float *ret_y, struct cot_err *err) COT_MUST_CHECK;

struct cot_discriminant_path_options {
    size_t k_min, k_max;     /* 2 <= k_min <= k_max; cut to a tenth of the rows */
    unsigned n_resamples;    /* bootstrap resamples, >= 2 */
    const double *shrinkage; /* [d], as above */
    uint64_t seed;
    unsigned n_threads;
    const struct cot_progress *progress;
};

/* k 2..14, 8 resamples, seed 1, all cores. */
void cot_discriminant_path_options_init(struct cot_discriminant_path_options *ret_options);

/* A fit for each k and the evidence for it. */
struct cot_discriminant_path {
    struct cot_k_choice choice;     /* evidence by k; choice.k wins by the rule of coterie/choose_k.h */
    struct cot_discriminant **fits; /* [choice.n_evidence] */
    double **jaccards;              /* [choice.n_evidence][k]: mean over resamples of a cluster's best Jaccard index
                                       (Hennig, doi:10.1016/j.csda.2006.11.025) */
    double *stability_deviations;   /* [choice.n_evidence] over pairs of resamples */
    size_t n_components;            /* that parallel analysis keeps */
};

/*
 * z: n x d float32, n up to some 10,000 (Ward is exact: O(n^2)); more rows are for cot_discriminant_fit. The same seed
 * gives the same bytes at any number of threads. Errors as cot_discriminant_fit.
 */
cot_code cot_discriminant_path_fit(const struct cot_matrix *z, const struct cot_discriminant_path_options *options,
                                   struct cot_discriminant_path **ret_path, struct cot_err *err) COT_MUST_CHECK;
void cot_discriminant_path_free(struct cot_discriminant_path *path);

#endif
