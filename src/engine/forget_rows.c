/* Step 1 of an erasure: rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "engine/erased.h"
#include "engine/forget_steps.h"

/* Runs a DELETE or UPDATE and says of how many rows. */
static cot_code change_rows(struct cot_store *store, const char *sql, int64_t *ret_n, struct cot_err *err)
{
    return cot_store_number(store, ret_n, err, "%s", sql);
}

static cot_code count_in(struct cot_forget *forget, yyjson_mut_val *counts, const char *table, int64_t n,
                         struct cot_err *err)
{
    yyjson_mut_val *before = yyjson_mut_obj_get(counts, table);
    if (n == 0)
        return COT_OK;
    if (before != NULL)
        yyjson_mut_set_sint(before, yyjson_mut_get_sint(before) + n);
    else if (!yyjson_mut_obj_add(counts, yyjson_mut_strcpy(forget->doc, table), yyjson_mut_sint(forget->doc, n)))
        return cot_fail(err, COT_NOMEM, "receipt");
    return COT_OK;
}

static cot_code delete_where(struct cot_store *store, struct cot_forget *forget, const char *table, const char *where,
                             struct cot_err *err)
{
    struct cot_buf sql = {0};
    int64_t n = 0;
    cot_code rc = cot_buf_printf(&sql, err, "delete from \"%s\" where %s", table, where);
    if (rc == COT_OK)
        rc = change_rows(store, cot_buf_text(&sql), &n, err);
    if (rc == COT_OK)
        rc = count_in(forget, forget->removed, table, n, err);
    cot_buf_release(&sql);
    return rc;
}

/* Tables that name a person by one of their columns: "table" and "column" of each, as read before any is changed. */
struct named_column {
    char table[128];
    char column[128];
};

static cot_code list_columns(struct cot_store *store, const char *condition, struct named_column **ret_columns,
                             size_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct named_column *columns = NULL;
    bool more = false;
    size_t n = 0;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select c.table_name, c.column_name from duckdb_columns() c join duckdb_tables() t"
                      " using (database_name, schema_name, table_name) where not c.internal and not t.temporary"
                      " and %s order by c.table_name = 'node', 1, 2",
                      condition);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        struct named_column *grown = realloc(columns, (n + 1) * sizeof *grown);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "columns");
            break;
        }
        columns = grown;
        const char *text = cot_rows_text(rows, 0, &size);
        snprintf(columns[n].table, sizeof columns[n].table, "%.*s", (int)size, text);
        text = cot_rows_text(rows, 1, &size);
        snprintf(columns[n++].column, sizeof columns[n].column, "%.*s", (int)size, text);
    }
    cot_rows_close(rows);
    if (rc == COT_OK) {
        *ret_columns = columns;
        *ret_n = n;
    } else {
        free(columns);
    }
    return rc;
}

static cot_code delete_by_node(struct cot_store *store, struct cot_forget *forget, struct cot_err *err)
{
    struct named_column *columns = NULL;
    struct cot_buf where = {0};
    size_t n = 0;
    const char *nodes = cot_buf_text(&forget->nodes);
    cot_code rc = cot_buf_printf(&where, err,
                                 "order_key in (select order_key from event where node_id in (%s)) and order_key not in"
                                 " (select order_key from event where order_key is not null and (node_id is null or"
                                 " node_id not in (%s)))",
                                 nodes, nodes);
    if (rc == COT_OK)
        rc = delete_where(store, forget, "order_version", cot_buf_text(&where), err);
    if (rc == COT_OK)
        rc = list_columns(store, "c.column_name in ('node_id', 'customer', 'node_a', 'node_b')", &columns, &n, err);
    for (size_t i = 0; rc == COT_OK && i < n; i++) {
        cot_buf_clear(&where);
        rc = cot_buf_printf(&where, err, "\"%s\" in (%s)", columns[i].column, nodes);
        if (rc == COT_OK)
            rc = delete_where(store, forget, columns[i].table, cot_buf_text(&where), err);
    }
    free(columns);
    cot_buf_release(&where);
    return rc;
}

cot_code cot_forget_pattern(const struct cot_forget_value *value, struct cot_buf *pattern, struct cot_err *err)
{
    cot_code rc = cot_buf_puts(pattern, "(^|[^0-9a-z._%+-])", err);
    for (size_t i = 0; rc == COT_OK && i < value->size; i++) {
        if (strchr("\\.+*?()|[]{}^$-/", value->text[i]) != NULL)
            rc = cot_buf_puts(pattern, "\\", err);
        if (rc == COT_OK)
            rc = cot_buf_append(pattern, &value->text[i], 1, err);
    }
    return rc == COT_OK ? cot_buf_puts(pattern, "(?:\\.0+)?($|[^0-9a-z._-]|[._-]+(?:$|[^0-9a-z._-]))", err) : rc;
}

