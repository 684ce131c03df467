/*
 * Gamma-Gamma model of spend a purchase (Fader, Hardie, "The Gamma-Gamma model of monetary value", 2013): a customer's
 * purchases are gamma distributed about a mean of their own, which does not depend on how often they buy.
 *
 * A customer is x purchases of mean value m. Example: examples/btyd.c. Thread rule: any thread.
 */
#ifndef COTERIE_SPEND_H
#define COTERIE_SPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"

enum { COT_SPEND_PARAMETERS = 3 };

struct cot_spend {
    double parameters[COT_SPEND_PARAMETERS]; /* p, q, gamma */
    double standard_errors[COT_SPEND_PARAMETERS];
    double log_likelihood;
    bool at_boundary;
    size_t n; /* customers with x > 0 and m > 0: the others say nothing */
    unsigned n_evaluations;
};

/* "p", "q", "gamma". */
const char *cot_spend_parameter_name(size_t i);

/*
 * x: purchases, m: their mean value, n each. Customers with x = 0 or m <= 0 are left out. COT_BAD_DATA where fewer than
 * two are left, or a number is NaN or infinite (named from 0). n_threads 0: all cores.
 */
cot_code cot_spend_fit(size_t n, const double *x, const double *m, unsigned n_threads, struct cot_spend *ret_model,
                       struct cot_err *err) COT_MUST_CHECK;

/* A customer's expected spend a purchase; the population's mean where x = 0 (infinite where q <= 1). */
double cot_spend_expected(const struct cot_spend *model, double x, double m);

#endif
