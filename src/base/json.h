/* Reading JSON so that a lack of memory is not taken for bad data. */
#ifndef COT_BASE_JSON_H
#define COT_BASE_JSON_H

#include <stddef.h>
#include <yyjson.h>

#include "coterie/err.h"

/* Parses `size` bytes; the caller frees the document. COT_NOMEM; COT_BAD_DATA where it is no JSON (why, at which byte).
 */
cot_code cot_json_read(const char *text, size_t size, yyjson_read_flag flags, yyjson_doc **ret_doc,
                       struct cot_err *err) COT_MUST_CHECK;

/* For yyjson's foreach loops, which count on from where the value is, NULL or not: NULL becomes something empty. */
static inline yyjson_val *cot_json_some(yyjson_val *value)
{
    static yyjson_val none = {.tag = YYJSON_TYPE_ARR};
    return value != NULL ? value : &none;
}

#endif
