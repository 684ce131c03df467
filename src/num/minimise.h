/* Smooth functions of a few variables brought to a minimum: NLopt's L-BFGS, and BFGS from a known neighbourhood. */
#ifndef COT_NUM_MINIMISE_H
#define COT_NUM_MINIMISE_H

#include <stddef.h>

#include "coterie/err.h"

/* Value at x[0 .. n), gradient into ret_gradient. A value that is not finite counts as very bad. */
typedef double cot_minimise_function(void *context, size_t n, const double *x, double *ret_gradient);

enum { COT_MINIMISE_MAX = 32 };

/* From x, within [low, high] of each variable, until nothing is gained; x becomes the best point. Returns its value in
 * ret_value and the evaluations in ret_n (may be NULL). n <= COT_MINIMISE_MAX. COT_NOMEM, COT_INTERNAL. */
cot_code cot_minimise(cot_minimise_function *function, void *context, size_t n, double *x, const double *low,
                      const double *high, double *ret_value, unsigned *ret_n, struct cot_err *err) COT_MUST_CHECK;

/* The same for when a few digits are enough: until a step gains less than `enough` of the value's size. */
cot_code cot_minimise_until(cot_minimise_function *function, void *context, size_t n, double *x, const double *low,
                            const double *high, double enough, double *ret_value, unsigned *ret_n,
                            struct cot_err *err) COT_MUST_CHECK;

/*
 * The same from a point that is near the minimum, with the inverse of the matrix of second derivatives (n x n), as
 * cot_minimise_covariance gives it of a like function: a few steps of BFGS, each an evaluation. Where they fail or come
 * to a bound, cot_minimise goes on.
 */
cot_code cot_minimise_near(cot_minimise_function *function, void *context, size_t n, double *x,
                           const double *covariance, const double *low, const double *high, double *ret_value,
                           unsigned *ret_n, struct cot_err *err) COT_MUST_CHECK;

/* Inverse of the matrix of second derivatives at x (n x n), by differences of gradients; COT_BAD_DATA where it is not
 * positive definite. */
cot_code cot_minimise_covariance(cot_minimise_function *function, void *context, size_t n, const double *x,
                                 double *ret_covariance, struct cot_err *err) COT_MUST_CHECK;

#endif
