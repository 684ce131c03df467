/*
 * Values from the text of cells: pure parsing, exact, independent of locale.
 *
 * A number is an exact decimal (mantissa and scale), never a double on the way to money. How a column writes its
 * numbers (decimal comma or point) and dates (day or month first) is a *style* that the column's own cells decide: each
 * cell is taken as evidence, then the style is settled; a column that can't tell is refused, never guessed.
 */
#ifndef COT_DOMAIN_VALUE_H
#define COT_DOMAIN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"
#include "coterie/err.h"

/* mantissa / 10^scale. */
struct cot_decimal {
    int64_t mantissa;
    int scale; /* 0..18 */
};

double cot_decimal_double(struct cot_decimal value);

enum cot_decimal_mark { COT_DECIMAL_UNKNOWN, COT_DECIMAL_POINT, COT_DECIMAL_COMMA };
enum cot_date_order { COT_DATE_ORDER_UNKNOWN, COT_DATE_ORDER_DMY, COT_DATE_ORDER_MDY };

/* Why a cell was not understood; each with a sentence. */
#define COT_VALUE_ERRORS(X)                                                                                            \
    X(COT_VALUE_OK, "understood")                                                                                      \
    X(COT_VALUE_EMPTY, "is empty")                                                                                     \
    X(COT_VALUE_NOT_NUMBER, "is not a number")                                                                         \
    X(COT_VALUE_NOT_FINITE, "is not a finite number")                                                                  \
    X(COT_VALUE_TOO_LARGE, "is too large")                                                                             \
    X(COT_VALUE_NOT_DATE, "is not a date")                                                                             \
    X(COT_VALUE_NO_SUCH_DATE, "is a date that does not exist")                                                         \
    X(COT_VALUE_DATE_RANGE, "is a date outside the years 1970 to 2199")                                                \
    X(COT_VALUE_NOT_BOOLEAN, "is neither yes nor no")

enum cot_value_error {
#define X(code, text) code,
    COT_VALUE_ERRORS(X)
#undef X
};

const char *cot_value_error_text(enum cot_value_error error);

enum cot_date_form {
    COT_DATE_ISO,   /* 2025-01-02, 2025/1/2, 20250102, with a time, with an offset */
    COT_DATE_SLASH, /* 3/4/25, 03.04.2025, 03-04-2025 10:11: the order is the column's */
    COT_DATE_NAMED, /* 11-Feb-13, Feb 11 2013, 11 February 2013 */
    COT_DATE_EPOCH  /* seconds, milliseconds or microseconds since 1970, by size */
};

/* What a column's cells say of how it is written, and what was decided. All zero: no evidence yet. */
struct cot_column_style {
    uint64_t n_cells;          /* not empty */
    uint64_t n_dmy, n_mdy;     /* dates that only this order can read */
    uint64_t n_either;         /* dates that both read, differently */
    uint64_t n_point, n_comma; /* numbers that only this mark can read */
    uint64_t n_mark_either;    /* "1,234" */
    char example[32];          /* the first value that both read */
    enum cot_date_order date_order;
    enum cot_decimal_mark decimal;
    char currency[4]; /* a symbol or code in the cells, the first seen; "": none */
};

void cot_style_observe_date(struct cot_column_style *style, const char *text, size_t size);
void cot_style_observe_number(struct cot_column_style *style, const char *text, size_t size);

/* Decides from the evidence (majority; ties and no evidence: UNKNOWN where some value is ambiguous). */
enum cot_date_order cot_style_date_order(const struct cot_column_style *style);
enum cot_decimal_mark cot_style_decimal(const struct cot_column_style *style);

/* Optional sign, digits. */
enum cot_value_error cot_value_int(const char *text, size_t size, int64_t *ret_value);

/* "12.50", "1,234.56", "1.234,56 €", "$90,000 ", "(12.50)", "-5", "5-", "1e3", "12%"(as 12): exact. With mark UNKNOWN
 * a value that both marks read differently is NOT_NUMBER. A currency symbol or code is passed over; ret_currency (may
 * be NULL, 4 bytes) gets its ISO code, "" for none or an ambiguous symbol ("$", "kr", and the yen sign too). */
enum cot_value_error cot_value_decimal(const char *text, size_t size, enum cot_decimal_mark mark,
                                       struct cot_decimal *ret_value, char *ret_currency);

/* Dates and times as in enum cot_date_form -> UTC ms. Without an offset the wall clock is the zone's (NULL: UTC).
 * Years outside 1970..2199 are COT_VALUE_DATE_RANGE. ret_has_time (may be NULL): more than a date was given. */
enum cot_value_error cot_value_time(const char *text, size_t size, enum cot_date_order order,
                                    const struct cot_zone *zone, int64_t *ret_ms, bool *ret_has_time);

/* The civil date and time alone, any year from 1 to 9999: birth dates. */
enum cot_value_error cot_value_civil(const char *text, size_t size, enum cot_date_order order,
                                     struct cot_civil *ret_civil);

/* Whether a cell could be a date in any order, a number in any mark: for telling headers and columns apart. */
bool cot_value_looks_date(const char *text, size_t size);
bool cot_value_looks_number(const char *text, size_t size);

/* yes/no, y/n, true/false, t/f, 1/0, on/off, subscribed/unsubscribed, granted/denied, opt-in/opt-out ...,
 * case-insensitive. */
enum cot_value_error cot_value_bool(const char *text, size_t size, bool *ret_value);

/* Text that stands for no value: "", NULL, null, \N, NaN, None, N/A, NA, #N/A, - . */
bool cot_value_is_missing(const char *text, size_t size);

/* Clock time "10:11[:12[.123]]", also "10.11", "1011" and "10:11 PM" -> ms since midnight. */
enum cot_value_error cot_value_clock(const char *text, size_t size, int64_t *ret_ms);

/* Trimmed of spaces (also no-break spaces) at both ends, in place of the pointers. */
void cot_value_trim(const char **text, size_t *size);

/* Something@something.tld, at most 254 bytes; writes the trimmed, lower-cased address of *ret_size bytes to ret_text
 * (which has room for `size`). False: not an address. */
bool cot_value_email(const char *text, size_t size, char *ret_text, size_t *ret_size);

#endif
