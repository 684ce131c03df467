#include "store/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "domain/value.h"
#include "store/reader_parts.h"

enum { FIRST_BLOCK = 256 * 1024, HEAD_SIZE = 256 * 1024, MAX_CELLS_A_BATCH = 1 << 20 };

size_t cot_reader_batch_rows(size_t n_columns)
{
    size_t rows = n_columns > 0 ? MAX_CELLS_A_BATCH / n_columns : COT_READER_BATCH_ROWS;
    return rows > COT_READER_BATCH_ROWS ? COT_READER_BATCH_ROWS : rows > 0 ? rows : 1;
}

/* Batches */

cot_code cot_batch_prepare(struct cot_batch *batch, size_t n_rows, size_t n_columns, struct cot_err *err)
{
    if (batch->memory == NULL) {
        batch->memory = calloc(1, sizeof *batch->memory);
        if (batch->memory == NULL)
            return cot_fail(err, COT_NOMEM, "a batch of rows");
    }
    struct cot_batch_memory *memory = batch->memory;
    cot_arena_clear(&memory->arena);
    batch->n_rows = 0;
    batch->n_rejects = 0;
    batch->n_columns = n_columns;
    batch->stride = n_rows;
    if (n_rows * n_columns > memory->n_cells) {
        struct cot_cell *cells = realloc(batch->cells, n_rows * n_columns * sizeof *cells);
        if (cells == NULL)
            return cot_fail(err, COT_NOMEM, "a batch of %zu rows with %zu columns", n_rows, n_columns);
        batch->cells = cells;
        memory->n_cells = n_rows * n_columns;
    }
    if (n_rows > memory->n_lines) {
        uint64_t *lines = realloc(batch->lines, n_rows * sizeof *lines);
        if (lines == NULL)
            return cot_fail(err, COT_NOMEM, "a batch of %zu rows", n_rows);
        batch->lines = lines;
        memory->n_lines = n_rows;
    }
    return COT_OK;
}

cot_code cot_batch_reserve_text(struct cot_batch *batch, size_t size, struct cot_err *err)
{
    struct cot_batch_memory *memory = batch->memory;
    if (size <= memory->text_capacity)
        return COT_OK;
    char *text = realloc(memory->text, size);
    if (text == NULL)
        return cot_fail(err, COT_NOMEM, "a block of %zu bytes of text", size);
    memory->text = text;
    memory->text_capacity = size;
    return COT_OK;
}

void cot_batch_release(struct cot_batch *batch)
{
    if (batch->memory != NULL) {
        free(batch->memory->text);
        cot_arena_release(&batch->memory->arena);
        free(batch->memory);
    }
    free(batch->cells);
    free(batch->lines);
    free(batch->rejects);
    *batch = (struct cot_batch){0};
}

/* A copy that DuckDB takes: broken UTF-8 and NULs become U+FFFD. */
static char *clean_copy(struct cot_arena *arena, const char *raw, size_t size, uint32_t *ret_size)
{
    char *copy = cot_arena_alloc(arena, 3 * size + 1);
    size_t to = 0;
    if (copy == NULL)
        return NULL;
    for (size_t at = 0; at < size;) {
        size_t good = size - at;
        if (!cot_utf8_is_valid(raw + at, size - at, &good)) {
            /* good bytes, then a broken one */
        }
        for (size_t i = 0; i < good; i++) {
            if (raw[at + i] == '\0')
                to = (size_t)((char *)mempcpy(copy + to, "\xef\xbf\xbd", 3) - copy);
            else
                copy[to++] = raw[at + i];
        }
        at += good;
        if (at < size) {
            to = (size_t)((char *)mempcpy(copy + to, "\xef\xbf\xbd", 3) - copy);
            at++;
        }
    }
    copy[to] = '\0';
    *ret_size = (uint32_t)to;
    return copy;
}

