/* Orders of live sources: told twice they count once, told otherwise the newer version counts, cancelled they end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/ingest_parts.h"

/* The record that says which order the call is about; NULL: none. */
static const struct cot_record *order_record(const struct cot_ingest_batch *batch, const struct cot_ingest_call *call)
{
    for (size_t i = call->first; i < call->first + call->n; i++) {
        const struct cot_record *record = &batch->records.records[i];
        bool is_order = record->kind == COT_RECORD_EVENT &&
                        (record->event_kind == COT_EVENT_ORDER_LINE || (record->flags & COT_RECORD_ORDER_CANCELLED));
        if (is_order && record->order_key.size > 0)
            return record;
    }
    return NULL;
}

/* What the order says, whoever said it when: the same order by two clients is one. */
static struct cot_hash128 digest_of(const struct cot_ingest_batch *batch, const struct cot_ingest_call *call)
{
    struct cot_hash128 sum = {0, 0};
    for (size_t i = call->first; i < call->first + call->n; i++) {
        struct cot_record record = batch->records.records[i];
        struct cot_hasher hasher;
        if (record.kind != COT_RECORD_EVENT || record.event_kind != COT_EVENT_ORDER_LINE)
            continue;
        cot_hasher_init(&hasher);
        cot_hasher_text(&hasher, record.product_id.data, record.product_id.size);
        cot_hasher_double(&hasher, record.quantity);
        cot_hasher_int(&hasher, record.amount_minor);
        cot_hasher_int(&hasher, record.discount_minor);
        cot_hasher_text(&hasher, record.currency, strlen(record.currency));
        sum = cot_hash128_add(sum, cot_hasher_finish(&hasher));
    }
    return sum;
}

static cot_code known_of(struct cot_ingest *ingest, uint8_t source, struct cot_text key,
                         struct cot_order_known **ret_known, struct cot_err *err)
{
    uint32_t number = 0;
    size_t n = ingest->orders.n;
    cot_code rc = cot_dict_add(&ingest->orders, source, key.data, key.size, &number, err);
    if (rc != COT_OK)
        return rc;
    void *grown = cot_array_reserve(ingest->orders_known, &ingest->orders_capacity, ingest->orders.n,
                                    sizeof *ingest->orders_known);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu orders", ingest->orders.n);
    ingest->orders_known = grown;
    if (ingest->orders.n > n)
        ingest->orders_known[number] = (struct cot_order_known){0};
    *ret_known = &ingest->orders_known[number];
    return COT_OK;
}

/* Ends what holds of the order: counts until the newer version was recorded. Event ids bound what DuckDB has to look
 * at. */
static cot_code supersede(struct cot_ingest *ingest, const struct cot_order_known *known, struct cot_text key,
                          int64_t at_ms, struct cot_err *err)
{
    char *quoted = cot_sql_quote_n(key.data, key.size);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "an order") : COT_OK;
    if (rc == COT_OK)
        rc = cot_import_shop_flush_writers(ingest->shop, err);
    if (rc == COT_OK)
        rc =
            cot_store_exec(ingest->store, err,
                           "update event set superseded_at = epoch_ms(%" PRId64 ")::timestamp_ms where event_id between"
                           " %" PRId64 " and %" PRId64 " and order_key = %s and superseded_at is null and kind = %d",
                           at_ms, known->first_event_id, known->last_event_id, quoted, COT_EVENT_ORDER_LINE);
    free(quoted);
    if (rc == COT_OK && known->node != COT_DICT_NONE && !ingest->is_offline)
        rc = cot_live_facts_add_supersede(&ingest->facts, known->node, cot_order_hash(key.data, key.size), err);
    return rc;
}

cot_code cot_ingest_order_begin(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                                const struct cot_ingest_call *call, bool *ret_known, struct cot_err *err)
{
    const struct cot_record *record = order_record(batch, call);
    struct cot_order_known *known = NULL;
    *ret_known = false;
    if (record == NULL)
        return COT_OK;
    struct cot_hash128 digest = digest_of(batch, call);
    cot_code rc = known_of(ingest, (uint8_t)batch->request.source, record->order_key, &known, err);
    if (rc != COT_OK || known->version == 0)
        return rc;
    /* A cancellation is an event of its own: it is written, and says nothing new of the order when told again. */
    bool cancels = (record->flags & COT_RECORD_ORDER_CANCELLED) != 0;
    if (cot_hash128_equal(known->digest, digest)) {
        *ret_known = !cancels;
        return COT_OK;
    }
    return supersede(ingest, known, record->order_key, batch->request.received_at_ms, err);
}

static cot_code write_version(struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_text key,
                              const struct cot_order_known *known, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(ingest->shop, COT_TABLE_order_version, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_int32(writer, COT_order_version_source_id, ingest->runs[source].source_id);
    cot_put_text(writer, COT_order_version_order_key, key.data, key.size);
    cot_put_int32(writer, COT_order_version_version, known->version);
    cot_put_hash(writer, COT_order_version_digest, known->digest);
    cot_put_int32(writer, COT_order_version_import_id, ingest->shop->import_id);
    return cot_writer_end_row(writer, err);
}

/* Refunds lessen what is left of their orders. */
static cot_code take_refunds(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                             const struct cot_ingest_call *call, const struct cot_money *money, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; i < call->n && rc == COT_OK; i++) {
        const struct cot_record *record = &batch->records.records[call->first + i];
        struct cot_order_known *known = NULL;
        if (record->kind != COT_RECORD_EVENT || record->event_kind != COT_EVENT_REFUND || record->refund_of.size == 0 ||
            money[i].amount_minor == COT_NO_MINOR)
            continue;
        rc = known_of(ingest, (uint8_t)batch->request.source, record->refund_of, &known, err);
        if (rc == COT_OK)
            known->net_minor += money[i].amount_minor;
    }
    return rc;
}

