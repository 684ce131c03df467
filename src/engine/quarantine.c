#include "engine/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "store/row_json.h"
#include "store/store.h"

/* " and code = '...'" or "", a fresh string. */
static char *code_filter(const char *code)
{
    char *filter = NULL;
    char *quoted = code != NULL ? cot_sql_quote(code) : NULL;
    if (code == NULL)
        return strdup("");
    if (quoted == NULL || asprintf(&filter, " and code = %s", quoted) < 0)
        filter = NULL;
    free(quoted);
    return filter;
}

static cot_code list_summary(struct cot_store *store, const char *filter, yyjson_mut_doc *doc, yyjson_mut_val *array,
                             struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select path, code, count(*) n, min(line), arg_min(reason, quarantine_id) from"
                                " quarantine where status = 'open'%s group by path, code order by n desc, path, code",
                                filter);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
        cot_row_add_text(doc, value, "path", rows, 0);
        cot_row_add_text(doc, value, "code", rows, 1);
        yyjson_mut_obj_add_uint(doc, value, "rows", (uint64_t)cot_rows_int(rows, 2));
        yyjson_mut_obj_add_uint(doc, value, "first_line", (uint64_t)cot_rows_int(rows, 3));
        cot_row_add_text(doc, value, "example", rows, 4);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code list_rows(struct cot_store *store, const char *filter, uint64_t limit, yyjson_mut_doc *doc,
                          yyjson_mut_val *array, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select quarantine_id, path, line, code, reason, raw from quarantine where status ="
                                " 'open'%s order by quarantine_id limit %llu",
                                filter, (unsigned long long)limit);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_uint(doc, value, "id", (uint64_t)cot_rows_int(rows, 0));
        cot_row_add_text(doc, value, "path", rows, 1);
        yyjson_mut_obj_add_uint(doc, value, "line", (uint64_t)cot_rows_int(rows, 2));
        cot_row_add_text(doc, value, "code", rows, 3);
        cot_row_add_text(doc, value, "reason", rows, 4);
        cot_row_add_text(doc, value, "raw", rows, 5);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_quarantine_list_in(struct cot_store *store, const struct cot_quarantine_options *options,
                                yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    int64_t n_open = 0;
    int64_t n_replayed = 0;
    char *filter = code_filter(options->code);
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = filter == NULL ? cot_fail(err, COT_NOMEM, "quarantine") : cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_open, err, "select count(*) from quarantine where status = 'open'%s", filter);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_replayed, err, "select count(*) from quarantine where status = 'replayed'%s",
                              filter);
    yyjson_mut_obj_add_int(doc, root, "open", n_open);
    yyjson_mut_obj_add_int(doc, root, "replayed", n_replayed);
    if (rc == COT_OK)
        rc = list_summary(store, filter, doc, yyjson_mut_obj_add_arr(doc, root, "summary"), err);
    if (rc == COT_OK)
        rc = list_rows(store, filter, options->limit, doc, yyjson_mut_obj_add_arr(doc, root, "rows"), err);
    free(filter);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_quarantine_list(const struct cot_context *context, const struct cot_quarantine_options *options,
                             yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_quarantine_list_in(store, options, ret_doc, err);
    cot_store_close(store);
    return rc;
}
