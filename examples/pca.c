/* Principal components: a cloud along the diagonal needs one number a point. */
#include <math.h>
#include <stdio.h>

#include "coterie/pca.h"

int main(void)
{
    const float points[4][2] = {{1, 1}, {2, 2.2F}, {3, 2.8F}, {4, 4}};
    const struct cot_matrix x = {.data = &points[0][0], .n = 4, .d = 2, .stride = 2};
    struct cot_pca *pca = NULL;
    struct cot_err err = {0};
    float scores[4];

    if (cot_pca_fit(&x, 1, 0, &pca, &err) != COT_OK || cot_pca_transform(pca, &x, 0, scores, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_pca_free(pca);
        return 1;
    }
    printf("first axis (%.3f, %.3f) has %.1f%% of the variance\n", pca->components[0], pca->components[1],
           100 * pca->variance[0] / pca->total);
    for (size_t i = 0; i < 4; i++)
        printf("point %zu: %+.3f\n", i, (double)scores[i]);

    int right = pca->variance[0] / pca->total > 0.99 && fabs(pca->components[0] - pca->components[1]) < 0.1 &&
                scores[0] < scores[1] && scores[2] < scores[3];
    cot_pca_free(pca);
    return right ? 0 : 1;
}
