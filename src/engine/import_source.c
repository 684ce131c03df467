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
        rc = cot_source_load_orders(source, store, err);
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

void cot_source_committed(struct cot_source *source)
{
    source->is_new = false;
    cot_seen_commit(&source->seen);
    cot_seen_commit(&source->seen_bad);
    for (uint32_t i = 0; i < source->orders.n; i++)
        source->order_states[i].in_file = false;
}
