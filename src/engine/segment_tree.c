#include "engine/segment_tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coterie/linkage.h"
#include "coterie/tree.h"

enum { MIN_SPLIT = 40, SPLIT_MAX_EXACT = 1500, SPLIT_MICRO = 200 };

/* What making a tree goes through: the customers of each leaf, and the splits that are known but not taken. */
struct growth {
    const struct cot_feature_matrix *matrix;
    const struct cot_learned *learned;
    const int64_t *revenue_minor;
    struct cot_segment_tree *tree;
    uint32_t *node_of; /* [n] the leaf that a customer is in */
    unsigned n_threads;
    uint64_t seed;
};

struct split {
    size_t node;
    double height; /* < 0: can't be split */
    size_t n;
    uint32_t *customers; /* [n] indices into learned->rows */
    uint32_t *sides;     /* [n] 0 or 1 */
};

void cot_segment_tree_free(struct cot_segment_tree *tree)
{
    if (tree == NULL)
        return;
    for (size_t i = 0; i < tree->n; i++)
        free(tree->nodes[i].sums);
    free(tree->nodes);
    free(tree);
}

static cot_code add_node(struct cot_segment_tree *tree, size_t d, size_t *ret_i, struct cot_err *err)
{
    if (tree->n == tree->capacity) {
        size_t capacity = 2 * tree->capacity + 16;
        struct cot_segment_node *grown = realloc(tree->nodes, capacity * sizeof *grown);
        if (grown == NULL)
            return cot_fail(err, COT_NOMEM, "tree of segments");
        tree->nodes = grown;
        tree->capacity = capacity;
    }
    struct cot_segment_node *node = &tree->nodes[tree->n];
    *node = (struct cot_segment_node){
        .children = {COT_TREE_NONE, COT_TREE_NONE}, .parent = COT_TREE_NONE, .segment = COT_TREE_NONE};
    node->sums = calloc(d + 1, sizeof *node->sums);
    if (node->sums == NULL)
        return cot_fail(err, COT_NOMEM, "tree of segments");
    *ret_i = tree->n++;
    return COT_OK;
}

static cot_code add_segments(struct growth *g, const struct cot_description *description, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t a = 0; rc == COT_OK && a < description->k; a++) {
        size_t i = 0;
        rc = add_node(g->tree, description->d, &i, err);
        if (rc != COT_OK)
            break;
        struct cot_segment_node *node = &g->tree->nodes[i];
        node->segment = a;
        node->size = description->segments[a].size;
        node->revenue_minor = description->segments[a].revenue_minor;
        memcpy(node->name, description->segments[a].name, sizeof node->name);
        for (size_t o = 0; o < description->d; o++)
            node->sums[o] = description->z_means[a * description->d + o] * (double)node->size;
    }
    return rc;
}

static cot_code join(struct growth *g, size_t a, size_t b, double height, size_t *ret_i, struct cot_err *err)
{
    cot_code rc = add_node(g->tree, g->learned->space->d, ret_i, err);
    if (rc != COT_OK)
        return rc;
    struct cot_segment_node *nodes = g->tree->nodes;
    struct cot_segment_node *node = &nodes[*ret_i];
    nodes[a].parent = nodes[b].parent = *ret_i;
    node->children[0] = nodes[a].size >= nodes[b].size ? a : b;
    node->children[1] = nodes[a].size >= nodes[b].size ? b : a;
    node->height = height;
    node->size = nodes[a].size + nodes[b].size;
    node->revenue_minor = nodes[a].revenue_minor + nodes[b].revenue_minor;
    for (size_t o = 0; o < g->learned->space->d; o++)
        node->sums[o] = nodes[a].sums[o] + nodes[b].sums[o];
    return COT_OK;
}

