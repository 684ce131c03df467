/*
 * Features of a shop's customers as of a moment: computing, listing, showing, exporting and storing them.
 */
#ifndef COT_ENGINE_FEATURES_H
#define COT_ENGINE_FEATURES_H

#include <stdbool.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "domain/feature.h"
#include "engine/context.h"
#include "engine/shop.h"

struct cot_features_options {
    const char *as_of;     /* ISO date (the end of that day in the shop's time zone) or time; NULL: the last day */
    bool without_timeless; /* leave out what undated traits say */
};

/* Opens nothing and keeps nothing open: loads the shop from an open store and computes its features. */
cot_code cot_features_compute(const struct cot_context *context, struct cot_store *store,
                              const struct cot_features_options *options, struct cot_shop **ret_shop,
                              struct cot_feature_matrix *ret_matrix, struct cot_err *err) COT_MUST_CHECK;

/*
 * Table feature_value (customer = smallest node_id, customer_id as people know it, a column a feature: FLOAT, category
 * features as their words, NULL: no value) and view customers (customer_id, segment = name in the latest run, every
 * feature), both made anew on the store's own connection and so in its transaction.
 */
cot_code cot_features_store(struct cot_store *store, const struct cot_shop *shop,
                            const struct cot_feature_matrix *matrix, const struct cot_progress *progress,
                            struct cot_err *err) COT_MUST_CHECK;

/*
 * {"as_of": "2011-12-09T23:59:59.999Z" | null, "as_of_day": "2011-12-09" | null, "customers": 4372,
 *  "features": [{"name","title","group","unit","description","transform","purpose","timeless": false,
 *  "coverage": share of customers that have a value | null, "distinct": false where all values are equal | null}]}
 * Without a shop the catalogue alone: as_of, as_of_day, coverage and distinct are null.
 */
cot_code cot_features_list_run(const struct cot_context *context, const struct cot_features_options *options,
                               yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/*
 * {"feature": {as above}, "as_of", "as_of_day", "customers", "missing", "mean", "deviation",
 *  "quantiles": [{"share": 0.5,"value"}], "histogram": [{"from","to","customers","share"}],   numbers
 *  "categories": [{"name","customers","share"}],                                              categories
 *  "highest": [{"customer_id","value"}], "lowest": [...]}
 * COT_NOT_FOUND for an unknown name lists those that are near.
 */
cot_code cot_features_show_run(const struct cot_context *context, const char *name,
                               const struct cot_features_options *options, yyjson_mut_doc **ret_doc,
                               struct cot_err *err) COT_MUST_CHECK;

enum cot_features_format { COT_FEATURES_CSV, COT_FEATURES_PARQUET };

/* {"as_of","as_of_day","customers","features": n,"path","format"}. Writes path by renaming: wholly or not at all. */
cot_code cot_features_export_run(const struct cot_context *context, const struct cot_features_options *options,
                                 const char *path, enum cot_features_format format, yyjson_mut_doc **ret_doc,
                                 struct cot_err *err) COT_MUST_CHECK;

#endif
