/* Minor units: exact, rounded once, shared out to the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "domain/money.h"

static void test_exponents(void **state)
{
    (void)state;
    assert_int_equal(cot_currency_exponent("EUR"), 2);
    assert_int_equal(cot_currency_exponent("JPY"), 0);
    assert_int_equal(cot_currency_exponent("KWD"), 3);
    assert_int_equal(cot_currency_exponent(""), 2);
    assert_true(cot_currency_is_known("usd", 3));
    assert_false(cot_currency_is_known("QQQ", 3));
    assert_false(cot_currency_is_known("US", 2));
}

static int64_t minor(int64_t mantissa, int scale, int exponent)
{
    int64_t value = 0;
    assert_true(cot_money_from_decimal((struct cot_decimal){mantissa, scale}, exponent, &value));
    return value;
}

static void test_rounding(void **state)
{
    (void)state;
    assert_int_equal(minor(1250, 2, 2), 1250);
    assert_int_equal(minor(125, 1, 2), 1250);
    assert_int_equal(minor(12, 0, 3), 12000);
    assert_int_equal(minor(12345, 3, 2), 1235); /* half away from zero */
    assert_int_equal(minor(-12345, 3, 2), -1235);
    assert_int_equal(minor(12344, 3, 2), 1234);
    assert_int_equal(minor(5, 1, 0), 1);
    int64_t value = 7;
    assert_false(cot_money_from_decimal((struct cot_decimal){INT64_MAX / 10, 0}, 2, &value));
    assert_int_equal(value, 7);
    /* 0.0125 x 10 = 0.125: rounded once, not 0.01 x 10. */
    assert_true(cot_money_product((struct cot_decimal){125, 4}, (struct cot_decimal){10, 0}, 2, &value));
    assert_int_equal(value, 13);
    assert_false(cot_money_product((struct cot_decimal){INT64_MAX, 0}, (struct cot_decimal){INT64_MAX, 0}, 2, &value));
}

static void test_conversion(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(cot_money_convert(1000, 0, 0.0062, 2, &value)); /* 1000 JPY in EUR cents */
    assert_int_equal(value, 620);
    assert_true(cot_money_convert(-1050, 2, 1.0, 0, &value));
    assert_int_equal(value, -11);
    assert_false(cot_money_convert(INT64_MAX, 0, 1e6, 2, &value));
}

static void test_allocation(void **state)
{
    (void)state;
    int64_t shares[3];
    cot_money_allocate(100, (const int64_t[]){1, 1, 1}, 3, shares);
    assert_int_equal(shares[0] + shares[1] + shares[2], 100);
    cot_money_allocate(10, (const int64_t[]){0, 0, 0}, 3, shares);
    assert_int_equal(shares[0] + shares[1] + shares[2], 10);
    struct cot_rng rng;
    cot_rng_init(&rng, 1);
    for (int round = 0; round < 1000; round++) {
        int64_t weights[20];
        int64_t parts[20];
        int64_t total = (int64_t)cot_rng_below(&rng, 100000);
        int64_t sum = 0;
        int64_t weight = 0;
        for (int i = 0; i < 20; i++)
            weight += weights[i] = (int64_t)cot_rng_below(&rng, 1000);
        cot_money_allocate(total, weights, 20, parts);
        for (int i = 0; i < 20; i++) {
            double exact = (double)total * (double)weights[i] / (double)weight;
            assert_true((double)parts[i] - exact < 1 && exact - (double)parts[i] < 1);
            sum += parts[i];
        }
        assert_int_equal(sum, total);
    }
}

static void test_rates(void **state)
{
    (void)state;
    struct cot_rate_table table = {0};
    struct cot_err err;
    double rate = 0;
    assert_int_equal(cot_rate_table_add(&table, "USD", 20, 0.9, &err), COT_OK);
    assert_int_equal(cot_rate_table_add(&table, "USD", 10, 0.8, &err), COT_OK);
    assert_int_equal(cot_rate_table_add(&table, "JPY", 15, 0.006, &err), COT_OK);
    assert_int_equal(cot_rate_table_add(&table, "GBP", 15, -1, &err), COT_BAD_DATA);
    cot_rate_table_finish(&table);
    assert_false(cot_rate_table_find(&table, "USD", 9, &rate));
    assert_true(cot_rate_table_find(&table, "USD", 19, &rate));
    assert_true(rate == 0.8);
    assert_true(cot_rate_table_find(&table, "USD", 500, &rate));
    assert_true(rate == 0.9);
    assert_false(cot_rate_table_find(&table, "GBP", 500, &rate));
    cot_rate_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponents),  cmocka_unit_test(test_rounding), cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_allocation), cmocka_unit_test(test_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
