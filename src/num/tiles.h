/*
 * Points as tiles: the layout in which distances vectorise.
 *
 * A tile holds COT_TILE points side by side, column after column (d x COT_TILE float32), so one vector instruction
 * advances the distances of many points to one centre. Points are centred and scaled by a power of two (exact), so that
 * neither a large offset nor a large unit costs precision or overflows a square.
 *
 * Tiles are made when they are looked at, in the nearest cache, from the caller's own rows: turning sixteen rows costs
 * a fraction of the distances to a few centres, a copy of all points costs as much memory again, and single points are
 * a cache line or two in their row and d lines in a tile.
 */
#ifndef COT_NUM_TILES_H
#define COT_NUM_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "coterie/matrix.h"

enum { COT_TILE = 16 };

struct cot_tiles {
    struct cot_matrix x; /* the caller's, which stays while the tiles do */
    float *norm2;        /* n_tiles x COT_TILE: |x|^2 in the tiles' units, rounded to nearest; 0 for padding */
    size_t n, d, n_tiles;
    double square;    /* sum of weight * |x|^2, in float64 */
    double *mean;     /* d: plain means of the columns, in the tiles' units */
    double *centre;   /* d: tile value = (x - centre) * scale; each is a float32 */
    double scale;     /* a power of two */
    float *offset;    /* d: the same in float32, large numbers scaled first: (x * down - offset) * up */
    float down, up;   /* one of them is scale, the other 1 */
    enum cot_isa isa; /* resolved */
    const struct cot_tile_routines *routines; /* for it */
};

/*
 * Centred on the column means of some rows, near those of all. weights (NULL: 1 each) count in `square` alone. n >= 1,
 * d >= 1. Same bytes at any n_threads and with any isa. COT_BAD_DATA names the first row and column (from 0) that is
 * NaN or infinite. One pass over x, two where the data's unit is far from ordinary. O(n * d).
 */
cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, enum cot_isa isa, struct cot_err *err) COT_MUST_CHECK;
/* Of rows that are in some tiles' units already: no centre, no norms. */
cot_code cot_tiles_of_units(struct cot_tiles *ret_tiles, const struct cot_matrix *x, enum cot_isa isa,
                            struct cot_err *err) COT_MUST_CHECK;
void cot_tiles_release(struct cot_tiles *tiles);

/* Bytes that cot_tiles_init allocates for n x d; SIZE_MAX where that overflows. */
size_t cot_tiles_memory(size_t n, size_t d);

/* Tile i_tile, d x COT_TILE floats, aligned to 64 bytes; padding points are 0. */
void cot_tiles_get(const struct cot_tiles *tiles, size_t i_tile, float *ret_tile);

/*
 * Points first + at[0 .. n), in any order, side by side as tiles of their own: ceil(n / COT_TILE) x d x COT_TILE
 * floats, aligned to 64 bytes. What is left in the last tile repeats the last point.
 */
void cot_tiles_gather(const struct cot_tiles *tiles, size_t first, const uint32_t *at, size_t n, float *ret_tiles);

/* Point i, times its weight, goes into the sums of a centre (d numbers) and out of another's, unless that is NULL. */
void cot_tiles_move(const struct cot_tiles *tiles, size_t i, double weight, double *to, double *from);

/* Squared distance in float64 of point i to a centre (d floats). */
double cot_tiles_distance2(const struct cot_tiles *tiles, size_t i, const float *centre);

/* Point i as a row of d floats. */
void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row);

/* A d-row in the data's units to the tiles' units, and back. */
void cot_tiles_inward(const struct cot_tiles *tiles, const float *row, float *ret_row);
void cot_tiles_outward(const struct cot_tiles *tiles, const float *row, float *ret_row);

/* What the kernels see of one tile. */
struct cot_tile_view {
    const float *data;  /* d x COT_TILE */
    const float *norm2; /* COT_TILE */
    float radius;       /* no point of the tile is farther from the origin */
};

/* The radius that COT_TILE squared norms, each rounded to nearest, allow. */
float cot_tile_radius(const float *norm2);

/*
 * Squared distances of a tile's points to m points (m x d row-major), m >= 1; ret_d2 is m x COT_TILE. AVX2 where the
 * processor has it, the same bytes without: a lane is one point, and no sum crosses lanes.
 */
void cot_tile_distances2(const float *tile, size_t d, const float *points, size_t m, float *ret_d2);

#endif
