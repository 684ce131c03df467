#include "engine/prediction_newest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/civil.h"
#include "domain/event.h"
#include "domain/value_tier.h"
#include "store/store.h"

static int64_t within_range(int64_t as_of_ms)
{
    return as_of_ms < COT_EVENT_MAX_MS ? as_of_ms : COT_EVENT_MAX_MS;
}

/* ---- for features ---- */

#define MADE_BY "least(as_of, created_at) <= epoch_ms(%" PRId64 ")::timestamp_ms"

static float float_at(const struct cot_rows *rows, size_t i_column)
{
    return cot_rows_is_null(rows, i_column) ? NAN : (float)cot_rows_double(rows, i_column);
}

static cot_code load_horizons(struct cot_store *store, int64_t as_of_ms, struct cot_predictions *predictions,
                              struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select r.horizon_days, p.customer, p.spend, p.orders, p.churn from " COT_NEWEST_RUNS(
                                    MADE_BY) " r join prediction p using (run_id)",
                                as_of_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        struct cot_prediction *row = NULL;
        size_t h = 0;
        while (h < COT_N_PREDICTED && cot_predicted_days[h] != (unsigned)cot_rows_int(rows, 0))
            h++;
        if (h == COT_N_PREDICTED)
            continue;
        rc = cot_predictions_put(predictions, (uint32_t)cot_rows_int(rows, 1), &row, err);
        if (rc != COT_OK)
            break;
        row->spend[h] = float_at(rows, 2);
        row->orders[h] = float_at(rows, 3);
        row->churn[h] = float_at(rows, 4);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_value(struct cot_store *store, int64_t as_of_ms, struct cot_predictions *predictions,
                           struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(
        store, &rows, err,
        "with r as (select run_id, as_of, least(as_of, created_at) as said_at from prediction_run where " MADE_BY
        " order by as_of desc, folds > 0 desc, if(folds > 0, horizon_days, -horizon_days) desc, run_id desc limit 1)"
        " select p.customer, p.next_order_days, r.as_of, r.said_at, row_number() over (order by p.spend desc,"
        " p.customer), count(*) over () from prediction p join r using (run_id)",
        as_of_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        struct cot_prediction *row = NULL;
        size_t place = (size_t)cot_rows_int(rows, 4);
        size_t tier = 0;
        rc = cot_predictions_put(predictions, (uint32_t)cot_rows_int(rows, 0), &row, err);
        if (rc != COT_OK)
            break;
        while (place > cot_value_tier_end(tier, (size_t)cot_rows_int(rows, 5)))
            tier++;
        row->tier = (float)tier;
        row->next_said_ms = cot_rows_int(rows, 3);
        if (!cot_rows_is_null(rows, 1))
            row->next_order_ms = cot_rows_int(rows, 2) + (int64_t)(cot_rows_double(rows, 1) * (double)COT_MS_PER_DAY);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_predictions_load(struct cot_store *store, int64_t as_of_ms, struct cot_predictions *ret_predictions,
                              struct cot_err *err)
{
    struct cot_predictions predictions = {0};
    cot_code rc = load_horizons(store, within_range(as_of_ms), &predictions, err);
    if (rc == COT_OK)
        rc = load_value(store, within_range(as_of_ms), &predictions, err);
    if (rc != COT_OK) {
        cot_predictions_release(&predictions);
        return rc;
    }
    *ret_predictions = predictions;
    return COT_OK;
}

/* ---- told as sums ---- */

cot_code cot_prediction_rows_add(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *array, const char *sql,
                                 struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", sql);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *text = cot_rows_text(rows, 0, &size);
        yyjson_doc *row = yyjson_read(text, size, 0);
        yyjson_mut_val *value = row != NULL ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(row)) : NULL;
        yyjson_doc_free(row);
        if (value == NULL || !yyjson_mut_arr_append(array, value))
            rc = cot_fail(err, COT_NOMEM, "predictions");
    }
    cot_rows_close(rows);
    return rc;
}

