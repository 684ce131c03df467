/* One call into the transaction at hand: accepted, duplicate or quarantined, exactly one of the three. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/ingest_parts.h"

enum { MAX_RECORDS_PER_CALL = 512 };

static const char code_erased[] = "erased";

static cot_code quarantine_reason(struct cot_ingest_batch *batch, struct cot_ingest_call *call, const char *code,
                                  const char *reason, struct cot_err *err)
{
    call->fate = COT_CALL_QUARANTINED;
    call->code = code;
    call->reason = cot_arena_copy(&batch->records.arena, reason, strlen(reason));
    return call->reason != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "a call");
}

/* The call as it would have to come again, alone: with the batch's context and clock, and what its path said. */
static char *raw_of(const struct cot_ingest_batch *batch, const struct cot_ingest_call *call, size_t *ret_size)
{
    const struct cot_ingest_request *request = &batch->request;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    char *text = NULL;
    if (root != NULL) {
        yyjson_mut_doc_set_root(doc, root);
        yyjson_mut_obj_add_strncpy(doc, root, "id", call->id.data, call->id.size);
        if (request->type != NULL)
            yyjson_mut_obj_add_str(doc, root, "type", request->type);
        if (request->sent_at != NULL)
            yyjson_mut_obj_add_str(doc, root, "sentAt", request->sent_at);
        if (request->opted_out)
            yyjson_mut_obj_add_bool(doc, root, "optedOut", true);
        if (request->user_agent != NULL)
            yyjson_mut_obj_add_str(doc, root, "userAgent", request->user_agent);
        if (request->context != NULL)
            yyjson_mut_obj_add_val(doc, root, "context", yyjson_val_mut_copy(doc, request->context));
        yyjson_mut_obj_add_val(doc, root, "call", yyjson_val_mut_copy(doc, call->value));
        text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, ret_size);
    }
    yyjson_mut_doc_free(doc);
    return text;
}

/* An erased person's call is not kept, nor is its id told apart from others but by the salted hash of it. */
static cot_code put_aside(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                          const struct cot_ingest_call *call, struct cot_err *err)
{
    struct cot_row_pass pass = {
        .shop = ingest->shop, .path = batch->request.path, .now_ms = batch->request.received_at_ms};
    size_t size = 0;
    char *raw = call->code != code_erased ? raw_of(batch, call, &size) : NULL;
    if (raw == NULL && call->code != code_erased)
        return cot_fail(err, COT_NOMEM, "a call");
    cot_code rc = cot_row_quarantine(&pass, (uint64_t)(call - batch->calls) + 1, call->code,
                                     call->reason != NULL ? call->reason : "", (struct cot_text){raw, (uint32_t)size},
                                     call->hash, err);
    free(raw);
    return rc;
}

/* A refund of a whole order whose amount nobody said: what is left of the order. */
static cot_code refund_whole(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_record *record,
                             struct cot_refusal *refusal, struct cot_err *err)
{
    int64_t net_minor = 0;
    const uint32_t whole = COT_RECORD_ORDER_LEVEL;
    if (record->kind != COT_RECORD_EVENT || record->event_kind != COT_EVENT_REFUND || !(record->flags & whole) ||
        (record->flags & COT_RECORD_HAS_AMOUNT))
        return COT_OK;
    cot_code rc = record->refund_of.size > 0
                      ? cot_ingest_order_net(ingest, batch->request.source, record->refund_of, &net_minor, err)
                      : COT_OK;
    if (rc != COT_OK)
        return rc;
    if (net_minor <= 0) {
        refusal->code = "unknown_order";
        snprintf(refusal->reason, sizeof refusal->reason,
                 "a refund without an amount, of order '%.*s', of which nothing is left or known: replay it once the "
                 "order is "
                 "there",
                 (int)(record->refund_of.size < 80 ? record->refund_of.size : 80), record->refund_of.data);
        return COT_OK;
    }
    record->amount_minor = -net_minor;
    record->flags |= COT_RECORD_HAS_AMOUNT;
    memcpy(record->currency, ingest->shop->base_currency, sizeof record->currency);
    return COT_OK;
}

