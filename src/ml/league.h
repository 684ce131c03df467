/*
 * The league: candidates predict what customers will do within a horizon, and are scored on what they did.
 *
 * Origins lie a horizon apart, back from the last day. As of each origin every model is fitted to what had happened by
 * then, the customers known by then are predicted, and what follows within the horizon is compared. What a candidate
 * learns beside its model (weights of a blend, calibration of probabilities, widths of intervals) it learns one origin
 * earlier, whose outcomes are known at the origin: nothing sees the future.
 */
#ifndef COT_ML_LEAGUE_H
#define COT_ML_LEAGUE_H

#include <stdbool.h>

#include "coterie/err.h"
#include "ml/purchases.h"

enum cot_question {
    COT_QUESTION_SPEND,  /* how much? scored by RMSE */
    COT_QUESTION_ORDERS, /* how many days with an order? RMSE */
    COT_QUESTION_CHURN,  /* no order at all? log loss a customer */
    COT_N_QUESTIONS
};

struct cot_candidate_score {
    double score; /* the question's, over all folds together: the lower the better */
    double spearman;
    double total_error;       /* sum predicted / sum of what came - 1 */
    double calibration_error; /* churn: expected calibration error, ten bins of equal size; else NaN */
    double calibration_band;  /* churn: 95% of perfectly calibrated predictions stay below; else NaN */
};

/* 80% intervals of spend, by split conformal prediction within bins of similar predictions. */
struct cot_interval_score {
    double coverage;          /* of all */
    double coverage_positive; /* of those whose lower end is above 0; NaN where there is none */
    double share_positive;
};

struct cot_league_result {
    enum cot_question question;
    unsigned horizon;                   /* days */
    unsigned n_folds;                   /* 0: the history is too short, untested */
    size_t n;                           /* predictions, over all folds */
    struct cot_candidate_score *scores; /* of cot_league_candidates(question); the caller frees it */
    size_t best, best_naive;            /* indices of the lowest scores */
    struct cot_interval_score interval; /* spend: of the best candidate */
};

struct cot_candidate {
    const char *name;
    const char *title; /* what it does, for people */
    bool naive;
};

/* The candidates of a question, in a fixed order. */
const struct cot_candidate *cot_league_candidates(enum cot_question question, size_t *ret_n);
const char *cot_question_name(enum cot_question question);

/*
 * One horizon, at most max_folds origins; ret_results has room for COT_N_QUESTIONS. A fold needs a horizon of outcomes
 * before its origin and as much history before that. COT_NOMEM; what a model can't be fitted to (too few repeat
 * buyers) scores as NaN. Same bytes at any number of threads.
 */
cot_code cot_league_run(const struct cot_purchases *purchases, unsigned horizon, unsigned max_folds, unsigned n_threads,
                        uint64_t seed, struct cot_league_result *ret_results, struct cot_err *err) COT_MUST_CHECK;
void cot_league_release(struct cot_league_result *results); /* of one horizon */

#endif
