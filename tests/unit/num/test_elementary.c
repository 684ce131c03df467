#include "num/elementary.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 4099 };

/* Magnitudes of all kinds, many near 1, and the ends of what is normal. */
static void positive_numbers(double *ret_x)
{
    static const double edges[] = {1, DBL_MIN, DBL_MAX,     0.70710678118654752, 0.70710678118654757,
                                   2, 0.5,     1 - 0x1p-53, 1 + 0x1p-52};
    struct cot_rng rng;
    cot_rng_init(&rng, 7);
    for (size_t i = 0; i < N; i++)
        ret_x[i] = i % 2 == 0 ? exp(700 * (2 * cot_rng_uniform(&rng) - 1)) : 0.5 + cot_rng_uniform(&rng);
    memcpy(ret_x, edges, sizeof edges);
}

/* Up to the ends of what is normal, some tiny. */
static void exponents(double *ret_x)
{
    static const double edges[] = {0, -0.0, 1, -1, 708.9, -707.9, 1e-300, -1e-17, 0.34657359027997264};
    struct cot_rng rng;
    cot_rng_init(&rng, 8);
    for (size_t i = 0; i < N; i++)
        ret_x[i] = (i % 2 == 0 ? 1400 : 4) * (cot_rng_uniform(&rng) - 0.5);
    memcpy(ret_x, edges, sizeof edges);
}

/* libm's are within 1 unit themselves. */
static void check_near(const char *what, double x, double value, double right)
{
    if (!(fabs(value - right) <= 1.5 * DBL_EPSILON * fabs(right)))
        fail_msg("%s(%.17g) is %.17g, libm says %.17g", what, x, value, right);
}

static void test_as_libm(void **state)
{
    double x[N];
    double result[N];
    (void)state;
    positive_numbers(x);
    cot_elementary_for(COT_ISA_SCALAR)->log(N, x, result);
    for (size_t i = 0; i < N; i++)
        check_near("log", x[i], result[i], log(x[i]));
    exponents(x);
    cot_elementary_for(COT_ISA_SCALAR)->exp(N, x, result);
    for (size_t i = 0; i < N; i++)
        check_near("exp", x[i], result[i], exp(x[i]));
}

/* Of each instruction set and every number of numbers left over; nothing is written beyond them. */
static void test_same_bytes_with_every_instruction_set(void **state)
{
    double x[2][N];
    double right[2][N];
    double result[N + 1];
    (void)state;
    positive_numbers(x[0]);
    exponents(x[1]);
    cot_elementary_for(COT_ISA_SCALAR)->log(N, x[0], right[0]);
    cot_elementary_for(COT_ISA_SCALAR)->exp(N, x[1], right[1]);
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        const struct cot_elementary *kernels = cot_elementary_for((enum cot_isa)isa);
        if (!cot_isa_supported((enum cot_isa)isa))
            continue;
        for (size_t n = N - 17; n <= N; n++) {
            result[n] = 123;
            kernels->log(n, x[0], result);
            assert_memory_equal(result, right[0], n * sizeof *result);
            memcpy(result, x[1], n * sizeof *result);
            kernels->exp(n, result, result); /* in place */
            assert_memory_equal(result, right[1], n * sizeof *result);
            assert_true(result[n] == 123);
        }
    }
}

static void test_numbers_without_an_answer(void **state)
{
    const double no_log[] = {0, -1, NAN, INFINITY, DBL_MIN / 2, -INFINITY};
    const double extreme[] = {-709, -INFINITY, 710, INFINITY, -1e300, 1e300};
    const double nan = NAN;
    double result[6];
    (void)state;
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        const struct cot_elementary *kernels = cot_elementary_for((enum cot_isa)isa);
        if (!cot_isa_supported((enum cot_isa)isa))
            continue;
        kernels->log(6, no_log, result);
        for (size_t i = 0; i < 6; i++)
            assert_true(isnan(result[i]));
        kernels->exp(6, extreme, result);
        for (size_t i = 0; i < 6; i++)
            assert_true(extreme[i] < 0 ? result[i] == 0 : isinf(result[i]));
        kernels->exp(1, &nan, result);
        assert_true(isnan(result[0]));
    }
}

static void test_the_best_are_among_them(void **state)
{
    size_t n_found = 0;
    (void)state;
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++)
        n_found +=
            cot_isa_supported((enum cot_isa)isa) && cot_elementary_best() == cot_elementary_for((enum cot_isa)isa);
    assert_true(n_found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_libm),
        cmocka_unit_test(test_same_bytes_with_every_instruction_set),
        cmocka_unit_test(test_numbers_without_an_answer),
        cmocka_unit_test(test_the_best_are_among_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
