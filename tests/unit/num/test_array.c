#include "num/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A .npy of version 1.0 around a dictionary and data; returns its size. The caller frees. */
static unsigned char *npy(const char *dictionary, const void *data, size_t size, size_t *ret_size)
{
    size_t header = strlen(dictionary);
    unsigned char *bytes = malloc(10 + header + size);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (unsigned char)header;
    bytes[9] = (unsigned char)(header >> 8);
    memcpy(bytes + 10, dictionary, header);
    memcpy(bytes + 10 + header, data, size);
    *ret_size = 10 + header + size;
    return bytes;
}

static cot_code decode(const char *dictionary, const void *data, size_t data_size, struct cot_array *ret_array,
                       struct cot_err *err)
{
    size_t size = 0;
    unsigned char *bytes = npy(dictionary, data, data_size, &size);
    cot_code rc = cot_npy_decode(bytes, size, ret_array, err);
    free(bytes);
    return rc;
}

static void test_npy_layouts(void **state)
{
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    static const double doubles[6] = {1, 2, 3, 4, 5, 6};
    static const unsigned char big[8] = {0x3f, 0x80, 0, 0, 0x40, 0, 0, 0}; /* 1, 2 */
    struct cot_array a = {0};
    (void)state;
    assert_int_equal(decode("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", numbers, 24, &a, NULL),
                     COT_OK);
    assert_true(a.n == 2 && a.d == 3 && a.data[3] == 4);
    cot_array_release(&a);
    assert_int_equal(decode("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3)}", doubles, 48, &a, NULL), COT_OK);
    assert_true(a.data[0] == 1 && a.data[1] == 3 && a.data[3] == 2);
    cot_array_release(&a);
    assert_int_equal(decode("{\"shape\": (2,), 'fortran_order': False, 'descr': '>f4'}", big, 8, &a, NULL), COT_OK);
    assert_true(a.n == 2 && a.d == 1 && a.data[1] == 2);
    cot_array_release(&a);
}

static void test_npy_refusals(void **state)
{
    static const double numbers[6] = {1, 2, 3, 1e308, 5, 6};
    static const char *const bad[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}",                 /* too short for the data */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4)}",                 /* too long */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",                 /* 1e308 */
        "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3)}",                 /* type */
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}",                  /* objects */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3)}",              /* dimensions */
        "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",                     /* a number */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (6)}",                    /* no tuple */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-2, 3)}",                /* negative */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3)}",                 /* empty */
        "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2, 3)}",                 /* order */
        "{'descr': '<f8', 'fortran_order': False}",                                  /* a key is missing */
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", /* twice */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'x': 1}",         /* one too many */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} x",               /* rest */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387905, 4)}", /* overflows */
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3",
    };
    struct cot_array a = {0};
    struct cot_err err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (decode(bad[i], numbers, sizeof numbers, &a, &err) != COT_BAD_DATA)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(decode("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 99999)}", numbers, 48, &a, &err),
                     COT_LIMIT);
    assert_null(a.data);
}

static void test_npy_cut_anywhere(void **state)
{
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    size_t size = 0;
    unsigned char *bytes =
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", numbers, sizeof numbers, &size);
    struct cot_array a = {0};
    (void)state;
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut > 0 ? cut : 1);
        memcpy(part, bytes, cut);
        assert_int_equal(cot_npy_decode(part, cut, &a, NULL), COT_BAD_DATA);
        free(part);
    }
    free(bytes);
}

static void check_text(const char *text, size_t n, size_t d, float last)
{
    struct cot_array a = {0};
    struct cot_err err = {0};
    if (cot_text_decode(text, strlen(text), &a, &err) != COT_OK)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(a.n, n);
    assert_int_equal(a.d, d);
    assert_true(a.data[n * d - 1] == last);
    cot_array_release(&a);
}

static void test_text(void **state)
{
    (void)state;
    check_text("1 2 3\n4\t5   6\n", 2, 3, 6);
    check_text("  1e3  -2.5\r\n\r\n# note\r\n3 4.5", 2, 2, 4.5F);
    check_text("\xef\xbb\xbf\"a, b\",c\n1,2\n\"3\",4\n", 2, 2, 4);
    check_text("1;2\n3;4\n", 2, 2, 4);
    check_text("7\n", 1, 1, 7);
}

static void refuse_text(const char *text, const char *where)
{
    struct cot_array a = {0};
    struct cot_err err = {0};
    if (cot_text_decode(text, strlen(text), &a, &err) == COT_OK)
        fail_msg("accepted: %s", text);
    if (strstr(err.message, where) == NULL)
        fail_msg("'%s' does not name '%s'", err.message, where);
}

static void test_text_refusals(void **state)
{
    (void)state;
    refuse_text("1,2\n3,4\n5\n", "line 3 has 1 fields");
    refuse_text("1 2\n\n3 4 5\n", "line 3 has more fields");
    refuse_text("a,b\n1,nan\n", "line 2, field 2 is 'nan'");
    refuse_text("1 2\n3 inf\n", "line 2, field 2");
    refuse_text("1 1e308\n", "too large");
    refuse_text("1,\n", "line 1, field 2");
    refuse_text("1,x\n", "line 1, field 2 is 'x'");
    refuse_text("a b\n1 2\n", "line 1, field 1");
    refuse_text("a,b\n", "no line");
    refuse_text("", "no line");
}

static void test_round_trip(void **state)
{
    char path[] = "/tmp/coterie-array-XXXXXX";
    static const double numbers[6] = {1, 2, 3, 4, 5, 6.5};
    struct cot_array a = {0};
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(cot_npy_write(path, COT_NPY_FLOAT64, numbers, 3, 2, NULL), COT_OK);
    assert_int_equal(cot_array_read(path, &a, NULL), COT_OK);
    assert_true(a.n == 3 && a.d == 2 && a.data[5] == 6.5F);
    cot_array_release(&a);
    unlink(path);
    assert_int_equal(cot_array_read(path, &a, NULL), COT_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_layouts),      cmocka_unit_test(test_npy_refusals),
        cmocka_unit_test(test_npy_cut_anywhere), cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_refusals),    cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
