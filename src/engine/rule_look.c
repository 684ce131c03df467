/* What rules ask of a customer, from the shop in memory. */
#include <math.h>
#include <string.h>

#include "connect/decode.h"
#include "domain/feature_catalogue.h"
#include "engine/live_profile.h"
#include "engine/rule_parts.h"

static uint32_t item_code(void *context, struct cot_text word)
{
    const struct cot_rule_shop *over = context;
    return cot_dict_find(&over->shop->items, 0, word.data, word.size);
}

static uint32_t category_code(void *context, struct cot_text word)
{
    const struct cot_rule_shop *over = context;
    return cot_dict_find(&over->live->categories, 0, word.data, word.size);
}

static uint32_t brand_code(void *context, struct cot_text word)
{
    const struct cot_rule_shop *over = context;
    return cot_dict_find(&over->live->brands, 0, word.data, word.size);
}

static uint32_t property_code(void *context, struct cot_text key)
{
    const struct cot_rule_shop *over = context;
    return cot_dict_find(&over->live->watched, 0, key.data, key.size);
}

static uint32_t property_word(void *context, struct cot_text word)
{
    const struct cot_rule_shop *over = context;
    return cot_live_shop_property_word(over->live, word);
}

static enum cot_event_kind event_of(void *context, struct cot_text name, uint32_t *ret_code)
{
    const struct cot_rule_shop *over = context;
    enum cot_event_kind kind = COT_EVENT_CUSTOM;
    *ret_code = cot_live_shop_event_name(over->live, name);
    return cot_event_kind_from_spelling(name, &kind) ? kind : COT_EVENT_CUSTOM;
}

void cot_rule_bind(struct cot_segment_rule *rule, const struct cot_rule_shop *over)
{
    struct cot_rule_shop shop = *over;
    const struct cot_rule_names names = {.context = &shop,
                                         .item = item_code,
                                         .category = category_code,
                                         .brand = brand_code,
                                         .property = property_code,
                                         .property_word = property_word,
                                         .event = event_of};
    cot_segment_rule_bind(rule, &names);
}

static struct cot_rule_item item_of(void *context, uint32_t item)
{
    const struct cot_live_shop *live = ((const struct cot_rule_look *)context)->over->live;
    if (item >= live->n_items)
        return (struct cot_rule_item){COT_DICT_NONE, COT_DICT_NONE};
    return (struct cot_rule_item){live->items[item].category, live->items[item].brand};
}

static bool trait_of(void *context, struct cot_text key, struct cot_rule_value *ret_value)
{
    const struct cot_rule_look *look = context;
    const struct cot_live_shop *live = look->over->live;
    uint32_t code = cot_dict_find(&live->words.keys, 0, key.data, key.size);
    const struct cot_trait_fact *fact = code != COT_DICT_NONE ? cot_live_best_trait(live, look->root, code) : NULL;
    /* A trait that was taken back has neither number nor word; the words of identifying ones are not held. */
    if (fact == NULL ||
        (isnan(fact->number) && fact->value == COT_DICT_NONE && live->words.roles[code] != COT_TRAIT_IDENTIFYING))
        return false;
    ret_value->number = (double)fact->number;
    if (fact->value != COT_DICT_NONE) {
        const struct cot_dict_entry *word = cot_dict_entry(&live->words.values, fact->value);
        ret_value->word = (struct cot_text){word->text, word->size};
    }
    return true;
}

/* Making features changes what is kept of the customer and uses room that all share: one thread at a time. */
static bool feature_value(struct cot_rule_look *look, const struct cot_feature *feature,
                          struct cot_rule_value *ret_value)
{
    if (look->customer == NULL &&
        cot_live_customer(look->over->live->live, look->root, &look->customer, NULL) != COT_OK) {
        look->failed = true;
        return false;
    }
    float value = feature->value(look->customer);
    if (feature->labels == COT_LABELS_NONE) {
        ret_value->number = (double)value;
        return !isnan(value);
    }
    const char *word = cot_live_word(look->over->live, feature, value, look->word);
    if (word != NULL)
        ret_value->word = (struct cot_text){word, (uint32_t)strlen(word)};
    return word != NULL;
}

static bool feature_of(void *context, size_t i_feature, struct cot_rule_value *ret_value)
{
    struct cot_rule_look *look = context;
    if (look->features == NULL)
        return feature_value(look, &cot_features[i_feature], ret_value);
    pthread_mutex_lock(look->features);
    look->customer = NULL; /* another thread's customer may have taken its room */
    bool has_value = feature_value(look, &cot_features[i_feature], ret_value);
    pthread_mutex_unlock(look->features);
    return has_value;
}

static bool segment_of(void *context, struct cot_text name)
{
    const struct cot_rule_look *look = context;
    size_t i = cot_rule_segments_find(look->segments, name.data, name.size);
    return i != SIZE_MAX && cot_rule_is_member(&look->segments->segments[i], look->root);
}

cot_code cot_rule_look_make(struct cot_rule_look *look, struct cot_rule_view *ret_view, struct cot_err *err)
{
    const struct cot_live_shop *live = look->over->live;
    *ret_view = (struct cot_rule_view){.lines = cot_live_lines(live->live),
                                       .zone = live->zone,
                                       .now_ms = cot_live_now_ms(live->live),
                                       .spread_ms = (int64_t)(look->root * UINT32_C(2654435761)),
                                       .minor_per_unit = live->minor_per_unit,
                                       .context = look,
                                       .item = item_of,
                                       .trait = trait_of,
                                       .feature = feature_of,
                                       .segment = segment_of};
    return cot_live_run(live->live, look->root, &ret_view->run, err);
}

bool cot_rule_is_customer(const struct cot_rule_shop *over, uint32_t root, const struct cot_run *run)
{
    size_t n = 0;
    if (run->n > 0)
        return true;
    const uint32_t *members = cot_live_members(over->live->live, &root, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_traits = 0;
        (void)cot_live_traits(over->live->live, members[i], &n_traits);
        if (n_traits > 0)
            return true;
    }
    return false;
}
