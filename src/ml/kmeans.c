#include "coterie/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/threads.h"
#include "ml/kmeans_seed.h"
#include "ml/lloyd.h"
#include "num/check.h"

void cot_kmeans_options_init(struct cot_kmeans_options *ret_options, size_t k)
{
    *ret_options = (struct cot_kmeans_options){.k = k, .n_init = 1, .max_iter = 300, .tol = 1e-4, .seed = 1};
}

void cot_kmeans_free(struct cot_kmeans *kmeans)
{
    if (kmeans == NULL)
        return;
    free(kmeans->labels);
    free(kmeans->centroids);
    free(kmeans->cluster_mass);
    free(kmeans);
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_kmeans_options *o, struct cot_err *err)
{
    if (x->n == 0 || x->d == 0)
        return cot_fail(err, COT_USAGE, "k-means of %zu rows and %zu columns: give at least one of each", x->n, x->d);
    if (o->k == 0 || o->k > x->n || o->k > INT32_MAX)
        return cot_fail(err, COT_USAGE, "k is %zu, but there are %zu rows: k must be 1..%zu", o->k, x->n, x->n);
    if (!(o->tol >= 0) || o->max_iter == 0 || o->n_init == 0)
        return cot_fail(err, COT_USAGE, "k-means needs n_init >= 1, max_iter >= 1 and tol >= 0, not %u, %u and %g",
                        o->n_init, o->max_iter, o->tol);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_weights(o->weights, x->n, false, err);
    if (rc == COT_OK && o->init != NULL) {
        struct cot_matrix init = {.data = o->init, .n = o->k, .d = x->d, .stride = x->d};
        rc = cot_check_finite(&init, false, err);
        if (rc != COT_OK)
            cot_err_prefix(err, rc, "initial centroids");
    }
    return rc;
}

/* Weights of the padded points: 1 or the caller's, 0 for padding. */
static float *pad_weights(const struct cot_tiles *tiles, const float *weights)
{
    float *padded = cot_alloc_array(tiles->n_tiles, COT_TILE, sizeof *padded);
    for (size_t i = 0; padded != NULL && i < tiles->n; i++)
        padded[i] = weights != NULL ? weights[i] : 1.0F;
    return padded;
}

/* Mean over the columns of their variance, unweighted as scikit-learn's; the tiles' units. */
static double mean_variance(const struct cot_tiles *tiles)
{
    double total = 0;
    for (size_t j = 0; j < tiles->d; j++) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < tiles->n; i++) {
            double value = (double)cot_tile(tiles, i / COT_TILE)[j * COT_TILE + i % COT_TILE];
            sum += value;
            squares += value * value;
        }
        total += squares / (double)tiles->n - sum / (double)tiles->n * (sum / (double)tiles->n);
    }
    return total / (double)tiles->d;
}

struct best_run {
    uint32_t *labels;
    float *centres;
    double *mass;
    double inertia;
    unsigned n_iter;
};

static void keep_run(struct best_run *best, const struct cot_lloyd *l, unsigned n_iter)
{
    memcpy(best->labels, l->labels, l->tiles->n * sizeof *best->labels);
    memcpy(best->centres, l->centres, l->k * l->tiles->d * sizeof *best->centres);
    memcpy(best->mass, l->mass, l->k * sizeof *best->mass);
    best->inertia = l->inertia;
    best->n_iter = n_iter;
}

static cot_code run_all(struct cot_lloyd *l, const struct cot_kmeans_options *o, struct best_run *best,
                        struct cot_err *err)
{
    size_t d = l->tiles->d;
    unsigned n_runs = o->init != NULL ? 1 : o->n_init;
    unsigned n_trials = o->n_trials > 0 ? o->n_trials : 2 + (unsigned)log((double)o->k);
    double tol = o->tol * mean_variance(l->tiles);
    for (unsigned run = 0; run < n_runs; run++) {
        cot_progress_report(o->progress, "k-means", run, n_runs);
        if (o->init != NULL) {
            for (size_t c = 0; c < o->k; c++)
                cot_tiles_inward(l->tiles, o->init + c * d, l->centres + c * d);
        } else {
            struct cot_rng rng;
            cot_rng_split(&rng, o->seed, run);
            cot_code rc = cot_kmeans_seed(l->tiles, l->weights, o->k, n_trials, o->n_threads, &rng, l->centres, err);
            if (rc != COT_OK)
                return rc;
        }
        unsigned n_iter = cot_lloyd_run(l, o->max_iter, tol);
        if (run == 0 || l->inertia < best->inertia)
            keep_run(best, l, n_iter);
    }
    cot_progress_report(o->progress, "k-means", n_runs, n_runs);
    return COT_OK;
}

