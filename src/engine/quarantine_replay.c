/* Taking rows in from the quarantine (quarantine.h). */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "engine/import_detail.h"
#include "engine/import_run.h"
#include "engine/ingest_replay.h"
#include "engine/quarantine.h"

/* One row in quarantine. */
struct held {
    int64_t id;
    uint64_t line;
    yyjson_doc *raw; /* its cells' texts */
    bool tried;      /* its fate was found in this replay */
    enum cot_row_fate fate;
    const char *code; /* static */
    char *reason;
};

/* The rows of one import. */
struct replay {
    struct cot_import_session *session;
    int32_t import_id;
    int32_t source_id;
    char *path;
    struct cot_mapping *mapping;
    char **columns;
    size_t n_columns;
    struct held *held;
    size_t n_held, held_capacity;
    struct cot_row_pass pass;
    uint64_t n_accepted, n_duplicate, n_open;
};

static void replay_release(struct replay *replay)
{
    for (size_t i = 0; i < replay->n_held; i++) {
        yyjson_doc_free(replay->held[i].raw);
        free(replay->held[i].reason);
    }
    free(replay->held);
    free(replay->path);
    cot_mapping_free(replay->mapping);
    cot_import_columns_free(replay->columns);
}

static cot_code hold(struct replay *replay, const struct cot_rows *rows, struct cot_err *err)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, 2, &size);
    yyjson_doc *raw = NULL;
    if (text != NULL && cot_json_read(text, size, YYJSON_READ_ALLOW_INVALID_UNICODE, &raw, err) == COT_NOMEM)
        return COT_NOMEM;
    if (raw == NULL || yyjson_obj_size(yyjson_doc_get_root(raw)) != replay->n_columns) {
        yyjson_doc_free(raw); /* a line that never became cells stays */
        return COT_OK;
    }
    if (replay->n_held == replay->held_capacity) {
        size_t capacity = 2 * replay->held_capacity + 256;
        struct held *grown = realloc(replay->held, capacity * sizeof *grown);
        if (grown == NULL) {
            yyjson_doc_free(raw);
            return cot_fail(err, COT_NOMEM, "%zu rows of the quarantine", capacity);
        }
        replay->held = grown;
        replay->held_capacity = capacity;
    }
    replay->held[replay->n_held++] =
        (struct held){.id = cot_rows_int(rows, 0), .line = (uint64_t)cot_rows_int(rows, 1), .raw = raw};
    return COT_OK;
}

static cot_code load_held(struct replay *replay, const char *filter, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(replay->session->store, &rows, err,
                                "select quarantine_id, line, raw from quarantine where status = 'open' and import_id ="
                                " %d%s order by line, quarantine_id",
                                replay->import_id, filter);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = hold(replay, rows, err);
    cot_rows_close(rows);
    return rc;
}

