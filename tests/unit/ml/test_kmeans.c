#include "coterie/kmeans.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/metrics.h"
#include "unit/ml/planted.h"

static struct cot_kmeans *fit(const struct cot_matrix *x, const struct cot_kmeans_options *options)
{
    struct cot_err err = {0};
    struct cot_kmeans *kmeans = NULL;
    if (cot_kmeans_fit(x, options, &kmeans, &err) != COT_OK)
        fail_msg("%s", err.message);
    return kmeans;
}

static double ari(const uint32_t *a, const uint32_t *b, size_t n)
{
    double value = 0;
    assert_int_equal(cot_metric_ari(a, b, n, &value, NULL), COT_OK);
    return value;
}

/* scikit-learn 1.7.2: KMeans(4, init=x[:4], n_init=1, tol=0).fit(x, sample_weight=i%4+1) on the fixed table. */
static void test_parity_with_scikit_learn(void **state)
{
    float data[FIXED_N * FIXED_D];
    float weights[FIXED_N];
    struct cot_matrix x = {.data = data, .n = FIXED_N, .d = FIXED_D, .stride = FIXED_D};
    struct cot_kmeans_options options;
    static const double first[] = {0.19149995, 0.25919998, 0.64480001};
    static const double sizes[] = {10, 18, 15, 17};
    (void)state;
    fixed_table(data);
    cot_kmeans_options_init(&options, 4);
    options.init = data;
    options.tol = 0;
    struct cot_kmeans *kmeans = fit(&x, &options);
    assert_true(fabs(kmeans->inertia - 9.571883201599121) < 1e-5);
    for (size_t j = 0; j < FIXED_D; j++)
        assert_true(fabs((double)kmeans->centroids[j] - first[j]) < 1e-6);
    for (size_t c = 0; c < 4; c++)
        assert_true(kmeans->cluster_mass[c] == sizes[c]);
    cot_kmeans_free(kmeans);

    for (size_t i = 0; i < FIXED_N; i++)
        weights[i] = (float)(i % 4 + 1);
    options.weights = weights;
    kmeans = fit(&x, &options);
    assert_true(fabs(kmeans->inertia - 19.891273498535156) < 2e-5);
    cot_kmeans_free(kmeans);
}

static void test_finds_planted_clusters(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct planted p = planted_make(3000, 5, 6, 5, 10, seed);
        struct cot_matrix x = planted_view(&p);
        struct cot_kmeans_options options;
        cot_kmeans_options_init(&options, 6);
        options.n_init = 3;
        options.seed = seed;
        struct cot_kmeans *kmeans = fit(&x, &options);
        assert_true(ari(kmeans->labels, p.truth, p.n) > 0.99);
        cot_kmeans_free(kmeans);
        planted_free(&p);
    }
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(20000, 7, 5, 5, 2, 3);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans_options options;
    struct cot_kmeans *results[3];
    static const unsigned n_threads[] = {1, 2, 8};
    (void)state;
    cot_kmeans_options_init(&options, 9);
    options.n_init = 2;
    for (int i = 0; i < 3; i++) {
        options.n_threads = n_threads[i];
        results[i] = fit(&x, &options);
    }
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(results[0]->labels, results[i]->labels, x.n * sizeof(uint32_t));
        assert_memory_equal(results[0]->centroids, results[i]->centroids, 9 * 7 * sizeof(float));
        assert_true(results[0]->inertia == results[i]->inertia);
    }
    for (int i = 0; i < 3; i++)
        cot_kmeans_free(results[i]);
    planted_free(&p);
}

static void test_same_bytes_with_any_instruction_set(void **state)
{
    struct planted p = planted_make(6000, 9, 6, 5, 2, 12);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans_options options;
    (void)state;
    cot_kmeans_options_init(&options, 14);
    options.isa = COT_ISA_SCALAR;
    struct cot_kmeans *scalar = fit(&x, &options);
    assert_int_equal(scalar->isa, COT_ISA_SCALAR);
    for (int isa = COT_ISA_AVX2; isa < COT_N_ISAS; isa++) {
        if (!cot_isa_supported((enum cot_isa)isa)) {
            print_message("skipped: this machine does not run %s\n", cot_isa_name((enum cot_isa)isa));
            continue;
        }
        options.isa = (enum cot_isa)isa;
        struct cot_kmeans *other = fit(&x, &options);
        assert_int_equal(other->isa, isa);
        assert_int_equal(other->n_iter, scalar->n_iter);
        assert_memory_equal(other->labels, scalar->labels, p.n * sizeof(uint32_t));
        assert_memory_equal(other->centroids, scalar->centroids, 14 * p.d * sizeof(float));
        assert_true(other->inertia == scalar->inertia);
        cot_kmeans_free(other);
    }
    cot_kmeans_free(scalar);
    planted_free(&p);
}

