/*
 * Reading one file of rows, whatever its shape: delimited text (comma, semicolon, tab, bar, runs of spaces), JSON lines
 * and JSON arrays, Parquet; plain, gzip or zstd; told by content, never by name.
 *
 * Text is split by our own streaming reader and not by DuckDB's: measured on DuckDB 1.4.4, read_csv with store_rejects
 * numbers records instead of lines, drops the rest of a file behind an unclosed quote without a reject, and takes a
 * truncated gzip file for a short one. Parquet goes through DuckDB.
 *
 * Every physical record is delivered or rejected, exactly once; blank lines are neither. A record that breaks the
 * quoting rules is rejected for its first physical line alone and reading goes on with the next line, so that one
 * stray quote costs one line. Memory is bounded: a record may have COT_READER_MAX_RECORD bytes; a longer line is
 * rejected. Encodings: UTF-8 (also with BOM), UTF-16 LE/BE (BOM or pattern), else Windows-1252, of which Latin-1 is the
 * printable part; others by option. An ASCII file is decided at its first block that has another byte.
 *
 * JSON: each object is a row; nested objects become columns with dotted keys ("address.city", at most 511 bytes: a row
 * with a longer one is rejected), arrays stay JSON text.
 * Documents of orders that keep their lines inside ("line_items": [{"sku": ...}, ...]) give a row a line, with what the
 * document says in each and the line's own as "line_items[].sku"; where a later document has no array there, it is
 * rejected.
 * Columns are the union of the keys in the head of the file; a later key stands in the last column, named "_extra", as
 * one JSON object. Parquet: every column as text; timestamps ISO 8601, with zone or
 * of the old INT96 kind in UTC ("...Z"); nested ones as JSON.
 *
 * A reader belongs to one thread at a time.
 */
#ifndef COT_STORE_READER_H
#define COT_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/batch.h"

#define COT_READER_MAX_RECORD ((size_t)16 << 20)
#define COT_READER_MAX_COLUMNS ((size_t)10000)
#define COT_READER_BATCH_ROWS ((size_t)2048)

enum cot_file_format { COT_FILE_DELIMITED, COT_FILE_JSON_LINES, COT_FILE_JSON_ARRAY, COT_FILE_PARQUET };
enum cot_file_compression { COT_FILE_PLAIN, COT_FILE_GZIP, COT_FILE_ZSTD };
enum cot_header_choice { COT_HEADER_FIND_OUT, COT_HEADER_PRESENT, COT_HEADER_ABSENT };

struct cot_reader_options {
    const char *encoding; /* NULL: found out; "utf-8", "windows-1252", "utf-16le" or any name that ICU knows */
    char delimiter;       /* 0: found out; ' ': runs of spaces and tabs */
    enum cot_header_choice header;
};

struct cot_reader_info {
    const char *path;
    enum cot_file_format format;
    enum cot_file_compression compression;
    const char *encoding; /* "utf-8", "windows-1252", ...; as known so far */
    char delimiter;       /* delimited files; 0 else */
    char escape;          /* '"' or '\\' */
    bool has_header;
    size_t n_columns;
    const char *const *columns; /* [n_columns] as they stand in the file; "column_1" ... without a header */
    uint64_t file_size;         /* bytes on disk */
};

struct cot_reader;

/* COT_IO: can't be read. COT_BAD_DATA: empty, binary, a format or compression that Coterie doesn't read, no columns.
 * COT_LIMIT: more than COT_READER_MAX_COLUMNS. */
cot_code cot_reader_open(const char *path, const struct cot_reader_options *options, struct cot_reader **ret_reader,
                         struct cot_err *err) COT_MUST_CHECK;
void cot_reader_close(struct cot_reader *reader);

/* The same file again from its first row, as found out the first time. The info's columns are made anew: pointers to
 * the old ones are gone. */
cot_code cot_reader_rewind(struct cot_reader *reader, struct cot_err *err) COT_MUST_CHECK;

const struct cot_reader_info *cot_reader_info(const struct cot_reader *reader);

/* Fills the caller's batch with up to COT_READER_BATCH_ROWS rows and the rejects met on the way. ret_more is false, and
 * the batch empty, after the last. COT_BAD_DATA where the file turns out to be truncated or corrupt (compressed data,
 * Parquet); what was delivered before is right. */
cot_code cot_reader_next(struct cot_reader *reader, struct cot_batch *batch, bool *ret_more,
                         struct cot_err *err) COT_MUST_CHECK;

/* Bytes of the file on disk consumed so far, for progress; rows delivered and rejected so far: their sum is the number
 * of records read. */
uint64_t cot_reader_bytes_done(const struct cot_reader *reader);
uint64_t cot_reader_n_delivered(const struct cot_reader *reader);
uint64_t cot_reader_n_rejected(const struct cot_reader *reader);

void cot_batch_release(struct cot_batch *batch);

#endif
