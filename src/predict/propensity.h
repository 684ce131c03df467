/*
 * Category propensity: will a customer buy in a category within a horizon? Asked twice, of categories that they have
 * bought in before (again) and of those that they have not (new: what cross-selling needs).
 *
 * As in the league (league.h), origins lie a horizon apart, and what is said at one is taught by the outcomes of those
 * before it. Candidates: the share of all who bought in it in the last horizon; the share of those whose last category
 * was theirs (drawn towards the former as if by 20 customers more); and a logistic regression on both, on how often and
 * how long ago the customer bought, there and at all, and on the categories that go together. Scored by log loss over
 * pairs of a customer and a category; the regression serves where it beats both shares.
 */
#ifndef COT_PREDICT_PROPENSITY_H
#define COT_PREDICT_PROPENSITY_H

#include "coterie/err.h"
#include "predict/league.h"

enum { COT_PROPENSITY_MOST = 64 }; /* categories */

struct cot_category_day {
    int32_t day;
    uint32_t category;
    double amount; /* spent in it that day, before refunds */
};

/* What was known at the end of a day of each customer and category, and what came. */
struct cot_propensity_origin {
    const struct cot_purchases *purchases; /* of the same customers */
    size_t n_categories;                   /* <= COT_PROPENSITY_MOST; fewer than 2: nothing is asked */
    const size_t *starts;                  /* customer i: days[starts[i] .. starts[i + 1]) */
    const struct cot_category_day *days;   /* in order of time, a category at most once a day; none after last_day */
    const uint64_t *came;                  /* [purchases->n] bit k: bought in category k within the horizon; NULL: not
                                              over */
};

enum cot_propensity_kind { COT_PROPENSITY_AGAIN, COT_PROPENSITY_NEW, COT_PROPENSITY_N_KINDS };
enum { COT_PROPENSITY_CANDIDATES = 3 };
const struct cot_candidate *cot_propensity_candidates(void); /* [COT_PROPENSITY_CANDIDATES] */
const char *cot_propensity_name(enum cot_propensity_kind kind);

/* Of one kind of pairs. */
struct cot_propensity_score {
    unsigned n_folds;                                                 /* origins tested; 0: untested */
    size_t n;                                                         /* pairs, of a sample of customers */
    struct cot_candidate_score candidates[COT_PROPENSITY_CANDIDATES]; /* as of churn */
    size_t best, best_naive, serves;
};

/* What is known at the newest origin. Borrows its arrays. */
struct cot_propensity;

/*
 * origins[0] is the last day, without outcomes; origins[i] lies i horizons earlier; n_folds of them are tested, all are
 * learned from. ret_propensity: NULL where the newest has fewer than two categories. COT_NOMEM. Same seed, same bytes.
 */
cot_code cot_propensity_run(const struct cot_propensity_origin *origins, size_t n_origins, unsigned horizon,
                            unsigned n_folds, uint64_t seed, struct cot_propensity **ret_propensity,
                            struct cot_err *err) COT_MUST_CHECK;
void cot_propensity_free(struct cot_propensity *propensity);

const struct cot_propensity_score *cot_propensity_score(const struct cot_propensity *propensity,
                                                        enum cot_propensity_kind kind);

/* Chances of customer i of the newest origin to buy in each category within the horizon, by who serves. Returns what
 * they have bought before: bit k. */
uint64_t cot_propensity_chances(const struct cot_propensity *propensity, size_t i,
                                double ret_chances[COT_PROPENSITY_MOST]);

/* Share of the buyers of category a who buy b, too, drawn towards that of all as if by 20 customers more. */
double cot_propensity_follows(const struct cot_propensity *propensity, size_t a, size_t b);

#endif
