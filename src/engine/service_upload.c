#include "engine/service_upload.h"

#include "engine/ingest_parts.h"

cot_code cot_service_import(struct cot_service *service, const struct cot_import_options *options,
                            yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_ingest_absence absence = {0};
    struct cot_err why = {0};
    cot_code rc = cot_ingest_leave(ingest, &absence, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_import_run(&ingest->context, options, ret_doc, err);
    /* Where memory can't be loaded again, the next group tries it: what was imported is on disk all the same. */
    if (cot_ingest_come_back(ingest, &absence, &why) != COT_OK)
        ingest->loaded = false;
    return rc;
}
