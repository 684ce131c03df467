#include "ml/demand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/demand_score.h"
#include "num/check.h"

static cot_code check_values(const double *values, size_t n, size_t i, struct cot_err *err)
{
    for (size_t t = 0; t < n; t++)
        if (!(values[t] >= 0) || !isfinite(values[t]))
            return cot_fail(err, COT_BAD_DATA, "series %zu, step %zu: %g is no demand (finite, not below 0)", i, t,
                            values[t]);
    return COT_OK;
}

static cot_code check(const struct cot_demand_tree *tree, const struct cot_demand_options *o, struct cot_err *err)
{
    size_t n = tree->n_series;
    cot_code rc = COT_OK;
    if (n == 0 || tree->n_steps == 0 || tree->horizon == 0)
        return cot_fail(err, COT_USAGE, "%zu series of %zu steps, %zu ahead: at least one of each", n, tree->n_steps,
                        tree->horizon);
    if (tree->lead > tree->horizon)
        return cot_fail(err, COT_USAGE, "a lead time of %zu steps is beyond the horizon of %zu", tree->lead,
                        tree->horizon);
    if (tree->lead > 0 && !(o->service_level > 0.5 && o->service_level < 1))
        return cot_fail(err, COT_USAGE, "a service level of %g: it is to be above 0.5 and below 1", o->service_level);
    if (o->max_folds > COT_DEMAND_MAX_FOLDS)
        return cot_fail(err, COT_USAGE, "%u origins: at most %d", o->max_folds, (int)COT_DEMAND_MAX_FOLDS);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        const struct cot_demand_series *series = tree->series + i;
        if (i == 0 ? series->parent != COT_DEMAND_NO_PARENT : series->parent >= i)
            return cot_fail(err, COT_USAGE, "series %zu: its parent is to come before it, and only the first has none",
                            i);
        if (series->level >= COT_DEMAND_MAX_LEVELS)
            return cot_fail(err, COT_USAGE, "series %zu: there is no level %zu", i, series->level);
        rc = check_values(series->values, tree->n_steps, i, err);
        if (rc == COT_OK && tree->actual != NULL)
            rc = check_values(tree->actual + i * tree->horizon, tree->horizon, i, err);
    }
    if (rc == COT_OK && tree->customers != NULL)
        rc = check_values(tree->customers, tree->horizon, 0, err);
    return rc;
}

static void try_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_demand_trial *run = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++)
        run->codes[i] =
            cot_demand_series_try(run->tree->series[i].values, run->tree, run->n_folds, run->works + i, run->errs + i);
}

static void serve_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_demand_trial *run = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const struct cot_demand_series *series = run->tree->series + i;
        run->codes[i] = cot_demand_series_serve(series->values, run->tree, run->n_folds, run->pools + series->level,
                                                run->works + i, run->forecasts + i, run->errs + i);
    }
}

static cot_code run_all(struct cot_demand_trial *run, cot_parallel_body *body, struct cot_err *err)
{
    cot_parallel_for(run->options->n_threads, run->n, 1, body, run);
    for (size_t i = 0; i < run->n; i++)
        if (run->codes[i] != COT_OK)
            return cot_fail(err, run->codes[i], "series %zu: %s", i, run->errs[i].message);
    return COT_OK;
}

static void pool(struct cot_demand_trial *run)
{
    for (size_t f = 0; f < run->n_folds; f++) {
        for (size_t i = 0; i < run->n; i++) {
            struct cot_demand_pool *all = run->pools + run->tree->series[i].level;
            const struct cot_demand_fold *fold = run->works[i].folds + f;
            all->n[f] += fold->tested;
            for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++)
                all->worth[f][c] += fold->tested ? fold->worth[c] : 0;
        }
        for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++)
            for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES && run->pools[l].n[f] > 0; c++)
                run->pools[l].worth[f][c] /= run->pools[l].n[f];
    }
}

static void trial_release(struct cot_demand_trial *run)
{
    for (size_t i = 0; i < run->n && run->works != NULL; i++)
        free(run->works[i].memory);
    for (size_t i = 0; i < run->n && run->forecasts != NULL; i++)
        free(run->forecasts[i].mean);
    free(run->forecasts);
    free(run->works);
    free(run->codes);
    free(run->errs);
    free(run->values);
    *run = (struct cot_demand_trial){0};
}

