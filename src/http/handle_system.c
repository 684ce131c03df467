/* How the server does: for whoever runs it. */
#include "engine/service_verify.h"
#include "http/handlers.h"
#include "http/job.h"
#include "http/metrics.h"
#include "http/server_parts.h"

cot_code cot_handle_health(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_answer_text(exchange, 200, "{\"status\":\"ok\"}", err);
}

cot_code cot_handle_ready(struct cot_exchange *exchange, struct cot_err *err)
{
    struct cot_err why = {0};
    if (atomic_load(&exchange->server->draining)) {
        cot_exchange_answer_error(exchange, 503, "stopping", "the server is stopping");
        return COT_OK;
    }
    if (cot_service_ready(exchange->service, &why) != COT_OK) {
        exchange->retry_after_s = 1;
        cot_exchange_answer_error(exchange, 503, cot_code_name(why.code), why.message);
        return COT_OK;
    }
    return cot_exchange_answer_text(exchange, 200, "{\"status\":\"ready\"}", err);
}

cot_code cot_handle_metrics(struct cot_exchange *exchange, struct cot_err *err)
{
    cot_code rc = cot_metrics_write(exchange->server->metrics, exchange->service, &exchange->answer, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(&exchange->answer, err,
                            "# HELP coterie_http_streams Open streams.\n# TYPE coterie_http_streams gauge\n"
                            "coterie_http_streams %zu\n",
                            cot_streams_n(exchange->server->streams));
    exchange->content_type = "text/plain; version=0.0.4";
    if (rc == COT_OK)
        exchange->status = 200;
    return rc;
}

cot_code cot_handle_openapi(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_openapi_make(&doc, err);
    if (rc == COT_OK)
        rc = cot_exchange_answer(exchange, 200, doc, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

static cot_code verify(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_verify(exchange->service, ret_doc, err);
}

cot_code cot_handle_verify(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, verify, err);
}
