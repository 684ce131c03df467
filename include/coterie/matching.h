/*
 * Optimal one-to-one matching of rows to columns at least total cost (the assignment problem).
 *
 * Hungarian method with shortest augmenting paths (Kuhn, doi:10.1002/nav.3800020109; Crouse,
 * doi:10.1109/TAES.2016.140952). Keeps the identity of segments across retrains. Example: examples/matching.c. Thread
 * rule: any thread.
 */
#ifndef COTERIE_MATCHING_H
#define COTERIE_MATCHING_H

#include <stddef.h>

#include "coterie/err.h"

/* "No column" of a row that stays alone. */
#define COT_MATCHING_NONE ((size_t)-1)

/*
 * cost: n_rows x n_columns row-major, finite (COT_BAD_DATA else; use a large number to forbid). min(n_rows, n_columns)
 * pairs are made. ret_columns: n_rows, the column of each row or COT_MATCHING_NONE; ret_cost: total, may be NULL. Zero
 * rows or columns: nothing is matched. O(min^2 * max) time, O(n_rows * n_columns) memory. Deterministic.
 */
cot_code cot_matching_solve(const double *cost, size_t n_rows, size_t n_columns, size_t *ret_columns, double *ret_cost,
                            struct cot_err *err) COT_MUST_CHECK;

#endif
