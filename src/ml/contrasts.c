#include "coterie/contrasts.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/threads.h"
#include "num/check.h"

enum { MIN_ROWS_A_BLOCK = 4096 };

/* Sums over present values of one column and segment, about a shift. */
struct sums {
    double n, sum, squares;
};

struct counting {
    const struct cot_matrix *x;
    const uint32_t *labels;
    size_t k;
    const double *shift; /* d: about the column means, so that squares lose nothing */
    struct sums *blocks; /* a block: k x d */
};

static void count_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct counting *c = context;
    size_t d = c->x->d;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(c->x, i);
        struct sums *sums = c->blocks + (i_block * c->k + c->labels[i]) * d;
        for (size_t j = 0; j < d; j++) {
            if (isnan(row[j]))
                continue;
            double value = (double)row[j] - c->shift[j];
            sums[j].n += 1;
            sums[j].sum += value;
            sums[j].squares += value * value;
        }
    }
}

/* Column means over present values; 0 where there is none. */
static void find_shift(const struct cot_matrix *x, double *ret_shift)
{
    for (size_t j = 0; j < x->d; j++) {
        double sum = 0;
        size_t n = 0;
        for (size_t i = 0; i < x->n; i++) {
            float value = cot_matrix_row(x, i)[j];
            if (isnan(value))
                continue;
            sum += (double)value;
            n++;
        }
        ret_shift[j] = n > 0 ? sum / (double)n : 0;
    }
}

static double variance(const struct sums *s)
{
    return s->n > 1 ? fmax(0, (s->squares - s->sum * s->sum / s->n) / (s->n - 1)) : 0;
}

/* Welch's test of one segment's values against the rest. */
static struct cot_contrast compare(const struct sums *in, const struct sums *all, double shift)
{
    struct sums out = {all->n - in->n, all->sum - in->sum, all->squares - in->squares};
    struct cot_contrast c = {.p = 1, .q = 1};
    double sd = all->n > 0 ? sqrt(fmax(0, (all->squares - all->sum * all->sum / all->n) / all->n)) : 0;
    c.mean_in = in->n > 0 ? shift + in->sum / in->n : NAN;
    c.mean_out = out.n > 0 ? shift + out.sum / out.n : NAN;
    /* Rounding leaves crumbs in the variance of a constant column. */
    if (in->n < 1 || out.n < 1 || sd <= 1e-7 * fabs(shift) || sd == 0)
        return c;
    c.difference = (c.mean_in - c.mean_out) / sd;
    if (in->n < 2 || out.n < 2)
        return c;
    double error_in = variance(in) / in->n;
    double error_out = variance(&out) / out.n;
    double error = error_in + error_out;
    if (error <= 0) { /* both sides constant: as different as can be, or equal */
        c.t = c.difference == 0 ? 0 : copysign(DBL_MAX, c.difference);
        c.df = all->n - 2;
        c.p = c.difference == 0 ? 1 : 0;
        return c;
    }
    c.t = (c.mean_in - c.mean_out) / sqrt(error);
    c.df = error * error / (error_in * error_in / (in->n - 1) + error_out * error_out / (out.n - 1));
    c.p = cot_student_p(c.t, c.df);
    return c;
}

static cot_code adjust(struct cot_contrast *contrasts, size_t n, struct cot_err *err)
{
    double *p = cot_alloc_array(n, 1, sizeof *p);
    if (p == NULL)
        return cot_fail(err, COT_NOMEM, "%zu tests", n);
    for (size_t i = 0; i < n; i++)
        p[i] = contrasts[i].p;
    cot_code rc = cot_false_discovery(p, n, p, err);
    for (size_t i = 0; rc == COT_OK && i < n; i++)
        contrasts[i].q = p[i];
    free(p);
    return rc;
}

