#include "ml/ward_nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"

enum {
    GROUP = COT_BOUND_QUERIES,
    GROUPS = 8, /* of queries that share a chunk of the places while that is in the second-level cache */
    BLOCK = GROUP * GROUPS,
    CHUNK_SIZE = 128 << 10,
    MIN_PAIRS_A_THREAD = 1 << 18 /* below that starting a thread takes longer than the work */
};

static unsigned threads_for(unsigned n_threads)
{
    return n_threads > 0 ? n_threads : cot_threads_available();
}

size_t cot_nearest_work_memory(size_t n, size_t d, unsigned n_threads)
{
    return n * sizeof(uint32_t) + (size_t)threads_for(n_threads) * BLOCK * d * sizeof(float);
}

cot_code cot_nearest_work_init(struct cot_nearest_work *ret_work, struct cot_clusters *clusters, unsigned n_threads,
                               cot_bound_filter *filter, struct cot_err *err)
{
    struct cot_nearest_work work = {.clusters = clusters, .n_threads = threads_for(n_threads), .filter = filter};
    work.queries = cot_alloc_array(clusters->capacity, 1, sizeof *work.queries);
    work.values = cot_alloc_array(work.n_threads, BLOCK * clusters->d, sizeof *work.values);
    if (work.queries == NULL || work.values == NULL) {
        cot_nearest_work_release(&work);
        return cot_fail(err, COT_NOMEM, "neighbours of %zu clusters", clusters->n_live);
    }
    *ret_work = work;
    return COT_OK;
}

void cot_nearest_work_release(struct cot_nearest_work *work)
{
    free(work->queries);
    free(work->values);
    *work = (struct cot_nearest_work){0};
}

/* ---- one cluster's list ---- */

static void drop_dead(const struct cot_clusters *c, struct cot_nearest *nearest)
{
    uint32_t kept = 0;
    for (uint32_t l = 0; l < nearest->n; l++)
        if (c->masses[nearest->near[l].place] > 0)
            nearest->near[kept++] = nearest->near[l];
    nearest->n = kept;
}

/* Lists a place at a cost below the radius. Places come in ascending order, so an equal cost goes behind. */
static void list_place(struct cot_nearest *nearest, size_t place, double cost)
{
    uint32_t at = nearest->n < COT_NEAREST ? nearest->n++ : COT_NEAREST - 1;
    while (at > 0 && nearest->near[at - 1].cost > cost) {
        nearest->near[at] = nearest->near[at - 1];
        at--;
    }
    nearest->near[at] = (struct cot_neighbour){.cost = cost, .place = (uint32_t)place};
    if (nearest->n == COT_NEAREST)
        nearest->radius = fmin(nearest->radius, nearest->near[COT_NEAREST - 1].cost);
}

/* ---- groups of queries against a range of places ---- */

struct group {
    struct cot_bound_queries queries;
    const uint32_t *places; /* of the queries */
    size_t n;
    size_t begin; /* first tile that one of them has not seen */
};

static void group_init(struct group *g, struct cot_clusters *c, const uint32_t *places, size_t n, float *values)
{
    *g = (struct group){.queries = {.values = values}, .places = places, .n = n, .begin = SIZE_MAX};
    memset(values, 0, GROUP * c->d * sizeof *values);
    for (size_t u = 0; u < GROUP; u++)
        g->queries.limits[u] = -INFINITY;
    for (size_t u = 0; u < n; u++) {
        const struct cot_nearest *nearest = &c->nearest[places[u]];
        size_t tile = nearest->seen / COT_BOUND_TILE;
        g->begin = tile < g->begin ? tile : g->begin;
        cot_bound_queries_set(&g->queries, u, &c->points, places[u]);
        cot_bound_queries_limit(&g->queries, u, &c->points, c->masses[places[u]], nearest->radius);
    }
}

/* Measures the places that a mask names. */
static void measure(struct cot_clusters *c, struct group *g, size_t u, size_t tile, uint32_t mask)
{
    size_t self = g->places[u];
    struct cot_nearest *nearest = &c->nearest[self];
    double radius = nearest->radius;
    for (; mask != 0; mask &= mask - 1) {
        size_t place = tile * COT_BOUND_TILE + (size_t)__builtin_ctz(mask);
        if (place == self || place < nearest->seen)
            continue;
        double cost = cot_clusters_cost(c, self, place);
        if (cost < nearest->radius)
            list_place(nearest, place, cost);
    }
    if (nearest->radius < radius)
        cot_bound_queries_limit(&g->queries, u, &c->points, c->masses[self], nearest->radius);
}

