#include "engine/segment_model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/segment_bytes.h"

enum { VERSION = 1, MAX_FILE = 64 << 20, MAX_DIMENSION = 65536, MAX_SEGMENTS = 4096, HEAD = 16, TAIL = 8 };
static const char magic[4] = "COTM";
static const char *const pointer_name = "segment-current";

void cot_segment_model_free(struct cot_segment_model *model)
{
    if (model == NULL)
        return;
    free(model->metadata);
    cot_space_free(model->space);
    free(model->mean);
    free(model->axes);
    free(model->centroids);
    free(model->ids);
    free(model);
}

static void write_limits(struct cot_byte_writer *writer, const struct cot_extreme_limits *limits)
{
    cot_write_u32(writer, (uint32_t)limits->n);
    for (size_t i = 0; i < limits->n; i++) {
        cot_write_text(writer, limits->measures[i].name, strlen(limits->measures[i].name));
        cot_write_double(writer, limits->measures[i].median);
        cot_write_double(writer, limits->measures[i].scale);
    }
}

static cot_code encode_content(const struct cot_segment_model *model, struct cot_buf *content, struct cot_err *err)
{
    struct cot_buf space = {.max_size = MAX_FILE};
    struct cot_byte_writer writer = {.buf = content, .err = err};
    cot_code rc = cot_space_encode(model->space, &space, err);
    if (rc != COT_OK) {
        cot_buf_release(&space);
        return rc;
    }
    cot_write_text(&writer, model->metadata, strlen(model->metadata));
    cot_write_text(&writer, space.data, space.size);
    write_limits(&writer, &model->limits);
    cot_write_u32(&writer, (uint32_t)model->d);
    cot_write_u32(&writer, (uint32_t)model->q);
    cot_write_u32(&writer, (uint32_t)model->k);
    cot_write_u32(&writer, (uint32_t)model->extreme_id);
    for (size_t j = 0; j < model->d; j++)
        cot_write_double(&writer, model->mean[j]);
    for (size_t e = 0; e < model->d * model->q; e++)
        cot_write_double(&writer, model->axes[e]);
    for (size_t e = 0; e < model->k * model->q; e++)
        cot_write_float(&writer, model->centroids[e]);
    for (size_t a = 0; a < model->k; a++)
        cot_write_u32(&writer, (uint32_t)model->ids[a]);
    cot_buf_release(&space);
    return writer.rc;
}

static cot_code encode(const struct cot_segment_model *model, struct cot_buf *bytes, struct cot_err *err)
{
    struct cot_buf content = {.max_size = MAX_FILE};
    struct cot_byte_writer writer = {.buf = bytes, .err = err};
    cot_code rc = encode_content(model, &content, err);
    if (rc == COT_OK)
        rc = cot_buf_append(bytes, magic, sizeof magic, err);
    if (rc == COT_OK) {
        cot_write_u32(&writer, VERSION);
        cot_write_u64(&writer, content.size);
        rc = writer.rc;
    }
    if (rc == COT_OK)
        rc = cot_buf_append(bytes, content.data, content.size, err);
    if (rc == COT_OK) {
        cot_write_u64(&writer, cot_hash128_bytes(bytes->data, bytes->size).low);
        rc = writer.rc;
    }
    cot_buf_release(&content);
    return rc;
}

static bool read_limits(struct cot_byte_reader *reader, struct cot_extreme_limits *limits)
{
    limits->n = cot_read_u32(reader);
    if (reader->failed || limits->n > COT_EXTREME_MAX_MEASURES)
        return false;
    for (size_t i = 0; i < limits->n; i++) {
        struct cot_extreme_measure *measure = &limits->measures[i];
        char *name = cot_read_text(reader, sizeof measure->name - 1);
        if (name == NULL)
            return false;
        snprintf(measure->name, sizeof measure->name, "%s", name);
        free(name);
        measure->median = cot_read_double(reader);
        measure->scale = cot_read_double(reader);
        if (!isfinite(measure->median) || !(measure->scale > 0))
            return false;
    }
    return !reader->failed;
}

