#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it */
#include <cmocka.h>

#include "base/hash.h"

static struct cot_hash128 of_texts(const char *a, const char *b)
{
    struct cot_hasher hasher;
    cot_hasher_init(&hasher);
    cot_hasher_text(&hasher, a, a != NULL ? strlen(a) : 0);
    cot_hasher_text(&hasher, b, b != NULL ? strlen(b) : 0);
    return cot_hasher_finish(&hasher);
}

/* The hash of the empty input, as published with xxHash: the store depends on it never changing. */
static void it_is_xxh3(void **state)
{
    (void)state;
    struct cot_hash128 hash = cot_hash128_bytes("", 0);
    assert_true(hash.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(hash.low == UINT64_C(0x6001c324468d497f));
}

static void parts_do_not_run_together(void **state)
{
    (void)state;
    assert_false(cot_hash128_equal(of_texts("ab", "c"), of_texts("a", "bc")));
    assert_false(cot_hash128_equal(of_texts("", "a"), of_texts(NULL, "a")));
    assert_false(cot_hash128_equal(of_texts("a", ""), of_texts("", "a")));
    assert_true(cot_hash128_equal(of_texts("a", NULL), of_texts("a", NULL)));
}

static void long_contents_differ_anywhere(void **state)
{
    static char a[5000], b[5000];
    (void)state;
    memset(a, 'x', sizeof a - 1);
    memcpy(b, a, sizeof b);
    struct cot_hash128 hash = of_texts(a, "end");
    assert_true(cot_hash128_equal(hash, of_texts(b, "end")));
    for (size_t i = 0; i < sizeof b - 1; i += 37) {
        b[i] = 'y';
        assert_false(cot_hash128_equal(hash, of_texts(b, "end")));
        b[i] = 'x';
    }
}

static void numbers_are_canonical(void **state)
{
    const double values[] = {0.0, -0.0, NAN, -NAN};
    struct cot_hash128 hashes[4];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct cot_hasher hasher;
        cot_hasher_init(&hasher);
        cot_hasher_double(&hasher, values[i]);
        hashes[i] = cot_hasher_finish(&hasher);
    }
    assert_true(cot_hash128_equal(hashes[0], hashes[1]));
    assert_true(cot_hash128_equal(hashes[2], hashes[3]));
    assert_false(cot_hash128_equal(hashes[0], hashes[2]));
}

static void sums_do_not_depend_on_order(void **state)
{
    (void)state;
    struct cot_hash128 a = of_texts("a", "1"), b = of_texts("b", "2"), c = of_texts("c", "3");
    struct cot_hash128 abc = cot_hash128_add(cot_hash128_add(a, b), c);
    assert_true(cot_hash128_equal(abc, cot_hash128_add(c, cot_hash128_add(b, a))));
    assert_false(cot_hash128_equal(abc, cot_hash128_add(abc, c)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_xxh3),
        cmocka_unit_test(parts_do_not_run_together),
        cmocka_unit_test(long_contents_differ_anywhere),
        cmocka_unit_test(numbers_are_canonical),
        cmocka_unit_test(sums_do_not_depend_on_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
