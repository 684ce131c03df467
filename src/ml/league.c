#include "ml/league.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ml/league_view.h"
#include "num/check.h"
#include "num/rank.h"

static const char *const names[COT_N_QUESTIONS] = {"spend", "orders", "churn"};

const char *cot_question_name(enum cot_question question)
{
    return names[question];
}

/* The answers to one question, all folds one after the other. */
struct pool {
    size_t n, n_candidates;
    double *predicted[COT_LEAGUE_MAX_CANDIDATES];
    double *actual;
    double *low, *high; /* spend: intervals of the best candidate */
};

static void pool_release(struct pool *pool)
{
    for (size_t c = 0; c < COT_LEAGUE_MAX_CANDIDATES; c++)
        free(pool->predicted[c]);
    free(pool->actual);
    free(pool->low);
    free(pool->high);
    *pool = (struct pool){0};
}

static cot_code pool_init(struct pool *ret_pool, enum cot_question question, size_t n, struct cot_err *err)
{
    struct pool pool = {.n = n};
    bool ok = true;
    cot_league_candidates(question, &pool.n_candidates);
    for (size_t c = 0; c < pool.n_candidates; c++)
        ok &= (pool.predicted[c] = cot_alloc_array(n, 1, sizeof *pool.predicted[c])) != NULL;
    ok &= (pool.actual = cot_alloc_array(n, 1, sizeof *pool.actual)) != NULL;
    ok &= (pool.low = cot_alloc_array(n, 1, sizeof *pool.low)) != NULL;
    ok &= (pool.high = cot_alloc_array(n, 1, sizeof *pool.high)) != NULL;
    if (!ok) {
        pool_release(&pool);
        return cot_fail(err, COT_NOMEM, "%zu predictions", n);
    }
    *ret_pool = pool;
    return COT_OK;
}

/* ---- scores ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

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
    qsort(errors, DRAWS, sizeof *errors, compare_doubles);
    return errors[QUANTILE];
}

static double loss_of(enum cot_question question, double predicted, double actual)
{
    const double edge = 1e-9;
    if (question != COT_QUESTION_CHURN)
        return (predicted - actual) * (predicted - actual);
    return -log(fmax(actual > 0 ? predicted : 1 - predicted, edge));
}

static cot_code score_candidate(enum cot_question question, const struct pool *pool, size_t candidate, uint64_t seed,
                                struct cot_candidate_score *ret_score, struct cot_err *err)
{
    const double *predicted = pool->predicted[candidate];
    struct cot_candidate_score score = {NAN, NAN, NAN, NAN, NAN};
    double loss = 0;
    double said = 0;
    double came = 0;
    for (size_t i = 0; i < pool->n; i++) {
        loss += loss_of(question, predicted[i], pool->actual[i]);
        said += predicted[i];
        came += pool->actual[i];
    }
    loss /= (double)pool->n;
    *ret_score = score;
    if (!isfinite(loss)) /* a fold in which the model could not be fitted */
        return COT_OK;
    score.score = question == COT_QUESTION_CHURN ? loss : sqrt(loss);
    score.total_error = came > 0 ? said / came - 1 : NAN;
    cot_code rc = cot_spearman(predicted, pool->actual, pool->n, &score.spearman, err);
    if (rc == COT_OK && question == COT_QUESTION_CHURN) {
        struct pair *pairs = sorted_pairs(predicted, pool->actual, pool->n);
        if (pairs == NULL)
            return cot_fail(err, COT_NOMEM, "%zu predictions", pool->n);
        score.calibration_error = calibration_error(pairs, pool->n);
        score.calibration_band = calibration_band(pairs, pool->n, seed);
        free(pairs);
    }
    *ret_score = score;
    return rc;
}

/* ---- intervals ---- */

enum { MOST_BINS = 20, LEAST_A_BIN = 50 };

/* Ratios of what came to what was said, ascending within bins of similar predictions. */
struct conformal {
    size_t n_bins;
    double edges[MOST_BINS]; /* the largest prediction of each bin */
    double low[MOST_BINS], high[MOST_BINS];
};

/* Said of customers for whom no order is expected: ratios need something. */
static double said_at_least(double predicted)
{
    const double least = 1e-3;
    return predicted > least ? predicted : least;
}

