/* The rules of identity: what they are, what others would change, taking others up. */
#include "engine/service_identity.h"
#include "http/handlers.h"
#include "http/job.h"

static cot_code show(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_identity_show(exchange->service, ret_doc, err);
}

static cot_code try_rules(struct cot_exchange *exchange, enum cot_service_identity_how how, yyjson_mut_doc **ret_doc,
                          struct cot_err *err)
{
    const char *text = cot_buf_text(&exchange->body);
    return cot_service_identity_try(exchange->service, text, exchange->body.size, how, ret_doc, err);
}

static cot_code simulate(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return try_rules(exchange, COT_SERVICE_IDENTITY_SIMULATE, ret_doc, err);
}

static cot_code apply(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return try_rules(exchange, COT_SERVICE_IDENTITY_APPLY, ret_doc, err);
}

cot_code cot_handle_identity(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, show, err);
}

cot_code cot_handle_identity_simulate(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, simulate, err);
}

cot_code cot_handle_identity_apply(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, apply, err);
}
