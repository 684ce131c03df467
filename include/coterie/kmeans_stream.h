/*
 * K-means on batches: a model that new points move, and a fit that looks at samples instead of all points.
 *
 * Each batch is assigned to the centroids as they are; then every centroid becomes the mean of what it has seen, where
 * what it saw before counts `decay` times as much as in the batch before:
 *
 *   mass_c     <- decay * mass_c + m_c                     m_c, s_c: weight and weighted sum of the batch's points of c
 *   centroid_c <- centroid_c + (s_c - m_c * centroid_c) / mass_c
 *
 * Sources: Sculley, "Web-scale k-means clustering", doi:10.1145/1772690.1772862; the forgetting is Spark's streaming
 * k-means. decay 1 forgets nothing: one centroid is then the mean of all points ever seen.
 * Example: examples/kmeans_stream.c. A stream owns its state; one thread at a time may update it, any number may read
 * between updates.
 */
#ifndef COTERIE_KMEANS_STREAM_H
#define COTERIE_KMEANS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/kmeans.h"
#include "coterie/matrix.h"

struct cot_kmeans_stream;

/*
 * centroids: k x d row-major, finite, for example those of a fit; masses: k, >= 0, what they stand for (a fit's
 * cluster_mass), NULL: 0, so that the first batch replaces them. 0 < decay <= 1. Errors: COT_USAGE, COT_BAD_DATA (a
 * centroid or mass that is not finite), COT_NOMEM. O(k * d).
 */
cot_code cot_kmeans_stream_new(const float *centroids, const double *masses, size_t k, size_t d, double decay,
                               struct cot_kmeans_stream **ret_stream, struct cot_err *err) COT_MUST_CHECK;
void cot_kmeans_stream_free(struct cot_kmeans_stream *stream);

/*
 * One batch. x: n x d float32, n may be 0; weights: n, >= 0, NULL: 1 each; ret_labels: n, the centroids before the
 * batch moved them, or NULL; ret_inertia: the batch's, likewise, or NULL. COT_BAD_DATA for NaN or infinity (row and
 * column named), COT_USAGE for another d, COT_NOMEM: the state is then as before. O(n * k * d). Same bytes at any
 * n_threads.
 */
cot_code cot_kmeans_stream_update(struct cot_kmeans_stream *stream, const struct cot_matrix *x, const float *weights,
                                  unsigned n_threads, uint32_t *ret_labels, double *ret_inertia,
                                  struct cot_err *err) COT_MUST_CHECK;

size_t cot_kmeans_stream_k(const struct cot_kmeans_stream *stream);
size_t cot_kmeans_stream_d(const struct cot_kmeans_stream *stream);
const float *cot_kmeans_stream_centroids(const struct cot_kmeans_stream *stream); /* k x d */
const double *cot_kmeans_stream_masses(const struct cot_kmeans_stream *stream);   /* k */

struct cot_minibatch_options {
    struct cot_kmeans_options kmeans; /* k, seed, seeding, init, n_init (seedings tried), threads, weights, ... */
    size_t batch;                     /* points a batch, drawn with replacement; >= 1 */
    unsigned patience;                /* batches without a better smoothed inertia before it stops; 0: never */
    double
        reassign_ratio; /* a centroid with less than this share of the largest mass starts anew at a point; 0: never */
};

/* scikit-learn's defaults: batches of 1,024, at most 100 passes (kmeans.max_iter), patience 10, reassign_ratio .01. */
void cot_minibatch_options_init(struct cot_minibatch_options *ret_options, size_t k);

/*
 * x: n x d float32. Rows are drawn as often as their weights say. Seeds on a sample of 3 batches (k if that is more),
 * updates batch by batch with the best kernel (kmeans.isa and tol have no part in that), then assigns every point once:
 * labels, masses and inertia are those of the final centroids over all of x. n_iter counts batches. Errors as
 * cot_kmeans_fit. Time O(batches * batch * k * d + n * k * d). The same seed gives the same bytes at any number of
 * threads.
 */
cot_code cot_kmeans_minibatch_fit(const struct cot_matrix *x, const struct cot_minibatch_options *options,
                                  struct cot_kmeans **ret_kmeans, struct cot_err *err) COT_MUST_CHECK;

#endif
