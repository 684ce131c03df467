/* What to do with a segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "domain/strategy.h"

static const struct cot_strategy_input active_average = {.value_ratio = 1.0,
                                                         .revenue_share = 0.2,
                                                         .overdue = 0.8,
                                                         .overall_gap = 30,
                                                         .recency_days = 24,
                                                         .orders = 5,
                                                         .one_time_share = 0.1,
                                                         .buyer_share = 1,
                                                         .tenure_days = 300,
                                                         .trend = 0};

static enum cot_strategy strategy_of(const struct cot_strategy_input *input)
{
    struct cot_strategy_advice advice;
    cot_strategy_advise(input, &advice);
    assert_true(strlen(advice.why) > 20);
    assert_int_equal(advice.why[strlen(advice.why) - 1], '.');
    return advice.strategy;
}

static void each_action_has_its_case(void **state)
{
    (void)state;
    struct cot_strategy_input in = active_average;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_GROW);
    in.value_ratio = 3;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_RETAIN);
    in.overdue = 4;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_WIN_BACK);
    in.value_ratio = 0.2;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_LEAVE_ALONE);
    in = active_average;
    in.one_time_share = 0.9;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_NURTURE);
    in = active_average;
    in.buyer_share = 0.1;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_NURTURE);
}

/* 60 days are nothing for someone who buys twice a year, and an alarm for someone who buys every week. */
static void the_clock_is_their_own_rhythm(void **state)
{
    (void)state;
    struct cot_strategy_input in = active_average;
    in.recency_days = 60;
    in.overdue = 60.0 / 180;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_GROW);
    in.overdue = 60.0 / 7;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_WIN_BACK);
}

static void one_order_is_judged_by_the_shops_rhythm(void **state)
{
    (void)state;
    struct cot_strategy_input in = active_average;
    in.one_time_share = 1;
    in.overdue = NAN;
    in.recency_days = 20;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_NURTURE);
    in.recency_days = 200;
    assert_int_equal(strategy_of(&in), COT_STRATEGY_LEAVE_ALONE);
}

static void nothing_known_still_gives_advice(void **state)
{
    (void)state;
    struct cot_strategy_input in = {.value_ratio = NAN,
                                    .revenue_share = NAN,
                                    .overdue = NAN,
                                    .overall_gap = NAN,
                                    .recency_days = NAN,
                                    .orders = NAN,
                                    .tenure_days = NAN,
                                    .trend = NAN};
    assert_int_equal(strategy_of(&in), COT_STRATEGY_NURTURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_has_its_case),
        cmocka_unit_test(the_clock_is_their_own_rhythm),
        cmocka_unit_test(one_order_is_judged_by_the_shops_rhythm),
        cmocka_unit_test(nothing_known_still_gives_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
