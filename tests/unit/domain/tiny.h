/* A shop of a few customers, written down event by event. Customers are nodes until linked. */
#ifndef COT_TESTS_UNIT_DOMAIN_TINY_H
#define COT_TESTS_UNIT_DOMAIN_TINY_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "domain/history.h"

#define NONE COT_UNKNOWN_MINOR

struct tiny_event {
    uint32_t node;
    const char *at; /* ISO */
    enum cot_event_kind kind;
    enum cot_channel channel;
    uint64_t order; /* 0: none */
    uint32_t item;
    double quantity;
    int64_t amount_minor, discount_minor, cost_minor;
    uint32_t detail;
};

struct tiny_trait {
    uint32_t node;
    const char *key, *value; /* value NULL: a number */
    float number;
    const char *since; /* NULL: timeless */
};

struct tiny {
    struct cot_history history;
    struct cot_zone *zone;
    struct cot_customer_reader reader;
};

static inline int64_t tiny_time(const char *text)
{
    int64_t ms = 0;
    if (!cot_parse_iso(text, strlen(text), &ms))
        fail_msg("no time: %s", text);
    return ms;
}

static inline void tiny_fill(struct tiny *tiny, const struct tiny_event *events, size_t n)
{
    struct cot_err err = {0};
    struct cot_timelines *timelines = &tiny->history.timelines;
    struct cot_entry *scratch = malloc((n + 1) * sizeof *scratch);
    uint64_t used = 0;
    assert_non_null(scratch);
    for (uint32_t node = 0; node < timelines->n_nodes; node++) {
        timelines->starts[node] = used;
        for (size_t i = 0; i < n; i++) {
            const struct tiny_event *event = &events[i];
            uint32_t detail = event->detail;
            int64_t at_ms = tiny_time(event->at);
            if (event->node != node || at_ms > tiny->history.as_of_ms)
                continue;
            if (event->kind == COT_EVENT_ORDER_LINE || event->kind == COT_EVENT_REFUND) {
                struct cot_line line = {event->amount_minor, event->order, (float)event->quantity, 0};
                const struct cot_line_extra extra = {event->discount_minor, event->cost_minor, COT_NO_NOTE};
                assert_int_equal(cot_lines_add(&timelines->lines, &line, &extra, &detail, &err), COT_OK);
            }
            timelines->entries[used++] = cot_entry_make(at_ms, event->kind, event->channel, event->item, detail);
            if (at_ms < tiny->history.kind_since_ms[event->kind])
                tiny->history.kind_since_ms[event->kind] = at_ms;
        }
        cot_run_sort(timelines->entries + timelines->starts[node], (size_t)(used - timelines->starts[node]), scratch);
    }
    timelines->starts[timelines->n_nodes] = used;
    free(scratch);
}

static inline void tiny_add_traits(struct tiny *tiny, const struct tiny_trait *traits, size_t n)
{
    struct cot_err err = {0};
    struct cot_history *history = &tiny->history;
    uint32_t used = 0;
    for (uint32_t node = 0; node < history->timelines.n_nodes; node++) {
        history->trait_starts[node] = used;
        for (size_t i = 0; i < n; i++) {
            if (traits[i].node != node)
                continue;
            struct cot_trait_fact *fact = &history->traits[used++];
            *fact = (struct cot_trait_fact){.occurred_at_ms =
                                                traits[i].since != NULL ? tiny_time(traits[i].since) : COT_TIMELESS,
                                            .sequence = (uint32_t)i,
                                            .value = COT_DICT_NONE,
                                            .number = traits[i].value == NULL ? traits[i].number : NAN};
            assert_int_equal(
                cot_trait_words_key(&history->words, traits[i].key, strlen(traits[i].key), &fact->key, &err), COT_OK);
            if (traits[i].value != NULL)
                assert_int_equal(cot_dict_add(&history->words.values, 0, traits[i].value, strlen(traits[i].value),
                                              &fact->value, &err),
                                 COT_OK);
        }
    }
    history->trait_starts[history->timelines.n_nodes] = used;
}

