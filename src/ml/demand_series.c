#include "ml/demand_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/forecast_methods.h"
#include "num/check.h"

const struct cot_demand_candidate cot_demand_candidates[COT_DEMAND_N_CANDIDATES] = {
    {COT_FORECAST_NAIVE, "the last value", true},
    {COT_FORECAST_SEASONAL_NAIVE, "the value one season ago", true},
    {COT_FORECAST_MEAN, "the mean of all values", true},
    {COT_FORECAST_SES, "simple exponential smoothing", false},
    {COT_FORECAST_THETA, "Theta", false},
    {COT_FORECAST_ETS, "exponential smoothing of the form that fits best", false},
    {COT_FORECAST_COMBINED, "the mean of ets, theta and dotm", false},
    {COT_FORECAST_TSB, "chance and size of rare demand", false},
    {COT_FORECAST_IMAPA, "rare demand in stretches of many lengths", false},
};

enum { LEAST_KNOWN = 4 };

size_t cot_demand_n_folds(const struct cot_demand_options *options)
{
    size_t n = options->n_steps > COT_DEMAND_LEAST_HISTORY
                   ? (options->n_steps - COT_DEMAND_LEAST_HISTORY) / options->horizon
                   : 0;
    return n < options->max_folds ? n : options->max_folds;
}

size_t cot_demand_known(const struct cot_demand_options *options, size_t fold)
{
    return options->n_steps - (fold + 1) * options->horizon;
}

void cot_demand_score_add(struct cot_demand_score *score, const double *forecast, const double *actual, size_t n)
{
    for (size_t h = 0; h < n; h++) {
        double error = forecast[h] - actual[h];
        score->squares += error * error;
        score->absolute += fabs(error);
        score->actual += actual[h];
    }
    score->n += n;
}

/* A product's series begins with its first sale; n where there is none yet. */
static size_t first_sale(const double *values, size_t n)
{
    size_t first = 0;
    while (first < n && !(values[first] > 0))
        first++;
    return first;
}

static cot_code forecast_by(enum cot_forecast_method method, const double *values, size_t n_known,
                            const struct cot_demand_options *options, double *ret_mean, double *ret_low,
                            double *ret_high, struct cot_err *err)
{
    const struct cot_forecast_options how = {.method = method, .season = options->season};
    size_t first = first_sale(values, n_known);
    if (first == n_known) {
        memset(ret_mean, 0, options->horizon * sizeof *ret_mean);
        if (ret_low != NULL) {
            memset(ret_low, 0, options->horizon * sizeof *ret_low);
            memset(ret_high, 0, options->horizon * sizeof *ret_high);
        }
        return COT_OK;
    }
    return cot_forecast(values + first, n_known - first, &how, options->horizon, ret_mean, ret_low, ret_high, NULL,
                        err);
}

static size_t candidate_of(enum cot_forecast_method method)
{
    size_t c = 0;
    while (cot_demand_candidates[c].method != method)
        c++;
    return c;
}

static size_t usual_candidate(const double *values, size_t n_known)
{
    const double many = 0.3;
    size_t first = first_sale(values, n_known);
    size_t n_zeros = 0;
    for (size_t i = first; i < n_known; i++)
        n_zeros += !(values[i] > 0);
    bool rare = (double)n_zeros > many * (double)(n_known - first);
    return candidate_of(rare ? COT_FORECAST_IMAPA : COT_FORECAST_COMBINED);
}

/* How much the level's series together count, in folds of the series' own. */
static const double others = 5;

/* Each candidate's worth at the folds from `first` on: the series' own, drawn towards that of all series of its level
 * as far as it has few folds of its own. */
static void weigh(const struct cot_demand_work *work, const struct cot_demand_pool *pool, size_t first, size_t n_folds,
                  double ret_worth[COT_DEMAND_N_CANDIDATES])
{
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++) {
        double own = 0;
        double n_own = 0;
        double all = 0;
        double n_all = 0;
        for (size_t f = first; f < n_folds; f++) {
            own += work->folds[f].tested ? work->folds[f].worth[c] : 0;
            n_own += work->folds[f].tested;
            all += pool->n[f] > 0 ? pool->worth[f][c] : 0;
            n_all += pool->n[f] > 0;
        }
        ret_worth[c] = (own + (n_all > 0 ? others * all / n_all : 0)) / (n_own + others);
    }
}

