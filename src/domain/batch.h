/*
 * A batch of rows of text cells: what a file reader (store/reader.h) fills and a connector (connect/connector.h)
 * decodes.
 *
 * The caller owns the batch and lends it to the reader, which reuses its memory: cells and rejects stay valid until
 * the batch is given to a reader again or released. Several batches may be filled in turn by one reader and decoded by
 * several threads at once: a filled batch is read-only. A batch that is all zero is empty; _release frees it.
 */
#ifndef COT_DOMAIN_BATCH_H
#define COT_DOMAIN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that someone else owns; not NUL-terminated. data NULL: there is none. */
struct cot_text {
    const char *data;
    uint32_t size;
};

struct cot_cell {
    const char *data; /* UTF-8, unquoted, unescaped; never NULL, also where is_null */
    uint32_t size;
    uint32_t is_null; /* an empty unquoted CSV cell, JSON null or absent key, Parquet NULL */
};

/* Why a row could not be used. code is a static word for machines, reason a sentence with the value and the column. */
struct cot_reject {
    uint64_t line;
    const char *code;
    const char *reason; /* NUL-terminated */
    struct cot_text
        raw;      /* the row as it stood, cut to COT_REJECT_RAW_MAX; data NULL where the cells are in the batch */
    size_t i_row; /* of the batch; SIZE_MAX where the row never became cells */
};

#define COT_REJECT_RAW_MAX 4096

struct cot_batch {
    size_t n_rows;
    size_t n_columns;
    size_t stride;          /* cells from one column to the next, >= n_rows */
    struct cot_cell *cells; /* column-major: cells[i_column * stride + i_row] */
    uint64_t *lines;        /* [n_rows] first physical line of each row, from 1; Parquet: row number from 1 */
    struct cot_reject *rejects;
    size_t n_rejects;
    uint64_t first_row;              /* rows delivered by the reader before this batch */
    struct cot_batch_memory *memory; /* the reader's */
};

static inline const struct cot_cell *cot_batch_cell(const struct cot_batch *batch, size_t i_row, size_t i_column)
{
    return batch->cells + i_column * batch->stride + i_row;
}

#endif
