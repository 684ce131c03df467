/*
 * What the 16 lanes of a tile need beside the assignment kernel: which are still certain of their centre, and bounds of
 * distances from scores. The same bytes with every instruction set.
 */
#ifndef COT_NUM_LANES_H
#define COT_NUM_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "num/nearest.h"

/* Centres whose losses AVX-512 keeps in registers: tables of losses have at least so many entries. */
enum { COT_LANES_TABLE = 32 };

struct cot_lanes {
    /*
     * Which of n points are not slack > loss[label]: base plus their number, ascending. loss has k numbers and room for
     * COT_LANES_TABLE, ret_open room for n + COT_TILE. Returns how many they are.
     */
    size_t (*open)(const float *slack, const uint32_t *labels, const float *loss, size_t k, size_t n, uint32_t base,
                   uint32_t *ret_open);
    /*
     * Scores become bounds of distances: best at least the true distance to the nearest centre, second at most the one
     * to the second nearest. Returns a bit for each lane whose label the scores, off by at most `error`, do not decide.
     */
    uint32_t (*bound)(struct cot_nearest *nearest, const float *norm2, float error);
    /*
     * Takes over what was found: slack becomes how much nearer the nearest centre is than the second, plus the loss of
     * the nearest one (so that later only what is lost from now on counts), never above the true number. Returns a bit
     * for each lane whose label is another now; labels stay as they are.
     */
    uint32_t (*take)(const struct cot_nearest *nearest, const float *loss, size_t k, const uint32_t *labels,
                     float *ret_slack);
};

/* For the kernels of a resolved instruction set. */
const struct cot_lanes *cot_lanes_for(enum cot_isa isa);

extern const struct cot_lanes cot_lanes_scalar;
#if defined(__x86_64__)
extern const struct cot_lanes cot_lanes_avx2;
extern const struct cot_lanes cot_lanes_avx512;
#endif

#endif
