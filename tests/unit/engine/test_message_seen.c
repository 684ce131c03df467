/* Ids of calls: met again within a day, forgotten after two. */
#include "engine/message_seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool meet(struct cot_message_seen *seen, uint64_t i)
{
    struct cot_err err = {0};
    bool met = false;
    struct cot_hash128 hash = cot_hash128_bytes(&i, sizeof i);
    assert_int_equal(cot_message_seen_meet(seen, hash, &met, &err), COT_OK);
    return met;
}

static void test_window(void **state)
{
    struct cot_message_seen seen = {0};
    (void)state;
    cot_message_seen_tick(&seen, 1);
    for (uint64_t i = 0; i < 100000; i++)
        assert_false(meet(&seen, i));
    assert_int_equal(cot_message_seen_count(&seen), 100000);
    for (uint64_t i = 0; i < 100000; i++)
        assert_true(meet(&seen, i));
    cot_message_seen_tick(&seen, COT_MESSAGE_WINDOW_MS);
    assert_true(meet(&seen, 5));
    cot_message_seen_tick(&seen, COT_MESSAGE_WINDOW_MS + 1); /* a day old: the older generation now */
    assert_true(meet(&seen, 5));
    assert_false(meet(&seen, 100001));
    cot_message_seen_tick(&seen, 2 * COT_MESSAGE_WINDOW_MS);
    assert_true(meet(&seen, 5));
    cot_message_seen_tick(&seen, 2 * COT_MESSAGE_WINDOW_MS + 1);
    assert_false(meet(&seen, 5));
    assert_true(meet(&seen, 100001));
    cot_message_seen_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
