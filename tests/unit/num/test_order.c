#include "num/order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"

static void test_sort_and_quantiles(void **state)
{
    enum { N = 1001 };
    float values[N], scratch[N];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 1);
    for (int i = 0; i < N; i++) {
        values[i] = (float)(cot_rng_normal(&rng) * pow(10, (double)cot_rng_below(&rng, 60) - 30));
    }
    values[3] = -INFINITY;
    values[4] = INFINITY;
    cot_sort_floats(values, N, scratch);
    for (int i = 1; i < N; i++)
        assert_true(values[i - 1] <= values[i]);
    assert_true(values[0] == -INFINITY && values[N - 1] == INFINITY);
    /* numpy.quantile([1, 2, 4, 8], q) */
    static const float few[4] = {1, 2, 4, 8};
    assert_true(cot_quantile_sorted(few, 4, 0) == 1);
    assert_true(fabs(cot_quantile_sorted(few, 4, 0.5) - 3) < 1e-12);
    assert_true(fabs(cot_quantile_sorted(few, 4, 0.9) - 6.8) < 1e-12);
    assert_true(cot_quantile_sorted(few, 4, 1) == 8);
    assert_int_equal(cot_count_at_most(few, 4, 0.5F), 0);
    assert_int_equal(cot_count_at_most(few, 4, 2), 2);
    assert_int_equal(cot_count_at_most(few, 4, 9), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_and_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
