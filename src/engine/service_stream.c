#include "engine/service_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/number.h"
#include "engine/ingest_parts.h"
#include "engine/live_profile.h"

/* Changes a reading. */
enum { PAGE = 64 };

static const char what_to_do[] = "read GET /v1/segments/{name}/members, then go on with what follows here";

/* "LOG-N" */
static bool parse_id(const char *text, struct cot_segment_stream *stream)
{
    const char *dash = strchr(text, '-');
    size_t size = dash != NULL ? (size_t)(dash - text) : 0;
    if (size != COT_LOG_ID_SIZE - 1 || !cot_parse_int(dash + 1, strlen(dash + 1), &stream->after_id) ||
        stream->after_id < 0)
        return false;
    memcpy(stream->log_id, text, size);
    return true;
}

static bool is_known(struct cot_ingest *ingest, const char *segment)
{
    bool known = false;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    for (uint32_t i = 0; !known && i < cot_segment_log_n_segments(ingest->log); i++)
        known = strcmp(cot_segment_log_name(ingest->log, i), segment) == 0;
    for (size_t i = 0; !known && ingest->rules != NULL && i < cot_rule_segments_n(ingest->rules); i++)
        known = strcmp(cot_rule_segments_at(ingest->rules, i).name, segment) == 0;
    cot_state_unlock(&ingest->state);
    return known;
}

cot_code cot_service_stream_begin(struct cot_service *service, const char *last_event_id, const char *segment,
                                  struct cot_segment_stream *ret_stream, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_segment_stream stream = {0};
    if (segment != NULL && (strlen(segment) > COT_RULE_MAX_NAME || !is_known(ingest, segment)))
        return cot_fail(err, COT_NOT_FOUND, "no segment '%.60s': GET /v1/segments lists them", segment);
    if (segment != NULL)
        memcpy(stream.segment, segment, strlen(segment) + 1); /* fits: checked */
    if (last_event_id == NULL || last_event_id[0] == '\0')
        cot_segment_log_end(ingest->log, stream.log_id, &stream.after_id);
    else if (!parse_id(last_event_id, &stream))
        return cot_fail(err, COT_USAGE, "last event id '%.60s': give the id of an event of this stream, or none",
                        last_event_id);
    *ret_stream = stream;
    return COT_OK;
}

/* One event; takes the document's root. */
static cot_code add_event(const struct cot_segment_stream *stream, int64_t id, const char *event, yyjson_mut_doc *doc,
                          struct cot_buf *text, struct cot_err *err)
{
    size_t size = 0;
    char *json = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size);
    cot_code rc = json == NULL ? cot_fail(err, COT_NOMEM, "an event of a stream")
                               : cot_buf_printf(text, err, "id: %s-%" PRId64 "\nevent: %s\ndata: %s\n\n",
                                                stream->log_id, id, event, json);
    free(json);
    return rc;
}

static cot_code add_begin(struct cot_segment_stream *stream, struct cot_buf *text, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    if (stream->segment[0] != '\0')
        yyjson_mut_obj_add_str(doc, root, "segment", stream->segment);
    else
        yyjson_mut_obj_add_null(doc, root, "segment");
    rc = add_event(stream, stream->after_id, "begin", doc, text, err);
    yyjson_mut_doc_free(doc);
    stream->begun = rc == COT_OK;
    return rc;
}

/* What the reader asks for is not there: it goes on from the log's end. */
static cot_code add_reset(struct cot_ingest *ingest, struct cot_segment_stream *stream, const char *reason,
                          struct cot_buf *text, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_segment_log_end(ingest->log, stream->log_id, &stream->after_id);
    yyjson_mut_obj_add_str(doc, root, "reason", reason);
    yyjson_mut_obj_add_str(doc, root, "do", what_to_do);
    rc = add_event(stream, stream->after_id, "reset", doc, text, err);
    yyjson_mut_doc_free(doc);
    stream->begun = rc == COT_OK;
    return rc;
}

