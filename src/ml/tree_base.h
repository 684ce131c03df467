/* What every cut of a tree starts from: Ward over the rows or, where they are many, over micro-clusters. */
#ifndef COT_ML_TREE_BASE_H
#define COT_ML_TREE_BASE_H

#include "coterie/linkage.h"
#include "coterie/tree.h"

struct cot_tree_base {
    size_t n_leaves;
    uint32_t *leaf_of; /* n: a row's micro-cluster; NULL: row i is leaf i */
    float *centroids;  /* n_leaves x d, of micro-clusters; NULL with leaf_of */
    float *masses;     /* n_leaves; NULL with leaf_of */
    struct cot_linkage *ward;
};

/* x and options are checked. */
cot_code cot_tree_base_init(struct cot_tree_base *ret_base, const struct cot_matrix *x,
                            const struct cot_tree_options *options, struct cot_err *err) COT_MUST_CHECK;
void cot_tree_base_release(struct cot_tree_base *base);

/* Rows that micro-clusters are learnt on. */
size_t cot_tree_sample(size_t n, size_t n_micro);

/* The polished cut at options->k. */
cot_code cot_tree_base_cut(const struct cot_tree_base *base, const struct cot_matrix *x,
                           const struct cot_tree_options *options, struct cot_cut **ret_cut,
                           struct cot_err *err) COT_MUST_CHECK;

/*
 * Renumbers labels 0..k-1 by descending mass of their items (masses, else weights, else 1), ties by first item; labels
 * without items vanish. ret_n, how many stay.
 */
cot_code cot_labels_by_mass(uint32_t *labels, size_t n, size_t k, const double *masses, const float *weights,
                            size_t *ret_n, struct cot_err *err) COT_MUST_CHECK;

#endif
