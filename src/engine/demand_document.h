/* The document of a demand forecast (demand.h), and its file. */
#ifndef COT_ENGINE_DEMAND_DOCUMENT_H
#define COT_ENGINE_DEMAND_DOCUMENT_H

#include "engine/demand_history.h"

struct cot_demand_outcome {
    const struct cot_demand_use *use;
    const struct cot_demand_histories *histories;
    const struct cot_demand_tree *now;
    const struct cot_demand_result *result;
};

cot_code cot_demand_document_fill(const struct cot_demand_outcome *outcome, yyjson_mut_doc *doc,
                                  struct cot_err *err) COT_MUST_CHECK;

/* The series as CSV, whole or not at all. */
cot_code cot_demand_file_write(const struct cot_demand_outcome *outcome, const char *path,
                               struct cot_err *err) COT_MUST_CHECK;

#endif
