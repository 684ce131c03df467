/* Numbers as people and programs write them (see value.h). */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "domain/money.h"
#include "domain/value.h"

enum { MAX_DIGITS = 18, MAX_NUMBER_SIZE = 400 };

static const int64_t powers[] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000};

double cot_decimal_double(struct cot_decimal value)
{
    return value.scale == 0 ? (double)value.mantissa : (double)value.mantissa / (double)powers[value.scale];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Symbols that stand for a currency; code "": more than one uses it. */
static const struct {
    const char *symbol;
    const char *code;
} symbols[] = {{"US$", "USD"}, {"R$", "BRL"},  {"A$", "AUD"},  {"AU$", "AUD"}, {"C$", "CAD"}, {"CA$", "CAD"},
               {"NZ$", "NZD"}, {"HK$", "HKD"}, {"S$", "SGD"},  {"$", ""},      {"€", "EUR"},  {"£", "GBP"},
               {"¥", ""},      {"₹", "INR"},   {"₽", "RUB"}, {"₺", "TRY"},   {"₩", "KRW"},  {"₪", "ILS"},
               {"₫", "VND"},   {"฿", "THB"},   {"zł", "PLN"},  {"Kč", "CZK"},  {"kr.", ""},   {"kr", ""},
               {"Ft", "HUF"},  {"Rs.", ""},    {"Rs", ""},     {"lei", "RON"}, {"Fr.", "CHF"}};

static void note_currency(char *ret_currency, const char *code, size_t size)
{
    if (ret_currency == NULL || ret_currency[0] != '\0')
        return;
    for (size_t i = 0; i < size && i < 3; i++)
        ret_currency[i] = (char)(code[i] & ~0x20);
    ret_currency[size < 3 ? size : 3] = '\0';
}

/* Takes a symbol or an ISO code off one end. */
static bool take_currency(const char **text, size_t *size, bool at_end, char *ret_currency)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t n = strlen(symbols[i].symbol);
        if (*size < n || memcmp(at_end ? *text + *size - n : *text, symbols[i].symbol, n) != 0)
            continue;
        note_currency(ret_currency, symbols[i].code, strlen(symbols[i].code));
        *text += at_end ? 0 : n;
        *size -= n;
        return true;
    }
    if (*size > 3) {
        const char *code = at_end ? *text + *size - 3 : *text;
        if (cot_currency_is_known(code, 3)) {
            note_currency(ret_currency, code, 3);
            *text += at_end ? 0 : 3;
            *size -= 3;
            return true;
        }
    }
    return false;
}

static bool has_digit(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (is_digit(text[i]))
            return true;
    return false;
}

/* Peels signs, brackets, currency and percent off both ends. False where a sign comes twice. */
static bool peel(const char **text, size_t *size, bool *ret_negative, char *ret_currency)
{
    bool has_sign = false;
    bool has_currency = false;
    for (;;) {
        cot_value_trim(text, size);
        if (*size == 0)
            return false;
        char first = **text;
        char last = (*text)[*size - 1];
        if (is_digit(first) && is_digit(last))
            return true;
        if (!has_sign && *size > 2 && first == '(' && last == ')') {
            *ret_negative = has_sign = true;
            (*text)++;
            *size -= 2;
        } else if (!has_sign && (first == '-' || first == '+')) {
            *ret_negative = first == '-';
            has_sign = true;
            (*text)++;
            (*size)--;
        } else if (!has_sign && *size > 2 && memcmp(*text, "\xe2\x88\x92", 3) == 0) { /* U+2212 minus */
            *ret_negative = has_sign = true;
            *text += 3;
            *size -= 3;
        } else if (!has_sign && last == '-' && *size > 1) {
            *ret_negative = has_sign = true;
            (*size)--;
        } else if (last == '%' && *size > 1) {
            (*size)--;
        } else if (!has_currency &&
                   (take_currency(text, size, false, ret_currency) || take_currency(text, size, true, ret_currency))) {
            has_currency = true;
        } else {
            return true; /* ".5", "5." or no number */
        }
    }
}

/* The digits of a number, its separators found. */
struct body {
    char digits[MAX_NUMBER_SIZE];
    size_t n_digits;
    size_t n_fraction; /* of them behind the mark */
    int exponent;
};

