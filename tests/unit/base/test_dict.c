#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the four above before it */
#include <cmocka.h>

#include "base/dict.h"

enum { N = 20000 };

static uint32_t add(struct cot_dict *dict, uint8_t tag, const char *text)
{
    struct cot_err err = {0};
    uint32_t number = COT_DICT_NONE;
    assert_int_equal(cot_dict_add(dict, tag, text, strlen(text), &number, &err), COT_OK);
    return number;
}

static void numbers_are_dense_and_stable(void **state)
{
    struct cot_dict dict;
    char text[32];
    (void)state;
    cot_dict_init(&dict);
    assert_int_equal(cot_dict_find(&dict, 1, "x", 1), COT_DICT_NONE);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "customer-%u", i);
        assert_int_equal(add(&dict, 1, text), i);
    }
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "customer-%u", i);
        assert_int_equal(add(&dict, 1, text), i);
        assert_int_equal(cot_dict_find(&dict, 1, text, strlen(text)), i);
        assert_int_equal(cot_dict_entry(&dict, i)->size, strlen(text));
        assert_memory_equal(cot_dict_entry(&dict, i)->text, text, strlen(text));
    }
    assert_int_equal(dict.n, N);
    cot_dict_release(&dict);
}

static void tag_is_part_of_the_key(void **state)
{
    struct cot_dict dict;
    (void)state;
    cot_dict_init(&dict);
    assert_int_equal(add(&dict, 1, "a"), 0);
    assert_int_equal(add(&dict, 2, "a"), 1);
    assert_int_equal(add(&dict, 1, ""), 2);
    assert_int_equal(cot_dict_find(&dict, 2, "a", 1), 1);
    assert_int_equal(cot_dict_find(&dict, 3, "a", 1), COT_DICT_NONE);
    assert_int_equal(cot_dict_find(&dict, 1, "", 0), 2);
    cot_dict_release(&dict);
}

static void truncation_forgets_and_numbers_again(void **state)
{
    struct cot_dict dict;
    char text[32];
    (void)state;
    cot_dict_init(&dict);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "k%u", i);
        (void)add(&dict, 0, text);
    }
    cot_dict_truncate(&dict, N / 2);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "k%u", i);
        assert_int_equal(cot_dict_find(&dict, 0, text, strlen(text)), i < N / 2 ? i : COT_DICT_NONE);
    }
    assert_int_equal(add(&dict, 0, "new"), N / 2);
    cot_dict_release(&dict);
}

static void long_texts_are_kept_whole(void **state)
{
    static char text[3 << 20];
    struct cot_dict dict;
    struct cot_err err = {0};
    uint32_t number = 0;
    (void)state;
    memset(text, 'x', sizeof text);
    cot_dict_init(&dict);
    (void)add(&dict, 0, "short");
    assert_int_equal(cot_dict_add(&dict, 0, text, sizeof text, &number, &err), COT_OK);
    (void)add(&dict, 0, "after");
    assert_int_equal(cot_dict_find(&dict, 0, text, sizeof text), 1);
    assert_int_equal(cot_dict_find(&dict, 0, text, sizeof text - 1), COT_DICT_NONE);
    assert_int_equal(cot_dict_find(&dict, 0, "after", 5), 2);
    cot_dict_release(&dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_dense_and_stable),
        cmocka_unit_test(tag_is_part_of_the_key),
        cmocka_unit_test(truncation_forgets_and_numbers_again),
        cmocka_unit_test(long_texts_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
