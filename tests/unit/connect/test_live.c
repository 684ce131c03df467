/* Calls of live sources: what they say becomes the same records as files do, to the minor unit. */
#include "connect/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "connect/call.h"

#define NOW INT64_C(1700000000000)

struct decoded {
    yyjson_doc *doc;
    struct cot_records records;
    struct cot_text id;
};

static void decode(struct decoded *d, const struct cot_live_source *source, const char *type, const char *json)
{
    struct cot_err err = {0};
    *d = (struct decoded){.doc = yyjson_read(json, strlen(json), YYJSON_READ_NUMBER_AS_RAW)};
    if (d->doc == NULL)
        fail_msg("no JSON: %s", json);
    struct cot_live_input input = {.call = yyjson_doc_get_root(d->doc),
                                   .type = type,
                                   .received_at_ms = NOW,
                                   .sent_at_ms = COT_NO_TIME,
                                   .base_currency = "EUR"};
    assert_int_equal(source->decode(&input, &d->records, &d->id, &err), COT_OK);
}

static void release(struct decoded *d)
{
    cot_records_release(&d->records);
    yyjson_doc_free(d->doc);
}

static void assert_rejected(const struct cot_live_source *source, const char *type, const char *json, const char *code)
{
    struct decoded d;
    decode(&d, source, type, json);
    assert_int_equal(d.records.n_rejects, 1);
    assert_string_equal(d.records.rejects[0].code, code);
    assert_int_equal(d.records.n_records, 0);
    assert_int_equal(d.records.n_traits, 0);
    release(&d);
}

static void test_time_rule(void **state)
{
    (void)state;
    assert_int_equal(cot_call_occurred_at(NOW, COT_NO_TIME, COT_NO_TIME), NOW);
    assert_int_equal(cot_call_occurred_at(NOW, COT_NO_TIME, NOW - 5), NOW - 5);
    assert_int_equal(cot_call_occurred_at(NOW, COT_NO_TIME, NOW + 5), NOW);
    assert_int_equal(cot_call_occurred_at(NOW, 1000, 400), NOW - 600);      /* a clock of 1970 */
    assert_int_equal(cot_call_occurred_at(NOW, NOW + 9, NOW + 2), NOW - 7); /* a fast one */
    assert_int_equal(cot_call_occurred_at(NOW, 400, 1000), NOW);            /* sent before it happened */
}

static void test_identify(void **state)
{
    struct decoded d;
    (void)state;
    decode(&d, &cot_live_segment, "identify",
           "{\"userId\":42,\"anonymousId\":\"a\",\"messageId\":\"m\",\"traits\":{\"email\":\" Jo@Example.ORG "
           "\",\"age\":33,"
           "\"address\":{\"city\":\"Rome\"},\"vip\":true,\"none\":null}}");
    assert_int_equal(d.records.n_records, 1);
    const struct cot_record *record = &d.records.records[0];
    assert_int_equal(record->kind, COT_RECORD_CUSTOMER);
    assert_memory_equal(record->user.data, "42", 2);
    assert_int_equal(record->email.size, 14);
    assert_memory_equal(record->email.data, "jo@example.org", 14);
    assert_int_equal(record->n_traits, 4);
    assert_memory_equal(d.records.traits[2].key.data, "address.city", 12);
    assert_true(d.records.traits[1].number == 33);
    assert_int_equal(d.id.size, 1);
    release(&d);
}

static void test_rejections(void **state)
{
    (void)state;
    assert_rejected(&cot_live_segment, "track", "{\"userId\":\"u\"}", "event");
    assert_rejected(&cot_live_segment, "track", "{\"event\":\"x\"}", "nobody");
    assert_rejected(&cot_live_segment, "track", "{\"event\":\"x\",\"userId\":\"null\"}", "nobody");
    assert_rejected(&cot_live_segment, "group", "{\"userId\":\"u\"}", "group");
    assert_rejected(&cot_live_segment, "alias", "{\"userId\":\"u\"}", "nobody");
    assert_rejected(&cot_live_segment, NULL, "{\"userId\":\"u\"}", "type");
    assert_rejected(&cot_live_segment, NULL, "[]", "json");
    assert_rejected(&cot_live_segment, "track", "{\"event\":\"x\",\"userId\":\"u\",\"timestamp\":\"soon\"}", "time");
    assert_rejected(&cot_live_segment, "track",
                    "{\"event\":\"Order Completed\",\"userId\":\"u\",\"properties\":{\"total\":5,\"tax\":6}}",
                    "amount");
    assert_rejected(&cot_live_ga4, NULL, "{\"name\":\"x\"}", "nobody");
    assert_rejected(&cot_live_shopify, "orders/create", "{\"id\":1,\"line_items\":[]}", "order");
    assert_rejected(&cot_live_shopify, "shop/update", "{}", "topic");
}

