/*
 * Rule segments over a shop in memory against a naive reference, at every step: random rules over random streams of
 * events that come late, early, are taken back; of customers who become one and part; of products that change their
 * category, traits that change; on a clock with summer time, which stops just before and at the moments at which
 * membership turns. The reference keeps what was said and finds everything anew, by the letter of
 * docs/segment-rules.md.
 */
#include "engine/rule_segments.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/rng.h"
#include "unit/engine/scratch.h"

enum { N_NODES = 9, N_ITEMS = 5, N_STREAMS = 25, N_RULES = 20, N_STEPS = 120, MAX_SAID = N_STEPS + 1, MAX_STEPS = 3 };

#define HOUR COT_MS_PER_HOUR
#define DAY COT_MS_PER_DAY
#define START_MS INT64_C(1585180800000) /* 2020-03-26, days before clocks go forward in London */

/* What was said */

static const char *const kind_words[] = {"order_line",     "cart_add",         "page_view",
                                         "\"Quiz Taken\"", "\"video played\"", "any"};
enum { N_KINDS = 5, ANY = 5 };
static const enum cot_event_kind kinds[N_KINDS] = {COT_EVENT_ORDER_LINE, COT_EVENT_CART_ADD, COT_EVENT_PAGE_VIEW,
                                                   COT_EVENT_CUSTOM, COT_EVENT_CUSTOM};
static const char *const names[N_KINDS] = {"", "", "", "Quiz taken", "Video Played"};
static const char *const sizes[] = {"L", "xl", "7"};

struct said {
    unsigned kind, node;
    int64_t at_ms;
    int item; /* -1: none */
    enum cot_channel channel;
    int64_t amount_minor;
    uint64_t order;
    int length; /* property "length", -1: not said */
    int size;   /* property "size", of sizes; -1 */
    bool taken_back;
};

struct link {
    unsigned a, b;
    int op;
    int64_t at_ms;
};

struct trait {
    unsigned node, key;
    int value;
    int64_t at_ms;
};

struct shop {
    struct cot_live_shop *live;
    struct cot_import_shop import;
    struct cot_rule_segments *segments;
    int64_t now_ms;
    struct cot_rng rng;
    struct said said[MAX_SAID];
    struct link links[MAX_SAID];
    struct trait traits[MAX_SAID];
    size_t n_said, n_links, n_traits;
    int categories[N_ITEMS]; /* -1: none */
    int64_t category_ms[N_ITEMS];
};

static unsigned below(struct shop *shop, unsigned n)
{
    return (unsigned)cot_rng_below(&shop->rng, n);
}

/* Rules: what is meant, and its text */

enum form { COUNT, SUM, LARGEST, DISTINCT, FIRST, LAST, SINCE_FIRST, SINCE_LAST, TRAIT, SEGMENT, SEQUENCE, N_FORMS };
enum what { ITEM, CATEGORY, CHANNEL, ORDER, DATE, AMOUNT, LENGTH, SIZE };
enum filter { NO_FILTER, IS_ITEM, IS_NOT_ITEM, IS_CATEGORY, HAS_AMOUNT, HAS_LENGTH, IS_SIZE, SAYS_SIZE, N_FILTERS };
enum window { EVER, WITHIN, SINCE_DATE, BEFORE_DATE, BETWEEN, SINCE_DAY, SINCE_WEEK, SINCE_MONTH, N_WINDOWS };

static const char *const what_words[] = {
    "item", "category", "channel", "order", "day", "amount", "property \"length\"", "property \"size\""};
static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">="};

struct events {
    unsigned kind;
    enum filter filter;
    int number;
};

struct condition {
    enum form form;
    struct events events[3];
    enum what what;
    enum window window;
    int64_t within_ms;
    int since_day, before_day;
    int op;
    int number;
    unsigned key;
    int64_t gaps_ms[3];
    unsigned n_steps;
    bool last_is_absent;
};

/* Two or three conditions: how they are joined. */
struct rule {
    struct condition conditions[3];
    unsigned how;
    char text[1200];
};
static const char *const joins[] = {"%s and not (%s or %s)", "(%s or %s) and %s", "not %s and (%s or not %s)",
                                    "%s or %s and %s"};

