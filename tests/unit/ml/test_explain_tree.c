#include "coterie/explain_tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "coterie/kmeans.h"
#include "unit/ml/planted.h"

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static struct cot_explain_tree *fit(const struct cot_matrix *x, const float *centroids, size_t k,
                                    const struct cot_explain_tree_options *options)
{
    struct cot_err err = {0};
    struct cot_explain_tree *tree = NULL;
    if (cot_explain_tree_fit(x, centroids, k, options, &tree, &err) != COT_OK)
        fail_msg("%s", err.message);
    return tree;
}

static struct cot_kmeans *cluster(const struct cot_matrix *x, size_t k)
{
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    cot_kmeans_options_init(&options, k);
    options.n_init = 4;
    assert_int_equal(cot_kmeans_fit(x, &options, &kmeans, NULL), COT_OK);
    return kmeans;
}

/* Boxes that axis-parallel cuts part: nothing is lost, and one leaf a cluster is enough. */
static void test_separable_clusters_cost_nothing(void **state)
{
    enum { N = 900, K = 9 };
    float data[N * 2];
    float centroids[K * 2];
    uint32_t clusters[N];
    struct cot_explain_tree_options options;
    struct cot_matrix x = {.data = data, .n = N, .d = 2, .stride = 2};
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 1);
    for (size_t i = 0; i < N; i++) {
        data[2 * i] = (float)(i % 3 * 10) + (float)cot_rng_uniform(&rng);
        data[2 * i + 1] = (float)(i / 3 % 3 * 10) + (float)cot_rng_uniform(&rng);
    }
    for (size_t c = 0; c < K; c++) {
        centroids[2 * c] = (float)(c % 3 * 10) + 0.5F;
        centroids[2 * c + 1] = (float)(c / 3 * 10) + 0.5F;
    }
    cot_explain_tree_options_init(&options);
    struct cot_explain_tree *tree = fit(&x, centroids, K, &options);
    assert_int_equal(tree->n_leaves, K);
    near(tree->fidelity, 1, 0);
    near(tree->surrogate_cost, tree->reference_cost, 0);
    assert_true(tree->price <= 1 && tree->price > 0.9); /* the means are nearer than the given centroids */
    assert_in_range(tree->depth, 4, 8);
    assert_int_equal(cot_explain_tree_assign(tree, &x, 2, clusters, NULL, NULL), COT_OK);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(clusters[i], i % 3 + 3 * (i / 3 % 3));
    cot_explain_tree_free(tree);
}

/* All thresholds on all columns tried: the base tree's first cut makes as few mistakes as any. */
static double fewest_mistakes(const struct cot_matrix *x, const uint32_t *labels, const float *centroids, size_t k)
{
    double fewest = INFINITY;
    for (size_t j = 0; j < x->d; j++)
        for (size_t t = 0; t < x->n; t++) {
            float at = cot_matrix_row(x, t)[j];
            size_t n_left = 0;
            double mistakes = 0;
            for (size_t c = 0; c < k; c++)
                n_left += centroids[c * x->d + j] <= at;
            for (size_t i = 0; i < x->n; i++)
                mistakes += (cot_matrix_row(x, i)[j] <= at) != (centroids[labels[i] * x->d + j] <= at);
            if (n_left > 0 && n_left < k)
                fewest = fmin(fewest, mistakes);
        }
    return fewest;
}

