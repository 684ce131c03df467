#include "ml/lloyd.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/lloyd_block.h"
#include "num/check.h"

enum {
    MIN_TILES_A_BLOCK = 64,
    MAX_PARTIAL_SIZE = 16 << 20 /* bytes of sums over all blocks: fewer, larger blocks where k * d is large */
};

static size_t block_for(size_t n_tiles, size_t k, size_t d)
{
    size_t most_blocks = MAX_PARTIAL_SIZE / sizeof(double) / (k > 0 ? k : 1) / (d > 0 ? d : 1);
    most_blocks = most_blocks > 0 ? most_blocks : 1;
    size_t least = (n_tiles + most_blocks - 1) / most_blocks;
    return cot_block_of(n_tiles, least > MIN_TILES_A_BLOCK ? least : MIN_TILES_A_BLOCK);
}

size_t cot_lloyd_memory(size_t n, size_t d, size_t k, unsigned n_threads)
{
    size_t n_tiles = (n + COT_TILE - 1) / COT_TILE;
    size_t n_blocks = n_tiles > 0 ? cot_n_blocks(n_tiles, block_for(n_tiles, k, d)) : 1;
    size_t points = 0;
    size_t centres = 0;
    if (__builtin_mul_overflow(n_tiles * COT_TILE, sizeof(uint32_t) + sizeof(float), &points) ||
        __builtin_mul_overflow(k, d + 4, &centres) ||
        __builtin_mul_overflow(centres, (n_blocks + 4) * sizeof(double), &centres))
        return SIZE_MAX;
    return points + centres + n_threads * cot_lloyd_scratch_memory(d);
}

cot_code cot_lloyd_init(struct cot_lloyd *ret_lloyd, const struct cot_tiles *tiles, const float *weights, size_t k,
                        unsigned n_threads, enum cot_isa isa, struct cot_err *err)
{
    struct cot_lloyd l = {.tiles = tiles, .weights = weights, .k = k, .n_threads = n_threads};
    if (n_threads == 0)
        l.n_threads = cot_threads_available();
    size_t n_padded = tiles->n_tiles * COT_TILE;
    cot_code rc = cot_assign_init(&l.assign, k, tiles->d, isa, err);
    if (rc != COT_OK)
        return rc;
    l.block = block_for(tiles->n_tiles, k, tiles->d);
    l.n_blocks = cot_n_blocks(tiles->n_tiles, l.block);
    l.centres = cot_alloc_array(k, tiles->d, sizeof *l.centres);
    l.labels = cot_alloc_uninitialised(n_padded, 1, sizeof *l.labels); /* filled by the first step */
    l.mass = cot_alloc_array(k, 1, sizeof *l.mass);
    l.sums = cot_alloc_array(k, tiles->d, sizeof *l.sums);
    l.count = cot_alloc_array(k, 1, sizeof *l.count);
    l.slack = cot_alloc_uninitialised(n_padded, 1, sizeof *l.slack);
    l.loss = cot_alloc_array(k, 1, sizeof *l.loss);
    l.loss_f = cot_alloc_array(k + COT_LANES_TABLE, 1, sizeof *l.loss_f);
    l.moves = cot_alloc_array(k, 1, sizeof *l.moves);
    l.peak = cot_alloc_array(k, 1, sizeof *l.peak);
    l.renewed = cot_alloc_array(k, 1, sizeof *l.renewed);
    l.blocks = cot_alloc_array(l.n_blocks, 1, sizeof *l.blocks);
    l.scratch = cot_alloc_array(l.n_threads, 1, sizeof *l.scratch);
    if (l.centres == NULL || l.labels == NULL || l.mass == NULL || l.sums == NULL || l.count == NULL ||
        l.slack == NULL || l.loss == NULL || l.loss_f == NULL || l.moves == NULL || l.peak == NULL ||
        l.renewed == NULL || l.blocks == NULL || l.scratch == NULL)
        rc = cot_fail(err, COT_NOMEM, "k-means of %zu points into %zu clusters", tiles->n, k);
    for (size_t b = 0; b < l.n_blocks && rc == COT_OK; b++)
        rc = cot_lloyd_block_init(l.blocks + b, k, tiles->d, err);
    for (unsigned i = 0; i < l.n_threads && rc == COT_OK; i++)
        rc = cot_lloyd_scratch_init(l.scratch + i, tiles->d, l.assign.centres.isa, err);
    if (rc != COT_OK) {
        cot_lloyd_release(&l);
        return rc;
    }
    *ret_lloyd = l;
    return COT_OK;
}

void cot_lloyd_release(struct cot_lloyd *lloyd)
{
    for (size_t b = 0; lloyd->blocks != NULL && b < lloyd->n_blocks; b++)
        cot_lloyd_block_release(lloyd->blocks + b);
    for (unsigned i = 0; lloyd->scratch != NULL && i < lloyd->n_threads; i++)
        cot_lloyd_scratch_release(lloyd->scratch + i);
    cot_assign_release(&lloyd->assign);
    free(lloyd->centres);
    free(lloyd->labels);
    free(lloyd->mass);
    free(lloyd->sums);
    free(lloyd->count);
    free(lloyd->slack);
    free(lloyd->loss);
    free(lloyd->loss_f);
    free(lloyd->moves);
    free(lloyd->peak);
    free(lloyd->renewed);
    free(lloyd->blocks);
    free(lloyd->scratch);
    *lloyd = (struct cot_lloyd){0};
}