static bool joined(unsigned how, const bool *c)
{
    switch (how) {
    case 0: return c[0] && !(c[1] || c[2]);
    case 1: return (c[0] || c[1]) && c[2];
    case 2: return !c[0] && (c[1] || !c[2]);
    default: return c[0] || (c[1] && c[2]);
    }
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
    size_t n = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, 380 - n, format, args);
    va_end(args);
}

static void make_events(struct shop *shop, struct events *events)
{
    events->kind = below(shop, N_KINDS + 1);
    events->filter = (enum filter)(below(shop, 2) == 0 ? NO_FILTER : below(shop, N_FILTERS));
    events->number = (int)below(shop, 3);
}

static void say_events(const struct events *events, const char *of, char *text)
{
    append(text, "%s%s%s", kind_words[events->kind], of != NULL ? "." : "", of != NULL ? of : "");
    switch (events->filter) {
    case IS_ITEM: append(text, " where item = \"p%d\"", events->number); break;
    case IS_NOT_ITEM: append(text, " where item != \"p%d\"", events->number); break;
    case IS_CATEGORY: append(text, " where category in (\"c%d\", \"none\")", events->number); break;
    case HAS_AMOUNT: append(text, " where amount >= %d.5", events->number); break;
    case HAS_LENGTH: append(text, " where property \"length\" > %d", events->number); break;
    case IS_SIZE: append(text, " where property \"size\" = \"%s\"", sizes[events->number]); break;
    case SAYS_SIZE: append(text, " where property \"size\" exists and channel != \"app\""); break;
    default: break;
    }
}

static void make_window(struct shop *shop, struct condition *c)
{
    c->window = (enum window)(below(shop, 3) == 0 ? EVER : below(shop, N_WINDOWS));
    c->within_ms = (1 + (int64_t)below(shop, 60)) * (below(shop, 2) == 0 ? 60000 * 7 : HOUR);
    c->since_day = (int)below(shop, 6);
    c->before_day = c->since_day + 1 + (int)below(shop, 4);
}

static void say_window(const struct condition *c, char *text)
{
    char since[16];
    char before[16];
    cot_format_date(START_MS + c->since_day * DAY, since, sizeof since);
    cot_format_date(START_MS + c->before_day * DAY, before, sizeof before);
    switch (c->window) {
    case WITHIN: append(text, " within %lld minutes", (long long)(c->within_ms / 60000)); break;
    case SINCE_DATE: append(text, " since %s", since); break;
    case BEFORE_DATE: append(text, " before %s", before); break;
    case BETWEEN: append(text, " between %s and %s", since, before); break;
    case SINCE_DAY: append(text, " since start of day"); break;
    case SINCE_WEEK: append(text, " since start of week"); break;
    case SINCE_MONTH: append(text, " since start of month"); break;
    default: break;
    }
}

static void make_condition(struct shop *shop, unsigned n_rules, struct condition *c)
{
    c->form = below(shop, 5) == 0 ? SEQUENCE : (enum form)below(shop, N_FORMS);
    if (c->form == SEGMENT && n_rules == 0)
        c->form = COUNT;
    for (int i = 0; i < 3; i++)
        make_events(shop, &c->events[i]);
    make_window(shop, c);
    c->what = (enum what)below(shop, 8);
    if (c->form == SUM || c->form == LARGEST)
        c->what = below(shop, 2) == 0 ? AMOUNT : LENGTH;
    if ((c->form == FIRST || c->form == LAST) && (c->what == ORDER || c->what == DATE))
        c->what = ITEM;
    c->op = (int)below(shop, 6);
    c->number = (int)below(shop, c->form == SUM ? 20 : 4);
    c->key = c->form == SEGMENT ? below(shop, n_rules) : below(shop, 2);
    c->n_steps = 2 + below(shop, 2);
    c->last_is_absent = below(shop, 2) == 0;
    for (int i = 0; i < 3; i++)
        c->gaps_ms[i] = below(shop, 3) == 0 && i + 1 < (int)c->n_steps ? 0 : (1 + (int64_t)below(shop, 40)) * HOUR;
}

static bool is_word(enum what what)
{
    return what == ITEM || what == CATEGORY || what == CHANNEL || what == SIZE;
}