/* A quoted SQL literal of the pattern. */
static char *quote_pattern(const struct cot_forget_value *value, struct cot_err *err)
{
    struct cot_buf pattern = {0};
    char *quoted =
        cot_forget_pattern(value, &pattern, err) == COT_OK ? cot_sql_quote_n(pattern.data, pattern.size) : NULL;
    cot_buf_release(&pattern);
    return quoted;
}

/* Rows as JSON. Ids of one to three characters count as a whole cell only: they stand in any number. */
static cot_code delete_quarantined(struct cot_store *store, struct cot_forget *forget, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < forget->n_values; i++) {
        const struct cot_forget_value *value = &forget->values[i];
        struct cot_buf where = {0};
        char *pattern = quote_pattern(value, err);
        char *text = cot_sql_quote_n(value->text, value->size);
        if (pattern == NULL || text == NULL)
            rc = cot_fail(err, COT_NOMEM, "SQL");
        else if (value->size < 4)
            rc = cot_buf_printf(&where, err, "contains(lower(raw), '\"' || %s || '\"')", text);
        else
            rc = cot_buf_printf(&where, err,
                                "regexp_matches(coalesce(raw, '') || ' ' || coalesce(reason, ''), %s, 'i')", pattern);
        if (rc == COT_OK)
            rc = delete_where(store, forget, "quarantine", cot_buf_text(&where), err);
        cot_buf_release(&where);
        free(pattern);
        free(text);
    }
    return rc;
}

static bool names_someone(yyjson_mut_val *value, const struct cot_forget *forget)
{
    const char *text = yyjson_mut_get_str(value);
    for (size_t i = 0; text != NULL && i < forget->n_values; i++)
        if (strcasecmp(text, forget->values[i].text) == 0)
            return true;
    return false;
}

/* Whether a value that is an element of an array stands for one of them. */
static bool element_names_someone(yyjson_mut_val *value, const struct cot_forget *forget)
{
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *item;
    if (yyjson_mut_is_arr(value))
        yyjson_mut_arr_foreach(value, i, n, item)
        {
            if (names_someone(item, forget))
                return true;
        }
    if (yyjson_mut_is_obj(value))
        yyjson_mut_obj_foreach(value, i, n, key, item)
        {
            if (names_someone(item, forget))
                return true;
        }
    return names_someone(value, forget);
}

size_t cot_forget_scrub(yyjson_mut_doc *doc, yyjson_mut_val *value, const struct cot_forget *forget)
{
    size_t found = 0;
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(value);
        yyjson_mut_val *item = NULL;
        while ((item = yyjson_mut_arr_iter_next(&iter)) != NULL) {
            bool gone = element_names_someone(item, forget);
            found += gone ? 1 : cot_forget_scrub(doc, item, forget);
            if (gone)
                yyjson_mut_arr_iter_remove(&iter);
        }
    } else if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(value);
        yyjson_mut_val *key = NULL;
        while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
            yyjson_mut_val *item = yyjson_mut_obj_iter_get_val(key);
            if (names_someone(item, forget)) {
                yyjson_mut_set_null(item);
                found++;
            } else {
                found += cot_forget_scrub(doc, item, forget);
            }
        }
    }
    return found;
}

/* One document of a `detail` column; writes it back where something was taken out. */
static cot_code scrub_detail(struct cot_store *store, struct cot_forget *forget, const char *table, int64_t row,
                             const char *text, size_t size, struct cot_err *err)
{
    yyjson_doc *read = NULL;
    yyjson_mut_doc *doc = NULL;
    cot_code rc = COT_OK;
    if (cot_json_read(text, size, 0, &read, err) == COT_NOMEM)
        return COT_NOMEM;
    if (read != NULL && (doc = yyjson_doc_mut_copy(read, NULL)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "document");
    if (doc != NULL && cot_forget_scrub(doc, yyjson_mut_doc_get_root(doc), forget) > 0) {
        size_t written_size = 0;
        char *written = yyjson_mut_write(doc, 0, &written_size);
        char *quoted = written != NULL ? cot_sql_quote_n(written, written_size) : NULL;
        rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "document")
                            : cot_store_exec(store, err, "update \"%s\" set detail = %s where rowid = %lld", table,
                                             quoted, (long long)row);
        if (rc == COT_OK)
            rc = count_in(forget, forget->changed, table, 1, err);
        free(written);
        free(quoted);
    }
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(read);
    return rc;
}

