/* The log of entries and exits: what was told is what is on disk, whatever is lost on the way, and it stays bounded. */
#include "engine/segment_log.h"

#include "unit/engine/scratch.h"

static char path[SCRATCH_PATH_SIZE];
static struct cot_store *store;
static struct cot_segment_log *shop_log;

static bool load(void)
{
    struct cot_err err = {0};
    bool is_new = false;
    assert_ok(cot_segment_log_load(shop_log, store, &is_new, &err), err);
    return is_new;
}

static int set_up(void **state)
{
    struct cot_err err = {0};
    (void)state;
    scratch_make(path);
    store = scratch_shop(path);
    assert_ok(cot_segment_log_open(&shop_log, &err), err);
    assert_true(load());
    cot_segment_log_begun(shop_log);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cot_segment_log_free(shop_log);
    cot_store_close(store);
    scratch_remove(path);
    return 0;
}

static uint32_t segment(const char *name)
{
    struct cot_err err = {0};
    uint32_t number = 0;
    assert_ok(cot_segment_log_segment(shop_log, name, &number, &err), err);
    assert_string_equal(cot_segment_log_name(shop_log, number), name);
    return number;
}

static void turn(const char *name, uint32_t customer, bool entered)
{
    struct cot_err err = {0};
    const struct cot_change change = {.at_ms = 1000 + customer,
                                      .event_ids = {7, 19},
                                      .n_events = entered ? 2 : 0,
                                      .customer = customer,
                                      .segment = segment(name),
                                      .version = 3,
                                      .cause = entered ? COT_CHANGE_EVENTS : COT_CHANGE_TIME,
                                      .entered = entered};
    assert_ok(cot_segment_log_add(shop_log, &change, &err), err);
}

static void write_log(bool commits)
{
    struct cot_err err = {0};
    assert_ok(cot_segment_log_stage(shop_log, &err), err);
    assert_ok(cot_store_begin(store, &err), err);
    assert_ok(cot_segment_log_write(shop_log, store, 42, 5000, &err), err);
    if (commits) {
        assert_ok(cot_store_commit(store, &err), err);
        cot_segment_log_keep(shop_log);
    } else {
        cot_store_rollback(store);
        cot_segment_log_drop(shop_log);
    }
}

static int64_t last_id(void)
{
    char log_id[COT_LOG_ID_SIZE];
    int64_t last = -1;
    cot_segment_log_end(shop_log, log_id, &last);
    assert_int_equal(strlen(log_id), COT_LOG_ID_SIZE - 1);
    return last;
}

static int64_t count(const char *sql)
{
    struct cot_err err = {0};
    int64_t n = -1;
    assert_ok(cot_store_number(store, &n, &err, "%s", sql), err);
    return n;
}

static size_t read_after(int64_t after, struct cot_change *changes, size_t max, int64_t *ret_last)
{
    struct cot_err err = {0};
    size_t n = 0;
    assert_ok(cot_segment_log_read(shop_log, after, max, changes, &n, ret_last, &err), err);
    return n;
}

static void nothing_is_shown_before_it_is_on_disk(void **state)
{
    struct cot_change changes[4];
    int64_t last = 0;
    (void)state;
    assert_true(cot_segment_log_waits(shop_log)); /* where it begins is to be written */
    write_log(true);
    assert_false(cot_segment_log_waits(shop_log));
    turn("a", 5, true);
    assert_true(cot_segment_log_waits(shop_log));
    assert_true(cot_segment_log_told(shop_log, segment("a"), 5));
    assert_int_equal(last_id(), 0);
    assert_int_equal(read_after(0, changes, 4, &last), 0);
    write_log(false);
    assert_true(cot_segment_log_waits(shop_log));
    assert_int_equal(last_id(), 0);
    write_log(true);
    assert_int_equal(read_after(0, changes, 4, &last), 1);
    assert_int_equal(last, 1);
    assert_int_equal(changes[0].customer, 5);
    assert_int_equal(count("select count(*) from segment_change"), 1);
}

