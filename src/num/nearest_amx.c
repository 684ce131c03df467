/*
 * AMX: 16 centres against a tile of 16 points a product, 32 columns at once, in bfloat16 with float32 sums.
 *
 * The second operand wants pairs of columns interleaved point by point, which is what a tile's column layout gives with
 * one rounding and one shift a pair. The products come back as rows of centres, lanes of points.
 */
#include "num/nearest_kernels.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>

#include "num/bf16.h"

#define AMX __attribute__((target("avx512f,amx-tile,amx-bf16")))
#define AMX_INLINE static inline __attribute__((always_inline, target("avx512f,amx-tile,amx-bf16")))

enum { PAIRS = COT_AMX_COLUMNS / 2, MAX_POINTS = 128 * COT_AMX_TILE };

/* Tile registers by number, as the instructions want constants: sums, centres, points. */
#define SUMS 0
#define CENTRES 1
#define POINTS 2

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

AMX_INLINE void configure(void)
{
    struct tile_config config = {.palette = 1};
    for (int i = SUMS; i <= POINTS; i++) {
        config.columns_size[i] = 64;
        config.rows[i] = COT_AMX_ROWS;
    }
    _tile_loadconfig(&config);
}

/* Bits of float32 rounded to bfloat16, still in the upper half. */
AMX_INLINE __m512i rounded(const float *column)
{
    __m512i bits = _mm512_castps_si512(_mm512_load_ps(column));
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
}

/* Second operand: for each pair of columns, 16 points of two bfloat16. Columns past d are 0. */
AMX_INLINE void pack_points(const float *tile, size_t d, uint16_t *ret_packed)
{
    size_t n_pairs = (d + COT_AMX_COLUMNS - 1) / COT_AMX_COLUMNS * PAIRS;
    for (size_t p = 0; p < n_pairs; p++) {
        __m512i low = _mm512_setzero_si512();
        __m512i high = _mm512_setzero_si512();
        if (2 * p < d)
            low = _mm512_srli_epi32(rounded(tile + 2 * p * COT_TILE), 16);
        if (2 * p + 1 < d)
            high = _mm512_and_si512(rounded(tile + (2 * p + 1) * COT_TILE), _mm512_set1_epi32((int)0xffff0000));
        _mm512_store_si512(ret_packed + p * COT_AMX_COLUMNS, _mm512_or_si512(low, high));
    }
}

AMX_INLINE void take_row(struct running *r, __m512 product, float half_norm, int32_t index)
{
    __m512 score = _mm512_sub_ps(_mm512_set1_ps(half_norm), product);
    __mmask16 smaller = _mm512_cmp_ps_mask(score, r->best, _CMP_LT_OQ);
    r->second = _mm512_min_ps(r->second, _mm512_max_ps(r->best, score));
    r->best = _mm512_min_ps(r->best, score);
    r->index = _mm512_mask_set1_epi32(r->index, smaller, index);
}

AMX static void nearest_of_tile(const struct cot_centres *centres, const uint16_t *points, struct cot_nearest *ret)
{
    size_t n_column_tiles = (centres->d + COT_AMX_COLUMNS - 1) / COT_AMX_COLUMNS;
    struct running r = {_mm512_set1_ps(FLT_MAX), _mm512_set1_ps(FLT_MAX), _mm512_setzero_si512()};
    float products[COT_AMX_ROWS * COT_TILE] __attribute__((aligned(64)));
    for (size_t c = 0; c < centres->k; c += COT_AMX_ROWS) {
        const uint16_t *rows = centres->bf16 + c / COT_AMX_ROWS * n_column_tiles * COT_AMX_TILE;
        size_t n = centres->k - c < COT_AMX_ROWS ? centres->k - c : COT_AMX_ROWS;
        _tile_zero(SUMS);
        for (size_t b = 0; b < n_column_tiles; b++) {
            _tile_loadd(CENTRES, rows + b * COT_AMX_TILE, 64);
            _tile_loadd(POINTS, points + b * COT_AMX_TILE, 64);
            _tile_dpbf16ps(SUMS, CENTRES, POINTS);
        }
        _tile_stored(SUMS, products, 64);
        for (size_t i = 0; i < n; i++)
            take_row(&r, _mm512_load_ps(products + i * COT_TILE), centres->half_norm[c + i], (int32_t)(c + i));
    }
    _mm512_storeu_ps(ret->best, r.best);
    _mm512_storeu_ps(ret->second, r.second);
    _mm512_storeu_si512(ret->index, r.index);
}

AMX void cot_nearest_amx(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                         struct cot_nearest *ret_nearest)
{
    uint16_t packed[MAX_POINTS] __attribute__((aligned(64)));
    if ((centres->d + COT_AMX_COLUMNS - 1) / COT_AMX_COLUMNS * COT_AMX_TILE > MAX_POINTS) {
        cot_nearest_avx512(centres, tiles, n_tiles, ret_nearest); /* more than 4,096 columns: as exact, not as fast */
        return;
    }
    configure();
    for (size_t t = 0; t < n_tiles; t++) {
        pack_points(tiles[t].data, centres->d, packed);
        nearest_of_tile(centres, packed, ret_nearest + t);
    }
    _tile_release();
}

#endif
