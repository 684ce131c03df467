/* Sixteen rows of sixteen columns at once, turned in registers. */
#include "num/tiles_turn.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE static inline __attribute__((always_inline, target("avx512f")))

/* Lanes of 128 bits: a pair of them from each side. */
enum { EVEN = 0x88, ODD = 0xdd };

AVX512_INLINE void turn_fours(__m512 r[COT_TILE])
{
    for (int i = 0; i < COT_TILE; i += 4) {
        __m512 ab_low = _mm512_unpacklo_ps(r[i], r[i + 1]);
        __m512 ab_high = _mm512_unpackhi_ps(r[i], r[i + 1]);
        __m512 ce_low = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
        __m512 ce_high = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
        r[i] = _mm512_shuffle_ps(ab_low, ce_low, 0x44);
        r[i + 1] = _mm512_shuffle_ps(ab_low, ce_low, 0xee);
        r[i + 2] = _mm512_shuffle_ps(ab_high, ce_high, 0x44);
        r[i + 3] = _mm512_shuffle_ps(ab_high, ce_high, 0xee);
    }
}

/* Column u of rows i .. i + 3 stands in lane (u / 4) of r[i + u % 4]; the lanes of the four groups come together. */
AVX512_INLINE void turn_lanes(const __m512 r[COT_TILE], __m512 columns[COT_TILE])
{
    for (int u = 0; u < 4; u++) {
        __m512 low_even = _mm512_shuffle_f32x4(r[u], r[4 + u], EVEN);
        __m512 low_odd = _mm512_shuffle_f32x4(r[u], r[4 + u], ODD);
        __m512 high_even = _mm512_shuffle_f32x4(r[8 + u], r[12 + u], EVEN);
        __m512 high_odd = _mm512_shuffle_f32x4(r[8 + u], r[12 + u], ODD);
        columns[u] = _mm512_shuffle_f32x4(low_even, high_even, EVEN);
        columns[4 + u] = _mm512_shuffle_f32x4(low_odd, high_odd, EVEN);
        columns[8 + u] = _mm512_shuffle_f32x4(low_even, high_even, ODD);
        columns[12 + u] = _mm512_shuffle_f32x4(low_odd, high_odd, ODD);
    }
}

/* Columns j .. j + n of the rows; n is COT_TILE wherever `whole`, so that no load has a mask: those wait for memory. */
AVX512_INLINE void turn_columns(const struct cot_tiles *tiles, const float *const *rows, size_t j, size_t n, bool whole,
                                float *tile)
{
    const __m512 down = _mm512_set1_ps(tiles->down);
    const __m512 up = _mm512_set1_ps(tiles->up);
    const __mmask16 there = (__mmask16)((1U << n) - 1);
    __m512 offset = whole ? _mm512_loadu_ps(tiles->offset + j) : _mm512_maskz_loadu_ps(there, tiles->offset + j);
    __m512 r[COT_TILE];
    __m512 columns[COT_TILE];
#pragma GCC unroll 16
    for (int i = 0; i < COT_TILE; i++) {
        __m512 value = whole ? _mm512_loadu_ps(rows[i] + j) : _mm512_maskz_loadu_ps(there, rows[i] + j);
        r[i] = _mm512_mul_ps(_mm512_sub_ps(_mm512_mul_ps(value, down), offset), up);
    }
    turn_fours(r);
    turn_lanes(r, columns);
#pragma GCC unroll 16
    for (size_t u = 0; u < COT_TILE; u++)
        if (whole || u < n)
            _mm512_store_ps(tile + (j + u) * COT_TILE, columns[u]);
}

AVX512 void cot_tile_turn_avx512(const struct cot_tiles *tiles, const float *const *rows, float *tile)
{
    size_t j = 0;
    for (; j + COT_TILE <= tiles->d; j += COT_TILE)
        turn_columns(tiles, rows, j, COT_TILE, true, tile);
    if (j < tiles->d)
        turn_columns(tiles, rows, j, tiles->d - j, false, tile);
}

#endif
