/* From the text of a segment file to its rule and tests (grammar: segment_file.h). */
#include "domain/segment_file.h"

#include <stdlib.h>
#include <unicode/utf8.h>

#include "domain/segment_rule_lex.h"

struct cot_segment_file {
    struct cot_arena arena; /* of everything below, but for the rule */
    const char *text, *name, *description, *zone;
    struct cot_segment_rule *rule;
    const struct cot_segment_test *tests;
};

struct file_parser {
    struct parser p;
    struct cot_segment_file *file;
    struct cot_zone *zone;
};

/* A text in quotes of 1 to `max` bytes; `what` says which. */
static bool read_text_of(struct parser *p, const char *what, size_t max, struct cot_text *ret_text)
{
    if (p->token.kind != TOKEN_TEXT)
        return expected(p, what);
    if (p->token.value.size == 0 || p->token.value.size > max)
        return fail_at(p, p->token.offset, "%s has 1 to %zu bytes", what, max);
    *ret_text = p->token.value;
    advance(p);
    return true;
}

/* The same as a string. */
static bool read_string_of(struct parser *p, const char *what, size_t max, const char **ret_string)
{
    struct cot_text text = {0};
    if (!read_text_of(p, what, max, &text))
        return false;
    char *copy = allocate(p, (size_t)text.size + 1, 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text.data, text.size);
    *ret_string = copy;
    return true;
}

static bool need_word(struct parser *p, const char *word, const char *what)
{
    return take_word(p, word) || expected(p, what);
}

static bool in_range(struct parser *p, size_t offset, int64_t ms)
{
    return (ms >= COT_EVENT_MIN_MS && ms <= COT_EVENT_MAX_MS) ||
           fail_at(p, offset, "a moment before 1970 or after 2200");
}

/* 12:00 or 12:00:30, as it stands; 0: there is none. */
static size_t clock_size(const struct parser *p)
{
    const char *text = p->text + p->token.offset;
    size_t n = 0;
    while (p->token.kind == TOKEN_NUMBER && n < p->size - p->token.offset &&
           (isdigit((unsigned char)text[n]) || text[n] == ':'))
        n++;
    return memchr(text, ':', n) != NULL ? n : 0;
}

static bool read_moment(struct file_parser *f, int64_t *ret_ms)
{
    struct parser *p = &f->p;
    char text[32];
    size_t offset = p->token.offset;
    int64_t local_ms = 0;
    if (p->token.kind != TOKEN_DATE)
        return expected(p, "a date (2026-01-31)");
    int n = snprintf(text, sizeof text, "%.*s", (int)p->token.size, p->text + offset);
    advance(p);
    size_t size = clock_size(p);
    if (size > 0) {
        n = snprintf(text + n, sizeof text - (size_t)n, " %.*s", (int)(size < 16 ? size : 16),
                     p->text + p->token.offset);
        p->token.size = size; /* a time is several tokens, else */
        if (!cot_parse_iso(text, strlen(text), &local_ms))
            return fail_at(p, p->token.offset, "'%.*s' is no time of the day (12:00)", (int)(size < 40 ? size : 40),
                           p->text + p->token.offset);
        advance(p);
    } else if (!cot_parse_iso(text, (size_t)n, &local_ms)) {
        return fail_at(p, offset, "'%s' is no date", text);
    }
    *ret_ms = cot_zone_utc(f->zone, local_ms);
    return in_range(p, offset, *ret_ms);
}

static bool asks_for(const struct cot_segment_rule *rule, struct cot_text name)
{
    for (size_t i = 0; i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text reference = cot_segment_rule_reference(rule, i);
        if (reference.size == name.size && memcmp(reference.data, name.data, name.size) == 0)
            return true;
    }
    return false;
}

/* A moment, or so long before or after the test's. */
static bool read_when(struct file_parser *f, int64_t at_ms, int64_t *ret_ms)
{
    struct parser *p = &f->p;
    size_t offset = p->token.offset;
    int64_t ms = 0;
    if (p->token.kind == TOKEN_DATE)
        return read_moment(f, ret_ms);
    if (p->token.kind != TOKEN_NUMBER)
        return expected(p, "when it happened (3 days ago, 2026-01-31 12:00)");
    if (!read_duration(p, &ms))
        return false;
    if (take_word(p, "ago"))
        *ret_ms = at_ms - ms;
    else if (take_word(p, "later"))
        *ret_ms = at_ms + ms;
    else
        return expected(p, "'ago' or 'later'");
    return in_range(p, offset, *ret_ms);
}

