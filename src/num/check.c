#include "num/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* x - x is 0 for finite x and NaN else; a sum of those tells a whole row without a branch an element. */
static bool row_is_finite(const float *row, size_t d)
{
    float sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += row[j] - row[j];
    return sum == 0;
}

cot_code cot_check_finite(const struct cot_matrix *x, bool allow_nan, struct cot_err *err)
{
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        if (row_is_finite(row, x->d))
            continue;
        for (size_t j = 0; j < x->d; j++) {
            if (isnan(row[j]) && allow_nan)
                continue;
            if (!isfinite(row[j]))
                return cot_fail(err, COT_BAD_DATA, "row %zu, column %zu (counted from 0) is %s; remove or impute it", i,
                                j, isnan(row[j]) ? "NaN" : "infinite");
        }
    }
    return COT_OK;
}

cot_code cot_check_weights(const float *weights, size_t n, bool positive, struct cot_err *err)
{
    double sum = 0;
    if (weights == NULL)
        return COT_OK;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(weights[i]) || weights[i] < 0 || (positive && weights[i] == 0))
            return cot_fail(err, COT_BAD_DATA, "weight %zu (counted from 0) is %g; it must be finite and %s 0", i,
                            (double)weights[i], positive ? ">" : ">=");
        sum += (double)weights[i];
    }
    if (n > 0 && sum <= 0)
        return cot_fail(err, COT_BAD_DATA, "all %zu weights are 0", n);
    return COT_OK;
}

cot_code cot_check_labels(const uint32_t *labels, size_t n, size_t k, struct cot_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (labels[i] >= k)
            return cot_fail(err, COT_USAGE, "label %zu (counted from 0) is %u; labels are 0..%zu", i,
                            (unsigned)labels[i], k - 1);
    return COT_OK;
}

cot_code cot_check_clusters(const struct cot_matrix *x, const uint32_t *labels, size_t k, struct cot_err *err)
{
    size_t n_filled = 0;
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_labels(labels, x->n, k, err);
    if (rc != COT_OK)
        return rc;
    unsigned char *filled = cot_alloc_array(k, 1, 1);
    if (filled == NULL)
        return cot_fail(err, COT_NOMEM, "%zu clusters", k);
    for (size_t i = 0; i < x->n; i++) {
        n_filled += filled[labels[i]] == 0;
        filled[labels[i]] = 1;
    }
    free(filled);
    if (n_filled < 2)
        return cot_fail(err, COT_USAGE, "%zu cluster(s) with points: this index compares at least 2", n_filled);
    return COT_OK;
}

static bool array_size(size_t a, size_t b, size_t size, size_t *ret_size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(a, b, &total) || __builtin_mul_overflow(total, size, &total) || total > PTRDIFF_MAX - 64)
        return false;
    *ret_size = total > 0 ? total : 1;
    return true;
}

void *cot_alloc_array(size_t a, size_t b, size_t size)
{
    size_t total = 0;
    return array_size(a, b, size, &total) ? calloc(1, total) : NULL;
}

void *cot_alloc_aligned(size_t a, size_t b, size_t size)
{
    size_t total = 0;
    if (!array_size(a, b, size, &total))
        return NULL;
    total = (total + 63) / 64 * 64;
    void *memory = aligned_alloc(64, total);
    if (memory != NULL)
        memset(memory, 0, total);
    return memory;
}

void *cot_alloc_uninitialised(size_t a, size_t b, size_t size)
{
    const size_t huge = (size_t)2 << 20;
    size_t total = 0;
    if (!array_size(a, b, size, &total))
        return NULL;
    if (total < 2 * huge)
        return aligned_alloc(64, (total + 63) / 64 * 64);
    total = (total + huge - 1) / huge * huge;
    void *memory = aligned_alloc(huge, total);
#if defined(MADV_HUGEPAGE)
    if (memory != NULL)
        (void)madvise(memory, total, MADV_HUGEPAGE); /* refused: ordinary pages do, too */
#endif
    return memory;
}
