/* AVX-512: two tiles (a vector each) against eight centres at once, sixteen sums in flight. */
#include "num/nearest_kernels.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE static inline __attribute__((always_inline, target("avx512f")))

enum { PAIR = 2 };

struct running {
    __m512 best[PAIR];
    __m512 second[PAIR];
    __m512i index[PAIR];
};

AVX512_INLINE void take(struct running *r, int which, __m512 score, int32_t index)
{
    __mmask16 smaller = _mm512_cmp_ps_mask(score, r->best[which], _CMP_LT_OQ);
    r->second[which] = _mm512_min_ps(r->second[which], _mm512_max_ps(r->best[which], score));
    r->best[which] = _mm512_min_ps(r->best[which], score);
    r->index[which] = _mm512_mask_set1_epi32(r->index[which], smaller, index);
}

/* Of one or two groups of centres. */
enum { GROUPS = 2, SCORES = GROUPS * COT_CENTRE_GROUP };

struct scores {
    __m512 first[SCORES];
    __m512 other[SCORES];
};

/* s -= x . c over columns [begin, end). */
AVX512_INLINE void chain(struct scores *s, const float *const pair[PAIR], const float *group, size_t n_groups, size_t d,
                         size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j++) {
        __m512 x0 = _mm512_load_ps(pair[0] + j * COT_TILE);
        __m512 x1 = _mm512_load_ps(pair[1] + j * COT_TILE);
#pragma GCC unroll 8
        for (size_t u = 0; u < n_groups * COT_CENTRE_GROUP; u++) {
            const float *column = group + (u / COT_CENTRE_GROUP * d + j) * COT_CENTRE_GROUP;
            __m512 c = _mm512_set1_ps(column[u % COT_CENTRE_GROUP]);
            s->first[u] = _mm512_fnmadd_ps(x0, c, s->first[u]);
            s->other[u] = _mm512_fnmadd_ps(x1, c, s->other[u]);
        }
    }
}

/* As in nearest_avx2.c; n_groups is a constant where this is inlined. */
AVX512_INLINE void advance_groups(struct running *r, const struct cot_centres *centres, const float *const pair[PAIR],
                                  size_t group, size_t n_groups, size_t begin, struct scores *buffer)
{
    size_t d = centres->d;
    size_t end = d - begin < COT_CHAIN ? d : begin + COT_CHAIN;
    size_t n = n_groups * COT_CENTRE_GROUP;
    const float *half_norm = centres->half_norm + group * COT_CENTRE_GROUP;
    struct scores s;
#pragma GCC unroll 8
    for (size_t u = 0; u < n; u++)
        s.first[u] = s.other[u] = begin == 0 ? _mm512_set1_ps(half_norm[u]) : _mm512_setzero_ps();
    chain(&s, pair, centres->packed + group * d * COT_CENTRE_GROUP, n_groups, d, begin, end);
#pragma GCC unroll 8
    for (size_t u = 0; u < n && begin > 0; u++) {
        s.first[u] = _mm512_add_ps(buffer->first[u], s.first[u]);
        s.other[u] = _mm512_add_ps(buffer->other[u], s.other[u]);
    }
    if (end < d) {
#pragma GCC unroll 8
        for (size_t u = 0; u < n; u++) {
            buffer->first[u] = s.first[u];
            buffer->other[u] = s.other[u];
        }
        return;
    }
#pragma GCC unroll 8
    for (size_t u = 0; u < n; u++) {
        take(r, 0, s.first[u], (int32_t)(group * COT_CENTRE_GROUP + u));
        take(r, 1, s.other[u], (int32_t)(group * COT_CENTRE_GROUP + u));
    }
}

/* Groups that a chain's columns of a pair of tiles meet at once. */
enum { PANEL = 16 };

