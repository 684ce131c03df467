#include "engine/report_shop.h"

#include <stdio.h>

#include "base/json.h"
#include "engine/concentration.h"

enum { SHOWN_COHORTS = 24, MONTH_TEXT_SIZE = 32 };

static void add_money(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t minor,
                      const struct cot_report_shop *shop)
{
    yyjson_mut_obj_add_real(doc, object, key, (double)minor / shop->minor_per_unit);
}

/* part / whole; null where there is no whole. */
static void add_ratio(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double part, double whole)
{
    if (whole > 0)
        yyjson_mut_obj_add_real(doc, object, key, part / whole);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

static void add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, bool known, int64_t at_ms)
{
    if (known)
        cot_json_add_time(doc, object, key, at_ms);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

static void add_month_name(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                           const struct cot_report_month *month)
{
    char text[MONTH_TEXT_SIZE];
    snprintf(text, sizeof text, "%04d-%02d", month->year, month->month);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_definition(yyjson_mut_doc *doc, yyjson_mut_val *headline, const struct cot_report_shop *shop)
{
    char text[512];
    int used = snprintf(text, sizeof text,
                        "Net revenue: order lines after discount, without tax and shipping, less refunds at their own "
                        "date%s%s.",
                        shop->currency[0] != '\0' ? ", in " : "", shop->currency);
    if (shop->unassigned_lines > 0)
        snprintf(text + used, sizeof text - (size_t)used,
                 " Lines without a customer are in no figure but \"Without a customer\": nobody can be put into a "
                 "segment for them.");
    yyjson_mut_obj_add_strcpy(doc, headline, "revenue_definition", text);
}

static void add_headline(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_report_totals *totals = shop->totals;
    int64_t revenue = totals->gross_minor + totals->refunds_minor;
    yyjson_mut_val *headline = yyjson_mut_obj_add_obj(doc, root, "headline");
    yyjson_mut_obj_add_uint(doc, headline, "customers", totals->n_customers);
    yyjson_mut_obj_add_uint(doc, headline, "buyers", totals->n_buyers);
    yyjson_mut_obj_add_uint(doc, headline, "orders", totals->n_orders);
    yyjson_mut_obj_add_uint(doc, headline, "order_lines", totals->n_lines);
    add_ratio(doc, headline, "orders_per_buyer", (double)totals->n_orders, (double)totals->n_buyers);
    add_money(doc, headline, "revenue", revenue, shop);
    add_money(doc, headline, "gross", totals->gross_minor, shop);
    add_money(doc, headline, "refunds", totals->refunds_minor, shop);
    yyjson_mut_obj_add_uint(doc, headline, "refund_lines", totals->n_refunds);
    add_ratio(doc, headline, "average_order", (double)totals->gross_minor / shop->minor_per_unit,
              (double)totals->n_orders);
    yyjson_mut_obj_add_uint(doc, headline, "repeat_buyers", totals->n_repeat);
    add_ratio(doc, headline, "repeat_share", (double)totals->n_repeat, (double)totals->n_buyers);
    add_time(doc, headline, "from", totals->n_lines > 0, totals->first_ms);
    add_time(doc, headline, "to", totals->n_lines > 0, totals->last_ms);
    yyjson_mut_val *unassigned = yyjson_mut_obj_add_obj(doc, headline, "unassigned");
    yyjson_mut_obj_add_sint(doc, unassigned, "lines", shop->unassigned_lines);
    add_money(doc, unassigned, "revenue", shop->unassigned_minor, shop);
    add_ratio(doc, unassigned, "revenue_share", (double)shop->unassigned_minor,
              (double)shop->unassigned_minor + (double)revenue);
    add_definition(doc, headline, shop);
}

/* Whole: the data covers it from its first day to its last. */
static bool month_is_complete(const struct cot_report_shop *shop, size_t i)
{
    const struct cot_report_totals *totals = shop->totals;
    const struct cot_report_month *month = &totals->months[i];
    bool december = month->month == 12;
    int64_t next = cot_days_from_civil(month->year + december, december ? 1 : month->month + 1, 1) * COT_MS_PER_DAY;
    return shop->as_of_ms >= cot_zone_utc(shop->zone, next) - 1;
}

static void add_months(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    yyjson_mut_val *months = yyjson_mut_obj_add_arr(doc, root, "months");
    for (size_t i = 0; i < shop->totals->n_months; i++) {
        const struct cot_report_month *month = &shop->totals->months[i];
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, months);
        add_month_name(doc, row, "month", month);
        add_money(doc, row, "revenue", month->revenue_minor, shop);
        yyjson_mut_obj_add_uint(doc, row, "orders", month->n_orders);
        yyjson_mut_obj_add_uint(doc, row, "customers", month->n_customers);
        yyjson_mut_obj_add_uint(doc, row, "new_customers", month->n_new);
        yyjson_mut_obj_add_bool(doc, row, "complete", month_is_complete(shop, i));
    }
}

static void add_cohorts(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_report_totals *totals = shop->totals;
    size_t n = totals->n_months;
    uint64_t n_earlier = 0;
    yyjson_mut_val *cohorts = yyjson_mut_obj_add_obj(doc, root, "cohorts");
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, cohorts, "rows");
    for (size_t i = 0; i < n; i++) {
        uint64_t n_customers = cot_cohorts_active(&totals->cohorts, i, 0);
        if (i + SHOWN_COHORTS < n) {
            n_earlier += n_customers;
            continue;
        }
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        add_month_name(doc, row, "month", &totals->months[i]);
        yyjson_mut_obj_add_uint(doc, row, "customers", n_customers);
        yyjson_mut_val *active = yyjson_mut_obj_add_arr(doc, row, "active");
        for (size_t since = 0; i + since < n; since++)
            yyjson_mut_arr_add_uint(doc, active, cot_cohorts_active(&totals->cohorts, i, since));
    }
    yyjson_mut_obj_add_bool(doc, cohorts, "complete", n > 0 && month_is_complete(shop, n - 1));
    if (n > 0)
        add_month_name(doc, cohorts, "last_month", &totals->months[n - 1]);
    else
        yyjson_mut_obj_add_null(doc, cohorts, "last_month");
    yyjson_mut_obj_add_uint(doc, cohorts, "earlier_customers", n_earlier);
}

