/*
 * K-means: Lloyd's algorithm on weighted points, seeded by k-means++ or Markov chains.
 *
 *   inertia = sum_i w_i * min_c |x_i - c|^2
 *
 * Sources: Lloyd, doi:10.1109/TIT.1982.1056489; Arthur and Vassilvitskii, "k-means++: the advantages of careful
 * seeding", SODA 2007, with 2 + log k trials a centre (their section 6, as scikit-learn does it); Bachem, Lucic,
 * Hassani, Krause, "Fast and provably good seedings for k-means", NIPS 2016; Hamerly, doi:10.1137/1.9781611972801.12.
 * Each assignment is one fused pass: no n x k matrix, and points whose bounds say that they stay are not looked at.
 * Labels are those of float64 distances, whichever instruction set ran.
 * The caller owns the options and the data; a result owns its arrays and is freed with cot_kmeans_free.
 * Example: examples/kmeans.c. Thread rule: every function may be called from any thread; a result is immutable.
 */
#ifndef COTERIE_KMEANS_H
#define COTERIE_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "coterie/matrix.h"

struct cot_progress;

enum cot_kmeans_seeding {
    /* greedy k-means++ on all points while n * k * d <= 2^29, else on a sample of 2^29 / (k * d) points if those are
     * 32 a centre or more and the points have no weights, else chains */
    COT_KMEANS_SEED_AUTO,
    COT_KMEANS_SEED_GREEDY, /* greedy k-means++ on all points: O(n * k * d * n_trials) */
    COT_KMEANS_SEED_CHAIN   /* AFK-MC2, chains of 200: O(n * d + 200 * k^2 * d) */
};

struct cot_kmeans_options {
    size_t k;          /* 1..n */
    unsigned n_init;   /* runs from different seedings, the best kept; >= 1 */
    unsigned max_iter; /* Lloyd steps at most; >= 1 */
    double tol;        /* stop when sum |shift of centre|^2 <= tol * mean variance of the columns */
    enum cot_kmeans_seeding seeding;
    unsigned n_trials;    /* candidates a centre in greedy seeding; 0: 2 + log k; 1: plain k-means++; at most 256 */
    uint64_t seed;        /* of the seeding */
    unsigned n_threads;   /* 0: all cores */
    enum cot_isa isa;     /* instruction set of the kernels */
    size_t memory_limit;  /* bytes that a fit may allocate; 0: what the machine has available */
    const float *weights; /* n, finite, >= 0, not all 0; NULL: 1 each */
    const float *init;    /* k x d row-major, centres to start from, a warm start (n_init counts as 1); NULL: seeding */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

/* scikit-learn's defaults: n_init 1, max_iter 300, tol 1e-4; seed 1, all cores, the best kernel, no weights. */
void cot_kmeans_options_init(struct cot_kmeans_options *ret_options, size_t k);

struct cot_kmeans {
    size_t n, d, k;
    uint32_t *labels;     /* n, each 0..k-1; the nearest centroid, the lower index on a tie */
    float *centroids;     /* k x d row-major, in the data's own units */
    double *cluster_mass; /* k, sum of the weights of its points */
    double inertia;
    unsigned n_iter;  /* Lloyd steps of the run that was kept */
    enum cot_isa isa; /* the kernel that ran */
    double skipped;   /* share of the distances' points, over all its assignments, that bounds made unnecessary: 0..1 */
};

/* Bytes that cot_kmeans_fit allocates for n x d, the result included; SIZE_MAX where that overflows, 0 where n, d or k
 * is. */
size_t cot_kmeans_memory(size_t n, size_t d, const struct cot_kmeans_options *options);

/*
 * x: n x d, float32. The data are centred first, so a large common offset costs no precision. A cluster that becomes
 * empty takes the point farthest from its centre. Fewer distinct points than k: some clusters stay empty (mass 0,
 * their centroid a copy of a point). n = 1 gives one cluster of inertia 0. The labels are those of the final centroids.
 * Errors: COT_BAD_DATA for NaN or infinity (named by row and column) and bad weights; COT_USAGE for k = 0, k > n or an
 * instruction set that the machine lacks; COT_LIMIT, before anything is allocated, where the memory is not there;
 * COT_NOMEM. Time at most O(iterations * n * k * d); memory one copy of x, 8 bytes a row, O(64 * k * d), and greedy
 * seeding over all rows 4 * (1 + n_trials) bytes a row (cot_kmeans_memory). The same seed gives the
 * same bytes at any number of threads and with any instruction set.
 */
cot_code cot_kmeans_fit(const struct cot_matrix *x, const struct cot_kmeans_options *options,
                        struct cot_kmeans **ret_kmeans, struct cot_err *err) COT_MUST_CHECK;
void cot_kmeans_free(struct cot_kmeans *kmeans);

/*
 * Nearest of k centroids (k x d row-major) for each row of x. ret_labels: n; ret_distances2: n squared distances, or
 * NULL. COT_BAD_DATA for NaN or infinity in x or the centroids. O(n * k * d).
 */
cot_code cot_kmeans_assign(const struct cot_matrix *x, const float *centroids, size_t k, unsigned n_threads,
                           uint32_t *ret_labels, float *ret_distances2, struct cot_err *err) COT_MUST_CHECK;

#endif
