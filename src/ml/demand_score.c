#include "ml/demand_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

/* Below as many earlier errors a level takes its widths as they are. */
enum { ENOUGH = 40 };

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

cot_code cot_demand_widths_init(struct cot_demand_widths *widths, const struct cot_demand_tree *pasts, size_t n_pasts,
                                struct cot_err *err)
{
    size_t n_intervals = 0;
    size_t n_stocks = 0;
    for (size_t p = 0; p < n_pasts; p++) {
        n_intervals += pasts[p].n_series * pasts[p].horizon;
        n_stocks += pasts[p].n_series;
    }
    *widths = (struct cot_demand_widths){
        .memory = cot_alloc_array(COT_DEMAND_MAX_LEVELS, n_intervals + n_stocks, sizeof(double))};
    if (widths->memory == NULL)
        return cot_fail(err, COT_NOMEM, "errors of %zu series at %zu origins", n_stocks, n_pasts);
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++) {
        widths->levels[l].intervals = widths->memory + l * (n_intervals + n_stocks);
        widths->levels[l].stocks = widths->levels[l].intervals + n_intervals;
    }
    return COT_OK;
}

void cot_demand_widths_release(struct cot_demand_widths *widths)
{
    free(widths->memory);
    *widths = (struct cot_demand_widths){0};
}

/* Of the demand over the lead time: not less than what pure chance does. */
static double deviation(double mean, double square)
{
    return sqrt(fmax(square, mean));
}

static double stock_level(struct cot_demand_missed *missed, double mean, double square, double service_level)
{
    double sigma = deviation(mean, square);
    double plain = cot_demand_quantile(mean, square, service_level);
    double times = share_below(missed->stocks, missed->n_stocks, service_level, NAN);
    return isfinite(times) ? fmax(ceil(mean + times * sigma), 0) : plain;
}

/* The weight of a forecast of the root beside the root's own: by inverse variances. */
static double weight_beside(const struct cot_demand_trial *t, double variance)
{
    double own = t->works[0].variance;
    return own + variance > 0 ? own / (own + variance) : 0;
}

/* One step of all series made to add up, in trial->values; `weight`: of what customers say of the root. */
static void reconcile_step(struct cot_demand_trial *t, size_t h, double weight)
{
    for (size_t i = 0; i < t->n; i++) {
        t->values[i] = t->forecasts[i].mean[h];
        t->variances[i] = t->works[i].variance;
    }
    if (weight > 0) {
        t->values[0] += weight * (t->tree->customers[h] - t->values[0]);
        t->variances[0] *= 1 - weight;
    }
    cot_demand_reconcile(t->tree->series, t->n, t->variances, t->values, t->scratch);
}

static double half_interval(const struct cot_demand_trial *t, size_t i, size_t h)
{
    return t->forecasts[i].high[h] - t->forecasts[i].mean[h];
}

/* Widths learned on the older origins, where they are there. Nobody expects anything of a step that is shut. */
static void score_step(struct cot_demand_trial *t, size_t h, const double *widths, struct cot_demand_result *result)
{
    const struct cot_demand_tree *tree = t->tree;
    bool shut = tree->shut != NULL && tree->shut[h];
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_level *level = result->levels + tree->series[i].level;
        const double *said_by = t->works[i].candidates + h;
        double actual = tree->actual[i * tree->horizon + h];
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++) {
            double said = c == COT_DEMAND_RECONCILED ? t->values[i]
                          : c == COT_DEMAND_SERVES   ? said_by[t->works[i].serves * tree->horizon]
                                                     : said_by[c * tree->horizon];
            said = shut ? 0 : said;
            cot_demand_score_add(level->scores + c, &said, &actual, 1);
            t->squares[c * t->n + i] += (said - actual) * (said - actual);
        }
        if (h < tree->lead)
            t->totals[i] += shut ? 0 : t->values[i];
        if (widths == NULL || shut)
            continue;
        level->n_covered += fabs(t->values[i] - actual) <= widths[tree->series[i].level] * half_interval(t, i, h);
        level->n_intervals++;
    }
}

static void learn_step(const struct cot_demand_trial *t, size_t h, struct cot_demand_widths *widths)
{
    const struct cot_demand_tree *tree = t->tree;
    if (tree->shut != NULL && tree->shut[h])
        return;
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_missed *missed = widths->levels + tree->series[i].level;
        double reach = half_interval(t, i, h);
        if (reach > 0)
            missed->intervals[missed->n_intervals++] = fabs(t->values[i] - tree->actual[i * tree->horizon + h]) / reach;
    }
}

/* What came over the lead time. */
static double came(const struct cot_demand_tree *tree, size_t i)
{
    double sum = 0;
    for (size_t h = 0; h < tree->lead; h++)
        sum += tree->actual[i * tree->horizon + h];
    return sum;
}

