/* Customers: who somebody is, what they did, where they belong and why; one person or two; erasure. */
#include <string.h>

#include "engine/service_customer.h"
#include "http/handlers.h"
#include "http/job.h"

static cot_code answer_view(struct cot_exchange *exchange, enum cot_customer_view view, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc =
        cot_service_customer(exchange->service, view, exchange->parameter, exchange->parameter_size, &doc, err);
    if (rc == COT_OK)
        rc = cot_exchange_answer(exchange, 200, doc, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

cot_code cot_handle_customer(struct cot_exchange *exchange, struct cot_err *err)
{
    return answer_view(exchange, COT_CUSTOMER_PROFILE, err);
}

cot_code cot_handle_customer_segments(struct cot_exchange *exchange, struct cot_err *err)
{
    return answer_view(exchange, COT_CUSTOMER_SEGMENTS, err);
}

static cot_code explain(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_explain(exchange->service, exchange->parameter, exchange->parameter_size, ret_doc, err);
}

cot_code cot_handle_customer_explain(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, explain, err);
}

static cot_code timeline(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    int64_t limit = 50;
    int64_t before_id = 0;
    cot_code rc = cot_exchange_query_int(exchange, "limit", 1, 1000, &limit, err);
    if (rc == COT_OK)
        rc = cot_exchange_query_int(exchange, "before", 1, INT64_MAX, &before_id, err);
    return rc == COT_OK ? cot_service_timeline(exchange->service, exchange->parameter, exchange->parameter_size, limit,
                                               before_id, ret_doc, err)
                        : rc;
}

cot_code cot_handle_customer_timeline(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, timeline, err);
}

static cot_code change_link(struct cot_exchange *exchange, int op, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_doc *doc = NULL;
    cot_code rc = cot_exchange_json(exchange, &doc, err);
    if (rc != COT_OK)
        return rc;
    const char *a = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "a"));
    const char *b = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "b"));
    rc = a == NULL || b == NULL ? cot_fail(err, COT_USAGE, "the body needs \"a\" and \"b\", two identifiers")
                                : cot_service_link(exchange->service, a, b, op, ret_doc, err);
    yyjson_doc_free(doc);
    return rc;
}

static cot_code link_two(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return change_link(exchange, 1, ret_doc, err);
}

static cot_code unlink_two(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return change_link(exchange, -1, ret_doc, err);
}

cot_code cot_handle_link(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, link_two, err);
}

cot_code cot_handle_unlink(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, unlink_two, err);
}

static cot_code forget(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_forget(exchange->service, exchange->parameter, ret_doc, err);
}

cot_code cot_handle_customer_forget(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, forget, err);
}

static cot_code receipt(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_receipt(exchange->service, exchange->parameter, ret_doc, err);
}

cot_code cot_handle_receipt(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, receipt, err);
}
