#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "coterie/kmeans_stream.h"
#include "ml/kmeans_result.h"
#include "num/check.h"

enum { SEED_BATCHES = 3 };

void cot_minibatch_options_init(struct cot_minibatch_options *ret_options, size_t k)
{
    *ret_options = (struct cot_minibatch_options){.batch = 1024, .patience = 10, .reassign_ratio = 0.01};
    cot_kmeans_options_init(&ret_options->kmeans, k);
    ret_options->kmeans.max_iter = 100;
}

/* Rows drawn from x with replacement, as often as their weights say: in a batch every row counts the same. */
struct sample {
    const struct cot_matrix *x;
    double *cumulative; /* n of x: sum of the weights up to and with each row; NULL: all the same */
    size_t n;
    float *rows; /* n x d */
};

static cot_code sample_init(struct sample *ret_sample, const struct cot_matrix *x, const float *weights, size_t n,
                            struct cot_err *err)
{
    struct sample s = {.x = x, .n = n};
    double sum = 0;
    s.rows = cot_alloc_array(n, x->d, sizeof *s.rows);
    if (weights != NULL)
        s.cumulative = cot_alloc_array(x->n, 1, sizeof *s.cumulative);
    if (s.rows == NULL || (weights != NULL && s.cumulative == NULL)) {
        free(s.rows);
        free(s.cumulative);
        return cot_fail(err, COT_NOMEM, "batches of %zu points", n);
    }
    for (size_t i = 0; weights != NULL && i < x->n; i++)
        s.cumulative[i] = sum += (double)weights[i];
    *ret_sample = s;
    return COT_OK;
}

static void sample_release(struct sample *s)
{
    free(s->rows);
    free(s->cumulative);
}

static struct cot_matrix sample_view(const struct sample *s)
{
    return (struct cot_matrix){.data = s->rows, .n = s->n, .d = s->x->d, .stride = s->x->d};
}

/* Never a row of weight 0. */
static size_t draw_row(const struct sample *s, struct cot_rng *rng)
{
    return s->cumulative != NULL ? cot_rng_choice_cumulative(rng, s->cumulative, s->x->n)
                                 : (size_t)cot_rng_below(rng, s->x->n);
}

static void sample_draw(struct sample *s, struct cot_rng *rng)
{
    size_t d = s->x->d;
    for (size_t m = 0; m < s->n; m++)
        memcpy(s->rows + m * d, cot_matrix_row(s->x, draw_row(s, rng)), d * sizeof *s->rows);
}

/* Centroids to start from: the caller's, or the best of n_init seedings (and one step) on a sample. */
static cot_code start(const struct cot_matrix *x, const struct cot_minibatch_options *o, struct cot_rng *rng,
                      float *ret_centroids, struct cot_err *err)
{
    struct sample sample = {0};
    struct cot_kmeans *seeded = NULL;
    size_t k = o->kmeans.k;
    size_t n = SEED_BATCHES * o->batch > k ? SEED_BATCHES * o->batch : k;
    if (o->kmeans.init != NULL) {
        memcpy(ret_centroids, o->kmeans.init, k * x->d * sizeof *ret_centroids);
        return COT_OK;
    }
    cot_code rc = sample_init(&sample, x, o->kmeans.weights, n, err);
    if (rc != COT_OK)
        return rc;
    sample_draw(&sample, rng);
    struct cot_matrix view = sample_view(&sample);
    struct cot_kmeans_options options = o->kmeans;
    options.weights = NULL;
    options.max_iter = 1;
    options.progress = NULL;
    rc = cot_kmeans_fit(&view, &options, &seeded, err);
    if (rc == COT_OK)
        memcpy(ret_centroids, seeded->centroids, k * x->d * sizeof *ret_centroids);
    cot_kmeans_free(seeded);
    sample_release(&sample);
    return rc;
}

