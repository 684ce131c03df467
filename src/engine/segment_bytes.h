/* Little-endian bytes of model files: writing into a buffer, and reading that never goes beyond the end. */
#ifndef COT_ENGINE_SEGMENT_BYTES_H
#define COT_ENGINE_SEGMENT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "coterie/err.h"

/* The first failure sticks in rc; later writes do nothing. */
struct cot_byte_writer {
    struct cot_buf *buf;
    cot_code rc;
    struct cot_err *err;
};

void cot_write_u32(struct cot_byte_writer *writer, uint32_t value);
void cot_write_u64(struct cot_byte_writer *writer, uint64_t value);
void cot_write_double(struct cot_byte_writer *writer, double value);
void cot_write_float(struct cot_byte_writer *writer, float value);
void cot_write_text(struct cot_byte_writer *writer, const char *text, size_t size);

/* Reading beyond the end gives zeros and sets failed. */
struct cot_byte_reader {
    const unsigned char *bytes;
    size_t size, at;
    bool failed;
};

uint32_t cot_read_u32(struct cot_byte_reader *reader);
uint64_t cot_read_u64(struct cot_byte_reader *reader);
double cot_read_double(struct cot_byte_reader *reader);
float cot_read_float(struct cot_byte_reader *reader);
/* Points into the bytes; NULL where there aren't so many. */
const unsigned char *cot_read_bytes(struct cot_byte_reader *reader, size_t size);
/* A malloc'd copy with a NUL; NULL on failure (text longer than max_size included). */
char *cot_read_text(struct cot_byte_reader *reader, size_t max_size);

#endif
