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

/* ---- heights at which leaves join ---- */

struct heights {
    size_t n;
    double *gaps;
    uint32_t *order;
    uint32_t *position; /* of a leaf in that order */
    double *from;       /* of one leaf: where it joins each */
};

static void heights_release(struct heights *h)
{
    free(h->gaps);
    free(h->order);
    free(h->position);
    free(h->from);
    *h = (struct heights){0};
}

static cot_code heights_init(struct heights *ret_heights, const struct cot_linkage *linkage, struct cot_err *err)
{
    size_t n = linkage->n;
    struct heights h = {.n = n};
    h.gaps = cot_alloc_array(n, 1, sizeof *h.gaps);
    h.order = cot_alloc_array(n, 1, sizeof *h.order);
    h.position = cot_alloc_array(n, 1, sizeof *h.position);
    h.from = cot_alloc_array(n, 1, sizeof *h.from);
    cot_code rc = COT_OK;
    if (h.gaps == NULL || h.order == NULL || h.position == NULL || h.from == NULL || !gaps_of(linkage, h.gaps))
        rc = cot_fail(err, COT_NOMEM, "a tree over %zu leaves", n);
    if (rc == COT_OK)
        rc = cot_linkage_leaf_order(linkage, h.order, err);
    if (rc != COT_OK) {
        heights_release(&h);
        return rc;
    }
    for (size_t p = 0; p < n; p++)
        h.position[h.order[p]] = (uint32_t)p;
    *ret_heights = h;
    return COT_OK;
}

/* Fills h->from for a leaf. O(n). */
static void heights_from(struct heights *h, size_t leaf)
{
    size_t p = h->position[leaf];
    double height = 0;
    h->from[leaf] = 0;
    for (size_t q = p + 1; q < h->n; q++) {
        height = fmax(height, h->gaps[q - 1]);
        h->from[h->order[q]] = height;
    }
    height = 0;
    for (size_t q = p; q > 0; q--) {
        height = fmax(height, h->gaps[q - 1]);
        h->from[h->order[q - 1]] = height;
    }
}

cot_code cot_linkage_cophenetic(const struct cot_linkage *linkage, double *ret_heights, struct cot_err *err)
{
    struct heights h = {0};
    cot_code rc = heights_init(&h, linkage, err);
    for (size_t i = 0, at = 0; rc == COT_OK && i + 1 < h.n; i++) {
        heights_from(&h, i);
        for (size_t j = i + 1; j < h.n; j++)
            ret_heights[at++] = h.from[j];
    }
    heights_release(&h);
    return rc;
}

cot_code cot_linkage_agreement(const struct cot_dendrogram *a, const struct cot_dendrogram *b, size_t n,
                               double *ret_correlation, struct cot_err *err)
{
    struct heights ha = {0};
    struct heights hb = {0};
    struct moments m = {0};
    if (n < 3)
        return cot_fail(err, COT_USAGE, "trees compared over %zu items: give at least 3", n);
    cot_code rc = heights_init(&ha, a->linkage, err);
    if (rc == COT_OK)
        rc = heights_init(&hb, b->linkage, err);
    if (rc == COT_OK && a->leaves != NULL)
        rc = cot_check_labels(a->leaves, n, ha.n, err);
    if (rc == COT_OK && b->leaves != NULL)
        rc = cot_check_labels(b->leaves, n, hb.n, err);
    if (rc == COT_OK && ((a->leaves == NULL && n > ha.n) || (b->leaves == NULL && n > hb.n)))
        rc = cot_fail(err, COT_USAGE, "%zu items, but trees over %zu and %zu leaves", n, ha.n, hb.n);
    double middle_a = rc == COT_OK && ha.n > 1 ? a->linkage->z[4 * (ha.n - 2) + 2] / 2 : 0;
    double middle_b = rc == COT_OK && hb.n > 1 ? b->linkage->z[4 * (hb.n - 2) + 2] / 2 : 0;
    for (size_t i = 0; rc == COT_OK && i + 1 < n; i++) {
        struct moments row = {0};
        heights_from(&ha, a->leaves != NULL ? a->leaves[i] : i);
        heights_from(&hb, b->leaves != NULL ? b->leaves[i] : i);
        for (size_t j = i + 1; j < n; j++) {
            double e = ha.from[a->leaves != NULL ? a->leaves[j] : j] - middle_a;
            double h = hb.from[b->leaves != NULL ? b->leaves[j] : j] - middle_b;
            row = (struct moments){row.n + 1, row.x + e, row.y + h, row.xx + e * e, row.yy + h * h, row.xy + e * h};
        }
        m = (struct moments){m.n + row.n, m.x + row.x, m.y + row.y, m.xx + row.xx, m.yy + row.yy, m.xy + row.xy};
    }
    if (rc == COT_OK)
        *ret_correlation = correlation(&m);
    heights_release(&ha);
    heights_release(&hb);
    return rc;
}