static void test_first_cut_makes_fewest_mistakes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct planted p = planted_make(150, 3, 4, 3, 2.5, seed);
        struct cot_matrix x = planted_view(&p);
        struct cot_kmeans *kmeans = cluster(&x, 4);
        struct cot_explain_tree_options options;
        cot_explain_tree_options_init(&options);
        options.max_leaves = 4;
        struct cot_explain_tree *tree = fit(&x, kmeans->centroids, 4, &options);
        const struct cot_explain_node *root = &tree->nodes[0];
        size_t mistakes = 0;
        for (size_t i = 0; i < x.n; i++)
            mistakes += ((double)cot_matrix_row(&x, i)[root->i_column] <= root->threshold) !=
                        ((double)kmeans->centroids[kmeans->labels[i] * 3 + root->i_column] <= root->threshold);
        near((double)mistakes, fewest_mistakes(&x, kmeans->labels, kmeans->centroids, 4), 0);
        assert_int_equal(tree->n_leaves, 4);
        cot_explain_tree_free(tree);
        cot_kmeans_free(kmeans);
        planted_free(&p);
    }
}

/* The best split of one leaf, by trying all: thresholds, and both sides' clusters. */
static double best_split(const struct cot_matrix *x, const float *centroids, size_t k)
{
    double best = INFINITY;
    for (size_t j = 0; j < x->d; j++)
        for (size_t t = 0; t < x->n; t++) {
            double least[2] = {INFINITY, INFINITY};
            for (size_t c = 0; c < k; c++) {
                double cost[2] = {0, 0};
                for (size_t i = 0; i < x->n; i++) {
                    const float *row = cot_matrix_row(x, i);
                    double d2 = 0;
                    for (size_t l = 0; l < x->d; l++)
                        d2 += ((double)row[l] - (double)centroids[c * x->d + l]) *
                              ((double)row[l] - (double)centroids[c * x->d + l]);
                    cost[row[j] > cot_matrix_row(x, t)[j]] += d2;
                }
                least[0] = fmin(least[0], cost[0]);
                least[1] = fmin(least[1], cost[1]);
            }
            best = fmin(best, least[0] + least[1]);
        }
    return best;
}

/* Two coinciding centroids cannot be parted by IMM, so that its tree is one leaf, and the first growth is best_split.
 */
static void test_growth_lowers_the_cost(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct planted p = planted_make(60, 2, 3, 2, 3, seed);
        struct cot_matrix x = planted_view(&p);
        struct cot_kmeans *kmeans = cluster(&x, 3);
        struct cot_explain_tree_options options;
        cot_explain_tree_options_init(&options);
        options.max_leaves = 3;
        struct cot_explain_tree *imm = fit(&x, kmeans->centroids, 3, &options);
        options.max_leaves = 0;
        struct cot_explain_tree *grown = fit(&x, kmeans->centroids, 3, &options);
        assert_true(grown->surrogate_cost <= imm->surrogate_cost);
        assert_true(grown->surrogate_cost >= grown->reference_cost);
        assert_true(grown->fidelity >= imm->fidelity);
        cot_explain_tree_free(imm);
        cot_explain_tree_free(grown);
        cot_kmeans_free(kmeans);
        planted_free(&p);
    }
}

/*
 * Centroids that coincide can't be parted by the base tree, and a third has no points: the tree is one leaf that grows,
 * first by the best of all splits.
 */
static void test_growth_takes_the_best_split(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct planted p = planted_make(60, 2, 2, 1, 4, seed);
        struct cot_matrix x = planted_view(&p);
        float centroids[6];
        uint32_t labels[60];
        struct cot_explain_tree_options options;
        for (size_t i = 0; i < 60; i++)
            labels[i] = i % 2;
        for (size_t j = 0; j < 2; j++) {
            centroids[j] = centroids[2 + j] = p.x[j];
            centroids[4 + j] = p.x[2 + j];
        }
        cot_explain_tree_options_init(&options);
        options.labels = labels;
        options.max_leaves = 3;
        struct cot_explain_tree *tree = fit(&x, centroids, 3, &options);
        double best = best_split(&x, centroids, 3);
        assert_true(tree->n_leaves >= 2);
        assert_true(tree->surrogate_cost <= best * (1 + 1e-9));
        if (tree->n_leaves == 2)
            near(tree->surrogate_cost, best, 1e-9 * best);
        cot_explain_tree_free(tree);
        planted_free(&p);
    }
}

