/* The league of predictions on a shop's own past: who would have been right? */
#ifndef COT_ENGINE_BACKTEST_H
#define COT_ENGINE_BACKTEST_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"
#include "engine/shop_league.h"

/*
 * {"as_of","as_of_day","currency","customers": with an order,"first_day","last_day","horizons": [{"days","folds": 0:
 * untested, "needs_days": history that one fold would need,"questions": [{"question","measure","predictions","best",
 *  "best_naive","serves": the best if it beats every naive candidate, else the best naive one,"beats_naive",
 *  "candidates": [{"name","title","naive","score" | null,"spearman" | null,"total_error" | null,
 *    churn: "calibration_error","calibration_band"}],
 *  amounts: "interval": {"nominal": 0.8,"coverage","share_positive","coverage_positive" | null,"pit": [10 shares]},
 *  next (order, days by which one has come): measure "pinball", a candidate's "held_10","held_50","held_90" | null: how
 *    often an order had come by the day said for a chance of 10, 50 and 90%,
 *  category_again, category_new (where categories are known): of pairs of a customer and a category that they have and
 *    have not bought in before; as churn}]}]}
 */
cot_code cot_backtest_run(const struct cot_context *context, const struct cot_shop_league_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