cot_code cot_batch_reject(struct cot_batch *batch, uint64_t line, const char *code, const char *raw, size_t raw_size,
                          struct cot_err *err, const char *format, ...)
{
    struct cot_batch_memory *memory = batch->memory;
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (batch->n_rejects == memory->rejects_capacity) {
        size_t capacity = memory->rejects_capacity > 0 ? 2 * memory->rejects_capacity : 64;
        struct cot_reject *rejects = realloc(batch->rejects, capacity * sizeof *rejects);
        if (rejects == NULL)
            return cot_fail(err, COT_NOMEM, "rejected rows");
        batch->rejects = rejects;
        memory->rejects_capacity = capacity;
    }
    struct cot_reject *reject = &batch->rejects[batch->n_rejects];
    *reject = (struct cot_reject){.line = line, .code = code, .i_row = SIZE_MAX};
    while (raw_size > 0 && (raw[raw_size - 1] == '\n' || raw[raw_size - 1] == '\r'))
        raw_size--;
    if (raw_size > COT_REJECT_RAW_MAX)
        raw_size = COT_REJECT_RAW_MAX;
    reject->raw.data = clean_copy(&memory->arena, raw, raw_size, &reject->raw.size);
    reject->reason = cot_arena_copy(&memory->arena, reason, strlen(reason));
    if (reject->raw.data == NULL || reject->reason == NULL)
        return cot_fail(err, COT_NOMEM, "rejected rows");
    batch->n_rejects++;
    return COT_OK;
}

/* Text that was read ahead */

cot_code cot_reader_keep(struct cot_reader *reader, const char *rest, size_t size, struct cot_err *err)
{
    if (size > reader->pending_capacity) {
        char *pending = realloc(reader->pending, size);
        if (pending == NULL)
            return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
        reader->pending = pending;
        reader->pending_capacity = size;
    }
    if (size > 0)
        memcpy(reader->pending, rest, size);
    reader->pending_size = size;
    return COT_OK;
}

static cot_code read_more(struct cot_reader *reader, char *data, size_t size, size_t *used, struct cot_err *err)
{
    while (*used + 16 <= size && !reader->text_at_end) {
        size_t n = 0;
        cot_code rc = cot_text_stream_read(reader->text, data + *used, size - *used, &n, err);
        if (rc != COT_OK)
            return rc;
        reader->text_at_end = n == 0;
        *used += n;
    }
    reader->info.encoding = cot_text_stream_encoding(reader->text);
    return COT_OK;
}

cot_code cot_reader_fill_block(struct cot_reader *reader, struct cot_batch *batch, size_t size, size_t *ret_size,
                               struct cot_err *err)
{
    size_t used = reader->pending_size;
    size_t capacity = used > size ? used : size;
    cot_code rc = cot_batch_reserve_text(batch, capacity + 16, err);
    if (rc != COT_OK)
        return rc;
    if (used > 0)
        memcpy(batch->memory->text, reader->pending, used);
    if (used < size)
        rc = read_more(reader, batch->memory->text, capacity, &used, err);
    if (rc == COT_OK) {
        reader->pending_size = 0;
        *ret_size = used;
    }
    return rc;
}

/* Columns */

/* Repeated names get a number; a free one is looked for from 2 on, so in small tables alone. */
static char *column_name(const struct cot_dict *taken, size_t n, const struct cot_text *given)
{
    enum { SMALL = 1000 };
    const char *text = given->data;
    size_t size = given->size;
    char *name = NULL;
    cot_value_trim(&text, &size);
    if (size == 0)
        return asprintf(&name, "column_%zu", n + 1) < 0 ? NULL : name;
    name = strndup(text, size);
    for (int copy = 2; name != NULL && n < SMALL && cot_dict_find(taken, 0, name, strlen(name)) != COT_DICT_NONE;
         copy++) {
        free(name);
        if (asprintf(&name, "%.*s_%d", (int)size, text, copy) < 0)
            name = NULL;
    }
    return name;
}

