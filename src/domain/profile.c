#include "domain/profile.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "base/number.h"

static const char *const bands[COT_N_BANDS] = {"under 18", "18-24",       "25-34",     "35-44",    "45-54",
                                               "55-64",    "65 and over", "under 15K", "15-25K",   "25-35K",
                                               "35-50K",   "50-75K",      "75-100K",   "100-150K", "150K and over"};
static const float age_edges[COT_N_AGE_BANDS - 1] = {18, 25, 35, 45, 55, 65};
static const float income_edges[COT_N_INCOME_BANDS - 1] = {15e3F, 25e3F, 35e3F, 50e3F, 75e3F, 100e3F, 150e3F};

static const struct {
    const char *key; /* lower case, every other character than letters and digits as one '_' */
    enum cot_trait_role role;
} role_rows[] = {
    {"country", COT_TRAIT_COUNTRY},
    {"country_code", COT_TRAIT_COUNTRY},
    {"shipping_country", COT_TRAIT_COUNTRY},
    {"billing_country", COT_TRAIT_COUNTRY},
    {"age", COT_TRAIT_AGE},
    {"age_years", COT_TRAIT_AGE},
    {"birth_date", COT_TRAIT_BIRTH_DATE},
    {"birthdate", COT_TRAIT_BIRTH_DATE},
    {"birthday", COT_TRAIT_BIRTH_DATE},
    {"date_of_birth", COT_TRAIT_BIRTH_DATE},
    {"dob", COT_TRAIT_BIRTH_DATE},
    {"birth_year", COT_TRAIT_BIRTH_YEAR},
    {"year_birth", COT_TRAIT_BIRTH_YEAR},
    {"year_of_birth", COT_TRAIT_BIRTH_YEAR},
    {"age_band", COT_TRAIT_AGE_BAND},
    {"age_group", COT_TRAIT_AGE_BAND},
    {"age_range", COT_TRAIT_AGE_BAND},
    {"income", COT_TRAIT_INCOME},
    {"annual_income", COT_TRAIT_INCOME},
    {"annualincome", COT_TRAIT_INCOME},
    {"yearly_income", COT_TRAIT_INCOME},
    {"yearlyincome", COT_TRAIT_INCOME},
    {"household_income", COT_TRAIT_INCOME},
    {"income_band", COT_TRAIT_INCOME_BAND},
    {"income_group", COT_TRAIT_INCOME_BAND},
    {"income_range", COT_TRAIT_INCOME_BAND},
    {"household_size", COT_TRAIT_HOUSEHOLD},
    {"household", COT_TRAIT_HOUSEHOLD},
    {"hh_size", COT_TRAIT_HOUSEHOLD},
    {"family_size", COT_TRAIT_HOUSEHOLD},
    {"id", COT_TRAIT_IDENTIFYING},
    {"name", COT_TRAIT_IDENTIFYING},
    {"zip", COT_TRAIT_IDENTIFYING},
    {"zip_code", COT_TRAIT_IDENTIFYING},
    {"zipcode", COT_TRAIT_IDENTIFYING},
    {"ip", COT_TRAIT_IDENTIFYING},
    {"note", COT_TRAIT_IDENTIFYING},
    {"notes", COT_TRAIT_IDENTIFYING},
};

/* Anywhere in a key these tell that its values name a person. */
static const char *const identifying_parts[] = {
    "email",       "e_mail",        "phone",     "mobile",       "first_name",    "firstname",  "last_name",
    "lastname",    "full_name",     "fullname",  "surname",      "user_name",     "username",   "address",
    "street",      "postcode",      "post_code", "postal",       "customer_id",   "customerid", "customer_key",
    "customerkey", "user_id",       "userid",    "household_id", "household_key", "latitude",   "longitude",
    "password",    "customer_name", "prefix"};

