/* Values of the purchase and channel features: each documented by its row in feature_catalogue.h. */
#include <math.h>

#include "domain/feature_catalogue.h"

#define MAX_REGULARITY 20.0 /* of a customer whose gaps are all alike */

static float days_since(const struct cot_customer *customer, int64_t at_ms)
{
    return (float)((double)(customer->as_of_ms - at_ms) / (double)COT_MS_PER_DAY);
}

static float money(const struct cot_customer *customer, int64_t minor)
{
    return (float)((double)minor / customer->minor_per_unit);
}

static double n_orders(const struct cot_customer *customer)
{
    return (double)customer->fold->n_orders;
}

/* Totals are missing, not 0, where the shop records no orders at all. */
static float if_recorded(const struct cot_customer *customer, double value)
{
    bool recorded =
        cot_customer_shop_has(customer, COT_EVENT_ORDER_LINE) || cot_customer_shop_has(customer, COT_EVENT_REFUND);
    return recorded ? (float)value : NAN;
}

static float spend_of(const struct cot_customer *customer, enum cot_window window)
{
    return if_recorded(customer, (double)customer->spend_minor[window] / customer->minor_per_unit);
}

static float orders_of(const struct cot_customer *customer, enum cot_window window)
{
    return if_recorded(customer, customer->counts[COT_ACTIVITY_ORDERS][window]);
}

float cot_feature_recency_days(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    return fold->n_orders > 0 ? days_since(customer, fold->orders[fold->n_orders - 1].first_ms) : NAN;
}

float cot_feature_frequency(const struct cot_customer *customer)
{
    return if_recorded(customer, n_orders(customer));
}

float cot_feature_monetary_total(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    return if_recorded(customer, (double)(fold->gross_minor + fold->refund_minor) / customer->minor_per_unit);
}

float cot_feature_monetary_average(const struct cot_customer *customer)
{
    return cot_feature_ratio((double)customer->fold->gross_minor / customer->minor_per_unit, n_orders(customer));
}

float cot_feature_order_value_cv(const struct cot_customer *customer)
{
    double n = n_orders(customer);
    double mean = n >= 2 ? (double)customer->fold->gross_minor / n : 0;
    return mean > 0 ? (float)(sqrt(customer->order_value_m2 / (n - 1)) / mean) : NAN;
}

float cot_feature_margin_total(const struct cot_customer *customer)
{
    return customer->fold->n_cost_known > 0 ? money(customer, customer->fold->margin_minor) : NAN;
}

float cot_feature_margin_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio((double)customer->fold->margin_minor, (double)customer->fold->margin_base_minor);
}

float cot_feature_tenure_days(const struct cot_customer *customer)
{
    return customer->fold->n_orders > 0 ? days_since(customer, customer->fold->orders[0].first_ms) : NAN;
}

float cot_feature_active_month_share(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    if (fold->n_order_months == 0)
        return NAN;
    struct cot_civil first;
    struct cot_civil now;
    cot_civil_from_ms(fold->first_order_day * COT_MS_PER_DAY, &first);
    cot_civil_from_ms(customer->local_ms, &now);
    int months = (now.year - first.year) * 12 + now.month - first.month + 1;
    return cot_feature_ratio(fold->n_order_months, months);
}

static double gap_sum(const struct cot_fold *fold)
{
    return (double)(fold->last_order_day - fold->first_order_day);
}

static double n_gaps(const struct cot_fold *fold)
{
    return fold->n_order_days > 0 ? (double)fold->n_order_days - 1 : 0;
}

float cot_feature_interpurchase_days(const struct cot_customer *customer)
{
    return cot_feature_ratio(gap_sum(customer->fold), n_gaps(customer->fold));
}

float cot_feature_interpurchase_cv(const struct cot_customer *customer)
{
    double n = n_gaps(customer->fold);
    double mean = n >= 2 ? gap_sum(customer->fold) / n : 0;
    if (!(mean > 0))
        return NAN;
    double variance = ((double)customer->fold->gap_square_sum - n * mean * mean) / (n - 1);
    return (float)(sqrt(variance > 0 ? variance : 0) / mean);
}

/* Wheat and Morrison, Estimating purchase regularity with two interpurchase times, J. Marketing Research 27 (1990):
 * M = a / (a + b) of successive gaps is Beta(k, k) where gaps are Gamma(k), so var M = 1 / (4 (2 k + 1)). */
float cot_feature_interpurchase_regularity(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    if (fold->n_gap_pairs == 0)
        return NAN;
    double variance = fold->gap_ratio_sum / (double)fold->n_gap_pairs;
    if (variance * 8 * MAX_REGULARITY <= 1 - 4 * variance)
        return (float)MAX_REGULARITY;
    return (float)((1 - 4 * variance) / (8 * variance));
}