static bool read_channel(struct parser *p, enum cot_channel *ret_channel)
{
    struct cot_text word = {0};
    size_t offset = p->token.offset;
    if (!read_text_of(p, "the channel in quotes", 100, &word))
        return false;
    *ret_channel = cot_channel_from_name(word.data, word.size);
    if (*ret_channel == COT_CHANNEL_OTHER && (word.size != 5 || strncasecmp(word.data, "other", 5) != 0))
        return fail_at(p, offset,
                       "there is no channel \"%.*s\" (web, app, email, store, phone, catalog, marketplace, "
                       "social, other)",
                       (int)word.size, word.data);
    return true;
}

/* key "=" value, after the word that says of what. Puts it at *end and moves that on. */
static bool read_given_value(struct parser *p, const char *what, const struct cot_given_value ***end)
{
    struct cot_given_value *given = allocate(p, 1, sizeof *given);
    if (given == NULL || !read_text_of(p, what, 256, &given->key) || !need_sign(p, "=", "'='") ||
        !read_value(p, &given->value))
        return false;
    **end = given;
    *end = &given->next;
    return true;
}

/* One detail of an event. ret_more: there was one. */
static bool read_detail(struct parser *p, struct cot_given_event *event, const struct cot_given_value ***end,
                        bool *ret_more)
{
    struct {
        const char *word, *what;
        struct cot_text *text;
        double *number;
    } const details[] = {{"item", "the item in quotes", &event->item, NULL},
                         {"category", "the item's category in quotes", &event->category, NULL},
                         {"brand", "the item's brand in quotes", &event->brand, NULL},
                         {"order", "the order's key in quotes", &event->order, NULL},
                         {"amount", NULL, NULL, &event->amount},
                         {"quantity", NULL, NULL, &event->quantity},
                         {"discount", NULL, NULL, &event->discount}};
    *ret_more = true;
    for (size_t i = 0; i < sizeof details / sizeof *details; i++)
        if (take_word(p, details[i].word))
            return details[i].text != NULL ? read_text_of(p, details[i].what, 1000, details[i].text)
                                           : read_number(p, details[i].number);
    if (take_word(p, "channel"))
        return read_channel(p, &event->channel);
    if (take_word(p, "property"))
        return read_given_value(p, "the property's key in quotes", end);
    *ret_more = false;
    return true;
}

static bool read_kind(struct parser *p, struct cot_given_event *event)
{
    if (p->token.kind == TOKEN_TEXT) {
        event->kind = COT_EVENT_CUSTOM;
        return read_text_of(p, "the event's name in quotes", 256, &event->name);
    }
    if (p->token.kind != TOKEN_WORD ||
        !cot_event_kind_from_name(p->text + p->token.offset, p->token.size, &event->kind))
        return expected(p, "a kind of event (order_line, refund, page_view, product_view, cart_add, ...), an event's "
                           "name in quotes, trait or segment");
    advance(p);
    return true;
}

static bool has_money(enum cot_event_kind kind)
{
    return kind == COT_EVENT_ORDER_LINE || kind == COT_EVENT_REFUND;
}

static bool read_event(struct file_parser *f, int64_t at_ms, const struct cot_given_event ***end)
{
    struct parser *p = &f->p;
    size_t offset = p->token.offset;
    struct cot_given_event *event = allocate(p, 1, sizeof *event);
    bool more = true;
    if (event == NULL)
        return false;
    const struct cot_given_value **properties = &event->properties;
    event->amount = event->quantity = event->discount = (double)NAN;
    if (!read_kind(p, event) || !read_when(f, at_ms, &event->at_ms))
        return false;
    while (more)
        if (!read_detail(p, event, &properties, &more))
            return false;
    if (has_money(event->kind) && isnan(event->amount))
        return fail_at(p, offset, "an order_line or refund has an amount: 'amount 49.90'");
    if (!has_money(event->kind) && event->name.data == NULL &&
        !(isnan(event->amount) && isnan(event->quantity) && isnan(event->discount) && event->order.data == NULL))
        return fail_at(p, offset, "only order_line and refund have amount, quantity, discount and order");
    if (event->quantity <= 0)
        return fail_at(p, offset, "a quantity is more than nothing");
    if (fabs(event->amount) > 1e12 || fabs(event->discount) > 1e12 || fabs(event->quantity) > 1e9)
        return fail_at(p, offset, "an amount or quantity beyond what can be");
    **end = event;
    *end = &event->next;
    return true;
}

