/* Lanes and turned rows of an instruction set against the scalar ones: byte for byte. */
#ifndef COT_TESTS_LANES_CHECK_H
#define COT_TESTS_LANES_CHECK_H

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "num/lanes.h"
#include "num/tiles_turn.h"

enum { LANES_CHECK_N = 77, LANES_CHECK_K = 100 };

static inline float lanes_check_value(struct cot_rng *rng)
{
    static const float hard[] = {0, -0.0F, INFINITY, -INFINITY, NAN, FLT_MAX, FLT_MIN, 1e-42F, -1};
    size_t i = (size_t)cot_rng_below(rng, 40);
    return i < sizeof hard / sizeof *hard ? hard[i] : (float)cot_rng_normal(rng);
}

/* NULL, or what differs. k <= LANES_CHECK_K, n <= LANES_CHECK_N. */
static inline const char *lanes_check(const struct cot_lanes *lanes, size_t n, size_t k, uint64_t seed)
{
    struct cot_rng rng;
    float loss[LANES_CHECK_K + COT_LANES_TABLE] = {0};
    float slack[LANES_CHECK_N + COT_TILE];
    uint32_t labels[LANES_CHECK_N + COT_TILE];
    uint32_t open[2][LANES_CHECK_N + COT_TILE] = {{0}};
    struct cot_nearest nearest[2] = {{{0}, {0}, {0}}};
    float norm2[COT_TILE];
    float left[2][COT_TILE];
    cot_rng_init(&rng, seed);
    for (size_t c = 0; c < k; c++)
        loss[c] = fabsf(lanes_check_value(&rng));
    for (size_t i = 0; i < LANES_CHECK_N + COT_TILE; i++) {
        slack[i] = lanes_check_value(&rng);
        labels[i] = (uint32_t)cot_rng_below(&rng, k);
    }
    size_t n_open = cot_lanes_scalar.open(slack, labels, loss, k, n, 5, open[0]);
    if (lanes->open(slack, labels, loss, k, n, 5, open[1]) != n_open ||
        memcmp(open[0], open[1], n_open * sizeof **open) != 0)
        return "which points are open";
    for (size_t lane = 0; lane < COT_TILE; lane++) {
        nearest[0].best[lane] = lanes_check_value(&rng);
        nearest[0].second[lane] = lanes_check_value(&rng);
        nearest[0].index[lane] = (uint32_t)cot_rng_below(&rng, k);
        norm2[lane] = fabsf((float)cot_rng_normal(&rng));
    }
    nearest[1] = nearest[0];
    if (cot_lanes_scalar.bound(nearest, norm2, 0.01F) != lanes->bound(nearest + 1, norm2, 0.01F))
        return "which lanes are doubtful";
    for (size_t lane = 0; lane < COT_TILE; lane++) {
        bool same_best = memcmp(nearest[0].best + lane, nearest[1].best + lane, sizeof(float)) == 0;
        bool same_second = memcmp(nearest[0].second + lane, nearest[1].second + lane, sizeof(float)) == 0;
        if (!same_best || !same_second)
            return "bounds";
    }
    if (cot_lanes_scalar.take(nearest, loss, k, labels, left[0]) != lanes->take(nearest, loss, k, labels, left[1]))
        return "which labels changed";
    for (size_t lane = 0; lane < COT_TILE; lane++)
        if (!(isnan(left[0][lane]) && isnan(left[1][lane])) &&
            memcmp(left[0] + lane, left[1] + lane, sizeof(float)) != 0)
            return "slack";
    return NULL;
}

/* NULL, or what differs. */
static inline const char *turn_check(cot_tile_turn *turn, size_t d, uint64_t seed)
{
    enum { MAX_D = 40, STRIDE = 41 };
    struct cot_rng rng;
    float x[COT_TILE * STRIDE];
    float offset[MAX_D];
    _Alignas(64) float tile[MAX_D * COT_TILE];
    const float *rows[COT_TILE];
    struct cot_tiles tiles = {.n = COT_TILE, .d = d, .offset = offset, .down = 0.5F, .up = 1};
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)cot_rng_normal(&rng);
    for (size_t j = 0; j < d; j++)
        offset[j] = (float)cot_rng_normal(&rng);
    for (size_t lane = 0; lane < COT_TILE; lane++)
        rows[lane] = x + (lane * 7 % COT_TILE) * STRIDE;
    turn(&tiles, rows, tile);
    for (size_t j = 0; j < d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++) {
            float expected = (rows[lane][j] * tiles.down - offset[j]) * tiles.up;
            if (memcmp(&expected, tile + j * COT_TILE + lane, sizeof expected) != 0)
                return "a turned row";
        }
    return NULL;
}

#endif
