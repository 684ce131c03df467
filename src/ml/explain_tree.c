/* Growing a threshold tree: see coterie/explain_tree.h. */
#include "coterie/explain_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/threads.h"
#include "coterie/kmeans.h"
#include "ml/explain_cut.h"
#include "ml/explain_measure.h"
#include "ml/means.h"
#include "ml/rule_bins.h"
#include "num/check.h"
#include "num/tiles.h"

void cot_explain_tree_options_init(struct cot_explain_tree_options *ret_options)
{
    *ret_options = (struct cot_explain_tree_options){0};
}

void cot_explain_tree_free(struct cot_explain_tree *tree)
{
    if (tree == NULL)
        return;
    free(tree->nodes);
    free(tree);
}

/* What growing needs to know of a node beside what the tree shows. */
struct growing {
    size_t begin, end;              /* its rows in every column */
    size_t first_centre, n_centres; /* in builder.centres: those still to be parted */
    struct cot_explain_cut cut;     /* a leaf's best split */
    uint32_t clusters[2];           /* that its sides would take */
};

struct builder {
    struct cot_explain_data data;
    const struct cot_explain_tree_options *options;
    struct cot_explain_tree *tree;
    struct growing *growing;       /* a node */
    struct cot_row_value *scratch; /* n_slots x n */
    unsigned char *goes_left;      /* n */
    uint32_t *labels;              /* own, where the caller gave none */
    uint32_t *centres;             /* k */
    uint32_t *stack;               /* nodes whose centres are still together */
    double *masses;                /* k: of living rows of the node at hand, by label */
    size_t max_leaves;
    /* the split at hand */
    size_t begin, end, i_column;
};

/* ---- rows ---- */

static void sort_columns(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct builder *b = context;
    size_t n = b->data.x->n;
    (void)i_block;
    for (size_t j = begin; j < end; j++) {
        struct cot_row_value *column = b->data.sorted + j * n;
        for (size_t i = 0; i < n; i++)
            column[i] = (struct cot_row_value){.value = cot_matrix_row(b->data.x, i)[j], .row = (uint32_t)i};
        cot_sort_row_values(column, n, b->scratch + i_thread * n);
    }
}

/* Rows that go left come first, either side in its old order, so that every column stays sorted. */
static void part_columns(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct builder *b = context;
    size_t n = b->data.x->n;
    (void)i_block;
    for (size_t j = begin; j < end; j++) {
        struct cot_row_value *column = b->data.sorted + j * n;
        struct cot_row_value *right = b->scratch + i_thread * n;
        size_t n_left = 0;
        size_t n_right = 0;
        if (j == b->i_column)
            continue;
        for (size_t i = b->begin; i < b->end; i++) {
            if (b->goes_left[column[i].row])
                column[b->begin + n_left++] = column[i];
            else
                right[n_right++] = column[i];
        }
        memcpy(column + b->begin + n_left, right, n_right * sizeof *right);
    }
}

/* Splits a leaf at its threshold; returns the left child, the right one follows. */
static uint32_t split(struct builder *b, uint32_t i_node, const struct cot_explain_cut *cut, double threshold)
{
    size_t i_column = cut->i_column;
    struct cot_explain_node *node = &b->tree->nodes[i_node];
    const struct growing *whole = &b->growing[i_node];
    const struct cot_row_value *column = b->data.sorted + i_column * b->data.x->n;
    uint32_t left = (uint32_t)b->tree->n_nodes;
    size_t middle = whole->begin;
    for (size_t i = whole->begin; i < whole->end; i++) {
        bool goes_left = (double)column[i].value <= threshold;
        b->goes_left[column[i].row] = goes_left;
        middle += goes_left;
    }
    b->begin = whole->begin;
    b->end = whole->end;
    b->i_column = i_column;
    cot_parallel_for(b->data.n_threads, b->data.x->d, 1, part_columns, b);
    node->i_column = i_column;
    node->threshold = threshold;
    node->low = cut->low;
    node->high = cut->high;
    node->left = left;
    node->right = left + 1;
    for (uint32_t side = 0; side < 2; side++) {
        b->tree->nodes[left + side] = (struct cot_explain_node){.parent = i_node, .depth = node->depth + 1};
        b->growing[left + side] =
            (struct growing){.begin = side == 0 ? whole->begin : middle, .end = side == 0 ? middle : whole->end};
    }
    b->tree->n_nodes += 2;
    b->tree->n_leaves++;
    return left;
}

