/* Step 4 of an erasure: looking for what must not be there. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "engine/forget_steps.h"

enum { WINDOW = 1 << 20 };

struct scan {
    const struct cot_forget *forget;
    const struct cot_progress *progress;
    char *window; /* WINDOW bytes and the longest value before them */
    size_t overlap;
    uint64_t n_files;
    uint64_t n_bytes;
    yyjson_mut_val *found;
};

/* Where short ids are ids; elsewhere "42" is just a number. */
static bool holds_ids(const char *table, size_t table_size, const char *column, size_t column_size)
{
    return (column_size == 11 && memcmp(column, "customer_id", 11) == 0) ||
           (table_size == 4 && memcmp(table, "node", 4) == 0) ||
           (column_size == 6 && memcmp(column, "detail", 6) == 0 && table_size >= 7 &&
            memcmp(table, "segment", 7) == 0);
}

/* Two sums of counts over all text columns: of rows that name the value, and of rows that contain it at all. */
static cot_code value_queries(struct cot_store *store, const struct cot_forget_value *value, struct cot_buf *named,
                              struct cot_buf *contained, int64_t *ret_columns, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_buf pattern = {0};
    bool more = false;
    char *quoted_pattern = NULL;
    char *quoted = cot_sql_quote_n(value->text, value->size);
    int64_t n = 0;
    cot_code rc = cot_forget_pattern(value, &pattern, err);
    if (rc == COT_OK && ((quoted_pattern = cot_sql_quote_n(pattern.data, pattern.size)) == NULL || quoted == NULL))
        rc = cot_fail(err, COT_NOMEM, "SQL");
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select c.table_name, c.column_name from duckdb_columns() c join duckdb_tables() t using"
                           " (database_name, schema_name, table_name) where not c.internal and not t.temporary and"
                           " c.data_type = 'VARCHAR'");
    if (rc == COT_OK)
        rc = cot_buf_puts(named, "select 0", err);
    if (rc == COT_OK)
        rc = cot_buf_puts(contained, "select 0", err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t table_size = 0;
        size_t size = 0;
        const char *table = cot_rows_text(rows, 0, &table_size);
        const char *column = cot_rows_text(rows, 1, &size);
        n++;
        if (value->is_long || holds_ids(table, table_size, column, size))
            rc = cot_buf_printf(named, err,
                                " + (select count(*) from \"%.*s\" where contains(lower(\"%.*s\"), %s) and"
                                " regexp_matches(\"%.*s\", %s, 'i'))",
                                (int)table_size, table, (int)size, column, quoted, (int)size, column, quoted_pattern);
        if (rc == COT_OK && value->is_long)
            rc =
                cot_buf_printf(contained, err, " + (select count(*) from \"%.*s\" where contains(lower(\"%.*s\"), %s))",
                               (int)table_size, table, (int)size, column, quoted);
    }
    cot_rows_close(rows);
    cot_buf_release(&pattern);
    free(quoted);
    free(quoted_pattern);
    *ret_columns = n;
    return rc;
}

static cot_code search_columns(struct cot_store *store, struct cot_forget *forget, int64_t *ret_columns,
                               int64_t *ret_rows, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < forget->n_values; i++) {
        struct cot_buf named = {0};
        struct cot_buf contained = {0};
        int64_t n_named = 0;
        int64_t n_contained = 0;
        rc = value_queries(store, &forget->values[i], &named, &contained, ret_columns, err);
        if (rc == COT_OK)
            rc = cot_store_number(store, &n_named, err, "%s", cot_buf_text(&named));
        if (rc == COT_OK)
            rc = cot_store_number(store, &n_contained, err, "%s", cot_buf_text(&contained));
        forget->values[i].is_part = n_contained > 0 && n_named == 0;
        *ret_rows += n_named;
        cot_buf_release(&named);
        cot_buf_release(&contained);
    }
    return rc;
}

static bool is_word_byte(unsigned char c)
{
    return isalnum(c) || c >= 0x80 || strchr("._%+-", c) != NULL;
}

