#include "engine/concentration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12))
        fail_msg("%.17g is not %.17g", value, expected);
}

static struct cot_concentration measure(const int64_t *revenue, size_t n)
{
    struct cot_concentration result;
    struct cot_err err = {0};
    assert_int_equal(cot_concentration_measure(revenue, n, &result, &err), COT_OK);
    return result;
}

static void test_all_alike(void **state)
{
    (void)state;
    int64_t revenue[200];
    for (size_t i = 0; i < 200; i++)
        revenue[i] = 1500;
    struct cot_concentration c = measure(revenue, 200);
    assert_near(c.gini, 0);
    assert_int_equal(c.n_half, 100);
    assert_int_equal(c.top[1].n_customers, 20);
    assert_near(c.top[1].revenue_share, 0.1);
    for (size_t i = 0; i < COT_CONCENTRATION_POINTS; i++)
        assert_near(c.curve[i], (double)i / 100);
}

/* 1, 2, 3, 4: G = 2 (1 + 4 + 9 + 16) / (4 * 10) - 5 / 4 = 0.25. The order of the customers does not matter. */
static void test_by_hand(void **state)
{
    (void)state;
    struct cot_concentration c = measure((const int64_t[]){3, 1, 4, 2}, 4);
    assert_near(c.gini, 0.25);
    assert_int_equal(c.total_minor, 10);
    assert_int_equal(c.n_half, 2); /* 4 + 3 = 7 of 10; 4 alone is not half */
    assert_int_equal(c.top[0].n_customers, 1);
    assert_near(c.top[0].revenue_share, 0.4);
    assert_near(c.curve[25], 0.4);
    assert_near(c.curve[50], 0.7);
    assert_near(c.curve[60], 0.78); /* 0.7 and four tenths of the third customer's 2 */
    assert_near(c.curve[100], 1);
}

static void test_one_has_all_and_refunders_count_as_zero(void **state)
{
    (void)state;
    struct cot_concentration c = measure((const int64_t[]){0, -500, 900, 0, -1}, 5);
    assert_int_equal(c.n_negative, 2);
    assert_int_equal(c.total_minor, 900);
    assert_near(c.gini, 1 - 1.0 / 5);
    assert_int_equal(c.n_half, 1);
    assert_near(c.curve[20], 1);
    assert_near(c.curve[10], 0.5);
}

/* 437 is a tenth of 4370 exactly: binary fractions must not make it 438. */
static void test_tops_round_up_exactly(void **state)
{
    (void)state;
    static int64_t revenue[4370];
    for (size_t i = 0; i < 4370; i++)
        revenue[i] = (int64_t)i;
    struct cot_concentration c = measure(revenue, 4370);
    assert_int_equal(c.top[0].n_customers, 44);
    assert_int_equal(c.top[1].n_customers, 437);
    assert_int_equal(c.top[2].n_customers, 874);
}

static void test_nothing(void **state)
{
    (void)state;
    struct cot_concentration none = measure(NULL, 0);
    struct cot_concentration zero = measure((const int64_t[]){0, -3}, 2);
    assert_int_equal(none.n, 0);
    assert_near(none.gini, 0);
    assert_int_equal(zero.n_half, 0);
    assert_near(zero.curve[100], 0);
}

static void test_overflow_is_refused(void **state)
{
    (void)state;
    struct cot_concentration result;
    struct cot_err err = {0};
    assert_int_equal(cot_concentration_measure((const int64_t[]){INT64_MAX, 1}, 2, &result, &err), COT_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_alike),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_one_has_all_and_refunders_count_as_zero),
        cmocka_unit_test(test_tops_round_up_exactly),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_overflow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
