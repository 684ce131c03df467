#include "ml/lloyd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"

enum {
    MIN_TILES_A_BLOCK = 64,
    MAX_PARTIAL_SIZE = 256 << 20 /* bytes of sums over all blocks: fewer, larger blocks where k * d is large */
};

cot_code cot_lloyd_init(struct cot_lloyd *ret_lloyd, const struct cot_tiles *tiles, const float *weights, size_t k,
                        unsigned n_threads, struct cot_err *err)
{
    struct cot_lloyd l = {.tiles = tiles, .weights = weights, .k = k, .n_threads = n_threads};
    size_t n_padded = tiles->n_tiles * COT_TILE;
    size_t most_blocks = MAX_PARTIAL_SIZE / sizeof(double) / (k > 0 ? k : 1) / (tiles->d > 0 ? tiles->d : 1);
    most_blocks = most_blocks > 0 ? most_blocks : 1;
    size_t least = (tiles->n_tiles + most_blocks - 1) / most_blocks;
    l.block = cot_block_of(tiles->n_tiles, least > MIN_TILES_A_BLOCK ? least : MIN_TILES_A_BLOCK);
    l.n_blocks = cot_n_blocks(tiles->n_tiles, l.block);
    l.centres = cot_alloc_array(k, tiles->d, sizeof *l.centres);
    l.labels = cot_alloc_array(n_padded, 1, sizeof *l.labels);
    l.d2 = cot_alloc_array(n_padded, 1, sizeof *l.d2);
    l.mass = cot_alloc_array(k, 1, sizeof *l.mass);
    l.sums = cot_alloc_array(k, tiles->d, sizeof *l.sums);
    l.count = cot_alloc_array(k, 1, sizeof *l.count);
    l.block_sums = cot_alloc_array(l.n_blocks, k * tiles->d, sizeof *l.block_sums);
    l.block_mass = cot_alloc_array(l.n_blocks, k, sizeof *l.block_mass);
    l.block_count = cot_alloc_array(l.n_blocks, k, sizeof *l.block_count);
    l.block_inertia = cot_alloc_array(l.n_blocks, 1, sizeof *l.block_inertia);
    l.block_changed = cot_alloc_array(l.n_blocks, 1, sizeof *l.block_changed);
    if (l.centres == NULL || l.labels == NULL || l.d2 == NULL || l.mass == NULL || l.sums == NULL || l.count == NULL ||
        l.block_sums == NULL || l.block_mass == NULL || l.block_count == NULL || l.block_inertia == NULL ||
        l.block_changed == NULL) {
        cot_lloyd_release(&l);
        return cot_fail(err, COT_NOMEM, "k-means of %zu points into %zu clusters", tiles->n, k);
    }
    *ret_lloyd = l;
    return COT_OK;
}

void cot_lloyd_release(struct cot_lloyd *lloyd)
{
    free(lloyd->centres);
    free(lloyd->labels);
    free(lloyd->d2);
    free(lloyd->mass);
    free(lloyd->sums);
    free(lloyd->count);
    free(lloyd->block_sums);
    free(lloyd->block_mass);
    free(lloyd->block_count);
    free(lloyd->block_inertia);
    free(lloyd->block_changed);
    *lloyd = (struct cot_lloyd){0};
}

/* One tile: labels, distances and its share of the block's sums, in one pass over the points. */
static void assign_tile(struct cot_lloyd *l, size_t t, size_t i_block)
{
    const float *tile = cot_tile(l->tiles, t);
    const float *weights = l->weights + t * COT_TILE;
    uint32_t *labels = l->labels + t * COT_TILE;
    size_t d = l->tiles->d;
    double *mass = l->block_mass + i_block * l->k;
    size_t *count = l->block_count + i_block * l->k;
    uint32_t before[COT_TILE];
    double inertia = 0;

    memcpy(before, labels, sizeof before);
    cot_tile_nearest(tile, d, l->centres, l->k, l->d2 + t * COT_TILE, labels);
    for (int lane = 0; lane < COT_TILE; lane++) {
        uint32_t c = labels[lane];
        double w = (double)weights[lane];
        double *sums = l->block_sums + (i_block * l->k + c) * d;
        l->block_changed[i_block] += c != before[lane] && t * COT_TILE + (size_t)lane < l->tiles->n;
        if (w <= 0)
            continue;
        mass[c] += w;
        count[c]++;
        inertia += w * (double)l->d2[t * COT_TILE + (size_t)lane];
        for (size_t j = 0; j < d; j++)
            sums[j] += w * (double)tile[j * COT_TILE + (size_t)lane];
    }
    l->block_inertia[i_block] += inertia;
}

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct cot_lloyd *l = context;
    (void)i_thread;
    memset(l->block_sums + i_block * l->k * l->tiles->d, 0, l->k * l->tiles->d * sizeof *l->block_sums);
    memset(l->block_mass + i_block * l->k, 0, l->k * sizeof *l->block_mass);
    memset(l->block_count + i_block * l->k, 0, l->k * sizeof *l->block_count);
    l->block_inertia[i_block] = 0;
    l->block_changed[i_block] = 0;
    for (size_t t = begin; t < end; t++)
        assign_tile(l, t, i_block);
}

