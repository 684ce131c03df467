/* Segment files: what is in them, and where they are wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/segment_file.h"

#define HEAD "segment \"big\"\nrule did(order_line)\n"
#define TEST HEAD "test \"t\" at 2026-01-31 "

static struct cot_segment_file *parse(const char *text)
{
    struct cot_err err = {0};
    struct cot_segment_file *file = NULL;
    if (cot_segment_file_parse(text, strlen(text), &file, NULL, &err) != COT_OK)
        fail_msg("%s: %s", text, err.message);
    return file;
}

static int64_t ms(const char *text)
{
    int64_t value = 0;
    assert_true(cot_parse_iso(text, strlen(text), &value));
    return value;
}

static void expect_text(struct cot_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void holds_all_that_it_says(void **state)
{
    (void)state;
    static const char text[] =
        "# the spring mailing\n"
        "segment \"big spenders\"\n"
        "description \"those who \\\"spend\\\"\"\n"
        "zone \"Europe/London\"\n"
        "rule\n"
        "  sum(order_line.amount) within 30 days > 200 # a test of comments\n"
        "  and (trait \"test\" = \"x\" or segment \"subscribers\")\n"
        "test \"two\"\n"
        "  at 2026-07-31 12:00\n"
        "  given order_line 3 days ago item \"p1\" category \"Shoes\" amount 150.5 quantity 2 discount 5 order \"o1\"\n"
        "  given \"Video Played\" 2026-07-01 00:30:15 channel \"App\" property \"length\" = 12 property \"hd\" = true\n"
        "  given refund 1 hour later amount 20\n"
        "  given trait \"test\" = \"x\"\n"
        "  given segment \"subscribers\"\n"
        "  expect member\n"
        "  expect not member 2 weeks later\n"
        "test \"nothing\" at 2026-01-31 expect not member\n";
    struct cot_segment_file *file = parse(text);
    assert_string_equal(cot_segment_file_text(file), text);
    assert_string_equal(cot_segment_file_name(file), "big spenders");
    assert_string_equal(cot_segment_file_description(file), "those who \"spend\"");
    assert_string_equal(cot_segment_file_zone(file), "Europe/London");
    assert_string_equal(cot_segment_rule_text(cot_segment_file_rule(file)),
                        "sum(order_line.amount) within 30 days > 200 # a test of comments\n"
                        "  and (trait \"test\" = \"x\" or segment \"subscribers\")");

    const struct cot_segment_test *test = cot_segment_file_tests(file);
    expect_text(test->name, "two");
    assert_int_equal(test->at_ms, ms("2026-07-31T11:00:00Z")); /* in summer London is an hour ahead */
    const struct cot_given_event *event = test->events;
    assert_int_equal(event->kind, COT_EVENT_ORDER_LINE);
    assert_int_equal(event->at_ms, ms("2026-07-28T11:00:00Z"));
    expect_text(event->item, "p1");
    expect_text(event->category, "Shoes");
    expect_text(event->order, "o1");
    assert_null(event->brand.data);
    assert_true(event->amount == 150.5 && event->quantity == 2 && event->discount == 5);
    event = event->next;
    expect_text(event->name, "Video Played");
    assert_int_equal(event->at_ms, ms("2026-06-30T23:30:15Z"));
    assert_int_equal(event->channel, COT_CHANNEL_APP);
    assert_true(isnan(event->amount));
    expect_text(event->properties->key, "length");
    assert_true(event->properties->value.number == 12);
    expect_text(event->properties->next->key, "hd");
    assert_null(event->properties->next->next);
    event = event->next;
    assert_int_equal(event->kind, COT_EVENT_REFUND);
    assert_int_equal(event->at_ms, ms("2026-07-31T12:00:00Z"));
    assert_null(event->next);
    expect_text(test->traits->key, "test");
    expect_text(test->segments->name, "subscribers");
    const struct cot_segment_expectation *expectation = test->expectations;
    assert_true(expectation->member && expectation->at_ms == test->at_ms && expectation->line == 15);
    expectation = expectation->next;
    assert_false(expectation->member);
    assert_int_equal(expectation->at_ms - test->at_ms, 14 * COT_MS_PER_DAY);
    assert_null(expectation->next);
    test = test->next;
    assert_int_equal(test->at_ms, ms("2026-01-31"));
    assert_true(test->events == NULL && test->traits == NULL && test->segments == NULL && test->next == NULL);
    cot_segment_file_free(file);

    file = parse(HEAD);
    assert_null(cot_segment_file_tests(file));
    assert_string_equal(cot_segment_file_description(file), "");
    assert_string_equal(cot_segment_file_zone(file), "UTC");
    cot_segment_file_free(file);
}

