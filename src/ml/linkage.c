#include "coterie/linkage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
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

size_t cot_linkage_memory(size_t n, size_t d, const struct cot_linkage_options *options)
{
    enum cot_linkage_method method = options != NULL ? options->method : COT_LINKAGE_WARD;
    unsigned n_threads = options != NULL ? options->n_threads : 0;
    /* The result, merges twice while they are sorted, union-find while they are numbered. */
    size_t total = cot_memory_add(0, n, 4 * sizeof(double) + 2 * sizeof(struct cot_merge) + 2 * sizeof(size_t) + 4);
    if (n > INT32_MAX || cot_memory_add(0, n, d) > SIZE_MAX / 1024)
        return SIZE_MAX;
    if (method == COT_LINKAGE_WARD)
        return total + cot_ward_memory(n, d, n_threads);
    total = cot_memory_add(total, n, d * sizeof(double)); /* columns */
    if (method == COT_LINKAGE_SINGLE)
        return cot_memory_add(total, n, 2 * sizeof(double) + sizeof(uint32_t));
    total = cot_memory_add(total, n, 5 * sizeof(double)); /* masses, heights, the chain, where rows begin, half a row */
    return cot_memory_add(total, n, (n / 2 + 1) * sizeof(double));
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_linkage_options *o, struct cot_err *err)
{
    if (x->n == 0 || x->d == 0)
        return cot_fail(err, COT_USAGE, "a tree over %zu rows and %zu columns: give at least one of each", x->n, x->d);
    if (x->n > INT32_MAX)
        return cot_fail(err, COT_LIMIT, "%zu rows; a linkage takes at most %d: cluster a sample", x->n, INT32_MAX);
    if ((unsigned)o->method > COT_LINKAGE_SINGLE)
        return cot_fail(err, COT_USAGE, "linkage method %d: 0 to %d", (int)o->method, COT_LINKAGE_SINGLE);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_weights(o->weights, x->n, true, err);
    return rc != COT_OK ? rc
                        : cot_memory_check(cot_linkage_memory(x->n, x->d, o), o->memory_limit, err,
                                           "a linkage over %zu x %zu numbers", x->n, x->d);
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