static void group_scan(const struct cot_nearest_work *work, struct group *g, size_t begin, size_t end)
{
    uint32_t masks[GROUP];
    size_t tile = begin;
    while ((tile = work->filter(&work->clusters->points, tile, end, &g->queries, masks)) < end) {
        for (size_t u = 0; u < g->n; u++)
            if (masks[u] != 0)
                measure(work->clusters, g, u, tile, masks[u]);
        tile++;
    }
}

static void scan_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_nearest_work *work = context;
    struct cot_clusters *c = work->clusters;
    struct group groups[GROUPS];
    size_t n_groups = (end - begin + GROUP - 1) / GROUP;
    size_t n_tiles = (c->used + COT_BOUND_TILE - 1) / COT_BOUND_TILE;
    size_t chunk = CHUNK_SIZE / (c->d * COT_BOUND_TILE * sizeof(float)) + 1;
    size_t first = n_tiles;
    (void)i_block;
    for (size_t g = 0; g < n_groups; g++) {
        size_t at = begin + g * GROUP;
        size_t n = end - at < GROUP ? end - at : GROUP;
        group_init(&groups[g], c, work->queries + at, n, work->values + ((size_t)i_thread * BLOCK + g * GROUP) * c->d);
        first = groups[g].begin < first ? groups[g].begin : first;
    }
    for (size_t tile = first; tile < n_tiles; tile += chunk) {
        size_t stop = tile + chunk < n_tiles ? tile + chunk : n_tiles;
        for (size_t g = 0; g < n_groups; g++) {
            size_t start = groups[g].begin > tile ? groups[g].begin : tile;
            if (start < stop)
                group_scan(work, &groups[g], start, stop);
        }
    }
    for (size_t i = begin; i < end; i++)
        c->nearest[work->queries[i]].seen = (uint32_t)c->used;
}

/* Queries that have seen about as much stand together: fewer places are looked at twice. */
static int by_seen(const void *a, const void *b, void *context)
{
    const struct cot_nearest *nearest = context;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    if (nearest[x].seen != nearest[y].seen)
        return nearest[x].seen < nearest[y].seen ? -1 : 1;
    return (x > y) - (x < y);
}

static void scan(struct cot_nearest_work *work, size_t n_queries)
{
    struct cot_clusters *c = work->clusters;
    size_t n_pairs = 0;
    for (size_t i = 0; i < n_queries; i++)
        n_pairs += c->used - c->nearest[work->queries[i]].seen;
    unsigned n_threads = n_pairs / MIN_PAIRS_A_THREAD + 1 < work->n_threads
                             ? (unsigned)(n_pairs / MIN_PAIRS_A_THREAD + 1)
                             : work->n_threads;
    cot_parallel_for(n_threads, n_queries, BLOCK, scan_block, work);
}

void cot_nearest_find(struct cot_nearest_work *work, enum cot_nearest_whose whose)
{
    struct cot_clusters *c = work->clusters;
    size_t n = 0;
    for (size_t i = 0; i < c->used; i++) {
        struct cot_nearest *nearest = &c->nearest[i];
        if (c->masses[i] <= 0)
            continue;
        bool lost = nearest->n == 0 || c->masses[nearest->near[0].place] <= 0;
        if (whose == COT_NEAREST_LOST && !lost)
            continue;
        drop_dead(c, nearest);
        if (nearest->seen > 0 && nearest->seen < c->used)
            work->queries[n++] = (uint32_t)i;
    }
    qsort_r(work->queries, n, sizeof *work->queries, by_seen, c->nearest);
    scan(work, n);
    n = 0;
    for (size_t i = 0; i < c->used; i++) {
        struct cot_nearest *nearest = &c->nearest[i];
        if (c->masses[i] <= 0 || nearest->n > 0)
            continue;
        nearest->seen = 0;
        nearest->radius = INFINITY;
        work->queries[n++] = (uint32_t)i;
    }
    scan(work, n);
}
