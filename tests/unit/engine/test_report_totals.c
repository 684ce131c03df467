#include "engine/report_totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Three nodes, two customers (nodes 0 and 2 are one person) and one without orders. Times by hour of 2020. */
static int64_t at(int month, int day, int hour)
{
    return cot_days_from_civil(2020, month, day) * COT_MS_PER_DAY + hour * COT_MS_PER_HOUR;
}

static struct cot_line lines[] = {
    {.amount_minor = 1000, .order = 7, .quantity = 1},  /* node 0, January, order 7 */
    {.amount_minor = 500, .order = 7, .quantity = 1},   /* node 0, the same order */
    {.amount_minor = 300, .order = 0, .quantity = 1},   /* node 1, no key */
    {.amount_minor = 300, .order = 0, .quantity = 1},   /* node 1, no key: another order */
    {.amount_minor = -200, .order = 7, .quantity = 1},  /* node 2, refund in March */
    {.amount_minor = 9999, .order = 9, .quantity = 1},  /* node 2, after the moment */
    {.amount_minor = 250, .order = 7, .quantity = 1},   /* node 2, March, order 7 again: the same order of the person */
    {.amount_minor = -4000, .order = 0, .quantity = 1}, /* node 3: refunds only */
};

static cot_code measure(int64_t as_of_ms, const struct cot_zone *zone, struct cot_report_totals *totals)
{
    struct cot_entry entries[] = {
        cot_entry_make(at(1, 31, 23), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 0),
        cot_entry_make(at(1, 31, 23), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 1),
        cot_entry_make(at(1, 5, 1), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 2),
        cot_entry_make(at(3, 5, 1), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 3),
        cot_entry_make(at(3, 6, 0), COT_EVENT_PAGE_VIEW, 0, COT_NO_ITEM, 0),
        cot_entry_make(at(3, 7, 0), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 6),
        cot_entry_make(at(3, 8, 0), COT_EVENT_REFUND, 0, COT_NO_ITEM, 4),
        cot_entry_make(at(4, 1, 0), COT_EVENT_ORDER_LINE, 0, COT_NO_ITEM, 5),
        cot_entry_make(at(2, 1, 0), COT_EVENT_REFUND, 0, COT_NO_ITEM, 7),
    };
    uint64_t starts[] = {0, 2, 4, 8, 9};
    struct cot_timelines timelines = {
        .n_nodes = 4, .starts = starts, .entries = entries, .lines = {.lines = lines, .n = 8, .capacity = 8}};
    uint32_t people_starts[] = {0, 2, 3, 4};
    uint32_t nodes[] = {0, 2, 1, 3};
    uint32_t customer_of[] = {0, 1, 0, 2};
    struct cot_people people = {.n = 3, .starts = people_starts, .nodes = nodes, .customer_of = customer_of};
    struct cot_err err = {0};
    return cot_report_totals_measure(totals, &people, &timelines, as_of_ms, zone, NULL, &err);
}

static void test_totals(void **state)
{
    (void)state;
    struct cot_report_totals totals = {0};
    assert_int_equal(measure(at(3, 31, 0), NULL, &totals), COT_OK);
    assert_int_equal(totals.n_customers, 3);
    assert_int_equal(totals.n_purchasers, 3);
    assert_int_equal(totals.n_buyers, 2);
    assert_int_equal(totals.n_repeat, 1);
    assert_int_equal(totals.n_orders, 3); /* order 7 once, two without a key */
    assert_int_equal(totals.n_lines, 5);
    assert_int_equal(totals.n_refunds, 2);
    assert_int_equal(totals.gross_minor, 2350);
    assert_int_equal(totals.refunds_minor, -4200);
    assert_int_equal(totals.purchaser_revenue_minor[0], 1550);
    assert_int_equal(totals.purchaser_revenue_minor[1], 600);
    assert_int_equal(totals.purchaser_revenue_minor[2], -4000);
    assert_true(totals.first_ms == at(1, 5, 1));
    assert_true(totals.last_ms == at(3, 7, 0));
    cot_report_totals_release(&totals);
}

static void test_months(void **state)
{
    (void)state;
    struct cot_report_totals totals = {0};
    assert_int_equal(measure(at(3, 31, 0), NULL, &totals), COT_OK);
    assert_int_equal(totals.n_months, 3);
    assert_int_equal(totals.months[0].year, 2020);
    assert_int_equal(totals.months[0].month, 1);
    assert_int_equal(totals.months[0].revenue_minor, 1800);
    assert_int_equal(totals.months[0].n_orders, 2); /* order 7 belongs to its first line's month */
    assert_int_equal(totals.months[0].n_customers, 2);
    assert_int_equal(totals.months[0].n_new, 2);
    assert_int_equal(totals.months[1].revenue_minor, -4000);
    assert_int_equal(totals.months[1].n_orders, 0);
    assert_int_equal(totals.months[2].revenue_minor, 350);
    assert_int_equal(totals.months[2].n_orders, 1);
    assert_int_equal(totals.months[2].n_new, 0);
    assert_int_equal(cot_cohorts_active(&totals.cohorts, 0, 0), 2);
    assert_int_equal(cot_cohorts_active(&totals.cohorts, 0, 1), 0);
    assert_int_equal(cot_cohorts_active(&totals.cohorts, 0, 2), 1);
    cot_report_totals_release(&totals);
}

/* 31 January 23:00 UTC is February in Berlin. */
static void test_months_of_the_shop_s_time_zone(void **state)
{
    (void)state;
    struct cot_report_totals totals = {0};
    struct cot_zone *zone = NULL;
    struct cot_err err = {0};
    assert_int_equal(cot_zone_open("Europe/Berlin", &zone, &err), COT_OK);
    assert_int_equal(measure(at(3, 31, 0), zone, &totals), COT_OK);
    assert_int_equal(totals.months[0].n_orders, 1);
    assert_int_equal(totals.months[1].n_orders, 1);
    assert_int_equal(totals.months[1].revenue_minor, 1500 - 4000);
    cot_report_totals_release(&totals);
    cot_zone_free(zone);
}

static void test_before_everything(void **state)
{
    (void)state;
    struct cot_report_totals totals = {0};
    assert_int_equal(measure(at(1, 1, 0), NULL, &totals), COT_OK);
    assert_int_equal(totals.n_customers, 3);
    assert_int_equal(totals.n_purchasers, 0);
    assert_int_equal(totals.n_months, 0);
    cot_report_totals_release(&totals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_months_of_the_shop_s_time_zone),
        cmocka_unit_test(test_before_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
