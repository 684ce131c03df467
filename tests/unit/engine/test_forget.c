/* Erasure: everything of the person goes, nothing of the others, and the proof would notice. */
#include "engine/forget.h"

#include "base/folder.h"
#include "engine/erased.h"
#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];
static struct cot_context context = {.data_dir = path, .n_threads = 1};

/* Jo is nodes 1 (customer 4711), 2 (address) and 3 (browser); Mojo's address contains Jo's; customer 47110 begins like
 * 4711. */
static const char shop_sql[] =
    "insert into import_run values (1, 1, 'a.csv', 'orders', 'g', '', 1, 1, 1, 0, 0, '{}', '2024-01-01', '2024-01-01');"
    "insert into node values (1, 1, '4711', 1), (2, 2, 'jo@example.org', 1), (3, 3, 'browser-81f3a9', 1),"
    "  (4, 1, '47110', 1), (5, 2, 'mojo@example.org', 1), (6, 2, 'jo@example.org.uk', 1);"
    "insert into node select 100 + range, 1, 'c' || range, 1 from range(3000);"
    "insert into link values (1, 2, 1, '2024-01-01', '2024-01-01', 1), (3, 2, 1, '2024-01-01', '2024-01-01', 1),"
    "  (4, 5, 1, '2024-01-01', '2024-01-01', 1);"
    "insert into event(event_id, node_id, kind, occurred_at, order_key, amount_minor, session, detail) values"
    "  (1, 1, 1, '2024-02-01', 'o-jo', 100, null, null), (2, 3, 10, '2024-02-01', null, null, 'jo-session-77', null),"
    "  (3, 4, 1, '2024-02-01', 'o-mojo', 100, null, null), (4, 4, 1, '2024-02-01', 'o-both', 100, null, null),"
    "  (5, 1, 1, '2024-02-01', 'o-both', 100, null, null),"
    "  (6, 4, 13, '2024-02-01', null, null, null, 'gift for Jo@Example.org, soon'),"
    "  (7, 4, 13, '2024-02-01', null, null, null, 'table 4711 in oak');"
    "insert into order_version values (1, 'o-jo', 1, 5, 1), (1, 'o-both', 1, 6, 1), (1, 'o-mojo', 1, 7, 1);"
    "insert into trait values (2, 'city', 'Joville', null, '2024-01-01', '2024-01-01', true, 1, 0);"
    "insert into consent values (2, 'marketing', true, '2024-01-01', '2024-01-01', 1, 0);"
    "insert into suppression values (1, null, 'x', '2024-01-01', '2024-01-01', 1, 0);"
    "insert into quarantine values (1, 1, 'a.csv', 2, 'bad', 'no date', '{\"id\":\"4711.0\",\"q\":\"1\"}', 'open', 1,"
    "  '2024-01-01'), (2, 1, 'a.csv', 3, 'bad', 'no date', '{\"mail\":\" JO@example.org\"}', 'open', 2, '2024-01-01'),"
    "  (3, 1, 'a.csv', 4, 'bad', 'no date', '{\"id\":\"47110\",\"mail\":\"mojo@example.org\"}', 'open', 3, "
    "'2024-01-01');"
    "insert into segment_run values (1, '2024-05-01', '2024-05-01', 1, 1, 2,"
    "  '{\"segments\":[{\"id\":1,\"prototypes\":[{\"customer\":1,\"customer_id\":\"4711\"},{\"customer\":4,"
    "\"customer_id\":\"47110\"}]}],\"map\":{\"points\":[[0.5,1,1,\"4711\"],[0.1,2,1,\"47110\"]]}}');"
    "insert into segment values (1, 1, 'All', '#000', 2, 200, 'grow', '{\"best\":\"4711\",\"k\":2}');"
    "insert into segment_member values (1, 1, 1), (1, 4, 1);"
    "create table feature_value as select * from (values (1, '4711', 9.5), (4, '47110', 1.5)) t(customer, customer_id,"
    "  monetary);"
    "create view customers as select customer_id, monetary from feature_value;"
    "insert into export_member values (1, 1, 'treated'), (1, 4, 'treated'), (2, 4, 'treated'), (3, 1, 'treated')";

