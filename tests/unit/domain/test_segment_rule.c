/* Rule segments: what parses and what does not, and evaluation against a naive reference at every step. */
#include "domain/segment_rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/dict.h"
#include "base/rng.h"

#define DAY COT_MS_PER_DAY
#define T0 INT64_C(1700006400000) /* a midnight, UTC */

/* One customer: entries and lines by hand. */
struct customer {
    struct cot_entry entries[64];
    struct cot_line lines[64];
    struct cot_line_extra extras[64];
    struct cot_note notes[64];
    struct cot_property properties[64];
    struct cot_lines all;
    size_t n;
};

static void add_event(struct customer *c, int64_t at_ms, enum cot_event_kind kind, uint32_t item, int64_t amount)
{
    uint32_t detail = 0;
    if (kind == COT_EVENT_ORDER_LINE) {
        detail = (uint32_t)c->all.n;
        c->lines[c->all.n++] = (struct cot_line){amount, (uint64_t)(c->n / 2 + 1), 1, COT_NO_EXTRA};
    }
    c->entries[c->n++] = cot_entry_make(at_ms, kind, COT_CHANNEL_WEB, item, detail);
    c->all.lines = c->lines;
}

/* The last event added is called so (a custom one), and has a property that says a number, or a word (NaN). */
static void add_note(struct customer *c, uint32_t name, uint32_t key, double number, uint32_t word)
{
    struct cot_entry *entry = &c->entries[c->n - 1];
    uint32_t i_note = (uint32_t)c->all.n_notes++;
    c->notes[i_note] = (struct cot_note){77, name, i_note, 1};
    c->properties[i_note] = (struct cot_property){key, word, number};
    c->all.notes = c->notes;
    c->all.properties = c->properties;
    c->all.extras = c->extras;
    if (cot_entry_is_commerce(entry)) {
        c->lines[entry->detail].extra = (uint32_t)c->all.n_extras;
        c->extras[c->all.n_extras++] = (struct cot_line_extra){COT_UNKNOWN_MINOR, COT_UNKNOWN_MINOR, i_note};
    } else {
        entry->bits |= COT_ENTRY_HAS_NOTE;
        entry->detail = i_note;
    }
}

static uint32_t code_of(void *context, struct cot_text word)
{
    (void)context;
    return word.size == 2 ? (uint32_t)(word.data[1] - '0') : COT_DICT_NONE; /* "p3" */
}

/* Keys and words of properties: "k0" .. "k9", "w0" .. "w9"; names of events: "e0" .. "e9"; "Viewed" is a product_view.
 */
static enum cot_event_kind event_of(void *context, struct cot_text name, uint32_t *ret_code)
{
    *ret_code = code_of(context, name);
    return name.size == 6 && memcmp(name.data, "Viewed", 6) == 0 ? COT_EVENT_PRODUCT_VIEW : COT_EVENT_CUSTOM;
}

static const struct cot_rule_names names = {.item = code_of,
                                            .category = code_of,
                                            .brand = code_of,
                                            .property = code_of,
                                            .property_word = code_of,
                                            .event = event_of};

static struct cot_rule_item item_of(void *context, uint32_t item)
{
    (void)context;
    return (struct cot_rule_item){item % 2, COT_DICT_NONE};
}

static bool trait_of(void *context, struct cot_text key, struct cot_rule_value *ret_value)
{
    (void)context;
    if (key.size == 4 && memcmp(key.data, "plan", 4) == 0)
        *ret_value = (struct cot_rule_value){{"gold", 4}, NAN};
    else if (key.size == 3 && memcmp(key.data, "age", 3) == 0)
        *ret_value = (struct cot_rule_value){{"33", 2}, 33};
    else
        return false;
    return true;
}

static bool feature_of(void *context, size_t i_feature, struct cot_rule_value *ret_value)
{
    (void)context;
    (void)i_feature;
    ret_value->number = 5;
    return true;
}

static bool segment_of(void *context, struct cot_text name)
{
    (void)context;
    return name.size == 3 && memcmp(name.data, "yes", 3) == 0;
}

