/*
 * Prototypes: the rows nearest each centroid, real members that stand for their cluster.
 * Example: examples/medoids.c. Thread rule: any thread.
 */
#ifndef COTERIE_MEDOIDS_H
#define COTERIE_MEDOIDS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

/* Fills the places that a cluster has no row for. */
#define COT_MEDOIDS_NONE ((size_t)-1)

/*
 * x: n x d; labels: n in 0..k-1 (COT_USAGE else); centroids: k x d row-major. ret_rows: k x m row indices, nearest
 * first, the lower index on a tie. O(n d + n m) time at worst. Errors: COT_NOMEM, COT_USAGE,
 * COT_BAD_DATA for NaN or infinity in x or centroids (row and column named).
 */
cot_code cot_medoids_find(const struct cot_matrix *x, const uint32_t *labels, const float *centroids, size_t k,
                          size_t m, size_t *ret_rows, struct cot_err *err) COT_MUST_CHECK;

#endif
