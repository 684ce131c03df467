#include "engine/demand_customers.h"

#include <math.h>
#include <stdlib.h>

#include "base/civil.h"
#include "coterie/btyd.h"
#include "engine/shop_origins.h"
#include "num/check.h"
#include "store/store.h"

enum { WEEK = COT_DEMAND_DAYS_A_WEEK, QUARTER = 91, KNOTS = 8, SAMPLE = 20000 };

/* As in the league: customers' worth of usual shops. */
static const double prior_customers = 20;

/* Customers as buy-till-you-die models take them, in weeks, and what a day with an order of theirs is worth. */
struct buyers {
    size_t n;
    double *x, *tx, *T, *expected, *worth; /* [n] */
    double *memory;
    double new_a_day;   /* customers who come, and */
    double spent;       /* what all spent, in the quarter before */
    double usual_worth; /* of a day with an order */
    int32_t n_days;     /* of that quarter: whole weeks, as far as the history reaches */
    struct cot_btyd model;
};

static cot_code buyers_init(struct buyers *b, const struct cot_purchases *p, struct cot_err *err)
{
    const double habit = 3; /* days with an order that all customers' mean counts for */
    double amount = 0;
    size_t n_days = p->n > 0 ? p->starts[p->n] : 0;
    *b = (struct buyers){.n = p->n, .memory = cot_alloc_array(p->n, 5, sizeof *b->memory)};
    if (b->memory == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", p->n);
    b->x = b->memory;
    b->tx = b->x + p->n;
    b->T = b->tx + p->n;
    b->expected = b->T + p->n;
    b->worth = b->expected + p->n;
    int32_t known = (p->last_day - p->first_day + 1) / WEEK * WEEK;
    b->n_days = known < WEEK ? WEEK : known < QUARTER ? known : QUARTER;
    for (size_t d = 0; d < n_days; d++) {
        amount += p->days[d].amount;
        b->spent += p->days[d].day > p->last_day - b->n_days ? p->days[d].amount : 0;
    }
    b->usual_worth = n_days > 0 ? amount / (double)n_days : 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct cot_purchase *days = p->days + p->starts[i];
        size_t n = p->starts[i + 1] - p->starts[i];
        double own = habit * b->usual_worth;
        for (size_t d = 0; d < n; d++)
            own += days[d].amount;
        b->x[i] = (double)(n - 1);
        b->tx[i] = (double)(days[n - 1].day - days[0].day) / WEEK;
        b->T[i] = (double)(p->last_day - days[0].day) / WEEK;
        b->worth[i] = own / ((double)n + habit);
        b->new_a_day += days[0].day > p->last_day - b->n_days ? 1 / (double)b->n_days : 0;
    }
    return COT_OK;
}

/* COT_NOT_FOUND where no model can be fitted. */
static cot_code fit(struct buyers *b, unsigned n_threads, struct cot_err *err)
{
    static const enum cot_btyd_kind kinds[] = {COT_BTYD_PARETO, COT_BTYD_BGNBD};
    const struct cot_btyd_customers customers = {.n = b->n, .x = b->x, .tx = b->tx, .T = b->T};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds && b->n > 0; k++) {
        struct cot_btyd_options options;
        cot_btyd_options_init(&options, kinds[k]);
        options.n_threads = n_threads;
        options.prior_weight = prior_customers;
        cot_code rc = cot_btyd_fit(&customers, &options, &b->model, err);
        if (rc == COT_OK || rc == COT_NOMEM)
            return rc;
    }
    return cot_fail(err, COT_NOT_FOUND, "no model of %zu customers", b->n);
}

/* What customers spend in the first t weeks: those who are there, and those who come (an order at once, then more). */
static cot_code spend_until(struct buyers *b, double t, unsigned n_threads, double *ret_spend, struct cot_err *err)
{
    enum { STEPS = 8 };
    const struct cot_btyd_customers customers = {.n = b->n, .x = b->x, .tx = b->tx, .T = b->T};
    double spend = 0;
    double repeats = 0; /* the mean of a new customer who comes at an even chance within t */
    cot_code rc = cot_btyd_score(&b->model, &customers, t, n_threads, b->expected, NULL, err);
    for (size_t i = 0; i < b->n && rc == COT_OK; i++)
        spend += b->expected[i] * b->worth[i];
    for (int s = 0; s < STEPS; s++)
        repeats += cot_btyd_new_customer(&b->model, t * (s + 0.5) / STEPS) / STEPS;
    *ret_spend = spend + b->new_a_day * WEEK * t * (1 + repeats) * b->usual_worth;
    return isfinite(*ret_spend) ? rc : cot_fail(err, COT_NOT_FOUND, "no expectation %g weeks ahead", t);
}

