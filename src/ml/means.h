/* Weighted means of labelled rows, in double precision, the same at any number of threads. */
#ifndef COT_ML_MEANS_H
#define COT_ML_MEANS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_means {
    float *means;   /* k x d; 0 for a cluster without mass */
    double *mass;   /* k, sums of weights */
    size_t *counts; /* k, rows */
};

/* Bytes that cot_means_init allocates at most, the means included; SIZE_MAX where that overflows. */
size_t cot_means_memory(size_t n, size_t d, size_t k);

/* labels in 0..k-1; weights: n or NULL. O(n d + k d) where k is large, else times at most 64 partial sums. */
cot_code cot_means_init(struct cot_means *ret_means, const struct cot_matrix *x, const uint32_t *labels,
                        const float *weights, size_t k, unsigned n_threads, struct cot_err *err) COT_MUST_CHECK;
void cot_means_release(struct cot_means *means);

#endif
