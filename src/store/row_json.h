/* Values of query results as JSON, nested ones too. Of the current row, and copied. */
#ifndef COT_STORE_ROW_JSON_H
#define COT_STORE_ROW_JSON_H

#include <yyjson.h>

#include "store/store.h"

/*
 * The current row's value of a column as a value of `doc` (copied). Lists and arrays become arrays, structs and maps
 * objects (map keys as text), times ISO 8601, intervals ISO 8601 durations, NaN and infinities null, integers beyond 64
 * bits and UUIDs text, BLOBs text of hex digits. COT_USAGE for types that have no such form (UNION, BIT, ...): the
 * query can cast them.
 */
cot_code cot_row_json(yyjson_mut_doc *doc, struct cot_rows *rows, size_t i_column, yyjson_mut_val **ret_value,
                      struct cot_err *err) COT_MUST_CHECK;

/* A column of text, or of times, as a member of an object; null where it is NULL. */
void cot_row_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                      size_t i_column);
void cot_row_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                      size_t i_column);

#endif