/* The word that a number stands for. */
static const char *word_of(enum what what, int number, char buffer[16])
{
    static const char *const channels[] = {"web", "app", "store", "email"};
    if (what == CHANNEL)
        return channels[number % 4];
    if (what == SIZE)
        return sizes[number % 3];
    snprintf(buffer, 16, "%c%d", what == ITEM ? 'p' : 'c', number);
    return buffer;
}

static void say_condition(const struct condition *c, char *text)
{
    static const char *const forms[] = {"count", "sum",  "max",         "distinct",
                                        "first", "last", "since_first", "since_last"};
    char buffer[16];
    switch (c->form) {
    case TRAIT:
        if (c->op >= 2)
            append(text, "trait \"t%u\" %s %d", c->key, ops[c->op], c->number);
        else if (c->number == 0)
            append(text, "trait \"t%u\" exists", c->key);
        else
            append(text, "trait \"t%u\" %s \"%d\"", c->key, ops[c->op], c->number);
        return;
    case SEGMENT: append(text, "segment \"s%u\"", c->key); return;
    case SEQUENCE:
        append(text, "sequence(");
        for (unsigned i = 0; i < c->n_steps; i++) {
            bool absent = i + 1 == c->n_steps && c->last_is_absent;
            append(text, "%s%s", i > 0 ? " then " : "", absent ? "not " : "");
            say_events(&c->events[i], NULL, text);
            if (i > 0 && (c->gaps_ms[i] > 0 || absent))
                append(text, " within %lld hours", (long long)(c->gaps_ms[i] / HOUR));
        }
        append(text, ")");
        say_window(c, text);
        return;
    default: break;
    }
    bool bare = c->form == COUNT || c->form == SINCE_FIRST || c->form == SINCE_LAST;
    append(text, "%s(", forms[c->form]);
    say_events(&c->events[0], bare ? NULL : what_words[c->what], text);
    append(text, ")");
    say_window(c, text);
    if ((c->form == FIRST || c->form == LAST) && is_word(c->what))
        append(text, " %s \"%s\"", c->op % 2 == 0 ? "=" : "!=", word_of(c->what, c->number, buffer));
    else
        append(text, " %s %d%s", ops[c->op], c->form >= SINCE_FIRST ? c->number + 1 : c->number,
               c->form >= SINCE_FIRST ? " hours" : "");
}

/* The reference */

struct scene {
    const struct shop *shop;
    const struct said *events[MAX_SAID]; /* of the customer, at or before now, in order */
    size_t n;
    bool members[N_NODES];
    const struct rule *rules;
};

static bool is_linked(const struct shop *shop, unsigned a, unsigned b)
{
    const struct link *best = NULL;
    for (size_t i = 0; i < shop->n_links; i++) {
        const struct link *link = &shop->links[i];
        bool same = (link->a == a && link->b == b) || (link->a == b && link->b == a);
        if (same && link->at_ms <= shop->now_ms && (best == NULL || link->at_ms >= best->at_ms))
            best = link;
    }
    return best != NULL && best->op > 0;
}

static void gather(struct scene *scene, unsigned node)
{
    scene->members[node] = true;
    for (unsigned other = 0; other < N_NODES; other++)
        if (!scene->members[other] && is_linked(scene->shop, node, other))
            gather(scene, other);
}

