#include "engine/cohort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_counts(void **state)
{
    (void)state;
    struct cot_cohorts cohorts = {0};
    struct cot_err err = {0};
    assert_int_equal(cot_cohorts_init(&cohorts, 4, &err), COT_OK);
    cot_cohorts_add(&cohorts, (const uint32_t[]){0, 0, 2}, 3);
    cot_cohorts_add(&cohorts, (const uint32_t[]){0}, 1);
    cot_cohorts_add(&cohorts, (const uint32_t[]){1, 2, 3, 3}, 4);
    cot_cohorts_add(&cohorts, (const uint32_t[]){3}, 1);
    cot_cohorts_add(&cohorts, NULL, 0);
    const uint64_t expected[4][4] = {{2, 0, 1, 0}, {1, 1, 1, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}};
    for (size_t first = 0; first < 4; first++)
        for (size_t since = 0; since < 4; since++)
            assert_int_equal(cot_cohorts_active(&cohorts, first, since), expected[first][since]);
    cot_cohorts_release(&cohorts);
}

static void test_no_months(void **state)
{
    (void)state;
    struct cot_cohorts cohorts = {0};
    struct cot_err err = {0};
    assert_int_equal(cot_cohorts_init(&cohorts, 0, &err), COT_OK);
    cot_cohorts_release(&cohorts);
    assert_int_equal(cot_cohorts_init(&cohorts, (size_t)1 << 40, &err), COT_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_no_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