/* Unions: Ward over the centres of the learned segments, then the extremes. */
static cot_code add_unions(struct growth *g, struct cot_err *err)
{
    const struct cot_learned *learned = g->learned;
    size_t k = learned->extreme == SIZE_MAX ? learned->k : learned->k - 1;
    size_t q = learned->discriminant->q;
    struct cot_matrix centres = {.data = learned->centroids, .n = k, .d = q, .stride = q};
    struct cot_linkage_options options = {.method = COT_LINKAGE_WARD, .n_threads = 1};
    struct cot_linkage *linkage = NULL;
    float *weights = calloc(k + 1, sizeof *weights);
    size_t *places = calloc(2 * k + 1, sizeof *places); /* node of each cluster of the linkage */
    double height = 0;
    cot_code rc = weights == NULL || places == NULL ? cot_fail(err, COT_NOMEM, "tree of segments") : COT_OK;
    if (rc != COT_OK)
        goto out;
    for (size_t a = 0; a < k; a++) {
        weights[a] = g->tree->nodes[a].size > 0 ? (float)g->tree->nodes[a].size : 0.5f;
        places[a] = a;
    }
    options.weights = weights;
    rc = cot_linkage_fit(&centres, &options, &linkage, err);
    for (size_t i = 0; rc == COT_OK && i + 1 < k; i++) {
        height = linkage->z[4 * i + 2];
        rc = join(g, places[(size_t)linkage->z[4 * i]], places[(size_t)linkage->z[4 * i + 1]], height, &places[k + i],
                  err);
    }
    g->tree->root = k > 1 ? places[2 * k - 2] : 0;
    if (rc == COT_OK && learned->extreme != SIZE_MAX)
        rc = join(g, g->tree->root, learned->extreme, 1.1 * height, &g->tree->root, err);
out:
    cot_linkage_free(linkage);
    free(weights);
    free(places);
    return rc;
}

static void split_release(struct split *split)
{
    free(split->customers);
    free(split->sides);
    split->customers = split->sides = NULL;
}

/* The best way to split a leaf in two; height < 0 where it is too small or all alike. */
static cot_code split_find(struct growth *g, size_t i_node, struct split *ret_split, struct cot_err *err)
{
    const struct cot_learned *learned = g->learned;
    const struct cot_segment_node *node = &g->tree->nodes[i_node];
    size_t q = learned->discriminant->q;
    struct cot_tree_options options;
    struct cot_tree *tree = NULL;
    *ret_split = (struct split){.node = i_node, .height = -1};
    if (node->size < MIN_SPLIT)
        return COT_OK;
    float *y = malloc(node->size * q * sizeof *y);
    ret_split->customers = malloc(node->size * sizeof *ret_split->customers);
    ret_split->sides = malloc(node->size * sizeof *ret_split->sides);
    cot_code rc = y == NULL || ret_split->customers == NULL || ret_split->sides == NULL
                      ? cot_fail(err, COT_NOMEM, "split of %zu customers", node->size)
                      : COT_OK;
    for (size_t i = 0; rc == COT_OK && i < learned->n; i++) {
        if (g->node_of[i] != i_node)
            continue;
        memcpy(y + ret_split->n * q, learned->y + i * q, q * sizeof *y);
        ret_split->customers[ret_split->n++] = (uint32_t)i;
    }
    struct cot_matrix x = {.data = y, .n = ret_split->n, .d = q, .stride = q};
    cot_tree_options_init(&options, 2);
    options.max_exact = SPLIT_MAX_EXACT;
    options.n_micro = SPLIT_MICRO;
    options.seed = g->seed;
    options.n_threads = g->n_threads;
    if (rc == COT_OK)
        rc = cot_tree_fit(&x, &options, &tree, err);
    if (rc == COT_OK) {
        const struct cot_linkage *linkage = cot_tree_segments(tree);
        memcpy(ret_split->sides, cot_tree_labels(tree), ret_split->n * sizeof *ret_split->sides);
        ret_split->height = linkage->z != NULL && linkage->z[2] > 0 ? linkage->z[2] : -1;
    }
    cot_tree_free(tree);
    free(y);
    return rc;
}

