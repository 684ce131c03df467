/* Files of other versions: older ones are brought up to date, newer ones are refused, and both say what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/folder.h"
#include "store/schema.h"
#include "store/store.h"

struct fixture {
    char path[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->path, sizeof fixture->path, "/tmp/coterie-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->path));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(cot_folder_remove(fixture->path, NULL), COT_OK);
    free(fixture);
    return 0;
}

static cot_code open_as(const struct fixture *fixture, enum cot_store_mode mode, struct cot_store **ret_store,
                        struct cot_err *err)
{
    struct cot_store_options options = {.mode = mode, .n_threads = 1};
    return cot_store_open(fixture->path, &options, ret_store, err);
}

/* A file as DuckDB itself makes it, without anything of ours. */
static void make_empty_file(const struct fixture *fixture)
{
    char path[96];
    duckdb_database database = NULL;
    snprintf(path, sizeof path, "%s/coterie.duckdb", fixture->path);
    assert_int_equal(duckdb_open(path, &database), DuckDBSuccess);
    duckdb_close(&database);
}

static void set_version(const struct fixture *fixture, int version)
{
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    assert_int_equal(open_as(fixture, COT_STORE_CREATE, &store, &err), COT_OK);
    assert_int_equal(
        cot_store_exec(store, &err, "update setting set value = '%d' where key = 'schema_version'", version), COT_OK);
    cot_store_close(store);
}

static void write_bytes(const struct fixture *fixture, const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s", text);
    fclose(file);
}

static bool has_file(const struct fixture *fixture, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    return access(path, F_OK) == 0;
}

/* Every column and view with its type and comment, as one number. */
static int64_t shape_of(struct cot_store *store)
{
    struct cot_err err = {0};
    int64_t shape = 0;
    assert_int_equal(cot_store_number(store, &shape, &err,
                                      "select (bit_xor(hash(table_name, column_name, column_index, data_type, comment))"
                                      " >> 1)::bigint from duckdb_columns() where not internal"),
                     COT_OK);
    assert_int_not_equal(shape, 0);
    return shape;
}

static void newer_file_is_refused(void **state)
{
    static const enum cot_store_mode modes[] = {COT_STORE_CREATE, COT_STORE_EXISTING, COT_STORE_READ_ONLY};
    const struct fixture *fixture = *state;
    set_version(fixture, COT_SCHEMA_VERSION + 1);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct cot_err err = {0};
        struct cot_store *store = NULL;
        assert_int_equal(open_as(fixture, modes[i], &store, &err), COT_BAD_DATA);
        assert_null(store);
        assert_non_null(strstr(err.message, "has schema"));
        assert_non_null(strstr(err.message, "newer coterie"));
    }
}

static void older_file_is_not_read_but_migrated_by_writing(void **state)
{
    const struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    int version = -1;
    make_empty_file(fixture);
    assert_int_equal(open_as(fixture, COT_STORE_READ_ONLY, &store, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "has schema 0"));
    assert_non_null(strstr(err.message, "writing command migrates"));
    assert_int_equal(open_as(fixture, COT_STORE_EXISTING, &store, &err), COT_OK);
    assert_int_equal(cot_schema_version(store, &version, &err), COT_OK);
    assert_int_equal(version, COT_SCHEMA_VERSION);
    cot_store_close(store);
    assert_int_equal(open_as(fixture, COT_STORE_READ_ONLY, &store, &err), COT_OK);
    cot_store_close(store);
}

/* Whatever version a file comes from, it ends up as one made today. */
static void migrated_and_new_files_are_alike(void **state)
{
    const struct fixture *fixture = *state;
    struct fixture other = {0};
    struct fixture *other_state = NULL;
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    make_empty_file(fixture);
    assert_int_equal(open_as(fixture, COT_STORE_EXISTING, &store, &err), COT_OK);
    int64_t migrated = shape_of(store);
    cot_store_close(store);
    assert_int_equal(set_up((void **)&other_state), 0);
    other = *other_state;
    assert_int_equal(open_as(&other, COT_STORE_CREATE, &store, &err), COT_OK);
    assert_int_equal(shape_of(store), migrated);
    cot_store_close(store);
    assert_int_equal(tear_down((void **)&other_state), 0);
}

static void file_of_something_else_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    char path[96];
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    snprintf(path, sizeof path, "%s/coterie.duckdb", fixture->path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%04096d", 7);
    fclose(file);
    assert_int_equal(open_as(fixture, COT_STORE_EXISTING, &store, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, path));
}

/* What a creation killed half-way leaves is no shop, and does not stand in the next one's way. */
static void leftovers_of_a_killed_creation_go(void **state)
{
    const struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    int64_t n = -1;
    write_bytes(fixture, "coterie.duckdb.new", "half a database");
    write_bytes(fixture, "coterie.duckdb.new.wal", "half a log");
    assert_int_equal(open_as(fixture, COT_STORE_READ_ONLY, &store, &err), COT_NOT_FOUND);
    assert_int_equal(open_as(fixture, COT_STORE_EXISTING, &store, &err), COT_NOT_FOUND);
    assert_int_equal(open_as(fixture, COT_STORE_CREATE, &store, &err), COT_OK);
    assert_int_equal(cot_store_number(store, &n, &err, "select count(*) from event"), COT_OK);
    assert_int_equal(n, 0);
    assert_false(has_file(fixture, "coterie.duckdb.new"));
    assert_false(has_file(fixture, "coterie.duckdb.new.wal"));
    assert_string_equal(strrchr(cot_store_path(store), '/'), "/coterie.duckdb");
    cot_store_close(store);
    assert_int_equal(open_as(fixture, COT_STORE_READ_ONLY, &store, &err), COT_OK);
    cot_store_close(store);
}

/* A log without its database may be all that is left of somebody's data. */
static void log_without_database_is_refused_and_kept(void **state)
{
    const struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    write_bytes(fixture, "coterie.duckdb.wal", "somebody's");
    assert_int_equal(open_as(fixture, COT_STORE_CREATE, &store, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "coterie.duckdb.wal' is the log of a database that is not there"));
    assert_true(has_file(fixture, "coterie.duckdb.wal"));
    assert_false(has_file(fixture, "coterie.duckdb"));
}

/* Whoever creates at the same time: every process ends with the one whole shop or hears that it is in use. */
static void creators_at_once_make_one_shop(void **state)
{
    enum { N_PROCESSES = 6 };
    const struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    pid_t children[N_PROCESSES];
    int64_t n = 0;
    int n_opened = 0;
    for (int i = 0; i < N_PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            cot_code rc = open_as(fixture, COT_STORE_CREATE, &store, &err);
            if (rc == COT_OK)
                rc = cot_store_exec(store, &err, "insert into setting values ('opened', 'yes')");
            cot_store_close(store);
            _exit(rc == COT_OK ? 0 : rc == COT_IO && strstr(err.message, "in use by another process") != NULL ? 1 : 2);
        }
    }
    for (int i = 0; i < N_PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        n_opened += WEXITSTATUS(status) == 0;
    }
    assert_in_range(n_opened, 1, N_PROCESSES);
    assert_int_equal(open_as(fixture, COT_STORE_READ_ONLY, &store, &err), COT_OK);
    assert_int_equal(cot_store_number(store, &n, &err, "select count(*) from setting where key = 'opened'"), COT_OK);
    assert_int_equal(n, n_opened);
    cot_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newer_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(older_file_is_not_read_but_migrated_by_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(migrated_and_new_files_are_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_of_something_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_of_a_killed_creation_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_without_database_is_refused_and_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(creators_at_once_make_one_shop, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
