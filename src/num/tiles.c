#include "num/tiles.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"

#define INLINE static inline __attribute__((always_inline))

typedef float quad __attribute__((vector_size(16)));
typedef int32_t quad_mask __attribute__((vector_size(16)));
typedef double four __attribute__((vector_size(32)));

enum { QUAD = 4, MIN_TILES_A_BLOCK = 64, MAX_EXPONENT = 126 };

/* ---- what centring needs to know of the columns ---- */

struct pass {
    const struct cot_matrix *x;
    const float *weights;
    struct cot_tiles *tiles;
    double *sums;    /* a block: d sums, then the sum of weights */
    float *low;      /* a block: d smallest values */
    float *high;     /* a block: d largest values */
    float *rows;     /* a block: a row of tiles in the making, COT_TILE x d */
    bool *wrong;     /* a block: holds NaN or infinity */
    double *squares; /* a block of tiles: sum of weight * |x|^2 */
};

/* Rows whose columns are looked at four by four while they are in the nearest cache. */
enum { SURVEY_ROWS = 32 };

/* Bits of a float32 without its sign above those of FLT_MAX: infinity or NaN. */
enum { MAGNITUDE = 0x7fffffff, LARGEST_FINITE = 0x7f7fffff };

/* Four columns of some rows: all that is needed of them stays in registers. */
INLINE void survey_quad(const float *first, size_t stride, size_t n_rows, const float *weights, double *sums,
                        float *low, float *high, quad_mask *wrong)
{
    quad least;
    quad most;
    four sum = {0};
    memcpy(&least, low, sizeof least);
    memcpy(&most, high, sizeof most);
    for (size_t r = 0; r < n_rows; r++) {
        quad x;
        quad_mask bits;
        memcpy(&x, first + r * stride, sizeof x);
        memcpy(&bits, &x, sizeof bits);
        *wrong |= (bits & MAGNITUDE) > LARGEST_FINITE;
        quad_mask less = x < least;
        quad_mask more = x > most;
        least = (quad)((less & (quad_mask)x) | (~less & (quad_mask)least));
        most = (quad)((more & (quad_mask)x) | (~more & (quad_mask)most));
        four value = __builtin_convertvector(x, four);
        sum += weights != NULL ? value * (double)weights[r] : value;
    }
    memcpy(low, &least, sizeof least);
    memcpy(high, &most, sizeof most);
    for (int u = 0; u < QUAD; u++)
        sums[u] += sum[u];
}

INLINE void survey_body(const struct pass *pass, size_t begin, size_t end, size_t i_block)
{
    size_t d = pass->x->d;
    double *sums = pass->sums + i_block * (d + 1);
    float *low = pass->low + i_block * d;
    float *high = pass->high + i_block * d;
    quad_mask wrong = {0};
    for (size_t j = 0; j < d; j++) {
        low[j] = FLT_MAX;
        high[j] = -FLT_MAX;
    }
    for (size_t i = begin; i < end; i += SURVEY_ROWS) {
        size_t n_rows = end - i < SURVEY_ROWS ? end - i : SURVEY_ROWS;
        const float *rows = cot_matrix_row(pass->x, i);
        const float *weights = pass->weights != NULL ? pass->weights + i : NULL;
        size_t j = 0;
        for (; j + QUAD <= d; j += QUAD)
            survey_quad(rows + j, pass->x->stride, n_rows, weights, sums + j, low + j, high + j, &wrong);
        for (; j < d; j++)
            for (size_t r = 0; r < n_rows; r++) {
                float value = rows[r * pass->x->stride + j];
                sums[j] += (weights != NULL ? (double)weights[r] : 1.0) * (double)value;
                low[j] = value < low[j] ? value : low[j];
                high[j] = value > high[j] ? value : high[j];
                wrong[0] |= !isfinite(value);
            }
        for (size_t r = 0; r < n_rows; r++)
            sums[d] += weights != NULL ? (double)weights[r] : 1.0;
    }
    pass->wrong[i_block] = (wrong[0] | wrong[1] | wrong[2] | wrong[3]) != 0;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void survey_avx2(const struct pass *pass, size_t begin, size_t end,
                                                        size_t i_block)
{
    survey_body(pass, begin, end, i_block);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define survey_avx2 survey_body
#define HAVE_AVX2() 0
#endif

static void survey_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    (void)i_thread;
    if (HAVE_AVX2())
        survey_avx2(context, begin, end, i_block);
    else
        survey_body(context, begin, end, i_block);
}

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

/* Reduces the blocks' surveys in block order: centre and scale. */
static void centre_on_means(struct pass *pass, size_t n_blocks)
{
    struct cot_tiles *tiles = pass->tiles;
    size_t d = tiles->d;
    double largest = 0;
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t j = 0; j <= d; j++)
            pass->sums[j] += pass->sums[b * (d + 1) + j];
    for (size_t j = 0; j < d; j++) {
        double centre = (double)(float)(pass->sums[j] / pass->sums[d]);
        for (size_t b = 0; b < n_blocks; b++) {
            largest = fmax(largest, (double)pass->high[b * d + j] - centre);
            largest = fmax(largest, centre - (double)pass->low[b * d + j]);
        }
        tiles->centre[j] = centre;
    }
    tiles->scale = scale_for(largest);
}