cot_code cot_reader_set_columns(struct cot_reader *reader, const struct cot_text *names, size_t n, struct cot_err *err)
{
    struct cot_dict taken;
    cot_code rc = COT_OK;
    if (n > COT_READER_MAX_COLUMNS)
        return cot_fail(err, COT_LIMIT, "'%s' has %zu columns, at most %zu can be read", reader->path, n,
                        COT_READER_MAX_COLUMNS);
    reader->columns = calloc(n + 1, sizeof *reader->columns);
    if (reader->columns == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    cot_dict_init(&taken);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        uint32_t number = 0;
        reader->columns[i] = column_name(&taken, i, &names[i]);
        if (reader->columns[i] == NULL)
            rc = cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
        else
            rc = cot_dict_add(&taken, 0, reader->columns[i], strlen(reader->columns[i]), &number, err);
        reader->info.n_columns = i + 1;
    }
    cot_dict_release(&taken);
    reader->info.columns = (const char *const *)reader->columns;
    return rc;
}

/* Opening */

static cot_code open_text(struct cot_reader *reader, struct cot_err *err)
{
    struct cot_stream *stream = NULL;
    cot_code rc = cot_stream_open(reader->path, &stream, err);
    if (rc != COT_OK)
        return rc;
    reader->info.compression = cot_stream_compression(stream);
    reader->info.file_size = cot_stream_file_size(stream);
    rc = cot_text_stream_open(stream, reader->options.encoding, &reader->text, err);
    if (rc != COT_OK)
        return rc == COT_USAGE ? rc : cot_err_prefix(err, rc, "'%s'", reader->path);
    reader->text_at_end = false;
    reader->pending_size = 0;
    reader->skipping = false;
    reader->line = 1;
    reader->block_size = FIRST_BLOCK;
    return COT_OK;
}

/* Reads the head of the text into pending. */
static cot_code read_head(struct cot_reader *reader, size_t size, struct cot_err *err)
{
    if (reader->pending_capacity < size) {
        char *pending = realloc(reader->pending, size);
        if (pending == NULL)
            return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
        reader->pending = pending;
        reader->pending_capacity = size;
    }
    return read_more(reader, reader->pending, size, &reader->pending_size, err);
}

static cot_code check_magic(struct cot_reader *reader, bool *ret_is_parquet, struct cot_err *err)
{
    unsigned char head[64];
    size_t used = 0;
    struct cot_stream *stream = NULL;
    cot_code rc = cot_stream_open(reader->path, &stream, err);
    while (rc == COT_OK && used < sizeof head) {
        size_t n = 0;
        rc = cot_stream_read(stream, (char *)head + used, sizeof head - used, &n, err);
        if (n == 0)
            break;
        used += n;
    }
    if (rc == COT_OK && used == 0)
        rc = cot_fail(err, COT_BAD_DATA, "'%s' is empty", reader->path);
    if (rc == COT_OK) {
        const char *foreign = cot_sniff_foreign(head, used);
        *ret_is_parquet = used >= 4 && memcmp(head, "PAR1", 4) == 0;
        reader->info.file_size = cot_stream_file_size(stream);
        if (foreign != NULL)
            rc = cot_fail(err, COT_BAD_DATA, "'%s' is %s", reader->path, foreign);
        else if (*ret_is_parquet && cot_stream_compression(stream) != COT_FILE_PLAIN)
            rc = cot_fail(err, COT_BAD_DATA, "'%s' is a Parquet file inside a compressed one: unpack it first",
                          reader->path);
    }
    cot_stream_close(stream);
    return rc;
}

static const struct cot_reader_format *text_format(const struct cot_reader *reader, enum cot_file_format *ret_format)
{
    size_t at = 0;
    while (at < reader->pending_size && strchr(" \t\r\n", reader->pending[at]) != NULL && reader->pending[at] != '\0')
        at++;
    char first = at < reader->pending_size ? reader->pending[at] : '\0';
    *ret_format = first == '{' ? COT_FILE_JSON_LINES : first == '[' ? COT_FILE_JSON_ARRAY : COT_FILE_DELIMITED;
    return *ret_format == COT_FILE_DELIMITED ? &cot_reader_delimited : &cot_reader_json;
}