/* Centroids that nearly nobody is near start anew at points of the batch, with the least mass of the others. */
static cot_code reassign(struct cot_kmeans_stream **stream, const struct cot_minibatch_options *o,
                         const struct sample *batch, struct cot_rng *rng, struct cot_err *err)
{
    size_t k = o->kmeans.k;
    size_t d = batch->x->d;
    const double *before = cot_kmeans_stream_masses(*stream);
    double most = 0;
    double least = INFINITY;
    size_t n_poor = 0;
    for (size_t c = 0; c < k; c++)
        most = before[c] > most ? before[c] : most;
    for (size_t c = 0; c < k; c++) {
        n_poor += before[c] < o->reassign_ratio * most;
        if (before[c] >= o->reassign_ratio * most)
            least = before[c] < least ? before[c] : least;
    }
    if (n_poor == 0 || most <= 0)
        return COT_OK;
    struct cot_kmeans_stream *renewed = NULL;
    double *masses = cot_alloc_array(k, 1, sizeof *masses);
    float *centroids = cot_alloc_array(k, d, sizeof *centroids);
    cot_code rc = masses == NULL || centroids == NULL ? cot_fail(err, COT_NOMEM, "%zu centroids", k) : COT_OK;
    for (size_t c = 0; rc == COT_OK && c < k; c++) {
        bool poor = before[c] < o->reassign_ratio * most;
        const float *from = poor ? batch->rows + (size_t)cot_rng_below(rng, batch->n) * d
                                 : cot_kmeans_stream_centroids(*stream) + c * d;
        memcpy(centroids + c * d, from, d * sizeof *centroids);
        masses[c] = poor ? least : before[c];
    }
    if (rc == COT_OK)
        rc = cot_kmeans_stream_new(centroids, masses, k, d, 1, &renewed, err);
    if (rc == COT_OK) {
        cot_kmeans_stream_free(*stream);
        *stream = renewed;
    }
    free(masses);
    free(centroids);
    return rc;
}

/* Smoothed inertia of the batches, as scikit-learn stops by it. */
struct watch {
    double smoothed, best;
    unsigned n_without;
};

static bool is_done(struct watch *watch, double inertia, double share, unsigned patience)
{
    double alpha = share < 1 ? share : 1;
    watch->smoothed = watch->smoothed < 0 ? inertia : watch->smoothed * (1 - alpha) + inertia * alpha;
    if (watch->smoothed < watch->best) {
        watch->best = watch->smoothed;
        watch->n_without = 0;
        return false;
    }
    watch->n_without++;
    return patience > 0 && watch->n_without >= patience;
}

static cot_code run_batches(const struct cot_matrix *x, const struct cot_minibatch_options *o,
                            struct cot_kmeans_stream **stream, struct cot_rng *rng, unsigned *ret_batches,
                            struct cot_err *err)
{
    struct sample batch = {0};
    struct watch watch = {.smoothed = -1, .best = INFINITY};
    size_t n_most = (size_t)o->kmeans.max_iter * ((x->n + o->batch - 1) / o->batch);
    size_t reassign_every = 10 + o->kmeans.k * 10 / o->batch; /* often enough to help, seldom enough to settle */
    unsigned n_batches = 0;
    cot_code rc = sample_init(&batch, x, o->kmeans.weights, o->batch, err);
    if (rc != COT_OK)
        return rc;
    struct cot_matrix view = sample_view(&batch);
    for (size_t b = 0; rc == COT_OK && b < n_most; b++) {
        double inertia = 0;
        cot_progress_report(o->kmeans.progress, "k-means batches", b, n_most);
        sample_draw(&batch, rng);
        rc = cot_kmeans_stream_update(*stream, &view, NULL, o->kmeans.n_threads, NULL, &inertia, err);
        n_batches++;
        if (rc == COT_OK && is_done(&watch, inertia, 2.0 * (double)o->batch / ((double)x->n + 1), o->patience))
            break;
        if (rc == COT_OK && o->reassign_ratio > 0 && b % reassign_every == reassign_every - 1 && b + 1 < n_most / 2)
            rc = reassign(stream, o, &batch, rng, err);
    }
    *ret_batches = n_batches;
    sample_release(&batch);
    return rc;
}

