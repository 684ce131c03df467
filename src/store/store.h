/*
 * The shop's history on disk: one DuckDB file, DIR/coterie.duckdb, whose schema is src/store/schema.h.
 *
 * A store is opened once a process; its connections are used by one thread each. The file has one process at a time.
 */
#ifndef COT_STORE_STORE_H
#define COT_STORE_STORE_H

#include <duckdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "coterie/err.h"

enum cot_store_mode {
    COT_STORE_CREATE,   /* make the directory and the file where there are none; migrate */
    COT_STORE_EXISTING, /* read and write; COT_NOT_FOUND where there is none; migrate */
    COT_STORE_READ_ONLY /* COT_NOT_FOUND where there is none; COT_BAD_DATA where it needs migrating */
};

struct cot_store_options {
    enum cot_store_mode mode;
    unsigned n_threads;    /* 0: all cores */
    uint64_t memory_limit; /* bytes for DuckDB's buffers; 0: 1.5 GB */
};

struct cot_store;

/* The database of a new shop while it is being made; also with .wal and .tmp behind it. kill -9 can leave it. */
#define COT_STORE_FRESH_NAME "coterie.duckdb.new"

/* COT_IO where another process holds the file (it says so). */
cot_code cot_store_open(const char *data_dir, const struct cot_store_options *options, struct cot_store **ret_store,
                        struct cot_err *err) COT_MUST_CHECK;
void cot_store_close(struct cot_store *store);

const char *cot_store_path(const struct cot_store *store); /* of the DuckDB file */
const char *cot_store_data_dir(const struct cot_store *store);

/* The store's own connection, for one thread. */
duckdb_connection cot_store_connection(struct cot_store *store);

/* Held around whatever runs on the store's own connection while bulk writers (writer.h) may be at work: a connection
 * runs one statement at a time, and a second one would close the first. */
pthread_mutex_t *cot_store_mutex(struct cot_store *store);

/* A further connection for another thread; duckdb_disconnect it. */
cot_code cot_store_connect(struct cot_store *store, duckdb_connection *ret_connection,
                           struct cot_err *err) COT_MUST_CHECK;

/* The same database for another thread, as it is when it is first asked: what is committed meanwhile is not seen, and
 * nothing is written but temporary tables. Closed as any store, before the one it is of. */
cot_code cot_store_open_snapshot(struct cot_store *store, struct cot_store **ret_snapshot,
                                 struct cot_err *err) COT_MUST_CHECK;

/* A failure as DuckDB words it, without its stack trace. The code is COT_IO or COT_NOMEM where its words say so, else
 * `otherwise`. what: what was being done, or NULL. message may be NULL. */
cot_code cot_duckdb_fail(struct cot_err *err, cot_code otherwise, const char *what, const char *message);

/* Runs statements without a result. `format` is SQL; put values in by cot_sql_quote or by parameters, never by %s
 * alone. */
cot_code cot_store_exec(struct cot_store *store, struct cot_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4))) COT_MUST_CHECK;

/* begin/commit/rollback of the store's own connection. Rollback never fails: it is for cleaning up. */
cot_code cot_store_begin(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_store_commit(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;
void cot_store_rollback(struct cot_store *store);

/* Settings of the shop (table setting). ret_value is a malloc'd string, NULL where there is none. */
cot_code cot_store_setting(struct cot_store *store, const char *key, char **ret_value,
                           struct cot_err *err) COT_MUST_CHECK;
cot_code cot_store_set_setting(struct cot_store *store, const char *key, const char *value,
                               struct cot_err *err) COT_MUST_CHECK;

/* Appends 'text' as an SQL string literal (quotes doubled) to a malloc'd string that the caller frees; NULL: no memory.
 */
char *cot_sql_quote(const char *text);
char *cot_sql_quote_n(const char *text, size_t size);

/*
 * Rows of a query, one by one. Streams: memory does not grow with the result.
 *
 *   rc = cot_rows_open(store, &rows, err, "select a, b from t where c = %lld", c);
 *   while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) ... cot_rows_int(rows, 0) ...
 *   cot_rows_close(rows);
 */
struct cot_rows;
cot_code cot_rows_open(struct cot_store *store, struct cot_rows **ret_rows, struct cot_err *err, const char *format,
                       ...) __attribute__((format(printf, 4, 5))) COT_MUST_CHECK;
cot_code cot_rows_open_on(duckdb_connection connection, const char *sql, struct cot_rows **ret_rows,
                          struct cot_err *err) COT_MUST_CHECK;
cot_code cot_rows_next(struct cot_rows *rows, bool *ret_more, struct cot_err *err) COT_MUST_CHECK;

/* The next block of rows at once (up to 2,048), for bulk reading by cot_rows_vector; 0 rows at the end. */
cot_code cot_rows_next_chunk(struct cot_rows *rows, size_t *ret_n, struct cot_err *err) COT_MUST_CHECK;
/* Column data of the current chunk: an array of the column's C type; validity NULL = all valid. */
const void *cot_rows_vector(const struct cot_rows *rows, size_t i_column, const uint64_t **ret_validity);
void cot_rows_close(struct cot_rows *rows);

size_t cot_rows_n_columns(const struct cot_rows *rows);
const char *cot_rows_column_name(struct cot_rows *rows, size_t i_column);
duckdb_type cot_rows_column_type(const struct cot_rows *rows, size_t i_column);

/* What row_json.h needs: DuckDB's own type (destroy it), its vector and the current row in it. */
duckdb_logical_type cot_rows_logical_type(struct cot_rows *rows, size_t i_column);
duckdb_vector cot_rows_duckdb_vector(const struct cot_rows *rows, size_t i_column, size_t *ret_row);

/* The current row's values. Integers of every width, booleans and times (as epoch ms) by _int; numbers, decimals too,
 * by _double (NaN where NULL); strings by _text (not NUL-terminated: use the size; NULL where NULL). */
bool cot_rows_is_null(const struct cot_rows *rows, size_t i_column);
int64_t cot_rows_int(const struct cot_rows *rows, size_t i_column);
double cot_rows_double(const struct cot_rows *rows, size_t i_column);
const char *cot_rows_text(const struct cot_rows *rows, size_t i_column, size_t *ret_size);

/* One number from a query of one row and one column; 0 where NULL or no row. */
cot_code cot_store_number(struct cot_store *store, int64_t *ret_value, struct cot_err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5))) COT_MUST_CHECK;

/*
 * Appending rows to a table through DuckDB's appender, a column at a time within a row. Columns are those of the table,
 * in order. cot_append_int(a, 1); cot_append_text(a, "x", 1); rc = cot_appender_end_row(a, err); A failing append is
 * remembered and reported by the end_row after it.
 */
struct cot_appender;
cot_code cot_appender_open(struct cot_store *store, const char *table, struct cot_appender **ret_appender,
                           struct cot_err *err) COT_MUST_CHECK;
void cot_append_int(struct cot_appender *appender, int64_t value);   /* every integer column, booleans */
void cot_append_double(struct cot_appender *appender, double value); /* not finite: NULL */
void cot_append_time(struct cot_appender *appender, int64_t ms);     /* TIMESTAMP_MS columns; INT64_MIN: NULL */
void cot_append_text(struct cot_appender *appender, const char *text, size_t size); /* text NULL: NULL */
void cot_append_null(struct cot_appender *appender);
cot_code cot_appender_end_row(struct cot_appender *appender, struct cot_err *err) COT_MUST_CHECK;
/* Flushes and frees; a NULL appender is fine. */
cot_code cot_appender_close(struct cot_appender *appender, struct cot_err *err) COT_MUST_CHECK;

#endif
