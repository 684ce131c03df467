#include "coterie/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/kmeans.h"
#include "coterie/metrics.h"
#include "unit/ml/planted.h"

static struct cot_tree *fit(const struct cot_matrix *x, const struct cot_tree_options *options)
{
    struct cot_err err = {0};
    struct cot_tree *tree = NULL;
    if (cot_tree_fit(x, options, &tree, &err) != COT_OK)
        fail_msg("%s", err.message);
    return tree;
}

/* Small limits make the path of micro-clusters testable. */
static void use_micro(struct cot_tree_options *options)
{
    options->max_exact = 1000;
    options->n_micro = 200;
}

static void test_finds_planted_segments(void **state)
{
    (void)state;
    for (int micro = 0; micro <= 1; micro++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct planted p = planted_make(4000, 6, 5, 10, 10, seed);
            struct cot_matrix x = planted_view(&p);
            struct cot_tree_options options;
            double ari = 0;
            cot_tree_options_init(&options, 5);
            if (micro)
                use_micro(&options);
            struct cot_tree *tree = fit(&x, &options);
            assert_int_equal(cot_metric_ari(cot_tree_labels(tree), p.truth, p.n, &ari, NULL), COT_OK);
            assert_true(ari > 0.99);
            cot_tree_free(tree);
            planted_free(&p);
        }
}

/* Each level nests in every finer one, has exactly as many clusters as asked for, and is numbered by size. */
static void check_levels(const struct cot_tree *tree, size_t n)
{
    static const size_t zooms[] = {1, 2, 3, 5, 6, 8, 20, 60};
    enum { N_ZOOMS = sizeof zooms / sizeof *zooms };
    uint32_t *labels[N_ZOOMS];
    for (size_t z = 0; z < N_ZOOMS; z++) {
        size_t sizes[64] = {0};
        uint32_t segments[64];
        labels[z] = malloc(n * sizeof *labels[z]);
        assert_int_equal(cot_tree_zoom(tree, zooms[z], labels[z], segments, NULL), COT_OK);
        for (size_t i = 0; i < n; i++) {
            assert_in_range(labels[z][i], 0, zooms[z] - 1);
            sizes[labels[z][i]]++;
            uint32_t segment = cot_tree_labels(tree)[i];
            if (zooms[z] >= cot_tree_k(tree))
                assert_int_equal(segments[labels[z][i]], segment);
            else
                assert_int_equal(segments[segment], labels[z][i]);
        }
        for (size_t c = 0; c < zooms[z]; c++) {
            assert_true(sizes[c] > 0);
            assert_true(c == 0 || sizes[c] <= sizes[c - 1]);
        }
    }
    for (size_t z = 1; z < N_ZOOMS; z++) {
        uint32_t parent[64];
        memset(parent, 0xff, sizeof parent);
        for (size_t i = 0; i < n; i++) {
            uint32_t *of = &parent[labels[z][i]];
            assert_true(*of == UINT32_MAX || *of == labels[z - 1][i]);
            *of = labels[z - 1][i];
        }
    }
    for (size_t z = 0; z < N_ZOOMS; z++)
        free(labels[z]);
}

static void test_levels_nest(void **state)
{
    struct planted p = planted_make(2500, 4, 6, 8, 3, 12);
    struct cot_matrix x = planted_view(&p);
    struct cot_tree_options options;
    uint32_t *labels = malloc(p.n * sizeof *labels);
    (void)state;
    for (int micro = 0; micro <= 1; micro++) {
        cot_tree_options_init(&options, 5);
        if (micro)
            use_micro(&options);
        struct cot_tree *tree = fit(&x, &options);
        check_levels(tree, p.n);
        assert_int_equal(cot_tree_zoom(tree, 5, labels, NULL, NULL), COT_OK);
        assert_memory_equal(labels, cot_tree_labels(tree), p.n * sizeof *labels);
        assert_int_equal(cot_tree_zoom(tree, cot_tree_max_zoom(tree), labels, NULL, NULL), COT_OK);
        assert_int_equal(cot_tree_zoom(tree, cot_tree_max_zoom(tree) + 1, labels, NULL, NULL), COT_USAGE);
        assert_int_equal(cot_tree_zoom(tree, 0, labels, NULL, NULL), COT_USAGE);
        cot_tree_free(tree);
    }
    free(labels);
    planted_free(&p);
}

