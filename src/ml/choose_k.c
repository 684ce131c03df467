#include "coterie/choose_k.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"
#include "base/threads.h"
#include "coterie/kmeans.h"
#include "coterie/metrics.h"
#include "num/check.h"

/* Streams of the seed. */
enum { STREAM_SAMPLE, STREAM_FIT, STREAM_RESAMPLE };

enum { MAX_RESAMPLE = 4000 /* rows: stability needs no more, and there are n_bootstrap fits a k */ };

/* No cluster's variance counts as less than this share of the data's: ties and rounded values would win it all. */
static const double MIN_VARIANCE_SHARE = 1e-3;

/* Stability gates more than it ranks: a coarse cut is nearly always more stable than the one that finds a small
 * cluster. */
static const double STABILITY_WEIGHT = 0.5;
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
    size_t k_min, n_k;
    size_t n_common;  /* the rows that resamples are as large as, and are compared on: the sample's first */
    uint32_t *labels; /* n_k x n_bootstrap x n_common */
    struct cot_k_evidence *evidence;
    double min_variance;
    struct task_error {
        cot_code code;
        struct cot_err err;
    } * errors; /* a task */
    _Atomic size_t n_done;
};

static uint64_t stream_seed(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct cot_rng rng;
    cot_rng_split(&rng, seed + stream, index);
    return cot_rng_u64(&rng);
}

/* Fits k clusters to resample b and labels the common rows. The resamples are the same for every k. */
static cot_code cluster_resample(struct evidence_maker *m, size_t i_k, size_t b, struct cot_err *err)
{
    size_t n = m->n_common;
    size_t d = m->x.d;
    struct cot_rng rng;
    struct cot_kmeans *kmeans = NULL;
    struct cot_kmeans_options options;
    float *rows = cot_alloc_array(n, d, sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "a resample of %zu rows", n);
    cot_rng_init(&rng, stream_seed(m->o->seed, STREAM_RESAMPLE, b));
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * d, cot_matrix_row(&m->x, (size_t)cot_rng_below(&rng, m->x.n)), d * sizeof *rows);
    struct cot_matrix resample = {.data = rows, .n = n, .d = d, .stride = d};
    struct cot_matrix common = {.data = m->x.data, .n = n, .d = d, .stride = d};
    cot_kmeans_options_init(&options, m->k_min + i_k);
    options.n_init = m->o->n_init;
    options.max_iter = 100;
    options.n_threads = 1;
    options.seed = stream_seed(m->o->seed, STREAM_FIT, b + 1);
    cot_code rc = cot_kmeans_fit(&resample, &options, &kmeans, err);
    if (rc == COT_OK)
        rc = cot_kmeans_assign(&common, kmeans->centroids, options.k, 1, m->labels + (i_k * m->o->n_bootstrap + b) * n,
                               NULL, err);
    cot_kmeans_free(kmeans);
    free(rows);
    return rc;
}

