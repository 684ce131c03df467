/*
 * Silhouettes, exact and simplified: see coterie/metrics.h.
 *
 * Distances are never stored: 16 points side by side (a tile) meet four rows at a time, and only the sum of distances
 * to each cluster is kept. Rows lie sorted by cluster, so that a run of rows feeds one sum. Data are centred and scaled
 * by a power of two first, so that a large offset costs no precision and no square overflows.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "coterie/isa.h"
#include "coterie/metrics.h"
#include "ml/means.h"
#include "num/check.h"

typedef float lanes __attribute__((vector_size(32)));

enum { LANES = 8, TILE = 16, ROWS = 4, TILES_A_BLOCK = 4 };

#define INLINE static inline __attribute__((always_inline))

struct silhouettes {
    const uint32_t *labels;
    size_t n, d, k;
    int exact;
    int avx2;
    size_t *counts;    /* k */
    float *tiles;      /* n_tiles x d x TILE */
    float *rows;       /* n x d sorted by cluster; of the simplified silhouette k x d: the means */
    size_t *first_row; /* k + 1 */
    double *sums;      /* a thread: k x TILES_A_BLOCK x TILE, mean distances in the end */
    double *totals;    /* a block: sum of silhouettes */
    float *values;     /* n or NULL */
    double *centre;    /* d */
    double scale;
};

/* ---- the kernel: one body, compiled for the base instruction set and for AVX2, which gives the same bytes ---- */

/* Adds to sums[TILE] the distances of a tile's points to n_rows <= ROWS rows. */
INLINE void add_distances(const float *tile, const float *rows, size_t d, int n_rows, double *sums)
{
    lanes low[ROWS] = {{0}};
    lanes high[ROWS] = {{0}};
    for (size_t j = 0; j < d; j++) {
        const lanes *x = (const lanes *)(const void *)(tile + j * TILE);
        lanes x0 = x[0];
        lanes x1 = x[1];
        for (int r = 0; r < n_rows; r++) {
            lanes step0 = x0 - rows[(size_t)r * d + j];
            lanes step1 = x1 - rows[(size_t)r * d + j];
            low[r] += step0 * step0;
            high[r] += step1 * step1;
        }
    }
    float distances[TILE] = {0};
    for (int r = 0; r < n_rows; r++) {
        float d2[TILE];
        memcpy(d2, &low[r], sizeof low[r]);
        memcpy(d2 + LANES, &high[r], sizeof high[r]);
        for (int lane = 0; lane < TILE; lane++)
            distances[lane] += sqrtf(d2[lane]);
    }
    for (int lane = 0; lane < TILE; lane++)
        sums[lane] += (double)distances[lane];
}

/* Rows [begin, end) against n_tiles tiles; sums: a tile TILE numbers. */
INLINE void add_run(const float *tiles, size_t n_tiles, const float *rows, size_t begin, size_t end, size_t d,
                    double *sums)
{
    size_t row = begin;
    for (; row + ROWS <= end; row += ROWS)
        for (size_t t = 0; t < n_tiles; t++)
            add_distances(tiles + t * d * TILE, rows + row * d, d, ROWS, sums + t * TILE);
    for (; row < end; row++)
        for (size_t t = 0; t < n_tiles; t++)
            add_distances(tiles + t * d * TILE, rows + row * d, d, 1, sums + t * TILE);
}

