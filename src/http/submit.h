/*
 * Calls from a request's body to the committer (engine/ingest.h), and the answer once they are on disk.
 */
#ifndef COT_HTTP_SUBMIT_H
#define COT_HTTP_SUBMIT_H

#include <yyjson.h>

#include "engine/ingest.h"
#include "http/exchange.h"

enum cot_submit_answer {
    COT_SUBMIT_SUCCESS, /* {"success":true}, as Segment has it; receipts where ?receipts=true asks for them */
    COT_SUBMIT_EMPTY,   /* 204 */
    COT_SUBMIT_PIXEL,   /* 200 and a picture of one transparent point */
    COT_SUBMIT_STRICT   /* receipts always; 422 where a call was put aside */
};

/* The body, inflated to max_size at most, as JSON with raw numbers; answers 400 by itself. NULL: the answer is there.
 */
yyjson_doc *cot_submit_read_body(struct cot_exchange *exchange, size_t max_size);

/* Hands the calls over and lets the exchange wait; takes the request's document in any case. The handler returns what
 * this returns, and touches the exchange no more. */
cot_code cot_submit(struct cot_exchange *exchange, struct cot_ingest_request *request, enum cot_submit_answer answer,
                    struct cot_err *err) COT_MUST_CHECK;

#endif
