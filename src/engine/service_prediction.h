/*
 * What the server's paths on predictions answer: runs that were kept, none is made here. store: to read from; any
 * thread's.
 */
#ifndef COT_ENGINE_SERVICE_PREDICTION_H
#define COT_ENGINE_SERVICE_PREDICTION_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

struct cot_store;

/* {"runs": as cot_prediction_newest_add has them} */
cot_code cot_service_predictions(struct cot_service *service, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                 struct cot_err *err) COT_MUST_CHECK;

/* As cot_predictions_record_run has it. Takes as long as loading the shop. */
cot_code cot_service_predictions_record(struct cot_service *service, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                        struct cot_err *err) COT_MUST_CHECK;

/*
 * Of one customer, by any identifier, the newest run of each horizon:
 * {"customer_id","predictions": [{"run","as_of","days","spend": {"value","low" | null,"high" |
 * null},"orders","churn"}]}
 */
cot_code cot_service_customer_predictions(struct cot_service *service, struct cot_store *store, const char *id,
                                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
