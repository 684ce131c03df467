/* How each linkage finds its n - 1 merges, in an order in which parts precede wholes. x is checked, n >= 2. */
#ifndef COT_ML_LINKAGE_METHODS_H
#define COT_ML_LINKAGE_METHODS_H

#include "coterie/linkage.h"
#include "ml/linkage_merge.h"

cot_code cot_ward_merges(const struct cot_matrix *x, const struct cot_linkage_options *options,
                         struct cot_merge *ret_merges, struct cot_err *err) COT_MUST_CHECK;
size_t cot_ward_memory(size_t n, size_t d, unsigned n_threads); /* bytes that it allocates */
cot_code cot_single_merges(const struct cot_matrix *x, struct cot_merge *ret_merges,
                           struct cot_err *err) COT_MUST_CHECK;
cot_code cot_pairwise_merges(const struct cot_matrix *x, const struct cot_linkage_options *options,
                             struct cot_merge *ret_merges, struct cot_err *err) COT_MUST_CHECK;

#endif
