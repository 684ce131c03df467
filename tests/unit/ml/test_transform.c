#include "coterie/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 1000, D = 6 };

static const struct cot_transform_column COLUMNS[D] = {
    {"spend", COT_TRANSFORM_LOG1P}, {"balance", COT_TRANSFORM_SIGNED_LOG1P}, {"share", COT_TRANSFORM_ARCSINE_SQRT},
    {"age", COT_TRANSFORM_NONE},    {"country", COT_TRANSFORM_CATEGORY},     {"same", COT_TRANSFORM_NONE},
};

static float data[N * D];
static const struct cot_matrix X = {.data = data, .n = N, .d = D, .stride = D};

static int fill(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 1);
    for (size_t i = 0; i < N; i++) {
        float *row = data + i * D;
        row[0] = (float)cot_rng_gamma(&rng, 0.5, 0.001);
        row[1] = (float)(cot_rng_normal(&rng) * 500);
        row[2] = (float)cot_rng_uniform(&rng);
        row[3] = i % 10 == 0 ? NAN : (float)(20 + cot_rng_below(&rng, 60));
        row[4] = i == 5 ? 40.0F : i % 50 == 1 ? NAN : (float)(i % 4 == 0 ? 7 : 2); /* 40 is rare */
        row[5] = 3.25F;
    }
    data[0] = 1e9F; /* a wholesaler */
    return 0;
}

static struct cot_transform *fit(void)
{
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    struct cot_err err = {0};
    cot_transform_options_init(&options);
    if (cot_transform_fit(&X, COLUMNS, &options, &transform, &err) != COT_OK)
        fail_msg("%s", err.message);
    return transform;
}

static void test_standardises(void **state)
{
    struct cot_transform *transform = fit();
    size_t d_out = cot_transform_d_out(transform);
    float *z = malloc(N * d_out * sizeof *z);
    (void)state;
    assert_int_equal(d_out, 5 + 3); /* country: 2, 7, rare */
    assert_int_equal(cot_transform_apply(transform, &X, 2, z, NULL), COT_OK);
    for (size_t j = 0; j < d_out; j++) {
        int32_t code = 0;
        size_t source = cot_transform_source(transform, j, &code);
        double mean = 0;
        double squares = 0;
        for (size_t i = 0; i < N; i++) {
            mean += (double)z[i * d_out + j] / N;
            squares += (double)z[i * d_out + j] * (double)z[i * d_out + j] / N;
        }
        assert_true(fabs(mean) < 1e-5);
        if (source < 4)
            assert_true(fabs(squares - 1) < 1e-4);
        if (source == 5)
            assert_true(squares == 0 && cot_transform_is_constant(transform, 5));
    }
    assert_true(fabs((double)z[0]) < 5); /* winsorised */
    free(z);
    cot_transform_free(transform);
}

static void test_categories_are_famd(void **state)
{
    struct cot_transform *transform = fit();
    float row[2 * D] = {1, 1, 0.5F, NAN, 7, 3, 1, 1, 0.5F, NAN, 999, 3};
    struct cot_matrix x = {.data = row, .n = 2, .d = D, .stride = D};
    float z[2 * 8];
    double n_seven = 0;
    double n_present = 0;
    int32_t code = 0;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        n_present += !isnan(data[i * D + 4]);
        n_seven += data[i * D + 4] == 7;
    }
    double share = n_seven / n_present;
    assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
    assert_int_equal(cot_transform_source(transform, 5, &code), 4);
    assert_int_equal(code, 7);
    assert_true(fabs((double)z[5] - (1 - share) / sqrt(share)) < 1e-6);
    assert_int_equal(cot_transform_source(transform, 6, &code), 4);
    assert_int_equal(code, -1);
    for (size_t j = 4; j < 7; j++)
        assert_true(z[8 + j] == 0); /* never seen: the average */
    /* A missing number is the median. */
    float median[D] = {1, 1, 0.5F, (float)cot_transform_median(transform, 3), 7, 3};
    float expected[8];
    x = (struct cot_matrix){.data = median, .n = 1, .d = D, .stride = D};
    assert_int_equal(cot_transform_apply(transform, &x, 1, expected, NULL), COT_OK);
    assert_true(z[3] == expected[3]);
    /* The inverse undoes a number that winsorising left alone. */
    assert_true(fabs(cot_transform_inverse(transform, 0, (double)z[0]) - 1) < 1e-4);
    assert_true(fabs(cot_transform_inverse(transform, 1, (double)z[1]) - 1) < 1e-4);
    assert_true(fabs(cot_transform_inverse(transform, 2, (double)z[2]) - 0.5) < 1e-5);
    assert_true(isnan(cot_transform_inverse(transform, 4, 1)));
    cot_transform_free(transform);
}

static void test_bytes(void **state)
{
    struct cot_transform *transform = fit();
    struct cot_transform *copy = NULL;
    unsigned char *bytes = NULL;
    unsigned char *again = NULL;
    size_t size = 0;
    size_t size_again = 0;
    float *z = malloc(2 * N * 8 * sizeof *z);
    (void)state;
    assert_int_equal(cot_transform_encode(transform, &bytes, &size, NULL), COT_OK);
    assert_int_equal(cot_transform_decode(bytes, size, &copy, NULL), COT_OK);
    assert_int_equal(cot_transform_encode(copy, &again, &size_again, NULL), COT_OK);
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    assert_string_equal(cot_transform_name(copy, 2), "share");
    assert_int_equal(cot_transform_apply(transform, &X, 1, z, NULL), COT_OK);
    assert_int_equal(cot_transform_apply(copy, &X, 8, z + N * 8, NULL), COT_OK);
    assert_memory_equal(z, z + N * 8, N * 8 * sizeof *z);
    cot_transform_free(copy);
    copy = NULL;
    /* Every cut and every flipped byte is refused. */
    for (size_t i = 0; i < size; i++) {
        unsigned char *part = malloc(i > 0 ? i : 1); /* its own block, so that ASan sees a read beyond */
        memcpy(part, bytes, i);
        assert_int_equal(cot_transform_decode(part, i, &copy, NULL), COT_BAD_DATA);
        free(part);
        bytes[i] ^= 0x40;
        assert_int_equal(cot_transform_decode(bytes, size, &copy, NULL), COT_BAD_DATA);
        bytes[i] ^= 0x40;
    }
    assert_null(copy);
    free(z);
    free(bytes);
    free(again);
    cot_transform_free(transform);
}

static void test_refusals(void **state)
{
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    struct cot_err err = {0};
    float kept = data[4];
    (void)state;
    cot_transform_options_init(&options);
    data[4] = 1.5F;
    assert_int_equal(cot_transform_fit(&X, COLUMNS, &options, &transform, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "country"));
    data[4] = INFINITY;
    assert_int_equal(cot_transform_fit(&X, COLUMNS, &options, &transform, &err), COT_BAD_DATA);
    data[4] = kept;
    options.winsor_low = 0.9;
    options.winsor_high = 0.1;
    assert_int_equal(cot_transform_fit(&X, COLUMNS, &options, &transform, &err), COT_USAGE);
    assert_null(transform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standardises),
        cmocka_unit_test(test_categories_are_famd),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
