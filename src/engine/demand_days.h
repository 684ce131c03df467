/* Sales by calendar day, and the steps that are forecast: weeks, or the days on which a shop is open. */
#ifndef COT_ENGINE_DEMAND_DAYS_H
#define COT_ENGINE_DEMAND_DAYS_H

#include "engine/demand_history.h"

struct cot_demand_days {
    size_t n_series, n_days;
    int32_t first_day;
    double *values; /* [n_series * n_days] */
};

cot_code cot_demand_days_init(struct cot_demand_days *days, size_t n_series, int32_t first_day, int32_t last_day,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_demand_days_release(struct cot_demand_days *days);

/* Days outside are left out. */
void cot_demand_days_add(struct cot_demand_days *days, size_t series, int32_t day, double value);

/*
 * Fills the history's calendar and values from leaves' days; adds children up. Weeks are whole, Monday to Sunday: those
 * that the history begins or ends in are dropped. Of days, weekdays on which the shop sold nothing in nine of ten of
 * the last half year's weeks are no steps at all; where a shop sells on nine of ten other days, those on which it sold
 * nothing are taken for holidays and filled in with what the same weekday had before. COT_NOT_FOUND for fewer than two
 * steps.
 */
cot_code cot_demand_days_to_steps(struct cot_demand_days *days, struct cot_demand_history *history,
                                  struct cot_err *err) COT_MUST_CHECK;

/* Fills what is to be forecast, n calendar steps: a weekday is closed as it was; a holiday is expected on a date on
 * which the shop was shut in every earlier year that the history covers. Without an open day, one step all the same. */
cot_code cot_demand_plan(struct cot_demand_history *history, size_t n, struct cot_err *err) COT_MUST_CHECK;

/* Fills history->actual from leaves' days after the history. What is sold on a weekday that had been closed counts for
 * the open day before it: it was not foreseen. */
cot_code cot_demand_days_to_actual(struct cot_demand_days *days, struct cot_demand_history *history,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
