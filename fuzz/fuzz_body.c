/* Bodies of calls as the server takes them: any JSON, of any source, alone or as a batch, is decoded into calls each of
 * which has an id and is either usable or says why not. The first byte chooses source and kind, the second how it
 * comes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ingest_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the handlers make it (http/handle_ingest.c). */
static struct cot_ingest_request request_of(yyjson_doc *doc, uint8_t kind, uint8_t how)
{
    static const char *const types[] = {"track", "identify", "page", "group", "alias", "t"};
    static const char *const topics[] = {"orders/create", "refunds/create", "customers/update", "products/update", "x"};
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct cot_ingest_request request = {.source = (enum cot_ingest_source)(kind % COT_N_INGEST_SOURCES),
                                         .path = "/v1/x",
                                         .doc = doc,
                                         .calls = root,
                                         .received_at_ms = INT64_C(1700000000000),
                                         .opted_out = how > 127,
                                         .user_agent = how % 3 == 0 ? "Googlebot" : NULL};
    switch (request.source) {
    case COT_INGEST_GA4:
        request.calls = yyjson_obj_get(root, "events");
        request.context = root;
        request.is_batch = true;
        break;
    case COT_INGEST_SHOPIFY:
        request.type = topics[how % (sizeof topics / sizeof *topics)];
        request.call_id = "webhook";
        break;
    default:
        request.is_batch = how % 2 == 0;
        request.type = request.is_batch ? NULL : types[how / 2 % (sizeof types / sizeof *types)];
        if (!request.is_batch)
            break;
        request.calls = yyjson_obj_get(root, "batch");
        request.context = yyjson_obj_get(root, "context");
        request.sent_at = yyjson_get_str(yyjson_obj_get(root, "sentAt"));
        break;
    }
    return request;
}

static void check(const struct cot_ingest_batch *batch, size_t n)
{
    if (batch->n_calls != n)
        abort();
    for (size_t i = 0; i < n; i++) {
        const struct cot_ingest_call *call = &batch->calls[i];
        if (call->id.size == 0 || call->first + call->n > batch->records.n_records)
            abort();
        if (call->code != NULL && call->reason == NULL)
            abort();
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_arr(doc);
    cot_ingest_batch_mistakes(batch, doc, root);
    size_t n_mistakes = yyjson_mut_arr_size(root);
    size_t n_codes = 0;
    for (size_t i = 0; i < n; i++)
        n_codes += batch->calls[i].code != NULL;
    if (n_mistakes != n_codes)
        abort();
    yyjson_mut_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cot_err err = {0};
    struct cot_ingest_batch *batch = NULL;
    if (size < 3)
        return 0;
    yyjson_doc *doc = yyjson_read((const char *)data + 2, size - 2, YYJSON_READ_NUMBER_AS_RAW);
    if (doc == NULL)
        return 0;
    struct cot_ingest_request request = request_of(doc, data[0], data[1]);
    if (request.is_batch && !yyjson_is_arr(request.calls)) {
        yyjson_doc_free(doc);
        return 0;
    }
    size_t n = request.is_batch ? yyjson_arr_size(request.calls) : 1;
    cot_code rc = cot_ingest_batch_decode("EUR", &request, &batch, &err);
    if (rc == COT_OK)
        check(batch, n);
    else if (rc != COT_LIMIT || n <= COT_INGEST_MAX_CALLS)
        abort();
    if (rc == COT_OK)
        cot_ingest_batch_free(batch);
    return 0;
}
