/* Trees of demand: forecasts add up, the naive rule serves where it is right, nothing sees what is to come. */
#include "ml/demand.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { STEPS = 84, PRODUCTS = 4, SERIES = 1 + 2 + PRODUCTS, SEASON = 7, AHEAD = 7 };

struct tree {
    double values[SERIES][STEPS];
    struct cot_demand_series series[SERIES];
};

static const size_t parents[SERIES] = {COT_DEMAND_NO_PARENT, 0, 0, 1, 1, 2, 2};

static void tree_make(struct tree *tree, uint64_t seed)
{
    static const double weekdays[SEASON] = {1, 0.8, 0.9, 1, 1.3, 1.6, 0.4};
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    memset(tree, 0, sizeof *tree);
    for (size_t i = SERIES; i-- > 0;) {
        tree->series[i] = (struct cot_demand_series){parents[i], i == 0 ? 0 : parents[i] == 0 ? 1 : 2, tree->values[i]};
        for (size_t t = 0; t < STEPS && i >= SERIES - PRODUCTS; t++)
            tree->values[i][t] = (double)cot_rng_poisson(&rng, 10 * (double)i * weekdays[t % SEASON]);
        for (size_t t = 0; t < STEPS && i > 0; t++)
            tree->values[parents[i]][t] += tree->values[i][t];
    }
}

static const struct cot_demand_options choice = {.max_folds = 5, .service_level = 0.9};

/* A tree as it was known after some steps, as far as the pointers go. */
static struct cot_demand_tree tree_until(const struct cot_demand_series *series, size_t n_series, size_t n_steps)
{
    return (struct cot_demand_tree){
        .series = series, .n_series = n_series, .n_steps = n_steps, .horizon = AHEAD, .season = SEASON, .lead = 3};
}

enum { PASTS = 4 };

/* Forecasts from n_steps on, with as many past origins as are asked for. */
static void run_with(const struct tree *tree, size_t n_steps, size_t n_pasts, const struct cot_demand_options *options,
                     struct cot_demand_result *ret_result)
{
    static double actual[PASTS][SERIES * AHEAD];
    struct cot_demand_tree now = tree_until(tree->series, SERIES, n_steps);
    struct cot_demand_tree pasts[PASTS];
    struct cot_err err = {0};
    for (size_t p = 0; p < n_pasts; p++) {
        pasts[p] = tree_until(tree->series, SERIES, n_steps - (p + 1) * AHEAD);
        for (size_t i = 0; i < SERIES; i++)
            memcpy(actual[p] + i * AHEAD, tree->values[i] + pasts[p].n_steps, AHEAD * sizeof **actual);
        pasts[p].actual = actual[p];
    }
    if (cot_demand_run(&now, pasts, n_pasts, options, ret_result, &err) != COT_OK)
        fail_msg("%s", err.message);
}

static void run(const struct tree *tree, size_t n_steps, struct cot_demand_result *ret_result)
{
    run_with(tree, n_steps, PASTS, &choice, ret_result);
}

static void test_forecasts_add_up(void **state)
{
    struct tree tree;
    struct cot_demand_result result;
    (void)state;
    tree_make(&tree, 1);
    run(&tree, STEPS, &result);
    assert_int_equal(result.levels[2].n_series, PRODUCTS);
    assert_int_equal(result.levels[2].n_scored, PASTS);
    for (size_t h = 0; h < AHEAD; h++) {
        double sums[SERIES] = {0};
        for (size_t i = 1; i < SERIES; i++)
            sums[parents[i]] += result.forecasts[i].mean[h];
        for (size_t i = 0; i < SERIES; i++) {
            const struct cot_demand_forecast *f = result.forecasts + i;
            assert_true(f->low[h] >= 0 && f->low[h] <= f->mean[h] && f->mean[h] <= f->high[h]);
            if (sums[i] > 0)
                assert_true(fabs(sums[i] / f->mean[h] - 1) < 1e-9);
        }
    }
    for (size_t i = 0; i < SERIES; i++) { /* a weekly rhythm: smoothing without it is no match */
        assert_int_equal(result.forecasts[i].n_folds, 5);
        assert_true(result.forecasts[i].beats_naive);
    }
    assert_true(result.levels[2].scaled[COT_DEMAND_RECONCILED] < result.levels[2].scaled[0]);
    cot_demand_release(&result);
}

