/* See coterie/tree.h: micro-clusters, the polished cut, and the tree rebuilt around it. */
#include "coterie/tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "coterie/kmeans.h"
#include "ml/linkage_merge.h"
#include "ml/means.h"
#include "ml/tree_base.h"
#include "num/check.h"

struct cot_tree {
    size_t n, d;
    struct cot_tree_base base;
    struct cot_cut *cut; /* the operating cut */
    struct cot_linkage *segments;
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
    *ret_options = (struct cot_tree_options){
        .k = k, .max_exact = 20000, .n_micro = 4000, .max_polish = 100, .n_restarts = 50, .seed = 1};
}

void cot_tree_free(struct cot_tree *tree)
{
    if (tree == NULL)
        return;
    cot_tree_base_release(&tree->base);
    cot_cut_free(tree->cut);
    cot_linkage_free(tree->segments);
    free(tree->leaf_of);
    free(tree->segment_of_leaf);
    free(tree->leaf_mass);
    free(tree->merges);
    free(tree);
}

/* Of a fit: what it works on, and how many leaves there can be. */
struct sizes {
    size_t n, d, k;
    size_t n_micro;  /* 0: exact */
    size_t n_leaves; /* of the first Ward */
    size_t n_parts;  /* of the finer levels: a micro-cluster may have rows in every segment */
};

/* What lasts from its making to the end. */
static size_t price_kept(const struct sizes *s)
{
    size_t row = cot_memory_add(0, s->d, sizeof(float));
    size_t a_leaf = 4 * sizeof(double) + sizeof(float);
    size_t a_part = 3 * sizeof(uint32_t) + sizeof(double) + 2 * sizeof(struct cot_merge);
    size_t size = cot_memory_add(0, s->n, 4 * sizeof(uint32_t)); /* labels, leaves, the sample's order */
    size = cot_memory_add(size, s->n_leaves, a_leaf);
    size = cot_memory_add(size, s->n_micro, row);
    size = cot_memory_add(size, s->k, cot_memory_add(row, 6, sizeof(double)));
    return cot_memory_add(size, s->n_parts, cot_memory_add(a_part, 1, row));
}

