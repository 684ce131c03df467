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

size_t cot_demand_n_folds(size_t n_steps, size_t horizon, unsigned max_folds)
{
    size_t n = n_steps > COT_DEMAND_LEAST_HISTORY ? (n_steps - COT_DEMAND_LEAST_HISTORY) / horizon : 0;
    return n < max_folds ? n : max_folds;
}

size_t cot_demand_known(const struct cot_demand_tree *tree, size_t fold)
{
    return tree->n_steps - (fold + 1) * tree->horizon;
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
                            const struct cot_demand_tree *tree, double *ret_mean, double *ret_low, double *ret_high,
                            struct cot_err *err)
{
    const struct cot_forecast_options how = {.method = method, .season = tree->season};
    size_t first = first_sale(values, n_known);
    if (first == n_known) {
        memset(ret_mean, 0, tree->horizon * sizeof *ret_mean);
        if (ret_low != NULL) {
            memset(ret_low, 0, tree->horizon * sizeof *ret_low);
            memset(ret_high, 0, tree->horizon * sizeof *ret_high);
        }
        return COT_OK;
    }
    return cot_forecast(values + first, n_known - first, &how, tree->horizon, ret_mean, ret_low, ret_high, NULL, err);
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

/* Each candidate's worth: the series' own, drawn towards that of all series of its level as far as it has few folds of
 * its own. */
static void weigh(const struct cot_demand_work *work, const struct cot_demand_pool *pool, size_t n_folds,
                  double ret_worth[COT_DEMAND_N_CANDIDATES])
{
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++) {
        double own = 0;
        double n_own = 0;
        double all = 0;
        double n_all = 0;
        for (size_t f = 0; f < n_folds; f++) {
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

/* What the candidates missed at the folds, as far as the series was there. */
static unsigned score_folds(const double *values, const struct cot_demand_tree *tree, size_t n_folds,
                            const struct cot_demand_work *work,
                            struct cot_demand_score ret_scores[COT_DEMAND_N_CANDIDATES])
{
    unsigned n = 0;
    for (size_t f = 0; f < n_folds; f++) {
        if (!work->folds[f].tested)
            continue;
        n++;
        for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++)
            cot_demand_score_add(ret_scores + c, work->folds[f].forecasts + c * tree->horizon,
                                 values + cot_demand_known(tree, f), tree->horizon);
    }
    return n;
}

static double mean_square(const struct cot_demand_score *score)
{
    return score->n > 0 ? score->squares / (double)score->n : 0;
}

static cot_code total_error(enum cot_forecast_method method, const double *values, size_t n_known,
                            const struct cot_demand_tree *tree, double *ret_square, struct cot_err *err)
{
    const struct cot_forecast_options how = {.method = method, .season = tree->season};
    size_t first = first_sale(values, n_known);
    *ret_square = 0;
    if (tree->lead == 0 || first == n_known)
        return COT_OK;
    return cot_forecast_total_error(values + first, n_known - first, &how, tree->lead, ret_square, err);
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

/* Errors in units of the last value's; a candidate without any error is not infinitely better than all others. */
static void weigh_fold(const double *values, const struct cot_demand_tree *tree, size_t f, struct cot_demand_fold *fold)
{
    const double least = 1e-3;
    size_t n_known = cot_demand_known(tree, f);
    double unit = naive_square(values, n_known);
    fold->tested = first_sale(values, n_known) + LEAST_KNOWN <= n_known;
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES && unit > 0; c++) {
        struct cot_demand_score score = {0};
        cot_demand_score_add(&score, fold->forecasts + c * tree->horizon, values + n_known, tree->horizon);
        fold->worth[c] = log(mean_square(&score) / unit + least);
    }
}

static cot_code try_all(const double *values, size_t n_known, const struct cot_demand_tree *tree, double *ret_forecasts,
                        struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES && rc == COT_OK; c++)
        rc = forecast_by(cot_demand_candidates[c].method, values, n_known, tree, ret_forecasts + c * tree->horizon,
                         NULL, NULL, err);
    return rc;
}

cot_code cot_demand_series_try(const double *values, const struct cot_demand_tree *tree, size_t n_folds,
                               struct cot_demand_work *work, struct cot_err *err)
{
    size_t size = COT_DEMAND_N_CANDIDATES * tree->horizon;
    cot_code rc = COT_OK;
    work->memory = cot_alloc_array(n_folds + 1, size, sizeof *work->memory);
    if (work->memory == NULL)
        return cot_fail(err, COT_NOMEM, "%zu origins, %zu steps ahead", n_folds, tree->horizon);
    work->candidates = work->memory + n_folds * size;
    work->unit = naive_square(values, tree->n_steps);
    for (size_t f = 0; f < n_folds && rc == COT_OK; f++) {
        struct cot_demand_fold *fold = work->folds + f;
        fold->forecasts = work->memory + f * size;
        rc = try_all(values, cot_demand_known(tree, f), tree, fold->forecasts, err);
        if (rc == COT_OK)
            weigh_fold(values, tree, f, fold);
    }
    if (rc == COT_OK && tree->actual != NULL)
        rc = try_all(values, tree->n_steps, tree, work->candidates, err);
    return rc;
}

cot_code cot_demand_series_serve(const double *values, const struct cot_demand_tree *tree, size_t n_folds,
                                 const struct cot_demand_pool *pool, struct cot_demand_work *work,
                                 struct cot_demand_forecast *forecast, struct cot_err *err)
{
    const double at_90 = 1.2815515655446004;
    size_t n = tree->n_steps;
    double worth[COT_DEMAND_N_CANDIDATES];
    forecast->mean = cot_alloc_array(tree->horizon, 3, sizeof *forecast->mean);
    if (forecast->mean == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps ahead", tree->horizon);
    forecast->low = forecast->mean + tree->horizon;
    forecast->high = forecast->low + tree->horizon;
    weigh(work, pool, n_folds, worth);
    forecast->n_folds = score_folds(values, tree, n_folds, work, forecast->scores);
    bool tested = forecast->n_folds > 0;
    size_t serves = choose(tested, worth, usual_candidate(values, n), &forecast->best_naive);
    work->serves = serves;
    forecast->beats_naive = tested && !cot_demand_candidates[serves].naive;
    forecast->against_naive = tested ? exp((worth[serves] - worth[forecast->best_naive]) / 2) : NAN;
    forecast->method = cot_demand_candidates[serves].method;
    cot_code rc = forecast_by(forecast->method, values, n, tree, forecast->mean, forecast->low, forecast->high, err);
    if (rc == COT_OK)
        rc = total_error(forecast->method, values, n, tree, &work->stock_square, err);
    if (rc == COT_OK) {
        double sigma = (forecast->high[0] - forecast->mean[0]) / at_90;
        work->variance = tested ? mean_square(forecast->scores + serves) : sigma * sigma;
    }
    return rc;
}
