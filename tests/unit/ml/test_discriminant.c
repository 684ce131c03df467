/* Discriminant clustering: quality among noise, the choice of k, determinism, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "coterie/discriminant.h"
#include "coterie/kmeans.h"
#include "coterie/metrics.h"
#include "unit/ml/planted.h"

/* Planted clusters in the first columns; then correlated columns that vary a lot and separate nothing; standardised. */
static struct planted planted_in_noise(size_t n, size_t k, size_t n_noise, uint64_t seed)
{
    struct planted p = planted_make(n, 4, k, 5, 4.5, seed);
    size_t d = 4 + n_noise;
    float *x = malloc(n * d * sizeof *x);
    struct cot_rng rng;
    cot_rng_init(&rng, seed ^ 77);
    for (size_t i = 0; i < n; i++) {
        double common = cot_rng_normal(&rng);
        for (size_t j = 0; j < 4; j++)
            x[i * d + j] = p.x[i * 4 + j];
        for (size_t j = 4; j < d; j++)
            x[i * d + j] = (float)(2 * common + cot_rng_normal(&rng));
    }
    for (size_t j = 0; j < d; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)x[i * d + j];
        for (size_t i = 0; i < n; i++)
            squares += ((double)x[i * d + j] - sum / (double)n) * ((double)x[i * d + j] - sum / (double)n);
        for (size_t i = 0; i < n; i++)
            x[i * d + j] = (float)(((double)x[i * d + j] - sum / (double)n) / sqrt(squares / (double)n));
    }
    free(p.x);
    p.x = x;
    p.d = d;
    return p;
}

static struct cot_discriminant_path *path_of(const struct planted *p, unsigned n_threads)
{
    struct cot_err err = {0};
    struct cot_discriminant_path_options options;
    struct cot_discriminant_path *path = NULL;
    struct cot_matrix z = planted_view(p);
    cot_discriminant_path_options_init(&options);
    options.n_threads = n_threads;
    options.k_max = 9;
    if (cot_discriminant_path_fit(&z, &options, &path, &err) != COT_OK)
        fail_msg("%s", err.message);
    return path;
}

static void finds_planted_clusters_among_noise(void **state)
{
    (void)state;
    double found = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct planted p = planted_in_noise(1500, 5, 12, seed);
        struct cot_discriminant_path *path = path_of(&p, 0);
        struct cot_err err = {0};
        double ari = 0, plain = 0, chosen = 0;
        assert_int_equal(cot_metric_ari(path->fits[path->choice.k - 2]->labels, p.truth, p.n, &chosen, &err), COT_OK);
        const struct cot_discriminant *fit = path->fits[5 - 2];
        assert_int_equal(cot_metric_ari(fit->labels, p.truth, p.n, &ari, &err), COT_OK);
        struct cot_kmeans_options options;
        struct cot_kmeans *kmeans = NULL;
        struct cot_matrix z = planted_view(&p);
        cot_kmeans_options_init(&options, 5);
        assert_int_equal(cot_kmeans_fit(&z, &options, &kmeans, &err), COT_OK);
        assert_int_equal(cot_metric_ari(kmeans->labels, p.truth, p.n, &plain, &err), COT_OK);
        /* two of five may stand so near to each other that four is the better story: but not a worse partition */
        if (path->choice.k < 4 || path->choice.k > 5 || chosen < 0.85)
            fail_msg("seed %llu: k = %zu chosen, ARI %.3f", (unsigned long long)seed, path->choice.k, chosen);
        if (plain > 0.6) /* the noise columns must be able to drown the others */
            fail_msg("seed %llu: k-means has ARI %.3f on what should be hard", (unsigned long long)seed, plain);
        found += ari / 3;
        for (size_t c = 0; c < 5; c++)
            assert_true(path->jaccards[5 - 2][c] > 0.3 && path->jaccards[5 - 2][c] <= 1);
        cot_kmeans_free(kmeans);
        cot_discriminant_path_free(path);
        planted_free(&p);
    }
    if (found < 0.85)
        fail_msg("mean ARI at the true k: %.3f", found);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    struct planted p = planted_in_noise(3000, 4, 6, 9);
    struct cot_discriminant_path *one = path_of(&p, 1);
    for (unsigned n_threads = 2; n_threads <= 8; n_threads *= 4) {
        struct cot_discriminant_path *many = path_of(&p, n_threads);
        for (size_t e = 0; e < one->choice.n_evidence; e++) {
            assert_memory_equal(one->fits[e]->labels, many->fits[e]->labels, p.n * sizeof(uint32_t));
            assert_memory_equal(one->fits[e]->axes, many->fits[e]->axes, p.d * one->fits[e]->q * sizeof(double));
            assert_memory_equal(&one->choice.evidence[e].stability, &many->choice.evidence[e].stability,
                                sizeof(double));
        }
        cot_discriminant_path_free(many);
    }
    cot_discriminant_path_free(one);
    planted_free(&p);
}

