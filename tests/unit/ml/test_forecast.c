#include "coterie/forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 72, AHEAD = 12 };

static void forecast(const double *values, size_t n, enum cot_forecast_method method, unsigned season, double *ret_mean)
{
    struct cot_forecast_options options = {.method = method, .season = season};
    struct cot_err err = {0};
    if (cot_forecast(values, n, &options, AHEAD, ret_mean, NULL, NULL, NULL, &err) != COT_OK)
        fail_msg("%s", err.message);
}

static void test_naive_rules(void **state)
{
    static const double values[] = {5, 1, 2, 3, 6, 1, 2, 4};
    double mean[AHEAD];
    (void)state;
    forecast(values, 8, COT_FORECAST_NAIVE, 4, mean);
    assert_true(mean[0] == 4 && mean[AHEAD - 1] == 4);
    forecast(values, 8, COT_FORECAST_SEASONAL_NAIVE, 4, mean);
    assert_true(mean[0] == 6 && mean[1] == 1 && mean[3] == 4 && mean[4] == 6);
    forecast(values, 8, COT_FORECAST_MEAN, 4, mean);
    assert_true(mean[0] == 3);
}

/* Theta of a straight line: the line has half its slope, simple smoothing the level; by hand. */
static void test_theta_of_a_line(void **state)
{
    double values[N];
    double mean[AHEAD];
    (void)state;
    for (int i = 0; i < N; i++)
        values[i] = 10 + 2 * i;
    forecast(values, N, COT_FORECAST_THETA, 1, mean);
    for (int h = 1; h < AHEAD; h++)
        assert_true(fabs(mean[h] - mean[h - 1] - 1) < 1e-9); /* half of 2 */
    assert_true(fabs(mean[0] - (10 + 2 * N)) < 2.1);
}

/* The dynamic model has the whole line (theta without end), wherever it lies and whatever it is measured in. */
static void test_dynamic_theta_of_a_line(void **state)
{
    double values[N];
    double mean[AHEAD];
    double scaled[AHEAD];
    struct cot_rng rng;
    (void)state;
    for (int i = 0; i < N; i++)
        values[i] = 1000 + 2 * i;
    forecast(values, N, COT_FORECAST_DYNAMIC_THETA, 1, mean);
    for (int h = 0; h < AHEAD; h++)
        assert_true(fabs(mean[h] - (1000 + 2 * (N + h))) < 1e-6);
    cot_rng_init(&rng, 3);
    for (int i = 0; i < N; i++)
        values[i] = 50 + i + 5 * cot_rng_normal(&rng);
    forecast(values, N, COT_FORECAST_DYNAMIC_THETA, 1, mean);
    for (int i = 0; i < N; i++)
        values[i] = 1000 + 8 * values[i];
    forecast(values, N, COT_FORECAST_DYNAMIC_THETA, 1, scaled);
    for (int h = 0; h < AHEAD; h++) {
        assert_true(fabs(scaled[h] - (1000 + 8 * mean[h])) < 1e-3);
        assert_true(fabs(mean[h] - (50 + N + h)) < 5);
    }
}

static void test_season_comes_back(void **state)
{
    static const double season[12] = {0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.1, 1, 0.9, 1.4};
    static const enum cot_forecast_method methods[] = {
        COT_FORECAST_SES, COT_FORECAST_DAMPED,   COT_FORECAST_THETA, COT_FORECAST_DYNAMIC_THETA,
        COT_FORECAST_ETS, COT_FORECAST_COMBINED, COT_FORECAST_AUTO};
    double values[N];
    double mean[AHEAD];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 5);
    for (int i = 0; i < N; i++)
        values[i] = 200 * season[i % 12] * (1 + 0.02 * cot_rng_normal(&rng));
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        forecast(values, N, methods[m], 12, mean);
        for (int h = 0; h < AHEAD; h++)
            assert_true(fabs(mean[h] / (200 * season[(N + h) % 12]) - 1) < 0.1);
    }
}

