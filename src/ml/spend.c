#include "coterie/spend.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/elementary.h"
#include "num/minimise.h"
#include "num/order.h"
#include "num/special.h"

enum { P, Q, GAMMA, MIN_CUSTOMERS_A_BLOCK = 16384, MAX_BLOCKS = 64, BATCH = 256, LANES = 4 };

const char *cot_spend_parameter_name(size_t i)
{
    static const char *const names[COT_SPEND_PARAMETERS] = {"p", "q", "gamma"};
    return names[i];
}

/*
 * ln L = ln gamma(p x + q) - ln gamma(p x) - ln gamma(q) + q ln gamma + p x ln(m x) - ln m - (p x + q) ln(gamma + m x)
 *
 * Customers are sorted by x: what depends on x alone is computed once, and all that is needed of customers with the
 * same x are the sums of ln(1 + m x / gamma) and of 1 / (1 + m x / gamma).
 */
struct fit {
    double *x, *spent; /* spent: m x; sorted by x, then by spent, so that sums are made in one order */
    size_t n;
    size_t block;
    unsigned n_threads;
    double x_log_spent; /* sums over all customers: x ln(m x), ln m */
    double log_m;
    double p, q, gamma;
    double psi_q, log_gamma_q; /* of q: digamma, logarithm of the gamma function */
    double log_gamma;          /* of the parameter */
    double partial[MAX_BLOCKS][1 + COT_SPEND_PARAMETERS];
};

