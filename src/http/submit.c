#include "http/submit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "http/route.h"

struct waiting {
    struct cot_exchange *exchange;
    struct cot_ingest_batch *batch;
    bool receipts;
    enum cot_submit_answer answer;
};

/* GIF, 1 x 1, transparent. */
static const unsigned char pixel[] = {'G', 'I', 'F', '8', '9',  'a',  1, 0, 1, 0,    0x80, 0, 0,    0, 0,
                                      0,   0,   0,   0,   0x21, 0xf9, 4, 1, 0, 0,    0,    0, 0x2c, 0, 0,
                                      0,   0,   1,   0,   1,    0,    0, 2, 2, 0x44, 1,    0, 0x3b};

static cot_code answer_plain(struct waiting *waiting, struct cot_err *err)
{
    struct cot_exchange *exchange = waiting->exchange;
    switch (waiting->answer) {
    case COT_SUBMIT_EMPTY: return cot_exchange_answer_text(exchange, 204, "", err);
    case COT_SUBMIT_PIXEL:
        exchange->content_type = "image/gif";
        exchange->status = 200;
        return cot_buf_append(&exchange->answer, pixel, sizeof pixel, err);
    default: return cot_exchange_answer_text(exchange, 200, "{\"success\":true}", err);
    }
}

static cot_code answer_receipts(struct waiting *waiting, struct cot_err *err)
{
    bool strict = waiting->answer == COT_SUBMIT_STRICT;
    bool success = !strict || cot_ingest_batch_count(waiting->batch, "quarantined") == 0;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK) {
        yyjson_mut_obj_add_bool(doc, root, "success", success);
        cot_ingest_batch_receipts(waiting->batch, doc, yyjson_mut_obj_add_arr(doc, root, "receipts"));
        rc = cot_exchange_answer(waiting->exchange, success ? 200 : 422, doc, err);
    }
    yyjson_mut_doc_free(doc);
    return rc;
}

static void answer_result(struct waiting *waiting)
{
    struct cot_err err = {0};
    struct cot_exchange *exchange = waiting->exchange;
    cot_code rc = cot_ingest_batch_result(waiting->batch, &err);
    if (rc != COT_OK) {
        exchange->retry_after_s = 1;
        cot_exchange_answer_error(exchange, 503, "not_stored", err.message);
        return;
    }
    rc = waiting->receipts ? answer_receipts(waiting, &err) : answer_plain(waiting, &err);
    if (rc != COT_OK)
        cot_exchange_answer_error(exchange, cot_code_http_status(rc), cot_code_name(rc), err.message);
}

/* On the committer's thread. */
static void on_done(void *context)
{
    struct waiting *waiting = context;
    struct cot_exchange *exchange = waiting->exchange;
    answer_result(waiting);
    cot_ingest_batch_free(waiting->batch);
    free(waiting);
    cot_exchange_resume(exchange);
}

static bool is_true(const char *text)
{
    return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

cot_code cot_submit(struct cot_exchange *exchange, struct cot_ingest_request *request, enum cot_submit_answer answer,
                    struct cot_err *err)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL) {
        yyjson_doc_free(request->doc);
        return cot_fail(err, COT_NOMEM, "a batch of calls");
    }
    const char *privacy = cot_exchange_header(exchange, "Sec-GPC");
    *waiting =
        (struct waiting){.exchange = exchange,
                         .receipts = answer == COT_SUBMIT_STRICT || is_true(cot_exchange_query(exchange, "receipts")),
                         .answer = answer};
    request->path = exchange->route->path;
    request->received_at_ms = exchange->received_at_ms;
    request->opted_out = privacy != NULL && strcmp(privacy, "1") == 0;
    cot_code rc = cot_ingest_batch_make(exchange->service, request, &waiting->batch, err);
    if (rc != COT_OK) {
        free(waiting);
        return rc;
    }
    struct cot_ingest_batch *batch = waiting->batch;
    cot_exchange_suspend(exchange);
    rc = cot_ingest_submit(exchange->service, batch, on_done, waiting, err);
    if (rc == COT_OK)
        return COT_OK;
    exchange->retry_after_s = 1;
    cot_exchange_answer_error(exchange, 503, "busy", err->message);
    cot_ingest_batch_free(batch);
    free(waiting);
    cot_exchange_resume(exchange);
    return COT_OK;
}

yyjson_doc *cot_submit_read_body(struct cot_exchange *exchange, size_t max_size)
{
    struct cot_err err = {0};
    yyjson_read_err why = {0};
    if (cot_exchange_inflate(exchange, max_size, &err) != COT_OK) {
        cot_exchange_answer_error(exchange, 400, err.code == COT_LIMIT ? "too_large" : "bad_body", err.message);
        return NULL;
    }
    yyjson_doc *doc = exchange->body.size > 0 ? yyjson_read_opts(exchange->body.data, exchange->body.size,
                                                                 YYJSON_READ_NUMBER_AS_RAW, NULL, &why)
                                              : NULL;
    if (doc == NULL) {
        cot_fail(&err, COT_USAGE, "the body is no JSON: %s at byte %zu",
                 exchange->body.size > 0 ? why.msg : "it is empty", why.pos);
        cot_exchange_answer_error(exchange, 400, "bad_json", err.message);
    }
    return doc;
}
