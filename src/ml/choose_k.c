#include "coterie/choose_k.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"
#include "coterie/kmeans.h"
#include "coterie/metrics.h"
#include "num/check.h"

/* Streams of the seed. */
enum { STREAM_SAMPLE, STREAM_FIT, STREAM_RESAMPLE };

/* No cluster's variance counts as less than this share of the data's: ties and rounded values would win it all. */
static const double MIN_VARIANCE_SHARE = 1e-3;

static const double MIN_STABILITY = 0.6;    /* below, halves of the data do not agree on what the clusters are */
static const double STABILITY_RANGE = 0.25; /* less than the best by more than this can't win */

void cot_choose_k_options_init(struct cot_choose_k_options *ret_options)
{
    *ret_options = (struct cot_choose_k_options){
        .k_min = 2, .k_max = 12, .n_bootstrap = 10, .n_init = 4, .max_sample = 20000, .seed = 1};
}

void cot_k_choice_free(struct cot_k_choice *choice)
{
    if (choice == NULL)
        return;
    free(choice->evidence);
    free(choice);
}

struct evidence_maker {
    struct cot_matrix x; /* the sample */
    const struct cot_choose_k_options *o;
    float *weights;   /* n: how often a resample has each row */
    uint32_t *labels; /* n_bootstrap x n */
};

static uint64_t stream_seed(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct cot_rng rng;
    cot_rng_split(&rng, seed + stream, index);
    return cot_rng_u64(&rng);
}

/* Mean adjusted Rand index over pairs of resamples, on all rows of the sample. */
static cot_code measure_stability(struct evidence_maker *m, size_t k, double *ret_stability, struct cot_err *err)
{
    size_t n = m->x.n;
    unsigned n_boot = m->o->n_bootstrap;
    double sum = 0;
    struct cot_kmeans_options options;
    cot_kmeans_options_init(&options, k);
    options.n_init = m->o->n_init > 1 ? m->o->n_init / 2 : 1;
    options.max_iter = 100;
    options.n_threads = m->o->n_threads;
    options.weights = m->weights;
    for (unsigned b = 0; b < n_boot; b++) {
        struct cot_rng rng;
        struct cot_kmeans *kmeans = NULL;
        cot_rng_init(&rng, stream_seed(m->o->seed, STREAM_RESAMPLE, b)); /* the same resamples for every k */
        memset(m->weights, 0, n * sizeof *m->weights);
        for (size_t i = 0; i < n; i++)
            m->weights[cot_rng_below(&rng, n)] += 1;
        options.seed = stream_seed(m->o->seed, STREAM_FIT, b + 1);
        cot_code rc = cot_kmeans_fit(&m->x, &options, &kmeans, err);
        if (rc != COT_OK)
            return rc;
        memcpy(m->labels + b * n, kmeans->labels, n * sizeof *m->labels);
        cot_kmeans_free(kmeans);
    }
    for (unsigned a = 0; a < n_boot; a++)
        for (unsigned b = a + 1; b < n_boot; b++) {
            double ari = 0;
            cot_code rc = cot_metric_ari(m->labels + a * n, m->labels + b * n, n, &ari, err);
            if (rc != COT_OK)
                return rc;
            sum += ari;
        }
    *ret_stability = sum / ((double)n_boot * (n_boot - 1) / 2);
    return COT_OK;
}

/* Sum of squares of each cluster, and how many points it has. */
static void spread_of(const struct cot_matrix *x, const struct cot_kmeans *kmeans, double *ret_squares,
                      double *ret_counts)
{
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        const float *centre = kmeans->centroids + kmeans->labels[i] * x->d;
        double d2 = 0;
        for (size_t j = 0; j < x->d; j++)
            d2 += ((double)row[j] - (double)centre[j]) * ((double)row[j] - (double)centre[j]);
        ret_squares[kmeans->labels[i]] += d2;
        ret_counts[kmeans->labels[i]] += 1;
    }
}

