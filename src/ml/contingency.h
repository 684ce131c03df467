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

/* ret_codes: n labels as 0..k-1, by ascending label. 0 where there is no memory. O(n), O(n log n) for huge labels. */
int cot_labels_encode(const uint32_t *labels, size_t n, uint32_t *ret_codes, size_t *ret_k);

#endif
