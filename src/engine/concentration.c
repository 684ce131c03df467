#include "engine/concentration.h"

#include <stdlib.h>
#include <string.h>

static int compare_descending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static cot_code sorted_copy(const int64_t *revenue_minor, size_t n, int64_t **ret_sorted,
                            struct cot_concentration *result, struct cot_err *err)
{
    int64_t *sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL)
        return cot_fail(err, COT_NOMEM, "revenue of %zu customers", n);
    for (size_t i = 0; i < n; i++) {
        result->n_negative += revenue_minor[i] < 0;
        sorted[i] = revenue_minor[i] > 0 ? revenue_minor[i] : 0;
        if (__builtin_add_overflow(result->total_minor, sorted[i], &result->total_minor)) {
            free(sorted);
            return cot_fail(err, COT_LIMIT, "the revenue of all customers is beyond 64 bits of minor units");
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_descending);
    *ret_sorted = sorted;
    return COT_OK;
}

/* Revenue of the best `position` customers, where position may lie between two of them. */
static double revenue_until(const int64_t *sorted, const int64_t *cumulated, size_t n, double position)
{
    size_t whole = (size_t)position;
    if (whole >= n)
        return (double)cumulated[n];
    return (double)cumulated[whole] + (position - (double)whole) * (double)sorted[whole];
}

static void measure_sorted(const int64_t *sorted, const int64_t *cumulated, struct cot_concentration *result)
{
    size_t n = result->n;
    double total = (double)result->total_minor;
    double weighted = 0;
    for (size_t i = 0; i < n; i++) {
        weighted += (double)(n - i) * (double)sorted[i];
        if (result->n_half == 0 && (double)cumulated[i + 1] * 2 >= total)
            result->n_half = i + 1;
    }
    result->gini = 2 * weighted / ((double)n * total) - ((double)n + 1) / (double)n;
    for (size_t i = 0; i < COT_CONCENTRATION_TOPS; i++)
        result->top[i].revenue_share = (double)cumulated[result->top[i].n_customers] / total;
    for (size_t i = 0; i < COT_CONCENTRATION_POINTS; i++) {
        double position = (double)n * (double)i / (COT_CONCENTRATION_POINTS - 1);
        result->curve[i] = revenue_until(sorted, cumulated, n, position) / total;
    }
}

cot_code cot_concentration_measure(const int64_t *revenue_minor, size_t n, struct cot_concentration *ret,
                                   struct cot_err *err)
{
    static const unsigned percents[COT_CONCENTRATION_TOPS] = {1, 10, 20};
    struct cot_concentration result = {.n = n};
    int64_t *sorted = NULL;
    int64_t *cumulated = NULL;
    cot_code rc = sorted_copy(revenue_minor, n, &sorted, &result, err);
    if (rc != COT_OK)
        return rc;
    cumulated = calloc(n + 1, sizeof *cumulated);
    if (cumulated == NULL) {
        rc = cot_fail(err, COT_NOMEM, "revenue of %zu customers", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        cumulated[i + 1] = cumulated[i] + sorted[i];
    for (size_t i = 0; i < COT_CONCENTRATION_TOPS; i++)
        result.top[i] =
            (struct cot_concentration_top){.percent = percents[i], .n_customers = (n * percents[i] + 99) / 100};
    if (result.total_minor > 0)
        measure_sorted(sorted, cumulated, &result);
    *ret = result;
out:
    free(cumulated);
    free(sorted);
    return rc;
}
