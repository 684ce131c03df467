#include "engine/shop.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/progress.h"
#include "domain/money.h"
#include "engine/prediction_newest.h"
#include "engine/shop_events.h"
#include "store/store.h"

void cot_shop_free(struct cot_shop *shop)
{
    if (shop == NULL)
        return;
    cot_history_release(&shop->history);
    cot_zone_free(shop->zone);
    free(shop->node_kinds);
    free(shop->text_starts);
    free(shop->text);
    free(shop);
}

cot_code cot_shop_settings(struct cot_store *store, struct cot_zone **ret_zone, char ret_currency[4],
                           double *ret_minor_per_unit, struct cot_err *err)
{
    char *zone = NULL;
    char *currency = NULL;
    cot_code rc = cot_store_setting(store, "time_zone", &zone, err);
    if (rc == COT_OK)
        rc = cot_store_setting(store, "base_currency", &currency, err);
    if (rc == COT_OK)
        rc = cot_zone_open(zone != NULL ? zone : "UTC", ret_zone, err);
    if (rc == COT_OK) {
        bool known = currency != NULL && strlen(currency) == 3;
        memcpy(ret_currency, known ? currency : "\0\0\0", 4);
        *ret_minor_per_unit = pow(10, cot_currency_exponent(ret_currency));
    }
    free(zone);
    free(currency);
    return rc;
}

static cot_code load_settings(struct cot_store *store, struct cot_shop *shop, struct cot_err *err)
{
    cot_code rc = cot_shop_settings(store, &shop->zone, shop->currency, &shop->history.minor_per_unit, err);
    shop->history.zone = shop->zone;
    return rc;
}

/* Of what happened or became known: an order of the last day that was changed the day after is part of the data. */
cot_code cot_shop_last_day(struct cot_store *store, const struct cot_zone *zone, int64_t *ret_as_of_ms,
                           struct cot_err *err)
{
    int64_t last_ms = -1;
    cot_code rc = cot_store_number(store, &last_ms, err,
                                   "select coalesce(max(epoch_ms(greatest(occurred_at, recorded_at))), -1) from event"
                                   " where superseded_at is null or superseded_at > occurred_at");
    if (rc != COT_OK)
        return rc;
    if (last_ms < 0)
        return cot_fail(err, COT_NOT_FOUND, "'%s' holds no events yet: 'coterie import FILE' takes some in",
                        cot_store_data_dir(store));
    int64_t day = cot_ms_to_days(cot_zone_local(zone, last_ms));
    *ret_as_of_ms = cot_zone_utc(zone, (day + 1) * COT_MS_PER_DAY) - 1;
    return COT_OK;
}

/* Of a day that is neither over nor in the data nothing is known: to take it for silence would make every customer look
 * long gone. */
static cot_code check_not_future(struct cot_store *store, const struct cot_zone *zone, const char *text, int64_t ms,
                                 struct cot_err *err)
{
    struct cot_err ignored;
    int64_t last_ms = 0;
    if (ms < cot_wall_ms() + COT_MS_PER_DAY)
        return COT_OK;
    if (cot_shop_last_day(store, zone, &last_ms, &ignored) != COT_OK || ms <= last_ms)
        return COT_OK;
    int64_t day = cot_ms_to_days(cot_zone_local(zone, last_ms));
    char last[COT_TIME_TEXT_SIZE];
    cot_format_time(day * COT_MS_PER_DAY, last, sizeof last);
    return cot_fail(err, COT_USAGE, "'%s' is in the future: the data end on %.10s", text, last);
}

cot_code cot_shop_as_of(struct cot_store *store, const char *text, int64_t *ret_as_of_ms, struct cot_err *err)
{
    struct cot_shop shop = {0};
    int64_t ms = 0;
    if (!cot_parse_iso(text, strlen(text), &ms) || ms < COT_EVENT_MIN_MS || ms > COT_EVENT_MAX_MS)
        return cot_fail(err, COT_USAGE, "'%s' is no date: write 2011-11-30 or 2011-11-30T12:00:00Z", text);
    cot_code rc = load_settings(store, &shop, err);
    if (rc == COT_OK) {
        ms = strlen(text) > strlen("2011-11-30") ? ms : cot_zone_utc(shop.zone, ms + COT_MS_PER_DAY) - 1;
        rc = check_not_future(store, shop.zone, text, ms, err);
    }
    if (rc == COT_OK)
        *ret_as_of_ms = ms;
    cot_zone_free(shop.zone);
    return rc;
}

