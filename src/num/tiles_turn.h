/* Sixteen rows become a tile: the part of tiles.c that each instruction set has its own of. */
#ifndef COT_NUM_TILES_TURN_H
#define COT_NUM_TILES_TURN_H

#include "num/tiles.h"

/* rows: COT_TILE rows of the caller's. tile: d x COT_TILE, aligned to 64 bytes, in the tiles' units. */
typedef void cot_tile_turn(const struct cot_tiles *tiles, const float *const *rows, float *tile);

#if defined(__x86_64__)
cot_tile_turn cot_tile_turn_avx2;
cot_tile_turn cot_tile_turn_avx512;
#endif

#endif
