/* The league of predictions on a shop's own past: who would have been right? */
#ifndef COT_ENGINE_BACKTEST_H
#define COT_ENGINE_BACKTEST_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

enum { COT_BACKTEST_MAX_HORIZONS = 8, COT_BACKTEST_MAX_FOLDS = 24 };

struct cot_backtest_options {
    const char *as_of;    /* as in engine/features.h */
    const char *horizons; /* days, with commas; NULL: 30,90,365 */
    unsigned max_folds;   /* origins a horizon; 0: 3 */
};

/*
 * {"as_of","currency","customers": with an order,"first_day","last_day","horizons": [{"days","folds": 0: untested,
 *  "needs_days": history that one fold would need,"questions": [{"question","measure","predictions","best",
 *  "best_naive","serves": the best if it beats every naive candidate, else the best naive one,"beats_naive",
 *  "candidates": [{"name","title","naive","score" | null,"spearman" | null,"total_error" | null,
 *    churn: "calibration_error","calibration_band"}],
 *  spend: "interval": {"nominal": 0.8,"coverage","share_positive","coverage_positive" | null}}]}]}
 */
cot_code cot_backtest_run(const struct cot_context *context, const struct cot_backtest_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
