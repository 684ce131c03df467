#include "predict/league_view.h"

#include <math.h>
#include <stdlib.h>

#include "base/threads.h"
#include "coterie/spend.h"
#include "num/check.h"

static const double week = 7;

/* Weight of what is usual in other shops, in customers: it holds small shops up and vanishes in large ones. */
static const double prior_customers = 20;

static const enum cot_btyd_kind kinds[COT_LEAGUE_N_MODELS] = {COT_BTYD_BGNBD, COT_BTYD_MBGCNBDK, COT_BTYD_PARETO};

enum { N_FIXED = 8, N_COLUMNS = N_FIXED + 2 * COT_LEAGUE_N_MODELS + COT_N_QUESTIONS * (2 + COT_LEAGUE_MAX_CANDIDATES) };

static void list_columns(struct cot_league_view *v, double **ret_columns[N_COLUMNS])
{
    double **const fixed[N_FIXED] = {&v->x,    &v->tx,          &v->T,          &v->log_gaps,
                                     &v->mean, &v->past_orders, &v->past_spend, &v->worth};
    size_t n = 0;
    for (; n < N_FIXED; n++)
        ret_columns[n] = fixed[n];
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++) {
        ret_columns[n++] = v->expected + m;
        ret_columns[n++] = v->silent + m;
    }
    for (size_t q = 0; q < COT_N_QUESTIONS; q++) {
        ret_columns[n++] = v->boosted + q;
        ret_columns[n++] = v->network + q;
        for (size_t c = 0; c < COT_LEAGUE_MAX_CANDIDATES; c++)
            ret_columns[n++] = v->answers[q] + c;
    }
}

void cot_league_view_release(struct cot_league_view *view)
{
    double **columns[N_COLUMNS];
    list_columns(view, columns);
    for (size_t i = 0; i < N_COLUMNS; i++)
        free(*columns[i]);
    for (size_t q = 0; q < COT_N_QUESTIONS; q++)
        cot_boosted_free(view->trees[q]);
    *view = (struct cot_league_view){0};
}

static void describe(struct cot_league_view *v, size_t i, const struct cot_purchase *days, size_t n)
{
    int32_t origin = v->origin->purchases.last_day;
    double total = 0;
    for (size_t p = 0; p < n; p++) {
        total += days[p].amount;
        if (days[p].day > origin - (int32_t)v->horizon) {
            v->past_orders[i] += 1;
            v->past_spend[i] += days[p].amount;
        }
        if (p > 0)
            v->log_gaps[i] += log((days[p].day - days[p - 1].day) / week);
    }
    v->x[i] = (double)(n - 1);
    v->tx[i] = (days[n - 1].day - days[0].day) / week;
    v->T[i] = (origin - days[0].day) / week;
    v->mean[i] = total / (double)n;
}

cot_code cot_league_view_init(struct cot_league_view *ret_view, const struct cot_league_origin *origin,
                              unsigned horizon, struct cot_err *err)
{
    const struct cot_purchases *purchases = &origin->purchases;
    struct cot_league_view v = {.n = purchases->n, .origin = origin, .horizon = horizon};
    double **columns[N_COLUMNS];
    list_columns(&v, columns);
    for (size_t i = 0; i < N_COLUMNS; i++)
        if ((*columns[i] = cot_alloc_array(purchases->n, 1, sizeof **columns[i])) == NULL) {
            cot_league_view_release(&v);
            return cot_fail(err, COT_NOMEM, "predictions for %zu customers", purchases->n);
        }
    for (size_t i = 0; i < v.n; i++)
        describe(&v, i, purchases->days + purchases->starts[i], purchases->starts[i + 1] - purchases->starts[i]);
    *ret_view = v;
    return COT_OK;
}

/* ---- models ---- */

size_t cot_league_view_model(const struct cot_league_view *view)
{
    size_t m = COT_LEAGUE_N_MODELS;
    while (m > 0 && (view->n == 0 || !isfinite(view->expected[m - 1][0]) || !isfinite(view->silent[m - 1][0])))
        m--;
    return m > 0 ? m - 1 : COT_LEAGUE_N_MODELS;
}

struct silence {
    const struct cot_btyd *model;
    const struct cot_league_view *view;
    double weeks;
    double *silent;
};

static void silent_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct silence *s = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        struct cot_btyd_customer c = {s->view->x[i], s->view->tx[i], s->view->T[i]};
        s->silent[i] = 1 - cot_btyd_at_least(s->model, c, s->weeks, 1);
    }
}

/* COT_NOMEM and the like stay errors; data that a model can't be fitted to is an answer. */
static cot_code unless_unfit(cot_code rc, double *const *columns, size_t n_columns, size_t n)
{
    if (rc != COT_BAD_DATA && rc != COT_USAGE && rc != COT_INTERNAL)
        return rc;
    for (size_t c = 0; c < n_columns; c++)
        for (size_t i = 0; i < n; i++)
            columns[c][i] = NAN;
    return COT_OK;
}

static cot_code predict_counts(struct cot_league_view *v, size_t m, double weeks, unsigned n_threads,
                               struct cot_err *err)
{
    enum { BLOCK = 64 };
    const struct cot_btyd_customers customers = {.n = v->n, .x = v->x, .tx = v->tx, .T = v->T, .log_gaps = v->log_gaps};
    double *const columns[] = {v->expected[m], v->silent[m]};
    struct cot_btyd_options options;
    struct cot_btyd *model = v->models + m;
    cot_btyd_options_init(&options, kinds[m]);
    options.n_threads = n_threads;
    options.prior_weight = prior_customers;
    cot_code rc = cot_btyd_fit(&customers, &options, model, err);
    if (rc == COT_OK)
        rc = cot_btyd_score(model, &customers, weeks, n_threads, v->expected[m], NULL, err);
    if (rc == COT_OK) {
        struct silence silence = {model, v, weeks, v->silent[m]};
        cot_parallel_for(n_threads, v->n, BLOCK, silent_block, &silence);
    }
    return unless_unfit(rc, columns, sizeof columns / sizeof *columns, v->n);
}

/* Gamma-Gamma over all days with an order; the first counts like the others. */
static cot_code predict_worth(struct cot_league_view *v, unsigned n_threads, struct cot_err *err)
{
    struct cot_spend model = {0};
    double *days = cot_alloc_array(v->n, 1, sizeof *days);
    double *const columns[] = {v->worth};
    if (days == NULL)
        return cot_fail(err, COT_NOMEM, "spend of %zu customers", v->n);
    for (size_t i = 0; i < v->n; i++)
        days[i] = v->x[i] + 1;
    cot_code rc = cot_spend_fit(v->n, days, v->mean, n_threads, &model, err);
    for (size_t i = 0; i < v->n && rc == COT_OK; i++)
        v->worth[i] = v->mean[i] > 0 ? cot_spend_expected(&model, days[i], v->mean[i]) : 0;
    free(days);
    return unless_unfit(rc, columns, 1, v->n);
}

cot_code cot_league_view_predict(struct cot_league_view *view, unsigned n_threads, struct cot_err *err)
{
    cot_code rc = predict_worth(view, n_threads, err);
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS && rc == COT_OK; m++)
        rc = predict_counts(view, m, view->horizon / week, n_threads, err);
    return rc;
}
