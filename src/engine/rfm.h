/*
 * RFM groups of a shop, and how they cross with the learned segments.
 */
#ifndef COT_ENGINE_RFM_H
#define COT_ENGINE_RFM_H

#include <yyjson.h>

#include "coterie/err.h"
#include "domain/rfm.h"
#include "engine/features.h"

/*
 * {"as_of","as_of_day","currency","customers": 4372,"scored": 4339,"without_order": 33,
 *  "groups": [{"group","customers","share","revenue","revenue_share","recency_days","orders","spend","advice"}],
 *    every group in its order, also empty ones; shares of those scored; recency_days, orders, spend: means | null
 *  "grid": [{"recency": 5,"frequency_monetary": 5,"group","customers","revenue"}],    5 x 5, best first
 *  "cross": null | {"run": 3,"segments": [{"id","name"}],"groups": ["Champions", ...],"counts": [[...]]}}
 *    cross: customers by RFM group (rows) and segment of the newest run (columns); null where there is no run
 */
cot_code cot_rfm_run(const struct cot_context *context, const struct cot_features_options *options,
                     yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* The same from features that are there already. Adds "groups", "grid" and the counts to root. */
cot_code cot_rfm_describe(const struct cot_shop *shop, const struct cot_feature_matrix *matrix, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* Scores of the matrix's customers; ret_scores has room for matrix->n. */
cot_code cot_rfm_score_matrix(const struct cot_feature_matrix *matrix, struct cot_rfm_score *ret_scores,
                              struct cot_err *err) COT_MUST_CHECK;

/* The cross table as above, or a JSON null where there is no run. */
cot_code cot_rfm_cross(struct cot_store *store, const struct cot_feature_matrix *matrix, yyjson_mut_doc *doc,
                       yyjson_mut_val **ret_cross, struct cot_err *err) COT_MUST_CHECK;

#endif
