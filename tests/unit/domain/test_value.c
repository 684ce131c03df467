/* Numbers, dates, booleans, e-mail from the text of cells, and the styles of columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/value.h"

/* "mantissa/10^scale", "currency mantissa/10^scale" or the name of the error. */
static const char *number(const char *text, enum cot_decimal_mark mark)
{
    static char out[64];
    struct cot_decimal value = {0};
    char currency[4];
    enum cot_value_error error = cot_value_decimal(text, strlen(text), mark, &value, currency);
    if (error != COT_VALUE_OK)
        return cot_value_error_text(error);
    snprintf(out, sizeof out, "%s%s%lld/%d", currency, currency[0] ? " " : "", (long long)value.mantissa, value.scale);
    return out;
}

static void test_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cot_decimal_mark mark;
        const char *expected;
    } cases[] = {
        {"12.50", COT_DECIMAL_POINT, "1250/2"},
        {"-12.5", COT_DECIMAL_POINT, "-125/1"},
        {"1,234.56", COT_DECIMAL_POINT, "123456/2"},
        {"1.234,56 €", COT_DECIMAL_COMMA, "EUR 123456/2"},
        {"1.234", COT_DECIMAL_COMMA, "1234/0"},
        {"1.234", COT_DECIMAL_POINT, "1234/3"},
        {"1,234", COT_DECIMAL_COMMA, "1234/3"},
        {"1,234", COT_DECIMAL_POINT, "1234/0"},
        {"1,234", COT_DECIMAL_UNKNOWN, "is not a number"}, /* two readings: never guessed */
        {"1,234.5", COT_DECIMAL_UNKNOWN, "12345/1"},
        {"1.234,5", COT_DECIMAL_UNKNOWN, "12345/1"},
        {"12,50", COT_DECIMAL_UNKNOWN, "1250/2"},
        {"$90,000 ", COT_DECIMAL_POINT, "90000/0"},
        {"(12.50)", COT_DECIMAL_POINT, "-1250/2"},
        {"-$5", COT_DECIMAL_POINT, "-5/0"},
        {"$-5", COT_DECIMAL_POINT, "-5/0"},
        {"5-", COT_DECIMAL_POINT, "-5/0"},
        {"USD 7.25", COT_DECIMAL_POINT, "USD 725/2"},
        {"7.25 chf", COT_DECIMAL_POINT, "CHF 725/2"},
        {"£3", COT_DECIMAL_POINT, "GBP 3/0"},
        {"1'234.50", COT_DECIMAL_POINT, "123450/2"},
        {"1 234,50", COT_DECIMAL_COMMA, "123450/2"},
        {"1\xc2\xa0\x32\x33\x34,5", COT_DECIMAL_COMMA, "12345/1"},
        {"12,34,567", COT_DECIMAL_POINT, "1234567/0"}, /* India */
        {"\xe2\x88\x92\x35", COT_DECIMAL_POINT, "-5/0"},
        {".5", COT_DECIMAL_POINT, "5/1"},
        {"5.", COT_DECIMAL_POINT, "5/0"},
        {"12%", COT_DECIMAL_POINT, "12/0"},
        {"1e3", COT_DECIMAL_POINT, "1000/0"},
        {"1.5e-05", COT_DECIMAL_POINT, "15/6"},
        {"0.1000000000000000055511151231257827", COT_DECIMAL_POINT, "100000000000000006/18"},
        {"1e308", COT_DECIMAL_POINT, "is too large"},
        {"99999999999999999999", COT_DECIMAL_POINT, "is too large"},
        {"1e-400", COT_DECIMAL_POINT, "0/18"},
        {"nan", COT_DECIMAL_POINT, "is not a finite number"},
        {"-Infinity", COT_DECIMAL_POINT, "is not a number"},
        {"inf", COT_DECIMAL_POINT, "is not a finite number"},
        {"", COT_DECIMAL_POINT, "is empty"},
        {"1,23,4", COT_DECIMAL_POINT, "is not a number"},
        {"1.2.3", COT_DECIMAL_POINT, "is not a number"},
        {"12.50", COT_DECIMAL_COMMA, "is not a number"},
        {"0x10", COT_DECIMAL_POINT, "is not a number"},
        {"65+", COT_DECIMAL_POINT, "is not a number"},
        {"--5", COT_DECIMAL_POINT, "is not a number"},
        {"$", COT_DECIMAL_POINT, "is not a number"},
        {"twelve", COT_DECIMAL_POINT, "is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = number(cases[i].text, cases[i].mark);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("'%s' gives %s, not %s", cases[i].text, got, cases[i].expected);
    }
}

