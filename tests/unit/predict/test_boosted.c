#include "predict/boosted.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 4000, D = 10 };

/*
 * J. Friedman, "Multivariate adaptive regression splines", Annals of Statistics 19, 1991: ten uniform variables, of
 * which five matter; noise of standard deviation 1, signal of about 4.9, so that R2 of the truth is .96.
 */
struct friedman {
    float x[N * D], y[N], truth[N];
};

static void make(struct friedman *f, uint64_t seed)
{
    const double pi = 3.14159265358979323846;
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < N; i++) {
        float *x = f->x + i * D;
        for (size_t j = 0; j < D; j++)
            x[j] = (float)cot_rng_uniform(&rng);
        double truth = 10 * sin(pi * (double)x[0] * (double)x[1]) + 20 * pow((double)x[2] - 0.5, 2) +
                       10 * (double)x[3] + 5 * (double)x[4];
        f->truth[i] = (float)truth;
        f->y[i] = (float)(truth + cot_rng_normal(&rng));
    }
}

static double r2(const float *predicted, const float *y, size_t n)
{
    double mean = 0;
    double residual = 0;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        mean += (double)y[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        residual += pow((double)y[i] - (double)predicted[i], 2);
        total += pow((double)y[i] - mean, 2);
    }
    return 1 - residual / total;
}

static struct cot_boosted *fit(const struct friedman *f, unsigned rounds, uint64_t seed)
{
    struct cot_boosted_options options;
    struct cot_boosted *model = NULL;
    struct cot_boosted_rows train = {.n = N / 2, .d = D, .x = f->x, .y = f->y};
    struct cot_boosted_rows validation = {.n = N / 4, .d = D, .x = f->x + (size_t)N / 2 * D, .y = f->y + (size_t)N / 2};
    cot_boosted_options_init(&options, COT_BOOSTED_SQUARED);
    options.max_rounds = rounds;
    options.seed = seed;
    assert_int_equal(cot_boosted_fit(&train, &validation, &options, &model, NULL), COT_OK);
    return model;
}

static void test_friedman(void **state)
{
    static struct friedman f;
    static float predicted[N];
    (void)state;
    make(&f, 1);
    struct cot_boosted *model = fit(&f, 2000, 1);
    struct cot_boosted_rows rest = {.n = N / 4, .d = D, .x = f.x + (size_t)N * 3 / 4 * D};
    assert_int_equal(cot_boosted_predict(model, &rest, predicted, NULL), COT_OK);
    assert_true(r2(predicted, f.truth + (size_t)N * 3 / 4, N / 4) > 0.95);
    assert_true(cot_boosted_rounds(model) > 50 && cot_boosted_rounds(model) <= 2000); /* it stopped by itself */
    cot_boosted_free(model);
}

/* A row's contributions sum to its prediction, and a variable that does not matter adds next to nothing. */
static void test_contributions(void **state)
{
    static struct friedman f;
    static float predicted[N];
    static float why[N * (D + 1)];
    double matters = 0;
    double idle = 0;
    (void)state;
    make(&f, 2);
    f.x[3] = NAN;
    struct cot_boosted *model = fit(&f, 300, 1);
    struct cot_boosted_rows rows = {.n = N, .d = D, .x = f.x};
    assert_int_equal(cot_boosted_predict(model, &rows, predicted, NULL), COT_OK);
    assert_int_equal(cot_boosted_contributions(model, &rows, why, NULL), COT_OK);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t j = 0; j <= D; j++)
            sum += (double)why[i * (D + 1) + j];
        assert_true(fabs(sum - (double)predicted[i]) < 1e-3);
        matters += fabs((double)why[i * (D + 1) + 3]);
        idle += fabs((double)why[i * (D + 1) + 9]);
    }
    assert_true(matters > 10 * idle);
    cot_boosted_free(model);
}

static void test_start_is_kept_where_nothing_is_to_learn(void **state)
{
    static float x[N], y[N], start[N], predicted[N];
    struct cot_boosted_options options;
    struct cot_boosted *model = NULL;
    struct cot_rng rng;
    double sum = 0;
    (void)state;
    cot_rng_init(&rng, 3);
    for (size_t i = 0; i < N; i++) {
        double p = 0.1 + 0.8 * cot_rng_uniform(&rng);
        x[i] = (float)cot_rng_uniform(&rng);
        start[i] = (float)log(p / (1 - p));
        y[i] = cot_rng_uniform(&rng) < p ? 1 : 0;
    }
    struct cot_boosted_rows train = {N / 2, 1, x, y, start};
    struct cot_boosted_rows judge = {N / 2, 1, x + N / 2, y + N / 2, start + N / 2};
    cot_boosted_options_init(&options, COT_BOOSTED_LOGISTIC);
    assert_int_equal(cot_boosted_fit(&train, &judge, &options, &model, NULL), COT_OK);
    assert_int_equal(cot_boosted_predict(model, &judge, predicted, NULL), COT_OK);
    for (size_t i = 0; i < N / 2; i++)
        sum += fabs((double)predicted[i] - 1 / (1 + exp(-(double)judge.start[i])));
    assert_true(sum / (N / 2) < 0.02);
    cot_boosted_free(model);
}

static void test_same_seed_same_bytes(void **state)
{
    static struct friedman f;
    static float predicted[3][N];
    struct cot_boosted_rows rows = {.n = N, .d = D, .x = f.x};
    (void)state;
    make(&f, 4);
    for (size_t i = 0; i < 3; i++) {
        struct cot_boosted *model = fit(&f, 60, i < 2 ? 7 : 8);
        assert_int_equal(cot_boosted_predict(model, &rows, predicted[i], NULL), COT_OK);
        cot_boosted_free(model);
    }
    assert_memory_equal(predicted[0], predicted[1], sizeof predicted[0]);
    assert_memory_not_equal(predicted[0], predicted[2], sizeof predicted[0]);
}

static void refuse(struct cot_boosted_rows train, struct cot_boosted_options options, cot_code code, const char *words)
{
    struct cot_boosted *model = NULL;
    struct cot_err err;
    assert_int_equal(cot_boosted_fit(&train, NULL, &options, &model, &err), code);
    assert_non_null(strstr(err.message, words));
    assert_null(model);
}

static void test_what_cannot_be_learned_is_refused(void **state)
{
    static float x[] = {1, 2, 3, 4};
    static float y[] = {0, 1, 2, NAN};
    struct cot_boosted_options options;
    (void)state;
    cot_boosted_options_init(&options, COT_BOOSTED_SQUARED);
    refuse((struct cot_boosted_rows){.n = 0, .d = 1, .x = x, .y = y}, options, COT_BAD_DATA, "0 x 1");
    refuse((struct cot_boosted_rows){.n = 4, .d = 1, .x = x, .y = y}, options, COT_BAD_DATA, "row 3");
    options.objective = COT_BOOSTED_LOGISTIC;
    refuse((struct cot_boosted_rows){.n = 3, .d = 1, .x = x, .y = y}, options, COT_BAD_DATA, "row 2: target 2");
    options.learning_rate = 2;
    refuse((struct cot_boosted_rows){.n = 2, .d = 1, .x = x, .y = y}, options, COT_USAGE, "learning rate 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_friedman),
        cmocka_unit_test(test_contributions),
        cmocka_unit_test(test_start_is_kept_where_nothing_is_to_learn),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_what_cannot_be_learned_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
