/* A backup comes back whole or not at all. */
#include "engine/backup.h"

#include <sys/stat.h>

#include "base/folder.h"
#include "base/rng.h"
#include "engine/backup_archive.h"
#include "engine/backup_verify.h"
#include "unit/engine/scratch.h"

struct fixture {
    char path[SCRATCH_PATH_SIZE];
    char shop[SCRATCH_PATH_SIZE + 16];
    char tar[SCRATCH_PATH_SIZE + 16];
    char back[SCRATCH_PATH_SIZE + 16];
    struct cot_context context;
};

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static int set_up(void **state)
{
    struct cot_err err = {0};
    char name[512];
    yyjson_mut_doc *doc = NULL;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    scratch_make(fixture->path);
    snprintf(fixture->shop, sizeof fixture->shop, "%s/shop", fixture->path);
    snprintf(fixture->tar, sizeof fixture->tar, "%s/shop.tar", fixture->path);
    snprintf(fixture->back, sizeof fixture->back, "%s/back", fixture->path);
    fixture->context = (struct cot_context){.data_dir = fixture->shop, .n_threads = 1};
    struct cot_store *store = scratch_shop(fixture->shop);
    assert_ok(cot_store_exec(store, &err, "insert into node values (1, 1, '42', 1)"), err);
    cot_store_close(store);
    snprintf(name, sizeof name, "%s/models/%060d", fixture->shop, 6);
    assert_ok(cot_folder_make(name, &err), err);
    snprintf(name, sizeof name, "%s/models/%060d/%060d.cotm", fixture->shop, 6, 7); /* needs ustar's prefix field */
    write_file(name, "model", 5);
    snprintf(name, sizeof name, "%s/empty", fixture->shop);
    write_file(name, "", 0);
    snprintf(name, sizeof name, "%s/half.tmp", fixture->shop);
    write_file(name, "half", 4);
    assert_ok(cot_backup_run(&fixture->context, fixture->tar, &doc, &err), err);
    assert_int_equal(yyjson_mut_get_uint(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "files")), 3);
    yyjson_mut_doc_free(doc);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static cot_code restore(struct fixture *fixture, const char *path, bool force, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    struct cot_context context = {.data_dir = fixture->back, .n_threads = 1};
    struct cot_restore_options options = {.path = path, .force = force};
    cot_code rc = cot_restore_run(&context, &options, &doc, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

static int64_t count_nodes(const char *shop)
{
    struct cot_err err = {0};
    int64_t n = -1;
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = 1};
    assert_ok(cot_store_open(shop, &options, &store, &err), err);
    assert_ok(cot_store_number(store, &n, &err, "select count(*) from node"), err);
    cot_store_close(store);
    return n;
}

static cot_code count_file(void *context, const char *name, const char *path, const struct stat *status,
                           struct cot_err *err)
{
    size_t *n = context;
    (void)name;
    (void)path;
    (void)status;
    (void)err;
    ++*n;
    return COT_OK;
}

static void everything_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    size_t n = 0;
    size_t size = 0;
    char name[512];
    assert_ok(restore(fixture, fixture->tar, false, &err), err);
    assert_int_equal(count_nodes(fixture->back), 1);
    snprintf(name, sizeof name, "%s/models/%060d/%060d.cotm", fixture->back, 6, 7);
    char *bytes = read_file(name, &size);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "model", 5);
    free(bytes);
    assert_ok(cot_folder_walk(fixture->back, count_file, &n, &err), err);
    assert_int_equal(n, 3); /* without half.tmp */
}

static void shop_is_replaced_by_force_only(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    char name[SCRATCH_PATH_SIZE + 64];
    size_t n = 0;
    struct cot_store *store = scratch_shop(fixture->back);
    cot_store_close(store);
    assert_int_equal(restore(fixture, fixture->tar, false, &err), COT_USAGE);
    assert_int_equal(count_nodes(fixture->back), 0);
    assert_ok(restore(fixture, fixture->tar, true, &err), err);
    assert_int_equal(count_nodes(fixture->back), 1);

    /* A shop that can't be opened is what backups are for. */
    snprintf(name, sizeof name, "%s/coterie.duckdb", fixture->back);
    write_file(name, "gone", 4);
    assert_ok(restore(fixture, fixture->tar, true, &err), err);
    assert_int_equal(count_nodes(fixture->back), 1);
    assert_ok(cot_folder_walk(fixture->path, count_file, &n, &err), err);
    assert_int_equal(n, 4 + 3 + 1); /* shop, back, tar: nothing is left lying about */
}