int32_t cot_shop_day(const struct cot_shop *shop, int64_t at_ms)
{
    const struct cot_zone *zone = shop->history.zone;
    return (int32_t)cot_ms_to_days(zone != NULL ? cot_zone_local(zone, at_ms) : at_ms);
}

void cot_shop_add_as_of(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_shop *shop, int64_t as_of_ms)
{
    cot_json_add_time(doc, object, "as_of", as_of_ms);
    cot_json_add_day(doc, object, "as_of_day", cot_shop_day(shop, as_of_ms));
}

/* A shop of customers alone (a snapshot of traits) has no last day: its now is the latest dated trait, else the moment
 * when it was taken in, which stands in the store as well. */
static cot_code choose_as_of(struct cot_store *store, struct cot_shop *shop, int64_t as_of_ms, struct cot_err *err)
{
    int64_t n_traits = 0;
    shop->history.as_of_ms = as_of_ms;
    if (as_of_ms != COT_AS_OF_LAST_DAY)
        return COT_OK;
    cot_code rc = cot_shop_last_day(store, shop->zone, &shop->history.as_of_ms, err);
    if (rc != COT_NOT_FOUND)
        return rc;
    struct cot_err ignored;
    if (cot_store_number(store, &n_traits, &ignored, "select count(*) from trait") != COT_OK || n_traits == 0)
        return rc;
    return cot_store_number(store, &shop->history.as_of_ms, err,
                            "select coalesce((select max(epoch_ms(greatest(occurred_at, recorded_at))) from trait"
                            " where not coalesce(timeless, false)),"
                            " (select max(epoch_ms(started_at)) from import_run), 0)");
}

static cot_code load_nodes(struct cot_store *store, struct cot_shop *shop, uint32_t *ret_n_nodes, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    int64_t last = -1;
    int64_t text_size = 0;
    uint64_t used = 0;
    uint32_t next = 0;
    bool more = false;
    cot_code rc = cot_store_number(store, &last, err, "select coalesce(max(node_id), -1) from node");
    if (rc == COT_OK)
        rc = cot_store_number(store, &text_size, err, "select coalesce(sum(strlen(value)), 0)::bigint from node");
    if (rc != COT_OK)
        return rc;
    uint32_t n_nodes = (uint32_t)(last + 1);
    shop->node_kinds = calloc((size_t)n_nodes + 1, 1);
    shop->text_starts = malloc(((size_t)n_nodes + 1) * sizeof *shop->text_starts);
    shop->text = malloc((size_t)text_size + 1);
    if (shop->node_kinds == NULL || shop->text_starts == NULL || shop->text == NULL)
        return cot_fail(err, COT_NOMEM, "%u identity nodes", n_nodes);
    rc = cot_rows_open(store, &rows, err, "select node_id, kind, value from node order by node_id");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t node = (uint32_t)cot_rows_int(rows, 0);
        size_t size = 0;
        const char *text = cot_rows_text(rows, 2, &size);
        if (node + 1 <= next || used + size > (uint64_t)text_size) {
            rc = cot_fail(err, COT_BAD_DATA, "identity node %u stands in the store twice", node);
            break;
        }
        for (; next <= node; next++)
            shop->text_starts[next] = used;
        shop->node_kinds[node] = (uint8_t)cot_rows_int(rows, 1);
        if (size > 0)
            memcpy(shop->text + used, text, size);
        used += size;
    }
    cot_rows_close(rows);
    for (; next <= n_nodes; next++)
        shop->text_starts[next] = used;
    if (rc == COT_OK)
        *ret_n_nodes = n_nodes;
    return rc;
}