/* ---- assignment ---- */

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct cot_lloyd *l = context;
    cot_lloyd_block_step(l, l->blocks + i_block, l->scratch + i_thread, begin, end);
}

/* Adds what the blocks changed to the totals of some centres, in block order. */
static void reduce_centres(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct cot_lloyd *l = context;
    size_t d = l->tiles->d;
    (void)i_block;
    (void)i_thread;
    for (size_t c = begin; c < end; c++)
        for (size_t b = 0; b < l->n_blocks; b++) {
            const struct cot_lloyd_block *block = l->blocks + b;
            if (!block->touched[c])
                continue;
            for (size_t j = 0; j < d; j++)
                l->sums[c * d + j] += block->sums[c * d + j];
            l->count[c] += block->count[c];
            l->mass[c] = l->weights != NULL ? l->mass[c] + block->mass[c] : (double)l->count[c];
        }
}

/*
 * What is left of a cluster that lost nearly all of its weight is mostly what rounding left behind: added up anew.
 * Equal weights are counted exactly.
 */
static void renew_light_clusters(struct cot_lloyd *l)
{
    const double lost = 1e-6;
    size_t d = l->tiles->d;
    bool any = false;
    for (size_t c = 0; l->weights != NULL && c < l->k; c++) {
        l->peak[c] = l->mass[c] > l->peak[c] ? l->mass[c] : l->peak[c];
        l->renewed[c] = l->count[c] > 0 && !(l->mass[c] > lost * l->peak[c]);
        any |= l->renewed[c];
        if (!l->renewed[c])
            continue;
        l->mass[c] = 0;
        memset(l->sums + c * d, 0, d * sizeof *l->sums);
    }
    for (size_t i = 0; any && i < l->tiles->n; i++) {
        uint32_t c = l->labels[i];
        if (!l->renewed[c] || l->weights[i] <= 0)
            continue;
        l->mass[c] += (double)l->weights[i];
        cot_tiles_move(l->tiles, i, (double)l->weights[i], l->sums + c * d, NULL);
    }
    for (size_t c = 0; any && c < l->k; c++)
        if (l->renewed[c])
            l->peak[c] = l->mass[c];
}

static void assign(struct cot_lloyd *l)
{
    enum { SUMS_A_BLOCK = 1 << 14 };
    size_t per_centre = l->n_blocks * l->tiles->d + 1;
    cot_assign_set(&l->assign, l->centres);
    cot_parallel_for(l->n_threads, l->tiles->n_tiles, l->block, assign_block, l);
    cot_parallel_for(l->n_threads, l->k, SUMS_A_BLOCK / per_centre + 1, reduce_centres, l);
    l->n_changed = 0;
    l->n_skipped = l->tiles->n;
    for (size_t b = 0; b < l->n_blocks; b++) {
        l->n_changed += l->blocks[b].n_changed;
        l->n_skipped -= l->blocks[b].n_looked;
    }
    l->fresh = false;
    l->n_assigned += l->tiles->n;
    l->n_skipped_in_all += l->n_skipped;
    for (size_t c = 0; c < l->k; c++)
        if (l->count[c] == 0) { /* differences leave crumbs */
            l->mass[c] = 0;
            memset(l->sums + c * l->tiles->d, 0, l->tiles->d * sizeof *l->sums);
        }
    renew_light_clusters(l);
}

/* ---- empty clusters ---- */

struct own_distances {
    const struct cot_lloyd *lloyd;
    double *d2;    /* n_tiles * COT_TILE, or NULL */
    double *total; /* a block: sum of weight * d2 */
};

static void measure_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct own_distances *own = context;
    const struct cot_lloyd *l = own->lloyd;
    size_t d = l->tiles->d;
    double total = 0;
    (void)i_thread;
    for (size_t i = begin * COT_TILE; i < end * COT_TILE && i < l->tiles->n; i++) {
        double d2 = cot_tiles_distance2(l->tiles, i, l->centres + l->labels[i] * d);
        total += l->weights != NULL ? (double)l->weights[i] * d2 : d2;
        if (own->d2 != NULL)
            own->d2[i] = d2;
    }
    own->total[i_block] = total;
}

/* Distances of all points to their own centres into ret_d2 (may be NULL); returns the weighted sum. */
static double measure(const struct cot_lloyd *l, double *ret_d2)
{
    double totals[64]; /* cot_block_of makes no more blocks */
    struct own_distances own = {.lloyd = l, .d2 = ret_d2, .total = totals};
    double total = 0;
    cot_parallel_for(l->n_threads, l->tiles->n_tiles, l->block, measure_block, &own);
    for (size_t b = 0; b < l->n_blocks; b++)
        total += totals[b];
    return total;
}

