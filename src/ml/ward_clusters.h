/*
 * The live clusters of Ward's method in the order in which they were made, each with its nearest ones.
 *
 * Places are filled from the left and never reused until cot_clusters_compact, so what was made after any moment is a
 * suffix: a cluster that knows its nearest among the first `seen` places has only the places from `seen` on to look at.
 */
#ifndef COT_ML_WARD_CLUSTERS_H
#define COT_ML_WARD_CLUSTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"
#include "ml/linkage_merge.h"
#include "num/bounds.h"

enum { COT_NEAREST = 8 }; /* neighbours kept of each cluster */

struct cot_neighbour {
    double cost; /* w v / (w + v) |a - b|^2, half the squared height */
    uint32_t place;
};

/* Every live place below `seen` that is not listed costs at least `radius`. */
struct cot_nearest {
    struct cot_neighbour near[COT_NEAREST]; /* ascending by cost, then place */
    double radius;
    uint32_t n, seen;
};

struct cot_clusters {
    size_t d, d_padded;    /* rows of means are padded with 0 to a multiple of 4 */
    size_t capacity, used; /* places */
    size_t n_live;
    double *means;  /* capacity x d_padded */
    double *masses; /* capacity; 0: merged into another */
    double *heights;
    uint32_t *leaves; /* any leaf of each */
    struct cot_nearest *nearest;
    struct cot_bound_points points;
};

/* A cluster a row. weights: n or NULL. */
cot_code cot_clusters_init(struct cot_clusters *ret_clusters, const struct cot_matrix *x, const float *weights,
                           struct cot_err *err) COT_MUST_CHECK;
void cot_clusters_release(struct cot_clusters *clusters);
size_t cot_clusters_capacity(size_t n);         /* places for n leaves and the unions between two compactions */
size_t cot_clusters_memory(size_t n, size_t d); /* bytes that _init takes */

/* What it costs to join two clusters; the same bytes in either order. */
double cot_clusters_cost(const struct cot_clusters *clusters, size_t a, size_t b);

/* Joins places a and b to a new one. There must be a free place. */
struct cot_merge cot_clusters_merge(struct cot_clusters *clusters, size_t a, size_t b);

/* Closes the gaps. map: used + 1 numbers of scratch. */
void cot_clusters_compact(struct cot_clusters *clusters, uint32_t *map);

#endif
