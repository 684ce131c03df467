/*
 * AMX: 32 centres against two tiles of 16 points at once, in bfloat16 with float32 sums.
 *
 * A bfloat16 has 8 significant bits, too few to tell near centres apart. So each number is two of them, x = high + low
 * to 16 bits, and a product is three: low x high, high x low, high x high (num/bf16.h), the small ones first. That is
 * three sixteenths of the work of float32, and nearly every label is decided by it.
 *
 * The second operand wants pairs of columns interleaved point by point, which is what a tile's column layout gives with
 * shifts and masks. The products come back as rows of centres, lanes of points; while the tile unit multiplies, the
 * vector units take what it gave before.
 */
#include "num/nearest_kernels.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "num/bf16.h"

#define AMX __attribute__((target("avx512f,amx-tile,amx-bf16")))
#define AMX_INLINE static inline __attribute__((always_inline, target("avx512f,amx-tile,amx-bf16")))

enum {
    PAIR = 2,                     /* tiles of points, and tiles of centres, at once */
    ROW = 2 * COT_TILE,           /* bfloat16 of a pair of columns of all points of a tile */
    HALF_ROWS = COT_AMX_HALF / 2, /* such pairs in half a tile register */
    MAX_HALVES = 64,              /* of COT_AMX_HALF columns: where there are more, AVX-512 takes over */
    MAX_POINTS = (2 * MAX_HALVES + 1) * HALF_ROWS * ROW
};

/* Tile registers by number, as the instructions want constants. */
#define SUM_00 0
#define SUM_01 1
#define SUM_10 2
#define SUM_11 3
#define CENTRES_0 4
#define CENTRES_1 5
#define POINTS_0 6
#define POINTS_1 7

struct tile_config {
    uint8_t palette, start_row;
    uint8_t reserved[14];
    uint16_t columns_size[16]; /* bytes */
    uint8_t rows[16];
};

struct running {
    __m512 best;
    __m512 second;
    __m512i index;
};

/* Products of PAIR tiles of centres with PAIR tiles of points. */
struct products {
    float values[PAIR][PAIR][COT_AMX_ROWS * COT_TILE] __attribute__((aligned(64)));
};

/* Two tiles of points: rows of low parts, then of high parts, then of zeros. */
struct points {
    uint16_t packed[PAIR][MAX_POINTS] __attribute__((aligned(64)));
};

AMX_INLINE void configure(void)
{
    struct tile_config config = {.palette = 1};
    for (int i = SUM_00; i <= POINTS_1; i++) {
        config.columns_size[i] = 64;
        config.rows[i] = COT_AMX_ROWS;
    }
    __asm__ volatile("" : : "r"(&config) : "memory"); /* GCC 12 thinks that only its first bytes are read */
    _tile_loadconfig(&config);
}

/* Adds half a bfloat16's last bit: cut off after the upper half, that rounds to nearest. */
AMX_INLINE __m512i raised(__m512 x)
{
    return _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
}

/* Of two columns: the upper halves, side by side. */
AMX_INLINE __m512i side_by_side(__m512i first, __m512i second)
{
    __m512i upper = _mm512_and_si512(second, _mm512_set1_epi32((int)0xffff0000));
    return _mm512_or_si512(_mm512_srli_epi32(first, 16), upper);
}

AMX_INLINE __m512 low_part(__m512 x, __m512i high)
{
    return _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_and_si512(high, _mm512_set1_epi32((int)0xffff0000))));
}

/* Columns past d are 0. */
AMX_INLINE void pack_points(const float *tile, size_t d, uint16_t *ret_packed)
{
    size_t n_rows = cot_amx_halves(d) * HALF_ROWS;
    uint16_t *low = ret_packed;
    uint16_t *high = ret_packed + n_rows * ROW;
    size_t p = 0;
    for (; 2 * p < d; p++) {
        __m512 x0 = _mm512_load_ps(tile + 2 * p * COT_TILE);
        __m512 x1 = 2 * p + 1 < d ? _mm512_load_ps(tile + (2 * p + 1) * COT_TILE) : _mm512_setzero_ps();
        __m512i high0 = raised(x0);
        __m512i high1 = raised(x1);
        _mm512_store_si512(high + p * ROW, side_by_side(high0, high1));
        _mm512_store_si512(low + p * ROW, side_by_side(raised(low_part(x0, high0)), raised(low_part(x1, high1))));
    }
    for (; p < n_rows; p++) {
        _mm512_store_si512(high + p * ROW, _mm512_setzero_si512());
        _mm512_store_si512(low + p * ROW, _mm512_setzero_si512());
    }
    memset(high + n_rows * ROW, 0, HALF_ROWS * ROW * sizeof *high);
}

/* Where register tile b of the points begins: low, high, and high once more. */
AMX_INLINE size_t points_at(size_t b, size_t n_halves)
{
    size_t half = 2 * b < 2 * n_halves ? 2 * b : 2 * b - n_halves;
    return half * HALF_ROWS * ROW;
}

