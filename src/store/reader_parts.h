/* What the files of the reader share among themselves. Others use store/reader.h. */
#ifndef COT_STORE_READER_PARTS_H
#define COT_STORE_READER_PARTS_H

#include "base/arena.h"
#include "store/reader.h"
#include "store/transcode.h"

struct cot_batch_memory {
    char *text; /* the block of the file that the cells point into */
    size_t text_capacity;
    size_t n_cells; /* allocated */
    size_t n_lines; /* allocated */
    size_t rejects_capacity;
    struct cot_arena arena; /* raw text and reasons of rejects; texts that are not in the block */
};

/* How a delimited file is written. */
struct cot_dialect {
    char delimiter; /* ' ': runs of spaces and tabs */
    char escape;    /* '"': quotes are doubled; '\\': they stand behind a backslash */
    bool cr_lines;  /* lines end with a carriage return alone */
    bool has_header;
};

struct cot_reader;

/* One format: opens on the decided file, fills batches. */
struct cot_reader_format {
    cot_code (*open)(struct cot_reader *reader, struct cot_err *err);
    cot_code (*next)(struct cot_reader *reader, struct cot_batch *batch, struct cot_err *err);
    void (*close)(struct cot_reader *reader);
};

extern const struct cot_reader_format cot_reader_delimited;
extern const struct cot_reader_format cot_reader_json;
extern const struct cot_reader_format cot_reader_parquet;

struct cot_reader {
    char *path;
    struct cot_reader_options options;
    char *encoding_option;
    struct cot_reader_info info;
    char **columns; /* [info.n_columns] */
    const struct cot_reader_format *format;
    struct cot_text_stream *text; /* delimited and JSON */
    bool text_at_end;
    char *pending; /* text read but not yet delivered: the head of the file, then the rest of the last block */
    size_t pending_size;
    size_t pending_capacity;
    size_t block_size; /* bytes to read ahead for a batch */
    uint64_t line;     /* physical line of the next record */
    uint64_t n_delivered;
    uint64_t n_rejected;
    struct cot_dialect dialect;
    bool skipping;               /* inside a line that was too long */
    struct cot_json *json;       /* of reader_json.c */
    struct cot_parquet *parquet; /* of reader_parquet.c */
};

/* Sets the columns from `names`; empty and repeated ones are made unique ("column_3", "name_2"). */
cot_code cot_reader_set_columns(struct cot_reader *reader, const struct cot_text *names, size_t n,
                                struct cot_err *err) COT_MUST_CHECK;

/* Empties the batch and makes room for n_rows rows. */
cot_code cot_batch_prepare(struct cot_batch *batch, size_t n_rows, size_t n_columns,
                           struct cot_err *err) COT_MUST_CHECK;
cot_code cot_batch_reserve_text(struct cot_batch *batch, size_t size, struct cot_err *err) COT_MUST_CHECK;

/* raw is cut, and made UTF-8 without NUL, by this function. */
cot_code cot_batch_reject(struct cot_batch *batch, uint64_t line, const char *code, const char *raw, size_t raw_size,
                          struct cot_err *err, const char *format, ...)
    __attribute__((format(printf, 7, 8))) COT_MUST_CHECK;

/* Moves the pending text into the batch's block and reads on until `size` bytes or the end; *ret_size bytes lie there.
 */
cot_code cot_reader_fill_block(struct cot_reader *reader, struct cot_batch *batch, size_t size, size_t *ret_size,
                               struct cot_err *err) COT_MUST_CHECK;
/* Keeps what a batch did not use for the next one. */
cot_code cot_reader_keep(struct cot_reader *reader, const char *rest, size_t size, struct cot_err *err) COT_MUST_CHECK;

/* Rows that a batch of so many columns may have. */
size_t cot_reader_batch_rows(size_t n_columns);

/* Finds the dialect in the head of a file; is_whole: the head is all of it. */
void cot_sniff_dialect(const char *head, size_t size, bool is_whole, const struct cot_reader_options *options,
                       struct cot_dialect *ret_dialect);
/* Whether the cells of a first row are names and not data. */
bool cot_sniff_is_header(const struct cot_cell *cells, size_t n);
/* What a file is that holds no text ("a ZIP archive ..."), or NULL. */
const char *cot_sniff_foreign(const unsigned char *head, size_t size);
bool cot_sniff_is_binary(const char *text, size_t size);

/* Splits one record of a delimited file at `text`; cells beyond max_cells are counted only. */
enum cot_split_result {
    COT_SPLIT_DONE,
    COT_SPLIT_BLANK,    /* a line without content */
    COT_SPLIT_MORE,     /* the record goes on behind the end of the text */
    COT_SPLIT_BAD_QUOTE /* text behind a closing quote, or a quote that is never closed */
};

struct cot_split {
    struct cot_cell *cells; /* cells[i * stride] */
    size_t stride;
    size_t max_cells;
    size_t n_cells;      /* counted */
    bool extra_is_empty; /* all cells beyond max_cells are empty */
    bool has_escape;     /* some cells need unescaping: is_null is 2 there */
    bool has_nul;
    bool is_ascii;
    bool never_closed;              /* COT_SPLIT_BAD_QUOTE: which of the two */
    size_t n_newlines;              /* physical lines of the record */
    size_t size;                    /* bytes of the record with its line end */
    unsigned char plain_stop[256];  /* bytes that an unquoted cell must look at */
    unsigned char quoted_stop[256]; /* and a quoted one; both by cot_split_init */
};

void cot_split_init(struct cot_split *split, const struct cot_dialect *dialect);

enum cot_split_result cot_split_record(char *text, size_t size, bool is_last, const struct cot_dialect *dialect,
                                       struct cot_split *split);
/* Takes the escapes out of the cells that have some, in place. */
void cot_split_unescape(struct cot_split *split, char escape);

/* Bytes of the physical line at text with its line end; size + 1 where the line has no end there. */
size_t cot_line_size(const char *text, size_t size, bool cr_lines);

#endif
