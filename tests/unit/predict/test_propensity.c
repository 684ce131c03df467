/* Category propensity: tastes are found and told honestly, chance is not taken for taste, and nothing sees what comes.
 */
#include "predict/propensity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { CUSTOMERS = 600, CATEGORIES = 6, HORIZON = 30, ORIGINS = 6, DAYS = HORIZON * 9, EACH = DAYS / 10 };

/* Everyone orders every ten days or so; with tastes, four times in five from the half of the categories they like. */
struct shop {
    struct cot_category_day days[CUSTOMERS][EACH];
    size_t n[CUSTOMERS];
};

static void shop_make(struct shop *shop, bool tastes, uint64_t seed)
{
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        shop->n[i] = 0;
        for (int32_t d = 0; d < EACH; d++) {
            size_t half = tastes && cot_rng_uniform(&rng) < 0.8 ? i % 2 : (size_t)cot_rng_below(&rng, 2);
            uint32_t category = (uint32_t)(half * CATEGORIES / 2 + cot_rng_below(&rng, CATEGORIES / 2));
            if (d == 0 || cot_rng_uniform(&rng) < 0.3)
                shop->days[i][shop->n[i]++] = (struct cot_category_day){d * 10 + (int32_t)(i % 10), category, 1};
        }
    }
}

/* The shop as of some day, and what came within the horizon. */
struct known {
    struct cot_propensity_origin view;
    struct cot_purchases purchases;
    size_t starts[CUSTOMERS + 1];
    struct cot_purchase bought[CUSTOMERS * EACH];
    struct cot_category_day days[CUSTOMERS * EACH];
    uint64_t came[CUSTOMERS];
};

static void know(struct known *known, const struct shop *shop, int32_t last_day, bool over)
{
    size_t n = 0;
    memset(known->came, 0, sizeof known->came);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        for (size_t d = 0; d < shop->n[i]; d++) {
            struct cot_category_day day = shop->days[i][d];
            if (day.day <= last_day) {
                known->bought[n] = (struct cot_purchase){day.day, 1};
                known->days[n++] = day;
            } else if (day.day <= last_day + HORIZON) {
                known->came[i] |= UINT64_C(1) << day.category;
            }
        }
        known->starts[i + 1] = n;
    }
    known->purchases = (struct cot_purchases){CUSTOMERS, known->starts, known->bought, 0, last_day};
    known->view = (struct cot_propensity_origin){&known->purchases, CATEGORIES, known->starts, known->days,
                                                 over ? known->came : NULL};
}

static struct cot_propensity *run(const struct shop *shop, unsigned n_folds)
{
    static struct known known[ORIGINS];
    struct cot_propensity_origin views[ORIGINS];
    struct cot_propensity *propensity = NULL;
    struct cot_err err = {0};
    for (int32_t v = 0; v < ORIGINS; v++) {
        know(known + v, shop, DAYS - 1 - v * HORIZON, v > 0);
        views[v] = known[v].view;
    }
    if (cot_propensity_run(views, ORIGINS, HORIZON, n_folds, 1, &propensity, &err) != COT_OK)
        fail_msg("%s", err.message);
    return propensity;
}

static void test_tastes_are_found(void **state)
{
    static struct shop shop;
    (void)state;
    shop_make(&shop, true, 1);
    struct cot_propensity *propensity = run(&shop, 3);
    const struct cot_propensity_score *score = cot_propensity_score(propensity, COT_PROPENSITY_AGAIN);
    assert_int_equal(score->n_folds, 3);
    assert_int_equal(score->serves, 2);
    assert_true(score->candidates[2].score < 0.99 * score->candidates[score->best_naive].score);
    assert_true(score->candidates[2].calibration_error < 1.5 * score->candidates[2].calibration_band);
    double liked = 0;
    double others = 0;
    for (size_t i = 0; i < CUSTOMERS; i++) {
        double chances[COT_PROPENSITY_MOST];
        uint64_t bought = cot_propensity_chances(propensity, i, chances);
        assert_true(bought != 0 && bought < UINT64_C(1) << CATEGORIES);
        for (size_t k = 0; k < CATEGORIES; k++) {
            assert_true(chances[k] > 0 && chances[k] < 1);
            *(k / (CATEGORIES / 2) == i % 2 ? &liked : &others) += chances[k];
        }
    }
    assert_true(liked > 2 * others);
    assert_true(cot_propensity_follows(propensity, 0, 1) > cot_propensity_follows(propensity, 0, CATEGORIES - 1));
    cot_propensity_free(propensity);
}

/* Nobody has a taste: what learns finds none, whoever serves says what all do. */
static void test_chance_is_no_taste(void **state)
{
    static struct shop shop;
    (void)state;
    shop_make(&shop, false, 2);
    struct cot_propensity *propensity = run(&shop, 3);
    for (int kind = 0; kind < COT_PROPENSITY_N_KINDS; kind++) {
        const struct cot_propensity_score *score = cot_propensity_score(propensity, (enum cot_propensity_kind)kind);
        assert_true(score->candidates[2].score > 0.985 * score->candidates[score->best_naive].score);
        assert_true(score->candidates[score->serves].score <= score->candidates[score->best_naive].score);
    }
    cot_propensity_free(propensity);
}

/* What came after the newest tested origin changes its score, not what was said there: the sum of what was said. */
static void test_nothing_sees_what_is_to_come(void **state)
{
    static struct shop shop;
    double total[2];
    (void)state;
    for (int round = 0; round < 2; round++) {
        shop_make(&shop, true, 3);
        for (size_t i = 0; i < CUSTOMERS && round == 1; i++) /* after the tested origin all buy the same */
            for (size_t d = 0; d < shop.n[i]; d++)
                if (shop.days[i][d].day > DAYS - 1 - HORIZON)
                    shop.days[i][d].category = 0;
        struct cot_propensity *propensity = run(&shop, 1);
        const struct cot_propensity_score *score = cot_propensity_score(propensity, COT_PROPENSITY_AGAIN);
        double came = 0;
        for (size_t i = 0; i < CUSTOMERS; i++) {
            uint64_t before = 0;
            uint64_t after = 0;
            for (size_t d = 0; d < shop.n[i]; d++)
                *(shop.days[i][d].day > DAYS - 1 - HORIZON ? &after : &before) |= UINT64_C(1)
                                                                                  << shop.days[i][d].category;
            came += __builtin_popcountll(before & after);
        }
        total[round] = (score->candidates[2].total_error + 1) * came;
        cot_propensity_free(propensity);
    }
    assert_true(total[0] > total[1] - 1e-6 && total[0] < total[1] + 1e-6);
}

static void test_too_little_is_known(void **state)
{
    static struct shop shop;
    static struct known known;
    struct cot_propensity *propensity = NULL;
    struct cot_err err = {0};
    (void)state;
    shop_make(&shop, true, 4);
    know(&known, &shop, DAYS - 1, false);
    assert_int_equal(cot_propensity_run(&known.view, 1, HORIZON, 0, 1, &propensity, &err), COT_OK);
    assert_int_equal(cot_propensity_score(propensity, COT_PROPENSITY_NEW)->n_folds, 0);
    cot_propensity_free(propensity);
    known.view.n_categories = 1; /* nothing to choose among */
    assert_int_equal(cot_propensity_run(&known.view, 1, HORIZON, 0, 1, &propensity, &err), COT_OK);
    assert_null(propensity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tastes_are_found),
        cmocka_unit_test(test_chance_is_no_taste),
        cmocka_unit_test(test_nothing_sees_what_is_to_come),
        cmocka_unit_test(test_too_little_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
