/*
 * The report's part on predictions: the newest ones that were kept by the report's moment, and what they say of
 * customers by how often and how lately they ordered.
 */
#ifndef COT_ENGINE_REPORT_PREDICTIONS_H
#define COT_ENGINE_REPORT_PREDICTIONS_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/shop.h"

struct cot_store;

/*
 * Adds "predictions": null where none were kept, else {"runs": as cot_prediction_newest_add has them,"matrix": {"run",
 * "days","orders": [labels],"silent": [labels],"customers": [orders][silent],"churn": [orders][silent] mean | null}}.
 * Orders are days with an order; silence is in days, as of the run.
 */
cot_code cot_report_predictions_add(struct cot_store *store, const struct cot_shop *shop, yyjson_mut_doc *doc,
                                    yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

#endif