static double bic_of(const struct cot_matrix *x, const double *squares, const double *counts, size_t k,
                     double min_variance)
{
    double n = (double)x->n;
    double d = (double)x->d;
    double log_likelihood = 0;
    for (size_t c = 0; c < k; c++) {
        if (counts[c] <= 0)
            continue;
        double variance = fmax(squares[c] / (counts[c] * d), min_variance);
        log_likelihood +=
            counts[c] * log(counts[c] / n) - counts[c] * d / 2 * log(2 * M_PI * variance) - squares[c] / (2 * variance);
    }
    double n_parameters = (double)(k - 1) + (double)k * d + (double)k;
    return -2 * log_likelihood + n_parameters * log(n);
}

static cot_code measure(struct evidence_maker *m, size_t k, double min_variance, struct cot_k_evidence *ret_evidence,
                        struct cot_err *err)
{
    struct cot_kmeans *kmeans = NULL;
    struct cot_kmeans_options options;
    struct cot_k_evidence evidence = {.k = k};
    double *squares = cot_alloc_array(k, 2, sizeof *squares);
    cot_code rc = squares == NULL ? cot_fail(err, COT_NOMEM, "%zu clusters", k) : COT_OK;
    cot_kmeans_options_init(&options, k);
    options.n_init = m->o->n_init > 0 ? m->o->n_init : 1;
    options.seed = stream_seed(m->o->seed, STREAM_FIT, 0);
    options.n_threads = m->o->n_threads;
    if (rc == COT_OK)
        rc = cot_kmeans_fit(&m->x, &options, &kmeans, err);
    if (rc != COT_OK)
        goto out;
    spread_of(&m->x, kmeans, squares, squares + k);
    evidence.inertia = kmeans->inertia;
    evidence.bic = bic_of(&m->x, squares, squares + k, k, min_variance);
    rc = cot_metric_silhouette_simplified(&m->x, kmeans->labels, k, m->o->n_threads, &evidence.silhouette, NULL, err);
    if (rc == COT_OK)
        rc = measure_stability(m, k, &evidence.stability, err);
    if (rc == COT_OK)
        *ret_evidence = evidence;
out:
    cot_kmeans_free(kmeans);
    free(squares);
    return rc;
}

/* ---- the rule ---- */

static double scaled(double value, double worst, double best)
{
    return best != worst ? (value - worst) / (best - worst) : 1;
}

static size_t decide(struct cot_k_evidence *e, size_t n)
{
    struct cot_k_evidence low = {.stability = DBL_MAX, .silhouette = DBL_MAX, .bic = DBL_MAX};
    struct cot_k_evidence high = {.stability = -DBL_MAX, .silhouette = -DBL_MAX, .bic = -DBL_MAX};
    bool any_stable = false;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        low.stability = fmin(low.stability, e[i].stability);
        low.silhouette = fmin(low.silhouette, e[i].silhouette);
        low.bic = fmin(low.bic, e[i].bic);
        high.stability = fmax(high.stability, e[i].stability);
        high.silhouette = fmax(high.silhouette, e[i].silhouette);
        high.bic = fmax(high.bic, e[i].bic);
    }
    for (size_t i = 0; i < n; i++) {
        e[i].stable = e[i].stability >= fmax(MIN_STABILITY, high.stability - STABILITY_RANGE);
        any_stable = any_stable || e[i].stable;
        e[i].score = (scaled(e[i].stability, low.stability, high.stability) +
                      scaled(e[i].silhouette, low.silhouette, high.silhouette) + scaled(e[i].bic, high.bic, low.bic)) /
                     3;
    }
    for (size_t i = 1; i < n; i++) {
        bool may_win = e[i].stable || !any_stable;
        bool best_may = e[best].stable || !any_stable;
        if (may_win && (!best_may || e[i].score > e[best].score))
            best = i;
    }
    return e[best].k;
}

/* ---- the sample ---- */

