#include "ml/lloyd_block.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"
#include "num/lanes.h"

enum { CHUNK_POINTS = COT_LLOYD_CHUNK * COT_TILE };

/* The points of a chunk that must be looked at, a bit a lane. */
struct chunk {
    size_t begin, end; /* tiles */
    uint16_t open[COT_LLOYD_CHUNK];
    size_t n_open;       /* points */
    size_t n_open_tiles; /* tiles with at least one */
};

cot_code cot_lloyd_block_init(struct cot_lloyd_block *ret_block, size_t k, size_t d, struct cot_err *err)
{
    struct cot_lloyd_block b = {0};
    b.sums = cot_alloc_uninitialised(k, d, sizeof *b.sums);
    b.mass = cot_alloc_array(k, 1, sizeof *b.mass);
    b.count = cot_alloc_array(k, 1, sizeof *b.count);
    b.touched = cot_alloc_array(k, 1, sizeof *b.touched);
    if (b.sums == NULL || b.mass == NULL || b.count == NULL || b.touched == NULL) {
        cot_lloyd_block_release(&b);
        return cot_fail(err, COT_NOMEM, "sums of %zu clusters in %zu columns", k, d);
    }
    *ret_block = b;
    return COT_OK;
}

void cot_lloyd_block_release(struct cot_lloyd_block *block)
{
    free(block->sums);
    free(block->mass);
    free(block->count);
    free(block->touched);
    *block = (struct cot_lloyd_block){0};
}

size_t cot_lloyd_scratch_memory(size_t d)
{
    return CHUNK_POINTS * (d + 1) * sizeof(float) + COT_LLOYD_CHUNK * sizeof(struct cot_nearest);
}

cot_code cot_lloyd_scratch_init(struct cot_lloyd_scratch *ret_scratch, size_t d, struct cot_err *err)
{
    struct cot_lloyd_scratch s = {0};
    s.gathered = cot_alloc_aligned(CHUNK_POINTS, d, sizeof *s.gathered);
    s.norms2 = cot_alloc_array(CHUNK_POINTS, 1, sizeof *s.norms2);
    s.nearest = cot_alloc_array(COT_LLOYD_CHUNK, 1, sizeof *s.nearest);
    if (s.gathered == NULL || s.norms2 == NULL || s.nearest == NULL) {
        cot_lloyd_scratch_release(&s);
        return cot_fail(err, COT_NOMEM, "room for %d points of %zu columns", (int)CHUNK_POINTS, d);
    }
    *ret_scratch = s;
    return COT_OK;
}

void cot_lloyd_scratch_release(struct cot_lloyd_scratch *scratch)
{
    free(scratch->gathered);
    free(scratch->norms2);
    free(scratch->nearest);
    *scratch = (struct cot_lloyd_scratch){0};
}

/* ---- who may have changed ---- */

/* Marks the points that have no slack left. */
static void find_open(const struct cot_lloyd *l, struct chunk *chunk)
{
    size_t first = chunk->begin * COT_TILE;
    cot_lanes_open(l->slack + first, l->labels + first, l->loss_f, chunk->end - chunk->begin, chunk->open);
    chunk->n_open = 0;
    chunk->n_open_tiles = 0;
    for (size_t t = 0; t < chunk->end - chunk->begin; t++) {
        chunk->n_open += (size_t)__builtin_popcount(chunk->open[t]);
        chunk->n_open_tiles += chunk->open[t] != 0;
    }
}

/* ---- what changed ---- */

static void touch(struct cot_lloyd_block *block, size_t c, size_t d)
{
    if (block->touched[c])
        return;
    block->touched[c] = true;
    block->mass[c] = 0;
    block->count[c] = 0;
    memset(block->sums + c * d, 0, d * sizeof *block->sums);
}

/* Moves point i from its old cluster (none at first) to cluster c in the block's sums. */
static void take_change(struct cot_lloyd *l, struct cot_lloyd_block *block, size_t i, const float *lane, uint32_t c)
{
    size_t d = l->tiles->d;
    uint32_t before = l->labels[i];
    double w = l->weights != NULL ? (double)l->weights[i] : 1;
    l->labels[i] = c;
    block->n_changed++;
    if (w <= 0)
        return;
    touch(block, c, d);
    block->mass[c] += w;
    block->count[c]++;
    if (l->fresh) {
        cot_lane_move(lane, d, w, block->sums + c * d, NULL);
        return;
    }
    touch(block, before, d);
    block->mass[before] -= w;
    block->count[before]--;
    cot_lane_move(lane, d, w, block->sums + c * d, block->sums + before * d);
}

static void take_lane(struct cot_lloyd *l, struct cot_lloyd_block *block, size_t i, const float *lane,
                      const struct cot_nearest *nearest, size_t i_lane)
{
    uint32_t c = nearest->index[i_lane];
    l->slack[i] = cot_lane_slack(nearest, i_lane, l->loss_f);
    if (c != l->labels[i] || l->fresh)
        take_change(l, block, i, lane, c);
}