float cot_feature_overdue_ratio(const struct cot_customer *customer)
{
    float gap = cot_feature_interpurchase_days(customer);
    return cot_feature_ratio((double)cot_feature_recency_days(customer), isnan(gap) ? 0 : (double)gap);
}

float cot_feature_second_order_days(const struct cot_customer *customer)
{
    const struct cot_fold_order *orders = customer->fold->orders;
    if (customer->fold->n_orders < 2)
        return NAN;
    return (float)((double)(orders[1].first_ms - orders[0].first_ms) / (double)COT_MS_PER_DAY);
}

float cot_feature_basket_units(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->fold->units, n_orders(customer));
}

float cot_feature_basket_lines(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->fold->n_lines, n_orders(customer));
}

float cot_feature_basket_items(const struct cot_customer *customer)
{
    return customer->n_item_orders > 0 ? cot_feature_ratio(customer->n_item_orders, n_orders(customer)) : NAN;
}

float cot_feature_distinct_items(const struct cot_customer *customer)
{
    return customer->fold->n_items > 0 ? (float)customer->fold->n_items : NAN;
}

float cot_feature_discount_share(const struct cot_customer *customer)
{
    double discount = (double)customer->fold->discount_minor;
    return cot_feature_ratio(discount, discount + (double)customer->fold->discount_base_minor);
}

float cot_feature_discounted_order_share(const struct cot_customer *customer)
{
    return customer->fold->n_discount_known > 0 ? cot_feature_ratio(customer->n_orders_discounted, n_orders(customer))
                                                : NAN;
}

float cot_feature_return_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->fold->units_returned, customer->fold->units);
}

float cot_feature_returned_order_share(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_orders_returned, n_orders(customer));
}

float cot_feature_refund_share(const struct cot_customer *customer)
{
    return cot_feature_ratio(0.0 - (double)customer->fold->refund_minor, (double)customer->fold->gross_minor);
}

float cot_feature_category_count(const struct cot_customer *customer)
{
    return customer->n_category_lines > 0 ? (float)customer->n_categories : NAN;
}

float cot_feature_category_entropy(const struct cot_customer *customer)
{
    return (float)customer->category_entropy;
}

float cot_feature_category_top_share(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->top_category_lines, customer->n_category_lines);
}

float cot_feature_category_main(const struct cot_customer *customer)
{
    return customer->n_category_lines > 0 ? (float)customer->top_category : NAN;
}

float cot_feature_item_top_share(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->top_item_lines, customer->n_item_lines);
}

float cot_feature_brand_top_share(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->top_brand_lines, customer->n_brand_lines);
}

float cot_feature_brand_main(const struct cot_customer *customer)
{
    return customer->n_brand_lines > 0 ? (float)customer->top_brand : NAN;
}

float cot_feature_price_level(const struct cot_customer *customer)
{
    return (float)exp(customer->price_level);
}

float cot_feature_price_paid(const struct cot_customer *customer)
{
    return (float)exp(customer->price_paid);
}

float cot_feature_unit_price_average(const struct cot_customer *customer)
{
    return cot_feature_ratio((double)customer->fold->gross_minor / customer->minor_per_unit, customer->fold->units);
}

float cot_feature_weekend_share(const struct cot_customer *customer)
{
    const uint32_t *orders = customer->fold->weekday_orders;
    return cot_feature_ratio((double)orders[5] + orders[6], n_orders(customer));
}

/* Earliest in the week where days are equal. */
static unsigned weekday_top(const struct cot_fold *fold)
{
    unsigned top = 0;
    for (unsigned day = 1; day < COT_N_WEEKDAYS; day++)
        if (fold->weekday_orders[day] > fold->weekday_orders[top])
            top = day;
    return top;
}

float cot_feature_weekday_main(const struct cot_customer *customer)
{
    return customer->fold->n_orders >= 3 ? (float)weekday_top(customer->fold) : NAN;
}

float cot_feature_weekday_concentration(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    return fold->n_orders >= 3 ? cot_feature_ratio(fold->weekday_orders[weekday_top(fold)], n_orders(customer)) : NAN;
}

struct clock_mean {
    double n;
    double x, y; /* of the mean vector: x to midnight, y to 6 o'clock */
};

/* Hours on the clock's circle, each at its middle. */
static struct clock_mean clock_mean_of(const struct cot_fold *fold)
{
    struct clock_mean mean = {0};
    for (unsigned hour = 0; hour < COT_N_HOURS; hour++) {
        double weight = fold->hour_orders[hour];
        double angle = (hour + 0.5) * (2 * M_PI / COT_N_HOURS);
        mean.n += weight;
        mean.x += weight * cos(angle);
        mean.y += weight * sin(angle);
    }
    if (mean.n > 0) {
        mean.x /= mean.n;
        mean.y /= mean.n;
    }
    return mean;
}

