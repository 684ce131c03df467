#include "coterie/btyd.h"

#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "ml/btyd_model.h"
#include "num/elementary.h"

const struct cot_btyd_model *cot_btyd_model_of(enum cot_btyd_kind kind)
{
    static const struct cot_btyd_model *const models[COT_BTYD_N_KINDS] = {[COT_BTYD_BGNBD] = &cot_btyd_bgnbd,
                                                                          [COT_BTYD_BGCNBDK] = &cot_btyd_bgcnbdk,
                                                                          [COT_BTYD_MBGCNBDK] = &cot_btyd_mbgcnbdk,
                                                                          [COT_BTYD_PARETO] = &cot_btyd_pareto};
    return models[kind];
}

const char *cot_btyd_kind_name(enum cot_btyd_kind kind)
{
    return cot_btyd_model_of(kind)->name;
}

const char *cot_btyd_parameter_name(enum cot_btyd_kind kind, size_t i)
{
    return cot_btyd_model_of(kind)->parameters[i];
}

void cot_btyd_options_init(struct cot_btyd_options *ret_options, enum cot_btyd_kind kind)
{
    *ret_options = (struct cot_btyd_options){.kind = kind};
}

cot_code cot_btyd_check_customer(const struct cot_btyd_customers *c, size_t i, struct cot_err *err)
{
    enum { MAX_X = 1 << 24 };
    double x = c->x[i];
    if (!(x >= 0 && x <= MAX_X && x == floor(x)))
        return cot_fail(err, COT_BAD_DATA, "customer %zu has %g repeat purchases: a whole number of 0..%d", i, x,
                        (int)MAX_X);
    if (!(c->T[i] >= 0 && isfinite(c->T[i])))
        return cot_fail(err, COT_BAD_DATA, "customer %zu was observed for %g: a time of 0 or more", i, c->T[i]);
    if (!(c->tx[i] >= 0 && c->tx[i] <= c->T[i]) || (x == 0 && c->tx[i] != 0) || (x > 0 && !(c->tx[i] > 0)))
        return cot_fail(
            err, COT_BAD_DATA,
            "customer %zu with %g repeat purchases made the last one at %g of %g: 0 without any, else above 0 "
            "and not after the end",
            i, x, c->tx[i], c->T[i]);
    if (c->log_gaps != NULL && !isfinite(c->log_gaps[i]))
        return cot_fail(err, COT_BAD_DATA, "customer %zu: the logarithms of the times between purchases sum up to %g",
                        i, c->log_gaps[i]);
    return COT_OK;
}

void cot_btyd_mix(size_t n, const double *log_dead, const double *log_alive, double *ret_log_sum, double *ret_dead)
{
    const struct cot_elementary *wide = cot_elementary_best();
    double less[COT_BTYD_BATCH]; /* the smaller one in units of the larger */
    double more[COT_BTYD_BATCH];
    for (size_t i = 0; i < n; i++)
        less[i] = -fabs(log_dead[i] - log_alive[i]);
    wide->exp(n, less, less);
    for (size_t i = 0; i < n; i++)
        more[i] = 1 + less[i];
    wide->log(n, more, ret_log_sum);
    for (size_t i = 0; i < n; i++) {
        bool mostly_dead = log_dead[i] > log_alive[i];
        ret_log_sum[i] += mostly_dead ? log_dead[i] : log_alive[i];
        ret_dead[i] = (mostly_dead ? 1 : less[i]) / more[i];
    }
}

/* ---- predictions ---- */

double cot_btyd_alive(const struct cot_btyd *model, struct cot_btyd_customer c)
{
    double alive = 0;
    cot_btyd_model_of(model->kind)->score(model, 1, &c.x, &c.tx, &c.T, 0, NULL, &alive);
    return alive;
}

double cot_btyd_expected(const struct cot_btyd *model, struct cot_btyd_customer c, double t)
{
    double alive = 0;
    double expected = 0;
    if (t > 0)
        cot_btyd_model_of(model->kind)->score(model, 1, &c.x, &c.tx, &c.T, t, &expected, &alive);
    return expected;
}

double cot_btyd_at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m)
{
    if (m == 0)
        return 1;
    return t > 0 ? cot_btyd_model_of(model->kind)->at_least(model, c, t, m) : 0;
}

unsigned cot_btyd_quantile(const struct cot_btyd *model, struct cot_btyd_customer c, double t, double q)
{
    enum { MOST = 100000 };
    unsigned m = 0;
    while (m < MOST && 1 - cot_btyd_at_least(model, c, t, m + 1) < q)
        m++;
    return m;
}

double cot_btyd_next(const struct cot_btyd *model, struct cot_btyd_customer c, double q)
{
    const double never = 1e6; /* observation times */
    double low = 0;
    double high = c.T > 0 ? c.T / 64 : 1;
    while (cot_btyd_at_least(model, c, high, 1) < q) {
        if (high > never * (c.T > 0 ? c.T : 1))
            return INFINITY;
        low = high;
        high *= 2;
    }
    for (int i = 0; i < 60 && high - low > 1e-9 * high; i++) {
        double middle = (low + high) / 2;
        if (cot_btyd_at_least(model, c, middle, 1) < q)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double cot_btyd_discounted(const struct cot_btyd *model, struct cot_btyd_customer c, double horizon, double rate)
{
    enum { STEPS = 52 };
    double total = 0;
    double before = 0;
    for (int i = 1; i <= STEPS; i++) {
        double t = horizon * i / STEPS;
        double until = cot_btyd_expected(model, c, t);
        total += (until - before) * pow(1 + rate, -(t - horizon / STEPS / 2));
        before = until;
    }
    return total;
}

double cot_btyd_new_customer(const struct cot_btyd *model, double t)
{
    return cot_btyd_expected(model, (struct cot_btyd_customer){0, 0, 0}, t);
}

struct scoring {
    const struct cot_btyd *model;
    const struct cot_btyd_customers *customers;
    double t;
    double *expected;
    double *alive;
};

static void score_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct scoring *s = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i += COT_BTYD_BATCH) {
        double alive[COT_BTYD_BATCH];
        size_t n = end - i < COT_BTYD_BATCH ? end - i : COT_BTYD_BATCH;
        cot_btyd_model_of(s->model->kind)
            ->score(s->model, n, s->customers->x + i, s->customers->tx + i, s->customers->T + i, s->t,
                    s->expected != NULL && s->t > 0 ? s->expected + i : NULL, s->alive != NULL ? s->alive + i : alive);
        if (s->expected != NULL && !(s->t > 0))
            memset(s->expected + i, 0, n * sizeof *s->expected);
    }
}

cot_code cot_btyd_score(const struct cot_btyd *model, const struct cot_btyd_customers *customers, double t,
                        unsigned n_threads, double *ret_expected, double *ret_alive, struct cot_err *err)
{
    enum { CUSTOMERS_A_BLOCK = 1024 };
    struct scoring scoring = {model, customers, t, ret_expected, ret_alive};
    if (!(t >= 0 && isfinite(t)))
        return cot_fail(err, COT_USAGE, "a horizon of %g: a time of 0 or more", t);
    for (size_t i = 0; i < customers->n; i++) {
        cot_code rc = cot_btyd_check_customer(customers, i, err);
        if (rc != COT_OK)
            return rc;
    }
    cot_parallel_for(n_threads, customers->n, CUSTOMERS_A_BLOCK, score_block, &scoring);
    return COT_OK;
}
