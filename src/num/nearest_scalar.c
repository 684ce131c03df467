/* The reference: what the vector kernels must agree with, within cot_centres_error(). */
#include <float.h>

#include "num/nearest_kernels.h"

static float score(const float *point, const float *centre, size_t d, float half_norm)
{
    float total = 0;
    float chain = half_norm;
    for (size_t j = 0; j < d; j++) {
        if (j > 0 && j % COT_CHAIN == 0) {
            total += chain;
            chain = 0;
        }
        chain -= point[j * COT_TILE] * centre[j * COT_CENTRE_GROUP];
    }
    return total + chain;
}

void cot_nearest_scalar(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                        struct cot_nearest *ret_nearest)
{
    for (size_t t = 0; t < n_tiles; t++)
        for (size_t lane = 0; lane < COT_TILE; lane++) {
            float best = FLT_MAX;
            float second = FLT_MAX;
            uint32_t index = 0;
            for (size_t c = 0; c < centres->k; c++) {
                const float *group = centres->packed + c / COT_CENTRE_GROUP * centres->d * COT_CENTRE_GROUP;
                float s = score(tiles[t].data + lane, group + c % COT_CENTRE_GROUP, centres->d, centres->half_norm[c]);
                if (s < best) {
                    second = best;
                    best = s;
                    index = (uint32_t)c;
                } else if (s < second) {
                    second = s;
                }
            }
            ret_nearest[t].best[lane] = best;
            ret_nearest[t].second[lane] = second;
            ret_nearest[t].index[lane] = index;
        }
}
