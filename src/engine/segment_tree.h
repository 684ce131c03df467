/*
 * The tree around the operating segments: coarser levels are unions of them (Ward over their centres, weighted with
 * their sizes; the extremes join last), finer levels split inside one. So a parent's totals are its children's sum.
 */
#ifndef COT_ENGINE_SEGMENT_TREE_H
#define COT_ENGINE_SEGMENT_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/segment_name.h"
#include "engine/segment_describe.h"
#include "engine/segment_learn.h"

#define COT_TREE_NONE SIZE_MAX

struct cot_segment_node {
    size_t children[2]; /* COT_TREE_NONE: a leaf */
    size_t parent;
    size_t segment; /* the operating segment that it is or lies in; COT_TREE_NONE: above the cut */
    double height;  /* at which its children join; 0 for a leaf */
    size_t size;
    int64_t revenue_minor;
    double *sums; /* [d] of z over its customers */
    char name[COT_SEGMENT_NAME_SIZE];
};

struct cot_segment_tree {
    size_t n, capacity;
    struct cot_segment_node
        *nodes; /* 0..k-1: the operating segments; then unions, the root the last of them; then parts */
    size_t root;
    size_t k;
};

/* zoom > k: splits parts, the highest first, until the tree has that many leaves (0: each segment once, where it has 40
 * customers or more). Names of operating segments are taken from the description; the others get names of their own. */
cot_code cot_segment_tree_make(const struct cot_feature_matrix *matrix, const struct cot_learned *learned,
                               const struct cot_description *description, const int64_t *revenue_minor, size_t zoom,
                               unsigned n_threads, uint64_t seed, struct cot_segment_tree **ret_tree,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_segment_tree_free(struct cot_segment_tree *tree);

/* The nodes that the tree shows at n segments, 1 <= n: unions below k, parts above. Returns how many there are (fewer
 * than n where there is nothing left to split). ret_nodes: n. */
size_t cot_segment_tree_level(const struct cot_segment_tree *tree, size_t n, size_t *ret_nodes);

#endif
