/* Cuts of a linkage, and its order: see coterie/linkage.h. */
#include <stdbool.h>
#include <stdlib.h>

#include "coterie/linkage.h"
#include "ml/linkage_merge.h"
#include "num/check.h"

/* Labels after the first n_joins rows, by first appearance. */
static cot_code cut_after(const struct cot_linkage *linkage, size_t n_joins, uint32_t *ret_labels, size_t *ret_k,
                          struct cot_err *err)
{
    size_t n = linkage->n;
    uint32_t *parent = cot_alloc_array(2 * n, 1, sizeof *parent); /* nodes: leaves, then joins */
    uint32_t *number = cot_alloc_array(2 * n, 1, sizeof *number); /* label of a root, plus 1 */
    uint32_t k = 0;
    if (parent == NULL || number == NULL) {
        free(parent);
        free(number);
        return cot_fail(err, COT_NOMEM, "cutting a tree over %zu leaves", n);
    }
    for (size_t i = 0; i < 2 * n; i++)
        parent[i] = (uint32_t)i;
    for (size_t m = 0; m < n_joins; m++) {
        parent[(size_t)linkage->z[4 * m]] = (uint32_t)(n + m);
        parent[(size_t)linkage->z[4 * m + 1]] = (uint32_t)(n + m);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t root = cot_root(parent, (uint32_t)i);
        if (number[root] == 0)
            number[root] = ++k;
        ret_labels[i] = number[root] - 1;
    }
    if (ret_k != NULL)
        *ret_k = k;
    free(parent);
    free(number);
    return COT_OK;
}

cot_code cot_linkage_cut_k(const struct cot_linkage *linkage, size_t k, uint32_t *ret_labels, struct cot_err *err)
{
    if (k == 0 || k > linkage->n)
        return cot_fail(err, COT_USAGE, "a tree over %zu leaves has no cut into %zu clusters", linkage->n, k);
    return cut_after(linkage, linkage->n - k, ret_labels, NULL, err);
}

cot_code cot_linkage_cut_height(const struct cot_linkage *linkage, double height, uint32_t *ret_labels, size_t *ret_k,
                                struct cot_err *err)
{
    size_t n_joins = 0;
    while (n_joins + 1 < linkage->n && linkage->z[4 * n_joins + 2] <= height)
        n_joins++;
    return cut_after(linkage, n_joins, ret_labels, ret_k, err);
}

cot_code cot_linkage_leaf_order(const struct cot_linkage *linkage, uint32_t *ret_order, struct cot_err *err)
{
    size_t n = linkage->n;
    size_t *stack = cot_alloc_array(n + 1, 1, sizeof *stack);
    size_t depth = 0;
    size_t at = 0;
    if (stack == NULL)
        return cot_fail(err, COT_NOMEM, "ordering %zu leaves", n);
    stack[depth++] = n > 1 ? 2 * n - 2 : 0;
    while (depth > 0) {
        size_t node = stack[--depth];
        if (node < n) {
            ret_order[at++] = (uint32_t)node;
            continue;
        }
        stack[depth++] = (size_t)linkage->z[4 * (node - n) + 1];
        stack[depth++] = (size_t)linkage->z[4 * (node - n)];
    }
    free(stack);
    return COT_OK;
}

cot_code cot_linkage_cut_min_size(const struct cot_linkage *linkage, size_t min_size, uint32_t *ret_labels,
                                  size_t *ret_k, struct cot_err *err)
{
    size_t n = linkage->n;
    if (min_size == 0 || min_size > n)
        return cot_fail(err, COT_USAGE, "clusters of at least %zu of %zu leaves: give 1 to %zu", min_size, n, n);
    uint32_t *number = cot_alloc_array(2 * n, 1, sizeof *number); /* of a node: its label plus 1; 0: it is split */
    uint32_t *seen = cot_alloc_array(2 * n, 1, sizeof *seen);     /* of such a label: in order of appearance, plus 1 */
    uint32_t n_found = 0;
    uint32_t k = 0;
    if (number == NULL || seen == NULL) {
        free(number);
        free(seen);
        return cot_fail(err, COT_NOMEM, "cutting a tree over %zu leaves", n);
    }
    if (n == 1)
        number[0] = ++n_found;
    for (size_t m = n - 1; m-- > 0;) { /* from the root down */
        const double *row = linkage->z + 4 * m;
        size_t sides[2] = {(size_t)row[0], (size_t)row[1]};
        bool split = number[n + m] == 0;
        for (int s = 0; s < 2; s++)
            split = split && (sides[s] < n ? 1 : (size_t)linkage->z[4 * (sides[s] - n) + 3]) >= min_size;
        if (!split && number[n + m] == 0)
            number[n + m] = ++n_found;
        for (int s = 0; s < 2; s++)
            number[sides[s]] = split ? (sides[s] < n ? ++n_found : 0) : number[n + m];
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t *label = &seen[number[i]];
        if (*label == 0)
            *label = ++k;
        ret_labels[i] = *label - 1;
    }
    if (ret_k != NULL)
        *ret_k = k;
    free(number);
    free(seen);
    return COT_OK;
}
