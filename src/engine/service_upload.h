/*
 * Files that come to a running server.
 */
#ifndef COT_ENGINE_SERVICE_UPLOAD_H
#define COT_ENGINE_SERVICE_UPLOAD_H

#include "engine/import.h"
#include "engine/service.h"

/* Imports as import.h says, on the committer's thread: calls wait, readers see what was there before until it is done.
 */
cot_code cot_service_import(struct cot_service *service, const struct cot_import_options *options,
                            yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
