/*
 * Buy-till-you-die models: customers buy at a rate of their own until they quietly leave for good; the rates and the
 * readiness to leave differ between customers as gamma and beta distributions.
 *
 *   BG/NBD       Fader, Hardie, Lee, "Counting your customers the easy way", Marketing Science 24 (2005)
 *   BG/CNBD-k, MBG/CNBD-k: Erlang-k times between purchases; M: may leave after the first purchase, too
 *                Reutterer, Platzer, Schroeder, "Leveraging purchase regularity for predicting customer behavior the
 *                easy way", IJRM 38 (2021)
 *   Pareto/NBD   Schmittlein, Morrison, Colombo, Management Science 33 (1987);
 *                Fader, Hardie, "A note on deriving the Pareto/NBD model" (2005)
 *   Gamma-Gamma  Fader, Hardie, "The Gamma-Gamma model of monetary value" (2013): spend a purchase, coterie/spend.h
 *
 * A customer is x repeat purchases (the first does not count), the last of them tx after the first purchase (0 where
 * x = 0), observed until T after it; all times in one unit, weeks by custom. Example: examples/btyd.c. Thread rule: any
 * thread; fits use n_threads. Same bytes at any number of threads.
 */
#ifndef COTERIE_BTYD_H
#define COTERIE_BTYD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

enum cot_btyd_kind {
    COT_BTYD_BGNBD,    /* r, alpha, a, b */
    COT_BTYD_BGCNBDK,  /* the same, and k */
    COT_BTYD_MBGCNBDK, /* the same, and k */
    COT_BTYD_PARETO,   /* r, alpha, s, beta */
    COT_BTYD_N_KINDS
};

enum { COT_BTYD_PARAMETERS = 4, COT_BTYD_MAX_K = 12 };

/* "bgnbd", "bgcnbdk", "mbgcnbdk", "pareto". */
const char *cot_btyd_kind_name(enum cot_btyd_kind kind);
/* "r", "alpha", then "a", "b" or "s", "beta". */
const char *cot_btyd_parameter_name(enum cot_btyd_kind kind, size_t i);

struct cot_btyd_customers {
    size_t n;
    const double *x;        /* whole numbers >= 0 */
    const double *tx;       /* 0 <= tx <= T, 0 where x = 0 */
    const double *T;        /* >= 0 */
    const double *log_gaps; /* sum of the logarithms of the times between purchases; NULL: k is 1 */
};

struct cot_btyd_options {
    enum cot_btyd_kind kind;
    unsigned k;         /* Erlang shape of the -k models; 0: the one of the highest likelihood */
    unsigned n_threads; /* 0: all cores */
    /*
     * Pull towards usual shops: a normal prior on the logarithms of the parameters of this many customers' worth. 0:
     * maximum likelihood. For shops too small for four parameters.
     */
    double prior_weight;
};

struct cot_btyd {
    enum cot_btyd_kind kind;
    unsigned k;
    double parameters[COT_BTYD_PARAMETERS];
    double
        standard_errors[COT_BTYD_PARAMETERS]; /* of the observed information; NaN where it is not positive definite */
    double log_likelihood;                    /* without the prior */
    bool at_boundary; /* a parameter ran to the end of its range: the data does not tell it; its error means nothing */
    size_t n;         /* customers */
    size_t n_groups;  /* different (x, tx, T) */
    unsigned n_evaluations;
};

void cot_btyd_options_init(struct cot_btyd_options *ret_options, enum cot_btyd_kind kind);

/*
 * COT_BAD_DATA for a customer out of range (its number from 0 is named) and where no customer bought twice; COT_USAGE
 * for k > 1 without log_gaps; COT_NOMEM. O(n log n + groups * evaluations).
 */
cot_code cot_btyd_fit(const struct cot_btyd_customers *customers, const struct cot_btyd_options *options,
                      struct cot_btyd *ret_model, struct cot_err *err) COT_MUST_CHECK;

/* ---- one customer; all of them in any thread ---- */

struct cot_btyd_customer {
    double x, tx, T;
};

/* P(still a customer at T). */
double cot_btyd_alive(const struct cot_btyd *model, struct cot_btyd_customer c);

/* Expected purchases in (T, T + t]. */
double cot_btyd_expected(const struct cot_btyd *model, struct cot_btyd_customer c, double t);

/* P(at least m purchases in (T, T + t]); 1 for m = 0. */
double cot_btyd_at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m);

/* The smallest m with P(purchases in (T, T + t] <= m) >= q. */
unsigned cot_btyd_quantile(const struct cot_btyd *model, struct cot_btyd_customer c, double t, double q);

/* The time after T by which the next purchase has come with probability q; infinite where it never may. */
double cot_btyd_next(const struct cot_btyd *model, struct cot_btyd_customer c, double q);

/* Expected purchases in (T, T + horizon], each worth 1 / (1 + rate)^(time after T); rate a unit of time. */
double cot_btyd_discounted(const struct cot_btyd *model, struct cot_btyd_customer c, double horizon, double rate);

/* Expected repeat purchases of a new customer in the first t. */
double cot_btyd_new_customer(const struct cot_btyd *model, double t);

/* Expected purchases in (T, T + t] and P(alive) of all customers; each output may be NULL. */
cot_code cot_btyd_score(const struct cot_btyd *model, const struct cot_btyd_customers *customers, double t,
                        unsigned n_threads, double *ret_expected, double *ret_alive,
                        struct cot_err *err) COT_MUST_CHECK;

#endif