/* A point of weight 3 is three points. */
static void test_weights_are_copies(void **state)
{
    enum { N = 200 };
    struct planted p = planted_make(N, 3, 4, 3, 3, 7);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans *kmeans = cluster(&x, 4);
    float weights[N];
    float *copies = malloc(sizeof *copies * 3 * N * 3);
    size_t n = 0;
    struct cot_explain_tree_options options;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        weights[i] = (float)(i % 4);
        for (size_t copy = 0; copy < i % 4; copy++)
            memcpy(copies + 3 * n++, p.x + 3 * i, 3 * sizeof *copies);
    }
    struct cot_matrix many = {.data = copies, .n = n, .d = 3, .stride = 3};
    cot_explain_tree_options_init(&options);
    struct cot_explain_tree *copied = fit(&many, kmeans->centroids, 4, &options);
    options.weights = weights;
    struct cot_explain_tree *weighted = fit(&x, kmeans->centroids, 4, &options);
    near(weighted->nodes[0].mass, (double)n, 0);
    assert_int_equal(weighted->n_leaves, copied->n_leaves);
    near(weighted->fidelity, copied->fidelity, 1e-12);
    near(weighted->surrogate_cost, copied->surrogate_cost, 1e-9 * copied->surrogate_cost);
    assert_int_equal(weighted->nodes[0].i_column, copied->nodes[0].i_column);
    cot_explain_tree_free(copied);
    cot_explain_tree_free(weighted);
    cot_kmeans_free(kmeans);
    planted_free(&p);
    free(copies);
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(20000, 7, 20, 10, 2, 3);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans *kmeans = cluster(&x, 20);
    struct cot_explain_tree *first = NULL;
    static const unsigned n_threads[] = {1, 2, 8};
    (void)state;
    for (int t = 0; t < 3; t++) {
        struct cot_explain_tree_options options;
        cot_explain_tree_options_init(&options);
        options.n_threads = n_threads[t];
        struct cot_explain_tree *tree = fit(&x, kmeans->centroids, 20, &options);
        double mass = 0;
        for (size_t node = 0; node < tree->n_nodes; node++)
            mass += tree->nodes[node].left == 0 ? tree->nodes[node].mass : 0;
        near(mass, 20000, 0);
        assert_true(tree->n_leaves > 20 && tree->n_leaves <= 40);
        assert_true(tree->fidelity > 0.5 && tree->price >= 1);
        if (first != NULL) {
            assert_int_equal(tree->n_nodes, first->n_nodes);
            for (size_t i_node = 0; i_node < tree->n_nodes; i_node++) { /* not the padding between */
                const struct cot_explain_node *a = &tree->nodes[i_node];
                const struct cot_explain_node *b = &first->nodes[i_node];
                assert_true(a->left == b->left && a->parent == b->parent && a->cluster == b->cluster);
                assert_true(a->i_column == b->i_column && a->threshold == b->threshold && a->low == b->low);
                assert_true(a->mass == b->mass && a->mistakes == b->mistakes && a->depth == b->depth);
            }
            assert_true(tree->cost == first->cost && tree->surrogate_cost == first->surrogate_cost);
            cot_explain_tree_free(tree);
        } else {
            first = tree;
        }
    }
    cot_explain_tree_free(first);
    cot_kmeans_free(kmeans);
    planted_free(&p);
}

