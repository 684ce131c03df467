#include "coterie/linkage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ml/linkage_merge.h"
#include "ml/linkage_methods.h"
#include "num/check.h"

void cot_linkage_free(struct cot_linkage *linkage)
{
    if (linkage == NULL)
        return;
    free(linkage->z);
    free(linkage);
}

int cot_merges_sort(struct cot_merge *merges, size_t n)
{
    if (n < 2)
        return 1;
    struct cot_merge *other = cot_alloc_array(n, 1, sizeof *other);
    struct cot_merge *from = merges;
    struct cot_merge *to = other;
    if (other == NULL)
        return 0;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t begin = 0; begin < n; begin += 2 * width) {
            size_t middle = begin + width < n ? begin + width : n;
            size_t end = middle + width < n ? middle + width : n;
            size_t i = begin;
            size_t j = middle;
            for (size_t at = begin; at < end; at++)
                to[at] = i < middle && (j >= end || from[i].height <= from[j].height) ? from[i++] : from[j++];
        }
        struct cot_merge *swap = from;
        from = to;
        to = swap;
    }
    if (from != merges)
        memcpy(merges, from, n * sizeof *merges);
    free(other);
    return 1;
}

/* Sorted merges -> SciPy's matrix: each row names the current clusters of its two leaves. */
static cot_code write_matrix(struct cot_linkage *linkage, const struct cot_merge *merges, struct cot_err *err)
{
    size_t n = linkage->n;
    uint32_t *parent = cot_alloc_array(n, 1, sizeof *parent);
    size_t *cluster = cot_alloc_array(n, 1, sizeof *cluster); /* of a root: its number and leaves */
    size_t *size = cot_alloc_array(n, 1, sizeof *size);
    cot_code rc = COT_OK;
    if (parent == NULL || cluster == NULL || size == NULL) {
        rc = cot_fail(err, COT_NOMEM, "a tree over %zu leaves", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        parent[i] = (uint32_t)i;
        cluster[i] = i;
        size[i] = 1;
    }
    for (size_t m = 0; m + 1 < n; m++) {
        uint32_t a = cot_root(parent, merges[m].a);
        uint32_t b = cot_root(parent, merges[m].b);
        double *row = linkage->z + 4 * m;
        bool a_first = cluster[a] < cluster[b];
        row[0] = (double)cluster[a_first ? a : b];
        row[1] = (double)cluster[a_first ? b : a];
        row[2] = merges[m].height;
        row[3] = (double)(size[a] + size[b]);
        size_t total = size[a] + size[b];
        uint32_t root = cot_join(parent, a, b);
        cluster[root] = n + m;
        size[root] = total;
    }
out:
    free(parent);
    free(cluster);
    free(size);
    return rc;
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_linkage_options *o, struct cot_err *err)
{
    bool pairwise = o->method == COT_LINKAGE_AVERAGE || o->method == COT_LINKAGE_COMPLETE;
    if (x->n == 0 || x->d == 0)
        return cot_fail(err, COT_USAGE, "a tree over %zu rows and %zu columns: give at least one of each", x->n, x->d);
    if (x->n > (pairwise ? COT_LINKAGE_MAX_PAIRWISE_ROWS : INT32_MAX))
        return cot_fail(err, COT_LIMIT, "%zu rows; this linkage takes at most %zu: use Ward, or cluster a sample", x->n,
                        (size_t)(pairwise ? COT_LINKAGE_MAX_PAIRWISE_ROWS : INT32_MAX));
    cot_code rc = cot_check_finite(x, false, err);
    return rc != COT_OK ? rc : cot_check_weights(o->weights, x->n, true, err);
}

cot_code cot_linkage_fit(const struct cot_matrix *x, const struct cot_linkage_options *options,
                         struct cot_linkage **ret_linkage, struct cot_err *err)
{
    struct cot_linkage_options defaults = {.method = COT_LINKAGE_WARD};
    const struct cot_linkage_options *o = options != NULL ? options : &defaults;
    struct cot_linkage *linkage = NULL;
    struct cot_merge *merges = NULL;
    cot_code rc = check_input(x, o, err);
    if (rc != COT_OK)
        return rc;
    linkage = calloc(1, sizeof *linkage);
    merges = cot_alloc_array(x->n, 1, sizeof *merges);
    if (linkage != NULL && x->n > 1)
        linkage->z = cot_alloc_array(x->n - 1, 4, sizeof *linkage->z);
    if (linkage == NULL || merges == NULL || (x->n > 1 && linkage->z == NULL)) {
        rc = cot_fail(err, COT_NOMEM, "a tree over %zu rows", x->n);
        goto out;
    }
    linkage->n = x->n;
    if (x->n > 1) {
        if (o->method == COT_LINKAGE_WARD)
            rc = cot_ward_merges(x, o, merges, err);
        else if (o->method == COT_LINKAGE_SINGLE)
            rc = cot_single_merges(x, merges, err);
        else
            rc = cot_pairwise_merges(x, o, merges, err);
        if (rc == COT_OK && !cot_merges_sort(merges, x->n - 1))
            rc = cot_fail(err, COT_NOMEM, "sorting %zu joins", x->n - 1);
        if (rc == COT_OK)
            rc = write_matrix(linkage, merges, err);
        if (rc != COT_OK)
            goto out;
    }
    *ret_linkage = linkage;
    linkage = NULL;
out:
    cot_linkage_free(linkage);
    free(merges);
    return rc;
}

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