/* kill -9 while a shop was made leaves its database under another name: no shop, and nothing worth keeping. */
static void what_a_killed_making_left_is_replaced(void **state)
{
    static const char *const names[] = {"coterie.duckdb.new", "coterie.duckdb.new.wal", "coterie.duckdb.new.tmp/1"};
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    char name[SCRATCH_PATH_SIZE + 64];
    size_t n = 0;
    snprintf(name, sizeof name, "%s/coterie.duckdb.new.tmp", fixture->back);
    assert_ok(cot_folder_make(name, &err), err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", fixture->back, names[i]);
        write_file(name, "x", 1);
    }
    assert_ok(restore(fixture, fixture->tar, false, &err), err);
    assert_int_equal(count_nodes(fixture->back), 1);
    assert_ok(cot_folder_walk(fixture->path, count_file, &n, &err), err);
    assert_int_equal(n, 4 + 3 + 1); /* shop, back, tar: what was left is gone */
    snprintf(name, sizeof name, "%s/other", fixture->path);
    assert_ok(cot_folder_make(name, &err), err);
    snprintf(name, sizeof name, "%s/other/coterie.duckdb.newer", fixture->path);
    write_file(name, "x", 1);
    snprintf(fixture->back, sizeof fixture->back, "%s/other", fixture->path);
    assert_int_equal(restore(fixture, fixture->tar, true, &err), COT_USAGE);
}

/* A shop that another schema keeps from being read is replaced with a warning; one that lacked memory is not. */
static void erasures_that_cannot_be_read_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    struct cot_context context = {.data_dir = fixture->back, .n_threads = 1};
    struct cot_restore_options options = {.path = fixture->tar, .force = true};
    for (int i = 0; i < 3; i++) {
        struct cot_store *store = scratch_shop(fixture->back);
        if (i == 1) /* as a value that is damaged */
            assert_ok(cot_store_exec(store, &err, "insert into erased(value_hash) values ('no hash')"), err);
        if (i == 2)
            assert_ok(cot_store_exec(store, &err, "update setting set value = '0' where key = 'schema_version'"), err);
        cot_store_close(store);
        assert_ok(cot_restore_run(&context, &options, &doc, &err), err);
        yyjson_mut_val *warnings = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "warnings");
        assert_int_equal(yyjson_mut_arr_size(warnings), i > 0);
        if (i > 0)
            assert_non_null(strstr(yyjson_mut_get_str(yyjson_mut_arr_get_first(warnings)), "could not be read"));
        yyjson_mut_doc_free(doc);
        assert_int_equal(count_nodes(fixture->back), 1);
    }
    struct cot_store *store = scratch_shop(fixture->back);
    assert_ok(cot_store_exec(store, &err, "drop table erased"), err); /* none of the codes that mean "damaged" */
    cot_store_close(store);
    assert_int_not_equal(cot_restore_run(&context, &options, &doc, &err), COT_OK);
    assert_non_null(strstr(err.message, "nothing was restored"));
}

static void folder_that_is_no_shop_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    char name[SCRATCH_PATH_SIZE + 64];
    assert_ok(cot_folder_make(fixture->back, &err), err);
    snprintf(name, sizeof name, "%s/thesis.txt", fixture->back);
    write_file(name, "x", 1);
    assert_int_equal(restore(fixture, fixture->tar, true, &err), COT_USAGE);
    assert_int_equal(access(name, F_OK), 0);
}

