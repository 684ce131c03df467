#include "engine/sql.h"

#include <math.h>

#include "base/civil.h"
#include "store/store.h"

static yyjson_mut_val *value_at(yyjson_mut_doc *doc, struct cot_rows *rows, size_t i)
{
    char text[COT_TIME_TEXT_SIZE];
    size_t size = 0;
    if (cot_rows_is_null(rows, i))
        return yyjson_mut_null(doc);
    switch (cot_rows_column_type(rows, i)) {
    case DUCKDB_TYPE_BOOLEAN: return yyjson_mut_bool(doc, cot_rows_int(rows, i) != 0);
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_HUGEINT: {
        double value = cot_rows_double(rows, i);
        if (!isfinite(value))
            return yyjson_mut_null(doc);
        bool whole = cot_rows_column_type(rows, i) == DUCKDB_TYPE_HUGEINT && fabs(value) < 0x1p53;
        return whole ? yyjson_mut_sint(doc, (int64_t)value) : yyjson_mut_real(doc, value);
    }
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        cot_format_time(cot_rows_int(rows, i), text, sizeof text);
        return yyjson_mut_strcpy(doc, text);
    case DUCKDB_TYPE_DATE:
        cot_format_date(cot_rows_int(rows, i), text, sizeof text);
        return yyjson_mut_strcpy(doc, text);
    case DUCKDB_TYPE_VARCHAR: {
        const char *value = cot_rows_text(rows, i, &size);
        return yyjson_mut_strncpy(doc, value, size);
    }
    default: return yyjson_mut_sint(doc, cot_rows_int(rows, i));
    }
}

static cot_code add_rows(yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_rows *rows, struct cot_err *err)
{
    yyjson_mut_val *columns = yyjson_mut_arr(doc);
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    bool more = false;
    cot_code rc = COT_OK;
    yyjson_mut_obj_add_val(doc, root, "columns", columns);
    yyjson_mut_obj_add_val(doc, root, "rows", array);
    for (size_t i = 0; i < cot_rows_n_columns(rows); i++)
        yyjson_mut_arr_add_strcpy(doc, columns, cot_rows_column_name(rows, i));
    while ((rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *row = yyjson_mut_obj(doc);
        yyjson_mut_arr_append(array, row);
        for (size_t i = 0; i < cot_rows_n_columns(rows); i++)
            yyjson_mut_obj_add(row, yyjson_mut_strcpy(doc, cot_rows_column_name(rows, i)), value_at(doc, rows, i));
    }
    return rc;
}

cot_code cot_sql_run(const struct cot_context *context, const char *sql, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_rows *rows = NULL;
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = context->n_threads};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    cot_code rc = doc == NULL || root == NULL ? cot_fail(err, COT_NOMEM, "result") : COT_OK;
    if (rc == COT_OK)
        rc = cot_store_open(context->data_dir, &options, &store, err);
    if (rc == COT_OK)
        rc = cot_rows_open_on(cot_store_connection(store), sql, &rows, err);
    if (rc != COT_OK)
        goto out;
    yyjson_mut_doc_set_root(doc, root);
    rc = add_rows(doc, root, rows, err);
    if (rc != COT_OK)
        goto out;
    *ret_doc = doc;
    doc = NULL;
out:
    cot_rows_close(rows);
    cot_store_close(store);
    yyjson_mut_doc_free(doc);
    return rc;
}