static void says_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, column;
        const char *words;
    } wrong[] = {
        {"", 1, 1, "'segment'"},
        {"did(any)", 1, 1, "'segment'"},
        {"segment big", 1, 9, "in quotes"},
        {"segment \"\" rule did(any)", 1, 9, "1 to 100 bytes"},
        {"segment \"a\"", 1, 12, "the file ends where 'rule'"},
        {"segment \"a\" zone \"Mars/Base\" rule did(any)", 1, 18, "Mars/Base"},
        {"segment \"a\"\nrule\n\n  did(sale)", 4, 7, "a kind of event"},
        {"segment \"a\"\nrule did(any) and\ntest \"t\" at 2026-01-31 expect member", 2, 18, "the rule ends where"},
        {"segment \"a\" rule", 1, 17, "the rule ends where"},
        {"segment \"a\" rule trait \"b", 1, 24, "'\"b'"},
        {"segment \"a\"\nrule not segment \"a\"", 2, 6, "its own segment"},
        {HEAD "test at 2026-01-31", 3, 6, "the test's name"},
        {HEAD "test \"t\" given", 3, 10, "'at'"},
        {HEAD "test \"t\" at noon", 3, 13, "a date"},
        {HEAD "test \"t\" at 1969-12-31 expect member", 3, 13, "before 1970"},
        {TEST "12:60 expect member", 3, 24, "no time of the day"},
        {TEST "", 3, 24, "'given' or 'expect'"},
        {TEST "given order_line 3 days ago", 3, 30, "amount"},
        {TEST "given cart_add 3 days ago amount 5", 3, 30, "only order_line and refund"},
        {TEST "given order_line 3 days ago amount 5 quantity 0", 3, 30, "quantity"},
        {TEST "given cart_add 3 days", 3, 45, "'ago' or 'later'"},
        {TEST "given cart_add yesterday", 3, 39, "when it happened"},
        {TEST "given any 1 day ago", 3, 30, "a kind of event"},
        {TEST "given cart_add 1 day ago channel \"pigeon\"", 3, 57, "no channel"},
        {TEST "given cart_add 99 weeks ago property \"a\" 5", 3, 65, "'='"},
        {TEST "given cart_add 3000 weeks ago", 3, 39, "before 1970"},
        {TEST "given segment \"b\"", 3, 38, "does not ask for segment \"b\""},
        {TEST "expect maybe", 3, 31, "'member' or 'not member'"},
        {TEST "expect member 2 days ago", 3, 45, "'later'"},
        {TEST "expect member 2 days later expect member", 3, 51, "in order of time"},
        {TEST "expect member given trait \"a\" = 1", 3, 38, "'test' or the end"},
        {"segment \"a\xff\"", 1, 11, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cot_err err = {0};
        struct cot_rule_place place = {0};
        struct cot_segment_file *file = NULL;
        cot_code rc = cot_segment_file_parse(wrong[i].text, strlen(wrong[i].text), &file, &place, &err);
        if (rc != COT_BAD_DATA || place.line != wrong[i].line || place.column != wrong[i].column ||
            strstr(err.message, wrong[i].words) == NULL)
            fail_msg("%s: %d, line %u, column %u: %s", wrong[i].text, rc, place.line, place.column, err.message);
        char said[64];
        snprintf(said, sizeof said, "line %u, column %u: ", place.line, place.column);
        assert_non_null(strstr(err.message, said));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_all_that_it_says),
        cmocka_unit_test(says_where_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
