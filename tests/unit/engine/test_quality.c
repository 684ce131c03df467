/* Planted faults are found, counted right and told without personal data; a clean shop has none of them. */
#include "engine/quality.h"

#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];

/* 60 customers who buy two ordinary items on 100 days in a row, no Sundays. */
static const char ordinary_sql[] =
    "insert into source values (1, 'shop', 'generic', 'orders', 'analytics', '2024-01-01');"
    "insert into import_run values (1, 1, 'orders.csv', 'orders', 'generic', 'x', 1, 10000, 10000, 0, 0, '{}',"
    "  '2024-06-01', '2024-06-01');"
    "insert into setting values ('base_currency', 'EUR');"
    "insert into node select range + 1, 1, 'c' || range, 1 from range(60);"
    "insert into item select range + 1, 'SKU-' || (1000 + range) from range(20);"
    "insert into item_fact select range + 1, 'Mug ' || range, 'Kitchen', null, null, null, null, '2023-01-01',"
    "  '2023-01-01', false, 0, 1 from range(20);"
    "insert into event" EVENT_COLUMNS
    " select row_number() over (), 1 + d_nr * 7 % 60, 1, d + interval 10 hour, d + interval 10 hour,"
    "  null, 'o' || d_nr, 1 + (d_nr + i) % 20, 1 + (d_nr + i) % 3, (1 + (d_nr + i) % 3) * 1000, null, null, null, "
    "'EUR',"
    "  'web', null, null, null, 1, hash(d_nr, i) from (select d_nr, i, timestamp '2024-01-01' + to_days(d_nr::int) as d"
    "  from range(100) t(d_nr), range(2) u(i)) where isodow(d) <> 7";

static const char faults_sql[] =
    /* wholesaler 61, test account 62, one who cancels at once 63, a robot 64, staff 65, an e-mail as user id 66 */
    "insert into node values (61, 1, 'whole', 1), (62, 2, 'test@shop.example.net', 1), (63, 1, 'slip', 1),"
    "  (64, 3, 'bot-1', 1), (65, 1, 'clerk', 1), (66, 1, 'jo@private.example.net', 1), (67, 2, 'a@b.de', 1),"
    "  (68, 2, 'b@b.de', 1), (69, 2, 'c@b.de', 1), (70, 2, 'd@b.de', 1), (71, 2, 'e@b.de', 1);"
    "insert into item values (21, 'POST'), (22, 'TEST001');"
    "insert into item_fact values (21, 'Postage', null, null, null, null, null, '2023-01-01', '2023-01-01', false, 0, "
    "1);"
    "insert into event" EVENT_COLUMNS " values"
    "  (1001, 61, 1, '2024-02-01 09:00', '2024-02-01', null, 'w1', 1, 5000, 5000000, null, null, null, 'EUR', null, "
    "null,"
    "    null, null, 1, 1001),"
    "  (1002, 63, 1, '2024-02-02 09:00', '2024-02-02', null, 's1', 2, 7, 7000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1002),"
    "  (1003, 63, 2, '2024-02-02 09:12', '2024-02-02', null, 'C-s1', 2, 7, -7000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1003),"
    "  (1004, 63, 2, '2024-02-03 09:12', '2024-02-03', null, 'C-s2', 2, 1, -1000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1004),"
    "  (1005, null, 1, '2024-02-05 09:12', '2024-02-05', null, 'g1', 3, 1, 1000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1005),"
    "  (1006, null, 1, '2024-02-05 09:12', '2024-02-05', null, 'g1', 3, 1, 1000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1005),"
    "  (1007, 66, 1, '2024-02-06 09:12', '2024-02-06', null, 'z1', 3, 1, 0, null, null, null, 'EUR', null, null, null, "
    "null,"
    "    1, 1007),"
    "  (1008, 66, 1, '2024-02-06 09:12', '2024-02-06', null, 'n1', 3, 1, -50000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1008),"
    "  (1009, 66, 1, '2024-02-06 09:12', '2024-02-06', null, 'z1', 21, 1, 500, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1009),"
    "  (1010, 65, 1, '2024-02-06 09:12', '2024-02-06', null, 't1', 22, 1, 500, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1010),"
    "  (1011, 65, 1, '2031-02-06 09:12', '2031-02-06', null, 'f1', 4, 1, 1000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1011),"
    "  (1012, 65, 1, '2024-02-06 09:12', '2024-02-06', null, 'f2', 5, 1, 10000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1012),"
    "  (1013, 1, 1, '2024-02-06 09:12', '2024-02-06', null, 'f2', 5, 1, 1000, null, null, null, 'EUR', null, null, "
    "null,"
    "    null, 1, 1013);"
    "insert into event" EVENT_COLUMNS
    " select 2000 + range, 64, 10, timestamp '2024-02-01' + to_seconds(range), '2024-02-01', null, "
    "null,"
    "  null, null, null, null, null, null, null, null, 's', null, null, 1, 0 from range(1500);"
    "insert into trait values (65, 'is_staff', 'true', null, '2024-01-01', '2024-01-01', true, 1, 0);"
    "insert into quarantine values (1, 1, 'orders.csv', 17, 'bad_date', 'no date', '{}', 'open', 0, '2024-06-01'),"
    "  (2, 1, 'orders.csv', 18, 'bad_date', 'no date', '{}', 'replayed', 0, '2024-06-01')";

