/*
 * What sets a segment apart: each feature's standardised difference, segment against all others, tested.
 *
 *   difference = (mean in segment - mean of the rest) / sd of the column over all rows
 *
 * Meant for the transformed scale (coterie/transform.h), where skew and outliers do not decide. p: Welch's t test,
 * two-sided (doi:10.1093/biomet/34.1-2.28); q: Benjamini and Hochberg's false discovery rate over all k * d tests
 * (doi:10.1111/j.2517-6161.1995.tb02031.x). The segments were found in the same data, so p ranks, it does not prove.
 * Example: examples/contrasts.c. Thread rule: any thread.
 */
#ifndef COTERIE_CONTRASTS_H
#define COTERIE_CONTRASTS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_contrast {
    double mean_in, mean_out; /* in x's units; of present values */
    double difference;        /* in standard deviations; 0 where the column is constant or a side has no value */
    double t, df;             /* Welch's; df by Welch and Satterthwaite */
    double p, q;              /* 1 where either side has fewer than 2 values */
};

/*
 * x: n x d, NaN is missing and left out; labels: n in 0..k-1 (COT_USAGE else); ret_contrasts: k x d row-major. O(n d +
 * k d log(k d)). Errors: COT_NOMEM, COT_USAGE, COT_BAD_DATA for infinity. Same bytes at any number of threads.
 */
cot_code cot_contrasts_compute(const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                               struct cot_contrast *ret_contrasts, struct cot_err *err) COT_MUST_CHECK;

/* Two-sided p of Student's t with df > 0 degrees of freedom. NaN where an argument is. */
double cot_student_p(double t, double df);

/* Benjamini-Hochberg: ret_q[i] for p[i] of n tests; ret_q may be p. O(n log n). */
cot_code cot_false_discovery(const double *p, size_t n, double *ret_q, struct cot_err *err) COT_MUST_CHECK;

#endif