static cot_code take_sample(const struct cot_matrix *x, size_t n, uint64_t seed, float *ret_rows, struct cot_err *err)
{
    struct cot_rng rng;
    size_t *order = cot_alloc_array(x->n, 1, sizeof *order);
    if (order == NULL)
        return cot_fail(err, COT_NOMEM, "a sample of %zu rows", x->n);
    for (size_t i = 0; i < x->n; i++)
        order[i] = i;
    cot_rng_init(&rng, stream_seed(seed, STREAM_SAMPLE, 0));
    for (size_t i = 0; i < n; i++) {
        size_t other = n < x->n ? i + (size_t)cot_rng_below(&rng, x->n - i) : i;
        size_t row = order[other];
        order[other] = order[i];
        memcpy(ret_rows + i * x->d, cot_matrix_row(x, row), x->d * sizeof *ret_rows);
    }
    free(order);
    return COT_OK;
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_choose_k_options *o, struct cot_err *err)
{
    if (x->n < 3 || x->d == 0)
        return cot_fail(err, COT_USAGE, "choosing k for %zu rows and %zu columns: needs 3 rows and a column", x->n,
                        x->d);
    if (o->k_min < 2 || o->k_max < o->k_min || o->n_bootstrap < 2 || o->max_sample < 3)
        return cot_fail(err, COT_USAGE,
                        "choosing k among %zu..%zu with %u resamples of %zu rows: needs 2 <= k_min <= k_max, 2 "
                        "resamples and 3 rows",
                        o->k_min, o->k_max, o->n_bootstrap, o->max_sample);
    return cot_check_finite(x, false, err);
}

cot_code cot_choose_k(const struct cot_matrix *x, const struct cot_choose_k_options *options,
                      struct cot_k_choice **ret_choice, struct cot_err *err)
{
    struct cot_k_choice *choice = NULL;
    struct evidence_maker m = {.o = options};
    float *rows = NULL;
    cot_code rc = check_input(x, options, err);
    if (rc != COT_OK)
        return rc;
    size_t n = x->n < options->max_sample ? x->n : options->max_sample;
    size_t k_max = options->k_max < n - 1 ? options->k_max : n - 1;
    size_t k_min = options->k_min < k_max ? options->k_min : k_max;
    rows = cot_alloc_array(n, x->d, sizeof *rows);
    m.weights = cot_alloc_array(n, 1, sizeof *m.weights);
    m.labels = cot_alloc_array(options->n_bootstrap, n, sizeof *m.labels);
    choice = calloc(1, sizeof *choice);
    if (choice != NULL)
        choice->evidence = cot_alloc_array(k_max - k_min + 1, 1, sizeof *choice->evidence);
    if (rows == NULL || m.weights == NULL || m.labels == NULL || choice == NULL || choice->evidence == NULL) {
        rc = cot_fail(err, COT_NOMEM, "choosing k on %zu rows", n);
        goto out;
    }
    rc = take_sample(x, n, options->seed, rows, err);
    if (rc != COT_OK)
        goto out;
    m.x = (struct cot_matrix){.data = rows, .n = n, .d = x->d, .stride = x->d};
    struct cot_kmeans *whole = NULL;
    struct cot_kmeans_options one;
    cot_kmeans_options_init(&one, 1);
    rc = cot_kmeans_fit(&m.x, &one, &whole, err);
    if (rc != COT_OK)
        goto out;
    if (whole->inertia <= 0) {
        cot_kmeans_free(whole);
        rc = cot_fail(err, COT_BAD_DATA, "all %zu rows are equal: there is nothing to cluster", n);
        goto out;
    }
    double min_variance = fmax(MIN_VARIANCE_SHARE * whole->inertia / ((double)n * (double)x->d), DBL_MIN);
    cot_kmeans_free(whole);
    for (size_t k = k_min; k <= k_max && rc == COT_OK; k++) {
        cot_progress_report(options->progress, "choosing the number of segments", k - k_min, k_max - k_min + 1);
        rc = measure(&m, k, min_variance, &choice->evidence[k - k_min], err);
    }
    if (rc != COT_OK)
        goto out;
    cot_progress_report(options->progress, "choosing the number of segments", k_max - k_min + 1, k_max - k_min + 1);
    choice->n_sample = n;
    choice->n_evidence = k_max - k_min + 1;
    choice->k = decide(choice->evidence, choice->n_evidence);
    *ret_choice = choice;
    choice = NULL;
out:
    cot_k_choice_free(choice);
    free(rows);
    free(m.weights);
    free(m.labels);
    return rc;
}
