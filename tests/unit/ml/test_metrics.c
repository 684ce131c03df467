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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_simplified_silhouette),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
