/*
 * Answers that go on: server-sent events, for as long as the reader stays.
 *
 * A stream holds its place in the log and at most one page of text. One thread watches the log and lets those that wait
 * go on; a stream on which nothing was said for a while says a comment, by which a reader who is gone is noticed. A
 * reader who takes nothing for the server's idle timeout is dropped. Streams end when the server stops, and when their
 * key is revoked.
 */
#ifndef COT_HTTP_STREAM_H
#define COT_HTTP_STREAM_H

#include "http/exchange.h"

struct cot_streams;
struct cot_stream;
struct MHD_Response;
struct cot_segment_stream;

enum { COT_MAX_STREAMS = 100 };

/* heartbeat_ms: how long a stream is silent at most; max: streams at once. server: borrowed. */
cot_code cot_streams_open(struct cot_server *server, int64_t heartbeat_ms, size_t max, struct cot_streams **ret_streams,
                          struct cot_err *err) COT_MUST_CHECK;
/* Ends all streams and takes no new ones. */
void cot_streams_end(struct cot_streams *streams);
/* After the last exchange is completed. NULL is fine. */
void cot_streams_free(struct cot_streams *streams);
size_t cot_streams_n(struct cot_streams *streams);

/* Leaves a stream as the exchange's answer, or 503 where there are too many. */
cot_code cot_exchange_stream(struct cot_exchange *exchange, const struct cot_segment_stream *from,
                             struct cot_err *err) COT_MUST_CHECK;

/* The response that reads it; the stream is the response's. NULL: no memory, the stream is gone. */
struct MHD_Response *cot_stream_response(struct cot_stream *stream);
/* Of an exchange that ends without a response. NULL is fine. */
void cot_stream_free(struct cot_stream *stream);

#endif
