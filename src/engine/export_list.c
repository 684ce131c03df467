/* The log of exports (see export.h). */
#include "base/json.h"
#include "engine/context_store.h"
#include "engine/export.h"
#include "store/row_json.h"
#include "store/store.h"

static const char list_sql[] =
    "select export_id as export, created_at, segment, format, path, purpose,"
    "  coalesce(json_extract_string(detail, '$.campaign'), '') as campaign, holdout, n_treated as treated,"
    "  n_holdout as held_out, n_excluded as excluded from export_run order by export_id desc";

cot_code cot_export_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "exports");
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, "%s", list_sql);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_val *value = NULL;
        for (size_t i = 0; rc == COT_OK && i < cot_rows_n_columns(rows); i++) {
            rc = cot_row_json(doc, rows, i, &value, err);
            if (rc == COT_OK && !yyjson_mut_obj_add(row, yyjson_mut_strcpy(doc, cot_rows_column_name(rows, i)), value))
                rc = cot_fail(err, COT_NOMEM, "result");
        }
    }
    cot_rows_close(rows);
    cot_store_close(store);
    return cot_json_finish(rc, doc, ret_doc);
}
