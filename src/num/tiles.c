#include "num/tiles.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"

typedef float lanes __attribute__((vector_size(32)));
typedef int32_t lane_mask __attribute__((vector_size(32)));

enum { LANES = 8, UNROLL = 4, TILES_A_BLOCK = 64 };

#define INLINE static inline __attribute__((always_inline))

/* ---- kernels: one body, compiled for the base instruction set and for AVX2 ---- */

INLINE void distances2_body(const float *tile, size_t d, const float *point, float *ret_d2)
{
    lanes low = {0};
    lanes high = {0};
    for (size_t j = 0; j < d; j++) {
        const lanes *x = (const lanes *)(const void *)(tile + j * COT_TILE);
        lanes a = x[0] - point[j];
        lanes b = x[1] - point[j];
        low += a * a;
        high += b * b;
    }
    memcpy(ret_d2, &low, sizeof low);
    memcpy(ret_d2 + LANES, &high, sizeof high);
}

struct running_best {
    lanes d2[2];
    lane_mask index[2];
};

INLINE void take_smaller(struct running_best *best, int half, lanes d2, int32_t index)
{
    lane_mask smaller = d2 < best->d2[half];
    best->d2[half] = (lanes)((smaller & (lane_mask)d2) | (~smaller & (lane_mask)best->d2[half]));
    best->index[half] = (smaller & index) | (~smaller & best->index[half]);
}

/* Four centres at once share the loads of the points. */
INLINE void nearest_of_four(const float *tile, size_t d, const float *centres, int32_t c, struct running_best *best)
{
    lanes low[UNROLL] = {{0}};
    lanes high[UNROLL] = {{0}};
    const float *c0 = centres;
    const float *c1 = c0 + d;
    const float *c2 = c1 + d;
    const float *c3 = c2 + d;
    for (size_t j = 0; j < d; j++) {
        const lanes *x = (const lanes *)(const void *)(tile + j * COT_TILE);
        lanes x0 = x[0];
        lanes x1 = x[1];
        lanes t;
        t = x0 - c0[j], low[0] += t * t;
        t = x1 - c0[j], high[0] += t * t;
        t = x0 - c1[j], low[1] += t * t;
        t = x1 - c1[j], high[1] += t * t;
        t = x0 - c2[j], low[2] += t * t;
        t = x1 - c2[j], high[2] += t * t;
        t = x0 - c3[j], low[3] += t * t;
        t = x1 - c3[j], high[3] += t * t;
    }
    for (int u = 0; u < UNROLL; u++) {
        take_smaller(best, 0, low[u], c + u);
        take_smaller(best, 1, high[u], c + u);
    }
}

INLINE void nearest_body(const float *tile, size_t d, const float *centres, size_t k, float *ret_d2,
                         uint32_t *ret_index)
{
    struct running_best best = {.index = {{0}}};
    size_t c = 0;
    best.d2[0] = best.d2[1] = (lanes){0} + FLT_MAX;
    for (; c + UNROLL <= k; c += UNROLL)
        nearest_of_four(tile, d, centres + c * d, (int32_t)c, &best);
    for (; c < k; c++) {
        float d2[COT_TILE];
        lanes halves[2];
        distances2_body(tile, d, centres + c * d, d2);
        memcpy(halves, d2, sizeof halves);
        take_smaller(&best, 0, halves[0], (int32_t)c);
        take_smaller(&best, 1, halves[1], (int32_t)c);
    }
    memcpy(ret_d2, best.d2, sizeof best.d2);
    memcpy(ret_index, best.index, sizeof best.index);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void distances2_avx2(const float *tile, size_t d, const float *point,
                                                            float *ret_d2)
{
    distances2_body(tile, d, point, ret_d2);
}
__attribute__((target("avx2"))) static void nearest_avx2(const float *tile, size_t d, const float *centres, size_t k,
                                                         float *ret_d2, uint32_t *ret_index)
{
    nearest_body(tile, d, centres, k, ret_d2, ret_index);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define distances2_avx2 distances2_body
#define nearest_avx2 nearest_body
#define HAVE_AVX2() 0
#endif

void cot_tile_distances2(const float *tile, size_t d, const float *point, float ret_d2[COT_TILE])
{
    if (HAVE_AVX2())
        distances2_avx2(tile, d, point, ret_d2);
    else
        distances2_body(tile, d, point, ret_d2);
}

void cot_tile_nearest(const float *tile, size_t d, const float *centres, size_t k, float ret_d2[COT_TILE],
                      uint32_t ret_index[COT_TILE])
{
    if (HAVE_AVX2())
        nearest_avx2(tile, d, centres, k, ret_d2, ret_index);
    else
        nearest_body(tile, d, centres, k, ret_d2, ret_index);
}

/* ---- making tiles ---- */

struct fill {
    const struct cot_matrix *x;
    const float *weights;
    struct cot_tiles *tiles;
    double *sums;    /* a block: d sums, then the sum of weights */
    double *largest; /* a block: largest |x - centre| */
};

static void sum_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fill *fill = context;
    size_t d = fill->x->d;
    double *sums = fill->sums + i_block * (d + 1);
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(fill->x, i);
        double w = fill->weights != NULL ? (double)fill->weights[i] : 1.0;
        for (size_t j = 0; j < d; j++)
            sums[j] += w * (double)row[j];
        sums[d] += w;
    }
}

