#include "predict/league.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "num/check.h"
#include "predict/league_boost.h"
#include "predict/league_interval.h"
#include "predict/league_network.h"
#include "predict/league_next.h"
#include "predict/league_score.h"
#include "predict/league_view.h"

static const char *const names[COT_N_QUESTIONS] = {"spend", "orders", "churn"};
static const char *const measures[COT_N_QUESTIONS] = {"rmse", "rmse", "log_loss"};

/* Who serves where nothing could be tested: the first that has an answer. None needs an earlier origin. */
static const char *const untested[] = {"pareto", "regular", "bgnbd", "rate", "base_rate"};

enum { PIT_STREAM = 1 };

const char *cot_question_name(enum cot_question question)
{
    return names[question];
}

const char *cot_question_measure(enum cot_question question)
{
    return measures[question];
}

unsigned cot_league_origins_that_fit(int64_t n_days, unsigned horizon, unsigned most)
{
    int64_t n = n_days / horizon - 1;
    return n < 0 ? 0 : n < (int64_t)most ? (unsigned)n : most;
}

struct league {
    struct cot_league_view *views; /* [n_views]: view i is i horizons before the last day */
    size_t n_views;
    unsigned horizon, n_folds; /* views 1 .. n_folds are tested */
    uint64_t seed;
};

/* Answers of a candidate at all tested origins, one after the other, and what came. */
struct pool {
    size_t n;
    double *predicted, *actual;
};

static void pool_release(struct pool *pool)
{
    free(pool->predicted);
    free(pool->actual);
}

static cot_code pool_init(const struct league *league, enum cot_question question, size_t first, size_t end,
                          struct pool *ret_pool, struct cot_err *err)
{
    struct pool pool = {0};
    size_t at = 0;
    for (size_t v = first; v < end; v++)
        pool.n += league->views[v].n;
    pool.predicted = cot_alloc_array(pool.n, 1, sizeof *pool.predicted);
    pool.actual = cot_alloc_array(pool.n, 1, sizeof *pool.actual);
    if (pool.predicted == NULL || pool.actual == NULL) {
        pool_release(&pool);
        return cot_fail(err, COT_NOMEM, "%zu predictions", pool.n);
    }
    for (size_t v = first; v < end; v++)
        for (size_t i = 0; i < league->views[v].n; i++)
            pool.actual[at++] = cot_league_actual(question, league->views + v, i);
    *ret_pool = pool;
    return COT_OK;
}

static void pool_fill(const struct league *league, enum cot_question question, size_t candidate, size_t first,
                      size_t end, struct pool *pool)
{
    double *at = pool->predicted;
    for (size_t v = first; v < end; v++) {
        const struct cot_league_view *view = league->views + v;
        if (view->n > 0)
            memcpy(at, view->answers[question][candidate], view->n * sizeof *at);
        at += view->n;
    }
}

/* A candidate's answers are numbers for all customers of an origin, or for none. */
static bool has_answer(const struct cot_league_view *view, enum cot_question question, size_t candidate)
{
    return view->n == 0 || isfinite(view->answers[question][candidate][0]);
}

static size_t first_untested(const struct cot_league_view *view, enum cot_question question)
{
    size_t n_candidates = 0;
    const struct cot_candidate *candidates = cot_league_candidates(question, &n_candidates);
    for (size_t u = 0; u < sizeof untested / sizeof *untested; u++)
        for (size_t c = 0; c < n_candidates; c++)
            if (strcmp(candidates[c].name, untested[u]) == 0 && has_answer(view, question, c))
                return c;
    return 0;
}

/* Scores of all candidates, and who serves. */
static cot_code score(const struct league *league, struct cot_league_result *result, struct cot_err *err)
{
    struct pool pool = {0};
    size_t n_candidates = 0;
    const struct cot_candidate *candidates = cot_league_candidates(result->question, &n_candidates);
    cot_code rc = pool_init(league, result->question, 1, 1 + league->n_folds, &pool, err);
    if (rc != COT_OK)
        return rc;
    result->n = pool.n;
    for (size_t c = 0; c < n_candidates && pool.n > 0 && rc == COT_OK; c++) {
        pool_fill(league, result->question, c, 1, 1 + league->n_folds, &pool);
        rc = cot_league_score(result->question, pool.predicted, pool.actual, pool.n, league->seed, result->scores + c,
                              err);
        double one = result->scores[c].score;
        if (one < result->scores[result->best].score)
            result->best = c;
        if (candidates[c].naive && one < result->scores[result->best_naive].score)
            result->best_naive = c;
    }
    result->serves = candidates[result->best].naive ? result->best_naive : result->best;
    if (pool.n == 0 || !has_answer(league->views, result->question, result->serves))
        result->serves = first_untested(league->views, result->question);
    pool_release(&pool);
    return rc;
}

/* ---- intervals ---- */

struct counts {
    double n, covered, positive, covered_positive;
    double pit[COT_PIT_BINS];
};

