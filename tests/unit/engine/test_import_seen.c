#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it */
#include <cmocka.h>

#include "base/rng.h"
#include "engine/import_seen.h"

enum { N_CONTENTS = 3000, N_FILES = 6 };

static struct cot_hash128 hash_of(uint32_t content)
{
    return cot_hash128_bytes(&content, sizeof content);
}

/* Against the definition, with a plain array of counts as the store: a file adds max(0, c_file - c_store). */
static void files_add_the_excess(void **state)
{
    static uint32_t stored[N_CONTENTS], in_file[N_CONTENTS], added[N_CONTENTS];
    struct cot_seen seen;
    struct cot_err err = {0};
    struct cot_rng rng;
    (void)state;
    cot_seen_init(&seen);
    cot_rng_init(&rng, 7);
    for (int i_file = 0; i_file < N_FILES; i_file++) {
        bool roll_back = i_file % 3 == 2;
        memset(in_file, 0, sizeof in_file);
        memset(added, 0, sizeof added);
        for (int i = 0; i < 4 * N_CONTENTS; i++) {
            uint32_t content = (uint32_t)cot_rng_below(&rng, N_CONTENTS);
            bool duplicate = false;
            assert_int_equal(cot_seen_meet(&seen, hash_of(content), &duplicate, &err), COT_OK);
            in_file[content]++;
            added[content] += !duplicate;
        }
        for (uint32_t c = 0; c < N_CONTENTS; c++) {
            uint32_t excess = in_file[c] > stored[c] ? in_file[c] - stored[c] : 0;
            assert_int_equal(added[c], excess);
            stored[c] += roll_back ? 0 : excess;
        }
        if (roll_back)
            cot_seen_rollback(&seen);
        else
            cot_seen_commit(&seen);
    }
    cot_seen_release(&seen);
}

static void what_is_stored_counts(void **state)
{
    struct cot_seen seen;
    struct cot_err err = {0};
    bool duplicate = false;
    (void)state;
    cot_seen_init(&seen);
    assert_int_equal(cot_seen_reserve(&seen, 10, &err), COT_OK);
    assert_int_equal(cot_seen_add_stored(&seen, hash_of(1), &err), COT_OK);
    assert_int_equal(cot_seen_add_stored(&seen, hash_of(1), &err), COT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cot_seen_meet(&seen, hash_of(1), &duplicate, &err), COT_OK);
        assert_true(duplicate == (i < 2));
    }
    cot_seen_unmeet(&seen, hash_of(1));
    assert_int_equal(cot_seen_meet(&seen, hash_of(1), &duplicate, &err), COT_OK);
    assert_false(duplicate);
    assert_int_equal(cot_seen_meet(&seen, (struct cot_hash128){0, 0}, &duplicate, &err), COT_OK);
    assert_false(duplicate);
    cot_seen_release(&seen);
}

/* Few rows against a large history, so that only the slots touched are ended. */
static void a_small_file_is_ended_too(void **state)
{
    struct cot_seen seen;
    struct cot_err err = {0};
    bool duplicate = false;
    (void)state;
    cot_seen_init(&seen);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(cot_seen_add_stored(&seen, hash_of(i), &err), COT_OK);
    for (int i_file = 0; i_file < 3; i_file++) {
        for (uint32_t i = 99990; i < 100010; i++) {
            assert_int_equal(cot_seen_meet(&seen, hash_of(i), &duplicate, &err), COT_OK);
            assert_true(duplicate == (i < 100000 || i_file > 1));
        }
        if (i_file == 0)
            cot_seen_rollback(&seen);
        else
            cot_seen_commit(&seen);
    }
    cot_seen_release(&seen);
}

static void rows_with_an_id_are_there_once(void **state)
{
    struct cot_seen seen;
    struct cot_err err = {0};
    bool duplicate = true;
    (void)state;
    cot_seen_init(&seen);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(cot_seen_meet_once(&seen, hash_of(5), &duplicate, &err), COT_OK);
        assert_true(duplicate == (i > 0));
        if (i == 1)
            cot_seen_commit(&seen);
    }
    cot_seen_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_add_the_excess),
        cmocka_unit_test(what_is_stored_counts),
        cmocka_unit_test(a_small_file_is_ended_too),
        cmocka_unit_test(rows_with_an_id_are_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
