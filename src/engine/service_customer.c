#include "engine/service_customer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/json.h"
#include "engine/forget.h"
#include "engine/ingest_parts.h"
#include "engine/live_profile.h"
#include "store/row_json.h"

/* The caller holds state. */
static cot_code find(struct cot_ingest *ingest, const char *id, size_t size, uint32_t *ret_node, struct cot_err *err)
{
    if (ingest->live == NULL || ingest->shop == NULL)
        return cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment");
    return cot_live_find(ingest->live, &ingest->shop->nodes, id, size, ret_node, err);
}

/* The caller holds state. */
static cot_code fill_view(struct cot_ingest *ingest, enum cot_customer_view view, uint32_t node, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    const struct cot_customer *customer = NULL;
    struct cot_live_shop *live = ingest->live;
    const struct cot_dict *nodes = &ingest->shop->nodes;
    cot_code rc = cot_live_customer(live->live, node, &customer, err);
    if (rc == COT_OK && view == COT_CUSTOMER_PROFILE) {
        rc = cot_live_profile(live, nodes, node, customer, doc, root, err);
    } else if (rc == COT_OK) {
        cot_live_add_customer_id(live, nodes, node, doc, root, "customer_id");
        rc = cot_live_add_segment(live, node, customer, doc, root, err);
    }
    if (rc == COT_OK && ingest->census != NULL)
        cot_census_add_rfm(ingest->census, customer, doc, root);
    return rc == COT_OK && view == COT_CUSTOMER_SEGMENTS
               ? cot_rule_segments_of(ingest->rules, &over, node, doc, root, err)
               : rc;
}

cot_code cot_service_customer(struct cot_service *service, enum cot_customer_view view, const char *id, size_t size,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    uint32_t node = 0;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    rc = find(ingest, id, size, &node, err);
    if (rc == COT_OK)
        rc = cot_ingest_tick(ingest, err);
    if (rc == COT_OK)
        rc = fill_view(ingest, view, node, doc, root, err);
    cot_state_unlock(&ingest->state);
    return cot_json_finish(rc, doc, ret_doc);
}

/* As they are kept: a JSON object. */
static void add_properties(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_rows *rows, size_t i_column)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    if (text != NULL)
        yyjson_mut_obj_add_val(doc, object, "properties", yyjson_mut_rawncpy(doc, text, size));
    else
        yyjson_mut_obj_add_null(doc, object, "properties");
}

static cot_code add_events(struct cot_ingest *ingest, const char *nodes, int64_t limit, int64_t before_id,
                           double minor_per_unit, yyjson_mut_doc *doc, yyjson_mut_val *array, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(
        ingest->store, &rows, err,
        "select event_id, occurred_at, kind, order_key, product_id, quantity, amount_minor,"
        " channel, campaign, detail, properties from event left join item using (item_id) where node_id in"
        " (%s) and superseded_at is null and (%" PRId64 " = 0 or (occurred_at, event_id) <"
        " (select (occurred_at, event_id) from event where event_id = %" PRId64 "))"
        " order by occurred_at desc, event_id desc limit %" PRId64,
        nodes, before_id, before_id, limit);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *event = yyjson_mut_arr_add_obj(doc, array);
        const char *kind = cot_event_kind_name((enum cot_event_kind)cot_rows_int(rows, 2));
        yyjson_mut_obj_add_int(doc, event, "event_id", cot_rows_int(rows, 0));
        cot_row_add_time(doc, event, "at", rows, 1);
        yyjson_mut_obj_add_str(doc, event, "kind", kind != NULL ? kind : "other");
        cot_row_add_text(doc, event, "order", rows, 3);
        cot_row_add_text(doc, event, "item", rows, 4);
        cot_json_add_number(doc, event, "quantity", cot_rows_double(rows, 5));
        cot_json_add_number(doc, event, "amount", cot_rows_double(rows, 6) / minor_per_unit);
        cot_row_add_text(doc, event, "channel", rows, 7);
        cot_row_add_text(doc, event, "campaign", rows, 8);
        cot_row_add_text(doc, event, "detail", rows, 9);
        add_properties(doc, event, rows, 10);
    }
    cot_rows_close(rows);
    return rc;
}