static int by_time(const void *a, const void *b)
{
    const struct said *x = *(const struct said *const *)a;
    const struct said *y = *(const struct said *const *)b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void scene_make(const struct shop *shop, const struct rule *rules, unsigned node, struct scene *scene)
{
    *scene = (struct scene){.shop = shop, .rules = rules};
    gather(scene, node);
    for (size_t i = 0; i < shop->n_said; i++)
        if (scene->members[shop->said[i].node] && !shop->said[i].taken_back && shop->said[i].at_ms <= shop->now_ms)
            scene->events[scene->n++] = &shop->said[i];
    qsort(scene->events, scene->n, sizeof *scene->events, by_time);
}

static bool is_somebody(const struct scene *scene)
{
    bool any = scene->n > 0;
    for (size_t i = 0; i < scene->shop->n_traits; i++)
        any |= scene->members[scene->shop->traits[i].node];
    return any;
}

static bool passes(const struct scene *scene, const struct said *e, const struct events *events)
{
    if (events->kind != ANY && e->kind != events->kind)
        return false;
    switch (events->filter) {
    case IS_ITEM: return e->item == events->number;
    case IS_NOT_ITEM: return e->item >= 0 && e->item != events->number;
    case IS_CATEGORY: return e->item >= 0 && scene->shop->categories[e->item] == events->number;
    case HAS_AMOUNT: return e->kind == 0 && (double)e->amount_minor / 100 >= events->number + .5;
    case HAS_LENGTH: return e->length > events->number;
    case IS_SIZE: return e->size == events->number;
    case SAYS_SIZE: return e->size >= 0 && e->channel != COT_CHANNEL_APP;
    default: return true;
    }
}

/* The midnight at which the current day, week or month began: back by days until one is its first. */
static int64_t began_at(const struct shop *shop, enum window window)
{
    const struct cot_zone *zone = shop->live->zone;
    int64_t days = cot_ms_to_days(cot_zone_local(zone, shop->now_ms));
    for (;; days--) {
        struct cot_civil civil;
        cot_civil_from_ms(days * DAY, &civil);
        if (window == SINCE_DAY || (window == SINCE_WEEK ? cot_weekday(days) == 0 : civil.day == 1))
            return cot_zone_utc(zone, days * DAY);
    }
}

static bool in_window(const struct scene *scene, const struct condition *c, const struct said *e)
{
    const struct cot_zone *zone = scene->shop->live->zone;
    int64_t since_ms = cot_zone_utc(zone, START_MS + c->since_day * DAY);
    int64_t before_ms = cot_zone_utc(zone, START_MS + c->before_day * DAY);
    switch (c->window) {
    case WITHIN: return scene->shop->now_ms - e->at_ms < c->within_ms;
    case SINCE_DATE: return e->at_ms >= since_ms;
    case BEFORE_DATE: return e->at_ms < before_ms;
    case BETWEEN: return e->at_ms >= since_ms && e->at_ms < before_ms;
    case SINCE_DAY:
    case SINCE_WEEK:
    case SINCE_MONTH: return e->at_ms >= began_at(scene->shop, c->window);
    default: return true;
    }
}

static bool compare(double value, int op, double with)
{
    return op == 0   ? value == with
           : op == 1 ? value != with
           : op == 2 ? value < with
           : op == 3 ? value <= with
           : op == 4 ? value > with
                     : value >= with;
}

/* What an event has of something, as a number of its own; -1: nothing. */
static double value_of(const struct scene *scene, const struct said *e, enum what what)
{
    switch (what) {
    case ITEM: return e->item;
    case CATEGORY: return e->item >= 0 ? scene->shop->categories[e->item] : -1;
    case CHANNEL: return e->channel;
    case ORDER: return e->kind == 0 ? (double)e->order : -1;
    case DATE: return (double)cot_ms_to_days(cot_zone_local(scene->shop->live->zone, e->at_ms));
    case AMOUNT: return e->kind == 0 ? (double)e->amount_minor / 100 : -1;
    case LENGTH: return e->length;
    case SIZE: return e->size;
    }
    return -1;
}

static bool holds_trait(const struct scene *scene, const struct condition *c)
{
    const struct trait *best = NULL;
    for (size_t i = 0; i < scene->shop->n_traits; i++) {
        const struct trait *trait = &scene->shop->traits[i];
        if (scene->members[trait->node] && trait->key == c->key && trait->at_ms <= scene->shop->now_ms &&
            (best == NULL || trait->at_ms >= best->at_ms))
            best = trait;
    }
    return best != NULL && ((c->op < 2 && c->number == 0) || compare(best->value, c->op, c->number));
}

/* Every way of taking the steps one after the other. */
static bool follows(const struct scene *scene, const struct condition *c, unsigned step, size_t from, int64_t last_ms)
{
    const struct said *const *events = scene->events;
    bool absent = step + 1 == c->n_steps && c->last_is_absent;
    if (step >= c->n_steps || step >= MAX_STEPS)
        return true;
    int64_t gap_ms = step > 0 ? c->gaps_ms[step] : 0;
    for (size_t i = from; i < scene->n; i++) {
        bool is_it = in_window(scene, c, events[i]) && passes(scene, events[i], &c->events[step]) &&
                     (gap_ms == 0 || events[i]->at_ms - last_ms <= gap_ms);
        if (is_it && absent)
            return false;
        if (is_it && follows(scene, c, step + 1, i + 1, events[i]->at_ms))
            return true;
    }
    return absent && scene->shop->now_ms - last_ms > gap_ms;
}

static bool rule_holds(const struct scene *scene, const struct rule *rule);

static bool holds(const struct scene *scene, const struct condition *c)
{
    static const int channels[] = {COT_CHANNEL_WEB, COT_CHANNEL_APP, COT_CHANNEL_STORE, COT_CHANNEL_EMAIL};
    double seen[MAX_SAID];
    size_t n_seen = 0;
    size_t n = 0;
    double sum = 0;
    double largest = (double)NAN;
    const struct said *first = NULL;
    const struct said *last = NULL;
    if (c->form == TRAIT)
        return holds_trait(scene, c);
    if (c->form == SEGMENT)
        return rule_holds(scene, &scene->rules[c->key]);
    if (c->form == SEQUENCE)
        return follows(scene, c, 0, 0, 0);
    for (size_t i = 0; i < scene->n; i++) {
        const struct said *e = scene->events[i];
        if (!passes(scene, e, &c->events[0]) || !in_window(scene, c, e))
            continue;
        double value = value_of(scene, e, c->what);
        bool is_new = value >= 0;
        for (size_t j = 0; j < n_seen; j++)
            is_new &= seen[j] != value;
        if (is_new)
            seen[n_seen++] = value;
        n++;
        sum += value >= 0 ? value * 100 : 0;
        largest = value >= 0 && !(largest >= value) ? value : largest;
        first = first == NULL ? e : first;
        last = e;
    }
    const struct said *end = c->form == FIRST || c->form == SINCE_FIRST ? first : last;
    switch (c->form) {
    case COUNT: return compare((double)n, c->op, c->number);
    case SUM: return compare(round(sum) / 100, c->op, c->number);
    case LARGEST: return !isnan(largest) && compare(largest, c->op, c->number);
    case DISTINCT: return compare((double)n_seen, c->op, c->number);
    case SINCE_FIRST:
    case SINCE_LAST:
        return end != NULL &&
               compare((double)(scene->shop->now_ms - end->at_ms), c->op, (double)((c->number + 1) * HOUR));
    default: break;
    }
    double value = end != NULL ? value_of(scene, end, c->what) : -1;
    double with = c->what == CHANNEL ? channels[c->number % 4] : c->what == SIZE ? c->number % 3 : c->number;
    return value >= 0 && compare(value, is_word(c->what) ? c->op % 2 : c->op, with);
}

static bool rule_holds(const struct scene *scene, const struct rule *rule)
{
    bool parts[3];
    for (int i = 0; i < 3; i++)
        parts[i] = holds(scene, &rule->conditions[i]);
    return joined(rule->how, parts);
}

/* The shop */

static void shop_open(struct shop *shop, uint64_t seed)
{
    struct cot_err err = {0};
    struct cot_zone *zone = NULL;
    struct cot_dict keys;
    char name[16];
    uint32_t ignored = 0;
    *shop = (struct shop){.now_ms = START_MS};
    cot_rng_init(&shop->rng, seed);
    cot_dict_init(&keys);
    assert_int_equal(cot_dict_add(&keys, 0, "length", 6, &ignored, &err), COT_OK);
    assert_int_equal(cot_dict_add(&keys, 0, "size", 4, &ignored, &err), COT_OK);
    assert_int_equal(cot_zone_open("Europe/London", &zone, &err), COT_OK);
    assert_int_equal(cot_live_shop_new(zone, 100, &keys, &shop->live, &err), COT_OK);
    cot_dict_release(&keys);
    cot_dict_init(&shop->import.nodes);
    cot_dict_init(&shop->import.items);
    for (int i = 0; i < N_ITEMS; i++) {
        snprintf(name, sizeof name, "p%d", i);
        assert_int_equal(cot_dict_add(&shop->import.items, 0, name, strlen(name), &ignored, &err), COT_OK);
        shop->categories[i] = -1;
        shop->category_ms[i] = INT64_MIN;
    }
    assert_int_equal(cot_rule_segments_new(&shop->segments, &err), COT_OK);
    const struct cot_rule_shop over = {shop->live, &shop->import};
    assert_int_equal(cot_rule_segments_tick(shop->segments, &over, shop->now_ms, &err), COT_OK);
}

static void shop_close(struct shop *shop)
{
    cot_rule_segments_free(shop->segments);
    cot_live_shop_free(shop->live);
    cot_dict_release(&shop->import.nodes);
    cot_dict_release(&shop->import.items);
}

static void touch(struct shop *shop, unsigned node)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    assert_int_equal(cot_rule_segments_touch(shop->segments, &over, node, &err), COT_OK);
}

