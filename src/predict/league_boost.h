/* Trees that correct a model, taught by what came after earlier origins. Inside the league. */
#ifndef COT_PREDICT_LEAGUE_BOOST_H
#define COT_PREDICT_LEAGUE_BOOST_H

#include "predict/league_view.h"

/*
 * Fills boosted of all views (newest first, models fitted): those of a view learn from all earlier views. NaN where
 * there are none or too few customers. Rounds are chosen on the newest of the earlier views.
 */
cot_code cot_league_boost(struct cot_league_view *views, size_t n_views, unsigned n_threads, uint64_t seed,
                          struct cot_err *err) COT_MUST_CHECK;

/* As cot_league_reasons has it. */
cot_code cot_league_boost_reasons(const struct cot_league_view *view, enum cot_question question, size_t i,
                                  float *ret_reasons, float *ret_start, struct cot_err *err) COT_MUST_CHECK;

#endif
