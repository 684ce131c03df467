/*
 * One tree of segments: an operating cut that is a good k-means partition, and a hierarchy built around it.
 *
 * 1. Up to max_exact rows: exact Ward. Above: n_micro micro-clusters (k-means seeded on a sample, then every row goes
 * to its nearest), joined by Ward weighted with their sizes.
 * 2. The tree is cut at k and the cut polished by Lloyd steps over all rows.
 * 3. The tree is rebuilt around the polished cut: coarser levels are unions of its segments (Ward over the k centroids,
 *    weighted with their masses); finer levels split inside one segment (Ward over the segment's rows or, above
 *    max_exact, over the parts of micro-clusters that lie in it).
 * So every level nests in every other and a parent's totals are its children's sum. Heights ascend on either side of
 * the operating cut, but a segment's own first split may be higher than a join of two segments.
 *
 * Fewer distinct rows than k: cot_tree_k is smaller than what was asked for.
 * Segments are numbered by descending mass (ties: the first row's), so 0 is the largest.
 * A tree owns everything its getters return, until cot_tree_free. Thread rule: immutable once fitted, shared by
 * threads.
 */
#ifndef COTERIE_TREE_H
#define COTERIE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/linkage.h"
#include "coterie/matrix.h"

struct cot_tree_options {
    size_t k;                            /* segments at the operating cut, 1..n */
    size_t max_exact;                    /* rows up to which Ward is exact */
    size_t n_micro;                      /* micro-clusters above that, >= k */
    unsigned max_polish;                 /* Lloyd steps at most; 0: the cut stays Ward's own */
    const float *weights;                /* n, finite, > 0; NULL: 1 each */
    uint64_t seed;                       /* of the micro-clusters; exact Ward uses none */
    unsigned n_threads;                  /* 0: all cores */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

/* max_exact 20,000, n_micro 4,000, max_polish 100, seed 1, all cores. */
void cot_tree_options_init(struct cot_tree_options *ret_options, size_t k);

struct cot_tree;

/*
 * x: n x d float32. Errors as cot_kmeans_fit and cot_linkage_fit. Exact: O(n^2 * d) time; above max_exact
 * O(n * n_micro * d). Memory about two copies of x. The same seed gives the same bytes at any number of threads.
 */
cot_code cot_tree_fit(const struct cot_matrix *x, const struct cot_tree_options *options, struct cot_tree **ret_tree,
                      struct cot_err *err) COT_MUST_CHECK;
void cot_tree_free(struct cot_tree *tree);

size_t cot_tree_n(const struct cot_tree *tree);
size_t cot_tree_d(const struct cot_tree *tree);
size_t cot_tree_k(const struct cot_tree *tree);
const uint32_t *cot_tree_labels(const struct cot_tree *tree);             /* n, the operating cut */
const float *cot_tree_centroids(const struct cot_tree *tree);             /* k x d, means of the segments */
const double *cot_tree_masses(const struct cot_tree *tree);               /* k, sums of weights */
const struct cot_linkage *cot_tree_segments(const struct cot_tree *tree); /* Ward over the k segments: leaves 0..k-1 */
double cot_tree_inertia(const struct cot_tree *tree);                     /* of the operating cut */
unsigned cot_tree_n_iter(const struct cot_tree *tree);                    /* Lloyd steps of the polish */

/* The most clusters that cot_tree_zoom can show: rows, or parts of micro-clusters. */
size_t cot_tree_max_zoom(const struct cot_tree *tree);

/*
 * Labels at zoom clusters, 1 <= zoom <= max_zoom (COT_USAGE else). ret_labels: n, numbered by descending mass within
 * this level. ret_segments: where zoom >= k, zoom entries, the segment that each cluster lies in; where zoom < k, k
 * entries, the cluster that each segment lies in; may be NULL. O(n + max_zoom log max_zoom).
 */
cot_code cot_tree_zoom(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                       struct cot_err *err) COT_MUST_CHECK;

#endif
