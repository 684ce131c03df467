/* A tree of segments: an operating cut at k = 2, looked at more closely without fitting again. */
#include <stdio.h>

#include "coterie/tree.h"

int main(void)
{
    /* Two groups, the first of two parts. */
    const float points[8][2] = {{0, 0}, {0, 1}, {4, 0}, {4, 1}, {40, 40}, {40, 41}, {41, 40}, {41, 41}};
    const struct cot_matrix x = {.data = &points[0][0], .n = 8, .d = 2, .stride = 2};
    struct cot_tree_options options;
    struct cot_tree *tree = NULL;
    struct cot_err err = {0};
    uint32_t labels[8];
    uint32_t within[3];

    cot_tree_options_init(&options, 2);
    if (cot_tree_fit(&x, &options, &tree, &err) != COT_OK || cot_tree_zoom(tree, 3, labels, within, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_tree_free(tree);
        return 1;
    }
    const uint32_t *segments = cot_tree_labels(tree);
    for (size_t i = 0; i < 8; i++)
        printf("row %zu: segment %u, part %u\n", i, (unsigned)segments[i], (unsigned)labels[i]);

    /* Every part lies in one segment. */
    int right =
        segments[0] == segments[3] && segments[0] != segments[4] && labels[0] != labels[2] && labels[4] == labels[7];
    for (size_t i = 0; i < 8; i++)
        right = right && within[labels[i]] == segments[i];
    cot_tree_free(tree);
    return right ? 0 : 1;
}
