/* Ids of calls: met again within a day and over restarts, dropped later, never believed against the store. */
#include "engine/message_seen.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/folder.h"

static const struct cot_message_store store = {.salt = "grain", .n_events = 1000};
static const int64_t start_ms = 1000 * COT_MESSAGE_PERIOD_MS + 5;

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/coterie-ids-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    struct cot_err err = {0};
    (void)state;
    return cot_folder_remove(folder, &err) != COT_OK;
}

static struct cot_message_seen *open_at(const struct cot_message_store *of, int64_t now_ms, int64_t *ret_since_ms)
{
    struct cot_err err = {0};
    struct cot_message_seen *seen = NULL;
    assert_int_equal(cot_message_seen_open(folder, of, now_ms, &seen, ret_since_ms, &err), COT_OK);
    return seen;
}

static bool meet(struct cot_message_seen *seen, uint64_t i)
{
    struct cot_err err = {0};
    bool met = false;
    struct cot_hash128 hash = cot_hash128_bytes(&i, sizeof i);
    assert_int_equal(cot_message_seen_meet(seen, hash, &met, &err), COT_OK);
    return met;
}

/* New ids [from, to), in groups. */
static void take(struct cot_message_seen *seen, uint64_t from, uint64_t to, int64_t now_ms)
{
    cot_message_seen_tick(seen, &store, now_ms, now_ms);
    for (uint64_t i = from; i < to; i++) {
        assert_false(meet(seen, i));
        if (i % 10000 == 9999 || i + 1 == to) {
            cot_message_seen_keep(seen);
            cot_message_seen_tick(seen, &store, now_ms, now_ms);
        }
    }
}

static void flush(struct cot_message_seen *seen, int64_t mark_ms)
{
    struct cot_err err = {0};
    assert_int_equal(cot_message_seen_flush(seen, &store, mark_ms, &err), COT_OK);
}

static void all_met(struct cot_message_seen *seen, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        assert_true(meet(seen, i));
}

/* What is not there is not met, and does not stay. */
static void none_met(struct cot_message_seen *seen, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        assert_false(meet(seen, i));
    cot_message_seen_drop(seen);
}

static void test_window(void **state)
{
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    assert_int_equal(since_ms, start_ms - COT_MESSAGE_WINDOW_MS);
    take(seen, 0, 50000, start_ms);
    all_met(seen, 0, 50000);
    cot_message_seen_tick(seen, &store, start_ms + COT_MESSAGE_WINDOW_MS, start_ms);
    all_met(seen, 0, 50000);
    take(seen, 50000, 50100, start_ms + COT_MESSAGE_WINDOW_MS);
    cot_message_seen_tick(seen, &store, start_ms + COT_MESSAGE_WINDOW_MS + COT_MESSAGE_PERIOD_MS, start_ms);
    none_met(seen, 0, 50000);
    all_met(seen, 50000, 50100);
    cot_message_seen_close(seen);
}

static void test_beyond_memory(void **state)
{
    enum { N = 40 * COT_MESSAGE_RECENT / 2 };
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    for (int i = 0; i < 10; i++) /* ten periods of which five are still there */
        take(seen, (uint64_t)i * N / 10, (uint64_t)(i + 1) * N / 10, start_ms + i * COT_MESSAGE_PERIOD_MS);
    for (int i = 0; i < 20; i++) {
        cot_message_seen_settle(seen);
        cot_message_seen_tick(seen, &store, start_ms + 9 * COT_MESSAGE_PERIOD_MS, start_ms);
    }
    struct cot_message_figures figures = cot_message_seen_figures(seen);
    assert_int_equal(figures.n, N / 2);
    assert_true(figures.memory_size < 8000000);
    assert_true((double)figures.disk_size <
                9.3 * (double)(figures.n - figures.n_in_memory) + 1000 * (double)figures.n_runs);
    assert_true(figures.n_runs <= 6);
    all_met(seen, N / 2, N);
    none_met(seen, 0, N / 2);
    flush(seen, 77);
    cot_message_seen_close(seen);
    seen = open_at(&store, start_ms + 9 * COT_MESSAGE_PERIOD_MS, &since_ms);
    all_met(seen, N / 2, N);
    none_met(seen, N, N + 100000);
    cot_message_seen_close(seen);
}

/* Seventeen runs of one period, of which sixteen are joined. */
static void test_join(void **state)
{
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    for (uint64_t i = 0; i < 17; i++) {
        take(seen, 1000 * i, 1000 * (i + 1), start_ms);
        flush(seen, start_ms + (int64_t)i);
    }
    assert_int_equal(cot_message_seen_figures(seen).n_runs, 17);
    cot_message_seen_tick(seen, &store, start_ms, start_ms);
    cot_message_seen_settle(seen);
    assert_int_equal(cot_message_seen_figures(seen).n_runs, 2);
    assert_int_equal(cot_message_seen_figures(seen).n, 17000);
    all_met(seen, 0, 17000);
    take(seen, 17000, 17100, start_ms);
    cot_message_seen_close(seen); /* as a kill would: what was in memory is to be read from the store */
    seen = open_at(&store, start_ms, &since_ms);
    assert_int_equal(since_ms, start_ms + 16);
    all_met(seen, 0, 17000);
    none_met(seen, 17000, 17100);
    cot_message_seen_close(seen);
}

static void test_drop(void **state)
{
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    take(seen, 0, 5000, start_ms);
    for (uint64_t i = 5000; i < 20000; i++)
        assert_false(meet(seen, i));
    all_met(seen, 5000, 20000);
    cot_message_seen_drop(seen);
    all_met(seen, 0, 5000);
    none_met(seen, 5000, 20000);
    flush(seen, start_ms);
    none_met(seen, 5000, 20000);
    all_met(seen, 0, 5000);
    cot_message_seen_close(seen);
}