/* Lloyd's algorithm as a textbook has it, in float64, every distance computed. */
static unsigned textbook(const struct planted *p, const float *init, size_t k, unsigned max_iter, uint32_t *ret_labels)
{
    double centres[16 * 16];
    for (size_t i = 0; i < k * p->d; i++)
        centres[i] = (double)init[i];
    for (unsigned iter = 0;; iter++) {
        double sums[16 * 16] = {0};
        size_t counts[16] = {0};
        size_t n_changed = 0;
        for (size_t i = 0; i < p->n; i++) {
            uint32_t best = 0;
            double least = INFINITY;
            for (uint32_t c = 0; c < k; c++) {
                double d2 = 0;
                for (size_t j = 0; j < p->d; j++)
                    d2 += pow((double)p->x[i * p->d + j] - centres[c * p->d + j], 2);
                if (d2 < least) {
                    least = d2;
                    best = c;
                }
            }
            n_changed += iter == 0 || ret_labels[i] != best;
            ret_labels[i] = best;
            counts[best]++;
            for (size_t j = 0; j < p->d; j++)
                sums[best * p->d + j] += (double)p->x[i * p->d + j];
        }
        if (n_changed == 0 || iter == max_iter)
            return iter;
        for (size_t c = 0; c < k; c++)
            for (size_t j = 0; j < p->d; j++)
                centres[c * p->d + j] = sums[c * p->d + j] / (double)counts[c];
    }
}

/* Bounds, gathered points and differences of sums must not change what comes out. */
static void test_labels_are_the_textbooks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct planted p = planted_make(3000, 3 + seed, 7, 4, 2, seed);
        struct cot_matrix x = planted_view(&p);
        uint32_t *labels = malloc(p.n * sizeof *labels);
        struct cot_kmeans_options options;
        cot_kmeans_options_init(&options, 7);
        options.init = p.x;
        options.tol = 0;
        for (options.max_iter = 1; options.max_iter < 100; options.max_iter *= 3) {
            struct cot_kmeans *kmeans = fit(&x, &options);
            unsigned n_iter = textbook(&p, p.x, 7, options.max_iter, labels);
            assert_int_equal(kmeans->n_iter, n_iter);
            size_t n_different = 0;
            for (size_t i = 0; i < p.n; i++)
                n_different += labels[i] != kmeans->labels[i];
            assert_true(n_different <= 1); /* centroids are rounded to float32 */
            cot_kmeans_free(kmeans);
        }
        free(labels);
        planted_free(&p);
    }
}

static void test_bounds_spare_most_of_the_work_near_the_end(void **state)
{
    struct planted p = planted_make(20000, 4, 12, 2, 6, 5);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans_options options;
    (void)state;
    cot_kmeans_options_init(&options, 12);
    options.tol = 0;
    struct cot_kmeans *first = fit(&x, &options);
    options.init = first->centroids; /* a warm start: nothing is left to do but to see that */
    struct cot_kmeans *again = fit(&x, &options);
    assert_int_equal(again->n_iter, 1);
    assert_true(again->skipped > 0.45); /* of two assignments the first looks at all */
    assert_memory_equal(first->labels, again->labels, p.n * sizeof(uint32_t));
    cot_kmeans_free(first);
    cot_kmeans_free(again);
    planted_free(&p);
}

