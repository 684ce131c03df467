/*
 * The definition of a feature is its replay: what the live state says of a customer on a day must equal, to the bit,
 * the replay of all facts with both times at or before that day. Random shops: late and future-dated events, refunds
 * with and without their order, superseded orders, merges and unmerges (late ones too), traits and changes of the
 * catalogue, runs of predictions, consent given and withdrawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/rng.h"
#include "domain/history.h"
#include "domain/live.h"

enum { N_NODES = 7, N_ITEMS = 9, N_DAYS = 420, MAX_FACTS = 400, N_SHOPS = 250, N_RUNS = 6, N_CONSENTS = 12 };

#define START_MS INT64_C(1577836800000) /* 2020-01-01: a leap year lies ahead */

enum fact_type { FACT_EVENT, FACT_SUPERSEDE, FACT_LINK, FACT_TRAIT, FACT_ITEM };

struct fact {
    enum fact_type type;
    int64_t recorded_ms;
    int64_t superseded_ms; /* events; INT64_MAX: never */
    struct cot_live_event event;
    struct cot_link link;
    uint32_t node;
    uint64_t order;
    struct cot_trait_fact trait;
    struct cot_item_fact item;
    size_t sequence;
};

/* What was predicted of some nodes from a moment on, in one horizon. */
struct run {
    int64_t said_ms;
    enum cot_predicted horizon;
    bool predicted[N_NODES];
    float values[N_NODES];
};

struct consent {
    uint32_t node;
    struct cot_consent_fact fact;
};

struct shop {
    struct run runs[N_RUNS];             /* by said_ms */
    struct consent consents[N_CONSENTS]; /* by occurred_at_ms, which is when they are recorded, too */
    struct fact facts[MAX_FACTS];
    size_t n;
    struct cot_trait_words words;
    uint32_t keys[4];
    uint32_t values[5];
    struct cot_zone *zone;
};

static int64_t random_time(struct cot_rng *rng)
{
    int64_t day = (int64_t)cot_rng_below(rng, N_DAYS - 20);
    bool midnight = cot_rng_below(rng, 6) == 0; /* data with dates only: many equal times */
    return START_MS + day * COT_MS_PER_DAY + (midnight ? 0 : (int64_t)cot_rng_below(rng, COT_MS_PER_DAY));
}

/* Mostly at once, often late, now and then before it happens. */
static int64_t random_recorded(struct cot_rng *rng, int64_t occurred_ms)
{
    uint64_t kind = cot_rng_below(rng, 10);
    int64_t delay = (int64_t)cot_rng_below(rng, 40 * COT_MS_PER_DAY);
    if (kind < 6)
        return occurred_ms;
    if (kind < 9)
        return occurred_ms + delay;
    return occurred_ms > START_MS + delay ? occurred_ms - delay : START_MS;
}

static void random_event(struct cot_rng *rng, struct fact *fact)
{
    static const enum cot_event_kind others[] = {
        COT_EVENT_PRODUCT_VIEW, COT_EVENT_SEARCH,      COT_EVENT_CART_ADD,  COT_EVENT_EMAIL_SENT,
        COT_EVENT_EMAIL_OPEN,   COT_EVENT_EMAIL_CLICK, COT_EVENT_COMPLAINT, COT_EVENT_CAMPAIGN_RESPONSE};
    bool line = cot_rng_below(rng, 10) < 5;
    bool refund = !line && cot_rng_below(rng, 10) < 3;
    fact->type = FACT_EVENT;
    fact->superseded_ms = INT64_MAX;
    fact->event = (struct cot_live_event){.node = (uint32_t)cot_rng_below(rng, N_NODES),
                                          .channel = (enum cot_channel)cot_rng_below(rng, 5),
                                          .occurred_at_ms = random_time(rng),
                                          .item = cot_rng_below(rng, 8) == 0 ? COT_NO_ITEM
                                                                             : (uint32_t)cot_rng_below(rng, N_ITEMS),
                                          .detail = (uint32_t)cot_rng_below(rng, 5),
                                          .discount_minor = COT_UNKNOWN_MINOR,
                                          .cost_minor = COT_UNKNOWN_MINOR};
    fact->recorded_ms = random_recorded(rng, fact->event.occurred_at_ms);
    fact->event.kind = line ? COT_EVENT_ORDER_LINE : refund ? COT_EVENT_REFUND : others[cot_rng_below(rng, 8)];
    if (!line && !refund)
        return;
    fact->event.order = cot_rng_below(rng, 4) == 0 ? 0 : 1 + cot_rng_below(rng, 12);
    fact->event.quantity = (double)cot_rng_below(rng, 5);
    fact->event.amount_minor = (int64_t)cot_rng_below(rng, 9000) * (refund ? -1 : 1);
    if (cot_rng_below(rng, 2) == 0)
        fact->event.discount_minor = (int64_t)cot_rng_below(rng, 3) * 50;
    if (cot_rng_below(rng, 2) == 0)
        fact->event.cost_minor = (int64_t)cot_rng_below(rng, 4000);
}