/* Size of a separator that only groups: spaces of several widths, apostrophes. 0: none. */
static size_t group_separator(const char *text, size_t size)
{
    static const char *const separators[] = {" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "'", "\xe2\x80\x99", "_"};
    for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++) {
        size_t n = strlen(separators[i]);
        if (size > n && memcmp(text, separators[i], n) == 0)
            return n;
    }
    return 0;
}

static bool take_exponent(const char *text, size_t size, int *ret_exponent)
{
    size_t at = size > 0 && (text[0] == '-' || text[0] == '+');
    int value = 0;
    if (at == size)
        return false;
    for (size_t i = at; i < size; i++) {
        if (!is_digit(text[i]))
            return false;
        if (value < 100000)
            value = value * 10 + (text[i] - '0');
    }
    *ret_exponent = text[0] == '-' ? -value : value;
    return true;
}

/* Reads the body with `mark` as the decimal mark and `other` for groups of three (or, in India, of two). */
static bool take_body(const char *text, size_t size, char mark, char other, struct body *body)
{
    size_t group = 0; /* digits since the last group separator */
    bool grouped = false;
    bool in_fraction = false;
    body->n_digits = body->n_fraction = 0;
    body->exponent = 0;
    for (size_t at = 0; at < size;) {
        char c = text[at];
        if (is_digit(c)) {
            if (body->n_digits == MAX_NUMBER_SIZE)
                return false;
            body->digits[body->n_digits++] = c;
            body->n_fraction += in_fraction;
            group++;
            at++;
            continue;
        }
        if (c == mark && !in_fraction) {
            if (grouped && group != 3)
                return false;
            in_fraction = true;
            at++;
            continue;
        }
        if ((c == 'e' || c == 'E') && body->n_digits > 0)
            return (!grouped || in_fraction || group == 3) &&
                   take_exponent(text + at + 1, size - at - 1, &body->exponent);
        size_t n = c == other ? 1 : group_separator(text + at, size - at);
        if (n == 0 || in_fraction || body->n_digits == 0 || group > 3 || group == 0 || (grouped && group < 2))
            return false;
        grouped = true;
        group = 0;
        at += n;
    }
    return body->n_digits > 0 && (!grouped || in_fraction || group == 3);
}

/* mantissa / 10^scale from digits; what lies behind 18 significant digits is rounded half up. */
static enum cot_value_error make_decimal(const struct body *body, bool negative, struct cot_decimal *ret_value)
{
    size_t at = 0;
    int64_t mantissa = 0;
    while (at < body->n_digits && body->digits[at] == '0')
        at++;
    int64_t scale = (int64_t)body->n_fraction - body->exponent;
    size_t kept = 0;
    for (; at < body->n_digits && kept < MAX_DIGITS; at++, kept++)
        mantissa = mantissa * 10 + (body->digits[at] - '0');
    if (at < body->n_digits) {
        scale -= (int64_t)(body->n_digits - at);
        mantissa += body->digits[at] >= '5';
    }
    if (mantissa == 0)
        scale = 0;
    for (; scale < 0; scale++)
        if (__builtin_mul_overflow(mantissa, INT64_C(10), &mantissa))
            return COT_VALUE_TOO_LARGE;
    for (; scale > MAX_DIGITS; scale--)
        mantissa /= 10;
    *ret_value = (struct cot_decimal){.mantissa = negative ? -mantissa : mantissa, .scale = (int)scale};
    return COT_VALUE_OK;
}

/* Digits with at most one point: what programs write, and most cells. */
static bool take_simple(const char *text, size_t size, bool with_point, struct cot_decimal *ret_value)
{
    size_t at = size > 0 && text[0] == '-';
    int64_t value = 0;
    size_t n_digits = 0;
    size_t n_fraction = 0;
    bool in_fraction = false;
    if (size - at == 0 || size - at > MAX_DIGITS)
        return false;
    for (size_t i = at; i < size; i++) {
        if (is_digit(text[i])) {
            value = value * 10 + (text[i] - '0');
            n_digits++;
            n_fraction += in_fraction;
        } else if (text[i] == '.' && with_point && !in_fraction) {
            in_fraction = true;
        } else {
            return false;
        }
    }
    if (n_digits == 0)
        return false;
    *ret_value = (struct cot_decimal){.mantissa = at == 1 ? -value : value, .scale = (int)n_fraction};
    return true;
}

static enum cot_value_error not_a_number(const char *text, size_t size)
{
    static const char *const words[] = {"nan", "inf", "infinity", "1.#inf", "1.#qnan", NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], text, size) == 0)
            return COT_VALUE_NOT_FINITE;
    return COT_VALUE_NOT_NUMBER;
}

