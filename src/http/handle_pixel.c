/*
 * Calls as pictures: GET /pixel/v1/page?writeKey=...&anonymousId=...&properties.path=/shoes, as RudderStack has them.
 * Names with dots are nested objects; a number among them is a place in an array, which has to follow the one before.
 */
#include <stdlib.h>
#include <string.h>

#include "http/handlers.h"
#include "http/server_parts.h"
#include "http/submit.h"

enum { MAX_DEPTH = 8, MAX_PART = 128 };

static bool is_number(const char *part, size_t size)
{
    return size > 0 && size < 4 && strspn(part, "0123456789") >= size;
}

/* The member or element of that name; `fresh` is put there where it is new. NULL: it has no place. */
static yyjson_mut_val *member(yyjson_mut_doc *doc, yyjson_mut_val *parent, const char *part, size_t size,
                              yyjson_mut_val *fresh)
{
    if (yyjson_mut_is_arr(parent)) {
        size_t i = is_number(part, size) ? strtoul(part, NULL, 10) : SIZE_MAX;
        if (i < yyjson_mut_arr_size(parent))
            return yyjson_mut_arr_get(parent, i);
        return i == yyjson_mut_arr_size(parent) && yyjson_mut_arr_append(parent, fresh) ? fresh : NULL;
    }
    if (!yyjson_mut_is_obj(parent))
        return NULL;
    yyjson_mut_val *found = yyjson_mut_obj_getn(parent, part, size);
    if (found != NULL)
        return found;
    return yyjson_mut_obj_add(parent, yyjson_mut_strncpy(doc, part, size), fresh) ? fresh : NULL;
}

static enum MHD_Result add_parameter(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    yyjson_mut_doc *doc = context;
    yyjson_mut_val *at = yyjson_mut_doc_get_root(doc);
    (void)kind;
    if (value == NULL || strcmp(key, "writeKey") == 0)
        return MHD_YES;
    for (int depth = 0; depth < MAX_DEPTH && at != NULL; depth++) {
        size_t size = strcspn(key, ".");
        if (size == 0 || size > MAX_PART)
            return MHD_YES;
        if (key[size] == '\0') {
            (void)member(doc, at, key, size, yyjson_mut_strcpy(doc, value)); /* the first of equal names counts */
            return MHD_YES;
        }
        const char *next = key + size + 1;
        bool indexed = is_number(next, strcspn(next, "."));
        at = member(doc, at, key, size, indexed ? yyjson_mut_arr(doc) : yyjson_mut_obj(doc));
        key = next;
    }
    return MHD_YES;
}

cot_code cot_handle_pixel(struct cot_exchange *exchange, struct cot_err *err)
{
    size_t size = 0;
    if (!cot_exchange_authorize(exchange, cot_exchange_query(exchange, "writeKey")))
        return COT_OK;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    if (doc != NULL)
        MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_parameter, doc);
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size);
    yyjson_doc *call = text != NULL ? yyjson_read(text, size, YYJSON_READ_ALLOW_INVALID_UNICODE) : NULL;
    free(text);
    yyjson_mut_doc_free(doc);
    if (call == NULL)
        return cot_fail(err, COT_NOMEM, "a call");
    struct cot_ingest_request request = {.source = COT_INGEST_RUDDERSTACK,
                                         .doc = call,
                                         .calls = yyjson_doc_get_root(call),
                                         .type = strrchr(exchange->route->path, '/') + 1,
                                         .user_agent = cot_exchange_header(exchange, "User-Agent")};
    return cot_submit(exchange, &request, COT_SUBMIT_PIXEL, err);
}
