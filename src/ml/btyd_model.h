/* What each buy-till-you-die model has of its own: likelihood of a customer with its gradient, and what follows. */
#ifndef COT_ML_BTYD_MODEL_H
#define COT_ML_BTYD_MODEL_H

#include "coterie/btyd.h"

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
    void (*tabulate)(const struct cot_btyd *model, struct cot_btyd_tables *tables);
    /* One customer's, without log_gaps; derivatives by the parameters. */
    double (*log_likelihood)(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                             const struct cot_btyd_group *group, double ret_gradient[COT_BTYD_PARAMETERS]);
    double (*alive)(const struct cot_btyd *model, struct cot_btyd_customer c);
    double (*expected)(const struct cot_btyd *model, struct cot_btyd_customer c, double t);
    double (*at_least)(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m); /* m >= 1 */
};

extern const struct cot_btyd_model cot_btyd_bgnbd, cot_btyd_bgcnbdk, cot_btyd_mbgcnbdk, cot_btyd_pareto;

const struct cot_btyd_model *cot_btyd_model_of(enum cot_btyd_kind kind);

#endif
