/* Smoothing: level, trend and season. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/forecast_methods.h"
#include "num/check.h"

cot_code cot_forecast_naive(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    (void)err;
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = series->values[series->n - 1];
    return COT_OK;
}

cot_code cot_forecast_seasonal_naive(const struct cot_series *series, size_t horizon, double *ret_mean,
                                     struct cot_err *err)
{
    size_t season = series->season <= series->n ? series->season : 1;
    (void)err;
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = series->values[series->n - season + h % season];
    return COT_OK;
}

cot_code cot_forecast_mean(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double sum = 0;
    (void)err;
    for (size_t i = 0; i < series->n; i++)
        sum += series->values[i];
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = sum / (double)series->n;
    return COT_OK;
}

/* ---- one weight, by golden section ---- */

/* Squared one-step error of a smoother with one weight. */
typedef double loss_of_weight(const void *context, double weight);

static double golden_section(loss_of_weight *loss, const void *context, double low, double high)
{
    const double ratio = 0.6180339887498949;
    const double enough = 1e-5;
    double a = high - ratio * (high - low);
    double b = low + ratio * (high - low);
    double loss_a = loss(context, a);
    double loss_b = loss(context, b);
    while (high - low > enough) {
        if (loss_a <= loss_b) {
            high = b;
            b = a;
            loss_b = loss_a;
            a = high - ratio * (high - low);
            loss_a = loss(context, a);
        } else {
            low = a;
            a = b;
            loss_a = loss_b;
            b = low + ratio * (high - low);
            loss_b = loss(context, b);
        }
    }
    return (low + high) / 2;
}

struct smoothing {
    const double *y;
    size_t n;
    double first; /* level before the first value */
};

static double level_after(const struct smoothing *s, double alpha, double *ret_loss)
{
    double level = s->first;
    double loss = 0;
    for (size_t i = 0; i < s->n; i++) {
        double error = s->y[i] - level;
        loss += error * error;
        level += alpha * error;
    }
    *ret_loss = loss;
    return level;
}

static double smoothing_loss(const void *context, double alpha)
{
    double loss = 0;
    (void)level_after(context, alpha, &loss);
    return loss;
}

/* The level starts at the mean of the first few values. */
double cot_smooth_within(const double *y, size_t n, double low, double high, double *ret_alpha)
{
    enum { START = 4 };
    struct smoothing s = {y, n, 0};
    size_t n_start = n < START ? n : START;
    double loss = 0;
    for (size_t i = 0; i < n_start; i++)
        s.first += y[i] / (double)n_start;
    double alpha = golden_section(smoothing_loss, &s, low, high);
    if (ret_alpha != NULL)
        *ret_alpha = alpha;
    return level_after(&s, alpha, &loss);
}

double cot_smooth(const double *y, size_t n, double *ret_alpha)
{
    const double least = 0.01;
    return cot_smooth_within(y, n, least, 1 - least, ret_alpha);
}

/* ---- season ---- */

/* Autocorrelation at `lag`, and the sum of squares of those before it, for the test. */
static double autocorrelation(const double *y, size_t n, size_t lag, double mean, double variance)
{
    double sum = 0;
    for (size_t i = lag; i < n; i++)
        sum += (y[i] - mean) * (y[i - lag] - mean);
    return sum / variance;
}

static bool season_shows(const struct cot_series *series)
{
    const double at_90 = 1.6448536269514722;
    size_t n = series->n;
    double mean = 0;
    double variance = 0;
    double before = 0;
    if (series->season < 2 || n < 3 * series->season)
        return false;
    for (size_t i = 0; i < n; i++)
        mean += series->values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (series->values[i] - mean) * (series->values[i] - mean);
    if (!(variance > 0))
        return false;
    for (size_t lag = 1; lag < series->season; lag++) {
        double r = autocorrelation(series->values, n, lag, mean, variance);
        before += r * r;
    }
    double r = autocorrelation(series->values, n, series->season, mean, variance);
    return fabs(r) > at_90 * sqrt((1 + 2 * before) / (double)n);
}

/* Centred moving average over a season around i; i is at least half a season from both ends. */
static double trend_at(const struct cot_series *series, size_t i)
{
    size_t half = series->season / 2;
    double sum = 0;
    for (size_t j = i - half; j <= i + half; j++)
        sum += series->values[j];
    if (series->season % 2 == 0)
        sum -= (series->values[i - half] + series->values[i + half]) / 2;
    return sum / (double)series->season;
}

void cot_season_indices(const struct cot_series *series, bool multiplicative, double *ret_indices)
{
    size_t season = series->season;
    size_t half = season / 2;
    double mean = 0;
    for (size_t s = 0; s < season; s++) {
        double sum = 0;
        double n = 0;
        for (size_t i = s; i + half < series->n; i += season)
            if (i >= half) {
                double trend = trend_at(series, i);
                sum += multiplicative ? series->values[i] / trend : series->values[i] - trend;
                n += 1;
            }
        ret_indices[s] = sum / n; /* two seasons: each place is there at least once */
        mean += ret_indices[s] / (double)season;
    }
    for (size_t s = 0; s < season; s++)
        ret_indices[s] = multiplicative ? ret_indices[s] / mean : ret_indices[s] - mean;
}

