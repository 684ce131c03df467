/* Predictions that were kept: of all, of one customer, and what came of them. */
#include "engine/service_prediction.h"
#include "http/handlers.h"
#include "http/job.h"

static cot_code all(struct cot_exchange *exchange, struct cot_store *store, yyjson_mut_doc **ret_doc,
                    struct cot_err *err)
{
    return cot_service_predictions(exchange->service, store, ret_doc, err);
}

static cot_code record(struct cot_exchange *exchange, struct cot_store *store, yyjson_mut_doc **ret_doc,
                       struct cot_err *err)
{
    return cot_service_predictions_record(exchange->service, store, ret_doc, err);
}

static cot_code of_customer(struct cot_exchange *exchange, struct cot_store *store, yyjson_mut_doc **ret_doc,
                            struct cot_err *err)
{
    return cot_service_customer_predictions(exchange->service, store, exchange->parameter, ret_doc, err);
}

cot_code cot_handle_predictions(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_read(exchange, all, err);
}

cot_code cot_handle_predictions_record(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_read(exchange, record, err);
}

cot_code cot_handle_customer_predictions(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_read(exchange, of_customer, err);
}
