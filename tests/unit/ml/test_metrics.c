/* Numbers of scikit-learn 1.7.2 and SciPy 1.15.3 on the fixed table. */
#include "coterie/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/ml/planted.h"

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static void test_agreement(void **state)
{
    uint32_t a[FIXED_N], b[FIXED_N], c[FIXED_N], five[FIXED_N], alone[FIXED_N], one[FIXED_N] = {0};
    double value = 0;
    (void)state;
    for (uint32_t i = 0; i < FIXED_N; i++) {
        a[i] = i * i % 5;
        b[i] = (i * 3 + i / 7) % 4;
        c[i] = i % 9 == 0 ? 0 : a[i];
        five[i] = i % 5;
        alone[i] = i;
    }
    assert_int_equal(cot_metric_ari(a, b, FIXED_N, &value, NULL), COT_OK);
    near(value, -0.02258600194190615, 1e-14);
    assert_int_equal(cot_metric_ari(a, five, FIXED_N, &value, NULL), COT_OK);
    near(value, 0.5986394557823129, 1e-14);
    assert_int_equal(cot_metric_ari(a, c, FIXED_N, &value, NULL), COT_OK);
    near(value, 0.781587157573086, 1e-14);
    assert_int_equal(cot_metric_ami(a, b, FIXED_N, &value, NULL), COT_OK);
    near(value, -0.030489827750398546, 1e-12);
    assert_int_equal(cot_metric_ami(a, c, FIXED_N, &value, NULL), COT_OK);
    near(value, 0.7625365683766427, 1e-12);
    /* Names of labels, even huge ones, do not matter. */
    for (uint32_t i = 0; i < FIXED_N; i++)
        c[i] = 4000000000U - 7 * a[i];
    assert_int_equal(cot_metric_ari(a, c, FIXED_N, &value, NULL), COT_OK);
    near(value, 1, 0);
    assert_int_equal(cot_metric_ami(a, c, FIXED_N, &value, NULL), COT_OK);
    near(value, 1, 1e-12);
    assert_int_equal(cot_metric_ari(one, one, FIXED_N, &value, NULL), COT_OK);
    near(value, 1, 0);
    assert_int_equal(cot_metric_ari(alone, alone, FIXED_N, &value, NULL), COT_OK);
    near(value, 1, 0);
    assert_int_equal(cot_metric_ami(one, a, FIXED_N, &value, NULL), COT_OK);
    near(value, 0, 1e-12);
}

static void test_indices(void **state)
{
    float data[FIXED_N * FIXED_D];
    float values[FIXED_N];
    uint32_t labels[FIXED_N];
    uint32_t zeros[FIXED_N] = {0};
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    double value = 0;
    double sum = 0;
    (void)state;
    fixed_table(data);
    for (uint32_t i = 0; i < FIXED_N; i++)
        labels[i] = i % 3;
    assert_int_equal(cot_metric_silhouette(&x, labels, 4, 2, &value, values, NULL), COT_OK); /* cluster 3 is empty */
    near(value, 0.4237836003303528, 1e-6);
    for (size_t i = 0; i < FIXED_N; i++)
        sum += (double)values[i];
    near(sum / FIXED_N, value, 1e-6);
    assert_int_equal(cot_metric_davies_bouldin(&x, labels, 3, &value, NULL), COT_OK);
    near(value, 0.8809757718252413, 1e-6);
    assert_int_equal(cot_metric_calinski_harabasz(&x, labels, 3, &value, NULL), COT_OK);
    near(value, 90.95101672739729, 1e-4);
    assert_int_equal(cot_metric_silhouette(&x, zeros, 1, 1, &value, NULL, NULL), COT_USAGE);
    labels[5] = 3;
    assert_int_equal(cot_metric_davies_bouldin(&x, labels, 3, &value, NULL), COT_USAGE);
}

