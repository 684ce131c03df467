/*
 * A growing byte buffer with a declared maximum. The content is always followed by a NUL that does not count.
 * A buffer that is all zero (`struct cot_buf buf = {.max_size = ...}`) is empty; _release frees it.
 */
#ifndef COT_BASE_BUF_H
#define COT_BASE_BUF_H

#include <stddef.h>

#include "coterie/err.h"

struct cot_buf {
    char *data; /* NULL while empty */
    size_t size;
    size_t capacity;
    size_t max_size; /* appending beyond is COT_LIMIT; 0 means COT_BUF_DEFAULT_MAX */
};

#define COT_BUF_DEFAULT_MAX ((size_t)1 << 30)

void cot_buf_release(struct cot_buf *buf);
void cot_buf_clear(struct cot_buf *buf); /* size 0, keeps the memory */

cot_code cot_buf_append(struct cot_buf *buf, const void *data, size_t size, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_buf_puts(struct cot_buf *buf, const char *text, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_buf_printf(struct cot_buf *buf, struct cot_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4))) COT_MUST_CHECK;

/* Takes over what malloc gave: `size` bytes and a NUL. What was there before is released; the maximum holds for what is
 * appended later. */
void cot_buf_take(struct cot_buf *buf, char *data, size_t size);

/* The content, "" while empty; valid until the next change. */
const char *cot_buf_text(const struct cot_buf *buf);

#endif
