/* See coterie/tree.h: micro-clusters, the polished cut, and the tree rebuilt around it. */
#include "coterie/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"
#include "coterie/kmeans.h"
#include "ml/linkage_merge.h"
#include "ml/means.h"
#include "num/check.h"

enum {
    MIN_SAMPLE = 20000,   /* rows that micro-clusters are seeded on, at least */
    SAMPLE_A_MICRO = 5,   /* and this many for each */
    MICRO_ITERATIONS = 8, /* Lloyd steps on the sample: the polish comes later */
};

struct cot_tree {
    size_t n, d, k;
    uint32_t *labels;
    float *centroids;
    double *masses;
    struct cot_linkage *segments;
    double inertia;
    unsigned n_iter;
    /* The finer levels. A leaf is a row, or the part of a micro-cluster that lies in one segment. */
    size_t n_leaves;
    uint32_t *leaf_of; /* n: the row's leaf; NULL: row i is leaf i */
    uint32_t *segment_of_leaf;
    double *leaf_mass;
    struct cot_merge *merges; /* n_leaves - k joins inside segments, ascending by height */
    size_t n_merges;
};

void cot_tree_options_init(struct cot_tree_options *ret_options, size_t k)
{
    *ret_options = (struct cot_tree_options){.k = k, .max_exact = 20000, .n_micro = 4000, .max_polish = 100, .seed = 1};
}

void cot_tree_free(struct cot_tree *tree)
{
    if (tree == NULL)
        return;
    free(tree->labels);
    free(tree->centroids);
    free(tree->masses);
    cot_linkage_free(tree->segments);
    free(tree->leaf_of);
    free(tree->segment_of_leaf);
    free(tree->leaf_mass);
    free(tree->merges);
    free(tree);
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_tree_options *o, struct cot_err *err)
{
    if (x->n == 0 || x->d == 0)
        return cot_fail(err, COT_USAGE, "a tree of %zu rows and %zu columns: give at least one of each", x->n, x->d);
    if (x->n > INT32_MAX)
        return cot_fail(err, COT_LIMIT, "%zu rows; a tree takes at most %d", x->n, INT32_MAX);
    if (o->k == 0 || o->k > x->n)
        return cot_fail(err, COT_USAGE, "k is %zu, but there are %zu rows: k must be 1..%zu", o->k, x->n, x->n);
    if (x->n > o->max_exact && (o->n_micro < o->k || o->n_micro > x->n))
        return cot_fail(err, COT_USAGE, "%zu micro-clusters for %zu segments of %zu rows: give at least one a segment",
                        o->n_micro, o->k, x->n);
    cot_code rc = cot_check_finite(x, false, err);
    return rc != COT_OK ? rc : cot_check_weights(o->weights, x->n, true, err);
}

/* ---- micro-clusters ---- */

/* m of n rows without replacement: the first m of a shuffle (Fisher and Yates). */
static cot_code sample_rows(const struct cot_matrix *x, const float *weights, size_t m, uint64_t seed, float *ret_rows,
                            float *ret_weights, struct cot_err *err)
{
    struct cot_rng rng;
    uint32_t *order = cot_alloc_array(x->n, 1, sizeof *order);
    if (order == NULL)
        return cot_fail(err, COT_NOMEM, "a sample of %zu rows", x->n);
    cot_rng_split(&rng, seed, 0);
    for (size_t i = 0; i < x->n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = 0; i < m; i++) {
        size_t other = i + (size_t)cot_rng_below(&rng, x->n - i);
        uint32_t row = order[other];
        order[other] = order[i];
        order[i] = row;
        memcpy(ret_rows + i * x->d, cot_matrix_row(x, row), x->d * sizeof *ret_rows);
        ret_weights[i] = weights != NULL ? weights[row] : 1.0F;
    }
    free(order);
    return COT_OK;
}