cot_code cot_contrasts_compute(const struct cot_matrix *x, const uint32_t *labels, size_t k, unsigned n_threads,
                               struct cot_contrast *ret_contrasts, struct cot_err *err)
{
    size_t d = x->d;
    size_t block = cot_block_of(x->n, MIN_ROWS_A_BLOCK);
    size_t n_blocks = cot_n_blocks(x->n, block);
    struct counting c = {.x = x, .labels = labels, .k = k};
    double *shift = NULL;
    cot_code rc = cot_check_finite(x, true, err);
    if (rc == COT_OK)
        rc = cot_check_labels(labels, x->n, k, err);
    if (rc != COT_OK)
        return rc;
    shift = cot_alloc_array(d, 1, sizeof *shift);
    c.blocks = cot_alloc_array(n_blocks > 0 ? n_blocks : 1, k * d, sizeof *c.blocks);
    if (shift == NULL || c.blocks == NULL) {
        rc = cot_fail(err, COT_NOMEM, "contrasts of %zu segments and %zu features", k, d);
        goto out;
    }
    find_shift(x, shift);
    c.shift = shift;
    cot_parallel_for(n_threads, x->n, block, count_block, &c);
    for (size_t j = 0; j < d; j++) {
        struct sums all = {0};
        for (size_t s = 0; s < k; s++) {
            struct sums *first = &c.blocks[s * d + j];
            for (size_t b = 1; b < n_blocks; b++) {
                const struct sums *more = &c.blocks[(b * k + s) * d + j];
                *first = (struct sums){first->n + more->n, first->sum + more->sum, first->squares + more->squares};
            }
            all = (struct sums){all.n + first->n, all.sum + first->sum, all.squares + first->squares};
        }
        for (size_t s = 0; s < k; s++)
            ret_contrasts[s * d + j] = compare(&c.blocks[s * d + j], &all, shift[j]);
    }
    rc = adjust(ret_contrasts, k * d, err);
out:
    free(shift);
    free(c.blocks);
    return rc;
}

/* Continued fraction of the incomplete beta function by Lentz's method (Press et al., Numerical Recipes, 6.4). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1;
    double e = 1 - (a + b) * x / (a + 1);
    e = 1 / (fabs(e) < tiny ? tiny : e);
    double result = e;
    for (int m = 1; m <= 1000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double terms[2] = {even, odd};
        double factor = 1;
        for (int i = 0; i < 2; i++) {
            e = 1 + terms[i] * e;
            c = 1 + terms[i] / c;
            e = 1 / (fabs(e) < tiny ? tiny : e);
            c = fabs(c) < tiny ? tiny : c;
            factor = e * c;
            result *= factor;
        }
        if (fabs(factor - 1) < 1e-15)
            break;
    }
    return result;
}

double cot_student_p(double t, double df)
{
    if (isnan(t) || isnan(df) || df <= 0)
        return NAN;
    if (!isfinite(t) || fabs(t) > 1e150)
        return 0;
    /* p = I_x(df/2, 1/2) at x = df / (df + t^2), from whichever tail converges. */
    double a = df / 2;
    double b = 0.5;
    double x = df / (df + t * t);
    double y = t * t / (df + t * t);
    int sign = 0;
    double front = lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign);
    if (y == 0)
        return 1;
    front = exp(front + a * (t * t < df ? log1p(-y) : log(x)) + b * log(y));
    double p = x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, y) / b;
    return fmin(1, fmax(0, p));
}

struct ranked {
    double p;
    size_t i;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

cot_code cot_false_discovery(const double *p, size_t n, double *ret_q, struct cot_err *err)
{
    struct ranked *order = cot_alloc_array(n, 1, sizeof *order);
    double least = 1;
    if (order == NULL)
        return cot_fail(err, COT_NOMEM, "%zu tests", n);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){.p = p[i], .i = i};
    qsort(order, n, sizeof *order, compare_ranked);
    for (size_t rank = n; rank-- > 0;) {
        least = fmin(least, order[rank].p * (double)n / (double)(rank + 1));
        ret_q[order[rank].i] = least;
    }
    free(order);
    return COT_OK;
}
