/* Cholesky factor of a small symmetric positive definite matrix, and triangular solves with it. */
#ifndef COT_ML_CHOLESKY_H
#define COT_ML_CHOLESKY_H

#include <stddef.h>

#include "coterie/err.h"

/* a: d x d row-major, lower triangle read and overwritten by L with a = L L'. ret_log_det: log of a's determinant.
 * COT_BAD_DATA where a isn't positive definite. */
cot_code cot_cholesky_factor(double *a, size_t d, double *ret_log_det, struct cot_err *err) COT_MUST_CHECK;

void cot_cholesky_forward(const double *l, size_t d, double *x);  /* x := L^-1 x */
void cot_cholesky_backward(const double *l, size_t d, double *x); /* x := L'^-1 x */

#endif
