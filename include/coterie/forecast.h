/*
 * Forecasts of one series of equally spaced values: demand of a product, revenue of a shop.
 *
 * Theta is that of Assimakopoulos and Nikolopoulos (doi:10.1016/S0169-2070(00)00066-2) as the M3 competition had it:
 * seasonally adjusted where the season shows, half the trend of a straight line, half simple smoothing; dotm is its
 * dynamic optimised model (Fiorucci and others, doi:10.1016/j.ijforecast.2016.02.005). ets is exponential smoothing as
 * a state space model, its form chosen by AICc (Hyndman and others, doi:10.1016/S0169-2070(01)00110-8). For demand with
 * many zeros: Croston (doi:10.1057/jors.1972.50), SBA, which takes out his bias (Syntetos and Boylan,
 * doi:10.1016/j.ijforecast.2004.10.001), TSB, whose chance of demand falls while there is none (Teunter, Syntetos,
 * Babai, doi:10.1016/j.ejor.2011.05.018), ADIDA, which adds up stretches before it smooths (Nikolopoulos and
 * others, doi:10.1057/jors.2010.32), and IMAPA, the mean over such stretches (Petropoulos and Kourentzes,
 * doi:10.1057/jors.2014.62).
 * Example: examples/forecast.c. Every function may be called from any thread.
 */
#ifndef COTERIE_FORECAST_H
#define COTERIE_FORECAST_H

#include <stddef.h>

#include "coterie/err.h"

enum cot_forecast_method {
    COT_FORECAST_AUTO,  /* combined, or imapa for many zeros, unless another was clearly better at the last origins */
    COT_FORECAST_NAIVE, /* the last value */
    COT_FORECAST_SEASONAL_NAIVE, /* the value one season ago */
    COT_FORECAST_MEAN,           /* of all values */
    COT_FORECAST_SES,            /* simple exponential smoothing */
    COT_FORECAST_DAMPED,         /* a smoothed trend that levels off */
    COT_FORECAST_THETA,
    COT_FORECAST_DYNAMIC_THETA, /* its weights fitted, its line moving along */
    COT_FORECAST_ETS,           /* exponential smoothing of the form that fits best */
    COT_FORECAST_COMBINED,      /* the mean of ets, theta and dotm */
    COT_FORECAST_CROSTON,
    COT_FORECAST_SBA,
    COT_FORECAST_TSB,
    COT_FORECAST_ADIDA,
    COT_FORECAST_IMAPA, /* the mean of ADIDA's over all shorter stretches */
    COT_FORECAST_N_METHODS
};

/* "auto", "naive", "snaive", "mean", "ses", "damped", "theta", "dotm", "ets", "combined", "croston", "sba", "tsb",
 * "adida", "imapa". */
const char *cot_forecast_method_name(enum cot_forecast_method method);
/* COT_USAGE for a name that is none of them. */
cot_code cot_forecast_method_parse(const char *name, enum cot_forecast_method *ret_method,
                                   struct cot_err *err) COT_MUST_CHECK;

struct cot_forecast_options {
    enum cot_forecast_method method;
    unsigned season; /* values a season: 12 for months, 7 for days; 0 or 1: none */
};

/*
 * values: n, oldest first, n >= 1. ret_mean: the next `horizon` values. ret_low and ret_high (NULL: not wanted): 80%
 * intervals, from what the method itself missed by at each step ahead at a dozen earlier origins, as what comes from a
 * Student's t, or, where there are too few, from the spread of the values. ret_method (may be NULL): the one that was
 * used. Where no value is negative, no forecast is. COT_USAGE: n or horizon is 0. COT_BAD_DATA: a value that is not
 * finite, with its place. COT_NOMEM. O(n) a method; auto and intervals O(n) an origin, horizon and a dozen of them.
 */
cot_code cot_forecast(const double *values, size_t n, const struct cot_forecast_options *options, size_t horizon,
                      double *ret_mean, double *ret_low, double *ret_high, enum cot_forecast_method *ret_method,
                      struct cot_err *err) COT_MUST_CHECK;

/* Symmetric mean absolute percentage error, 0..200 as the M competitions have it; steps where both are 0 count as 0. */
double cot_forecast_smape(const double *forecast, const double *actual, size_t n);

#endif