enum cot_trait_role cot_trait_role_of(const char *key, size_t size)
{
    char plain[96];
    size_t n = 0;
    for (size_t i = 0; i < size && n + 1 < sizeof plain; i++) {
        bool letter = isalnum((unsigned char)key[i]) != 0;
        if (letter)
            plain[n++] = (char)tolower((unsigned char)key[i]);
        else if (n > 0 && plain[n - 1] != '_')
            plain[n++] = '_';
    }
    while (n > 0 && plain[n - 1] == '_')
        n--;
    plain[n] = '\0';
    for (size_t i = 0; i < sizeof role_rows / sizeof *role_rows; i++)
        if (strcmp(plain, role_rows[i].key) == 0)
            return role_rows[i].role;
    for (size_t i = 0; i < sizeof identifying_parts / sizeof *identifying_parts; i++)
        if (strstr(plain, identifying_parts[i]) != NULL)
            return COT_TRAIT_IDENTIFYING;
    return COT_TRAIT_OTHER;
}

cot_code cot_trait_words_init(struct cot_trait_words *words, struct cot_err *err)
{
    struct cot_trait_words made = {0};
    uint32_t code = 0;
    cot_code rc = COT_OK;
    cot_dict_init(&made.keys);
    cot_dict_init(&made.values);
    for (size_t i = 0; rc == COT_OK && i < COT_N_BANDS; i++)
        rc = cot_dict_add(&made.values, 0, bands[i], strlen(bands[i]), &code, err);
    if (rc != COT_OK) {
        cot_trait_words_release(&made);
        return rc;
    }
    *words = made;
    return COT_OK;
}

void cot_trait_words_release(struct cot_trait_words *words)
{
    cot_dict_release(&words->keys);
    cot_dict_release(&words->values);
    free(words->roles);
    *words = (struct cot_trait_words){0};
}

cot_code cot_trait_words_key(struct cot_trait_words *words, const char *key, size_t size, uint32_t *ret_key,
                             struct cot_err *err)
{
    uint32_t code = 0;
    cot_code rc = cot_dict_add(&words->keys, 0, key, size, &code, err);
    if (rc != COT_OK)
        return rc;
    void *grown = cot_array_reserve(words->roles, &words->roles_capacity, words->keys.n, sizeof *words->roles);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu trait keys", words->keys.n);
    words->roles = grown;
    words->roles[code] = (uint8_t)cot_trait_role_of(key, size);
    *ret_key = code;
    return COT_OK;
}

bool cot_trait_beats(const struct cot_trait_fact *a, const struct cot_trait_fact *b)
{
    if (a->occurred_at_ms != b->occurred_at_ms)
        return a->occurred_at_ms > b->occurred_at_ms;
    return a->sequence > b->sequence;
}

void cot_trait_consider(struct cot_trait_best *best, const struct cot_trait_words *words,
                        const struct cot_trait_fact *traits, size_t n_traits, int64_t as_of_ms,
                        enum cot_timeless timeless)
{
    for (size_t i = 0; i < n_traits; i++) {
        const struct cot_trait_fact *trait = &traits[i];
        unsigned role = words->roles[trait->key];
        if (trait->occurred_at_ms > as_of_ms ||
            (trait->occurred_at_ms == COT_TIMELESS && timeless == COT_WITHOUT_TIMELESS))
            continue;
        if (!best->present[role] || cot_trait_beats(trait, &best->facts[role])) {
            best->facts[role] = *trait;
            best->present[role] = true;
        }
    }
}

static uint32_t band_of(float number, const float *edges, uint32_t n_edges, uint32_t first)
{
    uint32_t i = 0;
    while (i < n_edges && number >= edges[i])
        i++;
    return first + i;
}

