/*
 * Cohort retention: customers by the month of their first order, and how many of them ordered in each later month.
 *
 * Months are numbered from 0 by the caller. One thread at a time.
 */
#ifndef COT_ENGINE_COHORT_H
#define COT_ENGINE_COHORT_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

/* All zero is empty; _init makes room, _release frees. */
struct cot_cohorts {
    size_t n_months;
    uint64_t *active; /* n_months x n_months, row-major; [first, since]: customers whose first order was in month
                         `first` and who ordered in month first + since; column 0 is the cohort's size */
};

cot_code cot_cohorts_init(struct cot_cohorts *cohorts, size_t n_months, struct cot_err *err) COT_MUST_CHECK;
void cot_cohorts_release(struct cot_cohorts *cohorts);

/* One customer, by the months in which they ordered: ascending, repeats count once, each < n_months. n 0: nothing. */
void cot_cohorts_add(struct cot_cohorts *cohorts, const uint32_t *months, size_t n);

static inline uint64_t cot_cohorts_active(const struct cot_cohorts *cohorts, size_t first, size_t since)
{
    return cohorts->active[first * cohorts->n_months + since];
}

#endif
