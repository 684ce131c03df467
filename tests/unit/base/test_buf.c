#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void grows_and_ends_in_nul(void **state)
{
    (void)state;
    struct cot_buf buf = {0};
    struct cot_err err;
    assert_string_equal(cot_buf_text(&buf), "");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(cot_buf_printf(&buf, &err, "%03d,", i), COT_OK);
    assert_int_equal(buf.size, 4000);
    assert_string_equal(cot_buf_text(&buf) + 3996, "999,");
    cot_buf_clear(&buf);
    assert_string_equal(cot_buf_text(&buf), "");
    cot_buf_release(&buf);
}

static void the_maximum_holds_and_content_stays(void **state)
{
    (void)state;
    struct cot_buf buf = {.max_size = 10};
    struct cot_err err;
    assert_int_equal(cot_buf_puts(&buf, "0123456789", &err), COT_OK);
    assert_int_equal(cot_buf_puts(&buf, "x", &err), COT_LIMIT);
    assert_int_equal(err.code, COT_LIMIT);
    assert_string_equal(cot_buf_text(&buf), "0123456789");
    assert_int_equal(cot_buf_append(&buf, "y", (size_t)-1, &err), COT_LIMIT);
    cot_buf_release(&buf);
}

static void errors_keep_their_context(void **state)
{
    (void)state;
    struct cot_err err;
    assert_int_equal(cot_fail(&err, COT_BAD_DATA, "'%s' is no date", "x"), COT_BAD_DATA);
    assert_int_equal(cot_err_prefix(&err, COT_BAD_DATA, "line %d", 7), COT_BAD_DATA);
    assert_string_equal(err.message, "line 7: 'x' is no date");
    assert_int_equal(cot_code_exit_status(COT_USAGE), 64);
    assert_int_equal(cot_code_exit_status(COT_BAD_DATA), 65);
    assert_int_equal(cot_code_exit_status(COT_INTERNAL), 70);
    assert_int_equal(cot_code_exit_status(COT_IO), 74);
    assert_string_equal(cot_code_name(COT_LIMIT), "COT_LIMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_ends_in_nul),
        cmocka_unit_test(the_maximum_holds_and_content_stays),
        cmocka_unit_test(errors_keep_their_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