static void test_totals_and_centroids(void **state)
{
    struct planted p = planted_make(1500, 3, 4, 5, 4, 4);
    struct cot_matrix x = planted_view(&p);
    float *weights = malloc(p.n * sizeof *weights);
    double total = 0;
    double sums[4][3] = {{0}};
    struct cot_tree_options options;
    (void)state;
    for (size_t i = 0; i < p.n; i++) {
        weights[i] = (float)(1 + i % 3);
        total += (double)weights[i];
    }
    cot_tree_options_init(&options, 4);
    options.weights = weights;
    struct cot_tree *tree = fit(&x, &options);
    for (size_t i = 0; i < p.n; i++)
        for (size_t j = 0; j < p.d; j++)
            sums[cot_tree_labels(tree)[i]][j] += (double)weights[i] * (double)p.x[i * p.d + j];
    for (size_t c = 0; c < 4; c++) {
        total -= cot_tree_masses(tree)[c];
        assert_true(c == 0 || cot_tree_masses(tree)[c] <= cot_tree_masses(tree)[c - 1]);
        for (size_t j = 0; j < p.d; j++)
            assert_true(fabs(sums[c][j] / cot_tree_masses(tree)[c] - (double)cot_tree_centroids(tree)[c * p.d + j]) <
                        1e-4);
    }
    assert_true(fabs(total) < 1e-6);
    assert_int_equal(cot_tree_segments(tree)->n, 4);
    cot_tree_free(tree);
    free(weights);
    planted_free(&p);
}

/* The polished cut is never worse than Ward's own. */
static void test_polish_lowers_inertia(void **state)
{
    struct planted p = planted_make(2000, 5, 6, 5, 2.5, 15);
    struct cot_matrix x = planted_view(&p);
    struct cot_tree_options options;
    (void)state;
    cot_tree_options_init(&options, 6);
    struct cot_tree *polished = fit(&x, &options);
    options.max_polish = 0;
    struct cot_tree *plain = fit(&x, &options);
    assert_true(cot_tree_inertia(polished) < cot_tree_inertia(plain));
    assert_int_equal(cot_tree_n_iter(plain), 0);
    cot_tree_free(polished);
    cot_tree_free(plain);
    planted_free(&p);
}

/* A cut at any k, from one fit, is as good as flat k-means that starts ten times, planted segments or none. */
static void test_cuts_at_any_k(void **state)
{
    static const size_t ks[] = {2, 3, 5, 8, 13};
    (void)state;
    for (int planted = 0; planted <= 1; planted++) {
        struct planted p = planted_make(6000, 4, planted ? 8 : 1, 4, 4, 31);
        struct cot_matrix x = planted_view(&p);
        struct cot_tree_options options;
        cot_tree_options_init(&options, 5);
        options.max_exact = 1000;
        options.n_micro = 400;
        struct cot_tree *tree = fit(&x, &options);
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
            struct cot_cut *cut = NULL;
            struct cot_kmeans *flat = NULL;
            struct cot_kmeans_options flat_options;
            cot_kmeans_options_init(&flat_options, ks[i]);
            flat_options.n_init = 10;
            options.k = ks[i];
            assert_int_equal(cot_kmeans_fit(&x, &flat_options, &flat, NULL), COT_OK);
            assert_int_equal(cot_tree_cut(tree, &x, &options, &cut, NULL), COT_OK);
            assert_int_equal(cut->k, ks[i]);
            assert_true(cut->inertia <= 1.01 * flat->inertia);
            for (size_t c = 1; c < cut->k; c++)
                assert_true(cut->masses[c] <= cut->masses[c - 1]);
            if (ks[i] == 5) {
                assert_memory_equal(cut->labels, cot_tree_labels(tree), p.n * sizeof *cut->labels);
                assert_memory_equal(cut->centroids, cot_tree_centroids(tree), 5 * p.d * sizeof *cut->centroids);
            }
            cot_kmeans_free(flat);
            cot_cut_free(cut);
        }
        cot_tree_free(tree);
        planted_free(&p);
    }
}

