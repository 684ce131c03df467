/* The log of exports (see export.h). */
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
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = context->n_threads};
    bool more = false;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "exports");
    cot_code rc = array == NULL ? cot_fail(err, COT_NOMEM, "result") : COT_OK;
    yyjson_mut_doc_set_root(doc, root);
    if (rc == COT_OK)
        rc = cot_store_open(context->data_dir, &options, &store, err);
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
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}
