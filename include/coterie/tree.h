/*
 * One tree of segments: an operating cut that is a good k-means partition, and a hierarchy built around it.
 *
 * 1. Up to max_exact rows: exact Ward. Above: n_micro micro-clusters (k-means on a sample of 200,000 rows or, if more,
 *    50 a micro-cluster; then every row goes to its nearest), joined by Ward weighted with their sizes.
 * 2. The tree is cut at k and the cut polished by Lloyd steps over all rows. Above max_exact the steps start from the
 *    best of weighted k-means over the micro-clusters: one that starts from Ward's clusters and n_restarts that are
 *    seeded by k-means++. That costs next to nothing, and Ward's clusters alone can end several % above the best
 * inertia.
 * 3. The tree is rebuilt around the polished cut: coarser levels are unions of its segments (Ward over the k centroids,
 *    weighted with their masses); finer levels split inside one segment (Ward over the segment's rows or, above
 *    max_exact, over the parts of micro-clusters that lie in it).
 * So every level nests in every other and a parent's totals are its children's sum. Heights ascend on either side of
 * the operating cut, but a segment's own first split may be higher than a join of two segments.
 *
 * Fewer distinct rows than k: cot_tree_k is smaller than what was asked for.
 * Segments are numbered by descending mass (ties: the first row's), so 0 is the largest.
 * Example: examples/tree.c. A tree owns everything its getters return, until cot_tree_free. Thread rule: immutable once
 * fitted, shared by threads.
 */
#ifndef COTERIE_TREE_H
#define COTERIE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/linkage.h"
#include "coterie/matrix.h"

/*
 * A cut: k segments, numbered by descending mass (ties: the first row's).
 * Owned by who asked for it; freed with cot_cut_free.
 */
struct cot_cut {
    size_t n, d, k;
    uint32_t *labels; /* n */
    float *centroids; /* k x d, means of the segments */
    double *masses;   /* k, sums of weights */
    double inertia;
    unsigned n_iter; /* Lloyd steps over all rows */
};

void cot_cut_free(struct cot_cut *cut);

struct cot_tree_options {
    size_t k;                            /* segments at the operating cut, 1..n */
    size_t max_exact;                    /* rows up to which Ward is exact */
    size_t n_micro;                      /* micro-clusters above that, >= k */
    unsigned max_polish;                 /* Lloyd steps at most; 0: the cut stays Ward's own */
    unsigned n_restarts;                 /* starts over the micro-clusters beside Ward's own; 0: Ward's alone */
    const float *weights;                /* n, finite, > 0; NULL: 1 each */
    uint64_t seed;                       /* of the micro-clusters; exact Ward uses none */
    unsigned n_threads;                  /* 0: all cores */
    size_t memory_limit;                 /* bytes that a fit may allocate; 0: what the machine has available */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

/* max_exact 20,000, n_micro 4,000, max_polish 100, n_restarts 50, seed 1, all cores. */
void cot_tree_options_init(struct cot_tree_options *ret_options, size_t k);

struct cot_tree;

/*
 * Bytes that cot_tree_fit allocates at most, the result included; SIZE_MAX where that overflows or n is beyond what a
 * tree takes; 0 where there is nothing to fit (no rows, columns, segments or, above max_exact, micro-clusters).
 */
size_t cot_tree_memory(size_t n, size_t d, const struct cot_tree_options *options);

/*
 * x: n x d float32. Errors as cot_kmeans_fit and cot_linkage_fit; COT_LIMIT before anything is allocated. Exact: O(n^2
 * * d) time; above max_exact O(n * n_micro * d). Memory is what cot_tree_memory says. Exact: about 0.8 KB a row of 32
 * columns, in Ward. Above max_exact: about two copies of x, the sample, n_micro * k numbers and up to 256 MB of partial
 * sums. The same seed gives the same bytes at any number of threads.
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

/*
 * The Ward that all cuts start from, before any polish: over the rows or, above max_exact, over the micro-clusters that
 * have rows, weighted with their masses. _leaves: n, each row's leaf, or NULL where row i is leaf i.
 */
const struct cot_linkage *cot_tree_ward(const struct cot_tree *tree);
const uint32_t *cot_tree_ward_leaves(const struct cot_tree *tree);

/*
 * The polished cut into options->k segments (1..leaves of cot_tree_ward; COT_USAGE else) without a fit from scratch. x,
 * weights: what the tree was fitted to; max_polish, n_restarts, seed, n_threads and progress count, too. At the k, seed
 * and options of the fit it is the operating cut. Cuts at different k are polished each for itself and so do not nest
 * in each other: cot_tree_zoom gives levels that do. O(iterations * n * k * d).
 */
cot_code cot_tree_cut(const struct cot_tree *tree, const struct cot_matrix *x, const struct cot_tree_options *options,
                      struct cot_cut **ret_cut, struct cot_err *err) COT_MUST_CHECK;

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
