/*
 * Random rules of segments, and a naive reference that finds everything anew from what was said, by the letter of
 * docs/segment-rules.md (test_rule_segments.c).
 */
#ifndef COT_TESTS_UNIT_ENGINE_NAIVE_RULES_H
#define COT_TESTS_UNIT_ENGINE_NAIVE_RULES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/rule_segments.h"

enum { N_NODES = 9, N_ITEMS = 5, N_STEPS = 120, MAX_SAID = N_STEPS + 1, MAX_STEPS = 3 };

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

#endif
