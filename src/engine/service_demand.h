/*
 * What a running server forecasts of demand (documents: demand.h).
 */
#ifndef COT_ENGINE_SERVICE_DEMAND_H
#define COT_ENGINE_SERVICE_DEMAND_H

#include "engine/demand.h"
#include "engine/service.h"

/* On the committer's thread: calls wait meanwhile, some tenths of a second for a hundred products. */
cot_code cot_service_demand(struct cot_service *service, const struct cot_demand_use *use, yyjson_mut_doc **ret_doc,
                            struct cot_err *err) COT_MUST_CHECK;

#endif
