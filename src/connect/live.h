/*
 * Live sources: calls that come one by one over HTTP, as JSON, and become the same records as rows of files do.
 *
 * A source is a connector (so that its rows in the store name where they are from) and a decoder of one call. Numbers
 * of the call's document are raw (YYJSON_READ_NUMBER_AS_RAW): money is read exactly, and ids that are numbers keep
 * their digits.
 */
#ifndef COT_CONNECT_LIVE_H
#define COT_CONNECT_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "connect/connector.h"
#include "coterie/err.h"
#include "domain/record.h"

#define COT_NO_TIME INT64_MIN

/* One call, and what came with it. */
struct cot_live_input {
    yyjson_val *call;
    yyjson_val *context;       /* defaults for the call's own context; NULL: none */
    const char *type;          /* what kind of call it is, where the path or a header says so; NULL: the call does */
    int64_t received_at_ms;    /* becomes recorded_at; nothing occurs after it */
    int64_t sent_at_ms;        /* of the batch, by the client's clock; COT_NO_TIME: not said */
    bool opted_out;            /* the browser's Sec-GPC: 1: no advertising */
    const char *user_agent;    /* of the request: browsers alone; NULL: not known */
    const char *base_currency; /* of money that names none; "": two decimals */
    size_t i_call;             /* goes to the records' i_row */
};

struct cot_live_source {
    const struct cot_connector *connector;
    /* Adds the call's records, or one reject, to records. The call's own id goes to ret_id (size 0: it has none). Texts
     * point into the call's document or the records. */
    cot_code (*decode)(const struct cot_live_input *input, struct cot_records *records, struct cot_text *ret_id,
                       struct cot_err *err);
};

extern const struct cot_live_source cot_live_segment;
extern const struct cot_live_source cot_live_rudderstack;
extern const struct cot_live_source cot_live_ga4;
extern const struct cot_live_source cot_live_shopify;
extern const struct cot_live_source cot_live_api;

#endif
