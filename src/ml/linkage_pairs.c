/* Single linkage by Prim's spanning tree; average and complete by nearest-neighbour chains over all pairs. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/progress.h"
#include "base/threads.h"
#include "ml/linkage_methods.h"
#include "num/check.h"

/* Columns as doubles, d x n: distances of one point to all then run along the points. */
static double *columns_of(const struct cot_matrix *x)
{
    double *columns = cot_alloc_array(x->d, x->n, sizeof *columns);
    for (size_t i = 0; columns != NULL && i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            columns[j * x->n + i] = (double)cot_matrix_row(x, i)[j];
    return columns;
}

/* ret_d2[i] = squared distance of point q to point i, for i from `begin`. */
static void distances2_from(const double *columns, size_t n, size_t d, size_t q, size_t begin, double *ret_d2)
{
    for (size_t i = begin; i < n; i++)
        ret_d2[i] = 0;
    for (size_t j = 0; j < d; j++) {
        const double *column = columns + j * n;
        double value = column[q];
        for (size_t i = begin; i < n; i++) {
            double step = column[i] - value;
            ret_d2[i] += step * step;
        }
    }
}

cot_code cot_single_merges(const struct cot_matrix *x, struct cot_merge *ret_merges, struct cot_err *err)
{
    size_t n = x->n;
    double *columns = columns_of(x);
    double *d2 = cot_alloc_array(n, 1, sizeof *d2);
    double *nearest = cot_alloc_array(n, 1, sizeof *nearest); /* squared distance to the tree; -1 inside it */
    uint32_t *from = cot_alloc_array(n, 1, sizeof *from);     /* the tree's point at that distance */
    cot_code rc = COT_OK;
    if (columns == NULL || d2 == NULL || nearest == NULL || from == NULL) {
        rc = cot_fail(err, COT_NOMEM, "a spanning tree over %zu points", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        nearest[i] = DBL_MAX;
    size_t added = 0;
    nearest[0] = -1;
    for (size_t m = 0; m + 1 < n; m++) {
        size_t next = n;
        distances2_from(columns, n, x->d, added, 0, d2);
        for (size_t i = 0; i < n; i++) {
            if (nearest[i] < 0)
                continue;
            if (d2[i] < nearest[i]) {
                nearest[i] = d2[i];
                from[i] = (uint32_t)added;
            }
            if (next == n || nearest[i] < nearest[next])
                next = i;
        }
        ret_merges[m] = (struct cot_merge){.a = from[next], .b = (uint32_t)next, .height = sqrt(nearest[next])};
        nearest[next] = -1;
        added = next;
    }
out:
    free(columns);
    free(d2);
    free(nearest);
    free(from);
    return rc;
}

struct pairs {
    size_t n;
    const double *columns;
    size_t d;
    double **rows; /* rows[i][j], j > i: the distance of clusters i and j */
};

static double *pair_at(const struct pairs *p, size_t a, size_t b)
{
    return a < b ? &p->rows[a][b] : &p->rows[b][a];
}

static void fill_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct pairs *p = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        distances2_from(p->columns, p->n, p->d, i, i + 1, p->rows[i]);
        for (size_t j = i + 1; j < p->n; j++)
            p->rows[i][j] = sqrt(p->rows[i][j]);
    }
}

/* The live cluster nearest to a; `before` wins ties so that a chain can't run in a circle. */
static size_t nearest_live(const struct pairs *p, const double *mass, size_t a, size_t before)
{
    size_t best = before;
    double least = before < p->n ? *pair_at(p, a, before) : DBL_MAX;
    for (size_t i = 0; i < p->n; i++) {
        if (mass[i] == 0 || i == a)
            continue;
        double distance = *pair_at(p, a, i);
        if (distance < least || best == p->n) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* Cluster a becomes the union of a and b (Lance and Williams, doi:10.1093/comjnl/9.4.373). */
static void unite(const struct pairs *p, double *mass, size_t a, size_t b, enum cot_linkage_method method)
{
    for (size_t i = 0; i < p->n; i++) {
        if (mass[i] == 0 || i == a || i == b)
            continue;
        double *da = pair_at(p, a, i);
        double db = *pair_at(p, b, i);
        *da = method == COT_LINKAGE_COMPLETE ? fmax(*da, db) : (mass[a] * *da + mass[b] * db) / (mass[a] + mass[b]);
    }
    mass[a] += mass[b];
    mass[b] = 0;
}

static void follow_chain(const struct pairs *p, double *mass, double *height, size_t *chain,
                         const struct cot_linkage_options *options, struct cot_merge *ret_merges)
{
    size_t length = 0;
    for (size_t m = 0; m + 1 < p->n;) {
        if (length == 0) {
            size_t first = 0;
            while (mass[first] == 0)
                first++;
            chain[length++] = first;
        }
        size_t top = chain[length - 1];
        size_t before = length > 1 ? chain[length - 2] : p->n;
        size_t next = nearest_live(p, mass, top, before);
        if (next != before) {
            chain[length++] = next;
            continue;
        }
        size_t a = top < before ? top : before;
        size_t b = top < before ? before : top;
        double h = fmax(*pair_at(p, a, b), fmax(height[a], height[b]));
        ret_merges[m++] = (struct cot_merge){.a = (uint32_t)a, .b = (uint32_t)b, .height = h};
        unite(p, mass, a, b, options->method);
        height[a] = h;
        length -= 2;
        if (m % 256 == 0)
            cot_progress_report(options->progress, "joining clusters", m, p->n - 1);
    }
}

cot_code cot_pairwise_merges(const struct cot_matrix *x, const struct cot_linkage_options *options,
                             struct cot_merge *ret_merges, struct cot_err *err)
{
    size_t n = x->n;
    double *columns = columns_of(x);
    double *storage = cot_alloc_array(n, n / 2 + 1, sizeof *storage);
    double *mass = cot_alloc_array(n, 1, sizeof *mass); /* 0: merged away */
    double *height = cot_alloc_array(n, 1, sizeof *height);
    size_t *chain = cot_alloc_array(n + 1, 1, sizeof *chain);
    struct pairs p = {.n = n, .columns = columns, .d = x->d};
    cot_code rc = COT_OK;
    p.rows = cot_alloc_array(n, 1, sizeof *p.rows);
    if (columns == NULL || storage == NULL || mass == NULL || height == NULL || chain == NULL || p.rows == NULL) {
        rc = cot_fail(err, COT_NOMEM, "distances of %zu points", n);
        goto out;
    }
    /* Row i keeps j > i in folded storage: rows i and n - 1 - i share one stretch of n numbers. */
    for (size_t i = 0; i < n; i++) {
        mass[i] = options->weights != NULL ? (double)options->weights[i] : 1.0;
        if (i + 1 < n)
            p.rows[i] = i < n - 1 - i ? storage + i * n : storage + (n - 1 - i) * n - (i + 1);
    }
    cot_parallel_for(options->n_threads, n, 16, fill_rows, &p);
    follow_chain(&p, mass, height, chain, options, ret_merges);
out:
    free(columns);
    free(storage);
    free(mass);
    free(height);
    free(chain);
    free(p.rows);
    return rc;
}
