/*
 * What a running server forecasts of demand (documents: demand.h).
 */
#ifndef COT_ENGINE_SERVICE_DEMAND_H
#define COT_ENGINE_SERVICE_DEMAND_H

#include "engine/demand.h"
#include "engine/service.h"

struct cot_store;

/* store: to read from; any thread's. Some tenths of a second for a hundred products. */
cot_code cot_service_demand(struct cot_service *service, struct cot_store *store, const struct cot_demand_use *use,
                            yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