/* ---- making tiles ---- */

/* Four rows of four become four columns of four. */
INLINE void transpose_quad(const float *rows, size_t stride, float *columns)
{
    quad a;
    quad b;
    quad c;
    quad e;
    memcpy(&a, rows, sizeof a);
    memcpy(&b, rows + stride, sizeof b);
    memcpy(&c, rows + 2 * stride, sizeof c);
    memcpy(&e, rows + 3 * stride, sizeof e);
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad ce_low = __builtin_shufflevector(c, e, 0, 4, 1, 5);
    quad ce_high = __builtin_shufflevector(c, e, 2, 6, 3, 7);
    quad first = __builtin_shufflevector(ab_low, ce_low, 0, 1, 4, 5);
    quad second = __builtin_shufflevector(ab_low, ce_low, 2, 3, 6, 7);
    quad third = __builtin_shufflevector(ab_high, ce_high, 0, 1, 4, 5);
    quad fourth = __builtin_shufflevector(ab_high, ce_high, 2, 3, 6, 7);
    memcpy(columns, &first, sizeof first);
    memcpy(columns + COT_TILE, &second, sizeof second);
    memcpy(columns + 2 * COT_TILE, &third, sizeof third);
    memcpy(columns + 3 * COT_TILE, &fourth, sizeof fourth);
}

