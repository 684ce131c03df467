/*
 * The newest kept predictions as of a moment: into memory for features, and told as sums.
 *
 * A run counts from the moment that it is as of, or from when it was made where that was earlier (it is as of the end
 * of its day): so nothing that is computed as of a moment knows what was predicted later.
 */
#ifndef COT_ENGINE_PREDICTION_NEWEST_H
#define COT_ENGINE_PREDICTION_NEWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "domain/prediction.h"

struct cot_store;
struct cot_history;

/* SQL: the newest run of each horizon, of those that a condition holds for. */
#define COT_NEWEST_RUNS(condition)                                                                                     \
    "(select * from prediction_run where " condition " qualify row_number() over (partition by horizon_days order by"  \
    " as_of desc, run_id desc) = 1)"

/*
 * Of each horizon that is a feature the newest run; next order and tier from the newest of all moments that were
 * predicted as of: there from the longest horizon that was tested, else from the shortest, as `coterie predict` tells
 * them. O(customers predicted).
 */
cot_code cot_predictions_load(struct cot_store *store, int64_t as_of_ms, struct cot_predictions *ret_predictions,
                              struct cot_err *err) COT_MUST_CHECK;

/* Appends what a query's one column of JSON text holds. */
cot_code cot_prediction_rows_add(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *array, const char *sql,
                                 struct cot_err *err) COT_MUST_CHECK;

/* Who among the customers of n <= COT_CONSENT_BLOCK nodes still consents to COT_PREDICTION_PURPOSE. */
enum { COT_CONSENT_BLOCK = 4096 };
struct cot_prediction_consent {
    void (*of)(void *context, const uint32_t *nodes, size_t n, bool *ret_allowed);
    void *context;
};

/*
 * Appends the newest run of each horizon, of those as of a moment or before:
 * {"run","as_of","days","currency","customers","folds","models": {"spend","orders","churn"},"spend","orders": sums of
 * all customers,"churn": their mean,"tiers": [{"tier","customers","spend","spend_share"}]}
 * Who has withdrawn their consent since is in none of it.
 */
cot_code cot_prediction_newest_add(struct cot_store *store, int64_t as_of_ms,
                                   const struct cot_prediction_consent *consent, yyjson_mut_doc *doc,
                                   yyjson_mut_val *array, struct cot_err *err) COT_MUST_CHECK;

#endif
