#include "coterie/matching.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "num/check.h"

/* The problem with no more rows than columns: `transposed` where the caller's had. Index 0 is "none" throughout. */
struct problem {
    const double *cost;
    size_t n_rows, n_columns, stride;
    int transposed;
    double *row_price, *column_price; /* duals: cost - prices >= 0, 0 on matched pairs */
    size_t *row_of;                   /* a column: its row, counted from 1; 0 none */
    size_t *before;                   /* a column: the one before it on the shortest path */
    double *slack;                    /* a column: least reduced cost into it so far */
    unsigned char *done;
};

static double cost_at(const struct problem *p, size_t i, size_t j)
{
    return p->transposed ? p->cost[(j - 1) * p->stride + (i - 1)] : p->cost[(i - 1) * p->stride + (j - 1)];
}

/* Grows the tree of shortest paths from `row` until it meets a free column, and returns that. */
static size_t find_free_column(struct problem *p, size_t row)
{
    size_t at = 0;
    p->row_of[0] = row;
    for (size_t j = 0; j <= p->n_columns; j++) {
        p->slack[j] = DBL_MAX;
        p->done[j] = 0;
    }
    do {
        size_t i = p->row_of[at];
        size_t next = 0;
        double least = DBL_MAX;
        p->done[at] = 1;
        for (size_t j = 1; j <= p->n_columns; j++) {
            if (p->done[j])
                continue;
            double reduced = cost_at(p, i, j) - p->row_price[i] - p->column_price[j];
            if (reduced < p->slack[j]) {
                p->slack[j] = reduced;
                p->before[j] = at;
            }
            if (p->slack[j] < least || next == 0) {
                least = p->slack[j];
                next = j;
            }
        }
        for (size_t j = 0; j <= p->n_columns; j++) {
            if (p->done[j]) {
                p->row_price[p->row_of[j]] += least;
                p->column_price[j] -= least;
            } else {
                p->slack[j] -= least;
            }
        }
        at = next;
    } while (p->row_of[at] != 0);
    return at;
}

static void solve(struct problem *p)
{
    for (size_t row = 1; row <= p->n_rows; row++) {
        size_t at = find_free_column(p, row);
        while (at != 0) {
            size_t before = p->before[at];
            p->row_of[at] = p->row_of[before];
            at = before;
        }
    }
}

cot_code cot_matching_solve(const double *cost, size_t n_rows, size_t n_columns, size_t *ret_columns, double *ret_cost,
                            struct cot_err *err)
{
    int transposed = n_rows > n_columns;
    struct problem p = {.cost = cost,
                        .n_rows = transposed ? n_columns : n_rows,
                        .n_columns = transposed ? n_rows : n_columns,
                        .stride = n_columns,
                        .transposed = transposed};
    double total = 0;
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++)
            if (!isfinite(cost[i * n_columns + j]) || fabs(cost[i * n_columns + j]) > 1e150)
                return cot_fail(err, COT_BAD_DATA, "cost of row %zu and column %zu is %g; it must be finite", i, j,
                                cost[i * n_columns + j]);
    p.row_price = cot_alloc_array(p.n_rows + 1, 1, sizeof *p.row_price);
    p.column_price = cot_alloc_array(p.n_columns + 1, 1, sizeof *p.column_price);
    p.row_of = cot_alloc_array(p.n_columns + 1, 1, sizeof *p.row_of);
    p.before = cot_alloc_array(p.n_columns + 1, 1, sizeof *p.before);
    p.slack = cot_alloc_array(p.n_columns + 1, 1, sizeof *p.slack);
    p.done = cot_alloc_array(p.n_columns + 1, 1, sizeof *p.done);
    if (p.row_price == NULL || p.column_price == NULL || p.row_of == NULL || p.before == NULL || p.slack == NULL ||
        p.done == NULL) {
        rc = cot_fail(err, COT_NOMEM, "matching %zu rows to %zu columns", n_rows, n_columns);
        goto out;
    }
    solve(&p);
    for (size_t i = 0; i < n_rows; i++)
        ret_columns[i] = COT_MATCHING_NONE;
    for (size_t j = 1; j <= p.n_columns; j++) {
        size_t i = p.row_of[j];
        if (i == 0)
            continue;
        size_t row = transposed ? j - 1 : i - 1;
        ret_columns[row] = transposed ? i - 1 : j - 1;
        total += cost[row * n_columns + ret_columns[row]];
    }
    if (ret_cost != NULL)
        *ret_cost = total;
out:
    free(p.row_price);
    free(p.column_price);
    free(p.row_of);
    free(p.before);
    free(p.slack);
    free(p.done);
    return rc;
}