static cot_code load_links(struct cot_store *store, struct cot_link **ret_links, size_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_link *links = NULL;
    size_t n = 0;
    size_t capacity = 0;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "select node_a, node_b, op, occurred_at, recorded_at from link");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        void *grown = cot_array_reserve(links, &capacity, n + 1, sizeof *links);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "%zu links", n + 1);
            break;
        }
        links = grown;
        links[n++] = (struct cot_link){(uint32_t)cot_rows_int(rows, 0), (uint32_t)cot_rows_int(rows, 1),
                                       (int)cot_rows_int(rows, 2), cot_rows_int(rows, 3), cot_rows_int(rows, 4)};
    }
    cot_rows_close(rows);
    if (rc != COT_OK) {
        free(links);
        return rc;
    }
    *ret_links = links;
    *ret_n = n;
    return COT_OK;
}

static cot_code intern_at(const struct cot_rows *rows, size_t i_column, struct cot_dict *dict, uint32_t *ret_code,
                          struct cot_err *err)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    *ret_code = COT_DICT_NONE;
    return size > 0 ? cot_dict_add(dict, 0, text, size, ret_code, err) : COT_OK;
}

static cot_code load_catalogue(struct cot_store *store, struct cot_history *history, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_item_fact *facts = NULL;
    size_t n = 0;
    size_t capacity = 0;
    int64_t last = -1;
    bool more = false;
    cot_code rc = cot_store_number(store, &last, err,
                                   "select greatest(coalesce((select max(item_id) from item), -1),"
                                   " coalesce((select max(item_id) from item_fact), -1))");
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select item_id, category, subcategory, brand, occurred_at, recorded_at,"
                           " coalesce(timeless, false) from item_fact"
                           " where category is not null or subcategory is not null or brand is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        void *grown = cot_array_reserve(facts, &capacity, n + 1, sizeof *facts);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "%zu facts of items", n + 1);
            break;
        }
        facts = grown;
        struct cot_item_fact *fact = &facts[n++];
        *fact = (struct cot_item_fact){.item = (uint32_t)cot_rows_int(rows, 0),
                                       .occurred_at_ms = cot_rows_int(rows, 4),
                                       .recorded_at_ms = cot_rows_int(rows, 5),
                                       .timeless = cot_rows_int(rows, 6) != 0};
        rc = intern_at(rows, 1, &history->categories, &fact->category, err);
        if (rc == COT_OK)
            rc = intern_at(rows, 2, &history->subcategories, &fact->subcategory, err);
        if (rc == COT_OK)
            rc = intern_at(rows, 3, &history->brands, &fact->brand, err);
    }
    cot_rows_close(rows);
    if (rc == COT_OK)
        rc = cot_catalogue_init(&history->catalogue, (uint32_t)(last + 1), facts, n, history->as_of_ms, err);
    free(facts);
    return rc;
}

/* Facts in order of arrival, each with its node; then grouped by node in the same order. */
struct node_traits {
    uint32_t *nodes;
    struct cot_trait_fact *facts;
    size_t n, nodes_capacity, facts_capacity;
};

