/*
 * To whom more could be sold: categories that customers like this one buy and they do not (cross-sell), and orders
 * smaller than their tier's (up-sell).
 *
 * The gain is what an offer would bring if it raised the chance, or closed the gap, by a share `uplift` that nobody has
 * measured yet: it is said as an assumption, not as a prediction.
 */
#ifndef COT_ENGINE_PREDICT_OFFERS_H
#define COT_ENGINE_PREDICT_OFFERS_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/shop_league.h"

/*
 * Adds to root "offers": {"days","uplift","assumes": words,
 *  "cross_sell": [{"customer_id","tier","category","because": a category they buy,"follows": share of the buyers of
 * that one who buy this one,"chance": of a first purchase within the days,"order": spend a day in it, before
 * refunds,"gain"}] | null where no category is known or chances are untested,"cross_sell_tested": who says the chances
 * (predict/propensity.h), {"model","title","measure","score","naive","naive_score"} | null, "up_sell":
 * [{"customer_id","tier","order": spend a day with an order,"usual": median of the tier,"orders": expected within the
 * days,"gain"}]}, the largest gains first, at most `top` of each. tiers: [league->now] as predict.c has them.
 */
cot_code cot_predict_offers_add(const struct cot_shop_league *league, size_t h, const char *tiers, double uplift,
                                size_t top, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                struct cot_err *err) COT_MUST_CHECK;

#endif
