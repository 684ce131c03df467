/* What the shop states of products and people: catalogue, consent, traits. Answered when it is on disk, with a receipt
 * each; 422 where one can't be used. */
#include <string.h>

#include "engine/service_customer.h"
#include "http/handlers.h"
#include "http/route.h"
#include "http/submit.h"

/* The body is a list under `name`, or one thing by itself. */
static cot_code take_list(struct cot_exchange *exchange, const char *name, const char *type, struct cot_err *err)
{
    yyjson_doc *doc = cot_submit_read_body(exchange, exchange->route->max_body_size);
    if (doc == NULL)
        return COT_OK;
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *list = yyjson_is_arr(root) ? root : yyjson_obj_get(root, name);
    if (list != NULL && !yyjson_is_arr(list)) {
        yyjson_doc_free(doc);
        return cot_fail(err, COT_USAGE, "\"%s\" is an array", name);
    }
    struct cot_ingest_request request = {.source = COT_INGEST_API,
                                         .doc = doc,
                                         .calls = list != NULL ? list : root,
                                         .is_batch = list != NULL,
                                         .type = type};
    return cot_submit(exchange, &request, COT_SUBMIT_STRICT, err);
}

cot_code cot_handle_products(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_list(exchange, "products", "product", err);
}

cot_code cot_handle_consent(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_list(exchange, "consents", "consent", err);
}

static cot_code take_traits(struct cot_exchange *exchange, enum cot_traits_how how, struct cot_err *err)
{
    yyjson_doc *call = NULL;
    yyjson_doc *doc = cot_submit_read_body(exchange, exchange->route->max_body_size);
    if (doc == NULL)
        return COT_OK;
    yyjson_val *traits = yyjson_doc_get_root(doc);
    cot_code rc = yyjson_is_obj(traits)
                      ? cot_service_traits_call(exchange->service, exchange->parameter, exchange->parameter_size,
                                                traits, how, &call, err)
                      : cot_fail(err, COT_USAGE, "the body is an object of traits: {\"city\": \"Berlin\"}");
    yyjson_doc_free(doc);
    if (rc != COT_OK)
        return rc;
    struct cot_ingest_request request = {
        .source = COT_INGEST_API, .doc = call, .calls = yyjson_doc_get_root(call), .type = "traits"};
    return cot_submit(exchange, &request, COT_SUBMIT_STRICT, err);
}

cot_code cot_handle_traits_patch(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_traits(exchange, COT_TRAITS_ADD, err);
}

cot_code cot_handle_traits_put(struct cot_exchange *exchange, struct cot_err *err)
{
    return take_traits(exchange, COT_TRAITS_REPLACE, err);
}
