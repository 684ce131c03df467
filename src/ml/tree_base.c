/* Micro-clusters and Ward over them: see coterie/tree.h. */
#include "ml/tree_base.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"
#include "coterie/kmeans.h"
#include "ml/means.h"
#include "num/check.h"

enum {
    SAMPLE = 200000,      /* rows that micro-clusters are learnt on, at least, if there are as many */
    SAMPLE_A_MICRO = 50,  /* and this many for each */
    SEED_A_MICRO = 10,    /* rows for each that they are seeded on */
    SEED_ITERATIONS = 4,  /* Lloyd steps on those */
    MICRO_ITERATIONS = 2, /* Lloyd steps on the sample: micro-clusters need not be at rest, only small */
};

size_t cot_tree_sample(size_t n, size_t n_micro)
{
    size_t wanted = n_micro * SAMPLE_A_MICRO > SAMPLE ? n_micro * SAMPLE_A_MICRO : SAMPLE;
    return wanted < n ? wanted : n;
}

/* A sample without replacement. */
struct sample {
    float *rows; /* n x d */
    float *weights;
    size_t n;
};

/* The first n of all rows in a shuffle (Fisher and Yates). */
static cot_code sample_init(struct sample *ret_sample, const struct cot_matrix *x, const float *weights, size_t n,
                            uint64_t seed, struct cot_err *err)
{
    struct cot_rng rng;
    struct sample s = {.n = n};
    uint32_t *order = cot_alloc_array(x->n, 1, sizeof *order);
    s.rows = cot_alloc_array(s.n, x->d, sizeof *s.rows);
    s.weights = cot_alloc_array(s.n, 1, sizeof *s.weights);
    if (order == NULL || s.rows == NULL || s.weights == NULL) {
        free(order);
        free(s.rows);
        free(s.weights);
        return cot_fail(err, COT_NOMEM, "a sample of %zu rows", s.n);
    }
    cot_rng_split(&rng, seed, 0);
    for (size_t i = 0; i < x->n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = 0; i < s.n; i++) {
        size_t other = i + (size_t)cot_rng_below(&rng, x->n - i);
        uint32_t row = order[other];
        order[other] = order[i];
        order[i] = row;
        memcpy(s.rows + i * x->d, cot_matrix_row(x, row), x->d * sizeof *s.rows);
        s.weights[i] = weights != NULL ? weights[row] : 1.0F;
    }
    free(order);
    *ret_sample = s;
    return COT_OK;
}

/* Seeds on the sample's first rows, then a few steps on all of it. */
static cot_code learn_micro(const struct sample *sample, size_t d, const struct cot_tree_options *o,
                            struct cot_kmeans **ret_kmeans, struct cot_err *err)
{
    struct cot_kmeans *seeded = NULL;
    struct cot_kmeans_options options;
    size_t n_seed = o->n_micro * SEED_A_MICRO < sample->n ? o->n_micro * SEED_A_MICRO : sample->n;
    struct cot_matrix few = {.data = sample->rows, .n = n_seed, .d = d, .stride = d};
    struct cot_matrix many = {.data = sample->rows, .n = sample->n, .d = d, .stride = d};
    cot_kmeans_options_init(&options, o->n_micro);
    options.seeding = COT_KMEANS_SEED_GREEDY;
    options.n_trials = 1;
    options.max_iter = SEED_ITERATIONS;
    options.seed = o->seed;
    options.n_threads = o->n_threads;
    options.weights = o->weights != NULL ? sample->weights : NULL;
    cot_code rc = cot_kmeans_fit(&few, &options, &seeded, err);
    if (rc == COT_OK) {
        options.init = seeded->centroids;
        options.max_iter = MICRO_ITERATIONS;
        cot_progress_report(o->progress, "finding micro-clusters", 1, 3);
        rc = cot_kmeans_fit(&many, &options, ret_kmeans, err);
    }
    cot_kmeans_free(seeded);
    return rc;
}