static struct cot_rule_view view_at(const struct customer *c, int64_t now_ms)
{
    struct cot_rule_view view = {.run = {c->entries, c->n},
                                 .lines = &c->all,
                                 .now_ms = now_ms,
                                 .minor_per_unit = 100,
                                 .item = item_of,
                                 .trait = trait_of,
                                 .feature = feature_of,
                                 .segment = segment_of};
    view.run.n = cot_run_until(&view.run, now_ms);
    return view;
}

static bool holds_at(const struct cot_segment_rule *rule, const struct customer *c, int64_t now_ms,
                     int64_t *ret_next_ms)
{
    struct cot_rule_view view = view_at(c, now_ms);
    return cot_segment_rule_holds(rule, &view, ret_next_ms);
}

static bool selects_at(const struct cot_segment_rule *rule, const struct customer *c, int64_t now_ms)
{
    struct cot_rule_view view = view_at(c, now_ms);
    return cot_segment_rule_selects(rule, &view);
}

static struct cot_segment_rule *parse(const char *text)
{
    struct cot_err err = {0};
    struct cot_segment_rule *rule = NULL;
    if (cot_segment_rule_parse(text, strlen(text), &rule, NULL, &err) != COT_OK)
        fail_msg("%s\n%s", text, err.message);
    cot_segment_rule_bind(rule, &names);
    return rule;
}

static void test_mistakes_have_places(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *word; /* of the message */
    } rows[] = {
        {"", 1, 1, "ends"},
        {"count(order_line) >", 1, 20, "a number"},
        {"count(order_lines) > 1", 1, 7, "kind of event"},
        {"did(order_line)\nand\n  nonsense", 3, 3, "condition"},
        {"did(order_line) within 3 fortnights", 1, 26, "minutes"},
        {"did(order_line) within 0 days", 1, 24, "duration"},
        {"(did(order_line)", 1, 17, "')'"},
        {"did(order_line) did(refund)", 1, 17, "'and'"},
        {"sum(order_line.item) > 3", 1, 16, "distinct"},
        {"did(order_line where item > \"a\")", 1, 27, "="},
        {"did(order_line where amount = \"x\")", 1, 29, "number"},
        {"feature no_such > 1", 1, 9, "no feature"},
        {"trait plan = 1", 1, 7, "quotes"},
        {"trait \"plan = 1", 1, 7, "quotes"},
        {"sequence(not did)", 1, 14, "kind of event"},
        {"sequence(page_view then not order_line)", 1, 25, "2 days"},
        {"sequence(page_view then not order_line within 1 day then refund)", 1, 53, "nothing comes after"},
        {"count(order_line) since yesterday > 1", 1, 25, "date"},
        {"trait \"a\" in (1, 2", 1, 19, "')'"},
        {"trait \"plan\" < \"gold\"", 1, 14, "number"},
        {"did(\"\")", 1, 5, "1 to 256"},
        {"did(\"a\" where property length > 1)", 1, 24, "quotes"},
        {"did(custom where property \"a\" >= \"x\")", 1, 31, "number"},
        {"first(order_line.day) = 1", 1, 18, "counted"},
        {"last(order_line.item) > \"a\"", 1, 23, "word"},
        {"$", 1, 1, "condition"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cot_err err = {0};
        struct cot_rule_place place = {0};
        struct cot_segment_rule *rule = NULL;
        assert_int_equal(cot_segment_rule_parse(rows[i].text, strlen(rows[i].text), &rule, &place, &err), COT_BAD_DATA);
        if (place.line != rows[i].line || place.column != rows[i].column || strstr(err.message, rows[i].word) == NULL)
            fail_msg("%s\n%s (not line %u, column %u, '%s')", rows[i].text, err.message, rows[i].line, rows[i].column,
                     rows[i].word);
    }
    char deep[400];
    memset(deep, '(', sizeof deep);
    struct cot_err err = {0};
    struct cot_segment_rule *rule = NULL;
    assert_int_equal(cot_segment_rule_parse(deep, sizeof deep, &rule, NULL, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "deeper"));
}

