/* What is done with the rows of tiles, compiled for several instruction sets; the same bytes from all. */
#ifndef COT_NUM_TILES_ROWS_H
#define COT_NUM_TILES_ROWS_H

#include "num/tiles_turn.h"

/* A pass over all rows, a block after another; each block has its own part of the arrays. */
struct cot_tile_pass {
    const struct cot_matrix *x;
    const float *weights;
    struct cot_tiles *tiles;
    double *sums;    /* a block: d sums, without weights; finite where all of its values are */
    float *low;      /* a block: d smallest values */
    float *high;     /* a block: d largest values */
    double *squares; /* a block: sum of weight * |x|^2 */
};

struct cot_tile_routines {
    void (*survey)(const struct cot_tile_pass *pass, size_t begin, size_t end,
                   size_t i_block); /* all of it, and norm2 */
    void (*norms)(const struct cot_tile_pass *pass, size_t begin, size_t end,
                  size_t i_block); /* squares and norm2 alone */
    void (*move)(const struct cot_tiles *tiles, size_t i, double weight, double *to, double *from);
    double (*distance2)(const struct cot_tiles *tiles, size_t i, const float *centre);
    cot_tile_turn *turn;
};

/* For a resolved instruction set. */
const struct cot_tile_routines *cot_tile_routines_for(enum cot_isa isa);

/* A value of column j in the tiles' units. */
static inline float cot_tile_inward(const struct cot_tiles *tiles, float value, size_t j)
{
    return (value * tiles->down - tiles->offset[j]) * tiles->up;
}

#endif
