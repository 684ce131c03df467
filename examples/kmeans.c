/* K-means: six customers by orders a year and average basket fall into two groups. */
#include <stdio.h>

#include "coterie/kmeans.h"

int main(void)
{
    const float customers[6][2] = {{1, 20}, {2, 25}, {1, 22}, {12, 80}, {14, 75}, {13, 85}};
    const struct cot_matrix x = {.data = &customers[0][0], .n = 6, .d = 2, .stride = 2};
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    struct cot_err err = {0};

    cot_kmeans_options_init(&options, 2); /* scikit-learn's defaults */
    options.n_init = 10;                  /* the best of ten seedings */
    options.seed = 42;                    /* the same bytes every time, at any number of threads */
    if (cot_kmeans_fit(&x, &options, &kmeans, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t c = 0; c < kmeans->k; c++)
        printf("cluster %zu: %.0f customers, %.2f orders, basket %.2f\n", c, kmeans->cluster_mass[c],
               (double)kmeans->centroids[2 * c], (double)kmeans->centroids[2 * c + 1]);

    /* A new customer goes to the nearest centroid. */
    const float newcomer[2] = {11, 70};
    const struct cot_matrix one = {.data = newcomer, .n = 1, .d = 2, .stride = 2};
    uint32_t label = 0;
    if (cot_kmeans_assign(&one, kmeans->centroids, kmeans->k, 1, &label, NULL, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("the newcomer is in cluster %u, inertia %.3f\n", (unsigned)label, kmeans->inertia);

    int right = label == kmeans->labels[3] && kmeans->labels[0] != kmeans->labels[3] && kmeans->inertia > 65 &&
                kmeans->inertia < 66; /* 65.333 by hand */
    cot_kmeans_free(kmeans);
    return right ? 0 : 1;
}
