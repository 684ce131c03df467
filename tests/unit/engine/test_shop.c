/* Loading a shop from the store, and its features back into it. */
#include "unit/engine/scratch.h"

#include <math.h>

#include "engine/features.h"
#include "engine/rfm.h"

/* 150,000 events of 3,000 people, in the order of nothing; every 50th row is of nobody, every 40th superseded. */
static const char random_shop[] =
    "insert into setting values ('base_currency', 'EUR'), ('time_zone', 'Europe/Berlin');"
    "insert into source values (1, 'orders', 'generic', 'orders', null, null),"
    " (2, 'list', 'generic', 'customers', 'service', null);"
    "insert into import_run(import_id, source_id) values (1, 1), (2, 2);"
    "insert into node select range, case when range % 7 = 0 then 3 else 1 end, 'c' || range,"
    " case when range < 2990 then 1 else 2 end from range(3000);"
    "insert into link select range * 10, range * 10 + 1, 1, '2020-06-01', '2020-06-01', 1 from range(100);"
    "insert into link select range * 10, range * 10 + 1, -1, '2021-06-01', '2021-06-01', 1 from range(50);"
    "insert into item select range, 'p' || range from range(200);"
    "insert into item_fact select range, 'n', 'cat' || (range % 9), null, 'brand' || (range % 4), null, null,"
    " '1970-01-01', '1970-01-01', true, 0, 1 from range(200);"
    "insert into trait select range, 'Country', 'country ' || (range % 3), null, '1970-01-01', '1970-01-01', true, 1, 0"
    " from range(3000);"
    "insert into consent values (5, 'analytics', false, '2020-01-01', '2020-01-01', 1, 0);"
    "insert into event" EVENT_COLUMNS " select id, case when id % 50 = 0 then null else (hash(id) % 2900)::int end, k,"
    " t, t, case when id % 40 = 0 then t end, case when k < 3 then 'o' || (id // 4) end,"
    " case when id % 9 = 0 then null else (hash(id + 1) % 200)::int end, case when id % 11 = 0 then null else 1 + id % "
    "3 end,"
    " case when k = 1 then 100 + (hash(id + 2) % 9000)::bigint when k = 2 then -300 end,"
    " case when id % 3 = 0 then 20 end, case when id % 4 = 0 then 40 end, null, 'EUR',"
    " case id % 4 when 0 then 'web' when 1 then 'Store' when 2 then 'kiosk' end,"
    " case when k = 11 then 's' || (id // 5) end, case when k = 30 then 'c' || (id % 5) end, null, 1, 0 from"
    " (select range as id, ([1, 1, 2, 11, 30])[1 + (hash(range + 3) % 5)::bigint]::utinyint as k,"
    " timestamp '2020-01-01' + to_seconds((hash(range + 4) % 60000000)::bigint) as t from range(150000)";

static struct cot_store *make_shop(const char *path, const char *order)
{
    struct cot_err err = {0};
    struct cot_store *store = scratch_shop(path);
    char *sql = NULL;
    assert_true(asprintf(&sql, "%s%s)", random_shop, order) > 0);
    assert_ok(cot_store_exec(store, &err, "%s", sql), err);
    free(sql);
    return store;
}

static void compute(struct cot_store *store, unsigned n_threads, const char *as_of, struct cot_shop **ret_shop,
                    struct cot_feature_matrix *ret_matrix)
{
    struct cot_err err = {0};
    struct cot_context context = {.n_threads = n_threads};
    struct cot_features_options options = {.as_of = as_of};
    assert_ok(cot_features_compute(&context, store, &options, ret_shop, ret_matrix, &err), err);
}

static void expect_equal(const struct cot_feature_matrix *a, const struct cot_feature_matrix *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->d, b->d);
    assert_int_equal(a->as_of_ms, b->as_of_ms);
    assert_memory_equal(a->customers, b->customers, a->n * sizeof *a->customers);
    assert_memory_equal(a->values, b->values, a->n * a->d * sizeof *a->values);
}

/* The parts that threads read, and rows that lie in the file in another order, make no difference. */
static void threads_and_row_order(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    char shuffled_path[SCRATCH_PATH_SIZE];
    struct cot_shop *shops[3] = {0};
    struct cot_feature_matrix matrices[3] = {0};
    (void)state;
    scratch_make(path);
    scratch_make(shuffled_path);
    struct cot_store *store = make_shop(path, "");
    struct cot_store *shuffled = make_shop(shuffled_path, " order by hash(range)");
    compute(store, 1, NULL, &shops[0], &matrices[0]);
    compute(store, 3, NULL, &shops[1], &matrices[1]);
    compute(shuffled, 2, NULL, &shops[2], &matrices[2]);
    expect_equal(&matrices[0], &matrices[1]);
    expect_equal(&matrices[0], &matrices[2]);
    assert_int_equal(shops[0]->n_events, shops[1]->n_events);
    assert_true(shops[0]->n_events < 150000 && shops[0]->n_events > 140000);
    for (size_t i = 0; i < 3; i++) {
        cot_feature_matrix_free(&matrices[i]);
        cot_shop_free(shops[i]);
    }
    cot_store_close(store);
    cot_store_close(shuffled);
    scratch_remove(path);
    scratch_remove(shuffled_path);
}

