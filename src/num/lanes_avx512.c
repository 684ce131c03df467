/* A tile's 16 lanes in one vector; operation for operation what lanes.c does, so the same bytes. */
#include "num/lanes.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,popcnt")))
#define AVX512_INLINE static inline __attribute__((always_inline, target("avx512f,popcnt")))

/* The losses of all centres, as far as two registers hold them; a gather costs more than all the rest. */
struct table {
    __m512 low, high;
    const float *loss;
    size_t k;
};

AVX512_INLINE struct table table_of(const float *loss, size_t k)
{
    struct table table = {_mm512_loadu_ps(loss), _mm512_loadu_ps(loss + COT_TILE), loss, k};
    return table;
}

AVX512_INLINE __m512 look_up(const struct table *table, __m512i index)
{
    if (table->k <= COT_LANES_TABLE)
        return _mm512_permutex2var_ps(table->low, index, table->high);
    return _mm512_i32gather_ps(index, table->loss, 4);
}

/* Presses the numbers of open lanes together, in the register: to memory it would take longer than the rest. */
AVX512_INLINE size_t note(__mmask16 open, __m512i number, uint32_t *ret_open)
{
    _mm512_storeu_si512(ret_open, _mm512_maskz_compress_epi32(open, number));
    return (size_t)__builtin_popcount(open);
}

AVX512 static size_t open_avx512(const float *slack, const uint32_t *labels, const float *loss, size_t k, size_t n,
                                 uint32_t base, uint32_t *ret_open)
{
    const __m512i step = _mm512_set1_epi32(COT_TILE);
    struct table table = table_of(loss, k);
    __m512i number = _mm512_add_epi32(_mm512_set1_epi32((int32_t)base),
                                      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    size_t n_open = 0;
    size_t i = 0;
    for (; i + COT_TILE <= n; i += COT_TILE) { /* without masks: masked loads wait for memory */
        __m512 lost = look_up(&table, _mm512_loadu_si512(labels + i));
        __mmask16 closed = _mm512_cmp_ps_mask(_mm512_loadu_ps(slack + i), lost, _CMP_GT_OQ);
        n_open += note((__mmask16)~closed, number, ret_open + n_open);
        number = _mm512_add_epi32(number, step);
    }
    if (i < n) {
        __mmask16 there = (__mmask16)((1U << (n - i)) - 1);
        __m512 lost = look_up(&table, _mm512_maskz_loadu_epi32(there, labels + i));
        __mmask16 closed = _mm512_cmp_ps_mask(_mm512_maskz_loadu_ps(there, slack + i), lost, _CMP_GT_OQ);
        n_open += note((__mmask16)(there & ~closed), number, ret_open + n_open);
    }
    return n_open;
}

AVX512 static uint32_t bound_avx512(struct cot_nearest *nearest, const float *norm2, float error)
{
    const __m512 rounding = _mm512_set1_ps(8 * FLT_EPSILON);
    const __m512 errors = _mm512_set1_ps(error);
    const __m512 two = _mm512_set1_ps(2);
    const __m512 zero = _mm512_setzero_ps();
    __m512 best = _mm512_loadu_ps(nearest->best);
    __m512 second = _mm512_loadu_ps(nearest->second);
    __m512 norm = _mm512_loadu_ps(norm2);
    __m512 margin = _mm512_add_ps(_mm512_mul_ps(rounding, norm), _mm512_set1_ps(FLT_MIN));
    __m512 high = _mm512_add_ps(_mm512_add_ps(norm, margin), _mm512_mul_ps(two, _mm512_add_ps(best, errors)));
    __m512 low = _mm512_add_ps(_mm512_sub_ps(norm, margin), _mm512_mul_ps(two, _mm512_sub_ps(second, errors)));
    high = _mm512_max_ps(high, zero); /* the second operand where the first is NaN */
    low = _mm512_max_ps(low, zero);
    __mmask16 decided = _mm512_cmp_ps_mask(_mm512_sub_ps(second, best), _mm512_set1_ps(2 * error), _CMP_GT_OQ);
    _mm512_storeu_ps(nearest->best, _mm512_mul_ps(_mm512_sqrt_ps(high), _mm512_set1_ps(1 + 8 * FLT_EPSILON)));
    _mm512_storeu_ps(nearest->second, _mm512_mul_ps(_mm512_sqrt_ps(low), _mm512_set1_ps(1 - 8 * FLT_EPSILON)));
    return (uint16_t)~decided;
}

AVX512 static uint32_t take_avx512(const struct cot_nearest *nearest, const float *loss, size_t k,
                                   const uint32_t *labels, float *ret_slack)
{
    struct table table = table_of(loss, k);
    __m512i index = _mm512_loadu_si512(nearest->index);
    __m512 lost = look_up(&table, index);
    __m512 gap = _mm512_sub_ps(_mm512_loadu_ps(nearest->second), _mm512_loadu_ps(nearest->best));
    __m512 slack = _mm512_mul_ps(_mm512_add_ps(gap, lost), _mm512_set1_ps(1 - 2 * FLT_EPSILON));
    slack = _mm512_sub_ps(slack, _mm512_mul_ps(_mm512_set1_ps(2 * FLT_EPSILON), lost));
    _mm512_storeu_ps(ret_slack, slack);
    return _mm512_cmpneq_epi32_mask(index, _mm512_loadu_si512(labels));
}

const struct cot_lanes cot_lanes_avx512 = {open_avx512, bound_avx512, take_avx512};

#endif