/* How the file of the import was understood, with the options of now. */
static cot_code load_understanding(struct replay *replay, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(replay->session->store, &rows, err,
                      "select path, detail, source_id from import_run where import_id = %d", replay->import_id);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && !more)
        rc = cot_fail(err, COT_BAD_DATA, "the quarantine holds rows of import %d, of which nothing is known",
                      replay->import_id);
    if (rc == COT_OK) {
        size_t size = 0;
        const char *path = cot_rows_text(rows, 0, &size);
        replay->path = cot_text_dup((struct cot_text){path, (uint32_t)size});
        const char *detail = cot_rows_text(rows, 1, &size);
        replay->source_id = (int32_t)cot_rows_int(rows, 2);
        rc = replay->path == NULL
                 ? cot_fail(err, COT_NOMEM, "quarantine")
                 : cot_import_detail_mapping(detail, size, &replay->session->options.mapping, &replay->mapping,
                                             &replay->columns, &replay->n_columns, err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code note_fate(struct replay *replay, struct held *held, enum cot_row_fate fate, const char *code,
                          const char *reason, struct cot_err *err)
{
    held->tried = true;
    held->fate = fate;
    held->code = code;
    replay->n_accepted += fate == COT_ROW_ACCEPTED;
    replay->n_duplicate += fate == COT_ROW_DUPLICATE;
    replay->n_open += fate == COT_ROW_REFUSED;
    if (reason == NULL)
        return COT_OK;
    free(held->reason);
    held->reason = strdup(reason);
    return held->reason != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "quarantine");
}

/* Into the temp table fate(id, status, code, reason). */
static cot_code list_fates(struct replay *replay, struct cot_err *err)
{
    struct cot_appender *fates = NULL;
    cot_code rc =
        cot_store_exec(replay->session->store, err,
                       "create or replace temp table fate(id bigint, status varchar, code varchar, reason varchar)");
    if (rc == COT_OK)
        rc = cot_appender_open(replay->session->store, "fate", &fates, err);
    for (size_t i = 0; i < replay->n_held && rc == COT_OK; i++) {
        const struct held *held = &replay->held[i];
        const char *status = held->fate == COT_ROW_REFUSED ? "open" : "replayed";
        if (!held->tried)
            continue;
        cot_append_int(fates, held->id);
        cot_append_text(fates, status, strlen(status));
        cot_append_text(fates, held->code, held->code != NULL ? strlen(held->code) : 0);
        cot_append_text(fates, held->reason, held->reason != NULL ? strlen(held->reason) : 0);
        rc = cot_appender_end_row(fates, err);
    }
    cot_code rc_close = cot_appender_close(fates, rc == COT_OK ? err : NULL);
    return rc != COT_OK ? rc : rc_close;
}

static struct held *find_held(struct replay *replay, size_t begin, size_t n, size_t i_row, uint64_t line)
{
    if (i_row < n)
        return &replay->held[begin + i_row];
    for (size_t i = 0; i < begin + n && i < replay->n_held; i++)
        if (replay->held[i].line == line && !replay->held[i].tried)
            return &replay->held[i];
    return NULL;
}

/* Rows [begin, begin + n) as a batch whose cells point into the held documents. */
static cot_code make_batch(const struct replay *replay, size_t begin, size_t n, struct cot_batch *ret_batch,
                           struct cot_err *err)
{
    struct cot_batch batch = {.n_rows = n, .n_columns = replay->n_columns, .stride = n};
    batch.cells = calloc(n * replay->n_columns + 1, sizeof *batch.cells);
    batch.lines = calloc(n + 1, sizeof *batch.lines);
    if (batch.cells == NULL || batch.lines == NULL) {
        free(batch.cells);
        free(batch.lines);
        return cot_fail(err, COT_NOMEM, "rows of the quarantine");
    }
    for (size_t i = 0; i < n; i++) {
        size_t i_column, n_columns;
        yyjson_val *name;
        yyjson_val *value;
        batch.lines[i] = replay->held[begin + i].line;
        yyjson_obj_foreach(cot_json_some(yyjson_doc_get_root(replay->held[begin + i].raw)), i_column, n_columns, name,
                           value)
        {
            const char *text = yyjson_get_str(value);
            batch.cells[i_column * n + i] = (struct cot_cell){
                .data = text != NULL ? text : "", .size = (uint32_t)yyjson_get_len(value), .is_null = text == NULL};
        }
    }
    *ret_batch = batch;
    return COT_OK;
}

/* Takes what a batch gave. */
static cot_code take(struct replay *replay, const struct cot_decoded *decoded, size_t begin, struct cot_err *err)
{
    cot_code rc = COT_OK;
    size_t n = decoded->batch.n_rows;
    for (size_t i = 0; i < decoded->records.n_rejects && rc == COT_OK; i++) {
        const struct cot_reject *reject = &decoded->records.rejects[i];
        struct held *held = find_held(replay, begin, n, reject->i_row, reject->line);
        if (held != NULL)
            rc = note_fate(replay, held, COT_ROW_REFUSED, reject->code, reject->reason, err);
    }
    for (size_t i = 0; i < decoded->n_units && rc == COT_OK; i++) {
        const struct cot_row_unit *unit = &decoded->units[i];
        enum cot_row_fate fate = COT_ROW_REFUSED;
        struct cot_refusal refusal = {0};
        struct held *held = find_held(replay, begin, n, unit->i_row, unit->line);
        rc = cot_row_take(&replay->pass, decoded, unit, &fate, &refusal, err);
        if (rc == COT_OK && held != NULL)
            rc = note_fate(replay, held, fate, refusal.code, refusal.code != NULL ? refusal.reason : NULL, err);
    }
    return rc;
}

static cot_code decode_held(struct replay *replay, struct cot_err *err)
{
    struct cot_decoder *decoder = NULL;
    struct cot_decoded decoded = {0};
    size_t n = 0;
    cot_code rc = cot_decoder_open(replay->mapping, &decoder, err);
    for (size_t begin = 0; begin < replay->n_held && rc == COT_OK; begin += n) {
        n = replay->n_held - begin < COT_READER_BATCH_ROWS ? replay->n_held - begin : COT_READER_BATCH_ROWS;
        cot_records_clear(&decoded.records);
        rc = make_batch(replay, begin, n, &decoded.batch, err);
        if (rc == COT_OK)
            rc = cot_mapping_decode(replay->mapping, decoder, &decoded.batch, &decoded.records, err);
        if (rc == COT_OK && begin + n == replay->n_held)
            rc = cot_decoder_finish(decoder, &decoded.records, err);
        if (rc == COT_OK)
            rc = cot_decoded_cut(&decoded, err);
        if (rc == COT_OK)
            rc = take(replay, &decoded, begin, err);
        free(decoded.batch.cells);
        free(decoded.batch.lines);
        decoded.batch = (struct cot_batch){0};
    }
    cot_decoder_free(decoder);
    cot_decoded_release(&decoded);
    return rc;
}

/* The rows' new fates, and the counts of the file that they came from. */
static cot_code store_fates(struct replay *replay, struct cot_err *err)
{
    return cot_store_exec(replay->session->store, err,
                          "update quarantine q set status = f.status, code = coalesce(f.code, q.code), reason ="
                          " coalesce(f.reason, q.reason) from fate f where q.quarantine_id = f.id and (q.status <>"
                          " f.status or q.code <> coalesce(f.code, q.code) or q.reason <> coalesce(f.reason,"
                          " q.reason));"
                          "drop table fate;"
                          "update import_run set rows_accepted = rows_accepted + %llu, rows_duplicate = rows_duplicate"
                          " + %llu, rows_quarantined = rows_quarantined - %llu where import_id = %d and %llu > 0",
                          (unsigned long long)replay->n_accepted, (unsigned long long)replay->n_duplicate,
                          (unsigned long long)(replay->n_accepted + replay->n_duplicate), replay->import_id,
                          (unsigned long long)(replay->n_accepted + replay->n_duplicate));
}

static cot_code replay_import(struct replay *replay, const char *filter, struct cot_err *err)
{
    struct cot_import_session *session = replay->session;
    struct cot_source *source = NULL;
    cot_code rc = load_understanding(replay, err);
    if (rc == COT_OK)
        rc = load_held(replay, filter, err);
    if (rc == COT_OK && replay->n_held > 0)
        rc = cot_source_open_id(session->shop, replay->source_id, &source, err);
    if (rc != COT_OK || replay->n_held == 0)
        goto out;
    session->shop->import_id = replay->import_id; /* its rows belong to the import that they came with */
    replay->pass = (struct cot_row_pass){.shop = session->shop,
                                         .source = source,
                                         .path = replay->path,
                                         .columns = (const char *const *)replay->columns,
                                         .n_columns = replay->n_columns,
                                         .is_replay = true};
    rc = decode_held(replay, err);
    if (rc == COT_OK)
        rc = cot_import_shop_close_writers(session->shop, err);
    if (rc == COT_OK)
        rc = list_fates(replay, err);
    if (rc == COT_OK)
        rc = store_fates(replay, err);
out:
    cot_source_free(source);
    return rc;
}

static cot_code list_imports(struct cot_store *store, const char *filter, int32_t **ret_ids, size_t *ret_n,
                             struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    int32_t *ids = NULL;
    size_t n = 0;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select distinct import_id from quarantine where status = 'open' and raw is not null and"
                      " import_id not in (select import_id from import_run where path = 'live')%s"
                      " order by 1",
                      filter);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        int32_t *grown = realloc(ids, (n + 1) * sizeof *ids);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "quarantine");
            break;
        }
        ids = grown;
        ids[n++] = (int32_t)cot_rows_int(rows, 0);
    }
    cot_rows_close(rows);
    *ret_ids = ids;
    *ret_n = n;
    return rc;
}