static int64_t random_time(struct shop *shop)
{
    switch (below(shop, 6)) {
    case 0: return shop->now_ms - (int64_t)below(shop, 4 * 24) * HOUR; /* late */
    case 1: return shop->now_ms + (int64_t)below(shop, 30) * HOUR;     /* ahead */
    default: return shop->now_ms;
    }
}

static void say_event(struct shop *shop)
{
    struct cot_err err = {0};
    char properties[100] = "";
    struct said *e = &shop->said[shop->n_said++];
    *e = (struct said){.kind = below(shop, N_KINDS),
                       .node = below(shop, N_NODES),
                       .at_ms = random_time(shop),
                       .item = (int)below(shop, N_ITEMS + 1) - 1,
                       .channel = (enum cot_channel)(1 + below(shop, 4)),
                       .amount_minor = (int64_t)below(shop, 700),
                       .order = 1 + below(shop, 6),
                       .length = (int)below(shop, 6) - 1,
                       .size = (int)below(shop, 4) - 1};
    if (e->length >= 0 && e->size >= 0)
        snprintf(properties, sizeof properties, "{\"length\":%d,\"other\":1,\"size\":\"%s\"}", e->length,
                 e->size == 0 ? "l" : sizes[e->size]);
    else if (e->length >= 0)
        snprintf(properties, sizeof properties, "{\"length\":\"%d.0\"}", e->length);
    else if (e->size >= 0)
        snprintf(properties, sizeof properties, "{\"size\":\"%s\"}", e->size == 1 ? "XL" : sizes[e->size]);
    struct cot_live_event event = {.node = e->node,
                                   .kind = kinds[e->kind],
                                   .channel = e->channel,
                                   .occurred_at_ms = e->at_ms,
                                   .item = e->item >= 0 ? (uint32_t)e->item : COT_NO_ITEM,
                                   .detail = 5,
                                   .order = e->order,
                                   .quantity = 1,
                                   .amount_minor = e->amount_minor,
                                   .discount_minor = COT_UNKNOWN_MINOR,
                                   .cost_minor = COT_UNKNOWN_MINOR};
    struct cot_text name = {names[e->kind], (uint32_t)strlen(names[e->kind])};
    struct cot_text text = {properties, (uint32_t)strlen(properties)};
    assert_int_equal(cot_live_shop_event(shop->live, &event, name, text, &err), COT_OK);
    touch(shop, e->node);
}

