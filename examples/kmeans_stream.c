/* K-means on batches: last night's centroids follow today's customers. */
#include <math.h>
#include <stdio.h>

#include "coterie/kmeans_stream.h"

int main(void)
{
    const float centroids[2] = {10, 100}; /* average baskets of two groups */
    const double masses[2] = {2, 2};      /* that stand for two customers each */
    const float today[3] = {13, 106, 112};
    const struct cot_matrix x = {.data = today, .n = 3, .d = 1, .stride = 1};
    struct cot_kmeans_stream *stream = NULL;
    struct cot_err err = {0};
    uint32_t labels[3];
    double inertia = 0;

    if (cot_kmeans_stream_new(centroids, masses, 2, 1, 0.5, &stream, &err) != COT_OK || /* yesterday counts half */
        cot_kmeans_stream_update(stream, &x, NULL, 0, labels, &inertia, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_kmeans_stream_free(stream);
        return 1;
    }
    const float *moved = cot_kmeans_stream_centroids(stream);
    const double *mass = cot_kmeans_stream_masses(stream);
    for (size_t c = 0; c < 2; c++)
        printf("group %zu: basket %.2f, mass %.1f\n", c, (double)moved[c], mass[c]);

    /* (10 * 1 + 13) / 2 and (100 * 1 + 106 + 112) / 3; 3^2 + 6^2 + 12^2 before the move. */
    int right = labels[0] == 0 && labels[1] == 1 && labels[2] == 1 && fabsf(moved[0] - 11.5F) < 1e-4F &&
                fabsf(moved[1] - 106) < 1e-4F && mass[0] == 2 && mass[1] == 3 && fabs(inertia - 189) < 1e-3;
    cot_kmeans_stream_free(stream);
    return right ? 0 : 1;
}
