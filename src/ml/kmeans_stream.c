#include "coterie/kmeans_stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

struct cot_kmeans_stream {
    size_t k, d;
    double decay;
    double *means;    /* k x d */
    double *masses;   /* k */
    float *centroids; /* k x d: means, rounded */
};

static cot_code check_start(const float *centroids, const double *masses, size_t k, size_t d, double decay,
                            struct cot_err *err)
{
    struct cot_matrix view = {.data = centroids, .n = k, .d = d, .stride = d};
    if (k == 0 || k > INT32_MAX || d == 0)
        return cot_fail(err, COT_USAGE, "%zu centroids in %zu columns: give at least one of each", k, d);
    if (!(decay > 0 && decay <= 1))
        return cot_fail(err, COT_USAGE, "decay is %g; it must be above 0 and at most 1", decay);
    for (size_t c = 0; masses != NULL && c < k; c++)
        if (!isfinite(masses[c]) || masses[c] < 0)
            return cot_fail(err, COT_BAD_DATA, "mass %zu (counted from 0) is %g; it must be finite and >= 0", c,
                            masses[c]);
    cot_code rc = cot_check_finite(&view, false, err);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "centroids");
}

cot_code cot_kmeans_stream_new(const float *centroids, const double *masses, size_t k, size_t d, double decay,
                               struct cot_kmeans_stream **ret_stream, struct cot_err *err)
{
    cot_code rc = check_start(centroids, masses, k, d, decay, err);
    if (rc != COT_OK)
        return rc;
    struct cot_kmeans_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return cot_fail(err, COT_NOMEM, "a stream of %zu centroids", k);
    *stream = (struct cot_kmeans_stream){.k = k, .d = d, .decay = decay};
    stream->means = cot_alloc_array(k, d, sizeof *stream->means);
    stream->masses = cot_alloc_array(k, 1, sizeof *stream->masses);
    stream->centroids = cot_alloc_array(k, d, sizeof *stream->centroids);
    if (stream->means == NULL || stream->masses == NULL || stream->centroids == NULL) {
        cot_kmeans_stream_free(stream);
        return cot_fail(err, COT_NOMEM, "a stream of %zu centroids in %zu columns", k, d);
    }
    memcpy(stream->centroids, centroids, k * d * sizeof *centroids);
    for (size_t i = 0; i < k * d; i++)
        stream->means[i] = (double)centroids[i];
    if (masses != NULL)
        memcpy(stream->masses, masses, k * sizeof *masses);
    *ret_stream = stream;
    return COT_OK;
}

void cot_kmeans_stream_free(struct cot_kmeans_stream *stream)
{
    if (stream == NULL)
        return;
    free(stream->means);
    free(stream->masses);
    free(stream->centroids);
    free(stream);
}

size_t cot_kmeans_stream_k(const struct cot_kmeans_stream *stream)
{
    return stream->k;
}

size_t cot_kmeans_stream_d(const struct cot_kmeans_stream *stream)
{
    return stream->d;
}

const float *cot_kmeans_stream_centroids(const struct cot_kmeans_stream *stream)
{
    return stream->centroids;
}

const double *cot_kmeans_stream_masses(const struct cot_kmeans_stream *stream)
{
    return stream->masses;
}

/* Moves the centroids by a batch that is assigned; row order, so nothing depends on threads. */
static void take_batch(struct cot_kmeans_stream *stream, const struct cot_matrix *x, const float *weights,
                       const uint32_t *labels, double *sums, double *masses)
{
    size_t d = stream->d;
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        double w = weights != NULL ? (double)weights[i] : 1;
        masses[labels[i]] += w;
        for (size_t j = 0; j < d; j++)
            sums[labels[i] * d + j] += w * (double)row[j];
    }
    for (size_t c = 0; c < stream->k; c++) {
        stream->masses[c] = stream->decay * stream->masses[c] + masses[c];
        if (masses[c] <= 0)
            continue;
        for (size_t j = 0; j < d; j++) {
            double *mean = stream->means + c * d + j;
            *mean += (sums[c * d + j] - masses[c] * *mean) / stream->masses[c];
            stream->centroids[c * d + j] = (float)*mean;
        }
    }
}

cot_code cot_kmeans_stream_update(struct cot_kmeans_stream *stream, const struct cot_matrix *x, const float *weights,
                                  unsigned n_threads, uint32_t *ret_labels, double *ret_inertia, struct cot_err *err)
{
    if (x->d != stream->d)
        return cot_fail(err, COT_USAGE, "the batch has %zu columns, the centroids %zu", x->d, stream->d);
    cot_code rc = cot_check_weights(weights, x->n, false, err);
    if (rc != COT_OK)
        return rc;
    uint32_t *labels = cot_alloc_array(x->n, 1, sizeof *labels);
    float *d2 = cot_alloc_array(x->n, 1, sizeof *d2);
    double *sums = cot_alloc_array(stream->k, stream->d, sizeof *sums);
    double *masses = cot_alloc_array(stream->k, 1, sizeof *masses);
    if (labels == NULL || d2 == NULL || sums == NULL || masses == NULL)
        rc = cot_fail(err, COT_NOMEM, "a batch of %zu points", x->n);
    else
        rc = cot_kmeans_assign(x, stream->centroids, stream->k, n_threads, labels, d2, err);
    if (rc == COT_OK) {
        double inertia = 0;
        for (size_t i = 0; i < x->n; i++)
            inertia += weights != NULL ? (double)weights[i] * (double)d2[i] : (double)d2[i];
        take_batch(stream, x, weights, labels, sums, masses);
        if (ret_labels != NULL)
            memcpy(ret_labels, labels, x->n * sizeof *labels);
        if (ret_inertia != NULL)
            *ret_inertia = inertia;
    }
    free(labels);
    free(d2);
    free(sums);
    free(masses);
    return rc;
}