static bool same_value(const struct body *a, const struct body *b)
{
    return a->n_digits == b->n_digits && a->n_fraction == b->n_fraction && a->exponent == b->exponent;
}

enum cot_value_error cot_value_decimal(const char *text, size_t size, enum cot_decimal_mark mark,
                                       struct cot_decimal *ret_value, char *ret_currency)
{
    struct body body;
    struct body other;
    bool negative = false;
    if (ret_currency != NULL)
        ret_currency[0] = '\0';
    if (take_simple(text, size, mark == COT_DECIMAL_POINT, ret_value))
        return COT_VALUE_OK;
    cot_value_trim(&text, &size);
    if (size == 0)
        return COT_VALUE_EMPTY;
    if (!has_digit(text, size))
        return not_a_number(text, size);
    if (size > MAX_NUMBER_SIZE || !peel(&text, &size, &negative, ret_currency))
        return COT_VALUE_NOT_NUMBER;
    bool ok =
        take_body(text, size, mark == COT_DECIMAL_COMMA ? ',' : '.', mark == COT_DECIMAL_COMMA ? '.' : ',', &body);
    if (mark == COT_DECIMAL_UNKNOWN && take_body(text, size, ',', '.', &other)) {
        if (ok && !same_value(&body, &other))
            return COT_VALUE_NOT_NUMBER;
        body = other;
        ok = true;
    }
    return ok ? make_decimal(&body, negative, ret_value) : not_a_number(text, size);
}

bool cot_value_looks_number(const char *text, size_t size)
{
    struct body body;
    struct cot_decimal simple;
    bool negative = false;
    if (take_simple(text, size, true, &simple))
        return true;
    cot_value_trim(&text, &size);
    if (size == 0 || size > 64 || !has_digit(text, size) || !peel(&text, &size, &negative, NULL))
        return false;
    return take_body(text, size, '.', ',', &body) || take_body(text, size, ',', '.', &body);
}

void cot_style_observe_number(struct cot_column_style *style, const char *text, size_t size)
{
    struct body body;
    bool negative = false;
    char currency[4] = "";
    struct cot_decimal simple;
    if (cot_value_is_missing(text, size))
        return;
    style->n_cells++;
    if (take_simple(text, size, false, &simple))
        return;
    cot_value_trim(&text, &size);
    const char *whole = text;
    size_t whole_size = size;
    if (size == 0 || size > 64 || !has_digit(text, size) || !peel(&text, &size, &negative, currency))
        return;
    bool as_point = take_body(text, size, '.', ',', &body);
    bool as_comma = take_body(text, size, ',', '.', &body);
    if (!as_point && !as_comma)
        return;
    if (style->currency[0] == '\0')
        memcpy(style->currency, currency, sizeof style->currency);
    if (memchr(text, '.', size) == NULL && memchr(text, ',', size) == NULL)
        return;
    /* "0,125": no thousands begin with a nought. */
    if (as_point && as_comma && text[0] == '0') {
        as_point = memchr(text, '.', size) != NULL;
        as_comma = !as_point;
    }
    /* "$90,000": who writes the sign before the number writes decimals with a point. */
    if (as_point && as_comma && memchr(text, ',', size) != NULL && whole != text &&
        (memchr(whole, '$', (size_t)(text - whole)) != NULL || memmem(whole, (size_t)(text - whole), "£", 2) != NULL))
        as_comma = false;
    style->n_point += as_point && !as_comma;
    style->n_comma += as_comma && !as_point;
    if (as_point && as_comma && memchr(text, ',', size) != NULL) {
        /* "1.234" alone is what programs write and counts as a point unless the column has decimal commas. */
        style->n_mark_either++;
        if (style->example[0] == '\0') {
            size_t n = whole_size < sizeof style->example - 1 ? whole_size : sizeof style->example - 1;
            memcpy(style->example, whole, n);
            style->example[n] = '\0';
        }
    }
}

enum cot_decimal_mark cot_style_decimal(const struct cot_column_style *style)
{
    if (style->n_point != style->n_comma)
        return style->n_point > style->n_comma ? COT_DECIMAL_POINT : COT_DECIMAL_COMMA;
    return style->n_mark_either > 0 || style->n_point > 0 ? COT_DECIMAL_UNKNOWN : COT_DECIMAL_POINT;
}
