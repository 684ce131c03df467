/* Dates and times as people and programs write them (see value.h). */
#include <string.h>
#include <strings.h>

#include "domain/event.h"
#include "domain/value.h"

enum { FIRST_YEAR = 1970, LAST_YEAR = 2199, MAX_TIME_SIZE = 64 };

/* A date and time taken apart. */
struct parts {
    struct cot_civil civil;
    bool has_time;
    bool has_offset;
    int64_t offset_ms;
    bool is_epoch;
    int64_t epoch_ms;
};

/* Text being read. */
struct text {
    const char *at;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(const struct text *t)
{
    size_t n = 0;
    while (t->at + n < t->end && is_digit(t->at[n]))
        n++;
    return n;
}

static int take_number(struct text *t, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (*t->at++ - '0');
    return value;
}

static bool take_byte(struct text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static void skip_spaces(struct text *t)
{
    while (t->at < t->end && *t->at == ' ')
        t->at++;
}

static bool take_word(struct text *t, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(t->end - t->at) < n || strncasecmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

/* 70..99: 1900s, 00..69: 2000s; POSIX splits at 69, but a shop has no 1969. */
static int full_year(int year, size_t n_digits)
{
    return n_digits > 2 ? year : year >= 70 ? year + 1900 : year + 2000;
}

static bool take_month_name(struct text *t, int *ret_month)
{
    static const char *const names[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
    for (int i = 0; i < 12; i++) {
        if ((size_t)(t->end - t->at) < 3 || strncasecmp(t->at, names[i], 3) != 0)
            continue;
        struct text rest = *t;
        if (!take_word(&rest, names[i]) && !(i == 8 && take_word(&rest, "sept")))
            rest.at += 3;
        take_byte(&rest, '.');
        if (rest.at < rest.end && ((*rest.at | 0x20) >= 'a' && (*rest.at | 0x20) <= 'z') && *rest.at != 'T')
            return false; /* "Mayor" */
        *ret_month = i + 1;
        *t = rest;
        return true;
    }
    return false;
}

static void skip_weekday(struct text *t)
{
    static const char *const names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    for (int i = 0; i < 7; i++) {
        if ((size_t)(t->end - t->at) < 3 || strncasecmp(t->at, names[i], 3) != 0)
            continue;
        if (!take_word(t, names[i]))
            t->at += 3;
        take_byte(t, ',');
        skip_spaces(t);
        return;
    }
}

static bool take_offset(struct text *t, struct parts *parts)
{
    skip_spaces(t);
    if (t->at == t->end)
        return true;
    parts->has_offset = true;
    if (take_word(t, "Z") || take_word(t, "UTC") || take_word(t, "GMT"))
        if (t->at == t->end)
            return true;
    bool negative = t->at < t->end && *t->at == '-';
    if (!negative && (t->at == t->end || *t->at != '+'))
        return false;
    t->at++;
    size_t n = count_digits(t);
    if (n < 1 || (n > 2 && n != 4))
        return false;
    int hours = take_number(t, n == 4 ? 2 : n);
    int minutes = n == 4 ? take_number(t, 2) : 0;
    if (n != 4 && take_byte(t, ':')) {
        if (count_digits(t) != 2)
            return false;
        minutes = take_number(t, 2);
    }
    if (hours > 18 || minutes > 59 || t->at != t->end)
        return false;
    parts->offset_ms = (negative ? -1 : 1) * (hours * COT_MS_PER_HOUR + minutes * INT64_C(60000));
    return true;
}

static void take_fraction(struct text *t, struct cot_civil *civil)
{
    int scale = 100;
    if (t->at + 1 >= t->end || (*t->at != '.' && *t->at != ',') || !is_digit(t->at[1]))
        return;
    t->at++;
    for (; t->at < t->end && is_digit(*t->at); t->at++, scale /= 10)
        civil->millisecond += (*t->at - '0') * scale;
}

static bool take_half(struct text *t, struct cot_civil *civil)
{
    struct text rest = *t;
    skip_spaces(&rest);
    bool pm = take_word(&rest, "pm") || take_word(&rest, "p.m.");
    if (!pm && !take_word(&rest, "am") && !take_word(&rest, "a.m."))
        return true;
    if (civil->hour < 1 || civil->hour > 12)
        return false;
    civil->hour = civil->hour % 12 + (pm ? 12 : 0);
    *t = rest;
    return true;
}

static bool take_clock(struct text *t, struct parts *parts)
{
    struct cot_civil *civil = &parts->civil;
    size_t n = count_digits(t);
    if (n < 1 || n > 2)
        return false;
    civil->hour = take_number(t, n);
    if (!take_byte(t, ':') || count_digits(t) != 2)
        return false;
    civil->minute = take_number(t, 2);
    if (take_byte(t, ':')) {
        if (count_digits(t) != 2)
            return false;
        civil->second = take_number(t, 2);
        take_fraction(t, civil);
    }
    parts->has_time = true;
    return take_half(t, civil) && take_offset(t, parts);
}

/* Behind the date: nothing, or a clock and an offset. */
static bool take_rest(struct text *t, struct parts *parts)
{
    if (t->at == t->end)
        return true;
    if (*t->at == 'T' || *t->at == 't' || *t->at == '_' || *t->at == ':') {
        t->at++;
    } else {
        const char *before = t->at;
        take_byte(t, ',');
        skip_spaces(t);
        if (take_word(t, "at "))
            skip_spaces(t);
        if (t->at == before)
            return *t->at == 'Z' && take_offset(t, parts);
    }
    return take_clock(t, parts);
}

/* 8, 12 or 14 digits that are a date of this range. */
static bool take_packed(struct text *t, size_t n, struct parts *parts)
{
    struct text copy = *t;
    struct cot_civil civil = {0};
    int64_t ms = 0;
    if (n != 8 && n != 12 && n != 14)
        return false;
    civil.year = take_number(&copy, 4);
    civil.month = take_number(&copy, 2);
    civil.day = take_number(&copy, 2);
    if (n > 8) {
        civil.hour = take_number(&copy, 2);
        civil.minute = take_number(&copy, 2);
        civil.second = n == 14 ? take_number(&copy, 2) : 0;
    }
    if (n > 8 && (civil.year < FIRST_YEAR || civil.year > LAST_YEAR || !cot_civil_to_ms(&civil, &ms)))
        return false;
    parts->civil = civil;
    parts->has_time = n > 8;
    *t = copy;
    return true;
}

static enum cot_value_error take_epoch(struct text *t, size_t n, struct parts *parts)
{
    int64_t value = 0;
    int fraction_ms = 0;
    int scale = 100;
    if (n < 9 || n > 19)
        return COT_VALUE_NOT_DATE;
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(value, INT64_C(10), &value) || __builtin_add_overflow(value, *t->at++ - '0', &value))
            return COT_VALUE_DATE_RANGE;
    if (take_byte(t, '.'))
        for (; t->at < t->end && is_digit(*t->at); t->at++, scale /= 10)
            fraction_ms += (*t->at - '0') * scale;
    if (t->at != t->end)
        return COT_VALUE_NOT_DATE;
    /* By size: the range 1970..2199 in seconds has at most 10 digits, in ms 13, in us 16. */
    parts->is_epoch = parts->has_time = true;
    parts->epoch_ms = n <= 10 ? value * 1000 + fraction_ms : n <= 13 ? value : n <= 16 ? value / 1000 : value / 1000000;
    return COT_VALUE_OK;
}

/* 3/4/25: the order decides; a part above 12 decides where the order is unknown. */
static enum cot_value_error take_slashed(struct text *t, size_t n, enum cot_date_order order, struct parts *parts)
{
    int first = take_number(t, n);
    char separator = *t->at++;
    size_t n_second = count_digits(t);
    if (n_second < 1 || n_second > 2)
        return COT_VALUE_NOT_DATE;
    int second = take_number(t, n_second);
    if (!take_byte(t, separator))
        return COT_VALUE_NOT_DATE;
    size_t n_year = count_digits(t);
    if (n_year != 2 && n_year != 4)
        return COT_VALUE_NOT_DATE;
    parts->civil.year = full_year(take_number(t, n_year), n_year);
    if (order == COT_DATE_ORDER_UNKNOWN && first != second) {
        if ((first > 12) == (second > 12))
            return first > 12 ? COT_VALUE_NO_SUCH_DATE : COT_VALUE_NOT_DATE;
        order = first > 12 ? COT_DATE_ORDER_DMY : COT_DATE_ORDER_MDY;
    }
    parts->civil.day = order == COT_DATE_ORDER_MDY ? second : first;
    parts->civil.month = order == COT_DATE_ORDER_MDY ? first : second;
    return COT_VALUE_OK;
}

static void skip_separator(struct text *t)
{
    while (t->at < t->end && (*t->at == '-' || *t->at == '/' || *t->at == ' ' || *t->at == ',' || *t->at == '.'))
        t->at++;
}

static bool take_year(struct text *t, struct parts *parts)
{
    size_t n = count_digits(t);
    if (n != 2 && n != 4)
        return false;
    parts->civil.year = full_year(take_number(t, n), n);
    return true;
}

/* 11-Feb-13, 11 February 2013 */
static bool take_day_name(struct text *t, size_t n, struct parts *parts)
{
    parts->civil.day = take_number(t, n);
    if (take_word(t, "st") || take_word(t, "nd") || take_word(t, "rd") || take_word(t, "th")) {
        /* an English ordinal */
    }
    skip_separator(t);
    if (!take_month_name(t, &parts->civil.month))
        return false;
    skip_separator(t);
    return take_year(t, parts);
}

/* Feb 11, 2013; Feb 11 10:11:12 2013 is not read */
static bool take_name_day(struct text *t, struct parts *parts)
{
    if (!take_month_name(t, &parts->civil.month))
        return false;
    skip_separator(t);
    size_t n = count_digits(t);
    if (n < 1 || n > 2)
        return false;
    parts->civil.day = take_number(t, n);
    if (take_word(t, "st") || take_word(t, "nd") || take_word(t, "rd") || take_word(t, "th")) {
        /* an English ordinal */
    }
    skip_separator(t);
    return take_year(t, parts);
}

/* 2025-01-02, 2025/1/2, 2025.01.02 */
static bool take_year_first(struct text *t, struct parts *parts)
{
    parts->civil.year = take_number(t, 4);
    char separator = *t->at++;
    size_t n = count_digits(t);
    if (n < 1 || n > 2) {
        return n == 0 && take_month_name(t, &parts->civil.month) && take_byte(t, separator) &&
               (n = count_digits(t)) >= 1 && n <= 2 && (parts->civil.day = take_number(t, n)) > 0;
    }
    parts->civil.month = take_number(t, n);
    if (!take_byte(t, separator))
        return false;
    n = count_digits(t);
    if (n < 1 || n > 2)
        return false;
    parts->civil.day = take_number(t, n);
    return true;
}

static enum cot_value_error take_parts(const char *text, size_t size, enum cot_date_order order, struct parts *parts)
{
    *parts = (struct parts){0};
    cot_value_trim(&text, &size);
    if (size == 0)
        return COT_VALUE_EMPTY;
    if (size > MAX_TIME_SIZE)
        return COT_VALUE_NOT_DATE;
    struct text t = {.at = text, .end = text + size};
    skip_weekday(&t);
    size_t n = count_digits(&t);
    bool at_end = t.at + n == t.end;
    char next = at_end ? '\0' : t.at[n];
    bool is_separator = next == '-' || next == '/' || next == '.';
    if (n == 0)
        return take_name_day(&t, parts) && take_rest(&t, parts) ? COT_VALUE_OK : COT_VALUE_NOT_DATE;
    if (n >= 8) {
        if (take_packed(&t, n, parts))
            return take_rest(&t, parts) ? COT_VALUE_OK : COT_VALUE_NOT_DATE;
        return at_end || next == '.' ? take_epoch(&t, n, parts) : COT_VALUE_NOT_DATE;
    }
    if (n == 4 && is_separator)
        return take_year_first(&t, parts) && take_rest(&t, parts) ? COT_VALUE_OK : COT_VALUE_NOT_DATE;
    if (n > 2)
        return COT_VALUE_NOT_DATE;
    if (is_separator && t.at + n + 1 < t.end && is_digit(t.at[n + 1])) {
        enum cot_value_error error = take_slashed(&t, n, order, parts);
        if (error != COT_VALUE_OK)
            return error;
        return take_rest(&t, parts) ? COT_VALUE_OK : COT_VALUE_NOT_DATE;
    }
    return take_day_name(&t, n, parts) && take_rest(&t, parts) ? COT_VALUE_OK : COT_VALUE_NOT_DATE;
}

enum cot_value_error cot_value_time(const char *text, size_t size, enum cot_date_order order,
                                    const struct cot_zone *zone, int64_t *ret_ms, bool *ret_has_time)
{
    struct parts parts;
    enum cot_value_error error = take_parts(text, size, order, &parts);
    int64_t ms = parts.epoch_ms;
    if (error != COT_VALUE_OK)
        return error;
    if (!parts.is_epoch) {
        if (parts.civil.year < FIRST_YEAR || parts.civil.year > LAST_YEAR)
            return COT_VALUE_DATE_RANGE;
        if (!cot_civil_to_ms(&parts.civil, &ms))
            return COT_VALUE_NO_SUCH_DATE;
        ms = parts.has_offset ? ms - parts.offset_ms : cot_zone_utc(zone, ms);
    }
    if (ms < COT_EVENT_MIN_MS || ms >= COT_EVENT_MAX_MS)
        return COT_VALUE_DATE_RANGE;
    *ret_ms = ms;
    if (ret_has_time != NULL)
        *ret_has_time = parts.has_time;
    return COT_VALUE_OK;
}

enum cot_value_error cot_value_civil(const char *text, size_t size, enum cot_date_order order,
                                     struct cot_civil *ret_civil)
{
    struct parts parts;
    int64_t ms = 0;
    enum cot_value_error error = take_parts(text, size, order, &parts);
    if (error != COT_VALUE_OK)
        return error;
    if (parts.is_epoch)
        return COT_VALUE_NOT_DATE;
    if (!cot_civil_to_ms(&parts.civil, &ms))
        return COT_VALUE_NO_SUCH_DATE;
    *ret_civil = parts.civil;
    return COT_VALUE_OK;
}

bool cot_value_looks_date(const char *text, size_t size)
{
    struct parts parts;
    int64_t ms = 0;
    enum cot_value_error error = take_parts(text, size, COT_DATE_ORDER_DMY, &parts);
    if (error == COT_VALUE_OK && !parts.is_epoch && !cot_civil_to_ms(&parts.civil, &ms))
        error = take_parts(text, size, COT_DATE_ORDER_MDY, &parts);
    return error == COT_VALUE_OK && (parts.is_epoch || cot_civil_to_ms(&parts.civil, &ms));
}

enum cot_value_error cot_value_clock(const char *text, size_t size, int64_t *ret_ms)
{
    struct parts parts = {.civil = {.year = 1970, .month = 1, .day = 1}};
    int64_t ms = 0;
    char colon[8];
    cot_value_trim(&text, &size);
    struct text t = {.at = text, .end = text + size};
    size_t n = count_digits(&t);
    if (size == 0)
        return COT_VALUE_EMPTY;
    if (n == size && (n == 3 || n == 4)) { /* 1011 */
        colon[0] = n == 4 ? text[0] : '0';
        colon[1] = text[n - 3];
        colon[2] = ':';
        colon[3] = text[n - 2];
        colon[4] = text[n - 1];
        t = (struct text){.at = colon, .end = colon + 5};
    } else if (n <= 2 && size == n + 3 && text[n] == '.') { /* 10.11 */
        memcpy(colon, text, size);
        colon[n] = ':';
        t = (struct text){.at = colon, .end = colon + size};
    }
    if (!take_clock(&t, &parts) || parts.has_offset)
        return COT_VALUE_NOT_DATE;
    if (!cot_civil_to_ms(&parts.civil, &ms))
        return COT_VALUE_NO_SUCH_DATE;
    *ret_ms = ms;
    return COT_VALUE_OK;
}

void cot_style_observe_date(struct cot_column_style *style, const char *text, size_t size)
{
    struct parts dmy;
    struct parts mdy;
    int64_t ms = 0;
    if (cot_value_is_missing(text, size))
        return;
    style->n_cells++;
    cot_value_trim(&text, &size);
    /* Only 3/4/25 and its like depend on the order. */
    if (size < 6 || !is_digit(text[0]) || (is_digit(text[1]) && is_digit(text[2])))
        return;
    bool as_dmy = take_parts(text, size, COT_DATE_ORDER_DMY, &dmy) == COT_VALUE_OK && cot_civil_to_ms(&dmy.civil, &ms);
    bool as_mdy = take_parts(text, size, COT_DATE_ORDER_MDY, &mdy) == COT_VALUE_OK && cot_civil_to_ms(&mdy.civil, &ms);
    style->n_dmy += as_dmy && !as_mdy;
    style->n_mdy += as_mdy && !as_dmy;
    if (as_dmy && as_mdy && dmy.civil.month != mdy.civil.month) {
        style->n_either++;
        if (style->example[0] == '\0') {
            size_t n = size < sizeof style->example - 1 ? size : sizeof style->example - 1;
            memcpy(style->example, text, n);
            style->example[n] = '\0';
        }
    }
}

enum cot_date_order cot_style_date_order(const struct cot_column_style *style)
{
    /* A few are slips of the hand; where more speak against it, both kinds are in the column. */
    enum { SLIPS = 20 };
    uint64_t fewer = style->n_dmy < style->n_mdy ? style->n_dmy : style->n_mdy;
    if (fewer * SLIPS < style->n_dmy + style->n_mdy)
        return style->n_dmy > style->n_mdy ? COT_DATE_ORDER_DMY : COT_DATE_ORDER_MDY;
    return COT_DATE_ORDER_UNKNOWN;
}
