#include "coterie/discriminant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/cholesky.h"
#include "num/check.h"
#include "num/eigen.h"

enum { MIN_BLOCK = 1024 };
static const double default_shrinkage = 0.1;
static const double far_away = 1e9;

/* All that a fit works on; n_blocks partial sums are reduced in block order. */
struct work {
    const struct cot_matrix *z;
    const struct cot_discriminant_options *options;
    struct cot_discriminant *fit;
    size_t block, n_blocks;
    double *total;    /* d x d covariance, lower triangle */
    double *partial;  /* n_blocks x (k * d + k) */
    double *means;    /* k x d, minus the overall mean */
    double *within;   /* d x d, then its Cholesky factor */
    double *solved;   /* k x d: rows L^-1 sqrt(pi_c) (m_c - m) */
    double *gram;     /* k x k */
    double *values;   /* [k] */
    double *centres;  /* k x q as doubles */
    double *moved;    /* [n_blocks]: rows whose label changed, and the sum of silhouettes */
    double *outlines; /* [n_blocks] */
    double log_det;
};

void cot_discriminant_free(struct cot_discriminant *fit)
{
    if (fit == NULL)
        return;
    free(fit->mean);
    free(fit->axes);
    free(fit->ratios);
    free(fit->centroids);
    free(fit->masses);
    free(fit->labels);
    free(fit);
}

static void work_release(struct work *w)
{
    free(w->total);
    free(w->partial);
    free(w->means);
    free(w->within);
    free(w->solved);
    free(w->gram);
    free(w->values);
    free(w->centres);
    free(w->moved);
    free(w->outlines);
}

static cot_code work_init(struct work *w, const struct cot_matrix *z, size_t k,
                          const struct cot_discriminant_options *options, struct cot_err *err)
{
    size_t d = z->d;
    size_t sums = k * d + k;
    *w = (struct work){.z = z, .options = options};
    w->block = cot_block_of(z->n, MIN_BLOCK);
    w->n_blocks = cot_n_blocks(z->n, w->block);
    w->total = cot_alloc_array(d, d, sizeof(double));
    w->partial = cot_alloc_array(w->n_blocks, sums, sizeof(double));
    w->means = cot_alloc_array(k, d, sizeof(double));
    w->within = cot_alloc_array(d, d, sizeof(double));
    w->solved = cot_alloc_array(k, d, sizeof(double));
    w->gram = cot_alloc_array(k, k, sizeof(double));
    w->values = cot_alloc_array(k, 1, sizeof(double));
    w->centres = cot_alloc_array(k, k, sizeof(double));
    w->moved = cot_alloc_array(w->n_blocks, 1, sizeof(double));
    w->outlines = cot_alloc_array(w->n_blocks, 1, sizeof(double));
    if (w->total == NULL || w->partial == NULL || w->means == NULL || w->within == NULL || w->solved == NULL ||
        w->gram == NULL || w->values == NULL || w->centres == NULL || w->moved == NULL || w->outlines == NULL)
        return cot_fail(err, COT_NOMEM, "discriminant axes of %zu clusters in %zu columns", k, d);
    return COT_OK;
}

static cot_code fit_init(struct work *w, const uint32_t *start, size_t k, struct cot_err *err)
{
    struct cot_discriminant *fit = calloc(1, sizeof *fit);
    size_t n = w->z->n, d = w->z->d;
    w->fit = fit;
    if (fit == NULL)
        return cot_fail(err, COT_NOMEM, "discriminant axes");
    *fit = (struct cot_discriminant){.n = n, .d = d, .k = k, .q = k - 1 < d ? k - 1 : d};
    fit->mean = calloc(d, sizeof *fit->mean);
    fit->axes = calloc(d * k, sizeof *fit->axes);
    fit->ratios = calloc(k, sizeof *fit->ratios);
    fit->centroids = calloc(k * k, sizeof *fit->centroids);
    fit->masses = calloc(k, sizeof *fit->masses);
    fit->labels = malloc(n * sizeof *fit->labels);
    if (fit->mean == NULL || fit->axes == NULL || fit->ratios == NULL || fit->centroids == NULL ||
        fit->masses == NULL || fit->labels == NULL)
        return cot_fail(err, COT_NOMEM, "discriminant axes of %zu rows", n);
    memcpy(fit->labels, start, n * sizeof *fit->labels);
    return COT_OK;
}