static void write_text(const char *name, const char *text)
{
    char full[SCRATCH_PATH_SIZE + 64];
    snprintf(full, sizeof full, "%s/%s", path, name);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const char *name)
{
    char full[SCRATCH_PATH_SIZE + 64];
    snprintf(full, sizeof full, "%s/%s", path, name);
    return access(full, F_OK) == 0;
}

static int set_up(void **state)
{
    struct cot_err err = {0};
    char folder[SCRATCH_PATH_SIZE + 16];
    (void)state;
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err, "%s", shop_sql), err);
    assert_ok(
        cot_store_exec(store, &err,
                       "insert into export_run values (1, '2024-05-01', 1, 'All', 'csv', '%s/exports/a.csv',"
                       " 'marketing', 0.1, 2, 0, 0, '{}'), (2, '2024-05-01', 1, 'All', 'csv', '%s/exports/b.csv',"
                       " 'marketing', 0.1, 1, 0, 0, '{}'), (3, '2024-05-01', 1, 'All', 'csv', '/nonexistent/c.csv',"
                       " 'marketing', 0.1, 1, 0, 0, '{}')",
                       path, path),
        err);
    cot_store_close(store);
    snprintf(folder, sizeof folder, "%s/exports", path);
    assert_ok(cot_folder_make(folder, &err), err);
    snprintf(folder, sizeof folder, "%s/models", path);
    assert_ok(cot_folder_make(folder, &err), err);
    write_text("exports/a.csv", "customer_id\n4711\n47110\n");
    write_text("exports/b.csv", "customer_id\n47110\n");
    write_text("models/segment-000001.cotm", "centroids");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(path);
    return 0;
}

static yyjson_mut_doc *forget(const char *id)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    assert_ok(cot_forget_run(&context, &id, 1, &doc, &err), err);
    return doc;
}

static int64_t ask(const char *sql)
{
    struct cot_err err = {0};
    int64_t n = -1;
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = 1};
    assert_ok(cot_store_open(path, &options, &store, &err), err);
    assert_ok(cot_store_number(store, &n, &err, "%s", sql), err);
    cot_store_close(store);
    return n;
}

static bool file_contains(const char *name, const char *text)
{
    char full[SCRATCH_PATH_SIZE + 64];
    static char bytes[16 << 20];
    snprintf(full, sizeof full, "%s/%s", path, name);
    FILE *file = fopen(full, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void person_is_gone_and_others_are_not(void **state)
{
    static const char *const none[] = {
        "select count(*) from node where node_id in (1, 2, 3)",
        "select count(*) from event where node_id in (1, 2, 3)",
        "select count(*) from link where node_a <= 3 or node_b <= 3",
        "select count(*) from trait where node_id in (1, 2, 3)",
        "select count(*) from consent",
        "select count(*) from suppression",
        "select count(*) from segment_member where customer = 1",
        "select count(*) from export_member where customer = 1",
        "select count(*) from feature_value where customer = 1",
        "select count(*) from quarantine where quarantine_id < 3",
        "select count(*) from order_version where order_key = 'o-jo'",
        "select count(*) from segment_run where contains(detail, '\"4711\"')",
        "select count(*) from segment where contains(detail, '4711')",
    };
    static const char *const one[] = {
        "select count(*) from quarantine where quarantine_id = 3",
        "select count(*) from event where detail = 'gift for [erased], soon'",
        "select count(*) from event where detail = 'table 4711 in oak'",
        "select count(*) from node where value = 'mojo@example.org'",
        "select count(*) from node where value = 'jo@example.org.uk'",
        "select count(*) from order_version where order_key = 'o-both'",
        ("select count(*) from segment_run where contains(detail, '{\"customer\":4,\"customer_id\":\"47110\"}')"
         " and contains(detail, '[[0.1,2,1,\"47110\"]]')"),
        "select count(*) from segment where contains(detail, '\"k\":2')",
        "select count(*) from customers where customer_id = '47110'",
        "select count(*) from erasure where status = 'done' and finished_at is not null",
    };
    (void)state;
    assert_true(file_contains("coterie.duckdb", "jo-session-77"));
    yyjson_mut_doc *doc = forget("JO@example.org");
    assert_string_equal(yyjson_mut_get_str(yyjson_mut_doc_ptr_get(doc, "/status")), "done");
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(doc, "/removed/event")), 3);
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(doc, "/removed/node")), 3);
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(doc, "/removed/quarantine")), 2);
    assert_int_equal(yyjson_mut_get_uint(yyjson_mut_doc_ptr_get(doc, "/identities")), 3);
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_null(strstr(text, "jo@")); /* receipts hold no personal data */
    assert_null(strstr(text, "4711"));
    assert_null(strstr(text, "81f3a9"));
    free(text);
    yyjson_mut_doc_free(doc);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (ask(none[i]) != 0)
            fail_msg("something is left: %s", none[i]);
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (ask(one[i]) != 1)
            fail_msg("something of others is gone: %s", one[i]);
    assert_int_equal(ask("select count(*) from node"), 3003);
    assert_false(file_contains("coterie.duckdb", "jo-session-77")); /* not even in the bytes */
    assert_false(file_contains("coterie.duckdb", "browser-81f3a9"));
    assert_true(file_contains("coterie.duckdb", "mojo@example.org"));
    assert_false(is_there("exports/a.csv"));
    assert_true(is_there("exports/b.csv"));
    assert_false(is_there("models/segment-000001.cotm"));
    assert_false(is_there("coterie.duckdb.rewrite.tmp"));
    assert_false(is_there("coterie.duckdb.wal"));
}

