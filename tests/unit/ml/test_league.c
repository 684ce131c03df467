#include "ml/league.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "ml/league_view.h"

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

static void test_models_beat_naive_rules_on_a_planted_shop(void **state)
{
    struct planted p;
    struct cot_league_result results[COT_N_QUESTIONS];
    (void)state;
    plant(&p, 11);
    assert_int_equal(cot_league_run(&p.purchases, 45, 3, 2, 1, results, NULL), COT_OK);
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        size_t n = 0;
        const struct cot_candidate *candidates = cot_league_candidates((enum cot_question)q, &n);
        assert_int_equal(results[q].n_folds, 3);
        assert_false(candidates[results[q].best].naive);
        assert_true(candidates[results[q].best_naive].naive);
        for (size_t c = 0; c < n; c++) {
            assert_true(isfinite(results[q].scores[c].score));
            assert_true(results[q].scores[results[q].best].score <= results[q].scores[c].score);
        }
    }
    const struct cot_candidate_score *churn = results[COT_QUESTION_CHURN].scores + results[COT_QUESTION_CHURN].best;
    assert_true(churn->calibration_error < 0.05 && churn->calibration_error < 2 * churn->calibration_band);
    assert_true(results[COT_QUESTION_SPEND].interval.coverage > 0.78);
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
    assert_int_equal(cot_league_run(&p.purchases, 60, 2, 1, 7, one, NULL), COT_OK);
    assert_int_equal(cot_league_run(&p.purchases, 60, 2, 4, 7, four, NULL), COT_OK);
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        size_t n = 0;
        cot_league_candidates((enum cot_question)q, &n);
        assert_memory_equal(one[q].scores, four[q].scores, n * sizeof *one[q].scores);
        assert_int_equal(one[q].best, four[q].best);
    }
    cot_league_release(one);
    cot_league_release(four);
    free(p.days);
}

/* Whatever happens after the origin, what was said at it stays the same. */
static void test_nothing_sees_the_future(void **state)
{
    enum { ORIGIN = 240, HORIZON = 60 };
    struct planted p;
    struct cot_league_view views[2];
    double *answers[2][COT_LEAGUE_MAX_CANDIDATES];
    (void)state;
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        struct cot_league_view before;
        struct cot_rng rng;
        plant(&p, 5);
        cot_rng_init(&rng, 99);
        for (size_t i = 0; shuffled && i < p.starts[N]; i++)
            if (p.days[i].day > ORIGIN)
                p.days[i].amount = 1e6 * cot_rng_uniform(&rng);
        for (size_t i = 0; shuffled && i < N; i++) /* and half of the customers never come again */
            for (size_t j = p.starts[i] + 1; i % 2 == 0 && j < p.starts[i + 1]; j++)
                if (p.days[j].day > ORIGIN)
                    p.days[j].day = 10 * DAYS + (int32_t)j;
        assert_int_equal(cot_league_view_init(views + shuffled, &p.purchases, ORIGIN, HORIZON, NULL), COT_OK);
        assert_int_equal(cot_league_view_init(&before, &p.purchases, ORIGIN - HORIZON, HORIZON, NULL), COT_OK);
        assert_int_equal(cot_league_view_predict(views + shuffled, HORIZON, 2, NULL), COT_OK);
        assert_int_equal(cot_league_view_predict(&before, HORIZON, 2, NULL), COT_OK);
        for (int c = 0; c < COT_LEAGUE_MAX_CANDIDATES; c++) {
            answers[shuffled][c] = calloc(N, sizeof(double));
            assert_non_null(answers[shuffled][c]);
        }
        assert_int_equal(
            cot_league_answer(COT_QUESTION_SPEND, views + shuffled, &before, HORIZON, answers[shuffled], NULL), COT_OK);
        cot_league_view_release(&before);
        free(p.days);
    }
    assert_int_equal(views[0].n, views[1].n);
    assert_memory_not_equal(views[0].spend, views[1].spend, views[0].n * sizeof(double));
    for (int c = 0; c < COT_LEAGUE_MAX_CANDIDATES; c++) {
        assert_memory_equal(answers[0][c], answers[1][c], views[0].n * sizeof(double));
        free(answers[0][c]);
        free(answers[1][c]);
    }
    cot_league_view_release(views);
    cot_league_view_release(views + 1);
}

static void test_short_histories_are_untested_and_small_shops_answered(void **state)
{
    static const size_t starts[] = {0, 2, 3, 6};
    static const struct cot_purchase days[] = {{0, 10}, {30, 12}, {4, 8}, {9, 20}, {50, 20}, {95, 25}};
    struct cot_purchases small = {3, starts, days, 0, 99};
    struct cot_league_result results[COT_N_QUESTIONS];
    (void)state;
    assert_int_equal(cot_league_run(&small, 26, 3, 1, 1, results, NULL), COT_OK);
    assert_int_equal(results[0].n_folds, 0); /* 100 days hold 3 horizons of 26, one fold takes 4 */
    cot_league_release(results);
    assert_int_equal(cot_league_run(&small, 25, 3, 1, 1, results, NULL), COT_OK);
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
        cmocka_unit_test(test_short_histories_are_untested_and_small_shops_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
