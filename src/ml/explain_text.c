/* A threshold tree in words: see coterie/explain_tree.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "coterie/explain_tree.h"
#include "num/check.h"

size_t cot_explain_tree_bounds(const struct cot_explain_tree *tree, uint32_t i_node,
                               struct cot_explain_bound *ret_bounds)
{
    size_t n = 0;
    size_t n_steps = tree->nodes[i_node].depth;
    /* From the root down: the ancestor at each depth is found by climbing, trees are shallow. */
    for (size_t depth = 1; depth <= n_steps; depth++) {
        uint32_t child = i_node;
        while (tree->nodes[child].depth > depth)
            child = tree->nodes[child].parent;
        const struct cot_explain_node *parent = &tree->nodes[tree->nodes[child].parent];
        size_t at = 0;
        while (at < n && ret_bounds[at].i_column != parent->i_column)
            at++;
        if (at == n)
            ret_bounds[n++] =
                (struct cot_explain_bound){.i_column = parent->i_column, .above = -INFINITY, .at_most = INFINITY};
        if (parent->left == child)
            ret_bounds[at].at_most = fmin(ret_bounds[at].at_most, parent->threshold);
        else
            ret_bounds[at].above = fmax(ret_bounds[at].above, parent->threshold);
    }
    return n;
}

static cot_code put_bound(struct cot_buf *buf, const struct cot_explain_bound *bound, const char *const *names,
                          struct cot_err *err)
{
    char numbered[32];
    const char *name = numbered;
    snprintf(numbered, sizeof numbered, "x%zu", bound->i_column);
    if (names != NULL)
        name = names[bound->i_column];
    if (!isfinite(bound->above))
        return cot_buf_printf(buf, err, "%s <= %.9g", name, bound->at_most);
    if (!isfinite(bound->at_most))
        return cot_buf_printf(buf, err, "%s > %.9g", name, bound->above);
    return cot_buf_printf(buf, err, "%.9g < %s <= %.9g", bound->above, name, bound->at_most);
}

/* The cluster's leaf with the most mass below that of `before` (SIZE_MAX: at all; the lower index on a tie), or
 * SIZE_MAX. */
static size_t next_leaf(const struct cot_explain_tree *tree, uint32_t cluster, size_t before)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        const struct cot_explain_node *node = &tree->nodes[i];
        if (node->left != 0 || node->cluster != cluster)
            continue;
        if (before != SIZE_MAX &&
            (node->mass > tree->nodes[before].mass || (node->mass == tree->nodes[before].mass && i <= before)))
            continue;
        if (best == SIZE_MAX || node->mass > tree->nodes[best].mass)
            best = i;
    }
    return best;
}

static cot_code put_leaves(const struct cot_explain_tree *tree, uint32_t cluster, const char *const *names,
                           struct cot_explain_bound *bounds, struct cot_buf *buf, struct cot_err *err)
{
    size_t first = next_leaf(tree, cluster, SIZE_MAX);
    cot_code rc = first == SIZE_MAX ? cot_buf_puts(buf, "nobody", err) : COT_OK;
    for (size_t leaf = first; leaf != SIZE_MAX && rc == COT_OK; leaf = next_leaf(tree, cluster, leaf)) {
        size_t n = cot_explain_tree_bounds(tree, (uint32_t)leaf, bounds);
        if (leaf != first)
            rc = cot_buf_puts(buf, ", or ", err);
        if (n == 0)
            rc = cot_buf_puts(buf, "everybody", err);
        for (size_t i = 0; i < n && rc == COT_OK; i++) {
            if (i > 0)
                rc = cot_buf_puts(buf, " and ", err);
            if (rc == COT_OK)
                rc = put_bound(buf, &bounds[i], names, err);
        }
    }
    return rc;
}

cot_code cot_explain_tree_text(const struct cot_explain_tree *tree, uint32_t cluster, const char *const *names,
                               char **ret_text, struct cot_err *err)
{
    struct cot_buf buf = {0};
    if (cluster >= tree->k)
        return cot_fail(err, COT_USAGE, "cluster %u of a tree over %zu", (unsigned)cluster, tree->k);
    struct cot_explain_bound *bounds = cot_alloc_array(tree->depth, 1, sizeof *bounds);
    if (bounds == NULL)
        return cot_fail(err, COT_NOMEM, "the rule of cluster %u", (unsigned)cluster);
    cot_code rc = put_leaves(tree, cluster, names, bounds, &buf, err);
    free(bounds);
    if (rc != COT_OK) {
        cot_buf_release(&buf);
        return rc;
    }
    *ret_text = buf.data; /* ends with a NUL that does not count */
    return COT_OK;
}