/* ---- a leaf a cluster: iterative mistake minimisation ---- */

static void weigh_living(struct builder *b, const struct growing *node)
{
    for (size_t c = 0; c < node->n_centres; c++)
        b->masses[b->centres[node->first_centre + c]] = 0;
    for (size_t i = node->begin; i < node->end; i++) {
        uint32_t row = b->data.sorted[i].row;
        if (b->data.living[row] != COT_EXPLAIN_DEAD)
            b->masses[b->data.living[row]] += cot_explain_weight(&b->data, row);
    }
}

/* Puts the centres with living rows first, and of those without keeps none. */
static void drop_empty_centres(const struct builder *b, struct growing *node)
{
    uint32_t *centres = b->centres + node->first_centre;
    size_t n_kept = 0;
    for (size_t c = 0; c < node->n_centres; c++)
        if (b->masses[centres[c]] > 0)
            centres[n_kept++] = centres[c];
    node->n_centres = n_kept > 0 ? n_kept : 1;
}

/* The centres left of the threshold first, either side in its old order (ascending, so that ties are decided alike). */
static size_t part_centres(const struct builder *b, const struct growing *node, size_t i_column, double threshold)
{
    uint32_t *centres = b->centres + node->first_centre;
    size_t n_left = 0;
    for (size_t c = 0; c < node->n_centres; c++) {
        uint32_t centre = centres[c];
        if (!((double)b->data.centroids[(size_t)centre * b->data.x->d + i_column] <= threshold))
            continue;
        memmove(centres + n_left + 1, centres + n_left, (c - n_left) * sizeof *centres);
        centres[n_left++] = centre;
    }
    return n_left;
}

/* Rows whose centre is on the other side count no longer. */
static void bury_mistakes(const struct builder *b, const struct growing *node, size_t i_column, double threshold)
{
    const struct cot_row_value *column = b->data.sorted + i_column * b->data.x->n;
    for (size_t i = node->begin; i < node->end; i++) {
        uint32_t row = column[i].row;
        float centre = b->data.centroids[(size_t)b->data.labels[row] * b->data.x->d + i_column];
        if (((double)centre <= threshold) != ((double)column[i].value <= threshold))
            b->data.living[row] = COT_EXPLAIN_DEAD;
    }
}

/* The cluster of a leaf that no cut parts: of its centres, the one with the most mass. */
static uint32_t heaviest(const struct builder *b, const struct growing *node)
{
    const uint32_t *centres = b->centres + node->first_centre;
    uint32_t best = centres[0];
    for (size_t c = 1; c < node->n_centres; c++)
        if (b->masses[centres[c]] > b->masses[best])
            best = centres[c];
    return best;
}

static void grow_base(struct builder *b)
{
    size_t n_stack = 1;
    b->stack[0] = 0;
    b->growing[0].n_centres = b->data.k;
    for (size_t c = 0; c < b->data.k; c++)
        b->centres[c] = (uint32_t)c;
    while (n_stack > 0) {
        uint32_t i_node = b->stack[--n_stack];
        struct growing *node = &b->growing[i_node];
        struct cot_explain_cut cut = {0};
        weigh_living(b, node);
        drop_empty_centres(b, node);
        if (node->n_centres > 1)
            cut = cot_explain_cut_mistakes(&b->data, node->begin, node->end, b->centres + node->first_centre,
                                           node->n_centres, b->masses);
        if (!cut.found) {
            b->tree->nodes[i_node].cluster = heaviest(b, node);
            continue;
        }
        double threshold = cot_rule_round_between((double)cut.low, (double)cut.high);
        bury_mistakes(b, node, cut.i_column, threshold);
        size_t n_left = part_centres(b, node, cut.i_column, threshold);
        uint32_t left = split(b, i_node, &cut, threshold);
        b->growing[left].first_centre = node->first_centre;
        b->growing[left].n_centres = n_left;
        b->growing[left + 1].first_centre = node->first_centre + n_left;
        b->growing[left + 1].n_centres = node->n_centres - n_left;
        b->stack[n_stack++] = left + 1;
        b->stack[n_stack++] = left;
        cot_progress_report(b->options->progress, "explaining the clusters", b->tree->n_leaves, b->max_leaves);
    }
}

