/*
 * Predictions: what each customer will spend and order, and whether they stay, by whoever has been right so far.
 */
#ifndef COT_ENGINE_PREDICT_H
#define COT_ENGINE_PREDICT_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"
#include "engine/shop_league.h"

struct cot_predict_options {
    struct cot_shop_league_options league;
    const char *customer; /* as in engine/person.h; NULL: lists */
    size_t top;           /* how long lists are; 0: 10 */
    double uplift;        /* of offers, assumed; 0: 0.1 */
    const char *out;      /* CSV of all customers; NULL: none */
    bool keep;            /* freeze what is said; not with as_of: what is known now may not have been known then */
};

/*
 * {"as_of","as_of_day","currency","customers","confidence": {"level": "high","fair","low","because": [words]},
 *  "horizons": [{"days","folds": 0: untested,"learned_from": origins,"run": id of the frozen run | null,
 *    "spend","orders","churn": {"model","title","tested": {"score","naive","naive_score","measure"} | null,
 *      "total": of all customers; churn: their mean}}],
 *  "tiers": {"days","rows": [{"tier": "A".."D","customers","share","spend","spend_share","least"}]},
 *  "retention": {"days","rows": [customer and "at_risk"]}, "best": [customer],
 *  "offers": as predict_offers.h has them,
 *  with a customer asked for: "customer": customer}
 *
 * customer: {"customer_id","tier","orders","spend","first_order","last_order","silent_days","usual_gap_days" | null,
 *  "next_order": {"early","middle","late"}: dates by which an order has come with a chance of 10, 50 and 90% | null,
 *  "predictions": [{"days","spend": {"value","low" | null,"high" | null},"orders": {the same},"churn"}],"why": [words]}
 */
cot_code cot_predict_run(const struct cot_context *context, const struct cot_predict_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
