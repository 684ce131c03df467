/* Delimited text: batches of records, and how to go on after a bad one (see reader.h). */
#include <string.h>

#include "store/reader_parts.h"

enum { MAX_REJECTS = 4096, GROWTH = 256 * 1024 };

/* Where a batch stands in its block of text. */
struct block {
    char *text;
    size_t size;
    size_t at;
    bool is_last; /* there is nothing behind the block */
};

static cot_code reject_record(struct cot_reader *reader, struct cot_batch *batch, const struct block *block,
                              const struct cot_split *split, struct cot_err *err)
{
    const char *raw = block->text + block->at;
    size_t at = 0;
    if (split->has_nul)
        return cot_batch_reject(batch, reader->line, "nul", raw, split->size, err, "the row holds a NUL byte");
    if (!split->is_ascii && !cot_utf8_is_valid(raw, split->size, &at))
        return cot_batch_reject(batch, reader->line, "encoding", raw, split->size, err,
                                "byte 0x%02x at position %zu of the row is not UTF-8: if the file has another "
                                "encoding, say which with --encoding",
                                (unsigned)(unsigned char)raw[at], at + 1);
    return cot_batch_reject(batch, reader->line, "columns", raw, split->size, err,
                            "the row has %zu cells, the file has %zu columns", split->n_cells, reader->info.n_columns);
}

static bool is_usable(const struct cot_reader *reader, const struct block *block, const struct cot_split *split)
{
    if (split->has_nul)
        return false;
    if (split->n_cells < reader->info.n_columns)
        return false;
    if (split->n_cells > reader->info.n_columns && !split->extra_is_empty)
        return false;
    return split->is_ascii || cot_utf8_is_valid(block->text + block->at, split->size, NULL);
}

/* The quoting is broken: gives up the first physical line of the record only. */
static cot_code reject_line(struct cot_reader *reader, struct cot_batch *batch, struct block *block,
                            const struct cot_split *split, struct cot_err *err)
{
    size_t rest = block->size - block->at;
    size_t size = cot_line_size(block->text + block->at, rest, reader->dialect.cr_lines);
    if (size > rest)
        size = rest;
    const char *reason = split->never_closed ? "a quote opens and is never closed"
                                             : "text stands behind a closing quote: quotes in a cell must be doubled";
    cot_code rc = cot_batch_reject(batch, reader->line, "quotes", block->text + block->at, size, err, "%s", reason);
    block->at += size;
    reader->line++;
    return rc;
}

/* A record longer than any may be: its quote is taken for a stray one, or else the line is skipped. */
static cot_code reject_long(struct cot_reader *reader, struct cot_batch *batch, struct block *block,
                            const struct cot_split *split, struct cot_err *err)
{
    size_t rest = block->size - block->at;
    if (cot_line_size(block->text + block->at, rest, reader->dialect.cr_lines) <= rest)
        return reject_line(reader, batch, block, split, err);
    cot_code rc = cot_batch_reject(batch, reader->line, "long", block->text + block->at, rest, err,
                                   "the line is longer than %zu MB", COT_READER_MAX_RECORD >> 20);
    block->at = block->size;
    reader->skipping = true;
    return rc;
}

/* Drops the rest of a line that was too long. */
static void skip_line(struct cot_reader *reader, struct block *block)
{
    size_t size = cot_line_size(block->text, block->size, reader->dialect.cr_lines);
    reader->skipping = size > block->size && !block->is_last;
    block->at = size > block->size ? block->size : size;
    reader->line += !reader->skipping;
}