/* The point farthest from its centre that its cluster can spare; n where there is none. */
static size_t farthest_spare(const struct cot_lloyd *l, const double *d2)
{
    size_t farthest = l->tiles->n;
    double most = 0;
    for (size_t i = 0; i < l->tiles->n; i++)
        if (d2[i] > most && (l->weights == NULL || l->weights[i] > 0) && l->count[l->labels[i]] > 1) {
            most = d2[i];
            farthest = i;
        }
    return farthest;
}

static void move_point(struct cot_lloyd *l, size_t i, size_t c)
{
    size_t d = l->tiles->d;
    uint32_t donor = l->labels[i];
    double w = l->weights != NULL ? (double)l->weights[i] : 1;
    cot_tiles_move(l->tiles, i, w, l->sums + c * d, l->sums + donor * d); /* an empty cluster's sums are 0 */
    l->mass[donor] -= w;
    l->mass[c] = w;
    l->count[donor]--;
    l->count[c] = 1;
    l->labels[i] = (uint32_t)c;
    l->slack[i] = -1; /* it was taken, not assigned */
}

/* Gives each empty cluster the farthest point of all; true if one was moved. */
static bool repair_empty(struct cot_lloyd *l)
{
    bool moved = false;
    double *d2 = NULL;
    for (size_t c = 0; c < l->k; c++) {
        if (l->count[c] > 0)
            continue;
        if (d2 == NULL) {
            d2 = cot_alloc_array(l->tiles->n, 1, sizeof *d2);
            if (d2 == NULL)
                break; /* the cluster stays empty: a worse fit, not a wrong one */
            (void)measure(l, d2);
        }
        size_t i = farthest_spare(l, d2);
        if (i == l->tiles->n)
            break;
        move_point(l, i, c);
        d2[i] = 0;
        moved = true;
    }
    free(d2);
    return moved;
}

/* ---- centres ---- */

/* A point of centre c loses at most its own centre's move and the largest move of any other. */
static void add_losses(struct cot_lloyd *l)
{
    double most = 0;
    double next = 0;
    size_t i_most = l->k;
    for (size_t c = 0; c < l->k; c++)
        if (l->moves[c] > most) {
            next = most;
            most = l->moves[c];
            i_most = c;
        } else if (l->moves[c] > next) {
            next = l->moves[c];
        }
    for (size_t c = 0; c < l->k; c++) {
        l->loss[c] += (l->moves[c] + (c == i_most ? next : most)) * (1 + 1e-12);
        l->loss_f[c] = (float)(l->loss[c] * (1 + 2 * (double)FLT_EPSILON));
    }
}

/* Centres become the means of their points; an empty one stays. Returns the sum of squared shifts. */
static double move_centres(struct cot_lloyd *l)
{
    size_t d = l->tiles->d;
    double shift = 0;
    for (size_t c = 0; c < l->k; c++) {
        double move2 = 0;
        for (size_t j = 0; j < d && l->count[c] > 0; j++) {
            float mean = (float)(l->sums[c * d + j] / l->mass[c]);
            double step = (double)mean - (double)l->centres[c * d + j];
            l->centres[c * d + j] = mean;
            move2 += step * step;
        }
        l->moves[c] = isfinite(move2) ? sqrt(move2) : INFINITY; /* NaN would count as no move */
        shift += move2;
    }
    add_losses(l);
    return shift;
}

/* ---- the loop ---- */

static void start_anew(struct cot_lloyd *l)
{
    memset(l->mass, 0, l->k * sizeof *l->mass);
    memset(l->sums, 0, l->k * l->tiles->d * sizeof *l->sums);
    memset(l->count, 0, l->k * sizeof *l->count);
    memset(l->loss, 0, l->k * sizeof *l->loss);
    memset(l->loss_f, 0, l->k * sizeof *l->loss_f);
    memset(l->peak, 0, l->k * sizeof *l->peak);
    l->fresh = true;
}

unsigned cot_lloyd_run(struct cot_lloyd *l, unsigned max_iter, double tol)
{
    unsigned n_iter = 0;
    start_anew(l);
    assign(l);
    while (n_iter < max_iter) {
        cot_progress_report(l->progress, "k-means steps", n_iter, max_iter);
        bool moved = repair_empty(l);
        double shift = move_centres(l);
        n_iter++;
        assign(l);
        if (!moved && (l->n_changed == 0 || shift <= tol))
            break;
    }
    return n_iter;
}

/*
 * sum w |x - m|^2 = sum w |x|^2 - 2 sum m . S + sum M |m|^2, with S and M the sums and masses of the clusters. Where
 * that is a small part of the whole, its digits are gone.
 */
double cot_lloyd_inertia(const struct cot_lloyd *l)
{
    const double least_share = 1e-3;
    size_t d = l->tiles->d;
    double inertia = l->tiles->square;
    for (size_t c = 0; c < l->k; c++) {
        double product = 0;
        double norm2 = 0;
        for (size_t j = 0; j < d; j++) {
            double m = (double)l->centres[c * d + j];
            product += m * l->sums[c * d + j];
            norm2 += m * m;
        }
        inertia += l->mass[c] * norm2 - 2 * product;
    }
    return inertia > least_share * l->tiles->square ? inertia : measure(l, NULL);
}
