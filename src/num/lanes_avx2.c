/* A tile's 16 lanes in two vectors; operation for operation what lanes.c does, so the same bytes. */
#include "num/lanes.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi2,popcnt")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2,bmi2,popcnt")))

enum { LANES = 8, HALVES = COT_TILE / LANES };

AVX2_INLINE __m256i load_index(const uint32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

AVX2_INLINE uint32_t mask_of(__m256 lanes)
{
    return (uint32_t)_mm256_movemask_ps(lanes);
}

/* The losses of all centres, as far as two registers hold them; a gather costs more than all the rest. */
struct table {
    __m256 low, high;
    const float *loss;
    size_t k;
};

AVX2_INLINE struct table table_of(const float *loss, size_t k)
{
    struct table table = {_mm256_loadu_ps(loss), _mm256_loadu_ps(loss + LANES), loss, k};
    return table;
}

AVX2_INLINE __m256 look_up(const struct table *table, __m256i index)
{
    if (table->k <= LANES)
        return _mm256_permutevar8x32_ps(table->low, index);
    if (table->k > (size_t)2 * LANES)
        return _mm256_i32gather_ps(table->loss, index, 4);
    __m256 is_high = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)); /* bit 3 becomes the sign */
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(table->low, index), _mm256_permutevar8x32_ps(table->high, index),
                            is_high);
}

/* A bit a lane: not slack > loss[label]. */
AVX2_INLINE uint32_t open_lanes(const float *slack, const uint32_t *labels, const struct table *table)
{
    __m256 lost = look_up(table, load_index(labels));
    return ~mask_of(_mm256_cmp_ps(_mm256_loadu_ps(slack), lost, _CMP_GT_OQ)) & 0xff;
}

/* The numbers of the set bits, pressed together: each bit becomes a byte that picks its number out of 0..7. */
AVX2_INLINE size_t note(uint32_t open, uint32_t base, uint32_t *ret_open)
{
    uint64_t bytes = _pdep_u64(open, 0x0101010101010101ULL) * 0xff;
    __m128i numbers = _mm_cvtsi64_si128((long long)_pext_u64(0x0706050403020100ULL, bytes));
    __m256i pressed = _mm256_add_epi32(_mm256_cvtepu8_epi32(numbers), _mm256_set1_epi32((int32_t)base));
    _mm256_storeu_si256((__m256i *)(void *)ret_open, pressed);
    return (size_t)__builtin_popcount(open);
}

AVX2 static size_t open_avx2(const float *slack, const uint32_t *labels, const float *loss, size_t k, size_t n,
                             uint32_t base, uint32_t *ret_open)
{
    struct table table = table_of(loss, k);
    size_t n_open = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        n_open += note(open_lanes(slack + i, labels + i, &table), base + (uint32_t)i, ret_open + n_open);
    for (; i < n; i++) {
        ret_open[n_open] = base + (uint32_t)i;
        n_open += !(slack[i] > loss[labels[i]]);
    }
    return n_open;
}

AVX2_INLINE uint32_t bound_half(float *best_at, float *second_at, const float *norm2, float error)
{
    const __m256 rounding = _mm256_set1_ps(8 * FLT_EPSILON);
    const __m256 errors = _mm256_set1_ps(error);
    const __m256 two = _mm256_set1_ps(2);
    const __m256 zero = _mm256_setzero_ps();
    __m256 best = _mm256_loadu_ps(best_at);
    __m256 second = _mm256_loadu_ps(second_at);
    __m256 norm = _mm256_loadu_ps(norm2);
    __m256 margin = _mm256_add_ps(_mm256_mul_ps(rounding, norm), _mm256_set1_ps(FLT_MIN));
    __m256 high = _mm256_add_ps(_mm256_add_ps(norm, margin), _mm256_mul_ps(two, _mm256_add_ps(best, errors)));
    __m256 low = _mm256_add_ps(_mm256_sub_ps(norm, margin), _mm256_mul_ps(two, _mm256_sub_ps(second, errors)));
    high = _mm256_max_ps(high, zero); /* the second operand where the first is NaN */
    low = _mm256_max_ps(low, zero);
    _mm256_storeu_ps(best_at, _mm256_mul_ps(_mm256_sqrt_ps(high), _mm256_set1_ps(1 + 8 * FLT_EPSILON)));
    _mm256_storeu_ps(second_at, _mm256_mul_ps(_mm256_sqrt_ps(low), _mm256_set1_ps(1 - 8 * FLT_EPSILON)));
    return ~mask_of(_mm256_cmp_ps(_mm256_sub_ps(second, best), _mm256_set1_ps(2 * error), _CMP_GT_OQ)) & 0xff;
}

AVX2 static uint32_t bound_avx2(struct cot_nearest *nearest, const float *norm2, float error)
{
    return bound_half(nearest->best, nearest->second, norm2, error) |
           bound_half(nearest->best + LANES, nearest->second + LANES, norm2 + LANES, error) << LANES;
}

AVX2 static uint32_t take_avx2(const struct cot_nearest *nearest, const float *loss, size_t k, const uint32_t *labels,
                               float *ret_slack)
{
    struct table table = table_of(loss, k);
    uint32_t same = 0;
    for (size_t half = 0; half < HALVES; half++) {
        size_t first = half * LANES;
        __m256i index = load_index(nearest->index + first);
        __m256 lost = look_up(&table, index);
        __m256 gap = _mm256_sub_ps(_mm256_loadu_ps(nearest->second + first), _mm256_loadu_ps(nearest->best + first));
        __m256 slack = _mm256_mul_ps(_mm256_add_ps(gap, lost), _mm256_set1_ps(1 - 2 * FLT_EPSILON));
        slack = _mm256_sub_ps(slack, _mm256_mul_ps(_mm256_set1_ps(2 * FLT_EPSILON), lost));
        _mm256_storeu_ps(ret_slack + first, slack);
        same |= mask_of(_mm256_castsi256_ps(_mm256_cmpeq_epi32(index, load_index(labels + first)))) << first;
    }
    return ~same & UINT16_MAX;
}

const struct cot_lanes cot_lanes_avx2 = {open_avx2, bound_avx2, take_avx2};

#endif
