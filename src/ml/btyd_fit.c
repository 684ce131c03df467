/* Fits of buy-till-you-die models: customers with the same numbers become groups, likelihoods are summed over those. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/btyd_model.h"
#include "num/check.h"
#include "num/minimise.h"
#include "num/special.h"

enum { MAX_BLOCKS = 64 };

/* ---- customers become groups ---- */

static int compare_groups(const void *left, const void *right)
{
    const struct cot_btyd_group *a = left;
    const struct cot_btyd_group *b = right;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    if (a->tx != b->tx)
        return a->tx < b->tx ? -1 : 1;
    if (a->T != b->T)
        return a->T < b->T ? -1 : 1;
    return (a->log_gaps > b->log_gaps) - (a->log_gaps < b->log_gaps); /* sums in one order */
}

/* Most customers of most shops never came back, and differ by T alone, which has few values: they are counted where
 * they are met, so that there is less to sort. What a place forgets becomes one group after sorting all the same. */
enum { N_MET = 1024 };

static size_t place_of(double T)
{
    uint64_t bits = 0;
    memcpy(&bits, &T, sizeof bits);
    return (size_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 54); /* 10 bits: N_MET places */
}

/* Adds a customer to groups[*n], or to a group met before. */
static void meet(struct cot_btyd_group *groups, size_t *n, const struct cot_btyd_group *customer, uint32_t met[N_MET])
{
    if (customer->x == 0 && customer->tx == 0 && customer->log_gaps == 0) {
        uint32_t *i = &met[place_of(customer->T)];
        if (*i > 0 && groups[*i - 1].T == customer->T) {
            groups[*i - 1].n += 1;
            return;
        }
        *i = *n < UINT32_MAX ? (uint32_t)*n + 1 : 0;
    }
    groups[(*n)++] = *customer;
}

