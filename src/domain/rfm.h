/*
 * RFM the way marketers know it: quintile scores of recency, frequency and monetary value, and eleven groups.
 *
 * Scores run from 1 (worst) to 5 (best) by rank among the customers with an order: customers with equal values get
 * equal scores, that of their mean rank, so groups depend on nothing but the values (unlike NTILE, which parts equals
 * at random; where many are equal, as with one order, a score may then be empty). Groups follow the ranges of recency
 * (R) and of the mean of frequency and monetary scores (FM, halves up) that Putler published ("RFM Analysis for
 * Successful Customer Segmentation", 2016) and that are in general use since; where its ranges overlap each pair of
 * scores is given to one group, always within that group's published range.
 */
#ifndef COT_DOMAIN_RFM_H
#define COT_DOMAIN_RFM_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

enum cot_rfm_group {
    COT_RFM_CHAMPIONS,
    COT_RFM_LOYAL,
    COT_RFM_POTENTIAL,
    COT_RFM_NEW,
    COT_RFM_PROMISING,
    COT_RFM_ATTENTION,
    COT_RFM_ABOUT_TO_SLEEP,
    COT_RFM_AT_RISK,
    COT_RFM_CANT_LOSE,
    COT_RFM_HIBERNATING,
    COT_RFM_LOST,
    COT_RFM_N_GROUPS,
    COT_RFM_NONE = COT_RFM_N_GROUPS /* never ordered */
};

struct cot_rfm_score {
    uint8_t recency, frequency, monetary; /* 1..5; 0: never ordered */
    uint8_t group;                        /* enum cot_rfm_group */
};

const char *cot_rfm_group_name(enum cot_rfm_group group);
const char *cot_rfm_group_advice(enum cot_rfm_group group); /* what to do with them, one sentence */

/* Group of a pair of scores, each 1..5. */
enum cot_rfm_group cot_rfm_group_of(unsigned recency, unsigned frequency, unsigned monetary);

/* Scores of n customers from days since the last order (NaN: never ordered), orders and revenue. O(n log n). */
cot_code cot_rfm_score(const float *recency_days, const float *frequency, const float *monetary, size_t n,
                       struct cot_rfm_score *ret_scores, struct cot_err *err) COT_MUST_CHECK;
/* Score of one value among n sorted ascending, the larger the better: as cot_rfm_score gives it where the value is one
 * of them, else where it would stand. n 0: 5. O(log n). */
unsigned cot_rfm_score_among(const double *sorted, size_t n, double value);

#endif
