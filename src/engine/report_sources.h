/* The report's section on where the data comes from. */
#ifndef COT_ENGINE_REPORT_SOURCES_H
#define COT_ENGINE_REPORT_SOURCES_H

#include <yyjson.h>

#include "coterie/err.h"
#include "store/store.h"

/* "provenance" of the report's document (engine/report.h), owned by doc. Files by name, without their folders: a report
 * is passed on. */
cot_code cot_report_sources_make(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val **ret_value,
                                 struct cot_err *err) COT_MUST_CHECK;

#endif