/* ret_groups: sorted, each once; the caller frees them. */
static cot_code make_groups(const struct cot_btyd_customers *c, struct cot_btyd_group **ret_groups, size_t *ret_n,
                            struct cot_err *err)
{
    bool any_repeat = false;
    if (c->n == 0)
        return cot_fail(err, COT_BAD_DATA, "there are no customers");
    struct cot_btyd_group *groups = cot_alloc_array(c->n, 1, sizeof *groups);
    if (groups == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", c->n);
    uint32_t met[N_MET] = {0};
    size_t n_met = 0;
    for (size_t i = 0; i < c->n; i++) {
        cot_code rc = cot_btyd_check_customer(c, i, err);
        if (rc != COT_OK) {
            free(groups);
            return rc;
        }
        const struct cot_btyd_group customer = {
            .x = c->x[i], .tx = c->tx[i], .T = c->T[i], .n = 1, .log_gaps = c->log_gaps != NULL ? c->log_gaps[i] : 0};
        meet(groups, &n_met, &customer, met);
        any_repeat |= c->x[i] > 0;
    }
    if (!any_repeat) {
        free(groups);
        return cot_fail(err, COT_BAD_DATA, "none of %zu customers bought twice: there is nothing to learn a rate from",
                        c->n);
    }
    qsort(groups, n_met, sizeof *groups, compare_groups);
    size_t n = 1;
    for (size_t i = 1; i < n_met; i++) {
        struct cot_btyd_group *last = groups + n - 1;
        if (groups[i].x == last->x && groups[i].tx == last->tx && groups[i].T == last->T) {
            last->n += groups[i].n;
            last->log_gaps += groups[i].log_gaps;
        } else {
            groups[n++] = groups[i];
        }
    }
    *ret_groups = groups;
    *ret_n = n;
    return COT_OK;
}

/* ---- likelihood ---- */

struct fit {
    const struct cot_btyd_model *ops;
    const struct cot_btyd_options *options;
    struct cot_btyd model; /* at the point that is evaluated */
    struct cot_btyd_group *groups;
    size_t n_groups;
    size_t block;
    struct cot_btyd_tables tables;
    double constant;                    /* what depends on k alone */
    double centre[COT_BTYD_PARAMETERS]; /* logarithms of usual parameters */
    double partial[MAX_BLOCKS][1 + COT_BTYD_PARAMETERS];
};

static void tables_release(struct cot_btyd_tables *t)
{
    free(t->log_rising);
    free(t->psi_rising);
    free(t->log_beta);
    free(t->by_a);
    free(t->by_b);
    *t = (struct cot_btyd_tables){0};
}

static cot_code tables_init(struct cot_btyd_tables *ret_tables, size_t n_x, struct cot_err *err)
{
    struct cot_btyd_tables t = {.n_x = n_x};
    t.log_rising = cot_alloc_array(n_x, 1, sizeof *t.log_rising);
    t.psi_rising = cot_alloc_array(n_x, 1, sizeof *t.psi_rising);
    t.log_beta = cot_alloc_array(n_x, 1, sizeof *t.log_beta);
    t.by_a = cot_alloc_array(n_x, 1, sizeof *t.by_a);
    t.by_b = cot_alloc_array(n_x, 1, sizeof *t.by_b);
    if (t.log_rising == NULL || t.psi_rising == NULL || t.log_beta == NULL || t.by_a == NULL || t.by_b == NULL) {
        tables_release(&t);
        return cot_fail(err, COT_NOMEM, "customers with up to %zu purchases", n_x);
    }
    *ret_tables = t;
    return COT_OK;
}

static void sum_groups(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fit *fit = context;
    double *partial = fit->partial[i_block];
    (void)i_thread;
    memset(partial, 0, sizeof fit->partial[i_block]);
    for (size_t g = begin; g < end; g += COT_BTYD_BATCH)
        fit->ops->add_log_likelihoods(&fit->model, &fit->tables, fit->groups + g,
                                      end - g < COT_BTYD_BATCH ? end - g : COT_BTYD_BATCH, partial);
}

/* Minus the log-likelihood (and the prior) of the logarithms of the parameters. */
static double minus_log_likelihood(void *context, size_t n, const double *x, double *ret_gradient)
{
    struct fit *fit = context;
    const double spread = 1.5; /* of logarithms of parameters between shops */
    double value = -fit->constant;
    for (size_t p = 0; p < n; p++) {
        fit->model.parameters[p] = exp(x[p]);
        ret_gradient[p] = 0;
    }
    fit->ops->tabulate(&fit->model, &fit->tables);
    cot_parallel_for(fit->options->n_threads, fit->n_groups, fit->block, sum_groups, fit);
    for (size_t b = 0; b < cot_n_blocks(fit->n_groups, fit->block); b++) {
        value -= fit->partial[b][0];
        for (size_t p = 0; p < n; p++)
            ret_gradient[p] -= fit->partial[b][1 + p] * fit->model.parameters[p];
    }
    fit->model.log_likelihood = -value;
    for (size_t p = 0; p < n; p++) {
        double off = (x[p] - fit->centre[p]) / spread;
        value += fit->options->prior_weight * off * off / 2;
        ret_gradient[p] += fit->options->prior_weight * off / spread;
    }
    return value;
}

/* ---- fitting ---- */

/* Usual shops' parameters on this one's scale of time. */
static void centre_on_usual(struct fit *fit)
{
    double time = 0;
    double n = 0;
    for (size_t g = 0; g < fit->n_groups; g++) {
        time += fit->groups[g].n * fit->groups[g].T;
        n += fit->groups[g].n;
    }
    for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++)
        fit->centre[p] = log(fit->ops->typical[p] * (fit->ops->scale[p] ? time / n : 1));
}

/*
 * Customers that stand for all: every m-th of those who came back, in the groups' order, and every n-th of the others
 * (few or many, those tell most).
 */