/* A random walk: nothing is better than its last value, and nothing else serves. */
static void test_naive_serves_a_random_walk(void **state)
{
    static double values[400];
    int n_naive = 0;
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 2);
    for (int round = 0; round < 10; round++) {
        struct cot_demand_series series = {COT_DEMAND_NO_PARENT, 0, values};
        struct cot_demand_tree now = tree_until(&series, 1, 400);
        struct cot_demand_options options = choice;
        struct cot_demand_result result;
        struct cot_err err = {0};
        options.max_folds = COT_DEMAND_MAX_FOLDS;
        values[0] = 1000;
        for (int t = 1; t < 400; t++)
            values[t] = fmax(values[t - 1] + 10 * cot_rng_normal(&rng), 0);
        assert_int_equal(cot_demand_run(&now, NULL, 0, &options, &result, &err), COT_OK);
        const struct cot_demand_forecast *f = result.forecasts;
        for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++)
            if (cot_demand_candidates[c].method == f->method)
                assert_true(f->beats_naive != cot_demand_candidates[c].naive);
        assert_true(f->beats_naive ? f->against_naive < 1 : f->against_naive == 1);
        n_naive += !f->beats_naive;
        cot_demand_release(&result);
    }
    assert_true(n_naive >= 3);
}

/* What was said at a past origin is what a history that ends there says, and nothing that came later changes it. */
static void test_origins_see_nothing_to_come(void **state)
{
    static struct tree tree;
    static struct tree other;
    struct cot_demand_result whole;
    struct cot_demand_result changed;
    struct cot_demand_result then;
    (void)state;
    tree_make(&tree, 3);
    tree_make(&other, 3);
    for (size_t i = 0; i < SERIES; i++)
        for (size_t t = STEPS - AHEAD; t < STEPS; t++)
            other.values[i][t] = 1e6;
    run(&tree, STEPS, &whole);
    run(&other, STEPS, &changed);
    assert_memory_equal(whole.said, changed.said, PASTS * AHEAD * sizeof(double));
    for (size_t p = 0; p < PASTS; p++) {
        run_with(&tree, STEPS - (p + 1) * AHEAD, 0, &choice, &then);
        assert_memory_equal(whole.said + p * AHEAD, then.forecasts[0].mean, AHEAD * sizeof(double));
        cot_demand_release(&then);
    }
    assert_true(changed.levels[0].scores[COT_DEMAND_RECONCILED].squares > 1e12); /* but it is scored on what came */
    cot_demand_release(&whole);
    cot_demand_release(&changed);
}

/* Nothing is said of a step that is shut: what comes all the same is missed whole. */
static void test_shut_steps_are_said_to_be_empty(void **state)
{
    static const bool shut[AHEAD] = {[2] = true};
    static double actual[AHEAD] = {10, 10, 7, 10, 10, 10, 10};
    static double values[STEPS];
    struct cot_demand_series series = {COT_DEMAND_NO_PARENT, 0, values};
    struct cot_demand_tree now = tree_until(&series, 1, STEPS);
    struct cot_demand_tree past = tree_until(&series, 1, STEPS - AHEAD);
    struct cot_demand_result result;
    struct cot_err err = {0};
    (void)state;
    for (size_t t = 0; t < STEPS; t++)
        values[t] = 10;
    past.shut = shut;
    past.actual = actual;
    assert_int_equal(cot_demand_run(&now, &past, 1, &choice, &result, &err), COT_OK);
    assert_true(result.said[2] == 0);
    assert_true(fabs(result.levels[0].scores[COT_DEMAND_RECONCILED].absolute - 7) < 1e-9);
    assert_int_equal(result.levels[0].n_intervals, AHEAD - 1);
    cot_demand_release(&result);
}

/* Of a series that nothing but its customers foretells: who tells the truth serves, who tells nonsense does not. */
static void test_customers_have_to_earn_their_weight(void **state)
{
    enum { N = 120, ORIGINS = 4 };
    static double values[N];
    static double wrong[AHEAD] = {900, 10, 900, 10, 900, 10, 900};
    struct cot_demand_series series = {COT_DEMAND_NO_PARENT, 0, values};
    struct cot_rng rng;
    struct cot_err err = {0};
    (void)state;
    cot_rng_init(&rng, 5);
    for (size_t t = 0; t < N; t++)
        values[t] = 50 + 100 * cot_rng_uniform(&rng);
    for (int honest = 0; honest < 2; honest++)
        for (size_t n_pasts = 2; n_pasts <= ORIGINS; n_pasts += 2) {
            struct cot_demand_tree trees[1 + ORIGINS];
            struct cot_demand_result result;
            for (size_t p = 0; p <= n_pasts; p++) {
                trees[p] = tree_until(&series, 1, N - (p + 1) * AHEAD);
                trees[p].actual = p > 0 ? values + trees[p].n_steps : NULL;
                trees[p].customers = honest ? values + trees[p].n_steps : wrong;
            }
            assert_int_equal(cot_demand_run(trees, trees + 1, n_pasts, &choice, &result, &err), COT_OK);
            const struct cot_demand_customers *customers = &result.customers;
            assert_int_equal(customers->n_pasts, n_pasts);
            assert_int_equal(customers->n_weighed, n_pasts - 1);
            assert_true(customers->serves == (honest && n_pasts > 2)); /* one origin is not enough */
            assert_true(customers->serves ? customers->weight > 0.99 : customers->weight == 0);
            for (size_t h = 0; h < AHEAD && customers->serves; h++)
                assert_true(fabs(result.forecasts[0].mean[h] - trees[0].customers[h]) < 1);
            cot_demand_release(&result);
        }
}

