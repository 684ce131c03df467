/*
 * When is the next order due? Candidates give three quantiles of the wait in days, scored by pinball loss on what came.
 *
 * Waits beyond the horizon count as the horizon: nobody knows yet how long they were. A model's levels are set by what
 * came of earlier origins: its own 70% may be what holds in half of the cases. Inside the league.
 */
#ifndef COT_PREDICT_LEAGUE_NEXT_H
#define COT_PREDICT_LEAGUE_NEXT_H

#include "predict/league_view.h"

/* views: newest first, the models fitted; views 1 .. n_folds are tested. Scores are NaN where nothing was tested. */
cot_code cot_league_next_run(const struct cot_league_view *views, size_t n_views, unsigned n_folds, unsigned n_threads,
                             struct cot_league_next *ret_next, struct cot_err *err) COT_MUST_CHECK;

#endif