/* Labels every row with its micro-cluster. */
static cot_code find_micro(const struct cot_matrix *x, const struct cot_tree_options *o, uint32_t *ret_micro,
                           struct cot_err *err)
{
    size_t m = o->n_micro * SAMPLE_A_MICRO;
    struct cot_kmeans *kmeans = NULL;
    m = m > MIN_SAMPLE ? m : MIN_SAMPLE;
    m = m < x->n ? m : x->n;
    float *rows = cot_alloc_array(m, x->d, sizeof *rows);
    float *weights = cot_alloc_array(m, 1, sizeof *weights);
    cot_code rc = rows == NULL || weights == NULL ? cot_fail(err, COT_NOMEM, "a sample of %zu rows", m) : COT_OK;
    if (rc == COT_OK)
        rc = sample_rows(x, o->weights, m, o->seed, rows, weights, err);
    if (rc != COT_OK)
        goto out;
    struct cot_matrix sample = {.data = rows, .n = m, .d = x->d, .stride = x->d};
    struct cot_kmeans_options options;
    cot_kmeans_options_init(&options, o->n_micro);
    options.n_trials = 1;
    options.max_iter = MICRO_ITERATIONS;
    options.seed = o->seed;
    options.n_threads = o->n_threads;
    options.weights = weights;
    cot_progress_report(o->progress, "finding micro-clusters", 0, 2);
    rc = cot_kmeans_fit(&sample, &options, &kmeans, err);
    if (rc != COT_OK)
        goto out;
    cot_progress_report(o->progress, "finding micro-clusters", 1, 2);
    rc = cot_kmeans_assign(x, kmeans->centroids, o->n_micro, o->n_threads, ret_micro, NULL, err);
    cot_progress_report(o->progress, "finding micro-clusters", 2, 2);
out:
    cot_kmeans_free(kmeans);
    free(rows);
    free(weights);
    return rc;
}

/* Ward over groups of rows (empty ones left out), cut at k: ret_labels[row] = label of its group. */
static cot_code cut_groups(const struct cot_matrix *x, const struct cot_tree_options *o, const uint32_t *groups,
                           size_t n_groups, uint32_t *ret_labels, struct cot_err *err)
{
    struct cot_means means = {0};
    struct cot_linkage *linkage = NULL;
    uint32_t *label = cot_alloc_array(n_groups, 1, sizeof *label);
    uint32_t *place = cot_alloc_array(n_groups, 1, sizeof *place); /* among those that are not empty */
    float *masses = cot_alloc_array(n_groups, 1, sizeof *masses);
    size_t n_filled = 0;
    cot_code rc = cot_means_init(&means, x, groups, o->weights, n_groups, o->n_threads, err);
    if (rc != COT_OK)
        goto out;
    if (label == NULL || place == NULL || masses == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu micro-clusters", n_groups);
        goto out;
    }
    for (size_t g = 0; g < n_groups; g++) {
        if (means.counts[g] == 0)
            continue;
        memmove(means.means + n_filled * x->d, means.means + g * x->d, x->d * sizeof *means.means);
        masses[n_filled] = (float)means.mass[g];
        place[g] = (uint32_t)n_filled++;
    }
    struct cot_matrix centres = {.data = means.means, .n = n_filled, .d = x->d, .stride = x->d};
    struct cot_linkage_options options = {.weights = masses, .n_threads = o->n_threads, .progress = o->progress};
    rc = cot_linkage_fit(&centres, &options, &linkage, err);
    if (rc == COT_OK)
        rc = cot_linkage_cut_k(linkage, o->k < n_filled ? o->k : n_filled, label, err);
    for (size_t i = 0; rc == COT_OK && i < x->n; i++)
        ret_labels[i] = label[place[groups[i]]];
out:
    cot_means_release(&means);
    cot_linkage_free(linkage);
    free(label);
    free(place);
    free(masses);
    return rc;
}

static cot_code cut_rows(const struct cot_matrix *x, const struct cot_tree_options *o, uint32_t *ret_labels,
                         struct cot_err *err)
{
    struct cot_linkage *linkage = NULL;
    struct cot_linkage_options options = {.weights = o->weights, .n_threads = o->n_threads, .progress = o->progress};
    cot_code rc = cot_linkage_fit(x, &options, &linkage, err);
    if (rc == COT_OK)
        rc = cot_linkage_cut_k(linkage, o->k, ret_labels, err);
    cot_linkage_free(linkage);
    return rc;
}

