/*
 * Money: 64-bit minor units with the currency's own exponent (ISO 4217 as ICU has it: USD 2, JPY 0, KWD 3).
 */
#ifndef COT_DOMAIN_MONEY_H
#define COT_DOMAIN_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/value.h"

/* Three letters (any case) that ISO 4217 knows. */
bool cot_currency_is_known(const char *code, size_t size);

/* Decimals of the minor unit; 2 for "" and for unknown codes. Thread-safe. */
int cot_currency_exponent(const char *code);

/* Rounds half away from zero beyond the exponent only. False on overflow of 64 bits. */
bool cot_money_from_decimal(struct cot_decimal value, int exponent, int64_t *ret_minor);

/* price x quantity, rounded once. */
bool cot_money_product(struct cot_decimal price, struct cot_decimal quantity, int exponent, int64_t *ret_minor);

/* Minor units of one currency in another: amount x rate between the exponents, half away from zero. */
bool cot_money_convert(int64_t minor, int exponent_from, double rate, int exponent_to, int64_t *ret_minor);

/* Shares `total` out in proportion to weights (>= 0; all 0: evenly): the shares sum to the total exactly and each is
 * within one minor unit of its part. total and the sum of weights below 2^62. */
void cot_money_allocate(int64_t total, const int64_t *weights, size_t n, int64_t *ret_shares);

/* Dated rates. Sorted by _finish; a lookup takes the last rate at or before the day. */
struct cot_rate {
    char currency[4];
    int64_t day; /* since 1970-01-01 */
    double rate; /* units of the base currency for one unit */
};

struct cot_rate_table {
    struct cot_rate *rates;
    size_t n;
    size_t capacity;
};

void cot_rate_table_release(struct cot_rate_table *table);
/* COT_BAD_DATA for a rate that is not finite and > 0. */
cot_code cot_rate_table_add(struct cot_rate_table *table, const char *currency, int64_t day, double rate,
                            struct cot_err *err) COT_MUST_CHECK;
void cot_rate_table_finish(struct cot_rate_table *table);
/* False: no rate on or before that day. */
bool cot_rate_table_find(const struct cot_rate_table *table, const char *currency, int64_t day, double *ret_rate);

#endif
