/*
 * Points as tiles: the layout in which distances vectorise.
 *
 * A tile holds COT_TILE points side by side, column after column (d x COT_TILE float32), so one vector instruction
 * advances the distances of many points to one centre. Points are centred and scaled by a power of two (exact), so that
 * neither a large offset nor a large unit costs precision or overflows a square.
 */
#ifndef COT_NUM_TILES_H
#define COT_NUM_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

enum { COT_TILE = 16 };

struct cot_tiles {
    float *data;   /* n_tiles x d x COT_TILE, 64-byte aligned; padding points are 0 */
    float *norm2;  /* n_tiles x COT_TILE: |x|^2 in the tiles' units, rounded to nearest; 0 for padding */
    float *radius; /* n_tiles: no point of the tile is farther from the origin */
    size_t n, d, n_tiles;
    double square;  /* sum of weight * |x|^2, in float64 */
    double *centre; /* d: tile value = (x - centre) * scale; each is a float32 */
    double scale;
};

/*
 * Centred on the (weighted, NULL: plain) column means. n >= 1, d >= 1. Same bytes at any n_threads. COT_BAD_DATA names
 * the first row and column (from 0) that is NaN or infinite. Two passes over x. O(n * d).
 */
cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, struct cot_err *err) COT_MUST_CHECK;
void cot_tiles_release(struct cot_tiles *tiles);

/* Bytes that cot_tiles_init allocates for n x d; SIZE_MAX where that overflows. */
size_t cot_tiles_memory(size_t n, size_t d);

static inline const float *cot_tile(const struct cot_tiles *tiles, size_t i_tile)
{
    return tiles->data + i_tile * tiles->d * COT_TILE;
}

/* What the kernels see of one tile, of the matrix or of points gathered from it. */
struct cot_tile_view {
    const float *data;  /* d x COT_TILE */
    const float *norm2; /* COT_TILE */
    float radius;
};

static inline struct cot_tile_view cot_tile_view_of(const struct cot_tiles *tiles, size_t i_tile)
{
    return (struct cot_tile_view){cot_tile(tiles, i_tile), tiles->norm2 + i_tile * COT_TILE, tiles->radius[i_tile]};
}

/* The radius that COT_TILE squared norms, each rounded to nearest, allow. */
float cot_tile_radius(const float *norm2);

/* Point i as a row of d floats. */
void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row);

/* A d-row in the data's units to the tiles' units, and back. */
void cot_tiles_inward(const struct cot_tiles *tiles, const float *row, float *ret_row);
void cot_tiles_outward(const struct cot_tiles *tiles, const float *row, float *ret_row);

/*
 * Squared distances of a tile's points to m points (m x d row-major), m >= 1; ret_d2 is m x COT_TILE. AVX2 where the
 * processor has it, the same bytes without: a lane is one point, and no sum crosses lanes.
 */
void cot_tile_distances2(const float *tile, size_t d, const float *points, size_t m, float *ret_d2);

#endif
