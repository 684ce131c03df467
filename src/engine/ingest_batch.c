/* Batches: decoding on the thread that brings them, and what became of their calls. */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ingest_parts.h"

#include "base/json.h"

static const struct cot_live_source *const sources[COT_N_INGEST_SOURCES] = {
    [COT_INGEST_SEGMENT] = &cot_live_segment, [COT_INGEST_RUDDERSTACK] = &cot_live_rudderstack,
    [COT_INGEST_GA4] = &cot_live_ga4,         [COT_INGEST_SHOPIFY] = &cot_live_shopify,
    [COT_INGEST_API] = &cot_live_api,
};

const struct cot_live_source *cot_ingest_source_of(enum cot_ingest_source source)
{
    return sources[source];
}

void cot_ingest_batch_free(struct cot_ingest_batch *batch)
{
    if (batch == NULL)
        return;
    cot_records_release(&batch->records);
    yyjson_doc_free(batch->request.doc);
    free(batch->calls);
    free(batch);
}

/* A call without an id of its own gets one of 128 random bits, so that a receipt can name it. */
static cot_code give_id(struct cot_ingest_batch *batch, struct cot_ingest_call *call, struct cot_err *err)
{
    unsigned char bits[16];
    char text[48];
    size_t size = 0;
    if (RAND_bytes(bits, sizeof bits) != 1)
        return cot_fail(err, COT_INTERNAL, "the system gives no random bytes");
    size = (size_t)snprintf(text, sizeof text, "coterie-");
    for (size_t i = 0; i < sizeof bits; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%02x", bits[i]);
    call->id.data = cot_arena_copy(&batch->records.arena, text, size);
    call->id.size = (uint32_t)size;
    return call->id.data != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "a call");
}

/* Larger than a call may be? Only bodies that are larger themselves are worth asking. */
static bool is_too_large(const struct cot_ingest_batch *batch, yyjson_val *value)
{
    size_t size = 0;
    if (yyjson_doc_get_read_size(batch->request.doc) <= COT_INGEST_MAX_CALL_SIZE ||
        batch->request.source == COT_INGEST_SHOPIFY)
        return false;
    char *text = yyjson_val_write(value, 0, &size);
    free(text);
    return size > COT_INGEST_MAX_CALL_SIZE;
}

/* Takes out identities that are placeholders; ret_named: there were some, returns whether any is left. */
static bool block_placeholders(struct cot_record *record, bool *ret_named)
{
    struct cot_text *const texts[] = {&record->user, &record->email, &record->phone, &record->anonymous};
    static const enum cot_node_kind kinds[] = {COT_NODE_USER, COT_NODE_EMAIL, COT_NODE_PHONE, COT_NODE_ANONYMOUS};
    *ret_named = cot_record_has_identity(record);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i]->size > 0 && cot_identity_is_blocked(kinds[i], texts[i]->data, texts[i]->size))
            *texts[i] = (struct cot_text){"", 0};
    return cot_record_has_identity(record);
}

/* Takes out values that name nobody. A call that named somebody and now names no one is put aside. */
static void block_values(struct cot_ingest_batch *batch, struct cot_ingest_call *call)
{
    for (size_t i = call->first; i < call->first + call->n; i++) {
        bool named = false;
        if (!block_placeholders(&batch->records.records[i], &named) && named) {
            call->code = "blocked";
            call->reason = "the only identities that it names are placeholders: they name nobody";
        }
    }
}

static cot_code decode_call(struct cot_ingest_batch *batch, yyjson_val *value, const char *base_currency,
                            struct cot_err *err)
{
    const struct cot_ingest_request *request = &batch->request;
    struct cot_ingest_call *call = &batch->calls[batch->n_calls];
    const struct cot_live_source *source = sources[request->source];
    struct cot_live_input input = {.call = value,
                                   .context = request->context,
                                   .type = request->type,
                                   .received_at_ms = request->received_at_ms,
                                   .sent_at_ms = batch->sent_at_ms,
                                   .opted_out = request->opted_out,
                                   .user_agent = request->user_agent,
                                   .base_currency = base_currency,
                                   .i_call = batch->n_calls++};
    size_t n_rejects = batch->records.n_rejects;
    struct cot_hasher hasher;
    call->value = value;
    call->first = batch->records.n_records;
    cot_code rc = source->decode(&input, &batch->records, &call->id, err);
    if (rc != COT_OK)
        return rc;
    call->n = batch->records.n_records - call->first;
    if (batch->records.n_rejects > n_rejects) {
        call->code = batch->records.rejects[n_rejects].code;
        call->reason = batch->records.rejects[n_rejects].reason;
    } else if (is_too_large(batch, value)) {
        call->code = "too_large";
        call->reason = "the call is larger than 32 KB";
    }
    if (call->code == NULL)
        block_values(batch, call);
    if (request->call_id != NULL)
        call->id = (struct cot_text){request->call_id, (uint32_t)strlen(request->call_id)};
    if (call->id.size == 0)
        rc = give_id(batch, call, err);
    cot_hasher_init(&hasher);
    cot_hasher_text(&hasher, source->connector->name, strlen(source->connector->name));
    cot_hasher_text(&hasher, call->id.data, call->id.size);
    call->hash = cot_hasher_finish(&hasher);
    return rc;
}