static void random_fact(struct cot_rng *rng, struct shop *shop, struct fact *fact)
{
    uint64_t type = cot_rng_below(rng, 100);
    int64_t occurred_ms = random_time(rng);
    *fact = (struct fact){.recorded_ms = random_recorded(rng, occurred_ms)};
    if (type < 72) {
        random_event(rng, fact);
    } else if (type < 78) {
        fact->type = FACT_SUPERSEDE;
        fact->node = (uint32_t)cot_rng_below(rng, N_NODES);
        fact->order = 1 + cot_rng_below(rng, 12);
    } else if (type < 88) {
        fact->type = FACT_LINK;
        fact->link = (struct cot_link){(uint32_t)cot_rng_below(rng, N_NODES), (uint32_t)cot_rng_below(rng, N_NODES),
                                       cot_rng_below(rng, 3) == 0 ? -1 : 1, occurred_ms, fact->recorded_ms};
    } else if (type < 95) {
        uint32_t key = shop->keys[cot_rng_below(rng, 4)];
        fact->type = FACT_TRAIT;
        fact->node = (uint32_t)cot_rng_below(rng, N_NODES);
        fact->trait = (struct cot_trait_fact){.occurred_at_ms = cot_rng_below(rng, 3) == 0 ? COT_TIMELESS : occurred_ms,
                                              .value = shop->values[cot_rng_below(rng, 5)],
                                              .number = cot_rng_below(rng, 2) == 0 ? (float)cot_rng_below(rng, 90)
                                                                                   : __builtin_nanf(""),
                                              .key = key};
    } else {
        fact->type = FACT_ITEM;
        fact->item = (struct cot_item_fact){.item = (uint32_t)cot_rng_below(rng, N_ITEMS),
                                            .category = (uint32_t)cot_rng_below(rng, 4),
                                            .subcategory = COT_DICT_NONE,
                                            .brand = (uint32_t)cot_rng_below(rng, 3),
                                            .occurred_at_ms = occurred_ms,
                                            .recorded_at_ms = fact->recorded_ms};
    }
}

static int time_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void random_runs(struct cot_rng *rng, struct shop *shop)
{
    int64_t times[N_RUNS + N_CONSENTS];
    for (size_t i = 0; i < N_RUNS + N_CONSENTS; i++)
        times[i] = random_time(rng);
    qsort(times, N_RUNS, sizeof *times, time_compare);
    qsort(times + N_RUNS, N_CONSENTS, sizeof *times, time_compare);
    for (size_t r = 0; r < N_RUNS; r++) {
        shop->runs[r].said_ms = times[r];
        shop->runs[r].horizon = (enum cot_predicted)cot_rng_below(rng, COT_N_PREDICTED);
        for (size_t node = 0; node < N_NODES; node++) {
            shop->runs[r].predicted[node] = cot_rng_below(rng, 2) == 0;
            shop->runs[r].values[node] = (float)cot_rng_below(rng, 1000) / 8;
        }
    }
    for (size_t i = 0; i < N_CONSENTS; i++)
        shop->consents[i] = (struct consent){
            (uint32_t)cot_rng_below(rng, N_NODES),
            {.occurred_at_ms = times[N_RUNS + i],
             .sequence = (uint32_t)i,
             .purpose = (uint8_t)(cot_rng_below(rng, 4) == 0 ? COT_PURPOSE_MARKETING : COT_PREDICTION_PURPOSE),
             .granted = cot_rng_below(rng, 2) == 0}};
}

