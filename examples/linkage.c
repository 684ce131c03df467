/* Hierarchical clustering: Ward's tree as SciPy's linkage matrix, then cut. */
#include <stdio.h>

#include "coterie/linkage.h"

int main(void)
{
    const float points[5] = {0, 1, 10, 12, 30};
    const struct cot_matrix x = {.data = points, .n = 5, .d = 1, .stride = 1};
    struct cot_linkage *linkage = NULL;
    struct cot_err err = {0};
    uint32_t labels[5];
    uint32_t order[5];

    if (cot_linkage_fit(&x, NULL, &linkage, &err) != COT_OK || /* NULL: Ward without weights */
        cot_linkage_cut_k(linkage, 3, labels, &err) != COT_OK ||
        cot_linkage_leaf_order(linkage, order, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_linkage_free(linkage);
        return 1;
    }
    for (size_t i = 0; i + 1 < linkage->n; i++) {
        const double *row = linkage->z + 4 * i; /* the two clusters, the height, the size */
        printf("%zu: %.0f + %.0f at %.3f, %.0f leaves\n", linkage->n + i, row[0], row[1], row[2], row[3]);
    }
    printf("three clusters:");
    for (size_t i = 0; i < 5; i++)
        printf(" %u", (unsigned)labels[i]);
    printf("\n");

    int right = linkage->z[2] == 1 && linkage->z[6] == 2 && labels[0] == labels[1] && labels[2] == labels[3] &&
                labels[0] != labels[2] && labels[4] != labels[0] && labels[4] != labels[2];
    cot_linkage_free(linkage);
    return right ? 0 : 1;
}