static void test_conditions(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"did(order_line)", true},
        {"DID (Order_Line) -- no", false},
        {"not did(refund) # nothing came back", true},
        {"count(any) = 5", true},
        {"count(order_line where amount >= 20) = 1", true},
        {"count(order_line where item = \"p1\" and amount > 5) = 1", true},
        {"count(order_line where item != \"p1\") = 1", true},
        {"count(order_line where item in (\"p1\", \"p2\")) = 2", true},
        {"count(order_line where channel = \"web\") = 2", true},
        {"count(order_line where category = \"c1\") = 1", true},
        {"count(order_line where brand = \"b1\") = 0", true},
        {"sum(order_line.amount) = 30", true},
        {"sum(order_line.amount where item = \"p1\") = 10", true},
        {"max(order_line.amount) = 20 and min(order_line.amount) = 10", true},
        {"max(refund.amount) > 0 or max(refund.amount) <= 0", false},
        {"distinct(any.item) = 3", true},
        {"distinct(any.day) = 3", true},
        {"distinct(order_line.order) = 2", true},
        {"since_last(order_line) < 3 days", true},
        {"since_last(order_line) > 1d and since_first(any) >= 5 d", true},
        {"since_last(refund) > 1 day", false},
        {"trait \"plan\" = \"GOLD\" and trait \"age\" > 30", true},
        {"trait \"plan\" in (\"silver\", \"gold\")", true},
        {"trait \"nothing\" != \"x\" or trait \"nothing\" exists", false},
        {"feature monetary_total > 4.5", true},
        {"segment \"yes\" and not segment \"no\"", true},
        {"sequence(product_view then cart_add then order_line)", true},
        {"sequence(cart_add then product_view then cart_add)", false},
        {"sequence(product_view then order_line within 12 hours)", false},
        {"sequence(cart_add then not order_line within 1 hour)", true},
        {"sequence(cart_add then not order_line within 2 days)", false},
        {"sequence(order_line where item = \"p2\" then not any within 30 hours)", true},
        {"sequence(order_line where item = \"p2\" then not any within 3 days)", false},
        {"count(any) within 60 hours = 2", true},
        {"count(any) since 2023-11-16 = 3", true},
        {"count(any) before 2023-11-16 = 2", true},
        {"count(any) between 2023-11-15 and 2023-11-17 = 3", true},
        {"count(any) since start of day = 0", true},
        {"count(any) since start of week = 0 and count(any) since start of month = 5", true},
        {"did(refund) or did(order_line) and not did(order_line)", false},
        {"(did(refund) or did(order_line)) and did(cart_add)", true},
    };
    struct customer c = {0};
    (void)state;
    add_event(&c, T0 + 1 * DAY / 24, COT_EVENT_PRODUCT_VIEW, 1, 0); /* Wednesday 2023-11-15 01:00 */
    add_event(&c, T0 + 1 * DAY - 1, COT_EVENT_CART_ADD, 3, 0);
    add_event(&c, T0 + 2 * DAY - 1, COT_EVENT_ORDER_LINE, 1, 1000);
    add_event(&c, T0 + 3 * DAY, COT_EVENT_PAGE_VIEW, COT_NO_ITEM, 0);
    add_event(&c, T0 + 7 * DAY / 2, COT_EVENT_ORDER_LINE, 2, 2000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cot_err err = {0};
        int64_t next_ms = 0;
        struct cot_segment_rule *rule = NULL;
        cot_code rc = cot_segment_rule_parse(rows[i].text, strlen(rows[i].text), &rule, NULL, &err);
        if (i == 1) {
            assert_int_equal(rc, COT_BAD_DATA);
            continue;
        }
        if (rc != COT_OK)
            fail_msg("%s: %s", rows[i].text, err.message);
        cot_segment_rule_bind(rule, &names);
        if (holds_at(rule, &c, T0 + 5 * DAY + DAY / 24, &next_ms) != rows[i].holds)
            fail_msg("%s: not %d", rows[i].text, rows[i].holds);
        cot_segment_rule_free(rule);
    }
}

/* The naive reference: a condition of its own shape, that says its text and is evaluated by the letter of its meaning.
 */
enum shape { SHAPE_COUNT, SHAPE_SUM, SHAPE_DISTINCT, SHAPE_SINCE, SHAPE_SEQUENCE, SHAPE_MISSED, N_SHAPES };
static const enum cot_event_kind kinds[] = {COT_EVENT_ORDER_LINE, COT_EVENT_CART_ADD, COT_EVENT_PRODUCT_VIEW};
static const char *const kind_names[] = {"order_line", "cart_add", "product_view"};