/* The fact's number; else the digits that its word begins with ("5+", "3 people"). */
static float trait_number(const struct cot_trait_best *best, const struct cot_trait_words *words,
                          enum cot_trait_role role)
{
    double number = NAN;
    if (!best->present[role])
        return NAN;
    const struct cot_trait_fact *fact = &best->facts[role];
    if (!isnan(fact->number) || fact->value == COT_DICT_NONE)
        return fact->number;
    const struct cot_dict_entry *word = cot_dict_entry(&words->values, fact->value);
    size_t size = 0;
    while (size < word->size && (isdigit((unsigned char)word->text[size]) || word->text[size] == '.'))
        size++;
    return size > 0 && cot_parse_double(word->text, size, &number) ? (float)number : NAN;
}

/* Whole years from a birthday to a day; someone born on 29 February has a birthday on 1 March of common years. */
static float age_from_birth(const struct cot_trait_best *best, const struct cot_trait_words *words, int64_t local_ms)
{
    struct cot_civil now;
    struct cot_civil born;
    int64_t born_ms = 0;
    cot_civil_from_ms(local_ms, &now);
    if (best->present[COT_TRAIT_BIRTH_DATE] && best->facts[COT_TRAIT_BIRTH_DATE].value != COT_DICT_NONE) {
        const struct cot_dict_entry *word = cot_dict_entry(&words->values, best->facts[COT_TRAIT_BIRTH_DATE].value);
        if (cot_parse_iso(word->text, word->size, &born_ms)) {
            cot_civil_from_ms(born_ms, &born);
            bool before = now.month < born.month || (now.month == born.month && now.day < born.day);
            return (float)(now.year - born.year - (before ? 1 : 0));
        }
    }
    return (float)now.year - trait_number(best, words, COT_TRAIT_BIRTH_YEAR);
}

static uint32_t trait_word(const struct cot_trait_best *best, enum cot_trait_role role)
{
    return best->present[role] ? best->facts[role].value : COT_DICT_NONE;
}

void cot_profile_make(const struct cot_trait_best *best, const struct cot_trait_words *words, int64_t local_ms,
                      struct cot_profile *ret_profile)
{
    struct cot_profile profile = {.country = trait_word(best, COT_TRAIT_COUNTRY),
                                  .age_band = trait_word(best, COT_TRAIT_AGE_BAND),
                                  .income_band = trait_word(best, COT_TRAIT_INCOME_BAND),
                                  .household_size = trait_number(best, words, COT_TRAIT_HOUSEHOLD)};
    bool age_is_number = best->present[COT_TRAIT_AGE] && !isnan(best->facts[COT_TRAIT_AGE].number);
    bool income_is_number = best->present[COT_TRAIT_INCOME] && !isnan(best->facts[COT_TRAIT_INCOME].number);
    profile.age_years = age_is_number ? best->facts[COT_TRAIT_AGE].number : age_from_birth(best, words, local_ms);
    if (!(profile.age_years >= 0 && profile.age_years <= 120)) /* a placeholder such as 1900-01-01 says nothing */
        profile.age_years = NAN;
    profile.income = income_is_number ? best->facts[COT_TRAIT_INCOME].number : NAN;
    /* "age" and "income" are often bands in words: 19-24, 50-74K. */
    if (profile.age_band == COT_DICT_NONE && !age_is_number)
        profile.age_band = trait_word(best, COT_TRAIT_AGE);
    if (profile.age_band == COT_DICT_NONE && !isnan(profile.age_years))
        profile.age_band = band_of(profile.age_years, age_edges, COT_N_AGE_BANDS - 1, 0);
    if (profile.income_band == COT_DICT_NONE && !income_is_number)
        profile.income_band = trait_word(best, COT_TRAIT_INCOME);
    if (profile.income_band == COT_DICT_NONE && income_is_number)
        profile.income_band = band_of(profile.income, income_edges, COT_N_INCOME_BANDS - 1, COT_N_AGE_BANDS);
    for (unsigned role = 0; role < COT_N_TRAIT_ROLES; role++)
        if (best->present[role] && best->facts[role].occurred_at_ms == COT_TIMELESS)
            profile.timeless |= 1U << role;
    *ret_profile = profile;
}
