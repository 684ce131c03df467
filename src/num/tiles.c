#include "num/tiles.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/tiles_turn.h"

#define INLINE static inline __attribute__((always_inline))

typedef float quad __attribute__((vector_size(16)));
typedef int32_t quad_mask __attribute__((vector_size(16)));
typedef double four __attribute__((vector_size(32)));

enum { QUAD = 4, MAX_EXPONENT = 126 };

/* ---- what centring needs to know of the columns ---- */

struct pass {
    const struct cot_matrix *x;
    const float *weights;
    struct cot_tiles *tiles;
    double *sums;    /* a block: d sums, then the sum of weights */
    float *low;      /* a block: d smallest values */
    float *high;     /* a block: d largest values */
    bool *wrong;     /* a block: holds NaN or infinity */
    double *squares; /* a block: sum of weight * |x|^2 */
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
    /* Large numbers are scaled first, so that no difference overflows; small ones after, so that none is lost. */
    tiles->down = tiles->scale < 1 ? (float)tiles->scale : 1.0F;
    tiles->up = tiles->scale < 1 ? 1.0F : (float)tiles->scale;
    for (size_t j = 0; j < d; j++)
        tiles->offset[j] = (float)tiles->centre[j] * tiles->down;
}

/* ---- making tiles ---- */

INLINE quad load_quad(const float *from)
{
    quad result;
    memcpy(&result, from, sizeof result);
    return result;
}

INLINE void store_quad(float *to, quad value)
{
    memcpy(to, &value, sizeof value);
}

/* Four columns of four rows, in the tiles' units, become four rows of the tile. */
INLINE void transpose_quad(const struct cot_tiles *tiles, const float *const rows[QUAD], size_t j, float *columns)
{
    quad offset = load_quad(tiles->offset + j);
    quad a = (load_quad(rows[0] + j) * tiles->down - offset) * tiles->up;
    quad b = (load_quad(rows[1] + j) * tiles->down - offset) * tiles->up;
    quad c = (load_quad(rows[2] + j) * tiles->down - offset) * tiles->up;
    quad e = (load_quad(rows[3] + j) * tiles->down - offset) * tiles->up;
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad ce_low = __builtin_shufflevector(c, e, 0, 4, 1, 5);
    quad ce_high = __builtin_shufflevector(c, e, 2, 6, 3, 7);
    store_quad(columns, __builtin_shufflevector(ab_low, ce_low, 0, 1, 4, 5));
    store_quad(columns + COT_TILE, __builtin_shufflevector(ab_low, ce_low, 2, 3, 6, 7));
    store_quad(columns + (size_t)2 * COT_TILE, __builtin_shufflevector(ab_high, ce_high, 0, 1, 4, 5));
    store_quad(columns + (size_t)3 * COT_TILE, __builtin_shufflevector(ab_high, ce_high, 2, 3, 6, 7));
}

INLINE float inward(const struct cot_tiles *tiles, float value, size_t j)
{
    return (value * tiles->down - tiles->offset[j]) * tiles->up;
}

