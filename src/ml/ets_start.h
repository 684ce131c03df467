/* First states of exponential smoothing: where the search for better ones starts. */
#ifndef COT_ML_ETS_START_H
#define COT_ML_ETS_START_H

#include "ml/ets.h"

struct cot_ets_first {
    double level, trend;
    double seasonal[COT_ETS_MAX_SEASON]; /* mean 0, or 1 where it multiplies */
};

/* Seasonal indices by classical decomposition (two seasons and more), then a straight line through the first values
 * without them (as R's ets). */
void cot_ets_first(const struct cot_ets_form *form, const double *y, size_t n, size_t season,
                   struct cot_ets_first *ret_first);

#endif
