#include "ml/seed.h"

#include <stdlib.h>

#include "num/check.h"

enum {
    SEED_BUDGET_BITS = 29, /* greedy k-means++ costs about as much as 2^29 distances of one column, or it samples */
    MIN_SAMPLE = 32        /* points a centre that a sample must have; below, the chains take over */
};

/* Points that greedy k-means++ can look at within its budget. */
static size_t sample_size(size_t d, size_t k)
{
    size_t most = ((size_t)1 << SEED_BUDGET_BITS) / k / d;
    return most > 0 ? most : 1;
}

static enum cot_kmeans_seeding choose(size_t n, size_t d, bool weighted, const struct cot_seed_options *o)
{
    size_t most = sample_size(d, o->k);
    if (o->method != COT_KMEANS_SEED_AUTO)
        return o->method;
    if (n <= most)
        return COT_KMEANS_SEED_GREEDY;
    /* A sample of weighted points could miss the heavy ones. */
    return !weighted && most / MIN_SAMPLE >= o->k ? COT_KMEANS_SEED_AUTO : COT_KMEANS_SEED_CHAIN;
}

/* One point drawn from each of m equal stretches of the points, as rows (m x d) of their own in the tiles' units. */
static cot_code take_sample(const struct cot_tiles *tiles, size_t m, struct cot_rng *rng, float **ret_rows,
                            struct cot_err *err)
{
    size_t d = tiles->d;
    float *rows = cot_alloc_uninitialised(m, d, sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "a sample of %zu points", m);
    for (size_t s = 0; s < m; s++) {
        size_t begin = (size_t)((unsigned __int128)s * tiles->n / m);
        size_t end = (size_t)((unsigned __int128)(s + 1) * tiles->n / m);
        cot_tiles_point(tiles, begin + (size_t)cot_rng_below(rng, end - begin), rows + s * d);
    }
    *ret_rows = rows;
    return COT_OK;
}

/* Of greedy k-means++: the distances to the centres so far, and what they would be with each candidate. */
static size_t greedy_memory(size_t n, unsigned n_trials)
{
    size_t size = 0;
    return __builtin_mul_overflow(n + COT_TILE, (1 + (size_t)n_trials) * sizeof(float), &size) ? SIZE_MAX : size;
}

size_t cot_seed_memory(size_t n, size_t d, bool weighted, const struct cot_seed_options *options)
{
    switch (choose(n, d, weighted, options)) {
    case COT_KMEANS_SEED_GREEDY: return greedy_memory(n, options->n_trials);
    case COT_KMEANS_SEED_CHAIN: return n > SIZE_MAX / sizeof(double) ? SIZE_MAX : n * sizeof(double);
    case COT_KMEANS_SEED_AUTO: break;
    }
    size_t m = sample_size(d, options->k);
    return greedy_memory(m, options->n_trials) + (m + COT_TILE) * d * sizeof(float);
}

cot_code cot_seed(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                  struct cot_rng *rng, float *ret_centres, struct cot_err *err)
{
    struct cot_tiles sample = {0};
    float *rows = NULL;
    switch (choose(tiles->n, tiles->d, weights != NULL, options)) {
    case COT_KMEANS_SEED_GREEDY: return cot_seed_greedy(tiles, weights, options, rng, ret_centres, err);
    case COT_KMEANS_SEED_CHAIN: return cot_seed_chain(tiles, weights, options, rng, ret_centres, err);
    case COT_KMEANS_SEED_AUTO: break;
    }
    size_t m = sample_size(tiles->d, options->k);
    cot_code rc = take_sample(tiles, m, rng, &rows, err);
    if (rc == COT_OK)
        rc = cot_tiles_of_units(&sample, &(struct cot_matrix){.data = rows, .n = m, .d = tiles->d, .stride = tiles->d},
                                tiles->isa, err);
    if (rc == COT_OK)
        rc = cot_seed_greedy(&sample, NULL, options, rng, ret_centres, err);
    cot_tiles_release(&sample);
    free(rows);
    return rc;
}
