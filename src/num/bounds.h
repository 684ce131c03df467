/*
 * Lower bounds of squared distances, cheap enough to be taken of all pairs, so that only the few pairs that may matter
 * are measured in double precision. Whatever kernel runs, a pair that matters is never left out: results that are
 * decided by the exact distances are the same bytes on every processor.
 *
 * Points are centred, scaled by a power of two to below 1 and rounded to float32 (u = 2^-24). With A and B their
 * squared norms, an n-term sum in float32 and the rounding of the points are off by less than
 *
 *   2 (d + 1) u (A + B) + 4 u (A + B)    (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1)
 *
 * so that with e = (2 d + 16) u, (1 - e) A + (1 - e) B - 2 a.b in float32 is never above the true |a - b|^2. The
 * lowered norms are kept with the points: the bound costs no more than the dot product.
 */
#ifndef COT_NUM_BOUNDS_H
#define COT_NUM_BOUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/isa.h"

enum { COT_BOUND_TILE = 16, COT_BOUND_QUERIES = 6 };

/* Places for points, COT_BOUND_TILE side by side, column after column. An empty place has the norm INFINITY. */
struct cot_bound_points {
    float *tiles; /* n_tiles x d x COT_BOUND_TILE */
    float *norms; /* n_tiles x COT_BOUND_TILE: squared norms, lowered */
    float *masses;
    size_t d, n_tiles;
    double *centre; /* d */
    double scale;   /* a power of two: a value is (x - centre) * scale */
    double mass_scale;
};

/* All places empty, masses of 1. centre: d. */
cot_code cot_bound_points_init(struct cot_bound_points *ret_points, size_t n, size_t d, const double *centre,
                               double scale, double mass_scale, struct cot_err *err) COT_MUST_CHECK;
void cot_bound_points_release(struct cot_bound_points *points);
size_t cot_bound_points_memory(size_t n, size_t d); /* bytes that _init takes */

void cot_bound_points_set(struct cot_bound_points *points, size_t i, const double *x, double mass);
void cot_bound_points_clear(struct cot_bound_points *points, size_t i);
void cot_bound_points_move(struct cot_bound_points *points, size_t from, size_t to);

/* Up to COT_BOUND_QUERIES points that are compared with all others at once. */
struct cot_bound_queries {
    float *values; /* d x COT_BOUND_QUERIES: -2 times the point's */
    float norms[COT_BOUND_QUERIES];
    float offsets[COT_BOUND_QUERIES];
    float limits[COT_BOUND_QUERIES];
};

/* Query u is the point in place i; it looks for nothing until it has a limit. values: d x COT_BOUND_QUERIES floats. */
void cot_bound_queries_set(struct cot_bound_queries *queries, size_t u, const struct cot_bound_points *points,
                           size_t i);

/*
 * From now on query u, of mass w, looks for points (of mass v) where w v / (w + v) |a - b|^2 < limit: INFINITY for all,
 * 0 for none. With m = w v / (w + v) that is v (|a - b|^2 - limit / w) < limit, so no pair costs a division.
 */
void cot_bound_queries_limit(struct cot_bound_queries *queries, size_t u, const struct cot_bound_points *points,
                             double mass, double limit);

/*
 * The first tile of [begin, end) that may have a point below a query's limit, or end. ret_masks: bit l of the query's
 * mask is lane l of that tile. May name points that are not below, never leaves out one that is. An empty place is
 * never named.
 */
typedef size_t cot_bound_filter(const struct cot_bound_points *points, size_t begin, size_t end,
                                const struct cot_bound_queries *queries, uint32_t ret_masks[COT_BOUND_QUERIES]);

/* The filter that runs with an instruction set. COT_USAGE where this machine lacks it. AMX runs AVX-512's. */
cot_code cot_bound_filter_for(enum cot_isa isa, cot_bound_filter **ret_filter, struct cot_err *err) COT_MUST_CHECK;

#endif
