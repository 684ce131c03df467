#include "store/reader_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { RAW_SIZE = 128 * 1024, GZIP_WINDOW = 15 + 16 };

/* zstd frames may ask for windows of 2 GB: refuse more than 128 MB. */
enum { ZSTD_MAX_WINDOW_LOG = 27 };

struct cot_stream {
    char *path;
    int file;
    enum cot_file_compression compression;
    uint64_t file_size;
    uint64_t bytes_read; /* from the file */
    bool at_end;         /* of the file */
    bool in_member;      /* inside a gzip member or zstd frame */
    unsigned char *raw;  /* [RAW_SIZE] compressed bytes, or the first bytes of a plain file */
    size_t raw_at, raw_end;
    z_stream gzip;
    bool gzip_open;
    ZSTD_DStream *zstd;
};

static cot_code fill(struct cot_stream *stream, struct cot_err *err)
{
    if (stream->raw_at < stream->raw_end || stream->at_end)
        return COT_OK;
    ssize_t n = 0;
    do {
        n = read(stream->file, stream->raw, RAW_SIZE);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return cot_fail(err, COT_IO, "reading '%s': %s", stream->path, strerror(errno));
    stream->at_end = n == 0;
    stream->bytes_read += (uint64_t)n;
    stream->raw_at = 0;
    stream->raw_end = (size_t)n;
    return COT_OK;
}

static cot_code open_decompressor(struct cot_stream *stream, struct cot_err *err)
{
    static const unsigned char gzip_magic[] = {0x1f, 0x8b};
    static const unsigned char zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    size_t n = stream->raw_end;
    if (n >= sizeof gzip_magic && memcmp(stream->raw, gzip_magic, sizeof gzip_magic) == 0) {
        stream->compression = COT_FILE_GZIP;
        stream->gzip_open = inflateInit2(&stream->gzip, GZIP_WINDOW) == Z_OK;
        if (!stream->gzip_open)
            return cot_fail(err, COT_NOMEM, "unpacking '%s'", stream->path);
    } else if (n >= sizeof zstd_magic && memcmp(stream->raw, zstd_magic, sizeof zstd_magic) == 0) {
        stream->compression = COT_FILE_ZSTD;
        stream->zstd = ZSTD_createDStream();
        if (stream->zstd == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, ZSTD_MAX_WINDOW_LOG)))
            return cot_fail(err, COT_NOMEM, "unpacking '%s'", stream->path);
    }
    return COT_OK;
}

static cot_code open_file(struct cot_stream *stream, struct cot_err *err)
{
    struct stat status;
    stream->file = open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->file < 0)
        return cot_fail(err, errno == ENOENT ? COT_NOT_FOUND : COT_IO, "opening '%s': %s", stream->path,
                        strerror(errno));
    if (fstat(stream->file, &status) != 0)
        return cot_fail(err, COT_IO, "opening '%s': %s", stream->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return cot_fail(err, COT_BAD_DATA, "'%s' is not an ordinary file", stream->path);
    stream->file_size = (uint64_t)status.st_size;
    return COT_OK;
}

cot_code cot_stream_open(const char *path, struct cot_stream **ret_stream, struct cot_err *err)
{
    struct cot_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", path);
    stream->file = -1;
    stream->path = strdup(path);
    stream->raw = malloc(RAW_SIZE);
    cot_code rc = stream->path == NULL || stream->raw == NULL ? cot_fail(err, COT_NOMEM, "reading '%s'", path) : COT_OK;
    if (rc == COT_OK)
        rc = open_file(stream, err);
    if (rc == COT_OK)
        rc = fill(stream, err);
    if (rc == COT_OK)
        rc = open_decompressor(stream, err);
    if (rc != COT_OK) {
        cot_stream_close(stream);
        return rc;
    }
    *ret_stream = stream;
    return COT_OK;
}

void cot_stream_close(struct cot_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->gzip_open)
        inflateEnd(&stream->gzip);
    ZSTD_freeDStream(stream->zstd);
    if (stream->file >= 0)
        close(stream->file);
    free(stream->raw);
    free(stream->path);
    free(stream);
}