/* What is loaded is what SQL says: customers, money, links of the day, names, consent. */
static void as_of(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct cot_shop *shop = NULL;
    struct cot_feature_matrix matrix = {0};
    int64_t revenue_minor = 0;
    double sum = 0;
    (void)state;
    scratch_make(path);
    struct cot_store *store = make_shop(path, "");
    compute(store, 2, "2020-12-31", &shop, &matrix);
    assert_int_equal(matrix.n, 3000 - 100);                    /* 100 pairs are linked then; everyone has a trait */
    assert_int_equal(matrix.as_of_ms, INT64_C(1609455599999)); /* the day ends at 23:00 UTC in Berlin */
    assert_ok(cot_store_number(store, &revenue_minor, &err,
                               "select sum(amount_minor)::bigint from event where node_id is not null and"
                               " superseded_at is null and occurred_at < '2020-12-31 23:00:00'"),
              err);
    size_t j = cot_feature_matrix_find(&matrix, "monetary_total");
    for (size_t i = 0; i < matrix.n; i++)
        sum += (double)matrix.values[i * matrix.d + j];
    assert_true(fabs(sum * 100 - (double)revenue_minor) < 1e-5 * fabs((double)revenue_minor));
    char buffer[COT_ANONYMOUS_ID_SIZE];
    size_t size = 0;
    const char *id = cot_shop_customer_id(shop, 0, buffer, &size); /* nodes 0 (anonymous) and 1 (a user) */
    assert_int_equal(size, 2);
    assert_memory_equal(id, "c1", 2);
    id = cot_shop_customer_id(shop, cot_shop_customer_of(shop, 7), buffer, &size); /* anonymous alone */
    assert_memory_equal(id, "anon-", 5);
    assert_int_equal(cot_shop_customer_of(shop, 1), 0);
    assert_int_equal(cot_shop_customer_of(shop, 3000), COT_NO_CUSTOMER);
    assert_false(matrix.analytics[cot_shop_customer_of(shop, 5)]); /* said no */
    assert_true(matrix.analytics[cot_shop_customer_of(shop, 6)]);  /* said nothing: the source has no policy */
    assert_false(
        matrix.analytics[cot_shop_customer_of(shop, 2995)]); /* said nothing: the source assumes service only */
    cot_feature_matrix_free(&matrix);
    cot_shop_free(shop);
    compute(store, 2, NULL, &shop, &matrix);
    assert_int_equal(matrix.n, 3000 - 50); /* half were unlinked since */
    cot_feature_matrix_free(&matrix);
    cot_shop_free(shop);
    cot_store_close(store);
    scratch_remove(path);
}

/* feature_value and the view customers hold the matrix; a rollback takes them back. */
static void stored_features(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct cot_shop *shop = NULL;
    struct cot_feature_matrix matrix = {0};
    int64_t n = 0;
    (void)state;
    scratch_make(path);
    struct cot_store *store = make_shop(path, "");
    compute(store, 2, NULL, &shop, &matrix);
    assert_ok(cot_store_begin(store, &err), err);
    assert_ok(cot_features_store(store, shop, &matrix, NULL, &err), err);
    cot_store_rollback(store);
    assert_int_not_equal(cot_store_number(store, &n, &err, "select count(*) from customers"), COT_OK);
    for (int round = 0; round < 2; round++) { /* the second replaces the first */
        assert_ok(cot_store_begin(store, &err), err);
        assert_ok(cot_features_store(store, shop, &matrix, NULL, &err), err);
        assert_ok(cot_store_commit(store, &err), err);
    }
    assert_ok(cot_store_exec(store, &err,
                             "insert into segment_run(run_id) values (1), (2);"
                             "insert into segment(run_id, segment_id, name) values (1, 1, 'old'), (2, 1, 'new');"
                             "insert into segment_member values (1, 0, 1), (2, 0, 1)"),
              err);
    assert_ok(cot_store_number(store, &n, &err, "select count(*) from customers"), err);
    assert_int_equal(n, matrix.n);
    assert_ok(cot_store_number(store, &n, &err, "select count(*) from customers where segment = 'new'"), err);
    assert_int_equal(n, 1);
    size_t j = cot_feature_matrix_find(&matrix, "interpurchase_cv");
    size_t j_country = cot_feature_matrix_find(&matrix, "country");
    int64_t n_missing = 0;
    int64_t n_most = 0;
    for (size_t i = 0; i < matrix.n; i++) {
        n_missing += isnan(matrix.values[i * matrix.d + j]);
        n_most += matrix.values[i * matrix.d + j_country] == 0;
    }
    assert_ok(cot_store_number(store, &n, &err, "select count(*) from customers where interpurchase_cv is null"), err);
    assert_int_equal(n, n_missing);
    assert_ok(cot_store_number(store, &n, &err, "select count(*) from customers where country = '%s'",
                               matrix.columns[j_country].category_names[0]),
              err);
    assert_int_equal(n, n_most);
    assert_ok(cot_store_number(store, &n, &err,
                               "select count(*) from duckdb_columns() where table_name = 'feature_value'"
                               " and comment is null"),
              err);
    assert_int_equal(n, 0); /* every column says what it is */
    cot_feature_matrix_free(&matrix);
    cot_shop_free(shop);
    cot_store_close(store);
    scratch_remove(path);
}

static void nothing_there(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct cot_shop *shop = NULL;
    struct cot_shop_options options = {.as_of_ms = COT_AS_OF_LAST_DAY};
    (void)state;
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_int_equal(cot_shop_load(store, &options, &shop, &err), COT_NOT_FOUND);
    assert_non_null(strstr(err.message, "import"));
    /* An event of a node that is not there is bad data, not a crash. */
    assert_ok(cot_store_exec(store, &err,
                             "insert into node values (0, 1, 'a', 1);"
                             "insert into event(event_id, node_id, kind, occurred_at, recorded_at)"
                             " values (0, 7, 11, '2020-01-01', '2020-01-01')"),
              err);
    assert_int_equal(cot_shop_load(store, &options, &shop, &err), COT_BAD_DATA);
    assert_null(shop);
    cot_store_close(store);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_row_order),
        cmocka_unit_test(as_of),
        cmocka_unit_test(stored_features),
        cmocka_unit_test(nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