static void say_link(struct shop *shop)
{
    struct cot_err err = {0};
    unsigned a = below(shop, N_NODES - 1);
    struct link *link = &shop->links[shop->n_links++];
    *link = (struct link){a, a + 1 + below(shop, N_NODES - 1 - a), below(shop, 3) == 0 ? -1 : 1, random_time(shop)};
    const struct cot_link said = {link->a, link->b, link->op, link->at_ms, shop->now_ms};
    assert_int_equal(cot_live_add_link(shop->live->live, &said, &err), COT_OK);
    touch(shop, link->a);
    touch(shop, link->b);
}

static void say_trait(struct shop *shop)
{
    struct cot_err err = {0};
    char key[8];
    char value[8];
    struct trait *trait = &shop->traits[shop->n_traits++];
    *trait = (struct trait){below(shop, N_NODES), below(shop, 2), (int)below(shop, 4), random_time(shop)};
    snprintf(key, sizeof key, "t%u", trait->key);
    snprintf(value, sizeof value, "%d", trait->value);
    assert_int_equal(cot_live_shop_trait(shop->live, trait->node, (struct cot_text){key, 2},
                                         (struct cot_text){value, 1}, trait->value, trait->at_ms, &err),
                     COT_OK);
    touch(shop, trait->node);
}

