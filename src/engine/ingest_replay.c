#include "engine/ingest_replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/ingest_parts.h"

/* A quarantined call as it was put aside (ingest_take.c). */
struct held {
    int64_t id;
    int32_t import_id;
    int64_t recorded_at_ms;
    enum cot_ingest_source source;
    const char *path; /* static */
    char *raw;
    size_t raw_size;
};

struct held_list {
    struct held *rows;
    size_t n, capacity;
};

/* Counts of one path. */
struct tally {
    char path[64];
    uint64_t counts[COT_N_CALL_FATES];
};

enum { MAX_PATHS = 64 };

static void held_release(struct held_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->rows[i].raw);
    free(list->rows);
}

static bool source_from_name(const char *name, size_t size, enum cot_ingest_source *ret_source)
{
    for (int source = 0; source < COT_N_INGEST_SOURCES; source++) {
        const char *known = cot_ingest_source_of((enum cot_ingest_source)source)->connector->name;
        if (strlen(known) == size && memcmp(known, name, size) == 0) {
            *ret_source = (enum cot_ingest_source)source;
            return true;
        }
    }
    return false;
}

static char *filter_sql(const struct cot_replay_filter *filter)
{
    char *text = NULL;
    char *quoted = filter->code != NULL ? cot_sql_quote(filter->code) : NULL;
    if ((filter->code != NULL && quoted == NULL) ||
        asprintf(&text, "%s%s%s%.0" PRId64, quoted != NULL ? " and q.code = " : "", quoted != NULL ? quoted : "",
                 filter->id != 0 ? " and q.quarantine_id = " : "", filter->id) < 0)
        text = NULL;
    free(quoted);
    return text;
}

static cot_code hold(struct held_list *list, const struct cot_rows *rows, struct cot_err *err)
{
    size_t size = 0;
    size_t name_size = 0;
    struct held held = {.id = cot_rows_int(rows, 0),
                        .import_id = (int32_t)cot_rows_int(rows, 1),
                        .recorded_at_ms = cot_rows_int(rows, 2)};
    const char *name = cot_rows_text(rows, 3, &name_size);
    if (!source_from_name(name, name_size, &held.source))
        return COT_OK; /* a source of a newer program */
    const char *raw = cot_rows_text(rows, 4, &size);
    void *grown = cot_array_reserve(list->rows, &list->capacity, list->n + 1, sizeof *list->rows);
    if (grown != NULL)
        list->rows = grown;
    held.raw = grown != NULL ? strndup(raw, size) : NULL;
    held.raw_size = size;
    if (held.raw == NULL)
        return cot_fail(err, COT_NOMEM, "%zu quarantined calls", list->n + 1);
    list->rows[list->n++] = held;
    return COT_OK;
}

static cot_code load_held(struct cot_ingest *ingest, const struct cot_replay_filter *filter, struct held_list *ret_list,
                          struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    char *where = filter_sql(filter);
    cot_code rc = where == NULL ? cot_fail(err, COT_NOMEM, "quarantine") : COT_OK;
    if (rc == COT_OK)
        rc = cot_rows_open(ingest->store, &rows, err,
                           "select quarantine_id, q.import_id, q.recorded_at, r.connector, q.raw from quarantine q join"
                           " import_run r using (import_id) where q.status = 'open' and q.raw is not null and r.path ="
                           " 'live'%s order by quarantine_id",
                           where);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = hold(ret_list, rows, err);
    cot_rows_close(rows);
    free(where);
    return rc;
}

static const char *text_of(yyjson_val *root, const char *key)
{
    return yyjson_get_str(yyjson_obj_get(root, key));
}

