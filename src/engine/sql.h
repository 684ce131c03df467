/* Read-only SQL over the shop's tables and views. */
#ifndef COT_ENGINE_SQL_H
#define COT_ENGINE_SQL_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/* {"columns":[...],"rows":[{...}]}; COT_USAGE for SQL that DuckDB refuses. The caller frees the document. */
cot_code cot_sql_run(const struct cot_context *context, const char *sql, yyjson_mut_doc **ret_doc,
                     struct cot_err *err) COT_MUST_CHECK;

#endif
