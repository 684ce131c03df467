/* Using and judging a threshold tree: see coterie/explain_tree.h. */
#include "ml/explain_measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/threads.h"
#include "ml/means.h"
#include "num/check.h"
#include "num/distance.h"

enum { MIN_ROWS_A_BLOCK = 4096 };

/* ---- assigning ---- */

struct assigning {
    const struct cot_explain_tree *tree;
    const struct cot_matrix *x;
    uint32_t *clusters, *leaves;
};

static void assign_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct assigning *a = context;
    const struct cot_explain_node *nodes = a->tree->nodes;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(a->x, i);
        uint32_t at = 0;
        while (nodes[at].left != 0)
            at = (double)row[nodes[at].i_column] <= nodes[at].threshold ? nodes[at].left : nodes[at].right;
        a->clusters[i] = nodes[at].cluster;
        if (a->leaves != NULL)
            a->leaves[i] = at;
    }
}

cot_code cot_explain_tree_assign(const struct cot_explain_tree *tree, const struct cot_matrix *x, unsigned n_threads,
                                 uint32_t *ret_clusters, uint32_t *ret_leaves, struct cot_err *err)
{
    struct assigning a = {.tree = tree, .x = x, .clusters = ret_clusters, .leaves = ret_leaves};
    if (x->d != tree->d)
        return cot_fail(err, COT_USAGE, "%zu columns, but the tree is over %zu", x->d, tree->d);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        cot_parallel_for(n_threads, x->n, MIN_ROWS_A_BLOCK, assign_block, &a);
    return rc;
}

/* ---- judging ---- */

/* Sums of one block. */
struct costs {
    double mass, agreed, cost, surrogate, reference;
};

struct judging {
    const struct cot_explain_data *data;
    const uint32_t *clusters;
    const float *means; /* k x d, of the tree's clusters */
    struct costs *blocks;
};

static void judge_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct judging *g = context;
    size_t d = g->data->x->d;
    struct costs sums = {0};
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(g->data->x, i);
        double weight = cot_explain_weight(g->data, (uint32_t)i);
        size_t cluster = g->clusters[i];
        size_t label = g->data->labels[i];
        sums.mass += weight;
        sums.agreed += cluster == label ? weight : 0;
        sums.cost += weight * cot_distance2(row, g->means + cluster * d, d);
        sums.surrogate += weight * cot_distance2(row, g->data->centroids + cluster * d, d);
        sums.reference += weight * cot_distance2(row, g->data->centroids + label * d, d);
    }
    g->blocks[i_block] = sums;
}

/* Masses and mistakes of the leaves, then of the nodes above. */
static void weigh_nodes(struct cot_explain_tree *tree, const struct cot_explain_data *data, const uint32_t *leaves)
{
    for (size_t i = 0; i < data->x->n; i++) {
        struct cot_explain_node *leaf = &tree->nodes[leaves[i]];
        double weight = cot_explain_weight(data, (uint32_t)i);
        leaf->mass += weight;
        leaf->mistakes += leaf->cluster != data->labels[i] ? weight : 0;
    }
    for (size_t i = tree->n_nodes; i-- > 0;) {
        struct cot_explain_node *node = &tree->nodes[i];
        tree->depth = node->depth > tree->depth ? node->depth : tree->depth;
        if (i > 0)
            tree->nodes[node->parent].mass += node->mass;
    }
}

cot_code cot_explain_measure(struct cot_explain_tree *tree, const struct cot_explain_data *data, struct cot_err *err)
{
    size_t n = data->x->n;
    size_t block = cot_block_of(n, MIN_ROWS_A_BLOCK);
    size_t n_blocks = cot_n_blocks(n, block);
    struct cot_means means = {0};
    struct costs all = {0};
    uint32_t *clusters = cot_alloc_array(n, 2, sizeof *clusters);
    struct judging g = {.data = data, .clusters = clusters};
    g.blocks = cot_alloc_array(n_blocks, 1, sizeof *g.blocks);
    cot_code rc =
        clusters == NULL || g.blocks == NULL ? cot_fail(err, COT_NOMEM, "judging a tree over %zu rows", n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_explain_tree_assign(tree, data->x, data->n_threads, clusters, clusters + n, err);
    if (rc == COT_OK)
        rc = cot_means_init(&means, data->x, clusters, data->weights, data->k, data->n_threads, err);
    if (rc != COT_OK)
        goto out;
    g.means = means.means;
    cot_parallel_for(data->n_threads, n, block, judge_block, &g);
    for (size_t b = 0; b < n_blocks; b++) {
        all.mass += g.blocks[b].mass;
        all.agreed += g.blocks[b].agreed;
        all.cost += g.blocks[b].cost;
        all.surrogate += g.blocks[b].surrogate;
        all.reference += g.blocks[b].reference;
    }
    weigh_nodes(tree, data, clusters + n);
    tree->fidelity = all.agreed / all.mass;
    tree->cost = all.cost;
    tree->surrogate_cost = all.surrogate;
    tree->reference_cost = all.reference;
    tree->price = all.reference > 0 ? all.cost / all.reference : all.cost > 0 ? INFINITY : 1;
out:
    cot_means_release(&means);
    free(clusters);
    free(g.blocks);
    return rc;
}
