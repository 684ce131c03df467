#include "domain/refund.h"

#include <stddef.h>

#include "domain/feature_fold.h"

/* Gives back up to `units` of one purchase; returns how many. */
static double purchase_return(struct cot_fold *fold, struct cot_fold_purchase *purchase, double units)
{
    struct cot_fold_order *order = &fold->orders[purchase->order];
    double left = purchase->units - purchase->units_returned;
    double taken = units < left ? units : left;
    if (!(taken > 0))
        return 0;
    purchase->units_returned = taken == left ? purchase->units : purchase->units_returned + taken;
    order->units_returned += taken;
    order->returned = true;
    return taken;
}

/* Among the lines of one order. */
static double match_order(struct cot_fold *fold, const struct cot_refund *refund, uint32_t i_order)
{
    struct cot_fold_order *order = &fold->orders[i_order];
    double matched = 0;
    if (refund->item == COT_NO_ITEM) { /* of the order as a whole */
        double left = order->units - order->units_returned;
        matched = refund->units < left ? refund->units : left;
        order->units_returned += matched > 0 ? matched : 0;
        order->returned = true;
        return matched > 0 ? matched : 0;
    }
    uint32_t i_item = cot_fold_find_item(fold, refund->item);
    uint32_t i = i_item != COT_NONE ? fold->items[i_item].last_purchase : COT_NONE;
    /* An order has no lines before its first: purchases are in order of time, so the walk ends there. */
    for (; i != COT_NONE && matched < refund->units && fold->purchases[i].at_ms >= order->first_ms;
         i = fold->purchases[i].previous)
        if (fold->purchases[i].order == i_order)
            matched += purchase_return(fold, &fold->purchases[i], refund->units - matched);
    return matched;
}

/* Among all earlier purchases of the item, the latest first. Purchases without units left drop out of the chain. */
static double match_item(struct cot_fold *fold, const struct cot_refund *refund, uint32_t *ret_order)
{
    double matched = 0;
    uint32_t i_item = refund->item != COT_NO_ITEM ? cot_fold_find_item(fold, refund->item) : COT_NONE;
    if (i_item == COT_NONE)
        return 0;
    uint32_t *open = &fold->items[i_item].last_open;
    while (*open != COT_NONE && matched < refund->units) {
        struct cot_fold_purchase *purchase = &fold->purchases[*open];
        double taken = purchase_return(fold, purchase, refund->units - matched);
        if (taken > 0)
            *ret_order = purchase->order;
        matched += taken;
        if (purchase->units_returned >= purchase->units)
            *open = purchase->previous_open;
        else
            break; /* units are left, so the refund is used up */
    }
    return matched;
}

double cot_refund_match(struct cot_fold *fold, const struct cot_refund *refund, uint32_t *ret_order)
{
    uint32_t i_order = refund->order != 0 ? cot_fold_find_order(fold, refund->order) : COT_NONE;
    double matched = 0;
    *ret_order = COT_NONE;
    if (i_order != COT_NONE) {
        matched = match_order(fold, refund, i_order);
        if (matched > 0 || refund->item == COT_NO_ITEM) {
            *ret_order = i_order;
            return matched;
        }
    }
    return match_item(fold, refund, ret_order);
}