static void say_item(struct shop *shop)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    char category[8];
    bool changed = false;
    unsigned item = below(shop, N_ITEMS);
    int number = (int)below(shop, 3);
    int64_t at_ms = shop->now_ms - (int64_t)below(shop, 3) * DAY;
    snprintf(category, sizeof category, "c%d", number);
    const struct cot_text words[3] = {{category, 2}, {"", 0}, {"", 0}};
    assert_int_equal(cot_live_shop_item(shop->live, item, words, at_ms, shop->now_ms, false, &changed, &err), COT_OK);
    if (at_ms >= shop->category_ms[item]) {
        shop->categories[item] = number;
        shop->category_ms[item] = at_ms;
    }
    if (changed)
        assert_int_equal(cot_rule_segments_touch_item(shop->segments, item, &err), COT_OK);
    assert_int_equal(cot_rule_segments_settle(shop->segments, &over, &err), COT_OK);
}

static void take_order_back(struct shop *shop)
{
    struct cot_err err = {0};
    unsigned node = below(shop, N_NODES);
    uint64_t order = 1 + below(shop, 6);
    assert_int_equal(cot_live_supersede_lines(shop->live->live, node, order, &err), COT_OK);
    for (size_t i = 0; i < shop->n_said; i++)
        shop->said[i].taken_back |=
            shop->said[i].node == node && shop->said[i].order == order && shop->said[i].kind == 0;
    touch(shop, node);
}

static void let_time_pass(struct shop *shop)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    int64_t next_ms = cot_rule_segments_next_ms(shop->segments, &over);
    int64_t to_ms = shop->now_ms + (int64_t)below(shop, 30 * 60) * 60000;
    if (next_ms != COT_RULE_NEVER && below(shop, 3) > 0)
        to_ms = next_ms - (below(shop, 2) == 0);
    if (to_ms > shop->now_ms)
        shop->now_ms = to_ms;
    assert_int_equal(cot_rule_segments_tick(shop->segments, &over, shop->now_ms, &err), COT_OK);
}

static void step(struct shop *shop)
{
    switch (below(shop, 12)) {
    case 0: say_link(shop); break;
    case 1: say_trait(shop); break;
    case 2: say_item(shop); break;
    case 3: take_order_back(shop); break;
    case 4:
    case 5:
    case 6:
    case 7: let_time_pass(shop); break;
    default: say_event(shop);
    }
}

static void make_rule(struct shop *shop, unsigned i_rule, struct rule *rule)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    struct cot_segment_rule *parsed = NULL;
    char parts[3][380] = {"", "", ""};
    char name[16];
    *rule = (struct rule){0};
    rule->how = below(shop, 4);
    for (int i = 0; i < 3; i++) {
        make_condition(shop, i_rule, &rule->conditions[i]);
        say_condition(&rule->conditions[i], parts[i]);
    }
    snprintf(rule->text, sizeof rule->text, joins[rule->how], parts[0], parts[1], parts[2]);
    snprintf(name, sizeof name, "s%u", i_rule);
    if (cot_rule_segments_check(shop->segments, name, rule->text, strlen(rule->text), &parsed, &err) != COT_OK)
        fail_msg("%s: %s", rule->text, err.message);
    assert_int_equal(cot_rule_segments_put(shop->segments, &over, name, 1, 0, parsed, &err), COT_OK);
}

static size_t index_of(const struct shop *shop, unsigned i_rule)
{
    char name[16];
    snprintf(name, sizeof name, "s%u", i_rule);
    for (size_t i = 0; i < cot_rule_segments_n(shop->segments); i++)
        if (strcmp(cot_rule_segments_at(shop->segments, i).name, name) == 0)
            return i;
    fail();
    return 0;
}

