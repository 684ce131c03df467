/* Prototypes: the customers that stand best for their cluster. */
#include <stdio.h>

#include "coterie/medoids.h"

int main(void)
{
    const float points[6] = {1, 2, 3, 10, 20, 24};
    const struct cot_matrix x = {.data = points, .n = 6, .d = 1, .stride = 1};
    const uint32_t labels[6] = {0, 0, 0, 1, 1, 1};
    const float centroids[2] = {2, 18};
    size_t rows[4]; /* two a cluster, nearest first */
    struct cot_err err = {0};

    if (cot_medoids_find(&x, labels, centroids, 2, 2, rows, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t c = 0; c < 2; c++)
        printf("cluster %zu: rows %zu (%.0f) and %zu (%.0f)\n", c, rows[2 * c], (double)points[rows[2 * c]],
               rows[2 * c + 1], (double)points[rows[2 * c + 1]]);
    /* 1 and 3 are equally near to 2: the lower row wins. */
    return rows[0] == 1 && rows[1] == 0 && rows[2] == 4 && rows[3] == 5 ? 0 : 1;
}
