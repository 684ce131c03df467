/*
 * After Sun's fdlibm (e_log.c, e_exp.c; https://www.netlib.org/fdlibm), without its branches. A number is 2^k (1 + f),
 * sqrt(1/2) <= 1 + f < sqrt(2), whose logarithm is a series in f / (2 + f); a power of e is 2^k e^r, |r| <= ln(2) / 2.
 * LN2_HIGH ends in zeros, so that its products with k are exact.
 */
#include "num/elementary.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023 };

#define ONE_BITS UINT64_C(0x3ff0000000000000)
#define ROOT_HALF_BITS UINT64_C(0x3fe6a09e667f3bcd)
#define MANTISSA_MASK UINT64_C(0x000fffffffffffff)

/* 2^52, whose low bits are a whole number's; and the number that rounds others to whole ones when it is added. */
#define INTEGER_BITS UINT64_C(0x4330000000000000)
#define INTEGER 0x1p52
#define ROUNDER 0x1.8p52

#define LEAST_EXPONENT (-708.0)
#define GREATEST_EXPONENT 709.0

#define LN2 0.693147180559945309417
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10

#define LOG_1 6.666666666666735130e-01
#define LOG_2 3.999999999940941908e-01
#define LOG_3 2.857142874366239149e-01
#define LOG_4 2.222219843214978396e-01
#define LOG_5 1.818357216161805012e-01
#define LOG_6 1.531383769920937332e-01
#define LOG_7 1.479819860511658591e-01

#define EXP_1 1.66666666666666019037e-01
#define EXP_2 (-2.77777777770155933842e-03)
#define EXP_3 6.61375632143793436117e-05
#define EXP_4 (-1.65339022054652515390e-06)
#define EXP_5 4.13813679705723846039e-08

#define WIDE_JOIN(NAME, SET) NAME##_##SET
#define WIDE_JOIN_EXPANDED(NAME, SET) WIDE_JOIN(NAME, SET)
#define WIDE(NAME) WIDE_JOIN_EXPANDED(NAME, WIDE_NAME)

#define WIDE_NAME scalar
#define WIDE_TARGET
#define WIDE_N 2
#include "num/elementary_body.h"

#if defined(__x86_64__)

#define WIDE_NAME avx2
#define WIDE_TARGET __attribute__((target("avx2")))
#define WIDE_N 4
#include "num/elementary_body.h"

#define WIDE_NAME avx512
#define WIDE_TARGET __attribute__((target("avx512f")))
#define WIDE_N 8
#include "num/elementary_body.h"

#endif

const struct cot_elementary *cot_elementary_for(enum cot_isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case COT_ISA_AVX2: return &elementary_avx2;
    case COT_ISA_AVX512:
    case COT_ISA_AMX: return &elementary_avx512;
#endif
    default: return &elementary_scalar;
    }
}

const struct cot_elementary *cot_elementary_best(void)
{
    enum cot_isa isa = COT_ISA_AVX512;
    while (!cot_isa_supported(isa))
        isa = (enum cot_isa)(isa - 1);
    return cot_elementary_for(isa);
}
