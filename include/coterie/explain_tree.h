/*
 * A threshold tree that says in a few comparisons which cluster a point is in: IMM, grown by ExKMC.
 *
 * The first leaves, one a cluster, are found by iterative mistake minimisation: each cut is the threshold on one column
 * that parts the centroids and leaves the fewest points on the other side than their own centroid (Moshkovitz,
 * Dasgupta, Rashtchian, Frost: "Explainable k-means and k-medians clustering", ICML 2020, arXiv:2002.12538). The tree
 * then grows to max_leaves leaves, always by the split that lowers the surrogate cost most (Frost, Moshkovitz,
 * Rashtchian: "ExKMC: expanding explainable k-means clustering", arXiv:2006.02399):
 *
 *   surrogate cost = sum_i w_i |x_i - centroid of the leaf's cluster|^2
 *
 * How well the tree tells the clustering:
 *   fidelity = share of the mass whose leaf's cluster is its label
 *   price of explainability = cost of the tree's clusters (about their own means) / cost of the labels (about the
 *   centroids): 1 where nothing is lost
 *
 * Example: examples/explain_tree.c. A tree owns its nodes. Thread rule: any thread; immutable once fitted.
 */
#ifndef COTERIE_EXPLAIN_TREE_H
#define COTERIE_EXPLAIN_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"
#include "coterie/transform.h"

struct cot_progress;

struct cot_explain_tree_options {
    size_t max_leaves;                   /* >= k, cut to the rows; 0: 2 k */
    const uint32_t *labels;              /* n in 0..k-1, the clustering to be told; NULL: the nearest centroid */
    const float *weights;                /* n, finite, >= 0, not all 0; NULL: 1 each */
    unsigned n_threads;                  /* 0: all cores */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

/* 2 k leaves, nearest centroids, no weights, all cores. */
void cot_explain_tree_options_init(struct cot_explain_tree_options *ret_options);

struct cot_explain_node {
    uint32_t left, right; /* nodes: x[i_column] <= threshold goes left, else right; 0: this is a leaf */
    uint32_t parent;      /* node; the root's is 0, itself */
    uint32_t cluster;     /* a leaf's cluster */
    size_t i_column;
    double threshold; /* rounded to few digits where that moves no point: */
    float low, high;  /* any in [low, high) parts the fitted rows alike */
    double mass;      /* weights that reach the node */
    double mistakes;  /* a leaf's: weights whose label is another cluster */
    unsigned depth;   /* the root's is 0 */
};

struct cot_explain_tree {
    size_t d, k;
    size_t n_nodes, n_leaves;       /* n_leaves <= max_leaves; fewer where no split lowers the cost */
    unsigned depth;                 /* comparisons at most */
    struct cot_explain_node *nodes; /* root first, parents before children */
    double fidelity;                /* 0..1 */
    double cost;                    /* of the tree's clusters about their own means */
    double surrogate_cost;          /* about the given centroids */
    double reference_cost;          /* of the labels about the given centroids */
    double price;                   /* cost / reference_cost; 1 where both are 0 */
};

/* Clusters that a tree may tell apart. */
enum { COT_EXPLAIN_TREE_MAX_CLUSTERS = 65535 };

/*
 * A leaf's split is judged for this many centroids on either side: all of them up to here, else the leaf's own and
 * those that most of its mass is labelled with.
 */
enum { COT_EXPLAIN_TREE_MAX_CANDIDATES = 16 };

/* Bytes that cot_explain_tree_fit allocates at most, the result included; SIZE_MAX where that overflows. */
size_t cot_explain_tree_memory(size_t n, size_t d, size_t k, const struct cot_explain_tree_options *options);

/*
 * x: n x d float32, n >= 1; centroids: k x d row-major, in x's units (a cluster without points gets no leaf).
 * Errors: COT_BAD_DATA for NaN or infinity (row and column named) and bad weights; COT_USAGE for k = 0, k beyond the
 * limit, max_leaves < k or labels out of range; COT_LIMIT for more than 2^32 - 2 rows, or for more memory than there
 * is (cot_explain_tree_memory), told before any work: 8 n d bytes for the sorted columns, 8 n min(k, 16) for the
 * scores, 8 n a thread, some 400 a leaf, and a copy of x where labels are NULL; COT_NOMEM.
 * Time O(n d) to sort, then O(n d) a level of the tree for the first k leaves and O(n d min(k, 16)) for the others.
 * Same bytes at any number of threads.
 */
cot_code cot_explain_tree_fit(const struct cot_matrix *x, const float *centroids, size_t k,
                              const struct cot_explain_tree_options *options, struct cot_explain_tree **ret_tree,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_explain_tree_free(struct cot_explain_tree *tree);

/*
 * Cluster of each row of x (n x d, NaN and infinity refused). ret_clusters: n; ret_leaves: n node indices, or NULL.
 * COT_USAGE where x->d is not d. O(n depth).
 */
cot_code cot_explain_tree_assign(const struct cot_explain_tree *tree, const struct cot_matrix *x, unsigned n_threads,
                                 uint32_t *ret_clusters, uint32_t *ret_leaves, struct cot_err *err) COT_MUST_CHECK;

/* What a leaf says about one column: above < x <= at_most; infinite where there is no such bound. */
struct cot_explain_bound {
    size_t i_column;
    double above, at_most;
    uint32_t above_node, at_most_node; /* that ask so; UINT32_MAX: none */
};

/*
 * The conditions of a leaf, one a column, in the order in which the tree asks. ret_bounds: room for tree->depth;
 * returns how many. i_node: a node index (an inner node gives the conditions to reach it).
 */
size_t cot_explain_tree_bounds(const struct cot_explain_tree *tree, uint32_t i_node,
                               struct cot_explain_bound *ret_bounds);

/*
 * The rule of a cluster as a sentence, leaves from the largest on: "orders > 4 and recency <= 30, or 2 < orders <= 4".
 * names: d column names; NULL: x0, x1, ... "everybody" where the tree has one leaf, "nobody" where no leaf is the
 * cluster's. ret_text is freed with free(). COT_USAGE for a cluster beyond k, COT_NOMEM.
 */
cot_code cot_explain_tree_text(const struct cot_explain_tree *tree, uint32_t cluster, const char *const *names,
                               char **ret_text, struct cot_err *err) COT_MUST_CHECK;

/*
 * The same for a tree over what a transform made (coterie/transform.h), in the raw columns' names and units:
 * "orders > 4 and country is 7". Categories go by their codes; "unknown" is missing or not seen in the fit. A raw
 * number meets the rule where its score goes to the rule's leaves; of numbers that share a float32 score, those with
 * more than six digits (counted from the column's largest) that are not whole may be told a score's width beside.
 * COT_USAGE where the transform makes other than d columns.
 */
cot_code cot_explain_tree_text_raw(const struct cot_explain_tree *tree, uint32_t cluster,
                                   const struct cot_transform *transform, char **ret_text,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
