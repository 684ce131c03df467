/* Initial centres for k-means: greedy k-means++ and AFK-MC2, on tiles. */
#ifndef COT_ML_SEED_H
#define COT_ML_SEED_H

#include <stdbool.h>

#include "base/rng.h"
#include "coterie/kmeans.h"
#include "num/tiles.h"

struct cot_seed_options {
    size_t k;
    enum cot_kmeans_seeding method; /* AUTO is decided by cot_seed */
    unsigned n_trials;              /* of greedy k-means++; >= 1 */
    unsigned n_threads;
};

/* weights: n_tiles * COT_TILE, 0 for padding; NULL: 1 each. ret_centres: k x d in the tiles' units. */
cot_code cot_seed(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                  struct cot_rng *rng, float *ret_centres, struct cot_err *err) COT_MUST_CHECK;

/* Bytes that cot_seed allocates, for points with or without weights. n, d, k >= 1. */
size_t cot_seed_memory(size_t n, size_t d, bool weighted, const struct cot_seed_options *options);

/* Greedy k-means++ over all points: each centre the best of n_trials drawn by squared distance. O(n * k * d). */
cot_code cot_seed_greedy(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                         struct cot_rng *rng, float *ret_centres, struct cot_err *err) COT_MUST_CHECK;

/* AFK-MC2 with chains of 200. O(n * d + 200 * k^2 * d). */
cot_code cot_seed_chain(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                        struct cot_rng *rng, float *ret_centres, struct cot_err *err) COT_MUST_CHECK;

#endif