/* rows: COT_TILE x d in the tiles' units. */
static void transpose_tile(const float *rows, size_t d, float *tile)
{
    size_t j = 0;
    for (; j + QUAD <= d; j += QUAD)
        for (size_t lane = 0; lane < COT_TILE; lane += QUAD)
            transpose_quad(rows + lane * d + j, d, tile + j * COT_TILE + lane);
    for (; j < d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            tile[j * COT_TILE + lane] = rows[lane * d + j];
}

/* Squared norms of a tile's points; returns their weighted sum (weights: of these points, NULL: 1 each; padding is 0).
 */
static double norms_of_tile(const float *tile, size_t d, const float *weights, size_t n, float ret_norm2[COT_TILE])
{
    double sums[COT_TILE] = {0};
    double square = 0;
    for (size_t j = 0; j < d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            sums[lane] += (double)tile[j * COT_TILE + lane] * (double)tile[j * COT_TILE + lane];
    for (size_t lane = 0; lane < COT_TILE; lane++)
        ret_norm2[lane] = (float)sums[lane];
    for (size_t lane = 0; lane < n; lane++)
        square += weights != NULL ? (double)weights[lane] * sums[lane] : sums[lane];
    return square;
}

float cot_tile_radius(const float *norm2)
{
    float most = 0;
    for (size_t lane = 0; lane < COT_TILE; lane++)
        most = norm2[lane] > most ? norm2[lane] : most;
    return sqrtf(most) * (1 + 4 * FLT_EPSILON);
}

static void fill_tiles(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct pass *pass = context;
    struct cot_tiles *tiles = pass->tiles;
    size_t d = tiles->d;
    float *restrict rows = pass->rows + i_block * (COT_TILE + 1) * d;
    float *restrict centre = rows + COT_TILE * d;
    /* Large numbers are scaled first, so that no difference overflows; small ones after, so that none is lost. */
    float down = tiles->scale < 1 ? (float)tiles->scale : 1.0F;
    float up = tiles->scale < 1 ? 1.0F : (float)tiles->scale;
    (void)i_thread;
    for (size_t j = 0; j < d; j++)
        centre[j] = (float)tiles->centre[j] * down;
    for (size_t t = begin; t < end; t++) {
        float *tile = tiles->data + t * d * COT_TILE;
        for (size_t lane = 0; lane < COT_TILE; lane++) {
            size_t i = t * COT_TILE + lane;
            if (i >= tiles->n) {
                memset(rows + lane * d, 0, d * sizeof *rows);
                continue;
            }
            const float *row = cot_matrix_row(pass->x, i);
            for (size_t j = 0; j < d; j++)
                rows[lane * d + j] = (row[j] * down - centre[j]) * up;
        }
        transpose_tile(rows, d, tile);
        size_t n = tiles->n - t * COT_TILE < COT_TILE ? tiles->n - t * COT_TILE : COT_TILE;
        const float *weights = pass->weights != NULL ? pass->weights + t * COT_TILE : NULL;
        pass->squares[i_block] += norms_of_tile(tile, d, weights, n, tiles->norm2 + t * COT_TILE);
        tiles->radius[t] = cot_tile_radius(tiles->norm2 + t * COT_TILE);
    }
}

size_t cot_tiles_memory(size_t n, size_t d)
{
    size_t size = 0;
    size_t n_padded = (n + COT_TILE - 1) / COT_TILE * COT_TILE;
    if (__builtin_mul_overflow(n_padded, (d + 2) * sizeof(float), &size))
        return SIZE_MAX;
    return size + 64 * (COT_TILE + 6) * d * sizeof(float);
}

cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, struct cot_err *err)
{
    struct cot_tiles tiles = {.n = x->n, .d = x->d, .n_tiles = (x->n + COT_TILE - 1) / COT_TILE, .scale = 1};
    struct pass pass = {.x = x, .weights = weights, .tiles = &tiles};
    size_t block = cot_block_of(x->n, 1024);
    size_t n_blocks = cot_n_blocks(x->n, block);
    size_t tile_block = cot_block_of(tiles.n_tiles, MIN_TILES_A_BLOCK);
    bool wrong = false;
    cot_code rc = COT_OK;

    tiles.data = cot_alloc_uninitialised(tiles.n_tiles * COT_TILE, x->d, sizeof *tiles.data);
    tiles.norm2 = cot_alloc_uninitialised(tiles.n_tiles, COT_TILE, sizeof *tiles.norm2);
    tiles.radius = cot_alloc_array(tiles.n_tiles, 1, sizeof *tiles.radius);
    tiles.centre = cot_alloc_array(x->d, 1, sizeof *tiles.centre);
    pass.sums = cot_alloc_array(n_blocks, x->d + 1, sizeof *pass.sums);
    pass.low = cot_alloc_array(n_blocks, x->d, sizeof *pass.low);
    pass.high = cot_alloc_array(n_blocks, x->d, sizeof *pass.high);
    pass.rows = cot_alloc_array(cot_n_blocks(tiles.n_tiles, tile_block), (COT_TILE + 1) * x->d, sizeof *pass.rows);
    pass.wrong = cot_alloc_array(n_blocks, 1, sizeof *pass.wrong);
    pass.squares = cot_alloc_array(cot_n_blocks(tiles.n_tiles, tile_block), 1, sizeof *pass.squares);
    if (tiles.data == NULL || tiles.norm2 == NULL || tiles.radius == NULL || tiles.centre == NULL ||
        pass.sums == NULL || pass.low == NULL || pass.high == NULL || pass.rows == NULL || pass.wrong == NULL ||
        pass.squares == NULL) {
        rc = cot_fail(err, COT_NOMEM, "a copy of %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    cot_parallel_for(n_threads, x->n, block, survey_rows, &pass);
    for (size_t b = 0; b < n_blocks; b++)
        wrong |= pass.wrong[b];
    if (wrong) { /* found again for its place */
        rc = cot_check_finite(x, false, err);
        goto out;
    }
    centre_on_means(&pass, n_blocks);
    cot_parallel_for(n_threads, tiles.n_tiles, tile_block, fill_tiles, &pass);
    for (size_t b = 0; b < cot_n_blocks(tiles.n_tiles, tile_block); b++)
        tiles.square += pass.squares[b];
    *ret_tiles = tiles;
    tiles = (struct cot_tiles){0};
out:
    cot_tiles_release(&tiles);
    free(pass.sums);
    free(pass.low);
    free(pass.high);
    free(pass.rows);
    free(pass.wrong);
    free(pass.squares);
    return rc;
}

void cot_tiles_release(struct cot_tiles *tiles)
{
    free(tiles->data);
    free(tiles->norm2);
    free(tiles->radius);
    free(tiles->centre);
    *tiles = (struct cot_tiles){0};
}

void cot_tiles_point(const struct cot_tiles *tiles, size_t i, float *ret_row)
{
    const float *lane = cot_tile(tiles, i / COT_TILE) + i % COT_TILE;
    for (size_t j = 0; j < tiles->d; j++)
        ret_row[j] = lane[j * COT_TILE];
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
