/* Ranks and their correlation. */
#ifndef COT_NUM_RANK_H
#define COT_NUM_RANK_H

#include <stddef.h>

#include "coterie/err.h"

/* Ranks from 0, ties sharing their mean; no NaN. O(n log n). */
cot_code cot_ranks(const double *values, size_t n, double *ret_ranks, struct cot_err *err) COT_MUST_CHECK;

/* Spearman's correlation of n pairs; NaN where one side is constant. */
cot_code cot_spearman(const double *a, const double *b, size_t n, double *ret_rho, struct cot_err *err) COT_MUST_CHECK;

#endif
