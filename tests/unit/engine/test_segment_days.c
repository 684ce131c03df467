/* Daily snapshots in the store: movement is against the day before alone, days without one are missing, none is
 * rewritten. */
#include "engine/segment_days.h"

#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];
static struct cot_store *store;

static int set_up(void **state)
{
    struct cot_err err = {0};
    (void)state;
    scratch_make(path);
    store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err, "insert into setting values ('base_currency', 'JPY')"), err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cot_store_close(store);
    scratch_remove(path);
    return 0;
}

/* A snapshot of a segment by rule ("vip") and a learned one (7). */
static void write_day(int64_t number, uint64_t vip, uint64_t learned, const char *learned_name)
{
    struct cot_err err = {0};
    uint64_t bits[2][2] = {{vip, 1}, {learned, 0}};
    struct cot_day_segment segments[2] = {
        {.name = "vip", .version = 3, .members = {bits[0], 2}, .revenue_minor = {500, 9000}},
        {.segment_id = 7, .version = 1, .members = {bits[1], 1}, .revenue_minor = {-20, 0}}};
    snprintf(segments[1].name, sizeof segments[1].name, "%s", learned_name);
    const struct cot_day day = {
        .day = number, .as_of_ms = (number + 1) * 86400000, .segments = segments, .n_segments = 2};
    assert_ok(cot_store_begin(store, &err), err);
    assert_ok(cot_day_write(store, &day, &err), err);
    assert_ok(cot_store_commit(store, &err), err);
}

static yyjson_mut_doc *describe(const char *name, int64_t max_days, cot_code wanted)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    assert_int_equal(cot_segment_days_describe(store, name, max_days, doc, root, &err), wanted);
    return doc;
}

static void assert_json(yyjson_mut_doc *doc, const char *pointer, const char *json)
{
    char *text = yyjson_mut_val_write(yyjson_mut_doc_ptr_get(doc, pointer), 0, NULL);
    assert_non_null(text);
    assert_string_equal(text, json);
    free(text);
}

static void movement_is_against_the_day_before(void **state)
{
    (void)state;
    write_day(20000, 0x0f, 0x03, "old name");
    write_day(20001, 0x1e, 0x0c, "new name");
    write_day(20003, 0x1f, 0x0c, "new name");
    write_day(20003, 0, 0, "a second time");
    yyjson_mut_doc *doc = describe("vip", 100, COT_OK);
    assert_json(doc, "/currency", "\"JPY\"");
    assert_json(doc, "/segments/0/segment_id", "null");
    assert_json(
        doc, "/segments/0/days/0",
        "{\"day\":\"2024-10-04\",\"as_of\":\"2024-10-05T00:00:00Z\",\"version\":3,\"size\":5,\"revenue_30\":500.0,"
        "\"revenue_365\":9000.0,\"entered\":null,\"exited\":null}");
    assert_json(doc, "/segments/0/days/1/entered", "1");
    assert_json(doc, "/segments/0/days/1/exited", "1");
    assert_json(doc, "/segments/0/days/2",
                "{\"day\":\"2024-10-06\",\"as_of\":null,\"version\":null,\"size\":null,\"revenue_30\":null,"
                "\"revenue_365\":null,\"entered\":null,\"exited\":null}");
    assert_json(doc, "/segments/0/days/3/size", "6");
    assert_json(doc, "/segments/0/days/3/entered", "null");
    assert_null(yyjson_mut_doc_ptr_get(doc, "/segments/0/days/4"));
    yyjson_mut_doc_free(doc);
}

static void learned_ones_go_by_their_number(void **state)
{
    (void)state;
    write_day(20000, 0, 0x03, "old name");
    write_day(20001, 0, 0x06, "new name");
    yyjson_mut_doc *doc = describe("7", 100, COT_OK);
    assert_json(doc, "/segments/0/segment_id", "7");
    assert_json(doc, "/segments/0/name", "\"new name\"");
    assert_json(doc, "/segments/0/days/1/entered", "1");
    assert_json(doc, "/segments/0/days/1/revenue_30", "-20.0");
    yyjson_mut_doc_free(doc);
    doc = describe(NULL, 1, COT_OK);
    assert_json(doc, "/segments/0/name", "\"vip\"");
    assert_json(doc, "/segments/1/days/0/day", "\"2024-10-05\"");
    assert_null(yyjson_mut_doc_ptr_get(doc, "/segments/1/days/1"));
    yyjson_mut_doc_free(doc);
}

static void what_has_none_is_not_found(void **state)
{
    (void)state;
    write_day(20000, 1, 1, "name");
    yyjson_mut_doc_free(describe("8", 10, COT_NOT_FOUND));
    yyjson_mut_doc_free(describe("it's", 10, COT_NOT_FOUND));
    yyjson_mut_doc_free(describe("name", 10, COT_NOT_FOUND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(movement_is_against_the_day_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(learned_ones_go_by_their_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_none_is_not_found, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