/* Takes one record off the block. *ret_more: false where the block ends inside the record. */
static cot_code take_record(struct cot_reader *reader, struct cot_batch *batch, struct block *block,
                            struct cot_split *split, bool *ret_more, struct cot_err *err)
{
    cot_code rc = COT_OK;
    split->cells = batch->cells + batch->n_rows;
    split->stride = batch->stride;
    split->max_cells = batch->n_columns;
    enum cot_split_result result =
        cot_split_record(block->text + block->at, block->size - block->at, block->is_last, &reader->dialect, split);
    *ret_more = result != COT_SPLIT_MORE;
    switch (result) {
    case COT_SPLIT_MORE:
        if (block->size - block->at >= COT_READER_MAX_RECORD) {
            *ret_more = true;
            return reject_long(reader, batch, block, split, err);
        }
        return COT_OK;
    case COT_SPLIT_BAD_QUOTE: return reject_line(reader, batch, block, split, err);
    case COT_SPLIT_DONE:
        if (!is_usable(reader, block, split)) {
            rc = reject_record(reader, batch, block, split, err);
            break;
        }
        if (split->has_escape)
            cot_split_unescape(split, reader->dialect.escape);
        batch->lines[batch->n_rows++] = reader->line;
        break;
    case COT_SPLIT_BLANK: break;
    }
    reader->line += split->n_newlines;
    block->at += split->size;
    return rc;
}

static cot_code take_records(struct cot_reader *reader, struct cot_batch *batch, struct block *block,
                             struct cot_err *err)
{
    struct cot_split split;
    bool more = true;
    cot_code rc = COT_OK;
    cot_split_init(&split, &reader->dialect);
    while (rc == COT_OK && more && block->at < block->size && batch->n_rows < batch->stride &&
           batch->n_rejects < MAX_REJECTS)
        rc = take_record(reader, batch, block, &split, &more, err);
    return rc;
}

/* Aims at blocks that hold as many rows as a batch does, so that little is carried over. */
static void adapt_block(struct cot_reader *reader, const struct cot_batch *batch, const struct block *block)
{
    if (batch->n_rows == batch->stride)
        reader->block_size = block->at + block->at / 8;
    else if (batch->n_rows > 0 && reader->block_size < GROWTH)
        reader->block_size = GROWTH;
}

static cot_code delimited_next(struct cot_reader *reader, struct cot_batch *batch, struct cot_err *err)
{
    size_t want = reader->block_size;
    for (;;) {
        struct block block = {0};
        cot_code rc = cot_reader_fill_block(reader, batch, want, &block.size, err);
        if (rc != COT_OK)
            return rc;
        block.text = batch->memory->text;
        block.is_last = reader->text_at_end;
        if (reader->skipping)
            skip_line(reader, &block);
        rc = take_records(reader, batch, &block, err);
        if (rc == COT_OK)
            rc = cot_reader_keep(reader, block.text + block.at, block.size - block.at, err);
        if (rc != COT_OK)
            return rc;
        if (batch->n_rows > 0 || batch->n_rejects > 0) {
            adapt_block(reader, batch, &block);
            return COT_OK;
        }
        if (block.is_last && reader->pending_size == 0)
            return COT_OK;
        /* Blank lines only, or one record that is longer than the block. */
        want = reader->pending_size + (reader->pending_size > GROWTH ? reader->pending_size : GROWTH);
        if (want > COT_READER_MAX_RECORD + GROWTH)
            want = COT_READER_MAX_RECORD + GROWTH;
    }
}

/* Names from the header's cells, or column_1 ... */
static cot_code name_columns(struct cot_reader *reader, const struct cot_cell *cells, size_t n, struct cot_err *err)
{
    struct cot_batch names = {0}; /* lends its memory management */
    cot_code rc = cot_batch_prepare(&names, 1, 1, err);
    struct cot_text *texts = rc == COT_OK ? cot_arena_alloc(&names.memory->arena, (n + 1) * sizeof *texts) : NULL;
    if (rc == COT_OK && texts == NULL)
        rc = cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        texts[i] = reader->info.has_header ? (struct cot_text){.data = cells[i].data, .size = cells[i].size}
                                           : (struct cot_text){.data = "", .size = 0};
    if (rc == COT_OK)
        rc = cot_reader_set_columns(reader, texts, n, err);
    cot_batch_release(&names);
    return rc;
}

