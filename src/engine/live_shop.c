#include "engine/live_shop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/array.h"
#include "engine/prediction_newest.h"
#include "engine/shop.h"

/* Pricing the catalogue costs O(order lines): done at most this often. */
#define CATALOGUE_AGE_MS INT64_C(600000)

void cot_live_shop_free(struct cot_live_shop *live)
{
    if (live == NULL)
        return;
    cot_live_free(live->live);
    cot_zone_free(live->zone);
    cot_trait_words_release(&live->words);
    cot_dict_release(&live->categories);
    cot_dict_release(&live->subcategories);
    cot_dict_release(&live->brands);
    cot_dict_release(&live->event_names);
    cot_dict_release(&live->watched);
    cot_dict_release(&live->property_words);
    free(live->gathered);
    cot_segment_runs_release(&live->runs);
    cot_segment_model_free(live->model);
    free(live->consents);
    free(live->items);
    free(live->withheld);
    cot_predictions_release(&live->predictions);
    free(live);
}

cot_code cot_live_shop_tick(struct cot_live_shop *live, int64_t now_ms, cot_live_touch *joined, void *context,
                            struct cot_err *err)
{
    return now_ms > cot_live_now_ms(live->live) ? cot_live_advance(live->live, now_ms, joined, context, err) : COT_OK;
}

cot_code cot_live_shop_consent(struct cot_live_shop *live, uint32_t node, enum cot_purpose purpose, bool granted,
                               int64_t occurred_at_ms, struct cot_err *err)
{
    void *grown = cot_array_reserve(live->consents, &live->consents_capacity, (size_t)node + 1, sizeof *live->consents);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "consent of %u nodes", node);
    live->consents = grown;
    for (; live->n_consents <= node; live->n_consents++)
        for (int i = 0; i < COT_N_PURPOSES; i++)
            live->consents[live->n_consents][i] = (struct cot_consent_state){.occurred_at_ms = INT64_MIN};
    struct cot_consent_state *state = &live->consents[node][purpose];
    if (occurred_at_ms >= state->occurred_at_ms)
        *state = (struct cot_consent_state){occurred_at_ms, granted};
    return cot_live_add_node(live->live, node, err);
}

cot_code cot_live_shop_withhold(struct cot_live_shop *live, uint32_t node, uint8_t purposes, struct cot_err *err)
{
    void *grown = cot_array_reserve(live->withheld, &live->withheld_capacity, (size_t)node + 1, sizeof *live->withheld);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "consent of %u nodes", node);
    live->withheld = grown;
    for (; live->n_withheld <= node; live->n_withheld++)
        live->withheld[live->n_withheld] = 0;
    live->withheld[node] |= purposes;
    return COT_OK;
}

bool cot_live_shop_allows(const struct cot_live_shop *live, uint32_t node, enum cot_purpose purpose)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(live->live, &node, &n);
    struct cot_consent_state best = {.occurred_at_ms = INT64_MIN};
    unsigned withheld = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t member = members[i];
        if (member < live->n_withheld)
            withheld |= live->withheld[member];
        if (member < live->n_consents && live->consents[member][purpose].occurred_at_ms >= best.occurred_at_ms &&
            live->consents[member][purpose].occurred_at_ms != INT64_MIN)
            best = live->consents[member][purpose];
    }
    return best.occurred_at_ms != INT64_MIN ? best.granted : (withheld >> purpose & 1) == 0;
}

cot_code cot_live_shop_trait(struct cot_live_shop *live, uint32_t node, struct cot_text key, struct cot_text value,
                             double number, int64_t occurred_at_ms, struct cot_err *err)
{
    struct cot_trait_fact fact = {.occurred_at_ms = occurred_at_ms,
                                  .sequence = live->n_traits++,
                                  .value = COT_DICT_NONE,
                                  .number = (float)number};
    cot_code rc = cot_trait_words_key(&live->words, key.data, key.size, &fact.key, err);
    /* The words of identifying traits are not held: they are never used. */
    if (rc == COT_OK && value.size > 0 && live->words.roles[fact.key] != COT_TRAIT_IDENTIFYING)
        rc = cot_dict_add(&live->words.values, 0, value.data, value.size, &fact.value, err);
    return rc == COT_OK ? cot_live_add_trait(live->live, node, &fact, err) : rc;
}