/* The numbers after the space; false where they are cut off, not finite or not as many as the space has columns. */
static bool read_numbers(struct cot_byte_reader *reader, struct cot_segment_model *model)
{
    bool good = true;
    model->d = cot_read_u32(reader);
    model->q = cot_read_u32(reader);
    model->k = cot_read_u32(reader);
    model->extreme_id = (int32_t)cot_read_u32(reader);
    if (reader->failed || model->d != model->space->d || model->q == 0 || model->q > model->d || model->k == 0 ||
        model->k > MAX_SEGMENTS || model->d > MAX_DIMENSION)
        return false;
    size_t wanted = 8 * (model->d + model->d * model->q) + 4 * (model->k * model->q + model->k);
    if (reader->size - reader->at != wanted)
        return false;
    model->mean = calloc(model->d, sizeof *model->mean);
    model->axes = calloc(model->d * model->q, sizeof *model->axes);
    model->centroids = calloc(model->k * model->q, sizeof *model->centroids);
    model->ids = calloc(model->k, sizeof *model->ids);
    if (model->mean == NULL || model->axes == NULL || model->centroids == NULL || model->ids == NULL)
        return false;
    for (size_t j = 0; j < model->d; j++)
        good = isfinite(model->mean[j] = cot_read_double(reader)) && good;
    for (size_t e = 0; e < model->d * model->q; e++)
        good = isfinite(model->axes[e] = cot_read_double(reader)) && good;
    for (size_t e = 0; e < model->k * model->q; e++)
        good = isfinite(model->centroids[e] = cot_read_float(reader)) && good;
    for (size_t a = 0; a < model->k; a++)
        good = (model->ids[a] = (int32_t)cot_read_u32(reader)) > 0 && good;
    return good && !reader->failed;
}

static bool check_frame(const unsigned char *bytes, size_t size)
{
    struct cot_byte_reader reader = {.bytes = bytes, .size = size, .at = sizeof magic};
    if (size < HEAD + TAIL || memcmp(bytes, magic, sizeof magic) != 0 || cot_read_u32(&reader) != VERSION ||
        cot_read_u64(&reader) != size - HEAD - TAIL)
        return false;
    reader.at = size - TAIL;
    return cot_read_u64(&reader) == cot_hash128_bytes(bytes, size - TAIL).low;
}

cot_code cot_segment_model_decode(const unsigned char *bytes, size_t size, struct cot_segment_model **ret_model,
                                  struct cot_err *err)
{
    struct cot_segment_model *model = NULL;
    cot_code rc = COT_OK;
    if (!check_frame(bytes, size))
        return cot_fail(err, COT_BAD_DATA, "not a model of segments, of another version, or damaged (%zu bytes)", size);
    model = calloc(1, sizeof *model);
    if (model == NULL)
        return cot_fail(err, COT_NOMEM, "model of segments");
    struct cot_byte_reader reader = {.bytes = bytes, .size = size - TAIL, .at = HEAD};
    model->metadata = cot_read_text(&reader, MAX_FILE);
    size_t space_size = cot_read_u32(&reader);
    const unsigned char *space = cot_read_bytes(&reader, space_size);
    if (model->metadata == NULL || space == NULL) {
        rc = cot_fail(err, COT_BAD_DATA, "a model of segments that is cut off");
        goto out;
    }
    rc = cot_space_decode(space, space_size, &model->space, err);
    if (rc == COT_OK && (!read_limits(&reader, &model->limits) || !read_numbers(&reader, model)))
        rc = cot_fail(err, COT_BAD_DATA, "a model of segments with impossible numbers");
    if (rc != COT_OK)
        goto out;
    *ret_model = model;
    model = NULL;
out:
    cot_segment_model_free(model);
    return rc;
}

/* The directory's entry itself must reach the disk too. */
static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* some file systems can't: the rename is ordered there all the same */
        close(fd);
    }
}

