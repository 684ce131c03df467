/* Greedy k-means++ on tiles: see coterie/kmeans.h. */
#ifndef COT_ML_KMEANS_SEED_H
#define COT_ML_KMEANS_SEED_H

#include "base/rng.h"
#include "num/tiles.h"

/*
 * weights: n_tiles * COT_TILE, 0 for padding. n_trials >= 1. ret_centres: k x d in the tiles' units. A potential of 0
 * (fewer distinct points than centres) repeats points. O(n k d n_trials).
 */
cot_code cot_kmeans_seed(const struct cot_tiles *tiles, const float *weights, size_t k, unsigned n_trials,
                         unsigned n_threads, struct cot_rng *rng, float *ret_centres,
                         struct cot_err *err) COT_MUST_CHECK;

#endif