/* See demand.h for the rule. Nothing to compare: the usual one. */
static size_t choose(bool tested, const double worth[COT_DEMAND_N_CANDIDATES], size_t usual, size_t *ret_best_naive)
{
    size_t naive = 0;
    for (size_t c = 1; c < COT_DEMAND_N_CANDIDATES; c++)
        if (cot_demand_candidates[c].naive && worth[c] < worth[naive])
            naive = c;
    *ret_best_naive = naive;
    if (!tested)
        return usual;
    size_t best = naive;
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++)
        if (worth[c] < worth[best])
            best = c;
    return best;
}

/* What the candidates missed at the folds from `first` on, as far as the series was there. */
static unsigned score_folds(const double *values, const struct cot_demand_options *options,
                            const struct cot_demand_work *work, size_t first,
                            struct cot_demand_score ret_scores[COT_DEMAND_N_CANDIDATES])
{
    unsigned n = 0;
    memset(ret_scores, 0, COT_DEMAND_N_CANDIDATES * sizeof *ret_scores);
    for (size_t f = first; f < cot_demand_n_folds(options); f++) {
        size_t n_known = cot_demand_known(options, f);
        if (first_sale(values, n_known) + LEAST_KNOWN > n_known)
            continue;
        n++;
        for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++)
            cot_demand_score_add(ret_scores + c, work->folds[f].forecasts + c * options->horizon, values + n_known,
                                 options->horizon);
    }
    return n;
}

static double mean_square(const struct cot_demand_score *score)
{
    return score->n > 0 ? score->squares / (double)score->n : 0;
}

static cot_code total_error(enum cot_forecast_method method, const double *values, size_t n_known,
                            const struct cot_demand_options *options, double *ret_square, struct cot_err *err)
{
    const struct cot_forecast_options how = {.method = method, .season = options->season};
    size_t first = first_sale(values, n_known);
    *ret_square = 0;
    if (options->lead == 0 || first == n_known)
        return COT_OK;
    return cot_forecast_total_error(values + first, n_known - first, &how, options->lead, ret_square, err);
}

/* What the last value missed by, a step ahead. */
static double naive_square(const double *values, size_t n)
{
    size_t first = first_sale(values, n);
    double sum = 0;
    for (size_t i = first + 1; i < n; i++)
        sum += (values[i] - values[i - 1]) * (values[i] - values[i - 1]);
    return n > first + 1 ? sum / (double)(n - first - 1) : 0;
}

/* The choice at a scored origin by the older ones, and what it said of its own uncertainty. */
static cot_code serve_scored(const double *values, const struct cot_demand_options *options,
                             const struct cot_demand_pool *pool, struct cot_demand_work *work, size_t f,
                             double *scratch, struct cot_err *err)
{
    struct cot_demand_score scores[COT_DEMAND_N_CANDIDATES];
    double worth[COT_DEMAND_N_CANDIDATES];
    struct cot_demand_fold *fold = work->folds + f;
    size_t n_known = cot_demand_known(options, f);
    size_t naive = 0;
    (void)score_folds(values, options, work, f + 1, scores);
    weigh(work, pool, f + 1, cot_demand_n_folds(options), worth);
    fold->serves = choose(scores[0].n > 0, worth, usual_candidate(values, n_known), &naive);
    fold->variance = mean_square(scores + fold->serves);
    enum cot_forecast_method method = cot_demand_candidates[fold->serves].method;
    cot_code rc = forecast_by(method, values, n_known, options, scratch, scratch + options->horizon, fold->reach, err);
    for (size_t h = 0; h < options->horizon && rc == COT_OK; h++)
        fold->reach[h] -= scratch[h];
    if (rc == COT_OK)
        rc = total_error(method, values, n_known, options, &fold->stock_square, err);
    return rc;
}