struct naive {
    enum shape shape;
    unsigned kind[3];
    int item;         /* -1: any */
    int64_t within_h; /* 0: ever */
    int64_t gap_h[2];
    int64_t number;
};

static void naive_make(struct naive *n, struct cot_rng *rng)
{
    n->shape = (enum shape)cot_rng_below(rng, N_SHAPES);
    for (int i = 0; i < 3; i++)
        n->kind[i] = (unsigned)cot_rng_below(rng, 3);
    n->item = (int)cot_rng_below(rng, 4) - 1;
    n->within_h = cot_rng_below(rng, 3) == 0 ? 0 : 1 + (int64_t)cot_rng_below(rng, 100);
    n->gap_h[0] = 1 + (int64_t)cot_rng_below(rng, 40);
    n->gap_h[1] = 1 + (int64_t)cot_rng_below(rng, 40);
    n->number = (int64_t)cot_rng_below(rng, n->shape == SHAPE_SUM ? 40 : 4);
}

static void naive_text(const struct naive *n, char *ret_text, size_t size)
{
    char window[40] = "";
    char filter[40] = "";
    if (n->within_h > 0)
        snprintf(window, sizeof window, " within %lld hours", (long long)n->within_h);
    if (n->item >= 0)
        snprintf(filter, sizeof filter, " where item = \"p%d\"", n->item);
    const char *a = kind_names[n->kind[0]], *b = kind_names[n->kind[1]], *c = kind_names[n->kind[2]];
    switch (n->shape) {
    case SHAPE_COUNT: snprintf(ret_text, size, "count(%s%s)%s >= %d", a, filter, window, (int)n->number); break;
    case SHAPE_SUM: snprintf(ret_text, size, "sum(order_line.amount%s)%s > %d", filter, window, (int)n->number); break;
    case SHAPE_DISTINCT: snprintf(ret_text, size, "distinct(%s.item)%s = %d", a, window, (int)n->number); break;
    case SHAPE_SINCE:
        snprintf(ret_text, size, "since_last(%s%s)%s > %d hours", a, filter, window, (int)n->gap_h[0]);
        break;
    case SHAPE_SEQUENCE:
        snprintf(ret_text, size, "sequence(%s%s then %s within %d hours then %s within %dh)%s", a, filter, b,
                 (int)n->gap_h[0], c, (int)n->gap_h[1], window);
        break;
    default:
        snprintf(ret_text, size, "sequence(%s%s then %s within %d hours then not %s within %d hours)%s", a, filter, b,
                 (int)n->gap_h[0], c, (int)n->gap_h[1], window);
        break;
    }
}

struct scene {
    const struct naive *n;
    const struct customer *c;
    int64_t now_ms;
};

static bool visible(const struct scene *s, size_t i)
{
    int64_t at = cot_entry_ms(&s->c->entries[i]);
    return at <= s->now_ms && (s->n->within_h == 0 || s->now_ms - at < s->n->within_h * COT_MS_PER_HOUR);
}

static bool is_event(const struct scene *s, size_t i, int step)
{
    const struct cot_entry *entry = &s->c->entries[i];
    return visible(s, i) && cot_entry_kind(entry) == kinds[s->n->kind[step]] &&
           (step > 0 || s->n->item < 0 || entry->item == (uint32_t)s->n->item);
}

/* Every triple, or pair and what must not follow it. */
static bool naive_sequence(const struct scene *s)
{
    const struct naive *n = s->n;
    int64_t gap[2] = {n->gap_h[0] * COT_MS_PER_HOUR, n->gap_h[1] * COT_MS_PER_HOUR};
    for (size_t i = 0; i < s->c->n; i++)
        for (size_t j = i + 1; j < s->c->n; j++) {
            int64_t at = cot_entry_ms(&s->c->entries[j]);
            if (!is_event(s, i, 0) || !is_event(s, j, 1) || at - cot_entry_ms(&s->c->entries[i]) > gap[0])
                continue;
            bool followed = false;
            for (size_t k = j + 1; k < s->c->n; k++)
                followed |= is_event(s, k, 2) && cot_entry_ms(&s->c->entries[k]) - at <= gap[1];
            if (n->shape == SHAPE_SEQUENCE ? followed : !followed && s->now_ms > at + gap[1])
                return true;
        }
    return false;
}

