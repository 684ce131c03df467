#include "engine/cohort.h"

#include <stdlib.h>

cot_code cot_cohorts_init(struct cot_cohorts *cohorts, size_t n_months, struct cot_err *err)
{
    size_t n_cells = 0;
    if (__builtin_mul_overflow(n_months, n_months, &n_cells))
        return cot_fail(err, COT_LIMIT, "cohorts over %zu months", n_months);
    uint64_t *active = calloc(n_cells + 1, sizeof *active);
    if (active == NULL)
        return cot_fail(err, COT_NOMEM, "cohorts over %zu months", n_months);
    *cohorts = (struct cot_cohorts){n_months, active};
    return COT_OK;
}

void cot_cohorts_release(struct cot_cohorts *cohorts)
{
    free(cohorts->active);
    *cohorts = (struct cot_cohorts){0};
}

void cot_cohorts_add(struct cot_cohorts *cohorts, const uint32_t *months, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i == 0 || months[i] != months[i - 1])
            cohorts->active[months[0] * cohorts->n_months + (months[i] - months[0])]++;
}
