/*
 * A transform as bytes, little-endian:
 *
 *   0  "COTX"   4  u32 version   8  u64 size of the whole   16  u32 columns
 *   a column: u8 kind, u8 constant, u8 size of name, name, f64 median, low, high, mean, sd, rare_share,
 *             u32 categories, (u32 code, f64 share) each, u32 rare categories, u32 code each
 *             version 2: u32 quantiles, f64 each
 *   end: u64 XXH3-64 of all before
 *
 * Version 2 is written. Version 1, without the kinds that need quantiles and without robust, is still read.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "ml/transform_internal.h"
#include "num/check.h"

enum { VERSION = 2, OLDEST_VERSION = 1, HEAD_SIZE = 20, CHECKSUM_SIZE = 8 };

static const char MAGIC[4] = {'C', 'O', 'T', 'X'};

/* ---- writing ---- */

struct writer {
    struct cot_buf buf;
    struct cot_err *err;
    cot_code rc; /* the first failure; later writes do nothing */
};

static void put(struct writer *w, const void *data, size_t size)
{
    if (w->rc == COT_OK)
        w->rc = cot_buf_append(&w->buf, data, size, w->err);
}

static void put_uint(struct writer *w, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    put(w, bytes, size);
}

static void put_double(struct writer *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_uint(w, bits, 8);
}

static void put_column(struct writer *w, const struct cot_transform_fitted *column)
{
    size_t name_size = strlen(column->name);
    put_uint(w, (uint64_t)column->kind, 1);
    put_uint(w, column->constant, 1);
    put_uint(w, name_size, 1);
    put(w, column->name, name_size);
    put_double(w, column->median);
    put_double(w, column->low);
    put_double(w, column->high);
    put_double(w, column->mean);
    put_double(w, column->sd);
    put_double(w, column->rare_share);
    put_uint(w, column->n_codes, 4);
    for (size_t c = 0; c < column->n_codes; c++) {
        put_uint(w, (uint64_t)column->codes[c], 4);
        put_double(w, column->shares[c]);
    }
    put_uint(w, column->n_rare, 4);
    for (size_t c = 0; c < column->n_rare; c++)
        put_uint(w, (uint64_t)column->rare_codes[c], 4);
    put_uint(w, column->n_quantiles, 4);
    for (size_t i = 0; i < column->n_quantiles; i++)
        put_double(w, column->quantiles[i]);
}

cot_code cot_transform_encode(const struct cot_transform *transform, unsigned char **ret_bytes, size_t *ret_size,
                              struct cot_err *err)
{
    struct writer w = {.err = err};
    put(&w, MAGIC, sizeof MAGIC);
    put_uint(&w, VERSION, 4);
    put_uint(&w, 0, 8);
    put_uint(&w, transform->d_in, 4);
    for (size_t j = 0; j < transform->d_in; j++)
        put_column(&w, &transform->columns[j]);
    if (w.rc == COT_OK) {
        uint64_t size = w.buf.size + CHECKSUM_SIZE;
        for (size_t i = 0; i < 8; i++)
            w.buf.data[8 + i] = (char)(unsigned char)(size >> (8 * i));
        put_uint(&w, XXH3_64bits(w.buf.data, w.buf.size), CHECKSUM_SIZE);
    }
    if (w.rc != COT_OK) {
        cot_buf_release(&w.buf);
        return w.rc;
    }
    *ret_bytes = (unsigned char *)w.buf.data;
    *ret_size = w.buf.size;
    return COT_OK;
}

/* ---- reading ---- */

struct reader {
    const unsigned char *bytes;
    size_t size, at;
    uint64_t version;
    bool failed; /* ran out of bytes: all later values are 0 */
};

static const unsigned char *get(struct reader *r, size_t size)
{
    if (r->failed || size > r->size - r->at) {
        r->failed = true;
        return NULL;
    }
    r->at += size;
    return r->bytes + r->at - size;
}

