/* Special functions that libm lacks. */
#ifndef COT_NUM_SPECIAL_H
#define COT_NUM_SPECIAL_H

#include <stddef.h>

/* Logarithm of the gamma function for x > 0; unlike lgamma, for any thread. */
double cot_log_gamma(double x);

/* Its derivative for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18). Relative
 * error about 1e-15, absolute near the root at 1.4616. */
double cot_digamma(double x);

/* Gauss-Legendre rules on [0, 1]: exact for polynomials of degree below 2 n. */
enum { COT_GAUSS_MAX = 32 };
struct cot_gauss_rule {
    size_t n;
    double nodes[COT_GAUSS_MAX]; /* ascending */
    double weights[COT_GAUSS_MAX];
};
extern const struct cot_gauss_rule cot_gauss_16, cot_gauss_32;

#endif
