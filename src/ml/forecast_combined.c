/* Exponential smoothing of the form that fits best, and the mean of methods that err differently. */
#include <stdlib.h>
#include <string.h>

#include "ml/ets.h"
#include "ml/forecast_methods.h"
#include "num/check.h"

static cot_code ets_of(const struct cot_series *series, struct cot_ets *ret_ets, struct cot_err *err)
{
    const struct cot_ets *known = series->ets;
    if (known != NULL && cot_ets_possible(&known->form, series->values, series->n, series->season)) {
        cot_code rc = cot_ets_fit(&known->form, series->values, series->n, series->season, known, ret_ets, err);
        if (rc != COT_BAD_DATA)
            return rc;
    }
    return cot_ets_choose(series->values, series->n, series->season, ret_ets, err);
}

/* Too few values for it: simple smoothing, which takes any number. */
static cot_code plain_ets(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    struct cot_ets ets;
    cot_code rc = ets_of(series, &ets, err);
    if (rc == COT_OK)
        cot_ets_forecast(&ets, horizon, ret_mean);
    if (rc == COT_BAD_DATA)
        rc = cot_forecast_ses(series, horizon, ret_mean, err);
    return rc;
}

/* Seasons longer than its states are taken out before, as the other methods have it. */
cot_code cot_forecast_ets(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    if (series->season > COT_ETS_MAX_SEASON)
        return cot_forecast_with_season(plain_ets, series, horizon, ret_mean, err);
    return plain_ets(series, horizon, ret_mean, err);
}

cot_code cot_forecast_ets_prepare(const struct cot_series *series, struct cot_ets *ret_ets, bool *ret_found,
                                  struct cot_err *err)
{
    *ret_found = false;
    if (series->season > COT_ETS_MAX_SEASON)
        return COT_OK;
    cot_code rc = cot_ets_choose(series->values, series->n, series->season, ret_ets, err);
    *ret_found = rc == COT_OK;
    return rc == COT_BAD_DATA ? COT_OK : rc;
}

cot_code cot_forecast_combined(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    static cot_forecast_function *const parts[] = {cot_forecast_ets, cot_forecast_theta, cot_forecast_dynamic_theta};
    enum { N_PARTS = sizeof parts / sizeof *parts };
    double *part = cot_alloc_array(horizon, 1, sizeof *part);
    cot_code rc = part == NULL ? cot_fail(err, COT_NOMEM, "%zu steps ahead", horizon) : COT_OK;
    memset(ret_mean, 0, horizon * sizeof *ret_mean);
    for (size_t p = 0; p < N_PARTS && rc == COT_OK; p++) {
        rc = parts[p](series, horizon, part, err);
        for (size_t h = 0; h < horizon && rc == COT_OK; h++)
            ret_mean[h] += part[h] / N_PARTS;
    }
    free(part);
    return rc;
}