static void test_words(void **state)
{
    float data[] = {1, 5, 2, 5, 11, 1, 12, 1, 11, 9, 12, 9};
    float centroids[] = {1.5F, 5, 11.5F, 1, 11.5F, 9};
    const char *names[] = {"orders", "recency"};
    struct cot_matrix x = {.data = data, .n = 6, .d = 2, .stride = 2};
    struct cot_explain_tree_options options;
    char *text = NULL;
    (void)state;
    cot_explain_tree_options_init(&options);
    struct cot_explain_tree *tree = fit(&x, centroids, 3, &options);
    assert_int_equal(cot_explain_tree_text(tree, 0, names, &text, NULL), COT_OK);
    assert_string_equal(text, "orders <= 7");
    free(text);
    assert_int_equal(cot_explain_tree_text(tree, 2, NULL, &text, NULL), COT_OK);
    assert_string_equal(text, "x0 > 7 and x1 > 5");
    free(text);
    text = NULL;
    struct cot_explain_bound bounds[2];
    uint32_t leaf = tree->nodes[tree->nodes[0].right].left;
    assert_int_equal(cot_explain_tree_bounds(tree, leaf, bounds), 2);
    assert_int_equal(bounds[0].i_column, 0);
    near(bounds[0].above, 7, 0);
    assert_true(isinf(bounds[0].at_most));
    assert_int_equal(bounds[0].above_node, 0);
    assert_int_equal(bounds[0].at_most_node, UINT32_MAX);
    assert_int_equal(bounds[1].i_column, 1);
    assert_true(isinf(bounds[1].above));
    near(bounds[1].at_most, 5, 0);
    assert_int_equal(bounds[1].above_node, UINT32_MAX);
    assert_int_equal(bounds[1].at_most_node, tree->nodes[0].right);
    assert_int_equal(cot_explain_tree_bounds(tree, 0, bounds), 0);
    assert_int_equal(cot_explain_tree_text(tree, 3, names, &text, NULL), COT_USAGE);
    assert_null(text);
    cot_explain_tree_free(tree);
    tree = fit(&x, centroids, 1, &options);
    assert_int_equal(cot_explain_tree_text(tree, 0, names, &text, NULL), COT_OK);
    assert_string_equal(text, "everybody");
    free(text);
    cot_explain_tree_free(tree);
}

static void check_raw(const struct cot_explain_tree *tree, const struct cot_transform *transform, uint32_t cluster,
                      const char *expected)
{
    char *text = NULL;
    assert_int_equal(cot_explain_tree_text_raw(tree, cluster, transform, &text, NULL), COT_OK);
    assert_string_equal(text, expected);
    free(text);
}

/* Clustered on a transformed scale, told in the customers' own units. */
static void test_words_in_raw_units(void **state)
{
    enum { N = 300 };
    float raw[N * 2];
    float z[N * 4];
    uint32_t labels[N];
    float centroids[3 * 4] = {0};
    double counts[3] = {0};
    const struct cot_transform_column columns[2] = {{"orders", COT_TRANSFORM_LOG1P},
                                                    {"country", COT_TRANSFORM_CATEGORY}};
    struct cot_matrix x = {.data = raw, .n = N, .d = 2, .stride = 2};
    struct cot_transform_options transform_options;
    struct cot_transform *transform = NULL;
    struct cot_explain_tree_options options;
    char *text = NULL;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        raw[2 * i] = (float)(i % 2 == 0 ? 1 + i % 3 : 50 + i % 30);
        raw[2 * i + 1] = (float)(i % 2 == 0 ? 4 : 4 + 3 * (i % 4 == 1));
        labels[i] = i % 2 == 0 ? 0 : i % 4 == 1 ? 1 : 2;
    }
    cot_transform_options_init(&transform_options);
    assert_int_equal(cot_transform_fit(&x, columns, &transform_options, &transform, NULL), COT_OK);
    size_t d = cot_transform_d_out(transform);
    assert_int_equal(d, 3);
    assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
    for (size_t i = 0; i < N; i++) {
        counts[labels[i]]++;
        for (size_t j = 0; j < d; j++)
            centroids[labels[i] * d + j] += z[i * d + j];
    }
    for (size_t c = 0; c < 3 * d; c++)
        centroids[c] /= (float)counts[c / d];
    struct cot_matrix scores = {.data = z, .n = N, .d = d, .stride = d};
    cot_explain_tree_options_init(&options);
    options.labels = labels;
    struct cot_explain_tree *tree = fit(&scores, centroids, 3, &options);
    near(tree->fidelity, 1, 0);
    check_raw(tree, transform, 0, "country is not 7 and orders <= 30");
    check_raw(tree, transform, 1, "country is 7");
    check_raw(tree, transform, 2, "country is not 7 and orders > 30");
    tree->d = 2;
    assert_int_equal(cot_explain_tree_text_raw(tree, 0, transform, &text, NULL), COT_USAGE);
    assert_null(text);
    cot_explain_tree_free(tree);
    cot_transform_free(transform);
}

