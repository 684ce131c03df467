/*
 * The model of a segmentation as a file: what is needed to say to which segment a customer belongs, and why.
 *
 * DATA/models/segment-<run>-<checksum>.cotm is immutable. DATA/models/segment-current names the newest; it is swapped
 * by a rename, so that readers see the old or the new one and never half of one. Format: magic "COTM", version, size of
 * the content, content (little-endian), XXH3-64 of all before.
 */
#ifndef COT_ENGINE_SEGMENT_MODEL_H
#define COT_ENGINE_SEGMENT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/discriminant.h"
#include "coterie/err.h"
#include "engine/segment_extreme.h"
#include "engine/segment_space.h"

enum { COT_MODEL_NAME_SIZE = 96 };

struct cot_segment_model {
    char *metadata; /* JSON: run, as_of, span of the data, purposes, features, seed */
    struct cot_space *space;
    struct cot_extreme_limits limits;
    size_t d, q, k;     /* k: the extremes' included */
    double *mean;       /* [d] */
    double *axes;       /* d x q */
    float *centroids;   /* k x q */
    int32_t *ids;       /* [k] segment ids */
    int32_t extreme_id; /* 0: none */
};

void cot_segment_model_free(struct cot_segment_model *model);

/* Writes the file (temporary name, fsync, rename) and returns its path below the data directory. Nothing points to it
 * yet. */
cot_code cot_segment_model_write(const char *data_dir, int64_t run_id, const struct cot_segment_model *model,
                                 char ret_name[COT_MODEL_NAME_SIZE], struct cot_err *err) COT_MUST_CHECK;

/* Makes it the current one. */
cot_code cot_segment_model_publish(const char *data_dir, const char *name, struct cot_err *err) COT_MUST_CHECK;

/* Reads a model by its path below the data directory ("models/..."). COT_BAD_DATA for anything damaged. */
cot_code cot_segment_model_read(const char *data_dir, const char *name, struct cot_segment_model **ret_model,
                                struct cot_err *err) COT_MUST_CHECK;

/* y [q] of one customer's standardised row [d]. */
void cot_segment_model_project(const struct cot_segment_model *model, const float *z, double *ret_y);

/* Index of the nearest centre among the learned segments (the extremes' is no place to be near to). */
size_t cot_segment_model_nearest(const struct cot_segment_model *model, const double *y, double *ret_distance);

cot_code cot_segment_model_decode(const unsigned char *bytes, size_t size, struct cot_segment_model **ret_model,
                                  struct cot_err *err) COT_MUST_CHECK;

#endif
