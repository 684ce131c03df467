/*
 * The report's page: one HTML file with its style, scripts, chart library and data inside; it fetches nothing.
 */
#ifndef COT_ENGINE_REPORT_PAGE_H
#define COT_ENGINE_REPORT_PAGE_H

#include <yyjson.h>

#include "base/buf.h"
#include "coterie/err.h"

/* Appends the page for a report document. Strings of the document can't leave the data block: every '<' in it, and
 * U+2028 and U+2029, are written as JSON escapes. */
cot_code cot_report_page_make(const yyjson_mut_doc *doc, struct cot_buf *page, struct cot_err *err) COT_MUST_CHECK;

/* Writes beside the path and renames: a reader sees the old file or the new one, never half of it. COT_IO. */
cot_code cot_report_page_write(const struct cot_buf *page, const char *path, struct cot_err *err) COT_MUST_CHECK;

#endif