static void find_largest(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fill *fill = context;
    double largest = 0;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(fill->x, i);
        for (size_t j = 0; j < fill->x->d; j++) {
            double a = fabs((double)row[j] - fill->tiles->centre[j]);
            largest = a > largest ? a : largest;
        }
    }
    fill->largest[i_block] = largest;
}

static void fill_tiles(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fill *fill = context;
    struct cot_tiles *tiles = fill->tiles;
    size_t d = tiles->d;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        float *lane = tiles->data + i / COT_TILE * d * COT_TILE + i % COT_TILE;
        const float *row = cot_matrix_row(fill->x, i);
        for (size_t j = 0; j < d; j++)
            lane[j * COT_TILE] = (float)(((double)row[j] - tiles->centre[j]) * tiles->scale);
    }
}

/* The power of two that brings the largest value into [0.5, 1). */
static double scale_for(double largest)
{
    int exponent = 0;
    if (largest == 0)
        return 1;
    frexp(largest, &exponent);
    return ldexp(1, -exponent);
}

cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, struct cot_err *err)
{
    struct cot_tiles tiles = {.n = x->n, .d = x->d, .n_tiles = (x->n + COT_TILE - 1) / COT_TILE, .scale = 1};
    struct fill fill = {.x = x, .weights = weights, .tiles = &tiles};
    size_t block = cot_block_of(x->n, 1024);
    size_t n_blocks = cot_n_blocks(x->n, block);
    double largest = 0;
    cot_code rc = COT_OK;

    tiles.data = cot_alloc_aligned(tiles.n_tiles * COT_TILE, x->d, sizeof *tiles.data);
    tiles.centre = cot_alloc_array(x->d, 1, sizeof *tiles.centre);
    fill.sums = cot_alloc_array(n_blocks, x->d + 1, sizeof *fill.sums);
    fill.largest = cot_alloc_array(n_blocks, 1, sizeof *fill.largest);
    if (tiles.data == NULL || tiles.centre == NULL || fill.sums == NULL || fill.largest == NULL) {
        rc = cot_fail(err, COT_NOMEM, "a copy of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    cot_parallel_for(n_threads, x->n, block, sum_rows, &fill);
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t j = 0; j <= x->d; j++)
            fill.sums[j] += fill.sums[b * (x->d + 1) + j];
    for (size_t j = 0; j < x->d; j++)
        tiles.centre[j] = fill.sums[j] / fill.sums[x->d];
    cot_parallel_for(n_threads, x->n, block, find_largest, &fill);
    for (size_t b = 0; b < n_blocks; b++)
        largest = fill.largest[b] > largest ? fill.largest[b] : largest;
    tiles.scale = scale_for(largest);
    cot_parallel_for(n_threads, x->n, TILES_A_BLOCK * COT_TILE, fill_tiles, &fill);
    *ret_tiles = tiles;
    tiles = (struct cot_tiles){0};
out:
    cot_tiles_release(&tiles);
    free(fill.sums);
    free(fill.largest);
    return rc;
}

void cot_tiles_release(struct cot_tiles *tiles)
{
    free(tiles->data);
    free(tiles->centre);
    *tiles = (struct cot_tiles){0};
}

void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row)
{
    const float *lane = cot_tile(tiles, i / COT_TILE) + i % COT_TILE;
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = lane[j * COT_TILE];
}

void cot_tiles_inward(const struct cot_tiles *tiles, const float *row, float *ret_row)
{
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = (float)(((double)row[j] - tiles->centre[j]) * tiles->scale);
}

void cot_tiles_outward(const struct cot_tiles *tiles, const float *row, float *ret_row)
{
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = (float)((double)row[j] / tiles->scale + tiles->centre[j]);
}