/* Anywhere in the bytes; where that can be chance, as a word only, and in files of text only. */
static bool occurs(const struct scan *scan, size_t size, const struct cot_forget_value *value, bool is_text)
{
    const char *at = scan->window;
    const char *end = scan->window + size;
    bool decisive = value->is_long && !value->is_part;
    if (!decisive && !is_text)
        return false;
    while ((at = memmem(at, (size_t)(end - at), value->text, value->size)) != NULL) {
        const char *after = at + value->size;
        bool bounded = (at == scan->window || !is_word_byte((unsigned char)at[-1])) &&
                       (after == end || !is_word_byte((unsigned char)*after));
        if (decisive || bounded)
            return true;
        at++;
    }
    return false;
}

/* Everything but our own binary formats. */
static bool has_text_name(const char *name)
{
    static const char *const binary[] = {".duckdb", ".wal", ".parquet", ".cotm", ".ids"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof binary / sizeof *binary; i++)
        if (strcmp(dot, binary[i]) == 0)
            return false;
    return true;
}

static cot_code scan_file(void *context, const char *name, const char *path, const struct stat *status,
                          struct cot_err *err)
{
    struct scan *scan = context;
    size_t kept = 0;
    bool hit = false;
    cot_code rc = COT_OK;
    if (!S_ISREG(status->st_mode))
        return COT_OK;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno == ENOENT ? COT_OK : cot_fail(err, COT_IO, "reading '%s': %s", path, strerror(errno));
    for (size_t n = 0; (n = fread(scan->window + kept, 1, WINDOW, file)) > 0;) {
        for (size_t i = kept; i < kept + n; i++)
            scan->window[i] = (char)tolower((unsigned char)scan->window[i]);
        size_t size = kept + n;
        for (size_t i = 0; !hit && i < scan->forget->n_values; i++)
            hit = occurs(scan, size, &scan->forget->values[i], has_text_name(name));
        scan->n_bytes += n;
        kept = size < scan->overlap ? size : scan->overlap;
        memmove(scan->window, scan->window + size - kept, kept);
        cot_progress_report(scan->progress, "proving the absence", scan->n_bytes, 0);
    }
    if (ferror(file))
        rc = cot_fail(err, COT_IO, "reading '%s': %s", path, strerror(errno));
    fclose(file);
    scan->n_files++;
    if (hit && !yyjson_mut_arr_add_strcpy(scan->forget->doc, scan->found, name))
        rc = cot_fail(err, COT_NOMEM, "receipt");
    return rc;
}

cot_code cot_forget_prove(struct cot_store *store, struct cot_forget *forget, const struct cot_progress *progress,
                          bool *ret_absent, struct cot_err *err)
{
    yyjson_mut_doc *doc = forget->doc;
    yyjson_mut_val *proof = yyjson_mut_obj_add_obj(doc, yyjson_mut_doc_get_root(doc), "proof");
    struct scan scan = {.forget = forget, .progress = progress, .found = yyjson_mut_arr(doc)};
    int64_t n_columns = 0;
    int64_t n_rows = 0;
    size_t n_short = 0;
    for (size_t i = 0; i < forget->n_values; i++) {
        if (forget->values[i].size + 1 > scan.overlap)
            scan.overlap = forget->values[i].size + 1;
    }
    scan.window = malloc(WINDOW + scan.overlap);
    cot_code rc = scan.window == NULL || scan.found == NULL ? cot_fail(err, COT_NOMEM, "proof") : COT_OK;
    if (rc == COT_OK)
        rc = search_columns(store, forget, &n_columns, &n_rows, err);
    if (rc == COT_OK)
        rc = cot_folder_walk(cot_store_data_dir(store), scan_file, &scan, err);
    free(scan.window);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < forget->n_values; i++)
        n_short += !forget->values[i].is_long || forget->values[i].is_part;
    yyjson_mut_obj_add_sint(doc, proof, "columns_searched", n_columns);
    yyjson_mut_obj_add_sint(doc, proof, "rows_found", n_rows);
    yyjson_mut_obj_add_uint(doc, proof, "files_searched", scan.n_files);
    yyjson_mut_obj_add_uint(doc, proof, "bytes_searched", scan.n_bytes);
    yyjson_mut_obj_add_uint(doc, proof, "too_short_for_bytes", n_short);
    if (!yyjson_mut_obj_add_val(doc, proof, "found", scan.found))
        return cot_fail(err, COT_NOMEM, "receipt");
    *ret_absent = n_rows == 0 && yyjson_mut_arr_size(scan.found) == 0;
    return COT_OK;
}
