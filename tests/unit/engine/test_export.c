/* Who is exported, who is held out, who is left out; and that file and log go together. */
#include "engine/export.h"

#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];
static struct cot_context context = {.data_dir = path, .n_threads = 1};

/* Customers 1..1000 in segment 7; 1 suppressed, 2 unsubscribed, 3 refused, 4 refused and agreed later, 5 unsubscribed
 * and agreed later, 6 agreed to analytics only (and is of a source that assumes all), 7 of a source that assumes
 * nothing, 8 of it too but agreed by e-mail address. 9 has a name that CSV must quote. */
static const char shop_sql[] =
    "insert into source values (1, 'open', 'generic', 'orders', null, '2024-01-01'),"
    "  (2, 'careful', 'generic', 'orders', 'service,analytics', '2024-01-01');"
    "insert into import_run values (1, 1, 'a', 'orders', 'g', '', 1, 1, 1, 0, 0, '{}', '2024-01-01', '2024-01-01'),"
    "  (2, 2, 'b', 'orders', 'g', '', 1, 1, 1, 0, 0, '{}', '2024-01-01', '2024-01-01');"
    "insert into node select range, 1, case when range = 9 then 'the \"9\", Ltd' else 'c' || range end,"
    "  case when range in (7, 8) then 2 else 1 end from range(1, 1001);"
    "insert into node select 2000 + range, 2, 'c' || range || '@example.org', 1 from range(1, 1001);"
    "insert into link select range, 2000 + range, 1, '2024-01-01', '2024-01-01', 1 from range(1, 1001);"
    "insert into suppression values (2001, null, 'asked by phone', '2024-01-01', '2024-01-01', 1, 0);"
    "insert into event(event_id, node_id, kind, occurred_at) values (1, 2, 33, '2024-02-01'), (2, 2005, 33, "
    "'2024-02-01');"
    "insert into consent values (3, 'marketing', false, '2024-02-01', '2024-02-01', 1, 0),"
    "  (4, 'email', false, '2024-02-01', '2024-02-01', 1, 0), (2004, 'marketing', true, '2024-03-01', '2024-03-01', 1, "
    "0),"
    "  (5, 'marketing', true, '2024-03-01', '2024-03-01', 1, 0), (6, 'analytics', true, '2024-03-01', '2024-03-01', 1, "
    "0),"
    "  (2008, 'newsletter', true, '2024-03-01', '2024-03-01', 1, 0);"
    "insert into segment_run values (1, '2024-05-01', '2024-05-01', 1, 1, 1, '{}'), (2, '2024-06-01', '2024-06-01', 1, "
    "1,"
    "  1000, '{}');"
    "insert into segment values (1, 7, 'Old name', '#000', 1, 0, 'grow', '{}'), (2, 7, 'Loyal', '#000', 1000, 0, "
    "'grow',"
    "  '{}');"
    "insert into segment_member select 2, range, 7 from range(1, 1001);"
    "insert into segment_member values (1, 1, 7);"
    "create table feature_value as select range::integer as customer, 'c' || range as customer_id, range * 1.5 as "
    "monetary"
    "  from range(1, 1001)";

static int set_up(void **state)
{
    struct cot_err err = {0};
    (void)state;
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err, "%s", shop_sql), err);
    cot_store_close(store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(path);
    return 0;
}

static yyjson_mut_doc *export_segment(struct cot_export_options options)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    if (options.segment == NULL)
        options.segment = "loyal";
    if (options.format == NULL)
        options.format = "csv";
    if (options.purpose == NULL)
        options.purpose = "marketing";
    assert_ok(cot_export_run(&context, &options, &doc, &err), err);
    return doc;
}

static const char *path_of(yyjson_mut_doc *doc)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_doc_ptr_get(doc, "/path"));
    assert_non_null(text);
    return text != NULL ? text : "";
}

