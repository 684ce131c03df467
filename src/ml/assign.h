/*
 * Exact assignment: the nearest of k centres for each point, whichever kernel ran.
 *
 * A kernel's float32 (or bfloat16) scores decide wherever best and second best are farther apart than twice the error
 * bound; the few points that remain are decided by float64 distances to all centres. So the label is everywhere the one
 * of float64 arithmetic, the lower index on a tie, and the same bytes come out of every kernel.
 */
#ifndef COT_ML_ASSIGN_H
#define COT_ML_ASSIGN_H

#include "num/lanes.h"
#include "num/nearest.h"

/* The centres of one moment, shared by threads while nobody sets them. */
struct cot_assign {
    struct cot_centres centres;
    const struct cot_lanes *lanes;
    const float *rows; /* k x d, in the tiles' units, of the caller */
};

cot_code cot_assign_init(struct cot_assign *ret_assign, size_t k, size_t d, enum cot_isa isa,
                         struct cot_err *err) COT_MUST_CHECK;
void cot_assign_release(struct cot_assign *assign);
void cot_assign_set(struct cot_assign *assign, const float *rows);

/*
 * Padding points are decided like any other. ret_nearest: index is final; best and second are no longer scores but
 * distances: best at least the true distance to the nearest centre, second at most the true distance to the second
 * nearest (infinite where k = 1).
 */
void cot_assign_run(const struct cot_assign *assign, const struct cot_tile_view *tiles, size_t n_tiles,
                    struct cot_nearest *ret_nearest);

/* Squared distance in float64 of point `lane` of a tile to one centre (d floats). */
double cot_lane_distance2(const float *tile, size_t lane, size_t d, const float *centre);

#endif
