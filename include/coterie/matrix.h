/*
 * Views of row-major matrices. A view does not own its data and is passed by pointer to const.
 * Example: examples/matrix.c.
 */
#ifndef COTERIE_MATRIX_H
#define COTERIE_MATRIX_H

#include <stddef.h>

struct cot_matrix {
    const float *data; /* n x d, row-major; row i starts at data + i * stride */
    size_t n;
    size_t d;
    size_t stride; /* floats from one row to the next, >= d */
};

static inline const float *cot_matrix_row(const struct cot_matrix *x, size_t i)
{
    return x->data + i * x->stride;
}

#endif
