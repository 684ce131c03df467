/* Orders of a source that has natural keys, and their versions (see import_source.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/import_source.h"

static cot_code grow_orders(struct cot_source *source, struct cot_err *err)
{
    if (source->orders.n <= source->order_states_capacity)
        return COT_OK;
    size_t capacity = source->orders.n + source->orders.n / 2 + 1024;
    struct cot_order_state *states = realloc(source->order_states, capacity * sizeof *states);
    if (states == NULL)
        return cot_fail(err, COT_NOMEM, "%zu orders", capacity);
    memset(states + source->order_states_capacity, 0, (capacity - source->order_states_capacity) * sizeof *states);
    source->order_states = states;
    source->order_states_capacity = capacity;
    return COT_OK;
}

static cot_code remember_digest(struct cot_source *source, uint32_t order, struct cot_hash128 digest, bool *ret_new,
                                struct cot_err *err)
{
    unsigned char key[20];
    uint32_t number = 0;
    size_t n = source->digests.n;
    memcpy(key, &order, 4);
    memcpy(key + 4, &digest.high, 8);
    memcpy(key + 12, &digest.low, 8);
    cot_code rc = cot_dict_add(&source->digests, 0, (const char *)key, sizeof key, &number, err);
    if (rc == COT_OK)
        *ret_new = source->digests.n > n;
    return rc;
}

cot_code cot_source_load_orders(struct cot_source *source, struct cot_store *store, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select order_key, version, cast(digest >> 64 as ubigint),"
                                " cast(digest & 18446744073709551615::uhugeint as ubigint)"
                                " from order_version where source_id = %d order by rowid",
                                source->source_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        uint32_t order = 0;
        bool ignored = false;
        const char *key = cot_rows_text(rows, 0, &size);
        struct cot_hash128 digest = {(uint64_t)cot_rows_int(rows, 2), (uint64_t)cot_rows_int(rows, 3)};
        int32_t version = (int32_t)cot_rows_int(rows, 1);
        rc = cot_dict_add(&source->orders, 0, key != NULL ? key : "", size, &order, err);
        if (rc == COT_OK)
            rc = grow_orders(source, err);
        if (rc == COT_OK && source->order_states[order].version < version)
            source->order_states[order].version = version;
        if (rc == COT_OK)
            rc = remember_digest(source, order, digest, &ignored, err);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_source_add_to_order(struct cot_source *source, struct cot_text key, struct cot_hash128 row,
                                 int64_t recorded_at_ms, struct cot_err *err)
{
    uint32_t order = 0;
    cot_code rc = cot_dict_add(&source->orders, 0, key.data, key.size, &order, err);
    if (rc == COT_OK)
        rc = grow_orders(source, err);
    if (rc != COT_OK)
        return rc;
    struct cot_order_state *state = &source->order_states[order];
    if (!state->in_file) {
        state->in_file = true;
        state->digest = (struct cot_hash128){0, 0};
        state->recorded_at_ms = recorded_at_ms;
    }
    state->digest = cot_hash128_add(state->digest, row);
    if (state->recorded_at_ms < recorded_at_ms)
        state->recorded_at_ms = recorded_at_ms;
    return COT_OK;
}

static cot_code write_version(struct cot_source *source, struct cot_import_shop *shop, uint32_t order,
                              struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    struct cot_order_state *state = &source->order_states[order];
    const struct cot_dict_entry *key = cot_dict_entry(&source->orders, order);
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_order_version, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_int32(writer, COT_order_version_source_id, source->source_id);
    cot_put_text(writer, COT_order_version_order_key, key->text, key->size);
    cot_put_int32(writer, COT_order_version_version, ++state->version);
    cot_put_hash(writer, COT_order_version_digest, state->digest);
    cot_put_int32(writer, COT_order_version_import_id, shop->import_id);
    return cot_writer_end_row(writer, err);
}

/* The changed orders of the file, and since when their new version counts, as table superseding; undated: null. */
static cot_code list_changed(const struct cot_source *source, struct cot_import_shop *shop, size_t *ret_n,
                             struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    size_t n = 0;
    for (uint32_t i = 0; i < source->orders.n; i++)
        n += source->order_states[i].in_file && source->order_states[i].fate == COT_ORDER_CHANGED;
    *ret_n = n;
    if (n == 0)
        return COT_OK;
    cot_code rc = cot_store_exec(shop->store, err,
                                 "create or replace temp table superseding(order_key varchar, since timestamp_ms)");
    if (rc == COT_OK)
        rc = cot_appender_open(shop->store, "superseding", &appender, err);
    for (uint32_t i = 0; i < source->orders.n && rc == COT_OK; i++) {
        const struct cot_order_state *state = &source->order_states[i];
        const struct cot_dict_entry *key = cot_dict_entry(&source->orders, i);
        if (!state->in_file || state->fate != COT_ORDER_CHANGED)
            continue;
        cot_append_text(appender, key->text, key->size);
        cot_append_time(appender, state->recorded_at_ms);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code rc_close = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? rc_close : rc;
}

/*
 * Marks the rows of a changed order's earlier versions: dated versions count until the new one was recorded, undated
 * ones never did. A version that was recorded later than the one at hand stands (table newer_version): then it is the
 * one at hand that counts until then (cot_source_settle_late).
 */
static cot_code supersede(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err)
{
    size_t n_changed = 0;
    cot_code rc = list_changed(source, shop, &n_changed, err);
    if (rc != COT_OK || n_changed == 0)
        return rc;
    rc = cot_store_exec(shop->store, err,
                        "create or replace temp table newer_version as"
                        " select e.order_key, e.import_id, max(e.recorded_at) as recorded_at"
                        " from event e join superseding s using (order_key)"
                        " where e.kind = %d and e.import_id in (select import_id from import_run where source_id = %d)"
                        " group by all having max(e.recorded_at) > max(s.since)",
                        COT_EVENT_ORDER_LINE, source->source_id);
    if (rc == COT_OK)
        rc = cot_store_exec(shop->store, err,
                            "update event set superseded_at = coalesce(s.since, recorded_at) from superseding s"
                            " where (superseded_at is null or superseded_at > s.since) and event.import_id in (select"
                            " import_id from import_run where source_id = %d) and (event.order_key = s.order_key or"
                            " (kind = %d and event.detail = s.order_key)) and not exists (select 1 from newer_version v"
                            " where v.order_key = s.order_key and v.import_id = event.import_id)",
                            source->source_id, COT_EVENT_REFUND);
    if (rc == COT_OK)
        rc = cot_store_number(shop->store, &source->n_late, err, "select count(distinct order_key) from newer_version");
    return rc == COT_OK ? cot_store_exec(shop->store, err, "drop table superseding") : rc;
}

cot_code cot_source_settle_late(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err)
{
    if (source->n_late == 0)
        return COT_OK;
    source->n_late = 0;
    return cot_store_exec(shop->store, err,
                          "update event set superseded_at = v.until from (select order_key, min(recorded_at) as until"
                          " from newer_version group by 1) v where event.import_id = %d and (event.order_key ="
                          " v.order_key or (kind = %d and event.detail = v.order_key));"
                          "drop table newer_version",
                          shop->import_id, COT_EVENT_REFUND);
}

cot_code cot_source_decide_orders(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (uint32_t i = 0; i < source->orders.n && rc == COT_OK; i++) {
        struct cot_order_state *state = &source->order_states[i];
        bool is_new = false;
        if (!state->in_file)
            continue;
        rc = remember_digest(source, i, state->digest, &is_new, err);
        state->fate = !is_new ? COT_ORDER_KNOWN : state->version == 0 ? COT_ORDER_NEW : COT_ORDER_CHANGED;
    }
    if (rc == COT_OK)
        rc = supersede(source, shop, err);
    for (uint32_t i = 0; i < source->orders.n && rc == COT_OK; i++)
        if (source->order_states[i].in_file && source->order_states[i].fate != COT_ORDER_KNOWN)
            rc = write_version(source, shop, i, err);
    return rc;
}

enum cot_order_fate cot_source_order_fate(const struct cot_source *source, struct cot_text key)
{
    uint32_t order = cot_dict_find(&source->orders, 0, key.data, key.size);
    return order == COT_DICT_NONE ? COT_ORDER_NEW : source->order_states[order].fate;
}
