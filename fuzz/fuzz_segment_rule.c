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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cot_err err = {0};
    struct cot_rule_place place = {0};
    struct cot_segment_rule *rule = NULL;
    struct cot_line lines[2] = {{500, 7, 2, 0}, {-100, 7, 1, COT_NO_EXTRA}};
    struct cot_line_extra extra = {50, COT_UNKNOWN_MINOR};
    struct cot_lines all = {.lines = lines, .n = 2, .extras = &extra, .n_extras = 1};
    const struct cot_entry entries[] = {
        cot_entry_make(INT64_C(1700000000000), COT_EVENT_PRODUCT_VIEW, COT_CHANNEL_WEB, 1, 0),
        cot_entry_make(INT64_C(1700000100000), COT_EVENT_CART_ADD, COT_CHANNEL_APP, 1, 0),
        cot_entry_make(INT64_C(1700003600000), COT_EVENT_ORDER_LINE, COT_CHANNEL_WEB, 2, 0),
        cot_entry_make(INT64_C(1700003600000), COT_EVENT_REFUND, COT_CHANNEL_UNKNOWN, COT_NO_ITEM, 1)};
    cot_code rc = cot_segment_rule_parse((const char *)data, size, &rule, &place, &err);
    if (rc != COT_OK) {
        if (rc == COT_BAD_DATA && (place.line == 0 || place.column == 0 || place.offset > size))
            abort();
        return 0;
    }
    struct cot_rule_view view = {.run = {entries, 4},
                                 .lines = &all,
                                 .now_ms = INT64_C(1700007200000),
                                 .minor_per_unit = 100,
                                 .item_code = code_of,
                                 .category_code = code_of,
                                 .brand_code = code_of,
                                 .item = item_of,
                                 .trait = value_of,
                                 .feature = feature_of,
                                 .segment = segment_of};
    int64_t next_ms = 0;
    cot_segment_rule_holds(rule, &view, &next_ms);
    if (next_ms <= view.now_ms)
        abort();
    cot_segment_rule_free(rule);
    return 0;
}
