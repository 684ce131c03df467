/*
 * What every learner checks before it starts: finite numbers, usable weights and labels, sizes that do not overflow.
 */
#ifndef COT_NUM_CHECK_H
#define COT_NUM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

/* COT_BAD_DATA names the first row and column (from 0) that is NaN or infinite; with allow_nan only infinite. */
cot_code cot_check_finite(const struct cot_matrix *x, bool allow_nan, struct cot_err *err) COT_MUST_CHECK;

/* Finite, >= 0 (or > 0 with positive), not all 0. NULL weights pass. */
cot_code cot_check_weights(const float *weights, size_t n, bool positive, struct cot_err *err) COT_MUST_CHECK;

/* COT_USAGE unless each of n labels is below k. */
cot_code cot_check_labels(const uint32_t *labels, size_t n, size_t k, struct cot_err *err) COT_MUST_CHECK;

/* What an index that compares clusters needs: finite x, labels below k, at least two clusters with points. */
cot_code cot_check_clusters(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                            struct cot_err *err) COT_MUST_CHECK;

/* calloc of a * b * size bytes, NULL where that overflows or there is no memory. 0 bytes give a pointer all the same.
 */
void *cot_alloc_array(size_t a, size_t b, size_t size);

/* As cot_alloc_array, aligned to 64 bytes for vector loads. */
void *cot_alloc_aligned(size_t a, size_t b, size_t size);

/*
 * As cot_alloc_aligned, but the caller writes every byte before it reads it. Large ones ask the system for huge pages:
 * fewer page faults to fill them, fewer translations to read them.
 */
void *cot_alloc_uninitialised(size_t a, size_t b, size_t size);

/*
 * Items a block so that [0, n) has at most 64 blocks of at least min_block. It depends on nothing but its arguments, so
 * partial sums, one a block, reduced in block order, give the same bytes at any number of threads.
 */
static inline size_t cot_block_of(size_t n, size_t min_block)
{
    size_t block = (n + 63) / 64;
    return block > min_block ? block : min_block;
}

#endif
