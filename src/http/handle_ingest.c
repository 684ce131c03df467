/*
 * Events in: the tracking API of Segment's and RudderStack's clients, GA4's Measurement Protocol, Shopify's webhooks.
 *
 * The answer comes when the calls are on disk. Segment answers 400 to bodies that are too large or no JSON, and 200 to
 * anything else; so do we, with receipts where they are asked for (?receipts=true).
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/ingest.h"
#include "engine/service_privacy.h"
#include "http/handlers.h"
#include "http/job.h"
#include "http/server_parts.h"
#include "http/submit.h"

/* The key in the body, where Segment's clients put it, or in the query, where a beacon does. */
static bool authorize(struct cot_exchange *exchange, yyjson_val *root)
{
    const char *key = yyjson_get_str(yyjson_obj_get(root, "writeKey"));
    return cot_exchange_authorize(exchange, key != NULL ? key : cot_exchange_query(exchange, "writeKey"));
}

/* RudderStack's clients name their library in each call, or give its time as originalTimestamp, which of Segment's
 * clients none does; the shape is the same. */
static bool is_rudderstack(yyjson_val *root, bool is_batch)
{
    yyjson_val *call = is_batch ? yyjson_arr_get_first(yyjson_obj_get(root, "batch")) : root;
    yyjson_val *library = yyjson_obj_get(yyjson_obj_get(call, "context"), "library");
    const char *name = yyjson_get_str(yyjson_obj_get(library, "name"));
    return (name != NULL && strcasestr(name, "rudder") != NULL) || yyjson_obj_get(call, "originalTimestamp") != NULL;
}

static cot_code take_tracking(struct cot_exchange *exchange, const char *type, size_t max_size, struct cot_err *err)
{
    yyjson_doc *doc = cot_submit_read_body(exchange, max_size);
    if (doc == NULL)
        return COT_OK;
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (!authorize(exchange, root)) {
        yyjson_doc_free(doc);
        return COT_OK;
    }
    struct cot_ingest_request request = {
        .source = is_rudderstack(root, type == NULL) ? COT_INGEST_RUDDERSTACK : COT_INGEST_SEGMENT,
        .doc = doc,
        .calls = root,
        .type = type,
        .user_agent =
            cot_exchange_header(exchange, "Origin") != NULL ? cot_exchange_header(exchange, "User-Agent") : NULL};
    if (type == NULL) {
        request.calls = yyjson_obj_get(root, "batch");
        request.is_batch = true;
        request.context = yyjson_obj_get(root, "context");
        request.sent_at = yyjson_get_str(yyjson_obj_get(root, "sentAt"));
        if (!yyjson_is_arr(request.calls)) {
            yyjson_doc_free(doc);
            cot_exchange_answer_error(exchange, 400, "bad_json", "the body has no array \"batch\"");
            return COT_OK;
        }
    }
    return cot_submit(exchange, &request, COT_SUBMIT_SUCCESS, err);
}

cot_code cot_handle_batch(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_tracking(exchange, NULL, COT_INGEST_MAX_BODY, err);
}

/* The path's last word is the kind of call. */
cot_code cot_handle_call(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_tracking(exchange, strrchr(exchange->route->path, '/') + 1, COT_INGEST_MAX_CALL_SIZE, err);
}

