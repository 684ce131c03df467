/* The standard normal distribution. */
#ifndef COT_NUM_NORMAL_H
#define COT_NUM_NORMAL_H

/* P(Z <= z). */
double cot_normal_cdf(double z);

/* The z with P(Z <= z) = p: Wichura's PPND16 (AS 241, doi:10.2307/2347330), relative error about 1e-16. -infinity and
 * infinity at 0 and 1, NaN outside. */
double cot_normal_quantile(double p);

#endif
