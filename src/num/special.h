/* Special functions that libm lacks. */
#ifndef COT_NUM_SPECIAL_H
#define COT_NUM_SPECIAL_H

/* Logarithm of the gamma function for x > 0; unlike lgamma, for any thread. */
double cot_log_gamma(double x);

/* Its derivative for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18). Relative
 * error about 1e-15, absolute near the root at 1.4616. */
double cot_digamma(double x);

/* Nodes and weights of the Gauss-Legendre rule with COT_GAUSS_POINTS points on [0, 1]. */
enum { COT_GAUSS_POINTS = 32 };
extern const double cot_gauss_nodes[COT_GAUSS_POINTS];
extern const double cot_gauss_weights[COT_GAUSS_POINTS];

#endif
