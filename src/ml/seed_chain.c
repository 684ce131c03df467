/*
 * AFK-MC2: Bachem, Lucic, Hassani, Krause, "Fast and provably good seedings for k-means", NIPS 2016. Each centre is the
 * end of a Markov chain over points drawn from q(x) = (share of squared distance to the first centre + share of
 * weight) / 2, which replaces k-means++'s pass over all points.
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/seed.h"
#include "num/check.h"

enum {
    CHAIN = 200, /* steps, as in the paper's experiments */
    CHAIN_TILES = (CHAIN + COT_TILE - 1) / COT_TILE,
    CENTRES_AT_ONCE = 64,
    MIN_WORK = 1 << 18 /* columns of distances that are worth a second thread */
};

struct chain {
    const struct cot_tiles *tiles;
    const float *weights; /* or NULL */
    const float *centres; /* n_centres x d, taken so far */
    size_t n_centres;
    double *cumulative; /* n: sum of q up to and with each point, not normalised */
    float *candidates;  /* CHAIN_TILES tiles; the first is scratch before they are drawn */
    float *row;         /* d, scratch */
    size_t points[CHAIN];
    float closest[CHAIN_TILES * COT_TILE]; /* squared distance of each candidate to the nearest centre */
};

static double weight_of(const struct chain *chain, size_t i)
{
    return chain->weights != NULL ? (double)chain->weights[i] : 1;
}

/* q, summed up; the first centre is there. */
static void prepare_proposal(struct chain *chain)
{
    size_t n = chain->tiles->n;
    double weight = 0;
    double potential = 0;
    for (size_t t = 0; t < chain->tiles->n_tiles; t++) {
        float d2[COT_TILE];
        cot_tiles_get(chain->tiles, t, chain->candidates);
        cot_tile_distances2(chain->candidates, chain->tiles->d, chain->centres, 1, d2);
        for (size_t i = t * COT_TILE; i < (t + 1) * COT_TILE && i < n; i++) {
            chain->cumulative[i] = weight_of(chain, i) * (double)d2[i % COT_TILE];
            potential += chain->cumulative[i];
            weight += weight_of(chain, i);
        }
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double q = weight_of(chain, i) / weight;
        if (potential > 0)
            q += chain->cumulative[i] / potential;
        sum += q;
        chain->cumulative[i] = sum;
    }
}

static double proposal(const struct chain *chain, size_t i)
{
    return i == 0 ? chain->cumulative[0] : chain->cumulative[i] - chain->cumulative[i - 1];
}

static void draw_candidates(struct chain *chain, struct cot_rng *rng)
{
    size_t d = chain->tiles->d;
    for (size_t m = 0; m < CHAIN; m++) {
        size_t i = cot_rng_choice_cumulative(rng, chain->cumulative, chain->tiles->n);
        cot_tiles_point(chain->tiles, i, chain->row);
        for (size_t j = 0; j < d; j++)
            chain->candidates[(m / COT_TILE * d + j) * COT_TILE + m % COT_TILE] = chain->row[j];
        chain->points[m] = i;
    }
}

static void measure_candidates(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct chain *chain = context;
    size_t d = chain->tiles->d;
    (void)i_block;
    (void)i_thread;
    for (size_t t = begin; t < end; t++) {
        float *closest = chain->closest + t * COT_TILE;
        float d2[CENTRES_AT_ONCE * COT_TILE];
        for (size_t lane = 0; lane < COT_TILE; lane++)
            closest[lane] = FLT_MAX;
        for (size_t c = 0; c < chain->n_centres; c += CENTRES_AT_ONCE) {
            size_t m = chain->n_centres - c < CENTRES_AT_ONCE ? chain->n_centres - c : CENTRES_AT_ONCE;
            cot_tile_distances2(chain->candidates + t * d * COT_TILE, d, chain->centres + c * d, m, d2);
            for (size_t u = 0; u < m; u++)
                for (size_t lane = 0; lane < COT_TILE; lane++)
                    closest[lane] = d2[u * COT_TILE + lane] < closest[lane] ? d2[u * COT_TILE + lane] : closest[lane];
        }
    }
}

/* Metropolis and Hastings: from candidate to candidate by the ratio of target over proposal. */
static size_t walk(struct chain *chain, struct cot_rng *rng)
{
    size_t at = 0;
    for (size_t m = 1; m < CHAIN; m++) {
        size_t i = chain->points[m];
        size_t i_at = chain->points[at];
        double to = weight_of(chain, i) * (double)chain->closest[m] * proposal(chain, i_at);
        double from = weight_of(chain, i_at) * (double)chain->closest[at] * proposal(chain, i);
        if (from <= 0 || to > cot_rng_uniform(rng) * from)
            at = m;
    }
    return chain->points[at];
}

static void choose_centres(struct chain *chain, const struct cot_seed_options *options, struct cot_rng *rng,
                           float *ret_centres)
{
    size_t d = chain->tiles->d;
    chain->centres = ret_centres;
    for (size_t i = 0; i < chain->tiles->n; i++)
        chain->cumulative[i] = (i > 0 ? chain->cumulative[i - 1] : 0) + weight_of(chain, i);
    cot_tiles_point(chain->tiles, cot_rng_choice_cumulative(rng, chain->cumulative, chain->tiles->n), ret_centres);
    prepare_proposal(chain);
    for (size_t c = 1; c < options->k; c++) {
        chain->n_centres = c;
        draw_candidates(chain, rng);
        unsigned n_threads = c * d * CHAIN_TILES < MIN_WORK ? 1 : options->n_threads;
        cot_parallel_for(n_threads, CHAIN_TILES, 1, measure_candidates, chain);
        cot_tiles_point(chain->tiles, walk(chain, rng), ret_centres + c * d);
    }
}

cot_code cot_seed_chain(const struct cot_tiles *tiles, const float *weights, const struct cot_seed_options *options,
                        struct cot_rng *rng, float *ret_centres, struct cot_err *err)
{
    struct chain chain = {.tiles = tiles, .weights = weights};
    chain.cumulative = cot_alloc_array(tiles->n, 1, sizeof *chain.cumulative);
    chain.candidates = cot_alloc_aligned((size_t)CHAIN_TILES * COT_TILE, tiles->d, sizeof *chain.candidates);
    chain.row = cot_alloc_array(tiles->d, 1, sizeof *chain.row);
    bool ok = chain.cumulative != NULL && chain.candidates != NULL && chain.row != NULL;
    if (ok)
        choose_centres(&chain, options, rng, ret_centres);
    free(chain.cumulative);
    free(chain.candidates);
    free(chain.row);
    return ok ? COT_OK : cot_fail(err, COT_NOMEM, "seeding %zu centres among %zu points", options->k, tiles->n);
}
