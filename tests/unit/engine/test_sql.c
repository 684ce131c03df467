/* SQL for the shop's owner: what it shows, and that it reaches nothing but the shop's tables and changes nothing. */
#include "engine/sql.h"

#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];

static int set_up(void **state)
{
    struct cot_err err = {0};
    (void)state;
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err, "insert into node values (1, 1, '42', 1), (2, 2, 'jo@example.org', 1)"), err);
    cot_store_close(store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(path);
    return 0;
}

/* The document of a query as one line of JSON. */
static char *ask(const char *sql)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .n_threads = 1};
    yyjson_mut_doc *doc = NULL;
    assert_ok(cot_sql_run(&context, sql, &doc, &err), err);
    char *text = yyjson_mut_write(doc, 0, NULL);
    yyjson_mut_doc_free(doc);
    assert_non_null(text);
    return text;
}

static void assert_answer(const char *sql, const char *expected)
{
    char *text = ask(sql);
    assert_string_equal(text, expected);
    free(text);
}

static void answers_have_columns_and_rows(void **state)
{
    (void)state;
    assert_answer("select node_id, value from node order by 1",
                  "{\"columns\":[\"node_id\",\"value\"],\"rows\":[{\"node_id\":1,\"value\":\"42\"},"
                  "{\"node_id\":2,\"value\":\"jo@example.org\"}]}");
    assert_answer("select node_id from node where false;", "{\"columns\":[\"node_id\"],\"rows\":[]}");
    assert_answer("select 1 a, 2 a, 3 a_1",
                  "{\"columns\":[\"a\",\"a_1\",\"a_1_1\"],\"rows\":[{\"a\":1,\"a_1\":2,\"a_1_1\":3}]}");
}

static void every_type_has_a_form(void **state)
{
    static const char *const cases[][2] = {
        {"[1, null]", "[1,null]"},
        {"{'a': 1, 'b': ['x']}", "{\"a\":1,\"b\":[\"x\"]}"},
        {"map {'x': 1, 'y': 2}", "{\"x\":1,\"y\":2}"},
        {"map {7: true}", "{\"7\":true}"},
        {"array_value(1.5::double, 2)", "[1.5,2.0]"},
        {"[{'a': [1, 2]}, {'a': []}]", "[{\"a\":[1,2]},{\"a\":[]}]"},
        {"'a'::enum('b', 'a')", "\"a\""},
        {"null", "null"},
        {"true", "true"},
        {"-7::tinyint", "-7"},
        {"18446744073709551615::ubigint", "18446744073709551615"},
        {"170141183460469231731687303715884105727::hugeint", "\"170141183460469231731687303715884105727\""},
        {"-170141183460469231731687303715884105727::hugeint", "\"-170141183460469231731687303715884105727\""},
        {"-5::hugeint", "-5"},
        {"340282366920938463463374607431768211455::uhugeint", "\"340282366920938463463374607431768211455\""},
        {"1.25::decimal(4, 2)", "1.25"},
        {"-1.25::decimal(38, 3)", "-1.25"},
        {"'nan'::double", "null"},
        {"'-inf'::float", "null"},
        {"date '2024-02-29'", "\"2024-02-29\""},
        {"date 'infinity'", "\"infinity\""},
        {"time '10:11:12'", "\"10:11:12\""},
        {"timestamp '1969-12-31 23:59:59.5'", "\"1969-12-31T23:59:59.500Z\""},
        {"timestamp_ns '2024-01-01 00:00:00.123456789'", "\"2024-01-01T00:00:00.123Z\""},
        {"interval '1 month 2 days 1.5 seconds'", "\"P1M2DT1.5S\""},
        {"'7f0e8a9c-0000-4000-8000-00000000000f'::uuid", "\"7f0e8a9c-0000-4000-8000-00000000000f\""},
        {"'\\xAB\\x00'::blob", "\"ab00\""},
        {"'caf\xc3\xa9'", "\"caf\xc3\xa9\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[256];
        char expected[256];
        snprintf(sql, sizeof sql, "select %s as v", cases[i][0]);
        snprintf(expected, sizeof expected, "{\"columns\":[\"v\"],\"rows\":[{\"v\":%s}]}", cases[i][1]);
        assert_answer(sql, expected);
    }
}

static void assert_refused(const char *sql, cot_code code, const char *part)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .n_threads = 1};
    yyjson_mut_doc *doc = NULL;
    if (cot_sql_run(&context, sql, &doc, &err) == COT_OK)
        fail_msg("was not refused: %s", sql);
    assert_int_equal(err.code, code);
    if (strstr(err.message, part) == NULL)
        fail_msg("%s: the message lacks '%s': %s", sql, part, err.message);
}