/* By hand: clusters {0, 1} and {10}; a = .5, b = 10 and 9 for the first two; a point alone has 0. */
static void test_simplified_silhouette(void **state)
{
    float data[3] = {0, 1, 10};
    uint32_t labels[3] = {0, 0, 1};
    struct cot_matrix x = {.data = data, .n = 3, .d = 1, .stride = 1};
    double value = 0;
    (void)state;
    assert_int_equal(cot_metric_silhouette_simplified(&x, labels, 2, 1, &value, NULL, NULL), COT_OK);
    near(value, (9.5 / 10 + 8.5 / 9) / 3, 1e-6);
}

/* Clusters cost 512 bytes a thread each: more than any machine has are refused before they are asked for. */
static void test_silhouettes_of_too_many_clusters(void **state)
{
    float data[3] = {0, 1, 10};
    uint32_t labels[3] = {0, 0, 1};
    struct cot_matrix x = {.data = data, .n = 3, .d = 1, .stride = 1};
    struct cot_err err = {0};
    double value = 7;
    (void)state;
    for (int shift = 42; shift < 64; shift += 7) {
        size_t k = (size_t)1 << shift;
        assert_int_equal(cot_metric_silhouette(&x, labels, k, 1, &value, NULL, &err), COT_LIMIT);
        assert_int_equal(cot_metric_silhouette_simplified(&x, labels, k, 2, &value, NULL, &err), COT_LIMIT);
        assert_non_null(strstr(err.message, "3 points in 1 columns"));
    }
    near(value, 7, 0);
}

/* By the definition: each pair's join is the first row whose subtree holds both. */
static double purity_by_pairs(const struct cot_linkage *linkage, const uint32_t *labels)
{
    size_t n = linkage->n;
    unsigned char *members = calloc(2 * n * n, 1);
    double sum = 0;
    double n_pairs = 0;
    for (size_t i = 0; i < n; i++)
        members[i * n + i] = 1;
    for (size_t m = 0; m + 1 < n; m++)
        for (size_t i = 0; i < n; i++)
            members[(n + m) * n + i] =
                members[(size_t)linkage->z[4 * m] * n + i] | members[(size_t)linkage->z[4 * m + 1] * n + i];
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            size_t node = n;
            double of_class = 0;
            double all = 0;
            if (labels[a] != labels[b])
                continue;
            while (!members[node * n + a] || !members[node * n + b])
                node++;
            for (size_t i = 0; i < n; i++) {
                all += members[node * n + i];
                of_class += members[node * n + i] && labels[i] == labels[a];
            }
            sum += of_class / all;
            n_pairs++;
        }
    free(members);
    return n_pairs > 0 ? sum / n_pairs : 1;
}

static void test_purity_by_hand(void **state)
{
    /* ((0 1) (2 3)): classes A A B A. Pairs: (0, 1) purity 1; (0, 3) and (1, 3) join at the root, 3 of 4. */
    double z[] = {0, 1, 1, 2, 2, 3, 2, 2, 4, 5, 3, 4};
    struct cot_linkage linkage = {.n = 4, .z = z};
    uint32_t labels[] = {7, 7, 9, 7};
    double purity = 0;
    (void)state;
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_OK);
    near(purity, (1 + 0.75 + 0.75) / 3, 1e-15);
    z[4] = 1; /* joined twice */
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_BAD_DATA);
    z[4] = 2.5;
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_BAD_DATA);
    z[4] = NAN;
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_BAD_DATA);
    z[4] = 2;
    z[7] = 3; /* a wrong size */
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_BAD_DATA);
    linkage.n = 0;
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_USAGE);
    linkage.n = 1;
    assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_OK);
    near(purity, 1, 0);
}

