/* What explains segments: contrasts, medoids, rules, principal components. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/contrasts.h"
#include "coterie/medoids.h"
#include "coterie/pca.h"
#include "coterie/rule.h"
#include "unit/ml/planted.h"

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

/* SciPy 1.15.3: 2 * stats.t.sf(|t|, df). */
static void test_student(void **state)
{
    (void)state;
    near(cot_student_p(0.5, 3.2), 0.6494501780131947, 1e-12);
    near(cot_student_p(2.5, 10), 0.03144684423660882, 1e-13);
    near(cot_student_p(12, 40) / 7.82417130425598e-15, 1, 1e-9);
    near(cot_student_p(-1.96, 1e6), 0.04999606758526985, 1e-9);
    near(cot_student_p(3, 0.7), 0.2833713393010258, 1e-12);
    near(cot_student_p(0, 5), 1, 0);
    near(cot_student_p(1e200, 5), 0, 0);
}

/* SciPy: stats.false_discovery_control. */
static void test_false_discovery(void **state)
{
    double p[6] = {0.01, 0.04, 0.03, 0.005, 0.8, 0.2};
    static const double q[6] = {0.03, 0.06, 0.06, 0.03, 0.8, 0.24};
    (void)state;
    assert_int_equal(cot_false_discovery(p, 6, p, NULL), COT_OK);
    for (int i = 0; i < 6; i++)
        near(p[i], q[i], 1e-15);
}

static void test_contrasts(void **state)
{
    float data[FIXED_N * (FIXED_D + 1)];
    float table[FIXED_N * FIXED_D];
    uint32_t labels[FIXED_N];
    struct cot_contrast contrasts[3 * 4];
    struct cot_contrast again[3 * 4];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = 4, .stride = 4};
    (void)state;
    fixed_table(table);
    for (uint32_t i = 0; i < FIXED_N; i++) {
        labels[i] = i % 3;
        memcpy(data + 4 * i, table + 3 * i, 3 * sizeof *data);
        data[4 * i + 3] = 7.7F; /* constant */
    }
    assert_int_equal(cot_contrasts_compute(&x, labels, 3, 1, contrasts, NULL), COT_OK);
    /* SciPy: ttest_ind(x[labels == 1, 0], x[labels != 1, 0], equal_var=False) */
    near(contrasts[4].t, 0.15910226676001382, 1e-9);
    near(contrasts[4].p, 0.8741961248469354, 1e-9);
    near(contrasts[4].df, 52.73106631423727, 1e-6);
    near(contrasts[7].difference, 0, 0);
    near(contrasts[7].q, 1, 0);
    assert_true(contrasts[0].difference < -1 && contrasts[8].difference > 1);
    for (int i = 0; i < 12; i++)
        assert_true(contrasts[i].q >= contrasts[i].p);
    assert_int_equal(cot_contrasts_compute(&x, labels, 3, 8, again, NULL), COT_OK);
    assert_memory_equal(contrasts, again, sizeof again);
    data[1] = NAN; /* missing: left out */
    assert_int_equal(cot_contrasts_compute(&x, labels, 3, 1, contrasts, NULL), COT_OK);
    assert_true(isfinite(contrasts[1].t));
    data[1] = INFINITY;
    assert_int_equal(cot_contrasts_compute(&x, labels, 3, 1, contrasts, NULL), COT_BAD_DATA);
}

static void test_medoids(void **state)
{
    float data[6] = {0, 4, 1, 10, 12, -1};
    uint32_t labels[6] = {0, 0, 0, 1, 1, 0};
    float centroids[3] = {0, 11, 50};
    size_t rows[9];
    static const size_t expected[9] = {
        0, 2, 5, 3, 4, COT_MEDOIDS_NONE, COT_MEDOIDS_NONE, COT_MEDOIDS_NONE, COT_MEDOIDS_NONE};
    struct cot_matrix x = {.data = data, .n = 6, .d = 1, .stride = 1};
    (void)state;
    assert_int_equal(cot_medoids_find(&x, labels, centroids, 3, 3, rows, NULL), COT_OK);
    assert_memory_equal(rows, expected, sizeof expected);
    data[3] = NAN;
    assert_int_equal(cot_medoids_find(&x, labels, centroids, 3, 3, rows, NULL), COT_BAD_DATA);
    data[3] = 10;
    centroids[2] = INFINITY;
    assert_int_equal(cot_medoids_find(&x, labels, centroids, 3, 3, rows, NULL), COT_BAD_DATA);
}

