#include "coterie/kmeans_stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coterie/metrics.h"
#include "unit/ml/planted.h"

static struct cot_kmeans_stream *stream_of(const float *centroids, size_t k, size_t d, double decay)
{
    struct cot_kmeans_stream *stream = NULL;
    assert_int_equal(cot_kmeans_stream_new(centroids, NULL, k, d, decay, &stream, NULL), COT_OK);
    return stream;
}

/* Without forgetting one centroid is the weighted mean of all that came, however it was cut into batches. */
static void test_one_centroid_is_the_mean(void **state)
{
    struct planted p = planted_make(1000, 3, 2, 1, 5, 1);
    float start[3] = {100, 100, 100};
    float weights[1000];
    double sums[3] = {0};
    double mass = 0;
    (void)state;
    struct cot_kmeans_stream *stream = stream_of(start, 1, 3, 1);
    for (size_t i = 0; i < p.n; i++) {
        weights[i] = (float)(i % 4);
        mass += (double)weights[i];
        for (size_t j = 0; j < 3; j++)
            sums[j] += (double)weights[i] * (double)p.x[i * 3 + j];
    }
    for (size_t begin = 0, size = 1; begin < p.n; begin += size, size = size * 2 + 1) {
        size_t n = p.n - begin < size ? p.n - begin : size;
        struct cot_matrix x = {.data = p.x + begin * 3, .n = n, .d = 3, .stride = 3};
        cot_code rc = cot_kmeans_stream_update(stream, &x, weights + begin, 2, NULL, NULL, NULL);
        assert_int_equal(rc, n == 1 && weights[begin] == 0 ? COT_BAD_DATA : COT_OK); /* a batch that weighs nothing */
    }
    assert_true(fabs(cot_kmeans_stream_masses(stream)[0] - mass) < 1e-9);
    for (size_t j = 0; j < 3; j++)
        assert_true(fabs((double)cot_kmeans_stream_centroids(stream)[j] - sums[j] / mass) < 1e-5);
    cot_kmeans_stream_free(stream);
    planted_free(&p);
}

/* mass and mean by hand: decay 1/2, batches of two equal points. */
static void test_forgetting_by_hand(void **state)
{
    float start[1] = {0};
    double masses[1] = {4};
    float batch[2] = {6, 6};
    struct cot_matrix x = {.data = batch, .n = 2, .d = 1, .stride = 1};
    struct cot_kmeans_stream *stream = NULL;
    double inertia = 0;
    uint32_t labels[2] = {9, 9};
    (void)state;
    assert_int_equal(cot_kmeans_stream_new(start, masses, 1, 1, 0.5, &stream, NULL), COT_OK);
    assert_int_equal(cot_kmeans_stream_update(stream, &x, NULL, 1, labels, &inertia, NULL), COT_OK);
    assert_true(cot_kmeans_stream_masses(stream)[0] == 4);          /* 4 / 2 + 2 */
    assert_true(cot_kmeans_stream_centroids(stream)[0] == 3);       /* (2 * 0 + 2 * 6) / 4 */
    assert_true(inertia == 72 && labels[0] == 0 && labels[1] == 0); /* about the centroid before */
    cot_kmeans_stream_free(stream);
}

static void test_follows_clusters_that_drift(void **state)
{
    enum { N = 600, BATCHES = 40 };
    float data[N];
    float start[2] = {0, 10};
    struct cot_matrix x = {.data = data, .n = N, .d = 1, .stride = 1};
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 3);
    struct cot_kmeans_stream *follows = stream_of(start, 2, 1, 0.3);
    struct cot_kmeans_stream *remembers = stream_of(start, 2, 1, 1);
    for (int b = 0; b < BATCHES; b++) {
        for (size_t i = 0; i < N; i++)
            data[i] = (float)((i % 2 == 0 ? 0 : 10) + 0.5 * b + cot_rng_normal(&rng));
        assert_int_equal(cot_kmeans_stream_update(follows, &x, NULL, 1, NULL, NULL, NULL), COT_OK);
        assert_int_equal(cot_kmeans_stream_update(remembers, &x, NULL, 1, NULL, NULL, NULL), COT_OK);
    }
    double now = 0.5 * (BATCHES - 1);
    assert_true(fabs((double)cot_kmeans_stream_centroids(follows)[0] - now) < 1);
    assert_true(fabs((double)cot_kmeans_stream_centroids(follows)[1] - now - 10) < 1);
    assert_true(fabs((double)cot_kmeans_stream_centroids(remembers)[1] - now - 10) > 2);
    cot_kmeans_stream_free(follows);
    cot_kmeans_stream_free(remembers);
}

static void test_a_refused_batch_changes_nothing(void **state)
{
    float start[4] = {0, 0, 5, 5};
    float data[4] = {1, 2, NAN, 4};
    struct cot_matrix x = {.data = data, .n = 2, .d = 2, .stride = 2};
    struct cot_matrix narrow = {.data = data, .n = 1, .d = 1, .stride = 1};
    struct cot_kmeans_stream *none = NULL;
    struct cot_err err = {0};
    (void)state;
    struct cot_kmeans_stream *stream = stream_of(start, 2, 2, 1);
    assert_int_equal(cot_kmeans_stream_update(stream, &x, NULL, 1, NULL, NULL, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "row 1, column 0"));
    assert_int_equal(cot_kmeans_stream_update(stream, &narrow, NULL, 1, NULL, NULL, &err), COT_USAGE);
    assert_memory_equal(cot_kmeans_stream_centroids(stream), start, sizeof start);
    assert_true(cot_kmeans_stream_masses(stream)[0] == 0);
    assert_int_equal(cot_kmeans_stream_new(start, NULL, 2, 2, 0, &none, &err), COT_USAGE);
    assert_int_equal(cot_kmeans_stream_new(data, NULL, 2, 2, 1, &none, &err), COT_BAD_DATA);
    assert_null(none);
    cot_kmeans_stream_free(stream);
}

