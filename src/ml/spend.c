#include "coterie/spend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/elementary.h"
#include "num/minimise.h"
#include "num/special.h"

enum { P, Q, GAMMA, MIN_CUSTOMERS_A_BLOCK = 16384, MAX_BLOCKS = 64, BATCH = 256 };

const char *cot_spend_parameter_name(size_t i)
{
    static const char *const names[COT_SPEND_PARAMETERS] = {"p", "q", "gamma"};
    return names[i];
}

struct customer {
    double x, m;
};

/*
 * ln L = ln gamma(p x + q) - ln gamma(p x) - ln gamma(q) + q ln gamma + p x ln(m x) - ln m - (p x + q) ln(gamma + m x)
 *
 * Customers are sorted by x: what depends on x alone is computed once, and all that is needed of customers with the
 * same x are the sums of ln(gamma + m x) and of 1 / (gamma + m x).
 */
struct fit {
    struct customer *customers;
    double *spent; /* m x */
    size_t n;
    size_t block;
    unsigned n_threads;
    double x_log_spent; /* sums over all customers: x ln(m x), ln m */
    double log_m;
    double p, q, gamma;
    double psi_q, log_gamma_q;
    double partial[MAX_BLOCKS][1 + COT_SPEND_PARAMETERS];
};

/* Customers [begin, end), who have the same x. */
static void sum_alike(const struct fit *f, size_t begin, size_t end, double *partial)
{
    const struct cot_elementary *wide = cot_elementary_best();
    double n = (double)(end - begin);
    double x = f->customers[begin].x;
    double logs = 0;
    double inverses = 0;
    for (size_t i = begin; i < end; i += BATCH) {
        size_t n_batch = end - i < BATCH ? end - i : BATCH;
        double rest[BATCH];
        double log_rest[BATCH];
        for (size_t k = 0; k < n_batch; k++)
            rest[k] = f->gamma + f->spent[i + k];
        wide->log(n_batch, rest, log_rest);
        for (size_t k = 0; k < n_batch; k++) {
            logs += log_rest[k];
            inverses += 1 / rest[k];
        }
    }
    double both = f->p * x + f->q;
    double psi = cot_digamma(both);
    partial[0] +=
        n * (cot_log_gamma(both) - cot_log_gamma(f->p * x) - f->log_gamma_q + f->q * log(f->gamma)) - both * logs;
    partial[1 + P] += x * (n * (psi - cot_digamma(f->p * x)) - logs);
    partial[1 + Q] += n * (psi - f->psi_q + log(f->gamma)) - logs;
    partial[1 + GAMMA] += n * f->q / f->gamma - both * inverses;
}

static void sum_customers(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fit *f = context;
    (void)i_thread;
    memset(f->partial[i_block], 0, sizeof f->partial[i_block]);
    for (size_t first = begin, last = begin; first < end; first = last) {
        while (last < end && f->customers[last].x == f->customers[first].x)
            last++;
        sum_alike(f, first, last, f->partial[i_block]);
    }
}

static double minus_log_likelihood(void *context, size_t n, const double *x, double *ret_gradient)
{
    struct fit *f = context;
    const double parameters[COT_SPEND_PARAMETERS] = {exp(x[P]), exp(x[Q]), exp(x[GAMMA])};
    f->p = parameters[P];
    f->q = parameters[Q];
    f->gamma = parameters[GAMMA];
    f->log_gamma_q = cot_log_gamma(f->q);
    f->psi_q = cot_digamma(f->q);
    cot_parallel_for(f->n_threads, f->n, f->block, sum_customers, f);
    double value = f->log_m - f->p * f->x_log_spent;
    memset(ret_gradient, 0, n * sizeof *ret_gradient);
    ret_gradient[P] = -f->x_log_spent * f->p;
    for (size_t b = 0; b < cot_n_blocks(f->n, f->block); b++) {
        value -= f->partial[b][0];
        for (size_t p = 0; p < n; p++)
            ret_gradient[p] -= f->partial[b][1 + p] * parameters[p];
    }
    return value;
}

