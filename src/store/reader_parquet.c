/* Parquet through DuckDB: every column as text (see reader.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/reader_parts.h"
#include "store/store.h"

struct cot_parquet {
    duckdb_database database; /* in memory, of this reader alone */
    duckdb_connection connection;
    struct cot_rows *rows;
    size_t chunk_size; /* rows of the current chunk */
    size_t chunk_at;   /* of them delivered */
    uint64_t n_rows;   /* delivered in all */
};

static cot_code open_database(struct cot_reader *reader, struct cot_err *err)
{
    static const char *const settings[][2] = {{"threads", "1"},
                                              {"memory_limit", "1GB"},
                                              {"autoinstall_known_extensions", "false"},
                                              {"autoload_known_extensions", "false"},
                                              {"preserve_insertion_order", "true"}};
    duckdb_config config = NULL;
    char *message = NULL;
    cot_code rc = duckdb_create_config(&config) == DuckDBSuccess ? COT_OK : cot_fail(err, COT_NOMEM, "DuckDB");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && rc == COT_OK; i++)
        if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            rc = cot_fail(err, COT_INTERNAL, "DuckDB has no setting '%s'", settings[i][0]);
    if (rc == COT_OK && duckdb_open_ext(NULL, &reader->parquet->database, config, &message) != DuckDBSuccess)
        rc = cot_fail(err, COT_INTERNAL, "DuckDB: %s", message != NULL ? message : "does not open");
    if (rc == COT_OK && duckdb_connect(reader->parquet->database, &reader->parquet->connection) != DuckDBSuccess)
        rc = cot_fail(err, COT_INTERNAL, "DuckDB does not connect");
    duckdb_free(message);
    duckdb_destroy_config(&config);
    return rc;
}

/* The column as text: times as ISO 8601 (with zone: UTC), nested values as JSON, the rest as DuckDB writes it. */
static const char *text_expression(duckdb_type type, bool is_instant)
{
    if (is_instant)
        return "strftime(%s, '%%Y-%%m-%%dT%%H:%%M:%%S.%%gZ')";
    switch (type) {
    case DUCKDB_TYPE_TIMESTAMP_TZ: return "strftime(%s at time zone 'UTC', '%%Y-%%m-%%dT%%H:%%M:%%S.%%gZ')";
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP: return "cast(to_json(%s) as varchar)";
    default: return "cast(%s as varchar)";
    }
}

/* "name" for SQL. */
static char *quote_identifier(const char *name)
{
    size_t size = strlen(name);
    char *quoted = malloc(2 * size + 3);
    size_t to = 0;
    if (quoted == NULL)
        return NULL;
    quoted[to++] = '"';
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '"')
            quoted[to++] = '"';
        quoted[to++] = name[i];
    }
    quoted[to++] = '"';
    quoted[to] = '\0';
    return quoted;
}

static cot_code append_expression(struct cot_buf *sql, const char *name, duckdb_type type, bool is_instant,
                                  struct cot_err *err)
{
    const char *format = text_expression(type, is_instant);
    const char *hole = strstr(format, "%s");
    char *quoted = quote_identifier(name);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "a query") : COT_OK;
    if (rc == COT_OK && sql->size > strlen("select "))
        rc = cot_buf_puts(sql, ", ", err);
    if (rc == COT_OK)
        rc = cot_buf_append(sql, format, (size_t)(hole - format), err);
    if (rc == COT_OK)
        rc = cot_buf_puts(sql, quoted, err);
    for (const char *at = hole + 2; rc == COT_OK && *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == '%')
            at++;
        rc = cot_buf_append(sql, at, 1, err);
    }
    free(quoted);
    return rc;
}

/* Marks the columns stored as INT96: those are UTC by the convention of Hive, Impala and Spark, though DuckDB (like
 * Parquet itself) gives them no zone. */
static cot_code find_instants(struct cot_reader *reader, const char *quoted_path, struct cot_rows *columns,
                              bool *ret_is_instant, struct cot_err *err)
{
    struct cot_buf sql = {0};
    struct cot_rows *rows = NULL;
    bool more = true;
    size_t size = 0;
    cot_code rc =
        cot_buf_printf(&sql, err, "select name from parquet_schema(%s) where \"type\" = 'INT96'", quoted_path);
    if (rc == COT_OK)
        rc = cot_rows_open_on(reader->parquet->connection, sql.data, &rows, err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        const char *name = cot_rows_text(rows, 0, &size);
        for (size_t i = 0; i < cot_rows_n_columns(columns); i++) {
            const char *column = cot_rows_column_name(columns, i);
            if (cot_rows_column_type(columns, i) == DUCKDB_TYPE_TIMESTAMP && strlen(column) == size &&
                memcmp(column, name, size) == 0)
                ret_is_instant[i] = true;
        }
    }
    cot_rows_close(rows);
    cot_buf_release(&sql);
    return rc;
}

