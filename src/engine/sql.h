/*
 * Read-only SQL over the shop's tables and views, confined to them: no files, no settings, no extensions, one statement
 * that only reads.
 */
#ifndef COT_ENGINE_SQL_H
#define COT_ENGINE_SQL_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

enum { COT_SQL_MAX_ROWS = 1000000 };

/*
 * {"columns":[...],"rows":[{...}]}. Column names are made unique ("n", "n_1"); nested values are nested JSON.
 * COT_USAGE for SQL that DuckDB refuses (its message points at the place) and for statements that are no query;
 * COT_LIMIT beyond COT_SQL_MAX_ROWS. The caller frees the document.
 */
cot_code cot_sql_run(const struct cot_context *context, const char *sql, yyjson_mut_doc **ret_doc,
                     struct cot_err *err) COT_MUST_CHECK;

#endif
