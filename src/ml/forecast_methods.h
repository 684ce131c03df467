/* The methods behind coterie/forecast.h, one function each: point forecasts only. */
#ifndef COT_ML_FORECAST_METHODS_H
#define COT_ML_FORECAST_METHODS_H

#include <stdbool.h>

#include "coterie/forecast.h"

struct cot_ets;

struct cot_series {
    const double *values;      /* finite */
    size_t n;                  /* >= 1 */
    size_t season;             /* >= 1 */
    const struct cot_ets *ets; /* form and start for exponential smoothing; NULL: it chooses */
};

typedef cot_code cot_forecast_function(const struct cot_series *series, size_t horizon, double *ret_mean,
                                       struct cot_err *err);

cot_forecast_function cot_forecast_naive, cot_forecast_seasonal_naive, cot_forecast_mean; /* forecast_smooth.c */
cot_forecast_function cot_forecast_ses, cot_forecast_damped, cot_forecast_theta;
cot_forecast_function cot_forecast_croston, cot_forecast_sba, cot_forecast_tsb, cot_forecast_adida, cot_forecast_imapa;
/* forecast_intermittent.c */
cot_forecast_function cot_forecast_dynamic_theta;              /* forecast_theta.c */
cot_forecast_function cot_forecast_ets, cot_forecast_combined; /* forecast_combined.c */

/* The form that exponential smoothing has chosen for a series, for earlier origins to start from; false where it has
 * too few values. */
cot_code cot_forecast_ets_prepare(const struct cot_series *series, struct cot_ets *ret_ets, bool *ret_found,
                                  struct cot_err *err) COT_MUST_CHECK;

/* Mean square of what a method's sum of the next `steps` missed at a dozen earlier origins, in proportion to
 * what it says now; where there are too few, of
 * the values' own spread. n, steps >= 1. */
cot_code cot_forecast_total_error(const double *values, size_t n, const struct cot_forecast_options *options,
                                  size_t steps, double *ret_mean_square, struct cot_err *err) COT_MUST_CHECK;

/* Simple exponential smoothing of y: the weight in [0.01, 0.99] with the least squared error one step ahead; returns
 * the level after the last value. */
double cot_smooth(const double *y, size_t n, double *ret_alpha);
/* The same with the weight in [low, high]. */
double cot_smooth_within(const double *y, size_t n, double low, double high, double *ret_alpha);

/* Seasonal indices by classical decomposition (ret_indices: season of them, mean 1 where multiplicative, else mean 0)
 * of two seasons and a value more, at least; all above 0 where multiplicative. */
void cot_season_indices(const struct cot_series *series, bool multiplicative, double *ret_indices);

/*
 * The same, or false where the season does not show: fewer than three seasons, or an autocorrelation at its lag that a
 * test at 90% takes for chance. Multiplicative where all values are positive.
 */
bool cot_season_find(const struct cot_series *series, double *ret_indices, bool *ret_multiplicative);

/* A method for series without season, on the adjusted series; what it says gets the season back. */
cot_code cot_forecast_with_season(cot_forecast_function *function, const struct cot_series *series, size_t horizon,
                                  double *ret_mean, struct cot_err *err) COT_MUST_CHECK;

#endif