/* ---- more leaves: least surrogate cost ---- */

/* The leaf's own cluster, then (the heaviest labels among its rows first) as many others as are judged. */
static size_t choose_candidates(struct builder *b, const struct growing *node, uint32_t own, uint32_t *ret_candidates)
{
    size_t k = b->data.k;
    size_t most = k < COT_EXPLAIN_TREE_MAX_CANDIDATES ? k : COT_EXPLAIN_TREE_MAX_CANDIDATES;
    size_t n = 1;
    memset(b->masses, 0, k * sizeof *b->masses);
    for (size_t i = node->begin; i < node->end; i++)
        b->masses[b->data.labels[b->data.sorted[i].row]] += cot_explain_weight(&b->data, b->data.sorted[i].row);
    ret_candidates[0] = own;
    for (uint32_t c = 0; c < k; c++) {
        size_t at = n < most ? n : most - 1;
        if (c == own || (n == most && (most == 1 || b->masses[c] <= b->masses[ret_candidates[at]])))
            continue;
        n += n < most;
        for (; at > 1 && b->masses[ret_candidates[at - 1]] < b->masses[c]; at--)
            ret_candidates[at] = ret_candidates[at - 1];
        ret_candidates[at] = c;
    }
    return n;
}

static bool has_mistakes(const struct builder *b, const struct growing *node, uint32_t own)
{
    for (size_t i = node->begin; i < node->end; i++)
        if (b->data.labels[b->data.sorted[i].row] != own)
            return true;
    return false;
}

static void judge_leaf(struct builder *b, uint32_t i_node)
{
    struct growing *node = &b->growing[i_node];
    uint32_t own = b->tree->nodes[i_node].cluster;
    uint32_t candidates[COT_EXPLAIN_TREE_MAX_CANDIDATES];
    node->cut = (struct cot_explain_cut){0};
    if (!has_mistakes(b, node, own))
        return;
    size_t n = choose_candidates(b, node, own, candidates);
    node->cut = cot_explain_cut_cost(&b->data, node->begin, node->end, candidates, n);
    for (int side = 0; side < 2; side++)
        node->clusters[side] = candidates[node->cut.lane[side] < n ? node->cut.lane[side] : 0];
}

static void grow_on(struct builder *b)
{
    for (uint32_t i = 0; i < b->tree->n_nodes; i++)
        if (b->tree->nodes[i].left == 0)
            judge_leaf(b, i);
    while (b->tree->n_leaves < b->max_leaves) {
        uint32_t best = 0;
        double loss = 0;
        for (uint32_t i = 0; i < b->tree->n_nodes; i++) {
            const struct cot_explain_cut *cut = &b->growing[i].cut;
            if (b->tree->nodes[i].left == 0 && cut->found && cut->loss < loss) {
                best = i;
                loss = cut->loss;
            }
        }
        if (loss >= 0)
            return;
        const struct cot_explain_cut *cut = &b->growing[best].cut;
        uint32_t left = split(b, best, cut, cot_rule_round_between((double)cut->low, (double)cut->high));
        for (uint32_t side = 0; side < 2; side++) {
            b->tree->nodes[left + side].cluster = b->growing[best].clusters[side];
            judge_leaf(b, left + side);
        }
        cot_progress_report(b->options->progress, "explaining the clusters", b->tree->n_leaves, b->max_leaves);
    }
}

/* ---- the whole ---- */