static void test_any_number_of_threads(void **state)
{
    static struct tree tree;
    struct cot_demand_result one;
    struct cot_demand_result three;
    struct cot_demand_options options = choice;
    (void)state;
    tree_make(&tree, 4);
    options.n_threads = 1;
    run_with(&tree, STEPS, PASTS, &options, &one);
    options.n_threads = 3;
    run_with(&tree, STEPS, PASTS, &options, &three);
    for (size_t i = 0; i < SERIES; i++)
        assert_memory_equal(one.forecasts[i].mean, three.forecasts[i].mean, 3 * AHEAD * sizeof(double));
    assert_memory_equal(one.levels, three.levels, sizeof one.levels);
    cot_demand_release(&one);
    cot_demand_release(&three);
}

/* By hand: a parent says 10 with variance 1, its children 3 and 5 with variances 1 and 3. Least squares: their sum (8,
 * variance 4) and the parent meet at 9.6, and the children share 1.6 by their variances. */
static void test_reconciliation_by_hand(void **state)
{
    static const struct cot_demand_series series[] = {{COT_DEMAND_NO_PARENT, 0, NULL}, {0, 1, NULL}, {0, 1, NULL}};
    static const double variances[] = {1, 1, 3};
    double values[] = {10, 3, 5};
    double scratch[12];
    (void)state;
    cot_demand_reconcile(series, 3, variances, values, scratch);
    assert_true(fabs(values[0] - 9.6) < 1e-12);
    assert_true(fabs(values[1] - 3.4) < 1e-12);
    assert_true(fabs(values[2] - 6.2) < 1e-12);
    double low[] = {0, 1, 10}; /* nobody falls below 0 */
    const double sure[] = {0, 1, 1};
    cot_demand_reconcile(series, 3, sure, low, scratch);
    assert_true(low[0] == 0 && fabs(low[1]) < 1e-12 && fabs(low[2]) < 1e-12);
}

/* Quantiles of Poisson and negative binomial, from tables. */
static void test_quantiles(void **state)
{
    (void)state;
    assert_true(cot_demand_quantile(4, 4, 0.95) == 8);    /* P(X <= 7) = .9489, P(X <= 8) = .9786 */
    assert_true(cot_demand_quantile(0.1, 0.1, 0.9) == 0); /* exp(-.1) = .9048 */
    assert_true(cot_demand_quantile(2, 4, 0.95) == 6);    /* size 2, p .5: P(X <= 5) = .9375, P(X <= 6) = .9648 */
    assert_true(cot_demand_quantile(0, 5, 0.99) == 0);
    assert_true(cot_demand_quantile(10000, 10000, 0.975) == 10196);
}

static void test_bad_input(void **state)
{
    static const double bad[] = {1, -1};
    static const double good[] = {1, 2};
    const struct cot_demand_series negative = {COT_DEMAND_NO_PARENT, 0, bad};
    const struct cot_demand_series orphans[] = {{COT_DEMAND_NO_PARENT, 0, good}, {1, 1, good}};
    const struct cot_demand_series deep[] = {{COT_DEMAND_NO_PARENT, 0, good}, {0, COT_DEMAND_MAX_LEVELS, good}};
    const struct cot_demand_series one = {COT_DEMAND_NO_PARENT, 0, good};
    struct cot_demand_tree tree = {.series = &negative, .n_series = 1, .n_steps = 2, .horizon = 3, .season = 1};
    struct cot_demand_options options = {.max_folds = 5};
    struct cot_demand_result result;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "step 1: -1"));
    tree.n_series = 2;
    tree.series = orphans;
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_USAGE);
    tree.series = deep;
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "no level 3"));
    tree.n_series = 1;
    tree.series = &one;
    tree.lead = 4;
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_USAGE);
    tree.lead = 1;
    options.service_level = 1;
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "service level of 1"));
    tree.lead = 0; /* two values: untested, but served */
    assert_int_equal(cot_demand_run(&tree, NULL, 0, &options, &result, &err), COT_OK);
    assert_int_equal(result.forecasts[0].n_folds, 0);
    assert_false(result.forecasts[0].beats_naive);
    assert_int_equal(result.levels[0].n_scored, 0);
    cot_demand_release(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecasts_add_up),
        cmocka_unit_test(test_naive_serves_a_random_walk),
        cmocka_unit_test(test_origins_see_nothing_to_come),
        cmocka_unit_test(test_shut_steps_are_said_to_be_empty),
        cmocka_unit_test(test_customers_have_to_earn_their_weight),
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_reconciliation_by_hand),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