static void test_mistakes_in_cuts(void **state)
{
    struct planted p = planted_make(600, 3, 4, 2, 6, 2);
    struct cot_matrix x = planted_view(&p);
    struct cot_matrix other = {.data = p.x, .n = 599, .d = 3, .stride = 3};
    struct cot_tree_options options;
    struct cot_cut *none = NULL;
    struct cot_tree *no_tree = NULL;
    (void)state;
    cot_tree_options_init(&options, 4);
    options.memory_limit = cot_tree_memory(p.n, p.d, &options) - 1;
    assert_int_equal(cot_tree_fit(&x, &options, &no_tree, NULL), COT_LIMIT);
    options.memory_limit++;
    struct cot_tree *tree = fit(&x, &options);
    options.k = 0;
    assert_int_equal(cot_tree_cut(tree, &x, &options, &none, NULL), COT_USAGE);
    options.k = 601;
    assert_int_equal(cot_tree_cut(tree, &x, &options, &none, NULL), COT_USAGE);
    options.k = 4;
    assert_int_equal(cot_tree_cut(tree, &other, &options, &none, NULL), COT_USAGE);
    p.x[3 * 5 + 1] = NAN;
    assert_int_equal(cot_tree_cut(tree, &x, &options, &none, NULL), COT_BAD_DATA);
    assert_null(none);
    cot_tree_free(tree);
    planted_free(&p);
}

/* Micro-clusters in every segment, and the parts that they make there, are paid for. */
static void test_memory_counts_the_parts(void **state)
{
    enum { MICRO = 50000, K = 4000, ROWS = 5000000, D = 8 };
    struct planted p = planted_make(3000, 2, 4, 2, 6, 2);
    struct cot_matrix x = planted_view(&p);
    struct cot_tree_options options;
    struct cot_tree *tree = NULL;
    size_t needed[2];
    size_t flat[2];
    (void)state;
    cot_tree_options_init(&options, K);
    options.n_micro = MICRO;
    assert_true(cot_tree_memory(1000000, 1, &options) > (size_t)MICRO * K * sizeof(uint32_t));
    /* Twice the segments of as many micro-clusters are up to twice the parts, beside what the larger k-means takes. */
    for (size_t i = 0; i < 2; i++) {
        struct cot_kmeans_options kmeans;
        cot_tree_options_init(&options, 200 * (i + 1));
        cot_kmeans_options_init(&kmeans, options.k);
        needed[i] = cot_tree_memory(ROWS, D, &options);
        flat[i] = cot_kmeans_memory(ROWS, D, &kmeans);
    }
    assert_true(needed[1] - needed[0] >= flat[1] - flat[0] + options.n_micro * 200 * D * sizeof(float));
    /* A limit below the price is kept. */
    cot_tree_options_init(&options, 50);
    use_micro(&options);
    options.memory_limit = cot_tree_memory(p.n, p.d, &options) - 1;
    assert_int_equal(cot_tree_fit(&x, &options, &tree, NULL), COT_LIMIT);
    assert_null(tree);
    planted_free(&p);
}

static void test_memory_of_nothing(void **state)
{
    struct cot_tree_options options;
    (void)state;
    cot_tree_options_init(&options, 5);
    assert_int_equal(cot_tree_memory(0, 3, &options), 0);
    assert_int_equal(cot_tree_memory(100, 0, &options), 0);
    assert_int_equal(cot_tree_memory(100000, 0, &options), 0);
    options.k = 0;
    assert_int_equal(cot_tree_memory(100, 3, &options), 0);
    assert_int_equal(cot_tree_memory(100000, 3, &options), 0);
    options.k = 5;
    options.n_micro = 0;
    assert_int_equal(cot_tree_memory(100000, 3, &options), 0);
    assert_true(cot_tree_memory(100, 3, &options) > 0); /* exact: micro-clusters do not matter */
    options.n_micro = SIZE_MAX;
    assert_true(cot_tree_memory(100000, 3, &options) < SIZE_MAX);
    assert_true(cot_tree_memory(SIZE_MAX, 3, &options) == SIZE_MAX);
    assert_true(cot_tree_memory(100, SIZE_MAX / 8, &options) == SIZE_MAX);
}