/* Takes a split: two new leaves below its node. */
static cot_code split_take(struct growth *g, struct split *split, size_t ret_children[2], struct cot_err *err)
{
    enum { ROWS_AT_ONCE = 8192 };
    const struct cot_learned *learned = g->learned;
    size_t d = learned->space->d;
    float *z = malloc(ROWS_AT_ONCE * d * sizeof *z);
    uint32_t *rows = malloc(ROWS_AT_ONCE * sizeof *rows);
    cot_code rc = z == NULL || rows == NULL ? cot_fail(err, COT_NOMEM, "split of %zu customers", split->n) : COT_OK;
    for (size_t side = 0; rc == COT_OK && side < 2; side++) {
        rc = add_node(g->tree, d, &ret_children[side], err);
        if (rc == COT_OK) {
            g->tree->nodes[ret_children[side]].parent = split->node;
            g->tree->nodes[ret_children[side]].segment = g->tree->nodes[split->node].segment;
            g->tree->nodes[split->node].children[side] = ret_children[side];
        }
    }
    for (size_t begin = 0; rc == COT_OK && begin < split->n; begin += ROWS_AT_ONCE) {
        size_t m = split->n - begin < ROWS_AT_ONCE ? split->n - begin : ROWS_AT_ONCE;
        for (size_t i = 0; i < m; i++)
            rows[i] = learned->rows[split->customers[begin + i]];
        rc = cot_space_apply(learned->space, g->matrix, rows, m, g->n_threads, z, err);
        for (size_t i = 0; rc == COT_OK && i < m; i++) {
            size_t child = ret_children[split->sides[begin + i]];
            struct cot_segment_node *node = &g->tree->nodes[child];
            g->node_of[split->customers[begin + i]] = (uint32_t)child;
            node->size++;
            node->revenue_minor += g->revenue_minor[rows[i]];
            for (size_t o = 0; o < d; o++)
                node->sums[o] += (double)z[i * d + o];
        }
    }
    if (rc == COT_OK)
        g->tree->nodes[split->node].height = split->height;
    free(z);
    free(rows);
    return rc;
}

/* Parts: with zoom, the highest split first until there are that many leaves; without, each segment once. */
static cot_code add_parts(struct growth *g, size_t zoom, struct cot_err *err)
{
    size_t k = g->learned->k;
    size_t n_leaves = k, n_splits = 0, n_first = 0;
    size_t max_splits = 2 * (zoom > k ? zoom : k) + k + 2;
    struct split *splits = calloc(max_splits, sizeof *splits);
    cot_code rc = splits == NULL ? cot_fail(err, COT_NOMEM, "parts of segments") : COT_OK;
    for (size_t a = 0; rc == COT_OK && a < k; a++)
        rc = split_find(g, a, &splits[n_splits++], err);
    n_first = n_splits;
    while (rc == COT_OK && (zoom > k ? n_leaves < zoom : n_leaves < 2 * k)) {
        struct split *best = NULL;
        size_t children[2];
        for (size_t i = 0; i < (zoom > k ? n_splits : n_first); i++)
            if (splits[i].height >= 0 && (best == NULL || splits[i].height > best->height))
                best = &splits[i];
        if (best == NULL)
            break;
        rc = split_take(g, best, children, err);
        best->height = -1;
        split_release(best);
        n_leaves++;
        for (size_t side = 0; zoom > k && side < 2 && rc == COT_OK && n_splits < max_splits; side++)
            rc = split_find(g, children[side], &splits[n_splits++], err);
    }
    for (size_t i = 0; splits != NULL && i < n_splits; i++)
        split_release(&splits[i]);
    free(splits);
    return rc;
}