static void add_file(yyjson_mut_doc *doc, yyjson_mut_val *files, const struct replay *replay, uint64_t totals[3])
{
    const uint64_t counts[3] = {replay->n_accepted, replay->n_duplicate, replay->n_open};
    if (replay->n_held == 0)
        return;
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, files);
    yyjson_mut_obj_add_strcpy(doc, value, "path", replay->path);
    yyjson_mut_obj_add_uint(doc, value, "rows", replay->n_held);
    yyjson_mut_obj_add_uint(doc, value, "accepted", counts[0]);
    yyjson_mut_obj_add_uint(doc, value, "duplicate", counts[1]);
    yyjson_mut_obj_add_uint(doc, value, "still_open", counts[2]);
    for (int i = 0; i < 3; i++)
        totals[i] += counts[i];
}

static cot_code replay_all(struct cot_import_session *session, const char *filter, yyjson_mut_doc *doc,
                           struct cot_err *err)
{
    int32_t *ids = NULL;
    size_t n = 0;
    uint64_t totals[3] = {0, 0, 0};
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_val *files = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, root);
    cot_code rc = list_imports(session->store, filter, &ids, &n, err);
    if (rc == COT_OK)
        rc = cot_store_begin(session->store, err);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        struct replay replay = {.session = session, .import_id = ids[i]};
        cot_progress_report(&session->context->progress, "replaying the quarantine", i, n);
        rc = replay_import(&replay, filter, err);
        if (rc == COT_OK)
            add_file(doc, files, &replay, totals);
        replay_release(&replay);
    }
    if (rc == COT_OK && session->shop->base_changed)
        rc = cot_import_shop_store_base(session->shop, session->shop->next_import_id, err);
    if (rc == COT_OK)
        rc = cot_store_commit(session->store, err);
    yyjson_mut_obj_add_uint(doc, root, "rows", totals[0] + totals[1] + totals[2]);
    yyjson_mut_obj_add_uint(doc, root, "accepted", totals[0]);
    yyjson_mut_obj_add_uint(doc, root, "duplicate", totals[1]);
    yyjson_mut_obj_add_uint(doc, root, "still_open", totals[2]);
    yyjson_mut_obj_add_val(doc, root, "files", files);
    free(ids);
    return rc;
}

