/*
 * Bulk writing (see writer.h). A ring of blocks: the caller fills one while the writer's thread hands the full ones to
 * DuckDB in order.
 */
#include "store/writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_BLOCKS = 16 };

#define Y(table, column) #column,
#define X(table) static const char *const columns_of_##table[] = {COT_COLUMNS_##table(Y)};
COT_TABLES(X)
#undef X
#undef Y

static const struct table {
    const char *name;
    const char *const *columns;
    size_t n_columns;
} tables[COT_N_TABLES] = {
#define X(table) {#table, columns_of_##table, COT_N_COLUMNS_##table},
    COT_TABLES(X)
#undef X
};

struct cot_writer_queue {
    const char *table;
    pthread_mutex_t *connection; /* the store's: several writers share its connection */
    duckdb_appender appender;
    duckdb_logical_type types[COT_WRITER_MAX_COLUMNS];
    size_t n_types;
    duckdb_data_chunk blocks[N_BLOCKS]; /* made when first needed */
    size_t n_rows[N_BLOCKS];
    size_t i_filling; /* block that the caller fills; only the caller's */
    pthread_t thread;
    bool has_thread;

    /* guarded by mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t n_full; /* blocks waiting or being taken, those before i_filling */
    bool closing;
    bool failed;
    struct cot_err err;
};

const char *cot_table_name(enum cot_table table)
{
    return tables[table].name;
}

size_t cot_table_n_columns(enum cot_table table)
{
    return tables[table].n_columns;
}

const char *cot_table_column_name(enum cot_table table, size_t i_column)
{
    return tables[table].columns[i_column];
}

static cot_code appender_error(struct cot_writer_queue *queue, struct cot_err *err)
{
    duckdb_error_data data = duckdb_appender_error_data(queue->appender);
    const char *message = duckdb_error_data_message(data);
    char what[96];
    snprintf(what, sizeof what, "writing rows of table '%s'", queue->table);
    cot_code code = cot_duckdb_fail(err, COT_IO, what, message);
    duckdb_destroy_error_data(&data);
    return code;
}

/* Hands a block to DuckDB, which runs an insert now and then. */
static cot_code append_block(struct cot_writer_queue *queue, size_t i_block, struct cot_err *err)
{
    pthread_mutex_lock(queue->connection);
    duckdb_state state = duckdb_append_data_chunk(queue->appender, queue->blocks[i_block]);
    cot_code rc = state == DuckDBSuccess ? COT_OK : appender_error(queue, err);
    pthread_mutex_unlock(queue->connection);
    return rc;
}

static void *take_blocks(void *argument)
{
    struct cot_writer_queue *queue = argument;
    size_t i_block = 0;
    for (;;) {
        struct cot_err err = {0};
        pthread_mutex_lock(&queue->mutex);
        while (queue->n_full == 0 && !queue->closing)
            pthread_cond_wait(&queue->changed, &queue->mutex);
        bool done = queue->n_full == 0;
        bool skip = queue->failed;
        pthread_mutex_unlock(&queue->mutex);
        if (done)
            return NULL;
        cot_code rc = COT_OK;
        if (!skip)
            rc = append_block(queue, i_block, &err);
        pthread_mutex_lock(&queue->mutex);
        queue->n_full--;
        if (rc != COT_OK && !queue->failed) {
            queue->failed = true;
            queue->err = err;
        }
        pthread_cond_broadcast(&queue->changed);
        pthread_mutex_unlock(&queue->mutex);
        i_block = (i_block + 1) % N_BLOCKS;
    }
}

/* Makes the block at i_filling, which no one else has, ready for the caller's rows. */
static cot_code begin_block(struct cot_writer *writer, struct cot_err *err)
{
    struct cot_writer_queue *queue = writer->queue;
    duckdb_data_chunk *at = &queue->blocks[queue->i_filling];
    if (*at == NULL)
        *at = duckdb_create_data_chunk(queue->types, queue->n_types);
    if (*at == NULL)
        return cot_fail(err, COT_NOMEM, "blocks for table '%s'", queue->table);
    duckdb_data_chunk block = *at;
    duckdb_data_chunk_reset(block);
    for (size_t i = 0; i < writer->n_columns; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(block, i);
        duckdb_vector_ensure_validity_writable(vector);
        writer->columns[i].vector = vector;
        writer->columns[i].data = duckdb_vector_get_data(vector);
        writer->columns[i].validity = duckdb_vector_get_validity(vector);
    }
    writer->row = 0;
    return COT_OK;
}

/* Hands the filled block to the thread and waits until the next one is free. */
static cot_code hand_over(struct cot_writer_queue *queue, struct cot_err *err)
{
    cot_code rc = COT_OK;
    pthread_mutex_lock(&queue->mutex);
    queue->n_full++;
    pthread_cond_broadcast(&queue->changed);
    while (queue->n_full >= N_BLOCKS)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    if (queue->failed)
        rc = cot_fail(err, queue->err.code, "%s", queue->err.message);
    pthread_mutex_unlock(&queue->mutex);
    queue->i_filling = (queue->i_filling + 1) % N_BLOCKS;
    return rc;
}

