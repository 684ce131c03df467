#include "ml/lloyd_block.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

enum {
    LEAST_BATCH = 4 * COT_TILE, /* points that are looked at together */
    MOST_BATCH = 16 * COT_TILE,
    BATCH_SIZE = 32 << 10, /* bytes of an AMX batch that stay in the nearest cache */
    AHEAD = 2 * COT_TILE,  /* a batch and so many points before, their rows are asked for */
    STRETCH = 256,         /* points whose bounds are looked at together */
    LINE = 64 / sizeof(float)
};

/* AMX is set up anew for each batch, so it takes more points at once. */
static size_t batch_of(size_t d, enum cot_isa isa)
{
    size_t n = BATCH_SIZE / sizeof(float) / d / COT_TILE * COT_TILE;
    if (isa != COT_ISA_AMX)
        return LEAST_BATCH;
    return n < LEAST_BATCH ? LEAST_BATCH : n > MOST_BATCH ? MOST_BATCH : n;
}

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
    size_t most = batch_of(d, COT_ISA_AMX);
    return most * (d + 1) * sizeof(float) + most / COT_TILE * sizeof(struct cot_nearest);
}

cot_code cot_lloyd_scratch_init(struct cot_lloyd_scratch *ret_scratch, size_t d, enum cot_isa isa, struct cot_err *err)
{
    struct cot_lloyd_scratch s = {.batch = batch_of(d, isa)};
    s.tiles = cot_alloc_aligned(s.batch, d, sizeof *s.tiles);
    s.norms2 = cot_alloc_array(s.batch, 1, sizeof *s.norms2);
    s.nearest = cot_alloc_array(s.batch / COT_TILE, 1, sizeof *s.nearest);
    if (s.tiles == NULL || s.norms2 == NULL || s.nearest == NULL) {
        cot_lloyd_scratch_release(&s);
        return cot_fail(err, COT_NOMEM, "room for %zu points of %zu columns", batch_of(d, isa), d);
    }
    *ret_scratch = s;
    return COT_OK;
}

void cot_lloyd_scratch_release(struct cot_lloyd_scratch *scratch)
{
    free(scratch->tiles);
    free(scratch->norms2);
    free(scratch->nearest);
    *scratch = (struct cot_lloyd_scratch){0};
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
static void take_change(struct cot_lloyd *l, struct cot_lloyd_block *block, size_t i, uint32_t c)
{
    size_t d = l->tiles->d;
    uint32_t before = l->labels[i];
    double w = l->weights != NULL ? (double)l->weights[i] : 1;
    l->labels[i] = c;
    block->n_changed++;
    if (w <= 0)
        return;
    touch(block, c, d);
    block->count[c]++;
    if (l->weights != NULL)
        block->mass[c] += w;
    if (l->fresh) {
        cot_tiles_move(l->tiles, i, w, block->sums + c * d, NULL);
        return;
    }
    touch(block, before, d);
    block->count[before]--;
    if (l->weights != NULL)
        block->mass[before] -= w;
    cot_tiles_move(l->tiles, i, w, block->sums + c * d, block->sums + before * d);
}

/* All of a tile are neighbours. */
static bool are_neighbours(const uint32_t *at, size_t n)
{
    return n == COT_TILE && at[n - 1] - at[0] == n - 1;
}

/* Takes over what was found of n points, COT_TILE at most: first + at[0], ... */
static void take_points(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_nearest *nearest,
                        size_t first, const uint32_t *at, size_t n)
{
    uint32_t changed = 0;
    if (are_neighbours(at, n)) {
        size_t i = first + at[0];
        changed = l->assign.lanes->take(nearest, l->loss_f, l->k, l->labels + i, l->slack + i);
    } else {
        uint32_t labels[COT_TILE] = {0};
        float slack[COT_TILE];
        for (size_t lane = 0; lane < n; lane++)
            labels[lane] = l->labels[first + at[lane]];
        changed = l->assign.lanes->take(nearest, l->loss_f, l->k, labels, slack);
        for (size_t lane = 0; lane < n; lane++)
            l->slack[first + at[lane]] = slack[lane];
    }
    for (changed = (l->fresh ? UINT32_MAX : changed) & ((1U << n) - 1); changed != 0; changed &= changed - 1) {
        size_t lane = (size_t)__builtin_ctz(changed);
        take_change(l, block, first + at[lane], nearest->index[lane]);
    }
}

/* ---- looking at them ---- */

/* The points of a block that must be looked at: found stretch by stretch, waiting until their rows have come. */
struct queue {
    uint32_t at[2 * MOST_BATCH + AHEAD + STRETCH + COT_TILE]; /* counted from the block's first point */
    size_t begin, end;
    size_t n_found; /* points of the block whose bounds were looked at */
};

/*
 * Rows that are asked for while others are worked on, a few at a time: the processor notes only so many requests, and
 * stands still while it has no room for the next.
 */
struct ahead {
    const uint32_t *at;
    size_t n;
    size_t n_at_once;
};

/* A batch of them, asked for in n_times parts. */
static struct ahead ahead_of(const struct queue *queue, size_t batch, size_t n_times)
{
    size_t n_waiting = queue->end - queue->begin;
    size_t n_before = n_waiting < batch + AHEAD ? n_waiting : batch + AHEAD;
    size_t n = n_waiting - n_before < batch ? n_waiting - n_before : batch;
    return (struct ahead){queue->at + queue->begin + n_before, n, (n + n_times - 1) / n_times};
}

/* Asks for the next of them. Inlined: GCC 12 takes a function that only prefetches for one that does nothing. */
static inline __attribute__((always_inline)) void fetch(const struct cot_lloyd *l, size_t first, struct ahead *ahead)
{
    enum { MAX_COLUMNS = 256 };
    size_t d = l->tiles->d < MAX_COLUMNS ? l->tiles->d : MAX_COLUMNS;
    size_t n = ahead->n < ahead->n_at_once ? ahead->n : ahead->n_at_once;
    for (size_t p = 0; p < n; p++) {
        const float *row = cot_matrix_row(&l->tiles->x, first + ahead->at[p]);
        for (size_t j = 0; j < d; j += LINE)
            __builtin_prefetch(row + j);
    }
    ahead->at += n;
    ahead->n -= n;
}

/* Norms of n points, COT_TILE at most; the last one's for what is left of the tile. */
static void gather_norms(const float *norm2, const uint32_t *at, size_t n, float ret_norm2[COT_TILE])
{
    if (are_neighbours(at, n))
        memcpy(ret_norm2, norm2 + at[0], COT_TILE * sizeof *ret_norm2);
    else
        for (size_t lane = 0; lane < COT_TILE; lane++)
            ret_norm2[lane] = norm2[at[lane < n ? lane : n - 1]];
}

static size_t in_tile(size_t n, size_t i_tile)
{
    size_t n_left = n - i_tile * COT_TILE;
    return n_left < COT_TILE ? n_left : COT_TILE;
}

/* Assigns the next n points that wait, a batch at most. */
static void look_at(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_lloyd_scratch *scratch,
                    size_t first, const struct queue *queue, size_t n)
{
    struct cot_tile_view tiles[MOST_BATCH / COT_TILE];
    size_t n_tiles = (n + COT_TILE - 1) / COT_TILE;
    const uint32_t *at = queue->at + queue->begin;
    struct ahead ahead = ahead_of(queue, scratch->batch, 2 * n_tiles);
    for (size_t m = 0; m < n_tiles; m++) {
        float *tile = scratch->tiles + m * l->tiles->d * COT_TILE;
        float *norm2 = scratch->norms2 + m * COT_TILE;
        fetch(l, first, &ahead);
        cot_tiles_gather(l->tiles, first, at + m * COT_TILE, in_tile(n, m), tile);
        gather_norms(l->tiles->norm2 + first, at + m * COT_TILE, in_tile(n, m), norm2);
        tiles[m] = (struct cot_tile_view){tile, norm2, cot_tile_radius(norm2)};
    }
    cot_assign_run(&l->assign, tiles, n_tiles, scratch->nearest);
    for (size_t m = 0; m < n_tiles; m++) {
        fetch(l, first, &ahead);
        take_points(l, block, scratch->nearest + m, first, at + m * COT_TILE, in_tile(n, m));
    }
}

/* Asks for the bounds and norms of points [begin, end). */
static inline __attribute__((always_inline)) void fetch_bounds(const struct cot_lloyd *l, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i += LINE) {
        __builtin_prefetch(l->slack + i);
        __builtin_prefetch(l->labels + i);
        __builtin_prefetch(l->tiles->norm2 + i);
    }
}