static struct cot_kmeans *minibatch(const struct cot_matrix *x, const struct cot_minibatch_options *options)
{
    struct cot_kmeans *kmeans = NULL;
    struct cot_err err = {0};
    if (cot_kmeans_minibatch_fit(x, options, &kmeans, &err) != COT_OK)
        fail_msg("%s", err.message);
    return kmeans;
}

static void test_minibatches_come_near_to_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct planted p = planted_make(30000, 6, 8, 6, 10, seed);
        struct cot_matrix x = planted_view(&p);
        struct cot_minibatch_options options;
        struct cot_kmeans *all = NULL;
        double ari = 0;
        cot_minibatch_options_init(&options, 8);
        options.kmeans.n_init = 5;
        options.kmeans.seed = seed;
        struct cot_kmeans *few = minibatch(&x, &options);
        assert_int_equal(cot_kmeans_fit(&x, &options.kmeans, &all, NULL), COT_OK);
        assert_true(few->inertia < all->inertia * 1.02);
        assert_int_equal(cot_metric_ari(few->labels, p.truth, p.n, &ari, NULL), COT_OK);
        assert_true(ari > 0.98);
        cot_kmeans_free(few);
        cot_kmeans_free(all);
        planted_free(&p);
    }
}

/* Few points weigh anything, and little: the others must not count at all. */
static void test_minibatches_of_mostly_weightless_points(void **state)
{
    enum { N = 20000, HEAVY = 40 };
    float *data = calloc(N, sizeof *data);
    float *weights = calloc(N, sizeof *weights);
    struct cot_matrix x = {.data = data, .n = N, .d = 1, .stride = 1};
    struct cot_minibatch_options options;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        bool heavy = i % (N / HEAVY) == 0;
        weights[i] = heavy ? 1e-3F : 0;
        data[i] = heavy ? (float)(i / (N / HEAVY) % 2 * 10) : 1000;
    }
    cot_minibatch_options_init(&options, 2);
    options.kmeans.weights = weights;
    options.kmeans.n_init = 3;
    struct cot_kmeans *kmeans = minibatch(&x, &options);
    float low = kmeans->centroids[0] < kmeans->centroids[1] ? kmeans->centroids[0] : kmeans->centroids[1];
    float high = kmeans->centroids[0] < kmeans->centroids[1] ? kmeans->centroids[1] : kmeans->centroids[0];
    assert_true(fabsf(low) < 1e-3F && fabsf(high - 10) < 1e-3F);
    cot_kmeans_free(kmeans);
    free(data);
    free(weights);
}

static void test_minibatches_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(9000, 5, 6, 3, 3, 8);
    struct cot_matrix x = planted_view(&p);
    struct cot_minibatch_options options;
    (void)state;
    cot_minibatch_options_init(&options, 10);
    options.batch = 300;
    options.kmeans.n_threads = 1;
    struct cot_kmeans *one = minibatch(&x, &options);
    options.kmeans.n_threads = 8;
    struct cot_kmeans *eight = minibatch(&x, &options);
    assert_int_equal(one->n_iter, eight->n_iter);
    assert_memory_equal(one->centroids, eight->centroids, 10 * 5 * sizeof(float));
    assert_memory_equal(one->labels, eight->labels, p.n * sizeof(uint32_t));
    assert_true(one->inertia == eight->inertia);
    cot_kmeans_free(one);
    cot_kmeans_free(eight);
    planted_free(&p);
}

/* A start far from everything would stay where it is; it starts anew at a point instead. */
static void test_a_lost_centroid_starts_anew(void **state)
{
    struct planted p = planted_make(4000, 2, 3, 1, 12, 6);
    struct cot_matrix x = planted_view(&p);
    float init[6] = {0, 0, 1e4F, 1e4F, -1e4F, 1e4F};
    struct cot_minibatch_options options;
    (void)state;
    cot_minibatch_options_init(&options, 3);
    options.kmeans.init = init;
    options.patience = 0;
    options.batch = 256;
    struct cot_kmeans *kmeans = minibatch(&x, &options);
    for (size_t c = 0; c < 3; c++)
        assert_true(kmeans->cluster_mass[c] > 0);
    cot_kmeans_free(kmeans);
    planted_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_centroid_is_the_mean),
        cmocka_unit_test(test_forgetting_by_hand),
        cmocka_unit_test(test_follows_clusters_that_drift),
        cmocka_unit_test(test_a_refused_batch_changes_nothing),
        cmocka_unit_test(test_minibatches_come_near_to_all),
        cmocka_unit_test(test_minibatches_of_mostly_weightless_points),
        cmocka_unit_test(test_minibatches_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_a_lost_centroid_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
