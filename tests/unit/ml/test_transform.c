#include "coterie/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "unit/ml/planted.h"

enum { N = 1000, D = 6 };

static const struct cot_transform_column COLUMNS[D] = {
    {"spend", COT_TRANSFORM_LOG1P}, {"balance", COT_TRANSFORM_SIGNED_LOG1P}, {"share", COT_TRANSFORM_ARCSINE_SQRT},
    {"age", COT_TRANSFORM_NONE},    {"country", COT_TRANSFORM_CATEGORY},     {"same", COT_TRANSFORM_NONE},
};

static float data[N * D];
static const struct cot_matrix X = {.data = data, .n = N, .d = D, .stride = D};

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

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

/* Two ones among a thousand zeros are winsorised away: whatever the kind, the column is 0 and says so. */
static void test_winsorised_to_a_constant(void **state)
{
    enum { ROWS = 1002 };
    static float raw[ROWS];
    static float z[ROWS];
    struct cot_matrix x = {.data = raw, .n = ROWS, .d = 1, .stride = 1};
    struct cot_transform_options options;
    (void)state;
    cot_transform_options_init(&options);
    raw[10] = raw[700] = 1;
    for (int kind = 0; kind < COT_TRANSFORM_N_KINDS; kind++) {
        struct cot_transform_column column = {"refunds", (enum cot_transform_kind)kind};
        struct cot_transform *transform = NULL;
        bool winsorised = kind != COT_TRANSFORM_CATEGORY && kind != COT_TRANSFORM_QUANTILE_UNIFORM &&
                          kind != COT_TRANSFORM_QUANTILE_NORMAL;
        if (kind == COT_TRANSFORM_CATEGORY)
            continue;
        assert_int_equal(cot_transform_fit(&x, &column, &options, &transform, NULL), COT_OK);
        assert_int_equal(cot_transform_is_constant(transform, 0), winsorised);
        assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
        for (size_t i = 0; winsorised && i < ROWS; i++)
            assert_true(z[i] == 0);
        assert_true(winsorised || z[10] > z[0]);
        cot_transform_free(transform);
    }
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

/*
 * scikit-learn 1.7.2 on the fixed table's first column and (i * i) % 7, of which many are equal:
 * QuantileTransformer(n_quantiles=..., output_distribution=..., subsample=None) and RobustScaler().
 */
enum { N_PARITY = 8 };

struct parity {
    enum cot_transform_kind kind;
    size_t n_quantiles;
    double forward[2 * N_PARITY], inverse[2 * N_PARITY];
};

static const struct parity PARITIES[] = {
    {COT_TRANSFORM_QUANTILE_UNIFORM,
     10,
     {0.0, 0.0, 0.08830802021989187, 0.0, 0.3947999473150015, 0.2777777777777778, 0.49562288706016194,
      0.38888888888888884, 0.6712071457177229, 0.5555555555555556, 0.8642885070031011, 0.7222222222222221, 0.0, 1.0,
      1.0, 1.0},
     {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2830999940633774, 0.0, 0.6602499932050705, 1.0, 1.3144444227218628, 2.0,
      2.292099976539612, 4.0, 2.549999952316284, 4.0}},
    {COT_TRANSFORM_QUANTILE_UNIFORM,
     1000,
     {0.0, 0.0, 0.08250719554480014, 0.0, 0.3789346195430084, 0.288135593220339, 0.49818397040434254,
      0.4322033898305085, 0.6807909791602708, 0.5847457627118644, 0.8504843181985791, 0.7203389830508474, 0.0, 1.0, 1.0,
      1.0},
     {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2961999952793121, 0.0, 0.7242500185966492, 1.0, 1.303000032901764, 2.0,
      2.2818000316619873, 4.0, 2.549999952316284, 4.0}},
    {COT_TRANSFORM_QUANTILE_NORMAL,
     10,
     {-5.199337582605575, -5.199337582605575, -1.35124788380508, -5.199337582605575, -0.26683020796011414,
      -0.5894557978497783, -0.010972015196832444, -0.28221614706250825, 0.44324890544015083, 0.13971029888186212,
      1.0997914786016452, 0.589455797849778, -5.199337582605575, 5.19933758270342, 5.19933758270342, 5.19933758270342},
     {0.0, 0.0, 0.43717189169468806, 0.4278972853831137, 0.9664292727278919, 1.4387972002994265, 1.4458762648455263,
      2.0, 1.5919758721771013, 2.0, 1.7931235730200907, 2.4463243029322372, 2.075308942328679, 4.0, 2.549999952316284,
      4.0}},
    {COT_TRANSFORM_QUANTILE_NORMAL,
     1000,
     {-5.199337582605575, -5.199337582605575, -1.3884029089326586, -5.199337582605575, -0.30828005790075885,
      -0.5588396107967756, -0.004552126853414555, -0.17076725231398893, 0.4699117884378358, 0.2140494764175957,
      1.0385128335864173, 0.5838488130075102, -5.199337582605575, 5.19933758270342, 5.19933758270342, 5.19933758270342},
     {0.0, 0.0, 0.4302464484317627, 1.0, 1.005210338526411, 1.0, 1.4563293172760843, 2.0, 1.5690628304665486, 2.0,
      1.7613331182079444, 2.0, 2.0399326691335005, 4.0, 2.549999952316284, 4.0}},
    {COT_TRANSFORM_ROBUST,
     1000,
     {-2.038955369866751, -1.0, -0.9322709686850011, -0.6666666666666666, -0.2682603279759513, -0.3333333333333333,
      -0.0026561139089909085, -0.16666666666666666, 0.39575031273309863, 0.0, 0.7941567393751882, 0.3333333333333333,
      -1.1536078489213513, 0.6666666666666666, 6.8145198395872475, 2.3333333333333335},
     {0}},
};

static struct cot_transform *fit_parity(const struct parity *p)
{
    float table[FIXED_N * FIXED_D];
    float values[FIXED_N * 2];
    struct cot_matrix x = {.data = values, .n = FIXED_N, .d = 2, .stride = 2};
    struct cot_transform_column columns[2] = {{"even", p->kind}, {"ties", p->kind}};
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    fixed_table(table);
    for (size_t i = 0; i < FIXED_N; i++) {
        values[2 * i] = table[FIXED_D * i];
        values[2 * i + 1] = (float)(i * i % 7);
    }
    cot_transform_options_init(&options);
    options.winsor_low = 0;
    options.winsor_high = 1;
    options.n_quantiles = p->n_quantiles;
    assert_int_equal(cot_transform_fit(&x, columns, &options, &transform, NULL), COT_OK);
    return transform;
}

static void test_parity_with_scikit_learn(void **state)
{
    static const float inner[2 * N_PARITY] = {0.25F, 0, 0.25F, 0, 1, 1, 1.3F, 1.5F, 1.75F, 2, 2.2F, 3, 0, 4, 0, 4};
    static const double scores[N_PARITY] = {-6, -1, -0.3, 0.1, 0.25, 0.5, 0.9, 6};
    (void)state;
    for (size_t i = 0; i < sizeof PARITIES / sizeof *PARITIES; i++) {
        const struct parity *p = &PARITIES[i];
        struct cot_transform *transform = fit_parity(p);
        float z[2 * N_PARITY];
        float raw[2 * N_PARITY];
        float queries[2 * N_PARITY];
        struct cot_matrix x = {.data = queries, .n = N_PARITY, .d = 2, .stride = 2};
        memcpy(queries, inner, sizeof queries);
        if (p->kind != COT_TRANSFORM_ROBUST) { /* beyond the fitted range, too (where robust is winsorised) */
            queries[0] = queries[1] = -1;
            queries[14] = queries[15] = 9;
        }
        assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
        for (size_t v = 2; v < 2 * N_PARITY - 2; v++)
            near((double)z[v], p->forward[v], 2e-7 * (1 + fabs(p->forward[v])));
        if (p->kind == COT_TRANSFORM_ROBUST) {
            near(cot_transform_inverse(transform, 0, p->forward[4]), 1, 1e-12);
            cot_transform_free(transform);
            continue;
        }
        for (size_t v = 0; v < 2 * N_PARITY; v++) {
            near((double)z[v], p->forward[v], 2e-7 * (1 + fabs(p->forward[v])));
            near(cot_transform_inverse(transform, v % 2, scores[v / 2]), p->inverse[v], 1e-12);
        }
        /* Back and forth again is where it was. */
        x.data = z;
        assert_int_equal(cot_transform_inverse_rows(transform, &x, 2, raw, NULL), COT_OK);
        x.data = raw;
        assert_int_equal(cot_transform_apply(transform, &x, 1, queries, NULL), COT_OK);
        for (size_t v = 0; v < 2 * N_PARITY; v++)
            near((double)queries[v], (double)z[v], 2e-5 * (1 + fabs((double)z[v])));
        cot_transform_free(transform);
    }
}

/* Numbers within the winsorised range come back, categories all but the rare ones, missing ones missing. */
static void test_rows_come_back(void **state)
{
    struct cot_transform *transform = fit();
    size_t d_out = cot_transform_d_out(transform);
    float *z = malloc(N * d_out * sizeof *z);
    float *rows = malloc(N * D * sizeof *rows);
    float *again = malloc(N * d_out * sizeof *again);
    struct cot_matrix scores = {.data = z, .n = N, .d = d_out, .stride = d_out};
    struct cot_matrix back = {.data = rows, .n = N, .d = D, .stride = D};
    (void)state;
    assert_int_equal(cot_transform_apply(transform, &X, 2, z, NULL), COT_OK);
    assert_int_equal(cot_transform_inverse_rows(transform, &scores, 2, rows, NULL), COT_OK);
    for (size_t i = 0; i < N; i++) {
        const float *raw = data + i * D;
        const float *row = rows + i * D;
        if (!isnan(raw[3]))
            near((double)row[3], (double)raw[3], 1e-4);
        else
            near((double)row[3], cot_transform_median(transform, 3), 1e-4);
        assert_true(isnan(raw[4]) ? isnan(row[4]) : row[4] == raw[4]);
        near((double)row[5], 3.25, 1e-6);
    }
    assert_int_equal(cot_transform_apply(transform, &back, 1, again, NULL), COT_OK);
    for (size_t i = 0; i < N * d_out; i++)
        near((double)again[i], (double)z[i], 1e-4 * (1 + fabs((double)z[i])));
    z[7] = NAN;
    assert_int_equal(cot_transform_inverse_rows(transform, &scores, 2, rows, NULL), COT_BAD_DATA);
    scores.d--;
    assert_int_equal(cot_transform_inverse_rows(transform, &scores, 2, rows, NULL), COT_USAGE);
    free(z);
    free(rows);
    free(again);
    cot_transform_free(transform);
}

/* Written before there were quantiles: a log1p, a plain and a category column. */
static const unsigned char VERSION_1[] = {
    0x43, 0x4f, 0x54, 0x58, 0x01, 0x00, 0x00, 0x00, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x05, 0x73, 0x70, 0x65, 0x6e, 0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x34, 0x40,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x54, 0x40, 0x5b, 0xc5,
    0x11, 0x7f, 0xbf, 0x70, 0x05, 0x40, 0x32, 0xfc, 0x93, 0x4f, 0xbc, 0xd6, 0xf6, 0x3f, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x61, 0x67, 0x65,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x39, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x40, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x3d, 0x40, 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0x38, 0x40, 0x12, 0xa4, 0x77, 0xaf,
    0xdd, 0xf6, 0x06, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x07, 0x63, 0x6f, 0x75, 0x6e, 0x74, 0x72, 0x79, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x3f, 0x9a, 0x99,
    0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xe0, 0x3f, 0x07, 0x00, 0x00, 0x00, 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xd9, 0x3f, 0x01, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x96, 0xf7, 0x09, 0x8e, 0xfa, 0x59, 0x94, 0xda};

static void test_version_1_is_still_read(void **state)
{
    static const float expected[5] = {0.404955447F, 0.1393466F, -0.707106769F, -0.632455528F, 2.84604979F};
    float row[3] = {25, 25, 1};
    float z[5];
    struct cot_matrix x = {.data = row, .n = 1, .d = 3, .stride = 3};
    struct cot_transform *transform = NULL;
    (void)state;
    assert_int_equal(cot_transform_decode(VERSION_1, sizeof VERSION_1, &transform, NULL), COT_OK);
    assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
    assert_memory_equal(z, expected, sizeof z);
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

static void test_bytes_of_quantiles(void **state)
{
    struct cot_transform *transform = fit_parity(&PARITIES[2]);
    struct cot_transform *copy = NULL;
    unsigned char *bytes = NULL;
    float row[2] = {1.1F, 2};
    float z[2][2];
    struct cot_matrix x = {.data = row, .n = 1, .d = 2, .stride = 2};
    size_t size = 0;
    (void)state;
    assert_int_equal(cot_transform_encode(transform, &bytes, &size, NULL), COT_OK);
    assert_int_equal(cot_transform_decode(bytes, size, &copy, NULL), COT_OK);
    assert_int_equal(cot_transform_apply(transform, &x, 1, z[0], NULL), COT_OK);
    assert_int_equal(cot_transform_apply(copy, &x, 1, z[1], NULL), COT_OK);
    assert_memory_equal(z[0], z[1], sizeof z[0]);
    free(bytes);
    cot_transform_free(copy);
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
    options.n_quantiles = 1;
    assert_int_equal(cot_transform_fit(&X, COLUMNS, &options, &transform, &err), COT_USAGE);
    options.n_quantiles = 1000;
    options.winsor_low = 0.9;
    options.winsor_high = 0.1;
    assert_int_equal(cot_transform_fit(&X, COLUMNS, &options, &transform, &err), COT_USAGE);
    assert_null(transform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standardises),
        cmocka_unit_test(test_winsorised_to_a_constant),
        cmocka_unit_test(test_categories_are_famd),
        cmocka_unit_test(test_parity_with_scikit_learn),
        cmocka_unit_test(test_rows_come_back),
        cmocka_unit_test(test_version_1_is_still_read),
        cmocka_unit_test(test_bytes_of_quantiles),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
