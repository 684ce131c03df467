/* Cophenetic correlation: see coterie/metrics.h. */
#include <math.h>
#include <stdlib.h>

#include "coterie/metrics.h"
#include "num/check.h"

/*
 * Heights between neighbours in leaf order: two leaves join at the largest height between them, so all pairs follow
 * from n - 1 numbers by running maxima.
 */
static int gaps_of(const struct cot_linkage *linkage, double *ret_gaps)
{
    size_t n = linkage->n;
    size_t *start = cot_alloc_array(2 * n, 1, sizeof *start); /* a node's first place in leaf order */
    if (start == NULL)
        return 0;
    for (size_t m = n - 1; m-- > 0;) {
        const double *row = linkage->z + 4 * m;
        size_t left = (size_t)row[0];
        size_t right = (size_t)row[1];
        size_t left_size = left < n ? 1 : (size_t)linkage->z[4 * (left - n) + 3];
        start[left] = start[n + m];
        start[right] = start[n + m] + left_size;
        ret_gaps[start[right] - 1] = row[2];
    }
    free(start);
    return 1;
}

struct moments {
    double n, x, y, xx, yy, xy;
};

static double correlation(const struct moments *m)
{
    double cov = m->xy - m->x * m->y / m->n;
    double var_x = m->xx - m->x * m->x / m->n;
    double var_y = m->yy - m->y * m->y / m->n;
    return var_x > 0 && var_y > 0 ? cov / sqrt(var_x * var_y) : 0;
}

static double distance(const float *a, const float *b, size_t d)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++) {
        double step = (double)a[j] - (double)b[j];
        sum += step * step;
    }
    return sqrt(sum);
}

cot_code cot_metric_cophenetic(const struct cot_matrix *x, const struct cot_linkage *linkage, double *ret_correlation,
                               struct cot_err *err)
{
    size_t n = x->n;
    double *gaps = NULL;
    uint32_t *order = NULL;
    struct moments m = {0};
    if (n < 3 || linkage->n != n)
        return cot_fail(err, COT_USAGE, "%zu rows and a tree over %zu: give at least 3, as many as the tree has", n,
                        linkage->n);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc != COT_OK)
        return rc;
    gaps = cot_alloc_array(n, 1, sizeof *gaps);
    order = cot_alloc_array(n, 1, sizeof *order);
    if (gaps == NULL || order == NULL || !gaps_of(linkage, gaps)) {
        rc = cot_fail(err, COT_NOMEM, "a tree over %zu leaves", n);
        goto out;
    }
    rc = cot_linkage_leaf_order(linkage, order, err);
    if (rc != COT_OK)
        goto out;
    double middle = linkage->z[4 * (n - 2) + 2] / 2; /* taken off both, so that the sums lose little */
    for (size_t p = 0; p < n; p++) {
        struct moments row = {0};
        double height = 0;
        for (size_t q = p + 1; q < n; q++) {
            height = fmax(height, gaps[q - 1]);
            double h = height - middle;
            double e = distance(cot_matrix_row(x, order[p]), cot_matrix_row(x, order[q]), x->d) - middle;
            row = (struct moments){row.n + 1, row.x + e, row.y + h, row.xx + e * e, row.yy + h * h, row.xy + e * h};
        }
        m = (struct moments){m.n + row.n, m.x + row.x, m.y + row.y, m.xx + row.xx, m.yy + row.yy, m.xy + row.xy};
    }
    *ret_correlation = correlation(&m);
out:
    free(gaps);
    free(order);
    return rc;
}
