#include "engine/report_demand.h"

#include "base/civil.h"
#include "engine/demand.h"

enum { SHOWN = 10 };

cot_code cot_report_demand_add(struct cot_store *store, const struct cot_context *context, int64_t as_of_ms,
                               yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    char as_of[COT_TIME_TEXT_SIZE];
    const struct cot_demand_use use = {.as_of = as_of, .top = SHOWN};
    yyjson_mut_doc *demand = NULL;
    cot_format_time(as_of_ms, as_of, sizeof as_of);
    cot_code rc = cot_demand_document(store, context, &use, &demand, err);
    if (rc == COT_OK)
        yyjson_mut_obj_add_val(doc, root, "demand", yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(demand)));
    else if (rc == COT_NOT_FOUND)
        yyjson_mut_obj_add_null(doc, root, "demand");
    yyjson_mut_doc_free(demand);
    return rc == COT_NOT_FOUND ? COT_OK : rc;
}
