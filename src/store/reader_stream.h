/*
 * The bytes of a file, decompressed: plain, gzip (also of several members) or zstd (of several frames), told by the
 * file's first bytes. Belongs to one thread at a time.
 */
#ifndef COT_STORE_READER_STREAM_H
#define COT_STORE_READER_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "store/reader.h"

struct cot_stream;

cot_code cot_stream_open(const char *path, struct cot_stream **ret_stream, struct cot_err *err) COT_MUST_CHECK;
void cot_stream_close(struct cot_stream *stream);

/* Reads up to size bytes; *ret_n 0 at the end. COT_BAD_DATA: truncated or corrupt compressed data. */
cot_code cot_stream_read(struct cot_stream *stream, char *data, size_t size, size_t *ret_n,
                         struct cot_err *err) COT_MUST_CHECK;

enum cot_file_compression cot_stream_compression(const struct cot_stream *stream);
uint64_t cot_stream_file_size(const struct cot_stream *stream);
uint64_t cot_stream_bytes_done(const struct cot_stream *stream); /* on disk */

#endif
