/*
 * The report: everything about the shop on one page, and the same as a document.
 */
#ifndef COT_ENGINE_REPORT_H
#define COT_ENGINE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_report_options {
    int64_t run_id;       /* segment run to show; 0: the newest */
    const char *out_path; /* the HTML file to write; NULL: the document only */
    bool always_check;    /* the data's quality, beyond 2 million order and refund lines too: minutes */
};

/*
 * Computes the document and, with out_path, writes it as one self-contained HTML file. As of the segment run's moment,
 * without one of the end of the last day that has an event. Money is a number in major units of the base currency.
 *
 * {"version", "as_of", "as_of_day", "currency": "GBP", "time_zone",
 *  "notices": ["sentence", ...],            what a reader must know first: newer data, no data
 *  "headline": {"customers", "buyers", "orders", "order_lines", "orders_per_buyer", "revenue", "gross", "refunds": <=
 * 0, "refund_lines", "average_order": gross / orders, "repeat_buyers", "repeat_share", "from", "to": first and last
 *     order line, "unassigned": {"lines", "revenue", "revenue_share"}: lines without a customer, in no other figure,
 *     "revenue_definition": "sentences"},   averages and shares are null where there is nothing to divide by
 *  "months": [{"month": "2010-12", "revenue": net, "orders", "customers", "new_customers", "complete"}],
 *  "segments": null | the document of cot_segment_run without "map", "features" and "dropped_features",
 *  "map": null | {"features": [{"feature","title","unit"}], "points": [[x, y, segment id, value or null, ...], ...],
 *     "axes": [{"share","high","low"}]},    one value a feature; who a point is stays out
 *  "history": null | the document of cot_segment_history_run,
 *  "days": null | the document of cot_segment_days_describe: the last 90 daily snapshots,
 *  "predictions": as report_predictions.h has them,
 *  "rfm": null (nobody ordered) | "groups", "grid" and counts as cot_rfm_run gives them, "cross": likewise, null where
 *     the run shown is not the newest,
 *  "cohorts": {"rows": [{"month", "customers", "active": [customers, one month later, ...]}], "complete": is the last
 *     month whole, "last_month", "earlier_customers": of cohorts before the 24 shown},
 *  "concentration": {"customers", "negative", "gini", "half_customers", "top": [{"share","customers","revenue_share"}],
 *     "curve": [[share of customers, share of revenue], ...]},
 *  "demand": null | the document of cot_demand_document: four weeks, ten products,
 *  "quality": the document of cot_quality_run without examples | {"skipped": "sentence"} for large shops,
 *  "provenance": {"files", "totals": {"rows_read","rows_accepted","rows_duplicate","rows_quarantined"},
 *     "imports": [{"file","kind","connector","finished_at", the four counts}],           the last 50, newest first
 *     "quarantine": [{"code","reason","rows"}]}}                                         open rows, most first
 *
 * Ids that look like e-mail addresses are replaced by our number of the customer. COT_NOT_FOUND where there is no shop
 * or no such run, COT_IO where the file can't be written. Same data and run: same bytes.
 */
cot_code cot_report_run(const struct cot_context *context, const struct cot_report_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