static yyjson_mut_doc *look(const char *sql)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .n_threads = 1};
    yyjson_mut_doc *doc = NULL;
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_ok(cot_store_exec(store, &err, "%s", ordinary_sql), err);
    assert_ok(cot_store_exec(store, &err, "%s", sql), err);
    cot_store_close(store);
    assert_ok(cot_quality_run(&context, &doc, &err), err);
    scratch_remove(path);
    return doc;
}

static yyjson_mut_val *find(yyjson_mut_doc *doc, const char *key)
{
    size_t i;
    size_t n;
    yyjson_mut_val *finding;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "findings"), i, n, finding)
    {
        if (yyjson_mut_equals_str(yyjson_mut_obj_get(finding, "key"), key))
            return finding;
    }
    return NULL;
}

static void planted_faults_are_found(void **state)
{
    static const struct {
        const char *key;
        int count;
        const char *customer; /* of the first example; NULL: not looked at */
    } cases[] = {
        {"no_customer", 2, NULL},      {"negative_price", 1, NULL},    {"zero_price", 1, NULL},
        {"refunds", 2, "slip"},        {"no_product", 1, NULL},        {"test_items", 1, "clerk"},
        {"future", 1, "clerk"},        {"price_outliers", 1, "clerk"}, {"quantity_outliers", 1, "whole"},
        {"undone_at_once", 1, "slip"}, {"refunds_alone", 1, "slip"},   {"duplicates", 1, NULL},
        {"shared_orders", 2, NULL},    {"wholesalers", 1, "whole"},    {"test_accounts", 1, NULL},
        {"test_buyers", 1, "clerk"},   {"staff", 1, "clerk"},          {"bots", 1, NULL},
        {"quarantine", 1, NULL},
    };
    (void)state;
    yyjson_mut_doc *doc = look(faults_sql);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        yyjson_mut_val *finding = find(doc, cases[i].key);
        if (finding == NULL)
            fail_msg("'%s' was not found", cases[i].key);
        if (yyjson_mut_get_sint(yyjson_mut_obj_get(finding, "count")) != cases[i].count)
            fail_msg("'%s': %lld instead of %d", cases[i].key,
                     (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(finding, "count")), cases[i].count);
        yyjson_mut_val *example = yyjson_mut_arr_get_first(yyjson_mut_obj_get(finding, "examples"));
        if (cases[i].customer != NULL &&
            !yyjson_mut_equals_str(yyjson_mut_obj_get(example, "customer"), cases[i].customer))
            fail_msg("'%s' does not name '%s' first", cases[i].key, cases[i].customer);
    }
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_non_null(text);
    assert_null(strchr(text, '@')); /* not even where the shop's ids are addresses */
    free(text);
    yyjson_mut_doc_free(doc);
}

static void findings_come_worst_first(void **state)
{
    static const char *const order[] = {"high", "medium", "low", "info"};
    size_t i;
    size_t n;
    size_t rank = 0;
    double score = 1e9;
    yyjson_mut_val *finding;
    (void)state;
    yyjson_mut_doc *doc = look(faults_sql);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "findings"), i, n, finding)
    {
        while (rank < 4 && !yyjson_mut_equals_str(yyjson_mut_obj_get(finding, "severity"), order[rank])) {
            rank++;
            score = 1e9;
        }
        assert_true(rank < 4);
        double next = yyjson_mut_get_real(yyjson_mut_obj_get(finding, "score"));
        assert_true(next <= score);
        assert_true(rank != 0 || next >= 0.05);
        assert_true(rank != 1 || (next >= 0.005 && next < 0.05));
        score = next;
    }
    assert_true(n > 15);
    yyjson_mut_doc_free(doc);
}

static void clean_shop_has_nothing_serious(void **state)
{
    size_t i;
    size_t n;
    yyjson_mut_val *finding;
    (void)state;
    yyjson_mut_doc *doc = look("select 1");
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "findings"), i, n, finding)
    {
        if (!yyjson_mut_equals_str(yyjson_mut_obj_get(finding, "severity"), "info"))
            fail_msg("found in a clean shop: %s", yyjson_mut_get_str(yyjson_mut_obj_get(finding, "text")));
    }
    assert_non_null(find(doc, "closed_days"));
    yyjson_mut_doc_free(doc);
}

static void empty_shop_is_no_error(void **state)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = path, .n_threads = 1};
    yyjson_mut_doc *doc = NULL;
    (void)state;
    scratch_make(path);
    cot_store_close(scratch_shop(path));
    assert_ok(cot_quality_run(&context, &doc, &err), err);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "findings")), 0);
    yyjson_mut_doc_free(doc);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_faults_are_found),
        cmocka_unit_test(findings_come_worst_first),
        cmocka_unit_test(clean_shop_has_nothing_serious),
        cmocka_unit_test(empty_shop_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