static uint64_t get_uint(struct reader *r, size_t size)
{
    const unsigned char *bytes = get(r, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static double get_double(struct reader *r)
{
    uint64_t bits = get_uint(r, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Ascending codes below the limit; with shares where ret_shares is not NULL. */
static bool get_codes(struct reader *r, size_t *ret_n, int32_t **ret_codes, double **ret_shares)
{
    size_t n = (size_t)get_uint(r, 4);
    if (r->failed || n > COT_TRANSFORM_MAX_CATEGORIES)
        return false;
    *ret_codes = cot_alloc_array(n, 1, sizeof **ret_codes);
    if (*ret_codes == NULL)
        return false;
    if (ret_shares != NULL) {
        *ret_shares = cot_alloc_array(n, 1, sizeof **ret_shares);
        if (*ret_shares == NULL)
            return false;
    }
    for (size_t c = 0; c < n; c++) {
        uint64_t code = get_uint(r, 4);
        if (r->failed || code >= COT_TRANSFORM_MAX_CATEGORIES || (c > 0 && (int32_t)code <= (*ret_codes)[c - 1]))
            return false;
        (*ret_codes)[c] = (int32_t)code;
        if (ret_shares == NULL)
            continue;
        (*ret_shares)[c] = get_double(r);
        if (!((*ret_shares)[c] > 0 && (*ret_shares)[c] <= 1))
            return false;
    }
    *ret_n = n;
    return true;
}

/* Ascending, and there where the kind needs them. */
static bool get_quantiles(struct reader *r, struct cot_transform_fitted *column)
{
    size_t n = r->version > 1 ? (size_t)get_uint(r, 4) : 0;
    if (r->failed || (n > 0) != cot_transform_is_quantile(column->kind) || n > COT_TRANSFORM_MAX_QUANTILES ||
        n > (r->size - r->at) / 8)
        return false;
    if (n == 0)
        return true;
    column->quantiles = cot_alloc_array(n, 1, sizeof *column->quantiles);
    if (column->quantiles == NULL)
        return false;
    column->n_quantiles = n;
    for (size_t i = 0; i < n; i++) {
        column->quantiles[i] = get_double(r);
        if (!isfinite(column->quantiles[i]) || (i > 0 && column->quantiles[i] < column->quantiles[i - 1]))
            return false;
    }
    return true;
}

static bool get_column(struct reader *r, struct cot_transform_fitted *column)
{
    uint64_t kind = get_uint(r, 1);
    uint64_t constant = get_uint(r, 1);
    size_t name_size = (size_t)get_uint(r, 1);
    const unsigned char *name = get(r, name_size);
    uint64_t last_kind = r->version == 1 ? COT_TRANSFORM_CATEGORY : COT_TRANSFORM_N_KINDS - 1;
    if (name == NULL || kind > last_kind || constant > 1 || memchr(name, 0, name_size) != NULL)
        return false;
    column->kind = (enum cot_transform_kind)kind;
    column->constant = constant == 1;
    column->name = strndup((const char *)name, name_size);
    column->median = get_double(r);
    column->low = get_double(r);
    column->high = get_double(r);
    column->mean = get_double(r);
    column->sd = get_double(r);
    column->rare_share = get_double(r);
    bool numbers = isfinite(column->median) && isfinite(column->low) && isfinite(column->high) &&
                   isfinite(column->mean) && isfinite(column->sd) && column->low <= column->high && column->sd > 0 &&
                   column->rare_share >= 0 && column->rare_share <= 1;
    if (column->name == NULL || r->failed || !numbers)
        return false;
    if (!get_codes(r, &column->n_codes, &column->codes, &column->shares) ||
        !get_codes(r, &column->n_rare, &column->rare_codes, NULL) || !get_quantiles(r, column))
        return false;
    bool category = column->kind == COT_TRANSFORM_CATEGORY;
    if (!category && (column->n_codes > 0 || column->n_rare > 0 || column->rare_share > 0))
        return false;
    return (column->n_rare > 0) == (column->rare_share > 0);
}

cot_code cot_transform_decode(const unsigned char *bytes, size_t size, struct cot_transform **ret_transform,
                              struct cot_err *err)
{
    struct reader r = {.bytes = bytes, .size = size};
    struct cot_transform *transform = NULL;
    if (size < HEAD_SIZE + CHECKSUM_SIZE || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return cot_fail(err, COT_BAD_DATA, "%zu bytes that are no transform: fit the model again", size);
    r.at = sizeof MAGIC;
    r.version = get_uint(&r, 4);
    uint64_t said = get_uint(&r, 8);
    uint64_t d_in = get_uint(&r, 4);
    if (r.version < OLDEST_VERSION || r.version > VERSION)
        return cot_fail(err, COT_BAD_DATA, "a transform of version %llu; this program reads versions %d to %d",
                        (unsigned long long)r.version, OLDEST_VERSION, VERSION);
    struct reader end = {.bytes = bytes, .size = size, .at = size - CHECKSUM_SIZE};
    if (said != size || get_uint(&end, CHECKSUM_SIZE) != XXH3_64bits(bytes, size - CHECKSUM_SIZE))
        return cot_fail(err, COT_BAD_DATA, "a damaged transform (%zu bytes, checksum differs): fit the model again",
                        size);
    if (d_in == 0 || d_in > COT_TRANSFORM_MAX_COLUMNS)
        return cot_fail(err, COT_BAD_DATA, "a transform of %llu columns", (unsigned long long)d_in);
    r.size = size - CHECKSUM_SIZE;
    transform = cot_transform_new((size_t)d_in);
    if (transform == NULL)
        return cot_fail(err, COT_NOMEM, "a transform of %llu columns", (unsigned long long)d_in);
    for (size_t j = 0; j < d_in; j++) {
        if (!get_column(&r, &transform->columns[j])) {
            cot_transform_free(transform);
            return cot_fail(err, COT_BAD_DATA, "a transform whose column %zu can't be: fit the model again", j);
        }
    }
    if (r.at != r.size) {
        cot_transform_free(transform);
        return cot_fail(err, COT_BAD_DATA, "a transform with %zu bytes too many", r.size - r.at);
    }
    cot_transform_number(transform);
    *ret_transform = transform;
    return COT_OK;
}
