/* Discriminant clusterings for a range of k, and which k the evidence favours. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"
#include "base/threads.h"
#include "coterie/discriminant.h"
#include "coterie/kmeans.h"
#include "coterie/linkage.h"
#include "coterie/metrics.h"
#include "ml/discriminant_start.h"
#include "num/check.h"

enum {
    MAX_ITER = 12,
    MAX_RESAMPLE_ITER = 6,    /* nearly there is near enough for an average */
    MAX_RESAMPLE_ROWS = 2000, /* stability is an average: more rows cost Ward's square and change little */
    STREAM_RESAMPLE = 2
};
/* A k less stable than this, or by this much less than the best, can't win. */
static const double min_stability = 0.6;
static const double max_stability_loss = 0.25;

struct search {
    const struct cot_matrix *z;
    const struct cot_discriminant_path_options *options;
    struct cot_discriminant_path *path;
    struct discriminant_view views[N_DISCRIMINANT_VIEWS]; /* of z: where partitions to begin with are looked for */
    size_t n_rows;                                        /* of a resample */
    uint32_t *labels; /* n_resamples x n_evidence x n: every row by each resample's fit */
    cot_code *codes;  /* [n_resamples] */
    struct cot_err *errors;
    uint64_t n_done;
};

void cot_discriminant_path_options_init(struct cot_discriminant_path_options *ret_options)
{
    *ret_options = (struct cot_discriminant_path_options){.k_min = 2, .k_max = 14, .n_resamples = 8, .seed = 1};
}

void cot_discriminant_path_free(struct cot_discriminant_path *path)
{
    if (path == NULL)
        return;
    for (size_t i = 0; i < path->choice.n_evidence; i++) {
        if (path->fits != NULL)
            cot_discriminant_free(path->fits[i]);
        if (path->jaccards != NULL)
            free(path->jaccards[i]);
    }
    free(path->fits);
    free(path->jaccards);
    free(path->stability_deviations);
    free(path->choice.evidence);
    free(path);
}

/* Rows with what all fits to them share. */
struct data {
    const struct cot_matrix *z;
    double *mean, *total;
    unsigned max_iter, n_threads;
};

static void data_release(struct data *data)
{
    free(data->mean);
    free(data->total);
}

static cot_code data_init(struct data *data, const struct cot_matrix *z, unsigned max_iter, unsigned n_threads,
                          struct cot_err *err)
{
    *data = (struct data){.z = z, .max_iter = max_iter, .n_threads = n_threads};
    data->mean = cot_alloc_array(z->d, 1, sizeof *data->mean);
    data->total = cot_alloc_array(z->d, z->d, sizeof *data->total);
    return data->mean == NULL || data->total == NULL
               ? cot_fail(err, COT_NOMEM, "covariances of %zu columns", z->d)
               : cot_discriminant_total(z, n_threads, data->mean, data->total, err);
}

/* Means of the rows of each label. */
static void mean_rows(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *sums, float *ret_means)
{
    size_t d = x->d;
    memset(sums, 0, k * (d + 1) * sizeof *sums);
    for (size_t i = 0; i < x->n; i++) {
        double *sum = sums + labels[i] * (d + 1);
        sum[d] += 1;
        for (size_t j = 0; j < d; j++)
            sum[j] += (double)cot_matrix_row(x, i)[j];
    }
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++)
            ret_means[c * d + j] =
                sums[c * (d + 1) + d] > 0 ? (float)(sums[c * (d + 1) + j] / sums[c * (d + 1) + d]) : 0;
}

/* Fits from a start and keeps the likelier of it and *best. */
static cot_code fit_from(const struct search *s, const struct data *data, const uint32_t *start, size_t k,
                         struct cot_discriminant **best, struct cot_err *err)
{
    struct cot_discriminant_options options = {.shrinkage = s->options->shrinkage,
                                               .mean = data->mean,
                                               .total = data->total,
                                               .max_iter = data->max_iter,
                                               .n_threads = data->n_threads};
    struct cot_discriminant *fit = NULL;
    cot_code rc = cot_discriminant_fit(data->z, start, k, &options, &fit, err);
    if (rc == COT_OK && (*best == NULL || fit->bic < (*best)->bic)) {
        cot_discriminant_free(*best);
        *best = fit;
        fit = NULL;
    }
    cot_discriminant_free(fit);
    return rc;
}