static void turn_base(const struct cot_tiles *tiles, const float *const *rows, float *tile)
{
    size_t d = tiles->d;
    size_t j = 0;
    for (; j + QUAD <= d; j += QUAD)
        for (size_t lane = 0; lane < COT_TILE; lane += QUAD)
            transpose_quad(tiles, rows + lane, j, tile + j * COT_TILE + lane);
    for (; j < d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            tile[j * COT_TILE + lane] = inward(tiles, rows[lane][j], j);
}

/* ---- points from their rows ---- */

INLINE void move_body(const struct cot_tiles *tiles, size_t i, double weight, double *restrict to,
                      double *restrict from)
{
    const float *row = cot_matrix_row(&tiles->x, i);
    size_t j = 0;
    for (; j + QUAD <= tiles->d; j += QUAD) {
        quad x = (load_quad(row + j) * tiles->down - load_quad(tiles->offset + j)) * tiles->up;
        four value = __builtin_convertvector(x, four) * weight;
        four sum;
        memcpy(&sum, to + j, sizeof sum);
        sum += value;
        memcpy(to + j, &sum, sizeof sum);
        if (from == NULL)
            continue;
        memcpy(&sum, from + j, sizeof sum);
        sum -= value;
        memcpy(from + j, &sum, sizeof sum);
    }
    for (; j < tiles->d; j++) {
        double value = weight * (double)inward(tiles, row[j], j);
        to[j] += value;
        if (from != NULL)
            from[j] -= value;
    }
}

INLINE double distance2_body(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    const float *row = cot_matrix_row(&tiles->x, i);
    four sum = {0};
    double rest = 0;
    size_t j = 0;
    for (; j + QUAD <= tiles->d; j += QUAD) {
        quad x = (load_quad(row + j) * tiles->down - load_quad(tiles->offset + j)) * tiles->up;
        four difference = __builtin_convertvector(x, four) - __builtin_convertvector(load_quad(centre + j), four);
        sum += difference * difference;
    }
    for (; j < tiles->d; j++) {
        double difference = (double)inward(tiles, row[j], j) - (double)centre[j];
        rest += difference * difference;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
}

/* |x|^2 of a point; its columns go into their sums. */
INLINE double norm2_of(const struct cot_tiles *tiles, size_t i, double *sums)
{
    const float *row = cot_matrix_row(&tiles->x, i);
    four square = {0};
    double rest = 0;
    size_t j = 0;
    for (; j + QUAD <= tiles->d; j += QUAD) {
        quad x = (load_quad(row + j) * tiles->down - load_quad(tiles->offset + j)) * tiles->up;
        four value = __builtin_convertvector(x, four);
        four sum;
        square += value * value;
        memcpy(&sum, sums + j, sizeof sum);
        sum += value;
        memcpy(sums + j, &sum, sizeof sum);
    }
    for (; j < tiles->d; j++) {
        double value = (double)inward(tiles, row[j], j);
        rest += value * value;
        sums[j] += value;
    }
    return (square[0] + square[1]) + (square[2] + square[3]) + rest;
}

INLINE void norms_body(const struct pass *pass, size_t begin, size_t end, size_t i_block)
{
    struct cot_tiles *tiles = pass->tiles;
    double *sums = pass->sums + i_block * (tiles->d + 1);
    double square = 0;
    memset(sums, 0, tiles->d * sizeof *sums);
    for (size_t i = begin; i < end; i++) {
        double norm2 = norm2_of(tiles, i, sums);
        tiles->norm2[i] = (float)norm2;
        square += pass->weights != NULL ? (double)pass->weights[i] * norm2 : norm2;
    }
    pass->squares[i_block] = square;
}

float cot_tile_radius(const float *norm2)
{
    float most[QUAD] = {0}; /* side by side: a comparison need not wait for the one before */
    for (size_t lane = 0; lane < COT_TILE; lane++)
        most[lane % QUAD] = norm2[lane] > most[lane % QUAD] ? norm2[lane] : most[lane % QUAD];
    float low = most[0] > most[1] ? most[0] : most[1];
    float high = most[2] > most[3] ? most[2] : most[3];
    return sqrtf(low > high ? low : high) * (1 + 4 * FLT_EPSILON);
}

/* ---- one body each, compiled for the base instruction set and for AVX2 ---- */

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2"))) static
AVX2 void survey_avx2(const struct pass *pass, size_t begin, size_t end, size_t i_block)
{
    survey_body(pass, begin, end, i_block);
}
AVX2 void norms_avx2(const struct pass *pass, size_t begin, size_t end, size_t i_block)
{
    norms_body(pass, begin, end, i_block);
}
AVX2 void move_avx2(const struct cot_tiles *tiles, size_t i, double weight, double *to, double *from)
{
    move_body(tiles, i, weight, to, from);
}
AVX2 double distance2_avx2(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    return distance2_body(tiles, i, centre);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define survey_avx2 survey_body
#define norms_avx2 norms_body
#define move_avx2 move_body
#define distance2_avx2 distance2_body
#define HAVE_AVX2() 0
#endif

static cot_tile_turn *turn_for(enum cot_isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case COT_ISA_AVX2: return cot_tile_turn_avx2;
    case COT_ISA_AVX512:
    case COT_ISA_AMX: return cot_tile_turn_avx512;
#endif
    default: return turn_base;
    }
}

static void survey_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    (void)i_thread;
    if (HAVE_AVX2())
        survey_avx2(context, begin, end, i_block);
    else
        survey_body(context, begin, end, i_block);
}

static void measure_rows(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    (void)i_thread;
    if (HAVE_AVX2())
        norms_avx2(context, begin, end, i_block);
    else
        norms_body(context, begin, end, i_block);
}

void cot_tiles_get(const struct cot_tiles *tiles, size_t i_tile, float *ret_tile)
{
    const float *rows[COT_TILE];
    size_t first = i_tile * COT_TILE;
    size_t n = tiles->n - first < COT_TILE ? tiles->n - first : COT_TILE;
    for (size_t lane = 0; lane < COT_TILE; lane++)
        rows[lane] = cot_matrix_row(&tiles->x, first + (lane < n ? lane : 0));
    turn_for(tiles->isa)(tiles, rows, ret_tile);
    for (size_t j = 0; n < COT_TILE && j < tiles->d; j++)
        memset(ret_tile + j * COT_TILE + n, 0, (COT_TILE - n) * sizeof *ret_tile);
}

void cot_tiles_gather(const struct cot_tiles *tiles, size_t first, const uint32_t *at, size_t n, float *ret_tiles)
{
    cot_tile_turn *turn = turn_for(tiles->isa);
    const float *rows[COT_TILE];
    for (size_t begin = 0; begin < n; begin += COT_TILE) {
        for (size_t lane = 0; lane < COT_TILE; lane++)
            rows[lane] = cot_matrix_row(&tiles->x, first + at[begin + lane < n ? begin + lane : n - 1]);
        turn(tiles, rows, ret_tiles + begin * tiles->d);
    }
}

void cot_tiles_move(const struct cot_tiles *tiles, size_t i, double weight, double *to, double *from)
{
    if (HAVE_AVX2())
        move_avx2(tiles, i, weight, to, from);
    else
        move_body(tiles, i, weight, to, from);
}

double cot_tiles_distance2(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    return HAVE_AVX2() ? distance2_avx2(tiles, i, centre) : distance2_body(tiles, i, centre);
}

/* ---- making and unmaking ---- */

size_t cot_tiles_memory(size_t n, size_t d)
{
    enum { BLOCKS = 64 };
    size_t size = n < SIZE_MAX - COT_TILE ? (n + COT_TILE) * sizeof(float) : SIZE_MAX;
    if (n > SIZE_MAX / sizeof(float) / 2)
        return SIZE_MAX;
    return size + BLOCKS * ((d + 2) * sizeof(double) + 2 * d * sizeof(float)) + 3 * d * sizeof(double);
}

cot_code cot_tiles_init(struct cot_tiles *ret_tiles, const struct cot_matrix *x, const float *weights,
                        unsigned n_threads, enum cot_isa isa, struct cot_err *err)
{
    struct cot_tiles tiles = {.x = *x, .n = x->n, .d = x->d, .n_tiles = (x->n + COT_TILE - 1) / COT_TILE, .scale = 1};
    struct pass pass = {.x = x, .weights = weights, .tiles = &tiles};
    size_t block = cot_block_of(x->n, 1024);
    size_t n_blocks = cot_n_blocks(x->n, block);
    bool wrong = false;
    cot_code rc = cot_isa_resolve(isa, &tiles.isa, err);
    if (rc != COT_OK)
        return rc;

    tiles.norm2 = cot_alloc_uninitialised(tiles.n_tiles, COT_TILE, sizeof *tiles.norm2);
    tiles.mean = cot_alloc_array(x->d, 1, sizeof *tiles.mean);
    tiles.centre = cot_alloc_array(x->d, 1, sizeof *tiles.centre);
    tiles.offset = cot_alloc_array(x->d, 1, sizeof *tiles.offset);
    pass.sums = cot_alloc_array(n_blocks, x->d + 1, sizeof *pass.sums);
    pass.low = cot_alloc_array(n_blocks, x->d, sizeof *pass.low);
    pass.high = cot_alloc_array(n_blocks, x->d, sizeof *pass.high);
    pass.wrong = cot_alloc_array(n_blocks, 1, sizeof *pass.wrong);
    pass.squares = cot_alloc_array(n_blocks, 1, sizeof *pass.squares);
    if (tiles.norm2 == NULL || tiles.mean == NULL || tiles.centre == NULL || tiles.offset == NULL ||
        pass.sums == NULL || pass.low == NULL || pass.high == NULL || pass.wrong == NULL || pass.squares == NULL) {
        rc = cot_fail(err, COT_NOMEM, "what k-means knows of %zu x %zu numbers", x->n, x->d);
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
    cot_parallel_for(n_threads, x->n, block, measure_rows, &pass);
    for (size_t b = 0; b < n_blocks; b++) {
        tiles.square += pass.squares[b];
        for (size_t j = 0; j < x->d; j++)
            tiles.mean[j] += pass.sums[b * (x->d + 1) + j] / (double)x->n;
    }
    for (size_t i = x->n; i < tiles.n_tiles * COT_TILE; i++)
        tiles.norm2[i] = 0;
    *ret_tiles = tiles;
    tiles = (struct cot_tiles){0};
out:
    cot_tiles_release(&tiles);
    free(pass.sums);
    free(pass.low);
    free(pass.high);
    free(pass.wrong);
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
        ret_row[j] = inward(tiles, row[j], j);
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