static void test_every_seeding_finds_planted_clusters(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct planted p = planted_make(5000, 6, 8, 3, 12, seed);
        struct cot_matrix x = planted_view(&p);
        float *weights = malloc(p.n * sizeof *weights);
        for (size_t i = 0; i < p.n; i++)
            weights[i] = (float)(i % 3); /* a third of the points only looks on */
        for (int seeding = COT_KMEANS_SEED_AUTO; seeding <= COT_KMEANS_SEED_CHAIN; seeding++)
            for (int weighted = 0; weighted < 2; weighted++) {
                struct cot_kmeans_options options;
                cot_kmeans_options_init(&options, 8);
                options.n_init = 4;
                options.seed = seed;
                options.seeding = (enum cot_kmeans_seeding)seeding;
                options.weights = weighted ? weights : NULL;
                struct cot_kmeans *kmeans = fit(&x, &options);
                assert_true(ari(kmeans->labels, p.truth, p.n) > 0.99);
                cot_kmeans_free(kmeans);
            }
        free(weights);
        planted_free(&p);
    }
}

/* 2^29 / (64 * 128) = 65,536 points are fewer than there are and more than 32 a centre: AUTO seeds on a sample. */
static void test_seeding_on_a_sample_is_as_good(void **state)
{
    enum { N = 66000, D = 128, K = 64 };
    struct planted few = planted_make(N, 16, 20, 4, 4, 9);
    float *data = calloc((size_t)N * D, sizeof *data);
    struct cot_matrix x = {.data = data, .n = N, .d = D, .stride = D};
    double inertia[2] = {0};
    (void)state;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++)
            data[i * D + j] = few.x[i * 16 + j % 16];
    for (int all = 0; all < 2; all++) {
        struct cot_kmeans_options options;
        cot_kmeans_options_init(&options, K);
        options.seeding = all ? COT_KMEANS_SEED_GREEDY : COT_KMEANS_SEED_AUTO;
        options.max_iter = 2;
        struct cot_kmeans *kmeans = fit(&x, &options);
        inertia[all] = kmeans->inertia;
        cot_kmeans_free(kmeans);
    }
    assert_true(inertia[0] != inertia[1]); /* it was another seeding */
    assert_true(inertia[0] < inertia[1] * 1.02);
    free(data);
    planted_free(&few);
}

/* Light points that heavy ones leave behind: what rounding left of the heavy ones must not be their mean. */
static void test_light_points_left_behind(void **state)
{
    float data[5] = {-10, 10, 0, -13, 13};
    float weights[5] = {1e20F, 1e20F, 1, 1e20F, 1e20F};
    float init[3] = {0, -25, 25};
    struct cot_matrix x = {.data = data, .n = 5, .d = 1, .stride = 1};
    struct cot_kmeans_options options;
    (void)state;
    cot_kmeans_options_init(&options, 3);
    options.init = init;
    options.weights = weights;
    options.tol = 0;
    for (options.max_iter = 1; options.max_iter < 20; options.max_iter++) {
        struct cot_kmeans *kmeans = fit(&x, &options);
        for (size_t c = 0; c < 3; c++)
            assert_true(isfinite(kmeans->centroids[c]) && kmeans->cluster_mass[c] > 0);
        cot_kmeans_free(kmeans);
    }
    struct cot_kmeans *kmeans = fit(&x, &options);
    assert_true(kmeans->centroids[0] == 0 && kmeans->cluster_mass[0] == 1);
    assert_true(kmeans->centroids[1] == -11.5F && kmeans->centroids[2] == 11.5F);
    cot_kmeans_free(kmeans);
}

/* However tight the clusters are against the whole, inertia loses no more than what rounding the points once costs. */
static void test_inertia_of_tight_groups(void **state)
{
    (void)state;
    for (int exponent = 0; exponent < 12; exponent++) {
        enum { N = 10, D = 3 };
        float data[N * D];
        struct cot_matrix x = {.data = data, .n = N, .d = D, .stride = D};
        struct cot_kmeans_options options;
        struct cot_rng rng;
        double expected = 0;
        cot_rng_init(&rng, (uint64_t)exponent);
        for (size_t i = 0; i < N * D; i++)
            data[i] = (float)((i / D % 2 == 0 ? 1 : -1) * ldexp(1, exponent) + cot_rng_normal(&rng));
        cot_kmeans_options_init(&options, 2);
        struct cot_kmeans *kmeans = fit(&x, &options);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < D; j++)
                expected += pow((double)data[i * D + j] - (double)kmeans->centroids[kmeans->labels[i] * D + j], 2);
        assert_true(fabs(kmeans->inertia / expected - 1) < 1e-7 * ldexp(1, exponent));
        cot_kmeans_free(kmeans);
    }
}

