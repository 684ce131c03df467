/* A space as bytes, and back (see segment_space.h). The frame around it, with version and checksum, is the model's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment_bytes.h"
#include "engine/segment_space.h"

enum { MAX_NAME = 4096 };

cot_code cot_space_encode(const struct cot_space *space, struct cot_buf *buf, struct cot_err *err)
{
    struct cot_byte_writer writer = {.buf = buf, .err = err};
    unsigned char *transform = NULL;
    size_t size = 0;
    cot_code rc = cot_transform_encode(space->transform, &transform, &size, err);
    if (rc != COT_OK)
        return rc;
    cot_write_u32(&writer, (uint32_t)space->n_columns);
    for (size_t j = 0; j < space->n_columns; j++) {
        const struct cot_space_column *column = &space->columns[j];
        cot_write_text(&writer, column->name, strlen(column->name));
        cot_write_double(&writer, column->coverage);
        cot_write_double(&writer, column->prior);
        cot_write_u32(&writer, (uint32_t)column->n_categories);
        for (size_t c = 0; c < column->n_categories; c++)
            cot_write_text(&writer, column->category_names[c], strlen(column->category_names[c]));
    }
    cot_write_text(&writer, (const char *)transform, size);
    free(transform);
    return writer.rc;
}

static cot_code read_column(struct cot_byte_reader *reader, struct cot_space_column *column, struct cot_err *err)
{
    column->name = cot_read_text(reader, MAX_NAME);
    column->i_matrix = SIZE_MAX;
    column->coverage = cot_read_double(reader);
    column->prior = cot_read_double(reader);
    size_t n = cot_read_u32(reader);
    if (reader->failed || n > COT_TRANSFORM_MAX_CATEGORIES || !(column->coverage >= 0 && column->coverage <= 1) ||
        isinf(column->prior))
        return cot_fail(err, COT_BAD_DATA, "the columns of the model are damaged");
    column->category_names = calloc(n + 1, sizeof *column->category_names);
    if (column->category_names == NULL)
        return cot_fail(err, COT_NOMEM, "model");
    column->n_categories = n;
    for (size_t c = 0; c < n; c++) {
        column->category_names[c] = cot_read_text(reader, MAX_NAME);
        if (column->category_names[c] == NULL)
            return cot_fail(err, COT_BAD_DATA, "the categories of column '%s' of the model are damaged", column->name);
    }
    return COT_OK;
}

cot_code cot_space_decode(const unsigned char *bytes, size_t size, struct cot_space **ret_space, struct cot_err *err)
{
    struct cot_byte_reader reader = {.bytes = bytes, .size = size};
    struct cot_space *space = calloc(1, sizeof *space);
    size_t n = cot_read_u32(&reader);
    cot_code rc = COT_OK;
    if (space == NULL)
        return cot_fail(err, COT_NOMEM, "model");
    if (reader.failed || n == 0 || n > COT_TRANSFORM_MAX_COLUMNS) {
        rc = cot_fail(err, COT_BAD_DATA, "the columns of the model are damaged");
        goto out;
    }
    space->columns = calloc(n, sizeof *space->columns);
    if (space->columns == NULL) {
        rc = cot_fail(err, COT_NOMEM, "model");
        goto out;
    }
    for (size_t j = 0; rc == COT_OK && j < n; j++) {
        space->n_columns = j + 1;
        rc = read_column(&reader, &space->columns[j], err);
    }
    size_t transform_size = cot_read_u32(&reader);
    const unsigned char *transform = cot_read_bytes(&reader, transform_size);
    if (rc == COT_OK && (transform == NULL || reader.at != size))
        rc = cot_fail(err, COT_BAD_DATA, "the model's transform is cut off");
    if (rc == COT_OK)
        rc = cot_transform_decode(transform, transform_size, &space->transform, err);
    if (rc == COT_OK && cot_transform_d_in(space->transform) != n)
        rc = cot_fail(err, COT_BAD_DATA, "the model has %zu columns, its transform %zu", n,
                      cot_transform_d_in(space->transform));
    if (rc == COT_OK)
        rc = cot_space_finish(space, err);
    if (rc != COT_OK)
        goto out;
    *ret_space = space;
    space = NULL;
out:
    cot_space_free(space);
    return rc;
}
