#include "predict/league.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "predict/league_boost.h"
#include "predict/league_view.h"

enum { N = 1500, DAYS = 365, MAX_PURCHASES = 400 };

/* A shop as Pareto/NBD has it: rates and lifetimes differ by gamma distributions, amounts by the customer's own mean.
 */
struct planted {
    struct cot_purchases purchases;
    size_t starts[N + 1];
    struct cot_purchase *days;
};

static void plant(struct planted *p, uint64_t seed)
{
    size_t n = 0;
    p->days = calloc((size_t)N * MAX_PURCHASES, sizeof *p->days);
    assert_non_null(p->days);
    for (size_t i = 0; i < N; i++) {
        struct cot_rng rng;
        cot_rng_split(&rng, seed, i);
        double rate = cot_rng_gamma(&rng, 0.8, 40);     /* a day */
        double drop_out = cot_rng_gamma(&rng, 0.7, 60); /* a day */
        double mean = 20 + cot_rng_exponential(&rng, 1.0 / 40);
        double at = cot_rng_uniform(&rng) * DAYS * 0.6;
        double end = at + cot_rng_exponential(&rng, drop_out);
        p->starts[i] = n;
        do {
            int32_t day = (int32_t)at;
            double amount = mean * cot_rng_gamma(&rng, 6, 6);
            if (n > p->starts[i] && p->days[n - 1].day == day)
                p->days[n - 1].amount += amount;
            else
                p->days[n++] = (struct cot_purchase){day, amount};
            at += cot_rng_exponential(&rng, rate);
        } while (at < end && at < DAYS && n - p->starts[i] < MAX_PURCHASES);
    }
    p->starts[N] = n;
    p->purchases = (struct cot_purchases){N, p->starts, p->days, 0, DAYS - 1};
}

/* The origins of a shop whose identities never change: what was known by each, and what came. */
struct past {
    size_t n;
    struct cot_league_origin *origins;
};

static void cut(struct cot_league_origin *o, const struct cot_purchases *all, int32_t origin, unsigned horizon)
{
    size_t *starts = calloc(all->n + 1, sizeof *starts);
    struct cot_purchase *days = calloc(all->starts[all->n] + 1, sizeof *days);
    double *orders = calloc(all->n + 1, sizeof *orders);
    double *spend = calloc(all->n + 1, sizeof *spend);
    double *waits = calloc(all->n + 1, sizeof *waits);
    size_t n = 0;
    size_t n_days = 0;
    assert_true(starts != NULL && days != NULL && orders != NULL && spend != NULL && waits != NULL);
    for (size_t i = 0; i < all->n; i++) {
        if (all->days[all->starts[i]].day > origin)
            continue;
        waits[n] = INFINITY;
        for (size_t p = all->starts[i]; p < all->starts[i + 1]; p++) {
            if (all->days[p].day <= origin) {
                days[n_days++] = all->days[p];
            } else if (all->days[p].day <= origin + (int32_t)horizon) {
                orders[n] += 1;
                waits[n] = fmin(waits[n], all->days[p].day - origin);
                spend[n] += all->days[p].amount;
            }
        }
        starts[++n] = n_days;
    }
    *o = (struct cot_league_origin){
        .purchases = {n, starts, days, all->first_day, origin}, .orders = orders, .spend = spend, .waits = waits};
}

static void past_make(struct past *past, const struct cot_purchases *all, unsigned horizon, unsigned most)
{
    int64_t n_days = (int64_t)all->last_day - all->first_day + 1;
    past->n = 1 + cot_league_origins_that_fit(n_days, horizon, most);
    past->origins = calloc(past->n, sizeof *past->origins);
    assert_non_null(past->origins);
    for (size_t i = 0; i < past->n; i++)
        cut(past->origins + i, all, all->last_day - (int32_t)(i * horizon), horizon);
}

static void past_release(struct past *past)
{
    for (size_t i = 0; i < past->n; i++) {
        free((void *)(uintptr_t)past->origins[i].purchases.starts);
        free((void *)(uintptr_t)past->origins[i].purchases.days);
        free((void *)(uintptr_t)past->origins[i].orders);
        free((void *)(uintptr_t)past->origins[i].spend);
        free((void *)(uintptr_t)past->origins[i].waits);
    }
    free(past->origins);
}

static void run(const struct cot_purchases *all, unsigned horizon, unsigned folds, unsigned n_threads, uint64_t seed,
                struct cot_league_result *results)
{
    struct past past = {0};
    past_make(&past, all, horizon, folds + 3);
    free((void *)(uintptr_t)past.origins[0].orders);
    free((void *)(uintptr_t)past.origins[0].spend);
    past.origins[0].orders = past.origins[0].spend = NULL;
    assert_int_equal(cot_league_run(past.origins, past.n, horizon, folds, n_threads, seed, results, NULL, NULL),
                     COT_OK);
    past_release(&past);
}

