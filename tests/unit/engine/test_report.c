#include "engine/report.h"

#include "domain/feature.h"
#include "engine/report_page.h"
#include "unit/engine/scratch.h"

/* A run's document with hostile strings, an address for an id, and a map of three points. */
static const char run_document[] =
    "{\"run\":1,\"as_of\":\"2020-02-29T23:59:59.999Z\",\"created_at\":\"2020-03-01T00:00:00Z\",\"currency\":\"EUR\","
    "\"customers\":3,\"k\":1,\"segments\":[{\"id\":4,\"name\":\"</script><script>alert(1)</script>\xe2\x80\xa8\","
    "\"color\":\"#0072B2\",\"size\":3,\"prototypes\":[{\"customer\":1,\"customer_id\":\"ann@example.com\"},"
    "{\"customer\":2,\"customer_id\":\"C2\"}]}],\"heatmap\":{\"features\":[{\"feature\":\"no such feature\"},"
    "{\"feature\":\"%s\"}],\"rows\":[]},\"features\":[1],\"dropped_features\":[1],"
    "\"map\":{\"points\":[[1,2,4,\"C1\"],[3,4,4,\"C2\"],[5,6,4,\"nobody\"]],\"axes\":[]}}";

static void make_shop(const char *path, bool with_run)
{
    struct cot_err err = {0};
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err,
                             "insert into setting values ('base_currency', 'EUR'), ('time_zone', 'Europe/Berlin');"
                             "insert into node values (1, 1, 'C1', 1), (2, 1, 'C2', 1), (3, 2, 'bob@example.com', 1);"
                             "insert into link values (2, 3, 1, '2020-01-01', '2020-01-01', 1);"
                             "insert into import_run(import_id, path, kind, rows_read, rows_accepted, rows_quarantined,"
                             " rows_duplicate) values (1, '/home/ann/orders.csv', 'orders', 9, 7, 1, 1);"
                             "insert into quarantine(quarantine_id, code, reason, status) values"
                             " (1, 'bad_date', 'not a date: x', 'open'), (2, 'bad_date', 'y', 'replayed')"),
              err);
    assert_ok(cot_store_exec(store, &err,
                             "insert into event(event_id, node_id, kind, occurred_at, recorded_at, order_key,"
                             " amount_minor) values"
                             " (1, 1, 1, '2020-01-10', '2020-01-10', 'a', 1000),"
                             " (2, 1, 1, '2020-01-10', '2020-01-10', 'a', 500),"
                             " (3, 1, 1, '2020-02-10', '2020-02-10', 'b', 700),"
                             " (4, 2, 1, '2020-01-20', '2020-01-20', 'c', 300),"
                             " (5, 3, 1, '2020-01-20', '2020-01-20', 'c', 100),"
                             " (6, 2, 2, '2020-02-20', '2020-02-20', 'c', -50),"
                             " (7, null, 1, '2020-02-21', '2020-02-21', 'd', 250)"),
              err);
    if (with_run) {
        char document[2048];
        snprintf(document, sizeof document, run_document, cot_features[0].name);
        char *quoted = cot_sql_quote(document);
        assert_non_null(quoted);
        assert_ok(cot_store_exec(store, &err,
                                 "insert into segment_run values (1, '2020-03-01', '2020-02-29 23:59:59.999', 1, 1, 3,"
                                 " %s)",
                                 quoted),
                  err);
        free(quoted);
        assert_ok(cot_store_exec(store, &err,
                                 "insert into event(event_id, node_id, kind, occurred_at, recorded_at, order_key,"
                                 " amount_minor) values (8, 1, 1, '2020-03-05', '2020-03-05', 'z', 99999)"),
                  err);
    }
    cot_store_close(store);
}

static yyjson_mut_doc *report(const char *path, int64_t run_id, const char *out_path)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .seed = 1, .n_threads = 1};
    struct cot_report_options options = {.run_id = run_id, .out_path = out_path};
    yyjson_mut_doc *doc = NULL;
    assert_ok(cot_report_run(&context, &options, &doc, &err), err);
    return doc;
}

/* The value at a JSON pointer, which must be there. */
static yyjson_mut_val *at(yyjson_mut_doc *doc, const char *pointer)
{
    yyjson_mut_val *value = yyjson_mut_doc_ptr_get(doc, pointer);
    if (value == NULL)
        fail_msg("no %s", pointer);
    return value;
}

static void assert_number(yyjson_mut_doc *doc, const char *pointer, double expected)
{
    double value = yyjson_mut_get_num(at(doc, pointer));
    if (!(value > expected - 1e-9 && value < expected + 1e-9))
        fail_msg("%s is %g, not %g", pointer, value, expected);
}

static void assert_text(yyjson_mut_doc *doc, const char *pointer, const char *expected)
{
    assert_string_equal(yyjson_mut_get_str(at(doc, pointer)), expected);
}

