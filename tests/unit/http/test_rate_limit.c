/* Rates: a bucket a key, filled by time. */
#include "http/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct cot_rate_limit *open_limit(int64_t rate)
{
    struct cot_err err = {0};
    struct cot_rate_limit *limit = NULL;
    assert_int_equal(cot_rate_limit_open(rate, &limit, &err), COT_OK);
    return limit;
}

static int take_many(struct cot_rate_limit *limit, const char *id, int64_t rate, int64_t now_us, int n)
{
    int n_taken = 0;
    for (int i = 0; i < n; i++) {
        int64_t wait_ms = 0;
        bool taken = cot_rate_limit_take(limit, id, rate, now_us, &wait_ms);
        n_taken += taken;
        if (!taken)
            assert_true(wait_ms > 0);
    }
    return n_taken;
}

static void test_a_second_holds_the_rate(void **state)
{
    (void)state;
    struct cot_rate_limit *limit = open_limit(10);
    assert_int_equal(take_many(limit, "a", 0, 1000000, 50), 10);
    assert_int_equal(take_many(limit, "a", 0, 1000000, 50), 0);
    assert_int_equal(take_many(limit, "a", 0, 1500000, 50), 5);
    assert_int_equal(take_many(limit, "a", 0, 900000000, 50), 10); /* no more than a second's worth is saved up */
    cot_rate_limit_free(limit);
}

static void test_keys_do_not_share(void **state)
{
    (void)state;
    struct cot_rate_limit *limit = open_limit(3);
    assert_int_equal(take_many(limit, "a", 0, 0, 9), 3);
    assert_int_equal(take_many(limit, "b", 0, 0, 9), 3);
    assert_int_equal(take_many(limit, "c", 7, 0, 9), 7); /* its own */
    cot_rate_limit_free(limit);
    limit = open_limit(0);
    assert_int_equal(take_many(limit, "a", 0, 0, 1000), 1000);
    assert_int_equal(take_many(limit, "b", 1, 0, 1000), 1);
    cot_rate_limit_free(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_second_holds_the_rate),
        cmocka_unit_test(test_keys_do_not_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