static bool naive_holds(const struct naive *n, const struct customer *c, int64_t now_ms)
{
    struct scene s = {n, c, now_ms};
    int64_t count = 0;
    int64_t sum = 0;
    int64_t last = -1;
    uint32_t items = 0;
    if (n->shape == SHAPE_SEQUENCE || n->shape == SHAPE_MISSED)
        return naive_sequence(&s);
    for (size_t i = 0; i < c->n; i++) {
        const struct cot_entry *entry = &c->entries[i];
        bool item_fits = n->item < 0 || entry->item == (uint32_t)n->item;
        if (visible(&s, i) && cot_entry_kind(entry) == COT_EVENT_ORDER_LINE && item_fits)
            sum += c->lines[entry->detail].amount_minor;
        if (visible(&s, i) && cot_entry_kind(entry) == kinds[n->kind[0]])
            items |= 1U << entry->item;
        if (!is_event(&s, i, 0))
            continue;
        count++;
        last = cot_entry_ms(entry);
    }
    switch (n->shape) {
    case SHAPE_COUNT: return count >= n->number;
    case SHAPE_SUM: return (double)sum / 100 > (double)n->number;
    case SHAPE_DISTINCT: return __builtin_popcount(items) == n->number;
    default: return last >= 0 && now_ms - last > n->gap_h[0] * COT_MS_PER_HOUR;
    }
}

/* Two conditions and how they are joined. */
static bool joined(unsigned how, bool a, bool b)
{
    return how == 0 ? a && b : how == 1 ? a || b : how == 2 ? a && !b : !(a || b);
}