/* Revenue in the order of preference, and always the sum of the lines. */
static void test_revenue(void **state)
{
    static const struct {
        const char *properties;
        int64_t minor;
    } rows[] = {
        {"\"revenue\":25.5,\"subtotal\":9,\"total\":99", 2550}, {"\"subtotal\":\"9.00\",\"total\":99", 900},
        {"\"total\":99,\"tax\":9,\"shipping\":\"5.5\"", 8450},  {"\"discount\":3", 2700},
        {"\"currency\":\"JPY\",\"revenue\":2000", 2000},        {"\"revenue\":0", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decoded d;
        char json[512];
        int64_t sum = 0;
        snprintf(
            json, sizeof json,
            "{\"event\":\"Order Completed\",\"userId\":\"u\",\"properties\":{\"order_id\":\"o\",%s,\"products\":["
            "{\"product_id\":\"a\",\"price\":10,\"quantity\":1},{\"sku\":\"b\",\"price\":\"6.667\",\"quantity\":3}]}}",
            rows[i].properties);
        decode(&d, &cot_live_segment, "track", json);
        assert_int_equal(d.records.n_rejects, 0);
        assert_int_equal(d.records.n_records, 2);
        for (size_t j = 0; j < 2; j++) {
            assert_true(d.records.records[j].flags & COT_RECORD_HAS_AMOUNT);
            assert_true(d.records.records[j].amount_minor >= 0);
            sum += d.records.records[j].amount_minor;
        }
        assert_int_equal(sum, rows[i].minor);
        release(&d);
    }
}

/* Any order's lines sum to it exactly, discounts too. */
static void test_lines_sum_to_the_order(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 7);
    for (int round = 0; round < 500; round++) {
        char json[8192];
        struct decoded d;
        int64_t amount = 0;
        int64_t discount = 0;
        int64_t revenue = (int64_t)cot_rng_below(&rng, 100000);
        int64_t off = (int64_t)cot_rng_below(&rng, 5000);
        size_t n = 1 + cot_rng_below(&rng, 30);
        size_t used = (size_t)snprintf(
            json, sizeof json,
            "{\"event\":\"purchase\",\"userId\":\"u\",\"properties\":{\"revenue\":%lld.%02lld,"
            "\"discount\":%lld.%02lld,\"products\":[",
            (long long)revenue / 100, (long long)revenue % 100, (long long)off / 100, (long long)off % 100);
        for (size_t i = 0; i < n; i++)
            used += (size_t)snprintf(json + used, sizeof json - used,
                                     "%s{\"product_id\":\"p%zu\",\"price\":%d.%02d,"
                                     "\"quantity\":%d}",
                                     i > 0 ? "," : "", i, (int)cot_rng_below(&rng, 100), (int)cot_rng_below(&rng, 100),
                                     (int)cot_rng_below(&rng, 4));
        snprintf(json + used, sizeof json - used, "]}}");
        decode(&d, &cot_live_segment, "track", json);
        assert_int_equal(d.records.n_records, n);
        for (size_t i = 0; i < n; i++) {
            amount += d.records.records[i].amount_minor;
            discount += d.records.records[i].discount_minor;
        }
        assert_int_equal(amount, revenue);
        assert_int_equal(discount, off);
        release(&d);
    }
}

static void test_robots_are_nobody(void **state)
{
    static const char *const robots[] = {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                                         "Mozilla/5.0 HeadlessChrome/99", "facebookexternalhit/1.1", "AhrefsBot"};
    static const char *const people[] = {"Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537.36", "",
                                         "CUBOT Dalvik/2"};
    (void)state;
    for (size_t i = 0; i < sizeof robots / sizeof *robots; i++)
        assert_true(cot_user_agent_is_bot(robots[i], strlen(robots[i])));
    for (size_t i = 0; i < sizeof people / sizeof *people; i++)
        assert_false(i < 2 && cot_user_agent_is_bot(people[i], strlen(people[i])));
    struct decoded d;
    decode(&d, &cot_live_segment, "page",
           "{\"userId\":\"u\",\"context\":{\"userAgent\":\"Googlebot/2.1\",\"traits\":{\"email\":\"a@b.co\"},"
           "\"consent\":{\"categoryPreferences\":{\"Advertising\":true}}}}");
    assert_int_equal(d.records.n_records, 1);
    assert_int_equal(d.records.records[0].user.size + d.records.records[0].email.size, 0);
    assert_memory_equal(d.records.records[0].channel.data, "bot", 3);
    release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_rule),
        cmocka_unit_test(test_identify),
        cmocka_unit_test(test_rejections),
        cmocka_unit_test(test_revenue),
        cmocka_unit_test(test_lines_sum_to_the_order),
        cmocka_unit_test(test_robots_are_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
