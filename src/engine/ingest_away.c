/* The store given away for a while: to a command, an upload (ingest_parts.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/ingest_parts.h"

/* What memory is made of, by what can only grow or be rewritten with it. */
static const char contents_sql[] =
    "select concat_ws(' ', (select count(*) from event), (select max(event_id) from event),"
    " (select count(superseded_at) from event), (select count(*) from node), (select count(*) from link),"
    " (select count(*) from trait), (select count(*) from consent), (select count(*) from item),"
    " (select count(*) from item_fact), (select count(*) from rate), (select count(*) from import_run),"
    " (select count(*) from erasure), (select max(run_id) from prediction_run), (select count(*) from rule_segment), "
    "(select count(*) from quarantine),"
    " (select string_agg(key || value, ' ' order by key) from setting))";

static cot_code read_contents(struct cot_store *store, char **ret_text, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    char *copy = NULL;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", contents_sql);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    const char *text = rc == COT_OK && more ? cot_rows_text(rows, 0, &size) : NULL;
    if (rc == COT_OK) {
        copy = strndup(text != NULL ? text : "", size);
        rc = copy == NULL ? cot_fail(err, COT_NOMEM, "the store's contents") : COT_OK;
    }
    cot_rows_close(rows);
    if (rc == COT_OK)
        *ret_text = copy;
    return rc;
}

cot_code cot_ingest_leave(struct cot_ingest *ingest, struct cot_ingest_absence *ret_absence, struct cot_err *err)
{
    cot_changes_settle(ingest);
    cot_code rc = read_contents(ingest->store, &ret_absence->before, err);
    if (rc != COT_OK)
        return rc;
    atomic_store(&ingest->is_lent, true);
    cot_import_shop_move(ingest->shop, NULL);
    cot_ingest_store_close(ingest);
    return COT_OK;
}

static cot_code load_model(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_live_shop newer = {0};
    cot_code rc = cot_live_shop_load_model(ingest->store, ingest->context.data_dir, &newer, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    struct cot_segment_runs runs = ingest->live->runs;
    struct cot_segment_model *model = ingest->live->model;
    ingest->live->runs = newer.runs;
    ingest->live->model = newer.model;
    cot_state_unlock(&ingest->state);
    cot_segment_runs_release(&runs);
    cot_segment_model_free(model);
    return COT_OK;
}

cot_code cot_ingest_come_back(struct cot_ingest *ingest, struct cot_ingest_absence *absence, struct cot_err *err)
{
    char *now = NULL;
    cot_code rc = cot_ingest_store_open(ingest, err);
    if (rc == COT_OK)
        rc = read_contents(ingest->store, &now, err);
    if (rc == COT_OK && strcmp(now, absence->before) == 0) {
        cot_import_shop_move(ingest->shop, ingest->store);
        rc = load_model(ingest, err);
    } else if (rc == COT_OK) {
        rc = cot_ingest_reload(ingest, err);
    }
    if (rc == COT_OK)
        rc = cot_ingest_leave_room(ingest, err);
    free(now);
    free(absence->before);
    absence->before = NULL;
    if (rc != COT_OK) {
        cot_ingest_forget_memory(ingest);
        cot_ingest_store_close(ingest);
    }
    atomic_store(&ingest->is_lent, false);
    return rc;
}
