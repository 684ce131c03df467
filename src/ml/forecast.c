#include "coterie/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/ets.h"
#include "ml/forecast_methods.h"
#include "num/check.h"

static const struct {
    const char *name;
    cot_forecast_function *function; /* NULL: auto */
} methods[COT_FORECAST_N_METHODS] = {
    [COT_FORECAST_AUTO] = {"auto", NULL},
    [COT_FORECAST_NAIVE] = {"naive", cot_forecast_naive},
    [COT_FORECAST_SEASONAL_NAIVE] = {"snaive", cot_forecast_seasonal_naive},
    [COT_FORECAST_MEAN] = {"mean", cot_forecast_mean},
    [COT_FORECAST_SES] = {"ses", cot_forecast_ses},
    [COT_FORECAST_DAMPED] = {"damped", cot_forecast_damped},
    [COT_FORECAST_THETA] = {"theta", cot_forecast_theta},
    [COT_FORECAST_DYNAMIC_THETA] = {"dotm", cot_forecast_dynamic_theta},
    [COT_FORECAST_ETS] = {"ets", cot_forecast_ets},
    [COT_FORECAST_COMBINED] = {"combined", cot_forecast_combined},
    [COT_FORECAST_CROSTON] = {"croston", cot_forecast_croston},
    [COT_FORECAST_SBA] = {"sba", cot_forecast_sba},
    [COT_FORECAST_TSB] = {"tsb", cot_forecast_tsb},
    [COT_FORECAST_ADIDA] = {"adida", cot_forecast_adida},
    [COT_FORECAST_IMAPA] = {"imapa", cot_forecast_imapa},
};

enum {
    LEAST_HISTORY = 4,  /* values that an origin needs before it */
    AUTO_ORIGINS = 4,   /* that auto compares at */
    SPREAD_ORIGINS = 12 /* that intervals learn from, a step ahead */
};

const char *cot_forecast_method_name(enum cot_forecast_method method)
{
    return methods[method].name;
}

cot_code cot_forecast_method_parse(const char *name, enum cot_forecast_method *ret_method, struct cot_err *err)
{
    for (int m = 0; m < COT_FORECAST_N_METHODS; m++)
        if (strcmp(methods[m].name, name) == 0) {
            *ret_method = (enum cot_forecast_method)m;
            return COT_OK;
        }
    return cot_fail(err, COT_USAGE,
                    "forecast method '%s': auto, naive, snaive, mean, ses, damped, theta, dotm, ets, combined, "
                    "croston, sba, tsb, adida or imapa",
                    name);
}

double cot_forecast_smape(const double *forecast, const double *actual, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double size = fabs(forecast[i]) + fabs(actual[i]);
        sum += size > 0 ? 200 * fabs(forecast[i] - actual[i]) / size : 0;
    }
    return n > 0 ? sum / (double)n : 0;
}

/* Forecasts from the first n_known values; no negative demand where there never was one. */
static cot_code run(enum cot_forecast_method method, const struct cot_series *series, size_t n_known, size_t horizon,
                    double *ret_mean, struct cot_err *err)
{
    struct cot_series known = {series->values, n_known, series->season, series->ets};
    bool negative = false;
    cot_code rc = methods[method].function(&known, horizon, ret_mean, err);
    for (size_t i = 0; i < n_known && !negative; i++)
        negative = series->values[i] < 0;
    for (size_t h = 0; h < horizon && rc == COT_OK; h++) {
        if (!isfinite(ret_mean[h]))
            ret_mean[h] = series->values[n_known - 1];
        if (!negative && ret_mean[h] < 0)
            ret_mean[h] = 0;
    }
    return rc;
}

/* ---- auto ---- */

/* Squared error of a method over the last origins, each with as much of the horizon as there is. */
static cot_code loss_of(enum cot_forecast_method method, const struct cot_series *series, size_t horizon,
                        size_t n_origins, double *scratch, double *ret_loss, struct cot_err *err)
{
    cot_code rc = COT_OK;
    *ret_loss = 0;
    for (size_t o = 0; o < n_origins && rc == COT_OK; o++) {
        size_t n_known = series->n - horizon - o;
        double loss = 0;
        rc = run(method, series, n_known, horizon, scratch, err);
        for (size_t h = 0; h < horizon; h++) {
            double error = scratch[h] - series->values[n_known + h];
            loss += error * error;
        }
        *ret_loss += loss;
    }
    return rc;
}

/* The first is taken unless another is clearly better: a few origins of one series are little evidence. */
static const enum cot_forecast_method for_steady[] = {COT_FORECAST_COMBINED, COT_FORECAST_NAIVE,
                                                      COT_FORECAST_SEASONAL_NAIVE, COT_FORECAST_AUTO};
