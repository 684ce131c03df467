#include "engine/shop_purchases.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/civil.h"

static int32_t day_of(const struct cot_history *history, int64_t at_ms)
{
    return (int32_t)cot_ms_to_days(history->zone != NULL ? cot_zone_local(history->zone, at_ms) : at_ms);
}

/* Appends the days of one customer's run; entries are in order of time, local days nearly: clocks go back. */
static void add_days(const struct cot_history *history, const struct cot_run *run, struct cot_purchase *days,
                     size_t first, size_t *n)
{
    for (size_t i = 0; i < run->n; i++) {
        const struct cot_entry *entry = run->entries + i;
        if (cot_entry_kind(entry) != COT_EVENT_ORDER_LINE)
            continue;
        int32_t day = day_of(history, cot_entry_ms(entry));
        double amount = (double)history->timelines.lines.lines[entry->detail].amount_minor / history->minor_per_unit;
        if (*n > first && days[*n - 1].day >= day)
            days[*n - 1].amount += amount;
        else
            days[(*n)++] = (struct cot_purchase){day, amount};
    }
}

static cot_code add_customer(struct cot_shop_purchases *p, const struct cot_history *history, uint32_t i_customer,
                             struct cot_view *view, size_t *n_days, size_t *capacity, struct cot_err *err)
{
    const uint32_t *nodes = history->people.nodes + history->people.starts[i_customer];
    size_t n_nodes = history->people.starts[i_customer + 1] - history->people.starts[i_customer];
    struct cot_run run = {0};
    cot_code rc = cot_view_make(view, &history->timelines, nodes, n_nodes, &run, err);
    if (rc != COT_OK)
        return rc;
    run.n = cot_run_until(&run, history->as_of_ms);
    struct cot_purchase *grown = cot_array_reserve(p->days, capacity, *n_days + run.n, sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu purchases", *n_days + run.n);
    size_t first = *n_days;
    p->days = grown;
    add_days(history, &run, p->days, first, n_days);
    if (*n_days == first)
        return COT_OK;
    p->starts[p->purchases.n] = first;
    p->customers[p->purchases.n++] = i_customer;
    p->starts[p->purchases.n] = *n_days;
    return COT_OK;
}

cot_code cot_shop_purchases_make(const struct cot_shop *shop, struct cot_shop_purchases *ret_purchases,
                                 struct cot_err *err)
{
    const struct cot_history *history = &shop->history;
    struct cot_shop_purchases p = {0};
    struct cot_view view = {0};
    size_t n_days = 0;
    size_t capacity = 0;
    size_t n_people = history->people.n;
    p.starts = calloc(n_people + 1, sizeof *p.starts);
    p.customers = calloc(n_people + 1, sizeof *p.customers);
    cot_code rc =
        p.starts == NULL || p.customers == NULL ? cot_fail(err, COT_NOMEM, "%zu customers", n_people) : COT_OK;
    for (uint32_t i = 0; i < n_people && rc == COT_OK; i++)
        rc = add_customer(&p, history, i, &view, &n_days, &capacity, err);
    cot_view_release(&view);
    if (rc == COT_OK && n_days == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "nobody has ordered anything yet: import orders first");
    if (rc != COT_OK) {
        cot_shop_purchases_release(&p);
        return rc;
    }
    p.purchases.starts = p.starts;
    p.purchases.days = p.days;
    p.purchases.last_day = day_of(history, history->as_of_ms);
    p.purchases.first_day = p.days[0].day;
    for (size_t i = 1; i < n_days; i++)
        p.purchases.first_day = p.days[i].day < p.purchases.first_day ? p.days[i].day : p.purchases.first_day;
    *ret_purchases = p;
    return COT_OK;
}

void cot_shop_purchases_release(struct cot_shop_purchases *purchases)
{
    free(purchases->customers);
    free(purchases->starts);
    free(purchases->days);
    *purchases = (struct cot_shop_purchases){0};
}
