/* Scores of predictions, and whether probabilities mean what they say. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "num/check.h"
#include "num/order.h"
#include "num/rank.h"
#include "predict/league_score.h"

/* A prediction and what came, to be sorted by prediction. */
struct pair {
    double predicted, actual;
    double came; /* mean of what came of all with this prediction */
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->predicted != b->predicted)
        return a->predicted < b->predicted ? -1 : 1;
    return (a->actual > b->actual) - (a->actual < b->actual);
}

static struct pair *sorted_pairs(const double *predicted, const double *actual, size_t n)
{
    struct pair *pairs = cot_alloc_array(n, 1, sizeof *pairs);
    for (size_t i = 0; pairs != NULL && i < n; i++)
        pairs[i] = (struct pair){predicted[i], actual[i], actual[i]};
    if (pairs != NULL)
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    return pairs;
}

/* Equal predictions share what came of them: where a bin ends among them must not matter. */
static void share_ties(struct pair *pairs, size_t n)
{
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        double sum = 0;
        for (; end < n && pairs[end].predicted <= pairs[begin].predicted; end++)
            sum += pairs[end].actual;
        for (size_t i = begin; i < end; i++)
            pairs[i].came = sum / (double)(end - begin);
    }
}

/* Mean distance of what was said and what came, over bins of equal size. */
static double calibration_error(struct pair *pairs, size_t n)
{
    enum { BINS = 10 };
    double error = 0;
    share_ties(pairs, n);
    for (size_t b = 0; b < BINS; b++) {
        double said = 0;
        double came = 0;
        for (size_t i = b * n / BINS; i < (b + 1) * n / BINS; i++) {
            said += pairs[i].predicted;
            came += pairs[i].came;
        }
        error += fabs(said - came) / (double)n;
    }
    return error;
}

/* What the error would be were the predictions right: outcomes drawn from them, the 95% quantile. */
static double calibration_band(struct pair *pairs, size_t n, uint64_t seed)
{
    enum { DRAWS = 200, QUANTILE = 190 };
    double errors[DRAWS];
    for (size_t draw = 0; draw < DRAWS; draw++) {
        struct cot_rng rng;
        cot_rng_split(&rng, seed, draw);
        for (size_t i = 0; i < n; i++)
            pairs[i].actual = cot_rng_uniform(&rng) < pairs[i].predicted ? 1 : 0;
        errors[draw] = calibration_error(pairs, n);
    }
    qsort(errors, DRAWS, sizeof *errors, cot_compare_doubles);
    return errors[QUANTILE];
}

static double loss_of(enum cot_question question, double predicted, double actual)
{
    const double edge = 1e-9;
    if (question != COT_QUESTION_CHURN)
        return (predicted - actual) * (predicted - actual);
    return -log(fmax(actual > 0 ? predicted : 1 - predicted, edge));
}

cot_code cot_league_score(enum cot_question question, const double *predicted, const double *actual, size_t n,
                          uint64_t seed, struct cot_candidate_score *ret_score, struct cot_err *err)
{
    struct cot_candidate_score score = {NAN, NAN, NAN, NAN, NAN};
    double loss = 0;
    double said = 0;
    double came = 0;
    for (size_t i = 0; i < n; i++) {
        loss += loss_of(question, predicted[i], actual[i]);
        said += predicted[i];
        came += actual[i];
    }
    loss /= (double)n;
    *ret_score = score;
    if (!isfinite(loss) || !isfinite(said)) /* a fold in which the model could not be fitted */
        return COT_OK;
    score.score = question == COT_QUESTION_CHURN ? loss : sqrt(loss);
    score.total_error = came > 0 ? said / came - 1 : NAN;
    cot_code rc = cot_spearman(predicted, actual, n, &score.spearman, err);
    if (rc == COT_OK && question == COT_QUESTION_CHURN) {
        struct pair *pairs = sorted_pairs(predicted, actual, n);
        if (pairs == NULL)
            return cot_fail(err, COT_NOMEM, "%zu predictions", n);
        score.calibration_error = calibration_error(pairs, n);
        score.calibration_band = calibration_band(pairs, n, seed);
        free(pairs);
    }
    *ret_score = score;
    return rc;
}