static void assign(struct cot_lloyd *l)
{
    size_t n_sums = l->k * l->tiles->d;
    cot_parallel_for(l->n_threads, l->tiles->n_tiles, l->block, assign_block, l);
    memcpy(l->sums, l->block_sums, n_sums * sizeof *l->sums);
    memcpy(l->mass, l->block_mass, l->k * sizeof *l->mass);
    memcpy(l->count, l->block_count, l->k * sizeof *l->count);
    l->inertia = l->block_inertia[0];
    l->n_changed = l->block_changed[0];
    for (size_t b = 1; b < l->n_blocks; b++) {
        for (size_t s = 0; s < n_sums; s++)
            l->sums[s] += l->block_sums[b * n_sums + s];
        for (size_t c = 0; c < l->k; c++) {
            l->mass[c] += l->block_mass[b * l->k + c];
            l->count[c] += l->block_count[b * l->k + c];
        }
        l->inertia += l->block_inertia[b];
        l->n_changed += l->block_changed[b];
    }
}

/* The point farthest from its centre that its cluster can spare; n where there is none. */
static size_t farthest_spare(const struct cot_lloyd *l)
{
    size_t farthest = l->tiles->n;
    float most = 0;
    for (size_t i = 0; i < l->tiles->n; i++)
        if (l->d2[i] > most && l->weights[i] > 0 && l->count[l->labels[i]] > 1) {
            most = l->d2[i];
            farthest = i;
        }
    return farthest;
}

/* Gives each empty cluster the farthest point of all; true if one was moved. */
static bool repair_empty(struct cot_lloyd *l)
{
    size_t d = l->tiles->d;
    bool moved = false;
    for (size_t c = 0; c < l->k; c++) {
        if (l->count[c] > 0)
            continue;
        size_t i = farthest_spare(l);
        if (i == l->tiles->n)
            break;
        const float *lane = cot_tile(l->tiles, i / COT_TILE) + i % COT_TILE;
        uint32_t donor = l->labels[i];
        double w = (double)l->weights[i];
        for (size_t j = 0; j < d; j++) {
            double value = w * (double)lane[j * COT_TILE];
            l->sums[donor * d + j] -= value;
            l->sums[c * d + j] = value;
        }
        l->mass[donor] -= w;
        l->mass[c] = w;
        l->count[donor]--;
        l->count[c] = 1;
        l->labels[i] = (uint32_t)c;
        l->d2[i] = 0;
        moved = true;
    }
    return moved;
}

/* Centres become the means of their points; an empty one stays. Returns the sum of squared shifts. */
static double move_centres(struct cot_lloyd *l)
{
    size_t d = l->tiles->d;
    double shift = 0;
    for (size_t c = 0; c < l->k; c++) {
        if (l->count[c] == 0)
            continue;
        for (size_t j = 0; j < d; j++) {
            float mean = (float)(l->sums[c * d + j] / l->mass[c]);
            double step = (double)mean - (double)l->centres[c * d + j];
            l->centres[c * d + j] = mean;
            shift += step * step;
        }
    }
    return shift;
}

unsigned cot_lloyd_run(struct cot_lloyd *l, unsigned max_iter, double tol)
{
    unsigned n_iter = 0;
    memset(l->labels, 0xff, l->tiles->n_tiles * COT_TILE * sizeof *l->labels);
    assign(l);
    while (n_iter < max_iter) {
        bool moved = repair_empty(l);
        double shift = move_centres(l);
        n_iter++;
        assign(l);
        if (!moved && (l->n_changed == 0 || shift <= tol))
            break;
    }
    return n_iter;
}