bool cot_season_find(const struct cot_series *series, double *ret_indices, bool *ret_multiplicative)
{
    bool multiplicative = true;
    if (!season_shows(series))
        return false;
    for (size_t i = 0; i < series->n; i++)
        multiplicative &= series->values[i] > 0;
    cot_season_indices(series, multiplicative, ret_indices);
    *ret_multiplicative = multiplicative;
    return true;
}

cot_code cot_forecast_with_season(cot_forecast_function *function, const struct cot_series *series, size_t horizon,
                                  double *ret_mean, struct cot_err *err)
{
    double *indices = cot_alloc_array(series->season + series->n, 1, sizeof *indices);
    bool multiplicative = false;
    if (indices == NULL)
        return cot_fail(err, COT_NOMEM, "a series of %zu values", series->n);
    double *adjusted = indices + series->season;
    bool seasonal = cot_season_find(series, indices, &multiplicative);
    for (size_t i = 0; i < series->n; i++) {
        double index = seasonal ? indices[i % series->season] : 0;
        adjusted[i] = !seasonal        ? series->values[i]
                      : multiplicative ? series->values[i] / index
                                       : series->values[i] - index;
    }
    struct cot_series plain = {.values = adjusted, .n = series->n, .season = 1};
    cot_code rc = function(&plain, horizon, ret_mean, err);
    for (size_t h = 0; h < horizon && rc == COT_OK && seasonal; h++) {
        double index = indices[(series->n + h) % series->season];
        ret_mean[h] = multiplicative ? ret_mean[h] * index : ret_mean[h] + index;
    }
    free(indices);
    return rc;
}

/* ---- methods ---- */

static cot_code plain_ses(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double level = cot_smooth(series->values, series->n, NULL);
    (void)err;
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = level;
    return COT_OK;
}

cot_code cot_forecast_ses(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    return cot_forecast_with_season(plain_ses, series, horizon, ret_mean, err);
}

/* The straight line through the values, and SES of the line that bends twice as much: their mean. */
static cot_code plain_theta(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    size_t n = series->n;
    double *bent = cot_alloc_array(n, 1, sizeof *bent);
    double mid = ((double)n - 1) / 2;
    double mean = 0;
    double slope = 0;
    double spread = 0;
    if (bent == NULL)
        return cot_fail(err, COT_NOMEM, "a series of %zu values", n);
    for (size_t i = 0; i < n; i++)
        mean += series->values[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        slope += ((double)i - mid) * (series->values[i] - mean);
        spread += ((double)i - mid) * ((double)i - mid);
    }
    slope = spread > 0 ? slope / spread : 0;
    for (size_t i = 0; i < n; i++)
        bent[i] = 2 * series->values[i] - (mean + slope * ((double)i - mid));
    double level = cot_smooth(bent, n, NULL);
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = (mean + slope * ((double)(n + h) - mid) + level) / 2;
    free(bent);
    return COT_OK;
}

cot_code cot_forecast_theta(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    return cot_forecast_with_season(plain_theta, series, horizon, ret_mean, err);
}

struct trending {
    const double *y;
    size_t n;
    double level, trend; /* before the first value */
};

/* Holt's smoothing with a trend that shrinks by phi a step; the state after the last value. */
static double damped_run(const struct trending *t, double alpha, double beta, double phi, double *ret_level,
                         double *ret_trend)
{
    double level = t->level;
    double trend = t->trend;
    double loss = 0;
    for (size_t i = 0; i < t->n; i++) {
        double before = level + phi * trend;
        double error = t->y[i] - before;
        loss += error * error;
        level = before + alpha * error;
        trend = phi * trend + alpha * beta * error;
    }
    *ret_level = level;
    *ret_trend = trend;
    return loss;
}

/* Weights from a grid: three of them are not worth a search each. */
static cot_code plain_damped(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    static const double alphas[] = {0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95};
    static const double betas[] = {0.01, 0.05, 0.1, 0.2, 0.4};
    static const double phis[] = {0.8, 0.9, 0.95, 0.98};
    enum { START = 6 };
    size_t n_start = series->n < START ? series->n : START;
    double best_level = series->values[0];
    double best_trend = 0;
    double best_phi = 0;
    double best = INFINITY;
    struct trending t = {series->values, series->n, 0, 0};
    (void)err;
    if (n_start > 1)
        t.trend = (series->values[n_start - 1] - series->values[0]) / (double)(n_start - 1);
    t.level = series->values[0] - t.trend;
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++)
        for (size_t b = 0; b < sizeof betas / sizeof *betas; b++)
            for (size_t p = 0; p < sizeof phis / sizeof *phis; p++) {
                double level = 0;
                double trend = 0;
                double loss = damped_run(&t, alphas[a], betas[b], phis[p], &level, &trend);
                if (loss < best) {
                    best = loss;
                    best_level = level;
                    best_trend = trend;
                    best_phi = phis[p];
                }
            }
    double sum = 0;
    double power = best_phi;
    for (size_t h = 0; h < horizon; h++) {
        sum += power;
        ret_mean[h] = best_level + sum * best_trend;
        power *= best_phi;
    }
    return COT_OK;
}

cot_code cot_forecast_damped(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    return cot_forecast_with_season(plain_damped, series, horizon, ret_mean, err);
}