/* Splits the first record that is there: into cells, which point into the pending text. */
static cot_code split_first(struct cot_reader *reader, struct cot_batch *batch, struct cot_split *split,
                            struct cot_err *err)
{
    size_t at = 0;
    cot_code rc = cot_batch_prepare(batch, 1, COT_READER_MAX_COLUMNS, err);
    if (rc != COT_OK)
        return rc;
    cot_split_init(split, &reader->dialect);
    split->cells = batch->cells;
    split->stride = 1;
    split->max_cells = COT_READER_MAX_COLUMNS;
    for (;;) {
        enum cot_split_result result = COT_SPLIT_BLANK;
        if (at < reader->pending_size)
            result = cot_split_record(reader->pending + at, reader->pending_size - at, reader->text_at_end,
                                      &reader->dialect, split);
        else if (reader->text_at_end)
            return cot_fail(err, COT_BAD_DATA, "'%s' is empty: it has blank lines only", reader->path);
        if (result == COT_SPLIT_DONE)
            break;
        if (result == COT_SPLIT_BAD_QUOTE)
            return cot_fail(err, COT_BAD_DATA, "'%s': the quotes in its first line don't match", reader->path);
        if (result == COT_SPLIT_MORE && split->n_cells > COT_READER_MAX_COLUMNS)
            return cot_fail(err, COT_LIMIT, "'%s' has more than %zu columns, at most that many can be read",
                            reader->path, COT_READER_MAX_COLUMNS);
        if (result == COT_SPLIT_MORE || at >= reader->pending_size)
            return cot_fail(err, COT_LIMIT, "'%s': its first line is longer than %zu KB, so it is no table",
                            reader->path, reader->pending_size >> 10);
        at += split->size;
        reader->line += split->n_newlines;
    }
    if (split->n_cells > COT_READER_MAX_COLUMNS)
        return cot_fail(err, COT_LIMIT, "'%s' has %zu columns, at most %zu can be read", reader->path, split->n_cells,
                        COT_READER_MAX_COLUMNS);
    memmove(reader->pending, reader->pending + at, reader->pending_size - at);
    reader->pending_size -= at;
    for (size_t i = 0; i < split->n_cells; i++)
        split->cells[i].data -= at;
    return COT_OK;
}

static cot_code delimited_open(struct cot_reader *reader, struct cot_err *err)
{
    struct cot_batch batch = {0};
    struct cot_split split;
    cot_sniff_dialect(reader->pending, reader->pending_size, reader->text_at_end, &reader->options, &reader->dialect);
    reader->info.delimiter = reader->dialect.delimiter;
    reader->info.escape = reader->dialect.escape;
    cot_code rc = split_first(reader, &batch, &split, err);
    if (rc != COT_OK)
        goto out;
    enum cot_header_choice header = reader->options.header;
    reader->info.has_header = header == COT_HEADER_PRESENT ||
                              (header == COT_HEADER_FIND_OUT && cot_sniff_is_header(split.cells, split.n_cells));
    size_t at = 0;
    if (reader->info.has_header && (split.has_nul || !cot_utf8_is_valid(reader->pending, split.size, &at))) {
        rc = cot_fail(err, COT_BAD_DATA, "'%s': its header is not text (near byte %zu)", reader->path, at + 1);
        goto out;
    }
    if (reader->info.has_header && split.has_escape)
        cot_split_unescape(&split, reader->dialect.escape);
    rc = name_columns(reader, split.cells, split.n_cells, err);
    if (rc == COT_OK && reader->info.has_header) {
        reader->line += split.n_newlines;
        reader->pending_size -= split.size;
        memmove(reader->pending, reader->pending + split.size, reader->pending_size);
    }
out:
    cot_batch_release(&batch);
    return rc;
}

const struct cot_reader_format cot_reader_delimited = {.open = delimited_open, .next = delimited_next};