static void test_memory_is_priced_before_it_is_taken(void **state)
{
    float data[64] = {0};
    struct cot_matrix x = {.data = data, .n = 64, .d = 1, .stride = 1};
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    struct cot_err err = {0};
    (void)state;
    cot_kmeans_options_init(&options, 8);
    size_t needed = cot_kmeans_memory(1000000, 32, &options);
    assert_true(needed > 16UL * 1000000 && needed < 4UL * 32 * 1000000); /* less than a copy of the rows */
    assert_true(cot_kmeans_memory(SIZE_MAX / 8, 64, &options) == SIZE_MAX);
    options.k = 0;
    assert_true(cot_kmeans_memory(100, 2, &options) == 0 && cot_kmeans_memory(100, 0, &options) == 0);
    options.k = 1000; /* seeded on a sample: nothing a row for candidates */
    assert_true(cot_kmeans_memory(100000000, 8, &options) < 6UL * 1000 * 1000 * 1000);
    options.k = 8;
    options.memory_limit = 1000;
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_LIMIT);
    assert_non_null(strstr(err.message, "64 x 1"));
    assert_null(kmeans);
}

/* Units and offsets must not matter: powers of two exactly, an offset within what float32 holds of the data. */
static void test_scale_and_offset(void **state)
{
    struct planted p = planted_make(2000, 4, 4, 3, 8, 5);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans_options options;
    (void)state;
    cot_kmeans_options_init(&options, 4);
    struct cot_kmeans *before = fit(&x, &options);
    for (size_t i = 0; i < p.n * p.d; i++)
        p.x[i] *= 0x1p60F;
    struct cot_kmeans *scaled = fit(&x, &options);
    assert_memory_equal(before->labels, scaled->labels, p.n * sizeof(uint32_t));
    assert_true(fabs(scaled->inertia / before->inertia / 0x1p120 - 1) < 1e-12);
    for (size_t i = 0; i < p.n * p.d; i++)
        p.x[i] = p.x[i] * 0x1p-60F + 10000;
    struct cot_kmeans *shifted = fit(&x, &options);
    assert_true(ari(before->labels, shifted->labels, p.n) > 0.999);
    assert_true(fabs(shifted->inertia / before->inertia - 1) < 1e-3);
    cot_kmeans_free(before);
    cot_kmeans_free(scaled);
    cot_kmeans_free(shifted);
    planted_free(&p);
}

/* A weight of 2 is the point twice, from the same start. */
static void test_weights_are_repetitions(void **state)
{
    struct planted p = planted_make(400, 3, 4, 2, 3, 8);
    float *twice = malloc(2 * p.n * p.d * sizeof *twice);
    float *weights = malloc(p.n * sizeof *weights);
    size_t n = 0;
    struct cot_kmeans_options options;
    (void)state;
    for (size_t i = 0; i < p.n; i++) {
        weights[i] = i % 3 == 0 ? 2 : 1;
        for (size_t r = 0; r < (i % 3 == 0 ? 2 : 1); r++)
            memcpy(twice + n++ * p.d, p.x + i * p.d, p.d * sizeof *twice);
    }
    struct cot_matrix x = planted_view(&p);
    struct cot_matrix repeated = {.data = twice, .n = n, .d = p.d, .stride = p.d};
    cot_kmeans_options_init(&options, 4);
    options.init = p.x;
    options.tol = 0;
    struct cot_kmeans *b = fit(&repeated, &options);
    options.weights = weights;
    struct cot_kmeans *a = fit(&x, &options);
    assert_true(fabs(a->inertia / b->inertia - 1) < 1e-6);
    for (size_t c = 0; c < 4; c++)
        assert_true(a->cluster_mass[c] == b->cluster_mass[c]);
    cot_kmeans_free(a);
    cot_kmeans_free(b);
    free(twice);
    free(weights);
    planted_free(&p);
}

static void test_empty_clusters_are_filled(void **state)
{
    struct planted p = planted_make(500, 2, 3, 1, 10, 4);
    struct cot_matrix x = planted_view(&p);
    float init[6] = {0, 0, 1e6F, 1e6F, -1e6F, 1e6F};
    struct cot_kmeans_options options;
    (void)state;
    cot_kmeans_options_init(&options, 3);
    options.init = init;
    struct cot_kmeans *kmeans = fit(&x, &options);
    for (size_t c = 0; c < 3; c++)
        assert_true(kmeans->cluster_mass[c] > 0);
    cot_kmeans_free(kmeans);
    planted_free(&p);
}