static void test_models_beat_naive_rules_on_a_planted_shop(void **state)
{
    struct planted p;
    struct cot_league_result results[COT_N_QUESTIONS];
    (void)state;
    plant(&p, 11);
    run(&p.purchases, 45, 3, 2, 1, results);
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        size_t n = 0;
        const struct cot_candidate *candidates = cot_league_candidates((enum cot_question)q, &n);
        assert_int_equal(results[q].n_folds, 3);
        assert_false(candidates[results[q].best].naive);
        assert_true(candidates[results[q].best_naive].naive);
        assert_int_equal(results[q].serves, results[q].best);
        for (size_t c = 0; c < n; c++) {
            assert_true(isfinite(results[q].scores[c].score));
            assert_true(results[q].scores[results[q].best].score <= results[q].scores[c].score);
        }
    }
    const struct cot_candidate_score *churn = results[COT_QUESTION_CHURN].scores + results[COT_QUESTION_CHURN].best;
    assert_true(churn->calibration_error < 0.05 && churn->calibration_error < 2 * churn->calibration_band);
    assert_true(results[COT_QUESTION_SPEND].interval.coverage > 0.78);
    for (size_t b = 0; b < COT_PIT_BINS; b++)
        assert_true(fabs(results[COT_QUESTION_SPEND].interval.pit[b] - 0.1) < 0.04);
    const struct cot_served *spend = &results[COT_QUESTION_SPEND].served;
    for (size_t i = 0; i < p.purchases.n; i++)
        assert_true(spend->low[i] >= 0 && spend->low[i] <= spend->high[i] && spend->predicted[i] >= 0);
    cot_league_release(results);
    free(p.days);
}

static void test_same_bytes_with_any_threads(void **state)
{
    struct planted p;
    struct cot_league_result one[COT_N_QUESTIONS];
    struct cot_league_result four[COT_N_QUESTIONS];
    (void)state;
    plant(&p, 3);
    run(&p.purchases, 60, 2, 1, 7, one);
    run(&p.purchases, 60, 2, 4, 7, four);
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        size_t n = 0;
        cot_league_candidates((enum cot_question)q, &n);
        assert_memory_equal(one[q].scores, four[q].scores, n * sizeof *one[q].scores);
        assert_int_equal(one[q].best, four[q].best);
        assert_memory_equal(one[q].served.predicted, four[q].served.predicted, p.purchases.n * sizeof(double));
    }
    cot_league_release(one);
    cot_league_release(four);
    free(p.days);
}

/* What the league is told of a day does not reach further: whatever is said of the newest origin rests on what had
 * come by then. Here the last 60 days are made up anew, and are the outcome of no origin but the tested one. */
static void test_nothing_sees_the_future(void **state)
{
    enum { HORIZON = 60 };
    struct cot_league_view views[2];
    struct cot_league_view earlier[2][2];
    struct past pasts[2];
    (void)state;
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        struct planted p;
        struct cot_rng rng;
        plant(&p, 5);
        cot_rng_init(&rng, 99);
        for (size_t i = 0; shuffled && i < p.starts[N]; i++)
            if (p.days[i].day > DAYS - 1 - HORIZON)
                p.days[i].amount = 1e6 * cot_rng_uniform(&rng);
        for (size_t i = 0; shuffled && i < N; i++) /* and half of the customers never come again */
            for (size_t j = p.starts[i] + 1; i % 2 == 0 && j < p.starts[i + 1]; j++)
                if (p.days[j].day > DAYS - 1 - HORIZON)
                    p.days[j].day = 10 * DAYS + (int32_t)j;
        past_make(pasts + shuffled, &p.purchases, HORIZON, 3);
        struct cot_league_view *all[] = {views + shuffled, earlier[shuffled], earlier[shuffled] + 1};
        struct cot_league_view boosted[3];
        for (int v = 0; v < 3; v++) {
            assert_int_equal(cot_league_view_init(boosted + v, pasts[shuffled].origins + v + 1, HORIZON, NULL), COT_OK);
            assert_int_equal(cot_league_view_predict(boosted + v, 2, NULL), COT_OK);
        }
        assert_int_equal(cot_league_boost(boosted, 3, 2, 1, NULL), COT_OK);
        for (int v = 3; v-- > 0;)
            assert_int_equal(cot_league_answer(boosted + v, boosted + v + 1, (size_t)(2 - v), NULL), COT_OK);
        for (int v = 0; v < 3; v++)
            *all[v] = boosted[v];
        free(p.days);
    }
    assert_int_equal(views[0].n, views[1].n);
    assert_memory_not_equal(views[0].origin->spend, views[1].origin->spend, views[0].n * sizeof(double));
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        size_t n = 0;
        cot_league_candidates((enum cot_question)q, &n);
        for (size_t c = 0; c < n; c++)
            assert_memory_equal(views[0].answers[q][c], views[1].answers[q][c], views[0].n * sizeof(double));
        assert_true(isfinite(views[0].boosted[q][0]));
    }
    for (int i = 0; i < 2; i++) {
        cot_league_view_release(views + i);
        cot_league_view_release(earlier[i]);
        cot_league_view_release(earlier[i] + 1);
        past_release(pasts + i);
    }
}