/* The customer's nodes as "3,17,240". */
static cot_code list_members(struct cot_ingest *ingest, uint32_t node, struct cot_buf *buf, struct cot_err *err)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(ingest->live->live, &node, &n);
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        rc = cot_buf_printf(buf, err, i == 0 ? "%u" : ",%u", members[i]);
    return rc;
}

cot_code cot_service_timeline(struct cot_service *service, const char *id, size_t size, int64_t limit,
                              int64_t before_id, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_buf nodes = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    uint32_t node = 0;
    double minor_per_unit = 1;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    rc = find(ingest, id, size, &node, err);
    if (rc == COT_OK) {
        rc = list_members(ingest, node, &nodes, err);
        cot_live_add_customer_id(ingest->live, &ingest->shop->nodes, node, doc, root, "customer_id");
        minor_per_unit = ingest->live->minor_per_unit;
    }
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rc = add_events(ingest, cot_buf_text(&nodes), limit, before_id, minor_per_unit, doc,
                        yyjson_mut_obj_add_arr(doc, root, "events"), err);
    cot_buf_release(&nodes);
    return cot_json_finish(rc, doc, ret_doc);
}

/* The ids of the customer's events up to now, in the order of their entries in memory. */
static cot_code read_event_ids(struct cot_ingest *ingest, const char *nodes, int64_t now_ms, int64_t **ret_ids,
                               size_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t capacity = 0;
    cot_code rc = cot_rows_open(ingest->store, &rows, err,
                                "select event_id from event where node_id in (%s) and superseded_at is null and"
                                " occurred_at <= epoch_ms(%" PRId64 ") order by occurred_at, node_id, event_id",
                                nodes, now_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        void *grown = cot_array_reserve(*ret_ids, &capacity, *ret_n + 1, sizeof **ret_ids);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "%zu events of a customer", *ret_n + 1);
            break;
        }
        *ret_ids = grown;
        (*ret_ids)[(*ret_n)++] = cot_rows_int(rows, 0);
    }
    cot_rows_close(rows);
    return rc;
}

/* The clock stands still from reading the ids to using them: what is ahead stays ahead. */
static cot_code explain(struct cot_ingest *ingest, uint32_t node, const int64_t *ids, size_t n_ids, yyjson_mut_doc *doc,
                        yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    struct cot_run run;
    cot_code rc = cot_live_run(ingest->live->live, node, &run, err);
    if (rc == COT_OK)
        rc = cot_live_explain(ingest->live, &ingest->shop->nodes, node, doc, root, err);
    return rc == COT_OK
               ? cot_rule_segments_explain(ingest->rules, &over, node, run.n == n_ids ? ids : NULL, doc, root, err)
               : rc;
}

cot_code cot_service_explain(struct cot_service *service, const char *id, size_t size, yyjson_mut_doc **ret_doc,
                             struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_buf nodes = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    int64_t *ids = NULL;
    size_t n_ids = 0;
    int64_t now_ms = 0;
    uint32_t node = 0;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    rc = find(ingest, id, size, &node, err);
    if (rc == COT_OK)
        rc = cot_ingest_tick(ingest, err);
    if (rc == COT_OK)
        rc = list_members(ingest, node, &nodes, err);
    if (rc == COT_OK)
        now_ms = cot_live_now_ms(ingest->live->live);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rc = read_event_ids(ingest, cot_buf_text(&nodes), now_ms, &ids, &n_ids, err);
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    if (rc == COT_OK)
        rc = explain(ingest, node, ids, n_ids, doc, root, err);
    cot_state_unlock(&ingest->state);
    free(ids);
    cot_buf_release(&nodes);
    return cot_json_finish(rc, doc, ret_doc);
}

/* What the ledger says last of two nodes (enum cot_link_op). */
static cot_code last_op(struct cot_ingest *ingest, uint32_t a, uint32_t b, int64_t *ret_op, struct cot_err *err)
{
    return cot_store_number(ingest->store, ret_op, err,
                            "select arg_max(op, (occurred_at, rowid)) from link where op <> 0 and node_a = %u and"
                            " node_b = %u",
                            a < b ? a : b, a < b ? b : a);
}

