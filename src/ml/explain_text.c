/* A threshold tree in words: see coterie/explain_tree.h. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "coterie/explain_tree.h"
#include "ml/rule_bins.h"
#include "ml/transform_internal.h"
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
            ret_bounds[n++] = (struct cot_explain_bound){.i_column = parent->i_column,
                                                         .above = -INFINITY,
                                                         .at_most = INFINITY,
                                                         .above_node = UINT32_MAX,
                                                         .at_most_node = UINT32_MAX};
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

/* ---- back to raw units ---- */

/* Floats by their order: 0 is +0, -1 is -0, and neighbours differ by 1. */
static float float_at(int64_t place)
{
    uint32_t bits = (uint32_t)(place >= 0 ? place : -1 - place);
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    return place >= 0 ? value : -value;
}

static int64_t place_of(float value)
{
    uint32_t bits = 0;
    float size = fabsf(value);
    memcpy(&bits, &size, sizeof bits);
    return signbit(value) ? -1 - (int64_t)bits : (int64_t)bits;
}

/* The first place whose raw number scores more than z (or, with or_equal, as much); past FLT_MAX where none does. */
static int64_t first_beyond(const struct cot_transform_fitted *column, float z, bool or_equal)
{
    int64_t begin = place_of(-FLT_MAX);
    int64_t end = place_of(FLT_MAX) + 1;
    while (begin < end) {
        int64_t middle = begin + (end - begin) / 2;
        float score = cot_transform_score(column, float_at(middle));
        if (score > z || (or_equal && score == z))
            end = middle;
        else
            begin = middle + 1;
    }
    return begin;
}

/*
 * Many raw numbers share a float32 score: which of them is meant? Of those up to `last` that score as much, the last
 * with six digits (counted from the column's largest) or none after the point, as what shops count and sell is; else
 * `last` itself.
 */
static double meant(const struct cot_transform_fitted *column, float last)
{
    double size = fmax(fabs(column->low), fabs(column->high));
    int digits = size > 0 ? 5 - (int)floor(log10(size)) : 0;
    double scale = digits > 0 ? pow(10, digits) : 1;
    double value = floor((double)last * scale) / scale;
    if (!isfinite(value) || cot_transform_score(column, (float)value) != cot_transform_score(column, last))
        return (double)last;
    return value;
}

/*
 * A node's threshold in raw units, rounded anew. It goes between raw numbers whose scores are at most `low` and those
 * whose scores are at least `high`. The inverses of both would not do: they are a float32 rounding beside.
 */
static double raw_threshold(const struct cot_explain_node *node, const struct cot_transform_fitted *column)
{
    int64_t least = place_of(-FLT_MAX);
    int64_t most = place_of(FLT_MAX);
    int64_t beyond = first_beyond(column, node->low, false);
    int64_t next = first_beyond(column, node->high, true);
    double low = meant(column, float_at(beyond > least ? beyond - 1 : least));
    /* Nearer to the float before than to the next one, so that the text as a float32 is not the next one either. */
    double high = ((double)float_at(next > least ? next - 1 : least) + (double)float_at(next < most ? next : most)) / 2;
    return low < high ? cot_rule_round_between(low, high) : low;
}

/* An indicator is below 0 for other categories, 0 for a missing or unheard-of one, above 0 for its own. */
static cot_code put_category(const struct cot_explain_bound *bound, const char *name, int32_t code, struct cot_buf *buf,
                             struct cot_err *err)
{
    char category[32];
    bool below = isfinite(bound->at_most);
    if (code < 0)
        snprintf(category, sizeof category, "a rare one");
    else
        snprintf(category, sizeof category, "%d", code);
    if (below && isfinite(bound->above))
        return cot_buf_printf(buf, err, "%s is unknown", name);
    return cot_buf_printf(buf, err, "%s is %s%s%s", name, below ? "not " : "", category,
                          !below && bound->above < 0 ? " or unknown" : "");
}

static cot_code put_raw(const struct cot_explain_tree *tree, const struct cot_explain_bound *bound,
                        const struct cot_transform *transform, struct cot_buf *buf, struct cot_err *err)
{
    int32_t code = 0;
    double above = -INFINITY;
    double at_most = INFINITY;
    const struct cot_transform_fitted *column =
        &transform->columns[cot_transform_source(transform, bound->i_column, &code)];
    if (column->kind == COT_TRANSFORM_CATEGORY)
        return put_category(bound, column->name, code, buf, err);
    if (bound->above_node != UINT32_MAX)
        above = raw_threshold(&tree->nodes[bound->above_node], column);
    if (bound->at_most_node != UINT32_MAX)
        at_most = raw_threshold(&tree->nodes[bound->at_most_node], column);
    return put_range(buf, column->name, above, at_most, err);
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