static void reimport_is_stopped_by_keyed_hashes(void **state)
{
    struct cot_err err = {0};
    struct cot_erased *erased = NULL;
    (void)state;
    yyjson_mut_doc_free(forget("4711"));
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_erased_load(store, &erased, &err), err);
    assert_int_equal(cot_erased_count(erased), 3);
    assert_true(cot_erased_contains(erased, COT_NODE_USER, "4711", 4));
    assert_true(cot_erased_contains(erased, COT_NODE_EMAIL, "jo@example.org", 14));
    assert_true(cot_erased_contains(erased, COT_NODE_ANONYMOUS, "browser-81f3a9", 14));
    assert_false(cot_erased_contains(erased, COT_NODE_USER, "47110", 5));
    cot_erased_free(erased);
    cot_store_close(store);
}

/* A file that we know nothing of keeps the erasure from being called done. */
static void proof_notices_what_is_left(void **state)
{
    struct cot_err err = {0};
    yyjson_mut_doc *finished = NULL;
    (void)state;
    write_text("notes.txt", "call Jo@Example.org on Monday");
    yyjson_mut_doc *doc = forget("4711");
    assert_string_equal(yyjson_mut_get_str(yyjson_mut_doc_ptr_get(doc, "/status")), "pending");
    assert_string_equal(yyjson_mut_get_str(yyjson_mut_doc_ptr_get(doc, "/proof/found/0")), "notes.txt");
    yyjson_mut_doc_free(doc);
    assert_int_equal(ask("select count(*) from erasure where status = 'pending'"), 1);
    assert_ok(cot_forget_finish_run(&context, &finished, &err), err);
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(finished, "/pending")), 1);
    yyjson_mut_doc_free(finished);
    char notes[SCRATCH_PATH_SIZE + 16];
    snprintf(notes, sizeof notes, "%s/notes.txt", path);
    assert_int_equal(unlink(notes), 0);
    assert_ok(cot_forget_finish_run(&context, &finished, &err), err);
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(finished, "/finished")), 1);
    assert_int_equal(yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(finished, "/pending")), 0);
    yyjson_mut_doc_free(finished);
}

static void unknown_person_changes_nothing(void **state)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    const char *const ids[] = {"4711", "nobody"};
    (void)state;
    assert_int_equal(cot_forget_run(&context, ids, 2, &doc, &err), COT_NOT_FOUND);
    assert_int_equal(ask("select count(*) from node"), 3006);
    assert_int_equal(ask("select count(*) from erasure"), 0);
    assert_true(is_there("exports/a.csv"));
    assert_true(is_there("models/segment-000001.cotm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(person_is_gone_and_others_are_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reimport_is_stopped_by_keyed_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proof_notices_what_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_person_changes_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