/* A view's tree cut at k, polished by k-means on the view, then on the discriminant axes. */
static cot_code fit_cut(const struct search *s, const struct data *data, const struct cot_matrix *view,
                        const struct cot_linkage *tree, size_t k, struct cot_discriminant **best, struct cot_err *err)
{
    struct cot_kmeans_options kmeans_options;
    struct cot_kmeans *kmeans = NULL;
    uint32_t *cut = malloc(data->z->n * sizeof *cut);
    float *centres = cot_alloc_array(k, view->d, sizeof *centres);
    double *sums = cot_alloc_array(k, view->d + 1, sizeof *sums);
    cot_code rc = cut == NULL || centres == NULL || sums == NULL
                      ? cot_fail(err, COT_NOMEM, "cut of %zu rows", data->z->n)
                      : cot_linkage_cut_k(tree, k, cut, err);
    if (rc != COT_OK)
        goto out;
    mean_rows(view, cut, k, sums, centres);
    cot_kmeans_options_init(&kmeans_options, k);
    kmeans_options.init = centres;
    kmeans_options.n_threads = data->n_threads;
    rc = cot_kmeans_fit(view, &kmeans_options, &kmeans, err);
    if (rc == COT_OK)
        rc = fit_from(s, data, kmeans->labels, k, best, err);
out:
    cot_kmeans_free(kmeans);
    free(cut);
    free(centres);
    free(sums);
    return rc;
}

/* The fit of k + 1 with the two clusters joined whose union costs least (Ward's measure on its axes), fitted anew. */
static cot_code fit_joined(const struct search *s, const struct data *data, const struct cot_discriminant *finer,
                           struct cot_discriminant **best, struct cot_err *err)
{
    size_t k = finer->k, join_a = 0, join_b = 1;
    double least = INFINITY;
    uint32_t *start = malloc(data->z->n * sizeof *start);
    if (start == NULL)
        return cot_fail(err, COT_NOMEM, "start of %zu rows", data->z->n);
    for (size_t b = 1; b < k; b++)
        for (size_t a = 0; a < b; a++) {
            double gap2 = 0, masses = finer->masses[a] + finer->masses[b];
            for (size_t j = 0; j < finer->q; j++) {
                double gap = (double)finer->centroids[a * finer->q + j] - (double)finer->centroids[b * finer->q + j];
                gap2 += gap * gap;
            }
            double cost = masses > 0 ? finer->masses[a] * finer->masses[b] / masses * gap2 : 0;
            if (cost < least) {
                least = cost;
                join_a = a;
                join_b = b;
            }
        }
    for (size_t i = 0; i < data->z->n; i++) {
        uint32_t label = finer->labels[i] == join_b ? (uint32_t)join_a : finer->labels[i];
        start[i] = label > join_b ? label - 1 : label;
    }
    cot_code rc = fit_from(s, data, start, k - 1, best, err);
    free(start);
    return rc;
}

/*
 * The likeliest fit of every k, from the trees of both views and, from the highest k downwards, from the next finer fit
 * with two clusters joined: one start alone gets stuck where what varies most separates nothing.
 */
static cot_code fit_range(const struct search *s, const struct data *data, const struct cot_matrix *views,
                          const struct cot_progress *progress, struct cot_discriminant **fits, struct cot_err *err)
{
    size_t n_evidence = s->path->choice.n_evidence;
    struct cot_linkage_options options = {.method = COT_LINKAGE_WARD, .n_threads = data->n_threads};
    cot_code rc = COT_OK;
    for (size_t v = 0; rc == COT_OK && v < N_DISCRIMINANT_VIEWS; v++) {
        struct cot_linkage *tree = NULL;
        rc = cot_linkage_fit(&views[v], &options, &tree, err);
        for (size_t e = 0; rc == COT_OK && e < n_evidence; e++) {
            cot_progress_report(progress, "looking for segments", v * n_evidence + e,
                                (N_DISCRIMINANT_VIEWS + 1) * n_evidence);
            rc = fit_cut(s, data, &views[v], tree, s->options->k_min + e, &fits[e], err);
        }
        cot_linkage_free(tree);
    }
    for (size_t e = n_evidence - 1; rc == COT_OK && e-- > 0;)
        rc = fit_joined(s, data, fits[e + 1], &fits[e], err);
    return rc;
}

