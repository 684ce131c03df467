#include "ml/means.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/threads.h"
#include "num/check.h"

enum {
    MIN_ROWS_A_BLOCK = 4096,
    MAX_PARTIAL_SIZE = 256 << 20 /* bytes of partial sums over all blocks */
};

struct summing {
    const struct cot_matrix *x;
    const uint32_t *labels;
    const float *weights;
    size_t k;
    double *sums; /* a block: k x d */
    double *mass; /* a block: k */
    size_t *counts;
};

static void sum_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct summing *s = context;
    size_t d = s->x->d;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        size_t slot = i_block * s->k + s->labels[i];
        double w = s->weights != NULL ? (double)s->weights[i] : 1.0;
        const float *row = cot_matrix_row(s->x, i);
        double *sum = s->sums + slot * d;
        for (size_t j = 0; j < d; j++)
            sum[j] += w * (double)row[j];
        s->mass[slot] += w;
        s->counts[slot]++;
    }
}

static size_t block_for(size_t n, size_t d, size_t k)
{
    size_t most_blocks = MAX_PARTIAL_SIZE / sizeof(double) / (k > 0 ? k : 1) / (d > 0 ? d : 1);
    size_t least = n / (most_blocks > 0 ? most_blocks : 1) + 1;
    return cot_block_of(n, least > MIN_ROWS_A_BLOCK ? least : MIN_ROWS_A_BLOCK);
}

size_t cot_means_memory(size_t n, size_t d, size_t k)
{
    size_t n_blocks = cot_n_blocks(n, block_for(n, d, k));
    /* Sums, masses and counts a block; means, masses and counts. */
    size_t a_cluster = cot_memory_add(2 * sizeof(double), d, sizeof(double));
    size_t a_block = cot_memory_add(0, k, a_cluster);
    size_t result = cot_memory_add(cot_memory_add(0, k, 2 * sizeof(double)), cot_memory_add(0, k, d), sizeof(float));
    return cot_memory_add(result, n_blocks, a_block);
}

cot_code cot_means_init(struct cot_means *ret_means, const struct cot_matrix *x, const uint32_t *labels,
                        const float *weights, size_t k, unsigned n_threads, struct cot_err *err)
{
    struct cot_means means = {0};
    struct summing s = {.x = x, .labels = labels, .weights = weights, .k = k};
    size_t block = block_for(x->n, x->d, k);
    size_t n_blocks = cot_n_blocks(x->n, block);
    cot_code rc = COT_OK;

    s.sums = cot_alloc_array(n_blocks, k * x->d, sizeof *s.sums);
    s.mass = cot_alloc_array(n_blocks, k, sizeof *s.mass);
    s.counts = cot_alloc_array(n_blocks, k, sizeof *s.counts);
    means.means = cot_alloc_array(k, x->d, sizeof *means.means);
    means.mass = cot_alloc_array(k, 1, sizeof *means.mass);
    means.counts = cot_alloc_array(k, 1, sizeof *means.counts);
    if (s.sums == NULL || s.mass == NULL || s.counts == NULL || means.means == NULL || means.mass == NULL ||
        means.counts == NULL) {
        rc = cot_fail(err, COT_NOMEM, "means of %zu clusters", k);
        goto out;
    }
    cot_parallel_for(n_threads, x->n, block, sum_block, &s);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t c = 0; c < k; c++) {
            means.mass[c] += s.mass[b * k + c];
            means.counts[c] += s.counts[b * k + c];
        }
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < x->d; j++) {
            double sum = 0;
            for (size_t b = 0; b < n_blocks; b++)
                sum += s.sums[(b * k + c) * x->d + j];
            means.means[c * x->d + j] = means.mass[c] > 0 ? (float)(sum / means.mass[c]) : 0;
        }
    *ret_means = means;
    means = (struct cot_means){0};
out:
    cot_means_release(&means);
    free(s.sums);
    free(s.mass);
    free(s.counts);
    return rc;
}

void cot_means_release(struct cot_means *means)
{
    free(means->means);
    free(means->mass);
    free(means->counts);
    *means = (struct cot_means){0};
}