/* Until a batch waits, one more is ahead of it and AHEAD are between them, or all points were found. */
static void fill(const struct cot_lloyd *l, size_t first, size_t n, size_t batch, struct queue *queue)
{
    memmove(queue->at, queue->at + queue->begin, (queue->end - queue->begin) * sizeof *queue->at);
    queue->end -= queue->begin;
    queue->begin = 0;
    while (queue->end < 2 * batch + AHEAD && queue->n_found < n) {
        size_t i = first + queue->n_found;
        size_t n_left = n - queue->n_found;
        size_t n_stretch = n_left < STRETCH ? n_left : STRETCH;
        if (n_left > 2 * STRETCH) /* the one after next */
            fetch_bounds(l, i + 2 * STRETCH, i + (n_left < 3 * STRETCH ? n_left : 3 * STRETCH));
        queue->end += l->assign.lanes->open(l->slack + i, l->labels + i, l->loss_f, l->k, n_stretch,
                                            (uint32_t)queue->n_found, queue->at + queue->end);
        queue->n_found += n_stretch;
    }
}

/* No point has a centre yet; padding never asks for one. Here, where each thread's own memory is touched first. */
static void start_points(struct cot_lloyd *l, size_t begin, size_t end)
{
    memset(l->labels + begin, 0, (end - begin) * sizeof *l->labels);
    for (size_t i = begin; i < end; i++)
        l->slack[i] = i < l->tiles->n ? -1 : INFINITY;
}

void cot_lloyd_block_step(struct cot_lloyd *l, struct cot_lloyd_block *block, const struct cot_lloyd_scratch *scratch,
                          size_t begin, size_t end)
{
    size_t first = begin * COT_TILE;
    size_t n = (end * COT_TILE < l->tiles->n ? end * COT_TILE : l->tiles->n) - first;
    size_t batch = scratch->batch;
    struct queue queue;
    queue.begin = queue.end = queue.n_found = 0;
    block->n_changed = 0;
    block->n_looked = 0;
    if (l->fresh)
        start_points(l, begin * COT_TILE, end * COT_TILE);
    memset(block->touched, 0, l->k * sizeof *block->touched);
    for (;;) {
        if (queue.end - queue.begin < 2 * batch + AHEAD)
            fill(l, first, n, batch, &queue);
        size_t n_batch = queue.end - queue.begin < batch ? queue.end - queue.begin : batch;
        if (n_batch == 0)
            break;
        look_at(l, block, scratch, first, &queue, n_batch);
        block->n_looked += n_batch;
        queue.begin += n_batch;
    }
}
