/* Demand: what a shop will sell, by product and category and in all, and how much stock that takes. */
#ifndef COT_ENGINE_DEMAND_H
#define COT_ENGINE_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_store;

enum cot_demand_by { COT_DEMAND_BY_PRODUCT, COT_DEMAND_BY_CATEGORY, COT_DEMAND_BY_SHOP };
enum cot_demand_every { COT_DEMAND_EVERY_WEEK, COT_DEMAND_EVERY_DAY };
enum cot_demand_measure { COT_DEMAND_UNITS, COT_DEMAND_REVENUE };

enum { COT_DEMAND_MAX_TOP = 5000, COT_DEMAND_MAX_HORIZON = 400 };

struct cot_demand_use {
    const char *as_of; /* as in engine/features.h */
    enum cot_demand_by by;
    enum cot_demand_every every;
    enum cot_demand_measure measure;
    size_t horizon;         /* steps; 0: 4 weeks or 28 days */
    size_t top;             /* products with a series of their own; 0: 50 */
    unsigned folds;         /* origins; 0: 5 */
    bool stock;             /* units only */
    double service_level;   /* 0: 0.95 */
    size_t lead_time;       /* steps until a delivery is there */
    bool without_customers; /* by the series alone */
    const char *out;        /* NULL: no file */
};

/* By name: product, category, shop; week, day; units, revenue. COT_USAGE for any other (NULL: the default). */
cot_code cot_demand_by_parse(const char *name, enum cot_demand_by *ret_by, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_demand_every_parse(const char *name, enum cot_demand_every *ret_every, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_demand_measure_parse(const char *name, enum cot_demand_measure *ret_measure,
                                  struct cot_err *err) COT_MUST_CHECK;

/*
 * {"as_of","every": "week"|"day","measure": "units"|"revenue","currency","by","horizon","season": steps,
 *  "first_day","last_day": of the history,"steps_known","closed_weekdays": ["Saturday"],"days_filled_in": n,
 *  "origins": that chose the methods; 0: untested,"scored_origins","needs_steps": history that one scored origin needs,
 *  "stock": null | {"service_level","lead_time"},
 *  "steps": [{"start","closed"}],"past": [{"start","value"}]: the shop's last 104 steps, holidays filled in,
 *  "backtest": [{"last_day": known then,"series": n then,"mean","actual": of the shop, one number a step}], the newest
 *     past origin first: what --as-of that day forecasts
 *     without customers,
 *  "customers": null where they say nothing | {"origins","weighed": origins at which what they said could be weighted
 * by those before,"rmse","wape": of what they said,"shop_rmse_without","shop_rmse_with": at those,"serves": it made the
 *     shop's forecast better and is part of it,"weight","mean": one number a step},
 *  "levels": [{"level": "shop"|"category"|"product","series": n,
 *     "candidates": [{"name","title","naive","rmsse": mean over series of RMSE / what the last value missed by before,
 *        "rmse","wape": sum of errors / sum of what came}],"serves","reconciled": {"rmsse","rmse","wape"} (null where
 *     untested),"best_naive": name,"beats_naive": by rmsse,
 *     "interval": null | {"nominal": 0.8,"coverage"},"service": null | {"nominal","achieved","lead_times"},
 *     "methods": {"combined": n,...}: of the series}],
 *  "series": [{"level","id" | null,"name","category" | null,"method","tested": origins,"beats_naive","best_naive",
 *     "against_naive": error / the best naive rule's, as compared for the choice (ml/demand.h),"rmse","naive_rmse": of
 *     the series' own origins alone (these four null where untested),"mean","low","high": one number a
 * step,"total","stock" | null}]} Categories sum to the shop, products (with "other products" of each category) to their
 * categories. Scores are of past origins, each loaded as of its day, with the choice of those before it (ml/demand.h).
 * Sales are order lines before refunds. `out`: the series as CSV (level,id,name,category,step,mean,low,high,method).
 */
cot_code cot_demand_use_run(const struct cot_context *context, const struct cot_demand_use *use,
                            yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* The same on a store that is open already. */
cot_code cot_demand_document(struct cot_store *store, const struct cot_context *context,
                             const struct cot_demand_use *use, yyjson_mut_doc **ret_doc,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
