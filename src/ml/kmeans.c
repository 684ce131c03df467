#include "coterie/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/threads.h"
#include "ml/assign.h"
#include "ml/kmeans_result.h"
#include "ml/lloyd.h"
#include "ml/seed.h"
#include "num/check.h"

enum { MAX_TRIALS = 256 };

static unsigned trials_of(const struct cot_kmeans_options *o)
{
    return o->n_trials > 0 ? o->n_trials : 2 + (unsigned)log((double)o->k);
}

static struct cot_seed_options seeding_of(const struct cot_kmeans_options *o)
{
    return (struct cot_seed_options){
        .k = o->k, .method = o->seeding, .n_trials = trials_of(o), .n_threads = o->n_threads};
}

size_t cot_kmeans_memory(size_t n, size_t d, const struct cot_kmeans_options *options)
{
    if (n == 0 || d == 0 || options->k == 0)
        return 0; /* refused for other reasons */
    struct cot_seed_options seeding = seeding_of(options);
    unsigned n_threads = options->n_threads > 0 ? options->n_threads : cot_threads_available();
    const size_t parts[] = {cot_tiles_memory(n, d), cot_lloyd_memory(n, d, options->k, n_threads),
                            options->init != NULL ? 0 : cot_seed_memory(n, d, options->weights != NULL, &seeding),
                            n * (sizeof(uint32_t) + sizeof(float)) + options->k * (d + 2) * sizeof(double)};
    size_t total = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (__builtin_add_overflow(total, parts[i], &total))
            return SIZE_MAX;
    return total;
}

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
    if (o->n_trials > MAX_TRIALS)
        return cot_fail(err, COT_USAGE, "k-means++ with %u trials a centre: at most %d", o->n_trials, (int)MAX_TRIALS);
    cot_code rc = cot_check_weights(o->weights, x->n, false, err);
    if (rc == COT_OK)
        rc = cot_memory_check(cot_kmeans_memory(x->n, x->d, o), o->memory_limit, err, "k-means of %zu x %zu numbers",
                              x->n, x->d);
    if (rc == COT_OK && o->init != NULL) {
        struct cot_matrix init = {.data = o->init, .n = o->k, .d = x->d, .stride = x->d};
        rc = cot_check_finite(&init, false, err);
        if (rc != COT_OK)
            cot_err_prefix(err, rc, "initial centroids");
    }
    return rc;
}

/* The caller's weights, 0 for padding. */
static float *pad_weights(const struct cot_tiles *tiles, const float *weights)
{
    float *padded = cot_alloc_array(tiles->n_tiles, COT_TILE, sizeof *padded);
    if (padded != NULL)
        memcpy(padded, weights, tiles->n * sizeof *padded);
    return padded;
}

/*
 * Mean over the columns of their variance, unweighted as scikit-learn's; the tiles' units. The tiles are centred on the
 * weighted means, so the means of the columns count, too.
 */
static double mean_variance(const struct cot_tiles *tiles)
{
    double squares = 0;
    double means2 = 0;
    for (size_t i = 0; i < tiles->n; i++)
        squares += (double)tiles->norm2[i];
    for (size_t j = 0; j < tiles->d; j++)
        means2 += tiles->mean[j] * tiles->mean[j];
    double variance = (squares / (double)tiles->n - means2) / (double)tiles->d;
    return variance > 0 ? variance : 0;
}

/* The run becomes the result, in the tiles' units; its labels change hands. */
static void keep_run(struct cot_kmeans *result, struct cot_lloyd *l, double inertia, unsigned n_iter)
{
    uint32_t *labels = result->labels;
    result->labels = l->labels;
    l->labels = labels;
    memcpy(result->centroids, l->centres, l->k * l->tiles->d * sizeof *result->centroids);
    memcpy(result->cluster_mass, l->mass, l->k * sizeof *result->cluster_mass);
    result->inertia = inertia;
    result->n_iter = n_iter;
}

static cot_code run_all(struct cot_lloyd *l, const struct cot_kmeans_options *o, struct cot_kmeans *result,
                        struct cot_err *err)
{
    size_t d = l->tiles->d;
    unsigned n_runs = o->init != NULL ? 1 : o->n_init;
    struct cot_seed_options seeding = seeding_of(o);
    double tol = o->tol > 0 ? o->tol * mean_variance(l->tiles) : 0;
    for (unsigned run = 0; run < n_runs; run++) {
        cot_progress_report(o->progress, "k-means", run, n_runs);
        if (o->init != NULL) {
            for (size_t c = 0; c < o->k; c++)
                cot_tiles_inward(l->tiles, o->init + c * d, l->centres + c * d);
        } else {
            struct cot_rng rng;
            cot_rng_split(&rng, o->seed, run);
            cot_code rc = cot_seed(l->tiles, l->weights, &seeding, &rng, l->centres, err);
            if (rc != COT_OK)
                return rc;
        }
        unsigned n_iter = cot_lloyd_run(l, o->max_iter, tol);
        double inertia = cot_lloyd_inertia(l);
        if (run == 0 || inertia < result->inertia)
            keep_run(result, l, inertia, n_iter);
    }
    cot_progress_report(o->progress, "k-means", n_runs, n_runs);
    return COT_OK;
}