float cot_feature_hour_concentration(const struct cot_customer *customer)
{
    struct clock_mean mean = clock_mean_of(customer->fold);
    return mean.n >= 2 ? (float)sqrt(mean.x * mean.x + mean.y * mean.y) : NAN;
}

float cot_feature_hour_main(const struct cot_customer *customer)
{
    struct clock_mean mean = clock_mean_of(customer->fold);
    if (mean.n < 1 || mean.x * mean.x + mean.y * mean.y < 1e-12) /* spread evenly: no typical hour */
        return NAN;
    double hour = atan2(mean.y, mean.x) * (COT_N_HOURS / (2 * M_PI));
    int part = (int)floor((hour < 0 ? hour + COT_N_HOURS : hour) / 6);
    return (float)(part % COT_N_DAY_PARTS);
}

/* Share of the orders that have a time of day. */
static float hour_share(const struct cot_fold *fold, unsigned from, unsigned to)
{
    double within = 0;
    double all = 0;
    for (unsigned hour = 0; hour < COT_N_HOURS; hour++) {
        all += fold->hour_orders[hour];
        within += hour >= from && hour < to ? fold->hour_orders[hour] : 0;
    }
    return cot_feature_ratio(within, all);
}

float cot_feature_morning_share(const struct cot_customer *customer)
{
    return hour_share(customer->fold, 6, 12);
}

float cot_feature_evening_share(const struct cot_customer *customer)
{
    return hour_share(customer->fold, 18, 24);
}

float cot_feature_night_share(const struct cot_customer *customer)
{
    return hour_share(customer->fold, 0, 6);
}

float cot_feature_repeat_item_share(const struct cot_customer *customer)
{
    double n = customer->n_item_orders;
    return cot_feature_ratio(n - (double)customer->fold->n_items, n);
}

float cot_feature_new_item_share_90d(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_items_new, customer->n_items_recent);
}

float cot_feature_spend_30d(const struct cot_customer *customer)
{
    return spend_of(customer, COT_WINDOW_30);
}

float cot_feature_spend_90d(const struct cot_customer *customer)
{
    return spend_of(customer, COT_WINDOW_90);
}

float cot_feature_spend_365d(const struct cot_customer *customer)
{
    return spend_of(customer, COT_WINDOW_365);
}

float cot_feature_orders_30d(const struct cot_customer *customer)
{
    return orders_of(customer, COT_WINDOW_30);
}

float cot_feature_orders_90d(const struct cot_customer *customer)
{
    return orders_of(customer, COT_WINDOW_90);
}

float cot_feature_orders_365d(const struct cot_customer *customer)
{
    return orders_of(customer, COT_WINDOW_365);
}

float cot_feature_spend_trend_90d(const struct cot_customer *customer)
{
    double now = (double)customer->spend_minor[COT_WINDOW_90];
    double before = (double)customer->spend_minor[COT_WINDOW_180] - now;
    return cot_feature_ratio(now - before, fabs(now) + fabs(before));
}

/* Of the orders whose channel is known. */
static float channel_share(const struct cot_customer *customer, enum cot_channel channel)
{
    const struct cot_fold *fold = customer->fold;
    return cot_feature_ratio(fold->channel_orders[channel],
                             n_orders(customer) - fold->channel_orders[COT_CHANNEL_UNKNOWN]);
}

float cot_feature_channel_web_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_WEB);
}

float cot_feature_channel_app_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_APP);
}

float cot_feature_channel_store_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_STORE);
}

float cot_feature_channel_phone_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_PHONE);
}

float cot_feature_channel_catalog_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_CATALOG);
}

float cot_feature_channel_marketplace_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_MARKETPLACE);
}

float cot_feature_channel_social_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_SOCIAL);
}

float cot_feature_channel_email_share(const struct cot_customer *customer)
{
    return channel_share(customer, COT_CHANNEL_EMAIL);
}

float cot_feature_channel_count(const struct cot_customer *customer)
{
    unsigned n = 0;
    for (unsigned channel = COT_CHANNEL_UNKNOWN + 1; channel < COT_N_CHANNELS; channel++)
        n += customer->fold->channel_orders[channel] > 0;
    return n > 0 ? (float)n : NAN;
}

float cot_feature_channel_main(const struct cot_customer *customer)
{
    unsigned top = COT_CHANNEL_UNKNOWN + 1;
    for (unsigned channel = top + 1; channel < COT_N_CHANNELS; channel++)
        if (customer->fold->channel_orders[channel] > customer->fold->channel_orders[top])
            top = channel;
    return customer->fold->channel_orders[top] > 0 ? (float)top : NAN;
}
