#include "ml/discriminant_start.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "coterie/pca.h"
#include "num/check.h"

enum { MAX_COMPONENTS = 40, MIN_BALANCED = 15, STREAM_NOISE = 1 };

void discriminant_views_release(struct discriminant_view *views)
{
    for (size_t v = 0; v < N_DISCRIMINANT_VIEWS; v++)
        free(views[v].scores);
}

/* Each column shuffled by itself: the same variances, no structure between columns. */
static void shuffle_columns(const struct cot_matrix *z, uint64_t seed, float *ret_noise)
{
    for (size_t j = 0; j < z->d; j++) {
        struct cot_rng rng;
        cot_rng_split(&rng, seed ^ STREAM_NOISE, j);
        for (size_t i = 0; i < z->n; i++) {
            size_t other = (size_t)cot_rng_below(&rng, i + 1);
            ret_noise[i * z->d + j] = ret_noise[other * z->d + j];
            ret_noise[other * z->d + j] = cot_matrix_row(z, i)[j];
        }
    }
}

/* Scores on the components whose variance is above that of noise's component of the same rank; at least min_kept. */
static cot_code keep_components(const struct cot_matrix *z, uint64_t seed, unsigned n_threads, size_t min_kept,
                                struct discriminant_view *ret_view, struct cot_err *err)
{
    size_t n_components = z->d < MAX_COMPONENTS ? z->d : MAX_COMPONENTS;
    struct cot_pca *pca = NULL, *noise_pca = NULL;
    float *noise = cot_alloc_array(z->n, z->d, sizeof *noise);
    struct cot_matrix view = {.data = noise, .n = z->n, .d = z->d, .stride = z->d};
    size_t kept = 0;
    cot_code rc = noise == NULL ? cot_fail(err, COT_NOMEM, "shuffled copy of %zu rows", z->n) : COT_OK;
    if (rc != COT_OK)
        goto out;
    shuffle_columns(z, seed, noise);
    rc = cot_pca_fit(z, n_components, n_threads, &pca, err);
    if (rc == COT_OK)
        rc = cot_pca_fit(&view, n_components, n_threads, &noise_pca, err);
    if (rc != COT_OK)
        goto out;
    while (kept < n_components && pca->variance[kept] > noise_pca->variance[kept])
        kept++;
    kept = kept > min_kept ? kept : min_kept < n_components ? min_kept : n_components;
    pca->n_components = kept;
    ret_view->d = kept;
    ret_view->scores = cot_alloc_array(z->n, kept, sizeof *ret_view->scores);
    rc = ret_view->scores == NULL ? cot_fail(err, COT_NOMEM, "components of %zu rows", z->n)
                                  : cot_pca_transform(pca, z, n_threads, ret_view->scores, err);
out:
    cot_pca_free(pca);
    cot_pca_free(noise_pca);
    free(noise);
    return rc;
}

/* Columns times one over the root of the sum of their squared correlations with all columns. */
static cot_code balance_columns(const struct cot_matrix *z, float *ret_balanced, struct cot_err *err)
{
    size_t n = z->n, d = z->d;
    double *mean = cot_alloc_array(d, 1, sizeof *mean);
    double *products = cot_alloc_array(d, d, sizeof *products);
    double *centred = cot_alloc_array(d, 1, sizeof *centred);
    cot_code rc = COT_OK;
    if (mean == NULL || products == NULL || centred == NULL) {
        rc = cot_fail(err, COT_NOMEM, "correlations of %zu columns", d);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            mean[j] += (double)cot_matrix_row(z, i)[j] / (double)n;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            centred[j] = (double)cot_matrix_row(z, i)[j] - mean[j];
        for (size_t j = 0; j < d; j++)
            for (size_t l = 0; l <= j; l++)
                products[j * d + l] += centred[j] * centred[l];
    }
    for (size_t j = 0; j < d; j++) {
        double said = 0;
        for (size_t l = 0; l < d; l++) {
            double product = j > l ? products[j * d + l] : products[l * d + j];
            double scale = products[j * d + j] * products[l * d + l];
            said += scale > 0 ? product * product / scale : 0;
        }
        centred[j] = said > 0 ? 1 / sqrt(said) : 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            ret_balanced[i * d + j] = (float)(((double)cot_matrix_row(z, i)[j] - mean[j]) * centred[j]);
out:
    free(mean);
    free(products);
    free(centred);
    return rc;
}

cot_code discriminant_views_make(const struct cot_matrix *z, uint64_t seed, unsigned n_threads,
                                 struct discriminant_view *ret_views, size_t *ret_n_components, struct cot_err *err)
{
    float *balanced = cot_alloc_array(z->n, z->d, sizeof *balanced);
    struct cot_matrix view = {.data = balanced, .n = z->n, .d = z->d, .stride = z->d};
    cot_code rc = balanced == NULL ? cot_fail(err, COT_NOMEM, "balanced copy of %zu rows", z->n)
                                   : balance_columns(z, balanced, err);
    if (rc == COT_OK)
        rc = keep_components(z, seed, n_threads, 2, &ret_views[0], err);
    if (rc == COT_OK)
        rc = keep_components(&view, seed, n_threads, MIN_BALANCED, &ret_views[1], err);
    if (rc == COT_OK)
        *ret_n_components = ret_views[0].d;
    free(balanced);
    return rc;
}
