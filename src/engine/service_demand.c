#include "engine/service_demand.h"

#include "engine/ingest_parts.h"

cot_code cot_service_demand(struct cot_service *service, struct cot_store *store, const struct cot_demand_use *use,
                            yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_demand_document(store, &cot_service_ingest(service)->context, use, ret_doc, err);
}
