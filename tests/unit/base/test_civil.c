#include "base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t ms = -1;
    assert_true(cot_parse_iso(text, strlen(text), &ms));
    return ms;
}

static void civil_round_trips_over_leap_years(void **state)
{
    (void)state;
    for (int64_t day = cot_days_from_civil(1896, 1, 1); day < cot_days_from_civil(2105, 1, 1); day++) {
        struct cot_civil civil;
        int64_t ms = 0;
        cot_civil_from_ms(day * COT_MS_PER_DAY + 1, &civil);
        assert_true(cot_civil_to_ms(&civil, &ms));
        assert_int_equal(ms, day * COT_MS_PER_DAY + 1);
    }
    assert_int_equal(cot_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(cot_days_from_civil(2000, 3, 1) - cot_days_from_civil(2000, 2, 28), 2);
    assert_int_equal(cot_days_from_civil(1900, 3, 1) - cot_days_from_civil(1900, 2, 28), 1);
}

static void weekdays(void **state)
{
    (void)state;
    assert_int_equal(cot_weekday(cot_days_from_civil(2026, 11, 22)), 6); /* a Sunday */
    assert_int_equal(cot_weekday(cot_days_from_civil(1969, 12, 29)), 0); /* a Monday before the epoch */
}

static void parts_that_name_no_moment_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2025-02-29",
        "2025-13-01",
        "2025-00-10",
        "2025-04-31",
        "2025-1-1",
        "2025-01-01T24:00:00",
        "2025-01-01T10:60",
        "2025-01-01X",
        "2025-01-01T10:00:00+19:00",
        "0000-01-01",
        "2025-01-01T10:00:00.",
        "",
        "20250101",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = 42;
        if (cot_parse_iso(bad[i], strlen(bad[i]), &ms))
            fail_msg("'%s' was taken as %lld", bad[i], (long long)ms);
        assert_int_equal(ms, 42);
    }
}

static void iso_offsets_and_fractions(void **state)
{
    (void)state;
    assert_int_equal(at("2025-01-02T10:11:12+09:00"), at("2025-01-02 01:11:12Z"));
    assert_int_equal(at("2025-01-02 10:11:12 +0900"), at("2025-01-02T01:11:12"));
    assert_int_equal(at("2025-01-02 10:11:12 UTC"), at("2025-01-02T10:11:12"));
    assert_int_equal(at("2025-01-02T00:00:00.25"), at("2025-01-02") + 250);
    char text[COT_TIME_TEXT_SIZE];
    cot_format_time(at("2024-02-29T23:59:59.007Z"), text, sizeof text);
    assert_string_equal(text, "2024-02-29T23:59:59.007Z");
    cot_format_date(-1, text, sizeof text);
    assert_string_equal(text, "1969-12-31");
}

static void zones_follow_their_transitions(void **state)
{
    (void)state;
    struct cot_zone *zone = NULL;
    struct cot_err err;
    assert_int_equal(cot_zone_open("Europe/London", &zone, &err), COT_OK);
    /* British Summer Time 2025: 30 March 01:00 UTC to 26 October 01:00 UTC. */
    assert_int_equal(cot_zone_local(zone, at("2025-03-30T00:59:59Z")), at("2025-03-30T00:59:59"));
    assert_int_equal(cot_zone_local(zone, at("2025-03-30T01:00:00Z")), at("2025-03-30T02:00:00"));
    assert_int_equal(cot_zone_local(zone, at("2025-10-26T00:59:59Z")), at("2025-10-26T01:59:59"));
    assert_int_equal(cot_zone_local(zone, at("2025-10-26T01:00:00Z")), at("2025-10-26T01:00:00"));
    assert_int_equal(cot_zone_utc(zone, at("2025-07-01T12:00:00")), at("2025-07-01T11:00:00Z"));
    assert_int_equal(cot_zone_utc(zone, at("2025-10-26T01:30:00")), at("2025-10-26T00:30:00Z")); /* the earlier */
    assert_int_equal(cot_zone_utc(zone, at("2025-03-30T01:30:00")), at("2025-03-30T01:30:00Z")); /* in the gap */
    cot_zone_free(zone);
    assert_int_equal(cot_zone_local(NULL, 5), 5);
}

static void unknown_zone_is_named(void **state)
{
    (void)state;
    struct cot_zone *zone = NULL;
    struct cot_err err;
    assert_int_equal(cot_zone_open("Mars/Olympus", &zone, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "Mars/Olympus"));
    assert_null(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_round_trips_over_leap_years),     cmocka_unit_test(weekdays),
        cmocka_unit_test(parts_that_name_no_moment_are_refused), cmocka_unit_test(iso_offsets_and_fractions),
        cmocka_unit_test(zones_follow_their_transitions),        cmocka_unit_test(unknown_zone_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