static cot_code scrub_table(struct cot_store *store, struct cot_forget *forget, const char *table, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = true;
    int64_t after = -1;
    cot_code rc = COT_OK;
    while (rc == COT_OK && more) { /* one at a time: documents are large, and an update ends the query */
        rc = cot_rows_open(store, &rows, err,
                           "select rowid, detail from \"%s\" where rowid > %lld and detail is not null order by rowid"
                           " limit 1",
                           table, (long long)after);
        if (rc == COT_OK)
            rc = cot_rows_next(rows, &more, err);
        if (rc == COT_OK && more) {
            size_t size = 0;
            const char *text = cot_rows_text(rows, 1, &size);
            char *copy = text != NULL ? strndup(text, size) : NULL;
            after = cot_rows_int(rows, 0);
            cot_rows_close(rows);
            rows = NULL;
            rc = copy == NULL ? cot_fail(err, COT_NOMEM, "document")
                              : scrub_detail(store, forget, table, after, copy, size, err);
            free(copy);
        }
        cot_rows_close(rows);
        rows = NULL;
    }
    return rc;
}

/* One value in one column of other people's texts (a search term, a note). */
static cot_code blank_text(struct cot_store *store, struct cot_forget *forget, const struct named_column *at,
                           const struct cot_forget_value *value, struct cot_err *err)
{
    struct cot_buf sql = {0};
    int64_t n = 0;
    cot_code rc = COT_OK;
    char *pattern = quote_pattern(value, err);
    char *text = cot_sql_quote_n(value->text, value->size);
    if (pattern == NULL || text == NULL)
        rc = cot_fail(err, COT_NOMEM, "SQL");
    else
        rc = cot_buf_printf(&sql, err,
                            "update \"%s\" set \"%s\" = regexp_replace(\"%s\", %s, '\\1[erased]\\2', 'gi')"
                            " where contains(lower(\"%s\"), %s) and regexp_matches(\"%s\", %s, 'i')",
                            at->table, at->column, at->column, pattern, at->column, text, at->column, pattern);
    if (rc == COT_OK)
        rc = change_rows(store, cot_buf_text(&sql), &n, err);
    if (rc == COT_OK)
        rc = count_in(forget, forget->changed, at->table, n, err);
    cot_buf_release(&sql);
    free(pattern);
    free(text);
    return rc;
}

/* Only what can't be there by chance: addresses and long ids. */
static cot_code blank_texts(struct cot_store *store, struct cot_forget *forget, struct cot_err *err)
{
    struct named_column *columns = NULL;
    size_t n = 0;
    cot_code rc =
        list_columns(store, "c.data_type = 'VARCHAR' and t.table_name not in ('node', 'setting')", &columns, &n, err);
    for (size_t i = 0; rc == COT_OK && i < n; i++)
        for (size_t j = 0; rc == COT_OK && j < forget->n_values; j++)
            if (forget->values[j].is_long)
                rc = blank_text(store, forget, &columns[i], &forget->values[j], err);
    free(columns);
    return rc;
}

static cot_code add_hashes(struct cot_store *store, const struct cot_forget *forget, struct cot_err *err)
{
    char *salt = NULL;
    cot_code rc = cot_salt_get(store, &salt, err);
    for (size_t i = 0; rc == COT_OK && i < forget->n_people; i++)
        for (size_t j = 0; rc == COT_OK && j < forget->people[i].n_nodes; j++) {
            const struct cot_person_node *node = &forget->people[i].nodes[j];
            char hash[COT_ERASED_HASH_SIZE];
            cot_salted_hash(salt, cot_node_kind_name(node->kind), node->value, node->value_size, hash);
            rc = cot_store_exec(store, err,
                                "insert into erased select '%s', epoch_ms(epoch_ms(now())) where not exists"
                                " (select 1 from erased where value_hash = '%s')",
                                hash, hash);
        }
    free(salt);
    return rc;
}

cot_code cot_forget_delete_rows(struct cot_store *store, struct cot_forget *forget, struct cot_err *err)
{
    static const char *const documents[] = {"segment_run", "segment", "export_run", "import_run"};
    cot_code rc = add_hashes(store, forget, err);
    if (rc == COT_OK)
        rc = delete_by_node(store, forget, err);
    if (rc == COT_OK)
        rc = delete_quarantined(store, forget, err);
    for (size_t i = 0; rc == COT_OK && i < sizeof documents / sizeof *documents; i++)
        rc = scrub_table(store, forget, documents[i], err);
    return rc == COT_OK ? blank_texts(store, forget, err) : rc;
}
