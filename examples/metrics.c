/* Judging a clustering: against known classes, against its data, and a tree against both. */
#include <math.h>
#include <stdio.h>

#include "coterie/metrics.h"

int main(void)
{
    const float points[6] = {0, 1, 2, 10, 11, 12};
    const struct cot_matrix x = {.data = points, .n = 6, .d = 1, .stride = 1};
    const uint32_t truth[6] = {0, 0, 0, 1, 1, 1};
    const uint32_t found[6] = {1, 1, 1, 0, 0, 1}; /* names do not matter, the last point does */
    double ari = 0, ami = 0, silhouette = 0, davies_bouldin = 0, calinski_harabasz = 0, purity = 0, cophenetic = 0;
    struct cot_linkage *linkage = NULL;
    struct cot_err err = {0};

    if (cot_metric_ari(truth, found, 6, &ari, &err) != COT_OK ||
        cot_metric_ami(truth, found, 6, &ami, &err) != COT_OK ||
        cot_metric_silhouette(&x, truth, 2, 0, &silhouette, NULL, &err) != COT_OK ||
        cot_metric_davies_bouldin(&x, truth, 2, &davies_bouldin, &err) != COT_OK ||
        cot_metric_calinski_harabasz(&x, truth, 2, &calinski_harabasz, &err) != COT_OK ||
        cot_linkage_fit(&x, NULL, &linkage, &err) != COT_OK ||
        cot_metric_dendrogram_purity(linkage, truth, &purity, &err) != COT_OK ||
        cot_metric_cophenetic(&x, linkage, &cophenetic, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_linkage_free(linkage);
        return 1;
    }
    cot_linkage_free(linkage);
    printf("found against truth: ARI %.4f, AMI %.4f\n", ari, ami);
    printf("truth against data:  silhouette %.4f, Davies-Bouldin %.4f, Calinski-Harabasz %.1f\n", silhouette,
           davies_bouldin, calinski_harabasz);
    printf("Ward's tree:         purity %.4f, cophenetic correlation %.4f\n", purity, cophenetic);

    /* scikit-learn 1.7.2: adjusted_rand_score, davies_bouldin_score, calinski_harabasz_score. */
    int right = fabs(ari - 0.32432432432432434) < 1e-12 && fabs(davies_bouldin - 2.0 / 15) < 1e-6 &&
                fabs(calinski_harabasz - 150) < 1e-4 && purity == 1 && cophenetic > 0.9;
    return right ? 0 : 1;
}