struct cot_kmeans *cot_kmeans_new(size_t n, size_t d, size_t k)
{
    struct cot_kmeans *result = calloc(1, sizeof *result);
    if (result == NULL)
        return NULL;
    *result = (struct cot_kmeans){.n = n, .d = d, .k = k};
    result->labels = cot_alloc_uninitialised((n + COT_TILE - 1) / COT_TILE, COT_TILE, sizeof *result->labels);
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
    rc = cot_tiles_init(&tiles, x, options->weights, options->n_threads, options->isa, err);
    if (rc != COT_OK)
        goto out;
    if (options->weights != NULL)
        weights = pad_weights(&tiles, options->weights);
    result = cot_kmeans_new(x->n, x->d, options->k);
    if ((options->weights != NULL && weights == NULL) || result == NULL) {
        rc = cot_fail(err, COT_NOMEM, "k-means of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    rc = cot_lloyd_init(&lloyd, &tiles, weights, options->k, options->n_threads, options->isa, err);
    if (rc != COT_OK)
        goto out;
    lloyd.progress = options->progress;
    rc = run_all(&lloyd, options, result, err);
    if (rc != COT_OK)
        goto out;
    for (size_t c = 0; c < options->k; c++)
        cot_tiles_outward(&tiles, result->centroids + c * x->d, result->centroids + c * x->d);
    result->inertia /= tiles.scale * tiles.scale;
    result->isa = lloyd.assign.centres.isa;
    result->skipped = lloyd.n_assigned > 0 ? (double)lloyd.n_skipped_in_all / (double)lloyd.n_assigned : 0;
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
    const struct cot_assign *assign;
    uint32_t *labels;
    float *distances2; /* or NULL */
    float *scratch;    /* n_threads tiles */
};

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct assignment *a = context;
    const struct cot_tiles *tiles = a->tiles;
    float *tile = a->scratch + i_thread * tiles->d * COT_TILE;
    double unscale = 1 / (tiles->scale * tiles->scale);
    (void)i_block;
    for (size_t t = begin; t < end; t++) {
        struct cot_nearest nearest;
        const float *norm2 = tiles->norm2 + t * COT_TILE;
        struct cot_tile_view view = {tile, norm2, cot_tile_radius(norm2)};
        cot_tiles_get(tiles, t, tile);
        cot_assign_run(a->assign, &view, 1, &nearest);
        for (size_t i = t * COT_TILE; i < (t + 1) * COT_TILE && i < tiles->n; i++) {
            uint32_t c = nearest.index[i % COT_TILE];
            a->labels[i] = c;
            if (a->distances2 != NULL)
                a->distances2[i] = (float)(cot_tiles_distance2(tiles, i, a->assign->rows + c * tiles->d) * unscale);
        }
    }
}

cot_code cot_kmeans_assign(const struct cot_matrix *x, const float *centroids, size_t k, unsigned n_threads,
                           uint32_t *ret_labels, float *ret_distances2, struct cot_err *err)
{
    struct cot_tiles tiles = {0};
    struct cot_assign assign = {0};
    float *centres = NULL;
    float *scratch = NULL;
    cot_code rc = COT_OK;
    n_threads = n_threads > 0 ? n_threads : cot_threads_available();
    if (k == 0 || k > INT32_MAX || x->d == 0)
        return cot_fail(err, COT_USAGE, "nearest of %zu centroids in %zu columns: give at least one of each", k, x->d);
    if (x->n == 0)
        return COT_OK;
    struct cot_matrix given = {.data = centroids, .n = k, .d = x->d, .stride = x->d};
    rc = cot_check_finite(&given, false, err);
    if (rc != COT_OK)
        return cot_err_prefix(err, rc, "centroids");
    rc = cot_tiles_init(&tiles, x, NULL, n_threads, COT_ISA_BEST, err);
    if (rc == COT_OK)
        rc = cot_assign_init(&assign, k, x->d, COT_ISA_BEST, err);
    if (rc != COT_OK)
        goto out;
    centres = cot_alloc_array(k, x->d, sizeof *centres);
    scratch = cot_alloc_aligned((size_t)n_threads * COT_TILE, x->d, sizeof *scratch);
    if (centres == NULL || scratch == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu centroids", k);
        goto out;
    }
    for (size_t c = 0; c < k; c++)
        cot_tiles_inward(&tiles, centroids + c * x->d, centres + c * x->d);
    cot_assign_set(&assign, centres);
    struct assignment a = {
        .tiles = &tiles, .assign = &assign, .labels = ret_labels, .distances2 = ret_distances2, .scratch = scratch};
    cot_parallel_for(n_threads, tiles.n_tiles, 64, assign_block, &a);
out:
    cot_assign_release(&assign);
    cot_tiles_release(&tiles);
    free(centres);
    free(scratch);
    return rc;
}
