#include "ml/demand_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

/* Below as many earlier errors a level takes its widths as they are. */
enum { ENOUGH = 40 };

/* What a level's series missed, in units of what they expected to miss. */
struct pool {
    double *intervals, *stocks;
    size_t n_intervals, n_stocks;
};

struct pools {
    struct pool levels[COT_DEMAND_MAX_LEVELS];
    double *memory;
};

size_t cot_demand_level(const struct cot_demand_trial *t, size_t i)
{
    size_t level = 0;
    for (; t->series[i].parent != COT_DEMAND_NO_PARENT; i = t->series[i].parent)
        level++;
    return level < COT_DEMAND_MAX_LEVELS ? level : COT_DEMAND_MAX_LEVELS - 1;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The value that a share of all (and one more to come) lie below; `otherwise` where there are too few to tell. */
static double share_below(double *values, size_t n, double share, double otherwise)
{
    if (n < ENOUGH)
        return otherwise;
    qsort(values, n, sizeof *values, by_value);
    size_t rank = (size_t)ceil((double)(n + 1) * share);
    return values[rank < n ? rank - 1 : n - 1];
}

static cot_code pools_init(const struct cot_demand_trial *t, size_t n_folds, struct pools *pools, struct cot_err *err)
{
    size_t each = t->n * (t->options->horizon + 1);
    *pools = (struct pools){.memory = cot_alloc_array(n_folds * COT_DEMAND_MAX_LEVELS, each, sizeof(double))};
    if (pools->memory == NULL)
        return cot_fail(err, COT_NOMEM, "errors of %zu series at %zu origins", t->n, n_folds);
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++) {
        pools->levels[l].intervals = pools->memory + l * n_folds * each;
        pools->levels[l].stocks = pools->levels[l].intervals + n_folds * t->n * t->options->horizon;
    }
    return COT_OK;
}

/* Of the demand over the lead time: not less than what pure chance does. */
static double deviation(double mean, double square)
{
    return sqrt(fmax(square, mean));
}

static double stock_level(struct pool *pool, double mean, double square, double service_level)
{
    double sigma = deviation(mean, square);
    double plain = cot_demand_quantile(mean, square, service_level);
    double times = share_below(pool->stocks, pool->n_stocks, service_level, NAN);
    return isfinite(times) ? fmax(ceil(mean + times * sigma), 0) : plain;
}

/* Widths learned on the older origins, where they are there. */
static void score_step(struct cot_demand_trial *t, size_t f, size_t h, const double *widths,
                       struct cot_demand_result *result)
{
    size_t horizon = t->options->horizon;
    size_t at = cot_demand_known(t->options, f) + h;
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_level *level = result->levels + cot_demand_level(t, i);
        const struct cot_demand_fold *fold = t->works[i].folds + f;
        double actual = t->series[i].values[at];
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++) {
            double said = c == COT_DEMAND_RECONCILED ? t->values[i]
                          : c == COT_DEMAND_SERVES   ? fold->forecasts[fold->serves * horizon + h]
                                                     : fold->forecasts[c * horizon + h];
            cot_demand_score_add(level->scores + c, &said, &actual, 1);
            t->squares[c * t->n + i] += (said - actual) * (said - actual);
        }
        if (h < t->options->lead)
            t->totals[i] += t->values[i];
        if (widths == NULL)
            continue;
        level->n_covered += fabs(t->values[i] - actual) <= widths[cot_demand_level(t, i)] * fold->reach[h];
        level->n_intervals++;
    }
}

static void learn_step(const struct cot_demand_trial *t, size_t f, size_t h, struct pools *pools)
{
    size_t at = cot_demand_known(t->options, f) + h;
    for (size_t i = 0; i < t->n; i++) {
        struct pool *pool = pools->levels + cot_demand_level(t, i);
        double reach = t->works[i].folds[f].reach[h];
        if (reach > 0)
            pool->intervals[pool->n_intervals++] = fabs(t->values[i] - t->series[i].values[at]) / reach;
    }
}

static void score_stocks(const struct cot_demand_trial *t, size_t f, bool counts, struct pools *pools,
                         struct cot_demand_result *result)
{
    size_t n_known = cot_demand_known(t->options, f);
    for (size_t i = 0; i < t->n && counts; i++) {
        struct cot_demand_level *level = result->levels + cot_demand_level(t, i);
        double actual = 0;
        for (size_t h = 0; h < t->options->lead; h++)
            actual += t->series[i].values[n_known + h];
        level->n_met += actual <= stock_level(pools->levels + cot_demand_level(t, i), t->totals[i],
                                              t->works[i].folds[f].stock_square, t->options->service_level);
        level->n_stocks++;
    }
    for (size_t i = 0; i < t->n; i++) {
        struct pool *pool = pools->levels + cot_demand_level(t, i);
        double sigma = deviation(t->totals[i], t->works[i].folds[f].stock_square);
        double actual = 0;
        for (size_t h = 0; h < t->options->lead; h++)
            actual += t->series[i].values[n_known + h];
        if (sigma > 0)
            pool->stocks[pool->n_stocks++] = (actual - t->totals[i]) / sigma;
    }
}