static size_t sample_groups(const struct fit *fit, struct cot_btyd_group *ret_sample)
{
    const double enough = 1024; /* of either */
    double n[2] = {0};
    double step[2];
    double seen[2] = {0};
    size_t n_sample = 0;
    for (size_t g = 0; g < fit->n_groups; g++)
        n[fit->groups[g].x > 0] += fit->groups[g].n;
    for (int back = 0; back < 2; back++)
        step[back] = fmax(floor(n[back] / enough), 1);
    for (size_t g = 0; g < fit->n_groups; g++) {
        bool back = fit->groups[g].x > 0;
        double before = floor(seen[back] / step[back]);
        seen[back] += fit->groups[g].n;
        double chosen = floor(seen[back] / step[back]) - before;
        if (chosen > 0) {
            ret_sample[n_sample] = fit->groups[g];
            ret_sample[n_sample++].n = chosen * step[back];
        }
    }
    return n_sample;
}

struct range {
    double low[COT_BTYD_PARAMETERS];
    double high[COT_BTYD_PARAMETERS];
};

/* The best of several starts, each to a few digits. */
static cot_code best_of_starts(struct fit *fit, const struct range *range, double *ret_x, unsigned *ret_n,
                               struct cot_err *err)
{
    static const double starts[][COT_BTYD_PARAMETERS] = {{0, 0, 0, 0}, {1.2, 1.2, -1, 0.5}, {-1, -0.5, 0.7, -0.7}};
    const double few_digits = 1e-8;
    double best = INFINITY;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        double x[COT_BTYD_PARAMETERS];
        double value = 0;
        for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++)
            x[p] = fit->centre[p] + starts[i][p];
        cot_code rc = cot_minimise_until(minus_log_likelihood, fit, COT_BTYD_PARAMETERS, x, range->low, range->high,
                                         few_digits, &value, ret_n, err);
        if (rc != COT_OK)
            return rc;
        if (value < best) {
            best = value;
            memcpy(ret_x, x, sizeof x);
        }
    }
    return COT_OK;
}

/*
 * The starts are tried on a sample, which stands for all customers: its best point and the curvature there are where
 * the fit to all begins.
 */
static cot_code start_on_sample(const struct fit *fit, const struct range *range, double *ret_x, double *ret_covariance,
                                bool *ret_curved, unsigned *ret_n, struct cot_err *err)
{
    struct fit sample = *fit;
    sample.groups = cot_alloc_array(fit->n_groups, 1, sizeof *sample.groups);
    if (sample.groups == NULL)
        return cot_fail(err, COT_NOMEM, "a sample of %zu customers", fit->n_groups);
    sample.n_groups = sample_groups(fit, sample.groups);
    sample.block = cot_block_of(sample.n_groups, sample.ops->groups_a_block);
    cot_code rc = best_of_starts(&sample, range, ret_x, ret_n, err);
    if (rc == COT_OK)
        *ret_curved = cot_minimise_covariance(minus_log_likelihood, &sample, COT_BTYD_PARAMETERS, ret_x, ret_covariance,
                                              NULL) == COT_OK;
    free(sample.groups);
    return rc;
}

static cot_code fit_at_k(struct fit *fit, struct cot_btyd *ret_model, struct cot_err *err)
{
    const double reach = 9.2; /* a factor of 10,000 both ways */
    const double near = 0.01;
    double x[COT_BTYD_PARAMETERS];
    double gradient[COT_BTYD_PARAMETERS];
    double covariance[COT_BTYD_PARAMETERS * COT_BTYD_PARAMETERS];
    double value = 0;
    bool curved = false;
    struct range range;
    struct cot_btyd result = {.kind = fit->options->kind, .k = fit->model.k, .n_groups = fit->n_groups};
    for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++) {
        range.low[p] = fit->centre[p] - reach;
        range.high[p] = fit->centre[p] + reach;
    }
    cot_code rc = start_on_sample(fit, &range, x, covariance, &curved, &result.n_evaluations, err);
    if (rc == COT_OK && !curved) /* the sample tells too little: perhaps nobody in it came back */
        rc = best_of_starts(fit, &range, x, &result.n_evaluations, err);
    if (rc == COT_OK && curved)
        rc = cot_minimise_near(minus_log_likelihood, fit, COT_BTYD_PARAMETERS, x, covariance, range.low, range.high,
                               &value, &result.n_evaluations, err);
    else if (rc == COT_OK)
        rc = cot_minimise(minus_log_likelihood, fit, COT_BTYD_PARAMETERS, x, range.low, range.high, &value,
                          &result.n_evaluations, err);
    if (rc != COT_OK)
        return rc;
    curved = cot_minimise_covariance(minus_log_likelihood, fit, COT_BTYD_PARAMETERS, x, covariance, NULL) == COT_OK;
    (void)minus_log_likelihood(fit, COT_BTYD_PARAMETERS, x, gradient);
    result.log_likelihood = fit->model.log_likelihood;
    for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++) {
        result.parameters[p] = exp(x[p]);
        result.standard_errors[p] =
            curved ? result.parameters[p] * sqrt(covariance[p * COT_BTYD_PARAMETERS + p]) : (double)NAN;
        result.at_boundary |= x[p] < range.low[p] + near || x[p] > range.high[p] - near;
    }
    *ret_model = result;
    return COT_OK;
}

