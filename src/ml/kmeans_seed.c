#include "ml/kmeans_seed.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"

enum { MIN_TILES_A_BLOCK = 64 };

struct seeding {
    const struct cot_tiles *tiles;
    const float *weights;
    unsigned n_threads;
    unsigned n_trials;
    size_t block; /* tiles a block */
    size_t n_blocks;
    float *closest;    /* n_tiles * COT_TILE: squared distance to the nearest centre so far */
    double *potential; /* a block: sum of weight * closest */
    float *candidates; /* n_trials x d */
    double *partial;   /* n_blocks x n_trials: potential if a candidate were taken */
};

/* What a block's potential would be with each candidate. */
static void try_candidates(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct seeding *s = context;
    size_t d = s->tiles->d;
    double *partial = s->partial + i_block * s->n_trials;
    (void)i_thread;
    memset(partial, 0, s->n_trials * sizeof *partial);
    for (size_t t = begin; t < end; t++) {
        const float *closest = s->closest + t * COT_TILE;
        const float *weights = s->weights + t * COT_TILE;
        for (unsigned c = 0; c < s->n_trials; c++) {
            float d2[COT_TILE];
            double sum = 0;
            cot_tile_distances2(cot_tile(s->tiles, t), d, s->candidates + c * d, d2);
            for (int l = 0; l < COT_TILE; l++)
                sum += (double)weights[l] * (double)(d2[l] < closest[l] ? d2[l] : closest[l]);
            partial[c] += sum;
        }
    }
}

/* Takes the first candidate as a centre: lowers closest and sums the potential. */
static void take_centre(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct seeding *s = context;
    double potential = 0;
    (void)i_thread;
    for (size_t t = begin; t < end; t++) {
        float *closest = s->closest + t * COT_TILE;
        const float *weights = s->weights + t * COT_TILE;
        float d2[COT_TILE];
        double sum = 0;
        cot_tile_distances2(cot_tile(s->tiles, t), s->tiles->d, s->candidates, d2);
        for (int l = 0; l < COT_TILE; l++) {
            closest[l] = d2[l] < closest[l] ? d2[l] : closest[l];
            sum += (double)weights[l] * (double)closest[l];
        }
        potential += sum;
    }
    s->potential[i_block] = potential;
}

/* A point drawn with probability weight * closest; by weight alone while no centre is there or all are hit. */
static size_t draw_point(const struct seeding *s, struct cot_rng *rng)
{
    double total = 0;
    size_t last = 0;
    for (size_t b = 0; b < s->n_blocks; b++)
        total += s->potential[b];
    if (total <= 0)
        return (size_t)cot_rng_below(rng, s->tiles->n);
    double left = cot_rng_uniform(rng) * total;
    size_t b = 0;
    while (b + 1 < s->n_blocks && left >= s->potential[b])
        left -= s->potential[b++];
    size_t end = (b + 1) * s->block * COT_TILE;
    end = end < s->tiles->n ? end : s->tiles->n;
    for (size_t i = b * s->block * COT_TILE; i < end; i++) {
        double mass = (double)s->weights[i] * (double)s->closest[i];
        if (mass <= 0)
            continue;
        last = i;
        left -= mass;
        if (left < 0)
            return i;
    }
    return last; /* rounding left a crumb: the last point with mass */
}

/* Before the first centre every point counts by its weight. */
static void start_by_weight(struct seeding *s)
{
    size_t size = s->tiles->n_tiles * COT_TILE;
    for (size_t i = 0; i < size; i++)
        s->closest[i] = 1;
    for (size_t b = 0; b < s->n_blocks; b++) {
        size_t end = (b + 1) * s->block * COT_TILE;
        for (size_t i = b * s->block * COT_TILE; i < (end < size ? end : size); i++)
            s->potential[b] += (double)s->weights[i];
    }
}

/* Leaves the best of n_trials candidates in the first place. */
static void choose_candidate(struct seeding *s, struct cot_rng *rng)
{
    size_t d = s->tiles->d;
    unsigned best = 0;
    double best_potential = DBL_MAX;
    for (unsigned c = 0; c < s->n_trials; c++)
        cot_tiles_point(s->tiles, draw_point(s, rng), s->candidates + c * d);
    if (s->n_trials == 1)
        return;
    cot_parallel_for(s->n_threads, s->tiles->n_tiles, s->block, try_candidates, s);
    for (unsigned c = 0; c < s->n_trials; c++) {
        double potential = 0;
        for (size_t b = 0; b < s->n_blocks; b++)
            potential += s->partial[b * s->n_trials + c];
        if (potential < best_potential) {
            best_potential = potential;
            best = c;
        }
    }
    memmove(s->candidates, s->candidates + best * d, d * sizeof *s->candidates);
}

cot_code cot_kmeans_seed(const struct cot_tiles *tiles, const float *weights, size_t k, unsigned n_trials,
                         unsigned n_threads, struct cot_rng *rng, float *ret_centres, struct cot_err *err)
{
    struct seeding s = {.tiles = tiles, .weights = weights, .n_threads = n_threads, .n_trials = n_trials};
    size_t d = tiles->d;
    cot_code rc = COT_OK;
    s.block = cot_block_of(tiles->n_tiles, MIN_TILES_A_BLOCK);
    s.n_blocks = cot_n_blocks(tiles->n_tiles, s.block);
    s.closest = cot_alloc_array(tiles->n_tiles, COT_TILE, sizeof *s.closest);
    s.potential = cot_alloc_array(s.n_blocks, 1, sizeof *s.potential);
    s.candidates = cot_alloc_array(n_trials, d, sizeof *s.candidates);
    s.partial = cot_alloc_array(s.n_blocks, n_trials, sizeof *s.partial);
    if (s.closest == NULL || s.potential == NULL || s.candidates == NULL || s.partial == NULL) {
        rc = cot_fail(err, COT_NOMEM, "seeding %zu centres among %zu points", k, tiles->n);
        goto out;
    }
    start_by_weight(&s);
    cot_tiles_point(tiles, draw_point(&s, rng), s.candidates);
    for (size_t i = 0; i < tiles->n_tiles * COT_TILE; i++)
        s.closest[i] = FLT_MAX;
    for (size_t c = 0; c < k; c++) {
        if (c > 0)
            choose_candidate(&s, rng);
        memcpy(ret_centres + c * d, s.candidates, d * sizeof *ret_centres);
        cot_parallel_for(n_threads, tiles->n_tiles, s.block, take_centre, &s);
    }
out:
    free(s.closest);
    free(s.potential);
    free(s.candidates);
    free(s.partial);
    return rc;
}
