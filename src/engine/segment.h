/*
 * Learned segments: from a shop's feature matrix to named, explained groups of customers, and their history over runs.
 *
 * ARCHITECTURE.md (idea 3) says how and why. Every run is kept in the store (tables segment_run, segment,
 * segment_member) and its model in DATA/models/. Money in the documents is a number in major units of the base
 * currency.
 */
#ifndef COT_ENGINE_SEGMENT_H
#define COT_ENGINE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_segment_options {
    const char *as_of;     /* ISO date (the end of that day) or time; NULL: the end of the last day with an event */
    size_t k;              /* segments wanted, the extremes' own not counted; 0: chosen by evidence */
    size_t zoom;           /* also show the tree at that many segments; 0: no */
    bool without_timeless; /* leave out features from undated traits */
    const char *const *features; /* use these alone; n_features 0: all that carry something */
    size_t n_features;
    const char *const *exclude; /* never use these */
    size_t n_exclude;
    bool with_predictions; /* also the newest predictions that were made by then */
};

/*
 * Learns the segments, names and explains them, stores the run and publishes its model.
 *
 * {"run": 3, "as_of": "2011-12-09T23:59:59.999Z", "as_of_day", "created_at": "...", "seed": 1, "currency": "GBP",
 *  "customers": 4372,                   the shop's customers at as_of, those without a learned segment included
 *  "k": 6,                              segments of this run, the extremes' own included
 *  "evidence": {
 *    "chosen_by": "evidence" | "option", "why": "6: the most stable ...", "sample": 4000,
 *    "candidates": [{"k","stability","stability_error","silhouette","bic","score","chosen"}, ...],
 *    "features_used": 23, "components": 9, "extremes": 31},
 *  "segments": [{                       by revenue, largest first
 *    "id": 2, "name": "Loyal regulars", "color": "#0072B2", "kind": "learned" | "extreme",
 *    "size": 812, "share": 0.19, "revenue": 812345.5, "revenue_share": 0.55,
 *    "rule": "Orders at least 5 and Recency under 40 days",
 *    "conditions": [{"feature","title","unit","op": ">=" | "<" | "is","value": 5.0 | "Germany"}],
 *    "coverage": 0.91, "precision": 0.87, of the rule: its share of the segment; the segment's share of what it selects
 *    "stability": 0.93,                 mean Jaccard index over bootstrap runs, 1 = always the same customers;
 *                                       null for the extremes (they are found by a limit, not by a fit)
 *    "contrasts": [{"feature","title","unit","group","difference": 1.8, "p","q","segment_mean","overall_mean",
 *                   "segment_median","overall_median"[,"category","segment_share","overall_share"]}, ...],
 *                                       strongest first, only q <= 0.01; difference in standard deviations of all
 *    "strategy": "retain" | "grow" | "win back" | "nurture" | "leave alone",
 *    "strategy_detail": {"why": "sentence", "numbers": {"value_ratio","overdue","trend","orders",...}},
 *    "prototypes": [{"customer": 17, "customer_id": "12347", "distance": 0.2}, ...],   the most typical customers
 *    "change": "born" | "kept" | "grown" | "shrunk" | null, "previous_size": 790 | null,
 *    "profile": {"feature name": median, ...}}],
 *  "tree": {"id": "2+5+1", "name": "All customers", "size", "share", "revenue", "revenue_share", "height",
 *           "segment": 2 (operating segments only), "color" (likewise), "children": [two or more nodes] or none},
 *                                       children's sizes and revenues sum to their parent's
 *  "zoom": null | {"n": 4, "segments": [{"id","name","size","share","revenue","revenue_share","parts": [2, 5],
 *           "within": null | 2}]},       parts: operating segments joined; within: the one that it is a part of
 *  "features": [{"feature","title","group","unit","transform","weight","coverage","loading": ...}, ...],
 *  "dropped_features": [{"feature","title","reason": "no data" | "no variance" | "duplicate" | "excluded" | "timeless"
 *                        | "identifying" | "no structure", "detail": "r = 0.99 with Orders"}, ...],
 *  "excluded": {"no_analytics_consent": 0, "no_data": 0},      customers without a learned segment
 *  "heatmap": {"features": [{"feature","title"}], "rows": [{"id","values": [standardised difference or null]}]},
 *  "map": {"points": [[x, y, segment id, "customer_id"], ...], "axes": [{"share": 0.31, "high": "Total spend ...",
 *           "low": "..."}, ...]},       2-d projection of at most 3,000 customers, a sample stratified by segment
 *  "changes": null | the document of cot_segment_diff_run against the run before,
 *  "model": "models/segment-000003-1f3a....cotm"}
 *
 * COT_NOT_FOUND without data, COT_BAD_DATA where too little is left to learn from (it says what), COT_USAGE for an
 * unknown feature. Same data and seed: same bytes at any number of threads ("created_at" apart).
 */
cot_code cot_segment_run(const struct cot_context *context, const struct cot_segment_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* The document of the newest run, as cot_segment_run returned it. COT_NOT_FOUND where there was none. */
cot_code cot_segment_show_run(const struct cot_context *context, int64_t run_id, yyjson_mut_doc **ret_doc,
                              struct cot_err *err) COT_MUST_CHECK; /* run_id 0: the newest */

/* {"run","as_of","as_of_day","customers","currency","segments":
 * [{"id","name","color","size","share","revenue","revenue_share", "strategy","change"}]} of the newest run. */
cot_code cot_segment_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                              struct cot_err *err) COT_MUST_CHECK;

/* {"currency","runs": [{"run","as_of","as_of_day","created_at","customers","k"}], "segments": [{"id","name","color",
 *  "runs": [{"run","size","share","revenue","revenue_share","joined","left"} | null]}]}: one entry a run, oldest first.
 */
cot_code cot_segment_history_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                                 struct cot_err *err) COT_MUST_CHECK;

/*
 * What changed from run a to run b; 0 and 0: the last two runs.
 * {"from": {"run","as_of","as_of_day","customers"}, "to": {...}, "common": customers in both, "moved": n,
 * "moved_share", "joined": new customers, "left": gone, "births": [{"id","name","size"}], "deaths": [...], "splits":
 * [{"id","name","into": [{"id","name","customers"}]}], "merges": [{"id","name","from": [...]}], "segments":
 * [{"id","name","size_before","size_after","stayed","came","went","revenue_before","revenue_after"}], "migration":
 * {"from": [ids], "to": [ids], "counts": [[...]]}}
 */
cot_code cot_segment_diff_run(const struct cot_context *context, int64_t run_a, int64_t run_b, yyjson_mut_doc **ret_doc,
                              struct cot_err *err) COT_MUST_CHECK;

#endif
