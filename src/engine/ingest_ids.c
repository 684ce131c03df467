/* The ids of calls, in the folder ids/ of the data directory and in the store (message_seen.h, ingest_parts.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"
#include "engine/ingest_parts.h"

static struct cot_message_store store_of(const struct cot_ingest *ingest)
{
    return (struct cot_message_store){.salt = ingest->shop->salt, .n_events = ingest->shop->next_event_id};
}

static cot_code load_table(struct cot_ingest *ingest, const char *table, const char *condition, int64_t since_ms,
                           struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    size_t n = 0;
    cot_code rc = cot_rows_open(
        ingest->store, &rows, err,
        "select row_hash from %s where row_hash is not null and recorded_at >= epoch_ms(%" PRId64 ")::timestamp_ms%s",
        table, since_ms, condition);
    while (rc == COT_OK && (rc = cot_rows_next_chunk(rows, &n, err)) == COT_OK && n > 0) {
        const uint64_t *validity = NULL;
        const duckdb_uhugeint *hashes = cot_rows_vector(rows, 0, &validity);
        bool met = false;
        for (size_t i = 0; i < n && rc == COT_OK; i++)
            rc = cot_message_seen_meet(ingest->seen, (struct cot_hash128){hashes[i].upper, hashes[i].lower}, &met, err);
        cot_message_seen_keep(ingest->seen);
        const struct cot_message_store store = store_of(ingest);
        cot_message_seen_tick(ingest->seen, &store, cot_wall_ms(), since_ms);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_ingest_ids_prune(struct cot_ingest *ingest, struct cot_err *err)
{
    int64_t now_ms = cot_wall_ms();
    if (now_ms - ingest->pruned_at_ms < COT_MESSAGE_PERIOD_MS)
        return COT_OK;
    ingest->pruned_at_ms = now_ms;
    return cot_store_exec(ingest->store, err,
                          "delete from message where recorded_at < epoch_ms(%" PRId64 ")::timestamp_ms",
                          now_ms - COT_MESSAGE_WINDOW_MS);
}

cot_code cot_ingest_ids_load(struct cot_ingest *ingest, struct cot_err *err)
{
    static const char *const tables[] = {"event", "trait", "consent", "quarantine", "item_fact"};
    const char *const live = " and import_id in (select import_id from import_run where path = 'live')";
    char folder[4096];
    int64_t since_ms = 0;
    if (ingest->seen != NULL || ingest->is_offline)
        return COT_OK;
    const struct cot_message_store store = store_of(ingest);
    snprintf(folder, sizeof folder, "%s/ids", ingest->context.data_dir);
    cot_code rc = cot_message_seen_open(folder, &store, cot_wall_ms(), &ingest->seen, &since_ms, err);
    for (size_t i = 0; i < sizeof tables / sizeof *tables && rc == COT_OK; i++)
        rc = load_table(ingest, tables[i], live, since_ms, err);
    if (rc == COT_OK)
        rc = load_table(ingest, "message", "", since_ms, err);
    if (rc == COT_OK)
        return rc;
    cot_message_seen_close(ingest->seen);
    ingest->seen = NULL;
    return rc;
}

/* The earliest moment of a call that is not on disk yet. */
static int64_t earliest_ms(struct cot_ingest *ingest, const struct cot_ingest_batch *group)
{
    int64_t at_ms = cot_wall_ms();
    for (; group != NULL; group = group->next)
        at_ms = group->request.received_at_ms < at_ms ? group->request.received_at_ms : at_ms;
    pthread_mutex_lock(&ingest->mutex);
    for (const struct cot_ingest_batch *batch = ingest->first; batch != NULL; batch = batch->next)
        at_ms = batch->request.received_at_ms < at_ms ? batch->request.received_at_ms : at_ms;
    pthread_mutex_unlock(&ingest->mutex);
    return at_ms;
}

void cot_ingest_ids_tick(struct cot_ingest *ingest, const struct cot_ingest_batch *group)
{
    const struct cot_message_store store = store_of(ingest);
    cot_message_seen_tick(ingest->seen, &store, cot_wall_ms(), earliest_ms(ingest, group));
}

void cot_ingest_ids_close(struct cot_ingest *ingest)
{
    struct cot_err ignored; /* what is not written is read from the store at the next start */
    if (ingest->seen != NULL && ingest->loaded) {
        const struct cot_message_store store = store_of(ingest);
        if (cot_message_seen_flush(ingest->seen, &store, cot_wall_ms(), &ignored) != COT_OK)
            ignored.code = COT_OK;
    }
    cot_message_seen_close(ingest->seen);
    ingest->seen = NULL;
}
