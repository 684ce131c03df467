/* Ward's rounds against the definition: the cheapest pair of all is joined, n - 1 times. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/linkage.h"
#include "unit/ml/planted.h"

enum { MOST = 400, MOST_D = 40 };

/* Heights by the definition, O(n^3). */
static void naive_heights(const struct cot_matrix *x, const float *weights, double *ret_heights)
{
    static double mean[MOST][MOST_D];
    double mass[MOST];
    double height[MOST] = {0};
    for (size_t i = 0; i < x->n; i++) {
        mass[i] = weights != NULL ? (double)weights[i] : 1;
        for (size_t j = 0; j < x->d; j++)
            mean[i][j] = (double)cot_matrix_row(x, i)[j];
    }
    for (size_t m = 0; m + 1 < x->n; m++) {
        double least = DBL_MAX;
        size_t best[2] = {0, 0};
        for (size_t a = 0; a < x->n; a++)
            for (size_t b = a + 1; mass[a] > 0 && b < x->n; b++) {
                double sum = 0;
                if (mass[b] <= 0)
                    continue;
                for (size_t j = 0; j < x->d; j++)
                    sum += (mean[a][j] - mean[b][j]) * (mean[a][j] - mean[b][j]);
                sum *= mass[a] * mass[b] / (mass[a] + mass[b]);
                if (sum < least) {
                    least = sum;
                    best[0] = a;
                    best[1] = b;
                }
            }
        size_t a = best[0];
        size_t b = best[1];
        height[a] = fmax(sqrt(2 * least), fmax(height[a], height[b]));
        ret_heights[m] = height[a];
        for (size_t j = 0; j < x->d; j++)
            mean[a][j] = (mass[a] * mean[a][j] + mass[b] * mean[b][j]) / (mass[a] + mass[b]);
        mass[a] += mass[b];
        mass[b] = 0;
    }
}

static struct cot_linkage *fit(const struct cot_matrix *x, const struct cot_linkage_options *options)
{
    struct cot_err err = {0};
    struct cot_linkage *linkage = NULL;
    if (cot_linkage_fit(x, options, &linkage, &err) != COT_OK)
        fail_msg("%s", err.message);
    return linkage;
}

/* Heights ascend, sizes add up, every node is joined once. */
static void check_matrix(const struct cot_linkage *linkage)
{
    size_t n = linkage->n;
    char *used = calloc(2 * n, 1);
    for (size_t m = 0; m + 1 < n; m++) {
        const double *row = linkage->z + 4 * m;
        double size = 0;
        assert_true(row[0] < row[1] && row[1] < (double)(n + m));
        assert_true(m == 0 || row[2] >= row[-2]);
        for (int side = 0; side < 2; side++) {
            size_t node = (size_t)row[side];
            assert_int_equal(used[node]++, 0);
            size += node < n ? 1 : linkage->z[4 * (node - n) + 3];
        }
        assert_true(row[3] == size);
    }
    free(used);
}

/* The same bytes with every kernel and at 1, 2 and 8 threads. */
static void check_variants(const struct cot_matrix *x, const float *weights, const struct cot_linkage *expected)
{
    static const unsigned n_threads[] = {1, 2, 8};
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        struct cot_linkage *none = NULL;
        struct cot_linkage_options options = {.weights = weights, .isa = (enum cot_isa)isa};
        if (!cot_isa_supported((enum cot_isa)isa)) {
            assert_int_equal(cot_linkage_fit(x, &options, &none, NULL), COT_USAGE);
            continue;
        }
        for (int t = 0; t < 3; t++) {
            options.n_threads = n_threads[t];
            struct cot_linkage *linkage = fit(x, &options);
            assert_memory_equal(linkage->z, expected->z, 4 * (x->n - 1) * sizeof *linkage->z);
            cot_linkage_free(linkage);
        }
    }
}

enum shape {
    NORMAL,
    DENORMAL,
    HUGE_NUMBERS,
    OUTLIER,
    OFFSET,
    FAR_CLUSTERS,
    GROWING_GAPS,
    TINY_MASSES,
    N_UNTIED,
    GRID = N_UNTIED,
    DUPLICATES,
    CONSTANT,
    N_SHAPES
};

static void make_rows(enum shape shape, size_t n, size_t d, uint64_t seed, float *ret_x)
{
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            double z = cot_rng_normal(&rng);
            double values[N_SHAPES] = {
                [NORMAL] = z,
                [DENORMAL] = z * 1e-40,
                [HUGE_NUMBERS] = z * 4e37,
                [OUTLIER] = i == 3 ? 1e12 * z : z,
                [OFFSET] = 1000 + z,
                [FAR_CLUSTERS] = (i % 2 == 0 ? 1e5 : -3e5) + z,
                [GROWING_GAPS] = j == 0 ? (double)i + 0.01 * (double)(i * i) : 0,
                [TINY_MASSES] = z,
                [GRID] = (double)cot_rng_below(&rng, 3),
                [DUPLICATES] = (double)(i * 7 % 5 * (j + 1)),
                [CONSTANT] = 0.3,
            };
            ret_x[i * d + j] = (float)values[shape];
        }
}

static void test_rounds_make_the_definitions_joins(void **state)
{
    static const size_t shapes[][2] = {{2, 1}, {3, 2}, {65, 1}, {200, 2}, {MOST, 5}, {150, MOST_D}};
    static float data[MOST * MOST_D];
    static double heights[MOST];
    float weights[MOST];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 3);
    for (int shape = 0; shape < N_SHAPES; shape++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct cot_matrix x = {.data = data, .n = shapes[s][0], .d = shapes[s][1], .stride = shapes[s][1]};
            bool weighted = shape == TINY_MASSES || s % 2 == 1;
            for (size_t i = 0; i < x.n; i++)
                weights[i] = (float)(shape == TINY_MASSES ? exp(20 * cot_rng_normal(&rng)) : 1 + cot_rng_uniform(&rng));
            make_rows((enum shape)shape, x.n, x.d, s + 1, data);
            struct cot_linkage_options options = {.weights = weighted ? weights : NULL};
            struct cot_linkage *linkage = fit(&x, &options);
            check_matrix(linkage);
            if (shape < N_UNTIED) {
                naive_heights(&x, options.weights, heights);
                for (size_t m = 0; m + 1 < x.n; m++)
                    assert_true(fabs(linkage->z[4 * m + 2] - heights[m]) <= 1e-9 * heights[m]);
            }
            check_variants(&x, options.weights, linkage);
            cot_linkage_free(linkage);
        }
}

/* Ties: what is equal joins at 0 first, whatever the rest does. */
static void test_equal_rows_join_first(void **state)
{
    static float data[300 * 2];
    struct cot_matrix x = {.data = data, .n = 300, .d = 2, .stride = 2};
    (void)state;
    make_rows(DUPLICATES, 300, 2, 1, data);
    struct cot_linkage *linkage = fit(&x, NULL);
    for (size_t m = 0; m < 299; m++)
        assert_int_equal(linkage->z[4 * m + 2] > 0, m >= 295);
    cot_linkage_free(linkage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds_make_the_definitions_joins),
        cmocka_unit_test(test_equal_rows_join_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