cot_code cot_ingest_order_end(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                              const struct cot_ingest_call *call, const struct cot_money *money, int64_t first_event_id,
                              struct cot_err *err)
{
    const struct cot_record *record = order_record(batch, call);
    struct cot_order_known *known = NULL;
    cot_code rc = take_refunds(ingest, batch, call, money, err);
    if (rc != COT_OK || record == NULL)
        return rc;
    rc = known_of(ingest, (uint8_t)batch->request.source, record->order_key, &known, err);
    if (rc != COT_OK || (known->version == 0 && (record->flags & COT_RECORD_ORDER_CANCELLED)))
        return rc;
    known->digest = digest_of(batch, call);
    known->version++;
    known->net_minor = 0;
    known->first_event_id = first_event_id;
    known->last_event_id = ingest->shop->next_event_id - 1;
    known->node = COT_DICT_NONE;
    if (!cot_record_node(ingest->shop, record, &known->node))
        known->node = COT_DICT_NONE;
    for (size_t i = 0; i < call->n; i++)
        if (batch->records.records[call->first + i].event_kind == COT_EVENT_ORDER_LINE &&
            money[i].amount_minor != COT_NO_MINOR)
            known->net_minor += money[i].amount_minor;
    return write_version(ingest, batch->request.source, record->order_key, known, err);
}

bool cot_ingest_order_owner(const struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_text key,
                            struct cot_identity *ret_owner)
{
    uint32_t number = cot_dict_find(&ingest->orders, (uint8_t)source, key.data, key.size);
    uint32_t node = number != COT_DICT_NONE ? ingest->orders_known[number].node : COT_DICT_NONE;
    if (node == COT_DICT_NONE || ingest->orders_known[number].version == 0)
        return false;
    const struct cot_dict_entry *entry = cot_dict_entry(&ingest->shop->nodes, node);
    *ret_owner = (struct cot_identity){(enum cot_node_kind)entry->tag, {entry->text, entry->size}};
    return true;
}

cot_code cot_ingest_order_net(struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_text key,
                              int64_t *ret_net_minor, struct cot_err *err)
{
    uint32_t number = cot_dict_find(&ingest->orders, (uint8_t)source, key.data, key.size);
    *ret_net_minor = 0;
    if (number != COT_DICT_NONE && ingest->orders_known[number].version > 0) {
        *ret_net_minor = ingest->orders_known[number].net_minor;
        return COT_OK;
    }
    /* An order that came in a file. */
    char *quoted = cot_sql_quote_n(key.data, key.size);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "an order")
                                 : cot_store_number(ingest->store, ret_net_minor, err,
                                                    "select sum(amount_minor)::bigint from event where order_key = %s"
                                                    " and superseded_at is null and kind in (%d, %d)",
                                                    quoted, COT_EVENT_ORDER_LINE, COT_EVENT_REFUND);
    free(quoted);
    return rc;
}

static cot_code load_orders_of(struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    int32_t source_id = ingest->runs[source].source_id;
    cot_code rc = cot_rows_open(
        ingest->store, &rows, err,
        "with v as (select order_key, max(version) as version, arg_max(digest, version) as digest from order_version "
        "where"
        " source_id = %d group by order_key), e as (select order_key, sum(amount_minor) as net, min(event_id) as "
        "first_id,"
        " max(event_id) as last_id, max(node_id) as node from event where order_key is not null and superseded_at is "
        "null and import_id in"
        " (select import_id from import_run where source_id = %d) group by order_key)"
        " select v.order_key, version, cast(digest >> 64 as ubigint), cast(digest & 18446744073709551615::uhugeint as"
        " ubigint), coalesce(net, 0)::bigint, coalesce(first_id, 0), coalesce(last_id, -1), coalesce(node, -1) from v "
        "left join e using"
        " (order_key)",
        source_id, source_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        struct cot_order_known *known = NULL;
        const char *key = cot_rows_text(rows, 0, &size);
        rc = known_of(ingest, (uint8_t)source, (struct cot_text){key != NULL ? key : "", (uint32_t)size}, &known, err);
        if (rc == COT_OK)
            *known =
                (struct cot_order_known){.version = (int32_t)cot_rows_int(rows, 1),
                                         .digest = {(uint64_t)cot_rows_int(rows, 2), (uint64_t)cot_rows_int(rows, 3)},
                                         .net_minor = cot_rows_int(rows, 4),
                                         .first_event_id = cot_rows_int(rows, 5),
                                         .last_event_id = cot_rows_int(rows, 6),
                                         .node = (uint32_t)cot_rows_int(rows, 7)};
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_ingest_orders_load(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int source = 0; source < COT_N_INGEST_SOURCES && rc == COT_OK; source++)
        if (ingest->runs[source].source_id != 0)
            rc = load_orders_of(ingest, (enum cot_ingest_source)source, err);
    return rc;
}
