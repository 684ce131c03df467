#include "ml/demand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/demand_score.h"
#include "num/check.h"

static cot_code check(const struct cot_demand_series *series, size_t n, const struct cot_demand_options *o,
                      struct cot_err *err)
{
    if (n == 0 || o->n_steps == 0 || o->horizon == 0)
        return cot_fail(err, COT_USAGE, "%zu series of %zu steps, %zu ahead: at least one of each", n, o->n_steps,
                        o->horizon);
    if (o->lead > o->horizon)
        return cot_fail(err, COT_USAGE, "a lead time of %zu steps is beyond the horizon of %zu", o->lead, o->horizon);
    if (o->lead > 0 && !(o->service_level > 0.5 && o->service_level < 1))
        return cot_fail(err, COT_USAGE, "a service level of %g: it is to be above 0.5 and below 1", o->service_level);
    if (o->max_folds > COT_DEMAND_MAX_FOLDS)
        return cot_fail(err, COT_USAGE, "%u origins: at most %d", o->max_folds, (int)COT_DEMAND_MAX_FOLDS);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 ? series[i].parent != COT_DEMAND_NO_PARENT : series[i].parent >= i)
            return cot_fail(err, COT_USAGE, "series %zu: its parent is to come before it, and only the first has none",
                            i);
        for (size_t t = 0; t < o->n_steps; t++)
            if (!(series[i].values[t] >= 0) || !isfinite(series[i].values[t]))
                return cot_fail(err, COT_BAD_DATA, "series %zu, step %zu: %g is no demand (finite, not below 0)", i, t,
                                series[i].values[t]);
    }
    return COT_OK;
}

static void try_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_demand_trial *run = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++)
        run->codes[i] = cot_demand_series_try(run->series[i].values, run->options, run->works + i, run->errs + i);
}

static void serve_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_demand_trial *run = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++)
        run->codes[i] =
            cot_demand_series_serve(run->series[i].values, run->options, run->pools + cot_demand_level(run, i),
                                    run->works + i, run->forecasts + i, run->errs + i);
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
    for (size_t f = 0; f < cot_demand_n_folds(run->options); f++) {
        for (size_t i = 0; i < run->n; i++) {
            struct cot_demand_pool *all = run->pools + cot_demand_level(run, i);
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

static cot_code run_series(struct cot_demand_trial *run, struct cot_err *err)
{
    cot_code rc = run_all(run, try_block, err);
    if (rc != COT_OK)
        return rc;
    pool(run);
    return run_all(run, serve_block, err);
}

cot_code cot_demand_run(const struct cot_demand_series *series, size_t n_series,
                        const struct cot_demand_options *options, struct cot_demand_result *ret_result,
                        struct cot_err *err)
{
    enum { VALUES, VARIANCES, SCRATCH, TOTALS = SCRATCH + 4, ERRORS, N_ARRAYS = ERRORS + COT_DEMAND_N_COMPARED };
    struct cot_demand_result result = {.n_series = n_series};
    struct cot_demand_trial run = {.series = series, .n = n_series, .options = options};
    cot_code rc = check(series, n_series, options, err);
    if (rc != COT_OK)
        return rc;
    result.forecasts = run.forecasts = cot_alloc_array(n_series, 1, sizeof *run.forecasts);
    run.works = cot_alloc_array(n_series, 1, sizeof *run.works);
    run.codes = cot_alloc_array(n_series, 1, sizeof *run.codes);
    run.errs = cot_alloc_array(n_series, 1, sizeof *run.errs);
    run.values = cot_alloc_array(n_series, N_ARRAYS, sizeof *run.values);
    if (run.forecasts == NULL || run.works == NULL || run.codes == NULL || run.errs == NULL || run.values == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu series", n_series);
        goto out;
    }
    run.variances = run.values + VARIANCES * n_series;
    run.scratch = run.values + SCRATCH * n_series;
    run.totals = run.values + TOTALS * n_series;
    run.squares = run.values + ERRORS * n_series;
    rc = run_series(&run, err);
    if (rc != COT_OK)
        goto out;
    rc = cot_demand_score(&run, &result, err);
    if (rc != COT_OK)
        goto out;
    *ret_result = result;
    result.forecasts = NULL;
out:
    for (size_t i = 0; i < n_series && run.works != NULL; i++)
        free(run.works[i].memory);
    cot_demand_release(&result);
    free(run.works);
    free(run.codes);
    free(run.errs);
    free(run.values);
    return rc;
}

void cot_demand_release(struct cot_demand_result *result)
{
    for (size_t i = 0; i < result->n_series && result->forecasts != NULL; i++)
        free(result->forecasts[i].mean);
    free(result->forecasts);
    *result = (struct cot_demand_result){0};
}
