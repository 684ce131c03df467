/* Every feature against values worked out by hand. */
#include "unit/domain/tiny.h"

enum { KETTLE, TEAPOT, SCARF };

static const char *const items[][2] = {{"kitchen", "Alfa"}, {"kitchen", "Beta"}, {"clothes", ""}};

/*
 * Anna (node 0), as of the end of 2020-12-31 UTC:
 *   Thu 1 Oct 10:00 web: 2 kettles 20.00 (cost 10.00), a teapot 10.00 after 2.50 discount (cost 6.00)
 *   Sat 31 Oct 19:00 app: a kettle 10.00, a scarf 40.00
 *   Sun 20 Dec 20:00 web: 2 scarfs 80.00; on the 22nd one comes back, 40.00, without naming its order
 * Ben (node 1): a teapot for 40.00 in the store on Wed 30 Dec.
 */
#define LINE COT_EVENT_ORDER_LINE
#define WEB COT_CHANNEL_WEB
static const struct tiny_event events[] = {
    {0, "2020-10-01T10:00:00Z", LINE, WEB, 1, KETTLE, 2, 2000, 0, 1000, 0},
    {0, "2020-10-01T10:00:00Z", LINE, WEB, 1, TEAPOT, 1, 1000, 250, 600, 0},
    {0, "2020-10-31T19:00:00Z", LINE, COT_CHANNEL_APP, 2, KETTLE, 1, 1000, 0, NONE, 0},
    {0, "2020-10-31T19:00:00Z", LINE, COT_CHANNEL_APP, 2, SCARF, 1, 4000, 0, NONE, 0},
    {0, "2020-12-20T20:00:00Z", LINE, WEB, 3, SCARF, 2, 8000, NONE, NONE, 0},
    {0, "2020-12-22T09:00:00Z", COT_EVENT_REFUND, WEB, 99, SCARF, 1, -4000, NONE, NONE, 0},
    {1, "2020-12-30T08:00:00Z", LINE, COT_CHANNEL_STORE, 4, TEAPOT, 1, 4000, NONE, NONE, 0},
    /* visits: looked around; carts on 20 Dec (bought an hour later) and 30 Dec (left) */
    {0, "2020-11-20T10:00:00Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 8},
    {0, "2020-11-20T10:01:00Z", COT_EVENT_SEARCH, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 8},
    {0, "2020-12-20T19:00:00Z", COT_EVENT_CART_ADD, WEB, 0, SCARF, 0, 0, NONE, NONE, 9},
    {0, "2020-12-30T10:00:00Z", COT_EVENT_PRODUCT_VIEW, WEB, 0, KETTLE, 0, 0, NONE, NONE, 7},
    {0, "2020-12-30T10:05:00Z", COT_EVENT_CART_ADD, WEB, 0, KETTLE, 0, 0, NONE, NONE, 7},
    {1, "2020-12-29T10:00:00Z", COT_EVENT_WISHLIST_ADD, WEB, 0, SCARF, 0, 0, NONE, NONE, 1},
    /* three e-mails, two opened, one clicked and answered */
    {0, "2020-09-01T08:00:00Z", COT_EVENT_EMAIL_SENT, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 3},
    {0, "2020-12-01T08:00:00Z", COT_EVENT_EMAIL_SENT, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 1},
    {0, "2020-12-10T08:00:00Z", COT_EVENT_EMAIL_SENT, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 2},
    {0, "2020-12-02T12:00:00Z", COT_EVENT_EMAIL_OPEN, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 1},
    {0, "2020-12-11T12:00:00Z", COT_EVENT_EMAIL_OPEN, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 2},
    {0, "2020-12-11T12:01:00Z", COT_EVENT_EMAIL_CLICK, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 2},
    {0, "2020-12-12T12:00:00Z", COT_EVENT_CAMPAIGN_RESPONSE, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 2},
    {1, "2020-12-30T09:00:00Z", COT_EVENT_UNSUBSCRIBE, COT_CHANNEL_EMAIL, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
    {0, "2020-12-05T09:00:00Z", COT_EVENT_CALL, COT_CHANNEL_PHONE, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
    {0, "2020-01-15T09:00:00Z", COT_EVENT_COMPLAINT, COT_CHANNEL_PHONE, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
};

static const struct tiny_trait traits[] = {
    {0, "Country", "Germany", 0, "2020-01-01"},
    {0, "birth_date", "1992-02-29", 0, NULL},
    {0, "Income", NULL, 40000, NULL},
    {0, "household_size", "4+", 0, NULL},
    {0, "e-mail address", "anna@example.com", 0, NULL},
};

static const struct {
    const char *name;
    double value;
} expected[] = {
    {"recency_days", 11 + 4 / 24.0},
    {"frequency", 3},
    {"monetary_total", 120},
    {"monetary_average", 160 / 3.0},
    {"order_value_cv", 0.47186439}, /* 30, 50, 80: sqrt(633.33) / 53.33 */
    {"margin_total", 14},
    {"margin_rate", 14 / 30.0},
    {"tenure_days", 91 + 14 / 24.0},
    {"active_month_share", 2 / 3.0}, /* October and December of three */
    {"interpurchase_days", 40},      /* 30 and 50 */
    {"interpurchase_cv", 0.35355339},
    {"interpurchase_regularity", 7.5}, /* 30/80 is 1/8 off: (1 - 4/64) / (8/64) */
    {"overdue_ratio", (11 + 4 / 24.0) / 40},
    {"second_order_days", 30.375},
    {"basket_units", 7 / 3.0},
    {"basket_lines", 5 / 3.0},
    {"basket_items", 5 / 3.0},
    {"distinct_items", 3},
    {"discount_share", 250 / 8250.0},
    {"discounted_order_share", 1 / 3.0},
    {"return_rate", 1 / 7.0},
    {"returned_order_share", 1 / 3.0},
    {"refund_share", 0.25},
    {"category_count", 2},
    {"category_entropy", 0.67301167}, /* 3 of 5 and 2 of 5 */
    {"category_top_share", 0.6},
    {"category_main", 0},
    {"item_top_share", 0.4},
    {"brand_top_share", 2 / 3.0},
    {"brand_main", 0},
    /* medians: kettle 10, teapot (10 and 40) 25, scarf 40; kitchen sqrt(10 x 25), clothes 40:
     * exp((2 ln(10/15.81) + ln(25/15.81) + 0) / 5) and exp(ln(10/25) / 5) */
    {"price_level", 0.91244355},
    {"price_paid", 0.83255321},
    {"unit_price_average", 160 / 7.0},
    {"weekend_share", 2 / 3.0},
    {"weekday_main", 3}, /* Thursday, Saturday, Sunday: the earliest of equals */
    {"weekday_concentration", 1 / 3.0},
    {"hour_concentration", 0.44541956}, /* 10:30, 19:30, 20:30 on the clock */
    {"hour_main", 3},                   /* the mean is 18:12: evening */
    {"morning_share", 1 / 3.0},
    {"evening_share", 2 / 3.0},
    {"night_share", 0},
    {"repeat_item_share", 0.4},  /* kettle and scarf again, of five */
    {"new_item_share_90d", 0.5}, /* since 3 Oct: kettle (known) and scarf (new) */
    {"spend_30d", 40},
    {"spend_90d", 90},
    {"spend_365d", 120},
    {"orders_30d", 1},
    {"orders_90d", 2},
    {"orders_365d", 3},
    {"spend_trend_90d", 0.5}, /* 90 against 30 */
    {"visit_recency_days", 1 + (13 + 55 / 60.0) / 24},
    {"sessions_7d", 1},
    {"sessions_30d", 2},
    {"sessions_90d", 3},
    {"sessions_total", 3},
    {"session_trend_30d", 1 / 3.0},
    {"session_events", 5 / 3.0},
    {"orders_per_session", 1},
    {"views_7d", 1},
    {"views_30d", 1},
    {"views_90d", 2},
    {"carts_30d", 2},
    {"carts_90d", 2},
    {"cart_abandon_rate", 0.5},
    {"searches_30d", 0},
    {"searches_90d", 1},
    {"wishes_90d", 0},
    {"emails_sent_90d", 2},
    {"email_opens_30d", 2},
    {"email_opens_90d", 2},
    {"email_clicks_90d", 1},
    {"email_open_rate", 2 / 3.0},
    {"email_click_rate", 1 / 3.0},
    {"campaign_response_rate", 1 / 3.0},
    {"responses_total", 1},
    {"unsubscribed", 0},
    {"contacts_90d", 1},
    {"complaints_365d", 1},
    {"country", COT_N_BANDS}, /* the first word after those of the bands */
    {"age_years", 28},
    {"age_band", 2}, /* 25-34 */
    {"income", 40000},
    {"income_band", COT_N_AGE_BANDS + 3}, /* 35-50K */
    {"household_size", 4},
    {"channel_web_share", 2 / 3.0},
    {"channel_app_share", 1 / 3.0},
    {"channel_store_share", 0},
    {"channel_phone_share", 0},
    {"channel_catalog_share", 0},
    {"channel_marketplace_share", 0},
    {"channel_social_share", 0},
    {"channel_email_share", 0},
    {"channel_count", 2},
    {"channel_main", COT_CHANNEL_WEB},
    /* as said at the end of 2020-12-21: see predict_anna */
    {"predicted_spend_30d", 30.5},
    {"predicted_orders_30d", 0.3},
    {"predicted_churn_30d", 0.03},
    {"predicted_spend_90d", 90.5},
    {"predicted_orders_90d", 0.9},
    {"predicted_churn_90d", 0.09},
    {"predicted_spend_365d", 365.5},
    {"predicted_orders_365d", 3.65},
    {"predicted_churn_365d", 0.365},
    {"predicted_next_order_days", 35}, /* 45 days from then */
    {"value_tier", 1},
};

/* Horizons 30 | 90 | 365; by_node: added to spend, so that nodes differ. */
static void predict(struct cot_history *history, uint32_t node, unsigned horizons, const char *as_of, double by_node)
{
    struct cot_err err = {0};
    struct cot_prediction *row = NULL;
    assert_int_equal(cot_predictions_put(&history->predictions, node, &row, &err), COT_OK);
    for (int h = 0; h < COT_N_PREDICTED; h++) {
        if ((horizons >> h & 1) == 0)
            continue;
        row->spend[h] = (float)(cot_predicted_days[h] + 0.5 + by_node);
        row->orders[h] = (float)cot_predicted_days[h] / 100;
        row->churn[h] = (float)cot_predicted_days[h] / 1000;
    }
    row->tier = 1;
    row->next_said_ms = tiny_time(as_of);
    row->next_order_ms = row->next_said_ms + 45 * COT_MS_PER_DAY;
}

static void predict_anna(struct tiny *tiny)
{
    predict(&tiny->history, 0, 7, "2020-12-21T23:59:59.999Z", 0);
}

static void open_shop(struct tiny *tiny)
{
    tiny_open(tiny, "UTC", "2020-12-31", 3, NULL, events, TINY_COUNT(events), traits, TINY_COUNT(traits));
    tiny_items(tiny, items, TINY_COUNT(items));
    predict_anna(tiny);
}

static void every_feature(void **state)
{
    struct tiny tiny;
    (void)state;
    open_shop(&tiny);
    assert_int_equal(tiny.history.people.n, 2);
    for (size_t i = 0; i < TINY_COUNT(expected); i++)
        tiny_expect(&tiny, 0, expected[i].name, expected[i].value);
    for (size_t j = 0; j < cot_n_features; j++) {
        size_t i = 0;
        while (i < TINY_COUNT(expected) && strcmp(expected[i].name, cot_features[j].name) != 0)
            i++;
        if (i == TINY_COUNT(expected))
            fail_msg("feature %s has no value worked out by hand", cot_features[j].name);
    }
    assert_true(cot_n_features >= 45);
    tiny_expect(&tiny, 1, "price_level", 1.58113883);
    tiny_expect(&tiny, 1, "price_paid", 1.6);
    tiny_expect(&tiny, 1, "unsubscribed", 1);
    tiny_expect(&tiny, 1, "wishes_90d", 1);
    tiny_close(&tiny);
}

/* A single event, and a customer of whom only a trait is known: no made-up values. */
static void single_and_empty(void **state)
{
    static const struct tiny_event one[] = {
        {0, "2020-02-29T00:00:00Z", LINE, COT_CHANNEL_UNKNOWN, 0, COT_NO_ITEM, 1, 500, NONE, NONE, 0}};
    static const struct tiny_trait known[] = {{1, "country", "France", 0, NULL}};
    static const char *const missing[] = {
        "order_value_cv", "interpurchase_days", "interpurchase_cv", "second_order_days", "margin_total",
        "discount_share", "category_count",     "item_top_share",   "hour_main",         "weekday_main",
        "channel_main",   "sessions_30d",       "email_open_rate",  "age_years",         "price_level"};
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-03-01", 2, NULL, one, 1, known, 1);
    tiny_items(&tiny, NULL, 0);
    for (size_t i = 0; i < TINY_COUNT(missing); i++)
        for (uint32_t customer = 0; customer < 2; customer++)
            tiny_expect(&tiny, customer, missing[i], NAN);
    tiny_expect(&tiny, 0, "frequency", 1);
    tiny_expect(&tiny, 0, "monetary_total", 5);
    tiny_expect(&tiny, 0, "recency_days", 2); /* to the end of 1 March, over the leap day */
    tiny_expect(&tiny, 0, "active_month_share", 0.5);
    tiny_expect(&tiny, 1, "frequency", 0);
    tiny_expect(&tiny, 1, "monetary_total", 0);
    tiny_expect(&tiny, 1, "recency_days", NAN);
    tiny_expect(&tiny, 1, "return_rate", NAN);
    assert_false(isnan(tiny_value(&tiny, 1, "country")));
    tiny_close(&tiny);
}

/* Days and hours are those of the shop's clock, also over a change to summer time. */
static void shop_clock(void **state)
{
    static const struct tiny_event late[] = {
        {0, "2021-03-27T23:30:00Z", LINE, WEB, 1, COT_NO_ITEM, 1, 100, NONE, NONE, 0}, /* Sat 23:30 in London */
        {0, "2021-03-28T23:30:00Z", LINE, WEB, 2, COT_NO_ITEM, 1, 100, NONE, NONE, 0}, /* Mon 00:30 in London */
    };
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2021-03-31", 1, NULL, late, 2, NULL, 0);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "weekend_share", 1);
    tiny_expect(&tiny, 0, "evening_share", 1);
    tiny_expect(&tiny, 0, "interpurchase_days", 1);
    tiny_close(&tiny);
    tiny_open(&tiny, "Europe/London", "2021-03-31", 1, NULL, late, 2, NULL, 0);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "weekend_share", 0.5);
    tiny_expect(&tiny, 0, "evening_share", 0.5);
    tiny_expect(&tiny, 0, "night_share", 0.5);
    tiny_expect(&tiny, 0, "interpurchase_days", 2);       /* Saturday to Monday */
    tiny_expect(&tiny, 0, "recency_days", 2 + 23.5 / 24); /* the shop's day ends at 23:00 UTC */
    tiny_close(&tiny);
}

/* A window of n days ends now and is open at its far end; an age counts whole years over leap days. */
static void window_edges(void **state)
{
    static const struct tiny_event edge[] = {
        {0, "2020-12-01T23:59:59.998Z", LINE, WEB, 1, COT_NO_ITEM, 1, 100, NONE, NONE, 0},
        {0, "2020-12-01T23:59:59.999Z", LINE, WEB, 2, COT_NO_ITEM, 1, 100, NONE, NONE, 0},
        {0, "2020-12-02T00:00:00.000Z", LINE, WEB, 3, COT_NO_ITEM, 1, 100, NONE, NONE, 0},
    };
    static const struct tiny_trait born[] = {{0, "birth_date", "1992-02-29", 0, NULL}};
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-12-31", 1, NULL, edge, 3, NULL, 0);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "orders_30d", 1);
    tiny_expect(&tiny, 0, "spend_30d", 1);
    tiny_expect(&tiny, 0, "orders_90d", 3);
    tiny_close(&tiny);
    tiny_open(&tiny, "UTC", "2021-02-28", 1, NULL, NULL, 0, born, 1);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "age_years", 28);
    tiny_close(&tiny);
    tiny_open(&tiny, "UTC", "2021-03-01", 1, NULL, NULL, 0, born, 1);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "age_years", 29);
    tiny_close(&tiny);
}

/* Two nodes of one person are one history; what is after as_of does not exist. */
static void merged_nodes(void **state)
{
    static const struct tiny_event two[] = {
        {0, "2020-01-10T10:00:00Z", LINE, WEB, 1, KETTLE, 1, 100, NONE, NONE, 0},
        {2, "2020-01-05T10:00:00Z", LINE, WEB, 2, KETTLE, 1, 200, NONE, NONE, 0},
        {2, "2020-01-10T10:00:00Z", LINE, WEB, 1, TEAPOT, 1, 300, NONE, NONE, 0}, /* same order, another identity */
        {1, "2020-01-07T10:00:00Z", LINE, WEB, 3, KETTLE, 1, 400, NONE, NONE, 0},
        {0, "2020-03-10T10:00:00Z", LINE, WEB, 4, KETTLE, 1, 900, NONE, NONE, 0},
    };
    static const uint32_t roots[] = {0, 1, 0};
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-01-31", 3, roots, two, TINY_COUNT(two), NULL, 0);
    tiny_items(&tiny, NULL, 3);
    assert_int_equal(tiny.history.people.n, 2);
    tiny_expect(&tiny, 0, "frequency", 2);
    tiny_expect(&tiny, 0, "monetary_total", 6);
    tiny_expect(&tiny, 0, "second_order_days", 5);
    tiny_expect(&tiny, 0, "repeat_item_share", 1 / 3.0);
    tiny_expect(&tiny, 1, "frequency", 1);
    tiny_close(&tiny);
}

/* What was predicted belongs to nodes: of a customer of several the smallest that has it holds, of each horizon. */
static void predictions_of_merged_nodes(void **state)
{
    static const uint32_t roots[] = {0, 0, 0, 3};
    static const struct tiny_event orders[] = {
        {0, "2020-01-10T10:00:00Z", LINE, WEB, 1, KETTLE, 1, 100, NONE, NONE, 0},
        {1, "2020-01-10T10:00:00Z", LINE, WEB, 2, KETTLE, 1, 100, NONE, NONE, 0},
        {2, "2020-01-10T10:00:00Z", LINE, WEB, 3, KETTLE, 1, 100, NONE, NONE, 0},
        {3, "2020-01-10T10:00:00Z", LINE, WEB, 4, KETTLE, 1, 100, NONE, NONE, 0},
    };
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-01-31", 4, roots, orders, TINY_COUNT(orders), NULL, 0);
    tiny_items(&tiny, NULL, 1);
    predict(&tiny.history, 2, 3, "2020-01-20T00:00:00Z", 2);
    predict(&tiny.history, 1, 1, "2020-01-20T00:00:00Z", 1);
    tiny_expect(&tiny, 0, "predicted_spend_30d", 31.5);
    tiny_expect(&tiny, 0, "predicted_spend_90d", 92.5);
    tiny_expect(&tiny, 0, "predicted_spend_365d", NAN);
    tiny_expect(&tiny, 1, "predicted_spend_30d", NAN);
    tiny_expect(&tiny, 1, "value_tier", NAN);
    tiny_close(&tiny);
}

/* The next order is told until one has come; what was predicted is not told of who withdraws. */
static void predictions_end(void **state)
{
    struct tiny tiny;
    struct cot_consent_fact facts[] = {
        {.occurred_at_ms = tiny_time("2020-12-01T00:00:00Z"), .purpose = COT_PURPOSE_ANALYTICS, .granted = true},
        {.occurred_at_ms = tiny_time("2020-12-30T00:00:00Z"), .sequence = 1, .purpose = COT_PURPOSE_ANALYTICS},
    };
    (void)state;
    open_shop(&tiny);
    predict(&tiny.history, 0, 0, "2020-12-19T23:59:59.999Z", 0); /* before her order of the 20th */
    tiny_expect(&tiny, 0, "predicted_next_order_days", NAN);
    tiny_expect(&tiny, 0, "predicted_spend_90d", 90.5);
    tiny.history.consents = malloc(sizeof facts);
    tiny.history.consent_starts = calloc(4, sizeof *tiny.history.consent_starts);
    assert_non_null(tiny.history.consents);
    assert_non_null(tiny.history.consent_starts);
    memcpy(tiny.history.consents, facts, sizeof facts);
    for (uint32_t node = 1; node <= 3; node++)
        tiny.history.consent_starts[node] = 1;
    tiny_expect(&tiny, 0, "predicted_spend_90d", 90.5);
    for (uint32_t node = 1; node <= 3; node++)
        tiny.history.consent_starts[node] = 2;
    for (size_t j = 0; j < cot_n_features; j++)
        if (cot_features[j].group == COT_FEATURE_PREDICTION)
            tiny_expect(&tiny, 0, cot_features[j].name, NAN);
    tiny_close(&tiny);
}

/* Sessions without an id end after half an hour; with one they may interleave. */
static void sessions(void **state)
{
    static const struct tiny_event visits[] = {
        {0, "2020-01-01T10:00:00Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
        {0, "2020-01-01T10:30:00Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
        {0, "2020-01-01T11:00:01Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 0},
        {0, "2020-01-02T10:00:00Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 5},
        {0, "2020-01-02T10:01:00Z", COT_EVENT_PAGE_VIEW, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 6},
        {0, "2020-01-02T10:02:00Z", COT_EVENT_CART_ADD, WEB, 0, COT_NO_ITEM, 0, 0, NONE, NONE, 5},
    };
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-01-02", 1, NULL, visits, TINY_COUNT(visits), NULL, 0);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "sessions_total", 4);
    tiny_expect(&tiny, 0, "cart_abandon_rate", NAN); /* its day is not over */
    tiny_close(&tiny);
    tiny_open(&tiny, "UTC", "2020-01-03", 1, NULL, visits, TINY_COUNT(visits), NULL, 0);
    tiny_items(&tiny, NULL, 0);
    tiny_expect(&tiny, 0, "cart_abandon_rate", 1);
    tiny_close(&tiny);
}

/* A shop that records no orders says nothing of them, not 0. */
static void no_orders_recorded(void **state)
{
    static const char *const missing[] = {"frequency", "monetary_total", "spend_90d", "orders_365d"};
    static const struct tiny_trait known[] = {{0, "country", "France", 0, NULL}};
    struct tiny tiny;
    (void)state;
    tiny_open(&tiny, "UTC", "2020-01-02", 1, NULL, NULL, 0, known, 1);
    tiny_items(&tiny, NULL, 0);
    for (size_t i = 0; i < TINY_COUNT(missing); i++)
        tiny_expect(&tiny, 0, missing[i], NAN);
    tiny_close(&tiny);
}

static void table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < cot_n_features; i++) {
        const struct cot_feature *feature = &cot_features[i];
        assert_true(strlen(feature->title) > 0 && strlen(feature->description) > 0 && strlen(feature->unit) > 0);
        assert_true((feature->transform == COT_TRANSFORM_CATEGORY) == (feature->labels != COT_LABELS_NONE));
        assert_int_equal(cot_feature_find(feature->name), i); /* unique */
    }
    assert_int_equal(cot_feature_find("no_such_feature"), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_feature),
        cmocka_unit_test(single_and_empty),
        cmocka_unit_test(shop_clock),
        cmocka_unit_test(window_edges),
        cmocka_unit_test(merged_nodes),
        cmocka_unit_test(sessions),
        cmocka_unit_test(no_orders_recorded),
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(predictions_of_merged_nodes),
        cmocka_unit_test(predictions_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
