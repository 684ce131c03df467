/*
 * How good the shop's data is, and what that means for what is learned from it.
 *
 * Every finding comes from one row of a table of checks (quality_check.h). Its severity follows from its effect:
 *
 *   effect = max(share of the rows concerned, share of the turnover concerned)
 *   score  = weight x effect        weight 1; 2 where models are bent beyond that share; 0.5 where they are robust;
 *                                   0: for information
 *   high: score >= 0.05, medium: >= 0.005, low: below, info: weight 0
 *
 * Turnover: the sum of the absolute amounts of order and refund lines. Findings are ordered by severity, then score.
 */
#ifndef COT_ENGINE_QUALITY_H
#define COT_ENGINE_QUALITY_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/*
 * {"as_of","currency","totals": {"lines","order_lines","refund_lines","customers","items","first","last","turnover"},
 *  "findings": [{"key","severity","score","dimension": "completeness" | "validity" | "uniqueness" | "consistency" |
 *     "timeliness" | "plausibility", "title","text": what was found, with numbers,"means": for the models,"action",
 *     "count","share","revenue_share","examples": [{...}]}],    ids, orders, lines; never an e-mail address
 *  "columns": [{"source","table","column","rows","completeness","validity","uniqueness","consistency","timeliness"}]}
 *                                        shares 0..1; null where the dimension does not apply to the column
 */
cot_code cot_quality_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                         struct cot_err *err) COT_MUST_CHECK;

#endif
