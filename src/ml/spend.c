#include "coterie/spend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/minimise.h"
#include "num/special.h"

enum { P, Q, GAMMA, MIN_CUSTOMERS_A_BLOCK = 256, MAX_BLOCKS = 64 };

const char *cot_spend_parameter_name(size_t i)
{
    static const char *const names[COT_SPEND_PARAMETERS] = {"p", "q", "gamma"};
    return names[i];
}

struct fit {
    const double *x, *m;
    size_t *order; /* customers by x, so that what depends on x alone is computed once */
    size_t n;
    size_t block;
    unsigned n_threads;
    double p, q, gamma;
    double psi_q, log_gamma_q;
    double partial[MAX_BLOCKS][1 + COT_SPEND_PARAMETERS];
};

/*
 * ln gamma(p x + q) - ln gamma(p x) - ln gamma(q) + q ln gamma + (p x - 1) ln m + p x ln x - (p x + q) ln(gamma + m x)
 */
static void sum_customers(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fit *f = context;
    double *partial = f->partial[i_block];
    double last = NAN;
    double log_gammas = 0;
    double psi_sum = 0;
    double psi_px = 0;
    (void)i_thread;
    memset(partial, 0, sizeof f->partial[i_block]);
    for (size_t i = begin; i < end; i++) {
        double x = f->x[f->order[i]];
        double m = f->m[f->order[i]];
        if (x != last) {
            last = x;
            log_gammas = cot_log_gamma(f->p * x + f->q) - cot_log_gamma(f->p * x) - f->log_gamma_q;
            psi_sum = cot_digamma(f->p * x + f->q);
            psi_px = cot_digamma(f->p * x);
        }
        double log_rest = log(f->gamma + m * x);
        double log_mx = log(m * x);
        partial[0] += log_gammas + f->q * log(f->gamma) - log(m) + f->p * x * log_mx - (f->p * x + f->q) * log_rest;
        partial[1 + P] += x * (psi_sum - psi_px + log_mx - log_rest);
        partial[1 + Q] += psi_sum - f->psi_q + log(f->gamma) - log_rest;
        partial[1 + GAMMA] += f->q / f->gamma - (f->p * x + f->q) / (f->gamma + m * x);
    }
}

static double minus_log_likelihood(void *context, size_t n, const double *x, double *ret_gradient)
{
    struct fit *f = context;
    double value = 0;
    const double parameters[COT_SPEND_PARAMETERS] = {exp(x[P]), exp(x[Q]), exp(x[GAMMA])};
    f->p = parameters[P];
    f->q = parameters[Q];
    f->gamma = parameters[GAMMA];
    f->log_gamma_q = cot_log_gamma(f->q);
    f->psi_q = cot_digamma(f->q);
    cot_parallel_for(f->n_threads, f->n, f->block, sum_customers, f);
    memset(ret_gradient, 0, n * sizeof *ret_gradient);
    for (size_t b = 0; b < cot_n_blocks(f->n, f->block); b++) {
        value -= f->partial[b][0];
        for (size_t p = 0; p < n; p++)
            ret_gradient[p] -= f->partial[b][1 + p] * parameters[p];
    }
    return value;
}

struct key {
    double x, m;
    size_t i;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    if (a->m != b->m)
        return a->m < b->m ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

static cot_code choose_customers(size_t n, const double *x, const double *m, struct fit *fit, double *ret_mean,
                                 struct cot_err *err)
{
    struct key *keys = cot_alloc_array(n, 1, sizeof *keys);
    double total = 0;
    size_t n_keys = 0;
    if (keys == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(m[i]) || x[i] < 0) {
            free(keys);
            return cot_fail(err, COT_BAD_DATA, "customer %zu has %g purchases of mean %g", i, x[i], m[i]);
        }
        if (x[i] > 0 && m[i] > 0)
            keys[n_keys++] = (struct key){x[i], m[i], i};
    }
    qsort(keys, n_keys, sizeof *keys, compare_keys);
    fit->order = cot_alloc_array(n_keys, 1, sizeof *fit->order);
    for (size_t i = 0; fit->order != NULL && i < n_keys; i++) {
        fit->order[i] = keys[i].i;
        total += keys[i].m;
    }
    free(keys);
    if (fit->order == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", n);
    if (n_keys < 2)
        return cot_fail(err, COT_BAD_DATA, "%zu of %zu customers have purchases of some value: two are the least",
                        n_keys, n);
    fit->n = n_keys;
    *ret_mean = total / (double)n_keys;
    return COT_OK;
}

cot_code cot_spend_fit(size_t n, const double *x, const double *m, unsigned n_threads, struct cot_spend *ret_model,
                       struct cot_err *err)
{
    const double range = 9.2;
    struct fit fit = {.x = x, .m = m, .n_threads = n_threads};
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
    free(fit.order);
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
