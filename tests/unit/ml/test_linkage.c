#include "coterie/linkage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/metrics.h"
#include "unit/ml/planted.h"

static struct cot_linkage *fit(const struct cot_matrix *x, const struct cot_linkage_options *options)
{
    struct cot_err err = {0};
    struct cot_linkage *linkage = NULL;
    if (cot_linkage_fit(x, options, &linkage, &err) != COT_OK)
        fail_msg("%s", err.message);
    return linkage;
}

/* SciPy 1.15.3: linkage(x, method) of the fixed table: last heights, their sum, cophenet(z, pdist(x)), cut at 3. */
static const struct {
    enum cot_linkage_method method;
    double last[5];
    double sum;
    double cophenetic;
    size_t largest_of_three;
} scipy[] = {
    {COT_LINKAGE_WARD,
     {2.121723839262924, 2.1591911539310464, 2.185906288210046, 4.1182029559526665, 7.316017353554731},
     30.86160115015512,
     0.7135336591690244,
     21},
    {COT_LINKAGE_AVERAGE,
     {0.7649773817683209, 0.7661003423322807, 0.7748568095793172, 1.0672907291096574, 1.5205889988255088},
     13.3713856295798,
     0.7402346809306966,
     21},
    {COT_LINKAGE_COMPLETE,
     {1.0086991800217824, 1.0282980910940052, 1.2371183882333618, 1.9202223736874564, 2.7006697154881856},
     18.457536638655156,
     0.7113751811050292,
     25},
    {COT_LINKAGE_SINGLE,
     {0.5311204218066842, 0.5311204812855804, 0.5311204885240465, 0.6059636838255705, 0.6383392862279783},
     9.111408466219084,
     0.41822983163480065,
     57},
};

static void test_parity_with_scipy(void **state)
{
    float data[FIXED_N * FIXED_D];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    (void)state;
    fixed_table(data);
    for (size_t m = 0; m < sizeof scipy / sizeof *scipy; m++) {
        struct cot_linkage_options options = {.method = scipy[m].method};
        struct cot_linkage *linkage = fit(&x, &options);
        uint32_t labels[FIXED_N];
        size_t sizes[3] = {0};
        size_t largest = 0;
        double sum = 0;
        double cophenetic = 0;
        for (size_t i = 0; i < FIXED_N - 1; i++)
            sum += linkage->z[4 * i + 2];
        for (size_t i = 0; i < 5; i++)
            assert_true(fabs(linkage->z[4 * (FIXED_N - 6 + i) + 2] - scipy[m].last[i]) < 1e-9);
        assert_true(fabs(sum - scipy[m].sum) < 1e-8);
        assert_int_equal(cot_metric_cophenetic(&x, linkage, &cophenetic, NULL), COT_OK);
        assert_true(fabs(cophenetic - scipy[m].cophenetic) < 1e-9);
        assert_int_equal(cot_linkage_cut_k(linkage, 3, labels, NULL), COT_OK);
        for (size_t i = 0; i < FIXED_N; i++)
            sizes[labels[i]]++;
        for (size_t c = 0; c < 3; c++)
            largest = sizes[c] > largest ? sizes[c] : largest;
        assert_int_equal(largest, scipy[m].largest_of_three);
        assert_int_equal((int)linkage->z[4 * (FIXED_N - 2) + 3], FIXED_N);
        cot_linkage_free(linkage);
    }
}

enum { FEW = 12 };

