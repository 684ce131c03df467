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

/*
 * Scores of a group over one chain of columns on top of those before it (in `buffer`, where begin > 0); kept there for
 * the next chain, or taken where it was the last.
 */
AVX2_INLINE void advance_group(struct running *r, const struct cot_centres *centres, const float *tile, size_t group,
                               size_t begin, struct scores *buffer)
{
    size_t d = centres->d;
    size_t end = d - begin < COT_CHAIN ? d : begin + COT_CHAIN;
    const float *half_norm = centres->half_norm + group * COT_CENTRE_GROUP;
    struct scores s;
#pragma GCC unroll 4
    for (int u = 0; u < COT_CENTRE_GROUP; u++)
        s.low[u] = s.high[u] = begin == 0 ? _mm256_set1_ps(half_norm[u]) : _mm256_setzero_ps();
    chain(&s, tile, centres->packed + group * d * COT_CENTRE_GROUP, begin, end);
#pragma GCC unroll 4
    for (int u = 0; u < COT_CENTRE_GROUP && begin > 0; u++) {
        s.low[u] = _mm256_add_ps(buffer->low[u], s.low[u]);
        s.high[u] = _mm256_add_ps(buffer->high[u], s.high[u]);
    }
    if (end < d) {
        *buffer = s;
        return;
    }
#pragma GCC unroll 4
    for (int u = 0; u < COT_CENTRE_GROUP; u++) {
        take(r, 0, s.low[u], (int32_t)(group * COT_CENTRE_GROUP) + u);
        take(r, 1, s.high[u], (int32_t)(group * COT_CENTRE_GROUP) + u);
    }
}

/* Groups of centres that a chain's columns of a tile, which fill a quarter of a usual first-level cache, meet at once.
 */
enum { PANEL = 16 };

AVX2 void cot_nearest_avx2(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                           struct cot_nearest *ret_nearest)
{
    struct scores buffer[PANEL];
    for (size_t t = 0; t < n_tiles; t++) {
        struct running r;
        r.best[0] = r.best[1] = r.second[0] = r.second[1] = _mm256_set1_ps(FLT_MAX);
        r.index[0] = r.index[1] = _mm256_setzero_si256();
        for (size_t first = 0; first < centres->n_groups; first += PANEL) {
            size_t n = centres->n_groups - first < PANEL ? centres->n_groups - first : PANEL;
            for (size_t begin = 0; begin < centres->d; begin += COT_CHAIN)
                for (size_t g = 0; g < n; g++)
                    advance_group(&r, centres, tiles[t].data, first + g, begin, buffer + g);
        }
        for (int half = 0; half < HALVES; half++) {
            _mm256_storeu_ps(ret_nearest[t].best + half * LANES, r.best[half]);
            _mm256_storeu_ps(ret_nearest[t].second + half * LANES, r.second[half]);
            _mm256_storeu_si256((__m256i *)(void *)(ret_nearest[t].index + half * LANES), r.index[half]);
        }
    }
}

#endif