/* What the hungriest step takes beside. */
static size_t price_step(const struct sizes *s, const struct cot_tree_options *o)
{
    struct cot_kmeans_options polish;
    struct cot_kmeans_options micro;
    struct cot_linkage_options ward = {.n_threads = o->n_threads};
    size_t n_sample = s->n_micro > 0 ? cot_tree_sample(s->n, s->n_micro) : 0;
    cot_kmeans_options_init(&polish, s->k);
    cot_kmeans_options_init(&micro, s->n_micro);
    polish.n_threads = micro.n_threads = o->n_threads;
    size_t steps[] = {
        cot_memory_add(cot_kmeans_memory(s->n, s->d, &polish), cot_means_memory(s->n, s->d, s->k), 1),
        cot_linkage_memory(s->n_leaves, s->d, &ward),
        s->n_micro > 0 ? cot_memory_add(cot_kmeans_memory(n_sample, s->d, &micro), n_sample,
                                        cot_memory_add(sizeof(float), s->d, sizeof(float)))
                       : 0,
        s->n_micro > 0 ? cot_means_memory(s->n, s->d, s->n_micro) : 0,
        cot_memory_add(0, s->n_micro, cot_memory_add(0, s->k, sizeof(uint32_t))), /* leaves by place, in part_micro */
        s->n_micro > 0
            ? cot_memory_add(cot_means_memory(s->n, s->d, s->n_parts), cot_linkage_memory(s->n_leaves, s->d, &ward), 1)
            : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        most = steps[i] > most ? steps[i] : most;
    return most;
}

size_t cot_tree_memory(size_t n, size_t d, const struct cot_tree_options *o)
{
    bool exact = n <= o->max_exact;
    struct sizes s = {.n = n, .d = d, .k = o->k, .n_leaves = n, .n_parts = n};
    if (n == 0 || d == 0 || o->k == 0 || (!exact && o->n_micro == 0))
        return 0;
    if (n > INT32_MAX || cot_memory_add(0, n, d) > SIZE_MAX / 1024)
        return SIZE_MAX;
    if (!exact) {
        s.n_micro = o->n_micro < n ? o->n_micro : n;
        s.n_leaves = s.n_micro;
        s.n_parts = cot_memory_add(0, s.n_micro, o->k);
        s.n_parts = s.n_parts < n ? s.n_parts : n;
    }
    s.k = o->k < n ? o->k : n;
    return cot_memory_add(price_kept(&s), price_step(&s, o), 1);
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

/* Ward over the segments of the operating cut. */
static cot_code join_segments(struct cot_tree *tree, const struct cot_tree_options *o, struct cot_err *err)
{
    const struct cot_cut *cut = tree->cut;
    float *masses = cot_alloc_array(cut->k, 1, sizeof *masses);
    if (masses == NULL)
        return cot_fail(err, COT_NOMEM, "%zu segments", cut->k);
    for (size_t c = 0; c < cut->k; c++)
        masses[c] = (float)cut->masses[c];
    struct cot_matrix centres = {.data = cut->centroids, .n = cut->k, .d = tree->d, .stride = tree->d};
    struct cot_linkage_options options = {.weights = masses, .n_threads = o->n_threads};
    cot_code rc = cot_linkage_fit(&centres, &options, &tree->segments, err);
    free(masses);
    return rc;
}

/* ---- the finer levels ---- */

/* Leaves from micro-clusters: one for each (micro-cluster, segment) that has rows, in order of first row. */
static cot_code part_micro(struct cot_tree *tree, struct cot_err *err)
{
    const uint32_t *micro = tree->base.leaf_of;
    size_t n_micro = tree->base.n_leaves;
    size_t k = tree->cut->k;
    uint32_t *leaf_at = cot_alloc_array(n_micro, k, sizeof *leaf_at); /* plus 1; 0: none yet */
    tree->leaf_of = cot_alloc_array(tree->n, 1, sizeof *tree->leaf_of);
    if (leaf_at == NULL || tree->leaf_of == NULL) {
        free(leaf_at);
        return cot_fail(err, COT_NOMEM, "%zu micro-clusters in %zu segments", n_micro, k);
    }
    for (size_t i = 0; i < tree->n; i++) {
        uint32_t *leaf = &leaf_at[micro[i] * k + tree->cut->labels[i]];
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
        tree->segment_of_leaf[leaf] = tree->cut->labels[i];
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
    for (size_t s = 0; s < tree->cut->k && rc == COT_OK; s++) {
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
        cot_progress_report(o->progress, "splitting segments", s, tree->cut->k);
        rc = cot_linkage_fit(&inside, &options, &linkage, err);
        if (rc == COT_OK)
            rc = add_merges(tree, linkage, members, err);
        cot_linkage_free(linkage);
    }
    if (rc == COT_OK && !cot_merges_sort(tree->merges, tree->n_merges))
        rc = cot_fail(err, COT_NOMEM, "sorting %zu joins", tree->n_merges);
    cot_progress_report(o->progress, "splitting segments", tree->cut->k, tree->cut->k);
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
    cot_code rc = check_input(x, options, err);
    if (rc == COT_OK)
        rc = cot_memory_check(cot_tree_memory(x->n, x->d, options), options->memory_limit, err,
                              "a tree of %zu x %zu numbers", x->n, x->d);
    if (rc != COT_OK)
        return rc;
    tree = calloc(1, sizeof *tree);
    if (tree == NULL)
        return cot_fail(err, COT_NOMEM, "a tree of %zu rows", x->n);
    tree->n = x->n;
    tree->d = x->d;
    rc = cot_tree_base_init(&tree->base, x, options, err);
    if (rc == COT_OK)
        rc = cot_tree_base_cut(&tree->base, x, options, &tree->cut, err);
    if (rc == COT_OK)
        rc = join_segments(tree, options, err);
    if (rc == COT_OK && tree->base.leaf_of != NULL)
        rc = part_micro(tree, err);
    if (rc == COT_OK)
        rc = split_segments(x, options, tree, err);
    if (rc != COT_OK)
        goto out;
    *ret_tree = tree;
    tree = NULL;
out:
    cot_tree_free(tree);
    return rc;
}

cot_code cot_tree_cut(const struct cot_tree *tree, const struct cot_matrix *x, const struct cot_tree_options *options,
                      struct cot_cut **ret_cut, struct cot_err *err)
{
    if (x->n != tree->n || x->d != tree->d)
        return cot_fail(err, COT_USAGE, "a cut of %zu x %zu numbers, but the tree was fitted to %zu x %zu", x->n, x->d,
                        tree->n, tree->d);
    if (options->k == 0 || options->k > tree->base.n_leaves)
        return cot_fail(err, COT_USAGE, "k is %zu: this tree has cuts into 1 to %zu segments", options->k,
                        tree->base.n_leaves);
    cot_code rc = cot_check_finite(x, false, err);
    if (rc == COT_OK)
        rc = cot_check_weights(options->weights, x->n, true, err);
    return rc != COT_OK ? rc : cot_tree_base_cut(&tree->base, x, options, ret_cut, err);
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
    return tree->cut->k;
}

const uint32_t *cot_tree_labels(const struct cot_tree *tree)
{
    return tree->cut->labels;
}

const float *cot_tree_centroids(const struct cot_tree *tree)
{
    return tree->cut->centroids;
}

const double *cot_tree_masses(const struct cot_tree *tree)
{
    return tree->cut->masses;
}

const struct cot_linkage *cot_tree_segments(const struct cot_tree *tree)
{
    return tree->segments;
}

double cot_tree_inertia(const struct cot_tree *tree)
{
    return tree->cut->inertia;
}

unsigned cot_tree_n_iter(const struct cot_tree *tree)
{
    return tree->cut->n_iter;
}

const struct cot_linkage *cot_tree_ward(const struct cot_tree *tree)
{
    return tree->base.ward;
}

const uint32_t *cot_tree_ward_leaves(const struct cot_tree *tree)
{
    return tree->base.leaf_of;
}

size_t cot_tree_max_zoom(const struct cot_tree *tree)
{
    return tree->n_leaves;
}

/* zoom < k: unions of segments. */
static cot_code zoom_out(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                         struct cot_err *err)
{
    uint32_t *cluster = cot_alloc_array(tree->cut->k, 1, sizeof *cluster);
    size_t n_found = 0;
    cot_code rc = cluster == NULL ? cot_fail(err, COT_NOMEM, "%zu segments", tree->cut->k) : COT_OK;
    if (rc == COT_OK)
        rc = cot_linkage_cut_k(tree->segments, zoom, cluster, err);
    if (rc == COT_OK)
        rc = cot_labels_by_mass(cluster, tree->cut->k, zoom, tree->cut->masses, NULL, &n_found, err);
    if (rc == COT_OK) {
        for (size_t i = 0; i < tree->n; i++)
            ret_labels[i] = cluster[tree->cut->labels[i]];
        if (ret_segments != NULL)
            memcpy(ret_segments, cluster, tree->cut->k * sizeof *cluster);
    }
    free(cluster);
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
    uint32_t n_found = 0;
    size_t n_levels = 0;
    cot_code rc = COT_OK;
    if (parent == NULL || label == NULL || work == NULL) {
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
    rc = cot_labels_by_mass(label, n, zoom, tree->leaf_mass, NULL, &n_levels, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < tree->n; i++)
        ret_labels[i] = label[tree->leaf_of != NULL ? tree->leaf_of[i] : i];
    if (ret_segments != NULL)
        for (size_t i = 0; i < n; i++)
            ret_segments[label[i]] = tree->segment_of_leaf[i];
out:
    free(parent);
    free(label);
    free(work);
    return rc;
}

cot_code cot_tree_zoom(const struct cot_tree *tree, size_t zoom, uint32_t *ret_labels, uint32_t *ret_segments,
                       struct cot_err *err)
{
    if (zoom == 0 || zoom > tree->n_leaves)
        return cot_fail(err, COT_USAGE, "zoom is %zu: this tree shows 1 to %zu clusters", zoom, tree->n_leaves);
    return zoom < tree->cut->k ? zoom_out(tree, zoom, ret_labels, ret_segments, err)
                               : zoom_in(tree, zoom, ret_labels, ret_segments, err);
}
