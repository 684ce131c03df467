/* A threshold tree in words: see coterie/explain_tree.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "coterie/explain_tree.h"
#include "ml/rule_bins.h"
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
        uint32_t i_parent = tree->nodes[child].parent;
        if (parent->left == child && parent->threshold < ret_bounds[at].at_most) {
            ret_bounds[at].at_most = parent->threshold;
            ret_bounds[at].at_most_node = i_parent;
        } else if (parent->right == child && parent->threshold > ret_bounds[at].above) {
            ret_bounds[at].above = parent->threshold;
            ret_bounds[at].above_node = i_parent;
        }
    }
    return n;
}

/* How columns are called, and whether thresholds go back through a transform. */
struct wording {
    const char *const *names;
    const struct cot_transform *transform;
};

static cot_code put_range(struct cot_buf *buf, const char *name, double above, double at_most, struct cot_err *err)
{
    if (!isfinite(above))
        return cot_buf_printf(buf, err, "%s <= %.9g", name, at_most);
    if (!isfinite(at_most))
        return cot_buf_printf(buf, err, "%s > %.9g", name, above);
    return cot_buf_printf(buf, err, "%.9g < %s <= %.9g", above, name, at_most);
}

/* A node's threshold in raw units, rounded anew. */
static double raw_threshold(const struct cot_explain_tree *tree, const struct cot_transform *transform, uint32_t i_node)
{
    const struct cot_explain_node *node = &tree->nodes[i_node];
    double low = cot_transform_inverse(transform, node->i_column, (double)node->low);
    double high = cot_transform_inverse(transform, node->i_column, (double)node->high);
    return low < high ? cot_rule_round_between(low, high) : low;
}

static cot_code put_raw(const struct cot_explain_tree *tree, const struct cot_explain_bound *bound,
                        const struct cot_transform *transform, struct cot_buf *buf, struct cot_err *err)
{
    int32_t code = 0;
    size_t column = cot_transform_source(transform, bound->i_column, &code);
    const char *name = cot_transform_name(transform, column);
    if (cot_transform_kind_of(transform, column) == COT_TRANSFORM_CATEGORY) { /* of an indicator, above means: is it */
        const char *verb = bound->above_node != UINT32_MAX ? "is" : "is not";
        return code < 0 ? cot_buf_printf(buf, err, "%s %s a rare one", name, verb)
                        : cot_buf_printf(buf, err, "%s %s %d", name, verb, code);
    }
    return put_range(
        buf, name, bound->above_node != UINT32_MAX ? raw_threshold(tree, transform, bound->above_node) : -INFINITY,
        bound->at_most_node != UINT32_MAX ? raw_threshold(tree, transform, bound->at_most_node) : INFINITY, err);
}

static cot_code put_bound(const struct cot_explain_tree *tree, const struct cot_explain_bound *bound,
                          const struct wording *wording, struct cot_buf *buf, struct cot_err *err)
{
    char numbered[32];
    if (wording->transform != NULL)
        return put_raw(tree, bound, wording->transform, buf, err);
    snprintf(numbered, sizeof numbered, "x%zu", bound->i_column);
    return put_range(buf, wording->names != NULL ? wording->names[bound->i_column] : numbered, bound->above,
                     bound->at_most, err);
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

static cot_code put_leaves(const struct cot_explain_tree *tree, uint32_t cluster, const struct wording *wording,
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
                rc = put_bound(tree, &bounds[i], wording, buf, err);
        }
    }
    return rc;
}

static cot_code put_cluster(const struct cot_explain_tree *tree, uint32_t cluster, const struct wording *wording,
                            char **ret_text, struct cot_err *err)
{
    struct cot_buf buf = {0};
    if (cluster >= tree->k)
        return cot_fail(err, COT_USAGE, "cluster %u of a tree over %zu", (unsigned)cluster, tree->k);
    struct cot_explain_bound *bounds = cot_alloc_array(tree->depth, 1, sizeof *bounds);
    if (bounds == NULL)
        return cot_fail(err, COT_NOMEM, "the rule of cluster %u", (unsigned)cluster);
    cot_code rc = put_leaves(tree, cluster, wording, bounds, &buf, err);
    free(bounds);
    if (rc != COT_OK) {
        cot_buf_release(&buf);
        return rc;
    }
    *ret_text = buf.data; /* ends with a NUL that does not count */
    return COT_OK;
}

cot_code cot_explain_tree_text(const struct cot_explain_tree *tree, uint32_t cluster, const char *const *names,
                               char **ret_text, struct cot_err *err)
{
    return put_cluster(tree, cluster, &(struct wording){.names = names}, ret_text, err);
}

cot_code cot_explain_tree_text_raw(const struct cot_explain_tree *tree, uint32_t cluster,
                                   const struct cot_transform *transform, char **ret_text, struct cot_err *err)
{
    if (cot_transform_d_out(transform) != tree->d)
        return cot_fail(err, COT_USAGE, "a transform that makes %zu columns and a tree over %zu",
                        cot_transform_d_out(transform), tree->d);
    return put_cluster(tree, cluster, &(struct wording){.transform = transform}, ret_text, err);
}
