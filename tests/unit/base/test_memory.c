#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_what_is_available_is_plausible(void **state)
{
    size_t available = cot_memory_available();
    (void)state;
    assert_true(available > (size_t)16 << 20); /* this test runs in less */
    assert_true(available < (size_t)1 << 50);
}

static void test_check_names_both_sizes(void **state)
{
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_memory_check(1000, 1000, &err, "a fit of %d rows", 7), COT_OK);
    assert_int_equal(cot_memory_check(1, 0, &err, "a fit of %d rows", 7), COT_OK);
    assert_int_equal(cot_memory_check(2500000, 1500000, &err, "a fit of %d rows", 7), COT_LIMIT);
    assert_non_null(strstr(err.message, "a fit of 7 rows needs 2.5 MB of memory, the limit is 1.5 MB"));
    assert_int_equal(cot_memory_check(SIZE_MAX, 0, &err, "a fit of %d rows", 7), COT_LIMIT);
    assert_non_null(strstr(err.message, "what is available"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_available_is_plausible),
        cmocka_unit_test(test_check_names_both_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
