/* Indices that judge a clustering by its data: see coterie/metrics.h. */
#include "coterie/metrics.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/means.h"
#include "num/check.h"
#include "num/distance.h"
#include "num/tiles.h"

enum { TILES_A_BLOCK = 8 };

static cot_code check_clusters(const struct cot_matrix *x, const uint32_t *labels, size_t k, struct cot_err *err)
{
    size_t n_filled = 0;
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_labels(labels, x->n, k, err);
    if (rc != COT_OK)
        return rc;
    unsigned char *filled = cot_alloc_array(k, 1, 1);
    if (filled == NULL)
        return cot_fail(err, COT_NOMEM, "%zu clusters", k);
    for (size_t i = 0; i < x->n; i++) {
        n_filled += filled[labels[i]] == 0;
        filled[labels[i]] = 1;
    }
    free(filled);
    if (n_filled < 2)
        return cot_fail(err, COT_USAGE, "%zu cluster(s) with points: this index compares at least 2", n_filled);
    return COT_OK;
}

/* ---- silhouettes ---- */

struct silhouette {
    const struct cot_tiles *tiles;
    const uint32_t *labels;
    const size_t *counts;
    size_t k;
    const float *points; /* n x d for the exact one, k x d means for the simplified one; the tiles' units */
    double *sums;        /* a block: k x COT_TILE */
    double *totals;      /* a block: sum of silhouettes */
    float *values;       /* n or NULL */
};

/* Silhouette of one point from its mean distance to each cluster; `own` is corrected for the point itself before. */
static double value_of(const struct silhouette *s, const double *distances, size_t lane, uint32_t label, double own)
{
    double other = DBL_MAX;
    if (s->counts[label] < 2)
        return 0;
    for (size_t c = 0; c < s->k; c++)
        if (c != label && s->counts[c] > 0)
            other = fmin(other, distances[c * COT_TILE + lane]);
    double larger = fmax(own, other);
    return larger > 0 ? (other - own) / larger : 0;
}

static void take_tile(const struct silhouette *s, size_t t, const double *distances, int exact, size_t i_block)
{
    for (size_t lane = 0; lane < COT_TILE && t * COT_TILE + lane < s->tiles->n; lane++) {
        size_t i = t * COT_TILE + lane;
        uint32_t label = s->labels[i];
        double own = distances[label * COT_TILE + lane];
        if (exact && s->counts[label] > 1)
            own *= (double)s->counts[label] / ((double)s->counts[label] - 1);
        double value = value_of(s, distances, lane, label, own);
        s->totals[i_block] += value;
        if (s->values != NULL)
            s->values[i] = (float)value;
    }
}

static void exact_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct silhouette *s = context;
    size_t d = s->tiles->d;
    double *sums = s->sums + i_block * s->k * COT_TILE;
    (void)i_thread;
    for (size_t t = begin; t < end; t++) {
        memset(sums, 0, s->k * COT_TILE * sizeof *sums);
        for (size_t q = 0; q < s->tiles->n; q++) {
            float d2[COT_TILE];
            double *sum = sums + s->labels[q] * COT_TILE;
            cot_tile_distances2(cot_tile(s->tiles, t), d, s->points + q * d, 1, d2);
            for (int lane = 0; lane < COT_TILE; lane++)
                sum[lane] += (double)sqrtf(d2[lane]);
        }
        for (size_t c = 0; c < s->k; c++)
            for (int lane = 0; lane < COT_TILE; lane++)
                sums[c * COT_TILE + (size_t)lane] /= s->counts[c] > 0 ? (double)s->counts[c] : 1;
        take_tile(s, t, sums, 1, i_block);
    }
}

static void simplified_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct silhouette *s = context;
    double *sums = s->sums + i_block * s->k * COT_TILE;
    (void)i_thread;
    for (size_t t = begin; t < end; t++) {
        for (size_t c = 0; c < s->k; c++) {
            float d2[COT_TILE];
            cot_tile_distances2(cot_tile(s->tiles, t), s->tiles->d, s->points + c * s->tiles->d, 1, d2);
            for (size_t lane = 0; lane < COT_TILE; lane++)
                sums[c * COT_TILE + lane] = sqrt((double)d2[lane]);
        }
        take_tile(s, t, sums, 0, i_block);
    }
}

enum silhouette_kind { EXACT, SIMPLIFIED };

/* Rows (or means) in the tiles' units. */
static float *points_inward(const struct cot_tiles *tiles, const struct cot_matrix *x, const float *means, size_t k)
{
    size_t n = means != NULL ? k : x->n;
    float *points = cot_alloc_array(n, x->d, sizeof *points);
    for (size_t i = 0; points != NULL && i < n; i++)
        cot_tiles_inward(tiles, means != NULL ? means + i * x->d : cot_matrix_row(x, i), points + i * x->d);
    return points;
}

