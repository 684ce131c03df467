/* One cut of a tree, polished: see coterie/tree.h. */
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/threads.h"
#include "coterie/kmeans.h"
#include "ml/means.h"
#include "ml/tree_base.h"
#include "num/check.h"

void cot_cut_free(struct cot_cut *cut)
{
    if (cut == NULL)
        return;
    free(cut->labels);
    free(cut->centroids);
    free(cut->masses);
    free(cut);
}

/* ---- numbering ---- */

struct rank {
    double mass;
    size_t first; /* item */
    uint32_t label;
};

static int heavier_first(const void *a, const void *b)
{
    const struct rank *x = a;
    const struct rank *y = b;
    if (x->mass != y->mass)
        return x->mass > y->mass ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

cot_code cot_labels_by_mass(uint32_t *labels, size_t n, size_t k, const double *masses, const float *weights,
                            size_t *ret_n, struct cot_err *err)
{
    struct rank *ranks = cot_alloc_array(k, 1, sizeof *ranks);
    uint32_t *new_label = cot_alloc_array(k, 1, sizeof *new_label);
    cot_code rc = COT_OK;
    size_t n_filled = 0;
    if (ranks == NULL || new_label == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu clusters", k);
        goto out;
    }
    for (size_t c = 0; c < k; c++)
        ranks[c] = (struct rank){.mass = 0, .first = SIZE_MAX, .label = (uint32_t)c};
    for (size_t i = 0; i < n; i++) {
        struct rank *rank = &ranks[labels[i]];
        rank->mass += masses != NULL ? masses[i] : weights != NULL ? (double)weights[i] : 1.0;
        rank->first = rank->first == SIZE_MAX ? i : rank->first;
    }
    qsort(ranks, k, sizeof *ranks, heavier_first);
    for (size_t c = 0; c < k; c++) {
        new_label[ranks[c].label] = (uint32_t)c;
        n_filled += ranks[c].first != SIZE_MAX;
    }
    for (size_t i = 0; i < n; i++)
        labels[i] = new_label[labels[i]];
    *ret_n = n_filled;
out:
    free(ranks);
    free(new_label);
    return rc;
}

/* ---- the polish ---- */

static struct cot_kmeans_options polish_options(const struct cot_tree_options *o, size_t k)
{
    struct cot_kmeans_options options;
    cot_kmeans_options_init(&options, k);
    options.max_iter = o->max_polish;
    options.seed = o->seed;
    options.n_threads = o->n_threads;
    return options;
}

/* Means of Ward's clusters become those of the best weighted k-means over the micro-clusters. */
static cot_code improve_on_micro(const struct cot_tree_base *base, const struct cot_tree_options *o, size_t d, size_t k,
                                 float *centroids, struct cot_err *err)
{
    struct cot_matrix leaves = {.data = base->centroids, .n = base->n_leaves, .d = d, .stride = d};
    struct cot_kmeans *fits[2] = {NULL, NULL};
    struct cot_kmeans_options options = polish_options(o, k);
    options.weights = base->masses;
    options.init = centroids;
    cot_code rc = cot_kmeans_fit(&leaves, &options, &fits[0], err);
    if (rc == COT_OK && o->n_restarts > 0) {
        options.init = NULL;
        options.n_init = o->n_restarts;
        rc = cot_kmeans_fit(&leaves, &options, &fits[1], err);
    }
    if (rc == COT_OK) {
        const struct cot_kmeans *best = fits[1] != NULL && fits[1]->inertia < fits[0]->inertia ? fits[1] : fits[0];
        memcpy(centroids, best->centroids, k * d * sizeof *centroids);
    }
    cot_kmeans_free(fits[0]);
    cot_kmeans_free(fits[1]);
    return rc;
}

static cot_code polish(const struct cot_tree_base *base, const struct cot_matrix *x, const struct cot_tree_options *o,
                       size_t k, struct cot_cut *cut, struct cot_err *err)
{
    struct cot_means means = {0};
    struct cot_kmeans *kmeans = NULL;
    struct cot_kmeans_options options = polish_options(o, k);
    cot_progress_report(o->progress, "polishing segments", 0, 1);
    cot_code rc = cot_means_init(&means, x, cut->labels, o->weights, k, o->n_threads, err);
    if (rc == COT_OK && base->leaf_of != NULL)
        rc = improve_on_micro(base, o, x->d, k, means.means, err);
    if (rc == COT_OK) {
        options.init = means.means;
        options.weights = o->weights;
        rc = cot_kmeans_fit(x, &options, &kmeans, err);
    }
    if (rc == COT_OK) {
        memcpy(cut->labels, kmeans->labels, x->n * sizeof *cut->labels);
        cut->n_iter = kmeans->n_iter;
    }
    cot_progress_report(o->progress, "polishing segments", 1, 1);
    cot_kmeans_free(kmeans);
    cot_means_release(&means);
    return rc;
}

/* ---- the result ---- */

struct spread {
    const struct cot_matrix *x;
    const float *weights;
    const struct cot_cut *cut;
    double *block_inertia;
};

static void sum_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct spread *s = context;
    double sum = 0;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(s->x, i);
        const float *mean = s->cut->centroids + s->cut->labels[i] * s->x->d;
        double d2 = 0;
        for (size_t j = 0; j < s->x->d; j++)
            d2 += ((double)row[j] - (double)mean[j]) * ((double)row[j] - (double)mean[j]);
        sum += (s->weights != NULL ? (double)s->weights[i] : 1.0) * d2;
    }
    s->block_inertia[i_block] = sum;
}