static void mistakes_point_at_the_place(void **state)
{
    (void)state;
    assert_refused("selct 1", COT_USAGE, "\n        ^");
    assert_refused("select foo from node", COT_USAGE, "\n               ^");
    assert_refused("", COT_USAGE, "no query");
    assert_refused("select 1; select 2", COT_USAGE, "one query");
    assert_refused("select $1", COT_USAGE, "parameters");
    assert_refused("select 'a'::integer", COT_BAD_DATA, "'a'");
    assert_refused("select * from range(1000001)", COT_LIMIT, "1000000 rows");
}

static void nothing_is_changed_or_reached(void **state)
{
    static const char *const attempts[] = {
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/passwd'",
        "select * from glob('/*')",
        "copy node to '/tmp/coterie-escape.csv'",
        "copy (select 1) to '%s/coterie.duckdb.tmp/escape.csv'",
        "explain analyze copy (select 1) to '%s/coterie.duckdb.tmp/escape.csv'",
        "EXPLAIN (ANALYZE) copy (select 1) to '%s/coterie.duckdb.tmp/escape.csv'",
        "attach '/tmp/coterie-escape.duckdb'",
        "attach ':memory:' as elsewhere",
        "export database '/tmp/coterie-escape'",
        "import database '/tmp/coterie-escape'",
        "install httpfs",
        "load '/tmp/escape.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "pragma threads = 1",
        "call pragma_version()",
        "insert into node values (3, 1, '43', 1)",
        "with gone as (delete from node returning *) from gone",
        "delete from node",
        "update setting set value = '0'",
        "create table t (a integer)",
        "create temp table t (a integer)",
        "create macro f() as 1",
        "drop table node",
        "alter table node add column a integer",
        "begin",
        "checkpoint",
        "vacuum",
        "prepare p as select 1",
        "select * from query('drop table node')",
    };
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        char sql[512];
        struct cot_err err = {0};
        struct cot_context context = {.data_dir = path, .n_threads = 1};
        yyjson_mut_doc *doc = NULL;
        const char *at = strstr(attempts[i], "%s");
        if (at == NULL)
            snprintf(sql, sizeof sql, "%s", attempts[i]);
        else
            snprintf(sql, sizeof sql, "%.*s%s%s", (int)(at - attempts[i]), attempts[i], path, at + 2);
        if (cot_sql_run(&context, sql, &doc, &err) == COT_OK)
            fail_msg("was not refused: %s", sql);
    }
    assert_answer("select count(*) n from node", "{\"columns\":[\"n\"],\"rows\":[{\"n\":2}]}");
    assert_int_not_equal(access("/tmp/coterie-escape.csv", F_OK), 0);
    char inside[SCRATCH_PATH_SIZE + 40];
    snprintf(inside, sizeof inside, "%s/coterie.duckdb.tmp/escape.csv", path);
    assert_int_not_equal(access(inside, F_OK), 0);
}

static void missing_shop_is_not_made(void **state)
{
    struct cot_err err = {0};
    char missing[SCRATCH_PATH_SIZE + 8];
    struct cot_context context = {.data_dir = missing};
    yyjson_mut_doc *doc = NULL;
    (void)state;
    snprintf(missing, sizeof missing, "%s/none", path);
    assert_int_equal(cot_sql_run(&context, "select 1", &doc, &err), COT_NOT_FOUND);
    assert_int_not_equal(access(missing, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_have_columns_and_rows), cmocka_unit_test(every_type_has_a_form),
        cmocka_unit_test(mistakes_point_at_the_place),   cmocka_unit_test(nothing_is_changed_or_reached),
        cmocka_unit_test(missing_shop_is_not_made),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