/* A refund that names nobody is of whoever bought the order. */
static cot_code name_owner(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_record *record,
                           struct cot_err *err)
{
    struct cot_identity owner;
    if (record->kind != COT_RECORD_EVENT || record->event_kind != COT_EVENT_REFUND || record->refund_of.size == 0 ||
        cot_record_has_identity(record) ||
        !cot_ingest_order_owner(ingest, batch->request.source, record->refund_of, &owner))
        return COT_OK;
    switch (owner.kind) {
    case COT_NODE_USER: record->user = owner.value; return COT_OK;
    case COT_NODE_EMAIL: record->email = owner.value; return COT_OK;
    case COT_NODE_PHONE: record->phone = owner.value; return COT_OK;
    case COT_NODE_ANONYMOUS: record->anonymous = owner.value; return COT_OK;
    default: return cot_record_add_identity(&batch->records, record, owner.kind, owner.value, err);
    }
}

static cot_code resolve(struct cot_ingest *ingest, struct cot_ingest_batch *batch, const struct cot_ingest_call *call,
                        struct cot_money *money, struct cot_refusal *refusal, struct cot_err *err)
{
    cot_code rc = COT_OK;
    refusal->code = NULL;
    for (size_t i = 0; i < call->n && rc == COT_OK && refusal->code == NULL; i++) {
        struct cot_record *record = &batch->records.records[call->first + i];
        if (cot_record_is_erased(ingest->shop, record)) {
            refusal->code = code_erased;
            snprintf(refusal->reason, sizeof refusal->reason, "the call is of a person who was erased");
            break;
        }
        rc = name_owner(ingest, batch, record, err);
        if (rc == COT_OK)
            rc = refund_whole(ingest, batch, record, refusal, err);
        if (rc == COT_OK && refusal->code == NULL)
            cot_money_resolve(ingest->shop, record, &money[i], refusal);
    }
    return rc;
}

/* Number of a person's statement on a purpose; COT_DICT_NONE where the person is new. */
static cot_code consent_number(struct cot_ingest *ingest, const struct cot_record *record, uint32_t *ret_number,
                               struct cot_err *err)
{
    unsigned char key[4 + 32];
    uint32_t node = COT_DICT_NONE;
    *ret_number = COT_DICT_NONE;
    if (cot_record_node(ingest->shop, record, &node)) {
        size_t size = record->purpose.size < 32 ? record->purpose.size : 32;
        memcpy(key, &node, 4);
        memcpy(key + 4, record->purpose.data, size);
        size_t n = ingest->consents.n;
        cot_code rc = cot_dict_add(&ingest->consents, 0, (const char *)key, 4 + size, ret_number, err);
        if (rc != COT_OK)
            return rc;
        void *grown = cot_array_reserve(ingest->consents_granted, &ingest->consents_capacity, ingest->consents.n,
                                        sizeof *ingest->consents_granted);
        if (grown == NULL)
            return cot_fail(err, COT_NOMEM, "%zu statements of consent", ingest->consents.n);
        ingest->consents_granted = grown;
        if (ingest->consents.n > n)
            ingest->consents_granted[*ret_number] = -1;
    }
    return COT_OK;
}

/* Browsers state their consent with every call: only what changes is written. */
static cot_code write_consent(struct cot_ingest *ingest, const struct cot_record *record, const struct cot_money *money,
                              struct cot_row_write *write, struct cot_err *err)
{
    uint32_t number = COT_DICT_NONE;
    cot_code rc = consent_number(ingest, record, &number, err);
    if (rc != COT_OK || (number != COT_DICT_NONE && ingest->consents_granted[number] == record->granted))
        return rc;
    rc = cot_record_write(ingest->shop, record, NULL, money, write, err);
    if (rc == COT_OK && number == COT_DICT_NONE)
        rc = consent_number(ingest, record, &number, err);
    if (rc == COT_OK && number != COT_DICT_NONE)
        ingest->consents_granted[number] = record->granted;
    enum cot_purpose purpose;
    uint32_t node = COT_DICT_NONE;
    if (rc == COT_OK && !ingest->is_offline && cot_record_node(ingest->shop, record, &node) &&
        cot_purpose_from_name(record->purpose.data, record->purpose.size, &purpose))
        rc = cot_live_facts_add_consent(&ingest->facts, node, purpose, record->granted, record->occurred_at_ms, err);
    return rc;
}