/* Where the lists of a test end. */
struct test_ends {
    const struct cot_given_event **events;
    const struct cot_given_value **traits;
    const struct cot_given_segment **segments;
    const struct cot_segment_expectation **expectations;
};

static bool read_given(struct file_parser *f, const struct cot_segment_test *test, struct test_ends *ends)
{
    struct parser *p = &f->p;
    if (take_word(p, "trait"))
        return read_given_value(p, "the trait's name in quotes", &ends->traits);
    if (!take_word(p, "segment"))
        return read_event(f, test->at_ms, &ends->events);
    size_t offset = p->token.offset;
    struct cot_given_segment *given = allocate(p, 1, sizeof *given);
    if (given == NULL || !read_text_of(p, "the segment's name in quotes", COT_RULE_MAX_NAME, &given->name))
        return false;
    if (!asks_for(f->file->rule, given->name))
        return fail_at(p, offset, "the rule does not ask for segment \"%.*s\"", (int)given->name.size,
                       given->name.data);
    *ends->segments = given;
    ends->segments = &given->next;
    return true;
}

static unsigned line_of(const struct parser *p, size_t offset)
{
    struct cot_rule_place place;
    place_of(p, offset, &place);
    return place.line;
}

static bool read_expect(struct file_parser *f, const struct cot_segment_test *test, size_t offset, int64_t *after_ms,
                        struct test_ends *ends)
{
    struct parser *p = &f->p;
    int64_t ms = 0;
    struct cot_segment_expectation *expectation = allocate(p, 1, sizeof *expectation);
    if (expectation == NULL)
        return false;
    expectation->member = !take_word(p, "not");
    expectation->line = line_of(p, offset);
    if (!need_word(p, "member", expectation->member ? "'member' or 'not member'" : "'member'"))
        return false;
    if (p->token.kind == TOKEN_NUMBER && (!read_duration(p, &ms) || !need_word(p, "later", "'later'")))
        return false;
    if (ms < *after_ms)
        return fail_at(p, offset, "it is expected at an earlier time than the one before: write them in order of time");
    expectation->at_ms = test->at_ms + ms;
    *after_ms = ms;
    *ends->expectations = expectation;
    ends->expectations = &expectation->next;
    return in_range(p, offset, expectation->at_ms);
}

static bool read_test(struct file_parser *f, const struct cot_segment_test ***end)
{
    struct parser *p = &f->p;
    struct cot_segment_test *test = allocate(p, 1, sizeof *test);
    int64_t after_ms = 0;
    if (test == NULL)
        return false;
    struct test_ends ends = {&test->events, &test->traits, &test->segments, &test->expectations};
    if (!need_word(p, "test", "'and', 'or', 'test' or the end") ||
        !read_text_of(p, "the test's name in quotes", 200, &test->name) ||
        !need_word(p, "at", "'at' and the moment of the test") || !read_moment(f, &test->at_ms))
        return false;
    while (take_word(p, "given"))
        if (!read_given(f, test, &ends))
            return false;
    for (size_t offset = p->token.offset; take_word(p, "expect"); offset = p->token.offset)
        if (!read_expect(f, test, offset, &after_ms, &ends))
            return false;
    if (test->expectations == NULL)
        return expected(p, "'given' or 'expect'");
    **end = test;
    *end = &test->next;
    return true;
}

static bool read_zone(struct file_parser *f)
{
    struct parser *p = &f->p;
    struct cot_err why = {0};
    size_t offset = p->token.offset;
    if (!read_string_of(p, "the time zone in quotes", 100, &f->file->zone))
        return false;
    return cot_zone_open(f->file->zone, &f->zone, &why) == COT_OK || fail_at(p, offset, "%s", why.message);
}

