/* Indices that judge a clustering by its data: see coterie/metrics.h. */
#include "coterie/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "ml/means.h"
#include "num/check.h"
#include "num/distance.h"

/* ---- indices from means ---- */

cot_code cot_metric_davies_bouldin(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                   struct cot_err *err)
{
    struct cot_means means = {0};
    double *spread = NULL;
    double sum = 0;
    size_t n_filled = 0;
    cot_code rc = cot_check_clusters(x, labels, k, err);
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, labels, NULL, k, 1, err);
    if (rc != COT_OK)
        goto out;
    spread = cot_alloc_array(k, 1, sizeof *spread);
    if (spread == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu clusters", k);
        goto out;
    }
    for (size_t i = 0; i < x->n; i++)
        spread[labels[i]] += sqrt(cot_distance2(cot_matrix_row(x, i), means.means + labels[i] * x->d, x->d));
    for (size_t c = 0; c < k; c++)
        spread[c] /= means.counts[c] > 0 ? (double)means.counts[c] : 1;
    for (size_t a = 0; a < k; a++) {
        double worst = 0;
        if (means.counts[a] == 0)
            continue;
        for (size_t b = 0; b < k; b++) {
            double apart = sqrt(cot_distance2(means.means + a * x->d, means.means + b * x->d, x->d));
            if (b != a && means.counts[b] > 0 && apart > 0)
                worst = fmax(worst, (spread[a] + spread[b]) / apart);
        }
        sum += worst;
        n_filled++;
    }
    *ret_index = sum / (double)n_filled;
out:
    cot_means_release(&means);
    free(spread);
    return rc;
}

cot_code cot_metric_calinski_harabasz(const struct cot_matrix *x, const uint32_t *labels, size_t k, double *ret_index,
                                      struct cot_err *err)
{
    struct cot_means means = {0};
    struct cot_means whole = {0};
    uint32_t *zeros = NULL;
    double within = 0;
    double between = 0;
    size_t n_filled = 0;
    cot_code rc = cot_check_clusters(x, labels, k, err);
    if (rc != COT_OK)
        return rc;
    zeros = cot_alloc_array(x->n, 1, sizeof *zeros);
    rc = zeros == NULL ? cot_fail(err, COT_NOMEM, "%zu labels", x->n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_means_init(&means, x, labels, NULL, k, 1, err);
    if (rc == COT_OK)
        rc = cot_means_init(&whole, x, zeros, NULL, 1, 1, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < x->n; i++)
        within += cot_distance2(cot_matrix_row(x, i), means.means + labels[i] * x->d, x->d);
    for (size_t c = 0; c < k; c++) {
        between += (double)means.counts[c] *
                   (means.counts[c] > 0 ? cot_distance2(means.means + c * x->d, whole.means, x->d) : 0);
        n_filled += means.counts[c] > 0;
    }
    if (n_filled >= x->n) {
        rc = cot_fail(err, COT_USAGE, "%zu clusters of %zu points: this index needs more points than clusters",
                      n_filled, x->n);
        goto out;
    }
    double scale = (double)(x->n - n_filled) / ((double)n_filled - 1);
    *ret_index = within > 0 ? between / within * scale : 1;
out:
    cot_means_release(&means);
    cot_means_release(&whole);
    free(zeros);
    return rc;
}