/* The held call as a batch of one. NULL batch: what was kept is no JSON of ours. */
static cot_code make_batch(struct cot_ingest *ingest, const struct held *held, struct cot_ingest_batch **ret_batch,
                           struct cot_err *err)
{
    yyjson_doc *doc = yyjson_read_opts(held->raw, held->raw_size, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const struct cot_ingest_request request = {.source = held->source,
                                               .path = "quarantine",
                                               .doc = doc,
                                               .calls = yyjson_obj_get(root, "call"),
                                               .context = yyjson_obj_get(root, "context"),
                                               .type = text_of(root, "type"),
                                               .call_id = text_of(root, "id"),
                                               .received_at_ms = held->recorded_at_ms,
                                               .sent_at = text_of(root, "sentAt"),
                                               .opted_out = yyjson_get_bool(yyjson_obj_get(root, "optedOut")),
                                               .user_agent = text_of(root, "userAgent")};
    *ret_batch = NULL;
    if (request.calls == NULL || yyjson_is_arr(request.calls)) {
        yyjson_doc_free(doc);
        return COT_OK;
    }
    return cot_ingest_batch_decode(ingest->shop->base_currency, &request, ret_batch, err);
}

static cot_code store_fate(struct cot_ingest *ingest, const struct held *held, const struct cot_ingest_call *call,
                           struct cot_err *err)
{
    bool open = call->fate == COT_CALL_QUARANTINED;
    char *code = cot_sql_quote(open ? call->code : "");
    char *reason = cot_sql_quote(open && call->reason != NULL ? call->reason : "");
    cot_code rc = COT_OK;
    if (code == NULL || reason == NULL)
        rc = cot_fail(err, COT_NOMEM, "quarantine");
    else if (open)
        rc = cot_store_exec(ingest->store, err,
                            "update quarantine set code = %s, reason = %s where quarantine_id = %" PRId64, code, reason,
                            held->id);
    else
        rc =
            cot_store_exec(ingest->store, err,
                           "update quarantine set status = 'replayed' where quarantine_id = %" PRId64
                           ";update import_run set %s = %s + 1, rows_quarantined = rows_quarantined - 1 where import_id"
                           " = %d",
                           held->id, call->fate == COT_CALL_ACCEPTED ? "rows_accepted" : "rows_duplicate",
                           call->fate == COT_CALL_ACCEPTED ? "rows_accepted" : "rows_duplicate", held->import_id);
    free(code);
    free(reason);
    struct cot_live_run *run = &ingest->runs[held->source];
    if (rc == COT_OK && !open && run->import_id == held->import_id) {
        run->counts[call->fate]++;
        run->counts[COT_CALL_QUARANTINED]--;
    }
    return rc;
}

static struct tally *tally_of(struct tally *tallies, size_t *n, const char *path)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(tallies[i].path, path) == 0)
            return &tallies[i];
    if (*n == MAX_PATHS)
        return &tallies[MAX_PATHS - 1];
    strncpy(tallies[*n].path, path, sizeof tallies[*n].path - 1);
    return &tallies[(*n)++];
}

static cot_code replay_one(struct cot_ingest *ingest, const struct held *held, struct tally *tallies, size_t *n,
                           struct cot_err *err)
{
    struct cot_ingest_batch *batch = NULL;
    cot_code rc = make_batch(ingest, held, &batch, err);
    if (rc != COT_OK || batch == NULL)
        return rc;
    ingest->source = held->source;
    ingest->shop->import_id = held->import_id; /* its rows belong to the run that they came with */
    if (ingest->runs[held->source].source_id == 0)
        rc = cot_ingest_run_use(ingest, held->source, err);
    ingest->shop->import_id = held->import_id;
    if (rc == COT_OK)
        rc = cot_ingest_take(ingest, batch, &batch->calls[0], true, err);
    if (rc == COT_OK)
        rc = store_fate(ingest, held, &batch->calls[0], err);
    if (rc == COT_OK)
        tally_of(tallies, n, cot_ingest_source_of(held->source)->connector->name)->counts[batch->calls[0].fate]++;
    cot_ingest_batch_free(batch);
    return rc;
}

cot_code cot_ingest_replay(struct cot_ingest *ingest, const struct cot_replay_filter *filter, yyjson_mut_doc *doc,
                           yyjson_mut_val *files, struct cot_err *err)
{
    struct held_list list = {0};
    struct tally tallies[MAX_PATHS] = {0};
    size_t n = 0;
    cot_code rc = load_held(ingest, filter, &list, err);
    if (rc == COT_OK)
        rc = cot_store_begin(ingest->store, err);
    cot_state_lock(&ingest->state, COT_STATE_TAKE);
    for (size_t i = 0; i < list.n && rc == COT_OK; i++) {
        rc = replay_one(ingest, &list.rows[i], tallies, &n, err);
        cot_live_facts_mark(&ingest->facts);
        (void)cot_state_give_way(&ingest->state);
    }
    cot_state_unlock(&ingest->state);
    held_release(&list);
    rc = cot_ingest_end(ingest, rc, err);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        const uint64_t *counts = tallies[i].counts;
        yyjson_mut_val *file = yyjson_mut_arr_add_obj(doc, files);
        yyjson_mut_obj_add_strcpy(doc, file, "path", tallies[i].path);
        yyjson_mut_obj_add_uint(doc, file, "rows", counts[0] + counts[1] + counts[2]);
        yyjson_mut_obj_add_uint(doc, file, "accepted", counts[COT_CALL_ACCEPTED]);
        yyjson_mut_obj_add_uint(doc, file, "duplicate", counts[COT_CALL_DUPLICATE]);
        yyjson_mut_obj_add_uint(doc, file, "still_open", counts[COT_CALL_QUARANTINED]);
    }
    return rc;
}

