/* One body, compiled for the base instruction set and for AVX2. */
#include <string.h>

#include "num/tiles.h"

#define INLINE static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(32)));

enum { LANES = 8, UNROLL = 4 };

/* Up to four points at once share the loads of the tile. */
INLINE void distances2_of(const float *tile, size_t d, const float *points, size_t m, float *ret_d2)
{
    lanes low[UNROLL] = {{0}};
    lanes high[UNROLL] = {{0}};
    for (size_t j = 0; j < d; j++) {
        const lanes *x = (const lanes *)(const void *)(tile + j * COT_TILE);
        for (size_t u = 0; u < m; u++) {
            lanes a = x[0] - points[u * d + j];
            lanes b = x[1] - points[u * d + j];
            low[u] += a * a;
            high[u] += b * b;
        }
    }
    for (size_t u = 0; u < m; u++) {
        memcpy(ret_d2 + u * COT_TILE, &low[u], sizeof low[u]);
        memcpy(ret_d2 + u * COT_TILE + LANES, &high[u], sizeof high[u]);
    }
}

INLINE void distances2_body(const float *tile, size_t d, const float *points, size_t m, float *ret_d2)
{
    size_t u = 0;
    for (; u + UNROLL <= m; u += UNROLL)
        distances2_of(tile, d, points + u * d, UNROLL, ret_d2 + u * COT_TILE);
    for (; u < m; u++)
        distances2_of(tile, d, points + u * d, 1, ret_d2 + u * COT_TILE);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void distances2_avx2(const float *tile, size_t d, const float *points, size_t m,
                                                            float *ret_d2)
{
    distances2_body(tile, d, points, m, ret_d2);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define distances2_avx2 distances2_body
#define HAVE_AVX2() 0
#endif

void cot_tile_distances2(const float *tile, size_t d, const float *points, size_t m, float *ret_d2)
{
    if (HAVE_AVX2())
        distances2_avx2(tile, d, points, m, ret_d2);
    else
        distances2_body(tile, d, points, m, ret_d2);
}