static void score_stocks(const struct cot_demand_trial *t, bool counts, struct cot_demand_widths *widths,
                         struct cot_demand_result *result)
{
    const struct cot_demand_series *series = t->tree->series;
    for (size_t i = 0; i < t->n && counts; i++) {
        struct cot_demand_level *level = result->levels + series[i].level;
        level->n_met += came(t->tree, i) <= stock_level(widths->levels + series[i].level, t->totals[i],
                                                        t->works[i].stock_square, t->options->service_level);
        level->n_stocks++;
    }
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_missed *missed = widths->levels + series[i].level;
        double sigma = deviation(t->totals[i], t->works[i].stock_square);
        if (sigma > 0)
            missed->stocks[missed->n_stocks++] = (came(t->tree, i) - t->totals[i]) / sigma;
    }
}

static void learn_widths(struct cot_demand_widths *widths, double ret_widths[COT_DEMAND_MAX_LEVELS])
{
    const double nominal = 0.8;
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++)
        ret_widths[l] = share_below(widths->levels[l].intervals, widths->levels[l].n_intervals, nominal, 1);
}

/* Errors in each series' own units. */
static void scale_errors(const struct cot_demand_trial *t, struct cot_demand_result *result)
{
    for (size_t i = 0; i < t->n; i++) {
        struct cot_demand_level *level = result->levels + t->tree->series[i].level;
        double unit = t->works[i].unit;
        if (!(unit > 0))
            continue;
        level->n_scaled++;
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++)
            level->scaled[c] += sqrt(t->squares[c * t->n + i] / (double)t->tree->horizon / unit);
    }
}

void cot_demand_score_past(struct cot_demand_trial *t, bool widths_count, struct cot_demand_widths *widths,
                           struct cot_demand_result *result, double *ret_said)
{
    double learned[COT_DEMAND_MAX_LEVELS];
    learn_widths(widths, learned);
    for (size_t h = 0; h < t->tree->horizon; h++) {
        reconcile_step(t, h, 0);
        score_step(t, h, widths_count ? learned : NULL, result);
        learn_step(t, h, widths);
        ret_said[h] = t->tree->shut != NULL && t->tree->shut[h] ? 0 : t->values[0];
    }
    scale_errors(t, result);
    if (t->tree->lead > 0)
        score_stocks(t, widths_count, widths, result);
}

static double missed_square(const struct cot_demand_score *score)
{
    return score->n > 0 ? score->squares / (double)score->n : 0;
}

void cot_demand_customers_score(struct cot_demand_trial *t, struct cot_demand_customers *c)
{
    const struct cot_demand_tree *tree = t->tree;
    double weight = c->n_pasts > 0 ? weight_beside(t, missed_square(&c->said)) : 0;
    if (tree->customers == NULL)
        return;
    for (size_t h = 0; h < tree->horizon; h++) {
        double times = tree->shut != NULL && tree->shut[h] ? 0 : 1;
        double said = times * tree->customers[h];
        cot_demand_score_add(&c->said, &said, tree->actual + h, 1);
        if (c->n_pasts == 0)
            continue;
        reconcile_step(t, h, 0);
        said = times * t->values[0];
        cot_demand_score_add(&c->without, &said, tree->actual + h, 1);
        reconcile_step(t, h, weight);
        said = times * t->values[0];
        cot_demand_score_add(&c->with, &said, tree->actual + h, 1);
    }
    c->n_weighed += c->n_pasts > 0;
    c->n_pasts++;
}

void cot_demand_customers_choose(const struct cot_demand_trial *now, struct cot_demand_customers *c)
{
    enum { ENOUGH_ORIGINS = 2 };
    c->serves = now->tree->customers != NULL && c->n_weighed >= ENOUGH_ORIGINS && c->with.squares < c->without.squares;
    c->weight = c->serves ? weight_beside(now, missed_square(&c->said)) : 0;
}

void cot_demand_score_finish(const struct cot_demand_trial *now, size_t n_scored, struct cot_demand_result *result)
{
    for (size_t i = 0; i < now->n; i++)
        result->levels[now->tree->series[i].level].n_series++;
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++) {
        result->levels[l].n_scored = n_scored;
        for (size_t c = 0; c < COT_DEMAND_N_COMPARED; c++)
            result->levels[l].scaled[c] /= (double)result->levels[l].n_scaled;
    }
}

void cot_demand_finish(struct cot_demand_trial *t, struct cot_demand_widths *widths,
                       const struct cot_demand_customers *customers)
{
    double learned[COT_DEMAND_MAX_LEVELS];
    learn_widths(widths, learned);
    for (size_t h = 0; h < t->tree->horizon; h++) {
        reconcile_step(t, h, customers->weight);
        for (size_t i = 0; i < t->n; i++) {
            struct cot_demand_forecast *forecast = t->forecasts + i;
            double reach = learned[t->tree->series[i].level] * half_interval(t, i, h);
            forecast->mean[h] = t->values[i];
            forecast->low[h] = fmax(t->values[i] - reach, 0);
            forecast->high[h] = t->values[i] + reach;
        }
    }
    for (size_t i = 0; i < t->n && t->tree->lead > 0; i++) {
        double mean = 0;
        for (size_t h = 0; h < t->tree->lead; h++)
            mean += t->forecasts[i].mean[h];
        t->forecasts[i].stock = stock_level(widths->levels + t->tree->series[i].level, mean, t->works[i].stock_square,
                                            t->options->service_level);
    }
}
