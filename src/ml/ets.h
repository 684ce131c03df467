/*
 * Exponential smoothing as a state space model: error additive or multiplicative, trend none, additive or damped,
 * season none, additive or multiplicative (Hyndman, Koehler, Ord, Snyder: Forecasting with Exponential Smoothing,
 * doi:10.1007/978-3-540-71918-2). Weights and first states by maximum likelihood, with the exact gradient (the
 * recursion run backwards); the form by AICc among those that are stable, as in R's ets without multiplicative trends.
 */
#ifndef COT_ML_ETS_H
#define COT_ML_ETS_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"

enum {
    COT_ETS_MAX_SEASON = 24,                        /* longer seasons have too many states */
    COT_ETS_MAX_VARIABLES = COT_ETS_MAX_SEASON + 5, /* four weights, level, trend, all seasonal states but one */
    COT_ETS_N_FORMS = 15
};

enum cot_ets_trend { COT_ETS_NO_TREND, COT_ETS_TREND, COT_ETS_DAMPED };
enum cot_ets_season { COT_ETS_NO_SEASON, COT_ETS_ADDITIVE, COT_ETS_MULTIPLICATIVE };

struct cot_ets_form {
    bool multiplicative_error;
    enum cot_ets_trend trend;
    enum cot_ets_season season;
};

/* All of them, simple ones first. */
extern const struct cot_ets_form cot_ets_forms[COT_ETS_N_FORMS];

struct cot_ets {
    struct cot_ets_form form;
    size_t season;                       /* 1: none */
    double alpha, beta, gamma, phi;      /* weights of level, trend, season; damping */
    double level, trend;                 /* after the last value */
    double seasonal[COT_ETS_MAX_SEASON]; /* [0]: of the next value */
    double loss; /* minus twice the log-likelihood, and the prior's part; up to a constant that all forms share */
    double aicc; /* of it */
    size_t n_variables;
    double variables[COT_ETS_MAX_VARIABLES]; /* where a later fit of the same form may start; scaled */
};

/* Whether a form may be fitted: enough values (two seasons and more), all above 0 where it multiplies. */
bool cot_ets_possible(const struct cot_ets_form *form, const double *y, size_t n, size_t season);

/* start: an earlier fit of this form (NULL: from the series' own first values). COT_NOMEM; COT_BAD_DATA where no
 * weights gave a finite likelihood. O(n) an evaluation, some dozens of them. */
cot_code cot_ets_fit(const struct cot_ets_form *form, const double *y, size_t n, size_t season,
                     const struct cot_ets *start, struct cot_ets *ret_ets, struct cot_err *err) COT_MUST_CHECK;

/* The form with the lowest AICc. COT_BAD_DATA where none can be fitted (fewer than four values). */
cot_code cot_ets_choose(const double *y, size_t n, size_t season, struct cot_ets *ret_ets,
                        struct cot_err *err) COT_MUST_CHECK;

void cot_ets_forecast(const struct cot_ets *ets, size_t horizon, double *ret_mean);

/* "AAdM": error, trend, season. */
void cot_ets_name(const struct cot_ets_form *form, char ret_name[8]);

#endif
