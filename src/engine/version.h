/* The versions that matter when something is asked about a data directory. */
#ifndef COT_ENGINE_VERSION_H
#define COT_ENGINE_VERSION_H

#include <yyjson.h>

#include "coterie/err.h"

/* {"version","schema","duckdb"}; the caller frees the document. */
cot_code cot_version_run(yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
