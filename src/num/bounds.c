#include "num/bounds.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { TILE = COT_BOUND_TILE, QUERIES = COT_BOUND_QUERIES };

/* Covers the few float32 roundings of limits, masses and the comparison itself. */
static const double SLACK = 1 + 0x1p-20;

/* ---- kernels ---- */

static size_t filter_scalar(const struct cot_bound_points *points, size_t begin, size_t end,
                            const struct cot_bound_queries *queries, uint32_t ret_masks[QUERIES])
{
    size_t d = points->d;
    for (size_t t = begin; t < end; t++) {
        const float *tile = points->tiles + t * d * TILE;
        uint32_t any = 0;
        for (size_t u = 0; u < QUERIES; u++) {
            ret_masks[u] = 0;
            for (size_t l = 0; l < TILE; l++) {
                float sum = points->norms[t * TILE + l];
                for (size_t j = 0; j < d; j++)
                    sum += tile[j * TILE + l] * queries->values[j * QUERIES + u];
                float bound = points->masses[t * TILE + l] * (sum + queries->offsets[u]);
                ret_masks[u] |= (uint32_t)(bound < queries->limits[u]) << l;
            }
            any |= ret_masks[u];
        }
        if (any != 0)
            return t;
    }
    return end;
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static size_t filter_avx2(const struct cot_bound_points *points, size_t begin,
                                                              size_t end, const struct cot_bound_queries *queries,
                                                              uint32_t ret_masks[QUERIES])
{
    size_t d = points->d;
    for (size_t t = begin; t < end; t++) {
        const float *tile = points->tiles + t * d * TILE;
        const float *value = queries->values;
        __m256 low[QUERIES];
        __m256 high[QUERIES];
        __m256 any = _mm256_setzero_ps();
        for (int u = 0; u < QUERIES; u++) {
            low[u] = _mm256_load_ps(points->norms + t * TILE);
            high[u] = _mm256_load_ps(points->norms + t * TILE + 8);
        }
        for (size_t j = 0; j < d; j++, tile += TILE, value += QUERIES) {
            __m256 x0 = _mm256_load_ps(tile);
            __m256 x1 = _mm256_load_ps(tile + 8);
#pragma GCC unroll 6
            for (int u = 0; u < QUERIES; u++) {
                __m256 q = _mm256_broadcast_ss(value + u);
                low[u] = _mm256_fmadd_ps(x0, q, low[u]);
                high[u] = _mm256_fmadd_ps(x1, q, high[u]);
            }
        }
        __m256 mass0 = _mm256_load_ps(points->masses + t * TILE);
        __m256 mass1 = _mm256_load_ps(points->masses + t * TILE + 8);
#pragma GCC unroll 6
        for (int u = 0; u < QUERIES; u++) {
            __m256 offset = _mm256_broadcast_ss(queries->offsets + u);
            __m256 limit = _mm256_broadcast_ss(queries->limits + u);
            low[u] = _mm256_cmp_ps(_mm256_mul_ps(mass0, _mm256_add_ps(low[u], offset)), limit, _CMP_LT_OQ);
            high[u] = _mm256_cmp_ps(_mm256_mul_ps(mass1, _mm256_add_ps(high[u], offset)), limit, _CMP_LT_OQ);
            any = _mm256_or_ps(any, _mm256_or_ps(low[u], high[u]));
        }
        if (_mm256_movemask_ps(any) == 0)
            continue;
        for (int u = 0; u < QUERIES; u++)
            ret_masks[u] = (uint32_t)_mm256_movemask_ps(low[u]) | (uint32_t)_mm256_movemask_ps(high[u]) << 8;
        return t;
    }
    return end;
}

__attribute__((target("avx512f"))) static size_t filter_avx512(const struct cot_bound_points *points, size_t begin,
                                                               size_t end, const struct cot_bound_queries *queries,
                                                               uint32_t ret_masks[QUERIES])
{
    size_t d = points->d;
    for (size_t t = begin; t < end; t++) {
        const float *tile = points->tiles + t * d * TILE;
        const float *value = queries->values;
        __m512 sum[QUERIES];
        uint32_t any = 0;
        for (int u = 0; u < QUERIES; u++)
            sum[u] = _mm512_load_ps(points->norms + t * TILE);
        for (size_t j = 0; j < d; j++, tile += TILE, value += QUERIES) {
            __m512 x = _mm512_load_ps(tile);
#pragma GCC unroll 6
            for (int u = 0; u < QUERIES; u++)
                sum[u] = _mm512_fmadd_ps(x, _mm512_set1_ps(value[u]), sum[u]);
        }
        __m512 mass = _mm512_load_ps(points->masses + t * TILE);
#pragma GCC unroll 6
        for (int u = 0; u < QUERIES; u++) {
            __m512 bound = _mm512_mul_ps(mass, _mm512_add_ps(sum[u], _mm512_set1_ps(queries->offsets[u])));
            ret_masks[u] = _mm512_cmp_ps_mask(bound, _mm512_set1_ps(queries->limits[u]), _CMP_LT_OQ);
            any |= ret_masks[u];
        }
        if (any != 0)
            return t;
    }
    return end;
}

#endif

static cot_bound_filter *const filters[COT_N_ISAS] = {
    [COT_ISA_SCALAR] = filter_scalar,
#if defined(__x86_64__)
    [COT_ISA_AVX2] = filter_avx2,
    [COT_ISA_AVX512] = filter_avx512,
    [COT_ISA_AMX] = filter_avx512,
#endif
};

cot_code cot_bound_filter_for(enum cot_isa isa, cot_bound_filter **ret_filter, struct cot_err *err)
{
    enum cot_isa resolved = COT_ISA_SCALAR;
    cot_code rc = cot_isa_resolve(isa, &resolved, err);
    if (rc == COT_OK)
        *ret_filter = filters[resolved];
    return rc;
}

/* ---- points ---- */

static size_t tiles_for(size_t n)
{
    return (n + TILE - 1) / TILE;
}

size_t cot_bound_points_memory(size_t n, size_t d)
{
    return tiles_for(n) * TILE * (d + 2) * sizeof(float) + d * sizeof(double);
}

cot_code cot_bound_points_init(struct cot_bound_points *ret_points, size_t n, size_t d, const double *centre,
                               double scale, double mass_scale, struct cot_err *err)
{
    struct cot_bound_points p = {.d = d, .n_tiles = tiles_for(n), .scale = scale, .mass_scale = mass_scale};
    p.tiles = cot_alloc_aligned(p.n_tiles * TILE, d, sizeof *p.tiles);
    p.norms = cot_alloc_aligned(p.n_tiles, TILE, sizeof *p.norms);
    p.masses = cot_alloc_aligned(p.n_tiles, TILE, sizeof *p.masses);
    p.centre = cot_alloc_array(d, 1, sizeof *p.centre);
    if (p.tiles == NULL || p.norms == NULL || p.masses == NULL || p.centre == NULL) {
        cot_bound_points_release(&p);
        return cot_fail(err, COT_NOMEM, "a copy of %zu x %zu numbers", n, d);
    }
    memcpy(p.centre, centre, d * sizeof *p.centre);
    for (size_t i = 0; i < p.n_tiles * TILE; i++) {
        p.norms[i] = INFINITY;
        p.masses[i] = 1;
    }
    *ret_points = p;
    return COT_OK;
}

void cot_bound_points_release(struct cot_bound_points *points)
{
    free(points->tiles);
    free(points->norms);
    free(points->masses);
    free(points->centre);
    *points = (struct cot_bound_points){0};
}

void cot_bound_points_set(struct cot_bound_points *points, size_t i, const double *x, double mass)
{
    size_t d = points->d;
    float *lane = points->tiles + i / TILE * d * TILE + i % TILE;
    double norm = 0;
    for (size_t j = 0; j < d; j++) {
        float value = (float)((x[j] - points->centre[j]) * points->scale);
        lane[j * TILE] = value;
        norm += (double)value * (double)value;
    }
    norm *= 1 - (2 * (double)d + 16) * 0x1p-24;
    points->norms[i] = nextafterf((float)norm, -INFINITY);
    points->masses[i] = (float)(mass * points->mass_scale);
}

void cot_bound_points_clear(struct cot_bound_points *points, size_t i)
{
    points->norms[i] = INFINITY;
}

void cot_bound_points_move(struct cot_bound_points *points, size_t from, size_t to)
{
    size_t d = points->d;
    const float *source = points->tiles + from / TILE * d * TILE + from % TILE;
    float *target = points->tiles + to / TILE * d * TILE + to % TILE;
    if (from == to)
        return;
    for (size_t j = 0; j < d; j++)
        target[j * TILE] = source[j * TILE];
    points->norms[to] = points->norms[from];
    points->masses[to] = points->masses[from];
    points->norms[from] = INFINITY;
}

/* ---- queries ---- */

void cot_bound_queries_set(struct cot_bound_queries *queries, size_t u, const struct cot_bound_points *points, size_t i)
{
    const float *lane = points->tiles + i / TILE * points->d * TILE + i % TILE;
    for (size_t j = 0; j < points->d; j++)
        queries->values[j * QUERIES + u] = -2 * lane[j * TILE];
    queries->norms[u] = points->norms[i];
    queries->offsets[u] = 0;
    queries->limits[u] = -INFINITY;
}

void cot_bound_queries_limit(struct cot_bound_queries *queries, size_t u, const struct cot_bound_points *points,
                             double mass, double limit)
{
    double unit = points->scale * points->scale;
    if (!(limit > 0)) {
        queries->limits[u] = -INFINITY;
        return;
    }
    if (isinf(limit)) {
        queries->offsets[u] = queries->norms[u];
        queries->limits[u] = INFINITY;
        return;
    }
    /* Finite offsets and limits no smaller than normal numbers: no NaN, and no underflow can hide a point. */
    double raised = limit * SLACK * unit;
    double offset = (double)queries->norms[u] - raised / mass;
    queries->offsets[u] = nextafterf((float)fmax(offset, -0x1p126), -INFINITY);
    queries->limits[u] = fmaxf((float)(raised * points->mass_scale), FLT_MIN);
}
