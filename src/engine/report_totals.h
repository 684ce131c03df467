/*
 * The shop in figures, from the timelines of its customers: headline, months, cohorts, revenue of each customer.
 *
 * One replay of all timelines up to a moment. An order is a distinct order key within a customer (a line without a key
 * is an order of its own) and belongs to the month of its first line; money belongs to the month of its own line.
 * Months are those of the shop's time zone.
 */
#ifndef COT_ENGINE_REPORT_TOTALS_H
#define COT_ENGINE_REPORT_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"
#include "base/progress.h"
#include "coterie/err.h"
#include "domain/identity.h"
#include "domain/timeline.h"
#include "engine/cohort.h"

struct cot_report_month {
    int year, month;       /* 2010, 12 */
    int64_t begin_ms;      /* UTC moment at which it begins */
    int64_t revenue_minor; /* net */
    uint64_t n_orders;
    uint64_t n_customers; /* who ordered */
    uint64_t n_new;       /* whose first order it was */
};

struct cot_report_totals {
    size_t n_customers;
    size_t n_purchasers;              /* customers with an order or a refund */
    int64_t *purchaser_revenue_minor; /* [n_purchasers] net, in people's order */
    uint64_t n_buyers;                /* customers with an order */
    uint64_t n_repeat;                /* with two or more */
    uint64_t n_orders;
    uint64_t n_lines;      /* order lines */
    uint64_t n_refunds;    /* refund lines */
    int64_t gross_minor;   /* of order lines */
    int64_t refunds_minor; /* <= 0 */
    int64_t first_ms;      /* of the first and the last order line; 0 where there is none */
    int64_t last_ms;
    size_t n_months; /* from the first to the last order line or refund, those without any included */
    struct cot_report_month *months;
    struct cot_cohorts cohorts; /* n_months */
};

/*
 * Entries after as_of_ms do not count. zone NULL: UTC. COT_NOMEM. O(entries), beside the sort of each customer's
 * orders. All zero is empty; _release frees.
 */
cot_code cot_report_totals_measure(struct cot_report_totals *totals, const struct cot_people *people,
                                   const struct cot_timelines *timelines, int64_t as_of_ms, const struct cot_zone *zone,
                                   const struct cot_progress *progress, struct cot_err *err) COT_MUST_CHECK;
void cot_report_totals_release(struct cot_report_totals *totals);

/* The month that holds a moment of the months' span; those outside give the first or the last. O(log months). */
size_t cot_report_totals_month(const struct cot_report_totals *totals, int64_t at_ms);

#endif
