/* The nearest clusters of many clusters at once: the part of Ward's method that takes the time. */
#ifndef COT_ML_WARD_NEAREST_H
#define COT_ML_WARD_NEAREST_H

#include "ml/ward_clusters.h"

struct cot_nearest_work {
    struct cot_clusters *clusters;
    unsigned n_threads;
    cot_bound_filter *filter;
    uint32_t *queries; /* capacity: places that look for their nearest */
    float *values;     /* a thread: the values of its groups of queries */
};

cot_code cot_nearest_work_init(struct cot_nearest_work *ret_work, struct cot_clusters *clusters, unsigned n_threads,
                               cot_bound_filter *filter, struct cot_err *err) COT_MUST_CHECK;
void cot_nearest_work_release(struct cot_nearest_work *work);
size_t cot_nearest_work_memory(size_t n, size_t d, unsigned n_threads); /* bytes that _init takes */

enum cot_nearest_whose { COT_NEAREST_LOST, COT_NEAREST_ALL };

/*
 * Afterwards every live cluster's first listed neighbour is alive. LOST: those whose first was merged away (Ward is
 * reducible: a union is never nearer than the nearer of its parts, so a neighbour that is alive is still the nearest).
 * ALL: all clusters look at what was made since they last looked. The same bytes at any number of threads.
 */
void cot_nearest_find(struct cot_nearest_work *work, enum cot_nearest_whose whose);

#endif
