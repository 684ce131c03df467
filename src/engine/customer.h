/*
 * One customer: profile, timeline, features, segment and why, and what would move them.
 */
#ifndef COT_ENGINE_CUSTOMER_H
#define COT_ENGINE_CUSTOMER_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/*
 * id: the shop's own id, ours ("anon-<16 hex>"), or an e-mail address.
 *
 * {"customer": 17, "customer_id": "12347",
 *  "identities": [{"kind": "user", "value": "12347"}], "traits": [{"key","value","timeless"}],
 *  "consent": [{"purpose","granted","since"}], "as_of", "as_of_day",
 *  "totals": {"orders","revenue","refunds","first_order","last_order","first_order_day","last_order_day"},
 *  "timeline": [{"at","kind","order","item","name","quantity","amount","channel"}],   the last 20 events, newest first
 *  "features": [{"feature","title","unit","group","value": 3.0 | "Germany" | null,"percentile": 0.91 | null}],
 *  "rfm": null | {"recency": 5,"frequency": 4,"monetary": 4,"group": "Loyal customers"},
 *  "segment": null | {"id","name","run","distance","pulls": [{"feature","title","value","segment_median",
 *      "overall_median","share"}], "why": "sentence"},
 *      share: of the squared distance by which this segment is nearer than the average customer
 *  "nearest": null | {"id","name","distance","changes": [{"feature","title","unit","from","to"}],
 *      "reached": true, "why": "sentence"}}      the smallest change of what a shop can influence, checked by assigning
 *
 * COT_NOT_FOUND where nobody has that id.
 */
cot_code cot_customer_show_run(const struct cot_context *context, const char *id, yyjson_mut_doc **ret_doc,
                               struct cot_err *err) COT_MUST_CHECK;

#endif
