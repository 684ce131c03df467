/* Matching refunds with purchases (refund.h), seen through the features. */
#include "unit/domain/tiny.h"

#define LINE COT_EVENT_ORDER_LINE
#define REFUND COT_EVENT_REFUND
#define WEB COT_CHANNEL_WEB

static void open_with(struct tiny *tiny, const struct tiny_event *events, size_t n)
{
    tiny_open(tiny, "UTC", "2020-12-31", 1, NULL, events, n, NULL, 0);
    tiny_items(tiny, NULL, 4);
}

static const struct cot_fold *fold_of(struct tiny *tiny)
{
    (void)tiny_value(tiny, 0, "frequency");
    return &tiny->reader.fold;
}

/* A refund that names its order takes that order's line, not the latest one. */
static void by_order(void **state)
{
    static const struct tiny_event events[] = {
        {0, "2020-01-01T10:00:00Z", LINE, WEB, 1, 0, 2, 2000, NONE, NONE, 0},
        {0, "2020-02-01T10:00:00Z", LINE, WEB, 2, 0, 2, 2000, NONE, NONE, 0},
        {0, "2020-03-01T10:00:00Z", REFUND, WEB, 1, 0, 1, -1000, NONE, NONE, 0},
    };
    struct tiny tiny;
    (void)state;
    open_with(&tiny, events, TINY_COUNT(events));
    const struct cot_fold *fold = fold_of(&tiny);
    assert_true(fold->orders[0].returned);
    assert_false(fold->orders[1].returned);
    assert_int_equal(fold->n_refunds_unmatched, 0);
    tiny_expect(&tiny, 0, "return_rate", 0.25);
    tiny_expect(&tiny, 0, "monetary_total", 30);
    tiny_close(&tiny);
}

/* Else the latest earlier purchase of the item with units left; what exceeds it goes on to the one before. */
static void by_item(void **state)
{
    static const struct tiny_event events[] = {
        {0, "2020-01-01T10:00:00Z", LINE, WEB, 1, 0, 3, 3000, NONE, NONE, 0},
        {0, "2020-02-01T10:00:00Z", LINE, WEB, 2, 0, 2, 2000, NONE, NONE, 0},
        {0, "2020-02-02T10:00:00Z", LINE, WEB, 3, 1, 5, 5000, NONE, NONE, 0},
        {0, "2020-03-01T10:00:00Z", REFUND, WEB, 0, 0, 1, -1000, NONE, NONE, 0}, /* one of order 2 */
        {0, "2020-03-02T10:00:00Z", REFUND, WEB, 0, 0, 2, -2000, NONE, NONE, 0}, /* the other, and one of order 1 */
        {0, "2020-03-03T10:00:00Z", REFUND, WEB, 0, 0, 9, -9000, NONE, NONE, 0}, /* two are left of order 1 */
        {0, "2020-04-01T10:00:00Z", LINE, WEB, 4, 0, 1, 1000, NONE, NONE, 0},    /* later: not for these */
    };
    struct tiny tiny;
    (void)state;
    open_with(&tiny, events, TINY_COUNT(events));
    const struct cot_fold *fold = fold_of(&tiny);
    assert_true(fold->purchases[0].units_returned == 3);
    assert_true(fold->purchases[1].units_returned == 2);
    assert_true(fold->purchases[2].units_returned == 0);
    assert_true(fold->purchases[3].units_returned == 0);
    assert_int_equal(fold->n_refunds_unmatched, 0);
    tiny_expect(&tiny, 0, "return_rate", 5 / 11.0);
    tiny_expect(&tiny, 0, "returned_order_share", 0.5);
    tiny_close(&tiny);
}

/* What matches nothing counts as money at its own date and is counted for data quality. */
static void alone(void **state)
{
    static const struct tiny_event events[] = {
        {0, "2020-11-01T10:00:00Z", REFUND, WEB, 0, 0, 1, -700, NONE, NONE, 0}, /* before the purchase */
        {0, "2020-12-30T10:00:00Z", LINE, WEB, 1, 0, 1, 1000, NONE, NONE, 0},
        {0, "2020-12-31T10:00:00Z", REFUND, WEB, 0, 2, 1, -300, NONE, NONE, 0}, /* never bought */
        {0, "2020-12-31T11:00:00Z", REFUND, WEB, 0, COT_NO_ITEM, 1, -50, NONE, NONE, 0},
    };
    struct tiny tiny;
    (void)state;
    open_with(&tiny, events, TINY_COUNT(events));
    assert_int_equal(fold_of(&tiny)->n_refunds_unmatched, 3);
    tiny_expect(&tiny, 0, "return_rate", 0);
    tiny_expect(&tiny, 0, "spend_30d", 6.5);
    tiny_expect(&tiny, 0, "monetary_total", -0.5);
    tiny_expect(&tiny, 0, "spend_trend_90d", -1); /* -0.50 against nothing */
    tiny_close(&tiny);
}

/* A refund of a whole order, without an item. */
static void whole_order(void **state)
{
    static const struct tiny_event events[] = {
        {0, "2020-01-01T10:00:00Z", LINE, WEB, 1, 0, 2, 2000, NONE, 1200, 0},
        {0, "2020-01-01T10:00:00Z", LINE, WEB, 1, 1, 1, 500, NONE, 300, 0},
        {0, "2020-01-09T10:00:00Z", REFUND, WEB, 1, COT_NO_ITEM, 3, -2500, NONE, 1500, 0},
    };
    struct tiny tiny;
    (void)state;
    open_with(&tiny, events, TINY_COUNT(events));
    tiny_expect(&tiny, 0, "return_rate", 1);
    tiny_expect(&tiny, 0, "returned_order_share", 1);
    tiny_expect(&tiny, 0, "monetary_total", 0);
    tiny_expect(&tiny, 0, "margin_total", 0); /* the cost comes back with the goods */
    tiny_expect(&tiny, 0, "frequency", 1);
    tiny_close(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_order),
        cmocka_unit_test(by_item),
        cmocka_unit_test(alone),
        cmocka_unit_test(whole_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
