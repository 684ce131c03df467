#include "engine/service_identity.h"

#include "base/civil.h"
#include "engine/identity.h"
#include "engine/ingest_parts.h"

cot_code cot_service_identity_show(struct cot_service *service, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_identity_show(cot_service_ingest(service)->store, ret_doc, err);
}

cot_code cot_service_identity_try(struct cot_service *service, const char *text, size_t size,
                                  enum cot_service_identity_how how, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_identity_rules rules;
    struct cot_err ignored;
    cot_code rc = cot_identity_rules_read(text, size, "the body", &rules, err);
    if (rc == COT_BAD_DATA)
        rc = COT_USAGE;
    if (rc != COT_OK)
        return rc;
    if (how == COT_SERVICE_IDENTITY_SIMULATE)
        rc = cot_identity_simulate(ingest->store, &rules, ret_doc, err);
    else
        rc = cot_identity_apply(ingest->store, &rules, cot_wall_ms(), ret_doc, err);
    cot_identity_rules_release(&rules);
    if (rc != COT_OK || how == COT_SERVICE_IDENTITY_SIMULATE)
        return rc;
    cot_ingest_forget_memory(ingest);
    if (cot_ingest_load(ingest, &ignored) != COT_OK)
        ingest->loaded = false; /* the next group, or job, tries again */
    return COT_OK;
}