static const struct cot_live_item no_item = {COT_DICT_NONE, COT_DICT_NONE, INT64_MIN, INT64_MIN};

/* The later word holds, among equals the one that came last; an undated word holds until a dated one says otherwise. */
static cot_code keep_item(struct cot_live_shop *live, uint32_t item, uint32_t category, uint32_t brand,
                          int64_t since_ms, struct cot_err *err)
{
    void *grown = cot_array_reserve(live->items, &live->items_capacity, (size_t)item + 1, sizeof *live->items);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%u items", item);
    live->items = grown;
    for (; live->n_items <= item; live->n_items++)
        live->items[live->n_items] = no_item;
    struct cot_live_item *kept = &live->items[item];
    if (category != COT_DICT_NONE && since_ms >= kept->category_since_ms) {
        kept->category = category;
        kept->category_since_ms = since_ms;
    }
    if (brand != COT_DICT_NONE && since_ms >= kept->brand_since_ms) {
        kept->brand = brand;
        kept->brand_since_ms = since_ms;
    }
    return COT_OK;
}

cot_code cot_live_shop_item(struct cot_live_shop *live, uint32_t item, const struct cot_text words[3],
                            int64_t occurred_at_ms, int64_t recorded_at_ms, bool timeless, bool *ret_changed,
                            struct cot_err *err)
{
    struct cot_live_item before = item < live->n_items ? live->items[item] : no_item;
    bool is_new = item >= cot_live_n_items(live->live);
    struct cot_dict *dicts[3] = {&live->categories, &live->subcategories, &live->brands};
    uint32_t codes[3] = {COT_DICT_NONE, COT_DICT_NONE, COT_DICT_NONE};
    cot_code rc = COT_OK;
    for (int i = 0; i < 3 && rc == COT_OK; i++)
        if (words[i].size > 0)
            rc = cot_dict_add(dicts[i], 0, words[i].data, words[i].size, &codes[i], err);
    const struct cot_item_fact fact = {.item = item,
                                       .category = codes[0],
                                       .subcategory = codes[1],
                                       .brand = codes[2],
                                       .occurred_at_ms = occurred_at_ms,
                                       .recorded_at_ms = recorded_at_ms,
                                       .timeless = timeless};
    if (rc == COT_OK)
        rc = keep_item(live, item, codes[0], codes[2], timeless ? INT64_MIN : occurred_at_ms, err);
    if (rc != COT_OK)
        return rc;
    *ret_changed =
        !is_new && (live->items[item].category != before.category || live->items[item].brand != before.brand);
    return cot_live_add_item(live->live, &fact, err);
}

static struct cot_text text_at(const struct cot_rows *rows, size_t i_column)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    return (struct cot_text){text != NULL ? text : "", (uint32_t)size};
}

static int64_t minor_at(const struct cot_rows *rows, size_t i_column)
{
    return cot_rows_is_null(rows, i_column) ? COT_UNKNOWN_MINOR : cot_rows_int(rows, i_column);
}

