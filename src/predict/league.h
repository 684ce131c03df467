/*
 * The league: candidates predict what customers will do within a horizon, and are scored on what they did.
 *
 * Origins lie a horizon apart, back from the last day. As of each origin every model is fitted to what was known by
 * then, the customers known by then are predicted, and what followed within the horizon is compared. What a candidate
 * learns beside its model (weights of a blend, calibration of probabilities, widths of intervals, trees) it learns at
 * earlier origins, whose outcomes are known at the origin: nothing sees the future. The same steps at the last day
 * itself, whose outcomes nobody knows yet, make the predictions that are served.
 */
#ifndef COT_PREDICT_LEAGUE_H
#define COT_PREDICT_LEAGUE_H

#include <stdbool.h>

#include "coterie/err.h"
#include "predict/purchases.h"

enum cot_question {
    COT_QUESTION_SPEND,  /* how much? scored by RMSE */
    COT_QUESTION_ORDERS, /* how many days with an order? RMSE */
    COT_QUESTION_CHURN,  /* no order at all? log loss a customer */
    COT_N_QUESTIONS
};

/* What was known at the end of a day, of the customers who had ordered by then, and what came. */
struct cot_league_origin {
    struct cot_purchases purchases; /* none after last_day */
    const float *features;          /* [purchases.n x n_features], row-major, NaN: no value; NULL: none */
    size_t n_features;
    const double *orders, *spend; /* [purchases.n] days with an order, and money, within the horizon; NULL: not over */
    const double *waits;          /* [purchases.n] days until the first of them, INFINITY: none came; NULL: not over */
};

struct cot_candidate_score {
    double score; /* the question's, over all folds together: the lower the better; NaN: could not be fitted */
    double spearman;
    double total_error;       /* sum predicted / sum of what came - 1 */
    double calibration_error; /* churn: expected calibration error, ten bins of equal size; else NaN */
    double calibration_band;  /* churn: 95% of perfectly calibrated predictions stay below; else NaN */
};

enum { COT_PIT_BINS = 10 };

/* 80% intervals of amounts, by split conformal prediction within bins of similar predictions. */
struct cot_interval_score {
    double coverage;          /* of all */
    double coverage_positive; /* of those whose lower end is above 0; NaN where there is none */
    double share_positive;
    double pit[COT_PIT_BINS]; /* shares of outcomes by tenth of the predictive distribution, randomised: .1 each were
                                 they right */
};

/* What the serving candidate says of the customers of the newest origin. */
struct cot_served {
    double *predicted;
    double *low, *high; /* amounts: 80% intervals; NaN where no earlier origin tells their width */
};

struct cot_league_result {
    enum cot_question question;
    unsigned horizon;                   /* days */
    unsigned n_folds;                   /* origins tested; 0: the history is too short, untested */
    unsigned n_learned;                 /* earlier origins that the served predictions learned from */
    size_t n;                           /* predictions tested, over all folds */
    struct cot_candidate_score *scores; /* of cot_league_candidates(question) */
    size_t best, best_naive;            /* indices of the lowest scores */
    size_t serves;                      /* the best if it beats every naive one, else the best naive one; untested:
                                           the most flexible model that could be fitted, else a rule */
    struct cot_interval_score interval; /* amounts: of the serving candidate */
    struct cot_served served;
};

struct cot_candidate {
    const char *name;
    const char *title; /* what it does, for people */
    bool naive;
};

/* The candidates of a question, in a fixed order. */
const struct cot_candidate *cot_league_candidates(enum cot_question question, size_t *ret_n);
const char *cot_question_name(enum cot_question question);
const char *cot_question_measure(enum cot_question question); /* of its score: "rmse" or "log_loss" */

enum { COT_LEAGUE_LEARNS_FROM = 2 }; /* origins that a fold needs before it: blend, then intervals around the blend */

/*
 * How many origins with outcomes a history of n_days allows (each needs a horizon of outcomes after it and as much
 * history up to it), at most `most`; of these, all but COT_LEAGUE_LEARNS_FROM can be tested.
 */
unsigned cot_league_origins_that_fit(int64_t n_days, unsigned horizon, unsigned most);

/*
 * When the next order is due: candidates give the days by which one has come with a chance of 10, 50 and 90%. The score
 * is the mean pinball loss in days; waits beyond the horizon count as the horizon.
 */
enum { COT_LEAGUE_NEXT_CANDIDATES = 5, COT_LEAGUE_NEXT_LEVELS = 3, COT_LEAGUE_NEXT_MIDDLE = 1 };
extern const double cot_league_next_levels[COT_LEAGUE_NEXT_LEVELS];

struct cot_league_next {
    unsigned n_folds;
    size_t n; /* customers tested, a sample of large shops */
    double loss[COT_LEAGUE_NEXT_CANDIDATES];
    double held[COT_LEAGUE_NEXT_CANDIDATES]
               [COT_LEAGUE_NEXT_LEVELS]; /* share who had ordered by the day said, of those
                                            of whom a day before the horizon's end was said */
    size_t best, best_naive;
    size_t model;                          /* the model that gives dates of the newest origin */
    double levels[COT_LEAGUE_NEXT_LEVELS]; /* its own chances that held in 10, 50 and 90% of cases */
};
const struct cot_candidate *cot_league_next_candidates(void); /* [COT_LEAGUE_NEXT_CANDIDATES] */

/* What the models and trees of the newest origin know: answers about single customers. Borrows the arrays
 * of the origin. */
struct cot_league_newest;
void cot_league_newest_free(struct cot_league_newest *newest);

/* By how many days from the origin customer i has ordered again with a chance of 10, 50 and 90%: INFINITY where that is
 * never reached within ten years, all NaN where no model could be fitted. */
void cot_league_next_order(const struct cot_league_newest *newest, size_t i, double ret_days[COT_LEAGUE_NEXT_LEVELS]);
const struct cot_league_next *cot_league_newest_next(const struct cot_league_newest *newest);

/*
 * Why the trees say what they say of customer i: ret_reasons[c] is what column c adds to the log odds of churn or to
 * the log of the amount (TreeSHAP), [n_features + COT_LEAGUE_N_OWN]: the origin's features, then those of
 * cot_league_own_column; ret_start: what they start from, the model's answer included. COT_NOT_FOUND without trees.
 */
enum { COT_LEAGUE_N_OWN = 10 };
const char *cot_league_own_column(size_t column);
cot_code cot_league_reasons(struct cot_league_newest *newest, enum cot_question question, size_t i, float *ret_reasons,
                            float *ret_start, struct cot_err *err) COT_MUST_CHECK;

/*
 * One horizon. origins[0] is the last day, without outcomes; origins[i] lies i horizons earlier. At most max_folds of
 * them are tested, all are learned from. ret_results has room for COT_N_QUESTIONS; ret_newest may be NULL. COT_NOMEM;
 * what a model can't be fitted to (too few repeat buyers) scores as NaN. Same bytes at any number of threads.
 */
cot_code cot_league_run(const struct cot_league_origin *origins, size_t n_origins, unsigned horizon, unsigned max_folds,
                        unsigned n_threads, uint64_t seed, struct cot_league_result *ret_results,
                        struct cot_league_newest **ret_newest, struct cot_err *err) COT_MUST_CHECK;
void cot_league_release(struct cot_league_result *results); /* of one horizon */

#endif
