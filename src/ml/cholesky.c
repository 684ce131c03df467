#include "ml/cholesky.h"

#include <math.h>

cot_code cot_cholesky_factor(double *a, size_t d, double *ret_log_det, struct cot_err *err)
{
    double log_det = 0;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * d + j];
            for (size_t l = 0; l < j; l++)
                sum -= a[i * d + l] * a[j * d + l];
            if (j < i) {
                a[i * d + j] = sum / a[j * d + j];
                continue;
            }
            if (!(sum > 0))
                return cot_fail(err, COT_BAD_DATA, "column %zu is a sum of others: no covariance to divide by", i);
            a[i * d + i] = sqrt(sum);
            log_det += log(sum);
        }
    }
    *ret_log_det = log_det;
    return COT_OK;
}

void cot_cholesky_forward(const double *l, size_t d, double *x)
{
    for (size_t i = 0; i < d; i++) {
        double sum = x[i];
        for (size_t j = 0; j < i; j++)
            sum -= l[i * d + j] * x[j];
        x[i] = sum / l[i * d + i];
    }
}

void cot_cholesky_backward(const double *l, size_t d, double *x)
{
    for (size_t i = d; i-- > 0;) {
        x[i] /= l[i * d + i];
        for (size_t j = 0; j < i; j++)
            x[j] -= l[i * d + j] * x[i];
    }
}