static cot_code check_input(const struct cot_matrix *x, const float *centroids, size_t k,
                            const struct cot_explain_tree_options *options, struct cot_err *err)
{
    struct cot_matrix centres = {.data = centroids, .n = k, .d = x->d, .stride = x->d};
    if (x->n == 0 || x->d == 0 || k == 0 || k > COT_EXPLAIN_TREE_MAX_CLUSTERS)
        return cot_fail(err, COT_USAGE,
                        "explaining %zu clusters of %zu rows and %zu columns: 1..%d clusters, a row, a "
                        "column",
                        k, x->n, x->d, COT_EXPLAIN_TREE_MAX_CLUSTERS);
    if (x->n >= UINT32_MAX)
        return cot_fail(err, COT_LIMIT, "explaining clusters of %zu rows: at most %u; give a sample", x->n,
                        UINT32_MAX - 1);
    if (options->max_leaves != 0 && (options->max_leaves < k || options->max_leaves > UINT32_MAX / 2))
        return cot_fail(err, COT_USAGE,
                        "a tree of at most %zu leaves for %zu clusters: give as many leaves as clusters",
                        options->max_leaves, k);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_finite(&centres, false, err);
    if (rc == COT_OK && options->labels != NULL)
        rc = cot_check_labels(options->labels, x->n, k, err);
    return rc == COT_OK ? cot_check_weights(options->weights, x->n, false, err) : rc;
}

enum { SMALL_THINGS = 16 << 10 }; /* the tree itself, sums of blocks, the allocator's rounding */

static size_t n_lanes_for(size_t k)
{
    return k < COT_EXPLAIN_TREE_MAX_CANDIDATES ? (k + 3) / 4 * 4 : COT_EXPLAIN_TREE_MAX_CANDIDATES;
}

/* Each leaf has rows, but callers may ask for any number. */
static size_t most_leaves(const struct cot_explain_tree_options *options, size_t n, size_t k)
{
    size_t asked = options->max_leaves != 0 ? options->max_leaves : 2 * k;
    size_t useful = n > k ? n : k;
    return asked < useful ? asked : useful;
}

size_t cot_explain_tree_memory(size_t n, size_t d, size_t k, const struct cot_explain_tree_options *options)
{
    size_t n_lanes = n_lanes_for(k);
    size_t n_threads = options->n_threads != 0 ? options->n_threads : cot_threads_available();
    size_t n_slots = n_threads < d ? n_threads : d;
    /* A row: living label, side, cluster and leaf to judge in the end, its label; then scores and threads' scratch. */
    size_t a_row = 3 * sizeof(uint32_t) + 1 + (options->labels == NULL ? sizeof(uint32_t) : 0);
    size_t a_node = sizeof(struct growing) + sizeof(struct cot_explain_node);
    size_t a_cluster = n_slots * (2 * sizeof(double) + sizeof(uint32_t)) + 2 * sizeof(uint32_t) + sizeof(double);
    size_t values = cot_memory_add(0, cot_memory_add(n_lanes + n_slots, d, 1), sizeof(double));
    size_t size = cot_memory_add(cot_memory_add(0, n, a_row), n, values);
    size = cot_memory_add(size, 2 * most_leaves(options, n, k), a_node);
    size = cot_memory_add(size, 2 * n_lanes * sizeof(double), cot_memory_add(n_slots, d, 1));
    size = cot_memory_add(size, k, a_cluster);
    /* Assigning rows to centroids comes first, the means of the tree's clusters last. */
    size_t assigning = options->labels == NULL ? cot_memory_add(cot_tiles_memory(n, d), k, 4 * d * sizeof(float)) : 0;
    size_t means = cot_means_memory(n, d, k);
    size = cot_memory_add(size, 1, SMALL_THINGS);
    return cot_memory_add(size, assigning > means ? assigning : means, 1);
}

