#include "predict/league_interval.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "num/check.h"
#include "num/order.h"

enum { LEAST_A_BIN = 50 };

struct pair {
    double predicted, actual;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->predicted != b->predicted)
        return a->predicted < b->predicted ? -1 : 1;
    return (a->actual > b->actual) - (a->actual < b->actual);
}

/* Said of customers for whom no order is expected: ratios need something. */
static double said_at_least(double predicted)
{
    const double least = 1e-3;
    return predicted > least ? predicted : least;
}

void cot_conformal_release(struct cot_conformal *conformal)
{
    free(conformal->ratios);
    *conformal = (struct cot_conformal){0};
}

cot_code cot_conformal_fit(const double *predicted, const double *actual, size_t n, struct cot_conformal *ret,
                           struct cot_err *err)
{
    struct cot_conformal c = {.ratios = cot_alloc_array(n, 1, sizeof *c.ratios)};
    struct pair *pairs = cot_alloc_array(n, 1, sizeof *pairs);
    size_t n_bins = n / LEAST_A_BIN;
    if (pairs == NULL || c.ratios == NULL) {
        free(pairs);
        free(c.ratios);
        return cot_fail(err, COT_NOMEM, "%zu predictions", n);
    }
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct pair){predicted[i], actual[i]};
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    c.n_bins = n_bins < 1 ? 1 : n_bins > COT_CONFORMAL_MOST_BINS ? COT_CONFORMAL_MOST_BINS : n_bins;
    for (size_t b = 0; b < c.n_bins; b++) {
        size_t begin = b * n / c.n_bins;
        size_t end = (b + 1) * n / c.n_bins;
        for (size_t i = begin; i < end; i++)
            c.ratios[i] = pairs[i].actual / said_at_least(pairs[i].predicted);
        qsort(c.ratios + begin, end - begin, sizeof *c.ratios, cot_compare_doubles);
        c.starts[b] = begin;
        c.starts[b + 1] = end;
        c.edges[b] = b + 1 < c.n_bins ? pairs[end - 1].predicted : INFINITY;
    }
    free(pairs);
    *ret = c;
    return COT_OK;
}

static size_t bin_of(const struct cot_conformal *c, double predicted)
{
    size_t b = 0;
    while (b + 1 < c->n_bins && predicted > c->edges[b])
        b++;
    return b;
}

void cot_conformal_interval(const struct cot_conformal *conformal, double predicted, double *ret_low, double *ret_high)
{
    const double tail = 0.1;
    size_t b = bin_of(conformal, predicted);
    const double *ratios = conformal->ratios + conformal->starts[b];
    size_t m = conformal->starts[b + 1] - conformal->starts[b];
    double below = floor((double)(m + 1) * tail);
    double above = ceil((double)(m + 1) * (1 - tail));
    *ret_low = below >= 1 ? ratios[(size_t)below - 1] * said_at_least(predicted) : 0;
    *ret_high = above <= (double)m ? ratios[(size_t)above - 1] * said_at_least(predicted) : INFINITY;
}

/* How many of m ascending ratios are below, or with `equal` not above, a value. */
static size_t count_below(const double *ratios, size_t m, double value, bool equal)
{
    size_t begin = 0;
    while (begin < m) {
        size_t middle = begin + (m - begin) / 2;
        if (ratios[middle] < value || (equal && ratios[middle] <= value))
            begin = middle + 1;
        else
            m = middle;
    }
    return begin;
}

double cot_conformal_pit(const struct cot_conformal *conformal, double predicted, double actual, struct cot_rng *rng)
{
    size_t b = bin_of(conformal, predicted);
    const double *ratios = conformal->ratios + conformal->starts[b];
    size_t m = conformal->starts[b + 1] - conformal->starts[b];
    double ratio = actual / said_at_least(predicted);
    double below = (double)count_below(ratios, m, ratio, false);
    double equal = (double)count_below(ratios, m, ratio, true) - below + 1; /* itself */
    return (below + cot_rng_uniform(rng) * equal) / (double)(m + 1);
}
