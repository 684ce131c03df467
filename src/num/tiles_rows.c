#include "num/tiles_rows.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Rows whose columns are looked at side by side while they are in the nearest cache. */
enum { SURVEY_ROWS = 32 };

/* Numbers that are squared and summed side by side, whatever the vectors' width. */
enum { SUMS = 8 };

/* ---- sixteen rows become a tile ---- */

enum { QUAD = 4 };

typedef float quad __attribute__((vector_size(16)));

static inline quad load_quad(const float *from)
{
    quad result;
    memcpy(&result, from, sizeof result);
    return result;
}

static inline void store_quad(float *to, quad value)
{
    memcpy(to, &value, sizeof value);
}

/* Four columns of four rows, in the tiles' units, become four rows of the tile. */
static inline void transpose_quad(const struct cot_tiles *tiles, const float *const rows[QUAD], size_t j,
                                  float *columns)
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

static void turn_base(const struct cot_tiles *tiles, const float *const *rows, float *tile)
{
    size_t d = tiles->d;
    size_t j = 0;
    for (; j + QUAD <= d; j += QUAD)
        for (size_t lane = 0; lane < COT_TILE; lane += QUAD)
            transpose_quad(tiles, rows + lane, j, tile + j * COT_TILE + lane);
    for (; j < d; j++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            tile[j * COT_TILE + lane] = cot_tile_inward(tiles, rows[lane][j], j);
}

/* ---- the bodies, once for each instruction set ---- */

typedef int32_t quad_bits __attribute__((vector_size(16)));

static inline quad chosen(quad_bits mask, quad yes, quad no)
{
    return (quad)((mask & (quad_bits)yes) | (~mask & (quad_bits)no));
}

#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#define ROWS(name) JOIN(JOIN(name, _), ROWS_NAME)

#define ROWS_NAME base
#define ROWS_TARGET
#define ROWS_WIDTH 4
#define ROWS_WIDEN(x) __builtin_convertvector(x, ROWS(doubles))
#define ROWS_LEAST(x, y) chosen((x) < (y), x, y)
#define ROWS_MOST(x, y) chosen((x) > (y), x, y)
#define ROWS_TURN turn_base
#include "num/tiles_rows_body.h"

#if defined(__x86_64__)

#define ROWS_NAME avx2
#define ROWS_TARGET __attribute__((target("avx2")))
#define ROWS_WIDTH 4
#define ROWS_WIDEN(x) _mm256_cvtps_pd(x)
#define ROWS_LEAST(x, y) _mm_min_ps(x, y)
#define ROWS_MOST(x, y) _mm_max_ps(x, y)
#define ROWS_TURN cot_tile_turn_avx2
#include "num/tiles_rows_body.h"

#define ROWS_NAME avx512
#define ROWS_TARGET __attribute__((target("avx512f")))
#define ROWS_WIDTH 8
#define ROWS_WIDEN(x) _mm512_cvtps_pd(x)
#define ROWS_LEAST(x, y) _mm256_min_ps(x, y)
#define ROWS_MOST(x, y) _mm256_max_ps(x, y)
#define ROWS_TURN cot_tile_turn_avx512
#include "num/tiles_rows_body.h"

#endif

const struct cot_tile_routines *cot_tile_routines_for(enum cot_isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case COT_ISA_AVX2: return &routines_avx2;
    case COT_ISA_AVX512:
    case COT_ISA_AMX: return &routines_avx512;
#endif
    default: return &routines_base;
    }
}
