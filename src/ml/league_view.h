/* What is known of the customers as of one origin, what candidates say of them, and what came. Inside the league. */
#ifndef COT_ML_LEAGUE_VIEW_H
#define COT_ML_LEAGUE_VIEW_H

#include "coterie/btyd.h"
#include "ml/league.h"

enum { COT_LEAGUE_MAX_CANDIDATES = 7, COT_LEAGUE_N_MODELS = 3 };

/* Arrays of n. Times in weeks. */
struct cot_league_view {
    size_t n;
    double *x, *tx, *T, *log_gaps;    /* as coterie/btyd.h has them */
    double *mean;                     /* spend a day with an order, the first one included */
    double *past_orders, *past_spend; /* in the last horizon before the origin */
    double *orders, *spend;           /* what came within the horizon; 0 and meaningless where it is not over yet */
    double *expected[COT_LEAGUE_N_MODELS]; /* orders within the horizon */
    double *silent[COT_LEAGUE_N_MODELS];   /* P(no order within it) */
    double *worth;                         /* expected spend a day with an order */
};

cot_code cot_league_view_init(struct cot_league_view *ret_view, const struct cot_purchases *purchases, int32_t origin,
                              unsigned horizon, struct cot_err *err) COT_MUST_CHECK;
void cot_league_view_release(struct cot_league_view *view);

/* Fits the models and predicts; a model that can't be fitted says NaN. */
cot_code cot_league_view_predict(struct cot_league_view *view, unsigned horizon, unsigned n_threads,
                                 struct cot_err *err) COT_MUST_CHECK;

/*
 * Every candidate's answer for the customers of `view`, in the order of cot_league_candidates; each ret_predicted has
 * room for view->n. `before` is the view one horizon earlier, whose outcomes are known at the origin.
 */
cot_code cot_league_answer(enum cot_question question, const struct cot_league_view *view,
                           const struct cot_league_view *before, double horizon, double *const *ret_predicted,
                           struct cot_err *err) COT_MUST_CHECK;

/* What came, of a question: view's own array, or 1 for churn. */
double cot_league_actual(enum cot_question question, const struct cot_league_view *view, size_t i);

#endif