static int fact_compare(const void *a, const void *b)
{
    const struct fact *x = a;
    const struct fact *y = b;
    if (x->recorded_ms != y->recorded_ms)
        return x->recorded_ms < y->recorded_ms ? -1 : 1;
    return x->sequence < y->sequence ? -1 : 1;
}

static void shop_make(struct shop *shop, uint64_t seed)
{
    static const char *const keys[4] = {"country", "age", "household_size", "income"};
    static const char *const values[5] = {"Germany", "France", "5+", "35-44", "under 15K"};
    struct cot_rng rng;
    struct cot_err err = {0};
    cot_rng_init(&rng, seed);
    memset(shop, 0, sizeof *shop);
    assert_int_equal(cot_trait_words_init(&shop->words, &err), COT_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(cot_trait_words_key(&shop->words, keys[i], strlen(keys[i]), &shop->keys[i], &err), COT_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(cot_dict_add(&shop->words.values, 0, values[i], strlen(values[i]), &shop->values[i], &err),
                         COT_OK);
    assert_int_equal(cot_zone_open(seed % 2 == 0 ? "America/New_York" : "Europe/London", &shop->zone, &err), COT_OK);
    shop->n = 20 + cot_rng_below(&rng, MAX_FACTS - 20);
    for (size_t i = 0; i < shop->n; i++) {
        random_fact(&rng, shop, &shop->facts[i]);
        shop->facts[i].sequence = i;
    }
    qsort(shop->facts, shop->n, sizeof *shop->facts, fact_compare);
    random_runs(&rng, shop);
    /* What a newer version of an order takes back: all that was recorded of it before. */
    for (size_t i = 0; i < shop->n; i++) {
        shop->facts[i].trait.sequence = (uint32_t)i;
        for (size_t j = 0; shop->facts[i].type == FACT_SUPERSEDE && j < i; j++) {
            struct fact *fact = &shop->facts[j];
            bool commerce = fact->type == FACT_EVENT &&
                            (fact->event.kind == COT_EVENT_ORDER_LINE || fact->event.kind == COT_EVENT_REFUND);
            if (commerce && fact->event.node == shop->facts[i].node && fact->event.order == shop->facts[i].order &&
                fact->superseded_ms == INT64_MAX)
                fact->superseded_ms = shop->facts[i].recorded_ms;
        }
    }
}

static void shop_release(struct shop *shop)
{
    cot_trait_words_release(&shop->words);
    cot_zone_free(shop->zone);
}

static bool event_is_seen(const struct fact *fact, uint32_t node, int64_t as_of_ms)
{
    return fact->type == FACT_EVENT && fact->event.node == node && fact->event.occurred_at_ms <= as_of_ms &&
           fact->recorded_ms <= as_of_ms && fact->superseded_ms > as_of_ms;
}

/* Events of one node into the history's timelines. */
static void replay_node(const struct shop *shop, struct cot_history *history, uint32_t node, int64_t as_of_ms)
{
    struct cot_timelines *timelines = &history->timelines;
    struct cot_entry scratch[MAX_FACTS];
    struct cot_err err = {0};
    uint64_t start = timelines->starts[node];
    uint64_t n = start;
    for (size_t i = 0; i < shop->n; i++) {
        const struct cot_live_event *event = &shop->facts[i].event;
        uint32_t detail = event->detail;
        if (!event_is_seen(&shop->facts[i], node, as_of_ms))
            continue;
        if (event->kind == COT_EVENT_ORDER_LINE || event->kind == COT_EVENT_REFUND) {
            struct cot_line line = {.amount_minor = event->amount_minor,
                                    .order = event->order,
                                    .quantity = event->quantity > 0 ? (float)event->quantity : 1};
            const struct cot_line_extra extra = {event->discount_minor, event->cost_minor, COT_NO_NOTE};
            assert_int_equal(cot_lines_add(&timelines->lines, &line, &extra, &detail, &err), COT_OK);
        }
        timelines->entries[n++] =
            cot_entry_make(event->occurred_at_ms, event->kind, event->channel, event->item, detail);
        if (event->occurred_at_ms < history->kind_since_ms[event->kind])
            history->kind_since_ms[event->kind] = event->occurred_at_ms;
    }
    cot_run_sort(timelines->entries + start, (size_t)(n - start), scratch);
    timelines->starts[node + 1] = n;
}

static void replay_traits(const struct shop *shop, struct cot_history *history, int64_t as_of_ms)
{
    uint32_t n = 0;
    for (uint32_t node = 0; node < N_NODES; node++) {
        history->trait_starts[node] = n;
        for (size_t i = 0; i < shop->n; i++) {
            const struct fact *fact = &shop->facts[i];
            if (fact->type == FACT_TRAIT && fact->node == node && fact->recorded_ms <= as_of_ms)
                history->traits[n++] = fact->trait;
        }
    }
    history->trait_starts[N_NODES] = n;
}

/* Puts what a run says into predictions: the last run of a horizon is the one that counts, for everybody. */
static void predict(struct cot_predictions *predictions, const struct run *run)
{
    struct cot_err err = {0};
    enum cot_predicted h = run->horizon;
    for (uint32_t node = 0; node < N_NODES; node++) {
        struct cot_prediction *row = NULL;
        assert_int_equal(cot_predictions_put(predictions, node, &row, &err), COT_OK);
        row->spend[h] = row->orders[h] = row->churn[h] = row->tier = __builtin_nanf("");
        row->next_order_ms = COT_NO_NEXT_ORDER;
        if (!run->predicted[node])
            continue;
        row->spend[h] = run->values[node];
        row->orders[h] = run->values[node] / 10;
        row->churn[h] = run->values[node] / 1000;
        row->tier = (float)(node % 4);
        row->next_order_ms = run->said_ms + (int64_t)run->values[node] * COT_MS_PER_DAY;
        row->next_said_ms = run->said_ms;
    }
}

static void replay_consents(const struct shop *shop, struct cot_history *history, int64_t as_of_ms)
{
    uint32_t n = 0;
    history->consent_starts = calloc(N_NODES + 1, sizeof *history->consent_starts);
    history->consents = malloc(N_CONSENTS * sizeof *history->consents);
    for (uint32_t node = 0; node < N_NODES; node++) {
        for (size_t i = 0; i < N_CONSENTS; i++)
            if (shop->consents[i].node == node && shop->consents[i].fact.occurred_at_ms <= as_of_ms)
                history->consents[n++] = shop->consents[i].fact;
        history->consent_starts[node + 1] = n;
    }
}

/* The whole shop as of a moment, from nothing. */
static void replay(const struct shop *shop, struct cot_history *history, int64_t as_of_ms)
{
    struct cot_err err = {0};
    struct cot_link links[MAX_FACTS];
    struct cot_item_fact items[MAX_FACTS];
    uint32_t roots[N_NODES];
    bool has_fact[N_NODES];
    size_t n_links = 0;
    size_t n_items = 0;
    *history = (struct cot_history){.as_of_ms = as_of_ms, .zone = shop->zone, .minor_per_unit = 100};
    history->words = shop->words; /* lent */
    history->timelines.n_nodes = N_NODES;
    history->timelines.starts = calloc(N_NODES + 1, sizeof *history->timelines.starts);
    history->timelines.entries = malloc(MAX_FACTS * sizeof *history->timelines.entries);
    history->trait_starts = calloc(N_NODES + 1, sizeof *history->trait_starts);
    history->traits = malloc(MAX_FACTS * sizeof *history->traits);
    for (size_t kind = 0; kind < 128; kind++)
        history->kind_since_ms[kind] = INT64_MAX;
    for (uint32_t node = 0; node < N_NODES; node++) {
        has_fact[node] = true;
        replay_node(shop, history, node, as_of_ms);
    }
    replay_traits(shop, history, as_of_ms);
    replay_consents(shop, history, as_of_ms);
    for (size_t r = 0; r < N_RUNS && shop->runs[r].said_ms <= as_of_ms; r++)
        predict(&history->predictions, &shop->runs[r]);
    for (size_t i = 0; i < shop->n; i++) {
        if (shop->facts[i].type == FACT_LINK)
            links[n_links++] = shop->facts[i].link;
        if (shop->facts[i].type == FACT_ITEM)
            items[n_items++] = shop->facts[i].item;
    }
    assert_int_equal(cot_identity_resolve(links, n_links, N_NODES, as_of_ms, roots, &err), COT_OK);
    assert_int_equal(cot_people_init(&history->people, roots, has_fact, N_NODES, &err), COT_OK);
    assert_int_equal(cot_catalogue_init(&history->catalogue, N_ITEMS, items, n_items, as_of_ms, &err), COT_OK);
    assert_int_equal(cot_history_price(history, &err), COT_OK);
}

static void replay_release(struct cot_history *history)
{
    memset(&history->words, 0, sizeof history->words); /* lent */
    cot_history_release(history);
}

static void live_apply(struct cot_live *live, const struct fact *fact)
{
    struct cot_err err = {0};
    cot_code rc = cot_live_advance(live, fact->recorded_ms, NULL, NULL, &err);
    switch (fact->type) {
    case FACT_EVENT: rc |= cot_live_add_event(live, &fact->event, &err); break;
    case FACT_SUPERSEDE: rc |= cot_live_supersede(live, fact->node, fact->order, &err); break;
    case FACT_LINK: rc |= cot_live_add_link(live, &fact->link, &err); break;
    case FACT_TRAIT: rc |= cot_live_add_trait(live, fact->node, &fact->trait, &err); break;
    case FACT_ITEM: rc |= cot_live_add_item(live, &fact->item, &err); break;
    }
    if (rc != COT_OK)
        fail_msg("live: %s", err.message);
}

/* What the keeper of consent knows so far, statement by statement. */
struct keeper {
    const struct shop *shop;
    struct cot_live *live;
    struct cot_predictions predictions;
    size_t n_runs, n_consents;
};

static bool keeper_allows(void *context, uint32_t node)
{
    const struct keeper *keeper = context;
    size_t n = 0;
    const uint32_t *members = cot_live_members(keeper->live, &node, &n);
    for (size_t i = keeper->n_consents; i-- > 0;)
        for (size_t m = 0; m < n; m++)
            if (keeper->shop->consents[i].node == members[m] &&
                keeper->shop->consents[i].fact.purpose == COT_PREDICTION_PURPOSE)
                return keeper->shop->consents[i].fact.granted;
    return true;
}

static void keeper_reach(struct keeper *keeper, int64_t now_ms)
{
    const struct shop *shop = keeper->shop;
    while (keeper->n_consents < N_CONSENTS && shop->consents[keeper->n_consents].fact.occurred_at_ms <= now_ms)
        keeper->n_consents++;
    for (; keeper->n_runs < N_RUNS && shop->runs[keeper->n_runs].said_ms <= now_ms; keeper->n_runs++)
        predict(&keeper->predictions, &shop->runs[keeper->n_runs]);
    cot_live_set_predictions(keeper->live, &keeper->predictions, keeper_allows, keeper);
}

static size_t n_compared, n_predicted;

static void compare_day(const struct shop *shop, struct cot_live *live, int64_t as_of_ms, uint64_t seed)
{
    struct cot_history history;
    struct cot_err err = {0};
    struct cot_customer_reader reader = {.history = &history};
    replay(shop, &history, as_of_ms);
    for (uint32_t i = 0; i < history.people.n; i++) {
        const struct cot_customer *replayed = NULL;
        const struct cot_customer *lived = NULL;
        uint32_t node = history.people.nodes[history.people.starts[i + 1] - 1]; /* the last names them all as well */
        assert_int_equal(cot_customer_read(&reader, i, &replayed, &err), COT_OK);
        assert_int_equal(cot_live_customer(live, node, &lived, &err), COT_OK);
        assert_int_equal(cot_live_root(live, node), history.people.nodes[history.people.starts[i]]);
        for (size_t j = 0; j < cot_n_features; j++) {
            float a = cot_features[j].value(replayed);
            float b = cot_features[j].value(lived);
            if (memcmp(&a, &b, sizeof a) != 0 && !(a != a && b != b))
                fail_msg("shop %llu, customer of node %u, day %lld: %s is %.9g by replay, %.9g live",
                         (unsigned long long)seed, node, (long long)((as_of_ms - START_MS) / COT_MS_PER_DAY),
                         cot_features[j].name, (double)a, (double)b);
            n_compared += a == a;
            n_predicted += a == a && cot_features[j].group == COT_FEATURE_PREDICTION;
        }
    }
    cot_customer_reader_release(&reader);
    replay_release(&history);
}

static uint64_t live_shop(uint64_t seed)
{
    struct shop *shop = malloc(sizeof *shop);
    struct cot_live *live = NULL;
    struct cot_err err = {0};
    struct cot_rng rng;
    size_t next = 0;
    shop_make(shop, seed);
    cot_rng_init(&rng, seed + 1000003);
    static const size_t kept[] = {1, 20, 0}; /* folds are kept of all, of some, as usual */
    struct cot_live_options options = {
        .zone = shop->zone, .minor_per_unit = 100, .words = &shop->words, .min_kept_entries = kept[seed % 3]};
    assert_int_equal(cot_live_open(&options, &live, &err), COT_OK);
    struct keeper keeper = {.shop = shop, .live = live};
    for (int day = 0; day < N_DAYS; day += 1 + (int)cot_rng_below(&rng, 40)) {
        int64_t as_of_ms = START_MS + (day + 1) * COT_MS_PER_DAY - 1;
        for (; next < shop->n && shop->facts[next].recorded_ms <= as_of_ms; next++) {
            const struct cot_customer *customer = NULL;
            live_apply(live, &shop->facts[next]);
            if (cot_rng_below(&rng, 4) == 0) /* looked at in between: folds are extended, not only made */
                assert_int_equal(cot_live_customer(live, (uint32_t)cot_rng_below(&rng, N_NODES), &customer, &err),
                                 COT_OK);
        }
        assert_int_equal(cot_live_advance(live, as_of_ms, NULL, NULL, &err), COT_OK);
        keeper_reach(&keeper, as_of_ms);
        compare_day(shop, live, as_of_ms, seed);
    }
    uint64_t n_refolds = cot_live_n_refolds(live);
    cot_live_free(live);
    cot_predictions_release(&keeper.predictions);
    shop_release(shop);
    free(shop);
    return n_refolds;
}

static void replay_equals_live(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= N_SHOPS; seed++)
        live_shop(seed);
    assert_true(n_compared > 100000); /* that many values were numbers, not NaN on both sides */
    assert_true(n_predicted > 10000);
}

/* Events in order extend the fold of a customer who has many; only late ones make it anew. */
static void in_order_extends(void **state)
{
    struct cot_live *live = NULL;
    struct cot_err err = {0};
    struct cot_trait_words words;
    const struct cot_customer *customer = NULL;
    uint64_t n_refolds = 0;
    (void)state;
    assert_int_equal(cot_trait_words_init(&words, &err), COT_OK);
    struct cot_live_options options = {.minor_per_unit = 100, .words = &words};
    assert_int_equal(cot_live_open(&options, &live, &err), COT_OK);
    struct cot_live_event event = {.kind = COT_EVENT_ORDER_LINE,
                                   .item = 1,
                                   .quantity = 1,
                                   .amount_minor = 100,
                                   .discount_minor = COT_UNKNOWN_MINOR,
                                   .cost_minor = COT_UNKNOWN_MINOR};
    const int n_days = 400;
    for (int day = 0; day < n_days; day++) {
        if (day == n_days - 50)
            n_refolds = cot_live_n_refolds(live);
        event.occurred_at_ms = START_MS + day * COT_MS_PER_DAY;
        assert_int_equal(cot_live_advance(live, event.occurred_at_ms, NULL, NULL, &err), COT_OK);
        assert_int_equal(cot_live_add_event(live, &event, &err), COT_OK);
        assert_int_equal(cot_live_customer(live, 0, &customer, &err), COT_OK);
        assert_int_equal((int)customer->fold->n_orders, day + 1);
    }
    assert_int_equal(cot_live_n_refolds(live), n_refolds);
    assert_in_range(n_refolds, 1, n_days - 51); /* as long as they were few */
    event.occurred_at_ms = START_MS;            /* late */
    assert_int_equal(cot_live_add_event(live, &event, &err), COT_OK);
    assert_int_equal(cot_live_customer(live, 0, &customer, &err), COT_OK);
    assert_int_equal((int)customer->fold->n_orders, n_days + 1);
    assert_int_equal(cot_live_n_refolds(live), n_refolds + 1);
    assert_int_equal(cot_live_advance(live, START_MS, NULL, NULL, &err), COT_USAGE); /* the clock only goes forward */
    cot_live_free(live);
    cot_trait_words_release(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_equals_live),
        cmocka_unit_test(in_order_extends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
