/* What one origin says of customers and categories (propensity.h): shares of the last horizon, and columns to learn by.
 */
#ifndef COT_PREDICT_PROPENSITY_VIEW_H
#define COT_PREDICT_PROPENSITY_VIEW_H

#include "predict/propensity.h"

enum { COT_PROPENSITY_COLUMNS = 10 };

struct cot_propensity_view {
    const struct cot_propensity_origin *origin; /* not owned */
    double horizon;                             /* days */
    /* In the last horizon, of customers known before it: shares who bought, of all and by their last category (the last
     * row: of those who had bought in none of them). */
    double base[COT_PROPENSITY_N_KINDS][COT_PROPENSITY_MOST];
    double after[COT_PROPENSITY_N_KINDS][COT_PROPENSITY_MOST + 1][COT_PROPENSITY_MOST];
    double follows[COT_PROPENSITY_MOST][COT_PROPENSITY_MOST]; /* [a][b]: share of a's buyers who buy b, too */
    double share[COT_PROPENSITY_MOST];                        /* of the days with an order */
};

/* Of one customer. */
struct cot_propensity_person {
    uint64_t bought;
    size_t last; /* category; n_categories: none */
    double count[COT_PROPENSITY_MOST];
    int32_t last_day[COT_PROPENSITY_MOST];
};

void cot_propensity_view_fill(struct cot_propensity_view *view, const struct cot_propensity_origin *origin,
                              unsigned horizon);

/* What a customer had bought by a day. */
void cot_propensity_person_read(const struct cot_propensity_origin *origin, size_t i, int32_t until,
                                struct cot_propensity_person *ret_person);

static inline enum cot_propensity_kind cot_propensity_kind_of(const struct cot_propensity_person *person, size_t k)
{
    return person->bought >> k & 1 ? COT_PROPENSITY_AGAIN : COT_PROPENSITY_NEW;
}

/* What speaks for a customer's next purchase in category k. ret: [COT_PROPENSITY_COLUMNS] */
void cot_propensity_columns(const struct cot_propensity_view *view, size_t i,
                            const struct cot_propensity_person *person, size_t k, double *ret);

#endif