/* In lanes, so that it vectorises: the same order with any instruction set. */
static double sum_of(const double *values, size_t n)
{
    double sums[LANES] = {0};
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += values[i + lane];
    for (size_t i = whole; i < n; i++)
        sums[i - whole] += values[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Sum of ln(values), normal numbers above 0. */
static double sum_of_logs(const double *values, size_t n)
{
    const struct cot_elementary *wide = cot_elementary_best();
    double sum = 0;
    for (size_t i = 0; i < n; i += BATCH) {
        size_t n_batch = n - i < BATCH ? n - i : BATCH;
        double logs[BATCH];
        wide->log(n_batch, values + i, logs);
        sum += sum_of(logs, n_batch);
    }
    return sum;
}

/*
 * Sums of ln(1 + spent / gamma) and of 1 / (1 + spent / gamma): four share a logarithm and a division. Their product
 * can't overflow, since gamma is not far below the mean.
 */
static void sum_terms(const double *spent, size_t n, double gamma, double *ret_logs, double *ret_inverses)
{
    enum { WAYS = 4 };
    double scale = 1 / gamma;
    *ret_logs = 0;
    *ret_inverses = 0;
    for (size_t i = 0; i < n; i += BATCH) {
        size_t n_batch = n - i < BATCH ? n - i : BATCH;
        size_t n_each = (n_batch + WAYS - 1) / WAYS;
        double terms[BATCH];
        double products[BATCH / WAYS];
        double inverses[BATCH / WAYS];
        for (size_t k = 0; k < n_batch; k++)
            terms[k] = 1 + spent[i + k] * scale;
        for (size_t k = n_batch; k < WAYS * n_each; k++)
            terms[k] = 1; /* of whom the logarithm is 0 and the inverse 1 */
        for (size_t k = 0; k < n_each; k++) {
            double a = terms[k];
            double b = terms[n_each + k];
            double c = terms[2 * n_each + k];
            double d = terms[3 * n_each + k];
            products[k] = (a * b) * (c * d);
            inverses[k] = ((a + b) * (c * d) + (c + d) * (a * b)) / products[k];
        }
        *ret_inverses += sum_of(inverses, n_each) - (double)(WAYS * n_each - n_batch);
        *ret_logs += sum_of_logs(products, n_each);
    }
}

/* Where those end who have the x of the first of [begin, end): in steps twice as long each, then halving the last. */
static size_t end_of_alike(const double *x, size_t begin, size_t end)
{
    size_t step = 1;
    while (begin + step < end && x[begin + step] == x[begin])
        step *= 2;
    size_t alike = begin + step / 2;
    size_t other = begin + step < end ? begin + step : end;
    while (other - alike > 1) {
        size_t middle = alike + (other - alike) / 2;
        if (x[middle] == x[begin])
            alike = middle;
        else
            other = middle;
    }
    return other;
}

/* Customers [begin, end), who have the same x. */
static void sum_alike(const struct fit *f, size_t begin, size_t end, double *partial)
{
    double n = (double)(end - begin);
    double x = f->x[begin];
    double logs = 0;
    double inverses = 0;
    sum_terms(f->spent + begin, end - begin, f->gamma, &logs, &inverses);
    double both = f->p * x + f->q;
    double psi = cot_digamma(both);
    partial[0] +=
        n * (cot_log_gamma(both) - cot_log_gamma(f->p * x) - f->log_gamma_q - f->p * x * f->log_gamma) - both * logs;
    partial[1 + P] += x * (n * (psi - cot_digamma(f->p * x) - f->log_gamma) - logs);
    partial[1 + Q] += n * (psi - f->psi_q) - logs;
    partial[1 + GAMMA] += (n * f->q - both * inverses) / f->gamma;
}

static void sum_customers(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fit *f = context;
    (void)i_thread;
    memset(f->partial[i_block], 0, sizeof f->partial[i_block]);
    for (size_t first = begin, last = begin; first < end; first = last) {
        last = end_of_alike(f->x, first, end);
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
    f->log_gamma = log(f->gamma);
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

static void fit_release(struct fit *fit)
{
    free(fit->x);
    free(fit->spent);
}

/* Those with purchases of some value, sorted by x and then by what they spent. */
static cot_code choose_customers(size_t n, const double *x, const double *m, struct cot_double_pair *chosen,
                                 struct cot_double_pair *scratch, size_t *ret_n, struct cot_err *err)
{
    size_t n_chosen = 0;
    for (size_t i = 0; i < n; i++) {
        double spent = m[i] * x[i];
        if (!isfinite(spent) || x[i] < 0)
            return cot_fail(err, COT_BAD_DATA, "customer %zu has %g purchases of mean %g", i, x[i], m[i]);
        chosen[n_chosen] = (struct cot_double_pair){x[i], spent}; /* who is chosen is hard to foresee for a branch */
        n_chosen += spent >= DBL_MIN;
    }
    if (n_chosen < 2)
        return cot_fail(err, COT_BAD_DATA, "%zu of %zu customers have purchases of some value: two are the least",
                        n_chosen, n);
    cot_sort_double_pairs(chosen, n_chosen, scratch);
    *ret_n = n_chosen;
    return COT_OK;
}

/* What does not depend on the parameters, and the mean of m. */
static double describe_customers(struct fit *fit)
{
    double total = 0;
    for (size_t first = 0, last = 0; first < fit->n; first = last) {
        double x = fit->x[first];
        last = end_of_alike(fit->x, first, fit->n);
        double logs = sum_of_logs(fit->spent + first, last - first);
        fit->x_log_spent += x * logs;
        fit->log_m += logs - (double)(last - first) * log(x);
        total += sum_of(fit->spent + first, last - first) / x;
    }
    return total / (double)fit->n;
}

static cot_code fit_init(size_t n, const double *x, const double *m, struct fit *fit, double *ret_mean,
                         struct cot_err *err)
{
    struct cot_double_pair *chosen = cot_alloc_array(n, 2, sizeof *chosen);
    cot_code rc = chosen == NULL ? cot_fail(err, COT_NOMEM, "%zu customers", n)
                                 : choose_customers(n, x, m, chosen, chosen + n, &fit->n, err);
    if (rc == COT_OK) {
        fit->x = cot_alloc_array(fit->n, 1, sizeof *fit->x);
        fit->spent = cot_alloc_array(fit->n, 1, sizeof *fit->spent);
        if (fit->x == NULL || fit->spent == NULL)
            rc = cot_fail(err, COT_NOMEM, "%zu customers", n);
    }
    for (size_t i = 0; i < fit->n && rc == COT_OK; i++) {
        fit->x[i] = chosen[i].first;
        fit->spent[i] = chosen[i].second;
    }
    if (rc == COT_OK)
        *ret_mean = describe_customers(fit);
    free(chosen);
    return rc;
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
    cot_code rc = fit_init(n, x, m, &fit, &mean, err);
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