/* SciPy 1.15.3: linkage(x[:12], method) of the fixed table, whole. */
static const struct {
    enum cot_linkage_method method;
    double z[FEW - 1][4];
} scipy_few[] = {
    {COT_LINKAGE_WARD,
     {{2, 5, 0.29120097108177617, 2},
      {1, 4, 0.2912009827488573, 2},
      {3, 6, 0.29120098643319464, 2},
      {7, 10, 0.2912010134516953, 2},
      {8, 11, 0.2912010134516953, 2},
      {0, 9, 0.6763260755534561, 2},
      {14, 17, 0.8235317428674827, 4},
      {13, 15, 1.0578137017833509, 4},
      {12, 16, 1.0578137289989586, 4},
      {19, 20, 1.622864104911551, 8},
      {18, 21, 3.449670708457147, 12}}},
    {COT_LINKAGE_AVERAGE,
     {{2, 5, 0.29120097108177617, 2},
      {1, 4, 0.2912009827488573, 2},
      {3, 6, 0.29120098643319464, 2},
      {7, 10, 0.2912010134516953, 2},
      {8, 11, 0.2912010134516953, 2},
      {0, 9, 0.6763260755534561, 2},
      {14, 17, 0.6846576595385183, 4},
      {13, 15, 0.765901976671118, 4},
      {12, 16, 0.7659019929279722, 4},
      {19, 20, 0.9478250082109765, 8},
      {18, 21, 1.5737650418290374, 12}}},
    {COT_LINKAGE_COMPLETE,
     {{2, 5, 0.29120097108177617, 2},
      {1, 4, 0.2912009827488573, 2},
      {3, 6, 0.29120098643319464, 2},
      {7, 10, 0.2912010134516953, 2},
      {8, 11, 0.2912010134516953, 2},
      {0, 9, 0.6763260755534561, 2},
      {14, 17, 0.7738204172562971, 4},
      {13, 16, 0.9542626142415178, 4},
      {12, 19, 1.0953026999224802, 6},
      {15, 18, 1.4513735190569543, 6},
      {20, 21, 2.5514089827060875, 12}}},
    {COT_LINKAGE_SINGLE,
     {{2, 5, 0.29120097108177617, 2},
      {1, 4, 0.2912009827488573, 2},
      {3, 6, 0.29120098643319464, 2},
      {7, 10, 0.2912010134516953, 2},
      {8, 11, 0.2912010134516953, 2},
      {15, 16, 0.5354922373767383, 4},
      {12, 13, 0.5354922485075516, 4},
      {0, 14, 0.6059636838255705, 3},
      {17, 18, 0.6108592087523652, 8},
      {9, 19, 0.6108592179732047, 4},
      {20, 21, 0.8003030328306107, 12}}},
};

static void test_matrices_are_scipys(void **state)
{
    /* cophenet(linkage(x[:12], "average")), the first 15 pairs */
    static const double heights[] = {1.5737650418290374, 1.5737650418290374, 0.6846576595385183, 1.5737650418290374,
                                     1.5737650418290374, 0.6846576595385183, 1.5737650418290374, 1.5737650418290374,
                                     0.6763260755534561, 1.5737650418290374, 1.5737650418290374, 0.9478250082109765,
                                     1.5737650418290374, 0.2912009827488573, 0.9478250082109765};
    float data[FIXED_N * FIXED_D];
    double cophenetic[FEW * (FEW - 1) / 2];
    struct cot_matrix x = {.data = data, .n = FEW, .d = FIXED_D, .stride = FIXED_D};
    (void)state;
    fixed_table(data);
    for (size_t m = 0; m < sizeof scipy_few / sizeof *scipy_few; m++) {
        struct cot_linkage_options options = {.method = scipy_few[m].method};
        struct cot_linkage *linkage = fit(&x, &options);
        for (size_t i = 0; i < FEW - 1; i++)
            for (size_t j = 0; j < 4; j++)
                assert_true(fabs(linkage->z[4 * i + j] - scipy_few[m].z[i][j]) < 1e-12);
        if (options.method == COT_LINKAGE_AVERAGE) {
            assert_int_equal(cot_linkage_cophenetic(linkage, cophenetic, NULL), COT_OK);
            for (size_t i = 0; i < sizeof heights / sizeof *heights; i++)
                assert_true(fabs(cophenetic[i] - heights[i]) < 1e-12);
        }
        cot_linkage_free(linkage);
    }
}

