#include "coterie/medoids.h"

#include <math.h>
#include <stdlib.h>

#include "num/check.h"
#include "num/distance.h"

/* Puts row i into a list of m that ascends by distance; rows come by ascending index, so ties keep the lower. */
static void insert(size_t *rows, double *distances, size_t m, size_t i, double distance)
{
    if (m == 0 || !(distance < distances[m - 1]))
        return;
    size_t at = m - 1;
    for (; at > 0 && distance < distances[at - 1]; at--) {
        rows[at] = rows[at - 1];
        distances[at] = distances[at - 1];
    }
    rows[at] = i;
    distances[at] = distance;
}

cot_code cot_medoids_find(const struct cot_matrix *x, const uint32_t *labels, const float *centroids, size_t k,
                          size_t m, size_t *ret_rows, struct cot_err *err)
{
    struct cot_matrix centres = {.data = centroids, .n = k, .d = x->d, .stride = x->d};
    cot_code rc = cot_check_labels(labels, x->n, k, err);
    if (rc == COT_OK)
        rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_finite(&centres, false, err);
    if (rc != COT_OK)
        return rc;
    double *distances = cot_alloc_array(k, m, sizeof *distances);
    if (distances == NULL)
        return cot_fail(err, COT_NOMEM, "%zu prototypes for %zu clusters", m, k);
    for (size_t i = 0; i < k * m; i++) {
        ret_rows[i] = COT_MEDOIDS_NONE;
        distances[i] = INFINITY;
    }
    for (size_t i = 0; i < x->n; i++) {
        size_t c = labels[i];
        insert(ret_rows + c * m, distances + c * m, m, i,
               cot_distance2(cot_matrix_row(x, i), centroids + c * x->d, x->d));
    }
    free(distances);
    return COT_OK;
}