static struct cot_kmeans *result_new(size_t n, size_t d, size_t k)
{
    struct cot_kmeans *result = calloc(1, sizeof *result);
    if (result == NULL)
        return NULL;
    *result = (struct cot_kmeans){.n = n, .d = d, .k = k};
    result->labels = cot_alloc_array(n, 1, sizeof *result->labels);
    result->centroids = cot_alloc_array(k, d, sizeof *result->centroids);
    result->cluster_mass = cot_alloc_array(k, 1, sizeof *result->cluster_mass);
    if (result->labels == NULL || result->centroids == NULL || result->cluster_mass == NULL) {
        cot_kmeans_free(result);
        return NULL;
    }
    return result;
}

cot_code cot_kmeans_fit(const struct cot_matrix *x, const struct cot_kmeans_options *options,
                        struct cot_kmeans **ret_kmeans, struct cot_err *err)
{
    struct cot_tiles tiles = {0};
    struct cot_lloyd lloyd = {0};
    struct cot_kmeans *result = NULL;
    float *weights = NULL;
    cot_code rc = check_input(x, options, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_tiles_init(&tiles, x, options->weights, options->n_threads, err);
    if (rc != COT_OK)
        goto out;
    weights = pad_weights(&tiles, options->weights);
    result = result_new(x->n, x->d, options->k);
    if (weights == NULL || result == NULL) {
        rc = cot_fail(err, COT_NOMEM, "k-means of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    rc = cot_lloyd_init(&lloyd, &tiles, weights, options->k, options->n_threads, err);
    if (rc != COT_OK)
        goto out;
    struct best_run best = {
        .labels = result->labels, .centres = result->centroids, .mass = result->cluster_mass, .inertia = INFINITY};
    rc = run_all(&lloyd, options, &best, err);
    if (rc != COT_OK)
        goto out;
    for (size_t c = 0; c < options->k; c++)
        cot_tiles_outward(&tiles, result->centroids + c * x->d, result->centroids + c * x->d);
    result->inertia = best.inertia / (tiles.scale * tiles.scale);
    result->n_iter = best.n_iter;
    *ret_kmeans = result;
    result = NULL;
out:
    cot_kmeans_free(result);
    cot_lloyd_release(&lloyd);
    cot_tiles_release(&tiles);
    free(weights);
    return rc;
}

/* ---- assignment of new points ---- */

struct assignment {
    const struct cot_tiles *tiles;
    const float *centres;
    size_t k;
    uint32_t *labels;
    float *distances2;
};

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct assignment *a = context;
    double unscale = 1 / (a->tiles->scale * a->tiles->scale);
    (void)i_block;
    (void)i_thread;
    for (size_t t = begin; t < end; t++) {
        float d2[COT_TILE];
        uint32_t index[COT_TILE];
        cot_tile_nearest(cot_tile(a->tiles, t), a->tiles->d, a->centres, a->k, d2, index);
        for (size_t l = 0; l < COT_TILE && t * COT_TILE + l < a->tiles->n; l++) {
            a->labels[t * COT_TILE + l] = index[l];
            if (a->distances2 != NULL)
                a->distances2[t * COT_TILE + l] = (float)((double)d2[l] * unscale);
        }
    }
}

cot_code cot_kmeans_assign(const struct cot_matrix *x, const float *centroids, size_t k, unsigned n_threads,
                           uint32_t *ret_labels, float *ret_distances2, struct cot_err *err)
{
    struct cot_tiles tiles = {0};
    float *centres = NULL;
    cot_code rc = COT_OK;
    if (k == 0 || k > INT32_MAX || x->d == 0)
        return cot_fail(err, COT_USAGE, "nearest of %zu centroids in %zu columns: give at least one of each", k, x->d);
    if (x->n == 0)
        return COT_OK;
    rc = cot_check_finite(x, false, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_tiles_init(&tiles, x, NULL, n_threads, err);
    if (rc != COT_OK)
        return rc;
    centres = cot_alloc_array(k, x->d, sizeof *centres);
    if (centres == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu centroids", k);
        goto out;
    }
    for (size_t c = 0; c < k; c++)
        cot_tiles_inward(&tiles, centroids + c * x->d, centres + c * x->d);
    struct assignment a = {
        .tiles = &tiles, .centres = centres, .k = k, .labels = ret_labels, .distances2 = ret_distances2};
    cot_parallel_for(n_threads, tiles.n_tiles, 64, assign_block, &a);
out:
    cot_tiles_release(&tiles);
    free(centres);
    return rc;
}