/* Cents are summed as whole numbers: 0.70 and 0.10 are 0.8, which they are not as doubles. */
static void test_sums_of_money_are_exact(void **state)
{
    static const struct {
        int64_t amounts[3];
        const char *text;
    } rows[] = {
        {{70, 10, 0}, "sum(order_line.amount) >= 0.8 and sum(order_line.amount) = 0.8"},
        {{10, 20, 0}, "sum(order_line.amount) <= 0.3 and sum(order_line.amount) = 0.3"},
        {{3334, 3333, 13333}, "sum(order_line.amount) >= 200 and not sum(order_line.amount) > 200"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct customer c = {0};
        int64_t next_ms = 0;
        for (size_t k = 0; k < 3; k++)
            add_event(&c, T0 + (int64_t)(k + 1) * DAY, COT_EVENT_ORDER_LINE, 1, rows[i].amounts[k]);
        struct cot_segment_rule *rule = parse(rows[i].text);
        assert_true(holds_at(rule, &c, T0 + 5 * DAY, &next_ms));
        cot_segment_rule_free(rule);
    }
}

static void test_random_rules_agree_with_the_reference(void **state)
{
    static const char *const forms[] = {"%s and %s", "%s or %s", "%s and not %s", "not (%s or %s)"};
    struct cot_rng rng;
    size_t n_true = 0;
    size_t n_checks = 0;
    (void)state;
    cot_rng_init(&rng, 11);
    for (int round = 0; round < 400; round++) {
        struct naive naive[2];
        char parts[2][300];
        char text[700];
        struct customer c = {0};
        unsigned how = (unsigned)cot_rng_below(&rng, 4);
        for (int i = 0; i < 2; i++) {
            naive_make(&naive[i], &rng);
            naive_text(&naive[i], parts[i], sizeof parts[i]);
        }
        snprintf(text, sizeof text, forms[how], parts[0], parts[1]);
        struct cot_segment_rule *rule = parse(text);
        int64_t at_ms = T0;
        for (int step = 0; step < 25; step++) {
            at_ms += (int64_t)cot_rng_below(&rng, 3) == 0 ? 0 : (int64_t)cot_rng_below(&rng, 30) * COT_MS_PER_HOUR;
            add_event(&c, at_ms, kinds[cot_rng_below(&rng, 3)], (uint32_t)cot_rng_below(&rng, 3),
                      (int64_t)cot_rng_below(&rng, 1000));
            int64_t now_ms = at_ms;
            for (int wake = 0; wake < 4; wake++) { /* with the event, then as time goes by */
                int64_t next_ms = 0;
                bool found = holds_at(rule, &c, now_ms, &next_ms);
                assert_int_equal(selects_at(rule, &c, now_ms), found);
                bool wanted = joined(how, naive_holds(&naive[0], &c, now_ms), naive_holds(&naive[1], &c, now_ms));
                if (found != wanted)
                    fail_msg("round %d, step %d: %s: %d, not %d", round, step, text, found, wanted);
                assert_true(next_ms > now_ms);
                /* Until the moment that it names nothing turns by itself. */
                int64_t until_ms = next_ms == COT_RULE_NEVER ? now_ms + 200 * COT_MS_PER_HOUR : next_ms - 1;
                int64_t between_ms = now_ms + (int64_t)cot_rng_below(&rng, (uint64_t)(until_ms - now_ms) + 1);
                bool later =
                    joined(how, naive_holds(&naive[0], &c, between_ms), naive_holds(&naive[1], &c, between_ms));
                if (later != found)
                    fail_msg("round %d, step %d: %s: turns before the moment named", round, step, text);
                n_true += found;
                n_checks++;
                if (next_ms == COT_RULE_NEVER)
                    break;
                now_ms = next_ms;
            }
        }
        cot_segment_rule_free(rule);
    }
    assert_true(n_true > n_checks / 20 && n_true < n_checks - n_checks / 20); /* it says both */
}

/* A shop's own events by name, and whatever else events say. */
static void test_names_and_properties(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"did(\"e1\") and did(\"e2\")", true},
        {"did(\"e3\")", false},
        {"count(custom) = 3", true},
        {"count(\"e1\") = 2", true},
        {"count(\"Viewed\") = 1", true},
        {"count(\"e1\" where property \"k1\" > 10) = 1", true},
        {"count(\"e1\" where property \"k1\" exists) = 2", true},
        {"count(any where property \"k2\" = \"w4\") = 1", true},
        {"count(any where property \"k2\" != \"w5\") = 1", true},
        {"count(any where property \"k2\" in (\"w5\", \"w4\")) = 1", true},
        {"count(any where property \"k7\" exists) = 0", true},
        {"count(any where property \"no such\" exists) = 0", true},
        {"sum(\"e1\".property \"k1\") = 13.5", true},
        {"max(custom.property \"k1\") = 12 and min(any.property \"k1\") = 1.5", true},
        {"distinct(any.property \"k1\") = 2 and distinct(any.property \"k2\") = 1", true},
        {"did(order_line where property \"k1\" = 12)", true},
        {"first(\"e1\".property \"k1\") = 12 and last(\"e1\".property \"k1\") = 1.5", true},
        {"first(any.item) = \"p3\" and last(any.item) = \"p2\"", true},
        {"last(order_line.amount) in (10, 20) and first(order_line.channel) != \"app\"", true},
        {"first(refund.amount) != 4", false},
        {"sequence(\"e1\" where property \"k1\" = 12 then \"e2\" then order_line)", true},
    };
    struct customer c = {0};
    (void)state;
    add_event(&c, T0, COT_EVENT_PRODUCT_VIEW, 3, 0);
    add_event(&c, T0 + 1, COT_EVENT_CUSTOM, COT_NO_ITEM, 0);
    add_note(&c, 1, 1, 12, 5);
    add_event(&c, T0 + 2, COT_EVENT_CUSTOM, COT_NO_ITEM, 0);
    add_note(&c, 2, 2, (double)NAN, 4);
    add_event(&c, T0 + 3, COT_EVENT_CUSTOM, COT_NO_ITEM, 0);
    add_note(&c, 1, 1, 1.5, 6);
    add_event(&c, T0 + 4, COT_EVENT_ORDER_LINE, 2, 2000);
    add_note(&c, COT_DICT_NONE, 1, 12, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t next_ms = 0;
        struct cot_segment_rule *rule = parse(rows[i].text);
        if (holds_at(rule, &c, T0 + DAY, &next_ms) != rows[i].holds)
            fail_msg("%s: not %d", rows[i].text, rows[i].holds);
        cot_segment_rule_free(rule);
    }
    struct cot_segment_rule *rule = parse("did(\"a\" where property \"x\" = 1 and property \"y\" = 2) or "
                                          "sum(any.property \"x\") > 1");
    assert_int_equal(cot_segment_rule_n_properties(rule), 2);
    assert_memory_equal(cot_segment_rule_property(rule, 1).data, "y", 1);
    assert_false(cot_segment_rule_asks_for_items(rule));
    cot_segment_rule_free(rule);
    rule = parse("did(any) and not sequence(any then order_line where brand = \"b1\")");
    assert_true(cot_segment_rule_asks_for_items(rule));
    cot_segment_rule_free(rule);
}