/* Sales of the shop in the last quarter by weekday, open days alone. */
static void sales_by_weekday(const struct cot_demand_history *h, int32_t n_days, double ret_mean[WEEK], double *ret_sum)
{
    double n[WEEK] = {0};
    size_t step = h->n_steps;
    *ret_sum = 0;
    for (int w = 0; w < WEEK; w++)
        ret_mean[w] = 0;
    for (int32_t day = h->last_day; day > h->last_day - n_days && day >= h->first_day && step > 0; day--) {
        int w = cot_demand_weekday(day);
        if (h->every == COT_DEMAND_EVERY_DAY && h->closed_weekday[w])
            continue;
        bool counts = h->every == COT_DEMAND_EVERY_DAY || w == WEEK - 1; /* a week ends on Sunday */
        step -= counts;
        ret_mean[w] += counts ? h->series[0].values[step] : 0;
        n[w] += counts;
        *ret_sum += counts ? h->series[0].values[step] : 0;
    }
    for (int w = 0; w < WEEK; w++)
        ret_mean[w] = n[w] > 0 ? ret_mean[w] / n[w] : 0;
}

/* Spreads what comes by calendar day over the model's steps; days that sell more get more. */
static void spread(struct cot_demand_history *h, const double knots[KNOTS + 1], const double by_weekday[WEEK],
                   double times)
{
    double mean = 0;
    size_t a_step = h->every == COT_DEMAND_EVERY_WEEK ? WEEK : 1;
    size_t n_days = h->n_calendar_ahead * a_step;
    for (int w = 0; w < WEEK; w++)
        mean += by_weekday[w] / WEEK;
    for (size_t d = 0; d < n_days; d++) {
        size_t step = h->steps_ahead[d / a_step];
        double from = (double)(d * KNOTS) / (double)n_days;
        size_t k = (size_t)from;
        double a_day = (knots[k + 1] - knots[k]) * KNOTS / (double)n_days;
        double share =
            a_step == 1 && mean > 0 ? by_weekday[cot_demand_weekday(h->last_day + 1 + (int32_t)d)] / mean : 1;
        if (step != SIZE_MAX)
            h->customers[step] += times * share * a_day;
    }
}

/* COT_NOT_FOUND where it can't be told. */
static cot_code fill_one(const struct cot_context *context, const struct cot_purchases *purchases,
                         struct cot_demand_history *h, struct cot_err *err)
{
    struct buyers b = {0};
    double knots[KNOTS + 1] = {0};
    double by_weekday[WEEK];
    double sold = 0;
    double weeks = (double)h->n_calendar_ahead * (h->every == COT_DEMAND_EVERY_WEEK ? 1 : 1.0 / WEEK);
    cot_code rc = buyers_init(&b, purchases, err);
    if (rc == COT_OK)
        rc = fit(&b, context->n_threads, err);
    for (size_t k = 1; k <= KNOTS && rc == COT_OK; k++)
        rc = spend_until(&b, weeks * (double)k / KNOTS, context->n_threads, knots + k, err);
    if (rc == COT_OK && !(b.spent > 0))
        rc = cot_fail(err, COT_NOT_FOUND, "nothing was spent in the last quarter");
    if (rc == COT_OK && (h->customers = cot_alloc_array(h->n_ahead, 1, sizeof *h->customers)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu steps", h->n_ahead);
    if (rc == COT_OK) {
        sales_by_weekday(h, b.n_days, by_weekday, &sold);
        spread(h, knots, by_weekday, sold / b.spent);
    }
    free(b.memory);
    return rc;
}

static cot_code fill_as_of(const struct cot_context *context, struct cot_store *store, const struct cot_shop *shop,
                           struct cot_demand_history *h, struct cot_err *err)
{
    const struct cot_shop_origins_options options = {.horizon = 1,
                                                     .sample = SAMPLE,
                                                     .without_features = true,
                                                     .without_categories = true,
                                                     .n_threads = context->n_threads};
    struct cot_shop_origin origin = {0};
    cot_code rc = cot_shop_origin_make(store, shop, h->last_day, &options, &origin, err);
    if (rc == COT_OK)
        rc = fill_one(context, &origin.league.purchases, h, err);
    cot_shop_origin_release(&origin);
    return rc;
}

static void forget(struct cot_demand_history *h)
{
    free(h->customers);
    h->customers = NULL;
}

cot_code cot_demand_customers_fill(const struct cot_context *context, struct cot_store *store,
                                   struct cot_demand_histories *histories, struct cot_err *err)
{
    const struct cot_shop_options options = {.as_of_ms = histories->now.as_of_ms, .n_threads = context->n_threads};
    struct cot_shop *shop = NULL;
    struct cot_err untold = {0};
    cot_code rc = cot_shop_load(store, &options, &shop, err);
    if (rc != COT_OK)
        return rc;
    rc = fill_as_of(context, store, shop, &histories->now, &untold);
    for (size_t p = 0; p < histories->n_pasts && rc == COT_OK; p++)
        rc = fill_as_of(context, store, shop, histories->pasts + p, &untold);
    cot_shop_free(shop);
    if (rc == COT_OK)
        return COT_OK;
    forget(&histories->now);
    for (size_t p = 0; p < histories->n_pasts; p++)
        forget(histories->pasts + p);
    return rc == COT_NOT_FOUND ? COT_OK : cot_fail(err, rc, "%s", untold.message);
}