/* No damage of one bit goes unseen, wherever it is: in headers, contents, padding, manifest or end. */
static void flipped_bits_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_manifest manifest = {0};
    struct cot_rng rng;
    char bad[SCRATCH_PATH_SIZE + 16];
    size_t size = 0;
    char *bytes = read_file(fixture->tar, &size);
    snprintf(bad, sizeof bad, "%s/bad.tar", fixture->path);
    write_file(bad, bytes, size);
    cot_rng_init(&rng, 7);
    FILE *file = fopen(bad, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 500; i++) {
        /* Half of them in the last 5 kB: manifest, sums, end. Every header field of the first file too. */
        size_t at = i < 200   ? size - 1 - (size_t)(cot_rng_uniform(&rng) * 5000)
                    : i < 300 ? (size_t)(cot_rng_uniform(&rng) * 512)
                              : (size_t)(cot_rng_uniform(&rng) * (double)size);
        int bit = (int)(cot_rng_uniform(&rng) * 8);
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        fputc((unsigned char)bytes[at] ^ (1 << bit), file);
        fflush(file);
        cot_code rc = cot_backup_verify(bad, NULL, NULL, &manifest, &err);
        if (rc == COT_OK) /* owner and time of the file in the archive mean nothing to us, but their sum shows it */
            fail_msg("bit %d of byte %zu of %zu was flipped unseen", bit, at, size);
        assert_int_equal(rc, COT_BAD_DATA);
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        fputc(bytes[at], file);
        fflush(file);
    }
    fclose(file);
    assert_ok(cot_backup_verify(bad, NULL, NULL, &manifest, &err), err);
    cot_manifest_release(&manifest);
    free(bytes);
}

static void cut_backup_is_refused_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_manifest manifest = {0};
    size_t size = 0;
    size_t n = 0;
    char *bytes = read_file(fixture->tar, &size);
    for (size_t keep = size - 1; keep > size - 6000; keep -= 97) {
        assert_int_equal(truncate(fixture->tar, (off_t)keep), 0);
        assert_int_equal(cot_backup_verify(fixture->tar, NULL, NULL, &manifest, &err), COT_BAD_DATA);
    }
    for (size_t keep = 0; keep < 1024; keep += 511) {
        assert_int_equal(truncate(fixture->tar, (off_t)keep), 0);
        assert_int_equal(restore(fixture, fixture->tar, false, &err), COT_BAD_DATA);
    }
    assert_int_not_equal(access(fixture->back, F_OK), 0);
    assert_ok(cot_folder_walk(fixture->path, count_file, &n, &err), err);
    assert_int_equal(n, 4 + 1);
    bytes = realloc(bytes, size + 1);
    bytes[size] = '\0';
    write_file(fixture->tar, bytes, size + 1);
    assert_int_equal(restore(fixture, fixture->tar, false, &err), COT_BAD_DATA);
    free(bytes);
}

/* Someone else's archive: names that leave the folder, and none of our manifest. */
static void foreign_archives_are_refused(void **state)
{
    static const char *const names[] = {"../escape", "/tmp/coterie-escape", "a/../../escape", "a//b", "./a", "a/"};
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    char bad[SCRATCH_PATH_SIZE + 16];
    snprintf(bad, sizeof bad, "%s/bad.tar", fixture->path);
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        struct cot_archive_writer *writer = NULL;
        struct cot_archive_entry entry = {.size = 1};
        snprintf(entry.name, sizeof entry.name, "%s", i < sizeof names / sizeof *names ? names[i] : "harmless");
        assert_ok(cot_archive_create(bad, &writer, &err), err);
        assert_ok(cot_archive_add_bytes(writer, "x", &entry, &err), err);
        assert_ok(cot_archive_finish(writer, &err), err);
        cot_archive_writer_free(writer);
        assert_int_equal(restore(fixture, bad, false, &err), COT_BAD_DATA);
        assert_int_equal(unlink(bad), 0);
    }
    assert_int_not_equal(access("/tmp/coterie-escape", F_OK), 0);
}

static void backup_never_overwrites(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    char inside[SCRATCH_PATH_SIZE + 64];
    assert_int_equal(cot_backup_run(&fixture->context, fixture->tar, &doc, &err), COT_USAGE);
    snprintf(inside, sizeof inside, "%s/models/b.tar", fixture->shop);
    assert_int_equal(cot_backup_run(&fixture->context, inside, &doc, &err), COT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shop_is_replaced_by_force_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_killed_making_left_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erasures_that_cannot_be_read_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_that_is_no_shop_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flipped_bits_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cut_backup_is_refused_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_archives_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(backup_never_overwrites, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
