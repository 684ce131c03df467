#include "num/rank.h"

#include <math.h>
#include <stdlib.h>

#include "num/check.h"

struct place {
    double value;
    size_t i;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

cot_code cot_ranks(const double *values, size_t n, double *ret_ranks, struct cot_err *err)
{
    struct place *places = cot_alloc_array(n, 1, sizeof *places);
    if (places == NULL)
        return cot_fail(err, COT_NOMEM, "%zu ranks", n);
    for (size_t i = 0; i < n; i++)
        places[i] = (struct place){values[i], i};
    qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && places[end].value == places[i].value)
            end++;
        for (size_t m = i; m < end; m++)
            ret_ranks[places[m].i] = (double)(i + end - 1) / 2;
        i = end;
    }
    free(places);
    return COT_OK;
}

cot_code cot_spearman(const double *a, const double *b, size_t n, double *ret_rho, struct cot_err *err)
{
    double *ranks = cot_alloc_array(n, 2, sizeof *ranks);
    double mean = ((double)n - 1) / 2;
    double aa = 0;
    double bb = 0;
    double ab = 0;
    if (ranks == NULL)
        return cot_fail(err, COT_NOMEM, "%zu ranks", n);
    cot_code rc = cot_ranks(a, n, ranks, err);
    if (rc == COT_OK)
        rc = cot_ranks(b, n, ranks + n, err);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        aa += (ranks[i] - mean) * (ranks[i] - mean);
        bb += (ranks[n + i] - mean) * (ranks[n + i] - mean);
        ab += (ranks[i] - mean) * (ranks[n + i] - mean);
    }
    free(ranks);
    *ret_rho = ab / sqrt(aa * bb);
    return rc;
}