static cot_code load_links(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err, "select node_a, node_b, op, occurred_at, recorded_at from link where op <> 0");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        const struct cot_link link = {(uint32_t)cot_rows_int(rows, 0), (uint32_t)cot_rows_int(rows, 1),
                                      (int)cot_rows_int(rows, 2), cot_rows_int(rows, 3), cot_rows_int(rows, 4)};
        rc = cot_live_add_link(live->live, &link, err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_events(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select node_id, kind, occurred_at, item_id, order_key, quantity, amount_minor,"
                      " discount_minor, cost_minor, channel, session, campaign, case when kind = %d then detail end,"
                      " %s from event where node_id is not null and superseded_at is null",
                      COT_EVENT_CUSTOM, live->watched.n > 0 ? "properties" : "null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        enum cot_event_kind kind = (enum cot_event_kind)cot_rows_int(rows, 1);
        struct cot_text order = text_at(rows, 4);
        struct cot_text channel = text_at(rows, 9);
        struct cot_text detail = text_at(rows, cot_event_kind_group(kind) == COT_EVENT_GROUP_MESSAGE ? 11 : 10);
        double quantity = cot_rows_double(rows, 5);
        struct cot_live_event event = {.node = (uint32_t)cot_rows_int(rows, 0),
                                       .kind = kind,
                                       .channel = cot_channel_from_name(channel.data, channel.size),
                                       .occurred_at_ms = cot_rows_int(rows, 2),
                                       .item =
                                           cot_rows_is_null(rows, 3) ? COT_NO_ITEM : (uint32_t)cot_rows_int(rows, 3),
                                       .detail = detail.size > 0 ? cot_detail_hash(detail.data, detail.size) : 0,
                                       .order = cot_order_hash(order.data, order.size),
                                       .quantity = isnan(quantity) ? 0 : quantity,
                                       .amount_minor = cot_rows_int(rows, 6),
                                       .discount_minor = minor_at(rows, 7),
                                       .cost_minor = minor_at(rows, 8)};
        rc = cot_live_shop_event(live, &event, text_at(rows, 12), text_at(rows, 13), err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_traits(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select node_id, key, value, number, coalesce(timeless, false), occurred_at from trait"
                                " where node_id is not null and key is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = cot_live_shop_trait(live, (uint32_t)cot_rows_int(rows, 0), text_at(rows, 1), text_at(rows, 2),
                                 cot_rows_double(rows, 3),
                                 cot_rows_int(rows, 4) != 0 ? COT_TIMELESS : cot_rows_int(rows, 5), err);
    cot_rows_close(rows);
    return rc;
}

static cot_code load_items(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select item_id, category, subcategory, brand, occurred_at, recorded_at,"
                                " coalesce(timeless, false) from item_fact where category is not null or subcategory is"
                                " not null or brand is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        const struct cot_text words[3] = {text_at(rows, 1), text_at(rows, 2), text_at(rows, 3)};
        bool ignored = false;
        rc = cot_live_shop_item(live, (uint32_t)cot_rows_int(rows, 0), words, cot_rows_int(rows, 4),
                                cot_rows_int(rows, 5), cot_rows_int(rows, 6) != 0, &ignored, err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_consents(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select node_id, purpose, granted, occurred_at from consent where node_id is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        enum cot_purpose purpose;
        struct cot_text name = text_at(rows, 1);
        if (cot_purpose_from_name(name.data, name.size, &purpose))
            rc = cot_live_shop_consent(live, (uint32_t)cot_rows_int(rows, 0), purpose, cot_rows_int(rows, 2) != 0,
                                       cot_rows_int(rows, 3), err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_policies(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select n.node_id, s.consent_policy from node n join import_run i using (import_id)"
                                " join source s on s.source_id = i.source_id where s.consent_policy is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        struct cot_text policy = text_at(rows, 1);
        rc = cot_live_shop_withhold(live, (uint32_t)cot_rows_int(rows, 0),
                                    cot_consent_policy_withheld(policy.data, policy.size), err);
    }
    cot_rows_close(rows);
    return rc;
}

/* The newest run's model: to which segment a customer belongs now. */
cot_code cot_live_shop_load_model(struct cot_store *store, const char *data_dir, struct cot_live_shop *live,
                                  struct cot_err *err)
{
    char *json = NULL;
    struct cot_segment_runs runs = {0};
    struct cot_segment_model *model = NULL;
    cot_code rc = cot_segment_runs_load(store, &runs, err);
    if (rc == COT_OK && runs.n > 0)
        rc = cot_segment_run_detail(store, runs.runs[runs.n - 1].run_id, &json, err);
    yyjson_doc *doc = rc == COT_OK && json != NULL ? yyjson_read(json, strlen(json), 0) : NULL;
    const char *name = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "model"));
    /* An erasure deletes models: customers have no learned segment then, until 'coterie segment' learns anew. */
    if (name != NULL)
        rc = cot_segment_model_read(data_dir, name, &model, err);
    if (name != NULL && (rc == COT_NOT_FOUND || rc == COT_IO))
        rc = COT_OK;
    yyjson_doc_free(doc);
    free(json);
    if (rc != COT_OK) {
        cot_segment_runs_release(&runs);
        return rc;
    }
    cot_segment_runs_release(&live->runs);
    cot_segment_model_free(live->model);
    live->runs = runs;
    live->model = model;
    return COT_OK;
}

static bool may_predict(void *context, uint32_t node)
{
    return cot_live_shop_allows(context, node, COT_PREDICTION_PURPOSE);
}

static cot_code load_predictions(struct cot_store *store, struct cot_live_shop *live, struct cot_err *err)
{
    cot_code rc = cot_predictions_load(store, cot_live_now_ms(live->live), &live->predictions, err);
    if (rc == COT_OK)
        cot_live_set_predictions(live->live, &live->predictions, may_predict, live);
    return rc;
}

cot_code cot_live_shop_new(struct cot_zone *zone, double minor_per_unit, const struct cot_dict *watched,
                           struct cot_live_shop **ret_live, struct cot_err *err)
{
    struct cot_live_shop *live = calloc(1, sizeof *live);
    if (live == NULL) {
        cot_zone_free(zone);
        return cot_fail(err, COT_NOMEM, "the shop in memory");
    }
    live->zone = zone;
    live->minor_per_unit = minor_per_unit;
    struct cot_dict *const dicts[] = {&live->categories,  &live->subcategories, &live->brands,
                                      &live->event_names, &live->watched,       &live->property_words};
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++)
        cot_dict_init(dicts[i]);
    cot_code rc = cot_trait_words_init(&live->words, err);
    for (uint32_t i = 0; rc == COT_OK && watched != NULL && i < watched->n; i++) {
        const struct cot_dict_entry *key = cot_dict_entry(watched, i);
        uint32_t ignored = 0;
        rc = cot_dict_add(&live->watched, 0, key->text, key->size, &ignored, err);
    }
    const struct cot_live_options options = {.zone = live->zone,
                                             .minor_per_unit = live->minor_per_unit,
                                             .words = &live->words,
                                             .catalogue_age_ms = CATALOGUE_AGE_MS};
    if (rc == COT_OK)
        rc = cot_live_open(&options, &live->live, err);
    if (rc == COT_OK)
        *ret_live = live;
    else
        cot_live_shop_free(live);
    return rc;
}

static cot_code make_empty(struct cot_store *store, const struct cot_dict *watched, struct cot_live_shop **ret_live,
                           struct cot_err *err)
{
    struct cot_zone *zone = NULL;
    char currency[4] = "";
    double minor_per_unit = 1;
    cot_code rc = cot_shop_settings(store, &zone, currency, &minor_per_unit, err);
    if (rc == COT_OK)
        rc = cot_live_shop_new(zone, minor_per_unit, watched, ret_live, err);
    if (rc == COT_OK)
        memcpy((*ret_live)->currency, currency, sizeof currency);
    return rc;
}

cot_code cot_live_shop_load(struct cot_store *store, const char *data_dir, const struct cot_dict *watched,
                            int64_t at_ms, struct cot_live_shop **ret_live, struct cot_err *err)
{
    struct cot_live_shop *live = NULL;
    cot_code rc = make_empty(store, watched, &live, err);
    if (rc != COT_OK)
        return rc;
    /* Everything in the store was recorded by then: the order of arrival is the store's. */
    rc = cot_live_shop_tick(live, at_ms, NULL, NULL, err);
    if (rc == COT_OK)
        rc = load_events(store, live, err);
    if (rc == COT_OK)
        rc = load_links(store, live, err);
    if (rc == COT_OK)
        rc = load_traits(store, live, err);
    if (rc == COT_OK)
        rc = load_items(store, live, err);
    if (rc == COT_OK)
        rc = load_consents(store, live, err);
    if (rc == COT_OK)
        rc = load_policies(store, live, err);
    if (rc == COT_OK)
        rc = load_predictions(store, live, err);
    if (rc == COT_OK)
        rc = cot_live_shop_load_model(store, data_dir, live, err);
    if (rc == COT_OK)
        rc = cot_live_price(live->live, err);
    if (rc == COT_OK)
        *ret_live = live;
    else
        cot_live_shop_free(live);
    return rc;
}