static const char *moment(const char *text, enum cot_date_order order, const struct cot_zone *zone)
{
    static char out[64];
    int64_t ms = 0;
    enum cot_value_error error = cot_value_time(text, strlen(text), order, zone, &ms, NULL);
    if (error != COT_VALUE_OK)
        return cot_value_error_text(error);
    cot_format_time(ms, out, sizeof out);
    return out;
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cot_date_order order;
        const char *expected;
    } cases[] = {
        {"2025-01-02", 0, "2025-01-02T00:00:00Z"},
        {"2025-01-02 10:11:12 +0900", 0, "2025-01-02T01:11:12Z"},
        {"2025-01-02T10:11:12.345-05:30", 0, "2025-01-02T15:41:12.345Z"},
        {"2025-01-02T10:11Z", 0, "2025-01-02T10:11:00Z"},
        {"2025/1/2", 0, "2025-01-02T00:00:00Z"},
        {"20250102", 0, "2025-01-02T00:00:00Z"},
        {"20250102101112", 0, "2025-01-02T10:11:12Z"},
        {"11-Feb-13", 0, "2013-02-11T00:00:00Z"},
        {"11 February 2013 10:11", 0, "2013-02-11T10:11:00Z"},
        {"Feb 11, 2013 3:05 PM", 0, "2013-02-11T15:05:00Z"},
        {"Mon, 11 Feb 2013 10:11:12 GMT", 0, "2013-02-11T10:11:12Z"},
        {"3/4/25", COT_DATE_ORDER_DMY, "2025-04-03T00:00:00Z"},
        {"3/4/25", COT_DATE_ORDER_MDY, "2025-03-04T00:00:00Z"},
        {"3/4/25", COT_DATE_ORDER_UNKNOWN, "is not a date"},
        {"13/4/25", COT_DATE_ORDER_UNKNOWN, "2025-04-13T00:00:00Z"},
        {"4/13/2025 0:05", COT_DATE_ORDER_UNKNOWN, "2025-04-13T00:05:00Z"},
        {"03.04.99", COT_DATE_ORDER_DMY, "1999-04-03T00:00:00Z"},
        {"13/4/25", COT_DATE_ORDER_MDY, "is a date that does not exist"},
        {"1/2/2025 12:30 AM", COT_DATE_ORDER_MDY, "2025-01-02T00:30:00Z"},
        {"1485612413", 0, "2017-01-28T14:06:53Z"},
        {"1485612413.5", 0, "2017-01-28T14:06:53.500Z"},
        {"1485612413123", 0, "2017-01-28T14:06:53.123Z"},
        {"1485612413123456", 0, "2017-01-28T14:06:53.123Z"},
        {"2025-02-30", 0, "is a date that does not exist"},
        {"2025-01-02 25:00", 0, "is a date that does not exist"},
        {"0000-01-01", 0, "is a date outside the years 1970 to 2199"},
        {"9999-12-31", 0, "is a date outside the years 1970 to 2199"},
        {"1969-12-31", 0, "is a date outside the years 1970 to 2199"},
        {"2199-12-31", 0, "2199-12-31T00:00:00Z"},
        {"2200-01-01", 0, "is a date outside the years 1970 to 2199"},
        {"99999999999999999999", 0, "is not a date"},
        {"2025-01-02 10:11:12 Mars/Time", 0, "is not a date"},
        {"yesterday", 0, "is not a date"},
        {"12", 0, "is not a date"},
        {"", 0, "is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = moment(cases[i].text, cases[i].order, NULL);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("'%s' gives %s, not %s", cases[i].text, got, cases[i].expected);
    }
}

static void test_zone(void **state)
{
    (void)state;
    struct cot_zone *zone = NULL;
    struct cot_err err;
    assert_int_equal(cot_zone_open("America/New_York", &zone, &err), COT_OK);
    assert_string_equal(moment("2017-01-28 14:06:53", 0, zone), "2017-01-28T19:06:53Z");
    assert_string_equal(moment("2017-07-28 14:06:53", 0, zone), "2017-07-28T18:06:53Z");
    assert_string_equal(moment("2017-07-28T14:06:53Z", 0, zone), "2017-07-28T14:06:53Z");
    cot_zone_free(zone);
}

static enum cot_date_order order_of(const char *const *cells)
{
    struct cot_column_style style = {0};
    for (; *cells != NULL; cells++)
        cot_style_observe_date(&style, *cells, strlen(*cells));
    return cot_style_date_order(&style);
}

static void test_date_styles(void **state)
{
    (void)state;
    assert_int_equal(order_of((const char *const[]){"01/02/2017", "9/21/2001", NULL}), COT_DATE_ORDER_MDY);
    assert_int_equal(order_of((const char *const[]){"01/02/2017", "21/9/2001 10:00", NULL}), COT_DATE_ORDER_DMY);
    assert_int_equal(order_of((const char *const[]){"01/02/2017", "11/12/2001", NULL}), COT_DATE_ORDER_UNKNOWN);
    assert_int_equal(order_of((const char *const[]){"01/13/2017", "13/01/2001", NULL}), COT_DATE_ORDER_UNKNOWN);
    /* Some of both kinds is a column of both kinds; one in many is a slip. */
    assert_int_equal(order_of((const char *const[]){"01/13/2017", "01/14/2017", "13/01/2001", NULL}),
                     COT_DATE_ORDER_UNKNOWN);
    struct cot_column_style style = {.n_mdy = 100, .n_dmy = 3};
    assert_int_equal(cot_style_date_order(&style), COT_DATE_ORDER_MDY);
    style = (struct cot_column_style){0};
    cot_style_observe_date(&style, "2017-01-02", 10);
    cot_style_observe_date(&style, "05/05/2017", 10); /* the same either way */
    assert_int_equal(style.n_either, 0);
    cot_style_observe_date(&style, "05/06/2017", 10);
    assert_int_equal(style.n_either, 1);
    assert_string_equal(style.example, "05/06/2017");
}

