/* A zero-inflated log-normal net (ml/ziln.h) that corrects a model, taught by earlier origins. Inside the league. */
#ifndef COT_PREDICT_LEAGUE_NETWORK_H
#define COT_PREDICT_LEAGUE_NETWORK_H

#include "predict/league_view.h"

/* Fills network of all views as cot_league_boost does boosted; that of orders stays NaN: it knows money and chances. */
cot_code cot_league_network(struct cot_league_view *views, size_t n_views, unsigned n_threads, uint64_t seed,
                            struct cot_err *err) COT_MUST_CHECK;

#endif
