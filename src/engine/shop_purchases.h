/* The purchases of a shop's customers, by day in the shop's time zone. */
#ifndef COT_ENGINE_SHOP_PURCHASES_H
#define COT_ENGINE_SHOP_PURCHASES_H

#include "engine/shop.h"
#include "ml/purchases.h"

struct cot_shop_purchases {
    struct cot_purchases purchases; /* of those with an order line; amounts in major units, before refunds */
    uint32_t *customers;            /* [purchases.n], as in history.people */
    size_t *starts;
    struct cot_purchase *days;
};

/* The last day is the shop's as-of day. COT_NOT_FOUND where nobody has ordered. */
cot_code cot_shop_purchases_make(const struct cot_shop *shop, struct cot_shop_purchases *ret_purchases,
                                 struct cot_err *err) COT_MUST_CHECK;
void cot_shop_purchases_release(struct cot_shop_purchases *purchases);

#endif
