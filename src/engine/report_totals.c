#include "engine/report_totals.h"

#include <stdlib.h>
#include <string.h>

/* One customer's orders: key hash (0: no key) and month, in order of time. */
struct order {
    uint64_t hash;
    uint32_t i_month;
    uint32_t place; /* among the customer's lines */
};

struct scan {
    struct cot_report_totals *totals;
    const struct cot_people *people;
    const struct cot_timelines *timelines;
    int64_t as_of_ms;
    struct cot_view view;
    struct order *orders;
    size_t orders_capacity;
    uint32_t *months; /* of the orders of one customer, same capacity */
};

static cot_code customer_run(struct scan *scan, uint32_t i, struct cot_run *ret_run, struct cot_err *err)
{
    const struct cot_people *people = scan->people;
    uint32_t start = people->starts[i];
    cot_code rc =
        cot_view_make(&scan->view, scan->timelines, people->nodes + start, people->starts[i + 1] - start, ret_run, err);
    if (rc == COT_OK)
        ret_run->n = cot_run_until(ret_run, scan->as_of_ms);
    return rc;
}

/* First and last commerce entry of all customers. INT64_MAX and INT64_MIN where there is none. */
static void find_span(const struct scan *scan, int64_t *ret_first_ms, int64_t *ret_last_ms)
{
    *ret_first_ms = INT64_MAX;
    *ret_last_ms = INT64_MIN;
    for (uint32_t node = 0; node < scan->timelines->n_nodes; node++) {
        struct cot_run run = cot_timelines_run(scan->timelines, node);
        run.n = cot_run_until(&run, scan->as_of_ms);
        for (size_t i = 0; i < run.n; i++) {
            if (!cot_entry_is_commerce(&run.entries[i]))
                continue;
            int64_t at = cot_entry_ms(&run.entries[i]);
            *ret_first_ms = at < *ret_first_ms ? at : *ret_first_ms;
            *ret_last_ms = at > *ret_last_ms ? at : *ret_last_ms;
        }
    }
}

static cot_code make_months(struct cot_report_totals *totals, int64_t first_ms, int64_t last_ms,
                            const struct cot_zone *zone, struct cot_err *err)
{
    struct cot_civil first;
    struct cot_civil last;
    cot_civil_from_ms(cot_zone_local(zone, first_ms), &first);
    cot_civil_from_ms(cot_zone_local(zone, last_ms), &last);
    size_t n = (size_t)((last.year - first.year) * 12 + last.month - first.month + 1);
    totals->months = calloc(n, sizeof *totals->months);
    if (totals->months == NULL)
        return cot_fail(err, COT_NOMEM, "%zu months", n);
    totals->n_months = n;
    for (size_t i = 0; i < n; i++) {
        int month = first.month - 1 + (int)i;
        struct cot_report_month *row = &totals->months[i];
        row->year = first.year + month / 12;
        row->month = month % 12 + 1;
        row->begin_ms = cot_zone_utc(zone, cot_days_from_civil(row->year, row->month, 1) * COT_MS_PER_DAY);
    }
    return COT_OK;
}

