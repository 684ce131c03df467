/* Reading query results (see store.h). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

struct column {
    duckdb_type type;
    uint8_t decimal_scale;
    duckdb_type decimal_storage;
    void *data;
    uint64_t *validity;
};

struct cot_rows {
    duckdb_result result;
    duckdb_data_chunk chunk;
    size_t n_columns;
    struct column *columns;
    size_t n_rows; /* of the chunk */
    size_t i_row;
};

static cot_code query_streaming(duckdb_connection connection, const char *sql, duckdb_result *ret_result,
                                struct cot_err *err)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    const char *message = NULL;
    cot_code rc = COT_OK;
    if (duckdb_prepare(connection, sql, &statement) != DuckDBSuccess) {
        message = duckdb_prepare_error(statement);
        rc = cot_duckdb_fail(err, COT_USAGE, NULL, message);
    } else if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess ||
               duckdb_execute_pending(pending, ret_result) != DuckDBSuccess) {
        message = pending != NULL ? duckdb_pending_error(pending) : NULL;
        if (message == NULL)
            message = duckdb_result_error(ret_result);
        rc = cot_duckdb_fail(err, COT_BAD_DATA, NULL, message);
        duckdb_destroy_result(ret_result);
    }
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return rc;
}

cot_code cot_rows_open_on(duckdb_connection connection, const char *sql, struct cot_rows **ret_rows,
                          struct cot_err *err)
{
    struct cot_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "query");
    cot_code rc = query_streaming(connection, sql, &rows->result, err);
    if (rc != COT_OK) {
        free(rows);
        return rc;
    }
    rows->n_columns = duckdb_column_count(&rows->result);
    rows->columns = calloc(rows->n_columns + 1, sizeof *rows->columns);
    if (rows->columns == NULL) {
        cot_rows_close(rows);
        return cot_fail(err, COT_NOMEM, "query");
    }
    for (size_t i = 0; i < rows->n_columns; i++) {
        duckdb_logical_type type = duckdb_column_logical_type(&rows->result, i);
        rows->columns[i].type = duckdb_get_type_id(type);
        if (rows->columns[i].type == DUCKDB_TYPE_DECIMAL) {
            rows->columns[i].decimal_scale = duckdb_decimal_scale(type);
            rows->columns[i].decimal_storage = duckdb_decimal_internal_type(type);
        }
        duckdb_destroy_logical_type(&type);
    }
    *ret_rows = rows;
    return COT_OK;
}

cot_code cot_rows_open(struct cot_store *store, struct cot_rows **ret_rows, struct cot_err *err, const char *format,
                       ...)
{
    char *sql = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&sql, format, args);
    va_end(args);
    if (size < 0)
        return cot_fail(err, COT_NOMEM, "SQL");
    cot_code rc = cot_rows_open_on(cot_store_connection(store), sql, ret_rows, err);
    free(sql);
    return rc;
}

cot_code cot_rows_next_chunk(struct cot_rows *rows, size_t *ret_n, struct cot_err *err)
{
    do {
        duckdb_destroy_data_chunk(&rows->chunk);
        rows->chunk = duckdb_fetch_chunk(rows->result);
        if (rows->chunk == NULL) {
            const char *message = duckdb_result_error(&rows->result);
            rows->n_rows = 0;
            *ret_n = 0;
            return message != NULL && message[0] != '\0' ? cot_duckdb_fail(err, COT_BAD_DATA, NULL, message) : COT_OK;
        }
        rows->n_rows = duckdb_data_chunk_get_size(rows->chunk);
    } while (rows->n_rows == 0);
    for (size_t i = 0; i < rows->n_columns; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(rows->chunk, i);
        rows->columns[i].data = duckdb_vector_get_data(vector);
        rows->columns[i].validity = duckdb_vector_get_validity(vector);
    }
    rows->i_row = 0;
    *ret_n = rows->n_rows;
    return COT_OK;
}

cot_code cot_rows_next(struct cot_rows *rows, bool *ret_more, struct cot_err *err)
{
    size_t n = rows->n_rows;
    if (rows->chunk != NULL && rows->i_row + 1 < rows->n_rows) {
        rows->i_row++;
        *ret_more = true;
        return COT_OK;
    }
    cot_code rc = cot_rows_next_chunk(rows, &n, err);
    if (rc == COT_OK)
        *ret_more = n > 0;
    return rc;
}

const void *cot_rows_vector(const struct cot_rows *rows, size_t i_column, const uint64_t **ret_validity)
{
    *ret_validity = rows->columns[i_column].validity;
    return rows->columns[i_column].data;
}

