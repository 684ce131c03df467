#include "engine/report_sources.h"

#include <string.h>

#include "store/row_json.h"

enum { MAX_IMPORTS = 50, MAX_REASONS = 20 };

#define N_COUNTS 4
static const char *const counts[N_COUNTS] = {"rows_read", "rows_accepted", "rows_duplicate", "rows_quarantined"};

static void add_import(yyjson_mut_doc *doc, yyjson_mut_val *array, struct cot_rows *rows)
{
    size_t size = 0;
    yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, array);
    const char *path = cot_rows_text(rows, 0, &size);
    const char *slash = path != NULL ? memrchr(path, '/', size) : NULL;
    if (slash != NULL) {
        size -= (size_t)(slash + 1 - path);
        path = slash + 1;
    }
    yyjson_mut_obj_add_strncpy(doc, row, "file", path != NULL ? path : "", size);
    cot_row_add_text(doc, row, "kind", rows, 1);
    cot_row_add_text(doc, row, "connector", rows, 2);
    cot_row_add_time(doc, row, "finished_at", rows, 3);
    for (size_t i = 0; i < N_COUNTS; i++)
        yyjson_mut_obj_add_sint(doc, row, counts[i], cot_rows_int(rows, 4 + i));
}

static cot_code add_imports(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "imports");
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select path, kind, connector, finished_at, rows_read, rows_accepted, rows_duplicate,"
                                " rows_quarantined from import_run order by import_id desc limit %d",
                                MAX_IMPORTS);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        add_import(doc, array, rows);
    cot_rows_close(rows);
    return rc;
}

static cot_code add_totals(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select count(*), sum(rows_read)::bigint, sum(rows_accepted)::bigint,"
                                " sum(rows_duplicate)::bigint, sum(rows_quarantined)::bigint from import_run");
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        yyjson_mut_obj_add_sint(doc, root, "files", cot_rows_int(rows, 0));
        yyjson_mut_val *totals = yyjson_mut_obj_add_obj(doc, root, "totals");
        for (size_t i = 0; i < N_COUNTS; i++)
            yyjson_mut_obj_add_sint(doc, totals, counts[i], cot_rows_int(rows, 1 + i));
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code add_quarantine(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "quarantine");
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select coalesce(code, ''), arg_min(reason, quarantine_id), count(*) as n"
                                " from quarantine where status = 'open' group by 1 order by n desc, 1 limit %d",
                                MAX_REASONS);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, array);
        cot_row_add_text(doc, row, "code", rows, 0);
        cot_row_add_text(doc, row, "reason", rows, 1);
        yyjson_mut_obj_add_sint(doc, row, "rows", cot_rows_int(rows, 2));
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_report_sources_make(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val **ret_value,
                                 struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL)
        return cot_fail(err, COT_NOMEM, "report");
    cot_code rc = add_totals(store, doc, root, err);
    if (rc == COT_OK)
        rc = add_imports(store, doc, root, err);
    if (rc == COT_OK)
        rc = add_quarantine(store, doc, root, err);
    if (rc == COT_OK)
        *ret_value = root;
    return rc;
}