AVX512 void cot_nearest_avx512(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                               struct cot_nearest *ret_nearest)
{
    struct scores buffer[PANEL / GROUPS];
    for (size_t t = 0; t < n_tiles; t += PAIR) {
        size_t n_both = n_tiles - t < PAIR ? 1 : PAIR;
        const float *pair[PAIR] = {tiles[t].data, tiles[t + n_both - 1].data}; /* an odd last one is its own partner */
        struct running r;
        r.best[0] = r.best[1] = r.second[0] = r.second[1] = _mm512_set1_ps(FLT_MAX);
        r.index[0] = r.index[1] = _mm512_setzero_si512();
        for (size_t first = 0; first < centres->n_groups; first += PANEL) {
            size_t n = centres->n_groups - first < PANEL ? centres->n_groups - first : PANEL;
            for (size_t begin = 0; begin < centres->d; begin += COT_CHAIN)
                for (size_t g = 0; g < n; g += GROUPS)
                    if (n - g >= GROUPS)
                        advance_groups(&r, centres, pair, first + g, GROUPS, begin, buffer + g / GROUPS);
                    else
                        advance_groups(&r, centres, pair, first + g, 1, begin, buffer + g / GROUPS);
        }
        for (size_t i = 0; i < n_both; i++) {
            _mm512_storeu_ps(ret_nearest[t + i].best, r.best[i]);
            _mm512_storeu_ps(ret_nearest[t + i].second, r.second[i]);
            _mm512_storeu_si512(ret_nearest[t + i].index, r.index[i]);
        }
    }
}

/* ---- one point against 16 centres a vector ---- */

enum { WIDE = 8 };

/* Scores of n blocks of 16 centres, WIDE at most; n is a constant where it matters. Chains as above. */
AVX512_INLINE void wide_scores(const struct cot_centres *centres, const float *tile, size_t lane, size_t block,
                               size_t n, __m512 ret[WIDE])
{
    size_t d = centres->d;
    const float *wide = centres->wide + block * d * COT_TILE;
    for (size_t begin = 0; begin < d; begin += COT_CHAIN) {
        size_t end = d - begin < COT_CHAIN ? d : begin + COT_CHAIN;
        __m512 sums[WIDE];
#pragma GCC unroll 8
        for (size_t u = 0; u < n; u++)
            sums[u] = begin == 0 ? _mm512_loadu_ps(centres->half_norm + (block + u) * COT_TILE) : _mm512_setzero_ps();
        for (size_t j = begin; j < end; j++) {
            __m512 x = _mm512_set1_ps(tile[j * COT_TILE + lane]);
#pragma GCC unroll 8
            for (size_t u = 0; u < n; u++)
                sums[u] = _mm512_fnmadd_ps(x, _mm512_load_ps(wide + (u * d + j) * COT_TILE), sums[u]);
        }
#pragma GCC unroll 8
        for (size_t u = 0; u < n; u++)
            ret[u] = begin == 0 ? sums[u] : _mm512_add_ps(ret[u], sums[u]);
    }
}

AVX512 void cot_nearest_lane_avx512(const struct cot_centres *centres, const float *tile, size_t lane,
                                    struct cot_nearest *ret_nearest)
{
    size_t n_blocks = (centres->k + COT_TILE - 1) / COT_TILE;
    struct cot_nearest each; /* of the centres c with c % 16 = lane */
    float best = FLT_MAX;
    float second = FLT_MAX;
    uint32_t index = 0;
    struct running r;
    r.best[0] = r.second[0] = _mm512_set1_ps(FLT_MAX);
    r.index[0] = _mm512_setzero_si512();
    for (size_t block = 0; block < n_blocks; block += WIDE) {
        __m512 scores[WIDE];
        size_t n = n_blocks - block < WIDE ? n_blocks - block : WIDE;
        if (n == WIDE)
            wide_scores(centres, tile, lane, block, WIDE, scores);
        else
            for (size_t u = 0; u < n; u++)
                wide_scores(centres, tile, lane, block + u, 1, scores + u);
        for (size_t u = 0; u < n; u++)
            take(&r, 0, scores[u], (int32_t)(block + u));
    }
    _mm512_storeu_ps(each.best, r.best[0]);
    _mm512_storeu_ps(each.second, r.second[0]);
    _mm512_storeu_si512(each.index, r.index[0]);
    for (uint32_t i = 0; i < COT_TILE; i++) {
        if (each.best[i] < best) {
            second = best < each.second[i] ? best : each.second[i];
            best = each.best[i];
            index = each.index[i] * COT_TILE + i;
        } else if (each.best[i] < second) {
            second = each.best[i];
        }
    }
    ret_nearest->best[lane] = best;
    ret_nearest->second[lane] = second;
    ret_nearest->index[lane] = index;
}

#endif