cot_code cot_quarantine_replay(const struct cot_context *context, const struct cot_quarantine_options *options,
                               const struct cot_import_options *import, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_import_session session = {.context = context};
    char *filter = NULL;
    char *quoted = options->code != NULL ? cot_sql_quote(options->code) : NULL;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    cot_code rc = COT_OK;
    if (doc == NULL || (options->code != NULL && quoted == NULL) ||
        asprintf(&filter, "%s%s", quoted != NULL ? " and code = " : "", quoted != NULL ? quoted : "") < 0) {
        filter = NULL;
        rc = cot_fail(err, COT_NOMEM, "quarantine");
    }
    if (rc == COT_OK)
        rc = cot_file_options_parse(import, &session.options, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_EXISTING, &session.store, err);
    if (rc == COT_OK)
        rc = cot_import_shop_load(session.store, &session.shop, err);
    if (rc == COT_OK) {
        if (session.shop->base_currency[0] != '\0')
            session.options.mapping.base_currency = session.shop->base_currency;
        session.options.mapping.shop_time_zone = session.shop->time_zone;
        rc = replay_all(&session, filter, doc, err);
    }
    cot_import_shop_free(session.shop);
    if (rc != COT_OK && session.store != NULL)
        cot_store_rollback(session.store);
    cot_store_close(session.store);
    if (rc == COT_OK) /* calls of live sources */
        rc = cot_ingest_replay_run(context, options->code, doc, err);
    cot_file_options_release(&session.options);
    free(quoted);
    free(filter);
    if (rc == COT_OK) {
        *ret_doc = doc;
        doc = NULL;
    }
    yyjson_mut_doc_free(doc);
    return rc;
}