/* The raw rule of a tree that asks one thing: column 0, between two scores. */
static void tell_split(const struct cot_transform *transform, float low, float high, uint32_t cluster, char **ret_text)
{
    struct cot_explain_node nodes[3] = {
        {.left = 1, .right = 2, .threshold = (double)low, .low = low, .high = high, .mass = 2},
        {.depth = 1, .mass = 1},
        {.depth = 1, .mass = 1, .cluster = 1}};
    struct cot_explain_tree tree = {
        .d = cot_transform_d_out(transform), .k = 2, .n_nodes = 3, .n_leaves = 2, .depth = 1, .nodes = nodes};
    assert_int_equal(cot_explain_tree_text_raw(&tree, cluster, transform, ret_text, NULL), COT_OK);
}

static struct cot_transform *fit_column(float *raw, size_t n, enum cot_transform_kind kind, float *ret_z)
{
    const struct cot_transform_column column = {"orders", kind};
    struct cot_matrix x = {.data = raw, .n = n, .d = 1, .stride = 1};
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    cot_transform_options_init(&options);
    assert_int_equal(cot_transform_fit(&x, &column, &options, &transform, NULL), COT_OK);
    assert_int_equal(cot_transform_apply(transform, &x, 1, ret_z, NULL), COT_OK);
    return transform;
}

/* Between two whole numbers that follow each other the rule names the lower one, as large as a float32 counts. */
static void test_whole_numbers_stay_whole(void **state)
{
    static const enum cot_transform_kind kinds[] = {COT_TRANSFORM_NONE, COT_TRANSFORM_LOG1P,
                                                    COT_TRANSFORM_SIGNED_LOG1P};
    enum { N = 6000 };
    float raw[N];
    float z[N];
    (void)state;
    for (size_t i = 0; i < N; i++)
        raw[i] = (float)(i < 4000 ? i : i < 5000 ? 70000 + i : 900000 + i);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        struct cot_transform *transform = fit_column(raw, N, kinds[kind], z);
        for (size_t i = 40; i + 40 < N; i++) { /* the others are winsorised */
            char expected[2][64];
            if (raw[i + 1] != raw[i] + 1)
                continue;
            snprintf(expected[0], sizeof expected[0], "orders <= %.0f", (double)raw[i]);
            snprintf(expected[1], sizeof expected[1], "orders > %.0f", (double)raw[i]);
            for (uint32_t side = 0; side < 2; side++) {
                char *text = NULL;
                tell_split(transform, z[i], z[i + 1], side, &text);
                assert_string_equal(text, expected[side]);
                free(text);
            }
        }
        cot_transform_free(transform);
    }
}

static int ascending(const void *a, const void *b)
{
    const float *x = a;
    const float *y = b;
    return (*x > *y) - (*x < *y);
}