static cot_code add_change(const struct cot_segment_stream *stream, const struct cot_change *change, const char *name,
                           const char *customer_id, struct cot_buf *text, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_str(doc, root, "customer_id", customer_id);
    yyjson_mut_obj_add_str(doc, root, "segment", name);
    yyjson_mut_obj_add_int(doc, root, "version", change->version);
    cot_json_add_time(doc, root, "at", change->at_ms);
    yyjson_mut_obj_add_str(doc, root, "cause", cot_change_cause_name((enum cot_change_cause)change->cause));
    if (change->n_events > 0) {
        yyjson_mut_val *ids = yyjson_mut_obj_add_arr(doc, root, "event_ids");
        for (size_t i = 0; i < change->n_events; i++)
            yyjson_mut_arr_add_int(doc, ids, change->event_ids[i]);
    }
    rc = add_event(stream, change->change_id, change->entered ? "enter" : "exit", doc, text, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

/* The customers' ids; "" of an erased person. False: the shop is being loaded. */
static bool name_customers(struct cot_ingest *ingest, const struct cot_change *changes, size_t n,
                           char (*ret_names)[COT_LIVE_NAME_SIZE])
{
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    bool loaded = ingest->shop != NULL && ingest->live != NULL;
    for (size_t i = 0; loaded && i < n; i++)
        if (!cot_live_node_name(&ingest->shop->nodes, changes[i].customer, ret_names[i]))
            ret_names[i][0] = '\0';
    cot_state_unlock(&ingest->state);
    return loaded;
}

static cot_code add_changes(struct cot_ingest *ingest, struct cot_segment_stream *stream,
                            const struct cot_change *changes, size_t n, int64_t last_id, struct cot_buf *text,
                            struct cot_err *err)
{
    cot_code rc = COT_OK;
    char(*customers)[COT_LIVE_NAME_SIZE] = malloc((n + 1) * sizeof *customers);
    if (customers == NULL)
        return cot_fail(err, COT_NOMEM, "events of a stream");
    bool loaded = name_customers(ingest, changes, n, customers);
    for (size_t i = 0; loaded && i < n && rc == COT_OK; i++) {
        const char *name = cot_segment_log_name(ingest->log, changes[i].segment);
        if (customers[i][0] != '\0' && (stream->segment[0] == '\0' || strcmp(stream->segment, name) == 0))
            rc = add_change(stream, &changes[i], name, customers[i], text, err);
    }
    if (loaded && rc == COT_OK)
        stream->after_id = last_id;
    free(customers);
    return rc;
}

cot_code cot_service_stream_read(struct cot_service *service, struct cot_segment_stream *stream, struct cot_buf *text,
                                 struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_change changes[PAGE];
    char log_id[COT_LOG_ID_SIZE];
    int64_t last_id = 0;
    size_t n = PAGE;
    cot_segment_log_end(ingest->log, log_id, &last_id);
    if (strcmp(log_id, stream->log_id) != 0)
        return add_reset(ingest, stream, "the id is of another log: the shop was restored or begun anew", text, err);
    cot_code rc = COT_OK;
    while (rc == COT_OK && n == PAGE && text->size == 0) { /* a page may hold nothing for this reader */
        rc = cot_segment_log_read(ingest->log, stream->after_id, PAGE, changes, &n, &last_id, err);
        if (rc == COT_NOT_FOUND)
            return add_reset(ingest, stream, "changes after this id are not kept any more", text, err);
        if (rc == COT_OK && !stream->begun)
            rc = add_begin(stream, text, err);
        if (rc == COT_OK)
            rc = add_changes(ingest, stream, changes, n, last_id, text, err);
    }
    return rc;
}

void cot_service_stream_wait(struct cot_service *service, uint64_t *turn, int64_t timeout_ms)
{
    cot_segment_log_wait(cot_service_ingest(service)->log, turn, timeout_ms);
}

void cot_service_stream_wake(struct cot_service *service)
{
    cot_segment_log_wake(cot_service_ingest(service)->log);
}