/* Errors in units of the last value's; a candidate without any error is not infinitely better than all others. */
static void weigh_fold(const double *values, const struct cot_demand_options *options, size_t f,
                       struct cot_demand_fold *fold)
{
    const double least = 1e-3;
    size_t n_known = cot_demand_known(options, f);
    fold->unit = naive_square(values, n_known);
    fold->tested = first_sale(values, n_known) + LEAST_KNOWN <= n_known;
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES && fold->unit > 0; c++) {
        struct cot_demand_score score = {0};
        cot_demand_score_add(&score, fold->forecasts + c * options->horizon, values + n_known, options->horizon);
        fold->worth[c] = log(mean_square(&score) / fold->unit + least);
    }
}

cot_code cot_demand_series_try(const double *values, const struct cot_demand_options *options,
                               struct cot_demand_work *work, struct cot_err *err)
{
    size_t n_folds = cot_demand_n_folds(options);
    size_t horizon = options->horizon;
    size_t size = (COT_DEMAND_N_CANDIDATES + 1) * horizon;
    cot_code rc = COT_OK;
    work->memory = cot_alloc_array(n_folds * size + 2 * horizon, 1, sizeof *work->memory);
    if (work->memory == NULL)
        return cot_fail(err, COT_NOMEM, "%zu origins, %zu steps ahead", n_folds, horizon);
    work->scratch = work->memory + n_folds * size;
    for (size_t f = 0; f < n_folds && rc == COT_OK; f++) {
        struct cot_demand_fold *fold = work->folds + f;
        fold->forecasts = work->memory + f * size;
        fold->reach = fold->forecasts + COT_DEMAND_N_CANDIDATES * horizon;
        for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES && rc == COT_OK; c++)
            rc = forecast_by(cot_demand_candidates[c].method, values, cot_demand_known(options, f), options,
                             fold->forecasts + c * horizon, NULL, NULL, err);
        if (rc == COT_OK)
            weigh_fold(values, options, f, fold);
    }
    return rc;
}

cot_code cot_demand_series_serve(const double *values, const struct cot_demand_options *options,
                                 const struct cot_demand_pool *pool, struct cot_demand_work *work,
                                 struct cot_demand_forecast *ret_forecast, struct cot_err *err)
{
    const double at_90 = 1.2815515655446004;
    size_t n = options->n_steps;
    size_t horizon = options->horizon;
    size_t n_folds = cot_demand_n_folds(options);
    double worth[COT_DEMAND_N_CANDIDATES];
    struct cot_demand_forecast *forecast = ret_forecast;
    forecast->mean = cot_alloc_array(horizon, 3, sizeof *forecast->mean);
    if (forecast->mean == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps ahead", horizon);
    forecast->low = forecast->mean + horizon;
    forecast->high = forecast->low + horizon;
    cot_code rc = COT_OK;
    for (size_t f = 0; f + 1 < n_folds && rc == COT_OK; f++)
        rc = serve_scored(values, options, pool, work, f, work->scratch, err);
    if (rc != COT_OK)
        return rc;
    weigh(work, pool, 0, n_folds, worth);
    forecast->n_folds = score_folds(values, options, work, 0, forecast->scores);
    bool tested = forecast->n_folds > 0;
    size_t serves = choose(tested, worth, usual_candidate(values, n), &forecast->best_naive);
    forecast->beats_naive = tested && !cot_demand_candidates[serves].naive;
    forecast->against_naive = tested ? exp((worth[serves] - worth[forecast->best_naive]) / 2) : NAN;
    forecast->method = cot_demand_candidates[serves].method;
    rc = forecast_by(forecast->method, values, n, options, forecast->mean, forecast->low, forecast->high, err);
    if (rc == COT_OK)
        rc = total_error(forecast->method, values, n, options, &work->stock_square, err);
    if (rc == COT_OK) {
        double sigma = (forecast->high[0] - forecast->mean[0]) / at_90;
        work->variance = forecast->n_folds > 0 ? mean_square(forecast->scores + serves) : sigma * sigma;
    }
    return rc;
}
