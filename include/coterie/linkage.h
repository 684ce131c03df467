/*
 * Agglomerative clustering: weighted Ward, average, complete and single linkage, as a SciPy linkage matrix.
 *
 * Ward's distance of clusters a and b with masses w and centroids m:
 *
 *   height(a, b) = sqrt(2 * w_a * w_b / (w_a + w_b)) * |m_a - m_b|
 *
 * which with weights of 1 is SciPy's. Ward joins all reciprocal nearest neighbours in rounds, average and complete
 * follow nearest-neighbour chains, single builds a minimum spanning tree: all exact (Murtagh,
 * doi:10.1093/comjnl/26.4.354; Muellner, arXiv:1109.2378). Ward and single keep points only: O(n * d) memory.
 * A linkage owns its matrix. Example: examples/linkage.c. Thread rule: every function may be called from any thread; a
 * result is immutable.
 */
#ifndef COTERIE_LINKAGE_H
#define COTERIE_LINKAGE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "coterie/matrix.h"

struct cot_progress;

enum cot_linkage_method { COT_LINKAGE_WARD, COT_LINKAGE_AVERAGE, COT_LINKAGE_COMPLETE, COT_LINKAGE_SINGLE };

struct cot_linkage_options {
    enum cot_linkage_method method;
    const float *weights;                /* n, finite, > 0; NULL: 1 each. Ward and average use them */
    unsigned n_threads;                  /* 0: all cores */
    enum cot_isa isa;                    /* of Ward's kernels; the result is the same bytes with any */
    size_t memory_limit;                 /* bytes that a fit may allocate; 0: what the machine has available */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

struct cot_linkage {
    size_t n;  /* leaves */
    double *z; /* (n - 1) x 4 row-major: the two clusters joined (lower first; leaves 0..n-1, row i makes n + i), the
                  height, how many leaves the union has. Rows ascend by height. NULL where n = 1 */
};

/*
 * Bytes that cot_linkage_fit allocates for n x d, the result included; SIZE_MAX where that overflows. NULL options:
 * Ward. At 32 columns Ward takes about 0.8 KB a row; average and complete hold a distance a pair, 4 n^2 bytes: 1 GB at
 * 16,384 rows.
 */
size_t cot_linkage_memory(size_t n, size_t d, const struct cot_linkage_options *options);

/*
 * x: n x d float32, n >= 1; NULL options: Ward without weights. Errors: COT_BAD_DATA for NaN or infinity (row and
 * column named) and bad weights, COT_LIMIT with both sizes, before anything is allocated, where the memory is not
 * there, COT_USAGE for an instruction set that the machine lacks, COT_NOMEM. Time O(n^2 * d); memory O(n * d) for Ward
 * and single, O(n^2) for average and complete. Deterministic: of equal distances the pair with the lower places goes
 * first, where leaves come in their order and unions after them as they are made; same bytes at any n_threads and with
 * any isa. Ward's distances are taken in float64; float32 only rules out pairs that provably can't matter
 * (src/num/bounds.h).
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

/*
 * The finest cut without clusters of fewer than min_size leaves (1..n, COT_USAGE else): from the root down, a join is
 * undone where each of its two sides has at least min_size leaves and all joins above it are undone, too. A cluster
 * that could only shed a smaller side stays whole, so ret_k (may be NULL) may be 1. ret_labels: n, by first appearance.
 * O(n).
 */
cot_code cot_linkage_cut_min_size(const struct cot_linkage *linkage, size_t min_size, uint32_t *ret_labels,
                                  size_t *ret_k, struct cot_err *err) COT_MUST_CHECK;

/* Leaves from left to right as a dendrogram draws them (SciPy's leaves_list). ret_order: n. O(n). */
cot_code cot_linkage_leaf_order(const struct cot_linkage *linkage, uint32_t *ret_order,
                                struct cot_err *err) COT_MUST_CHECK;

/*
 * Heights at which each pair of leaves joins (SciPy's cophenet). ret_heights: n (n - 1) / 2, the pairs (0,1), (0,2)...
 * (1,2)... O(n^2).
 */
cot_code cot_linkage_cophenetic(const struct cot_linkage *linkage, double *ret_heights,
                                struct cot_err *err) COT_MUST_CHECK;

/* A tree over items: item i is the linkage's leaf leaves[i]; NULL: leaf i. Several items may share a leaf. */
struct cot_dendrogram {
    const struct cot_linkage *linkage;
    const uint32_t *leaves;
};

/*
 * Correlation of the heights at which two trees join each pair of n >= 3 items (COT_USAGE else); a pair in one leaf
 * joins at 0. 0 where either tree joins all pairs at one height. Sokal and Rohlf, doi:10.2307/1217208. O(n * (n +
 * leaves)) time, O(n) memory.
 */
cot_code cot_linkage_agreement(const struct cot_dendrogram *a, const struct cot_dendrogram *b, size_t n,
                               double *ret_correlation, struct cot_err *err) COT_MUST_CHECK;

/*
 * Newick: (left:length,right:length);  and a newline. A branch is as long as its ends' heights differ (leaves are at
 * 0), with 17 digits. names: n leaf names, or NULL for 0..n-1; those with blanks or characters of the format stand in
 * single quotes, a quote inside twice. The caller frees ret_text. COT_LIMIT above 1 GB of text, COT_NOMEM.
 */
cot_code cot_linkage_newick(const struct cot_linkage *linkage, const char *const *names, char **ret_text,
                            struct cot_err *err) COT_MUST_CHECK;

/*
 * JSON: {"n": leaves, "names": [...], "joins": [{"left", "right", "height", "leaves"}, ...]}; join i makes node n + i;
 * no "names" where names is NULL. Flat, so that deep trees harm no reader. The caller frees ret_text. COT_BAD_DATA for
 * a name that is not UTF-8, COT_NOMEM.
 */
cot_code cot_linkage_json(const struct cot_linkage *linkage, const char *const *names, char **ret_text,
                          struct cot_err *err) COT_MUST_CHECK;

#endif