static void test_agreement_of_trees(void **state)
{
    struct planted p = planted_make(200, 3, 4, 2, 8, 5);
    struct cot_matrix x = planted_view(&p);
    struct cot_linkage_options single = {.method = COT_LINKAGE_SINGLE};
    struct cot_linkage *a = fit(&x, NULL);
    struct cot_linkage *b = fit(&x, &single);
    double heights[2][200 * 199 / 2];
    double m[5] = {0};
    double same = 0;
    double different = 0;
    uint32_t leaves[3] = {0, 0, 200};
    struct cot_dendrogram of_a = {.linkage = a};
    struct cot_dendrogram of_b = {.linkage = b};
    struct cot_dendrogram outside = {.linkage = b, .leaves = leaves};
    (void)state;
    assert_int_equal(cot_linkage_agreement(&of_a, &of_a, p.n, &same, NULL), COT_OK);
    assert_true(fabs(same - 1) < 1e-12);
    assert_int_equal(cot_linkage_agreement(&of_a, &of_b, p.n, &different, NULL), COT_OK);
    assert_int_equal(cot_linkage_cophenetic(a, heights[0], NULL), COT_OK);
    assert_int_equal(cot_linkage_cophenetic(b, heights[1], NULL), COT_OK);
    for (size_t i = 0; i < p.n * (p.n - 1) / 2; i++) {
        double u = heights[0][i];
        double v = heights[1][i];
        m[0] += u, m[1] += v, m[2] += u * u, m[3] += v * v, m[4] += u * v;
    }
    double n = (double)(p.n * (p.n - 1) / 2);
    double expected = (m[4] - m[0] * m[1] / n) / sqrt((m[2] - m[0] * m[0] / n) * (m[3] - m[1] * m[1] / n));
    assert_true(fabs(different - expected) < 1e-9);
    assert_int_equal(cot_linkage_agreement(&of_a, &outside, 3, &same, NULL), COT_USAGE);
    assert_int_equal(cot_linkage_agreement(&of_a, &of_b, p.n + 1, &same, NULL), COT_USAGE);
    assert_int_equal(cot_linkage_agreement(&of_a, &of_b, 2, &same, NULL), COT_USAGE);
    cot_linkage_free(a);
    cot_linkage_free(b);
    planted_free(&p);
}

/* Points 0 1 2 | 10 11 12 13 | 40: pairs join at 1, the outlier last. */
static void test_cut_by_size(void **state)
{
    static const struct {
        size_t min_size, k;
        uint32_t labels[8];
    } cuts[] = {
        {1, 8, {0, 1, 2, 3, 4, 5, 6, 7}},
        {2, 1, {0}}, /* the last join would set 40 free */
        {8, 1, {0}},
    };
    static const struct {
        size_t min_size, k;
        uint32_t labels[7];
    } inner[] = {{2, 3, {0, 0, 0, 1, 1, 2, 2}},
                 {3, 2, {0, 0, 0, 1, 1, 1, 1}},
                 {4, 1, {0}},
                 {7, 1, {0}},
                 {1, 7, {0, 1, 2, 3, 4, 5, 6}}};
    float data[] = {0, 1, 2, 10, 11, 12.5F, 13.5F, 40};
    struct cot_matrix x = {.data = data, .n = 8, .d = 1, .stride = 1};
    uint32_t labels[8];
    size_t k = 0;
    (void)state;
    struct cot_linkage *linkage = fit(&x, NULL);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        assert_int_equal(cot_linkage_cut_min_size(linkage, cuts[c].min_size, labels, &k, NULL), COT_OK);
        assert_int_equal(k, cuts[c].k);
        assert_memory_equal(labels, cuts[c].labels, sizeof cuts[c].labels);
    }
    assert_int_equal(cot_linkage_cut_min_size(linkage, 0, labels, &k, NULL), COT_USAGE);
    assert_int_equal(cot_linkage_cut_min_size(linkage, 9, labels, &k, NULL), COT_USAGE);
    cot_linkage_free(linkage);
    x.n = 7;
    linkage = fit(&x, NULL);
    for (size_t c = 0; c < sizeof inner / sizeof *inner; c++) {
        assert_int_equal(cot_linkage_cut_min_size(linkage, inner[c].min_size, labels, &k, NULL), COT_OK);
        assert_int_equal(k, inner[c].k);
        assert_memory_equal(labels, inner[c].labels, sizeof inner[c].labels);
    }
    cot_linkage_free(linkage);
    x.n = 1;
    linkage = fit(&x, NULL);
    assert_int_equal(cot_linkage_cut_min_size(linkage, 1, labels, &k, NULL), COT_OK);
    assert_int_equal(k, 1);
    cot_linkage_free(linkage);
}