/* numpy.linalg.eigh of numpy.cov of the fixed table. */
static void test_components(void **state)
{
    static const double variance[] = {0.6689513286860544, 0.09740963031096946, 0.018789895676885316};
    static const double first[] = {0.9142211042491041, 0.3114553961861301, 0.25922057929896125};
    float data[FIXED_N * FIXED_D];
    float scores[FIXED_N * 2];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    struct cot_pca *pca = NULL;
    struct cot_pca *again = NULL;
    double squares = 0;
    (void)state;
    fixed_table(data);
    assert_int_equal(cot_pca_fit(&x, 3, 1, &pca, NULL), COT_OK);
    for (int i = 0; i < 3; i++) {
        near(pca->variance[i], variance[i], 1e-12);
        near(pca->components[i], first[i], 1e-10);
    }
    near(pca->total, variance[0] + variance[1] + variance[2], 1e-12);
    assert_int_equal(cot_pca_fit(&x, 2, 8, &again, NULL), COT_OK);
    assert_memory_equal(pca->components, again->components, 2 * FIXED_D * sizeof(double));
    assert_int_equal(cot_pca_transform(again, &x, 2, scores, NULL), COT_OK);
    for (int i = 0; i < FIXED_N; i++)
        squares += (double)scores[2 * i] * (double)scores[2 * i];
    near(squares / (FIXED_N - 1), variance[0], 1e-6);
    cot_pca_free(pca);
    cot_pca_free(again);
    assert_int_equal(cot_pca_fit(&x, 4, 1, &pca, NULL), COT_USAGE);
    data[4] = NAN;
    assert_int_equal(cot_pca_fit(&x, 2, 1, &pca, NULL), COT_BAD_DATA);
}

/* Segments made by rules are found again, with thresholds that read well, in spite of missing values. */
static void test_rules(void **state)
{
    enum { N = 3000, D = 4 };
    float *data = malloc(N * D * sizeof *data);
    uint32_t *labels = malloc(N * sizeof *labels);
    unsigned char is_category[D] = {0, 0, 1, 0};
    struct cot_matrix x = {.data = data, .n = N, .d = D, .stride = D};
    struct cot_rule rules[4], again[4];
    struct cot_rule_options options;
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 5);
    for (size_t i = 0; i < N; i++) {
        float *row = data + i * D;
        row[0] = (float)cot_rng_below(&rng, 366);
        row[1] = (float)cot_rng_exponential(&rng, 0.01);
        row[2] = (float)cot_rng_below(&rng, 5);
        row[3] = cot_rng_uniform(&rng) < 0.3 ? NAN : (float)cot_rng_normal(&rng);
        labels[i] = row[0] <= 30 && row[1] > 150 ? 0 : row[2] == 3 && row[0] > 200 ? 1 : 2;
    }
    cot_rule_options_init(&options);
    options.is_category = is_category;
    options.n_threads = 1;
    assert_int_equal(cot_rules_find(&x, labels, 4, &options, rules, NULL), COT_OK);
    assert_true(rules[0].f1 > 0.9);
    assert_true(rules[1].f1 > 0.95);
    assert_int_equal(rules[1].n_conditions, 2);
    assert_int_equal(rules[3].n_conditions, 0);
    for (uint32_t s = 0; s < 3; s++) {
        size_t n_matching = 0;
        size_t n_hits = 0;
        size_t size = 0;
        for (size_t i = 0; i < N; i++) {
            int matches = cot_rule_matches(&rules[s], data + i * D);
            n_matching += matches != 0;
            n_hits += matches && labels[i] == s;
            size += labels[i] == s;
        }
        assert_int_equal(n_matching, rules[s].n_matching);
        near((double)n_hits / (double)n_matching, rules[s].precision, 1e-12);
        near((double)n_hits / (double)size, rules[s].coverage, 1e-12);
        for (size_t c = 0; c < rules[s].n_conditions; c++) {
            double value = rules[s].conditions[c].value;
            near(value * 100, round(value * 100), 1e-6); /* few digits */
        }
    }
    options.n_threads = 8;
    assert_int_equal(cot_rules_find(&x, labels, 4, &options, again, NULL), COT_OK);
    for (int s = 0; s < 4; s++) {
        assert_true(rules[s].f1 == again[s].f1);
        assert_int_equal(rules[s].n_matching, again[s].n_matching);
    }
    options.max_conditions = 9;
    assert_int_equal(cot_rules_find(&x, labels, 4, &options, again, NULL), COT_USAGE);
    options.max_conditions = 3;
    assert_int_equal(cot_rules_find(&x, labels, 2, &options, again, NULL), COT_USAGE);
    free(data);
    free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student), cmocka_unit_test(test_false_discovery), cmocka_unit_test(test_contrasts),
        cmocka_unit_test(test_medoids), cmocka_unit_test(test_components),      cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