/* Tries and serves all series of a tree; the caller releases the trial, whatever came of it. */
static cot_code trial_run(const struct cot_demand_tree *tree, const struct cot_demand_options *options,
                          struct cot_demand_trial *run, struct cot_err *err)
{
    enum { VALUES, VARIANCES, SCRATCH, TOTALS = SCRATCH + 4, ERRORS, N_ARRAYS = ERRORS + COT_DEMAND_N_COMPARED };
    size_t n = tree->n_series;
    *run = (struct cot_demand_trial){.tree = tree, .options = options, .n = n};
    cot_code rc = check(tree, options, err);
    if (rc != COT_OK)
        return rc;
    run->n_folds = cot_demand_n_folds(tree->n_steps, tree->horizon, options->max_folds);
    run->forecasts = cot_alloc_array(n, 1, sizeof *run->forecasts);
    run->works = cot_alloc_array(n, 1, sizeof *run->works);
    run->codes = cot_alloc_array(n, 1, sizeof *run->codes);
    run->errs = cot_alloc_array(n, 1, sizeof *run->errs);
    run->values = cot_alloc_array(n, N_ARRAYS, sizeof *run->values);
    if (run->forecasts == NULL || run->works == NULL || run->codes == NULL || run->errs == NULL || run->values == NULL)
        return cot_fail(err, COT_NOMEM, "%zu series", n);
    run->variances = run->values + VARIANCES * n;
    run->scratch = run->values + SCRATCH * n;
    run->totals = run->values + TOTALS * n;
    run->squares = run->values + ERRORS * n;
    rc = run_all(run, try_block, err);
    if (rc != COT_OK)
        return rc;
    pool(run);
    return run_all(run, serve_block, err);
}

/* From the oldest past origin to the newest, each with the widths that those before it taught. */
static cot_code run_pasts(const struct cot_demand_tree *pasts, size_t n_pasts, const struct cot_demand_options *options,
                          struct cot_demand_widths *widths, struct cot_demand_result *result, struct cot_err *err)
{
    cot_code rc = COT_OK;
    size_t n_steps = 0;
    for (size_t p = 0; p < n_pasts; p++)
        n_steps += pasts[p].horizon;
    result->said = cot_alloc_array(n_steps, 1, sizeof *result->said);
    if (result->said == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps", n_steps);
    for (size_t p = n_pasts; p-- > 0 && rc == COT_OK;) {
        struct cot_demand_trial trial;
        n_steps -= pasts[p].horizon;
        rc = trial_run(pasts + p, options, &trial, err);
        if (rc == COT_OK) {
            cot_demand_score_past(&trial, p + 1 < n_pasts || n_pasts == 1, widths, result, result->said + n_steps);
            cot_demand_customers_score(&trial, &result->customers);
        }
        trial_release(&trial);
    }
    return rc;
}

cot_code cot_demand_run(const struct cot_demand_tree *now, const struct cot_demand_tree *pasts, size_t n_pasts,
                        const struct cot_demand_options *options, struct cot_demand_result *ret_result,
                        struct cot_err *err)
{
    struct cot_demand_result result = {.n_series = now->n_series};
    struct cot_demand_widths widths = {0};
    struct cot_demand_trial trial = {0};
    cot_code rc = cot_demand_widths_init(&widths, pasts, n_pasts, err);
    if (rc == COT_OK)
        rc = run_pasts(pasts, n_pasts, options, &widths, &result, err);
    if (rc == COT_OK)
        rc = trial_run(now, options, &trial, err);
    if (rc == COT_OK) {
        cot_demand_score_finish(&trial, n_pasts, &result);
        cot_demand_customers_choose(&trial, &result.customers);
        cot_demand_finish(&trial, &widths, &result.customers);
        result.forecasts = trial.forecasts;
        trial.forecasts = NULL;
        *ret_result = result;
    } else {
        cot_demand_release(&result);
    }
    trial_release(&trial);
    cot_demand_widths_release(&widths);
    return rc;
}

void cot_demand_release(struct cot_demand_result *result)
{
    for (size_t i = 0; i < result->n_series && result->forecasts != NULL; i++)
        free(result->forecasts[i].mean);
    free(result->forecasts);
    free(result->said);
    *result = (struct cot_demand_result){0};
}