static void add_run_base(const float *tiles, size_t n_tiles, const float *rows, size_t begin, size_t end, size_t d,
                         double *sums)
{
    add_run(tiles, n_tiles, rows, begin, end, d, sums);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void add_run_avx2(const float *tiles, size_t n_tiles, const float *rows,
                                                         size_t begin, size_t end, size_t d, double *sums)
{
    add_run(tiles, n_tiles, rows, begin, end, d, sums);
}

#else
#define add_run_avx2 add_run_base
#endif

/* ---- silhouettes from mean distances ---- */

/* distances: a cluster TILES_A_BLOCK x TILE mean distances, of which the point's is at `at`. */
static double silhouette_of(const struct silhouettes *s, const double *distances, size_t at, uint32_t label)
{
    double own = distances[label * TILES_A_BLOCK * TILE + at];
    double other = DBL_MAX;
    if (s->counts[label] < 2)
        return 0;
    if (s->exact) /* the point itself is no neighbour of its own */
        own *= (double)s->counts[label] / ((double)s->counts[label] - 1);
    for (size_t c = 0; c < s->k; c++)
        if (c != label && s->counts[c] > 0)
            other = fmin(other, distances[c * TILES_A_BLOCK * TILE + at]);
    double larger = fmax(own, other);
    return larger > 0 ? (other - own) / larger : 0;
}

static void measure_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct silhouettes *s = context;
    size_t width = TILES_A_BLOCK * TILE;
    double *sums = s->sums + i_thread * s->k * width;
    const float *tiles = s->tiles + begin * s->d * TILE;
    double total = 0;
    memset(sums, 0, s->k * width * sizeof *sums);
    for (size_t c = 0; c < s->k; c++) {
        size_t n_rows = s->first_row[c + 1] - s->first_row[c];
        (s->avx2 ? add_run_avx2 : add_run_base)(tiles, end - begin, s->rows, s->first_row[c], s->first_row[c + 1], s->d,
                                                sums + c * width);
        for (size_t at = 0; at < width; at++)
            sums[c * width + at] /= n_rows > 0 ? (double)n_rows : 1;
    }
    for (size_t i = begin * TILE; i < end * TILE && i < s->n; i++) {
        double value = silhouette_of(s, sums, i - begin * TILE, s->labels[i]);
        total += value;
        if (s->values != NULL)
            s->values[i] = (float)value;
    }
    s->totals[i_block] = total;
}

/* ---- layout ---- */

static void find_scale(struct silhouettes *s, const struct cot_matrix *x)
{
    double largest = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++)
            s->centre[j] += (double)cot_matrix_row(x, i)[j] / (double)s->n;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++)
            largest = fmax(largest, fabs((double)cot_matrix_row(x, i)[j] - s->centre[j]));
    int exponent = 0;
    frexp(largest, &exponent);
    s->scale = largest > 0 ? ldexp(1, -exponent) : 1;
}

static float inward(const struct silhouettes *s, float value, size_t j)
{
    return (float)(((double)value - s->centre[j]) * s->scale);
}

static void lay_out(struct silhouettes *s, const struct cot_matrix *x, const float *means)
{
    for (size_t i = 0; i < s->n; i++)
        s->counts[s->labels[i]]++;
    for (size_t c = 0; c < s->k; c++)
        s->first_row[c + 1] = s->first_row[c] + (s->exact ? s->counts[c] : 1);
    for (size_t i = 0; i < s->n; i++) {
        const float *row = cot_matrix_row(x, i);
        float *tile = s->tiles + i / TILE * s->d * TILE + i % TILE;
        for (size_t j = 0; j < s->d; j++)
            tile[j * TILE] = inward(s, row[j], j);
        if (!s->exact)
            continue;
        float *sorted = s->rows + s->first_row[s->labels[i]]++ * s->d;
        for (size_t j = 0; j < s->d; j++)
            sorted[j] = tile[j * TILE];
    }
    for (size_t c = s->k; c-- > 0 && s->exact;) /* each start has moved to the next one's */
        s->first_row[c + 1] = s->first_row[c];
    if (s->exact)
        s->first_row[0] = 0;
    for (size_t i = 0; i < s->k * s->d && !s->exact; i++)
        s->rows[i] = inward(s, means[i], i % s->d);
}