/* The strings of a request live as long as the request alone: what outlives it is copied. */
static cot_code keep_texts(struct cot_ingest_batch *batch, struct cot_err *err)
{
    const char **texts[] = {&batch->request.type, &batch->request.call_id, &batch->request.user_agent,
                            &batch->request.sent_at};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i] == NULL)
            continue;
        *texts[i] = cot_arena_copy(&batch->records.arena, *texts[i], strlen(*texts[i]));
        if (*texts[i] == NULL)
            return cot_fail(err, COT_NOMEM, "a batch of calls");
    }
    return COT_OK;
}

static cot_code decode_calls(const char *base_currency, struct cot_ingest_batch *batch, struct cot_err *err)
{
    cot_code rc = COT_OK;
    yyjson_val *calls = batch->request.calls;
    if (batch->request.is_batch) {
        size_t i;
        size_t n;
        yyjson_val *call;
        yyjson_arr_foreach(cot_json_some(calls), i, n, call)
        {
            if (rc == COT_OK)
                rc = decode_call(batch, call, base_currency, err);
        }
    } else {
        rc = decode_call(batch, calls, base_currency, err);
    }
    return rc;
}

cot_code cot_ingest_batch_decode(const char *base_currency, const struct cot_ingest_request *request,
                                 struct cot_ingest_batch **ret_batch, struct cot_err *err)
{
    size_t n = request->is_batch ? yyjson_arr_size(request->calls) : 1;
    struct cot_ingest_batch *batch = calloc(1, sizeof *batch);
    cot_code rc = COT_OK;
    if (batch == NULL) {
        yyjson_doc_free(request->doc);
        return cot_fail(err, COT_NOMEM, "a batch of calls");
    }
    batch->request = *request;
    batch->sent_at_ms = COT_NO_TIME;
    if (n > COT_INGEST_MAX_CALLS)
        rc = cot_fail(err, COT_LIMIT, "%zu calls in a batch: %d are the limit", n, COT_INGEST_MAX_CALLS);
    if (rc == COT_OK)
        rc = keep_texts(batch, err);
    if (request->sent_at != NULL && !cot_parse_iso(request->sent_at, strlen(request->sent_at), &batch->sent_at_ms))
        batch->sent_at_ms = COT_NO_TIME;
    batch->calls = calloc(n + 1, sizeof *batch->calls);
    if (rc == COT_OK && batch->calls == NULL)
        rc = cot_fail(err, COT_NOMEM, "a batch of calls");
    if (rc == COT_OK)
        rc = decode_calls(base_currency, batch, err);
    if (rc == COT_OK)
        *ret_batch = batch;
    else
        cot_ingest_batch_free(batch);
    return rc;
}

cot_code cot_ingest_batch_make(struct cot_service *service, const struct cot_ingest_request *request,
                               struct cot_ingest_batch **ret_batch, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    char base_currency[4];
    pthread_mutex_lock(&ingest->mutex);
    memcpy(base_currency, ingest->base_currency, sizeof base_currency);
    pthread_mutex_unlock(&ingest->mutex);
    return cot_ingest_batch_decode(base_currency, request, ret_batch, err);
}

cot_code cot_ingest_batch_result(const struct cot_ingest_batch *batch, struct cot_err *err)
{
    return batch->rc == COT_OK ? COT_OK : cot_fail(err, batch->rc, "%s", batch->err.message);
}

static const char *const fates[COT_N_CALL_FATES] = {
    [COT_CALL_ACCEPTED] = "accepted", [COT_CALL_DUPLICATE] = "duplicate", [COT_CALL_QUARANTINED] = "quarantined"};

size_t cot_ingest_batch_count(const struct cot_ingest_batch *batch, const char *status)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->n_calls; i++)
        n += strcmp(fates[batch->calls[i].fate], status) == 0;
    return n;
}

void cot_ingest_batch_receipts(const struct cot_ingest_batch *batch, yyjson_mut_doc *doc, yyjson_mut_val *array)
{
    for (size_t i = 0; i < batch->n_calls; i++) {
        const struct cot_ingest_call *call = &batch->calls[i];
        yyjson_mut_val *receipt = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strncpy(doc, receipt, "messageId", call->id.data, call->id.size);
        yyjson_mut_obj_add_str(doc, receipt, "status", fates[call->fate]);
        if (call->fate != COT_CALL_QUARANTINED)
            continue;
        yyjson_mut_obj_add_strcpy(doc, receipt, "code", call->code);
        yyjson_mut_obj_add_strcpy(doc, receipt, "reason", call->reason != NULL ? call->reason : "");
    }
}

void cot_ingest_batch_mistakes(const struct cot_ingest_batch *batch, yyjson_mut_doc *doc, yyjson_mut_val *array)
{
    char path[32];
    for (size_t i = 0; i < batch->n_calls; i++) {
        const struct cot_ingest_call *call = &batch->calls[i];
        if (call->code == NULL)
            continue;
        yyjson_mut_val *mistake = yyjson_mut_arr_add_obj(doc, array);
        snprintf(path, sizeof path, "events.%zu", i);
        yyjson_mut_obj_add_strcpy(doc, mistake, "fieldPath", path);
        yyjson_mut_obj_add_strcpy(doc, mistake, "description", call->reason != NULL ? call->reason : "");
        yyjson_mut_obj_add_strcpy(doc, mistake, "validationCode", call->code);
    }
}
