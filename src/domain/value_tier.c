#include "domain/value_tier.h"

#include <math.h>

const double cot_value_tier_shares[COT_N_VALUE_TIERS] = {0.1, 0.3, 0.6, 1};
const char *const cot_value_tier_names[COT_N_VALUE_TIERS] = {"A", "B", "C", "D"};

size_t cot_value_tier_end(size_t tier, size_t n)
{
    return (size_t)ceil(cot_value_tier_shares[tier] * (double)n);
}
