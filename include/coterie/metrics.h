/*
 * How good a clustering is: against reference labels, against the data, and a tree against its distances.
 *
 * Labels are any 32-bit numbers that name clusters; their order and gaps do not matter. Functions allocate little and
 * fail only as they say. Example: examples/metrics.c. Thread rule: any thread.
 */
#ifndef COTERIE_METRICS_H
#define COTERIE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/linkage.h"
#include "coterie/matrix.h"

/*
 * Adjusted Rand index (Hubert and Arabie, doi:10.1007/BF01908075): 1 the same partition, about 0 by chance, -0.5 at
 * least. a, b: n labels, n >= 1. Both one cluster or both all singletons: 1. O(n log n).
 */
cot_code cot_metric_ari(const uint32_t *a, const uint32_t *b, size_t n, double *ret_ari,
                        struct cot_err *err) COT_MUST_CHECK;

/*
 * Adjusted mutual information, arithmetic average (Vinh, Epps and Bailey, JMLR 11, 2010). Exact expected value under
 * the hypergeometric model: O(k_a * k_b * mean cluster size).
 */
cot_code cot_metric_ami(const uint32_t *a, const uint32_t *b, size_t n, double *ret_ami,
                        struct cot_err *err) COT_MUST_CHECK;

/*
 * Below: x n x d, labels n in 0..k-1 (COT_USAGE else, and for fewer than two clusters that have points). Clusters
 * without points do not count.
 */

/*
 * Mean silhouette (Rousseeuw, doi:10.1016/0377-0427(87)90125-7), Euclidean; a point alone in its cluster has 0. Exact:
 * O(n^2 d) time; memory two copies of x and 512 k bytes a thread. ret_values: n silhouettes, or NULL. COT_LIMIT for
 * more memory than there is, told before any work; COT_NOMEM. Same bytes at any n_threads.
 */
cot_code cot_metric_silhouette(const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                               double *ret_mean, float *ret_values, struct cot_err *err) COT_MUST_CHECK;

/*
 * With the distances to centroids in place of mean distances to points: O(n k d); memory one copy of x, the centroids
 * and 512 k bytes a thread. ret_values and errors as above.
 */
cot_code cot_metric_silhouette_simplified(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                                          unsigned n_threads, double *ret_mean, float *ret_values,
                                          struct cot_err *err) COT_MUST_CHECK;

/* Davies and Bouldin, doi:10.1109/TPAMI.1979.4766909: lower is better. O(n d + k^2 d). */
cot_code cot_metric_davies_bouldin(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                   struct cot_err *err) COT_MUST_CHECK;

/* Calinski and Harabasz, doi:10.1080/03610927408827101: higher is better. Needs more points than clusters. O(n d). */
cot_code cot_metric_calinski_harabasz(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                      struct cot_err *err) COT_MUST_CHECK;

/*
 * Cophenetic correlation: Pearson correlation, over all pairs, of Euclidean distance and height of the pair's join
 * (Sokal and Rohlf, doi:10.2307/1217208). x: the rows the linkage was made from, n >= 3. O(n^2 d) time, O(n) memory.
 */
cot_code cot_metric_cophenetic(const struct cot_matrix *x, const struct cot_linkage *linkage, double *ret_correlation,
                               struct cot_err *err) COT_MUST_CHECK;

/*
 * Dendrogram purity: over all pairs of leaves of one class, the mean share of that class among the leaves below the
 * pair's join (Heller and Ghahramani, "Bayesian hierarchical clustering", ICML 2005). 1 where every class is a subtree
 * (or no class has two leaves). labels: linkage->n classes, any numbers. COT_BAD_DATA for a matrix that is no tree (row
 * named), COT_USAGE for no leaves, COT_NOMEM. Exact, O(n log n) time, O(n) memory.
 */
cot_code cot_metric_dendrogram_purity(const struct cot_linkage *linkage, const uint32_t *labels, double *ret_purity,
                                      struct cot_err *err) COT_MUST_CHECK;

#endif
