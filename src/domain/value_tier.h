/* Tiers of value: customers in order of what they will spend, cut at shares from the top. */
#ifndef COT_DOMAIN_VALUE_TIER_H
#define COT_DOMAIN_VALUE_TIER_H

#include <stddef.h>

enum { COT_N_VALUE_TIERS = 4 }; /* 'A', 'B', ... */

/* Share of the customers, from the top, at which each tier ends; the last is 1. */
extern const double cot_value_tier_shares[COT_N_VALUE_TIERS];

/* How many of n customers are in this tier or above it. */
size_t cot_value_tier_end(size_t tier, size_t n);

extern const char *const cot_value_tier_names[COT_N_VALUE_TIERS];

static inline char cot_value_tier_name(size_t tier)
{
    return cot_value_tier_names[tier][0];
}

#endif