static void test_purity_against_pairs(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 11);
    for (int round = 0; round < 200; round++) {
        double z[4 * 40];
        size_t sizes[80];
        size_t open[40];
        uint32_t labels[40];
        struct cot_linkage linkage = {.n = 2 + (size_t)cot_rng_below(&rng, 39), .z = z};
        size_t n_open = linkage.n;
        uint64_t n_classes = 1 + cot_rng_below(&rng, 6);
        double purity = 0;
        for (size_t i = 0; i < linkage.n; i++) {
            open[i] = i;
            sizes[i] = 1;
            labels[i] = (uint32_t)cot_rng_below(&rng, n_classes) * 1000000000U;
        }
        for (size_t m = 0; m + 1 < linkage.n; m++) { /* any two, so that chains and bushes come */
            size_t pick[2];
            for (int side = 0; side < 2; side++) {
                size_t at = round % 3 == 0 && side == 0 ? n_open - 1 : (size_t)cot_rng_below(&rng, n_open);
                pick[side] = open[at];
                open[at] = open[--n_open];
            }
            sizes[linkage.n + m] = sizes[pick[0]] + sizes[pick[1]];
            memcpy(z + 4 * m, (double[]){(double)pick[0], (double)pick[1], (double)m, (double)sizes[linkage.n + m]},
                   4 * sizeof *z);
            open[n_open++] = linkage.n + m;
        }
        assert_int_equal(cot_metric_dendrogram_purity(&linkage, labels, &purity, NULL), COT_OK);
        near(purity, purity_by_pairs(&linkage, labels), 1e-12);
    }
}

/* Large enough for whole and cut runs of rows; by plain loops in double precision. */
static void test_silhouettes_of_points(void **state)
{
    struct planted p = planted_make(203, 7, 4, 30, 3, 21);
    struct cot_matrix x = planted_view(&p);
    float values[3][203];
    double mean[3];
    static const unsigned n_threads[] = {1, 2, 8};
    (void)state;
    for (size_t i = 0; i < p.n; i++)
        for (size_t j = 0; j < p.d; j++)
            p.x[i * p.d + j] += 1000; /* an offset costs nothing */
    for (int t = 0; t < 3; t++)
        assert_int_equal(cot_metric_silhouette(&x, p.truth, 5, n_threads[t], &mean[t], values[t], NULL), COT_OK);
    assert_memory_equal(values[0], values[1], sizeof values[0]);
    assert_memory_equal(values[0], values[2], sizeof values[0]);
    assert_true(mean[0] == mean[1] && mean[0] == mean[2]);
    for (size_t i = 0; i < p.n; i++) {
        double sums[4] = {0};
        double counts[4] = {0};
        double other = INFINITY;
        for (size_t q = 0; q < p.n; q++) {
            double d2 = 0;
            for (size_t j = 0; j < p.d; j++)
                d2 += pow((double)p.x[i * p.d + j] - (double)p.x[q * p.d + j], 2);
            sums[p.truth[q]] += sqrt(d2);
            counts[p.truth[q]]++;
        }
        double own = sums[p.truth[i]] / (counts[p.truth[i]] - 1);
        for (size_t c = 0; c < 4; c++)
            other = c != p.truth[i] ? fmin(other, sums[c] / counts[c]) : other;
        if (counts[p.truth[i]] > 1)
            near((double)values[0][i], (other - own) / fmax(own, other), 1e-6);
    }
    p.x[10] = 3e38F; /* the largest numbers do not overflow */
    p.x[20] = -3e38F;
    assert_int_equal(cot_metric_silhouette(&x, p.truth, 5, 2, &mean[0], NULL, NULL), COT_OK);
    assert_true(mean[0] >= -1 && mean[0] <= 1);
    p.x[10] = NAN;
    assert_int_equal(cot_metric_silhouette(&x, p.truth, 5, 2, &mean[0], NULL, NULL), COT_BAD_DATA);
    planted_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_simplified_silhouette),
        cmocka_unit_test(test_silhouettes_of_too_many_clusters),
        cmocka_unit_test(test_silhouettes_of_points),
        cmocka_unit_test(test_purity_by_hand),
        cmocka_unit_test(test_purity_against_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
