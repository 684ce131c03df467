#include "store/transcode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>

enum { RAW_SIZE = 64 * 1024, PIVOT_SIZE = 16 * 1024, HEAD_SIZE = 4096 };

enum mode { MODE_ASCII, MODE_UTF8, MODE_CONVERT };

struct cot_text_stream {
    struct cot_stream *bytes;
    enum mode mode;
    char encoding[64];
    bool at_end;  /* of the bytes */
    bool flushed; /* the converters have given their last */
    char *raw;    /* [RAW_SIZE] bytes read ahead */
    size_t raw_at, raw_end;
    UConverter *from; /* MODE_CONVERT */
    UConverter *to;
    UChar *pivot; /* [PIVOT_SIZE] */
    UChar *pivot_source, *pivot_target;
    bool started; /* ucnv_convertEx has been called */
};

/* Length of the UTF-8 sequence at data (Unicode table 3-7), 0 where it is wrong, -1 where it is cut off by the end. */
static int sequence_size(const unsigned char *data, size_t size)
{
    unsigned char c = data[0];
    if (c < 0x80)
        return 1;
    int n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (n == 0)
        return 0;
    for (int i = 1; i < n; i++) {
        unsigned char low = 0x80;
        unsigned char high = 0xbf;
        if ((size_t)i >= size)
            return -1;
        if (i == 1) {
            low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        }
        if (data[i] < low || data[i] > high)
            return 0;
    }
    return n;
}

static size_t ascii_prefix(const char *data, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, data + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (i < size && (unsigned char)data[i] < 0x80)
        i++;
    return i;
}

bool cot_utf8_is_valid(const char *data, size_t size, size_t *ret_at)
{
    size_t at = 0;
    while (at < size) {
        at += ascii_prefix(data + at, size - at);
        if (at == size)
            break;
        int n = sequence_size((const unsigned char *)data + at, size - at);
        if (n <= 0) {
            if (ret_at != NULL)
                *ret_at = at;
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

/* More good multi-byte sequences than broken ones: UTF-8. */
static bool looks_utf8(const char *data, size_t size)
{
    size_t n_good = 0;
    size_t n_bad = 0;
    for (size_t at = 0; at < size;) {
        at += ascii_prefix(data + at, size - at);
        if (at == size)
            break;
        int n = sequence_size((const unsigned char *)data + at, size - at);
        if (n < 0)
            break;
        n_good += n > 0;
        n_bad += n == 0;
        at += n > 0 ? (size_t)n : 1;
    }
    return n_good > n_bad || n_bad == 0;
}

static cot_code start_converting(struct cot_text_stream *stream, const char *encoding, struct cot_err *err)
{
    UErrorCode status = U_ZERO_ERROR;
    /* Latin-1 as browsers have it (WHATWG): its printable part is Windows-1252's. */
    if (strcasecmp(encoding, "latin1") == 0 || strcasecmp(encoding, "latin-1") == 0 ||
        strcasecmp(encoding, "iso-8859-1") == 0)
        encoding = "windows-1252";
    snprintf(stream->encoding, sizeof stream->encoding, "%s", encoding);
    stream->mode = MODE_CONVERT;
    stream->from = ucnv_open(encoding, &status);
    if (U_FAILURE(status))
        return cot_fail(err, COT_USAGE,
                        "'%.60s' is not an encoding that can be read: utf-8, windows-1252, latin1, utf-16le, utf-16be "
                        "and other names of ICU are",
                        encoding);
    stream->to = ucnv_open("UTF-8", &status);
    stream->pivot = malloc(PIVOT_SIZE * sizeof *stream->pivot);
    if (U_FAILURE(status) || stream->pivot == NULL)
        return cot_fail(err, COT_NOMEM, "reading text as %s", encoding);
    stream->pivot_source = stream->pivot_target = stream->pivot;
    return COT_OK;
}

/* UTF-16 without a byte order mark: text that is mostly ASCII has a zero in every second byte. */
static const char *utf16_by_zeros(const unsigned char *data, size_t size)
{
    size_t n_even = 0;
    size_t n_odd = 0;
    size_t pairs = size / 2;
    for (size_t i = 0; i < pairs; i++) {
        n_even += data[2 * i] == 0;
        n_odd += data[2 * i + 1] == 0;
    }
    if (pairs < 2)
        return NULL;
    if (n_odd * 10 > pairs * 6 && n_even * 20 < pairs)
        return "utf-16le";
    if (n_even * 10 > pairs * 6 && n_odd * 20 < pairs)
        return "utf-16be";
    return NULL;
}

static cot_code fill_raw(struct cot_text_stream *stream, size_t at_least, struct cot_err *err)
{
    if (stream->raw_at > 0) {
        memmove(stream->raw, stream->raw + stream->raw_at, stream->raw_end - stream->raw_at);
        stream->raw_end -= stream->raw_at;
        stream->raw_at = 0;
    }
    while (!stream->at_end && stream->raw_end < at_least) {
        size_t n = 0;
        cot_code rc =
            cot_stream_read(stream->bytes, stream->raw + stream->raw_end, RAW_SIZE - stream->raw_end, &n, err);
        if (rc != COT_OK)
            return rc;
        stream->at_end = n == 0;
        stream->raw_end += n;
    }
    return COT_OK;
}

static cot_code find_encoding(struct cot_text_stream *stream, const char *asked, struct cot_err *err)
{
    static const struct {
        const char *bom;
        size_t size;
        const char *encoding;
    } boms[] = {{"\xef\xbb\xbf", 3, "utf-8"},
                {"\xff\xfe\0\0", 4, "utf-32le"},
                {"\0\0\xfe\xff", 4, "utf-32be"},
                {"\xff\xfe", 2, "utf-16le"},
                {"\xfe\xff", 2, "utf-16be"}};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof boms / sizeof boms[0] && found == NULL; i++) {
        if (stream->raw_end < boms[i].size || memcmp(stream->raw, boms[i].bom, boms[i].size) != 0)
            continue;
        found = boms[i].encoding;
        stream->raw_at = boms[i].size;
    }
    if (found == NULL)
        found = utf16_by_zeros((const unsigned char *)stream->raw, stream->raw_end);
    if (asked != NULL)
        found = asked;
    if (found != NULL && strcasecmp(found, "utf-8") != 0 && strcasecmp(found, "utf8") != 0)
        return start_converting(stream, found, err);
    stream->mode = found != NULL ? MODE_UTF8 : MODE_ASCII;
    snprintf(stream->encoding, sizeof stream->encoding, "utf-8");
    return COT_OK;
}

cot_code cot_text_stream_open(struct cot_stream *bytes, const char *encoding, struct cot_text_stream **ret_stream,
                              struct cot_err *err)
{
    struct cot_text_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        cot_stream_close(bytes);
        return cot_fail(err, COT_NOMEM, "reading text");
    }
    stream->bytes = bytes;
    stream->raw = malloc(RAW_SIZE);
    cot_code rc = stream->raw == NULL ? cot_fail(err, COT_NOMEM, "reading text") : COT_OK;
    if (rc == COT_OK)
        rc = fill_raw(stream, HEAD_SIZE, err);
    if (rc == COT_OK)
        rc = find_encoding(stream, encoding, err);
    if (rc != COT_OK) {
        cot_text_stream_close(stream);
        return rc;
    }
    *ret_stream = stream;
    return COT_OK;
}

void cot_text_stream_close(struct cot_text_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->from != NULL)
        ucnv_close(stream->from);
    if (stream->to != NULL)
        ucnv_close(stream->to);
    cot_stream_close(stream->bytes);
    free(stream->pivot);
    free(stream->raw);
    free(stream);
}

