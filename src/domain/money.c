#include "domain/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucurr.h>

enum { DEFAULT_EXPONENT = 2, MAX_EXPONENT = 4 };

static int64_t power_of_ten(int n)
{
    int64_t value = 1;
    while (n-- > 0)
        value *= 10;
    return value;
}

static bool to_letters(const char *code, size_t size, UChar *ret_letters)
{
    if (size != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        char upper = (char)(code[i] & ~0x20);
        if (upper < 'A' || upper > 'Z')
            return false;
        ret_letters[i] = (UChar)upper;
    }
    ret_letters[3] = 0;
    return true;
}

bool cot_currency_is_known(const char *code, size_t size)
{
    UChar letters[4];
    UErrorCode status = U_ZERO_ERROR;
    if (!to_letters(code, size, letters))
        return false;
    /* ICU gives no sign for an unknown code but its numeric code, 0; EUR is 978. */
    int32_t number = ucurr_getNumericCode(letters);
    ucurr_getDefaultFractionDigits(letters, &status);
    return number > 0 && U_SUCCESS(status);
}

int cot_currency_exponent(const char *code)
{
    UChar letters[4];
    UErrorCode status = U_ZERO_ERROR;
    if (!to_letters(code, strlen(code), letters))
        return DEFAULT_EXPONENT;
    int32_t digits = ucurr_getDefaultFractionDigits(letters, &status);
    return U_SUCCESS(status) && digits >= 0 && digits <= MAX_EXPONENT ? digits : DEFAULT_EXPONENT;
}

/* value / 10^drop, half away from zero. */
static bool round_down(__int128 value, int drop, int64_t *ret_minor)
{
    __int128 divisor = 1;
    for (int i = 0; i < drop; i++)
        divisor *= 10;
    __int128 half = divisor / 2;
    __int128 rounded = (value >= 0 ? value + half : value - half) / divisor;
    if (drop == 0)
        rounded = value;
    if (rounded > INT64_MAX || rounded < -(__int128)INT64_MAX)
        return false;
    *ret_minor = (int64_t)rounded;
    return true;
}

bool cot_money_from_decimal(struct cot_decimal value, int exponent, int64_t *ret_minor)
{
    if (value.scale > exponent)
        return round_down(value.mantissa, value.scale - exponent, ret_minor);
    return round_down((__int128)value.mantissa * power_of_ten(exponent - value.scale), 0, ret_minor);
}

bool cot_money_product(struct cot_decimal price, struct cot_decimal quantity, int exponent, int64_t *ret_minor)
{
    __int128 product = (__int128)price.mantissa * quantity.mantissa;
    int scale = price.scale + quantity.scale;
    if (scale >= exponent)
        return round_down(product, scale - exponent, ret_minor);
    __int128 scaled = 0;
    if (__builtin_mul_overflow(product, (__int128)power_of_ten(exponent - scale), &scaled))
        return false;
    return round_down(scaled, 0, ret_minor);
}

bool cot_money_convert(int64_t minor, int exponent_from, double rate, int exponent_to, int64_t *ret_minor)
{
    long double value = (long double)minor * (long double)rate;
    int shift = exponent_to - exponent_from;
    value = shift >= 0 ? value * (long double)power_of_ten(shift) : value / (long double)power_of_ten(-shift);
    if (!isfinite(value) || fabsl(value) >= 9.2e18L)
        return false;
    *ret_minor = (int64_t)roundl(value);
    return true;
}

void cot_money_allocate(int64_t total, const int64_t *weights, size_t n, int64_t *ret_shares)
{
    __int128 sum = 0;
    __int128 cumulated = 0;
    int64_t given = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i] > 0 ? weights[i] : 0;
    /* Shares of the running total: each is within one minor unit of its part and they sum to the total exactly. */
    for (size_t i = 0; i < n; i++) {
        cumulated += sum == 0 ? 1 : weights[i] > 0 ? weights[i] : 0;
        __int128 whole = sum == 0 ? (__int128)n : sum;
        __int128 scaled = (__int128)total * cumulated;
        int64_t upto = (int64_t)((scaled >= 0 ? scaled + whole / 2 : scaled - whole / 2) / whole);
        ret_shares[i] = upto - given;
        given = upto;
    }
}

void cot_rate_table_release(struct cot_rate_table *table)
{
    free(table->rates);
    *table = (struct cot_rate_table){0};
}

cot_code cot_rate_table_add(struct cot_rate_table *table, const char *currency, int64_t day, double rate,
                            struct cot_err *err)
{
    if (!isfinite(rate) || rate <= 0)
        return cot_fail(err, COT_BAD_DATA, "rate %g of %s is not above 0", rate, currency);
    if (table->n == table->capacity) {
        size_t capacity = table->capacity > 0 ? 2 * table->capacity : 256;
        struct cot_rate *rates = realloc(table->rates, capacity * sizeof *rates);
        if (rates == NULL)
            return cot_fail(err, COT_NOMEM, "rates");
        table->rates = rates;
        table->capacity = capacity;
    }
    struct cot_rate *added = &table->rates[table->n++];
    *added = (struct cot_rate){.day = day, .rate = rate};
    strncpy(added->currency, currency, sizeof added->currency - 1);
    return COT_OK;
}

static int by_currency_and_day(const void *a, const void *b)
{
    const struct cot_rate *x = a;
    const struct cot_rate *y = b;
    int order = strcmp(x->currency, y->currency);
    if (order == 0)
        order = (x->day > y->day) - (x->day < y->day);
    /* Of two rates for one day the larger comes last and holds: any rule will do as long as it is one. */
    return order != 0 ? order : (x->rate > y->rate) - (x->rate < y->rate);
}

void cot_rate_table_finish(struct cot_rate_table *table)
{
    if (table->n > 1)
        qsort(table->rates, table->n, sizeof *table->rates, by_currency_and_day);
}

bool cot_rate_table_find(const struct cot_rate_table *table, const char *currency, int64_t day, double *ret_rate)
{
    size_t low = 0;
    size_t high = table->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct cot_rate *rate = &table->rates[middle];
        int order = strcmp(rate->currency, currency);
        if (order < 0 || (order == 0 && rate->day <= day))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || strcmp(table->rates[low - 1].currency, currency) != 0)
        return false;
    *ret_rate = table->rates[low - 1].rate;
    return true;
}
