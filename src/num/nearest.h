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

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "num/tiles.h"

/* Centres beside each other in the packed layout; k is padded to a multiple with centres that are never the best. */
enum { COT_CENTRE_GROUP = 4 };

/* Columns that are summed up before the sum is added to the others: shorter chains round less. */
enum { COT_CHAIN = 128 };

struct cot_centres {
    size_t k, d, n_groups;
    enum cot_isa isa; /* resolved */
    float *packed;    /* n_groups x d x COT_CENTRE_GROUP, 64-byte aligned; column after column within a group */
    float *half_norm; /* n_groups * COT_CENTRE_GROUP: |c|^2 / 2; FLT_MAX for padding */
    uint16_t *bf16;   /* AMX only: operand tiles (nearest_amx.c), else NULL */
    size_t bf16_size; /* elements of bf16 */
    double error_base, error_slope; /* of cot_centres_error */
};

cot_code cot_centres_init(struct cot_centres *ret_centres, size_t k, size_t d, enum cot_isa isa,
                          struct cot_err *err) COT_MUST_CHECK;
void cot_centres_release(struct cot_centres *centres);

/* Packs k x d row-major centres, in the tiles' units. O(k * d). */
void cot_centres_set(struct cot_centres *centres, const float *rows);

/* Largest error of a score of a point no farther than `radius` from the origin, for the kernel that runs. */
static inline double cot_centres_error(const struct cot_centres *centres, double radius)
{
    return centres->error_base + centres->error_slope * radius;
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

#endif