static void figures_without_segments(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_SIZE];
    scratch_make(path);
    make_shop(path, false);
    yyjson_mut_doc *doc = report(path, 0, NULL);
    assert_text(doc, "/as_of", "2020-02-21T22:59:59.999Z"); /* the end of the last day, in Berlin */
    assert_number(doc, "/headline/customers", 2);
    assert_number(doc, "/headline/orders", 3);
    assert_number(doc, "/headline/revenue", 25.5);
    assert_number(doc, "/headline/refunds", -0.5);
    assert_number(doc, "/headline/average_order", 26.0 / 3);
    assert_number(doc, "/headline/repeat_share", 0.5);
    assert_number(doc, "/headline/unassigned/lines", 1);
    assert_number(doc, "/headline/unassigned/revenue_share", 2.5 / 28);
    assert_number(doc, "/months/0/revenue", 19);
    assert_number(doc, "/months/1/revenue", 6.5);
    assert_true(yyjson_mut_get_bool(at(doc, "/months/0/complete")));
    assert_false(yyjson_mut_get_bool(at(doc, "/months/1/complete")));
    assert_number(doc, "/cohorts/rows/0/active/1", 1);
    assert_number(doc, "/concentration/top/2/revenue_share", 22.0 / 25.5);
    assert_text(doc, "/provenance/imports/0/file", "orders.csv");
    assert_number(doc, "/provenance/quarantine/0/rows", 1);
    assert_number(doc, "/rfm/scored", 2);
    assert_int_equal(yyjson_mut_arr_size(at(doc, "/rfm/groups")), 11);
    assert_true(yyjson_mut_is_null(at(doc, "/rfm/cross")));
    assert_true(yyjson_mut_is_null(at(doc, "/segments")));
    assert_true(yyjson_mut_is_null(at(doc, "/map")));
    assert_true(yyjson_mut_is_null(at(doc, "/history")));
    assert_true(yyjson_mut_is_null(at(doc, "/days")));
    yyjson_mut_doc_free(doc);
    scratch_remove(path);
}

static void everything_is_as_of_the_run(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_SIZE];
    scratch_make(path);
    make_shop(path, true);
    yyjson_mut_doc *doc = report(path, 1, NULL);
    assert_text(doc, "/as_of", "2020-02-29T23:59:59.999Z");
    assert_number(doc, "/headline/revenue", 25.5);
    assert_non_null(strstr(yyjson_mut_get_str(at(doc, "/notices/0")), "1 newer event"));
    assert_text(doc, "/segments/segments/0/prototypes/0/customer_id", "no. 1");
    assert_text(doc, "/segments/segments/0/prototypes/1/customer_id", "C2");
    assert_null(yyjson_mut_doc_ptr_get(doc, "/segments/map"));
    assert_null(yyjson_mut_doc_ptr_get(doc, "/segments/features"));
    assert_number(doc, "/map/points/0/0", 1);
    assert_int_equal(yyjson_mut_arr_size(at(doc, "/map/points/0")), 4); /* x, y, segment, one feature; not who */
    assert_number(doc, "/map/points/0/3", 20);                          /* days since the last order */
    assert_number(doc, "/map/points/1/3", 41);
    assert_true(yyjson_mut_is_null(at(doc, "/map/points/2/3"))); /* nobody of that id */
    yyjson_mut_doc_free(doc);
    scratch_remove(path);
}

static size_t occurrences(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *found = text; (found = strstr(found, word)) != NULL; found += strlen(word))
        n++;
    return n;
}

static void strings_of_the_shop_stay_in_the_data_block(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_SIZE];
    scratch_make(path);
    make_shop(path, true);
    struct cot_buf page = {0};
    struct cot_err err = {0};
    yyjson_mut_doc *doc = report(path, 0, NULL);
    assert_ok(cot_report_page_make(doc, &page, &err), err);
    const char *text = cot_buf_text(&page);
    assert_int_equal(strlen(text), page.size);
    assert_null(strstr(text, "{{"));
    assert_null(strstr(text, "alert(1)</script>"));
    assert_non_null(strstr(text, "\\u003c/script>\\u003cscript>alert(1)"));
    assert_non_null(strstr(text, "\\u2028"));
    assert_null(strstr(text, "\xe2\x80\xa8"));
    assert_null(strstr(text, "ann@example.com"));
    assert_int_equal(occurrences(text, "<script"), 3);
    assert_int_equal(occurrences(text, "</script>"), 3);
    cot_buf_release(&page);
    yyjson_mut_doc_free(doc);
    scratch_remove(path);
}

static void the_file_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_SIZE];
    char out[SCRATCH_PATH_SIZE + 32];
    scratch_make(path);
    make_shop(path, false);
    snprintf(out, sizeof out, "%s/report.html", path);
    yyjson_mut_doc_free(report(path, 0, out));
    assert_int_equal(access(out, R_OK), 0);
    snprintf(out, sizeof out, "%s/report.html.part", path);
    assert_int_equal(access(out, F_OK), -1);

    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .seed = 1, .n_threads = 1};
    struct cot_report_options options = {.out_path = "/nowhere/at/all/report.html"};
    yyjson_mut_doc *doc = NULL;
    assert_int_equal(cot_report_run(&context, &options, &doc, &err), COT_IO);
    assert_null(doc);
    options = (struct cot_report_options){.run_id = 12};
    assert_int_equal(cot_report_run(&context, &options, &doc, &err), COT_NOT_FOUND);
    assert_null(doc);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_without_segments),
        cmocka_unit_test(everything_is_as_of_the_run),
        cmocka_unit_test(strings_of_the_shop_stay_in_the_data_block),
        cmocka_unit_test(the_file_is_written_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
