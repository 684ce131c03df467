/* Exponential smoothing: what made a series is found again, and forms are chosen for what they are for. */
#include "ml/ets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { LONG = 600, SEASON = 4, AHEAD = 8 };

static const struct cot_ets_form level_only = {false, COT_ETS_NO_TREND, COT_ETS_NO_SEASON};
static const struct cot_ets_form multiplied = {true, COT_ETS_TREND, COT_ETS_MULTIPLICATIVE};

static void fit(const struct cot_ets_form *form, const double *y, size_t n, size_t season, struct cot_ets *ret_ets)
{
    struct cot_err err = {0};
    if (cot_ets_fit(form, y, n, season, NULL, ret_ets, &err) != COT_OK)
        fail_msg("%s", err.message);
}

/* A level that takes up 0.4 of every surprise. */
static void make_level(struct cot_rng *rng, double alpha, double *ret_y, size_t n)
{
    double level = 100;
    for (size_t i = 0; i < n; i++) {
        double error = 3 * cot_rng_normal(rng);
        ret_y[i] = level + error;
        level += alpha * error;
    }
}

static void test_weight_is_found_again(void **state)
{
    static const double truths[] = {0.1, 0.4, 0.8};
    double y[LONG];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 11);
    for (size_t t = 0; t < sizeof truths / sizeof *truths; t++) {
        struct cot_ets ets;
        double mean[AHEAD];
        make_level(&rng, truths[t], y, LONG);
        fit(&level_only, y, LONG, 1, &ets);
        assert_true(fabs(ets.alpha - truths[t]) < 0.1);
        cot_ets_forecast(&ets, AHEAD, mean);
        assert_true(mean[0] == ets.level && mean[AHEAD - 1] == ets.level);
    }
}

/* Quarters that multiply a growing level. */
static void make_quarters(struct cot_rng *rng, double *ret_y, size_t n)
{
    static const double quarters[SEASON] = {0.8, 1, 0.7, 1.5};
    for (size_t i = 0; i < n; i++)
        ret_y[i] = (100 + 2 * (double)i) * quarters[i % SEASON] * (1 + 0.03 * cot_rng_normal(rng));
}

static void test_multiplied_season(void **state)
{
    double y[80 + AHEAD];
    double mean[AHEAD];
    struct cot_ets ets;
    struct cot_err err = {0};
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 12);
    make_quarters(&rng, y, 80 + AHEAD);
    assert_int_equal(cot_ets_choose(y, 80, SEASON, &ets, &err), COT_OK);
    assert_true(ets.form.season == COT_ETS_MULTIPLICATIVE && ets.form.trend != COT_ETS_NO_TREND);
    cot_ets_forecast(&ets, AHEAD, mean);
    for (int h = 0; h < AHEAD; h++)
        assert_true(fabs(mean[h] / y[80 + h] - 1) < 0.12);
}

static void test_noise_has_neither_trend_nor_season(void **state)
{
    double y[120];
    int n_plain = 0;
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 13);
    for (int round = 0; round < 20; round++) {
        struct cot_ets ets;
        struct cot_err err = {0};
        for (int i = 0; i < 120; i++)
            y[i] = 50 + 5 * cot_rng_normal(&rng);
        assert_int_equal(cot_ets_choose(y, 120, SEASON, &ets, &err), COT_OK);
        n_plain += ets.form.trend == COT_ETS_NO_TREND && ets.form.season == COT_ETS_NO_SEASON;
    }
    assert_true(n_plain >= 17);
}

/* In other units the same weights, form and forecasts. */
static void test_units_do_not_matter(void **state)
{
    double y[60];
    double scaled[60];
    double mean[AHEAD];
    double scaled_mean[AHEAD];
    struct cot_ets ets;
    struct cot_ets other;
    struct cot_rng rng;
    struct cot_err err = {0};
    (void)state;
    cot_rng_init(&rng, 14);
    make_quarters(&rng, y, 60);
    for (int i = 0; i < 60; i++)
        scaled[i] = y[i] * 1024;
    assert_int_equal(cot_ets_choose(y, 60, SEASON, &ets, &err), COT_OK);
    assert_int_equal(cot_ets_choose(scaled, 60, SEASON, &other, &err), COT_OK);
    assert_memory_equal(&ets.form, &other.form, sizeof ets.form);
    cot_ets_forecast(&ets, AHEAD, mean);
    cot_ets_forecast(&other, AHEAD, scaled_mean);
    for (int h = 0; h < AHEAD; h++)
        assert_true(fabs(scaled_mean[h] / mean[h] - 1024) < 1e-3);
}

/* No other weights near the best ones are better: the gradient leads to a minimum. */
static void test_fit_is_a_minimum(void **state)
{
    double y[80];
    struct cot_ets best;
    struct cot_ets again;
    struct cot_err err = {0};
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 15);
    make_quarters(&rng, y, 80);
    fit(&multiplied, y, 80, SEASON, &best);
    for (size_t v = 0; v < best.n_variables; v++) {
        struct cot_ets start = best;
        start.variables[v] *= 1.02;
        assert_int_equal(cot_ets_fit(&multiplied, y, 80, SEASON, &start, &again, &err), COT_OK);
        assert_true(fabs(again.loss - best.loss) < 0.01);
    }
}

static void test_what_cannot_be_fitted(void **state)
{
    static const double few[] = {1, 2, 3};
    static const double zero[] = {1, 2, 0, 4, 5, 6, 7, 8, 9, 8, 7, 6};
    struct cot_ets ets;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_ets_choose(few, 3, 1, &ets, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "3 values"));
    assert_false(cot_ets_possible(&multiplied, zero, 12, 2));
    assert_true(cot_ets_possible(&level_only, zero, 12, 2));
    assert_int_equal(cot_ets_choose(zero, 12, 1, &ets, &err), COT_OK);
    assert_false(ets.form.multiplicative_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weight_is_found_again),
        cmocka_unit_test(test_multiplied_season),
        cmocka_unit_test(test_noise_has_neither_trend_nor_season),
        cmocka_unit_test(test_units_do_not_matter),
        cmocka_unit_test(test_fit_is_a_minimum),
        cmocka_unit_test(test_what_cannot_be_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