/* Whatever the transform, the numbers on either side of a raw rule are those that the tree parts. */
static void test_raw_rules_part_the_same_rows(void **state)
{
    enum { N = 800, N_SPLITS = N - 1 };
    static float raw[N];
    static float z[N];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 5);
    for (int kind = 0; kind < COT_TRANSFORM_N_KINDS; kind++) {
        size_t n_told = 0;
        if (kind == COT_TRANSFORM_CATEGORY)
            continue;
        for (size_t i = 0; i < N; i++) {
            double money = round(cot_rng_gamma(&rng, 0.4, 0.001) * 100) / 100;
            raw[i] = (float)(kind == COT_TRANSFORM_ARCSINE_SQRT   ? round(cot_rng_uniform(&rng) * 1000) / 1000
                             : kind == COT_TRANSFORM_SIGNED_LOG1P ? round(cot_rng_normal(&rng) * 300)
                                                                  : money);
        }
        qsort(raw, N, sizeof *raw, ascending);
        struct cot_transform *transform = fit_column(raw, N, (enum cot_transform_kind)kind, z);
        for (size_t split = 0; split < N_SPLITS; split++) {
            char *text = NULL;
            if (!(z[split] < z[split + 1]))
                continue;
            tell_split(transform, z[split], z[split + 1], 0, &text);
            assert_memory_equal(text, "orders <= ", 10);
            float at = strtof(text + 10, NULL);
            for (size_t i = 0; i < N; i++)
                if ((raw[i] <= at) != (z[i] <= z[split]))
                    fail_msg("%s of kind %d: %.9g", text, kind, (double)raw[i]);
            free(text);
            n_told++;
        }
        assert_true(n_told > 200);
        cot_transform_free(transform);
    }
}

/* Scores of an indicator: other categories, missing, its own. */
static void test_categories_that_are_missing(void **state)
{
    float raw[60];
    float z[60 * 2];
    const struct cot_transform_column column = {"country", COT_TRANSFORM_CATEGORY};
    struct cot_matrix x = {.data = raw, .n = 60, .d = 1, .stride = 1};
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    (void)state;
    for (size_t i = 0; i < 60; i++)
        raw[i] = i % 3 == 0 ? NAN : (float)(i % 3);
    cot_transform_options_init(&options);
    assert_int_equal(cot_transform_fit(&x, &column, &options, &transform, NULL), COT_OK);
    assert_int_equal(cot_transform_apply(transform, &x, 1, z, NULL), COT_OK);
    assert_true(z[4] < 0 && z[0] == 0 && z[2] > 0); /* of the indicator of 1: rows 2, 0, 1 */
    struct cot_explain_node nodes[5] = {{.left = 1, .right = 2, .low = z[4], .threshold = -0.1, .high = 0},
                                        {.depth = 1, .mass = 1},
                                        {.left = 3, .right = 4, .depth = 1, .high = z[2]},
                                        {.parent = 2, .depth = 2, .mass = 1, .cluster = 1},
                                        {.parent = 2, .depth = 2, .mass = 1, .cluster = 2}};
    struct cot_explain_tree tree = {.d = 2, .k = 3, .n_nodes = 5, .n_leaves = 3, .depth = 2, .nodes = nodes};
    check_raw(&tree, transform, 0, "country is not 1");
    check_raw(&tree, transform, 1, "country is unknown");
    check_raw(&tree, transform, 2, "country is 1");
    nodes[2] = (struct cot_explain_node){.depth = 1, .mass = 2, .cluster = 1};
    tree.n_nodes = 3;
    check_raw(&tree, transform, 1, "country is 1 or unknown");
    cot_transform_free(transform);
}

