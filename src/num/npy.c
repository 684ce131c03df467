/* NumPy's .npy: see num/array.h and NEP 1 (numpy.lib.format). */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num/array.h"
#include "num/check.h"

static const unsigned char MAGIC[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

enum { MAX_HEADER = 65536 };

/* ---- the dictionary ---- */

struct header {
    bool big_endian;
    bool fortran_order;
    size_t item_size;
    size_t n_dimensions;
    size_t shape[2];
    bool has_descr, has_order, has_shape;
};

struct scanner {
    const char *at, *end;
};

static void skip_space(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t'))
        s->at++;
}

static bool take(struct scanner *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool take_word(struct scanner *s, const char *word)
{
    size_t size = strlen(word);
    skip_space(s);
    if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0)
        return false;
    s->at += size;
    return true;
}

/* 'text' or "text", without escapes, shorter than size. */
static bool take_string(struct scanner *s, char *ret_text, size_t size)
{
    skip_space(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"'))
        return false;
    char quote = *s->at++;
    const char *close = memchr(s->at, quote, (size_t)(s->end - s->at));
    if (close == NULL || (size_t)(close - s->at) >= size)
        return false;
    memcpy(ret_text, s->at, (size_t)(close - s->at));
    ret_text[close - s->at] = '\0';
    s->at = close + 1;
    return true;
}

static bool take_size(struct scanner *s, size_t *ret_size)
{
    size_t value = 0;
    bool any = false;
    skip_space(s);
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        any = true;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (size_t)(*s->at - '0'), &value))
            return false;
    }
    *ret_size = value;
    return any;
}

/* (n,) or (n, d) with an optional last comma. */
static bool take_shape(struct scanner *s, struct header *header)
{
    if (!take(s, '('))
        return false;
    while (!take(s, ')')) {
        size_t size = 0;
        if (!take_size(s, &size))
            return false;
        if (header->n_dimensions < 2)
            header->shape[header->n_dimensions] = size;
        header->n_dimensions++;
        if (!take(s, ',')) {
            if (header->n_dimensions < 2 || !take(s, ')')) /* (n) is a number, not a shape */
                return false;
            return true;
        }
    }
    return true;
}

static cot_code take_descr(struct scanner *s, struct header *header, struct cot_err *err)
{
    char descr[32];
    if (!take_string(s, descr, sizeof descr))
        return cot_fail(err, COT_BAD_DATA, "the array's type is not plain: give float32 or float64");
    header->big_endian = descr[0] == '>';
    if ((descr[0] != '<' && descr[0] != '>') || (strcmp(descr + 1, "f4") != 0 && strcmp(descr + 1, "f8") != 0))
        return cot_fail(err, COT_BAD_DATA, "the array's type is '%s': give float32 or float64", descr);
    header->item_size = descr[2] == '4' ? 4 : 8;
    return COT_OK;
}

/* One "key: value"; false where the text is no dictionary. err may already say more. */
static cot_code take_entry(struct scanner *s, struct header *header, struct cot_err *err)
{
    char key[32];
    bool ok = take_string(s, key, sizeof key) && take(s, ':');
    if (ok && strcmp(key, "descr") == 0 && !header->has_descr) {
        header->has_descr = true;
        return take_descr(s, header, err);
    }
    if (ok && strcmp(key, "fortran_order") == 0 && !header->has_order) {
        header->has_order = true;
        header->fortran_order = take_word(s, "True");
        if (header->fortran_order || take_word(s, "False"))
            return COT_OK;
    }
    if (ok && strcmp(key, "shape") == 0 && !header->has_shape) {
        header->has_shape = true;
        if (take_shape(s, header))
            return COT_OK;
    }
    return cot_fail(err, COT_BAD_DATA, "the array's header is damaged");
}

static cot_code parse_header(const char *text, size_t size, struct header *header, struct cot_err *err)
{
    struct scanner s = {.at = text, .end = text + size};
    if (!take(&s, '{'))
        return cot_fail(err, COT_BAD_DATA, "the array's header is damaged");
    while (!take(&s, '}')) {
        cot_code rc = take_entry(&s, header, err);
        if (rc != COT_OK)
            return rc;
        if (!take(&s, ',')) {
            if (!take(&s, '}'))
                return cot_fail(err, COT_BAD_DATA, "the array's header is damaged");
            break;
        }
    }
    skip_space(&s);
    if (s.at != s.end || !header->has_descr || !header->has_order || !header->has_shape)
        return cot_fail(err, COT_BAD_DATA, "the array's header is damaged");
    if (header->n_dimensions != 1 && header->n_dimensions != 2)
        return cot_fail(err, COT_BAD_DATA, "the array has %zu dimensions: give a table of 2", header->n_dimensions);
    return COT_OK;
}

/* ---- numbers ---- */