static cot_code write_link(struct cot_ingest *ingest, uint32_t a, uint32_t b, int op, struct cot_err *err)
{
    int64_t last = COT_LINK_REFUSED;
    cot_code rc = last_op(ingest, a, b, &last, err);
    if (rc != COT_OK || last == op || (op < 0 && last <= 0))
        return rc == COT_OK && op < 0 ? cot_fail(err, COT_NOT_FOUND,
                                                 "nothing joins these two directly: GET /v1/customers/{id} shows the "
                                                 "identities")
                                      : rc;
    rc = cot_store_begin(ingest->store, err);
    if (rc == COT_OK)
        rc = cot_ingest_run_use(ingest, COT_INGEST_SEGMENT, err);
    cot_state_lock(&ingest->state, COT_STATE_TAKE);
    if (rc == COT_OK)
        rc = cot_ingest_link(ingest, a, b, op, cot_wall_ms(), err);
    cot_state_unlock(&ingest->state);
    return cot_ingest_end(ingest, rc, err);
}

cot_code cot_service_link(struct cot_service *service, const char *a, const char *b, int op, yyjson_mut_doc **ret_doc,
                          struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    uint32_t nodes[2] = {0, 0};
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    rc = find(ingest, a, strlen(a), &nodes[0], err);
    if (rc == COT_OK)
        rc = find(ingest, b, strlen(b), &nodes[1], err);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK && nodes[0] == nodes[1])
        rc = cot_fail(err, COT_USAGE, "'a' and 'b' are the same identity");
    if (rc == COT_OK)
        rc = write_link(ingest, nodes[0], nodes[1], op > 0 ? COT_LINK_STATED : COT_LINK_PARTED, err);
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    if (rc == COT_OK && ingest->live != NULL) {
        cot_live_add_customer_id(ingest->live, &ingest->shop->nodes, nodes[0], doc, root, "a");
        cot_live_add_customer_id(ingest->live, &ingest->shop->nodes, nodes[1], doc, root, "b");
        yyjson_mut_obj_add_bool(doc, root, "one",
                                cot_live_root(ingest->live->live, nodes[0]) ==
                                    cot_live_root(ingest->live->live, nodes[1]));
    }
    cot_state_unlock(&ingest->state);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_service_forget(struct cot_service *service, const char *id, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_err ignored = {0};
    uint32_t node = 0;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    cot_code rc = find(ingest, id, strlen(id), &node, err);
    cot_state_unlock(&ingest->state);
    if (rc != COT_OK)
        return rc;
    /* Erasure writes the file anew: nobody else may have it meanwhile. */
    cot_changes_settle(ingest);
    cot_ingest_forget_memory(ingest);
    cot_ingest_store_close(ingest);
    rc = cot_forget_run(&ingest->context, &id, 1, ret_doc, err);
    if (cot_ingest_load(ingest, &ignored) != COT_OK)
        ingest->loaded = false; /* the next group, or job, tries again */
    return rc;
}

cot_code cot_service_receipt(struct cot_service *service, const char *receipt, yyjson_mut_doc **ret_doc,
                             struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_rows *rows = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    bool more = false;
    char *quoted = cot_sql_quote(receipt);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "a receipt") : cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc =
            cot_rows_open(ingest->store, &rows, err,
                          "select receipt_id, status, requested_at, finished_at, detail from erasure where receipt_id ="
                          " %s",
                          quoted);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && !more)
        rc = cot_fail(err, COT_NOT_FOUND, "no erasure has this receipt");
    if (rc == COT_OK) {
        size_t size = 0;
        cot_row_add_text(doc, root, "receipt", rows, 0);
        cot_row_add_text(doc, root, "status", rows, 1);
        cot_row_add_time(doc, root, "requested_at", rows, 2);
        cot_row_add_time(doc, root, "finished_at", rows, 3);
        const char *detail = cot_rows_text(rows, 4, &size);
        yyjson_doc *parsed = detail != NULL ? yyjson_read(detail, size, 0) : NULL;
        yyjson_mut_obj_add_val(doc, root, "detail", yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed)));
        yyjson_doc_free(parsed);
    }
    cot_rows_close(rows);
    free(quoted);
    return cot_json_finish(rc, doc, ret_doc);
}