/* Within clusters the axes have unit variance (with what shrinkage adds), and the columns without clusters no say. */
static void axes_whiten_what_is_within(void **state)
{
    (void)state;
    struct planted p = planted_in_noise(2000, 3, 5, 4);
    struct cot_err err = {0};
    struct cot_discriminant_options options = {.max_iter = 20, .n_threads = 1};
    struct cot_discriminant *fit = NULL;
    struct cot_matrix z = planted_view(&p);
    assert_int_equal(cot_discriminant_fit(&z, p.truth, 3, &options, &fit, &err), COT_OK);
    float *y = malloc(p.n * fit->q * sizeof *y);
    assert_int_equal(cot_discriminant_project(fit, &z, 1, y, &err), COT_OK);
    for (size_t a = 0; a < fit->q; a++) {
        double within = 0;
        for (size_t i = 0; i < p.n; i++) {
            double gap = (double)y[i * fit->q + a] - (double)fit->centroids[fit->labels[i] * fit->q + a];
            within += gap * gap / (double)p.n;
        }
        assert_true(within > 0.5 && within < 1.2);
    }
    for (size_t j = 4; j < p.d; j++)
        assert_true(fabs(fit->axes[j * fit->q]) < 0.25 * fabs(fit->axes[0]) + 0.5);
    free(y);
    cot_discriminant_free(fit);
    planted_free(&p);
}

static void refuses_what_it_cannot_use(void **state)
{
    (void)state;
    float x[8] = {0, 1, 2, 3, 4, NAN, 6, 7};
    uint32_t labels[4] = {0, 1, 0, 1};
    struct cot_matrix z = {.data = x, .n = 4, .d = 2, .stride = 2};
    struct cot_discriminant_options options = {.max_iter = 5};
    struct cot_discriminant_path_options path_options;
    struct cot_discriminant *fit = NULL;
    struct cot_discriminant_path *path = NULL;
    struct cot_err err = {0};
    assert_int_equal(cot_discriminant_fit(&z, labels, 2, &options, &fit, &err), COT_BAD_DATA);
    x[5] = 5;
    labels[3] = 2;
    assert_int_equal(cot_discriminant_fit(&z, labels, 2, &options, &fit, &err), COT_USAGE);
    assert_int_equal(cot_discriminant_fit(&z, labels, 1, &options, &fit, &err), COT_USAGE);
    cot_discriminant_path_options_init(&path_options);
    assert_int_equal(cot_discriminant_path_fit(&z, &path_options, &path, &err), COT_USAGE);
    assert_null(fit);
    assert_null(path);
}

/* A constant column, and one that is a sum of two others, are no reason to fail. */
static void survives_columns_that_say_nothing_new(void **state)
{
    (void)state;
    struct planted p = planted_in_noise(600, 3, 2, 5);
    for (size_t i = 0; i < p.n; i++) {
        p.x[i * p.d + 4] = 0;
        p.x[i * p.d + 5] = p.x[i * p.d] + p.x[i * p.d + 1];
    }
    struct cot_discriminant_path *path = path_of(&p, 1);
    for (size_t e = 0; e < path->choice.n_evidence; e++)
        assert_true(isfinite(path->choice.evidence[e].bic) && isfinite(path->choice.evidence[e].silhouette));
    cot_discriminant_path_free(path);
    planted_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_planted_clusters_among_noise),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(axes_whiten_what_is_within),
        cmocka_unit_test(refuses_what_it_cannot_use),
        cmocka_unit_test(survives_columns_that_say_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