static void count_intervals(const struct cot_league_view *view, enum cot_question question, size_t candidate,
                            const struct cot_conformal *conformal, struct cot_rng *rng, struct counts *counts)
{
    for (size_t i = 0; i < view->n; i++) {
        double predicted = view->answers[question][candidate][i];
        double actual = cot_league_actual(question, view, i);
        double low = 0;
        double high = 0;
        cot_conformal_interval(conformal, predicted, &low, &high);
        bool inside = low <= actual && actual <= high;
        counts->n += 1;
        counts->covered += inside;
        counts->positive += low > 0;
        counts->covered_positive += inside && low > 0;
        size_t bin = (size_t)(cot_conformal_pit(conformal, predicted, actual, rng) * COT_PIT_BINS);
        counts->pit[bin < COT_PIT_BINS ? bin : COT_PIT_BINS - 1] += 1;
    }
}

/* Learns how far off the serving candidate was at all origins before one. COT_NOT_FOUND where that can't be said. */
static cot_code learn_intervals(const struct league *league, enum cot_question question, size_t candidate, size_t view,
                                struct cot_conformal *ret_conformal, struct cot_err *err)
{
    struct pool pool = {0};
    cot_code rc = pool_init(league, question, view + 1, league->n_views, &pool, err);
    if (rc != COT_OK)
        return rc;
    pool_fill(league, question, candidate, view + 1, league->n_views, &pool);
    size_t n = 0; /* of origins where it had an answer */
    for (size_t i = 0; i < pool.n; i++)
        if (isfinite(pool.predicted[i])) {
            pool.predicted[n] = pool.predicted[i];
            pool.actual[n++] = pool.actual[i];
        }
    rc = n == 0 ? COT_NOT_FOUND : cot_conformal_fit(pool.predicted, pool.actual, n, ret_conformal, err);
    pool_release(&pool);
    return rc;
}

static cot_code test_intervals(const struct league *league, struct cot_league_result *result, struct cot_err *err)
{
    struct counts counts = {0};
    cot_code rc = COT_OK;
    for (size_t v = 1; v <= league->n_folds && rc == COT_OK; v++) {
        struct cot_conformal conformal = {0};
        struct cot_rng rng;
        cot_rng_split(&rng, league->seed + PIT_STREAM, v);
        rc = learn_intervals(league, result->question, result->serves, v, &conformal, err);
        if (rc == COT_OK)
            count_intervals(league->views + v, result->question, result->serves, &conformal, &rng, &counts);
        else if (rc == COT_NOT_FOUND)
            rc = COT_OK;
        cot_conformal_release(&conformal);
    }
    struct cot_interval_score *interval = &result->interval;
    interval->coverage = counts.n > 0 ? counts.covered / counts.n : NAN;
    interval->coverage_positive = counts.positive > 0 ? counts.covered_positive / counts.positive : NAN;
    interval->share_positive = counts.n > 0 ? counts.positive / counts.n : NAN;
    for (size_t b = 0; b < COT_PIT_BINS; b++)
        interval->pit[b] = counts.n > 0 ? counts.pit[b] / counts.n : NAN;
    return rc;
}

/* ---- serving ---- */

static cot_code serve(const struct league *league, struct cot_league_result *result, struct cot_err *err)
{
    const struct cot_league_view *view = league->views;
    struct cot_served *served = &result->served;
    struct cot_conformal conformal = {0};
    const double *answers = view->answers[result->question][result->serves];
    served->predicted = cot_alloc_array(view->n, 1, sizeof *served->predicted);
    served->low = cot_alloc_array(view->n, 1, sizeof *served->low);
    served->high = cot_alloc_array(view->n, 1, sizeof *served->high);
    if (served->predicted == NULL || served->low == NULL || served->high == NULL)
        return cot_fail(err, COT_NOMEM, "predictions for %zu customers", view->n);
    for (size_t i = 0; i < view->n; i++) {
        served->predicted[i] = answers[i];
        served->low[i] = served->high[i] = NAN;
    }
    if (result->question == COT_QUESTION_CHURN)
        return COT_OK;
    cot_code rc = learn_intervals(league, result->question, result->serves, 0, &conformal, err);
    for (size_t i = 0; i < view->n && rc == COT_OK; i++)
        cot_conformal_interval(&conformal, answers[i], served->low + i, served->high + i);
    cot_conformal_release(&conformal);
    return rc == COT_NOT_FOUND ? COT_OK : rc;
}

static cot_code ask(const struct league *league, struct cot_league_result *result, struct cot_err *err)
{
    size_t n_candidates = 0;
    cot_league_candidates(result->question, &n_candidates);
    result->scores = cot_alloc_array(n_candidates, 1, sizeof *result->scores);
    if (result->scores == NULL)
        return cot_fail(err, COT_NOMEM, "scores");
    cot_code rc = score(league, result, err);
    if (rc == COT_OK && result->question != COT_QUESTION_CHURN)
        rc = test_intervals(league, result, err);
    return rc == COT_OK ? serve(league, result, err) : rc;
}

