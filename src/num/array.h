/*
 * A matrix that owns its numbers, and the files it comes from: NumPy's .npy and text, plain or gzip.
 */
#ifndef COT_NUM_ARRAY_H
#define COT_NUM_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

struct cot_array {
    float *data; /* n x d row-major */
    size_t n, d;
};

enum { COT_ARRAY_MAX_COLUMNS = 65536 };
#define COT_ARRAY_MAX_SIZE ((size_t)64 << 30) /* bytes of a file, unpacked */

void cot_array_release(struct cot_array *array);

static inline struct cot_matrix cot_array_view(const struct cot_array *array)
{
    return (struct cot_matrix){.data = array->data, .n = array->n, .d = array->d, .stride = array->d};
}

/*
 * Reads a file whole: gzip where it starts as such, then .npy where it starts as such, else text. COT_IO for a file
 * that can't be read, COT_BAD_DATA for one that can't be understood (with line and field, or row and column, counted
 * from 1 in text and from 0 in arrays), COT_LIMIT. NaN, infinity and numbers beyond float32 are refused.
 */
cot_code cot_array_read(const char *path, struct cot_array *ret_array, struct cot_err *err) COT_MUST_CHECK;

/*
 * NumPy format 1.0 to 3.0: little- or big-endian float32 or float64, C or Fortran order, one or two dimensions (one: a
 * column). The dictionary must hold its three keys and nothing else, the data must be exactly as long as the shape
 * says.
 */
cot_code cot_npy_decode(const unsigned char *bytes, size_t size, struct cot_array *ret_array,
                        struct cot_err *err) COT_MUST_CHECK;

/*
 * Numbers separated by comma, semicolon or white space, decided by the first line. A first line without any number is a
 * header where the separator is not white space. Blank lines and lines that start with '#' are skipped.
 */
cot_code cot_text_decode(const char *text, size_t size, struct cot_array *ret_array,
                         struct cot_err *err) COT_MUST_CHECK;

enum cot_npy_type { COT_NPY_FLOAT32, COT_NPY_FLOAT64, COT_NPY_INT32 };

/* Writes n x d numbers (d = 0: n numbers in one dimension) as .npy 1.0, replacing the file. */
cot_code cot_npy_write(const char *path, enum cot_npy_type type, const void *data, size_t n, size_t d,
                       struct cot_err *err) COT_MUST_CHECK;

#endif