/* roots NULL: every node is a customer. */
static inline void tiny_open(struct tiny *tiny, const char *zone, const char *as_of, uint32_t n_nodes,
                             const uint32_t *roots, const struct tiny_event *events, size_t n_events,
                             const struct tiny_trait *traits, size_t n_traits)
{
    struct cot_err err = {0};
    uint32_t *own = calloc(n_nodes, sizeof *own);
    bool *has_fact = calloc(n_nodes, sizeof *has_fact);
    memset(tiny, 0, sizeof *tiny);
    struct cot_history *history = &tiny->history;
    assert_int_equal(cot_zone_open(zone, &tiny->zone, &err), COT_OK);
    history->zone = tiny->zone;
    history->minor_per_unit = 100;
    /* A date means the end of that day on the shop's clock. */
    history->as_of_ms = strlen(as_of) > strlen("2020-01-01")
                            ? tiny_time(as_of)
                            : cot_zone_utc(tiny->zone, tiny_time(as_of) + COT_MS_PER_DAY) - 1;
    for (size_t kind = 0; kind < 128; kind++)
        history->kind_since_ms[kind] = INT64_MAX;
    history->timelines.n_nodes = n_nodes;
    history->timelines.starts = calloc((size_t)n_nodes + 1, sizeof *history->timelines.starts);
    history->timelines.entries = calloc(n_events + 1, sizeof *history->timelines.entries);
    history->trait_starts = calloc((size_t)n_nodes + 1, sizeof *history->trait_starts);
    history->traits = calloc(n_traits + 1, sizeof *history->traits);
    cot_dict_init(&history->categories);
    cot_dict_init(&history->subcategories);
    cot_dict_init(&history->brands);
    assert_int_equal(cot_trait_words_init(&history->words, &err), COT_OK);
    tiny_fill(tiny, events, n_events);
    tiny_add_traits(tiny, traits, n_traits);
    for (uint32_t i = 0; i < n_nodes; i++) {
        own[i] = roots != NULL ? roots[i] : i;
        has_fact[i] =
            cot_timelines_run(&history->timelines, i).n > 0 || history->trait_starts[i + 1] > history->trait_starts[i];
    }
    assert_int_equal(cot_people_init(&history->people, own, has_fact, n_nodes, &err), COT_OK);
    free(own);
    free(has_fact);
    tiny->reader.history = history;
}

/* Items get their categories and brands; "" is none. Prices come from the events. */
static inline void tiny_items(struct tiny *tiny, const char *const (*items)[2], uint32_t n_items)
{
    struct cot_err err = {0};
    struct cot_item_fact *facts = calloc((size_t)n_items + 1, sizeof *facts);
    for (uint32_t i = 0; i < n_items; i++) {
        facts[i] = (struct cot_item_fact){i, COT_DICT_NONE, COT_DICT_NONE, COT_DICT_NONE, 0, 0, true};
        if (items != NULL && items[i][0][0] != '\0')
            assert_int_equal(
                cot_dict_add(&tiny->history.categories, 0, items[i][0], strlen(items[i][0]), &facts[i].category, &err),
                COT_OK);
        if (items != NULL && items[i][1][0] != '\0')
            assert_int_equal(
                cot_dict_add(&tiny->history.brands, 0, items[i][1], strlen(items[i][1]), &facts[i].brand, &err),
                COT_OK);
    }
    assert_int_equal(
        cot_catalogue_init(&tiny->history.catalogue, n_items, facts, n_items, tiny->history.as_of_ms, &err), COT_OK);
    assert_int_equal(cot_history_price(&tiny->history, &err), COT_OK);
    free(facts);
}

static inline void tiny_close(struct tiny *tiny)
{
    cot_customer_reader_release(&tiny->reader);
    cot_history_release(&tiny->history);
    cot_zone_free(tiny->zone);
}

static inline float tiny_value(struct tiny *tiny, uint32_t i_customer, const char *name)
{
    struct cot_err err = {0};
    const struct cot_customer *customer = NULL;
    size_t j = cot_feature_find(name);
    if (j == SIZE_MAX)
        fail_msg("no feature %s", name);
    if (cot_customer_read(&tiny->reader, i_customer, &customer, &err) != COT_OK)
        fail_msg("%s", err.message);
    return cot_features[j].value(customer);
}

/* Equal to 6 digits; NaN expects NaN. */
static inline void tiny_expect(struct tiny *tiny, uint32_t i_customer, const char *name, double expected)
{
    double value = (double)tiny_value(tiny, i_customer, name);
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) <= 1e-6 + 2e-6 * fabs(expected)))
        fail_msg("%s of customer %u is %.9g, not %.9g", name, i_customer, value, expected);
}

#define TINY_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
