#include "domain/rfm.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const struct group_row {
    const char *name;
    const char *advice;
} group_rows[COT_RFM_N_GROUPS + 1] = {
    [COT_RFM_CHAMPIONS] = {"Champions", "Reward them, ask for reviews, let them try what is new first."},
    [COT_RFM_LOYAL] = {"Loyal customers", "Offer what goes with their purchases; a loyalty scheme fits."},
    [COT_RFM_POTENTIAL] = {"Potential loyalists", "Recommend related items and a membership to win a third order."},
    [COT_RFM_NEW] = {"New customers", "Welcome them and help with the first order; a nudge to the second."},
    [COT_RFM_PROMISING] = {"Promising", "Build awareness; a free trial or a small offer."},
    [COT_RFM_ATTENTION] = {"Need attention", "A limited offer based on what they bought."},
    [COT_RFM_ABOUT_TO_SLEEP] = {"About to sleep", "Remind them with popular items before they are gone."},
    [COT_RFM_AT_RISK] = {"At risk", "Write personally, renew the bond, offer something worth coming back for."},
    [COT_RFM_CANT_LOSE] = {"Can't lose them", "Win them back in person: call, listen, do not lose them to others."},
    [COT_RFM_HIBERNATING] = {"Hibernating", "Show other products now and then, at little cost."},
    [COT_RFM_LOST] = {"Lost", "One campaign to revive interest, else leave them alone."},
    [COT_RFM_NONE] = {"No order", "Not part of RFM: they never ordered."},
};

const char *cot_rfm_group_name(enum cot_rfm_group group)
{
    return group_rows[group].name;
}

const char *cot_rfm_group_advice(enum cot_rfm_group group)
{
    return group_rows[group].advice;
}

enum cot_rfm_group cot_rfm_group_of(unsigned recency, unsigned frequency, unsigned monetary)
{
    /* [R - 1][FM - 1] */
    static const uint8_t groups[5][5] = {
        {COT_RFM_LOST, COT_RFM_HIBERNATING, COT_RFM_AT_RISK, COT_RFM_CANT_LOSE, COT_RFM_CANT_LOSE},
        {COT_RFM_HIBERNATING, COT_RFM_HIBERNATING, COT_RFM_AT_RISK, COT_RFM_AT_RISK, COT_RFM_AT_RISK},
        {COT_RFM_ABOUT_TO_SLEEP, COT_RFM_ABOUT_TO_SLEEP, COT_RFM_ATTENTION, COT_RFM_LOYAL, COT_RFM_LOYAL},
        {COT_RFM_PROMISING, COT_RFM_POTENTIAL, COT_RFM_POTENTIAL, COT_RFM_LOYAL, COT_RFM_LOYAL},
        {COT_RFM_NEW, COT_RFM_POTENTIAL, COT_RFM_POTENTIAL, COT_RFM_CHAMPIONS, COT_RFM_CHAMPIONS},
    };
    return (enum cot_rfm_group)groups[recency - 1][(frequency + monetary + 1) / 2 - 1];
}

struct ranked {
    float value; /* larger is better */
    uint32_t i;
};

static int ranked_compare(const void *a, const void *b)
{
    float x = ((const struct ranked *)a)->value;
    float y = ((const struct ranked *)b)->value;
    return x < y ? -1 : x > y;
}

/* Quintile of the mean rank of each run of equal values. */
static void score_ranks(struct ranked *ranked, size_t n, uint8_t *ret_scores)
{
    qsort(ranked, n, sizeof *ranked, ranked_compare);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && ranked[end].value <= ranked[begin].value)
            end++;
        size_t score = 1 + 5 * (begin + end - 1) / (2 * n); /* mean rank is (begin + end - 1) / 2, from 0 */
        for (size_t i = begin; i < end; i++)
            ret_scores[ranked[i].i] = (uint8_t)score;
    }
}

cot_code cot_rfm_score(const float *recency_days, const float *frequency, const float *monetary, size_t n,
                       struct cot_rfm_score *ret_scores, struct cot_err *err)
{
    struct ranked *ranked = malloc((n + 1) * sizeof *ranked);
    uint8_t *scores = calloc(3 * n + 1, sizeof *scores);
    if (ranked == NULL || scores == NULL) {
        free(ranked);
        free(scores);
        return cot_fail(err, COT_NOMEM, "RFM scores of %zu customers", n);
    }
    for (size_t part = 0; part < 3; part++) {
        size_t n_ranked = 0;
        for (size_t i = 0; i < n; i++)
            if (!isnan(recency_days[i])) {
                float value = part == 0 ? -recency_days[i] : part == 1 ? frequency[i] : monetary[i];
                ranked[n_ranked++] = (struct ranked){value, (uint32_t)i};
            }
        score_ranks(ranked, n_ranked, scores + part * n);
    }
    for (size_t i = 0; i < n; i++) {
        struct cot_rfm_score score = {scores[i], scores[n + i], scores[2 * n + i], COT_RFM_NONE};
        if (score.recency > 0)
            score.group = (uint8_t)cot_rfm_group_of(score.recency, score.frequency, score.monetary);
        ret_scores[i] = score;
    }
    free(ranked);
    free(scores);
    return COT_OK;
}

/* How many of n are below a value, or not above it: at least `low`, at most `high`. */
static size_t count_below(const double *sorted, size_t low, size_t high, double value, bool or_equal)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value || (or_equal && sorted[middle] <= value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

unsigned cot_rfm_score_among(const double *sorted, size_t n, double value)
{
    size_t begin = count_below(sorted, 0, n, value, false);
    size_t step = 1; /* most values are there once or a few times */
    while (begin + step < n && sorted[begin + step] <= value)
        step *= 2;
    size_t end = count_below(sorted, begin + step / 2, begin + step < n ? begin + step : n, value, true);
    if (begin == n)
        return 5;
    return (unsigned)(1 + 5 * (begin + (end > begin ? end : begin + 1) - 1) / (2 * n));
}