static const enum cot_forecast_method for_intermittent[] = {COT_FORECAST_IMAPA, COT_FORECAST_TSB, COT_FORECAST_MEAN,
                                                            COT_FORECAST_SES, COT_FORECAST_AUTO};

static bool is_intermittent(const struct cot_series *series)
{
    const double many = 0.3;
    double zeros = 0;
    for (size_t i = 0; i < series->n; i++)
        zeros += series->values[i] == 0;
    return zeros > many * (double)series->n;
}

/* The horizon shrinks where the history is short; with less than two origins of one step nothing can be compared. */
static cot_code choose(const struct cot_series *series, size_t horizon, enum cot_forecast_method *ret_method,
                       struct cot_err *err)
{
    size_t tested = horizon;
    size_t n_origins = 0;
    const double clearly = 0.35; /* of the usual one's squared error: so found on the training part of M3 */
    double best = INFINITY;
    cot_code rc = COT_OK;
    while (tested > 1 && series->n < LEAST_HISTORY + AUTO_ORIGINS + tested)
        tested--;
    if (series->n > LEAST_HISTORY + tested)
        n_origins = series->n - LEAST_HISTORY - tested;
    n_origins = n_origins < AUTO_ORIGINS ? n_origins : AUTO_ORIGINS;
    const enum cot_forecast_method *candidates = is_intermittent(series) ? for_intermittent : for_steady;
    *ret_method = candidates[0];
    if (n_origins < 2)
        return COT_OK;
    double *scratch = cot_alloc_array(tested, 1, sizeof *scratch);
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps ahead", tested);
    for (size_t c = 0; candidates[c] != COT_FORECAST_AUTO && rc == COT_OK; c++) {
        double loss = 0;
        rc = loss_of(candidates[c], series, tested, n_origins, scratch, &loss, err);
        if (c == 0) {
            best = clearly * loss;
        } else if (loss < best) {
            best = loss;
            *ret_method = candidates[c];
        }
    }
    free(scratch);
    return rc;
}

/* ---- intervals ---- */

static double spread_of_values(const struct cot_series *series)
{
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < series->n; i++)
        mean += series->values[i] / (double)series->n;
    for (size_t i = 0; i < series->n; i++)
        squares += (series->values[i] - mean) * (series->values[i] - mean);
    return series->n > 1 ? sqrt(squares / ((double)series->n - 1)) : fabs(mean);
}

