#include "engine/sql.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "store/row_json.h"
#include "store/store.h"

/* From here on the connection reaches nothing but the open file, and nobody can change that. */
static cot_code confine(struct cot_store *store, struct cot_err *err)
{
    return cot_store_exec(store, err, "set enable_external_access = false; set lock_configuration = true");
}

/* `explain analyze` runs what it explains, a COPY into DuckDB's own folder for spilled data included. */
static bool runs_what_it_explains(duckdb_statement_type type, const char *sql)
{
    return type == DUCKDB_STATEMENT_TYPE_EXPLAIN && strcasestr(sql, "analyze") != NULL;
}

static cot_code check_type(duckdb_prepared_statement statement, const char *sql, struct cot_err *err)
{
    duckdb_statement_type type = duckdb_prepared_statement_type(statement);
    if ((type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) ||
        runs_what_it_explains(type, sql))
        return cot_fail(err, COT_USAGE,
                        "only queries are taken here (select, from, with, show, describe, summarize, explain without"
                        " analyze): this statement could change something");
    if (duckdb_nparams(statement) > 0)
        return cot_fail(err, COT_USAGE, "the query has parameters (? or $1) and nothing to put there: write the value");
    return COT_OK;
}

/* The view of customers holds features: it is made when they are first computed. */
static cot_code explain_refusal(const char *message, struct cot_err *err)
{
    if (strstr(message, "name customers does not exist") != NULL)
        return cot_fail(err, COT_USAGE,
                        "the view customers (features, segments) is not there yet: 'coterie segment' makes it");
    return cot_fail(err, COT_USAGE, "%s", message);
}

/* One statement, and one that reads. */
static cot_code check_statement(struct cot_store *store, const char *sql, struct cot_err *err)
{
    duckdb_extracted_statements statements = NULL;
    duckdb_prepared_statement statement = NULL;
    duckdb_connection connection = cot_store_connection(store);
    cot_code rc = COT_OK;
    idx_t n = duckdb_extract_statements(connection, sql, &statements);
    const char *message = n == 0 ? duckdb_extract_statements_error(statements) : NULL;
    if (message != NULL)
        rc = cot_fail(err, COT_USAGE, "%s", message);
    else if (n != 1)
        rc = cot_fail(err, COT_USAGE, "%s",
                      n == 0 ? "no query: write one, as in 'select * from customers limit 10'"
                             : "more than one statement: give one query (a PIVOT needs its values written: IN (...))");
    else if (duckdb_prepare_extracted_statement(connection, statements, 0, &statement) != DuckDBSuccess)
        rc = explain_refusal(duckdb_prepare_error(statement), err);
    else
        rc = check_type(statement, sql, err);
    duckdb_destroy_prepare(&statement);
    duckdb_destroy_extracted(&statements);
    return rc;
}

static bool array_has(yyjson_mut_val *array, const char *text)
{
    size_t i;
    size_t n;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(array, i, n, item)
    {
        if (yyjson_mut_equals_str(item, text))
            return true;
    }
    return false;
}

/* A JSON object can't have a name twice, a result can. */
static void add_names(yyjson_mut_doc *doc, yyjson_mut_val *columns, struct cot_rows *rows)
{
    for (size_t i = 0; i < cot_rows_n_columns(rows); i++) {
        char unique[300];
        const char *name = cot_rows_column_name(rows, i);
        snprintf(unique, sizeof unique, "%s", name);
        for (unsigned n = 1; array_has(columns, unique); n++)
            snprintf(unique, sizeof unique, "%.256s_%u", name, n);
        yyjson_mut_arr_add_strcpy(doc, columns, unique);
    }
}

static cot_code add_row(yyjson_mut_doc *doc, yyjson_mut_val *columns, yyjson_mut_val *array, struct cot_rows *rows,
                        struct cot_err *err)
{
    yyjson_mut_val *row = yyjson_mut_obj(doc);
    yyjson_mut_val *name = yyjson_mut_arr_get_first(columns);
    yyjson_mut_val *value = NULL;
    cot_code rc = row != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "result");
    for (size_t i = 0; rc == COT_OK && i < cot_rows_n_columns(rows); i++, name = name->next) {
        rc = cot_row_json(doc, rows, i, &value, err);
        if (rc == COT_OK && !yyjson_mut_obj_add(row, yyjson_mut_str(doc, yyjson_mut_get_str(name)), value))
            rc = cot_fail(err, COT_NOMEM, "result");
    }
    if (rc == COT_OK)
        yyjson_mut_arr_append(array, row);
    return rc;
}

static cot_code add_rows(yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_rows *rows, struct cot_err *err)
{
    yyjson_mut_val *columns = yyjson_mut_arr(doc);
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    bool more = false;
    size_t n = 0;
    cot_code rc = COT_OK;
    if (!yyjson_mut_obj_add_val(doc, root, "columns", columns) || !yyjson_mut_obj_add_val(doc, root, "rows", array))
        return cot_fail(err, COT_NOMEM, "result");
    add_names(doc, columns, rows);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = n++ < COT_SQL_MAX_ROWS ? add_row(doc, columns, array, rows, err)
                                    : cot_fail(err, COT_LIMIT,
                                               "more than %d rows: aggregate, or end the query with"
                                               " 'limit %d'",
                                               COT_SQL_MAX_ROWS, COT_SQL_MAX_ROWS);
    return rc;
}

cot_code cot_sql_run(const struct cot_context *context, const char *sql, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_rows *rows = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = confine(store, err);
    if (rc == COT_OK)
        rc = check_statement(store, sql, err);
    if (rc == COT_OK)
        rc = cot_rows_open_on(cot_store_connection(store), sql, &rows, err);
    if (rc != COT_OK)
        goto out;
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
