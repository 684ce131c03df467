/* What candidates say of the customers of one origin. Inside the league. */
#ifndef COT_PREDICT_LEAGUE_VIEW_H
#define COT_PREDICT_LEAGUE_VIEW_H

#include "coterie/btyd.h"
#include "predict/boosted.h"
#include "predict/league.h"

enum { COT_LEAGUE_MAX_CANDIDATES = 9, COT_LEAGUE_N_MODELS = 3 };

/* Arrays of n. Times in weeks. */
struct cot_league_view {
    size_t n;
    const struct cot_league_origin *origin; /* not owned */
    double horizon;                         /* days */
    double *x, *tx, *T, *log_gaps;          /* as coterie/btyd.h has them */
    double *mean;                           /* spend a day with an order, the first one included */
    double *past_orders, *past_spend;       /* in the last horizon before the origin */
    double *expected[COT_LEAGUE_N_MODELS];  /* orders within the horizon */
    double *silent[COT_LEAGUE_N_MODELS];    /* P(no order within it) */
    double *worth;                          /* expected spend a day with an order */
    struct cot_btyd models[COT_LEAGUE_N_MODELS];
    struct cot_boosted *trees[COT_N_QUESTIONS];                  /* of the newest origin alone, NULL: none */
    double *boosted[COT_N_QUESTIONS];                            /* what they say; churn: a probability */
    double *network[COT_N_QUESTIONS];                            /* what the net says; NaN of orders */
    double *answers[COT_N_QUESTIONS][COT_LEAGUE_MAX_CANDIDATES]; /* in the order of cot_league_candidates */
};

cot_code cot_league_view_init(struct cot_league_view *ret_view, const struct cot_league_origin *origin,
                              unsigned horizon, struct cot_err *err) COT_MUST_CHECK;
void cot_league_view_release(struct cot_league_view *view);

/* The model whose answer the trees correct: the most flexible that could be fitted. COT_LEAGUE_N_MODELS: none. */
size_t cot_league_view_model(const struct cot_league_view *view);

/* Fits the models to the view's purchases and predicts; a model that can't be fitted says NaN. */
cot_code cot_league_view_predict(struct cot_league_view *view, unsigned n_threads, struct cot_err *err) COT_MUST_CHECK;

/* Fills view->answers. `earlier`: the views of the n_earlier origins before, newest first, already answered, from whose
 * outcomes is learned. */
cot_code cot_league_answer(struct cot_league_view *view, const struct cot_league_view *earlier, size_t n_earlier,
                           struct cot_err *err) COT_MUST_CHECK;

/* What came: 1 for churn where nothing did. Only where the origin has outcomes. */
double cot_league_actual(enum cot_question question, const struct cot_league_view *view, size_t i);

#endif
