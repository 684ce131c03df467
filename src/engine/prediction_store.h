/*
 * Predictions as they were served: frozen with their date and horizon, scored when the outcome has landed.
 *
 * A run is kept once: predicting again as of the same moment and horizon leaves what was said first.
 */
#ifndef COT_ENGINE_PREDICTION_STORE_H
#define COT_ENGINE_PREDICTION_STORE_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"
#include "engine/shop_league.h"

struct cot_store;

/* Keeps what the league serves for horizon h. ret_run_id: the run that holds for this moment and horizon, an earlier
 * one where there was one. In the caller's transaction. */
cot_code cot_prediction_freeze(struct cot_store *store, const struct cot_shop_league *league, size_t h,
                               int64_t *ret_run_id, struct cot_err *err) COT_MUST_CHECK;

/*
 * Scores every frozen run whose horizon is over:
 * {"as_of","as_of_day","currency","runs": [{"run","as_of","as_of_day","days","customers","models":
 * {"spend","orders","churn","category" | null},"folds", "due": the day at whose end it can be scored,"scored": bool,
 * then: "missing": customers who were erased, withdrew their consent or are known by another identity since,"spend" and
 * "orders": {"predicted","actual": sums,"rmse", "spearman","coverage": of the 80% intervals | null},"churn":
 * {"predicted","actual": shares,"log_loss","spearman", "calibration_error","calibration_band","bins":
 * [{"said","came","customers"}]},"category": the same of the category that each would most likely buy in for the first
 * time | null where none was said}]}
 */
cot_code cot_predictions_record(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                struct cot_err *err) COT_MUST_CHECK;
cot_code cot_predictions_record_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                                    struct cot_err *err) COT_MUST_CHECK;

#endif
