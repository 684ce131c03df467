/* JSON read with an error that tells bad data from a lack of memory; documents and their parts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

/* The document as text; frees both. */
static void assert_document(yyjson_mut_doc *doc, const char *expected)
{
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_string_equal(text, expected);
    free(text);
    yyjson_mut_doc_free(doc);
}

static void what_is_no_number_is_null_and_times_are_iso(void **state)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_json_document(&doc, &root, &err), COT_OK);
    cot_json_add_number(doc, root, "half", cot_json_round(0.4999, 2));
    cot_json_add_number(doc, root, "none", cot_json_round((double)NAN, 2));
    cot_json_add_number(doc, root, "endless", -(double)INFINITY);
    cot_json_add_number(doc, root, "large", cot_json_round(1.5e15, 2));
    cot_json_add_time(doc, root, "at", 1700000000123);
    cot_json_add_time(doc, root, "before", -1000);
    cot_json_add_day(doc, root, "day", 19675);
    cot_json_add_day(doc, root, "eve", -1);
    assert_document(doc, "{\"half\":0.5,\"none\":null,\"endless\":null,\"large\":1500000000000000.0,"
                         "\"at\":\"2023-11-14T22:13:20.123Z\",\"before\":\"1969-12-31T23:59:59Z\","
                         "\"day\":\"2023-11-14\",\"eve\":\"1969-12-31\"}");
}

static void a_document_is_handed_over_where_all_went_well(void **state)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_doc *answer = NULL;
    yyjson_mut_val *root = NULL;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_json_document(&doc, &root, &err), COT_OK);
    assert_int_equal(cot_json_finish(COT_NOT_FOUND, doc, &answer), COT_NOT_FOUND); /* and is freed: see ASan */
    assert_null(answer);
    assert_int_equal(cot_json_finish(COT_NOMEM, NULL, &answer), COT_NOMEM);
    assert_int_equal(cot_json_document(&doc, &root, &err), COT_OK);
    assert_int_equal(cot_json_finish(COT_OK, doc, &answer), COT_OK);
    assert_ptr_equal(answer, doc);
    assert_document(answer, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text_is_read_and_left_alone),
        cmocka_unit_test(bad_text_is_told_with_its_place),
        cmocka_unit_test(what_is_no_number_is_null_and_times_are_iso),
        cmocka_unit_test(a_document_is_handed_over_where_all_went_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