/* Means and covariances by blocks, reduced in block order. */
struct totals {
    const struct cot_matrix *z;
    double *mean, *partial;
};

static void mean_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct totals *t = context;
    double *sums = t->partial + i_block * t->z->d;
    (void)i_thread;
    memset(sums, 0, t->z->d * sizeof *sums);
    for (size_t i = begin; i < end; i++)
        for (size_t j = 0; j < t->z->d; j++)
            sums[j] += (double)cot_matrix_row(t->z, i)[j];
}

static void total_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct totals *t = context;
    size_t d = t->z->d;
    double *squares = t->partial + i_block * d * d;
    (void)i_thread;
    memset(squares, 0, d * d * sizeof *squares);
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(t->z, i);
        for (size_t j = 0; j < d; j++) {
            double value = (double)row[j] - t->mean[j];
            double *line = squares + j * d;
            for (size_t l = 0; l <= j; l++)
                line[l] += value * ((double)row[l] - t->mean[l]);
        }
    }
}

cot_code cot_discriminant_total(const struct cot_matrix *z, unsigned n_threads, double *ret_mean, double *ret_total,
                                struct cot_err *err)
{
    size_t d = z->d;
    size_t block = cot_block_of(z->n, MIN_BLOCK), n_blocks = cot_n_blocks(z->n, block);
    struct totals t = {.z = z, .mean = ret_mean, .partial = cot_alloc_array(n_blocks * d, d, sizeof(double))};
    if (t.partial == NULL)
        return cot_fail(err, COT_NOMEM, "covariances of %zu columns", d);
    memset(ret_mean, 0, d * sizeof *ret_mean);
    memset(ret_total, 0, d * d * sizeof *ret_total);
    cot_parallel_for(n_threads, z->n, block, mean_block, &t);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t j = 0; j < d; j++)
            ret_mean[j] += t.partial[b * d + j] / (double)z->n;
    cot_parallel_for(n_threads, z->n, block, total_block, &t);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t e = 0; e < d * d; e++)
            ret_total[e] += t.partial[b * d * d + e] / (double)z->n;
    free(t.partial);
    return COT_OK;
}

static void cluster_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct work *w = context;
    size_t d = w->z->d, k = w->fit->k;
    double *sums = w->partial + i_block * (k * d + k);
    (void)i_thread;
    memset(sums, 0, (k * d + k) * sizeof *sums);
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(w->z, i);
        double *line = sums + w->fit->labels[i] * d;
        sums[k * d + w->fit->labels[i]] += 1;
        for (size_t j = 0; j < d; j++)
            line[j] += (double)row[j];
    }
}

/* Cluster means (minus the overall mean) and masses. */
static void measure_clusters(struct work *w)
{
    size_t d = w->z->d, k = w->fit->k;
    cot_parallel_for(w->options->n_threads, w->z->n, w->block, cluster_block, w);
    memset(w->means, 0, k * d * sizeof *w->means);
    memset(w->fit->masses, 0, k * sizeof *w->fit->masses);
    for (size_t b = 0; b < w->n_blocks; b++) {
        const double *sums = w->partial + b * (k * d + k);
        for (size_t e = 0; e < k * d; e++)
            w->means[e] += sums[e];
        for (size_t c = 0; c < k; c++)
            w->fit->masses[c] += sums[k * d + c];
    }
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++)
            w->means[c * d + j] = w->fit->masses[c] > 0 ? w->means[c * d + j] / w->fit->masses[c] - w->fit->mean[j] : 0;
}

static double shrinkage_of(const struct work *w, size_t j)
{
    return w->options->shrinkage != NULL ? w->options->shrinkage[j] : default_shrinkage;
}

/* Within = total - between, drawn to the diagonal of total; then its Cholesky factor. */
static cot_code factor_within(struct work *w, struct cot_err *err)
{
    size_t d = w->z->d, k = w->fit->k;
    memcpy(w->within, w->total, d * d * sizeof *w->within);
    for (size_t c = 0; c < k; c++) {
        double share = w->fit->masses[c] / (double)w->z->n;
        const double *mean = w->means + c * d;
        for (size_t j = 0; j < d; j++)
            for (size_t l = 0; l <= j; l++)
                w->within[j * d + l] -= share * mean[j] * mean[l];
    }
    for (size_t j = 0; j < d; j++) {
        for (size_t l = 0; l <= j; l++)
            w->within[j * d + l] *= sqrt((1 - shrinkage_of(w, j)) * (1 - shrinkage_of(w, l)));
        w->within[j * d + j] += shrinkage_of(w, j) * w->total[j * d + j] + 1e-9;
    }
    return cot_cholesky_factor(w->within, d, &w->log_det, err);
}