/* Sends the products of two tiles of centres, or one, to the tile unit; they stay in its registers. */
AMX_INLINE void multiply(const struct points *points, const uint16_t *centres, size_t n_halves, bool both)
{
    size_t n_tiles = cot_amx_tiles(n_halves);
    _tile_zero(SUM_00);
    _tile_zero(SUM_01);
    _tile_zero(SUM_10);
    _tile_zero(SUM_11);
    for (size_t b = 0; b < n_tiles; b++) {
        size_t at = points_at(b, n_halves);
        _tile_loadd(CENTRES_0, centres + b * COT_AMX_TILE, 64);
        _tile_loadd(POINTS_0, points->packed[0] + at, 64);
        _tile_loadd(POINTS_1, points->packed[1] + at, 64);
        _tile_dpbf16ps(SUM_00, CENTRES_0, POINTS_0);
        _tile_dpbf16ps(SUM_01, CENTRES_0, POINTS_1);
        if (both) {
            _tile_loadd(CENTRES_1, centres + (n_tiles + b) * COT_AMX_TILE, 64);
            _tile_dpbf16ps(SUM_10, CENTRES_1, POINTS_0);
            _tile_dpbf16ps(SUM_11, CENTRES_1, POINTS_1);
        }
    }
}

AMX_INLINE void store(struct products *ret)
{
    _tile_stored(SUM_00, ret->values[0][0], 64);
    _tile_stored(SUM_01, ret->values[0][1], 64);
    _tile_stored(SUM_10, ret->values[1][0], 64);
    _tile_stored(SUM_11, ret->values[1][1], 64);
}

AMX_INLINE void take_row(struct running *r, __m512 product, float half_norm, int32_t index)
{
    __m512 score = _mm512_sub_ps(_mm512_set1_ps(half_norm), product);
    __mmask16 smaller = _mm512_cmp_ps_mask(score, r->best, _CMP_LT_OQ);
    r->second = _mm512_min_ps(r->second, _mm512_max_ps(r->best, score));
    r->best = _mm512_min_ps(r->best, score);
    r->index = _mm512_mask_set1_epi32(r->index, smaller, index);
}

/* Takes n centres from number c on. */
AMX_INLINE void take(struct running running[PAIR], const struct products *products, const float *half_norm, size_t c,
                     size_t n)
{
    for (size_t i = 0; i < n; i++)
#pragma GCC unroll 2
        for (size_t t = 0; t < PAIR; t++) {
            const float *row = products->values[i / COT_AMX_ROWS][t] + i % COT_AMX_ROWS * COT_TILE;
            take_row(running + t, _mm512_load_ps(row), half_norm[c + i], (int32_t)(c + i));
        }
}

AMX_INLINE void nearest_of_pair(const struct cot_centres *centres, const struct points *points,
                                struct running running[PAIR])
{
    enum { STEP = PAIR * COT_AMX_ROWS };
    struct products products;
    size_t n_halves = cot_amx_halves(centres->d);
    size_t size = cot_amx_tiles(n_halves) * COT_AMX_TILE;
    for (size_t c = 0; c < centres->k; c += STEP) {
        const uint16_t *packed = centres->bf16 + c / COT_AMX_ROWS * size;
        if (centres->k - c > COT_AMX_ROWS)
            multiply(points, packed, n_halves, true);
        else
            multiply(points, packed, n_halves, false);
        if (c > 0)
            take(running, &products, centres->half_norm, c - STEP, STEP);
        store(&products);
    }
    size_t last = (centres->k - 1) / STEP * STEP;
    take(running, &products, centres->half_norm, last, centres->k - last);
}

AMX void cot_nearest_amx(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                         struct cot_nearest *ret_nearest)
{
    struct points points;
    if (cot_amx_halves(centres->d) > MAX_HALVES) {
        cot_nearest_avx512(centres, tiles, n_tiles, ret_nearest); /* as exact, not as fast */
        return;
    }
    configure();
    for (size_t t = 0; t < n_tiles; t += PAIR) {
        size_t n = n_tiles - t < PAIR ? 1 : PAIR;
        struct running running[PAIR];
        for (size_t u = 0; u < PAIR; u++) { /* an odd last one is its own partner */
            pack_points(tiles[u < n ? t + u : t].data, centres->d, points.packed[u]);
            running[u].best = running[u].second = _mm512_set1_ps(FLT_MAX);
            running[u].index = _mm512_setzero_si512();
        }
        nearest_of_pair(centres, &points, running);
        for (size_t u = 0; u < n; u++) {
            _mm512_storeu_ps(ret_nearest[t + u].best, running[u].best);
            _mm512_storeu_ps(ret_nearest[t + u].second, running[u].second);
            _mm512_storeu_si512(ret_nearest[t + u].index, running[u].index);
        }
    }
    _tile_release();
}

#endif