/* Everybody in every segment as the reference has it, and no more; returns how many. */
static uint64_t check(const struct shop *shop, const struct rule *rules, unsigned n_rules, int i_step)
{
    uint64_t n_all = 0;
    for (unsigned i = 0; i < n_rules; i++) {
        size_t place = index_of(shop, i);
        uint64_t n = 0;
        for (unsigned node = 0; node < N_NODES; node++) {
            struct scene scene;
            unsigned root = cot_live_root(shop->live->live, node);
            scene_make(shop, rules, node, &scene);
            for (unsigned before = 0; before < node; before++)
                assert_false(root == node && scene.members[before]); /* the smallest node stands for all */
            bool is_member = cot_rule_segments_has(shop->segments, place, node);
            bool wanted = root == node && is_somebody(&scene) && rule_holds(&scene, &rules[i]);
            if (is_member != wanted)
                fail_msg("step %d, node %u, s%u: %d, not %d: %s", i_step, node, i, is_member, wanted, rules[i].text);
            n += wanted;
        }
        assert_int_equal(cot_rule_segments_at(shop->segments, place).n_members, n);
        n_all += n;
    }
    return n_all;
}

static void test_random_rules_agree_with_the_reference_at_every_step(void **state)
{
    uint64_t n_members = 0;
    uint64_t n_checks = 0;
    (void)state;
    for (uint64_t stream = 0; stream < N_STREAMS; stream++) {
        struct shop *shop = malloc(sizeof *shop);
        struct rule *rules = calloc(N_RULES, sizeof *rules);
        assert_non_null(shop);
        assert_non_null(rules);
        shop_open(shop, 100 + stream);
        for (unsigned i = 0; i < N_RULES / 2; i++)
            make_rule(shop, i, &rules[i]);
        unsigned n_rules = N_RULES / 2;
        for (int i = 0; i < N_STEPS; i++) {
            if (i % 7 == 6 && n_rules < N_RULES) { /* others come while it goes on */
                make_rule(shop, n_rules, &rules[n_rules]);
                n_rules++;
            }
            unsigned i_changed = below(shop, n_rules);
            if (i % 11 == 10) /* some get another rule, which others ask for */
                make_rule(shop, i_changed, &rules[i_changed]);
            step(shop);
            n_members += check(shop, rules, n_rules, i);
            n_checks += n_rules * N_NODES;
        }
        assert_int_equal(n_rules, N_RULES);
        shop_close(shop);
        free(rules);
        free(shop);
    }
    assert_true(n_members > n_checks / 20 && n_members < n_checks - n_checks / 20); /* it says both */
}

/* A stored rule that can't be read: it has nobody and says why, and the others go on. */
static void test_a_rule_that_cannot_be_read(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct shop *shop = malloc(sizeof *shop);
    (void)state;
    assert_non_null(shop);
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_int_equal(
        cot_store_exec(
            store, &err,
            "insert into rule_segment (name, version, rule, created_at) values ('bad', 3, 'did(', now()::timestamp),"
            " ('good', 1, 'did(any where property \"length\" > 1)', now()::timestamp),"
            " ('gone', 1, 'did(any)', now()::timestamp), ('gone', 2, null, now()::timestamp),"
            " ('uses', 1, 'did(any) and not segment \"bad\"', now()::timestamp)"),
        COT_OK);
    shop_open(shop, 7);
    for (int i = 0; i < 20; i++)
        say_event(shop);
    const struct cot_rule_shop over = {shop->live, &shop->import};
    struct cot_rule_segments *segments = NULL;
    struct cot_dict keys;
    cot_dict_init(&keys);
    assert_int_equal(cot_rule_segments_keys(store, &keys, &err), COT_OK);
    assert_int_equal(keys.n, 1);
    cot_dict_release(&keys);
    assert_int_equal(cot_rule_segments_load(store, &over, &segments, &err), COT_OK);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    assert_int_equal(cot_rule_segments_n(segments), 3);
    assert_int_equal(cot_rule_segments_describe(segments, "bad", doc, root, &err), COT_OK);
    assert_int_equal(yyjson_mut_get_int(yyjson_mut_obj_get(root, "version")), 3);
    assert_int_equal(yyjson_mut_get_int(yyjson_mut_obj_get(root, "members")), 0);
    assert_non_null(strstr(yyjson_mut_get_str(yyjson_mut_obj_get(root, "error")), "line 1, column 5"));
    assert_true(cot_rule_segments_at(segments, 1).n_members > 0);
    assert_true(cot_rule_segments_at(segments, 2).n_members > 0);
    yyjson_mut_doc_free(doc);
    cot_rule_segments_free(segments);
    shop_close(shop);
    free(shop);
    cot_store_close(store);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_rules_agree_with_the_reference_at_every_step),
        cmocka_unit_test(test_a_rule_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