/* ret_micro: n, the micro-cluster of every row; some may have none. */
static cot_code find_micro(const struct cot_matrix *x, const struct cot_tree_options *o, uint32_t *ret_micro,
                           struct cot_err *err)
{
    struct sample sample = {0};
    struct cot_kmeans *kmeans = NULL;
    cot_progress_report(o->progress, "finding micro-clusters", 0, 3);
    cot_code rc = sample_init(&sample, x, o->weights, cot_tree_sample(x->n, o->n_micro), o->seed, err);
    if (rc == COT_OK)
        rc = learn_micro(&sample, x->d, o, &kmeans, err);
    cot_progress_report(o->progress, "finding micro-clusters", 2, 3);
    if (rc == COT_OK)
        rc = cot_kmeans_assign(x, kmeans->centroids, o->n_micro, o->n_threads, ret_micro, NULL, err);
    cot_progress_report(o->progress, "finding micro-clusters", 3, 3);
    cot_kmeans_free(kmeans);
    free(sample.rows);
    free(sample.weights);
    return rc;
}

/* Means and masses of the micro-clusters that have rows, numbered without gaps. */
static cot_code place_micro(struct cot_tree_base *base, const struct cot_matrix *x, const struct cot_tree_options *o,
                            struct cot_err *err)
{
    struct cot_means means = {0};
    size_t n = o->n_micro;
    uint32_t *place = cot_alloc_array(n, 1, sizeof *place);
    cot_code rc = cot_means_init(&means, x, base->leaf_of, o->weights, n, o->n_threads, err);
    base->masses = cot_alloc_array(n, 1, sizeof *base->masses);
    if (rc == COT_OK && (place == NULL || base->masses == NULL))
        rc = cot_fail(err, COT_NOMEM, "%zu micro-clusters", n);
    if (rc != COT_OK)
        goto out;
    for (size_t g = 0; g < n; g++) {
        if (means.counts[g] == 0)
            continue;
        memmove(means.means + base->n_leaves * x->d, means.means + g * x->d, x->d * sizeof *means.means);
        base->masses[base->n_leaves] = (float)means.mass[g];
        place[g] = (uint32_t)base->n_leaves++;
    }
    for (size_t i = 0; i < x->n; i++)
        base->leaf_of[i] = place[base->leaf_of[i]];
    base->centroids = means.means;
    means.means = NULL;
out:
    cot_means_release(&means);
    free(place);
    return rc;
}

cot_code cot_tree_base_init(struct cot_tree_base *ret_base, const struct cot_matrix *x,
                            const struct cot_tree_options *o, struct cot_err *err)
{
    struct cot_tree_base base = {.n_leaves = x->n};
    struct cot_matrix leaves = *x;
    struct cot_linkage_options options = {.weights = o->weights, .n_threads = o->n_threads, .progress = o->progress};
    cot_code rc = COT_OK;
    if (x->n > o->max_exact) {
        base.n_leaves = 0;
        base.leaf_of = cot_alloc_array(x->n, 1, sizeof *base.leaf_of);
        rc = base.leaf_of == NULL ? cot_fail(err, COT_NOMEM, "%zu labels", x->n) : COT_OK;
        if (rc == COT_OK)
            rc = find_micro(x, o, base.leaf_of, err);
        if (rc == COT_OK)
            rc = place_micro(&base, x, o, err);
        leaves = (struct cot_matrix){.data = base.centroids, .n = base.n_leaves, .d = x->d, .stride = x->d};
        options.weights = base.masses;
    }
    if (rc == COT_OK)
        rc = cot_linkage_fit(&leaves, &options, &base.ward, err);
    if (rc != COT_OK) {
        cot_tree_base_release(&base);
        return rc;
    }
    *ret_base = base;
    return COT_OK;
}

void cot_tree_base_release(struct cot_tree_base *base)
{
    free(base->leaf_of);
    free(base->centroids);
    free(base->masses);
    cot_linkage_free(base->ward);
    *base = (struct cot_tree_base){0};
}
