/* What a shop's customers, each by their own rate and chance of having left, say the shop will sell (demand_history.h).
 */
#ifndef COT_ENGINE_DEMAND_CUSTOMERS_H
#define COT_ENGINE_DEMAND_CUSTOMERS_H

#include "engine/context.h"
#include "engine/demand_history.h"

struct cot_store;

/*
 * Fills `customers` of the history of now and of all pasts, each from the shop loaded as of its day: expected orders of
 * those who have ordered, by Pareto/NBD (BG/NBD where that can't be fitted), each worth what they usually spend; those
 * of customers yet to come, who are expected to come as often as in the last quarter; in proportion to what that
 * quarter's orders were of all sales (orders without a customer count, too), and spread over weekdays as it was. Where
 * one of them can't be told (nobody bought twice, no consent), all are left NULL. COT_NOMEM and the store's errors.
 */
cot_code cot_demand_customers_fill(const struct cot_context *context, struct cot_store *store,
                                   struct cot_demand_histories *histories, struct cot_err *err) COT_MUST_CHECK;

#endif