/* The 90% quantile of Student's t (Cornish and Fisher's expansion): what few errors are worth. */
static double student_at_90(double freedom)
{
    const double z = 1.2815515655446004;
    double z3 = z * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

/* Half the width of an 80% interval h steps ahead, of all h, from the root mean square of what was missed there; never
 * less than a step nearer. */
static cot_code reaches(enum cot_forecast_method method, const struct cot_series *series, size_t horizon,
                        double *ret_reach, struct cot_err *err)
{
    double *scratch = cot_alloc_array(horizon, 2, sizeof *scratch);
    cot_code rc = COT_OK;
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps ahead", horizon);
    double *count = scratch + horizon;
    memset(ret_reach, 0, horizon * sizeof *ret_reach);
    for (size_t back = 1; back <= horizon + SPREAD_ORIGINS - 1 && back + LEAST_HISTORY <= series->n && rc == COT_OK;
         back++) {
        size_t steps = back < horizon ? back : horizon;
        rc = run(method, series, series->n - back, steps, scratch, err);
        for (size_t h = 0; h < steps; h++) {
            double error = scratch[h] - series->values[series->n - back + h];
            if (back - h > SPREAD_ORIGINS) /* each step learns from as many origins */
                continue;
            ret_reach[h] += error * error;
            count[h] += 1;
        }
    }
    double before = 0;
    for (size_t h = 0; h < horizon; h++) {
        const double few = 3;
        double reach = before;
        if (count[h] >= few)
            reach = student_at_90(count[h]) * sqrt(ret_reach[h] / count[h]);
        else if (h == 0)
            reach = student_at_90(few) * spread_of_values(series);
        before = ret_reach[h] = reach > before ? reach : before;
    }
    free(scratch);
    return rc;
}

/* The form of exponential smoothing as of the earliest origin that is looked at: later ones need not choose again. */
static cot_code prepare(enum cot_forecast_method method, struct cot_series *series, size_t horizon,
                        struct cot_ets *ret_ets, struct cot_err *err)
{
    size_t back = horizon + SPREAD_ORIGINS - 1;
    struct cot_series early = {series->values, series->n > back ? series->n - back : 0, series->season, NULL};
    bool found = false;
    if ((method != COT_FORECAST_ETS && method != COT_FORECAST_COMBINED) || early.n < LEAST_HISTORY)
        return COT_OK;
    cot_code rc = cot_forecast_ets_prepare(&early, ret_ets, &found, err);
    if (found)
        series->ets = ret_ets;
    return rc;
}

cot_code cot_forecast(const double *values, size_t n, const struct cot_forecast_options *options, size_t horizon,
                      double *ret_mean, double *ret_low, double *ret_high, enum cot_forecast_method *ret_method,
                      struct cot_err *err)
{
    struct cot_series series = {values, n, options->season > 1 ? options->season : 1, NULL};
    struct cot_series known = series; /* with the form of exponential smoothing that earlier origins start from */
    struct cot_ets ets;
    enum cot_forecast_method method = options->method;
    bool negative = false;
    cot_code rc = COT_OK;
    if (n == 0 || horizon == 0)
        return cot_fail(err, COT_USAGE, "a forecast %zu steps ahead from %zu values: at least one of each", horizon, n);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return cot_fail(err, COT_BAD_DATA, "value %zu (counted from 0) is %g; leave it out or fill it in", i,
                            values[i]);
        negative |= values[i] < 0;
    }
    if (method == COT_FORECAST_AUTO) {
        rc = prepare(COT_FORECAST_COMBINED, &known, horizon, &ets, err);
        if (rc == COT_OK)
            rc = choose(&known, horizon, &method, err);
    } else if (ret_low != NULL && ret_high != NULL) {
        rc = prepare(method, &known, horizon, &ets, err);
    }
    if (rc == COT_OK)
        rc = run(method, &series, n, horizon, ret_mean, err);
    if (rc == COT_OK && ret_low != NULL && ret_high != NULL) {
        rc = reaches(method, &known, horizon, ret_high, err);
        for (size_t h = 0; h < horizon && rc == COT_OK; h++) {
            double reach = ret_high[h];
            ret_low[h] = negative ? ret_mean[h] - reach : fmax(ret_mean[h] - reach, 0);
            ret_high[h] = ret_mean[h] + reach;
        }
    }
    if (ret_method != NULL)
        *ret_method = method;
    return rc;
}

/* Errors grow and shrink with what is forecast; by how much is bounded, rare demand forecasts next to nothing. */
static double growth(double now, double then)
{
    const double most = 3;
    return then > 0 ? fmin(fmax(now / then, 1 / most), most) : now > 0 ? most : 1;
}

/* The method's sum of the next `steps` after n_known values. */
static cot_code total_after(enum cot_forecast_method method, const struct cot_series *series, size_t n_known,
                            size_t steps, double *scratch, double *ret_total, struct cot_err *err)
{
    cot_code rc = run(method, series, n_known, steps, scratch, err);
    *ret_total = 0;
    for (size_t h = 0; h < steps && rc == COT_OK; h++)
        *ret_total += scratch[h];
    return rc;
}

cot_code cot_forecast_total_error(const double *values, size_t n, const struct cot_forecast_options *options,
                                  size_t steps, double *ret_mean_square, struct cot_err *err)
{
    const size_t few = 3;
    struct cot_series series = {values, n, options->season > 1 ? options->season : 1, NULL};
    struct cot_ets ets;
    double squares = 0;
    double now = 0;
    size_t n_origins = 0;
    double *scratch = cot_alloc_array(steps, 1, sizeof *scratch);
    cot_code rc = scratch == NULL ? cot_fail(err, COT_NOMEM, "%zu steps ahead", steps) : COT_OK;
    if (rc == COT_OK)
        rc = prepare(options->method, &series, steps, &ets, err);
    if (rc == COT_OK)
        rc = total_after(options->method, &series, n, steps, scratch, &now, err);
    for (size_t back = steps; back < steps + SPREAD_ORIGINS && back + LEAST_HISTORY <= n && rc == COT_OK; back++) {
        double then = 0;
        double actual = 0;
        rc = total_after(options->method, &series, n - back, steps, scratch, &then, err);
        for (size_t h = 0; h < steps; h++)
            actual += values[n - back + h];
        double error = (then - actual) * growth(now, then);
        squares += error * error;
        n_origins++;
    }
    double spread = spread_of_values(&series);
    if (rc == COT_OK)
        *ret_mean_square = n_origins >= few ? squares / (double)n_origins : spread * spread * (double)steps;
    free(scratch);
    return rc;
}