/* One demand of 6 every third step: 2 a step; SBA takes its bias out, so it says no more than Croston. */
static void test_intermittent_demand(void **state)
{
    double values[N] = {0};
    double croston[AHEAD];
    double mean[AHEAD];
    (void)state;
    for (int i = 2; i < N; i += 3)
        values[i] = 6;
    forecast(values, N, COT_FORECAST_CROSTON, 1, croston);
    assert_true(fabs(croston[0] - 2) < 1e-9);
    forecast(values, N, COT_FORECAST_SBA, 1, mean);
    assert_true(mean[0] <= croston[0] && mean[0] > 0.5 * croston[0]);
    forecast(values, N, COT_FORECAST_ADIDA, 1, mean);
    assert_true(fabs(mean[0] - 2) < 1e-9);
    forecast(values, N, COT_FORECAST_TSB, 1, mean);
    assert_true(fabs(mean[0] - 2) < 0.5);
    memset(values + N / 2, 0, N / 2 * sizeof *values); /* nobody asks any more: only TSB and ADIDA notice */
    forecast(values, N, COT_FORECAST_CROSTON, 1, croston);
    forecast(values, N, COT_FORECAST_TSB, 1, mean);
    assert_true(mean[0] < croston[0] / 2);
    memset(values, 0, sizeof values);
    for (int m = COT_FORECAST_AUTO; m < COT_FORECAST_N_METHODS; m++) {
        forecast(values, N, (enum cot_forecast_method)m, 1, mean);
        assert_true(mean[0] == 0 && mean[AHEAD - 1] == 0);
    }
}

static void test_intervals_hold_what_they_say(void **state)
{
    struct cot_forecast_options options = {.method = COT_FORECAST_SES, .season = 1};
    struct cot_rng rng;
    size_t n_held = 0;
    size_t n = 0;
    (void)state;
    cot_rng_init(&rng, 8);
    for (int series = 0; series < 300; series++) {
        double values[N + AHEAD];
        double mean[AHEAD];
        double low[AHEAD];
        double high[AHEAD];
        for (int i = 0; i < N + AHEAD; i++)
            values[i] = 50 + 5 * cot_rng_normal(&rng);
        assert_int_equal(cot_forecast(values, N, &options, AHEAD, mean, low, high, NULL, NULL), COT_OK);
        for (int h = 0; h < AHEAD; h++, n++) {
            assert_true(low[h] <= mean[h] && mean[h] <= high[h]);
            n_held += low[h] <= values[N + h] && values[N + h] <= high[h];
        }
    }
    assert_true(n_held > n * 76 / 100 && n_held < n * 90 / 100);
}

static void test_bad_input(void **state)
{
    static const double values[] = {1, NAN};
    struct cot_forecast_options options = {.method = COT_FORECAST_AUTO};
    enum cot_forecast_method method = COT_FORECAST_AUTO;
    struct cot_err err = {0};
    double mean[AHEAD];
    (void)state;
    assert_int_equal(cot_forecast(values, 2, &options, 1, mean, NULL, NULL, NULL, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "value 1"));
    assert_int_equal(cot_forecast(values, 0, &options, 1, mean, NULL, NULL, NULL, &err), COT_USAGE);
    assert_int_equal(cot_forecast(values, 1, &options, 0, mean, NULL, NULL, NULL, &err), COT_USAGE);
    assert_int_equal(cot_forecast_method_parse("prophet", &method, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "'prophet'"));
    for (int m = COT_FORECAST_AUTO; m < COT_FORECAST_N_METHODS; m++) { /* one value is enough */
        options.method = (enum cot_forecast_method)m;
        options.season = 12;
        assert_int_equal(cot_forecast(values, 1, &options, AHEAD, mean, NULL, NULL, NULL, &err), COT_OK);
        assert_true(isfinite(mean[AHEAD - 1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive_rules),
        cmocka_unit_test(test_theta_of_a_line),
        cmocka_unit_test(test_dynamic_theta_of_a_line),
        cmocka_unit_test(test_season_comes_back),
        cmocka_unit_test(test_intermittent_demand),
        cmocka_unit_test(test_intervals_hold_what_they_say),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
