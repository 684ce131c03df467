/* Reading JSON so that a lack of memory is not taken for bad data; documents as answers. */
#ifndef COT_BASE_JSON_H
#define COT_BASE_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"

/* Parses `size` bytes; the caller frees the document. COT_NOMEM; COT_BAD_DATA where it is no JSON (why, at which byte).
 */
cot_code cot_json_read(const char *text, size_t size, yyjson_read_flag flags, yyjson_doc **ret_doc,
                       struct cot_err *err) COT_MUST_CHECK;

/* A document whose root is an empty object; the caller frees it, or finishes with it. COT_NOMEM. */
cot_code cot_json_document(yyjson_mut_doc **ret_doc, yyjson_mut_val **ret_root, struct cot_err *err) COT_MUST_CHECK;

/* The end of a function that answers with a document and came to `rc`: hands the document over where that is COT_OK,
 * frees it (NULL: there is none) where not. Returns rc. */
cot_code cot_json_finish(cot_code rc, yyjson_mut_doc *doc, yyjson_mut_doc **ret_doc) COT_MUST_CHECK;

/* A number that may be missing: null where not finite. */
void cot_json_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value);
/* To n digits after the point, for figures that people read; what is not finite stays so. */
double cot_json_round(double value, int n_digits);
/* ISO 8601: a moment, in UTC milliseconds; a day, counted from 1970-01-01. */
void cot_json_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t ms);
void cot_json_add_day(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t day);

/* For yyjson's foreach loops, which count on from where the value is, NULL or not: NULL becomes something empty. */
static inline yyjson_val *cot_json_some(yyjson_val *value)
{
    static yyjson_val none = {.tag = YYJSON_TYPE_ARR};
    return value != NULL ? value : &none;
}

#endif