void cot_rows_close(struct cot_rows *rows)
{
    if (rows == NULL)
        return;
    duckdb_destroy_data_chunk(&rows->chunk);
    duckdb_destroy_result(&rows->result);
    free(rows->columns);
    free(rows);
}

size_t cot_rows_n_columns(const struct cot_rows *rows)
{
    return rows->n_columns;
}

const char *cot_rows_column_name(struct cot_rows *rows, size_t i_column)
{
    return duckdb_column_name(&rows->result, i_column);
}

duckdb_type cot_rows_column_type(const struct cot_rows *rows, size_t i_column)
{
    return rows->columns[i_column].type;
}

duckdb_logical_type cot_rows_logical_type(struct cot_rows *rows, size_t i_column)
{
    return duckdb_column_logical_type(&rows->result, i_column);
}

duckdb_vector cot_rows_duckdb_vector(const struct cot_rows *rows, size_t i_column, size_t *ret_row)
{
    *ret_row = rows->i_row;
    return duckdb_data_chunk_get_vector(rows->chunk, i_column);
}

bool cot_rows_is_null(const struct cot_rows *rows, size_t i_column)
{
    uint64_t *validity = rows->columns[i_column].validity;
    return validity != NULL && !duckdb_validity_row_is_valid(validity, rows->i_row);
}

static int64_t integer_at(duckdb_type type, const void *data, size_t i)
{
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return ((const bool *)data)[i];
    case DUCKDB_TYPE_TINYINT: return ((const int8_t *)data)[i];
    case DUCKDB_TYPE_SMALLINT: return ((const int16_t *)data)[i];
    case DUCKDB_TYPE_INTEGER: return ((const int32_t *)data)[i];
    case DUCKDB_TYPE_UTINYINT: return ((const uint8_t *)data)[i];
    case DUCKDB_TYPE_USMALLINT: return ((const uint16_t *)data)[i];
    case DUCKDB_TYPE_UINTEGER: return ((const uint32_t *)data)[i];
    case DUCKDB_TYPE_UBIGINT: return (int64_t)((const uint64_t *)data)[i];
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_TIMESTAMP_MS: return ((const int64_t *)data)[i];
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return ((const int64_t *)data)[i] / 1000;
    case DUCKDB_TYPE_TIMESTAMP_S: return ((const int64_t *)data)[i] * 1000;
    case DUCKDB_TYPE_DATE: return ((const int32_t *)data)[i] * INT64_C(86400000);
    case DUCKDB_TYPE_HUGEINT: return (int64_t)((const duckdb_hugeint *)data)[i].lower;
    case DUCKDB_TYPE_FLOAT: return (int64_t)((const float *)data)[i];
    case DUCKDB_TYPE_DOUBLE: return (int64_t)((const double *)data)[i];
    default: return 0;
    }
}

int64_t cot_rows_int(const struct cot_rows *rows, size_t i_column)
{
    const struct column *column = &rows->columns[i_column];
    return cot_rows_is_null(rows, i_column) ? 0 : integer_at(column->type, column->data, rows->i_row);
}

double cot_rows_double(const struct cot_rows *rows, size_t i_column)
{
    const struct column *column = &rows->columns[i_column];
    size_t i = rows->i_row;
    if (cot_rows_is_null(rows, i_column))
        return NAN;
    switch (column->type) {
    case DUCKDB_TYPE_FLOAT: return (double)((const float *)column->data)[i];
    case DUCKDB_TYPE_DOUBLE: return ((const double *)column->data)[i];
    case DUCKDB_TYPE_HUGEINT: return duckdb_hugeint_to_double(((const duckdb_hugeint *)column->data)[i]);
    case DUCKDB_TYPE_UHUGEINT: return duckdb_uhugeint_to_double(((const duckdb_uhugeint *)column->data)[i]);
    case DUCKDB_TYPE_DECIMAL: {
        double value = column->decimal_storage == DUCKDB_TYPE_HUGEINT
                           ? duckdb_hugeint_to_double(((const duckdb_hugeint *)column->data)[i])
                           : (double)integer_at(column->decimal_storage, column->data, i);
        return value / pow(10, column->decimal_scale);
    }
    default: return (double)integer_at(column->type, column->data, i);
    }
}

const char *cot_rows_text(const struct cot_rows *rows, size_t i_column, size_t *ret_size)
{
    const struct column *column = &rows->columns[i_column];
    *ret_size = 0;
    if (cot_rows_is_null(rows, i_column) || (column->type != DUCKDB_TYPE_VARCHAR && column->type != DUCKDB_TYPE_BLOB))
        return NULL;
    duckdb_string_t *text = &((duckdb_string_t *)column->data)[rows->i_row];
    *ret_size = duckdb_string_t_length(*text);
    return duckdb_string_t_data(text);
}
