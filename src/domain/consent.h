/*
 * Consent: what a customer allows, by purpose, as of a moment.
 *
 * The latest statement of any of the customer's nodes counts (by occurred_at, among equals the one that the store got
 * later). Where nothing was said the policy of the customer's sources decides: it lists the purposes that it assumes
 * (source.consent_policy, by ','); a source without a policy assumes all of them.
 */
#ifndef COT_DOMAIN_CONSENT_H
#define COT_DOMAIN_CONSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/feature.h"

struct cot_consent_fact {
    int64_t occurred_at_ms;
    uint32_t sequence; /* place in the store's order of arrival */
    uint8_t purpose;   /* enum cot_purpose */
    bool granted;
};

/* Fills `purpose` from its name; false for a word that is none ("email" and the like are marketing). */
bool cot_purpose_from_name(const char *name, size_t size, enum cot_purpose *ret_purpose);

/* Bits (1 << purpose) that a source's consent_policy does not assume; NULL or empty: there is no policy, all are
 * assumed. */
uint8_t cot_consent_policy_withheld(const char *policy, size_t size);

/* Folds the facts of one node into best (all zero to begin with; present: something was said). */
struct cot_consent_best {
    struct cot_consent_fact fact;
    bool present;
};
void cot_consent_consider(struct cot_consent_best *best, enum cot_purpose purpose, const struct cot_consent_fact *facts,
                          size_t n_facts, int64_t as_of_ms);

/* withheld: of all the customer's nodes. */
static inline bool cot_consent_allows(const struct cot_consent_best *best, enum cot_purpose purpose, unsigned withheld)
{
    return best->present ? best->fact.granted : (withheld >> purpose & 1) == 0;
}

#endif
