/* Rows as members of JSON objects: text, times, and what is NULL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/folder.h"
#include "base/json.h"
#include "store/row_json.h"

static void null_is_null_and_the_rest_is_copied(void **state)
{
    char folder[] = "/tmp/coterie-test-XXXXXX";
    const struct cot_store_options options = {.mode = COT_STORE_CREATE, .n_threads = 1};
    struct cot_store *store = NULL;
    struct cot_rows *rows = NULL;
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    bool more = false;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(cot_store_open(folder, &options, &store, &err), COT_OK);
    assert_int_equal(cot_rows_open(store, &rows, &err,
                                   "select 'longer than twelve bytes', '', null::varchar,"
                                   " timestamp_ms '2024-02-29 23:59:59.5', null::timestamp_ms"),
                     COT_OK);
    assert_int_equal(cot_rows_next(rows, &more, &err), COT_OK);
    assert_true(more);
    assert_int_equal(cot_json_document(&doc, &root, &err), COT_OK);
    cot_row_add_text(doc, root, "text", rows, 0);
    cot_row_add_text(doc, root, "empty", rows, 1);
    cot_row_add_text(doc, root, "no_text", rows, 2);
    cot_row_add_time(doc, root, "time", rows, 3);
    cot_row_add_time(doc, root, "no_time", rows, 4);
    cot_rows_close(rows);
    cot_store_close(store);
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_string_equal(text, "{\"text\":\"longer than twelve bytes\",\"empty\":\"\",\"no_text\":null,"
                              "\"time\":\"2024-02-29T23:59:59.500Z\",\"no_time\":null}");
    free(text);
    yyjson_mut_doc_free(doc);
    assert_int_equal(cot_folder_remove(folder, &err), COT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(null_is_null_and_the_rest_is_copied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