static void test_memory_is_priced_before_the_fit(void **state)
{
    float data[FIXED_N * FIXED_D];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    struct cot_linkage *none = NULL;
    struct cot_err err = {0};
    (void)state;
    fixed_table(data);
    for (int method = COT_LINKAGE_WARD; method <= COT_LINKAGE_SINGLE; method++) {
        struct cot_linkage_options options = {.method = (enum cot_linkage_method)method, .n_threads = 1};
        size_t needed = cot_linkage_memory(x.n, x.d, &options);
        options.memory_limit = needed - 1;
        assert_int_equal(cot_linkage_fit(&x, &options, &none, &err), COT_LIMIT);
        assert_null(none);
        options.memory_limit = needed;
        cot_linkage_free(fit(&x, &options));
    }
    struct cot_linkage_options complete = {.method = COT_LINKAGE_COMPLETE};
    assert_in_range(cot_linkage_memory(16384, 32, &complete) >> 20, 1024, 1100);
    assert_in_range(cot_linkage_memory(20000, 32, NULL) >> 20, 1, 32);
    assert_true(cot_linkage_memory(SIZE_MAX / 2, 32, NULL) == SIZE_MAX);
}

static void test_leaf_order_is_scipys(void **state)
{
    static const uint32_t first[] = {25, 8, 20, 47, 59, 11, 23, 35, 38, 50};
    float data[FIXED_N * FIXED_D];
    uint32_t order[FIXED_N];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    (void)state;
    fixed_table(data);
    struct cot_linkage *linkage = fit(&x, NULL);
    assert_int_equal(cot_linkage_leaf_order(linkage, order, NULL), COT_OK);
    assert_memory_equal(order, first, sizeof first);
    cot_linkage_free(linkage);
}

/* Weighted Ward over distinct points = Ward over repeated points, above the joins of the repetitions (height 0). */
static void test_weights_are_repetitions(void **state)
{
    struct planted p = planted_make(120, 3, 3, 2, 4, 6);
    float twice[3 * 240];
    float weights[120];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < p.n; i++) {
        weights[i] = (float)(1 + i % 2);
        for (size_t r = 0; r < 1 + i % 2; r++)
            memcpy(twice + 3 * n++, p.x + 3 * i, 3 * sizeof *twice);
    }
    struct cot_matrix x = planted_view(&p);
    struct cot_matrix repeated = {.data = twice, .n = n, .d = 3, .stride = 3};
    struct cot_linkage_options options = {.weights = weights};
    struct cot_linkage *a = fit(&x, &options);
    struct cot_linkage *b = fit(&repeated, NULL);
    for (size_t i = 0; i < p.n - 1; i++) {
        double height_a = a->z[4 * i + 2];
        double height_b = b->z[4 * (i + n - p.n) + 2];
        assert_true(fabs(height_a - height_b) < 1e-9 * height_b);
    }
    cot_linkage_free(a);
    cot_linkage_free(b);
    planted_free(&p);
}