/* SQL: the tier of a place (from 1) among so many, as cot_value_tier_end cuts. */
static cot_code put_tier(struct cot_buf *sql, struct cot_err *err)
{
    cot_code rc = cot_buf_puts(sql, "case", err);
    for (size_t tier = 0; tier < COT_N_VALUE_TIERS && rc == COT_OK; tier++)
        rc = cot_buf_printf(sql, err, " when place <= ceil(%.17g::double * n) then '%c'", cot_value_tier_shares[tier],
                            cot_value_tier_name(tier));
    return rc == COT_OK ? cot_buf_puts(sql, " end", err) : rc;
}

static cot_code put_without(struct cot_buf *list, const struct cot_prediction_consent *consent, const uint32_t *nodes,
                            size_t n, struct cot_err *err)
{
    bool allowed[COT_CONSENT_BLOCK];
    cot_code rc = COT_OK;
    consent->of(consent->context, nodes, n, allowed);
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        if (!allowed[i])
            rc = cot_buf_printf(list, err, ", %u", nodes[i]);
    return rc;
}

/* SQL: the nodes, as a list that is never empty, of whom something was predicted and who have withdrawn since. */
static cot_code list_without(struct cot_store *store, int64_t as_of_ms, const struct cot_prediction_consent *consent,
                             struct cot_buf *list, struct cot_err *err)
{
    uint32_t nodes[COT_CONSENT_BLOCK];
    struct cot_rows *rows = NULL;
    size_t n = 0;
    bool more = false;
    cot_code rc = cot_buf_puts(list, "-1", err);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select distinct p.customer from " COT_NEWEST_RUNS("as_of <= epoch_ms(%" PRId64
                                                                              ")::timestamp_ms") " join prediction p"
                                                                                                 " using (run_id)",
                           as_of_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        nodes[n++] = (uint32_t)cot_rows_int(rows, 0);
        if (n < COT_CONSENT_BLOCK)
            continue;
        rc = put_without(list, consent, nodes, n, err);
        n = 0;
    }
    cot_rows_close(rows);
    return rc == COT_OK ? put_without(list, consent, nodes, n, err) : rc;
}

cot_code cot_prediction_newest_add(struct cot_store *store, int64_t as_of_ms,
                                   const struct cot_prediction_consent *consent, yyjson_mut_doc *doc,
                                   yyjson_mut_val *array, struct cot_err *err)
{
    struct cot_buf without = {0};
    struct cot_buf sql = {0};
    as_of_ms = within_range(as_of_ms);
    cot_code rc = list_without(store, as_of_ms, consent, &without, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(&sql, err,
                            "with newest as " COT_NEWEST_RUNS(
                                "as_of <= epoch_ms(%" PRId64
                                ")::timestamp_ms") ", said as (select p.* from prediction p join newest using"
                                                   " (run_id) where p.customer not in (%s)),"
                                                   " ranked as (select run_id, spend, row_number() over (partition by"
                                                   " run_id order by spend desc, customer) as place, count(*) over"
                                                   " (partition by run_id) as n from said),"
                                                   " tiered as (select run_id, spend, ",
                            as_of_ms, cot_buf_text(&without));
    if (rc == COT_OK)
        rc = put_tier(&sql, err);
    if (rc == COT_OK)
        rc = cot_buf_puts(
            &sql,
            " as tier from ranked),"
            " tier as (select run_id, tier, count(*) as customers, sum(spend) as spend from tiered group by all),"
            " total as (select run_id, count(*) as customers, sum(spend) as spend, sum(orders) as orders,"
            " avg(churn) as churn from said group by run_id)"
            " select json_object('run', r.run_id, 'as_of', strftime(r.as_of, '%Y-%m-%dT%H:%M:%S.%gZ'), 'days',"
            " r.horizon_days, 'currency', r.currency, 'customers', t.customers, 'folds', r.folds, 'models',"
            " json_object('spend', r.spend_model, 'orders', r.orders_model, 'churn', r.churn_model), 'spend', t.spend,"
            " 'orders', t.orders, 'churn', t.churn, 'tiers', (select to_json(list({'tier': tier, 'customers': "
            "customers,"
            " 'spend': spend, 'spend_share': spend / nullif(t.spend, 0)} order by tier)) from tier where tier.run_id ="
            " r.run_id))::varchar from newest r join total t using (run_id) order by r.horizon_days",
            err);
    if (rc == COT_OK)
        rc = cot_prediction_rows_add(store, doc, array, cot_buf_text(&sql), err);
    cot_buf_release(&without);
    cot_buf_release(&sql);
    return rc;
}