/* One assignment of all points to the final centroids. */
static cot_code finish(const struct cot_matrix *x, const struct cot_minibatch_options *o,
                       const struct cot_kmeans_stream *stream, struct cot_kmeans *result, struct cot_err *err)
{
    float *d2 = cot_alloc_array(x->n, 1, sizeof *d2);
    if (d2 == NULL)
        return cot_fail(err, COT_NOMEM, "distances of %zu points", x->n);
    memcpy(result->centroids, cot_kmeans_stream_centroids(stream), o->kmeans.k * x->d * sizeof *result->centroids);
    cot_code rc = cot_kmeans_assign(x, result->centroids, o->kmeans.k, o->kmeans.n_threads, result->labels, d2, err);
    for (size_t i = 0; rc == COT_OK && i < x->n; i++) {
        double w = o->kmeans.weights != NULL ? (double)o->kmeans.weights[i] : 1;
        result->cluster_mass[result->labels[i]] += w;
        result->inertia += w * (double)d2[i];
    }
    free(d2);
    return rc;
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_minibatch_options *o, struct cot_err *err)
{
    if (x->n == 0 || x->d == 0 || o->kmeans.k == 0 || o->kmeans.k > x->n || o->kmeans.k > INT32_MAX)
        return cot_fail(err, COT_USAGE, "k is %zu for %zu rows and %zu columns: k must be 1..rows", o->kmeans.k, x->n,
                        x->d);
    if (o->batch == 0 || o->batch > INT32_MAX || o->kmeans.max_iter == 0 || o->kmeans.n_init == 0)
        return cot_fail(err, COT_USAGE,
                        "mini-batches need a batch of 1..2^31 - 1 points, max_iter and n_init of at least 1");
    if (!(o->reassign_ratio >= 0 && o->reassign_ratio < 1))
        return cot_fail(err, COT_USAGE, "reassign_ratio is %g; it must be at least 0 and below 1", o->reassign_ratio);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_weights(o->kmeans.weights, x->n, false, err);
    if (rc == COT_OK && o->kmeans.init != NULL) {
        struct cot_matrix init = {.data = o->kmeans.init, .n = o->kmeans.k, .d = x->d, .stride = x->d};
        rc = cot_check_finite(&init, false, err);
        if (rc != COT_OK)
            rc = cot_err_prefix(err, rc, "initial centroids");
    }
    return rc;
}

/* The tiles and labels of all points, for the last assignment, and the batches: drawn rows, their fit or their tiles.
 */
static size_t memory_of(const struct cot_matrix *x, const struct cot_minibatch_options *o)
{
    struct cot_kmeans_options given = o->kmeans;
    size_t batch = SEED_BATCHES * o->batch > o->kmeans.k ? SEED_BATCHES * o->batch : o->kmeans.k;
    given.init = x->data; /* no seeding over all points */
    size_t all = cot_kmeans_memory(x->n, x->d, &given);
    size_t batches = cot_kmeans_memory(batch, x->d, &o->kmeans);
    size_t drawn = (x->d + 1) * sizeof(float) * 2 * batch + (o->kmeans.weights != NULL ? x->n * sizeof(double) : 0);
    size_t total = 0;
    return __builtin_add_overflow(all, batches, &total) || __builtin_add_overflow(total, drawn, &total) ? SIZE_MAX
                                                                                                        : total;
}

cot_code cot_kmeans_minibatch_fit(const struct cot_matrix *x, const struct cot_minibatch_options *options,
                                  struct cot_kmeans **ret_kmeans, struct cot_err *err)
{
    size_t k = options->kmeans.k;
    struct cot_kmeans_stream *stream = NULL;
    struct cot_kmeans *result = NULL;
    struct cot_rng rng;
    cot_code rc = check_input(x, options, err);
    if (rc == COT_OK)
        rc = cot_memory_check(memory_of(x, options), options->kmeans.memory_limit, err,
                              "k-means of %zu x %zu numbers in batches of %zu", x->n, x->d, options->batch);
    if (rc != COT_OK)
        return rc;
    float *centroids = cot_alloc_array(k, x->d, sizeof *centroids);
    result = cot_kmeans_new(x->n, x->d, k);
    if (centroids == NULL || result == NULL) {
        rc = cot_fail(err, COT_NOMEM, "k-means of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    cot_rng_init(&rng, options->kmeans.seed);
    rc = start(x, options, &rng, centroids, err);
    if (rc == COT_OK)
        rc = cot_kmeans_stream_new(centroids, NULL, k, x->d, 1, &stream, err);
    if (rc == COT_OK)
        rc = run_batches(x, options, &stream, &rng, &result->n_iter, err);
    if (rc == COT_OK)
        rc = finish(x, options, stream, result, err);
    if (rc == COT_OK)
        rc = cot_isa_resolve(COT_ISA_BEST, &result->isa, err);
    if (rc != COT_OK)
        goto out;
    *ret_kmeans = result;
    result = NULL;
out:
    free(centroids);
    cot_kmeans_stream_free(stream);
    cot_kmeans_free(result);
    return rc;
}
