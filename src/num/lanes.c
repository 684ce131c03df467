#include "num/lanes.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef double four __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))

/* Bits of lanes whose flag is not 0. */
INLINE uint32_t bits_of(const uint32_t flags[COT_TILE])
{
    uint32_t bits = 0;
    for (uint32_t lane = 0; lane < COT_TILE; lane++)
        bits |= flags[lane] & (1U << lane);
    return bits;
}

INLINE void open_body(const float *slack, const uint32_t *labels, const float *loss, size_t n_tiles, uint16_t *ret_open)
{
    for (size_t t = 0; t < n_tiles; t++) {
        uint32_t flags[COT_TILE];
        for (size_t lane = 0; lane < COT_TILE; lane++) {
            size_t i = t * COT_TILE + lane;
            flags[lane] = slack[i] > loss[labels[i]] ? 0 : UINT32_MAX;
        }
        ret_open[t] = (uint16_t)bits_of(flags);
    }
}

/*
 * |x|^2 is rounded, so it may be off by FLT_EPSILON of itself; the sums and roots of float32 by a few more, or by
 * FLT_MIN where they underflow. NaN, from centres beyond float32, is doubtful.
 */
INLINE uint32_t bound_body(struct cot_nearest *nearest, const float *norm2, float error)
{
    const float rounding = 8 * FLT_EPSILON;
    const float gap = 2 * error;
    uint32_t flags[COT_TILE];
    for (size_t lane = 0; lane < COT_TILE; lane++) {
        float best = nearest->best[lane];
        float second = nearest->second[lane];
        float margin = rounding * norm2[lane] + FLT_MIN;
        float high = norm2[lane] + margin + 2 * (best + error);
        float low = norm2[lane] - margin + 2 * (second - error);
        high = high > 0 ? high : 0;
        low = low > 0 ? low : 0;
        flags[lane] = second - best > gap ? 0 : UINT32_MAX;
        nearest->best[lane] = sqrtf(high) * (1 + rounding);
        nearest->second[lane] = sqrtf(low) * (1 - rounding);
    }
    return bits_of(flags);
}

/* Float32 rounds the sum by FLT_EPSILON at most, and a loss is rounded up by as much. */
INLINE float slack_of(float best, float second, float loss)
{
    return (second - best + loss) * (1 - 2 * FLT_EPSILON) - 2 * FLT_EPSILON * loss;
}

INLINE uint32_t take_body(const struct cot_nearest *nearest, const float *loss, const uint32_t *labels, float *slack)
{
    uint32_t flags[COT_TILE];
    float losses[COT_TILE];
    for (size_t lane = 0; lane < COT_TILE; lane++)
        losses[lane] = loss[nearest->index[lane]];
    for (size_t lane = 0; lane < COT_TILE; lane++) {
        slack[lane] = slack_of(nearest->best[lane], nearest->second[lane], losses[lane]);
        flags[lane] = nearest->index[lane] != labels[lane] ? UINT32_MAX : 0;
    }
    return bits_of(flags);
}

/* Four columns at once: a lane's values stand COT_TILE apart, the sums side by side. */
INLINE void move_body(const float *at, size_t d, double weight, double *restrict to, double *restrict from)
{
    size_t j = 0;
    for (; j + 4 <= d; j += 4) {
        const float *x = at + j * COT_TILE;
        four value = {(double)x[0], (double)x[COT_TILE], (double)x[2 * COT_TILE], (double)x[3 * COT_TILE]};
        four sum;
        value *= weight;
        memcpy(&sum, to + j, sizeof sum);
        sum += value;
        memcpy(to + j, &sum, sizeof sum);
        if (from == NULL)
            continue;
        memcpy(&sum, from + j, sizeof sum);
        sum -= value;
        memcpy(from + j, &sum, sizeof sum);
    }
    for (; j < d; j++) {
        double value = weight * (double)at[j * COT_TILE];
        to[j] += value;
        if (from != NULL)
            from[j] -= value;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void move_avx2(const float *at, size_t d, double weight, double *to,
                                                      double *from)
{
    move_body(at, d, weight, to, from);
}
__attribute__((target("avx2"))) static uint32_t take_avx2(const struct cot_nearest *nearest, const float *loss,
                                                          const uint32_t *labels, float *slack)
{
    return take_body(nearest, loss, labels, slack);
}
__attribute__((target("avx2"))) static void open_avx2(const float *slack, const uint32_t *labels, const float *loss,
                                                      size_t n_tiles, uint16_t *ret_open)
{
    open_body(slack, labels, loss, n_tiles, ret_open);
}
__attribute__((target("avx2"))) static uint32_t bound_avx2(struct cot_nearest *nearest, const float *norm2, float error)
{
    return bound_body(nearest, norm2, error);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define open_avx2 open_body
#define move_avx2 move_body
#define take_avx2 take_body
#define bound_avx2 bound_body
#define HAVE_AVX2() 0
#endif

void cot_lanes_open(const float *slack, const uint32_t *labels, const float *loss, size_t n_tiles, uint16_t *ret_open)
{
    if (HAVE_AVX2())
        open_avx2(slack, labels, loss, n_tiles, ret_open);
    else
        open_body(slack, labels, loss, n_tiles, ret_open);
}

uint32_t cot_lanes_bound(struct cot_nearest *nearest, const float *norm2, float error)
{
    return HAVE_AVX2() ? bound_avx2(nearest, norm2, error) : bound_body(nearest, norm2, error);
}

void cot_lane_move(const float *lane, size_t d, double weight, double *to, double *from)
{
    if (HAVE_AVX2())
        move_avx2(lane, d, weight, to, from);
    else
        move_body(lane, d, weight, to, from);
}

uint32_t cot_lanes_take(const struct cot_nearest *nearest, const float *loss, const uint32_t *labels, float *slack)
{
    return HAVE_AVX2() ? take_avx2(nearest, loss, labels, slack) : take_body(nearest, loss, labels, slack);
}

float cot_lane_slack(const struct cot_nearest *nearest, size_t lane, const float *loss)
{
    return slack_of(nearest->best[lane], nearest->second[lane], loss[nearest->index[lane]]);
}