static void learn_widths(struct pools *pools, double ret_widths[COT_DEMAND_MAX_LEVELS])
{
    const double nominal = 0.8;
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++)
        ret_widths[l] = share_below(pools->levels[l].intervals, pools->levels[l].n_intervals, nominal, 1);
}

/* Errors of the fold in each series' own units. */
static void scale_fold(const struct cot_demand_trial *t, size_t f, struct cot_demand_result *result)
{
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_level *level = result->levels + cot_demand_level(t, i);
        double unit = t->works[i].folds[f].unit;
        if (!(unit > 0))
            continue;
        level->n_scaled++;
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++)
            level->scaled[c] += sqrt(t->squares[c * t->n + i] / (double)t->options->horizon / unit);
    }
}

/* From the oldest scored origin to the newest; the oldest has no older one to learn widths from, so it only counts
 * where it is the only one. */
static void score_fold(struct cot_demand_trial *t, size_t f, bool oldest, bool only, struct pools *pools,
                       struct cot_demand_result *result)
{
    size_t horizon = t->options->horizon;
    bool counts = only || !oldest;
    double widths[COT_DEMAND_MAX_LEVELS];
    learn_widths(pools, widths);
    memset(t->totals, 0, t->n * sizeof *t->totals);
    memset(t->squares, 0, COT_DEMAND_N_COMPARED * t->n * sizeof *t->squares);
    for (size_t h = 0; h < horizon; h++) {
        for (size_t i = 0; i < t->n; i++) {
            const struct cot_demand_fold *fold = t->works[i].folds + f;
            t->values[i] = fold->forecasts[fold->serves * horizon + h];
            t->variances[i] = fold->variance;
        }
        cot_demand_reconcile(t->series, t->n, t->variances, t->values, t->scratch);
        score_step(t, f, h, counts ? widths : NULL, result);
        learn_step(t, f, h, pools);
    }
    scale_fold(t, f, result);
    if (t->options->lead > 0)
        score_stocks(t, f, counts, pools, result);
}

static void finish_levels(const struct cot_demand_trial *t, size_t n_scored, struct cot_demand_result *result)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t l = cot_demand_level(t, i);
        result->n_levels = l + 1 > result->n_levels ? l + 1 : result->n_levels;
        result->levels[l].n_series++;
        result->levels[l].n_scored = n_scored;
    }
    for (size_t l = 0; l < result->n_levels; l++)
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++)
            result->levels[l].scaled[c] /= (double)result->levels[l].n_scaled;
}

/* The forecasts themselves: each step made to add up, intervals moved along, stock levels from what came of it. */
static void finish_forecasts(struct cot_demand_trial *t, struct pools *pools)
{
    double widths[COT_DEMAND_MAX_LEVELS];
    learn_widths(pools, widths);
    for (size_t h = 0; h < t->options->horizon; h++) {
        for (size_t i = 0; i < t->n; i++) {
            t->values[i] = t->forecasts[i].mean[h];
            t->variances[i] = t->works[i].variance;
        }
        cot_demand_reconcile(t->series, t->n, t->variances, t->values, t->scratch);
        for (size_t i = 0; i < t->n; i++) {
            struct cot_demand_forecast *forecast = t->forecasts + i;
            double reach = widths[cot_demand_level(t, i)] * (forecast->high[h] - forecast->mean[h]);
            forecast->mean[h] = t->values[i];
            forecast->low[h] = fmax(t->values[i] - reach, 0);
            forecast->high[h] = t->values[i] + reach;
        }
    }
    for (size_t i = 0; i < t->n && t->options->lead > 0; i++) {
        double mean = 0;
        for (size_t h = 0; h < t->options->lead; h++)
            mean += t->forecasts[i].mean[h];
        t->forecasts[i].stock = stock_level(pools->levels + cot_demand_level(t, i), mean, t->works[i].stock_square,
                                            t->options->service_level);
    }
}

cot_code cot_demand_score(struct cot_demand_trial *t, struct cot_demand_result *result, struct cot_err *err)
{
    size_t n_folds = cot_demand_n_folds(t->options);
    size_t n_scored = n_folds > 0 ? n_folds - 1 : 0;
    struct pools pools = {0};
    cot_code rc = pools_init(t, n_scored, &pools, err);
    if (rc != COT_OK)
        return rc;
    for (size_t f = n_scored; f-- > 0;)
        score_fold(t, f, f + 1 == n_scored, n_scored == 1, &pools, result);
    finish_levels(t, n_scored, result);
    finish_forecasts(t, &pools);
    free(pools.memory);
    return COT_OK;
}