/* Trees learn what the purchases do not show: whoever has the feature buys twice as much. */
static void test_features_help(void **state)
{
    enum { HORIZON = 45 };
    struct planted p;
    struct cot_league_result results[COT_N_QUESTIONS];
    struct past past = {0};
    size_t n = 0;
    (void)state;
    plant(&p, 21);
    past_make(&past, &p.purchases, HORIZON, 6);
    float *features = calloc(past.n * N, sizeof *features);
    assert_non_null(features);
    for (size_t o = 0; o < past.n; o++) {
        struct cot_league_origin *origin = past.origins + o;
        origin->features = features + o * N;
        origin->n_features = 1;
        for (size_t i = 0; i < origin->purchases.n; i++) {
            bool marked = (size_t)origin->purchases.days[origin->purchases.starts[i]].day % 2 == 0;
            features[o * N + i] = marked ? 1 : 0;
            ((double *)(uintptr_t)origin->spend)[i] *= marked ? 2 : 0.5;
        }
    }
    free((void *)(uintptr_t)past.origins[0].orders);
    free((void *)(uintptr_t)past.origins[0].spend);
    past.origins[0].orders = past.origins[0].spend = NULL;
    assert_int_equal(cot_league_run(past.origins, past.n, HORIZON, 3, 2, 1, results, NULL, NULL), COT_OK);
    const struct cot_candidate *candidates = cot_league_candidates(COT_QUESTION_SPEND, &n);
    double boosted = 0;
    double pareto = 0;
    for (size_t c = 0; c < n; c++) {
        boosted = strcmp(candidates[c].name, "boosted") == 0 ? results[0].scores[c].score : boosted;
        pareto = strcmp(candidates[c].name, "pareto") == 0 ? results[0].scores[c].score : pareto;
    }
    assert_true(boosted < 0.95 * pareto);
    cot_league_release(results);
    past_release(&past);
    free(features);
    free(p.days);
}

/* Levels hold: in about a tenth, half and nine tenths of the cases an order has come by the day said. */
static void test_next_orders_come_when_said(void **state)
{
    enum { HORIZON = 60 };
    struct planted p;
    struct cot_league_result results[COT_N_QUESTIONS];
    struct cot_league_newest *newest = NULL;
    struct past past = {0};
    double days[COT_LEAGUE_NEXT_LEVELS];
    (void)state;
    plant(&p, 31);
    past_make(&past, &p.purchases, HORIZON, 5);
    assert_int_equal(cot_league_run(past.origins, past.n, HORIZON, 2, 2, 1, results, &newest, NULL), COT_OK);
    const struct cot_league_next *next = cot_league_newest_next(newest);
    assert_int_equal(next->n_folds, 2);
    assert_false(cot_league_next_candidates()[next->best].naive);
    assert_true(next->loss[next->best] < 0.97 * next->loss[next->best_naive]);
    for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++)
        assert_true(fabs(next->held[next->best][l] - cot_league_next_levels[l]) < 0.1);
    for (size_t i = 0; i < p.purchases.n; i++) {
        cot_league_next_order(newest, i, days);
        assert_true(days[0] <= days[1] && days[1] <= days[2] && days[0] > 0);
    }
    cot_league_newest_free(newest);
    cot_league_release(results);
    past_release(&past);
    free(p.days);
}

static void test_short_histories_are_untested_and_small_shops_answered(void **state)
{
    static const size_t starts[] = {0, 2, 3, 6};
    static const struct cot_purchase days[] = {{0, 10}, {30, 12}, {4, 8}, {9, 20}, {50, 20}, {95, 25}};
    struct cot_purchases small = {3, starts, days, 0, 99};
    struct cot_league_result results[COT_N_QUESTIONS];
    (void)state;
    run(&small, 26, 3, 1, 1, results);
    assert_int_equal(results[0].n_folds, 0); /* 100 days hold 3 horizons of 26, one fold takes 4 */
    assert_true(results[0].served.predicted[2] > results[0].served.predicted[1]);
    assert_true(isfinite(results[0].served.high[0]) || isinf(results[0].served.high[0]));
    cot_league_release(results);
    run(&small, 60, 3, 1, 1, results); /* nothing to learn intervals from */
    assert_true(isfinite(results[0].served.predicted[0]) && isnan(results[0].served.low[0]));
    cot_league_release(results);
    run(&small, 25, 3, 1, 1, results);
    assert_int_equal(results[0].n_folds, 1);
    assert_int_equal(results[0].n, 3);
    assert_true(isfinite(results[COT_QUESTION_CHURN].scores[results[COT_QUESTION_CHURN].best].score));
    cot_league_release(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_beat_naive_rules_on_a_planted_shop),
        cmocka_unit_test(test_same_bytes_with_any_threads),
        cmocka_unit_test(test_nothing_sees_the_future),
        cmocka_unit_test(test_features_help),
        cmocka_unit_test(test_next_orders_come_when_said),
        cmocka_unit_test(test_short_histories_are_untested_and_small_shops_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