static cot_code fit_all(struct search *s, struct cot_err *err)
{
    struct cot_matrix views[N_DISCRIMINANT_VIEWS];
    for (size_t v = 0; v < N_DISCRIMINANT_VIEWS; v++)
        views[v] =
            (struct cot_matrix){.data = s->views[v].scores, .n = s->z->n, .d = s->views[v].d, .stride = s->views[v].d};
    struct data data;
    cot_code rc = data_init(&data, s->z, MAX_ITER, s->options->n_threads, err);
    if (rc == COT_OK)
        rc = fit_range(s, &data, views, s->options->progress, s->path->fits, err);
    data_release(&data);
    return rc;
}

/* Every row to the nearest centre of a fit that saw only a resample. */
static void assign_all(const struct cot_discriminant *fit, const struct cot_matrix *z, float *y, uint32_t *ret_labels)
{
    struct cot_err ignored;
    if (cot_discriminant_project(fit, z, 1, y, &ignored) != COT_OK)
        return; /* d is the same by construction */
    for (size_t i = 0; i < z->n; i++) {
        double best = INFINITY;
        for (size_t c = 0; c < fit->k; c++) {
            double distance = 0;
            for (size_t a = 0; a < fit->q; a++) {
                double gap = (double)y[i * fit->q + a] - (double)fit->centroids[c * fit->q + a];
                distance += gap * gap;
            }
            if (distance < best) {
                best = distance;
                ret_labels[i] = (uint32_t)c;
            }
        }
    }
}

/* What one resample holds. */
struct resampled {
    struct cot_matrix z, views[N_DISCRIMINANT_VIEWS];
    float *data[1 + N_DISCRIMINANT_VIEWS];
    struct cot_discriminant **fits;
    float *y; /* n x q of the largest k */
};

static void resampled_release(struct resampled *r, size_t n_evidence)
{
    for (size_t e = 0; r->fits != NULL && e < n_evidence; e++)
        cot_discriminant_free(r->fits[e]);
    for (size_t v = 0; v < 1 + N_DISCRIMINANT_VIEWS; v++)
        free(r->data[v]);
    free(r->fits);
    free(r->y);
}

static cot_code resampled_init(const struct search *s, size_t b, struct resampled *r, struct cot_err *err)
{
    size_t m = s->n_rows, n_evidence = s->path->choice.n_evidence;
    struct cot_rng rng;
    r->z = (struct cot_matrix){.n = m, .d = s->z->d, .stride = s->z->d};
    r->data[0] = cot_alloc_array(m, s->z->d, sizeof(float));
    r->fits = calloc(n_evidence, sizeof(struct cot_discriminant *));
    r->y = cot_alloc_array(s->z->n, s->options->k_min + n_evidence, sizeof(float));
    bool good = r->data[0] != NULL && r->fits != NULL && r->y != NULL;
    for (size_t v = 0; v < N_DISCRIMINANT_VIEWS; v++) {
        r->data[1 + v] = cot_alloc_array(m, s->views[v].d, sizeof(float));
        good = good && r->data[1 + v] != NULL;
    }
    if (!good)
        return cot_fail(err, COT_NOMEM, "resample of %zu rows", m);
    cot_rng_split(&rng, s->options->seed ^ STREAM_RESAMPLE, b);
    for (size_t i = 0; i < m; i++) {
        size_t row = (size_t)cot_rng_below(&rng, s->z->n);
        memcpy(r->data[0] + i * s->z->d, cot_matrix_row(s->z, row), s->z->d * sizeof(float));
        for (size_t v = 0; v < N_DISCRIMINANT_VIEWS; v++)
            memcpy(r->data[1 + v] + i * s->views[v].d, s->views[v].scores + row * s->views[v].d,
                   s->views[v].d * sizeof(float));
    }
    r->z.data = r->data[0];
    for (size_t v = 0; v < N_DISCRIMINANT_VIEWS; v++)
        r->views[v] = (struct cot_matrix){.data = r->data[1 + v], .n = m, .d = s->views[v].d, .stride = s->views[v].d};
    return COT_OK;
}

static cot_code resample(struct search *s, size_t b, struct cot_err *err)
{
    size_t n_evidence = s->path->choice.n_evidence;
    struct resampled r = {0};
    struct data data = {0};
    cot_code rc = resampled_init(s, b, &r, err);
    if (rc == COT_OK)
        rc = data_init(&data, &r.z, MAX_RESAMPLE_ITER, 1, err);
    if (rc == COT_OK)
        rc = fit_range(s, &data, r.views, NULL, r.fits, err);
    for (size_t e = 0; rc == COT_OK && e < n_evidence; e++)
        assign_all(r.fits[e], s->z, r.y, s->labels + (b * n_evidence + e) * s->z->n);
    data_release(&data);
    resampled_release(&r, n_evidence);
    return rc;
}