static cot_code take_ga4(struct cot_exchange *exchange, bool only_check, struct cot_err *err)
{
    yyjson_doc *doc = cot_submit_read_body(exchange, COT_INGEST_MAX_BODY);
    if (doc == NULL)
        return COT_OK;
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *events = yyjson_obj_get(root, "events");
    if (!cot_exchange_authorize(exchange, cot_exchange_query(exchange, "api_secret"))) {
        yyjson_doc_free(doc);
        return COT_OK;
    }
    if (!yyjson_is_arr(events) || yyjson_arr_size(events) == 0 || yyjson_arr_size(events) > 25) {
        yyjson_doc_free(doc);
        cot_exchange_answer_error(exchange, 400, "bad_json", "the body needs \"events\", an array of 1 to 25");
        return COT_OK;
    }
    struct cot_ingest_request request = {
        .source = COT_INGEST_GA4, .doc = doc, .calls = events, .is_batch = true, .context = root};
    if (!only_check)
        return cot_submit(exchange, &request, COT_SUBMIT_EMPTY, err);

    struct cot_ingest_batch *batch = NULL;
    request.path = exchange->route->path;
    request.received_at_ms = exchange->received_at_ms;
    cot_code rc = cot_ingest_batch_make(exchange->service, &request, &batch, err);
    yyjson_mut_doc *answer = NULL;
    yyjson_mut_val *object = NULL;
    if (rc == COT_OK)
        rc = cot_json_document(&answer, &object, err);
    if (rc == COT_OK) {
        cot_ingest_batch_mistakes(batch, answer, yyjson_mut_obj_add_arr(answer, object, "validationMessages"));
        rc = cot_exchange_answer(exchange, 200, answer, err);
    }
    yyjson_mut_doc_free(answer);
    cot_ingest_batch_free(batch);
    return rc;
}

cot_code cot_handle_ga4(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_ga4(exchange, false, err);
}

cot_code cot_handle_ga4_debug(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_ga4(exchange, true, err);
}

/* base64(HMAC-SHA256(raw body, secret)), compared in constant time. */
static bool is_signed(const struct cot_exchange *exchange, const char *secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned char text[2 * EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    const char *given = cot_exchange_header(exchange, "X-Shopify-Hmac-Sha256");
    const char *body = cot_buf_text(&exchange->body);
    if (given == NULL || HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body,
                              exchange->body.size, mac, &mac_size) == NULL)
        return false;
    int size = EVP_EncodeBlock(text, mac, (int)mac_size);
    return strlen(given) == (size_t)size && CRYPTO_memcmp(given, text, (size_t)size) == 0;
}

/* Requests of privacy are done, not taken in as calls: the answer says what was. */
static cot_code do_privacy(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_doc *doc =
        yyjson_read(cot_buf_text(&exchange->body), exchange->body.size, YYJSON_READ_NUMBER_AS_RAW); /* read before */
    const char *topic = cot_exchange_header(exchange, "X-Shopify-Topic");
    cot_code rc = doc == NULL ? cot_fail(err, COT_NOMEM, "a webhook")
                              : cot_service_privacy(exchange->service, topic, yyjson_doc_get_root(doc), ret_doc, err);
    yyjson_doc_free(doc);
    return rc;
}

cot_code cot_handle_shopify(struct cot_exchange *exchange, struct cot_err *err)
{
    const char *secret = exchange->server->shopify_secret;
    const char *topic = cot_exchange_header(exchange, "X-Shopify-Topic");
    const char *id = cot_exchange_header(exchange, "X-Shopify-Webhook-Id");
    if (secret == NULL) {
        cot_exchange_answer_error(exchange, 403, "no_secret", "start the server with --shopify-secret FILE");
        return COT_OK;
    }
    if (!is_signed(exchange, secret)) {
        cot_exchange_answer_error(exchange, 401, "unauthorized", "X-Shopify-Hmac-Sha256 does not fit body and secret");
        return COT_OK;
    }
    if (topic == NULL || id == NULL)
        return cot_fail(err, COT_USAGE, "a webhook has X-Shopify-Topic and X-Shopify-Webhook-Id");
    yyjson_doc *doc = cot_submit_read_body(exchange, exchange->route->max_body_size);
    if (doc == NULL)
        return COT_OK;
    if (cot_service_is_privacy_topic(topic)) {
        yyjson_doc_free(doc);
        return cot_exchange_run(exchange, do_privacy, err);
    }
    struct cot_ingest_request request = {
        .source = COT_INGEST_SHOPIFY, .doc = doc, .calls = yyjson_doc_get_root(doc), .type = topic, .call_id = id};
    return cot_submit(exchange, &request, COT_SUBMIT_SUCCESS, err);
}
