/* What learners are taught from: customers of origins as rows, with targets where they are known. Inside the league. */
#ifndef COT_PREDICT_LEAGUE_ROWS_H
#define COT_PREDICT_LEAGUE_ROWS_H

#include "predict/league_view.h"

struct cot_league_rows {
    size_t n, d;
    float *x;     /* [n x d] the origin's features, then COT_LEAGUE_N_OWN of the models' */
    float *y;     /* what came; 0 where the origin is not over */
    float *start; /* the model's answer: log odds of churn, log of an amount */
};

/* Of views [first, end), at most `most` rows, evenly spread. Each must have a model (cot_league_view_model). */
cot_code cot_league_rows_make(const struct cot_league_view *views, size_t first, size_t end, enum cot_question question,
                              size_t most, struct cot_league_rows *ret_rows, struct cot_err *err) COT_MUST_CHECK;
void cot_league_rows_release(struct cot_league_rows *rows);

/* One customer's row, and start; model: as cot_league_view_model says. */
void cot_league_row(const struct cot_league_view *view, size_t model, size_t i, float *x);
float cot_league_start(enum cot_question question, const struct cot_league_view *view, size_t model, size_t i);

/* How many of the views from `first` on a learner can be taught from, and their customers together: older ones follow
 * until the first that has no model or other features. */
size_t cot_league_teachers(const struct cot_league_view *views, size_t first, size_t n_views, size_t *ret_n_rows);

#endif