/*
 * Axes: between v = ratio * within v. Between has rank k - 1 at most, so with within = L L' and U = L^-1 G, where G's
 * columns are sqrt(share) * mean, the k x k matrix U'U has the same eigenvalues: O(d^2 k) instead of O(d^3).
 */
static cot_code find_axes(struct work *w, struct cot_err *err)
{
    struct cot_discriminant *fit = w->fit;
    size_t d = fit->d, k = fit->k;
    for (size_t c = 0; c < k; c++) {
        double root = sqrt(fit->masses[c] / (double)w->z->n);
        for (size_t j = 0; j < d; j++)
            w->solved[c * d + j] = root * w->means[c * d + j];
        cot_cholesky_forward(w->within, d, w->solved + c * d);
    }
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t j = 0; j < d; j++)
                sum += w->solved[a * d + j] * w->solved[b * d + j];
            w->gram[a * k + b] = sum;
        }
    cot_code rc = cot_eigen_symmetric(w->gram, k, w->values, err);
    if (rc != COT_OK)
        return rc;
    memset(fit->axes, 0, d * k * sizeof *fit->axes);
    memset(fit->ratios, 0, k * sizeof *fit->ratios);
    for (size_t a = 0; a < fit->q; a++) {
        double value = w->values[k - 1 - a];
        const double *vector = w->gram + (k - 1 - a) * k;
        double *axis = w->partial; /* room for d */
        if (!(value > 1e-9))
            continue;
        fit->ratios[a] = value;
        memset(axis, 0, d * sizeof *axis);
        for (size_t c = 0; c < k; c++)
            for (size_t j = 0; j < d; j++)
                axis[j] += vector[c] * w->solved[c * d + j] / sqrt(value);
        cot_cholesky_backward(w->within, d, axis);
        size_t largest = 0;
        for (size_t j = 1; j < d; j++)
            largest = fabs(axis[j]) > fabs(axis[largest]) ? j : largest;
        for (size_t j = 0; j < d; j++) /* a sign that does not flip between runs */
            fit->axes[j * fit->q + a] = axis[largest] < 0 ? -axis[j] : axis[j];
    }
    return COT_OK;
}

static void find_centres(struct work *w)
{
    struct cot_discriminant *fit = w->fit;
    for (size_t c = 0; c < fit->k; c++)
        for (size_t a = 0; a < fit->q; a++) {
            double sum = 0;
            for (size_t j = 0; j < fit->d; j++)
                sum += w->means[c * fit->d + j] * fit->axes[j * fit->q + a];
            w->centres[c * fit->q + a] = fit->masses[c] > 0 ? sum : far_away;
            fit->centroids[c * fit->q + a] = (float)w->centres[c * fit->q + a];
        }
}

/* y = (z - mean) axes of one row. */
static void project_row(const struct cot_discriminant *fit, const float *row, double *y)
{
    memset(y, 0, fit->q * sizeof *y);
    for (size_t j = 0; j < fit->d; j++) {
        double value = (double)row[j] - fit->mean[j];
        const double *line = fit->axes + j * fit->q;
        for (size_t a = 0; a < fit->q; a++)
            y[a] += value * line[a];
    }
}

enum { MAX_Q = 256 };

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct work *w = context;
    struct cot_discriminant *fit = w->fit;
    double y[MAX_Q];
    double moved = 0, outline = 0;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        double best = INFINITY, second = INFINITY;
        uint32_t label = 0;
        project_row(fit, cot_matrix_row(w->z, i), y);
        for (size_t c = 0; c < fit->k; c++) {
            double distance = 0;
            const double *centre = w->centres + c * fit->q;
            for (size_t a = 0; a < fit->q; a++)
                distance += (y[a] - centre[a]) * (y[a] - centre[a]);
            if (distance < best) {
                second = best;
                best = distance;
                label = (uint32_t)c;
            } else if (distance < second) {
                second = distance;
            }
        }
        outline += second > 0 ? 1 - sqrt(best / second) : 0;
        moved += label != fit->labels[i];
        fit->labels[i] = label;
    }
    w->moved[i_block] = moved;
    w->outlines[i_block] = outline;
}