/* More leaves than rows are never made: neither their memory nor their price is asked for. */
static void test_leaves_are_cut_to_the_rows(void **state)
{
    enum { N = 1000, MANY = 1000000000 };
    struct planted p = planted_make(N, 2, 3, 2, 3, 5);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans *kmeans = cluster(&x, 3);
    struct cot_explain_tree_options options;
    struct cot_explain_tree *tree = NULL;
    struct cot_err err = {0};
    (void)state;
    cot_explain_tree_options_init(&options);
    options.max_leaves = MANY;
    assert_int_equal(cot_explain_tree_fit(&x, kmeans->centroids, 3, &options, &tree, &err), COT_OK);
    assert_true(tree->fidelity > 0.9);
    assert_true(tree->n_leaves <= N);
    size_t most = cot_explain_tree_memory(N, 2, 3, &options);
    options.max_leaves = N;
    assert_int_equal(cot_explain_tree_memory(N, 2, 3, &options), most);
    options.max_leaves = 3;
    assert_true(cot_explain_tree_memory(N, 2, 3, &options) + 2 * (N - 3) * sizeof *tree->nodes <= most);
    assert_true(cot_explain_tree_memory(SIZE_MAX / 16, 2, 3, &options) == SIZE_MAX);
    cot_explain_tree_free(tree);
    cot_kmeans_free(kmeans);
    /* One row and many clusters: one leaf. */
    x.n = 1;
    options.max_leaves = 0;
    tree = fit(&x, p.x, 3, &options);
    assert_int_equal(tree->n_leaves, 1);
    cot_explain_tree_free(tree);
    planted_free(&p);
}

static void test_edges(void **state)
{
    float data[] = {1, 2, 3, 4, 3e38F, -3e38F};
    float centroids[] = {2, 2, 3e38F, 77};
    uint32_t clusters[6];
    struct cot_matrix x = {.data = data, .n = 6, .d = 1, .stride = 1};
    struct cot_explain_tree_options options;
    struct cot_explain_tree *tree = NULL;
    struct cot_err err = {0};
    (void)state;
    cot_explain_tree_options_init(&options);
    /* Equal centroids, an empty cluster, numbers at the edge of float. */
    tree = fit(&x, centroids, 4, &options);
    assert_true(isfinite(tree->cost) && isfinite(tree->price));
    assert_int_equal(cot_explain_tree_assign(tree, &x, 1, clusters, NULL, NULL), COT_OK);
    assert_int_equal(clusters[4], 2);
    assert_int_equal(clusters[0], 0);
    data[2] = NAN;
    assert_int_equal(cot_explain_tree_assign(tree, &x, 1, clusters, NULL, &err), COT_BAD_DATA);
    cot_explain_tree_free(tree);
    tree = NULL;
    assert_int_equal(cot_explain_tree_fit(&x, centroids, 4, &options, &tree, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "row 2, column 0"));
    data[2] = 3;
    options.max_leaves = 3;
    assert_int_equal(cot_explain_tree_fit(&x, centroids, 4, &options, &tree, &err), COT_USAGE);
    options.max_leaves = 0;
    assert_int_equal(cot_explain_tree_fit(&x, centroids, 0, &options, &tree, &err), COT_USAGE);
    uint32_t labels[6] = {0, 0, 0, 0, 0, 9};
    options.labels = labels;
    assert_int_equal(cot_explain_tree_fit(&x, centroids, 4, &options, &tree, &err), COT_USAGE);
    options.labels = NULL;
    float weights[6] = {1, 1, -1, 1, 1, 1};
    options.weights = weights;
    assert_int_equal(cot_explain_tree_fit(&x, centroids, 4, &options, &tree, &err), COT_BAD_DATA);
    assert_null(tree);
    /* All rows equal: one leaf. */
    for (int i = 0; i < 6; i++)
        data[i] = 5;
    options.weights = NULL;
    tree = fit(&x, centroids, 4, &options);
    assert_int_equal(tree->n_leaves, 1);
    near(tree->fidelity, 1, 0);
    cot_explain_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separable_clusters_cost_nothing),
        cmocka_unit_test(test_first_cut_makes_fewest_mistakes),
        cmocka_unit_test(test_growth_lowers_the_cost),
        cmocka_unit_test(test_growth_takes_the_best_split),
        cmocka_unit_test(test_weights_are_copies),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_in_raw_units),
        cmocka_unit_test(test_whole_numbers_stay_whole),
        cmocka_unit_test(test_raw_rules_part_the_same_rows),
        cmocka_unit_test(test_categories_that_are_missing),
        cmocka_unit_test(test_leaves_are_cut_to_the_rows),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