static cot_code write_id(struct cot_ingest *ingest, const struct cot_ingest_batch *batch, struct cot_hash128 hash,
                         struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(ingest->shop, COT_TABLE_message, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_hash(writer, COT_message_row_hash, hash);
    cot_put_time(writer, COT_message_recorded_at, batch->request.received_at_ms);
    return cot_writer_end_row(writer, err);
}

static cot_code write_record(struct cot_ingest *ingest, const struct cot_records *records, size_t i_record,
                             const struct cot_money *money, struct cot_row_write *write, struct cot_err *err)
{
    const struct cot_record *record = &records->records[i_record];
    bool done = false;
    if (record->kind == COT_RECORD_CONSENT)
        return write_consent(ingest, record, money, write, err);
    cot_code rc = cot_ingest_alias(ingest, record, &done, err);
    return rc == COT_OK && !done
               ? cot_record_write(ingest->shop, record, records->traits + record->i_trait, money, write, err)
               : rc;
}

static cot_code write_call(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_ingest_call *call,
                           const struct cot_money *money, struct cot_err *err)
{
    struct cot_row_write write = {.hash = call->hash};
    const struct cot_records *records = &batch->records;
    int64_t first_event_id = ingest->shop->next_event_id;
    cot_code rc = COT_OK;
    for (int events = 1; events >= 0; events--) /* an event carries the call's id where there is one */
        for (size_t i = 0; i < call->n && rc == COT_OK; i++) {
            const struct cot_record *record = &records->records[call->first + i];
            if ((record->kind == COT_RECORD_EVENT) != (events == 1))
                continue;
            rc = write_record(ingest, records, call->first + i, &money[i], &write, err);
        }
    if (rc == COT_OK && !write.hash_written)
        rc = write_id(ingest, batch, call->hash, err);
    return rc == COT_OK ? cot_ingest_order_end(ingest, batch, call, money, first_event_id, err) : rc;
}

/* What was decoded, into rows; or why it can't be used after all. */
static cot_code take_decoded(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_ingest_call *call,
                             struct cot_err *err)
{
    struct cot_money money[MAX_RECORDS_PER_CALL];
    struct cot_refusal refusal = {0};
    bool known = false;
    if (call->n > MAX_RECORDS_PER_CALL)
        return quarantine_reason(batch, call, "limit", "the call says more than 512 things at once", err);
    cot_code rc = resolve(ingest, batch, call, money, &refusal, err);
    if (rc == COT_OK && refusal.code != NULL)
        return quarantine_reason(batch, call, refusal.code, refusal.reason, err);
    if (rc == COT_OK)
        rc = cot_ingest_order_begin(ingest, batch, call, &known, err);
    if (rc != COT_OK)
        return rc;
    call->fate = known ? COT_CALL_DUPLICATE : COT_CALL_ACCEPTED;
    return known ? write_id(ingest, batch, call->hash, err) : write_call(ingest, batch, call, money, err);
}

cot_code cot_ingest_take(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_ingest_call *call,
                         bool is_replay, struct cot_err *err)
{
    bool met = false;
    cot_code rc = is_replay ? COT_OK : cot_message_seen_meet(ingest->seen, call->hash, &met, err);
    if (rc != COT_OK)
        return rc;
    if (met) {
        call->fate = COT_CALL_DUPLICATE;
        return COT_OK;
    }
    call->fate = COT_CALL_QUARANTINED;
    if (call->code == NULL)
        rc = take_decoded(ingest, batch, call, err);
    if (rc == COT_OK && call->fate == COT_CALL_QUARANTINED && !is_replay)
        rc = put_aside(ingest, batch, call, err);
    return rc;
}
