#include "num/tiles.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/tiles_rows.h"

enum { MAX_EXPONENT = 126 };

/* Between this scale and its inverse no squared norm of the unscaled data overflows or loses digits. */
#define LEAST_ORDINARY 0x1p-40

/* ---- centring ---- */

/* The power of two that brings the largest value into [0.5, 1), as far as it is an ordinary float32. */
static double scale_for(double largest)
{
    int exponent = 0;
    if (largest == 0)
        return 1;
    frexp(largest, &exponent);
    exponent = exponent < -MAX_EXPONENT ? -MAX_EXPONENT : exponent > MAX_EXPONENT ? MAX_EXPONENT : exponent;
    return ldexp(1, -exponent);
}

/* Means of some rows, evenly spaced: near enough to those of all, and no pass over them. */
static void centre_on_sample(struct cot_tiles *tiles)
{
    enum { SAMPLE = 4096 };
    size_t n = tiles->n < SAMPLE ? tiles->n : SAMPLE;
    for (size_t s = 0; s < n; s++) {
        const float *row = cot_matrix_row(&tiles->x, s * (tiles->n / n));
        for (size_t j = 0; j < tiles->d; j++)
            tiles->centre[j] += (double)row[j];
    }
    for (size_t j = 0; j < tiles->d; j++)
        tiles->centre[j] = (double)(float)(tiles->centre[j] / (double)n);
}

static void set_scale(struct cot_tiles *tiles, double scale)
{
    tiles->scale = scale;
    /* Large numbers are scaled first, so that no difference overflows; small ones after, so that none is lost. */
    tiles->down = scale < 1 ? (float)scale : 1.0F;
    tiles->up = scale < 1 ? 1.0F : (float)scale;
    for (size_t j = 0; j < tiles->d; j++)
        tiles->offset[j] = (float)tiles->centre[j] * tiles->down;
}

/* Reduces the blocks' surveys, in block order, to means and scale. */
static void choose_units(struct cot_tile_pass *pass, size_t n_blocks)
{
    struct cot_tiles *tiles = pass->tiles;
    size_t d = tiles->d;
    double largest = 0;
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t j = 0; j < d; j++)
            pass->sums[j] += pass->sums[b * d + j];
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t j = 0; j < d; j++) {
            largest = fmax(largest, (double)pass->high[b * d + j] - tiles->centre[j]);
            largest = fmax(largest, tiles->centre[j] - (double)pass->low[b * d + j]);
        }
    set_scale(tiles, scale_for(largest));
    for (size_t j = 0; j < d; j++)
        tiles->mean[j] = (pass->sums[j] / (double)tiles->n - tiles->centre[j]) * tiles->scale;
}

float cot_tile_radius(const float *norm2)
{
    enum { SIDES = 4 };
    /* side by side: a comparison need not wait for the one before */
    float most[SIDES] = {norm2[0], norm2[1], norm2[2], norm2[3]};
    for (size_t lane = SIDES; lane < COT_TILE; lane++)
        most[lane % SIDES] = norm2[lane] > most[lane % SIDES] ? norm2[lane] : most[lane % SIDES];
    float low = most[0] > most[1] ? most[0] : most[1];
    float high = most[2] > most[3] ? most[2] : most[3];
    return sqrtf(low > high ? low : high) * (1 + 4 * FLT_EPSILON);
}

static void survey_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_tile_pass *pass = context;
    (void)i_thread;
    pass->tiles->routines->survey(pass, begin, end, i_block);
}

/* Norms in the data's units become those in the tiles'. */
static void scale_norms(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_tile_pass *pass = context;
    float scale2 = (float)(pass->tiles->scale * pass->tiles->scale);
    (void)i_thread;
    for (size_t i = begin; i < end; i++)
        pass->tiles->norm2[i] *= scale2;
    pass->squares[i_block] *= (double)scale2;
}

static void measure_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cot_tile_pass *pass = context;
    (void)i_thread;
    pass->tiles->routines->norms(pass, begin, end, i_block);
}

void cot_tiles_get(const struct cot_tiles *tiles, size_t i_tile, float *ret_tile)
{
    const float *rows[COT_TILE];
    size_t first = i_tile * COT_TILE;
    size_t n = tiles->n - first < COT_TILE ? tiles->n - first : COT_TILE;
    for (size_t lane = 0; lane < COT_TILE; lane++)
        rows[lane] = cot_matrix_row(&tiles->x, first + (lane < n ? lane : 0));
    tiles->routines->turn(tiles, rows, ret_tile);
    for (size_t j = 0; n < COT_TILE && j < tiles->d; j++)
        memset(ret_tile + j * COT_TILE + n, 0, (COT_TILE - n) * sizeof *ret_tile);
}

void cot_tiles_gather(const struct cot_tiles *tiles, size_t first, const uint32_t *at, size_t n, float *ret_tiles)
{
    const float *rows[COT_TILE];
    for (size_t begin = 0; begin < n; begin += COT_TILE) {
        for (size_t lane = 0; lane < COT_TILE; lane++)
            rows[lane] = cot_matrix_row(&tiles->x, first + at[begin + lane < n ? begin + lane : n - 1]);
        tiles->routines->turn(tiles, rows, ret_tiles + begin * tiles->d);
    }
}