static double assign(struct work *w)
{
    double moved = 0, outline = 0;
    cot_parallel_for(w->options->n_threads, w->z->n, w->block, assign_block, w);
    for (size_t b = 0; b < w->n_blocks; b++) {
        moved += w->moved[b];
        outline += w->outlines[b];
    }
    w->fit->silhouette = outline / (double)w->z->n;
    return moved;
}

static double bic_of(const struct work *w)
{
    double n = (double)w->z->n, bic = n * w->log_det;
    size_t k = 0;
    for (size_t c = 0; c < w->fit->k; c++) {
        double mass = w->fit->masses[c];
        bic -= mass > 0 ? 2 * mass * log(mass / n) : 0;
        k += mass > 0;
    }
    return bic + (double)(k * w->fit->d + k) * log(n);
}

static cot_code check(const struct cot_matrix *z, const uint32_t *start, size_t k, struct cot_err *err)
{
    if (k < 2 || k > MAX_Q || z->n < k || z->d == 0)
        return cot_fail(err, COT_USAGE, "%zu clusters of %zu rows in %zu columns: give 2 to %d, not above the rows", k,
                        z->n, z->d, MAX_Q);
    for (size_t i = 0; i < z->n; i++) {
        if (start[i] >= k)
            return cot_fail(err, COT_USAGE, "label %u of row %zu: labels are below k = %zu", start[i], i, k);
        for (size_t j = 0; j < z->d; j++)
            if (!isfinite(cot_matrix_row(z, i)[j]))
                return cot_fail(err, COT_BAD_DATA, "row %zu, column %zu is not a finite number", i, j);
    }
    return COT_OK;
}

cot_code cot_discriminant_fit(const struct cot_matrix *z, const uint32_t *start, size_t k,
                              const struct cot_discriminant_options *options, struct cot_discriminant **ret_fit,
                              struct cot_err *err)
{
    struct work w = {0};
    cot_code rc = check(z, start, k, err);
    if (rc == COT_OK)
        rc = work_init(&w, z, k, options, err);
    if (rc == COT_OK)
        rc = fit_init(&w, start, k, err);
    if (rc != COT_OK)
        goto out;
    if (options->total != NULL) {
        memcpy(w.fit->mean, options->mean, z->d * sizeof *w.fit->mean);
        memcpy(w.total, options->total, z->d * z->d * sizeof *w.total);
    } else {
        rc = cot_discriminant_total(z, options->n_threads, w.fit->mean, w.total, err);
        if (rc != COT_OK)
            goto out;
    }
    for (unsigned iter = 0; iter < options->max_iter; iter++) {
        measure_clusters(&w);
        rc = factor_within(&w, err);
        if (rc == COT_OK)
            rc = find_axes(&w, err);
        if (rc != COT_OK)
            goto out;
        find_centres(&w);
        if (assign(&w) <= 1e-4 * (double)z->n)
            break;
    }
    measure_clusters(&w);
    find_centres(&w);
    assign(&w);
    measure_clusters(&w);
    w.fit->bic = bic_of(&w);
    *ret_fit = w.fit;
    w.fit = NULL;
out:
    cot_discriminant_free(w.fit);
    work_release(&w);
    return rc;
}

struct projection {
    const struct cot_discriminant *fit;
    const struct cot_matrix *z;
    float *y;
};

static void projection_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct projection *p = context;
    double y[MAX_Q];
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        project_row(p->fit, cot_matrix_row(p->z, i), y);
        for (size_t a = 0; a < p->fit->q; a++)
            p->y[i * p->fit->q + a] = (float)y[a];
    }
}

cot_code cot_discriminant_project(const struct cot_discriminant *fit, const struct cot_matrix *z, unsigned n_threads,
                                  float *ret_y, struct cot_err *err)
{
    if (z->d != fit->d)
        return cot_fail(err, COT_USAGE, "%zu columns: the axes are for %zu", z->d, fit->d);
    struct projection p = {.fit = fit, .z = z, .y = ret_y};
    cot_parallel_for(n_threads, z->n, MIN_BLOCK, projection_block, &p);
    return COT_OK;
}
