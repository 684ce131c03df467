#include "engine/service_demand.h"

#include "engine/ingest_parts.h"

cot_code cot_service_demand(struct cot_service *service, const struct cot_demand_use *use, yyjson_mut_doc **ret_doc,
                            struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    return cot_demand_document(ingest->store, &ingest->context, use, ret_doc, err);
}