static void what_was_not_written_was_not_told(void **state)
{
    struct cot_change changes[8];
    int64_t last = 0;
    (void)state;
    turn("a", 5, true);
    turn("a", 900, true);
    turn("b", 5, true);
    turn("a", 5, false);
    write_log(true);
    turn("b", 6, true); /* a crash */
    assert_false(load());
    assert_int_equal(cot_segment_log_event_id(shop_log), 42);
    assert_int_equal(cot_segment_log_written_ms(shop_log), 5000);
    assert_false(cot_segment_log_told(shop_log, segment("a"), 5));
    assert_true(cot_segment_log_told(shop_log, segment("b"), 5));
    assert_false(cot_segment_log_told(shop_log, segment("b"), 6));
    assert_int_equal(cot_segment_log_next(shop_log, segment("a"), 0), 900);
    assert_int_equal(cot_segment_log_next(shop_log, segment("a"), 901), UINT32_MAX);
    assert_int_equal(read_after(0, changes, 8, &last), 4);
    assert_int_equal(changes[3].change_id, 4);
    assert_false(changes[3].entered);
    assert_int_equal(changes[3].cause, COT_CHANGE_TIME);
    assert_int_equal(changes[0].cause, COT_CHANGE_EVENTS);
    assert_int_equal(changes[0].n_events, 2);
    assert_int_equal(changes[0].event_ids[1], 19);
    assert_int_equal(changes[0].version, 3);
    assert_int_equal(changes[1].at_ms, 1900);
    turn("b", 6, true); /* found again: the number that was given and not told */
    write_log(true);
    assert_int_equal(read_after(4, changes, 8, &last), 1);
    assert_int_equal(changes[0].change_id, 5);
}

static void where_it_begins_is_no_change(void **state)
{
    struct cot_err err = {0};
    (void)state;
    assert_ok(cot_store_exec(store, &err, "delete from segment_log"), err);
    assert_true(load());
    turn("a", 1, true);
    turn("a", 64, true);
    cot_segment_log_begun(shop_log);
    write_log(true);
    assert_int_equal(last_id(), 0);
    assert_int_equal(count("select count(*) from segment_change"), 0);
    assert_false(load());
    assert_true(cot_segment_log_told(shop_log, segment("a"), 1));
    assert_true(cot_segment_log_told(shop_log, segment("a"), 64));
}

static void erased_people_leave_it(void **state)
{
    struct cot_err err = {0};
    struct cot_change changes[4];
    int64_t last = 0;
    (void)state;
    turn("a", 1, true);
    turn("a", 2, true);
    turn("a", 3, true);
    write_log(true);
    assert_ok(cot_store_exec(store, &err,
                             "delete from segment_change where customer = 2;"
                             "delete from segment_standing where customer = 2"),
              err);
    assert_false(load());
    assert_false(cot_segment_log_told(shop_log, segment("a"), 2));
    assert_int_equal(read_after(1, changes, 4, &last), 1);
    assert_int_equal(changes[0].customer, 3);
    assert_int_equal(last, 3);
}

/* More changes than are kept, as when a rule turns everybody: written in one go, and bit by bit. */
static void it_stays_bounded(void **state)
{
    enum { N = 2 * COT_LOG_MAX + 50 };
    struct cot_err err = {0};
    struct cot_change changes[2];
    int64_t last = 0;
    size_t n = 0;
    (void)state;
    for (uint32_t i = 0; i < N; i++)
        turn("a", i, true);
    write_log(true);
    turn("a", 0, false);
    write_log(true);
    assert_int_equal(last_id(), N + 1);
    assert_true(count("select count(*) from segment_change") <= 2 * COT_LOG_MAX);
    assert_int_equal(cot_segment_log_read(shop_log, 10, 2, changes, &n, &last, &err), COT_NOT_FOUND);
    assert_int_equal(cot_segment_log_read(shop_log, N + 2, 2, changes, &n, &last, &err), COT_NOT_FOUND);
    assert_int_equal(read_after(N, changes, 2, &last), 1);
    assert_int_equal(changes[0].customer, 0);
    assert_false(load());
    assert_int_equal(last_id(), N + 1);
    assert_false(cot_segment_log_told(shop_log, segment("a"), 0));
    for (uint32_t i = 1; i < N; i++)
        assert_true(cot_segment_log_told(shop_log, segment("a"), i));
    assert_false(cot_segment_log_told(shop_log, segment("a"), N));
    assert_int_equal(cot_segment_log_read(shop_log, 10, 2, changes, &n, &last, &err), COT_NOT_FOUND);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < COT_LOG_MAX; i++)
            turn("b", i, round % 2 == 0);
        write_log(true);
        assert_true(count("select count(*) from segment_change") <= 2 * COT_LOG_MAX);
    }
    assert_false(load());
    assert_true(cot_segment_log_told(shop_log, segment("b"), 77));
    assert_int_equal(read_after(last_id() - 2, changes, 2, &last), 2);
}

static void a_reader_is_woken(void **state)
{
    uint64_t at = 0;
    (void)state;
    cot_segment_log_wait(shop_log, &at, 60000); /* it was loaded: that is news */
    assert_int_not_equal(at, 0);
    turn("a", 1, true);
    write_log(true);
    uint64_t before = at;
    cot_segment_log_wait(shop_log, &at, 60000);
    assert_int_not_equal(at, before);
    before = at;
    cot_segment_log_wait(shop_log, &at, 1); /* nothing more: the time is over */
    assert_int_equal(at, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_shown_before_it_is_on_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_written_was_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_it_begins_is_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased_people_leave_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_stays_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_is_woken, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
