/*
 * The text of a file as UTF-8, whatever its encoding. A byte order mark is dropped.
 *
 * The encoding is found out: a byte order mark decides; UTF-16 without one is told by its zero bytes. Else the text
 * counts as ASCII until the first block with another byte, which decides: UTF-8 where it holds more valid multi-byte
 * sequences than broken ones, Windows-1252 otherwise. Broken UTF-8 in a UTF-8 file is passed on as it is: the reader
 * rejects the row. Belongs to one thread at a time.
 */
#ifndef COT_STORE_TRANSCODE_H
#define COT_STORE_TRANSCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"
#include "store/reader_stream.h"

struct cot_text_stream;

/* Takes over `stream` (also on failure). encoding NULL: found out; COT_USAGE for a name that ICU does not know. */
cot_code cot_text_stream_open(struct cot_stream *stream, const char *encoding, struct cot_text_stream **ret_stream,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_text_stream_close(struct cot_text_stream *stream);

/* Reads up to size (>= 16) bytes of UTF-8; *ret_n 0 at the end. */
cot_code cot_text_stream_read(struct cot_text_stream *stream, char *data, size_t size, size_t *ret_n,
                              struct cot_err *err) COT_MUST_CHECK;

/* "utf-8", "windows-1252", "utf-16le", ... as known so far. */
const char *cot_text_stream_encoding(const struct cot_text_stream *stream);
const struct cot_stream *cot_text_stream_bytes(const struct cot_text_stream *stream);

/* Whether data[0, size) is UTF-8; if not, *ret_at is the first wrong byte. NULs count as valid. */
bool cot_utf8_is_valid(const char *data, size_t size, size_t *ret_at);

#endif
