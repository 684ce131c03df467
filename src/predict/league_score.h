/* Scores of predictions. Inside the league. */
#ifndef COT_PREDICT_LEAGUE_SCORE_H
#define COT_PREDICT_LEAGUE_SCORE_H

#include "predict/league.h"

/* Predictions that are not finite (a fold in which the model could not be fitted) score NaN. n > 0. */
cot_code cot_league_score(enum cot_question question, const double *predicted, const double *actual, size_t n,
                          uint64_t seed, struct cot_candidate_score *ret_score, struct cot_err *err) COT_MUST_CHECK;

#endif
