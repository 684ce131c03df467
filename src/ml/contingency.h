/* Counts of two labelings' cells, for the indices that compare them. */
#ifndef COT_ML_CONTINGENCY_H
#define COT_ML_CONTINGENCY_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_contingency {
    size_t n;
    size_t k_a, k_b;
    size_t *sums_a, *sums_b; /* k_a, k_b */
    struct cot_cell {
        uint32_t a, b;
        size_t count; /* > 0 */
    } * cells;
    size_t n_cells;
};

/* Labels are any numbers; n >= 1. O(n log n), or O(n) where they are small. */
cot_code cot_contingency_init(struct cot_contingency *ret_table, const uint32_t *a, const uint32_t *b, size_t n,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_contingency_release(struct cot_contingency *table);

#endif
