/* The report's part on what will sell. */
#ifndef COT_ENGINE_REPORT_DEMAND_H
#define COT_ENGINE_REPORT_DEMAND_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_store;

/* "demand": null where nothing was sold or not for two whole weeks, else as engine/demand.h: four weeks of units, the
 * ten best products. */
cot_code cot_report_demand_add(struct cot_store *store, const struct cot_context *context, int64_t as_of_ms,
                               yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

#endif