/* Writes dir/name as a whole or not at all. */
static cot_code replace_file(const char *dir, const char *name, const void *data, size_t size, struct cot_err *err)
{
    char path[4200], temporary[4232];
    const char *at = data;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return cot_fail(err, COT_IO, "%s: %s", temporary, strerror(errno));
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
        size -= (size_t)n;
    }
    bool good = size == 0 && fsync(fd) == 0;
    int saved = errno;
    good = close(fd) == 0 && good;
    if (good && rename(temporary, path) == 0) {
        sync_directory(dir);
        return COT_OK;
    }
    saved = good ? errno : saved;
    unlink(temporary);
    return cot_fail(err, COT_IO, "writing %s: %s", path, strerror(saved));
}

cot_code cot_segment_model_write(const char *data_dir, int64_t run_id, const struct cot_segment_model *model,
                                 char ret_name[COT_MODEL_NAME_SIZE], struct cot_err *err)
{
    struct cot_buf bytes = {.max_size = MAX_FILE};
    char dir[4096], file[COT_MODEL_NAME_SIZE - 8];
    cot_code rc = encode(model, &bytes, err);
    if (rc != COT_OK)
        goto out;
    snprintf(dir, sizeof dir, "%s/models", data_dir);
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        rc = cot_fail(err, COT_IO, "%s: %s", dir, strerror(errno));
        goto out;
    }
    snprintf(file, sizeof file, "segment-%06lld-%016llx.cotm", (long long)run_id,
             (unsigned long long)cot_hash128_bytes(bytes.data, bytes.size).high);
    rc = replace_file(dir, file, bytes.data, bytes.size, err);
    if (rc == COT_OK)
        snprintf(ret_name, COT_MODEL_NAME_SIZE, "models/%s", file);
out:
    cot_buf_release(&bytes);
    return rc;
}

cot_code cot_segment_model_publish(const char *data_dir, const char *name, struct cot_err *err)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/models", data_dir);
    return replace_file(dir, pointer_name, name, strlen(name), err);
}

cot_code cot_segment_model_read(const char *data_dir, const char *name, struct cot_segment_model **ret_model,
                                struct cot_err *err)
{
    char path[4200];
    struct cot_buf bytes = {.max_size = MAX_FILE};
    char block[65536];
    size_t n = 0;
    cot_code rc = COT_OK;
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return cot_fail(err, errno == ENOENT ? COT_NOT_FOUND : COT_IO, "%s: %s; 'coterie segment' makes a new model",
                        path, strerror(errno));
    while (rc == COT_OK && (n = fread(block, 1, sizeof block, file)) > 0)
        rc = cot_buf_append(&bytes, block, n, err);
    if (rc == COT_OK && ferror(file))
        rc = cot_fail(err, COT_IO, "reading %s failed", path);
    fclose(file);
    if (rc == COT_OK)
        rc = cot_segment_model_decode((const unsigned char *)cot_buf_text(&bytes), bytes.size, ret_model, err);
    if (rc != COT_OK)
        rc = cot_err_prefix(err, rc, "%s", path);
    cot_buf_release(&bytes);
    return rc;
}

void cot_segment_model_project(const struct cot_segment_model *model, const float *z, double *ret_y)
{
    memset(ret_y, 0, model->q * sizeof *ret_y);
    for (size_t j = 0; j < model->d; j++)
        for (size_t a = 0; a < model->q; a++)
            ret_y[a] += ((double)z[j] - model->mean[j]) * model->axes[j * model->q + a];
}

size_t cot_segment_model_nearest(const struct cot_segment_model *model, const double *y, double *ret_distance)
{
    size_t nearest = 0;
    double best = INFINITY;
    for (size_t s = 0; s < model->k; s++) {
        double sum = 0;
        for (size_t a = 0; a < model->q; a++) {
            double gap = y[a] - (double)model->centroids[s * model->q + a];
            sum += gap * gap;
        }
        if (model->ids[s] != model->extreme_id && sum < best) {
            best = sum;
            nearest = s;
        }
    }
    if (ret_distance != NULL)
        *ret_distance = sqrt(best);
    return nearest;
}