static void resample_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct search *s = context;
    (void)i_block;
    (void)i_thread;
    for (size_t b = begin; b < end; b++) {
        s->codes[b] = resample(s, b, &s->errors[b]);
        uint64_t done = __atomic_add_fetch(&s->n_done, 1, __ATOMIC_RELAXED);
        if (s->options->n_threads == 1)
            cot_progress_report(s->options->progress, "testing their stability", done, s->options->n_resamples);
    }
}

/* Mean over resamples of each cluster's best Jaccard index with a cluster of the resample's. */
static cot_code measure_jaccards(struct search *s, size_t e, struct cot_err *err)
{
    const struct cot_discriminant *fit = s->path->fits[e];
    size_t n = s->z->n, k = fit->k, n_resamples = s->options->n_resamples;
    double *both = cot_alloc_array(k, k, sizeof *both);
    double *other = cot_alloc_array(k, 1, sizeof *other);
    s->path->jaccards[e] = cot_alloc_array(k, 1, sizeof(double));
    if (both == NULL || other == NULL || s->path->jaccards[e] == NULL) {
        free(both);
        free(other);
        return cot_fail(err, COT_NOMEM, "overlaps of %zu clusters", k);
    }
    for (size_t b = 0; b < n_resamples; b++) {
        const uint32_t *labels = s->labels + (b * s->path->choice.n_evidence + e) * n;
        memset(both, 0, k * k * sizeof *both);
        memset(other, 0, k * sizeof *other);
        for (size_t i = 0; i < n; i++) {
            both[fit->labels[i] * k + labels[i]] += 1;
            other[labels[i]] += 1;
        }
        for (size_t c = 0; c < k; c++) {
            double best = 0;
            for (size_t o = 0; o < k; o++) {
                double either = fit->masses[c] + other[o] - both[c * k + o];
                best = either > 0 && both[c * k + o] / either > best ? both[c * k + o] / either : best;
            }
            s->path->jaccards[e][c] += best / (double)n_resamples;
        }
    }
    free(both);
    free(other);
    return COT_OK;
}

/* Mean and deviation of the adjusted Rand index between neighbouring resamples' clusterings of all rows. */
static cot_code measure_stability(struct search *s, size_t e, struct cot_err *err)
{
    size_t n = s->z->n, n_resamples = s->options->n_resamples, n_evidence = s->path->choice.n_evidence;
    double sum = 0, squares = 0;
    cot_code rc = COT_OK;
    for (size_t b = 0; rc == COT_OK && b < n_resamples; b++) {
        double ari = 0;
        size_t next = (b + 1) % n_resamples;
        rc =
            cot_metric_ari(s->labels + (b * n_evidence + e) * n, s->labels + (next * n_evidence + e) * n, n, &ari, err);
        sum += ari;
        squares += ari * ari;
    }
    double mean = sum / (double)n_resamples;
    s->path->choice.evidence[e].stability = mean;
    s->path->stability_deviations[e] = sqrt(fmax(squares / (double)n_resamples - mean * mean, 0));
    return rc;
}

static double scaled(double value, double worst, double best)
{
    return best != worst ? (value - worst) / (best - worst) : 0;
}

/* Each measure from its worst (0) to its best (1) over the range, summed; unstable ones can't win. */
static void choose(struct cot_k_choice *choice)
{
    struct cot_k_evidence low = choice->evidence[0], high = choice->evidence[0];
    double best_score = -1;
    bool any = false;
    for (size_t e = 1; e < choice->n_evidence; e++) {
        const struct cot_k_evidence *x = &choice->evidence[e];
        low.stability = fmin(low.stability, x->stability);
        high.stability = fmax(high.stability, x->stability);
        low.silhouette = fmin(low.silhouette, x->silhouette);
        high.silhouette = fmax(high.silhouette, x->silhouette);
        low.bic = fmin(low.bic, x->bic);
        high.bic = fmax(high.bic, x->bic);
    }
    for (size_t e = 0; e < choice->n_evidence; e++) {
        struct cot_k_evidence *x = &choice->evidence[e];
        x->score = (scaled(x->stability, low.stability, high.stability) +
                    scaled(x->silhouette, low.silhouette, high.silhouette) + scaled(x->bic, high.bic, low.bic)) /
                   3;
        x->stable = x->stability >= fmax(min_stability, high.stability - max_stability_loss);
        any = any || x->stable;
    }
    for (size_t e = 0; e < choice->n_evidence; e++) {
        const struct cot_k_evidence *x = &choice->evidence[e];
        if ((x->stable || !any) && x->score > best_score) {
            best_score = x->score;
            choice->k = x->k;
        }
    }
}

