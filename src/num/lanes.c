#include "num/lanes.h"

#include <float.h>
#include <math.h>

/* Branches would be as hard to foresee as the points. */
static size_t open_scalar(const float *slack, const uint32_t *labels, const float *loss, size_t k, size_t n,
                          uint32_t base, uint32_t *ret_open)
{
    size_t n_open = 0;
    (void)k;
    for (size_t i = 0; i < n; i++) {
        ret_open[n_open] = base + (uint32_t)i;
        n_open += !(slack[i] > loss[labels[i]]);
    }
    return n_open;
}

/*
 * |x|^2 is rounded, so it may be off by FLT_EPSILON of itself; the sums and roots of float32 by a few more, or by
 * FLT_MIN where they underflow. NaN, from centres beyond float32, is doubtful.
 */
static uint32_t bound_scalar(struct cot_nearest *nearest, const float *norm2, float error)
{
    const float rounding = 8 * FLT_EPSILON;
    uint32_t doubtful = 0;
    for (uint32_t lane = 0; lane < COT_TILE; lane++) {
        float best = nearest->best[lane];
        float second = nearest->second[lane];
        float margin = rounding * norm2[lane] + FLT_MIN;
        float high = norm2[lane] + margin + 2 * (best + error);
        float low = norm2[lane] - margin + 2 * (second - error);
        high = high > 0 ? high : 0;
        low = low > 0 ? low : 0;
        doubtful |= (second - best > 2 * error ? 0U : 1U) << lane;
        nearest->best[lane] = sqrtf(high) * (1 + rounding);
        nearest->second[lane] = sqrtf(low) * (1 - rounding);
    }
    return doubtful;
}

/* Float32 rounds the sum by FLT_EPSILON at most, and a loss is rounded up by as much. */
static uint32_t take_scalar(const struct cot_nearest *nearest, const float *loss, size_t k, const uint32_t *labels,
                            float *ret_slack)
{
    uint32_t changed = 0;
    (void)k;
    for (uint32_t lane = 0; lane < COT_TILE; lane++) {
        float lost = loss[nearest->index[lane]];
        float gap = nearest->second[lane] - nearest->best[lane];
        ret_slack[lane] = (gap + lost) * (1 - 2 * FLT_EPSILON) - 2 * FLT_EPSILON * lost;
        changed |= (nearest->index[lane] != labels[lane] ? 1U : 0U) << lane;
    }
    return changed;
}

const struct cot_lanes cot_lanes_scalar = {open_scalar, bound_scalar, take_scalar};

const struct cot_lanes *cot_lanes_for(enum cot_isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case COT_ISA_AVX2: return &cot_lanes_avx2;
    case COT_ISA_AVX512:
    case COT_ISA_AMX: return &cot_lanes_avx512;
#endif
    default: return &cot_lanes_scalar;
    }
}
