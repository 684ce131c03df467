#include "connect/properties.h"

#include <stdlib.h>

#include "domain/profile.h"

enum { MAX_PROPERTIES = 200 };

void cot_properties_begin(struct cot_properties *properties)
{
    if (properties->doc != NULL || properties->failed)
        return;
    properties->doc = yyjson_mut_doc_new(NULL);
    properties->object = yyjson_mut_obj(properties->doc);
    properties->failed = properties->object == NULL;
    yyjson_mut_doc_set_root(properties->doc, properties->object);
}

void cot_properties_add(struct cot_properties *properties, const char *key, size_t size, yyjson_mut_val *value)
{
    if (value == NULL || size == 0 || properties->n >= MAX_PROPERTIES ||
        cot_trait_role_of(key, size) == COT_TRAIT_IDENTIFYING)
        return;
    if (yyjson_mut_obj_add(properties->object, yyjson_mut_strncpy(properties->doc, key, size), value))
        properties->n++;
    else
        properties->failed = true;
}

bool cot_properties_end(struct cot_properties *properties, struct cot_arena *arena, struct cot_text *ret_text)
{
    size_t size = 0;
    bool any = properties->n > 0 && !properties->failed;
    char *text = any ? yyjson_mut_write(properties->doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size) : NULL;
    char *copy = text != NULL ? cot_arena_copy(arena, text, size) : NULL;
    free(text);
    yyjson_mut_doc_free(properties->doc);
    *ret_text = (struct cot_text){copy, (uint32_t)size};
    return !properties->failed && (copy != NULL || !any);
}
