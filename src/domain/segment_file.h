/*
 * Segments by rule as files: a name, a rule, and tests that say of made-up customers whether they are members.
 *
 *   segment "big spenders"
 *   description "whom the spring mailing goes to"
 *   zone "Europe/London"
 *
 *   rule
 *     sum(order_line.amount where category = "Shoes") within 30 days > 200
 *     and not did(complaint)
 *
 *   test "two pairs, and a month later"
 *     at 2026-01-31 12:00
 *     given order_line 3 days ago item "p1" category "Shoes" amount 150
 *     given order_line 2026-01-20 09:30 item "p2" category "Shoes" amount 80
 *     expect member
 *     expect not member 30 days later
 *
 * Grammar (words, texts, numbers, durations and comments are the rules', segment_rule.h; line ends mean nothing):
 *
 *   file     = "segment" text ["description" text] ["zone" text] "rule" rule { test }
 *   test     = "test" text "at" moment { given } expect { expect }
 *   given    = "given" (event | "trait" text "=" value | "segment" text)
 *   event    = (kind | text) when { detail }               text: what the shop's sources call the event
 *   when     = moment | duration ("ago" | "later")         from the test's "at"
 *   detail   = ("item" | "category" | "brand" | "channel" | "order") text
 *            | ("amount" | "quantity" | "discount") number
 *            | "property" text "=" value
 *   expect   = "expect" ["not"] "member" [duration "later"]        in the order of time
 *   moment   = 2026-01-31 [12:00[:30]]                     on the zone's clock; no zone: UTC
 *
 * What an event does not say is unknown. Amounts are in major units; those of refunds are taken from the customer's
 * sum, whatever their sign. A category or brand is the item's, from the beginning of time. The customer is in those
 * other segments that "given segment" names, and in no more of them.
 */
#ifndef COT_DOMAIN_SEGMENT_FILE_H
#define COT_DOMAIN_SEGMENT_FILE_H

#include "domain/segment_rule.h"

enum { COT_SEGMENT_FILE_MAX_SIZE = 262144 };

/* A trait of the customer's, or a property of an event's. */
struct cot_given_value {
    const struct cot_given_value *next;
    struct cot_text key;
    struct cot_rule_value value;
};

struct cot_given_event {
    const struct cot_given_event *next;
    enum cot_event_kind kind;
    struct cot_text name; /* what sources call it; data NULL: kind says it all */
    int64_t at_ms;
    struct cot_text item, category, brand, order; /* data NULL: not said */
    enum cot_channel channel;
    double amount, quantity, discount; /* major units; NaN: not said */
    const struct cot_given_value *properties;
};

struct cot_given_segment {
    const struct cot_given_segment *next;
    struct cot_text name;
};

struct cot_segment_expectation {
    const struct cot_segment_expectation *next; /* at the same time or later */
    int64_t at_ms;
    bool member;
    unsigned line; /* in the file, from 1 */
};

struct cot_segment_test {
    const struct cot_segment_test *next;
    struct cot_text name;
    int64_t at_ms;
    const struct cot_given_event *events; /* each of these lists in the order of the file; NULL: empty */
    const struct cot_given_value *traits;
    const struct cot_given_segment *segments;
    const struct cot_segment_expectation *expectations; /* at least one */
};

struct cot_segment_file;

/* Parses a file's text, which is copied. COT_BAD_DATA: err names line, column, what was found and what was expected;
 * ret_place (may be NULL) says where. COT_LIMIT: larger than a file may be. O(size). */
cot_code cot_segment_file_parse(const char *text, size_t size, struct cot_segment_file **ret_file,
                                struct cot_rule_place *ret_place, struct cot_err *err) COT_MUST_CHECK;
void cot_segment_file_free(struct cot_segment_file *file);

/* What is in it; valid as long as it is. */
const char *cot_segment_file_text(const struct cot_segment_file *file);
const char *cot_segment_file_name(const struct cot_segment_file *file);
const char *cot_segment_file_description(const struct cot_segment_file *file); /* "": none */
const char *cot_segment_file_zone(const struct cot_segment_file *file);        /* "UTC": none is said */
const struct cot_segment_rule *cot_segment_file_rule(const struct cot_segment_file *file);
const struct cot_segment_test *cot_segment_file_tests(const struct cot_segment_file *file); /* NULL: none */

#endif
