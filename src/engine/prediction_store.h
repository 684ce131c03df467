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

/* SQL: the newest run of each horizon, of those that a condition holds for. */
#define COT_NEWEST_RUNS(condition)                                                                                     \
    "(select * from prediction_run where " condition " qualify row_number() over (partition by horizon_days order by"  \
    " as_of desc, run_id desc) = 1)"

/* Appends what a query's one column of JSON text holds. */
cot_code cot_prediction_rows_add(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *array, const char *sql,
                                 struct cot_err *err) COT_MUST_CHECK;

/*
 * Appends the newest run of each horizon, of those as of a moment or before:
 * {"run","as_of","days","currency","customers","folds","models": {"spend","orders","churn"},"spend","orders": sums of
 * all customers,"churn": their mean,"tiers": [{"tier","customers","spend","spend_share"}]}
 */
cot_code cot_prediction_newest_add(struct cot_store *store, int64_t as_of_ms, yyjson_mut_doc *doc,
                                   yyjson_mut_val *array, struct cot_err *err) COT_MUST_CHECK;

/*
 * Scores every frozen run whose horizon is over:
 * {"as_of","currency","runs": [{"run","as_of","days","customers","models": {"spend","orders","churn"},"folds",
 *  "due": the day at whose end it can be scored,"scored": bool, then: "missing": customers who were erased, withdrew
 *  their consent or are known by another identity since,"spend" and "orders": {"predicted","actual": sums,"rmse",
 *  "spearman","coverage": of the 80% intervals | null},"churn": {"predicted","actual": shares,"log_loss","spearman",
 *  "calibration_error","calibration_band","bins": [{"said","came","customers"}]}}]}
 */
cot_code cot_predictions_record(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                struct cot_err *err) COT_MUST_CHECK;
cot_code cot_predictions_record_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                                    struct cot_err *err) COT_MUST_CHECK;

#endif
