/* Rules of segments: any text parses or says where it is wrong; what parses can be evaluated at any moment. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "domain/segment_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t code_of(void *context, struct cot_text word)
{
    (void)context;
    return word.size > 0 ? (uint32_t)(unsigned char)word.data[0] % 4 : COT_DICT_NONE;
}

static enum cot_event_kind event_of(void *context, struct cot_text name, uint32_t *ret_code)
{
    *ret_code = code_of(context, name);
    return name.size % 3 == 0 ? COT_EVENT_CART_ADD : COT_EVENT_CUSTOM;
}

static struct cot_rule_item item_of(void *context, uint32_t item)
{
    (void)context;
    return (struct cot_rule_item){item % 3, item % 2};
}

static bool value_of(void *context, struct cot_text key, struct cot_rule_value *ret_value)
{
    (void)context;
    *ret_value = (struct cot_rule_value){key, (double)key.size};
    return key.size % 2 == 0;
}

static bool feature_of(void *context, size_t i_feature, struct cot_rule_value *ret_value)
{
    (void)context;
    ret_value->number = (double)i_feature;
    return true;
}

static bool segment_of(void *context, struct cot_text name)
{
    (void)context;
    return name.size % 2 == 0;
}

struct heard {
    size_t n;
};

static void hear(void *context, const struct cot_rule_finding *finding)
{
    struct heard *heard = context;
    heard->n++;
    if (finding->condition.size == 0 || finding->to_flip[0] == '\0' || finding->n_evidence > COT_RULE_MAX_EVIDENCE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cot_err err = {0};
    struct cot_rule_place place = {0};
    struct cot_segment_rule *rule = NULL;
    struct cot_line lines[2] = {{500, 7, 2, 0}, {-100, 7, 1, COT_NO_EXTRA}};
    struct cot_line_extra extra = {50, COT_UNKNOWN_MINOR, 0};
    struct cot_note notes[2] = {{0, COT_DICT_NONE, 0, 2}, {5, 1, 1, 2}};
    struct cot_property properties[3] = {{0, 1, 12.5}, {1, 2, (double)NAN}, {2, 0, 3}};
    struct cot_lines all = {.lines = lines,
                            .n = 2,
                            .extras = &extra,
                            .n_extras = 1,
                            .notes = notes,
                            .n_notes = 2,
                            .properties = properties,
                            .n_properties = 3};
    struct cot_entry entries[] = {
        cot_entry_make(INT64_C(1700000000000), COT_EVENT_PRODUCT_VIEW, COT_CHANNEL_WEB, 1, 0),
        cot_entry_make(INT64_C(1700000100000), COT_EVENT_CART_ADD, COT_CHANNEL_APP, 1, 0),
        cot_entry_make(INT64_C(1700003600000), COT_EVENT_ORDER_LINE, COT_CHANNEL_WEB, 2, 0),
        cot_entry_make(INT64_C(1700003600000), COT_EVENT_REFUND, COT_CHANNEL_UNKNOWN, COT_NO_ITEM, 1),
        cot_entry_make(INT64_C(1700003700000), COT_EVENT_CUSTOM, COT_CHANNEL_WEB, COT_NO_ITEM, 1)};
    entries[4].bits |= COT_ENTRY_HAS_NOTE;
    cot_code rc = cot_segment_rule_parse((const char *)data, size, &rule, &place, &err);
    if (rc != COT_OK) {
        if (rc == COT_BAD_DATA && (place.line == 0 || place.column == 0 || place.offset > size))
            abort();
        return 0;
    }
    const struct cot_rule_names names = {.item = code_of,
                                         .category = code_of,
                                         .brand = code_of,
                                         .property = code_of,
                                         .property_word = code_of,
                                         .event = event_of};
    cot_segment_rule_bind(rule, &names);
    struct cot_rule_view view = {.run = {entries, 5},
                                 .lines = &all,
                                 .now_ms = INT64_C(1700007200000),
                                 .minor_per_unit = 100,
                                 .item = item_of,
                                 .trait = value_of,
                                 .feature = feature_of,
                                 .segment = segment_of};
    int64_t next_ms = 0;
    struct heard heard = {0};
    bool holds = cot_segment_rule_holds(rule, &view, &next_ms);
    if (next_ms <= view.now_ms || cot_segment_rule_selects(rule, &view) != holds)
        abort();
    if (!cot_segment_rule_explain(rule, &view, hear, &heard) || heard.n == 0)
        abort();
    cot_segment_rule_free(rule);
    return 0;
}