static int compare_customers(const void *left, const void *right)
{
    const struct customer *a = left;
    const struct customer *b = right;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return (a->m > b->m) - (a->m < b->m); /* sums in one order */
}

static void fit_release(struct fit *fit)
{
    free(fit->customers);
    free(fit->spent);
}

static cot_code choose_customers(size_t n, const double *x, const double *m, struct fit *fit, double *ret_mean,
                                 struct cot_err *err)
{
    double total = 0;
    fit->customers = cot_alloc_array(n, 1, sizeof *fit->customers);
    fit->spent = cot_alloc_array(n, 1, sizeof *fit->spent);
    if (fit->customers == NULL || fit->spent == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(m[i]) || x[i] < 0)
            return cot_fail(err, COT_BAD_DATA, "customer %zu has %g purchases of mean %g", i, x[i], m[i]);
        if (x[i] > 0 && m[i] > 0)
            fit->customers[fit->n++] = (struct customer){x[i], m[i]};
    }
    if (fit->n < 2)
        return cot_fail(err, COT_BAD_DATA, "%zu of %zu customers have purchases of some value: two are the least",
                        fit->n, n);
    qsort(fit->customers, fit->n, sizeof *fit->customers, compare_customers);
    for (size_t i = 0; i < fit->n; i++) {
        const struct customer *c = fit->customers + i;
        fit->spent[i] = c->m * c->x;
        fit->x_log_spent += c->x * log(fit->spent[i]);
        fit->log_m += log(c->m);
        total += c->m;
    }
    *ret_mean = total / (double)fit->n;
    return COT_OK;
}

cot_code cot_spend_fit(size_t n, const double *x, const double *m, unsigned n_threads, struct cot_spend *ret_model,
                       struct cot_err *err)
{
    const double range = 9.2;
    struct fit fit = {.n_threads = n_threads};
    struct cot_spend result = {0};
    double at[COT_SPEND_PARAMETERS];
    double low[COT_SPEND_PARAMETERS];
    double high[COT_SPEND_PARAMETERS];
    double covariance[COT_SPEND_PARAMETERS * COT_SPEND_PARAMETERS];
    double value = 0;
    double mean = 0;
    cot_code rc = choose_customers(n, x, m, &fit, &mean, err);
    if (rc == COT_OK) {
        const double start[COT_SPEND_PARAMETERS] = {log(4), log(4), log(mean * 0.75)};
        fit.block = cot_block_of(fit.n, MIN_CUSTOMERS_A_BLOCK);
        for (size_t p = 0; p < COT_SPEND_PARAMETERS; p++) {
            at[p] = start[p];
            low[p] = start[p] - range;
            high[p] = start[p] + range;
        }
        rc = cot_minimise(minus_log_likelihood, &fit, COT_SPEND_PARAMETERS, at, low, high, &value,
                          &result.n_evaluations, err);
    }
    if (rc == COT_OK) {
        cot_code curved =
            cot_minimise_covariance(minus_log_likelihood, &fit, COT_SPEND_PARAMETERS, at, covariance, NULL);
        result.log_likelihood = -value;
        result.n = fit.n;
        for (size_t p = 0; p < COT_SPEND_PARAMETERS; p++) {
            result.parameters[p] = exp(at[p]);
            result.standard_errors[p] =
                curved == COT_OK ? result.parameters[p] * sqrt(covariance[p * COT_SPEND_PARAMETERS + p]) : (double)NAN;
            result.at_boundary |= at[p] < low[p] + 0.01 || at[p] > high[p] - 0.01;
        }
        *ret_model = result;
    }
    fit_release(&fit);
    return rc;
}

double cot_spend_expected(const struct cot_spend *model, double x, double m)
{
    double p = model->parameters[P];
    double q = model->parameters[Q];
    if (x <= 0 || m <= 0)
        return q > 1 ? p * model->parameters[GAMMA] / (q - 1) : INFINITY;
    return p * (model->parameters[GAMMA] + x * m) / (p * x + q - 1);
}