static void test_cuts(void **state)
{
    struct planted p = planted_make(800, 4, 5, 3, 12, 9);
    struct cot_matrix x = planted_view(&p);
    struct cot_linkage *linkage = fit(&x, NULL);
    uint32_t *by_k = malloc(p.n * sizeof *by_k);
    uint32_t *by_height = malloc(p.n * sizeof *by_height);
    size_t k = 0;
    double ari = 0;
    (void)state;
    assert_int_equal(cot_linkage_cut_k(linkage, 5, by_k, NULL), COT_OK);
    assert_int_equal(cot_metric_ari(by_k, p.truth, p.n, &ari, NULL), COT_OK);
    assert_true(ari > 0.99);
    double height = linkage->z[4 * (p.n - 6) + 2];
    assert_int_equal(cot_linkage_cut_height(linkage, height, by_height, &k, NULL), COT_OK);
    assert_int_equal(k, 5);
    assert_memory_equal(by_k, by_height, p.n * sizeof *by_k);
    assert_int_equal(cot_linkage_cut_k(linkage, p.n, by_k, NULL), COT_OK);
    for (size_t i = 0; i < p.n; i++)
        assert_int_equal(by_k[i], i);
    assert_int_equal(cot_linkage_cut_k(linkage, 0, by_k, NULL), COT_USAGE);
    assert_int_equal(cot_linkage_cut_k(linkage, p.n + 1, by_k, NULL), COT_USAGE);
    free(by_k);
    free(by_height);
    cot_linkage_free(linkage);
    planted_free(&p);
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(1500, 5, 4, 3, 3, 7);
    struct cot_matrix x = planted_view(&p);
    static const unsigned n_threads[] = {1, 2, 8};
    (void)state;
    for (int method = COT_LINKAGE_WARD; method <= COT_LINKAGE_SINGLE; method++) {
        struct cot_linkage *first = NULL;
        for (int i = 0; i < 3; i++) {
            struct cot_linkage_options options = {.method = (enum cot_linkage_method)method, .n_threads = n_threads[i]};
            struct cot_linkage *linkage = fit(&x, &options);
            if (first != NULL)
                assert_memory_equal(first->z, linkage->z, 4 * (p.n - 1) * sizeof(double));
            if (first != NULL)
                cot_linkage_free(linkage);
            else
                first = linkage;
        }
        cot_linkage_free(first);
    }
    planted_free(&p);
}

static void test_permutation_of_rows(void **state)
{
    struct planted p = planted_make(300, 3, 3, 2, 3, 11);
    struct cot_matrix x = planted_view(&p);
    struct cot_linkage *a = fit(&x, NULL);
    for (size_t i = 0; i < p.n / 2; i++)
        for (size_t j = 0; j < p.d; j++) {
            float swap = p.x[i * p.d + j];
            p.x[i * p.d + j] = p.x[(p.n - 1 - i) * p.d + j];
            p.x[(p.n - 1 - i) * p.d + j] = swap;
        }
    struct cot_linkage *b = fit(&x, NULL);
    (void)state;
    for (size_t i = 0; i < p.n - 1; i++)
        assert_true(fabs(a->z[4 * i + 2] - b->z[4 * i + 2]) < 1e-9);
    cot_linkage_free(a);
    cot_linkage_free(b);
    planted_free(&p);
}

static void test_small_and_tied(void **state)
{
    float equal[40] = {0};
    struct cot_matrix one = {.data = equal, .n = 1, .d = 2, .stride = 2};
    struct cot_matrix same = {.data = equal, .n = 20, .d = 2, .stride = 2};
    struct cot_err err = {0};
    struct cot_linkage *none = NULL;
    uint32_t label = 9;
    (void)state;
    for (int method = COT_LINKAGE_WARD; method <= COT_LINKAGE_SINGLE; method++) {
        struct cot_linkage_options options = {.method = (enum cot_linkage_method)method};
        struct cot_linkage *linkage = fit(&one, &options);
        assert_int_equal(cot_linkage_cut_k(linkage, 1, &label, NULL), COT_OK);
        assert_int_equal(label, 0);
        cot_linkage_free(linkage);
        linkage = fit(&same, &options);
        for (size_t i = 0; i < 19; i++)
            assert_true(linkage->z[4 * i + 2] == 0);
        assert_int_equal((int)linkage->z[4 * 18 + 3], 20);
        cot_linkage_free(linkage);
    }
    equal[7] = NAN;
    assert_int_equal(cot_linkage_fit(&same, NULL, &none, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "row 3, column 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parity_with_scipy),
        cmocka_unit_test(test_matrices_are_scipys),
        cmocka_unit_test(test_agreement_of_trees),
        cmocka_unit_test(test_cut_by_size),
        cmocka_unit_test(test_memory_is_priced_before_the_fit),
        cmocka_unit_test(test_leaf_order_is_scipys),
        cmocka_unit_test(test_weights_are_repetitions),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_permutation_of_rows),
        cmocka_unit_test(test_small_and_tied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