size_t cot_report_totals_month(const struct cot_report_totals *totals, int64_t at_ms)
{
    size_t low = 0;
    size_t high = totals->n_months;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (totals->months[middle].begin_ms <= at_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static cot_code reserve_orders(struct scan *scan, size_t n, struct cot_err *err)
{
    if (n <= scan->orders_capacity)
        return COT_OK;
    free(scan->orders);
    free(scan->months);
    scan->orders_capacity = 0;
    scan->orders = calloc(2 * n, sizeof *scan->orders);
    scan->months = calloc(2 * n, sizeof *scan->months);
    if (scan->orders == NULL || scan->months == NULL)
        return cot_fail(err, COT_NOMEM, "%zu order lines of one customer", n);
    scan->orders_capacity = 2 * n;
    return COT_OK;
}

static int compare_orders(const void *a, const void *b)
{
    const struct order *x = a;
    const struct order *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int compare_months(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Counts distinct orders of a customer's n_lines order lines; leaves each order's month, ascending, in scan->months. */
static size_t distinct_orders(struct scan *scan, size_t n_lines)
{
    size_t n_orders = 0;
    if (n_lines == 0)
        return 0; /* there may be no room yet, and qsort takes no NULL */
    qsort(scan->orders, n_lines, sizeof *scan->orders, compare_orders);
    for (size_t i = 0; i < n_lines; i++) {
        const struct order *order = &scan->orders[i];
        if (i == 0 || order->hash == 0 || order->hash != order[-1].hash)
            scan->months[n_orders++] = order->i_month;
    }
    qsort(scan->months, n_orders, sizeof *scan->months, compare_months);
    return n_orders;
}

static void add_orders(struct scan *scan, size_t n_orders)
{
    struct cot_report_totals *totals = scan->totals;
    if (n_orders == 0)
        return;
    totals->n_buyers++;
    totals->n_repeat += n_orders > 1;
    totals->n_orders += n_orders;
    totals->months[scan->months[0]].n_new++;
    for (size_t i = 0; i < n_orders; i++) {
        struct cot_report_month *month = &totals->months[scan->months[i]];
        month->n_orders++;
        month->n_customers += i == 0 || scan->months[i] != scan->months[i - 1];
    }
    cot_cohorts_add(&totals->cohorts, scan->months, n_orders);
}

static void add_order_line(struct scan *scan, size_t n_lines, const struct cot_line *line, size_t i_month, int64_t at)
{
    struct cot_report_totals *totals = scan->totals;
    scan->orders[n_lines] = (struct order){line->order, (uint32_t)i_month, (uint32_t)n_lines};
    totals->gross_minor += line->amount_minor;
    if (totals->n_lines == 0 || at < totals->first_ms)
        totals->first_ms = at;
    if (totals->n_lines == 0 || at > totals->last_ms)
        totals->last_ms = at;
    totals->n_lines++;
}

static cot_code add_customer(struct scan *scan, uint32_t i, struct cot_err *err)
{
    struct cot_report_totals *totals = scan->totals;
    struct cot_run run = {0};
    size_t n_lines = 0;
    bool purchaser = false;
    int64_t revenue = 0;
    cot_code rc = customer_run(scan, i, &run, err);
    if (rc == COT_OK)
        rc = reserve_orders(scan, run.n, err);
    if (rc != COT_OK)
        return rc;
    for (size_t j = 0; j < run.n; j++) {
        const struct cot_entry *entry = &run.entries[j];
        if (!cot_entry_is_commerce(entry))
            continue;
        const struct cot_line *line = &scan->timelines->lines.lines[entry->detail];
        size_t i_month = cot_report_totals_month(totals, cot_entry_ms(entry));
        purchaser = true;
        revenue += line->amount_minor;
        totals->months[i_month].revenue_minor += line->amount_minor;
        if (cot_entry_kind(entry) == COT_EVENT_ORDER_LINE) {
            add_order_line(scan, n_lines++, line, i_month, cot_entry_ms(entry));
        } else {
            totals->n_refunds++;
            totals->refunds_minor += line->amount_minor;
        }
    }
    if (purchaser)
        totals->purchaser_revenue_minor[totals->n_purchasers++] = revenue;
    add_orders(scan, distinct_orders(scan, n_lines));
    return COT_OK;
}

cot_code cot_report_totals_measure(struct cot_report_totals *totals, const struct cot_people *people,
                                   const struct cot_timelines *timelines, int64_t as_of_ms, const struct cot_zone *zone,
                                   const struct cot_progress *progress, struct cot_err *err)
{
    struct cot_report_totals result = {.n_customers = people->n};
    struct scan scan = {.totals = &result, .people = people, .timelines = timelines, .as_of_ms = as_of_ms};
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    cot_code rc = COT_OK;
    result.purchaser_revenue_minor = calloc((size_t)people->n + 1, sizeof *result.purchaser_revenue_minor);
    if (result.purchaser_revenue_minor == NULL)
        return cot_fail(err, COT_NOMEM, "revenue of %u customers", people->n);
    find_span(&scan, &first_ms, &last_ms);
    if (first_ms <= last_ms)
        rc = make_months(&result, first_ms, last_ms, zone, err);
    if (rc == COT_OK)
        rc = cot_cohorts_init(&result.cohorts, result.n_months, err);
    for (uint32_t i = 0; rc == COT_OK && i < people->n; i++) {
        if (i % 65536 == 0)
            cot_progress_report(progress, "adding up orders", i, people->n);
        rc = add_customer(&scan, i, err);
    }
    cot_view_release(&scan.view);
    free(scan.orders);
    free(scan.months);
    if (rc == COT_OK)
        *totals = result;
    else
        cot_report_totals_release(&result);
    return rc;
}

void cot_report_totals_release(struct cot_report_totals *totals)
{
    free(totals->purchaser_revenue_minor);
    free(totals->months);
    cot_cohorts_release(&totals->cohorts);
    *totals = (struct cot_report_totals){0};
}
