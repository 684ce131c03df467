/* JSON read with an error that tells bad data from a lack of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void good_text_is_read_and_left_alone(void **state)
{
    static const char text[] = "{\"a\": [1, 2]} and more";
    yyjson_doc *doc = NULL;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_json_read(text, 13, YYJSON_READ_INSITU, &doc, &err), COT_OK);
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(yyjson_doc_get_root(doc), "a")), 2);
    assert_string_equal(text, "{\"a\": [1, 2]} and more");
    yyjson_doc_free(doc);
}

static void bad_text_is_told_with_its_place(void **state)
{
    yyjson_doc *doc = NULL;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_json_read("[1, x]", 6, 0, &doc, &err), COT_BAD_DATA);
    assert_null(doc);
    assert_non_null(strstr(err.message, "at byte 5"));
    assert_int_equal(cot_json_read("", 0, 0, &doc, &err), COT_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text_is_read_and_left_alone),
        cmocka_unit_test(bad_text_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