/* ln of the constant factor of Erlang-k times: product of gaps^(k - 1) / (k - 1)! */
static double constant_of(const struct fit *fit, unsigned k)
{
    double constant = 0;
    for (size_t g = 0; g < fit->n_groups && k > 1; g++)
        constant += (k - 1) * fit->groups[g].log_gaps - fit->groups[g].n * fit->groups[g].x * cot_log_gamma((double)k);
    return constant;
}

/* k up from 1 while the likelihood rises. */
static cot_code fit_best_k(struct fit *fit, unsigned first, unsigned last, struct cot_btyd *ret_model,
                           struct cot_err *err)
{
    struct cot_btyd best = {.log_likelihood = -INFINITY};
    for (unsigned k = first; k <= last; k++) {
        struct cot_btyd model = {0};
        fit->model = (struct cot_btyd){.kind = fit->options->kind, .k = k};
        fit->constant = constant_of(fit, k);
        cot_code rc = fit_at_k(fit, &model, err);
        if (rc != COT_OK)
            return rc;
        model.n_evaluations += best.n_evaluations;
        if (!(model.log_likelihood > best.log_likelihood)) {
            best.n_evaluations = model.n_evaluations;
            break;
        }
        best = model;
    }
    *ret_model = best;
    return COT_OK;
}

cot_code cot_btyd_fit(const struct cot_btyd_customers *customers, const struct cot_btyd_options *options,
                      struct cot_btyd *ret_model, struct cot_err *err)
{
    bool has_k = options->kind == COT_BTYD_BGCNBDK || options->kind == COT_BTYD_MBGCNBDK;
    struct fit fit = {.ops = cot_btyd_model_of(options->kind), .options = options};
    unsigned first = has_k && options->k > 0 ? options->k : 1;
    unsigned last = has_k && options->k == 0 ? COT_BTYD_MAX_K : first;
    if (options->k > COT_BTYD_MAX_K || (!has_k && options->k > 1))
        return cot_fail(err, COT_USAGE, "k is %u: %s takes %s", options->k, fit.ops->name,
                        has_k ? "1 to 12, or 0 for the best" : "none");
    if (!(options->prior_weight >= 0 && isfinite(options->prior_weight)))
        return cot_fail(err, COT_USAGE, "the prior's weight is %g: 0 or more customers", options->prior_weight);
    if (customers->log_gaps == NULL && last > 1) {
        if (options->k > 1)
            return cot_fail(err, COT_USAGE, "k is %u, but the times between purchases are not given", options->k);
        last = 1;
    }
    cot_code rc = make_groups(customers, &fit.groups, &fit.n_groups, err);
    if (rc != COT_OK)
        return rc;
    fit.block = cot_block_of(fit.n_groups, fit.ops->groups_a_block);
    rc = tables_init(&fit.tables, (size_t)fit.groups[fit.n_groups - 1].x + 2, err);
    if (rc == COT_OK) {
        centre_on_usual(&fit);
        rc = fit_best_k(&fit, first, last, ret_model, err);
        ret_model->n = customers->n;
    }
    tables_release(&fit.tables);
    free(fit.groups);
    return rc;
}