static cot_code read_traits(struct cot_store *store, struct cot_history *history, struct node_traits *traits,
                            struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select node_id, key, value, number, coalesce(timeless, false), occurred_at from trait"
                      " where node_id is not null and key is not null and (timeless or (occurred_at <="
                      " epoch_ms(%" PRId64 ")::timestamp_ms and recorded_at <= epoch_ms(%" PRId64 ")::timestamp_ms))",
                      history->as_of_ms, history->as_of_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        void *nodes = cot_array_reserve(traits->nodes, &traits->nodes_capacity, traits->n + 1, sizeof *traits->nodes);
        if (nodes != NULL)
            traits->nodes = nodes;
        void *facts = cot_array_reserve(traits->facts, &traits->facts_capacity, traits->n + 1, sizeof *traits->facts);
        if (facts != NULL)
            traits->facts = facts;
        if (nodes == NULL || facts == NULL || traits->n >= UINT32_MAX) {
            rc = cot_fail(err, COT_NOMEM, "%zu traits", traits->n + 1);
            break;
        }
        struct cot_trait_fact *fact = &traits->facts[traits->n];
        size_t size = 0;
        const char *key = cot_rows_text(rows, 1, &size);
        *fact =
            (struct cot_trait_fact){.occurred_at_ms = cot_rows_int(rows, 4) != 0 ? COT_TIMELESS : cot_rows_int(rows, 5),
                                    .sequence = (uint32_t)traits->n,
                                    .number = (float)cot_rows_double(rows, 3)};
        traits->nodes[traits->n++] = (uint32_t)cot_rows_int(rows, 0);
        rc = cot_trait_words_key(&history->words, key, size, &fact->key, err);
        /* The words of identifying traits are not held: they are never used. */
        fact->value = COT_DICT_NONE;
        if (rc == COT_OK && history->words.roles[fact->key] != COT_TRAIT_IDENTIFYING)
            rc = intern_at(rows, 2, &history->words.values, &fact->value, err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_traits(struct cot_store *store, struct cot_history *history, uint32_t n_nodes, struct cot_err *err)
{
    struct node_traits traits = {0};
    cot_code rc = cot_trait_words_init(&history->words, err);
    if (rc == COT_OK)
        rc = read_traits(store, history, &traits, err);
    if (rc != COT_OK)
        goto out;
    history->trait_starts = calloc((size_t)n_nodes + 2, sizeof *history->trait_starts);
    history->traits = malloc((traits.n + 1) * sizeof *history->traits);
    if (history->trait_starts == NULL || history->traits == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu traits", traits.n);
        goto out;
    }
    for (size_t i = 0; i < traits.n; i++)
        if (traits.nodes[i] < n_nodes)
            history->trait_starts[traits.nodes[i] + 2]++;
    for (uint32_t i = 0; i < n_nodes; i++)
        history->trait_starts[i + 2] += history->trait_starts[i + 1];
    for (size_t i = 0; i < traits.n; i++)
        if (traits.nodes[i] < n_nodes)
            history->traits[history->trait_starts[traits.nodes[i] + 1]++] = traits.facts[i];
out:
    free(traits.nodes);
    free(traits.facts);
    return rc;
}

static cot_code load_consents(struct cot_store *store, struct cot_history *history, uint32_t n_nodes,
                              struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    int64_t n = 0;
    bool more = false;
    uint32_t i = 0;
    cot_code rc = cot_store_number(store, &n, err, "select count(*) from consent");
    if (rc != COT_OK)
        return rc;
    history->consent_starts = calloc((size_t)n_nodes + 2, sizeof *history->consent_starts);
    history->consents = malloc(((size_t)n + 1) * sizeof *history->consents);
    if (history->consent_starts == NULL || history->consents == NULL)
        return cot_fail(err, COT_NOMEM, "%" PRId64 " statements of consent", n);
    rc = cot_rows_open(store, &rows, err,
                       "select node_id, purpose, granted, occurred_at, row_number() over (order by rowid) from consent"
                       " where node_id >= 0 and node_id < %u and occurred_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
                       " and recorded_at <= epoch_ms(%" PRId64 ")::timestamp_ms order by node_id, rowid",
                       n_nodes, history->as_of_ms, history->as_of_ms);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        enum cot_purpose purpose;
        size_t size = 0;
        const char *text = cot_rows_text(rows, 1, &size);
        if (text == NULL || !cot_purpose_from_name(text, size, &purpose))
            continue;
        history->consent_starts[cot_rows_int(rows, 0) + 1]++;
        history->consents[i++] = (struct cot_consent_fact){.occurred_at_ms = cot_rows_int(rows, 3),
                                                           .sequence = (uint32_t)cot_rows_int(rows, 4),
                                                           .purpose = (uint8_t)purpose,
                                                           .granted = cot_rows_int(rows, 2) != 0};
    }
    cot_rows_close(rows);
    for (uint32_t node = 0; node < n_nodes; node++)
        history->consent_starts[node + 1] += history->consent_starts[node];
    return rc;
}

/* What the source that first named a node does not assume. */
static cot_code load_policies(struct cot_store *store, struct cot_history *history, uint32_t n_nodes,
                              struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    history->withheld = calloc((size_t)n_nodes + 1, 1);
    if (history->withheld == NULL)
        return cot_fail(err, COT_NOMEM, "%u identity nodes", n_nodes);
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select n.node_id, s.consent_policy from node n join import_run i using (import_id)"
                                " join source s on s.source_id = i.source_id where s.consent_policy is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *policy = cot_rows_text(rows, 1, &size);
        int64_t node = cot_rows_int(rows, 0);
        if (node >= 0 && node < n_nodes)
            history->withheld[node] |= cot_consent_policy_withheld(policy, size);
    }
    cot_rows_close(rows);
    return rc;
}