static cot_code conformal_fit(const double *predicted, const double *actual, size_t n, struct conformal *ret,
                              struct cot_err *err)
{
    const double tail = 0.1; /* each side: 80% intervals */
    struct pair *pairs = sorted_pairs(predicted, actual, n);
    double *ratios = cot_alloc_array(n, 1, sizeof *ratios);
    cot_code rc = pairs == NULL || ratios == NULL ? cot_fail(err, COT_NOMEM, "%zu predictions", n) : COT_OK;
    size_t n_bins = n / LEAST_A_BIN;
    n_bins = n_bins < 1 ? 1 : n_bins > MOST_BINS ? MOST_BINS : n_bins;
    ret->n_bins = n_bins;
    for (size_t b = 0; b < n_bins && rc == COT_OK; b++) {
        size_t begin = b * n / n_bins;
        size_t end = (b + 1) * n / n_bins;
        size_t m = end - begin;
        for (size_t i = begin; i < end; i++)
            ratios[i - begin] = pairs[i].actual / said_at_least(pairs[i].predicted);
        qsort(ratios, m, sizeof *ratios, compare_doubles);
        double below = floor((double)(m + 1) * tail);
        double above = ceil((double)(m + 1) * (1 - tail));
        ret->edges[b] = b + 1 < n_bins ? pairs[end - 1].predicted : INFINITY;
        ret->low[b] = below >= 1 ? ratios[(size_t)below - 1] : 0;
        ret->high[b] = above <= (double)m ? ratios[(size_t)above - 1] : INFINITY;
    }
    free(pairs);
    free(ratios);
    return rc;
}

static void conformal_apply(const struct conformal *c, const double *predicted, size_t n, double *ret_low,
                            double *ret_high)
{
    for (size_t i = 0; i < n; i++) {
        size_t b = 0;
        while (b + 1 < c->n_bins && predicted[i] > c->edges[b])
            b++;
        ret_low[i] = c->low[b] * said_at_least(predicted[i]);
        ret_high[i] = c->high[b] * said_at_least(predicted[i]);
    }
}

static struct cot_interval_score score_intervals(const struct pool *pool)
{
    double covered = 0;
    double covered_positive = 0;
    double positive = 0;
    for (size_t i = 0; i < pool->n; i++) {
        bool inside = pool->low[i] <= pool->actual[i] && pool->actual[i] <= pool->high[i];
        covered += inside;
        positive += pool->low[i] > 0;
        covered_positive += inside && pool->low[i] > 0;
    }
    return (struct cot_interval_score){covered / (double)pool->n, positive > 0 ? covered_positive / positive : NAN,
                                       positive / (double)pool->n};
}

/* ---- folds ---- */

struct league {
    unsigned horizon, n_threads, n_folds;
    uint64_t seed;
    struct cot_league_view *views; /* n_folds + 2: view i is i horizons before the first origin */
};

/* Answers of all folds, in view order. */
static cot_code answer_folds(const struct league *league, enum cot_question question, struct pool *pool,
                             struct cot_err *err)
{
    size_t begin = 0;
    cot_code rc = COT_OK;
    for (unsigned f = 0; f < league->n_folds && rc == COT_OK; f++) {
        const struct cot_league_view *view = league->views + f;
        double *predicted[COT_LEAGUE_MAX_CANDIDATES];
        for (size_t c = 0; c < pool->n_candidates; c++)
            predicted[c] = pool->predicted[c] + begin;
        rc = cot_league_answer(question, view, view + 1, league->horizon, predicted, err);
        for (size_t i = 0; i < view->n; i++)
            pool->actual[begin + i] = cot_league_actual(question, view, i);
        begin += view->n;
    }
    return rc;
}

/* Intervals of one candidate: their widths are learned from its answers one horizon earlier. */
static cot_code add_intervals(const struct league *league, enum cot_question question, size_t candidate,
                              struct pool *pool, struct cot_err *err)
{
    size_t begin = 0;
    cot_code rc = COT_OK;
    for (unsigned f = 0; f < league->n_folds && rc == COT_OK; f++) {
        const struct cot_league_view *before = league->views + f + 1;
        struct conformal conformal = {0};
        struct pool earlier = {0};
        rc = pool_init(&earlier, question, before->n, err);
        for (size_t i = 0; i < before->n && rc == COT_OK; i++)
            earlier.actual[i] = cot_league_actual(question, before, i);
        if (rc == COT_OK)
            rc = cot_league_answer(question, before, before + 1, league->horizon, earlier.predicted, err);
        if (rc == COT_OK)
            rc = conformal_fit(earlier.predicted[candidate], earlier.actual, before->n, &conformal, err);
        if (rc == COT_OK)
            conformal_apply(&conformal, pool->predicted[candidate] + begin, league->views[f].n, pool->low + begin,
                            pool->high + begin);
        pool_release(&earlier);
        begin += league->views[f].n;
    }
    return rc;
}

