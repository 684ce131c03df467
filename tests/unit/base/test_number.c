#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void integers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(cot_parse_int("-9223372036854775808", 20, &value));
    assert_true(value == INT64_MIN);
    assert_true(cot_parse_int("+9223372036854775807", 20, &value));
    assert_true(value == INT64_MAX);
    value = 7;
    static const char *const bad[] = {"",   "-",   "+",  "9223372036854775808", "-9223372036854775809", "1 ",
                                      " 1", "1.0", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cot_parse_int(bad[i], strlen(bad[i]), &value));
    assert_int_equal(value, 7);
}

static void decimals(void **state)
{
    (void)state;
    double value = 7;
    assert_true(cot_parse_double("-12.5e-1", 8, &value));
    assert_true(value == -1.25);
    assert_true(cot_parse_double(".5", 2, &value));
    assert_true(value == 0.5);
    value = 7;
    static const char *const bad[] = {"", ".", "-", "1,5", "nan", "inf", "1e999", "0x10", "1e", "1 ", "--1", "1.2.3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cot_parse_double(bad[i], strlen(bad[i]), &value))
            fail_msg("'%s' was taken as %g", bad[i], value);
    assert_true(value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(integers), cmocka_unit_test(decimals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
