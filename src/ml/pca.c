#include "coterie/pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/eigen.h"

enum {
    MIN_ROWS_A_BLOCK = 1024,
    MAX_PARTIAL_SIZE = 256 << 20 /* bytes of partial covariances over all blocks */
};

void cot_pca_free(struct cot_pca *pca)
{
    if (pca == NULL)
        return;
    free(pca->mean);
    free(pca->components);
    free(pca->variance);
    free(pca);
}

struct scatter {
    const struct cot_matrix *x;
    const double *mean;
    double *sums;    /* a block: d column sums, while the mean is made */
    double *squares; /* a block: d x d, lower triangle of sums of products */
    double *rows;    /* a block: one centred row */
};

static void sum_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct scatter *s = context;
    double *sums = s->sums + i_block * s->x->d;
    (void)i_thread;
    for (size_t i = begin; i < end; i++)
        for (size_t j = 0; j < s->x->d; j++)
            sums[j] += (double)cot_matrix_row(s->x, i)[j];
}

static void scatter_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct scatter *s = context;
    size_t d = s->x->d;
    double *squares = s->squares + i_block * d * d;
    double *centred = s->rows + i_block * d;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(s->x, i);
        for (size_t j = 0; j < d; j++)
            centred[j] = (double)row[j] - s->mean[j];
        for (size_t j = 0; j < d; j++) {
            double value = centred[j];
            double *line = squares + j * d;
            for (size_t l = 0; l <= j; l++)
                line[l] += value * centred[l];
        }
    }
}

/* Mean and covariance (lower triangle, in the first block's place) from blocks, reduced in block order. */
static void measure(struct scatter *s, unsigned n_threads, size_t block, double *ret_mean)
{
    size_t d = s->x->d;
    size_t n_blocks = cot_n_blocks(s->x->n, block);
    cot_parallel_for(n_threads, s->x->n, block, sum_block, s);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t j = 0; j < d; j++)
            ret_mean[j] += s->sums[b * d + j] / (double)s->x->n;
    s->mean = ret_mean;
    cot_parallel_for(n_threads, s->x->n, block, scatter_block, s);
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t e = 0; e < d * d; e++)
            s->squares[e] += s->squares[b * d * d + e];
    for (size_t e = 0; e < d * d; e++)
        s->squares[e] /= (double)s->x->n - 1;
}

static void fix_sign(double *component, size_t d)
{
    size_t largest = 0;
    for (size_t j = 1; j < d; j++)
        if (fabs(component[j]) > fabs(component[largest]) * (1 + 1e-9))
            largest = j;
    if (component[largest] < 0)
        for (size_t j = 0; j < d; j++)
            component[j] = -component[j];
}

cot_code cot_pca_fit(const struct cot_matrix *x, size_t n_components, unsigned n_threads, struct cot_pca **ret_pca,
                     struct cot_err *err)
{
    struct scatter s = {.x = x};
    struct cot_pca *pca = NULL;
    double *values = NULL;
    size_t d = x->d;
    if (x->n < 2 || n_components == 0 || n_components > d)
        return cot_fail(err, COT_USAGE,
                        "%zu components of %zu rows and %zu columns: needs 2 rows and 1..%zu components", n_components,
                        x->n, d, d);
    if (d > COT_PCA_MAX_COLUMNS)
        return cot_fail(err, COT_LIMIT, "principal components of %zu columns: at most %d", d, COT_PCA_MAX_COLUMNS);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc != COT_OK)
        return rc;
    size_t most_blocks = MAX_PARTIAL_SIZE / sizeof(double) / (d * d);
    size_t least = x->n / (most_blocks > 0 ? most_blocks : 1) + 1;
    size_t block = cot_block_of(x->n, least > MIN_ROWS_A_BLOCK ? least : MIN_ROWS_A_BLOCK);
    size_t n_blocks = cot_n_blocks(x->n, block);
    s.sums = cot_alloc_array(n_blocks, d, sizeof *s.sums);
    s.squares = cot_alloc_array(n_blocks, d * d, sizeof *s.squares);
    s.rows = cot_alloc_array(n_blocks, d, sizeof *s.rows);
    values = cot_alloc_array(d, 1, sizeof *values);
    pca = calloc(1, sizeof *pca);
    if (pca != NULL) {
        *pca = (struct cot_pca){.d = d, .n_components = n_components};
        pca->mean = cot_alloc_array(d, 1, sizeof *pca->mean);
        pca->components = cot_alloc_array(n_components, d, sizeof *pca->components);
        pca->variance = cot_alloc_array(n_components, 1, sizeof *pca->variance);
    }
    if (s.sums == NULL || s.squares == NULL || s.rows == NULL || values == NULL || pca == NULL || pca->mean == NULL ||
        pca->components == NULL || pca->variance == NULL) {
        rc = cot_fail(err, COT_NOMEM, "principal components of %zu columns", d);
        goto out;
    }
    measure(&s, n_threads, block, pca->mean);
    for (size_t j = 0; j < d; j++)
        pca->total += s.squares[j * d + j];
    rc = cot_eigen_symmetric(s.squares, d, values, err);
    if (rc != COT_OK)
        goto out;
    for (size_t c = 0; c < n_components; c++) {
        memcpy(pca->components + c * d, s.squares + (d - 1 - c) * d, d * sizeof *pca->components);
        fix_sign(pca->components + c * d, d);
        pca->variance[c] = c + 1 < x->n ? fmax(values[d - 1 - c], 0) : 0;
    }
    *ret_pca = pca;
    pca = NULL;
out:
    cot_pca_free(pca);
    free(s.sums);
    free(s.squares);
    free(s.rows);
    free(values);
    return rc;
}

struct projection {
    const struct cot_pca *pca;
    const struct cot_matrix *x;
    float *scores;
};

static void project_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct projection *p = context;
    const struct cot_pca *pca = p->pca;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(p->x, i);
        for (size_t c = 0; c < pca->n_components; c++) {
            const double *component = pca->components + c * pca->d;
            double sum = 0;
            for (size_t j = 0; j < pca->d; j++)
                sum += ((double)row[j] - pca->mean[j]) * component[j];
            p->scores[i * pca->n_components + c] = (float)sum;
        }
    }
}

cot_code cot_pca_transform(const struct cot_pca *pca, const struct cot_matrix *x, unsigned n_threads, float *ret_scores,
                           struct cot_err *err)
{
    struct projection p = {.pca = pca, .x = x, .scores = ret_scores};
    if (x->d != pca->d)
        return cot_fail(err, COT_USAGE, "%zu columns, but the components are of %zu", x->d, pca->d);
    cot_parallel_for(n_threads, x->n, MIN_ROWS_A_BLOCK, project_block, &p);
    return COT_OK;
}
