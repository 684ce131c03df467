/*
 * Points as tiles: the layout in which distances vectorise.
 *
 * A tile holds COT_TILE points side by side, column after column (d x COT_TILE float32), so one vector instruction
 * advances the distances of many points to one centre. Points are centred and scaled by a power of two (exact), so that
 * neither a large offset nor a large unit costs precision or overflows a square. Kernels use AVX2 where the processor
 * has it and give the same bytes without: a lane is one point, and no sum crosses lanes.
 */
#ifndef COT_NUM_TILES_H
#define COT_NUM_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

enum { COT_TILE = 16 };

struct cot_tiles {
    float *data; /* n_tiles x d x COT_TILE, 64-byte aligned; padding points are 0 */
    size_t n, d, n_tiles;
    double *centre; /* d: tile value = (x - centre) * scale */
    double scale;
};

/* Centred on the (weighted, NULL: plain) column means. x is finite, n >= 1. Same bytes at any n_threads. */
cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, struct cot_err *err) COT_MUST_CHECK;
void cot_tiles_release(struct cot_tiles *tiles);

static inline const float *cot_tile(const struct cot_tiles *tiles, size_t i_tile)
{
    return tiles->data + i_tile * tiles->d * COT_TILE;
}

/* Point i as a row of d floats. */
void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row);

/* A d-row in the data's units to the tiles' units, and back. */
void cot_tiles_inward(const struct cot_tiles *tiles, const float *row, float *ret_row);
void cot_tiles_outward(const struct cot_tiles *tiles, const float *row, float *ret_row);

/* Squared distances of a tile's points to one point (d floats). */
void cot_tile_distances2(const float *tile, size_t d, const float *point, float ret_d2[COT_TILE]);

/* The nearest of k centres (k x d row-major, k >= 1) for each point of a tile; the lower index on a tie. */
void cot_tile_nearest(const float *tile, size_t d, const float *centres, size_t k, float ret_d2[COT_TILE],
                      uint32_t ret_index[COT_TILE]);

#endif
