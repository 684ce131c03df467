#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBER_SIZE = 400 }; /* 1e308 written out is 309 digits */

bool cot_parse_int(const char *text, size_t size, int64_t *ret_value)
{
    size_t at = size > 0 && (text[0] == '-' || text[0] == '+');
    bool negative = at == 1 && text[0] == '-';
    int64_t value = 0;
    if (at == size)
        return false;
    for (; at < size; at++) {
        if (text[at] < '0' || text[at] > '9')
            return false;
        int digit = text[at] - '0';
        /* Built on the negative side, which holds one more value. */
        if (__builtin_mul_overflow(value, INT64_C(10), &value) || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret_value = negative ? value : -value;
    return true;
}

static bool looks_decimal(const char *text, size_t size)
{
    bool digit = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            digit = true;
        else if (strchr("+-.eE", text[i]) == NULL || text[i] == '\0')
            return false;
    }
    return digit;
}

bool cot_parse_double(const char *text, size_t size, double *ret_value)
{
    char copy[MAX_NUMBER_SIZE + 1];
    char *end = NULL;
    static locale_t c_locale; /* made once; a lost race leaks one handle and is harmless */
    if (size == 0 || size > MAX_NUMBER_SIZE || !looks_decimal(text, size))
        return false;
    locale_t locale = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (locale == NULL) {
        locale = newlocale(LC_ALL_MASK, "C", NULL);
        if (locale == NULL)
            return false;
        __atomic_store_n(&c_locale, locale, __ATOMIC_RELEASE);
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    double value = strtod_l(copy, &end, locale);
    if (end != copy + size || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}