static double item_at(const unsigned char *item, const struct header *header)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < header->item_size; i++) {
        size_t place = header->big_endian ? header->item_size - 1 - i : i;
        bits |= (uint64_t)item[i] << (8 * place);
    }
    if (header->item_size == 4) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static cot_code take_items(const unsigned char *items, const struct header *header, struct cot_array *array,
                           struct cot_err *err)
{
    for (size_t i = 0; i < array->n; i++)
        for (size_t j = 0; j < array->d; j++) {
            size_t at = header->fortran_order ? j * array->n + i : i * array->d + j;
            double value = item_at(items + at * header->item_size, header);
            if (!isfinite(value) || fabs(value) > (double)FLT_MAX)
                return cot_fail(err, COT_BAD_DATA, "row %zu, column %zu (counted from 0) is %s; remove or replace it",
                                i, j,
                                isnan(value)   ? "NaN"
                                : isinf(value) ? "infinite"
                                               : "too large for 32 bits");
            array->data[i * array->d + j] = (float)value;
        }
    return COT_OK;
}

static cot_code decode_body(const unsigned char *items, size_t size, const struct header *header,
                            struct cot_array *ret_array, struct cot_err *err)
{
    struct cot_array array = {.n = header->shape[0], .d = header->n_dimensions == 2 ? header->shape[1] : 1};
    size_t expected = 0;
    if (array.n == 0 || array.d == 0)
        return cot_fail(err, COT_BAD_DATA, "the array is empty (%zu x %zu)", array.n, array.d);
    if (array.d > COT_ARRAY_MAX_COLUMNS)
        return cot_fail(err, COT_LIMIT, "the array has %zu columns: at most %d", array.d, COT_ARRAY_MAX_COLUMNS);
    if (__builtin_mul_overflow(array.n, array.d, &expected) ||
        __builtin_mul_overflow(expected, header->item_size, &expected) || expected != size)
        return cot_fail(err, COT_BAD_DATA, "the array says %zu x %zu, but %zu bytes of numbers follow: the file is %s",
                        array.n, array.d, size, size < expected ? "cut off" : "damaged");
    array.data = cot_alloc_uninitialised(array.n, array.d, sizeof *array.data);
    if (array.data == NULL)
        return cot_fail(err, COT_NOMEM, "an array of %zu x %zu", array.n, array.d);
    cot_code rc = take_items(items, header, &array, err);
    if (rc != COT_OK) {
        cot_array_release(&array);
        return rc;
    }
    *ret_array = array;
    return COT_OK;
}

cot_code cot_npy_decode(const unsigned char *bytes, size_t size, struct cot_array *ret_array, struct cot_err *err)
{
    struct header header = {0};
    if (size < 10 || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return cot_fail(err, COT_BAD_DATA, "%zu bytes that are no NumPy array", size);
    int version = bytes[6];
    size_t before = version == 1 ? 10 : 12;
    if (version < 1 || version > 3 || bytes[7] != 0)
        return cot_fail(err, COT_BAD_DATA, "NumPy format %d.%d: this program reads 1.0, 2.0 and 3.0", version,
                        bytes[7]);
    if (size < before)
        return cot_fail(err, COT_BAD_DATA, "the array's header is cut off");
    size_t header_size = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1)
        header_size |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (header_size > MAX_HEADER || header_size > size - before)
        return cot_fail(err, COT_BAD_DATA, "the array's header is cut off or damaged (%zu bytes)", header_size);
    cot_code rc = parse_header((const char *)bytes + before, header_size, &header, err);
    if (rc != COT_OK)
        return rc;
    return decode_body(bytes + before + header_size, size - before - header_size, &header, ret_array, err);
}

/* ---- writing ---- */

static const struct {
    const char *descr;
    size_t size;
} types[] = {[COT_NPY_FLOAT32] = {"f4", 4}, [COT_NPY_FLOAT64] = {"f8", 8}, [COT_NPY_INT32] = {"i4", 4}};

cot_code cot_npy_write(const char *path, enum cot_npy_type type, const void *data, size_t n, size_t d,
                       struct cot_err *err)
{
    char shape[64];
    char header[128]; /* the whole head: magic, version, size and dictionary, a multiple of 64 */
    char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    size_t count = n * (d > 0 ? d : 1);
    if (d > 0)
        snprintf(shape, sizeof shape, "(%zu, %zu)", n, d);
    else
        snprintf(shape, sizeof shape, "(%zu,)", n);
    memset(header, ' ', sizeof header);
    memcpy(header, MAGIC, sizeof MAGIC);
    header[6] = 1;
    header[7] = 0;
    header[8] = (char)(sizeof header - 10);
    header[9] = 0;
    int used = snprintf(header + 10, sizeof header - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
                        order, types[type].descr, shape);
    header[10 + used] = ' ';
    header[sizeof header - 1] = '\n';

    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return cot_fail(err, COT_IO, "can't write '%s': %s", path, strerror(errno));
    bool ok = fwrite(header, sizeof header, 1, file) == 1 && fwrite(data, types[type].size, count, file) == count;
    ok = fclose(file) == 0 && ok;
    return ok ? COT_OK : cot_fail(err, COT_IO, "writing '%s' failed: %s", path, strerror(errno));
}
