/*
 * One file of an import, in one transaction.
 */
#ifndef COT_ENGINE_IMPORT_RUN_H
#define COT_ENGINE_IMPORT_RUN_H

#include "engine/context.h"
#include "engine/import_files.h"
#include "engine/import_rows.h"

struct cot_import_session {
    const struct cot_context *context;
    struct cot_store *store;
    struct cot_import_shop *shop;
    struct cot_source *source; /* of the file before, kept while files of one source follow each other */
    struct cot_file_options options;
    bool shop_failed; /* reading or writing failed within a transaction: other files would fare no better */
};

struct cot_import_result {
    uint64_t n_read;
    bool unchanged; /* the very file was imported before */
    struct cot_row_counts counts;
};

/* Takes the file into the store wholly or, where this fails, not at all. */
cot_code cot_import_file_run(struct cot_import_session *session, struct cot_import_file *file,
                             struct cot_import_result *ret_result, struct cot_err *err) COT_MUST_CHECK;

/* Settings that the session's options give and the shop has not yet: base currency and time zone. */
cot_code cot_import_settings(struct cot_import_session *session, struct cot_err *err) COT_MUST_CHECK;

#endif