/* The rule goes up to the first test, whose word no rule has. It is parsed by itself. */
static bool read_rule(struct file_parser *f)
{
    struct parser *p = &f->p;
    struct cot_rule_place begin;
    size_t offset = p->token.offset;
    while (p->token.kind != TOKEN_END && p->token.kind != TOKEN_BAD && !is_word(p, "test"))
        advance(p);
    size_t end = p->token.kind == TOKEN_BAD ? p->size : p->end;
    place_of(p, offset, &begin);
    p->rc = cot_segment_rule_parse_in(p->text + offset, end > offset ? end - offset : 0, &begin, &f->file->rule,
                                      p->place, p->err);
    if (p->rc != COT_OK)
        return false;
    const struct cot_text own = {f->file->name, (uint32_t)strlen(f->file->name)};
    return !asks_for(f->file->rule, own) || fail_at(p, offset, "the rule asks for its own segment");
}

static bool read_file(struct file_parser *f)
{
    struct parser *p = &f->p;
    struct cot_segment_file *file = f->file;
    const struct cot_segment_test **end = &file->tests;
    file->description = "";
    file->zone = "UTC";
    advance(p);
    if (!need_word(p, "segment", "'segment' and the segment's name") ||
        !read_string_of(p, "the segment's name in quotes", COT_RULE_MAX_NAME, &file->name))
        return false;
    if (take_word(p, "description") && !read_string_of(p, "the description in quotes", 2000, &file->description))
        return false;
    if (take_word(p, "zone") && !read_zone(f))
        return false;
    if (!need_word(p, "rule", "'rule' (before it, description and zone)") || !read_rule(f))
        return false;
    while (p->token.kind != TOKEN_END)
        if (!read_test(f, &end))
            return false;
    return true;
}

/* What is kept and shown is text: UTF-8 without NUL. */
static bool check_text(struct parser *p)
{
    for (size_t i = 0, offset = 0; i < p->size; offset = i) {
        UChar32 c;
        U8_NEXT((const uint8_t *)p->text, i, p->size, c);
        if (c <= 0)
            return fail_at(p, offset, "a byte that is no text in UTF-8");
    }
    return true;
}

cot_code cot_segment_file_parse(const char *text, size_t size, struct cot_segment_file **ret_file,
                                struct cot_rule_place *ret_place, struct cot_err *err)
{
    if (ret_place != NULL)
        *ret_place = (struct cot_rule_place){0, 1, 1};
    if (size > COT_SEGMENT_FILE_MAX_SIZE)
        return cot_fail(err, COT_LIMIT, "a segment file of %zu bytes: %d are the limit", size,
                        COT_SEGMENT_FILE_MAX_SIZE);
    struct cot_segment_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return cot_fail(err, COT_NOMEM, "a segment file");
    struct file_parser f = {
        .file = file,
        .p = {.size = size, .noun = "file", .begin = {0, 1, 1}, .arena = &file->arena, .err = err, .place = ret_place}};
    f.p.text = file->text = cot_arena_copy(&file->arena, text, size);
    if (f.p.text == NULL)
        f.p.rc = cot_fail(err, COT_NOMEM, "a segment file");
    else if (check_text(&f.p))
        (void)read_file(&f);
    cot_zone_free(f.zone);
    if (f.p.rc == COT_OK)
        *ret_file = file;
    else
        cot_segment_file_free(file);
    return f.p.rc;
}

void cot_segment_file_free(struct cot_segment_file *file)
{
    if (file == NULL)
        return;
    cot_segment_rule_free(file->rule);
    cot_arena_release(&file->arena);
    free(file);
}

const char *cot_segment_file_text(const struct cot_segment_file *file)
{
    return file->text;
}

const char *cot_segment_file_name(const struct cot_segment_file *file)
{
    return file->name;
}

const char *cot_segment_file_description(const struct cot_segment_file *file)
{
    return file->description;
}

const char *cot_segment_file_zone(const struct cot_segment_file *file)
{
    return file->zone;
}

const struct cot_segment_rule *cot_segment_file_rule(const struct cot_segment_file *file)
{
    return file->rule;
}

const struct cot_segment_test *cot_segment_file_tests(const struct cot_segment_file *file)
{
    return file->tests;
}