static size_t list(char ret_names[32][64])
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && n < 32)
            snprintf(ret_names[n++], 64, "%.63s", entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void copy(const char *from, const char *to)
{
    char command[512];
    snprintf(command, sizeof command, "cp '%s/%s' '%s/%s'", folder, from, folder, to);
    assert_int_equal(system(command), 0);
}

/* Inputs of a join that a kill has left beside what was made of them; a file half written. */
static void test_left_over(void **state)
{
    int64_t since_ms = 0;
    char names[32][64];
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    for (uint64_t i = 0; i < 16; i++) {
        take(seen, 100 * i, 100 * (i + 1), start_ms);
        flush(seen, start_ms);
    }
    size_t n = list(names);
    assert_int_equal(n, 16);
    copy(names[3], "kept");
    copy(names[3], "x.new.ids");
    cot_message_seen_tick(seen, &store, start_ms, start_ms);
    cot_message_seen_close(seen);
    copy("kept", names[3]);
    seen = open_at(&store, start_ms, &since_ms);
    assert_int_equal(cot_message_seen_figures(seen).n_runs, 1);
    assert_int_equal(cot_message_seen_figures(seen).n, 1600);
    assert_int_equal(list(names), 2);
    all_met(seen, 0, 1600);
    cot_message_seen_close(seen);
}

static void write_runs(int n)
{
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    for (int i = 0; i < n; i++) {
        take(seen, 100 * (uint64_t)i, 100 * (uint64_t)(i + 1), start_ms);
        flush(seen, start_ms);
    }
    cot_message_seen_close(seen);
}

static void expect_discarded(const struct cot_message_store *of)
{
    int64_t since_ms = 0;
    char names[32][64];
    struct cot_message_seen *seen = open_at(of, start_ms + 9, &since_ms);
    assert_int_equal(cot_message_seen_figures(seen).n, 0);
    assert_int_equal(since_ms, start_ms + 9 - COT_MESSAGE_WINDOW_MS);
    assert_int_equal(list(names), 0);
    cot_message_seen_close(seen);
}

static void change_byte(const char *name, long at)
{
    char path[160];
    unsigned char byte = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* What is damaged, cut, missing, of another store or ahead of this one: all is read from the store. */
static void test_not_believed(void **state)
{
    static const long places[] = {0, 7, 8, 20, 24, 32, 40, 48, 56, 64, 72, 80, 127, 128, 150, 300, 900};
    const struct cot_message_store other = {"salt", 1000};
    const struct cot_message_store older = {"grain", 999};
    char names[32][64];
    char path[160];
    int64_t since_ms = 0;
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        write_runs(3);
        assert_int_equal(list(names), 3);
        change_byte(names[i % 3], places[i]);
        expect_discarded(&store);
    }
    for (off_t size = 0; size < 900; size += 127) {
        write_runs(2);
        list(names);
        snprintf(path, sizeof path, "%s/%s", folder, names[0]);
        assert_int_equal(truncate(path, size), 0);
        expect_discarded(&store);
    }
    write_runs(3);
    snprintf(path, sizeof path, "%s/000000000001-000000000001.ids", folder);
    assert_int_equal(unlink(path), 0);
    expect_discarded(&store);
    write_runs(1);
    expect_discarded(&other);
    write_runs(1);
    expect_discarded(&older);
    write_runs(1);
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    all_met(seen, 0, 100);
    cot_message_seen_close(seen);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
    struct cot_err err = {0};
    int64_t since_ms = 0;
    char names[32][64];
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    take(seen, 0, 1000, start_ms);
    limit_files(2000);
    assert_int_equal(cot_message_seen_flush(seen, &store, start_ms, &err), COT_IO);
    assert_non_null(strstr(err.message, folder));
    cot_message_seen_tick(seen, &store, start_ms + COT_MESSAGE_PERIOD_MS, start_ms);
    limit_files(RLIM_INFINITY);
    assert_int_equal(list(names), 0);
    all_met(seen, 0, 1000);
    flush(seen, start_ms);
    all_met(seen, 0, 1000);
    assert_int_equal(list(names), 1);
    cot_message_seen_close(seen);
}

static void test_clock_back(void **state)
{
    const int64_t hour_ms = 3600000;
    int64_t since_ms = 0;
    struct cot_message_seen *seen = open_at(&store, start_ms, &since_ms);
    (void)state;
    take(seen, 0, 100, start_ms);
    flush(seen, start_ms);
    assert_int_equal(cot_message_seen_mark_ms(seen), start_ms);
    cot_message_seen_tick(seen, &store, start_ms - 1000, start_ms - 1000); /* a little: the mark stays */
    assert_int_equal(cot_message_seen_mark_ms(seen), start_ms);
    cot_message_seen_tick(seen, &store, start_ms - hour_ms, start_ms - hour_ms);
    assert_int_equal(cot_message_seen_mark_ms(seen), start_ms - hour_ms);
    take(seen, 100, 200, start_ms - hour_ms + 1);
    all_met(seen, 0, 200);
    cot_message_seen_close(seen);
    seen = open_at(&store, start_ms - hour_ms + 2, &since_ms);
    assert_int_equal(since_ms, start_ms - hour_ms); /* so that the last hundred are read from the store */
    all_met(seen, 0, 100);
    cot_message_seen_close(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_window, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_beyond_memory, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_join, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_drop, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_left_over, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_not_believed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_clock_back, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