static cot_code open_as_text(struct cot_reader *reader, struct cot_err *err)
{
    cot_code rc = open_text(reader, err);
    if (rc == COT_OK)
        rc = read_head(reader, HEAD_SIZE, err);
    if (rc != COT_OK)
        return rc;
    if (cot_sniff_is_binary(reader->pending, reader->pending_size))
        return cot_fail(err, COT_BAD_DATA, "'%s' is binary, not text: CSV, JSON and Parquet can be read", reader->path);
    reader->format = text_format(reader, &reader->info.format);
    return reader->format->open(reader, err);
}

cot_code cot_reader_open(const char *path, const struct cot_reader_options *options, struct cot_reader **ret_reader,
                         struct cot_err *err)
{
    bool is_parquet = false;
    struct cot_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", path);
    reader->path = strdup(path);
    if (options != NULL)
        reader->options = *options;
    if (reader->options.encoding != NULL)
        reader->options.encoding = reader->encoding_option = strdup(options->encoding);
    reader->info.path = reader->path;
    reader->info.encoding = "utf-8";
    cot_code rc = reader->path == NULL ? cot_fail(err, COT_NOMEM, "reading '%s'", path) : COT_OK;
    if (rc == COT_OK)
        rc = check_magic(reader, &is_parquet, err);
    if (rc == COT_OK && is_parquet) {
        reader->info.format = COT_FILE_PARQUET;
        reader->info.has_header = true;
        reader->format = &cot_reader_parquet;
        rc = reader->format->open(reader, err);
    } else if (rc == COT_OK) {
        rc = open_as_text(reader, err);
    }
    if (rc != COT_OK) {
        cot_reader_close(reader);
        return rc;
    }
    *ret_reader = reader;
    return COT_OK;
}

static void close_parts(struct cot_reader *reader)
{
    if (reader->format != NULL && reader->format->close != NULL)
        reader->format->close(reader);
    cot_text_stream_close(reader->text);
    reader->text = NULL;
    for (size_t i = 0; i < reader->info.n_columns; i++)
        free(reader->columns[i]);
    free(reader->columns);
    reader->columns = NULL;
    reader->info.columns = NULL;
    reader->info.n_columns = 0;
    reader->n_delivered = reader->n_rejected = 0;
}

void cot_reader_close(struct cot_reader *reader)
{
    if (reader == NULL)
        return;
    close_parts(reader);
    free(reader->pending);
    free(reader->encoding_option);
    free(reader->path);
    free(reader);
}

cot_code cot_reader_rewind(struct cot_reader *reader, struct cot_err *err)
{
    close_parts(reader);
    if (reader->info.format == COT_FILE_PARQUET)
        return reader->format->open(reader, err);
    return open_as_text(reader, err);
}

const struct cot_reader_info *cot_reader_info(const struct cot_reader *reader)
{
    return &reader->info;
}

cot_code cot_reader_next(struct cot_reader *reader, struct cot_batch *batch, bool *ret_more, struct cot_err *err)
{
    cot_code rc = cot_batch_prepare(batch, cot_reader_batch_rows(reader->info.n_columns), reader->info.n_columns, err);
    if (rc != COT_OK)
        return rc;
    batch->first_row = reader->n_delivered;
    rc = reader->format->next(reader, batch, err);
    if (rc != COT_OK)
        return rc;
    reader->n_delivered += batch->n_rows;
    reader->n_rejected += batch->n_rejects;
    *ret_more = batch->n_rows > 0 || batch->n_rejects > 0;
    return COT_OK;
}

uint64_t cot_reader_bytes_done(const struct cot_reader *reader)
{
    if (reader->text != NULL)
        return cot_stream_bytes_done(cot_text_stream_bytes(reader->text));
    return reader->info.file_size;
}

uint64_t cot_reader_n_delivered(const struct cot_reader *reader)
{
    return reader->n_delivered;
}

uint64_t cot_reader_n_rejected(const struct cot_reader *reader)
{
    return reader->n_rejected;
}
