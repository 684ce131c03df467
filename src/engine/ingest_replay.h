/*
 * Quarantined calls of live sources, tried again; and corrected. The files' rows have engine/quarantine.h.
 */
#ifndef COT_ENGINE_INGEST_REPLAY_H
#define COT_ENGINE_INGEST_REPLAY_H

#include "engine/ingest.h"
#include "engine/quarantine.h"

struct cot_ingest;

/* Which calls: by code, by id, or all. */
struct cot_replay_filter {
    const char *code; /* NULL: any */
    int64_t id;       /* 0: any */
};

/* Tries them again in a transaction of its own and adds {"path","rows","accepted","duplicate","still_open"} to `files`
 * for each path that had some. */
cot_code cot_ingest_replay(struct cot_ingest *ingest, const struct cot_replay_filter *filter, yyjson_mut_doc *doc,
                           yyjson_mut_val *files, struct cot_err *err) COT_MUST_CHECK;

/* The same on a data directory that no server has: adds to a document of cot_quarantine_replay. */
cot_code cot_ingest_replay_run(const struct cot_context *context, const char *code, yyjson_mut_doc *doc,
                               struct cot_err *err) COT_MUST_CHECK;

/* Puts a corrected call in the place of a quarantined one. COT_NOT_FOUND where none of that id is open. */
cot_code cot_ingest_correct(struct cot_ingest *ingest, int64_t id, yyjson_val *call,
                            struct cot_err *err) COT_MUST_CHECK;

/* For the server: answers of GET /v1/quarantine, POST /v1/quarantine/replay, PUT /v1/quarantine/{id}; on the committer.
 */
cot_code cot_service_quarantine_list(struct cot_service *service, const char *code, uint64_t limit,
                                     yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_service_quarantine_replay(struct cot_service *service, const struct cot_replay_filter *filter,
                                       yyjson_val *correction, yyjson_mut_doc **ret_doc,
                                       struct cot_err *err) COT_MUST_CHECK;

#endif
