/* Numbers by their place among the fitted ones: scikit-learn's QuantileTransformer, to uniform or normal. */
#ifndef COT_ML_TRANSFORM_QUANTILE_H
#define COT_ML_TRANSFORM_QUANTILE_H

#include "ml/transform_internal.h"

/* Quantiles of n >= 1 ascending values at n_quantiles >= 1 evenly spaced shares. False: no memory. */
bool cot_transform_quantiles_fit(struct cot_transform_fitted *column, const float *sorted, size_t n,
                                 size_t n_quantiles);

double cot_transform_quantiles_forward(const struct cot_transform_fitted *column, double x);
double cot_transform_quantiles_inverse(const struct cot_transform_fitted *column, double z);

#endif
