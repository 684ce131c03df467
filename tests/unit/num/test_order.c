#include "num/order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

/* Against qsort: numbers of all sizes, and columns of which one, both or none say anything. */
static int compare_pairs(const void *left, const void *right)
{
    const struct cot_double_pair *a = left;
    const struct cot_double_pair *b = right;
    int first = cot_compare_doubles(&a->first, &b->first);
    return first != 0 ? first : cot_compare_doubles(&a->second, &b->second);
}

static void test_sort_of_pairs(void **state)
{
    enum { N = 2000 };
    static struct cot_double_pair pairs[N], expected[N], scratch[N];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 4);
    for (int scene = 0; scene < 4; scene++) {
        for (size_t i = 0; i < N; i++) {
            double wide = cot_rng_normal(&rng) * pow(10, (double)cot_rng_below(&rng, 600) - 300);
            pairs[i].first = (scene & 1) != 0 ? (double)cot_rng_below(&rng, 9) - 4 : 3;
            pairs[i].second = (scene & 2) != 0 ? wide : 7;
        }
        pairs[5].second = scene == 3 ? INFINITY : 7;
        memcpy(expected, pairs, sizeof expected);
        qsort(expected, N, sizeof *expected, compare_pairs);
        cot_sort_double_pairs(pairs, N, scratch);
        assert_memory_equal(pairs, expected, sizeof pairs);
    }
    cot_sort_double_pairs(pairs, 0, scratch);
    cot_sort_double_pairs(pairs, 1, scratch);
    assert_memory_equal(pairs, expected, sizeof pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_and_quantiles),
        cmocka_unit_test(test_sort_of_rows),
        cmocka_unit_test(test_sort_of_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
