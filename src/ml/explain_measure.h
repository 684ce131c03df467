/* What a grown threshold tree is worth: masses, mistakes, fidelity and costs. */
#ifndef COT_ML_EXPLAIN_MEASURE_H
#define COT_ML_EXPLAIN_MEASURE_H

#include "ml/explain_cut.h"

/* Fills everything in the tree but its structure. O(n (d + depth)). */
cot_code cot_explain_measure(struct cot_explain_tree *tree, const struct cot_explain_data *data,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