/* All memory at once, priced before any work. */
static cot_code prepare(struct builder *b, struct cot_err *err)
{
    struct cot_explain_data *data = &b->data;
    size_t n = data->x->n;
    size_t k = data->k;
    size_t n_lanes = n_lanes_for(k);
    size_t n_threads = b->options->n_threads != 0 ? b->options->n_threads : cot_threads_available();
    size_t most_nodes = 2 * b->max_leaves;
    data->n_threads = (unsigned)n_threads;
    data->n_slots = (unsigned)(n_threads < data->x->d ? n_threads : data->x->d);
    data->n_score_lanes = n_lanes;
    cot_code rc = cot_memory_check(cot_explain_tree_memory(n, data->x->d, k, b->options), 0, err,
                                   "a tree over %zu rows, %zu columns and %zu clusters", n, data->x->d, k);
    if (rc != COT_OK)
        return rc;
    data->sorted = cot_alloc_array(data->x->d, n, sizeof *data->sorted);
    data->living = cot_alloc_array(n, 1, sizeof *data->living);
    data->factors = cot_alloc_array(2 * data->x->d, n_lanes, sizeof *data->factors);
    data->scores = b->max_leaves > 1 && k > 1 ? cot_alloc_array(n, n_lanes, sizeof *data->scores) : NULL;
    data->sums = cot_alloc_array(data->n_slots, 2 * k + 2 * n_lanes, sizeof *data->sums);
    data->orders = cot_alloc_array(data->n_slots, k, sizeof *data->orders);
    b->scratch = cot_alloc_array(data->n_slots, n, sizeof *b->scratch);
    b->goes_left = cot_alloc_array(n, 1, 1);
    b->labels = b->options->labels == NULL ? cot_alloc_array(n, 1, sizeof *b->labels) : NULL;
    b->centres = cot_alloc_array(k, 1, sizeof *b->centres);
    b->stack = cot_alloc_array(k + 1, 1, sizeof *b->stack);
    b->masses = cot_alloc_array(k, 1, sizeof *b->masses);
    b->growing = cot_alloc_array(most_nodes, 1, sizeof *b->growing);
    b->tree = calloc(1, sizeof *b->tree);
    if (b->tree != NULL)
        b->tree->nodes = cot_alloc_array(most_nodes, 1, sizeof *b->tree->nodes);
    if (data->sorted == NULL || data->living == NULL || data->factors == NULL || (data->scores == NULL && k > 1) ||
        data->sums == NULL || data->orders == NULL || b->scratch == NULL || b->goes_left == NULL ||
        (b->labels == NULL && b->options->labels == NULL) || b->centres == NULL || b->stack == NULL ||
        b->masses == NULL || b->growing == NULL || b->tree == NULL || b->tree->nodes == NULL)
        return cot_fail(err, COT_NOMEM, "a tree over %zu rows, %zu columns and %zu clusters", n, data->x->d, k);
    return COT_OK;
}

static void release(struct builder *b)
{
    free(b->data.sorted);
    free(b->data.living);
    free(b->data.factors);
    free(b->data.scores);
    free(b->data.sums);
    free(b->data.orders);
    free(b->scratch);
    free(b->goes_left);
    free(b->labels);
    free(b->centres);
    free(b->stack);
    free(b->masses);
    free(b->growing);
    cot_explain_tree_free(b->tree);
}

cot_code cot_explain_tree_fit(const struct cot_matrix *x, const float *centroids, size_t k,
                              const struct cot_explain_tree_options *options, struct cot_explain_tree **ret_tree,
                              struct cot_err *err)
{
    struct builder b = {
        .data = {.x = x, .centroids = centroids, .labels = options->labels, .weights = options->weights, .k = k},
        .options = options,
        .max_leaves = most_leaves(options, x->n, k)};
    cot_code rc = check_input(x, centroids, k, options, err);
    if (rc != COT_OK)
        return rc;
    rc = prepare(&b, err);
    if (rc == COT_OK && options->labels == NULL) {
        b.data.labels = b.labels;
        rc = cot_kmeans_assign(x, centroids, k, options->n_threads, b.labels, NULL, err);
    }
    if (rc != COT_OK)
        goto out;
    memcpy(b.data.living, b.data.labels, x->n * sizeof *b.data.living);
    b.tree->d = x->d;
    b.tree->k = k;
    b.tree->n_nodes = 1;
    b.tree->n_leaves = 1;
    b.growing[0].end = x->n;
    cot_parallel_for(b.data.n_threads, x->d, 1, sort_columns, &b);
    grow_base(&b);
    if (b.tree->n_leaves < b.max_leaves && k > 1)
        grow_on(&b);
    rc = cot_explain_measure(b.tree, &b.data, err);
    if (rc != COT_OK)
        goto out;
    *ret_tree = b.tree;
    b.tree = NULL;
out:
    release(&b);
    return rc;
}