cot_code cot_writer_end_block(struct cot_writer *writer, struct cot_err *err)
{
    struct cot_writer_queue *queue = writer->queue;
    cot_code rc = COT_OK;
    duckdb_data_chunk_set_size(queue->blocks[queue->i_filling], writer->row);
    if (!queue->has_thread && pthread_create(&queue->thread, NULL, take_blocks, queue) == 0)
        queue->has_thread = true;
    if (queue->has_thread)
        rc = hand_over(queue, err);
    else
        rc = append_block(queue, queue->i_filling, err);
    if (rc == COT_OK)
        rc = begin_block(writer, err);
    return rc;
}

/* Waits until the thread has taken every full block. */
static cot_code wait_taken(struct cot_writer_queue *queue, struct cot_err *err)
{
    cot_code rc = COT_OK;
    pthread_mutex_lock(&queue->mutex);
    while (queue->n_full > 0)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    if (queue->failed)
        rc = cot_fail(err, queue->err.code, "%s", queue->err.message);
    pthread_mutex_unlock(&queue->mutex);
    return rc;
}

cot_code cot_writer_flush(struct cot_writer *writer, struct cot_err *err)
{
    struct cot_writer_queue *queue = writer->queue;
    cot_code rc = queue->has_thread ? wait_taken(queue, err) : COT_OK;
    if (rc != COT_OK || writer->row == 0)
        return rc;
    duckdb_data_chunk_set_size(queue->blocks[queue->i_filling], writer->row);
    rc = append_block(queue, queue->i_filling, err);
    pthread_mutex_lock(queue->connection);
    if (rc == COT_OK && duckdb_appender_flush(queue->appender) != DuckDBSuccess)
        rc = appender_error(queue, err);
    pthread_mutex_unlock(queue->connection);
    return rc == COT_OK ? begin_block(writer, err) : rc;
}

cot_code cot_writer_open(struct cot_store *store, enum cot_table table, struct cot_writer **ret_writer,
                         struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_writer *writer = calloc(1, sizeof *writer);
    struct cot_writer_queue *queue = calloc(1, sizeof *queue);
    if (writer == NULL || queue == NULL) {
        free(writer);
        free(queue);
        return cot_fail(err, COT_NOMEM, "a writer of table '%s'", tables[table].name);
    }
    writer->queue = queue;
    queue->table = tables[table].name;
    queue->connection = cot_store_mutex(store);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->changed, NULL);
    pthread_mutex_lock(queue->connection);
    if (duckdb_appender_create(cot_store_connection(store), NULL, queue->table, &queue->appender) != DuckDBSuccess)
        rc = appender_error(queue, err);
    pthread_mutex_unlock(queue->connection);
    if (rc != COT_OK)
        goto out;
    writer->n_columns = duckdb_appender_column_count(queue->appender);
    if (writer->n_columns != tables[table].n_columns) {
        rc = cot_fail(err, COT_INTERNAL, "table '%s' has %zu columns, not %zu", queue->table, writer->n_columns,
                      tables[table].n_columns);
        goto out;
    }
    for (queue->n_types = 0; queue->n_types < writer->n_columns; queue->n_types++)
        queue->types[queue->n_types] = duckdb_appender_column_type(queue->appender, queue->n_types);
    rc = begin_block(writer, err);
    if (rc != COT_OK)
        goto out;
    *ret_writer = writer;
    writer = NULL;
out:
    cot_writer_abandon(writer);
    return rc;
}

static void join(struct cot_writer_queue *queue)
{
    if (!queue->has_thread)
        return;
    pthread_mutex_lock(&queue->mutex);
    queue->closing = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    pthread_join(queue->thread, NULL);
    queue->has_thread = false;
}

void cot_writer_abandon(struct cot_writer *writer)
{
    if (writer == NULL)
        return;
    struct cot_writer_queue *queue = writer->queue;
    join(queue);
    for (size_t i = 0; i < N_BLOCKS; i++)
        duckdb_destroy_data_chunk(&queue->blocks[i]);
    for (size_t i = 0; i < queue->n_types; i++)
        duckdb_destroy_logical_type(&queue->types[i]);
    pthread_mutex_lock(queue->connection);
    duckdb_appender_destroy(&queue->appender);
    pthread_mutex_unlock(queue->connection);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
    free(writer);
}

cot_code cot_writer_close(struct cot_writer *writer, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (writer == NULL)
        return COT_OK;
    struct cot_writer_queue *queue = writer->queue;
    join(queue);
    if (queue->failed)
        rc = cot_fail(err, queue->err.code, "%s", queue->err.message);
    if (rc == COT_OK && writer->row > 0) {
        duckdb_data_chunk_set_size(queue->blocks[queue->i_filling], writer->row);
        rc = append_block(queue, queue->i_filling, err);
    }
    pthread_mutex_lock(queue->connection);
    if (rc == COT_OK && duckdb_appender_flush(queue->appender) != DuckDBSuccess)
        rc = appender_error(queue, err);
    pthread_mutex_unlock(queue->connection);
    cot_writer_abandon(writer);
    return rc;
}
