/* What else an event said: its properties, kept as they came (call.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "domain/profile.h"

enum { MAX_DEPTH = 4, MAX_PROPERTIES = 200, MAX_KEY = 200, MAX_VALUE = 1024 };

struct gathering {
    yyjson_mut_doc *doc;
    yyjson_mut_val *object;
    size_t n;
};

/* A text, number or truth; NULL: what rules can't ask for, or too long. */
static yyjson_mut_val *value_copy(yyjson_mut_doc *doc, yyjson_val *value)
{
    if (yyjson_is_str(value) && yyjson_get_len(value) > 0 && yyjson_get_len(value) <= MAX_VALUE)
        return yyjson_mut_strn(doc, yyjson_get_str(value), yyjson_get_len(value));
    if (yyjson_is_raw(value) && yyjson_get_len(value) <= MAX_VALUE)
        return yyjson_mut_rawn(doc, yyjson_get_raw(value), yyjson_get_len(value));
    return yyjson_is_bool(value) ? yyjson_mut_bool(doc, yyjson_get_bool(value)) : NULL;
}

static void gather(struct gathering *to, yyjson_val *object, const char *prefix, int depth)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(cot_json_some(object), i, n, key, value)
    {
        char name[MAX_KEY];
        int size = snprintf(name, sizeof name, "%s%s", prefix, yyjson_get_str(key));
        if (size <= 0 || (size_t)size + 1 >= sizeof name || to->n >= MAX_PROPERTIES)
            continue;
        if (yyjson_is_obj(value) && depth < MAX_DEPTH) {
            name[size] = '.';
            name[size + 1] = '\0';
            gather(to, value, name, depth + 1);
            continue;
        }
        /* Who somebody is stands in the identities alone. */
        yyjson_mut_val *copy =
            cot_trait_role_of(name, (size_t)size) != COT_TRAIT_IDENTIFYING ? value_copy(to->doc, value) : NULL;
        if (copy != NULL && yyjson_mut_obj_add(to->object, yyjson_mut_strncpy(to->doc, name, (size_t)size), copy))
            to->n++;
    }
}

bool cot_call_properties(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object)
{
    size_t size = 0;
    if (yyjson_obj_size(object) == 0)
        return true;
    struct gathering to = {.doc = yyjson_mut_doc_new(NULL)};
    to.object = yyjson_mut_obj(to.doc);
    if (to.object == NULL) {
        yyjson_mut_doc_free(to.doc);
        return cot_call_no_memory(reader);
    }
    yyjson_mut_doc_set_root(to.doc, to.object);
    gather(&to, object, "", 0);
    char *text = to.n > 0 ? yyjson_mut_write(to.doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size) : NULL;
    char *copy = text != NULL ? cot_arena_copy(&reader->records->arena, text, size) : NULL;
    free(text);
    yyjson_mut_doc_free(to.doc);
    if (copy == NULL)
        return to.n == 0 || cot_call_no_memory(reader);
    record->properties = (struct cot_text){copy, (uint32_t)size};
    return true;
}
