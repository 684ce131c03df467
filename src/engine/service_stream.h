/*
 * Entries and exits of segments by rule as server-sent events (text/event-stream).
 *
 *   id: LOG-N                       what Last-Event-ID resumes from
 *   event: begin | enter | exit | reset
 *   data: {"customer_id","segment","version","at","cause"[,"event_ids": [...]]}      enter, exit (segment_log.h:
 * causes) data: {"segment": name | null}                                                   begin: from here on data:
 * {"reason","do"}                                                            reset: some can't be told any more
 *
 * A stream is a place in the log and nothing else: what a slow reader has not taken waits there, and is gone when the
 * log goes past it. It begins at the log's end, or after a given id. Every change is told once and in order; what turns
 * and turns back within one group of calls, or between two starts, is no change. A customer who is made one with
 * another, or gets another id, leaves by the old id and enters by the new; `exit` from a deleted segment has version 0.
 */
#ifndef COT_ENGINE_SERVICE_STREAM_H
#define COT_ENGINE_SERVICE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/rule_segments.h"
#include "engine/segment_log.h"
#include "engine/service.h"

struct cot_segment_stream {
    char log_id[COT_LOG_ID_SIZE];
    int64_t after_id;
    char segment[COT_RULE_MAX_NAME + 1]; /* "": all */
    bool begun;
};

/* last_event_id NULL, "": from now on; segment NULL: all. COT_USAGE for an id that is none, COT_NOT_FOUND for a segment
 * that never was. */
cot_code cot_service_stream_begin(struct cot_service *service, const char *last_event_id, const char *segment,
                                  struct cot_segment_stream *ret_stream, struct cot_err *err) COT_MUST_CHECK;

/* Appends the next events, some dozens at most; nothing where there is none yet. One thread at a time a stream. */
cot_code cot_service_stream_read(struct cot_service *service, struct cot_segment_stream *stream, struct cot_buf *text,
                                 struct cot_err *err) COT_MUST_CHECK;

/* Waits until there may be more (cot_segment_log_wait); _wake ends all waiting. */
void cot_service_stream_wait(struct cot_service *service, uint64_t *turn, int64_t timeout_ms);
void cot_service_stream_wake(struct cot_service *service);

#endif
