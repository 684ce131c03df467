/*
 * Concentration of revenue: how much of it comes from how few customers. Pure arithmetic; any thread.
 */
#ifndef COT_ENGINE_CONCENTRATION_H
#define COT_ENGINE_CONCENTRATION_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

enum { COT_CONCENTRATION_TOPS = 3, COT_CONCENTRATION_POINTS = 101 };

/* The best `percent` of customers: ceil(n * percent / 100) of them. */
struct cot_concentration_top {
    unsigned percent;
    size_t n_customers;
    double revenue_share;
};

struct cot_concentration {
    size_t n;                                                 /* customers */
    size_t n_negative;                                        /* with more refunds than orders: they count as 0 */
    int64_t total_minor;                                      /* of those that count */
    double gini;                                              /* 0: all alike, 1 - 1/n: one customer has all */
    size_t n_half;                                            /* fewest customers that bring half of the total */
    struct cot_concentration_top top[COT_CONCENTRATION_TOPS]; /* 1, 10 and 20% */
    double curve[COT_CONCENTRATION_POINTS]; /* share of revenue of the best i% of customers, linear between customers */
};

/*
 * revenue_minor: net revenue of each of n customers, any order; not changed. Gini coefficient G = 2 * sum(i * x_i) /
 * (n * sum(x)) - (n + 1) / n with x ascending, i from 1 (Gini 1912, in the form of doi:10.2307/2286012). A total of 0
 * (n = 0 included) gives zeros everywhere. COT_NOMEM; COT_LIMIT where the total overflows. O(n log n).
 */
cot_code cot_concentration_measure(const int64_t *revenue_minor, size_t n, struct cot_concentration *ret,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