static cot_code add_concentration(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                  struct cot_err *err)
{
    struct cot_concentration measured = {0};
    cot_code rc =
        cot_concentration_measure(shop->totals->purchaser_revenue_minor, shop->totals->n_purchasers, &measured, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *value = yyjson_mut_obj_add_obj(doc, root, "concentration");
    yyjson_mut_obj_add_uint(doc, value, "customers", measured.n);
    yyjson_mut_obj_add_uint(doc, value, "negative", measured.n_negative);
    yyjson_mut_obj_add_real(doc, value, "gini", measured.gini);
    yyjson_mut_obj_add_uint(doc, value, "half_customers", measured.n_half);
    yyjson_mut_val *top = yyjson_mut_obj_add_arr(doc, value, "top");
    for (size_t i = 0; i < COT_CONCENTRATION_TOPS; i++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, top);
        yyjson_mut_obj_add_real(doc, row, "share", measured.top[i].percent / 100.0);
        yyjson_mut_obj_add_uint(doc, row, "customers", measured.top[i].n_customers);
        yyjson_mut_obj_add_real(doc, row, "revenue_share", measured.top[i].revenue_share);
    }
    yyjson_mut_val *curve = yyjson_mut_obj_add_arr(doc, value, "curve");
    for (size_t i = 0; i < COT_CONCENTRATION_POINTS; i++) {
        yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, curve);
        yyjson_mut_arr_add_real(doc, point, (double)i / (COT_CONCENTRATION_POINTS - 1));
        yyjson_mut_arr_add_real(doc, point, measured.curve[i]);
    }
    return COT_OK;
}

cot_code cot_report_shop_add(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root,
                             struct cot_err *err)
{
    add_headline(shop, doc, root);
    add_months(shop, doc, root);
    add_cohorts(shop, doc, root);
    return add_concentration(shop, doc, root, err);
}
