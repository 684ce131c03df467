/* The kernels behind cot_nearest_run, one file an instruction set. */
#ifndef COT_NUM_NEAREST_KERNELS_H
#define COT_NUM_NEAREST_KERNELS_H

#include "num/nearest.h"

typedef void cot_nearest_kernel(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                                struct cot_nearest *ret_nearest);

cot_nearest_kernel cot_nearest_scalar;
#if defined(__x86_64__)
cot_nearest_kernel cot_nearest_avx2;
cot_nearest_kernel cot_nearest_avx512;
cot_nearest_kernel cot_nearest_amx;

/* One lane of a tile, in float32. */
void cot_nearest_lane_avx512(const struct cot_centres *centres, const float *tile, size_t lane,
                             struct cot_nearest *ret_nearest);
#endif

#endif