void cot_tiles_move(const struct cot_tiles *tiles, size_t i, double weight, double *to, double *from)
{
    tiles->routines->move(tiles, i, weight, to, from);
}

double cot_tiles_distance2(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    return tiles->routines->distance2(tiles, i, centre);
}

/* ---- making and unmaking ---- */

size_t cot_tiles_memory(size_t n, size_t d)
{
    enum { BLOCKS = 64 };
    size_t size = n < SIZE_MAX - COT_TILE ? (n + COT_TILE) * sizeof(float) : SIZE_MAX;
    if (n > SIZE_MAX / sizeof(float) / 2)
        return SIZE_MAX;
    return size + BLOCKS * ((d + 1) * sizeof(double) + 2 * d * sizeof(float)) + 3 * d * sizeof(double);
}

cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, enum cot_isa isa, struct cot_err *err)
{
    struct cot_tiles tiles = {.x = *x, .n = x->n, .d = x->d, .n_tiles = (x->n + COT_TILE - 1) / COT_TILE, .scale = 1};
    struct cot_tile_pass pass = {.x = x, .weights = weights, .tiles = &tiles};
    size_t block = cot_block_of(x->n, 1024);
    size_t n_blocks = cot_n_blocks(x->n, block);
    bool wrong = false;
    cot_code rc = cot_isa_resolve(isa, &tiles.isa, err);
    if (rc != COT_OK)
        return rc;
    tiles.routines = cot_tile_routines_for(tiles.isa);

    tiles.norm2 = cot_alloc_uninitialised(tiles.n_tiles, COT_TILE, sizeof *tiles.norm2);
    tiles.mean = cot_alloc_array(x->d, 1, sizeof *tiles.mean);
    tiles.centre = cot_alloc_array(x->d, 1, sizeof *tiles.centre);
    tiles.offset = cot_alloc_array(x->d, 1, sizeof *tiles.offset);
    pass.sums = cot_alloc_array(n_blocks, x->d, sizeof *pass.sums);
    pass.low = cot_alloc_array(n_blocks, x->d, sizeof *pass.low);
    pass.high = cot_alloc_array(n_blocks, x->d, sizeof *pass.high);
    pass.squares = cot_alloc_array(n_blocks, 1, sizeof *pass.squares);
    if (tiles.norm2 == NULL || tiles.mean == NULL || tiles.centre == NULL || tiles.offset == NULL ||
        pass.sums == NULL || pass.low == NULL || pass.high == NULL || pass.squares == NULL) {
        rc = cot_fail(err, COT_NOMEM, "what k-means knows of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    centre_on_sample(&tiles);
    set_scale(&tiles, 1);
    cot_parallel_for(n_threads, x->n, block, survey_rows, &pass);
    for (size_t s = 0; s < n_blocks * x->d; s++)
        wrong |= !isfinite(pass.sums[s]);
    if (wrong) { /* found again for its place */
        rc = cot_check_finite(x, false, err);
        goto out;
    }
    choose_units(&pass, n_blocks);
    bool ordinary = tiles.scale > LEAST_ORDINARY && tiles.scale < 1 / LEAST_ORDINARY;
    cot_parallel_for(n_threads, x->n, block, ordinary ? scale_norms : measure_rows, &pass);
    for (size_t b = 0; b < n_blocks; b++)
        tiles.square += pass.squares[b];
    for (size_t i = x->n; i < tiles.n_tiles * COT_TILE; i++)
        tiles.norm2[i] = 0;
    *ret_tiles = tiles;
    tiles = (struct cot_tiles){0};
out:
    cot_tiles_release(&tiles);
    free(pass.sums);
    free(pass.low);
    free(pass.high);
    free(pass.squares);
    return rc;
}

cot_code cot_tiles_of_units(struct cot_tiles *ret_tiles, const struct cot_matrix *x, enum cot_isa isa,
                            struct cot_err *err)
{
    struct cot_tiles tiles = {
        .x = *x, .n = x->n, .d = x->d, .n_tiles = (x->n + COT_TILE - 1) / COT_TILE, .scale = 1, .down = 1, .up = 1};
    cot_code rc = cot_isa_resolve(isa, &tiles.isa, err);
    if (rc != COT_OK)
        return rc;
    tiles.routines = cot_tile_routines_for(tiles.isa);
    tiles.offset = cot_alloc_array(x->d, 1, sizeof *tiles.offset);
    if (tiles.offset == NULL)
        return cot_fail(err, COT_NOMEM, "%zu columns", x->d);
    *ret_tiles = tiles;
    return COT_OK;
}

void cot_tiles_release(struct cot_tiles *tiles)
{
    free(tiles->norm2);
    free(tiles->mean);
    free(tiles->centre);
    free(tiles->offset);
    *tiles = (struct cot_tiles){0};
}

void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row)
{
    const float *row = cot_matrix_row(&tiles->x, i);
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = cot_tile_inward(tiles, row[j], j);
}

void cot_tiles_inward(const struct cot_tiles *tiles, const float *row, float *ret_row)
{
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = (float)(((double)row[j] - tiles->centre[j]) * tiles->scale);
}

void cot_tiles_outward(const struct cot_tiles *tiles, const float *row, float *ret_row)
{
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = (float)((double)row[j] / tiles->scale + tiles->centre[j]);
}