/* ---- the operating cut ---- */

static cot_code polish(const struct cot_matrix *x, const struct cot_tree_options *o, struct cot_tree *tree,
                       struct cot_err *err)
{
    struct cot_means means = {0};
    struct cot_kmeans *kmeans = NULL;
    struct cot_kmeans_options options;
    if (o->max_polish == 0)
        return COT_OK;
    cot_progress_report(o->progress, "polishing segments", 0, 1);
    cot_code rc = cot_means_init(&means, x, tree->labels, o->weights, o->k, o->n_threads, err);
    if (rc != COT_OK)
        return rc;
    cot_kmeans_options_init(&options, o->k);
    options.init = means.means;
    options.max_iter = o->max_polish;
    options.seed = o->seed;
    options.n_threads = o->n_threads;
    options.weights = o->weights;
    rc = cot_kmeans_fit(x, &options, &kmeans, err);
    if (rc == COT_OK) {
        memcpy(tree->labels, kmeans->labels, x->n * sizeof *tree->labels);
        tree->n_iter = kmeans->n_iter;
    }
    cot_progress_report(o->progress, "polishing segments", 1, 1);
    cot_kmeans_free(kmeans);
    cot_means_release(&means);
    return rc;
}

struct rank {
    double mass;
    size_t first; /* row or leaf */
    uint32_t label;
};

