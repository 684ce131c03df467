#include "num/array.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 1 << 18 };

struct bytes {
    unsigned char *data;
    size_t size, capacity;
};

void cot_array_release(struct cot_array *array)
{
    free(array->data);
    *array = (struct cot_array){0};
}

/* Room for CHUNK more. */
static cot_code reserve(struct bytes *b, struct cot_err *err)
{
    if (b->size > COT_ARRAY_MAX_SIZE)
        return cot_fail(err, COT_LIMIT, "more than %zu bytes", COT_ARRAY_MAX_SIZE);
    if (b->capacity - b->size >= CHUNK)
        return COT_OK;
    size_t capacity = b->capacity * 2 > 4 * CHUNK ? b->capacity * 2 : 4 * CHUNK;
    unsigned char *data = realloc(b->data, capacity);
    if (data == NULL)
        return cot_fail(err, COT_NOMEM, "a file of more than %zu bytes", b->size);
    b->data = data;
    b->capacity = capacity;
    return COT_OK;
}

static cot_code read_whole(const char *path, struct bytes *ret_bytes, struct cot_err *err)
{
    FILE *file = fopen(path, "rb");
    cot_code rc = COT_OK;
    if (file == NULL)
        return cot_fail(err, COT_IO, "can't open it: %s", strerror(errno));
    for (;;) {
        rc = reserve(ret_bytes, err);
        if (rc != COT_OK)
            break;
        size_t n = fread(ret_bytes->data + ret_bytes->size, 1, CHUNK, file);
        ret_bytes->size += n;
        if (n < CHUNK) {
            if (ferror(file))
                rc = cot_fail(err, COT_IO, "can't read it: %s", strerror(errno));
            break;
        }
    }
    fclose(file);
    return rc;
}

/* One gzip member after another. */
static cot_code unpack(const struct bytes *packed, struct bytes *ret_bytes, struct cot_err *err)
{
    z_stream z = {0};
    size_t at = 0;
    bool ended = false;
    cot_code rc = COT_OK;
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return cot_fail(err, COT_NOMEM, "unpacking gzip");
    while (!ended || at < packed->size || z.avail_in > 0) {
        rc = reserve(ret_bytes, err);
        if (rc != COT_OK)
            break;
        if (z.avail_in == 0) {
            size_t left = packed->size - at;
            z.next_in = packed->data + at;
            z.avail_in = (uInt)(left < CHUNK ? left : CHUNK);
            at += z.avail_in;
        }
        if (ended && inflateReset(&z) != Z_OK) {
            rc = cot_fail(err, COT_INTERNAL, "unpacking gzip");
            break;
        }
        z.next_out = ret_bytes->data + ret_bytes->size;
        z.avail_out = CHUNK;
        int status = inflate(&z, Z_NO_FLUSH);
        ret_bytes->size += CHUNK - z.avail_out;
        ended = status == Z_STREAM_END;
        if (status == Z_BUF_ERROR && z.avail_in == 0 && at == packed->size)
            rc = cot_fail(err, COT_BAD_DATA, "its gzip stream is cut off after %zu unpacked bytes", ret_bytes->size);
        else if (status != Z_OK && status != Z_STREAM_END)
            rc = cot_fail(err, COT_BAD_DATA, "its gzip stream is damaged after %zu unpacked bytes", ret_bytes->size);
        if (rc != COT_OK)
            break;
    }
    inflateEnd(&z);
    return rc;
}

cot_code cot_array_read(const char *path, struct cot_array *ret_array, struct cot_err *err)
{
    struct bytes bytes = {0};
    struct bytes unpacked = {0};
    cot_code rc = read_whole(path, &bytes, err);
    if (rc == COT_OK && bytes.size >= 2 && bytes.data[0] == 0x1f && bytes.data[1] == 0x8b) {
        rc = unpack(&bytes, &unpacked, err);
        free(bytes.data);
        bytes = unpacked;
    }
    if (rc == COT_OK && bytes.size >= 6 && memcmp(bytes.data, "\x93NUMPY", 6) == 0)
        rc = cot_npy_decode(bytes.data, bytes.size, ret_array, err);
    else if (rc == COT_OK)
        rc = cot_text_decode((const char *)bytes.data, bytes.size, ret_array, err);
    free(bytes.data);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "'%s'", path);
}
