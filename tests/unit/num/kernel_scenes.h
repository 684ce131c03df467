/* Points and centres that are hard on assignment kernels, and the check that one kernel passes on them. */
#ifndef COT_TESTS_KERNEL_SCENES_H
#define COT_TESTS_KERNEL_SCENES_H

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "num/check.h"
#include "num/nearest_kernels.h"
#include "num/tiles.h"

enum scene {
    SCENE_RANDOM,
    SCENE_DENORMAL,
    SCENE_HUGE,
    SCENE_DUPLICATE,
    SCENE_CONSTANT,
    SCENE_FAR,
    SCENE_BETWEEN, /* halfway between the numbers of 8 bits, nearly, and of 16 */
    N_SCENES
};

static inline float scene_value(enum scene scene, struct cot_rng *rng)
{
    double z = cot_rng_normal(rng);
    switch (scene) {
    case SCENE_DENORMAL: return (float)(z * 1e-40);
    case SCENE_HUGE: return (float)(z < -3 || z > 3 ? 3e38 : z * 1e38);
    case SCENE_DUPLICATE: return (float)(cot_rng_below(rng, 3));
    case SCENE_CONSTANT: return 7.25F;
    case SCENE_FAR: return (float)(1e6 * (double)cot_rng_below(rng, 2) + z);
    case SCENE_BETWEEN: return (float)(1 + 0x1p-8 + (z < 0 ? 0x1p-16 + 0x1p-17 : -0x1p-16 + 0x1p-23));
    default: return (float)z;
    }
}

struct scene_data {
    size_t n, d, k;
    float *x;       /* n x d */
    float *centres; /* k x d in the tiles' units; each near a point */
    struct cot_tiles tiles;
    float *data; /* all tiles */
    struct cot_tile_view *views;
    struct cot_nearest *nearest;
};

static inline void scene_free(struct scene_data *s)
{
    cot_tiles_release(&s->tiles);
    free(s->x);
    free(s->centres);
    free(s->data);
    free(s->views);
    free(s->nearest);
}

/* 0 where there is no memory. */
static inline int scene_make(struct scene_data *s, enum scene scene, size_t n, size_t d, size_t k, uint64_t seed)
{
    struct cot_rng rng;
    *s = (struct scene_data){.n = n, .d = d, .k = k};
    cot_rng_init(&rng, seed);
    s->x = cot_alloc_array(n, d, sizeof *s->x);
    s->centres = cot_alloc_array(k, d, sizeof *s->centres);
    if (s->x == NULL || s->centres == NULL)
        return 0;
    for (size_t i = 0; i < n * d; i++)
        s->x[i] = scene_value(scene, &rng);
    struct cot_matrix x = {.data = s->x, .n = n, .d = d, .stride = d};
    if (cot_tiles_init(&s->tiles, &x, NULL, 1, COT_ISA_BEST, NULL) != COT_OK)
        return 0;
    s->views = cot_alloc_array(s->tiles.n_tiles, 1, sizeof *s->views);
    s->nearest = cot_alloc_array(s->tiles.n_tiles, 1, sizeof *s->nearest);
    s->data = cot_alloc_aligned(s->tiles.n_tiles * COT_TILE, d, sizeof *s->data);
    if (s->views == NULL || s->nearest == NULL || s->data == NULL)
        return 0;
    for (size_t t = 0; t < s->tiles.n_tiles; t++) {
        const float *norm2 = s->tiles.norm2 + t * COT_TILE;
        cot_tiles_get(&s->tiles, t, s->data + t * COT_TILE * d);
        s->views[t] = (struct cot_tile_view){s->data + t * COT_TILE * d, norm2, cot_tile_radius(norm2)};
    }
    for (size_t c = 0; c < k; c++) {
        cot_tiles_point(&s->tiles, (size_t)cot_rng_below(&rng, n), s->centres + c * d);
        for (size_t j = 0; j < d && c % 2 == 1; j++)
            s->centres[c * d + j] += (float)(cot_rng_normal(&rng) * 1e-3);
    }
    return 1;
}

/* The score in float64. */
static inline double scene_score(const struct scene_data *s, size_t i, size_t c)
{
    const float *lane = s->data + i / COT_TILE * COT_TILE * s->d + i % COT_TILE;
    double score = 0;
    for (size_t j = 0; j < s->d; j++) {
        double m = (double)s->centres[c * s->d + j];
        score += m * m / 2 - (double)lane[j * COT_TILE] * m;
    }
    return score;
}

/*
 * Runs a kernel and returns NULL, or what is wrong: a best or second that is farther from the true one than the
 * kernel's own bound says, or an index that is not of a centre as good as the best, by that bound.
 */
static inline const char *scene_check(struct scene_data *s, cot_nearest_kernel *kernel,
                                      const struct cot_centres *centres)
{
    kernel(centres, s->views, s->tiles.n_tiles, s->nearest);
    for (size_t i = 0; i < s->n; i++) {
        const struct cot_nearest *nearest = s->nearest + i / COT_TILE;
        double error = cot_centres_error(centres, (double)s->views[i / COT_TILE].radius) + 1e-14;
        double best = INFINITY;
        double second = INFINITY;
        for (size_t c = 0; c < s->k; c++) {
            double score = scene_score(s, i, c);
            if (score < best) {
                second = best;
                best = score;
            } else if (score < second) {
                second = score;
            }
        }
        if (nearest->index[i % COT_TILE] >= s->k)
            return "an index beyond the centres";
        if (!(fabs((double)nearest->best[i % COT_TILE] - best) <= error))
            return "a best score farther from the true one than the bound";
        if (s->k == 1 ? nearest->second[i % COT_TILE] != FLT_MAX
                      : !(fabs((double)nearest->second[i % COT_TILE] - second) <= error))
            return "a second best score farther from the true one than the bound";
        if (!(scene_score(s, i, nearest->index[i % COT_TILE]) <= best + 2 * error))
            return "the index of a centre that is farther than the bound allows";
    }
    return NULL;
}

#endif
