/* Results of k-means, for those who make them. */
#ifndef COT_ML_KMEANS_RESULT_H
#define COT_ML_KMEANS_RESULT_H

#include "coterie/kmeans.h"

/* For n points, with room for labels of whole tiles, which are left to be set; NULL without memory. */
struct cot_kmeans *cot_kmeans_new(size_t n, size_t d, size_t k);

#endif
