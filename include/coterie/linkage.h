/*
 * Agglomerative clustering: weighted Ward, average, complete and single linkage, as a SciPy linkage matrix.
 *
 * Ward's distance of clusters a and b with masses w and centroids m:
 *
 *   height(a, b) = sqrt(2 * w_a * w_b / (w_a + w_b)) * |m_a - m_b|
 *
 * which with weights of 1 is SciPy's. Exact, by nearest-neighbour chains (Murtagh, doi:10.1093/comjnl/26.4.354;
 * Muellner, arXiv:1109.2378). Ward keeps centroids only: O(n) memory beside the data. A linkage owns its matrix.
 * Thread rule: every function may be called from any thread; a result is immutable.
 */
#ifndef COTERIE_LINKAGE_H
#define COTERIE_LINKAGE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_progress;

enum cot_linkage_method { COT_LINKAGE_WARD, COT_LINKAGE_AVERAGE, COT_LINKAGE_COMPLETE, COT_LINKAGE_SINGLE };

struct cot_linkage_options {
    enum cot_linkage_method method;
    const float *weights;                /* n, finite, > 0; NULL: 1 each. Ward and average use them */
    unsigned n_threads;                  /* 0: all cores */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

struct cot_linkage {
    size_t n;  /* leaves */
    double *z; /* (n - 1) x 4 row-major: the two clusters joined (lower first; leaves 0..n-1, row i makes n + i), the
                  height, how many leaves the union has. Rows ascend by height. NULL where n = 1 */
};

/* Average and complete linkage hold a distance a pair, so they refuse more rows than this (1 GB). */
enum { COT_LINKAGE_MAX_PAIRWISE_ROWS = 16384 };

/*
 * x: n x d float32, n >= 1; NULL options: Ward without weights. Errors: COT_BAD_DATA for NaN or infinity (row and
 * column named) and bad weights, COT_LIMIT, COT_NOMEM. Time O(n^2 * d); memory O(n * d) for Ward and single, O(n^2)
 * for average and complete. Deterministic: equal heights join the lower index first; same bytes at any n_threads.
 */
cot_code cot_linkage_fit(const struct cot_matrix *x, const struct cot_linkage_options *options,
                         struct cot_linkage **ret_linkage, struct cot_err *err) COT_MUST_CHECK;
void cot_linkage_free(struct cot_linkage *linkage);

/*
 * Exactly k clusters, 1 <= k <= n (COT_USAGE else): undoes the last k - 1 joins. ret_labels: n, numbered 0.. in the
 * order in which the clusters first appear among the leaves. O(n).
 */
cot_code cot_linkage_cut_k(const struct cot_linkage *linkage, size_t k, uint32_t *ret_labels,
                           struct cot_err *err) COT_MUST_CHECK;

/* Clusters of leaves joined at heights <= height; ret_k (may be NULL) says how many. O(n). */
cot_code cot_linkage_cut_height(const struct cot_linkage *linkage, double height, uint32_t *ret_labels, size_t *ret_k,
                                struct cot_err *err) COT_MUST_CHECK;

/* Leaves from left to right as a dendrogram draws them (SciPy's leaves_list). ret_order: n. O(n). */
cot_code cot_linkage_leaf_order(const struct cot_linkage *linkage, uint32_t *ret_order,
                                struct cot_err *err) COT_MUST_CHECK;

#endif
