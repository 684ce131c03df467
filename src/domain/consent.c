#include "domain/consent.h"

#include <string.h>
#include <strings.h>

static bool word_is(const char *word, size_t size, const char *wanted)
{
    return strlen(wanted) == size && strncasecmp(word, wanted, size) == 0;
}

bool cot_purpose_from_name(const char *name, size_t size, enum cot_purpose *ret_purpose)
{
    static const struct {
        const char *name;
        enum cot_purpose purpose;
    } words[] = {
        {"service", COT_PURPOSE_SERVICE},
        {"analytics", COT_PURPOSE_ANALYTICS},
        {"personalisation", COT_PURPOSE_PERSONALISATION},
        {"personalization", COT_PURPOSE_PERSONALISATION},
        {"marketing", COT_PURPOSE_MARKETING},
        {"email", COT_PURPOSE_MARKETING},
        {"newsletter", COT_PURPOSE_MARKETING},
        {"sms", COT_PURPOSE_MARKETING},
        {"advertising", COT_PURPOSE_ADVERTISING},
        {"ads", COT_PURPOSE_ADVERTISING},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_is(name, size, words[i].name)) {
            *ret_purpose = words[i].purpose;
            return true;
        }
    return false;
}

uint8_t cot_consent_policy_withheld(const char *policy, size_t size)
{
    enum cot_purpose purpose;
    unsigned assumed = 0;
    if (policy == NULL || size == 0)
        return 0;
    for (size_t i = 0; i < size;) {
        size_t start = i;
        while (i < size && policy[i] != ',')
            i++;
        size_t end = i++;
        while (start < end && policy[start] == ' ')
            start++;
        while (end > start && policy[end - 1] == ' ')
            end--;
        if (cot_purpose_from_name(policy + start, end - start, &purpose))
            assumed |= 1U << purpose;
    }
    return (uint8_t)(~assumed & ((1U << COT_N_PURPOSES) - 1));
}

void cot_consent_consider(struct cot_consent_best *best, enum cot_purpose purpose, const struct cot_consent_fact *facts,
                          size_t n_facts, int64_t as_of_ms)
{
    for (size_t i = 0; i < n_facts; i++) {
        const struct cot_consent_fact *fact = &facts[i];
        if (fact->purpose != purpose || fact->occurred_at_ms > as_of_ms)
            continue;
        if (!best->present || fact->occurred_at_ms > best->fact.occurred_at_ms ||
            (fact->occurred_at_ms == best->fact.occurred_at_ms && fact->sequence > best->fact.sequence)) {
            best->fact = *fact;
            best->present = true;
        }
    }
}
