/*
 * Ingest: calls of live sources into the store, durable before they are acknowledged.
 *
 * A call is decoded by the thread that brings it; one committer takes what waits as a group: tells repeated calls apart
 * by their ids, resolves identity, items and money, writes, commits, and only then says that it is done. Each call ends
 * as exactly one of accepted, duplicate, quarantined. A group that can't be committed is acknowledged to nobody: its
 * senders are told to try again. What waits is bounded: beyond that a sender is told to come again later.
 */
#ifndef COT_ENGINE_INGEST_H
#define COT_ENGINE_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

enum cot_ingest_source {
    COT_INGEST_SEGMENT,
    COT_INGEST_RUDDERSTACK,
    COT_INGEST_GA4,
    COT_INGEST_SHOPIFY,
    COT_INGEST_API,
    COT_N_INGEST_SOURCES
};

enum { COT_INGEST_MAX_CALLS = 2500, COT_INGEST_MAX_CALL_SIZE = 32 * 1024, COT_INGEST_MAX_BODY = 500 * 1024 };

struct cot_ingest_batch;
struct cot_store;

struct cot_ingest_request {
    enum cot_ingest_source source;
    const char *path;    /* the route's template; static */
    yyjson_doc *doc;     /* read with YYJSON_READ_NUMBER_AS_RAW; becomes the batch's, in any case */
    yyjson_val *calls;   /* of the document */
    bool is_batch;       /* an array of calls; else the one call itself */
    yyjson_val *context; /* defaults of the calls; NULL: none */
    const char *type;    /* of all calls; NULL: each says its own */
    const char *call_id; /* of a single call, where a header says it; NULL: the calls say */
    int64_t received_at_ms;
    const char *sent_at;    /* ISO, by the sender's clock; NULL: not said */
    bool opted_out;         /* Sec-GPC: 1 */
    const char *user_agent; /* NULL: not known */
};

/* Decodes. COT_LIMIT for more than COT_INGEST_MAX_CALLS. */
cot_code cot_ingest_batch_make(struct cot_service *service, const struct cot_ingest_request *request,
                               struct cot_ingest_batch **ret_batch, struct cot_err *err) COT_MUST_CHECK;
void cot_ingest_batch_free(struct cot_ingest_batch *batch);

/* Called by the committer, once the batch is on disk or has failed; must not wait. */
typedef void cot_ingest_done(void *context);

/* COT_IO: too much waits already, or the disk refuses: nothing was taken, come again. Else the batch is the committer's
 * until `done`, then the caller's again. */
cot_code cot_ingest_submit(struct cot_service *service, struct cot_ingest_batch *batch, cot_ingest_done *done,
                           void *context, struct cot_err *err) COT_MUST_CHECK;

/* After `done`: COT_OK where every call has its fate on disk. */
cot_code cot_ingest_batch_result(const struct cot_ingest_batch *batch, struct cot_err *err) COT_MUST_CHECK;

/* How many calls have a status, as receipts name it; after `done`. */
size_t cot_ingest_batch_count(const struct cot_ingest_batch *batch, const char *status);

/* [{"messageId","status": "accepted" | "duplicate" | "quarantined"[,"code","reason"]}] in the order of the calls. */
void cot_ingest_batch_receipts(const struct cot_ingest_batch *batch, yyjson_mut_doc *doc, yyjson_mut_val *array);

/* [{"fieldPath","description","validationCode"}] of the calls that can't be used, as GA4's validation server says it;
 * before _submit. */
void cot_ingest_batch_mistakes(const struct cot_ingest_batch *batch, yyjson_mut_doc *doc, yyjson_mut_val *array);

/* Work that needs the store. Runs at most once; where it can't run, `result` says why. store: what to use. */
struct cot_ingest_job {
    cot_code (*run)(struct cot_ingest_job *job, struct cot_service *service, struct cot_store *store,
                    struct cot_err *err);
    cot_ingest_done *done;
    void *context;
    cot_code result;
    struct cot_err err;
    struct cot_ingest_job *next;
};
/* On the committer's thread, between groups. */
cot_code cot_ingest_run(struct cot_service *service, struct cot_ingest_job *job, struct cot_err *err) COT_MUST_CHECK;
/* On the reader's thread, one after the other, while groups are committed: for what only reads, and takes its time. Its
 * store is a snapshot. While the store is away, it waits. */
cot_code cot_ingest_read(struct cot_service *service, struct cot_ingest_job *job, struct cot_err *err) COT_MUST_CHECK;

#endif