/* Names of unions and parts: from what sets them apart from all others; a part keeps clear of its segment's name. */
static cot_code name_nodes(struct growth *g, const struct cot_description *description, struct cot_err *err)
{
    struct cot_segment_tree *tree = g->tree;
    size_t d = description->d;
    struct cot_name_request *requests = calloc(tree->n + 1, sizeof *requests);
    char(*names)[COT_SEGMENT_NAME_SIZE] = calloc(tree->n + 1, sizeof *names);
    struct cot_name_contrast *contrasts = calloc(tree->n * d + 1, sizeof *contrasts);
    double *differences = calloc(d + 1, sizeof *differences);
    const struct cot_segment_node *root = &tree->nodes[tree->root];
    cot_code rc = COT_OK;
    if (requests == NULL || names == NULL || contrasts == NULL || differences == NULL) {
        rc = cot_fail(err, COT_NOMEM, "names of %zu segments", tree->n);
        goto out;
    }
    for (size_t i = 0; i < tree->n; i++) {
        const struct cot_segment_node *node = &tree->nodes[i];
        double rest = (double)root->size - (double)node->size;
        for (size_t o = 0; o < d; o++)
            differences[o] = node->size > 0 && rest > 0
                                 ? node->sums[o] / (double)node->size - (root->sums[o] - node->sums[o]) / rest
                                 : 0;
        bool extreme = node->segment != COT_TREE_NONE && node->segment == g->learned->extreme;
        requests[i] = (struct cot_name_request){
            .contrasts = contrasts + i * d,
            .n_contrasts = cot_describe_differences(g->matrix, g->learned->space, differences, contrasts + i * d, NULL),
            .buyer_share =
                node->segment != COT_TREE_NONE ? description->segments[node->segment].strategy_input.buyer_share : 1,
            .one_time_share =
                node->segment != COT_TREE_NONE ? description->segments[node->segment].strategy_input.one_time_share : 0,
            .extreme = i < tree->k && extreme,
            .previous = i < tree->k ? node->name : NULL,
            .keep_previous = i < tree->k,
            .strength = i < tree->k ? INFINITY : (double)node->size,
        };
    }
    rc = cot_segment_names(requests, tree->n, names, err);
    for (size_t i = tree->k; rc == COT_OK && i < tree->n; i++)
        memcpy(tree->nodes[i].name, names[i], sizeof names[i]);
    if (rc == COT_OK && tree->root >= tree->k)
        snprintf(tree->nodes[tree->root].name, sizeof tree->nodes[tree->root].name, "All customers");
out:
    free(requests);
    free(names);
    free(contrasts);
    free(differences);
    return rc;
}

cot_code cot_segment_tree_make(const struct cot_feature_matrix *matrix, const struct cot_learned *learned,
                               const struct cot_description *description, const int64_t *revenue_minor, size_t zoom,
                               unsigned n_threads, uint64_t seed, struct cot_segment_tree **ret_tree,
                               struct cot_err *err)
{
    struct growth g = {
        .matrix = matrix, .learned = learned, .revenue_minor = revenue_minor, .n_threads = n_threads, .seed = seed};
    cot_code rc = COT_OK;
    g.tree = calloc(1, sizeof *g.tree);
    g.node_of = malloc((learned->n + 1) * sizeof *g.node_of);
    if (g.tree == NULL || g.node_of == NULL) {
        rc = cot_fail(err, COT_NOMEM, "tree of segments");
        goto out;
    }
    g.tree->k = learned->k;
    memcpy(g.node_of, learned->labels, learned->n * sizeof *g.node_of);
    rc = add_segments(&g, description, err);
    if (rc == COT_OK)
        rc = add_unions(&g, err);
    if (rc == COT_OK)
        rc = add_parts(&g, zoom, err);
    if (rc == COT_OK)
        rc = name_nodes(&g, description, err);
    if (rc != COT_OK)
        goto out;
    *ret_tree = g.tree;
    g.tree = NULL;
out:
    cot_segment_tree_free(g.tree);
    free(g.node_of);
    return rc;
}

size_t cot_segment_tree_level(const struct cot_segment_tree *tree, size_t n, size_t *ret_nodes)
{
    size_t n_nodes = 1;
    ret_nodes[0] = tree->root;
    while (n_nodes < n) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < n_nodes; i++) {
            const struct cot_segment_node *node = &tree->nodes[ret_nodes[i]];
            bool splits = node->children[0] != COT_TREE_NONE;
            /* above the cut first: parts show only once all segments are apart */
            bool above = node->segment == COT_TREE_NONE;
            if (!splits)
                continue;
            if (best == SIZE_MAX) {
                best = i;
                continue;
            }
            const struct cot_segment_node *other = &tree->nodes[ret_nodes[best]];
            bool other_above = other->segment == COT_TREE_NONE;
            if (above != other_above ? above : node->height > other->height)
                best = i;
        }
        if (best == SIZE_MAX)
            break;
        const struct cot_segment_node *node = &tree->nodes[ret_nodes[best]];
        ret_nodes[best] = node->children[0];
        ret_nodes[n_nodes++] = node->children[1];
    }
    return n_nodes;
}
