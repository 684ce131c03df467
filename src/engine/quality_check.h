/*
 * The checks behind `coterie quality`: data, not code. A check is one SQL query over the views of quality_views.c:
 *
 *   fact       order and refund lines in force: event_id, import_id, kind, moment, order_key, order_hash, item_id, code
 *              (of a correction without an item), quantity, amount, discount, customer (null: none), imported_at,
 *              row_hash, odd (why it is no product, else null)
 *   line       the same with item and name: for the few lines that are shown
 *   basket     a row an order; repeated: row hashes that occur more than once
 *   buyer      a row a customer with lines: customer, n_lines, n_bought, first, last, spend (net), gross,
 * discount, units total      one row: n_lines, n_order_lines, n_refund_lines, turnover, n_customers, n_rows_read,
 * first_at, last_at money(x)   minor units as text;  per_cent(x)  a share as text;  day_of(moment)  the shop's calendar
 * day
 *
 * It returns one row: n (0: nothing found), share, revenue_share (of the turnover), text, examples (a list of structs;
 * a field "customer" holds the customer's number and is shown as the shop's id). Most are a condition on `fact`.
 */
#ifndef COT_ENGINE_QUALITY_CHECK_H
#define COT_ENGINE_QUALITY_CHECK_H

#include <stddef.h>

#include "coterie/err.h"

struct cot_store;

struct cot_quality_check {
    const char *key;
    const char *dimension;
    double weight;
    const char *title;
    const char *where; /* a condition on `fact`; NULL: sql is given */
    const char *text;  /* with `where`: SQL expression over n, share, revenue_share, amount (absolute), n_customers and
                          the  columns of total */
    const char *sql;
    const char *means;
    const char *action;
};

extern const struct cot_quality_check cot_quality_line_checks[];
extern const size_t cot_quality_n_line_checks;
extern const struct cot_quality_check cot_quality_customer_checks[];
extern const size_t cot_quality_n_customer_checks;
extern const struct cot_quality_check cot_quality_import_checks[];
extern const size_t cot_quality_n_import_checks;

/* Makes the views on the store's connection (temporary: nothing is written). */
cot_code cot_quality_views_make(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;

/* Rows source, table, column, rows and the five dimensions. */
extern const char cot_quality_columns_sql[];

#endif
