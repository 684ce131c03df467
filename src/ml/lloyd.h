/* Lloyd's steps on tiles: the inner loop of coterie/kmeans.h. */
#ifndef COT_ML_LLOYD_H
#define COT_ML_LLOYD_H

#include "num/tiles.h"

struct cot_lloyd {
    const struct cot_tiles *tiles;
    const float *weights; /* n_tiles * COT_TILE, 0 for padding */
    size_t k;
    unsigned n_threads;
    float *centres;   /* k x d, in the tiles' units: the state */
    uint32_t *labels; /* n_tiles * COT_TILE, nearest centre of each point */
    float *d2;        /* n_tiles * COT_TILE, squared distance to it */
    double *mass;     /* k, weight of each centre's points */
    double *sums;     /* k x d, weighted sums of each centre's points */
    size_t *count;    /* k, points of positive weight */
    double inertia;   /* in the tiles' units */
    size_t n_changed; /* labels that the last assignment changed */
    /* a slot a block */
    size_t block, n_blocks;
    double *block_sums;
    double *block_mass;
    size_t *block_count;
    double *block_inertia;
    size_t *block_changed;
};

cot_code cot_lloyd_init(struct cot_lloyd *ret_lloyd, const struct cot_tiles *tiles, const float *weights, size_t k,
                        unsigned n_threads, struct cot_err *err) COT_MUST_CHECK;
void cot_lloyd_release(struct cot_lloyd *lloyd);

/* From lloyd->centres until labels stay, or the centres move by <= tol in sum of squares, or max_iter. Steps made. */
unsigned cot_lloyd_run(struct cot_lloyd *lloyd, unsigned max_iter, double tol);

#endif