/* Mean adjusted Rand index over pairs of resamples. */
static cot_code measure_stability(const struct evidence_maker *m, size_t i_k, double *ret_stability,
                                  struct cot_err *err)
{
    size_t n = m->n_common;
    unsigned n_boot = m->o->n_bootstrap;
    const uint32_t *labels = m->labels + i_k * n_boot * n;
    double sum = 0;
    for (unsigned a = 0; a < n_boot; a++)
        for (unsigned b = a + 1; b < n_boot; b++) {
            double ari = 0;
            cot_code rc = cot_metric_ari(labels + a * n, labels + b * n, n, &ari, err);
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

/* Everything about one k but its stability. */
static cot_code measure(struct evidence_maker *m, size_t i_k, struct cot_err *err)
{
    size_t k = m->k_min + i_k;
    struct cot_kmeans *kmeans = NULL;
    struct cot_kmeans_options options;
    struct cot_k_evidence *evidence = &m->evidence[i_k];
    double *squares = cot_alloc_array(k, 2, sizeof *squares);
    cot_code rc = squares == NULL ? cot_fail(err, COT_NOMEM, "%zu clusters", k) : COT_OK;
    cot_kmeans_options_init(&options, k);
    options.n_init = m->o->n_init;
    options.seed = stream_seed(m->o->seed, STREAM_FIT, 0);
    options.n_threads = 1;
    if (rc == COT_OK)
        rc = cot_kmeans_fit(&m->x, &options, &kmeans, err);
    if (rc != COT_OK)
        goto out;
    spread_of(&m->x, kmeans, squares, squares + k);
    evidence->k = k;
    evidence->inertia = kmeans->inertia;
    evidence->bic = bic_of(&m->x, squares, squares + k, k, m->min_variance);
    rc = cot_metric_silhouette_simplified(&m->x, kmeans->labels, k, 1, &evidence->silhouette, NULL, err);
out:
    cot_kmeans_free(kmeans);
    free(squares);
    return rc;
}

/* Tasks are independent fits on one thread each: for each k the whole sample, then its resamples. */
static void run_tasks(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct evidence_maker *m = context;
    size_t n_a_k = m->o->n_bootstrap + 1;
    (void)i_block;
    for (size_t task = begin; task < end; task++) {
        size_t i_k = task / n_a_k;
        size_t step = task % n_a_k;
        struct task_error *error = &m->errors[task];
        error->code = step == 0 ? measure(m, i_k, &error->err) : cluster_resample(m, i_k, step - 1, &error->err);
        size_t n_done = atomic_fetch_add(&m->n_done, 1) + 1;
        if (i_thread == 0)
            cot_progress_report(m->o->progress, "choosing the number of segments", n_done, m->n_k * n_a_k);
    }
}

static cot_code gather_evidence(struct evidence_maker *m, struct cot_err *err)
{
    size_t n_tasks = m->n_k * (m->o->n_bootstrap + 1);
    cot_code rc = COT_OK;
    m->labels = cot_alloc_array(m->n_k * m->o->n_bootstrap, m->n_common, sizeof *m->labels);
    m->errors = cot_alloc_array(n_tasks, 1, sizeof *m->errors);
    if (m->labels == NULL || m->errors == NULL) {
        rc = cot_fail(err, COT_NOMEM, "choosing k on %zu rows", m->x.n);
        goto out;
    }
    cot_parallel_for(m->o->n_threads, n_tasks, 1, run_tasks, m);
    for (size_t task = 0; task < n_tasks && rc == COT_OK; task++)
        if (m->errors[task].code != COT_OK)
            rc = cot_fail(err, m->errors[task].code, "%s", m->errors[task].err.message);
    for (size_t i_k = 0; i_k < m->n_k && rc == COT_OK; i_k++)
        rc = measure_stability(m, i_k, &m->evidence[i_k].stability, err);
out:
    free(m->labels);
    free(m->errors);
    return rc;
}

/* ---- the rule ---- */

static double scaled(double value, double worst, double best)
{
    return best != worst ? (value - worst) / (best - worst) : 1;
}

static size_t decide(struct cot_k_evidence *e, size_t n)
{
    struct cot_k_evidence low = {.silhouette = DBL_MAX, .bic = DBL_MAX};
    struct cot_k_evidence high = {.stability = -DBL_MAX, .silhouette = -DBL_MAX, .bic = -DBL_MAX};
    bool any_stable = false;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        low.silhouette = fmin(low.silhouette, e[i].silhouette);
        low.bic = fmin(low.bic, e[i].bic);
        high.stability = fmax(high.stability, e[i].stability);
        high.silhouette = fmax(high.silhouette, e[i].silhouette);
        high.bic = fmax(high.bic, e[i].bic);
    }
    for (size_t i = 0; i < n; i++) {
        e[i].stable = e[i].stability >= fmax(MIN_STABILITY, high.stability - STABILITY_RANGE);
        any_stable = any_stable || e[i].stable;
        e[i].score = (e[i].stability * STABILITY_WEIGHT + scaled(e[i].silhouette, low.silhouette, high.silhouette) +
                      scaled(e[i].bic, high.bic, low.bic)) /
                     (2 + STABILITY_WEIGHT);
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
        size_t other = i + (size_t)cot_rng_below(&rng, x->n - i);
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
    if (o->k_min < 2 || o->k_max < o->k_min || o->n_bootstrap < 2 || o->n_init < 1 || o->max_sample < 3)
        return cot_fail(err, COT_USAGE,
                        "choosing k among %zu..%zu with %u resamples of %zu rows: needs 2 <= k_min <= k_max, 2 "
                        "resamples and 3 rows",
                        o->k_min, o->k_max, o->n_bootstrap, o->max_sample);
    return cot_check_finite(x, false, err);
}

static cot_code find_min_variance(const struct cot_matrix *x, double *ret_variance, struct cot_err *err)
{
    struct cot_kmeans *whole = NULL;
    struct cot_kmeans_options one;
    cot_kmeans_options_init(&one, 1);
    cot_code rc = cot_kmeans_fit(x, &one, &whole, err);
    if (rc != COT_OK)
        return rc;
    double variance = whole->inertia / ((double)x->n * (double)x->d);
    cot_kmeans_free(whole);
    if (variance <= 0)
        return cot_fail(err, COT_BAD_DATA, "all %zu rows are equal: there is nothing to cluster", x->n);
    *ret_variance = fmax(MIN_VARIANCE_SHARE * variance, DBL_MIN);
    return COT_OK;
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
    size_t most = (n < MAX_RESAMPLE ? n : MAX_RESAMPLE) - 1;
    size_t k_max = options->k_max < most ? options->k_max : most;
    size_t k_min = options->k_min < k_max ? options->k_min : k_max;
    rows = cot_alloc_array(n, x->d, sizeof *rows);
    choice = calloc(1, sizeof *choice);
    if (choice != NULL)
        choice->evidence = cot_alloc_array(k_max - k_min + 1, 1, sizeof *choice->evidence);
    if (rows == NULL || choice == NULL || choice->evidence == NULL) {
        rc = cot_fail(err, COT_NOMEM, "choosing k on %zu rows", n);
        goto out;
    }
    rc = take_sample(x, n, options->seed, rows, err);
    if (rc != COT_OK)
        goto out;
    m.x = (struct cot_matrix){.data = rows, .n = n, .d = x->d, .stride = x->d};
    m.k_min = k_min;
    m.n_k = k_max - k_min + 1;
    m.n_common = n < MAX_RESAMPLE ? n : MAX_RESAMPLE;
    m.evidence = choice->evidence;
    rc = find_min_variance(&m.x, &m.min_variance, err);
    if (rc == COT_OK)
        rc = gather_evidence(&m, err);
    if (rc != COT_OK)
        goto out;
    choice->n_sample = n;
    choice->n_evidence = m.n_k;
    choice->k = decide(choice->evidence, choice->n_evidence);
    *ret_choice = choice;
    choice = NULL;
out:
    cot_k_choice_free(choice);
    free(rows);
    return rc;
}