static cot_code gather(struct search *s, struct cot_err *err)
{
    struct cot_discriminant_path *path = s->path;
    cot_code rc = COT_OK;
    for (size_t e = 0; rc == COT_OK && e < path->choice.n_evidence; e++) {
        path->choice.evidence[e].k = s->options->k_min + e;
        path->choice.evidence[e].silhouette = path->fits[e]->silhouette;
        path->choice.evidence[e].bic = path->fits[e]->bic;
        rc = measure_stability(s, e, err);
        if (rc == COT_OK)
            rc = measure_jaccards(s, e, err);
    }
    return rc;
}

static cot_code search_init(struct search *s, struct cot_err *err)
{
    size_t n = s->z->n;
    size_t k_max = s->options->k_max < n / 10 ? s->options->k_max : n / 10;
    if (s->options->k_min < 2 || k_max < s->options->k_min || s->options->n_resamples < 2)
        return cot_fail(err, COT_USAGE, "%zu to %zu segments of %zu rows: at least 2, and 10 rows each",
                        s->options->k_min, s->options->k_max, n);
    size_t n_evidence = k_max - s->options->k_min + 1;
    s->path = calloc(1, sizeof *s->path);
    if (s->path == NULL)
        return cot_fail(err, COT_NOMEM, "evidence for %zu values of k", n_evidence);
    s->n_rows = n < MAX_RESAMPLE_ROWS ? n : MAX_RESAMPLE_ROWS;
    s->path->choice.n_sample = n;
    s->path->fits = calloc(n_evidence, sizeof *s->path->fits);
    s->path->jaccards = calloc(n_evidence, sizeof *s->path->jaccards);
    s->path->stability_deviations = calloc(n_evidence, sizeof(double));
    s->path->choice.evidence = calloc(n_evidence, sizeof *s->path->choice.evidence);
    s->labels = cot_alloc_array(n * n_evidence, s->options->n_resamples, sizeof *s->labels);
    s->codes = calloc(s->options->n_resamples, sizeof *s->codes);
    s->errors = calloc(s->options->n_resamples, sizeof *s->errors);
    if (s->path->fits == NULL || s->path->jaccards == NULL || s->path->stability_deviations == NULL ||
        s->path->choice.evidence == NULL || s->labels == NULL || s->codes == NULL || s->errors == NULL)
        return cot_fail(err, COT_NOMEM, "evidence for %zu values of k", n_evidence);
    s->path->choice.n_evidence = n_evidence;
    return COT_OK;
}

cot_code cot_discriminant_path_fit(const struct cot_matrix *z, const struct cot_discriminant_path_options *options,
                                   struct cot_discriminant_path **ret_path, struct cot_err *err)
{
    struct search s = {.z = z, .options = options};
    cot_code rc = cot_check_finite(z, false, err);
    if (rc == COT_OK)
        rc = search_init(&s, err);
    if (rc == COT_OK)
        rc = discriminant_views_make(z, options->seed, options->n_threads, s.views, &s.path->n_components, err);
    if (rc == COT_OK)
        rc = fit_all(&s, err);
    if (rc != COT_OK)
        goto out;
    cot_progress_report(options->progress, "testing their stability", 0, options->n_resamples);
    cot_parallel_for(options->n_threads, options->n_resamples, 1, resample_block, &s);
    for (size_t b = 0; b < options->n_resamples && rc == COT_OK; b++) {
        rc = s.codes[b];
        if (rc != COT_OK && err != NULL)
            *err = s.errors[b];
    }
    if (rc == COT_OK)
        rc = gather(&s, err);
    if (rc != COT_OK)
        goto out;
    choose(&s.path->choice);
    *ret_path = s.path;
    s.path = NULL;
out:
    cot_discriminant_path_free(s.path);
    discriminant_views_release(s.views);
    free(s.labels);
    free(s.codes);
    free(s.errors);
    return rc;
}