/* Models, trees and answers of every origin, the oldest first: each learns from those before it. */
static cot_code answer_all(struct league *league, const struct cot_league_origin *origins, unsigned n_threads,
                           struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t v = 0; v < league->n_views && rc == COT_OK; v++) {
        rc = cot_league_view_init(league->views + v, origins + v, league->horizon, err);
        if (rc == COT_OK)
            rc = cot_league_view_predict(league->views + v, n_threads, err);
    }
    if (rc == COT_OK)
        rc = cot_league_boost(league->views, league->n_views, n_threads, league->seed, err);
    if (rc == COT_OK)
        rc = cot_league_network(league->views, league->n_views, n_threads, league->seed, err);
    for (size_t v = league->n_views; v-- > 0 && rc == COT_OK;)
        rc = cot_league_answer(league->views + v, league->views + v + 1, league->n_views - v - 1, err);
    return rc;
}

/* ---- single customers ---- */

struct cot_league_newest {
    struct cot_league_origin origin;
    struct cot_league_view view;
    struct cot_league_next next;
};

void cot_league_newest_free(struct cot_league_newest *newest)
{
    if (newest != NULL)
        cot_league_view_release(&newest->view);
    free(newest);
}

static cot_code keep_newest(struct league *league, unsigned n_threads, struct cot_league_newest **ret_newest,
                            struct cot_err *err)
{
    struct cot_league_newest *newest = calloc(1, sizeof *newest);
    if (newest == NULL)
        return cot_fail(err, COT_NOMEM, "models");
    cot_code rc = cot_league_next_run(league->views, league->n_views, league->n_folds, n_threads, &newest->next, err);
    if (rc != COT_OK) {
        free(newest);
        return rc;
    }
    newest->view = league->views[0];
    newest->origin = *newest->view.origin;
    newest->view.origin = &newest->origin;
    league->views[0] = (struct cot_league_view){0};
    *ret_newest = newest;
    return COT_OK;
}

void cot_league_next_order(const struct cot_league_newest *newest, size_t i, double ret_days[COT_LEAGUE_NEXT_LEVELS])
{
    const double week = 7;
    const double most = 10 * 365.25; /* days */
    const struct cot_league_view *v = &newest->view;
    struct cot_btyd_customer c = {v->x[i], v->tx[i], v->T[i]};
    for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++) {
        double level = newest->next.levels[l];
        ret_days[l] = NAN;
        if (newest->next.model == COT_LEAGUE_N_MODELS)
            continue;
        ret_days[l] = level < 1 ? week * cot_btyd_next(v->models + newest->next.model, c, level) : INFINITY;
        ret_days[l] = ret_days[l] <= most ? ret_days[l] : INFINITY;
    }
}

const struct cot_league_next *cot_league_newest_next(const struct cot_league_newest *newest)
{
    return &newest->next;
}

cot_code cot_league_reasons(struct cot_league_newest *newest, enum cot_question question, size_t i, float *ret_reasons,
                            float *ret_start, struct cot_err *err)
{
    return cot_league_boost_reasons(&newest->view, question, i, ret_reasons, ret_start, err);
}

cot_code cot_league_run(const struct cot_league_origin *origins, size_t n_origins, unsigned horizon, unsigned max_folds,
                        unsigned n_threads, uint64_t seed, struct cot_league_result *ret_results,
                        struct cot_league_newest **ret_newest, struct cot_err *err)
{
    struct league league = {.n_views = n_origins, .horizon = horizon, .seed = seed};
    struct cot_league_result results[COT_N_QUESTIONS] = {{0}};
    size_t testable = n_origins > 1 + COT_LEAGUE_LEARNS_FROM ? n_origins - 1 - COT_LEAGUE_LEARNS_FROM : 0;
    league.n_folds = testable < max_folds ? (unsigned)testable : max_folds;
    league.views = cot_alloc_array(n_origins, 1, sizeof *league.views);
    if (league.views == NULL)
        return cot_fail(err, COT_NOMEM, "%zu origins", n_origins);
    cot_code rc = answer_all(&league, origins, n_threads, err);
    for (int q = 0; q < COT_N_QUESTIONS; q++)
        results[q] = (struct cot_league_result){.question = (enum cot_question)q,
                                                .horizon = horizon,
                                                .n_folds = league.n_folds,
                                                .n_learned = (unsigned)n_origins - 1};
    for (int q = 0; q < COT_N_QUESTIONS && rc == COT_OK; q++)
        rc = ask(&league, results + q, err);
    if (rc == COT_OK && ret_newest != NULL)
        rc = keep_newest(&league, n_threads, ret_newest, err);
    for (size_t v = 0; v < n_origins; v++)
        cot_league_view_release(league.views + v);
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
        free(results[q].served.predicted);
        free(results[q].served.low);
        free(results[q].served.high);
        results[q] = (struct cot_league_result){.question = (enum cot_question)q};
    }
}
