#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the four above before it */
#include <cmocka.h>

#include "store/writer.h"

static char folder[] = "/tmp/coterie-writer-XXXXXX";
static struct cot_store *store;

static int open_store(void **state)
{
    struct cot_err err = {0};
    const struct cot_store_options options = {.mode = COT_STORE_CREATE};
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    return cot_store_open(folder, &options, &store, &err) == COT_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int close_store(void **state)
{
    (void)state;
    cot_store_close(store);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int64_t number(const char *sql)
{
    struct cot_err err = {0};
    int64_t value = -1;
    assert_int_equal(cot_store_number(store, &value, &err, "%s", sql), COT_OK);
    return value;
}

static void columns_are_those_of_the_schema(void **state)
{
    struct cot_err err = {0};
    (void)state;
    for (int table = 0; table < COT_N_TABLES; table++) {
        struct cot_rows *rows = NULL;
        assert_int_equal(cot_rows_open(store, &rows, &err, "select * from %s", cot_table_name((enum cot_table)table)),
                         COT_OK);
        assert_int_equal(cot_rows_n_columns(rows), cot_table_n_columns((enum cot_table)table));
        for (size_t i = 0; i < cot_rows_n_columns(rows); i++)
            assert_string_equal(cot_rows_column_name(rows, i), cot_table_column_name((enum cot_table)table, i));
        cot_rows_close(rows);
    }
}

static void put_traits(struct cot_writer *writer, int32_t n)
{
    struct cot_err err = {0};
    for (int32_t i = 0; i < n; i++) {
        char text[64];
        int size = snprintf(text, sizeof text, i % 2 == 0 ? "v%d" : "a value beyond twelve bytes %d", i);
        cot_put_int32(writer, COT_trait_node_id, i);
        cot_put_text(writer, COT_trait_key, "k", 1);
        cot_put_text(writer, COT_trait_value, i % 5 == 0 ? NULL : text, (size_t)size);
        cot_put_double(writer, COT_trait_number, i % 3 == 0 ? (double)NAN : i);
        cot_put_time(writer, COT_trait_occurred_at, i % 7 == 0 ? INT64_MIN : i);
        cot_put_time(writer, COT_trait_recorded_at, i);
        cot_put_int8(writer, COT_trait_timeless, i % 2 == 0);
        cot_put_int32(writer, COT_trait_import_id, 1);
        cot_put_hash(writer, COT_trait_row_hash, (struct cot_hash128){.high = 1, .low = (uint64_t)i});
        assert_int_equal(cot_writer_end_row(writer, &err), COT_OK);
    }
}

static void rows_arrive_in_order_with_their_nulls(void **state)
{
    enum { N = 300001 };
    struct cot_writer *writer = NULL;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_store_begin(store, &err), COT_OK);
    assert_int_equal(cot_writer_open(store, COT_TABLE_trait, &writer, &err), COT_OK);
    put_traits(writer, N);
    assert_int_equal(writer->n_rows, N);
    assert_int_equal(cot_writer_close(writer, &err), COT_OK);
    assert_int_equal(cot_store_commit(store, &err), COT_OK);

    assert_int_equal(number("select count(*) from trait"), N);
    assert_int_equal(number("select count(*) from trait where node_id <> rowid"), 0);
    assert_int_equal(number("select count(*) from trait where (value is null) <> (node_id % 5 = 0) or"
                            " value <> (if(node_id % 2 = 0, 'v', 'a value beyond twelve bytes ') || node_id)"),
                     0);
    assert_int_equal(number("select count(*) from trait where (number is null) <> (node_id % 3 = 0) or"
                            " number <> node_id or timeless <> (node_id % 2 = 0)"),
                     0);
    assert_int_equal(number("select count(*) from trait where (occurred_at is null) <> (node_id % 7 = 0) or"
                            " epoch_ms(occurred_at) <> node_id or epoch_ms(recorded_at) <> node_id or"
                            " row_hash <> 18446744073709551616::uhugeint + node_id"),
                     0);
}

/* Two tables at once, both beyond what DuckDB gathers before it inserts: the writers share one connection. */
static void two_writers_work_side_by_side(void **state)
{
    enum { N = 450000 };
    struct cot_writer *traits = NULL;
    struct cot_writer *links = NULL;
    struct cot_err err = {0};
    (void)state;
    int64_t before = number("select count(*) from trait");
    assert_int_equal(cot_store_begin(store, &err), COT_OK);
    assert_int_equal(cot_writer_open(store, COT_TABLE_trait, &traits, &err), COT_OK);
    assert_int_equal(cot_writer_open(store, COT_TABLE_link, &links, &err), COT_OK);
    for (int32_t i = 0; i < N; i++) {
        put_traits(traits, 1);
        cot_put_int32(links, COT_link_node_a, i);
        cot_put_int32(links, COT_link_node_b, i + 1);
        cot_put_int8(links, COT_link_op, 1);
        cot_put_time(links, COT_link_occurred_at, i);
        cot_put_time(links, COT_link_recorded_at, i);
        cot_put_int32(links, COT_link_import_id, 1);
        assert_int_equal(cot_writer_end_row(links, &err), COT_OK);
    }
    assert_int_equal(cot_writer_close(traits, &err), COT_OK);
    assert_int_equal(cot_writer_close(links, &err), COT_OK);
    assert_int_equal(cot_store_commit(store, &err), COT_OK);
    assert_int_equal(number("select count(*) from trait"), before + N);
    assert_int_equal(number("select count(*) from link where node_a <> rowid"), 0);
    assert_int_equal(number("select count(*) from link"), N);
}

static void abandoned_rows_are_gone(void **state)
{
    struct cot_writer *writer = NULL;
    struct cot_err err = {0};
    (void)state;
    int64_t before = number("select count(*) from trait");
    assert_int_equal(cot_store_begin(store, &err), COT_OK);
    assert_int_equal(cot_writer_open(store, COT_TABLE_trait, &writer, &err), COT_OK);
    put_traits(writer, 10000);
    cot_writer_abandon(writer);
    cot_store_rollback(store);
    assert_int_equal(number("select count(*) from trait"), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_the_schema),
        cmocka_unit_test(rows_arrive_in_order_with_their_nulls),
        cmocka_unit_test(two_writers_work_side_by_side),
        cmocka_unit_test(abandoned_rows_are_gone),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