static int heavier_first(const void *a, const void *b)
{
    const struct rank *x = a;
    const struct rank *y = b;
    if (x->mass != y->mass)
        return x->mass > y->mass ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Renumbers labels by descending mass of their items, ties by first item; empty ones vanish. Returns how many stay. */
static size_t renumber(uint32_t *labels, size_t n, size_t k, const double *masses, const float *weights,
                       struct rank *ranks, uint32_t *new_label)
{
    size_t n_filled = 0;
    for (size_t c = 0; c < k; c++)
        ranks[c] = (struct rank){.mass = 0, .first = SIZE_MAX, .label = (uint32_t)c};
    for (size_t i = 0; i < n; i++) {
        struct rank *rank = &ranks[labels[i]];
        rank->mass += masses != NULL ? masses[i] : weights != NULL ? (double)weights[i] : 1.0;
        rank->first = rank->first == SIZE_MAX ? i : rank->first;
    }
    qsort(ranks, k, sizeof *ranks, heavier_first);
    for (size_t c = 0; c < k; c++) {
        new_label[ranks[c].label] = (uint32_t)c;
        n_filled += ranks[c].first != SIZE_MAX;
    }
    for (size_t i = 0; i < n; i++)
        labels[i] = new_label[labels[i]];
    return n_filled;
}

/* Segments in their final order, with centroids, masses, inertia and the tree above them. */
static cot_code finish_segments(const struct cot_matrix *x, const struct cot_tree_options *o, struct cot_tree *tree,
                                struct cot_err *err)
{
    struct cot_means means = {0};
    struct rank *ranks = cot_alloc_array(o->k, 1, sizeof *ranks);
    uint32_t *new_label = cot_alloc_array(o->k, 1, sizeof *new_label);
    float *masses = cot_alloc_array(o->k, 1, sizeof *masses);
    cot_code rc = COT_OK;
    if (ranks == NULL || new_label == NULL || masses == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu segments", o->k);
        goto out;
    }
    tree->k = renumber(tree->labels, x->n, o->k, NULL, o->weights, ranks, new_label);
    rc = cot_means_init(&means, x, tree->labels, o->weights, tree->k, o->n_threads, err);
    if (rc != COT_OK)
        goto out;
    for (size_t c = 0; c < tree->k; c++)
        masses[c] = (float)means.mass[c];
    struct cot_matrix centres = {.data = means.means, .n = tree->k, .d = x->d, .stride = x->d};
    struct cot_linkage_options options = {.weights = masses, .n_threads = o->n_threads};
    rc = cot_linkage_fit(&centres, &options, &tree->segments, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        const float *mean = means.means + tree->labels[i] * x->d;
        double d2 = 0;
        for (size_t j = 0; j < x->d; j++)
            d2 += ((double)row[j] - (double)mean[j]) * ((double)row[j] - (double)mean[j]);
        tree->inertia += (o->weights != NULL ? (double)o->weights[i] : 1.0) * d2;
    }
    tree->centroids = means.means;
    tree->masses = means.mass;
    means.means = NULL;
    means.mass = NULL;
out:
    cot_means_release(&means);
    free(ranks);
    free(new_label);
    free(masses);
    return rc;
}

/* ---- the finer levels ---- */

/* Leaves from micro-clusters: one for each (micro-cluster, segment) that has rows, in order of first row. */
static cot_code part_micro(struct cot_tree *tree, const uint32_t *micro, size_t n_micro, struct cot_err *err)
{
    uint32_t *leaf_at = cot_alloc_array(n_micro, tree->k, sizeof *leaf_at); /* plus 1; 0: none yet */
    tree->leaf_of = cot_alloc_array(tree->n, 1, sizeof *tree->leaf_of);
    if (leaf_at == NULL || tree->leaf_of == NULL) {
        free(leaf_at);
        return cot_fail(err, COT_NOMEM, "%zu micro-clusters in %zu segments", n_micro, tree->k);
    }
    for (size_t i = 0; i < tree->n; i++) {
        uint32_t *leaf = &leaf_at[micro[i] * tree->k + tree->labels[i]];
        if (*leaf == 0)
            *leaf = (uint32_t)++tree->n_leaves;
        tree->leaf_of[i] = *leaf - 1;
    }
    free(leaf_at);
    return COT_OK;
}

/* What the splits inside segments are made from: a point and a mass for each leaf. */
struct leaves {
    const float *points; /* n_leaves rows */
    size_t stride;
    struct cot_means means; /* owns points where leaves are parts of micro-clusters */
};

static cot_code place_leaves(const struct cot_matrix *x, const struct cot_tree_options *o, struct cot_tree *tree,
                             struct leaves *ret_leaves, struct cot_err *err)
{
    if (tree->leaf_of == NULL) {
        tree->n_leaves = x->n;
        ret_leaves->points = x->data;
        ret_leaves->stride = x->stride;
    } else {
        cot_code rc =
            cot_means_init(&ret_leaves->means, x, tree->leaf_of, o->weights, tree->n_leaves, o->n_threads, err);
        if (rc != COT_OK)
            return rc;
        ret_leaves->points = ret_leaves->means.means;
        ret_leaves->stride = x->d;
    }
    tree->segment_of_leaf = cot_alloc_array(tree->n_leaves, 1, sizeof *tree->segment_of_leaf);
    tree->leaf_mass = cot_alloc_array(tree->n_leaves, 1, sizeof *tree->leaf_mass);
    tree->merges = cot_alloc_array(tree->n_leaves, 1, sizeof *tree->merges);
    if (tree->segment_of_leaf == NULL || tree->leaf_mass == NULL || tree->merges == NULL)
        return cot_fail(err, COT_NOMEM, "%zu leaves", tree->n_leaves);
    for (size_t i = 0; i < x->n; i++) {
        uint32_t leaf = tree->leaf_of != NULL ? tree->leaf_of[i] : (uint32_t)i;
        tree->segment_of_leaf[leaf] = tree->labels[i];
        tree->leaf_mass[leaf] += o->weights != NULL ? (double)o->weights[i] : 1.0;
    }
    return COT_OK;
}

/* Adds a linkage's joins; members: its leaves' numbers in the tree. */
static cot_code add_merges(struct cot_tree *tree, const struct cot_linkage *linkage, const uint32_t *members,
                           struct cot_err *err)
{
    uint32_t *leaf = cot_alloc_array(2 * linkage->n, 1, sizeof *leaf); /* any leaf of a node */
    if (leaf == NULL)
        return cot_fail(err, COT_NOMEM, "%zu leaves", linkage->n);
    memcpy(leaf, members, linkage->n * sizeof *leaf);
    for (size_t m = 0; m + 1 < linkage->n; m++) {
        const double *row = linkage->z + 4 * m;
        uint32_t a = leaf[(size_t)row[0]];
        uint32_t b = leaf[(size_t)row[1]];
        tree->merges[tree->n_merges++] = (struct cot_merge){.a = a, .b = b, .height = row[2]};
        leaf[linkage->n + m] = a;
    }
    free(leaf);
    return COT_OK;
}

/* Ward inside each segment. */
static cot_code split_segments(const struct cot_matrix *x, const struct cot_tree_options *o, struct cot_tree *tree,
                               struct cot_err *err)
{
    struct leaves leaves = {0};
    float *points = NULL;
    float *masses = NULL;
    uint32_t *members = NULL;
    cot_code rc = place_leaves(x, o, tree, &leaves, err);
    if (rc != COT_OK)
        goto out;
    points = cot_alloc_array(tree->n_leaves, x->d, sizeof *points);
    masses = cot_alloc_array(tree->n_leaves, 1, sizeof *masses);
    members = cot_alloc_array(tree->n_leaves, 1, sizeof *members);
    if (points == NULL || masses == NULL || members == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu leaves", tree->n_leaves);
        goto out;
    }
    for (size_t s = 0; s < tree->k && rc == COT_OK; s++) {
        struct cot_linkage *linkage = NULL;
        struct cot_matrix inside = {.data = points, .n = 0, .d = x->d, .stride = x->d};
        struct cot_linkage_options options = {.weights = masses, .n_threads = o->n_threads};
        for (size_t leaf = 0; leaf < tree->n_leaves; leaf++) {
            if (tree->segment_of_leaf[leaf] != s)
                continue;
            memcpy(points + inside.n * x->d, leaves.points + leaf * leaves.stride, x->d * sizeof *points);
            masses[inside.n] = (float)tree->leaf_mass[leaf];
            members[inside.n++] = (uint32_t)leaf;
        }
        cot_progress_report(o->progress, "splitting segments", s, tree->k);
        rc = cot_linkage_fit(&inside, &options, &linkage, err);
        if (rc == COT_OK)
            rc = add_merges(tree, linkage, members, err);
        cot_linkage_free(linkage);
    }
    if (rc == COT_OK && !cot_merges_sort(tree->merges, tree->n_merges))
        rc = cot_fail(err, COT_NOMEM, "sorting %zu joins", tree->n_merges);
    cot_progress_report(o->progress, "splitting segments", tree->k, tree->k);
out:
    cot_means_release(&leaves.means);
    free(points);
    free(masses);
    free(members);
    return rc;
}

cot_code cot_tree_fit(const struct cot_matrix *x, const struct cot_tree_options *options, struct cot_tree **ret_tree,
                      struct cot_err *err)
{
    struct cot_tree *tree = NULL;
    uint32_t *micro = NULL;
    cot_code rc = check_input(x, options, err);
    if (rc != COT_OK)
        return rc;
    tree = calloc(1, sizeof *tree);
    if (tree != NULL)
        tree->labels = cot_alloc_array(x->n, 1, sizeof *tree->labels);
    if (tree == NULL || tree->labels == NULL) {
        rc = cot_fail(err, COT_NOMEM, "a tree of %zu rows", x->n);
        goto out;
    }
    tree->n = x->n;
    tree->d = x->d;
    if (x->n <= options->max_exact) {
        rc = cut_rows(x, options, tree->labels, err);
    } else {
        micro = cot_alloc_array(x->n, 1, sizeof *micro);
        rc = micro == NULL ? cot_fail(err, COT_NOMEM, "%zu labels", x->n) : COT_OK;
        if (rc == COT_OK)
            rc = find_micro(x, options, micro, err);
        if (rc == COT_OK)
            rc = cut_groups(x, options, micro, options->n_micro, tree->labels, err);
    }
    if (rc == COT_OK)
        rc = polish(x, options, tree, err);
    if (rc == COT_OK)
        rc = finish_segments(x, options, tree, err);
    if (rc == COT_OK && micro != NULL)
        rc = part_micro(tree, micro, options->n_micro, err);
    if (rc == COT_OK)
        rc = split_segments(x, options, tree, err);
    if (rc != COT_OK)
        goto out;
    *ret_tree = tree;
    tree = NULL;
out:
    cot_tree_free(tree);
    free(micro);
    return rc;
}

/* ---- reading ---- */

size_t cot_tree_n(const struct cot_tree *tree)
{
    return tree->n;
}

size_t cot_tree_d(const struct cot_tree *tree)
{
    return tree->d;
}

size_t cot_tree_k(const struct cot_tree *tree)
{
    return tree->k;
}

const uint32_t *cot_tree_labels(const struct cot_tree *tree)
{
    return tree->labels;
}

const float *cot_tree_centroids(const struct cot_tree *tree)
{
    return tree->centroids;
}

const double *cot_tree_masses(const struct cot_tree *tree)
{
    return tree->masses;
}

const struct cot_linkage *cot_tree_segments(const struct cot_tree *tree)
{
    return tree->segments;
}

double cot_tree_inertia(const struct cot_tree *tree)
{
    return tree->inertia;
}

unsigned cot_tree_n_iter(const struct cot_tree *tree)
{
    return tree->n_iter;
}

size_t cot_tree_max_zoom(const struct cot_tree *tree)
{
    return tree->n_leaves;
}

/* zoom < k: unions of segments. */
static cot_code zoom_out(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                         struct cot_err *err)
{
    uint32_t *cluster = cot_alloc_array(tree->k, 2, sizeof *cluster);
    struct rank *ranks = cot_alloc_array(tree->k, 1, sizeof *ranks);
    cot_code rc = cluster == NULL || ranks == NULL ? cot_fail(err, COT_NOMEM, "%zu segments", tree->k) : COT_OK;
    if (rc == COT_OK)
        rc = cot_linkage_cut_k(tree->segments, zoom, cluster, err);
    if (rc == COT_OK) {
        renumber(cluster, tree->k, zoom, tree->masses, NULL, ranks, cluster + tree->k);
        for (size_t i = 0; i < tree->n; i++)
            ret_labels[i] = cluster[tree->labels[i]];
        if (ret_segments != NULL)
            memcpy(ret_segments, cluster, tree->k * sizeof *cluster);
    }
    free(cluster);
    free(ranks);
    return rc;
}

/* zoom >= k: all joins inside segments but the highest zoom - k. */
static cot_code zoom_in(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                        struct cot_err *err)
{
    size_t n = tree->n_leaves;
    uint32_t *parent = cot_alloc_array(n, 1, sizeof *parent);
    uint32_t *label = cot_alloc_array(n, 1, sizeof *label);
    uint32_t *work = cot_alloc_array(n, 1, sizeof *work);
    struct rank *ranks = cot_alloc_array(zoom, 1, sizeof *ranks);
    uint32_t n_found = 0;
    cot_code rc = COT_OK;
    if (parent == NULL || label == NULL || work == NULL || ranks == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu leaves", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        parent[i] = (uint32_t)i;
    for (size_t m = 0; m < n - zoom; m++)
        cot_join(parent, tree->merges[m].a, tree->merges[m].b);
    for (size_t i = 0; i < n; i++) { /* a root is the smallest leaf, so it comes before its others */
        uint32_t root = cot_root(parent, (uint32_t)i);
        if (root == i)
            work[i] = n_found++;
        label[i] = work[root];
    }
    renumber(label, n, zoom, tree->leaf_mass, NULL, ranks, work);
    for (size_t i = 0; i < tree->n; i++)
        ret_labels[i] = label[tree->leaf_of != NULL ? tree->leaf_of[i] : i];
    if (ret_segments != NULL)
        for (size_t i = 0; i < n; i++)
            ret_segments[label[i]] = tree->segment_of_leaf[i];
out:
    free(parent);
    free(label);
    free(work);
    free(ranks);
    return rc;
}

cot_code cot_tree_zoom(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                       struct cot_err *err)
{
    if (zoom == 0 || zoom > tree->n_leaves)
        return cot_fail(err, COT_USAGE, "zoom is %zu: this tree shows 1 to %zu clusters", zoom, tree->n_leaves);
    return zoom < tree->k ? zoom_out(tree, zoom, ret_labels, ret_segments, err)
                          : zoom_in(tree, zoom, ret_labels, ret_segments, err);
}