/* Tiles, rows, sums a thread, clusters, and the simplified silhouette's means. */
static size_t price(const struct silhouettes *s, size_t n_tiles, size_t n_threads)
{
    size_t n_rows = s->exact ? s->n : s->k;
    size_t a_cluster = 2 * sizeof(size_t) + n_threads * TILES_A_BLOCK * TILE * sizeof(double);
    size_t size = s->exact ? 0 : cot_means_memory(s->n, s->d, s->k);
    size = cot_memory_add(size, n_tiles * TILE, cot_memory_add(0, s->d, sizeof(float)));
    size = cot_memory_add(size, n_rows, cot_memory_add(0, s->d, sizeof(float)));
    size = cot_memory_add(size, cot_n_blocks(n_tiles, TILES_A_BLOCK) + s->d, sizeof(double));
    return cot_memory_add(size, s->k, a_cluster);
}

static void release(struct silhouettes *s)
{
    free(s->counts);
    free(s->tiles);
    free(s->rows);
    free(s->first_row);
    free(s->sums);
    free(s->totals);
    free(s->centre);
}

static cot_code measure(int exact, const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                        double *ret_mean, float *ret_values, struct cot_err *err)
{
    struct silhouettes s = {.labels = labels,
                            .n = x->n,
                            .d = x->d,
                            .k = k,
                            .exact = exact,
                            .avx2 = cot_isa_supported(COT_ISA_AVX2),
                            .values = ret_values};
    struct cot_means means = {0};
    size_t n_tiles = (x->n + TILE - 1) / TILE;
    size_t n_blocks = cot_n_blocks(n_tiles, TILES_A_BLOCK);
    double total = 0;
    n_threads = n_threads != 0 ? n_threads : cot_threads_available();
    n_threads = n_threads < n_blocks ? n_threads : (unsigned)n_blocks;
    cot_code rc = cot_memory_check(price(&s, n_tiles, n_threads), 0, err,
                                   "silhouettes of %zu points in %zu columns and %zu clusters", x->n, x->d, k);
    if (rc == COT_OK)
        rc = cot_check_clusters(x, labels, k, err);
    if (rc == COT_OK && !exact)
        rc = cot_means_init(&means, x, labels, NULL, k, n_threads, err);
    if (rc != COT_OK)
        return rc;
    s.counts = cot_alloc_array(k, 1, sizeof *s.counts);
    s.first_row = cot_alloc_array(k + 1, 1, sizeof *s.first_row);
    s.tiles = cot_alloc_aligned(n_tiles * TILE, x->d, sizeof *s.tiles);
    s.rows = cot_alloc_array(exact ? x->n : k, x->d, sizeof *s.rows);
    s.sums = cot_alloc_array(n_threads, k * TILES_A_BLOCK * TILE, sizeof *s.sums);
    s.totals = cot_alloc_array(n_blocks, 1, sizeof *s.totals);
    s.centre = cot_alloc_array(x->d, 1, sizeof *s.centre);
    if (s.counts == NULL || s.first_row == NULL || s.tiles == NULL || s.rows == NULL || s.sums == NULL ||
        s.totals == NULL || s.centre == NULL) {
        rc = cot_fail(err, COT_NOMEM, "silhouettes of %zu points in %zu columns", x->n, x->d);
        goto out;
    }
    find_scale(&s, x);
    lay_out(&s, x, means.means);
    cot_parallel_for(n_threads, n_tiles, TILES_A_BLOCK, measure_block, &s);
    for (size_t b = 0; b < n_blocks; b++)
        total += s.totals[b];
    *ret_mean = total / (double)x->n;
out:
    release(&s);
    cot_means_release(&means);
    return rc;
}

cot_code cot_metric_silhouette(const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                               double *ret_mean, float *ret_values, struct cot_err *err)
{
    return measure(1, x, labels, k, n_threads, ret_mean, ret_values, err);
}

cot_code cot_metric_silhouette_simplified(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                                          unsigned n_threads, double *ret_mean, float *ret_values, struct cot_err *err)
{
    return measure(0, x, labels, k, n_threads, ret_mean, ret_values, err);
}