static cot_code describe(const struct cot_matrix *x, const struct cot_tree_options *o, size_t k, struct cot_cut *cut,
                         struct cot_err *err)
{
    struct cot_means means = {0};
    size_t block = cot_block_of(x->n, 4096);
    size_t n_blocks = cot_n_blocks(x->n, block);
    struct spread s = {.x = x, .weights = o->weights, .cut = cut};
    cot_code rc = cot_labels_by_mass(cut->labels, x->n, k, NULL, o->weights, &cut->k, err);
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, cut->labels, o->weights, cut->k, o->n_threads, err);
    if (rc != COT_OK)
        return rc;
    cut->centroids = means.means;
    cut->masses = means.mass;
    means.means = NULL;
    means.mass = NULL;
    cot_means_release(&means);
    s.block_inertia = cot_alloc_array(n_blocks, 1, sizeof *s.block_inertia);
    if (s.block_inertia == NULL)
        return cot_fail(err, COT_NOMEM, "%zu partial sums", n_blocks);
    cot_parallel_for(o->n_threads, x->n, block, sum_block, &s);
    for (size_t b = 0; b < n_blocks; b++)
        cut->inertia += s.block_inertia[b];
    free(s.block_inertia);
    return COT_OK;
}

cot_code cot_tree_base_cut(const struct cot_tree_base *base, const struct cot_matrix *x,
                           const struct cot_tree_options *o, struct cot_cut **ret_cut, struct cot_err *err)
{
    size_t k = o->k < base->n_leaves ? o->k : base->n_leaves;
    struct cot_cut *cut = calloc(1, sizeof *cut);
    uint32_t *leaf_labels = cot_alloc_array(base->n_leaves, 1, sizeof *leaf_labels);
    cot_code rc = COT_OK;
    if (cut != NULL)
        cut->labels = cot_alloc_array(x->n, 1, sizeof *cut->labels);
    if (cut == NULL || leaf_labels == NULL || cut->labels == NULL) {
        rc = cot_fail(err, COT_NOMEM, "labels of %zu rows", x->n);
        goto out;
    }
    cut->n = x->n;
    cut->d = x->d;
    rc = cot_linkage_cut_k(base->ward, k, leaf_labels, err);
    for (size_t i = 0; rc == COT_OK && i < x->n; i++)
        cut->labels[i] = leaf_labels[base->leaf_of != NULL ? base->leaf_of[i] : i];
    if (rc == COT_OK && o->max_polish > 0)
        rc = polish(base, x, o, k, cut, err);
    if (rc == COT_OK)
        rc = describe(x, o, k, cut, err);
    if (rc != COT_OK)
        goto out;
    *ret_cut = cut;
    cut = NULL;
out:
    cot_cut_free(cut);
    free(leaf_labels);
    return rc;
}
