/*
 * The two searches for a cut of a threshold tree: fewest mistakes (IMM) and least surrogate cost (ExKMC). Each looks at
 * one node's rows, of which every column has its values in ascending order.
 */
#ifndef COT_ML_EXPLAIN_CUT_H
#define COT_ML_EXPLAIN_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/explain_tree.h"
#include "coterie/matrix.h"
#include "num/order.h"

enum { COT_EXPLAIN_CUT_MAX_LANES = COT_EXPLAIN_TREE_MAX_CANDIDATES };

#define COT_EXPLAIN_DEAD UINT32_MAX

/* What all cuts of a fit share. */
struct cot_explain_data {
    const struct cot_matrix *x;
    const float *centroids; /* k x d */
    const uint32_t *labels; /* n */
    const float *weights;   /* n or NULL */
    size_t k;
    unsigned n_threads;
    unsigned n_slots;             /* threads that may run at once: each has scratch of its own */
    struct cot_row_value *sorted; /* d x n: a node is the same range [begin, end) of every column */
    uint32_t *living;             /* n: labels, or COT_EXPLAIN_DEAD for rows that a cut parted from their centroid */
    double *factors;              /* 2 d x n_score_lanes */
    double *scores;               /* n x n_score_lanes: see cot_explain_cut_cost */
    size_t n_score_lanes;         /* a multiple of 4; lanes beyond the candidates hold 0, as the own cluster's does */
    double *sums;                 /* n_slots x (2 k + 2 n_score_lanes) */
    uint32_t *orders;             /* n_slots x k */
};

struct cot_explain_cut {
    bool found;
    double loss;   /* mistakes, or change of the cost (below 0 is better) */
    double margin; /* between cuts of equal loss: the wider gap, as a share of the column's span */
    size_t i_column;
    float low, high;  /* a threshold in [low, high) parts the same rows */
    uint32_t lane[2]; /* of the surrogate cut: which candidate the left and the right leaf take */
};

static inline double cot_explain_weight(const struct cot_explain_data *data, uint32_t row)
{
    return data->weights != NULL ? (double)data->weights[row] : 1;
}

/*
 * The cut that parts the centres (indices of centroids, n_centres >= 2, each with living rows in the node) with the
 * least mass of living rows on the other side than their centroid. masses: k, of living rows in the node by label. Not
 * found where all centres are equal.
 */
struct cot_explain_cut cot_explain_cut_mistakes(const struct cot_explain_data *data, size_t begin, size_t end,
                                                const uint32_t *centres, size_t n_centres, const double *masses);

/*
 * The cut of which the cost falls most where either side takes its best candidate (candidates[0] is the leaf's own
 * cluster): loss = change of sum_i w_i |x_i - c|^2. Fills data->scores for the node's rows.
 */
struct cot_explain_cut cot_explain_cut_cost(const struct cot_explain_data *data, size_t begin, size_t end,
                                            const uint32_t *candidates, size_t n_candidates);

#endif