static cot_code truncated(const struct cot_stream *stream, struct cot_err *err)
{
    return cot_fail(err, COT_BAD_DATA, "'%s' is truncated: its compressed data ends after %llu bytes; fetch it again",
                    stream->path, (unsigned long long)stream->bytes_read);
}

static cot_code corrupt(const struct cot_stream *stream, const char *reason, struct cot_err *err)
{
    return cot_fail(err, COT_BAD_DATA, "'%s' is corrupt: its compressed data is wrong near byte %llu (%s)",
                    stream->path, (unsigned long long)(stream->bytes_read - (stream->raw_end - stream->raw_at)),
                    reason != NULL ? reason : "no reason given");
}

static cot_code read_plain(struct cot_stream *stream, char *data, size_t size, size_t *ret_n)
{
    size_t n = stream->raw_end - stream->raw_at;
    if (n > size)
        n = size;
    if (n > 0)
        memcpy(data, stream->raw + stream->raw_at, n);
    stream->raw_at += n;
    *ret_n = n;
    return COT_OK;
}

static cot_code read_gzip(struct cot_stream *stream, char *data, size_t size, size_t *ret_n, struct cot_err *err)
{
    z_stream *z = &stream->gzip;
    z->next_in = stream->raw + stream->raw_at;
    z->avail_in = (uInt)(stream->raw_end - stream->raw_at);
    z->next_out = (Bytef *)data;
    z->avail_out = size > (1U << 30) ? 1U << 30 : (uInt)size;
    uInt room = z->avail_out;
    stream->in_member = true;
    int status = inflate(z, Z_NO_FLUSH);
    stream->raw_at = stream->raw_end - z->avail_in;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return corrupt(stream, z->msg, err);
    if (status == Z_STREAM_END) {
        stream->in_member = false;
        if (inflateReset(z) != Z_OK)
            return corrupt(stream, z->msg, err);
    }
    *ret_n = room - z->avail_out;
    return COT_OK;
}

static cot_code read_zstd(struct cot_stream *stream, char *data, size_t size, size_t *ret_n, struct cot_err *err)
{
    ZSTD_inBuffer in = {.src = stream->raw, .size = stream->raw_end, .pos = stream->raw_at};
    ZSTD_outBuffer out = {.dst = data, .size = size};
    size_t status = ZSTD_decompressStream(stream->zstd, &out, &in);
    stream->raw_at = in.pos;
    if (ZSTD_isError(status))
        return corrupt(stream, ZSTD_getErrorName(status), err);
    stream->in_member = status != 0;
    *ret_n = out.pos;
    return COT_OK;
}

/* Zero bytes behind the last gzip member are padding (tapes, some object stores). */
static bool is_padding(const struct cot_stream *stream)
{
    for (size_t i = stream->raw_at; i < stream->raw_end; i++)
        if (stream->raw[i] != 0)
            return false;
    return true;
}

cot_code cot_stream_read(struct cot_stream *stream, char *data, size_t size, size_t *ret_n, struct cot_err *err)
{
    size_t n = 0;
    while (n == 0) {
        cot_code rc = fill(stream, err);
        if (rc != COT_OK)
            return rc;
        bool drained = stream->at_end && stream->raw_at == stream->raw_end;
        if (drained && (stream->compression == COT_FILE_PLAIN || !stream->in_member))
            break;
        if (stream->compression == COT_FILE_PLAIN) {
            rc = read_plain(stream, data, size, &n);
        } else if (stream->compression == COT_FILE_GZIP) {
            if (!stream->in_member && is_padding(stream)) {
                stream->raw_at = stream->raw_end;
                continue;
            }
            rc = read_gzip(stream, data, size, &n, err);
        } else {
            rc = read_zstd(stream, data, size, &n, err);
        }
        if (rc != COT_OK)
            return rc;
        if (n == 0 && drained && stream->in_member)
            return truncated(stream, err);
    }
    *ret_n = n;
    return COT_OK;
}

enum cot_file_compression cot_stream_compression(const struct cot_stream *stream)
{
    return stream->compression;
}

uint64_t cot_stream_file_size(const struct cot_stream *stream)
{
    return stream->file_size;
}

uint64_t cot_stream_bytes_done(const struct cot_stream *stream)
{
    return stream->bytes_read - (stream->raw_end - stream->raw_at);
}
