/*
 * Customers of another order of magnitude: wholesalers, test accounts, robots. They are set apart before anything is
 * learned, so that they do not bend what is learned of everyone else.
 */
#ifndef COT_ENGINE_SEGMENT_EXTREME_H
#define COT_ENGINE_SEGMENT_EXTREME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/feature.h"

/*
 * On a log scale a measure of size (spend, order value, units, visits ...) is about normal over ordinary customers. Its
 * robust score is |x - median| / (1.4826 MAD) (Hampel 1974; Iglewicz and Hoaglin 1993 recommend 3.5). A customer is
 * extreme with two measures beyond 3.5, or one beyond 5: 1 in 2,000 and 1 in 1,700,000 of a normal, so that in a shop
 * of ordinary customers hardly anyone is. Zeros and missing values do not count: not buying is no extreme.
 */

/*
 * Where more than this part of the customers would be extreme, the shop's tails are heavier than a normal's: the limits
 * are widened by a tenth until they are not, up to three times as wide.
 */
#define COT_EXTREME_MAX_SHARE 0.045
#define COT_EXTREME_TWO 3.5
#define COT_EXTREME_ONE 5.0

struct cot_extreme_measure {
    char name[32];        /* of the feature */
    double median, scale; /* of the log1p of values other than 0 */
};

enum { COT_EXTREME_MAX_MEASURES = 24 };

struct cot_extreme_limits {
    size_t n;
    struct cot_extreme_measure measures[COT_EXTREME_MAX_MEASURES];
};

/* rows: n row indices; ret_extreme: n flags. Where even the widest limits leave too many, nobody is extreme. */
cot_code cot_extremes_find(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                           struct cot_extreme_limits *ret_limits, bool *ret_extreme,
                           struct cot_err *err) COT_MUST_CHECK;

bool cot_extreme_is(const struct cot_extreme_limits *limits, const struct cot_feature_matrix *matrix, uint32_t row);

#endif