/* Customers: components of the links in force that have any fact. */
static cot_code resolve_people(struct cot_store *store, struct cot_history *history, uint32_t n_nodes,
                               struct cot_err *err)
{
    struct cot_link *links = NULL;
    size_t n_links = 0;
    uint32_t *roots = malloc(((size_t)n_nodes + 1) * sizeof *roots);
    bool *has_fact = calloc((size_t)n_nodes + 1, sizeof *has_fact);
    cot_code rc = roots == NULL || has_fact == NULL ? cot_fail(err, COT_NOMEM, "%u identity nodes", n_nodes)
                                                    : load_links(store, &links, &n_links, err);
    if (rc == COT_OK)
        rc = cot_identity_resolve(links, n_links, n_nodes, history->as_of_ms, roots, err);
    for (uint32_t node = 0; rc == COT_OK && node < n_nodes; node++)
        has_fact[node] = cot_timelines_run(&history->timelines, node).n > 0 ||
                         history->trait_starts[node + 1] > history->trait_starts[node] ||
                         history->consent_starts[node + 1] > history->consent_starts[node];
    if (rc == COT_OK)
        rc = cot_people_init(&history->people, roots, has_fact, n_nodes, err);
    free(links);
    free(roots);
    free(has_fact);
    return rc;
}

cot_code cot_shop_load(struct cot_store *store, const struct cot_shop_options *options, struct cot_shop **ret_shop,
                       struct cot_err *err)
{
    uint32_t n_nodes = 0;
    struct cot_shop *shop = calloc(1, sizeof *shop);
    if (shop == NULL)
        return cot_fail(err, COT_NOMEM, "shop");
    struct cot_history *history = &shop->history;
    cot_dict_init(&history->categories);
    cot_dict_init(&history->subcategories);
    cot_dict_init(&history->brands);
    cot_code rc = load_settings(store, shop, err);
    if (rc == COT_OK)
        rc = choose_as_of(store, shop, options->as_of_ms, err);
    if (rc == COT_OK)
        rc = load_nodes(store, shop, &n_nodes, err);
    if (rc == COT_OK)
        rc = cot_shop_load_events(store, n_nodes, options->n_threads, options->progress, history, err);
    if (rc == COT_OK)
        rc = load_catalogue(store, history, err);
    if (rc == COT_OK)
        rc = load_traits(store, history, n_nodes, err);
    if (rc == COT_OK)
        rc = load_consents(store, history, n_nodes, err);
    if (rc == COT_OK)
        rc = load_policies(store, history, n_nodes, err);
    if (rc == COT_OK)
        rc = cot_predictions_load(store, history->as_of_ms, &history->predictions, err);
    if (rc == COT_OK)
        rc = resolve_people(store, history, n_nodes, err);
    if (rc == COT_OK)
        rc = cot_history_price(history, err);
    if (rc != COT_OK) {
        cot_shop_free(shop);
        return rc;
    }
    shop->n_events = history->timelines.starts[n_nodes];
    *ret_shop = shop;
    return COT_OK;
}

const char *cot_shop_customer_id(const struct cot_shop *shop, uint32_t i_customer, char buffer[COT_ANONYMOUS_ID_SIZE],
                                 size_t *ret_size)
{
    const struct cot_people *people = &shop->history.people;
    uint32_t node = people->nodes[people->starts[i_customer]];
    for (uint32_t i = people->starts[i_customer]; i < people->starts[i_customer + 1]; i++)
        if (shop->node_kinds[people->nodes[i]] == COT_NODE_USER) {
            node = people->nodes[i];
            *ret_size = (size_t)(shop->text_starts[node + 1] - shop->text_starts[node]);
            return shop->text + shop->text_starts[node];
        }
    cot_anonymous_customer_id((enum cot_node_kind)shop->node_kinds[node], shop->text + shop->text_starts[node],
                              (size_t)(shop->text_starts[node + 1] - shop->text_starts[node]), buffer);
    *ret_size = strlen(buffer);
    return buffer;
}

uint32_t cot_shop_customer_of(const struct cot_shop *shop, uint32_t node_id)
{
    return node_id < shop->history.timelines.n_nodes ? shop->history.people.customer_of[node_id] : COT_NO_CUSTOMER;
}
