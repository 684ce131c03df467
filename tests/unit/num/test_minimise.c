#include "num/minimise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 3 };

/* A curved valley, no quadratic: the minimum is 7 at (1, 1, 2). */
static double valley(void *context, size_t n, const double *x, double *ret_gradient)
{
    double across = x[1] - x[0] * x[0];
    double along = 1 - x[0];
    double rest = x[2] - 2;
    unsigned *n_calls = context;
    (void)n;
    ++*n_calls;
    ret_gradient[0] = -40 * across * x[0] - 2 * along;
    ret_gradient[1] = 20 * across;
    ret_gradient[2] = 4 * rest * rest * rest + 2 * rest;
    return 7 + 10 * across * across + along * along + rest * rest * rest * rest + rest * rest;
}

static const double wide_low[N] = {-10, -10, -10};
static const double wide_high[N] = {10, 10, 10};

static void check_at_minimum(const double *x, double value)
{
    const double minimum[N] = {1, 1, 2};
    assert_true(fabs(value - 7) < 1e-12);
    for (size_t i = 0; i < N; i++)
        if (!(fabs(x[i] - minimum[i]) < 1e-6))
            fail_msg("variable %zu is %.9g, not %g", i, x[i], minimum[i]);
}

/* From nearby, with the curvature there, it takes far fewer evaluations than from the same point without. */
static void test_near_is_short(void **state)
{
    double x[2][N] = {{1.1, 1.15, 2.1}, {1.1, 1.15, 2.1}};
    double covariance[N * N];
    double value = 0;
    unsigned n_calls = 0;
    unsigned n_near = 0;
    unsigned n_far = 0;
    (void)state;
    assert_int_equal(cot_minimise_covariance(valley, &n_calls, N, x[0], covariance, NULL), COT_OK);
    n_calls = 0;
    assert_int_equal(
        cot_minimise_near(valley, &n_calls, N, x[0], covariance, wide_low, wide_high, &value, &n_near, NULL), COT_OK);
    assert_int_equal(n_near, n_calls);
    check_at_minimum(x[0], value);
    assert_int_equal(cot_minimise(valley, &n_calls, N, x[1], wide_low, wide_high, &value, &n_far, NULL), COT_OK);
    check_at_minimum(x[1], value);
    assert_int_equal(n_near + n_far, n_calls);
    if (!(n_near < n_far))
        fail_msg("%u evaluations with the curvature, %u without", n_near, n_far);
}

/* Neither a distant start nor a matrix that is wrong by orders of magnitude, or no curvature at all, leads astray. */
static void test_near_recovers(void **state)
{
    static const double scales[] = {1e-6, 1, 1e6, -1};
    (void)state;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        double x[N] = {-1.5, 3, -4};
        double covariance[N * N] = {0};
        double value = 0;
        unsigned n_calls = 0;
        for (size_t i = 0; i < N; i++)
            covariance[i * N + i] = scales[s];
        assert_int_equal(cot_minimise_near(valley, &n_calls, N, x, covariance, wide_low, wide_high, &value, NULL, NULL),
                         COT_OK);
        check_at_minimum(x, value);
    }
}

/* With the minimum out of reach the last variable ends at its bound. */
static void test_near_keeps_to_the_bounds(void **state)
{
    const double high[N] = {10, 10, 1.5};
    double x[N] = {0.95, 0.92, 1.2};
    double covariance[N * N];
    double value = 0;
    unsigned n_calls = 0;
    (void)state;
    assert_int_equal(cot_minimise_covariance(valley, &n_calls, N, x, covariance, NULL), COT_OK);
    assert_int_equal(cot_minimise_near(valley, &n_calls, N, x, covariance, wide_low, high, &value, NULL, NULL), COT_OK);
    assert_true(x[2] == 1.5);
    assert_true(fabs(x[0] - 1) < 1e-5 && fabs(x[1] - 1) < 1e-5);
    assert_true(fabs(value - (7 + 0.0625 + 0.25)) < 1e-9);
}

/* The inverse of the second derivatives at the minimum: by hand. */
static void test_covariance(void **state)
{
    const double x[N] = {1, 1, 2};
    const double right[N * N] = {0.5, 1, 0, 1, 2.05, 0, 0, 0, 0.5};
    double covariance[N * N];
    unsigned n_calls = 0;
    (void)state;
    assert_int_equal(cot_minimise_covariance(valley, &n_calls, N, x, covariance, NULL), COT_OK);
    for (size_t i = 0; i < (size_t)N * N; i++)
        assert_true(fabs(covariance[i] - right[i]) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_is_short),
        cmocka_unit_test(test_near_recovers),
        cmocka_unit_test(test_near_keeps_to_the_bounds),
        cmocka_unit_test(test_covariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
