/*
 * The segment tree beside exact Ward and flat k-means, as one JSON document on standard output.
 *
 *   bench_tree X.npy SAMPLE RESTARTS K...
 *
 * Fits the tree once (k = the first K), polishes a cut at every K, fits flat k-means with RESTARTS seedings at every K,
 * and compares the tree's Ward with exact Ward over SAMPLE rows (every n / SAMPLE-th). bench/trees.py makes the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "coterie/kmeans.h"
#include "coterie/linkage.h"
#include "coterie/tree.h"
#include "num/array.h"
#include "num/check.h"

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Correlation of the heights of the tree's Ward with those of exact Ward over the sampled rows. */
static cot_code agreement(const struct cot_matrix *x, const struct cot_tree *tree, size_t n_sample, double *ret_value,
                          struct cot_err *err)
{
    size_t step = x->n / n_sample;
    const uint32_t *leaf_of = cot_tree_ward_leaves(tree);
    uint32_t *leaves = cot_alloc_array(n_sample, 1, sizeof *leaves);
    struct cot_linkage *exact = NULL;
    struct cot_matrix sample = {.data = x->data, .n = n_sample, .d = x->d, .stride = x->stride * step};
    cot_code rc = leaves == NULL ? cot_fail(err, COT_NOMEM, "%zu rows", n_sample) : COT_OK;
    for (size_t i = 0; rc == COT_OK && i < n_sample; i++)
        leaves[i] = leaf_of != NULL ? leaf_of[i * step] : (uint32_t)(i * step);
    if (rc == COT_OK)
        rc = cot_linkage_fit(&sample, NULL, &exact, err);
    if (rc == COT_OK) {
        struct cot_dendrogram a = {.linkage = cot_tree_ward(tree), .leaves = leaves};
        struct cot_dendrogram b = {.linkage = exact};
        rc = cot_linkage_agreement(&a, &b, n_sample, ret_value, err);
    }
    cot_linkage_free(exact);
    free(leaves);
    return rc;
}

/* The same for exact Ward over twice as many rows, of which every other is the sample's. */
static cot_code ceiling(const struct cot_matrix *x, size_t n_sample, double *ret_value, struct cot_err *err)
{
    size_t step = x->n / (2 * n_sample);
    struct cot_matrix twice = {.data = x->data, .n = 2 * n_sample, .d = x->d, .stride = x->stride * step};
    struct cot_matrix sample = {.data = x->data, .n = n_sample, .d = x->d, .stride = 2 * x->stride * step};
    struct cot_linkage *linkages[2] = {NULL, NULL};
    uint32_t *leaves = cot_alloc_array(n_sample, 1, sizeof *leaves);
    cot_code rc = leaves == NULL ? cot_fail(err, COT_NOMEM, "%zu rows", n_sample) : COT_OK;
    for (size_t i = 0; rc == COT_OK && i < n_sample; i++)
        leaves[i] = (uint32_t)(2 * i);
    if (rc == COT_OK)
        rc = cot_linkage_fit(&twice, NULL, &linkages[0], err);
    if (rc == COT_OK)
        rc = cot_linkage_fit(&sample, NULL, &linkages[1], err);
    if (rc == COT_OK) {
        struct cot_dendrogram a = {.linkage = linkages[0], .leaves = leaves};
        struct cot_dendrogram b = {.linkage = linkages[1]};
        rc = cot_linkage_agreement(&a, &b, n_sample, ret_value, err);
    }
    cot_linkage_free(linkages[0]);
    cot_linkage_free(linkages[1]);
    free(leaves);
    return rc;
}

static cot_code compare_cut(const struct cot_matrix *x, const struct cot_tree *tree, struct cot_tree_options *options,
                            unsigned n_restarts, const char *separator, struct cot_err *err)
{
    struct cot_cut *cut = NULL;
    struct cot_kmeans *flat = NULL;
    struct cot_kmeans_options flat_options;
    cot_kmeans_options_init(&flat_options, options->k);
    flat_options.n_init = n_restarts;
    double began = seconds_now();
    cot_code rc = cot_tree_cut(tree, x, options, &cut, err);
    double cut_seconds = seconds_now() - began;
    began = seconds_now();
    if (rc == COT_OK && n_restarts > 0)
        rc = cot_kmeans_fit(x, &flat_options, &flat, err);
    if (rc == COT_OK)
        printf("%s{\"k\": %zu, \"seconds\": %.6f, \"inertia\": %.17g, \"flat_seconds\": %.6f, \"flat_inertia\": %.17g}",
               separator, cut->k, cut_seconds, cut->inertia, seconds_now() - began, flat != NULL ? flat->inertia : 0.0);
    cot_cut_free(cut);
    cot_kmeans_free(flat);
    return rc;
}

static cot_code run(const char *path, size_t n_sample, unsigned n_restarts, char **ks, int n_ks, struct cot_err *err)
{
    struct cot_array array = {0};
    struct cot_tree *tree = NULL;
    struct cot_tree_options options;
    double correlation = 0;
    double highest = 0;
    cot_code rc = cot_array_read(path, &array, err);
    struct cot_matrix x = cot_array_view(&array);
    cot_tree_options_init(&options, strtoul(ks[0], NULL, 10));
    if (rc == COT_OK && (n_sample < 3 || 2 * n_sample > x.n))
        rc = cot_fail(err, COT_USAGE, "a sample of %zu of %zu rows: give 3 to half", n_sample, x.n);
    double began = seconds_now();
    if (rc == COT_OK)
        rc = cot_tree_fit(&x, &options, &tree, err);
    if (rc != COT_OK)
        goto out;
    printf("{\"n\": %zu, \"d\": %zu, \"seconds\": %.6f, \"cuts\": [", x.n, x.d, seconds_now() - began);
    for (int i = 0; i < n_ks && rc == COT_OK; i++) {
        options.k = strtoul(ks[i], NULL, 10);
        rc = compare_cut(&x, tree, &options, n_restarts, i > 0 ? ", " : "", err);
    }
    if (rc == COT_OK)
        rc = agreement(&x, tree, n_sample, &correlation, err);
    if (rc == COT_OK)
        rc = ceiling(&x, n_sample, &highest, err);
    if (rc == COT_OK)
        printf("], \"cophenetic\": %.17g, \"ceiling\": %.17g}\n", correlation, highest);
out:
    cot_tree_free(tree);
    cot_array_release(&array);
    return rc;
}

int main(int argc, char **argv)
{
    struct cot_err err = {0};
    if (argc < 5) {
        fputs("usage: bench_tree X.npy SAMPLE RESTARTS K...\n", stderr);
        return 64;
    }
    cot_code rc =
        run(argv[1], strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10), argv + 4, argc - 4, &err);
    if (rc != COT_OK)
        fprintf(stderr, "bench_tree: %s\n", err.message);
    return cot_code_exit_status(rc);
}
