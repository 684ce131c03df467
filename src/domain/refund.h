/*
 * Matching refunds with purchases, at replay.
 *
 * A refund that names its order (equal order key) is matched with that order: with its lines of that item where the
 * refund names an item, the latest first. Any other refund is matched with the latest earlier purchases of its item by
 * that customer of which units are left. What remains stands alone: it counts as money, not as units of any purchase.
 */
#ifndef COT_DOMAIN_REFUND_H
#define COT_DOMAIN_REFUND_H

#include <stdbool.h>
#include <stdint.h>

struct cot_fold;

struct cot_refund {
    uint64_t order; /* key hash, 0: none */
    uint32_t item;  /* COT_NO_ITEM: none */
    double units;
};

/* Marks what is given back in the fold's purchases and orders. Returns the units matched; ret_order is set to the last
 * order concerned (COT_NONE: it stands alone). */
double cot_refund_match(struct cot_fold *fold, const struct cot_refund *refund, uint32_t *ret_order);

#endif
