/*
 * What each buy-till-you-die model has of its own: the likelihood of customers with its gradient, and what follows.
 * Both take a batch, so that its logarithms and exponentials are computed side by side (num/elementary.h).
 */
#ifndef COT_ML_BTYD_MODEL_H
#define COT_ML_BTYD_MODEL_H

#include "coterie/btyd.h"

/* Groups or customers in a batch, at most. */
enum { COT_BTYD_BATCH = 16 };

/* Customers with the same numbers. */
struct cot_btyd_group {
    double x, tx, T;
    double n;
    double log_gaps; /* of all of them */
};

/* What depends on the parameters and x alone, made once an evaluation; x in [0, n_x). */
struct cot_btyd_tables {
    size_t n_x;
    double *log_rising; /* ln gamma(r + k x) - ln gamma(r) */
    double *psi_rising; /* its derivative by r */
    double *log_beta;   /* ln B(a, b + i) - ln B(a, b) */
    double *by_a;       /* its derivatives */
    double *by_b;
};

struct cot_btyd_model {
    const char *name;
    const char *parameters[COT_BTYD_PARAMETERS];
    double typical[COT_BTYD_PARAMETERS]; /* of shops; scales of time in mean observation times */
    bool scale[COT_BTYD_PARAMETERS];     /* a parameter that is a time */
    size_t groups_a_block;               /* at least: fewer are not worth waking a thread for */
    void (*tabulate)(const struct cot_btyd *model, struct cot_btyd_tables *tables);
    /*
     * Adds the log-likelihoods of all customers of a batch, without log_gaps, to sums[0], and their derivatives by the
     * parameters to those that follow.
     */
    void (*add_log_likelihoods)(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                                const struct cot_btyd_group *groups, size_t n, double sums[1 + COT_BTYD_PARAMETERS]);
    /* Of a batch of customers: P(alive), and the expected purchases in t > 0; ret_expected may be NULL. */
    void (*score)(const struct cot_btyd *model, size_t n, const double *x, const double *tx, const double *T, double t,
                  double *ret_expected, double *ret_alive);
    double (*at_least)(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m); /* m >= 1 */
};

extern const struct cot_btyd_model cot_btyd_bgnbd, cot_btyd_bgcnbdk, cot_btyd_mbgcnbdk, cot_btyd_pareto;

const struct cot_btyd_model *cot_btyd_model_of(enum cot_btyd_kind kind);

/* Of a batch: ln(dead + alive), and the share of dead in it; log_dead is -infinity where nobody can be. */
void cot_btyd_mix(size_t n, const double *log_dead, const double *log_alive, double *ret_log_sum, double *ret_dead);

/* COT_BAD_DATA where customer i is out of range, which names it. */
cot_code cot_btyd_check_customer(const struct cot_btyd_customers *customers, size_t i,
                                 struct cot_err *err) COT_MUST_CHECK;

#endif
