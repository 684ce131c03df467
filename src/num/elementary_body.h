/*
 * The routines of elementary.h for one instruction set, included by elementary.c once for each: WIDE_NAME, its
 * WIDE_TARGET attribute and WIDE_N float64 in a vector. No include guard: that is the point.
 */
#define WIDE_INLINE static inline __attribute__((always_inline)) WIDE_TARGET

typedef double WIDE(doubles) __attribute__((vector_size(WIDE_N * 8)));
typedef uint64_t WIDE(bits) __attribute__((vector_size(WIDE_N * 8)));

WIDE_INLINE WIDE(doubles) WIDE(chosen)(WIDE(bits) mask, WIDE(doubles) yes, WIDE(doubles) no)
{
    return (WIDE(doubles))((mask & (WIDE(bits))yes) | (~mask & (WIDE(bits))no));
}

WIDE_INLINE WIDE(doubles) WIDE(log_of)(WIDE(doubles) x)
{
    WIDE(doubles) zero = {0};
    WIDE(bits) usable = (WIDE(bits))(x >= DBL_MIN) & (WIDE(bits))(x <= DBL_MAX);
    WIDE(bits) moved = (WIDE(bits))x + (ONE_BITS - ROOT_HALF_BITS); /* the exponent changes at sqrt(1/2) 2^n */
    WIDE(doubles) exponent = (WIDE(doubles))((moved >> MANTISSA_BITS) | INTEGER_BITS) - (INTEGER + EXPONENT_BIAS);
    WIDE(doubles) f = (WIDE(doubles))((moved & MANTISSA_MASK) + ROOT_HALF_BITS) - 1;
    WIDE(doubles) s = f / (2 + f);
    WIDE(doubles) z = s * s;
    WIDE(doubles) series = zero + LOG_7;
    series = LOG_6 + z * series;
    series = LOG_5 + z * series;
    series = LOG_4 + z * series;
    series = LOG_3 + z * series;
    series = LOG_2 + z * series;
    series = z * (LOG_1 + z * series);
    WIDE(doubles) half_square = 0.5 * f * f;
    WIDE(doubles)
    result = exponent * LN2_HIGH - ((half_square - (s * (half_square + series) + exponent * LN2_LOW)) - f);
    return WIDE(chosen)(usable, result, zero + (double)NAN);
}

WIDE_INLINE WIDE(doubles) WIDE(exp_of)(WIDE(doubles) x)
{
    WIDE(doubles) zero = {0};
    WIDE(doubles) rounded = x * (1 / LN2) + ROUNDER; /* the low bits are the nearest whole number */
    WIDE(doubles) exponent = rounded - ROUNDER;
    WIDE(doubles) high = x - exponent * LN2_HIGH;
    WIDE(doubles) low = exponent * LN2_LOW;
    WIDE(doubles) r = high - low;
    WIDE(doubles) z = r * r;
    WIDE(doubles) c = r - z * (EXP_1 + z * (EXP_2 + z * (EXP_3 + z * (EXP_4 + z * EXP_5))));
    WIDE(doubles) power = (WIDE(doubles))(((WIDE(bits))rounded << MANTISSA_BITS) + ONE_BITS);
    WIDE(doubles) result = (1 - ((low - r * c / (2 - c)) - high)) * power;
    result = WIDE(chosen)((WIDE(bits))(x < LEAST_EXPONENT), zero, result);
    result = WIDE(chosen)((WIDE(bits))(x > GREATEST_EXPONENT), zero + (double)INFINITY, result);
    return WIDE(chosen)((WIDE(bits))(x == x), result, x);
}

/* A function of all numbers; those that fill no vector are computed in one of their own. */
#define WIDE_MANY(FUNCTION, FUNCTION_OF)                                                                               \
    WIDE_TARGET static void FUNCTION(size_t n, const double *x, double *result)                                        \
    {                                                                                                                  \
        WIDE(doubles) wide;                                                                                            \
        size_t i = 0;                                                                                                  \
        for (; i + WIDE_N <= n; i += WIDE_N) {                                                                         \
            memcpy(&wide, x + i, sizeof wide);                                                                         \
            wide = FUNCTION_OF(wide);                                                                                  \
            memcpy(result + i, &wide, sizeof wide);                                                                    \
        }                                                                                                              \
        if (i == n)                                                                                                    \
            return;                                                                                                    \
        wide = (WIDE(doubles)){0};                                                                                     \
        memcpy(&wide, x + i, (n - i) * sizeof *x);                                                                     \
        wide = FUNCTION_OF(wide);                                                                                      \
        memcpy(result + i, &wide, (n - i) * sizeof *x);                                                                \
    }

WIDE_MANY(WIDE(log), WIDE(log_of))
WIDE_MANY(WIDE(exp), WIDE(exp_of))

static const struct cot_elementary WIDE(elementary) = {WIDE(log), WIDE(exp)};

#undef WIDE_INLINE
#undef WIDE_MANY
#undef WIDE_NAME
#undef WIDE_TARGET
#undef WIDE_N
