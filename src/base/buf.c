#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cot_buf_release(struct cot_buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
}

void cot_buf_clear(struct cot_buf *buf)
{
    buf->size = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void cot_buf_take(struct cot_buf *buf, char *data, size_t size)
{
    free(buf->data);
    buf->data = data;
    buf->size = size;
    buf->capacity = size + 1;
}

static cot_code buf_reserve(struct cot_buf *buf, size_t more, struct cot_err *err)
{
    size_t max_size = buf->max_size != 0 ? buf->max_size : COT_BUF_DEFAULT_MAX;
    if (more > max_size || buf->size > max_size - more)
        return cot_fail(err, COT_LIMIT, "a buffer of at most %zu bytes would need %zu more", max_size, more);
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return COT_OK;
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (data == NULL)
        return cot_fail(err, COT_NOMEM, "%zu bytes", capacity);
    buf->data = data;
    buf->capacity = capacity;
    return COT_OK;
}

cot_code cot_buf_append(struct cot_buf *buf, const void *data, size_t size, struct cot_err *err)
{
    cot_code rc = buf_reserve(buf, size, err);
    if (rc != COT_OK)
        return rc;
    if (size > 0)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return COT_OK;
}

cot_code cot_buf_puts(struct cot_buf *buf, const char *text, struct cot_err *err)
{
    return cot_buf_append(buf, text, strlen(text), err);
}

cot_code cot_buf_printf(struct cot_buf *buf, struct cot_err *err, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    cot_code rc = size < 0 ? cot_fail(err, COT_INTERNAL, "format '%s'", format) : buf_reserve(buf, (size_t)size, err);
    if (rc == COT_OK) {
        vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
    return rc;
}

const char *cot_buf_text(const struct cot_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}