static cot_code silhouette(enum silhouette_kind kind, const struct cot_matrix *x, const uint32_t *labels, size_t k,
                           unsigned n_threads, double *ret_mean, float *ret_values, struct cot_err *err)
{
    struct cot_tiles tiles = {0};
    struct cot_means means = {0};
    struct silhouette s = {.tiles = &tiles, .labels = labels, .k = k, .values = ret_values};
    float *points = NULL;
    cot_code rc = check_clusters(x, labels, k, err);
    if (rc == COT_OK)
        rc = cot_tiles_init(&tiles, x, NULL, n_threads, err);
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, labels, NULL, k, n_threads, err);
    if (rc != COT_OK)
        goto out;
    size_t n_blocks = cot_n_blocks(tiles.n_tiles, TILES_A_BLOCK);
    points = points_inward(&tiles, x, kind == EXACT ? NULL : means.means, k);
    s.points = points;
    s.counts = means.counts;
    s.sums = cot_alloc_array(n_blocks, k * COT_TILE, sizeof *s.sums);
    s.totals = cot_alloc_array(n_blocks, 1, sizeof *s.totals);
    if (points == NULL || s.sums == NULL || s.totals == NULL) {
        rc = cot_fail(err, COT_NOMEM, "silhouettes of %zu points", x->n);
        goto out;
    }
    cot_parallel_for(n_threads, tiles.n_tiles, TILES_A_BLOCK, kind == EXACT ? exact_block : simplified_block, &s);
    double total = 0;
    for (size_t b = 0; b < n_blocks; b++)
        total += s.totals[b];
    *ret_mean = total / (double)x->n;
out:
    cot_tiles_release(&tiles);
    cot_means_release(&means);
    free(points);
    free(s.sums);
    free(s.totals);
    return rc;
}

cot_code cot_metric_silhouette(const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                               double *ret_mean, float *ret_values, struct cot_err *err)
{
    return silhouette(EXACT, x, labels, k, n_threads, ret_mean, ret_values, err);
}

cot_code cot_metric_silhouette_simplified(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                                          unsigned n_threads, double *ret_mean, float *ret_values, struct cot_err *err)
{
    return silhouette(SIMPLIFIED, x, labels, k, n_threads, ret_mean, ret_values, err);
}

/* ---- indices from means ---- */

cot_code cot_metric_davies_bouldin(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                   struct cot_err *err)
{
    struct cot_means means = {0};
    double *spread = NULL;
    double sum = 0;
    size_t n_filled = 0;
    cot_code rc = check_clusters(x, labels, k, err);
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, labels, NULL, k, 1, err);
    if (rc != COT_OK)
        goto out;
    spread = cot_alloc_array(k, 1, sizeof *spread);
    if (spread == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu clusters", k);
        goto out;
    }
    for (size_t i = 0; i < x->n; i++)
        spread[labels[i]] += sqrt(cot_distance2(cot_matrix_row(x, i), means.means + labels[i] * x->d, x->d));
    for (size_t c = 0; c < k; c++)
        spread[c] /= means.counts[c] > 0 ? (double)means.counts[c] : 1;
    for (size_t a = 0; a < k; a++) {
        double worst = 0;
        if (means.counts[a] == 0)
            continue;
        for (size_t b = 0; b < k; b++) {
            double apart = sqrt(cot_distance2(means.means + a * x->d, means.means + b * x->d, x->d));
            if (b != a && means.counts[b] > 0 && apart > 0)
                worst = fmax(worst, (spread[a] + spread[b]) / apart);
        }
        sum += worst;
        n_filled++;
    }
    *ret_index = sum / (double)n_filled;
out:
    cot_means_release(&means);
    free(spread);
    return rc;
}

cot_code cot_metric_calinski_harabasz(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                      struct cot_err *err)
{
    struct cot_means means = {0};
    struct cot_means whole = {0};
    uint32_t *zeros = NULL;
    double within = 0;
    double between = 0;
    size_t n_filled = 0;
    cot_code rc = check_clusters(x, labels, k, err);
    if (rc != COT_OK)
        return rc;
    zeros = cot_alloc_array(x->n, 1, sizeof *zeros);
    rc = zeros == NULL ? cot_fail(err, COT_NOMEM, "%zu labels", x->n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, labels, NULL, k, 1, err);
    if (rc == COT_OK)
        rc = cot_means_init(&whole, x, zeros, NULL, 1, 1, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < x->n; i++)
        within += cot_distance2(cot_matrix_row(x, i), means.means + labels[i] * x->d, x->d);
    for (size_t c = 0; c < k; c++) {
        between += (double)means.counts[c] *
                   (means.counts[c] > 0 ? cot_distance2(means.means + c * x->d, whole.means, x->d) : 0);
        n_filled += means.counts[c] > 0;
    }
    if (n_filled >= x->n) {
        rc = cot_fail(err, COT_USAGE, "%zu clusters of %zu points: this index needs more points than clusters",
                      n_filled, x->n);
        goto out;
    }
    double scale = (double)(x->n - n_filled) / ((double)n_filled - 1);
    *ret_index = within > 0 ? between / within * scale : 1;
out:
    cot_means_release(&means);
    cot_means_release(&whole);
    free(zeros);
    return rc;
}
