/* Which cluster, in a few comparisons: k-means told by a threshold tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coterie/explain_tree.h"
#include "coterie/kmeans.h"

int main(void)
{
    const float customers[9][2] = {{1, 200},  {2, 220}, {1, 240}, {80, 30}, {90, 20},
                                   {100, 40}, {2, 20},  {1, 10},  {2, 30}};
    const char *const names[2] = {"orders", "recency"};
    const struct cot_matrix x = {.data = &customers[0][0], .n = 9, .d = 2, .stride = 2};
    const float centroids[3][2] = {{4 / 3.0F, 220}, {90, 30}, {5 / 3.0F, 20}}; /* a k-means fit's */
    struct cot_explain_tree_options options;
    struct cot_explain_tree *tree = NULL;
    struct cot_err err = {0};
    int right = 1;

    cot_explain_tree_options_init(&options); /* up to 2 k leaves, labels by the nearest centroid */
    if (cot_explain_tree_fit(&x, &centroids[0][0], 3, &options, &tree, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%zu leaves, %u comparisons at most, fidelity %.3f, price of explainability %.3f\n", tree->n_leaves,
           tree->depth, tree->fidelity, tree->price);
    for (uint32_t c = 0; c < 3; c++) {
        char *text = NULL;
        if (cot_explain_tree_text(tree, c, names, &text, &err) != COT_OK) {
            fprintf(stderr, "%s\n", err.message);
            cot_explain_tree_free(tree);
            return 1;
        }
        printf("cluster %u: %s\n", (unsigned)c, text);
        right = right && (c != 1 || strcmp(text, "orders > 40") == 0);
        free(text);
    }
    right = right && tree->n_leaves == 3 && tree->fidelity == 1 && tree->price > 0.999 && tree->price < 1.001;
    cot_explain_tree_free(tree);
    return right ? 0 : 1;
}
