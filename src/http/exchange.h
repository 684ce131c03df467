/*
 * One request and its answer, as handlers see them.
 *
 * A handler reads the body, the path's parameter and the query, calls one use case of engine/ and leaves the answer: a
 * status and a body. Where it fails, its code decides the status (COT_CODES) and its message stands in the answer:
 * {"error": {"code", "message"}}. An exchange belongs to one thread at a time.
 */
#ifndef COT_HTTP_EXCHANGE_H
#define COT_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "coterie/err.h"
#include "engine/keys.h"

struct cot_server;
struct cot_route;
struct cot_service;
struct cot_upload;
struct cot_stream;
struct MHD_Connection;

enum { COT_PARAMETER_SIZE = 1024 };

struct cot_exchange {
    struct cot_server *server;
    struct cot_service *service;
    const struct cot_route *route; /* NULL: no such path */
    struct MHD_Connection *connection;
    const char *method;
    char parameter[COT_PARAMETER_SIZE]; /* what stood for {...} in the path, percent-decoded */
    size_t parameter_size;
    struct cot_buf body;          /* as sent; after _inflate as meant */
    struct cot_upload *upload;    /* of a route that takes files: the body is there instead; NULL: none */
    char key_id[COT_KEY_ID_SIZE]; /* "": none */
    uint64_t received_size;
    int64_t began_us; /* monotonic */
    int64_t received_at_ms;

    /* the answer */
    int status; /* 0: none yet */
    struct cot_buf answer;
    struct cot_stream *stream; /* the answer goes on (stream.h); NULL: it is `answer` */
    const char *content_type;  /* static; NULL: JSON */
    unsigned retry_after_s;    /* 0: no Retry-After */
    uint64_t rate_reset_s;     /* X-RateLimit-Reset, Unix seconds; 0: none */
    const char *allow;         /* of 405; static */
    bool closes;               /* the connection ends with it */

    /* the server's own */
    bool too_large;
    bool handled;
    bool waits; /* for _resume */
};

/* A value of the query or a header; NULL where it is absent. Valid as long as the exchange. */
const char *cot_exchange_query(const struct cot_exchange *exchange, const char *name);
const char *cot_exchange_header(const struct cot_exchange *exchange, const char *name);

/* A whole number from the query; ret_value is untouched where it is absent. */
cot_code cot_exchange_query_int(const struct cot_exchange *exchange, const char *name, int64_t min, int64_t max,
                                int64_t *ret_value, struct cot_err *err) COT_MUST_CHECK;

/* Undoes Content-Encoding. COT_LIMIT beyond max_size, COT_BAD_DATA for a damaged body, COT_USAGE for an encoding that
 * isn't known. */
cot_code cot_exchange_inflate(struct cot_exchange *exchange, size_t max_size, struct cot_err *err) COT_MUST_CHECK;

/* The body as JSON, parsed strictly; free the document. COT_USAGE with the place of the mistake. */
cot_code cot_exchange_json(const struct cot_exchange *exchange, yyjson_doc **ret_doc,
                           struct cot_err *err) COT_MUST_CHECK;

/* Leaves an answer. */
cot_code cot_exchange_answer(struct cot_exchange *exchange, int status, const yyjson_mut_doc *doc,
                             struct cot_err *err) COT_MUST_CHECK;
cot_code cot_exchange_answer_text(struct cot_exchange *exchange, int status, const char *text,
                                  struct cot_err *err) COT_MUST_CHECK;
/* Never fails: where memory is short the answer is a fixed text. */
void cot_exchange_answer_error(struct cot_exchange *exchange, int status, const char *code, const char *message);

/* The exchange waits until _resume, which any thread may call once, even before the handler returns. The handler must
 * not touch the exchange after whatever may lead to _resume. */
void cot_exchange_suspend(struct cot_exchange *exchange);
void cot_exchange_resume(struct cot_exchange *exchange);

#endif
