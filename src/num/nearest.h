/*
 * The assignment kernel: best and second best of k centres for tiles of points, without an n x k matrix.
 *
 * A kernel computes, in float32, the score of a point x at a centre c
 *
 *   s(x, c) = |c|^2 / 2 - x . c        (|x - c|^2 = |x|^2 + 2 s)
 *
 * one fused multiply-add an element, in chains of COT_CHAIN columns, and keeps the two smallest. Its error is at most
 * cot_centres_error(): wherever best and second best are farther apart than twice that, the label is certain; elsewhere
 * the caller decides in float64 (ml/assign.h), so that labels do not depend on which kernel ran.
 */
#ifndef COT_NUM_NEAREST_H
#define COT_NUM_NEAREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "num/tiles.h"

/* Centres beside each other in the packed layout; k is padded to a multiple with centres that are never the best. */
enum { COT_CENTRE_GROUP = 4 };

/* Columns that are summed up before the sum is added to the others: shorter chains round less. */
enum { COT_CHAIN = 128 };

/* A score of a point no farther than r from the origin is off by at most base + slope * r. */
struct cot_score_error {
    double base, slope;
};

struct cot_centres {
    size_t k, d, n_groups;
    enum cot_isa isa; /* resolved */
    float *packed;    /* n_groups x d x COT_CENTRE_GROUP, 64-byte aligned; column after column within a group */
    float *half_norm; /* k padded to COT_TILE: |c|^2 / 2; FLT_MAX for padding */
    uint16_t *bf16;   /* AMX only: operand tiles (bf16.h), else NULL */
    float *wide;      /* AMX only: 16 centres beside each other, column after column, for cot_nearest_refine */
    struct cot_score_error error, refined_error;
};

cot_code cot_centres_init(struct cot_centres *ret_centres, size_t k, size_t d, enum cot_isa isa,
                          struct cot_err *err) COT_MUST_CHECK;
void cot_centres_release(struct cot_centres *centres);

/* Room for what AMX wants beside the rest; false when there is none. For cot_centres_init and tests. */
bool cot_centres_add_bf16(struct cot_centres *centres);

/* Packs k x d row-major centres, in the tiles' units. O(k * d). */
void cot_centres_set(struct cot_centres *centres, const float *rows);

/* Largest error of a score of a point no farther than `radius` from the origin, for the kernel that runs. */
static inline double cot_centres_error(const struct cot_centres *centres, double radius)
{
    return centres->error.base + centres->error.slope * radius;
}

/* Outputs of one tile. second is FLT_MAX where k = 1. index of padding points is meaningless. */
struct cot_nearest {
    float best[COT_TILE];
    float second[COT_TILE];
    uint32_t index[COT_TILE];
};

/* The tiles need not be neighbours in memory. O(n_tiles * COT_TILE * k * d). */
void cot_nearest_run(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                     struct cot_nearest *ret_nearest);

/*
 * Where the kernel that runs is less exact than float32 (centres->wide is there): the scores of some lanes of a tile
 * once more, now off by at most centres->refined_error. Other lanes of ret_nearest stay as they are.
 */
void cot_nearest_refine(const struct cot_centres *centres, const float *tile, uint32_t lanes,
                        struct cot_nearest *ret_nearest);

#endif
