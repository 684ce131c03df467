/*
 * What the 16 lanes of a tile need beside the assignment kernel: which are still certain of their centre, and bounds of
 * distances from scores. AVX2 where the processor has it, the same bytes without.
 */
#ifndef COT_NUM_LANES_H
#define COT_NUM_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "num/nearest.h"

/* ret_open[t], a bit a lane: not slack > loss[label]. slack and labels are n_tiles x COT_TILE. */
void cot_lanes_open(const float *slack, const uint32_t *labels, const float *loss, size_t n_tiles, uint16_t *ret_open);

/*
 * Scores become bounds of distances: best at least the true distance to the nearest centre, second at most the one to
 * the second nearest. Returns a bit for each lane whose label the scores, off by at most `error`, do not decide.
 */
uint32_t cot_lanes_bound(struct cot_nearest *nearest, const float *norm2, float error);

/*
 * Takes over what was found of a whole tile: slack becomes how much nearer the nearest centre is than the second, plus
 * the loss of the nearest one (so that later only what is lost from now on counts), never above the true number.
 * Returns a bit for each lane whose label is another now; labels stay as they are.
 */
uint32_t cot_lanes_take(const struct cot_nearest *nearest, const float *loss, const uint32_t *labels, float *slack);

/* The same of one lane: its slack. */
float cot_lane_slack(const struct cot_nearest *nearest, size_t lane, const float *loss);

/* A point (lane: its first column in a tile), times its weight, goes into the sums of a centre (d numbers) and out of
 * another's, unless that is NULL.
 */
void cot_lane_move(const float *lane, size_t d, double weight, double *to, double *from);

#endif
