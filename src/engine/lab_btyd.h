/* The lab: a buy-till-you-die model on a transactions file, fitted up to a day and scored after it. */
#ifndef COT_ENGINE_LAB_BTYD_H
#define COT_ENGINE_LAB_BTYD_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_lab_btyd_options {
    const char *input;           /* orders in any shape that import knows */
    const char *model;           /* bgnbd, bgcnbdk, mbgcnbdk, pareto or gammagamma */
    const char *calibration_end; /* "2026-01-31": last day that the fit sees; NULL: half of the days */
    const char *holdout_end;     /* last day of the scoring; NULL: the last of the file */
    const char *unit;            /* "day" or "week" (NULL) */
    unsigned k;                  /* of bgcnbdk and mbgcnbdk; 0: the best */
    double prior_weight;         /* as in coterie/btyd.h */
};

/*
 * {"model","k" (of the -k models),"unit","customers","groups","calibration":{"begin","end"},"params":{},
 *  "standard_errors":{} (null: not to be told),"log_likelihood","at_boundary","seconds": of the fit alone,
 *  "holdout":{"begin","end","customers","purchases","rmse","mae","spearman","total_error"}}
 *
 * Purchases of one day count as one. The holdout compares expected with actual purchases of every customer known by
 * calibration_end; gammagamma compares expected with actual spend a purchase of those who bought again before and after
 * ("purchases" is absent). total_error: expected sum / actual sum - 1. "holdout" is null where no day is left. The
 * caller frees the document. Errors as coterie/btyd.h and engine/transactions.h; COT_USAGE for dates that do not fit
 * the file.
 */
cot_code cot_lab_btyd_run(const struct cot_context *context, const struct cot_lab_btyd_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