/* A tile without padding. */
static void take_tile(struct cot_lloyd *l, struct cot_lloyd_block *block, size_t t, const float *tile,
                      const struct cot_nearest *nearest)
{
    size_t first = t * COT_TILE;
    uint32_t changed = cot_lanes_take(nearest, l->loss_f, l->labels + first, l->slack + first);
    if (l->fresh)
        changed = (1U << COT_TILE) - 1;
    for (; changed != 0; changed &= changed - 1) {
        size_t lane = (size_t)__builtin_ctz(changed);
        take_change(l, block, first + lane, tile + lane, nearest->index[lane]);
    }
}

/* ---- looking at them: whole tiles, or only the open points, gathered ---- */

static void look_at_tiles(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_lloyd_scratch *scratch,
                          const struct chunk *chunk)
{
    struct cot_tile_view tiles[COT_LLOYD_CHUNK] = {{0}};
    size_t at[COT_LLOYD_CHUNK];
    size_t n = 0;
    for (size_t t = chunk->begin; t < chunk->end; t++) {
        if (chunk->open[t - chunk->begin] == 0)
            continue;
        tiles[n] = cot_tile_view_of(l->tiles, t);
        at[n++] = t;
    }
    cot_assign_run(&l->assign, tiles, n, scratch->nearest);
    for (size_t m = 0; m < n; m++) {
        if ((at[m] + 1) * COT_TILE <= l->tiles->n) {
            take_tile(l, block, at[m], tiles[m].data, scratch->nearest + m);
            continue;
        }
        for (size_t lane = 0; at[m] * COT_TILE + lane < l->tiles->n; lane++)
            take_lane(l, block, at[m] * COT_TILE + lane, tiles[m].data + lane, scratch->nearest + m, lane);
    }
}

static size_t gather(const struct cot_lloyd *l, const struct cot_lloyd_scratch *scratch, const struct chunk *chunk,
                     size_t *ret_points)
{
    size_t d = l->tiles->d;
    size_t n = 0;
    for (size_t t = chunk->begin; t < chunk->end; t++)
        for (uint32_t open = chunk->open[t - chunk->begin]; open != 0; open &= open - 1) {
            size_t lane = (size_t)__builtin_ctz(open);
            const float *from = cot_tile(l->tiles, t) + lane;
            float *to = scratch->gathered + n / COT_TILE * d * COT_TILE + n % COT_TILE;
            for (size_t j = 0; j < d; j++)
                to[j * COT_TILE] = from[j * COT_TILE];
            scratch->norms2[n] = l->tiles->norm2[t * COT_TILE + lane];
            ret_points[n++] = t * COT_TILE + lane;
        }
    return n;
}

static void look_at_points(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_lloyd_scratch *scratch,
                           const struct chunk *chunk)
{
    size_t points[CHUNK_POINTS];
    struct cot_tile_view tiles[COT_LLOYD_CHUNK] = {{0}};
    size_t d = l->tiles->d;
    size_t n = gather(l, scratch, chunk, points);
    size_t n_tiles = (n + COT_TILE - 1) / COT_TILE; /* what is left in the last one is old, and finite */
    for (size_t m = 0; m < n_tiles; m++) {
        const float *norm2 = scratch->norms2 + m * COT_TILE;
        tiles[m] = (struct cot_tile_view){scratch->gathered + m * d * COT_TILE, norm2, cot_tile_radius(norm2)};
    }
    cot_assign_run(&l->assign, tiles, n_tiles, scratch->nearest);
    for (size_t p = 0; p < n; p++)
        take_lane(l, block, points[p], tiles[p / COT_TILE].data + p % COT_TILE, scratch->nearest + p / COT_TILE,
                  p % COT_TILE);
}

/* In multiply-adds of a vector: a tile against all centres, and its points gathered one by one (measured: ~1.5 each).
 */
static bool gathering_pays(const struct cot_lloyd *l, const struct chunk *chunk)
{
    enum { GATHER_COST = 24, TILE_COST = 40 };
    size_t d = l->tiles->d;
    size_t tile_cost = l->k * d + TILE_COST;
    size_t n_gathered = (chunk->n_open + COT_TILE - 1) / COT_TILE;
    return n_gathered * (tile_cost + GATHER_COST * d) < chunk->n_open_tiles * tile_cost;
}

void cot_lloyd_block_step(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_lloyd_scratch *scratch,
                          size_t begin, size_t end)
{
    struct chunk chunk = {.begin = begin};
    block->n_changed = 0;
    block->n_looked = 0;
    memset(block->touched, 0, l->k * sizeof *block->touched);
    for (; chunk.begin < end; chunk.begin = chunk.end) {
        chunk.end = end - chunk.begin < l->chunk ? end : chunk.begin + l->chunk;
        find_open(l, &chunk);
        block->n_looked += chunk.n_open;
        if (chunk.n_open == 0)
            continue;
        if (gathering_pays(l, &chunk))
            look_at_points(l, block, scratch, &chunk);
        else
            look_at_tiles(l, block, scratch, &chunk);
    }
}
