/*
 * Profiles: what was said of a customer (traits), as of a moment.
 *
 * A trait has a key ("country"), a word, a number where it is one, and the time since when it holds. Of a customer's
 * facts of one key the latest counts (by occurred_at, among equals the one that the store got later); timeless facts
 * (undated imports) hold at any moment until a dated one says otherwise.
 */
#ifndef COT_DOMAIN_PROFILE_H
#define COT_DOMAIN_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "coterie/err.h"

#define COT_TIMELESS INT64_MIN

struct cot_trait_fact {
    int64_t occurred_at_ms; /* COT_TIMELESS: undated */
    uint32_t sequence;      /* place in the store's order of arrival */
    uint32_t value;         /* code of the word, COT_DICT_NONE: none */
    float number;           /* NaN: none */
    uint32_t key;           /* code of the key */
};

/* Keys that the catalogue's own demographic features understand. */
enum cot_trait_role {
    COT_TRAIT_OTHER,
    COT_TRAIT_COUNTRY,
    COT_TRAIT_AGE,
    COT_TRAIT_BIRTH_DATE,
    COT_TRAIT_BIRTH_YEAR,
    COT_TRAIT_AGE_BAND,
    COT_TRAIT_INCOME,
    COT_TRAIT_INCOME_BAND,
    COT_TRAIT_HOUSEHOLD,
    COT_TRAIT_IDENTIFYING, /* names, addresses, numbers: never a feature */
    COT_N_TRAIT_ROLES
};

enum cot_trait_role cot_trait_role_of(const char *key, size_t size);

/* Words that bands computed from numbers use; they are the first codes of every dictionary of trait values. */
enum { COT_N_AGE_BANDS = 7, COT_N_INCOME_BANDS = 8, COT_N_BANDS = COT_N_AGE_BANDS + COT_N_INCOME_BANDS };

/* Keys and values of a shop's traits. */
struct cot_trait_words {
    struct cot_dict keys;
    struct cot_dict values;
    uint8_t *roles; /* [keys.n], enum cot_trait_role */
    size_t roles_capacity;
};

cot_code cot_trait_words_init(struct cot_trait_words *words, struct cot_err *err) COT_MUST_CHECK;
void cot_trait_words_release(struct cot_trait_words *words);

/* Interns the key and finds its role. */
cot_code cot_trait_words_key(struct cot_trait_words *words, const char *key, size_t size, uint32_t *ret_key,
                             struct cot_err *err) COT_MUST_CHECK;

/* The customer's demographic facts; NaN and COT_DICT_NONE where unknown. */
struct cot_profile {
    uint32_t country; /* codes of trait values */
    uint32_t age_band;
    uint32_t income_band;
    float age_years;
    float income;
    float household_size;
    uint32_t timeless; /* bit of each enum cot_trait_role whose fact is timeless */
};

/* The winning fact of each role, found by considering the facts of the customer's nodes one after the other. */
struct cot_trait_best {
    struct cot_trait_fact facts[COT_N_TRAIT_ROLES];
    bool present[COT_N_TRAIT_ROLES];
};

enum cot_timeless { COT_WITH_TIMELESS, COT_WITHOUT_TIMELESS };

bool cot_trait_beats(const struct cot_trait_fact *a, const struct cot_trait_fact *b);
void cot_trait_consider(struct cot_trait_best *best, const struct cot_trait_words *words,
                        const struct cot_trait_fact *traits, size_t n_traits, int64_t as_of_ms,
                        enum cot_timeless timeless);
void cot_profile_make(const struct cot_trait_best *best, const struct cot_trait_words *words, int64_t local_ms,
                      struct cot_profile *ret_profile);

#endif