/* Ward over micro-clusters joins pairs of rows at the heights of exact Ward, up to a factor: planted segments. */
static void test_micro_tree_agrees_with_exact_ward(void **state)
{
    struct planted p = planted_make(3000, 5, 7, 5, 9, 17);
    struct cot_matrix x = planted_view(&p);
    struct cot_tree_options options;
    struct cot_linkage *exact = NULL;
    double correlation = 0;
    (void)state;
    cot_tree_options_init(&options, 7);
    use_micro(&options);
    struct cot_tree *tree = fit(&x, &options);
    assert_int_equal(cot_linkage_fit(&x, NULL, &exact, NULL), COT_OK);
    struct cot_dendrogram a = {.linkage = cot_tree_ward(tree), .leaves = cot_tree_ward_leaves(tree)};
    struct cot_dendrogram b = {.linkage = exact};
    assert_int_equal(cot_linkage_agreement(&a, &b, p.n, &correlation, NULL), COT_OK);
    assert_true(correlation > 0.95);
    cot_linkage_free(exact);
    cot_tree_free(tree);
    planted_free(&p);
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(9000, 5, 6, 5, 3, 21);
    struct cot_matrix x = planted_view(&p);
    static const unsigned n_threads[] = {1, 2, 8};
    uint32_t *levels[3];
    struct cot_tree_options options;
    (void)state;
    cot_tree_options_init(&options, 6);
    use_micro(&options);
    for (int i = 0; i < 3; i++) {
        options.n_threads = n_threads[i];
        struct cot_tree *tree = fit(&x, &options);
        levels[i] = malloc(p.n * sizeof *levels[i]);
        assert_int_equal(cot_tree_zoom(tree, 40, levels[i], NULL, NULL), COT_OK);
        cot_tree_free(tree);
    }
    for (int i = 1; i < 3; i++)
        assert_memory_equal(levels[0], levels[i], p.n * sizeof *levels[0]);
    for (int i = 0; i < 3; i++)
        free(levels[i]);
    planted_free(&p);
}

static void test_few_distinct_rows(void **state)
{
    float data[50];
    struct cot_matrix x = {.data = data, .n = 50, .d = 1, .stride = 1};
    struct cot_tree_options options;
    struct cot_err err = {0};
    struct cot_tree *none = NULL;
    (void)state;
    for (int i = 0; i < 50; i++)
        data[i] = (float)(i % 3);
    cot_tree_options_init(&options, 6);
    struct cot_tree *tree = fit(&x, &options);
    assert_in_range(cot_tree_k(tree), 3, 6);
    assert_true(cot_tree_inertia(tree) == 0);
    cot_tree_free(tree);
    options.k = 51;
    assert_int_equal(cot_tree_fit(&x, &options, &none, &err), COT_USAGE);
    options.k = 1;
    x.n = 1;
    tree = fit(&x, &options);
    assert_int_equal(cot_tree_max_zoom(tree), 1);
    cot_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_planted_segments),
        cmocka_unit_test(test_levels_nest),
        cmocka_unit_test(test_totals_and_centroids),
        cmocka_unit_test(test_polish_lowers_inertia),
        cmocka_unit_test(test_cuts_at_any_k),
        cmocka_unit_test(test_mistakes_in_cuts),
        cmocka_unit_test(test_memory_counts_the_parts),
        cmocka_unit_test(test_memory_of_nothing),
        cmocka_unit_test(test_micro_tree_agrees_with_exact_ward),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_few_distinct_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
