/* From the words of a rule to the codes that a shop's memory has for them. */
#include <string.h>

#include "base/dict.h"
#include "domain/segment_rule_tree.h"

static uint32_t code_of(const struct cot_rule_names *names, enum cot_rule_property property, struct cot_text word)
{
    switch (property) {
    case COT_PROPERTY_ITEM: return names->item(names->context, word);
    case COT_PROPERTY_CATEGORY: return names->category(names->context, word);
    case COT_PROPERTY_BRAND: return names->brand(names->context, word);
    case COT_PROPERTY_CHANNEL: return cot_channel_from_name(word.data, word.size);
    case COT_PROPERTY_OWN: return names->property_word(names->context, word);
    default: return COT_DICT_NONE;
    }
}

static void bind_what(struct cot_rule_what *what, const struct cot_rule_names *names)
{
    if (what->property == COT_PROPERTY_OWN)
        what->key_code = names->property(names->context, what->key);
}

static void bind_literals(const struct cot_rule_literals *literals, enum cot_rule_property property,
                          const struct cot_rule_names *names)
{
    for (size_t i = 0; literals->codes != NULL && i < literals->n; i++)
        literals->codes[i] = code_of(names, property, literals->values[i].word);
}

static void bind_events(struct cot_rule_events *events, const struct cot_rule_names *names)
{
    if (events->name.size > 0)
        events->kind = (int)names->event(names->context, events->name, &events->name_code);
    for (size_t i = 0; i < events->n_tests; i++) {
        bind_what(&events->tests[i].what, names);
        bind_literals(&events->tests[i].literals, events->tests[i].what.property, names);
    }
}

static void bind_node(struct cot_rule_node *node, const struct cot_rule_names *names)
{
    if (node == NULL)
        return;
    bind_node(node->first, names);
    bind_node(node->second, names);
    bind_events(&node->events, names);
    bind_what(&node->what, names);
    bind_literals(&node->literals, node->what.property, names);
    for (size_t i = 0; i < node->n_steps; i++)
        bind_events(&node->steps[i].events, names);
}

void cot_segment_rule_bind(struct cot_segment_rule *rule, const struct cot_rule_names *names)
{
    bind_node(rule->root, names);
}

static bool is_of_items(enum cot_rule_property property)
{
    return property == COT_PROPERTY_CATEGORY || property == COT_PROPERTY_BRAND;
}

static bool events_ask(const struct cot_rule_events *events)
{
    for (size_t i = 0; i < events->n_tests; i++)
        if (is_of_items(events->tests[i].what.property))
            return true;
    return false;
}

static bool asks_for_items(const struct cot_rule_node *node)
{
    if (node == NULL)
        return false;
    bool asks = is_of_items(node->what.property) || events_ask(&node->events);
    for (size_t i = 0; !asks && i < node->n_steps; i++)
        asks = events_ask(&node->steps[i].events);
    return asks || asks_for_items(node->first) || asks_for_items(node->second);
}

bool cot_segment_rule_asks_for_items(const struct cot_segment_rule *rule)
{
    return asks_for_items(rule->root);
}