static int64_t number_of(yyjson_mut_doc *doc, const char *pointer)
{
    yyjson_mut_val *value = yyjson_mut_doc_ptr_get(doc, pointer);
    assert_non_null(value);
    return yyjson_mut_get_sint(value);
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

static void everybody_is_accounted_for(void **state)
{
    (void)state;
    yyjson_mut_doc *doc = export_segment((struct cot_export_options){.holdout = 0.1});
    assert_int_equal(number_of(doc, "/members"), 1000);
    assert_int_equal(number_of(doc, "/excluded/suppressed"), 1);
    assert_int_equal(number_of(doc, "/excluded/unsubscribed"), 1);
    assert_int_equal(number_of(doc, "/excluded/refused"), 1);
    assert_int_equal(number_of(doc, "/excluded/unknown_consent"), 1);
    assert_int_equal(number_of(doc, "/excluded/total"), 4);
    assert_int_equal(number_of(doc, "/treated") + number_of(doc, "/held_out"), 996);
    assert_true(number_of(doc, "/held_out") > 65 && number_of(doc, "/held_out") < 135); /* 99.6 +- 3.7 sd */
    const char *file = path_of(doc);
    char sql[512];
    /* The file holds the treated, the log both arms. */
    snprintf(sql, sizeof sql, "select count(*) from read_csv('%s', header = true, all_varchar = true)", file);
    assert_int_equal(ask(sql), number_of(doc, "/treated"));
    assert_int_equal(ask("select count(*) from export_member where arm = 'treated'"), number_of(doc, "/treated"));
    assert_int_equal(ask("select count(*) from export_member where arm = 'holdout'"), number_of(doc, "/held_out"));
    assert_int_equal(ask("select count(*) from export_member where customer in (1, 2, 3, 7)"), 0);
    assert_int_equal(ask("select count(*) from export_member where customer in (4, 5, 6, 8)"), 4);
    snprintf(
        sql, sizeof sql,
        "select count(*) from read_csv('%s', header = true, all_varchar = true) f where not exists (select 1 from"
        " export_member m join node n on n.node_id = m.customer where m.arm = 'treated' and n.value = f.customer_id"
        " and f.email = 'c' || m.customer || '@example.org' and f.segment = 'Loyal')",
        file);
    assert_int_equal(ask(sql), 0);
    yyjson_mut_doc_free(doc);
}

static void arms_are_stable_and_nested(void **state)
{
    (void)state;
    yyjson_mut_doc_free(export_segment((struct cot_export_options){.holdout = 0.1, .campaign = "spring"}));
    yyjson_mut_doc_free(export_segment((struct cot_export_options){.holdout = 0.1, .campaign = "spring"}));
    yyjson_mut_doc_free(export_segment((struct cot_export_options){.holdout = 0.3, .campaign = "spring"}));
    yyjson_mut_doc_free(export_segment((struct cot_export_options){.holdout = 0.1, .campaign = "autumn"}));
    assert_int_equal(ask("select count(*) from export_member a join export_member b using (customer)"
                         " where a.export_id = 1 and b.export_id = 2 and a.arm <> b.arm"),
                     0);
    assert_int_equal(ask("select count(*) from export_member a join export_member b using (customer)"
                         " where a.export_id = 1 and b.export_id = 3 and a.arm = 'holdout' and b.arm = 'treated'"),
                     0);
    /* Another campaign draws anew: about a tenth of the held out are held out again. */
    assert_true(ask("select count(*) from export_member a join export_member b using (customer)"
                    " where a.export_id = 1 and b.export_id = 4 and a.arm = 'holdout' and b.arm = 'holdout'") < 35);
}

static void formats_and_columns(void **state)
{
    char sql[512];
    (void)state;
    yyjson_mut_doc *doc =
        export_segment((struct cot_export_options){.columns = "customer_id, monetary", .format = "parquet"});
    snprintf(sql, sizeof sql, "select count(*) from '%s' where customer_id = 'c10' and monetary = 15", path_of(doc));
    assert_int_equal(ask(sql), 1);
    assert_non_null(strstr(yyjson_mut_get_str(yyjson_mut_doc_ptr_get(doc, "/warnings/0")), "without a holdout"));
    yyjson_mut_doc_free(doc);
    doc = export_segment((struct cot_export_options){.format = "json"});
    snprintf(sql, sizeof sql,
             "select count(*) from read_json('%s', format = 'newline_delimited') where customer_id = 'c10'",
             path_of(doc));
    assert_int_equal(ask(sql), 1);
    yyjson_mut_doc_free(doc);
    doc = export_segment((struct cot_export_options){.columns = "customer_id"});
    FILE *file = fopen(path_of(doc), "r");
    char line[64];
    bool quoted = false;
    while (fgets(line, sizeof line, file) != NULL)
        quoted = quoted || strcmp(line, "\"the \"\"9\"\", Ltd\"\n") == 0;
    fclose(file);
    assert_true(quoted);
    yyjson_mut_doc_free(doc);
}

static void assert_refused(struct cot_export_options options, cot_code code, const char *part)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    assert_int_equal(cot_export_run(&context, &options, &doc, &err), code);
    if (strstr(err.message, part) == NULL)
        fail_msg("the message lacks '%s': %s", part, err.message);
}

static void wrong_use_leaves_neither_file_nor_log(void **state)
{
    struct cot_export_options good = {.segment = "7", .format = "csv", .purpose = "marketing", .holdout = 0.1};
    struct cot_export_options bad = good;
    char nowhere[SCRATCH_PATH_SIZE + 32];
    (void)state;
    bad.segment = "nobody";
    assert_refused(bad, COT_USAGE, "7 Loyal");
    bad = good;
    bad.columns = "customer_id,shoe_size";
    assert_refused(bad, COT_USAGE, "shoe_size");
    bad.columns = "customer";
    assert_refused(bad, COT_USAGE, "'customer'");
    bad = good;
    bad.purpose = "fun";
    assert_refused(bad, COT_USAGE, "fun");
    bad = good;
    bad.format = "xlsx";
    assert_refused(bad, COT_USAGE, "xlsx");
    bad = good;
    bad.out = path; /* a folder */
    assert_refused(bad, COT_USAGE, "exists already");
    snprintf(nowhere, sizeof nowhere, "%s/none/x.csv", path);
    bad.out = nowhere;
    assert_refused(bad, COT_IO, "none/x.csv");
    assert_int_equal(ask("select count(*) from export_run"), 0);
    assert_int_equal(ask("select count(*) from export_member"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_is_accounted_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(arms_are_stable_and_nested, set_up, tear_down),
        cmocka_unit_test_setup_teardown(formats_and_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_use_leaves_neither_file_nor_log, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