static void test_fewer_distinct_points_than_clusters(void **state)
{
    float data[20];
    struct cot_matrix x = {.data = data, .n = 20, .d = 1, .stride = 1};
    struct cot_kmeans_options options;
    (void)state;
    for (int i = 0; i < 20; i++)
        data[i] = (float)(i % 2);
    cot_kmeans_options_init(&options, 5);
    struct cot_kmeans *kmeans = fit(&x, &options);
    assert_true(kmeans->inertia == 0);
    for (int i = 2; i < 20; i++)
        assert_int_equal(kmeans->labels[i], kmeans->labels[i - 2]);
    cot_kmeans_free(kmeans);
}

static void test_assign_agrees_with_fit_in_any_order(void **state)
{
    struct planted p = planted_make(1000, 6, 5, 2, 6, 2);
    struct cot_matrix x = planted_view(&p);
    struct cot_kmeans_options options;
    uint32_t labels[1000];
    float d2[1000];
    double sum = 0;
    (void)state;
    cot_kmeans_options_init(&options, 5);
    struct cot_kmeans *kmeans = fit(&x, &options);
    assert_int_equal(cot_kmeans_assign(&x, kmeans->centroids, 5, 2, labels, d2, NULL), COT_OK);
    assert_memory_equal(labels, kmeans->labels, sizeof labels);
    for (size_t i = 0; i < p.n; i++)
        sum += (double)d2[i];
    assert_true(fabs(sum / kmeans->inertia - 1) < 1e-5);
    for (size_t i = 0; i < p.n; i += 97) {
        struct cot_matrix one = {.data = p.x + i * p.d, .n = 1, .d = p.d, .stride = p.d};
        uint32_t label = 0;
        assert_int_equal(cot_kmeans_assign(&one, kmeans->centroids, 5, 1, &label, NULL, NULL), COT_OK);
        assert_int_equal(label, labels[i]);
    }
    cot_kmeans_free(kmeans);
    planted_free(&p);
}

static void test_refusals_name_the_cause(void **state)
{
    float data[12] = {0, 1, 2, 3, 4, 5, 6, NAN, 8, 9, 10, 11};
    float weights[4] = {1, 1, -1, 1};
    struct cot_matrix x = {.data = data, .n = 4, .d = 3, .stride = 3};
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    struct cot_err err = {0};
    (void)state;
    cot_kmeans_options_init(&options, 2);
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "row 2, column 1"));
    data[7] = INFINITY;
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_BAD_DATA);
    data[7] = 7;
    options.weights = weights;
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "weight 2"));
    options.weights = NULL;
    options.k = 5;
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_USAGE);
    options.k = 0;
    assert_int_equal(cot_kmeans_fit(&x, &options, &kmeans, &err), COT_USAGE);
    assert_null(kmeans);
    float centroids[6] = {0, 1, 2, NAN, 4, 5};
    uint32_t labels[4];
    assert_int_equal(cot_kmeans_assign(&x, centroids, 2, 1, labels, NULL, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "centroids: row 1, column 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parity_with_scikit_learn),
        cmocka_unit_test(test_finds_planted_clusters),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_same_bytes_with_any_instruction_set),
        cmocka_unit_test(test_labels_are_the_textbooks),
        cmocka_unit_test(test_bounds_spare_most_of_the_work_near_the_end),
        cmocka_unit_test(test_every_seeding_finds_planted_clusters),
        cmocka_unit_test(test_seeding_on_a_sample_is_as_good),
        cmocka_unit_test(test_light_points_left_behind),
        cmocka_unit_test(test_inertia_of_tight_groups),
        cmocka_unit_test(test_memory_is_priced_before_it_is_taken),
        cmocka_unit_test(test_scale_and_offset),
        cmocka_unit_test(test_weights_are_repetitions),
        cmocka_unit_test(test_empty_clusters_are_filled),
        cmocka_unit_test(test_fewer_distinct_points_than_clusters),
        cmocka_unit_test(test_assign_agrees_with_fit_in_any_order),
        cmocka_unit_test(test_refusals_name_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
