#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/seed.h"
#include "num/check.h"

enum { MIN_TILES_A_BLOCK = 64 };

struct seeding {
    const struct cot_tiles *tiles;
    const float *weights; /* or NULL */
    unsigned n_threads;
    unsigned n_trials;
    size_t block; /* tiles a block */
    size_t n_blocks;
    float *closest;    /* n_tiles * COT_TILE: squared distance to the nearest centre so far */
    float **lowered;   /* n_trials of the same: what closest would be with each candidate */
    double *potential; /* a block: sum of weight * closest */
    double *partial;   /* a block x n_trials: what potential would be with each candidate */
    float *candidates; /* n_trials x d */
    float *d2;         /* a block x n_trials x COT_TILE, scratch */
    float *scratch;    /* a block x d x COT_TILE: the tile that is looked at */
};

/* Padding weighs nothing. */
static double weight_of(const struct seeding *s, size_t i)
{
    if (s->weights != NULL)
        return (double)s->weights[i];
    return i < s->tiles->n ? 1 : 0;
}

static double weighted_sum(const struct seeding *s, size_t tile, const float *values)
{
    double sum = 0;
    if (s->weights == NULL && (tile + 1) * COT_TILE <= s->tiles->n) {
        for (size_t lane = 0; lane < COT_TILE; lane++)
            sum += (double)values[lane];
        return sum;
    }
    for (size_t lane = 0; lane < COT_TILE; lane++)
        sum += weight_of(s, tile * COT_TILE + lane) * (double)values[lane];
    return sum;
}

/* What a block's distances and potential would be with each candidate. */
static void try_candidates(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct seeding *s = context;
    double *partial = s->partial + i_block * s->n_trials;
    float *d2 = s->d2 + i_block * s->n_trials * COT_TILE;
    float *tile = s->scratch + i_block * s->tiles->d * COT_TILE;
    (void)i_thread;
    memset(partial, 0, s->n_trials * sizeof *partial);
    for (size_t t = begin; t < end; t++) {
        const float *closest = s->closest + t * COT_TILE;
        cot_tiles_get(s->tiles, t, tile);
        cot_tile_distances2(tile, s->tiles->d, s->candidates, s->n_trials, d2);
        for (unsigned c = 0; c < s->n_trials; c++) {
            float *lowered = s->lowered[c] + t * COT_TILE;
            for (size_t lane = 0; lane < COT_TILE; lane++) {
                float new = d2[c * COT_TILE + lane];
                lowered[lane] = new < closest[lane] ? new : closest[lane];
            }
            partial[c] += weighted_sum(s, t, lowered);
        }
    }
}

/* A point drawn with probability weight * closest; evenly where all distances are 0. */
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
        double mass = weight_of(s, i) * (double)s->closest[i];
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
    for (size_t b = 0; b < s->n_blocks; b++) {
        size_t end = (b + 1) * s->block * COT_TILE;
        s->potential[b] = 0;
        for (size_t i = b * s->block * COT_TILE; i < (end < size ? end : size); i++) {
            s->closest[i] = 1;
            s->potential[b] += weight_of(s, i);
        }
    }
}

/* Takes the best of n_trials drawn points as centre. */
static void take_centre(struct seeding *s, float *ret_centre)
{
    size_t d = s->tiles->d;
    unsigned best = 0;
    double best_potential = DBL_MAX;
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
    for (size_t b = 0; b < s->n_blocks; b++)
        s->potential[b] = s->partial[b * s->n_trials + best];
    float *closest = s->lowered[best];
    s->lowered[best] = s->closest;
    s->closest = closest;
    memcpy(ret_centre, s->candidates + best * d, d * sizeof *ret_centre);
}

static void choose_centres(struct seeding *s, size_t k, struct cot_rng *rng, float *ret_centres)
{
    size_t d = s->tiles->d;
    size_t size = s->tiles->n_tiles * COT_TILE;
    start_by_weight(s);
    size_t first = draw_point(s, rng); /* by weight alone: there is nothing to choose between */
    for (size_t i = 0; i < size; i++)
        s->closest[i] = FLT_MAX;
    for (size_t c = 0; c < k; c++) {
        for (unsigned trial = 0; trial < s->n_trials; trial++)
            cot_tiles_point(s->tiles, c == 0 ? first : draw_point(s, rng), s->candidates + trial * d);
        take_centre(s, ret_centres + c * d);
    }
}

cot_code cot_seed_greedy(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                         struct cot_rng *rng, float *ret_centres, struct cot_err *err)
{
    struct seeding s = {
        .tiles = tiles, .weights = weights, .n_threads = options->n_threads, .n_trials = options->n_trials};
    size_t n_padded = tiles->n_tiles * COT_TILE;
    s.block = cot_block_of(tiles->n_tiles, MIN_TILES_A_BLOCK);
    s.n_blocks = cot_n_blocks(tiles->n_tiles, s.block);
    s.closest = cot_alloc_array(n_padded, 1, sizeof *s.closest);
    s.lowered = cot_alloc_array(s.n_trials, 1, sizeof *s.lowered);
    s.potential = cot_alloc_array(s.n_blocks, 1, sizeof *s.potential);
    s.partial = cot_alloc_array(s.n_blocks, s.n_trials, sizeof *s.partial);
    s.candidates = cot_alloc_array(s.n_trials, tiles->d, sizeof *s.candidates);
    s.d2 = cot_alloc_array(s.n_blocks, s.n_trials * (size_t)COT_TILE, sizeof *s.d2);
    s.scratch = cot_alloc_aligned(s.n_blocks * COT_TILE, tiles->d, sizeof *s.scratch);
    bool ok = s.closest != NULL && s.lowered != NULL && s.potential != NULL && s.partial != NULL &&
              s.candidates != NULL && s.d2 != NULL && s.scratch != NULL;
    for (unsigned c = 0; ok && c < s.n_trials; c++) {
        s.lowered[c] = cot_alloc_array(n_padded, 1, sizeof **s.lowered);
        ok = s.lowered[c] != NULL;
    }
    if (ok)
        choose_centres(&s, options->k, rng, ret_centres);
    for (unsigned c = 0; s.lowered != NULL && c < s.n_trials; c++)
        free(s.lowered[c]);
    free(s.closest);
    free(s.lowered);
    free(s.potential);
    free(s.partial);
    free(s.candidates);
    free(s.d2);
    free(s.scratch);
    return ok ? COT_OK : cot_fail(err, COT_NOMEM, "seeding %zu centres among %zu points", options->k, tiles->n);
}
