/* One customer's predictions as a document, with reasons in words. */
#ifndef COT_ENGINE_PREDICT_CUSTOMER_H
#define COT_ENGINE_PREDICT_CUSTOMER_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/shop_league.h"

/* The customer's own id or ours; not NUL-terminated, valid as long as league and buffer. i: row of league->now. */
const char *cot_predict_customer_id(const struct cot_shop_league *league, size_t i, char buffer[COT_ANONYMOUS_ID_SIZE],
                                    size_t *ret_size);

/* Kept spend and days with an order so far, the last of them, and the mean gap in days (NaN: fewer than two). */
struct cot_predict_past {
    double spend, orders, usual_gap;
    int32_t first_day, last_day, silent;
};
struct cot_predict_past cot_predict_past(const struct cot_shop_league *league, size_t i);

/* Adds the fields of a customer (see predict.h) to object. */
cot_code cot_predict_customer(const struct cot_shop_league *league, size_t i, char tier, yyjson_mut_doc *doc,
                              yyjson_mut_val *object, struct cot_err *err) COT_MUST_CHECK;

#endif