static cot_code convert(struct cot_text_stream *stream, char *data, size_t size, size_t *ret_n, struct cot_err *err)
{
    char *target = data;
    while (target == data && !stream->flushed) {
        cot_code rc = fill_raw(stream, 1, err);
        if (rc != COT_OK)
            return rc;
        const char *source = stream->raw + stream->raw_at;
        UErrorCode status = U_ZERO_ERROR;
        ucnv_convertEx(stream->to, stream->from, &target, data + size, &source, stream->raw + stream->raw_end,
                       stream->pivot, &stream->pivot_source, &stream->pivot_target, stream->pivot + PIVOT_SIZE,
                       (UBool)!stream->started, (UBool)stream->at_end, &status);
        stream->started = true;
        stream->raw_at = (size_t)(source - stream->raw);
        if (status == U_BUFFER_OVERFLOW_ERROR)
            continue; /* there is more for the next call */
        if (U_FAILURE(status))
            return cot_fail(err, COT_BAD_DATA, "text that is not %s: %s", stream->encoding, u_errorName(status));
        stream->flushed = stream->at_end;
    }
    *ret_n = (size_t)(target - data);
    return COT_OK;
}

/* Reads bytes as they are, first those that were read ahead. */
static cot_code pass(struct cot_text_stream *stream, char *data, size_t size, size_t *ret_n, struct cot_err *err)
{
    size_t n = stream->raw_end - stream->raw_at;
    if (n == 0)
        return cot_stream_read(stream->bytes, data, size, ret_n, err);
    if (n > size)
        n = size;
    memcpy(data, stream->raw + stream->raw_at, n);
    stream->raw_at += n;
    *ret_n = n;
    return COT_OK;
}

cot_code cot_text_stream_read(struct cot_text_stream *stream, char *data, size_t size, size_t *ret_n,
                              struct cot_err *err)
{
    if (stream->mode == MODE_CONVERT)
        return convert(stream, data, size, ret_n, err);
    if (stream->mode == MODE_UTF8)
        return pass(stream, data, size, ret_n, err);
    if (stream->raw_at == stream->raw_end) {
        cot_code rc = fill_raw(stream, RAW_SIZE / 2, err);
        if (rc != COT_OK)
            return rc;
    }
    const char *raw = stream->raw + stream->raw_at;
    size_t n_raw = stream->raw_end - stream->raw_at;
    size_t n_ascii = ascii_prefix(raw, n_raw);
    if (n_ascii == 0 && n_raw > 0) {
        if (looks_utf8(raw, n_raw)) {
            stream->mode = MODE_UTF8;
            return pass(stream, data, size, ret_n, err);
        }
        cot_code rc = start_converting(stream, "windows-1252", err);
        return rc != COT_OK ? rc : convert(stream, data, size, ret_n, err);
    }
    *ret_n = n_ascii < size ? n_ascii : size;
    if (*ret_n > 0)
        memcpy(data, raw, *ret_n);
    stream->raw_at += *ret_n;
    return COT_OK;
}

const char *cot_text_stream_encoding(const struct cot_text_stream *stream)
{
    return stream->encoding;
}

const struct cot_stream *cot_text_stream_bytes(const struct cot_text_stream *stream)
{
    return stream->bytes;
}