/* Sums of the files' counts, into the document's own. */
static void add_totals(yyjson_mut_doc *doc)
{
    static const char *const keys[] = {"rows", "accepted", "duplicate", "still_open"};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        size_t i;
        size_t n;
        uint64_t sum = 0;
        yyjson_mut_val *file;
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "files"), i, n, file)
        {
            sum += yyjson_mut_get_uint(yyjson_mut_obj_get(file, keys[k]));
        }
        yyjson_mut_obj_remove_key(root, keys[k]);
        yyjson_mut_obj_add_uint(doc, root, keys[k], sum);
    }
}

cot_code cot_ingest_replay_run(const struct cot_context *context, const char *code, yyjson_mut_doc *doc,
                               struct cot_err *err)
{
    const struct cot_replay_filter filter = {.code = code};
    struct cot_ingest *ingest = calloc(1, sizeof *ingest);
    if (ingest == NULL)
        return cot_fail(err, COT_NOMEM, "quarantine");
    pthread_mutex_init(&ingest->mutex, NULL);
    pthread_cond_init(&ingest->readable, NULL);
    cot_state_lock_init(&ingest->state);
    ingest->is_offline = true;
    ingest->context = *context;
    cot_code rc = cot_ingest_load(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_replay(ingest, &filter, doc, yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "files"), err);
    if (rc == COT_OK)
        add_totals(doc);
    cot_ingest_unload(ingest);
    cot_ingest_store_close(ingest);
    cot_state_lock_destroy(&ingest->state);
    pthread_cond_destroy(&ingest->readable);
    pthread_mutex_destroy(&ingest->mutex);
    free(ingest);
    return rc;
}

cot_code cot_ingest_correct(struct cot_ingest *ingest, int64_t id, yyjson_val *call, struct cot_err *err)
{
    struct held_list list = {0};
    const struct cot_replay_filter filter = {.id = id};
    yyjson_mut_doc *doc = NULL;
    char *text = NULL;
    char *quoted = NULL;
    cot_code rc = load_held(ingest, &filter, &list, err);
    if (rc == COT_OK && list.n == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "no open call %" PRId64 " in quarantine: GET /v1/quarantine lists them", id);
    if (rc != COT_OK)
        goto out;
    yyjson_doc *old = yyjson_read_opts(list.rows[0].raw, list.rows[0].raw_size, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    doc = yyjson_doc_mut_copy(old, NULL);
    yyjson_doc_free(old);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (root != NULL) {
        yyjson_mut_obj_remove_key(root, "call");
        yyjson_mut_obj_add_val(doc, root, "call", yyjson_val_mut_copy(doc, call));
        text = yyjson_mut_write(doc, 0, NULL);
    }
    quoted = text != NULL ? cot_sql_quote(text) : NULL;
    rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "quarantine")
                        : cot_store_exec(ingest->store, err,
                                         "update quarantine set raw = %s where quarantine_id = %" PRId64, quoted, id);
out:
    held_release(&list);
    yyjson_mut_doc_free(doc);
    free(text);
    free(quoted);
    return rc;
}

cot_code cot_service_quarantine_list(struct cot_service *service, const char *code, uint64_t limit,
                                     yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct cot_quarantine_options options = {.code = code, .limit = limit};
    return cot_quarantine_list_in(cot_service_ingest(service)->store, &options, ret_doc, err);
}

cot_code cot_service_quarantine_replay(struct cot_service *service, const struct cot_replay_filter *filter,
                                       yyjson_val *correction, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL)
        return cot_fail(err, COT_NOMEM, "quarantine");
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_val *files = yyjson_mut_obj_add_arr(doc, root, "files");
    cot_code rc = correction != NULL ? cot_ingest_correct(ingest, filter->id, correction, err) : COT_OK;
    if (rc == COT_OK)
        rc = cot_ingest_replay(ingest, filter, doc, files, err);
    if (rc == COT_OK) {
        add_totals(doc);
        *ret_doc = doc;
        return rc;
    }
    yyjson_mut_doc_free(doc);
    return rc;
}