/* The columns, and the query that reads them all. */
static cot_code plan(struct cot_reader *reader, const char *quoted_path, struct cot_buf *sql, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_text *names = NULL;
    bool *is_instant = NULL;
    cot_code rc =
        cot_buf_printf(sql, err, "select * from read_parquet(%s, hive_partitioning = false) limit 0", quoted_path);
    if (rc == COT_OK)
        rc = cot_rows_open_on(reader->parquet->connection, sql->data, &rows, err);
    if (rc != COT_OK)
        return rc;
    size_t n = cot_rows_n_columns(rows);
    names = calloc(n + 1, sizeof *names);
    is_instant = calloc(n + 1, sizeof *is_instant);
    cot_buf_clear(sql);
    rc = names == NULL || is_instant == NULL ? cot_fail(err, COT_NOMEM, "reading '%s'", reader->path)
                                             : find_instants(reader, quoted_path, rows, is_instant, err);
    if (rc == COT_OK)
        rc = cot_buf_puts(sql, "select ", err);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        const char *name = cot_rows_column_name(rows, i);
        names[i] = (struct cot_text){.data = name, .size = (uint32_t)strlen(name)};
        rc = append_expression(sql, name, cot_rows_column_type(rows, i), is_instant[i], err);
    }
    if (rc == COT_OK)
        rc = cot_reader_set_columns(reader, names, n, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(sql, err, " from read_parquet(%s, hive_partitioning = false)", quoted_path);
    free(names);
    free(is_instant);
    cot_rows_close(rows);
    return rc;
}

static cot_code parquet_open(struct cot_reader *reader, struct cot_err *err)
{
    struct cot_buf sql = {0};
    char *path = cot_sql_quote(reader->path);
    reader->parquet = calloc(1, sizeof *reader->parquet);
    cot_code rc = path == NULL || reader->parquet == NULL ? cot_fail(err, COT_NOMEM, "reading '%s'", reader->path)
                                                          : open_database(reader, err);
    if (rc == COT_OK)
        rc = plan(reader, path, &sql, err);
    if (rc == COT_OK)
        rc = cot_rows_open_on(reader->parquet->connection, sql.data, &reader->parquet->rows, err);
    if (rc != COT_OK && rc != COT_NOMEM && rc != COT_LIMIT)
        rc = cot_err_prefix(err, COT_BAD_DATA, "'%s'", reader->path);
    cot_buf_release(&sql);
    free(path);
    return rc;
}

static void parquet_close(struct cot_reader *reader)
{
    struct cot_parquet *parquet = reader->parquet;
    if (parquet == NULL)
        return;
    cot_rows_close(parquet->rows);
    duckdb_disconnect(&parquet->connection);
    duckdb_close(&parquet->database);
    free(parquet);
    reader->parquet = NULL;
}

/* Copies the strings of one column's vector: they end with the chunk, the batch lives longer. */
static cot_code copy_column(struct cot_batch *batch, const duckdb_string_t *strings, const uint64_t *validity,
                            size_t first, size_t n, size_t i_column, struct cot_err *err)
{
    struct cot_cell *cells = batch->cells + i_column * batch->stride;
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        if (validity == NULL || duckdb_validity_row_is_valid((uint64_t *)(uintptr_t)validity, first + i))
            total += duckdb_string_t_length(strings[first + i]);
    char *text = cot_arena_alloc(&batch->memory->arena, total + 1);
    if (text == NULL)
        return cot_fail(err, COT_NOMEM, "a batch of rows");
    for (size_t i = 0; i < n; i++) {
        cells[i] = (struct cot_cell){.data = "", .is_null = 1};
        if (validity != NULL && !duckdb_validity_row_is_valid((uint64_t *)(uintptr_t)validity, first + i))
            continue;
        duckdb_string_t string = strings[first + i];
        uint32_t size = duckdb_string_t_length(string);
        memcpy(text, duckdb_string_t_data(&string), size);
        cells[i] = (struct cot_cell){.data = text, .size = size};
        text += size;
    }
    return COT_OK;
}

static cot_code parquet_next(struct cot_reader *reader, struct cot_batch *batch, struct cot_err *err)
{
    struct cot_parquet *parquet = reader->parquet;
    if (parquet->chunk_at == parquet->chunk_size) {
        parquet->chunk_at = 0;
        cot_code rc = cot_rows_next_chunk(parquet->rows, &parquet->chunk_size, err);
        if (rc != COT_OK)
            return cot_err_prefix(err, COT_BAD_DATA, "'%s'", reader->path);
    }
    size_t n = parquet->chunk_size - parquet->chunk_at;
    if (n > batch->stride)
        n = batch->stride;
    for (size_t i = 0; i < batch->n_columns; i++) {
        const uint64_t *validity = NULL;
        const duckdb_string_t *strings = cot_rows_vector(parquet->rows, i, &validity);
        cot_code rc = copy_column(batch, strings, validity, parquet->chunk_at, n, i, err);
        if (rc != COT_OK)
            return rc;
    }
    for (size_t i = 0; i < n; i++)
        batch->lines[i] = parquet->n_rows + i + 1;
    batch->n_rows = n;
    parquet->chunk_at += n;
    parquet->n_rows += n;
    return COT_OK;
}

const struct cot_reader_format cot_reader_parquet = {
    .open = parquet_open, .next = parquet_next, .close = parquet_close};
