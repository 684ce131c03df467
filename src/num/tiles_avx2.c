/* Eight rows of eight columns at once, turned in registers. */
#include "num/tiles_turn.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2")))

enum { LANES = 8 };

AVX2_INLINE __m256 load_inward(const struct cot_tiles *tiles, const float *row, size_t j)
{
    __m256 value = _mm256_mul_ps(_mm256_loadu_ps(row + j), _mm256_set1_ps(tiles->down));
    return _mm256_mul_ps(_mm256_sub_ps(value, _mm256_loadu_ps(tiles->offset + j)), _mm256_set1_ps(tiles->up));
}

AVX2_INLINE void turn_eight(const struct cot_tiles *tiles, const float *const *rows, size_t j, float *columns)
{
    __m256 fours[LANES]; /* [u]: column u of rows 0..3, then column u + 4; [4 + u]: of rows 4..7 */
#pragma GCC unroll 2
    for (int i = 0; i < LANES; i += 4) {
        __m256 a = load_inward(tiles, rows[i], j);
        __m256 b = load_inward(tiles, rows[i + 1], j);
        __m256 c = load_inward(tiles, rows[i + 2], j);
        __m256 e = load_inward(tiles, rows[i + 3], j);
        __m256 ab_low = _mm256_unpacklo_ps(a, b);
        __m256 ab_high = _mm256_unpackhi_ps(a, b);
        __m256 ce_low = _mm256_unpacklo_ps(c, e);
        __m256 ce_high = _mm256_unpackhi_ps(c, e);
        fours[i] = _mm256_shuffle_ps(ab_low, ce_low, 0x44);
        fours[i + 1] = _mm256_shuffle_ps(ab_low, ce_low, 0xee);
        fours[i + 2] = _mm256_shuffle_ps(ab_high, ce_high, 0x44);
        fours[i + 3] = _mm256_shuffle_ps(ab_high, ce_high, 0xee);
    }
#pragma GCC unroll 4
    for (int u = 0; u < 4; u++) {
        _mm256_store_ps(columns + u * COT_TILE, _mm256_permute2f128_ps(fours[u], fours[4 + u], 0x20));
        _mm256_store_ps(columns + (u + 4) * COT_TILE, _mm256_permute2f128_ps(fours[u], fours[4 + u], 0x31));
    }
}

AVX2 void cot_tile_turn_avx2(const struct cot_tiles *tiles, const float *const *rows, float *tile)
{
    size_t j = 0;
    for (; j + LANES <= tiles->d; j += LANES) {
        turn_eight(tiles, rows, j, tile + j * COT_TILE);
        turn_eight(tiles, rows + LANES, j, tile + j * COT_TILE + LANES);
    }
    for (; j < tiles->d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            tile[j * COT_TILE + lane] = (rows[lane][j] * tiles->down - tiles->offset[j]) * tiles->up;
}

#endif
