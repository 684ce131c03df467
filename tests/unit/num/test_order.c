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

/* Stable, with negatives, both zeros and repeated values. */
static void test_sort_of_rows(void **state)
{
    enum { N = 3000 };
    static struct cot_row_value values[N], scratch[N];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 9);
    for (uint32_t i = 0; i < N; i++)
        values[i] = (struct cot_row_value){(float)cot_rng_below(&rng, 400) - 200, i};
    values[7].value = -0.0F;
    values[9].value = INFINITY;
    cot_sort_row_values(values, N, scratch);
    for (uint32_t i = 1; i < N; i++)
        assert_true(values[i - 1].value < values[i].value ||
                    (values[i - 1].value == values[i].value && values[i - 1].row < values[i].row));
    assert_int_equal(values[N - 1].row, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_and_quantiles),
        cmocka_unit_test(test_sort_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