static enum cot_decimal_mark mark_of(const char *const *cells)
{
    struct cot_column_style style = {0};
    for (; *cells != NULL; cells++)
        cot_style_observe_number(&style, *cells, strlen(*cells));
    return cot_style_decimal(&style);
}

static void test_number_styles(void **state)
{
    (void)state;
    assert_int_equal(mark_of((const char *const[]){"1,234", "7.50", NULL}), COT_DECIMAL_POINT);
    assert_int_equal(mark_of((const char *const[]){"1,234", "7,50", NULL}), COT_DECIMAL_COMMA);
    assert_int_equal(mark_of((const char *const[]){"1,234", "567", NULL}), COT_DECIMAL_UNKNOWN);
    assert_int_equal(mark_of((const char *const[]){"1.234", "567", NULL}), COT_DECIMAL_POINT);
    assert_int_equal(mark_of((const char *const[]){"1.234", "0,5", NULL}), COT_DECIMAL_COMMA);
    assert_int_equal(mark_of((const char *const[]){"0,125", NULL}), COT_DECIMAL_COMMA);
    assert_int_equal(mark_of((const char *const[]){"1,234,567", NULL}), COT_DECIMAL_POINT);
    assert_int_equal(mark_of((const char *const[]){"$90,000 ", "$60,000 ", NULL}), COT_DECIMAL_POINT);
    assert_int_equal(mark_of((const char *const[]){"5", "6", NULL}), COT_DECIMAL_POINT);
    assert_int_equal(mark_of((const char *const[]){"Hello, world", "N/A", NULL}), COT_DECIMAL_POINT);
}

static void test_booleans(void **state)
{
    (void)state;
    bool value = false;
    assert_int_equal(cot_value_bool(" Yes ", 5, &value), COT_VALUE_OK);
    assert_true(value);
    assert_int_equal(cot_value_bool("unsubscribed", 12, &value), COT_VALUE_OK);
    assert_false(value);
    assert_int_equal(cot_value_bool("maybe", 5, &value), COT_VALUE_NOT_BOOLEAN);
    assert_int_equal(cot_value_bool("  ", 2, &value), COT_VALUE_EMPTY);
}

static void test_email(void **state)
{
    (void)state;
    char email[256];
    size_t size = 0;
    assert_true(cot_value_email("  Ann.B+x@Example.ORG ", 22, email, &size));
    assert_memory_equal(email, "ann.b+x@example.org", size);
    static const char *const bad[] = {"", "ann", "@x.org", "ann@org", "a b@x.org", "a@b@c.org", "a@x.", "a@.org"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cot_value_email(bad[i], strlen(bad[i]), email, &size))
            fail_msg("'%s' passes for an address", bad[i]);
}

static void test_missing(void **state)
{
    (void)state;
    static const char *const missing[] = {"", "NULL", "null", "\\N", "NaN", "N/A", "#N/A", "-", " ", "<NA>", "None"};
    static const char *const there[] = {"0", "-5", "north", "NO", "no", "n", "nanny", "x"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        if (!cot_value_is_missing(missing[i], strlen(missing[i])))
            fail_msg("'%s' is nothing", missing[i]);
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        if (cot_value_is_missing(there[i], strlen(there[i])))
            fail_msg("'%s' is something", there[i]);
}

static void test_clock(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_int_equal(cot_value_clock("10:11:12", 8, &ms), COT_VALUE_OK);
    assert_int_equal(ms, 36672000);
    assert_int_equal(cot_value_clock("1011", 4, &ms), COT_VALUE_OK);
    assert_int_equal(ms, 36660000);
    assert_int_equal(cot_value_clock("9.05", 4, &ms), COT_VALUE_OK);
    assert_int_equal(ms, 32700000);
    assert_int_equal(cot_value_clock("10:11 PM", 8, &ms), COT_VALUE_OK);
    assert_int_equal(ms, 79860000);
    assert_int_equal(cot_value_clock("25:00", 5, &ms), COT_VALUE_NO_SUCH_DATE);
    assert_int_equal(cot_value_clock("noon", 4, &ms), COT_VALUE_NOT_DATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals),    cmocka_unit_test(test_times),         cmocka_unit_test(test_zone),
        cmocka_unit_test(test_date_styles), cmocka_unit_test(test_number_styles), cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_email),       cmocka_unit_test(test_missing),       cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
