/* What an import would understand, without importing: import.h documents the document. */
#ifndef COT_ENGINE_IMPORT_DRY_H
#define COT_ENGINE_IMPORT_DRY_H

#include "engine/context.h"
#include "engine/import_files.h"

cot_code cot_import_dry_run(const struct cot_context *context, struct cot_import_files *files,
                            struct cot_file_options *options, yyjson_mut_doc *doc, struct cot_err *err) COT_MUST_CHECK;

#endif
