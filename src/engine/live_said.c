/* What events are called and say, as far as it is held in memory (live_shop.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/number.h"
#include "engine/live_shop.h"

/* Longer names and words are held by their beginning: rules compare no more either. */
enum { MAX_WORD = 1024 };

/* In lower case (ASCII): names and words are the same whatever their case. */
static struct cot_text lower(struct cot_text text, char buffer[MAX_WORD])
{
    uint32_t n = text.size < MAX_WORD ? text.size : MAX_WORD;
    for (uint32_t i = 0; i < n; i++)
        buffer[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] - 'A' + 'a' : text.data[i]);
    return (struct cot_text){buffer, n};
}

static uint32_t find(const struct cot_dict *dict, struct cot_text text)
{
    char buffer[MAX_WORD];
    struct cot_text word = lower(text, buffer);
    return cot_dict_find(dict, 0, word.data, word.size);
}

static cot_code add(struct cot_dict *dict, struct cot_text text, uint32_t *ret_code, struct cot_err *err)
{
    char buffer[MAX_WORD];
    struct cot_text word = lower(text, buffer);
    return cot_dict_add(dict, 0, word.data, word.size, ret_code, err);
}

uint32_t cot_live_shop_event_name(const struct cot_live_shop *live, struct cot_text name)
{
    return find(&live->event_names, name);
}

uint32_t cot_live_shop_property_word(const struct cot_live_shop *live, struct cot_text word)
{
    return find(&live->property_words, word);
}

static struct cot_text text_of(yyjson_val *value)
{
    if (yyjson_is_bool(value))
        return yyjson_get_bool(value) ? (struct cot_text){"true", 4} : (struct cot_text){"false", 5};
    return yyjson_is_raw(value) ? (struct cot_text){yyjson_get_raw(value), (uint32_t)yyjson_get_len(value)}
                                : (struct cot_text){yyjson_get_str(value), (uint32_t)yyjson_get_len(value)};
}

static cot_code gather(struct cot_live_shop *live, uint32_t key, yyjson_val *value, size_t *n, struct cot_err *err)
{
    struct cot_property property = {.key = key, .number = (double)NAN};
    struct cot_text text = text_of(value);
    void *grown = cot_array_reserve(live->gathered, &live->gathered_capacity, *n + 1, sizeof *live->gathered);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "properties of an event");
    live->gathered = grown;
    if (!yyjson_is_bool(value))
        (void)cot_parse_double(text.data, text.size, &property.number);
    cot_code rc = add(&live->property_words, text, &property.word, err);
    if (rc == COT_OK)
        live->gathered[(*n)++] = property;
    return rc;
}

/* Those of the properties that are watched, into live->gathered. */
static cot_code gather_watched(struct cot_live_shop *live, struct cot_text properties, size_t *ret_n,
                               struct cot_err *err)
{
    yyjson_doc *doc = NULL;
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    *ret_n = 0;
    if (live->watched.n == 0 || properties.size == 0)
        return COT_OK;
    cot_code rc = cot_json_read(properties.data, properties.size, YYJSON_READ_NUMBER_AS_RAW, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_obj_foreach(cot_json_some(yyjson_doc_get_root(doc)), i, n, key, value)
    {
        uint32_t code = cot_dict_find(&live->watched, 0, yyjson_get_str(key), yyjson_get_len(key));
        if (code != COT_DICT_NONE && rc == COT_OK &&
            (yyjson_is_str(value) || yyjson_is_raw(value) || yyjson_is_bool(value)))
            rc = gather(live, code, value, ret_n, err);
    }
    yyjson_doc_free(doc);
    return rc;
}

cot_code cot_live_shop_event(struct cot_live_shop *live, struct cot_live_event *event, struct cot_text name,
                             struct cot_text properties, struct cot_err *err)
{
    struct cot_live_said said = {.name = COT_DICT_NONE};
    cot_code rc = gather_watched(live, properties, &said.n_properties, err);
    if (rc == COT_OK && event->kind == COT_EVENT_CUSTOM && name.size > 0)
        rc = add(&live->event_names, name, &said.name, err);
    if (rc != COT_OK)
        return rc;
    said.properties = live->gathered;
    event->said = said.n_properties > 0 || said.name != COT_DICT_NONE ? &said : NULL;
    rc = cot_live_add_event(live->live, event, err);
    event->said = NULL;
    return rc;
}
