/* AVX2 and FMA: a tile (two vectors) against four centres at once, eight sums in flight. */
#include "num/nearest_kernels.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2,fma")))

enum { HALVES = 2, LANES = 8 };

struct running {
    __m256 best[HALVES];
    __m256 second[HALVES];
    __m256i index[HALVES];
};

AVX2_INLINE void take(struct running *r, int half, __m256 score, int32_t index)
{
    __m256 smaller = _mm256_cmp_ps(score, r->best[half], _CMP_LT_OQ);
    r->second[half] = _mm256_min_ps(r->second[half], _mm256_max_ps(r->best[half], score));
    r->best[half] = _mm256_min_ps(r->best[half], score);
    r->index[half] = _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(r->index[half]), _mm256_castsi256_ps(_mm256_set1_epi32(index)), smaller));
}

struct scores {
    __m256 low[COT_CENTRE_GROUP];
    __m256 high[COT_CENTRE_GROUP];
};

/* s -= x . c over columns [begin, end). */
AVX2_INLINE void chain(struct scores *s, const float *tile, const float *group, size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j++) {
        __m256 x0 = _mm256_load_ps(tile + j * COT_TILE);
        __m256 x1 = _mm256_load_ps(tile + j * COT_TILE + LANES);
#pragma GCC unroll 4
        for (int u = 0; u < COT_CENTRE_GROUP; u++) {
            __m256 c = _mm256_broadcast_ss(group + j * COT_CENTRE_GROUP + u);
            s->low[u] = _mm256_fnmadd_ps(x0, c, s->low[u]);
            s->high[u] = _mm256_fnmadd_ps(x1, c, s->high[u]);
        }
    }
}

AVX2_INLINE void take_group(struct running *r, const float *tile, size_t d, const float *group, const float *half_norm,
                            int32_t index)
{
    struct scores s;
    size_t first = d < COT_CHAIN ? d : COT_CHAIN;
#pragma GCC unroll 4
    for (int u = 0; u < COT_CENTRE_GROUP; u++)
        s.low[u] = s.high[u] = _mm256_set1_ps(half_norm[u]);
    chain(&s, tile, group, 0, first);
    for (size_t begin = first; begin < d; begin += COT_CHAIN) {
        struct scores more;
#pragma GCC unroll 4
        for (int u = 0; u < COT_CENTRE_GROUP; u++)
            more.low[u] = more.high[u] = _mm256_setzero_ps();
        chain(&more, tile, group, begin, d - begin < COT_CHAIN ? d : begin + COT_CHAIN);
#pragma GCC unroll 4
        for (int u = 0; u < COT_CENTRE_GROUP; u++) {
            s.low[u] = _mm256_add_ps(s.low[u], more.low[u]);
            s.high[u] = _mm256_add_ps(s.high[u], more.high[u]);
        }
    }
#pragma GCC unroll 4
    for (int u = 0; u < COT_CENTRE_GROUP; u++) {
        take(r, 0, s.low[u], index + u);
        take(r, 1, s.high[u], index + u);
    }
}

AVX2 void cot_nearest_avx2(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                           struct cot_nearest *ret_nearest)
{
    size_t d = centres->d;
    for (size_t t = 0; t < n_tiles; t++) {
        struct running r;
        r.best[0] = r.best[1] = r.second[0] = r.second[1] = _mm256_set1_ps(FLT_MAX);
        r.index[0] = r.index[1] = _mm256_setzero_si256();
        for (size_t g = 0; g < centres->n_groups; g++)
            take_group(&r, tiles[t].data, d, centres->packed + g * d * COT_CENTRE_GROUP,
                       centres->half_norm + g * COT_CENTRE_GROUP, (int32_t)(g * COT_CENTRE_GROUP));
        for (int half = 0; half < HALVES; half++) {
            _mm256_storeu_ps(ret_nearest[t].best + half * LANES, r.best[half]);
            _mm256_storeu_ps(ret_nearest[t].second + half * LANES, r.second[half]);
            _mm256_storeu_si256((__m256i *)(void *)(ret_nearest[t].index + half * LANES), r.index[half]);
        }
    }
}

#endif