static cot_code ask(const struct league *league, enum cot_question question, struct cot_league_result *ret_result,
                    struct cot_err *err)
{
    struct cot_league_result result = {.question = question, .horizon = league->horizon, .n_folds = league->n_folds};
    struct pool pool = {0};
    size_t n_candidates = 0;
    const struct cot_candidate *candidates = cot_league_candidates(question, &n_candidates);
    for (unsigned f = 0; f < league->n_folds; f++)
        result.n += league->views[f].n;
    cot_code rc = pool_init(&pool, question, result.n, err);
    result.scores = cot_alloc_array(n_candidates, 1, sizeof *result.scores);
    if (rc == COT_OK && result.scores == NULL)
        rc = cot_fail(err, COT_NOMEM, "scores");
    if (rc == COT_OK)
        rc = answer_folds(league, question, &pool, err);
    for (size_t c = 0; c < n_candidates && rc == COT_OK; c++) {
        rc = score_candidate(question, &pool, c, league->seed, result.scores + c, err);
        double score = result.scores[c].score;
        if (score < result.scores[result.best].score)
            result.best = c;
        if (candidates[c].naive && score < result.scores[result.best_naive].score)
            result.best_naive = c;
    }
    if (rc == COT_OK && question == COT_QUESTION_SPEND) {
        rc = add_intervals(league, question, result.best, &pool, err);
        result.interval = score_intervals(&pool);
    }
    pool_release(&pool);
    if (rc != COT_OK) {
        free(result.scores);
        return rc;
    }
    *ret_result = result;
    return COT_OK;
}

/*
 * The earliest view, which only sets the width of intervals' blend, needs a horizon of history behind it: n_folds + 3
 * horizons in all.
 */
static unsigned folds_that_fit(const struct cot_purchases *p, unsigned horizon, unsigned max_folds)
{
    int64_t n_days = (int64_t)p->last_day - p->first_day + 1;
    int64_t n = n_days / horizon - 3;
    return n < 0 ? 0 : n < (int64_t)max_folds ? (unsigned)n : max_folds;
}

cot_code cot_league_run(const struct cot_purchases *purchases, unsigned horizon, unsigned max_folds, unsigned n_threads,
                        uint64_t seed, struct cot_league_result *ret_results, struct cot_err *err)
{
    struct league league = {.horizon = horizon, .n_threads = n_threads, .seed = seed};
    struct cot_league_result results[COT_N_QUESTIONS] = {{0}};
    cot_code rc = COT_OK;
    for (int q = 0; q < COT_N_QUESTIONS; q++)
        results[q] = (struct cot_league_result){.question = (enum cot_question)q, .horizon = horizon};
    league.n_folds = folds_that_fit(purchases, horizon, max_folds);
    size_t n_views = league.n_folds > 0 ? league.n_folds + 2 : 0;
    league.views = cot_alloc_array(n_views, 1, sizeof *league.views);
    if (league.views == NULL)
        return cot_fail(err, COT_NOMEM, "%zu origins", n_views);
    for (size_t i = 0; i < n_views && rc == COT_OK; i++) {
        int32_t origin = purchases->last_day - (int32_t)(horizon * (i + 1));
        rc = cot_league_view_init(league.views + i, purchases, origin, horizon, err);
        if (rc == COT_OK)
            rc = cot_league_view_predict(league.views + i, horizon, n_threads, err);
    }
    for (int q = 0; q < COT_N_QUESTIONS && n_views > 0 && rc == COT_OK; q++)
        rc = ask(&league, (enum cot_question)q, results + q, err);
    for (size_t i = 0; i < n_views; i++)
        cot_league_view_release(league.views + i);
    free(league.views);
    if (rc == COT_OK)
        memcpy(ret_results, results, sizeof results);
    else
        cot_league_release(results);
    return rc;
}

void cot_league_release(struct cot_league_result *results)
{
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        free(results[q].scores);
        results[q].scores = NULL;
    }
}
