/*
 * How many clusters: bootstrap stability, simplified silhouette and BIC, side by side.
 *
 * For each k, on a sample of the rows (max_sample of them, 20,000 by default, so that the time does not grow with n):
 *
 *   stability   mean adjusted Rand index between pairs of clusterings, each fitted to a bootstrap resample of the
 *               sample (4,000 rows at most), all assigning the same rows (Ben-Hur et al. 2002; Fang and Wang,
 *               doi:10.1016/j.csda.2011.09.003)
 *   silhouette  simplified: mean of (b - a) / max(a, b), a and b the distances to the own and the next centroid
 *               (Vendramin et al., doi:10.1002/sam.10080); cot_metric_silhouette gives the exact one
 *   bic         -2 log L + p log n of a mixture of spherical Gaussians with hard assignment and a variance of its
 *               own for each cluster: p = (k - 1) + k d + k; lower is better
 *
 * X-means (Pelleg and Moore, ICML 2000) shares one variance; with customers a tight crowd stands beside a wide tail,
 * and a shared variance keeps cutting up the tail.
 *
 * Rule (in `score`, highest wins, the lower k on a tie): (stability / 2 + silhouette + bic) / 2.5, where silhouette and
 * bic are scaled over the range of k, worst 0 to best 1. A k whose stability is below max(0.6, best - 0.25) can't win
 * unless every k is. BIC alone takes ever more clusters on real data, silhouette ever fewer; stability tells which are
 * there.
 *
 * A choice owns its evidence. Example: examples/choose_k.c. Thread rule: any thread; immutable.
 */
#ifndef COTERIE_CHOOSE_K_H
#define COTERIE_CHOOSE_K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_progress;

struct cot_choose_k_options {
    size_t k_min, k_max;                 /* 2 <= k_min <= k_max; k_max is cut to the number of rows less 1 */
    unsigned n_bootstrap;                /* resamples a k, >= 2 */
    unsigned n_init;                     /* k-means runs of each fit, the best kept; >= 1 */
    size_t max_sample;                   /* rows at most; more are sampled without replacement */
    uint64_t seed;                       /* of sample, resamples and seedings */
    unsigned n_threads;                  /* 0: all cores */
    const struct cot_progress *progress; /* NULL: nobody is looking */
};

/* k 2..12, 10 resamples, n_init 4, max_sample 20,000, seed 1, all cores. */
void cot_choose_k_options_init(struct cot_choose_k_options *ret_options);

struct cot_k_evidence {
    size_t k;
    double stability;  /* -0.5..1 */
    double silhouette; /* -1..1 */
    double bic;        /* lower is better */
    double inertia;    /* on the sample */
    double score;      /* 0..1, the rule's */
    bool stable;       /* may win by the rule */
};

struct cot_k_choice {
    size_t k;
    size_t n_sample; /* rows that the evidence is from */
    size_t n_evidence;
    struct cot_k_evidence *evidence; /* by ascending k */
};

/*
 * x: n x d float32, n >= 3. Errors as cot_kmeans_fit. O(n d) to check and sample, then O(range * n_bootstrap * one
 * k-means on the sample). The same seed gives the same bytes at any number of threads.
 */
cot_code cot_choose_k(const struct cot_matrix *x, const struct cot_choose_k_options *options,
                      struct cot_k_choice **ret_choice, struct cot_err *err) COT_MUST_CHECK;
void cot_k_choice_free(struct cot_k_choice *choice);

#endif
