/* Eigenvectors of a symmetric matrix (LAPACK dsyevd of OpenBLAS, on one thread). */
#ifndef COT_NUM_EIGEN_H
#define COT_NUM_EIGEN_H

#include <stddef.h>

#include "coterie/err.h"

/*
 * a: d x d, symmetric, only its lower triangle (row-major) is read; overwritten: row i becomes the unit eigenvector of
 * ret_values[i]. ret_values: d, ascending. COT_INTERNAL where LAPACK does not converge. O(d^3).
 */
cot_code cot_eigen_symmetric(double *a, size_t d, double *ret_values, struct cot_err *err) COT_MUST_CHECK;

#endif