static void tell(void *context, const struct cot_rule_finding *finding)
{
    char *text = context;
    size_t n = strlen(text);
    n += (size_t)snprintf(text + n, 2000 - n, "[%.*s:%d", (int)finding->condition.size, finding->condition.data,
                          finding->holds);
    if (!isnan(finding->value.number))
        n += (size_t)snprintf(text + n, 2000 - n, " %g", finding->value.number);
    for (size_t i = 0; i < finding->n_evidence; i++)
        n += (size_t)snprintf(text + n, 2000 - n, " #%zu", finding->evidence[i]);
    snprintf(text + n, 2000 - n, "%s%s]", finding->flips ? " needs " : "", finding->flips ? finding->to_flip : "");
}

static void test_explain(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"did( order_line ) and not (trait \"age\" >= 18 or\n segment \"no\")",
         "[did( order_line ):1 2 #1 #3][trait \"age\" >= 18:1 33 needs the trait has to become no longer >= 18 (it is "
         "33)][segment \"no\":0]"},
        {"count(order_line) >= 5 and did(cart_add)",
         "[count(order_line) >= 5:0 2 #1 #3 needs 3 more order_line][did(cart_add):1 1 #0]"},
        /* One condition is less than two; what happened does not go away. */
        {"not did(cart_add) or (did(refund) and segment \"no\") or sum(any.amount) > 31",
         "[did(cart_add):1 1 #0][did(refund):0 0][segment \"no\":0][sum(any.amount) > 31:0 30 #0 #1 #2 #3 needs the "
         "sum of event has to become > 31 (it is 30)]"},
        {"not did(cart_add)", "[did(cart_add):1 1 #0]"},
        {"not did(cart_add) within 60 hours",
         "[did(cart_add) within 60 hours:1 1 #0 needs fewer cart_add: the first one leaves the window at "
         "2023-11-17T12:00:00Z]"},
        {"since_last(order_line) > 3 days",
         "[since_last(order_line) > 3 days:0 86400 #3 needs nothing but time: 2 days without another order_line]"},
        {"sequence(cart_add then order_line then refund within 5 days)",
         "[sequence(cart_add then order_line then refund within 5 days):0 2 #0 #3 needs next: refund within 5 days of "
         "the step before]"},
        {"sequence(cart_add then not refund within 1 day)", "[sequence(cart_add then not refund within 1 day):1 2 #0]"},
        {"last(order_line.item) = \"p2\"",
         "[last(order_line.item) = \"p2\":1 #3 needs the last of order_line has to become other than p2]"},
    };
    struct customer c = {0};
    (void)state;
    add_event(&c, T0, COT_EVENT_CART_ADD, 1, 0);
    add_event(&c, T0 + 1, COT_EVENT_ORDER_LINE, 1, 1000);
    add_event(&c, T0 + 2, COT_EVENT_PAGE_VIEW, COT_NO_ITEM, 0);
    add_event(&c, T0 + DAY, COT_EVENT_ORDER_LINE, 2, 2000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2000] = "";
        struct cot_segment_rule *rule = parse(rows[i].text);
        struct cot_rule_view view = view_at(&c, T0 + 2 * DAY);
        assert_true(cot_segment_rule_explain(rule, &view, tell, text));
        if (strcmp(text, rows[i].told) != 0)
            fail_msg("%s\n%s\nnot\n%s", rows[i].text, text, rows[i].told);
        cot_segment_rule_free(rule);
    }
    struct cot_segment_rule *rule = parse("segment \"no\"");
    assert_int_equal(cot_segment_rule_n_references(rule), 1);
    assert_int_equal(cot_segment_rule_reference(rule, 0).size, 2);
    cot_segment_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_have_places),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_sums_of_money_are_exact),
        cmocka_unit_test(test_names_and_properties),
        cmocka_unit_test(test_random_rules_agree_with_the_reference),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
