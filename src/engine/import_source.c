#include "engine/import_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tables whose rows may carry the hash of the row of a file that they came from. */
static const char *const hashed_tables[] = {"event",    "trait",  "item_fact", "consent", "suppression",
                                            "campaign", "coupon", "promotion", "rate"};

static cot_code load_hashes(struct cot_source *source, struct cot_store *store, const char *table,
                            struct cot_seen *seen, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    size_t n = 0;
    int64_t n_rows = 0;
    char from[256];
    snprintf(from, sizeof from,
             "from %s where row_hash is not null and import_id in (select import_id from import_run where source_id ="
             " %d)",
             table, source->source_id);
    cot_code rc = cot_store_number(store, &n_rows, err, "select count(*) %s", from);
    if (rc == COT_OK && n_rows > 0)
        rc = cot_seen_reserve(seen, seen->n + (size_t)n_rows, err);
    if (rc != COT_OK || n_rows == 0)
        return rc;
    rc = cot_rows_open(store, &rows, err, "select row_hash %s", from);
    while (rc == COT_OK && (rc = cot_rows_next_chunk(rows, &n, err)) == COT_OK && n > 0) {
        const uint64_t *validity = NULL;
        const duckdb_uhugeint *hashes = cot_rows_vector(rows, 0, &validity);
        for (size_t i = 0; i < n && rc == COT_OK; i++)
            rc = cot_seen_add_stored(seen, (struct cot_hash128){hashes[i].upper, hashes[i].lower}, err);
    }
    cot_rows_close(rows);
    return rc;
}

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

static cot_code load_orders(struct cot_source *source, struct cot_store *store, struct cot_err *err)
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

static cot_code load_history(struct cot_source *source, struct cot_store *store, struct cot_err *err)
{
    int64_t n_accepted = 0;
    int64_t n_quarantined = 0;
    cot_code rc = cot_store_number(store, &n_accepted, err,
                                   "select cast(sum(rows_accepted) as bigint) from import_run where source_id = %d",
                                   source->source_id);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_quarantined, err,
                              "select count(*) from quarantine where import_id in (select import_id from import_run"
                              " where source_id = %d)",
                              source->source_id);
    source->has_history = n_accepted > 0;
    source->has_bad_history = n_quarantined > 0;
    for (size_t i = 0; i < sizeof hashed_tables / sizeof *hashed_tables && rc == COT_OK && source->has_history; i++)
        rc = load_hashes(source, store, hashed_tables[i], &source->seen, err);
    if (rc == COT_OK && source->has_bad_history)
        rc = load_hashes(source, store, "quarantine", &source->seen_bad, err);
    if (rc == COT_OK && source->connector->has_natural_key)
        rc = load_orders(source, store, err);
    return rc;
}

static struct cot_source *source_new(const struct cot_connector *connector, const char *name)
{
    struct cot_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->connector = connector;
    source->name = strdup(name);
    if (source->name == NULL) {
        free(source);
        return NULL;
    }
    return source;
}

cot_code cot_source_open(struct cot_import_shop *shop, const struct cot_connector *connector, const char *name,
                         struct cot_source **ret_source, struct cot_err *err)
{
    int64_t source_id = 0;
    char *quoted = cot_sql_quote(name);
    struct cot_source *source = source_new(connector, name);
    cot_code rc = COT_OK;
    if (source == NULL || quoted == NULL) {
        rc = cot_fail(err, COT_NOMEM, "source '%s'", name);
        goto out;
    }
    rc = cot_store_number(shop->store, &source_id, err,
                          "select source_id from source where name = %s and connector = '%s' and kind = '%s'", quoted,
                          connector->name, cot_file_kind_name(connector->kind));
    if (rc != COT_OK)
        goto out;
    source->is_new = source_id == 0;
    source->source_id = source->is_new ? shop->next_source_id : (int32_t)source_id;
    if (!source->is_new)
        rc = load_history(source, shop->store, err);
    if (rc != COT_OK)
        goto out;
    *ret_source = source;
    source = NULL;
out:
    cot_source_free(source);
    free(quoted);
    return rc;
}

cot_code cot_source_open_id(struct cot_import_shop *shop, int32_t source_id, struct cot_source **ret_source,
                            struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    char *name = NULL;
    char *connector_name = NULL;
    cot_code rc =
        cot_rows_open(shop->store, &rows, err, "select name, connector from source where source_id = %d", source_id);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        struct cot_text text = {0};
        size_t size = 0;
        text.data = cot_rows_text(rows, 0, &size);
        text.size = (uint32_t)size;
        name = cot_text_dup(text);
        text.data = cot_rows_text(rows, 1, &size);
        text.size = (uint32_t)size;
        connector_name = cot_text_dup(text);
    }
    cot_rows_close(rows);
    const struct cot_connector *connector = connector_name != NULL ? cot_connector_find(connector_name) : NULL;
    if (rc == COT_OK && (name == NULL || connector == NULL))
        rc = cot_fail(err, COT_BAD_DATA, "source %d is of shape '%s', which this program doesn't know: use a newer one",
                      source_id, connector_name != NULL ? connector_name : "?");
    if (rc == COT_OK)
        rc = cot_source_open(shop, connector, name, ret_source, err);
    free(name);
    free(connector_name);
    return rc;
}

void cot_source_free(struct cot_source *source)
{
    if (source == NULL)
        return;
    cot_seen_release(&source->seen);
    cot_seen_release(&source->seen_bad);
    cot_dict_release(&source->orders);
    cot_dict_release(&source->digests);
    free(source->order_states);
    free(source->name);
    free(source);
}

cot_code cot_source_store(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err)
{
    if (!source->is_new)
        return COT_OK;
    char *name = cot_sql_quote(source->name);
    const char *purposes = source->connector->assumed_purposes;
    char *policy = cot_sql_quote(purposes != NULL ? purposes : "");
    cot_code rc = COT_OK;
    if (name == NULL || policy == NULL)
        rc = cot_fail(err, COT_NOMEM, "source '%s'", source->name);
    else
        rc = cot_store_exec(
            shop->store, err, "insert into source values (%d, %s, '%s', '%s', %s, now()::timestamp::timestamp_ms)",
            source->source_id, name, source->connector->name, cot_file_kind_name(source->connector->kind), policy);
    free(name);
    free(policy);
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

/* Marks the rows of a changed order's earlier version: dated versions count until the new one was recorded, undated
 * ones never did. */
static cot_code supersede(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_appender *appender = NULL;
    size_t n_changed = 0;
    for (uint32_t i = 0; i < source->orders.n; i++)
        n_changed += source->order_states[i].in_file && source->order_states[i].fate == COT_ORDER_CHANGED;
    if (n_changed == 0)
        return COT_OK;
    rc = cot_store_exec(shop->store, err,
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
    if (rc == COT_OK)
        rc = rc_close;
    if (rc == COT_OK)
        rc = cot_store_exec(shop->store, err,
                            "update event set superseded_at = coalesce(s.since, recorded_at) from superseding s"
                            " where superseded_at is null and event.import_id in (select import_id from import_run"
                            " where source_id = %d) and (event.order_key = s.order_key or (kind = %d and event.detail ="
                            " s.order_key));"
                            "drop table superseding",
                            source->source_id, COT_EVENT_REFUND);
    return rc;
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

void cot_source_committed(struct cot_source *source)
{
    source->is_new = false;
    cot_seen_commit(&source->seen);
    cot_seen_commit(&source->seen_bad);
    for (uint32_t i = 0; i < source->orders.n; i++)
        source->order_states[i].in_file = false;
}
