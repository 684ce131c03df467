/*
 * The table of features. Adding one is adding its row here and its function, float cot_feature_NAME(customer), in the
 * feature_*.c of its group. Money is in major units of the base currency, net of refunds unless it says otherwise.
 */
#ifndef COT_DOMAIN_FEATURE_CATALOGUE_H
#define COT_DOMAIN_FEATURE_CATALOGUE_H

#include "domain/feature.h"
#include "domain/feature_summary.h"

/* name, title, unit, transform, labels, trait role, description */
#define COT_PURCHASE_FEATURES(X)                                                                                       \
    X(recency_days, "Days since last order", "days", LOG1P, NONE, OTHER, "Days from the last order to now")            \
    X(frequency, "Orders", "orders", LOG1P, NONE, OTHER, "Number of orders ever")                                      \
    X(monetary_total, "Total spend", "money", SIGNED_LOG1P, NONE, OTHER,                                               \
      "Revenue ever: after discount, without tax and shipping, net of refunds")                                        \
    X(monetary_average, "Average order value", "money", LOG1P, NONE, OTHER, "Mean value of an order before refunds")   \
    X(order_value_cv, "Spread of order values", "ratio", LOG1P, NONE, OTHER,                                           \
      "Standard deviation of order values over their mean (two orders or more)")                                       \
    X(margin_total, "Margin", "money", SIGNED_LOG1P, NONE, OTHER,                                                      \
      "Revenue less cost, over the lines whose cost is known")                                                         \
    X(margin_rate, "Margin rate", "ratio", NONE, NONE, OTHER,                                                          \
      "Margin over the revenue of the lines whose cost is known")                                                      \
    X(tenure_days, "Days since first order", "days", LOG1P, NONE, OTHER, "Days from the first order to now")           \
    X(active_month_share, "Months with an order", "share", ARCSINE_SQRT, NONE, OTHER,                                  \
      "Share of the calendar months since the first order that have one")                                              \
    X(interpurchase_days, "Days between orders", "days", LOG1P, NONE, OTHER, "Mean gap between days with an order")    \
    X(interpurchase_cv, "Spread of gaps", "ratio", LOG1P, NONE, OTHER,                                                 \
      "Standard deviation of the gaps between order days over their mean (two gaps or more)")                          \
    X(interpurchase_regularity, "Regularity", "index", LOG1P, NONE, OTHER,                                             \
      "Shape of the gaps' gamma distribution (Wheat and Morrison): 1 random, more is clockwork, up to 20")             \
    X(overdue_ratio, "Overdue", "ratio", LOG1P, NONE, OTHER, "Days since the last order over the mean gap")            \
    X(second_order_days, "Days to second order", "days", LOG1P, NONE, OTHER,                                           \
      "Days from the first order to the second")                                                                       \
    X(basket_units, "Units per order", "units", LOG1P, NONE, OTHER, "Mean number of units in an order")                \
    X(basket_lines, "Lines per order", "lines", LOG1P, NONE, OTHER, "Mean number of lines in an order")                \
    X(basket_items, "Distinct items per order", "items", LOG1P, NONE, OTHER,                                           \
      "Mean number of distinct items in an order")                                                                     \
    X(distinct_items, "Distinct items", "items", LOG1P, NONE, OTHER, "Number of distinct items ever bought")           \
    X(discount_share, "Discount share", "share", ARCSINE_SQRT, NONE, OTHER,                                            \
      "Discount over price before discount, where the source gives discounts")                                         \
    X(discounted_order_share, "Orders with discount", "share", ARCSINE_SQRT, NONE, OTHER,                              \
      "Share of orders with a discount, where the source gives discounts")                                             \
    X(return_rate, "Return rate", "share", ARCSINE_SQRT, NONE, OTHER, "Share of the units bought that came back")      \
    X(returned_order_share, "Orders with a return", "share", ARCSINE_SQRT, NONE, OTHER,                                \
      "Share of orders of which something came back")                                                                  \
    X(refund_share, "Refunded share", "ratio", LOG1P, NONE, OTHER, "Money refunded over money spent before refunds")   \
    X(category_count, "Categories bought", "categories", LOG1P, NONE, OTHER, "Number of distinct product categories")  \
    X(category_entropy, "Variety of categories", "nats", NONE, NONE, OTHER,                                            \
      "Shannon entropy of the order lines over product categories")                                                    \
    X(category_top_share, "Share of main category", "share", ARCSINE_SQRT, NONE, OTHER,                                \
      "Share of order lines in the category bought most")                                                              \
    X(category_main, "Main category", "category", CATEGORY, CATEGORY, OTHER, "The category with the most order lines") \
    X(item_top_share, "Share of main item", "share", ARCSINE_SQRT, NONE, OTHER,                                        \
      "Share of order lines of the item bought most")                                                                  \
    X(brand_top_share, "Share of main brand", "share", ARCSINE_SQRT, NONE, OTHER,                                      \
      "Share of order lines of the brand bought most")                                                                 \
    X(brand_main, "Main brand", "category", CATEGORY, BRAND, OTHER, "The brand with the most order lines")             \
    X(price_level, "Price level", "ratio", NONE, NONE, OTHER,                                                          \
      "Geometric mean, over order lines, of the item's median price over its category's: above 1 buys the dear ones")  \
    X(price_paid, "Price paid", "ratio", NONE, NONE, OTHER,                                                            \
      "Geometric mean, over order lines, of the unit price paid over the item's median: below 1 buys cheap or in "     \
      "bulk")                                                                                                          \
    X(unit_price_average, "Average unit price", "money", LOG1P, NONE, OTHER,                                           \
      "Money spent over units bought, before refunds")                                                                 \
    X(weekend_share, "Weekend orders", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders on Saturday or Sunday")    \
    X(weekday_main, "Main weekday", "category", CATEGORY, WEEKDAY, OTHER,                                              \
      "Weekday with the most orders (three or more orders)")                                                           \
    X(weekday_concentration, "Weekday habit", "share", ARCSINE_SQRT, NONE, OTHER,                                      \
      "Share of orders on the main weekday (three or more orders)")                                                    \
    X(hour_concentration, "Hour habit", "share", ARCSINE_SQRT, NONE, OTHER,                                            \
      "Length of the mean vector of order hours on the clock: 1 always the same hour (two or more orders with a "      \
      "time)")                                                                                                         \
    X(hour_main, "Typical part of day", "category", CATEGORY, DAY_PART, OTHER,                                         \
      "Part of the day of the mean order hour on the clock")                                                           \
    X(morning_share, "Morning orders", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders from 6 to 12 o'clock")     \
    X(evening_share, "Evening orders", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders from 18 to 24 o'clock")    \
    X(night_share, "Night orders", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders from 0 to 6 o'clock")          \
    X(repeat_item_share, "Repeat purchases", "share", ARCSINE_SQRT, NONE, OTHER,                                       \
      "Share of item purchases that repeat an item of an earlier order")                                               \
    X(new_item_share_90d, "New items, 90 days", "share", ARCSINE_SQRT, NONE, OTHER,                                    \
      "Share of the items of the last 90 days that were never bought before")                                          \
    X(spend_30d, "Spend, 30 days", "money", SIGNED_LOG1P, NONE, OTHER, "Revenue net of refunds in the last 30 days")   \
    X(spend_90d, "Spend, 90 days", "money", SIGNED_LOG1P, NONE, OTHER, "Revenue net of refunds in the last 90 days")   \
    X(spend_365d, "Spend, 365 days", "money", SIGNED_LOG1P, NONE, OTHER,                                               \
      "Revenue net of refunds in the last 365 days")                                                                   \
    X(orders_30d, "Orders, 30 days", "orders", LOG1P, NONE, OTHER, "Orders in the last 30 days")                       \
    X(orders_90d, "Orders, 90 days", "orders", LOG1P, NONE, OTHER, "Orders in the last 90 days")                       \
    X(orders_365d, "Orders, 365 days", "orders", LOG1P, NONE, OTHER, "Orders in the last 365 days")                    \
    X(spend_trend_90d, "Spend trend", "index", NONE, NONE, OTHER,                                                      \
      "Spend of the last 90 days against the 90 before: (new - old) / (|new| + |old|), -1 to 1")

#define COT_ENGAGEMENT_FEATURES(X)                                                                                     \
    X(visit_recency_days, "Days since last visit", "days", LOG1P, NONE, OTHER, "Days from the last visit to now")      \
    X(sessions_7d, "Visits, 7 days", "sessions", LOG1P, NONE, OTHER, "Sessions begun in the last 7 days")              \
    X(sessions_30d, "Visits, 30 days", "sessions", LOG1P, NONE, OTHER, "Sessions begun in the last 30 days")           \
    X(sessions_90d, "Visits, 90 days", "sessions", LOG1P, NONE, OTHER, "Sessions begun in the last 90 days")           \
    X(sessions_total, "Visits", "sessions", LOG1P, NONE, OTHER, "Sessions ever")                                       \
    X(session_trend_30d, "Visit trend", "index", NONE, NONE, OTHER,                                                    \
      "Sessions of the last 30 days against the 30 before: (new - old) / (new + old), -1 to 1")                        \
    X(session_events, "Events per visit", "events", LOG1P, NONE, OTHER, "Mean number of events in a session")          \
    X(orders_per_session, "Orders per visit", "ratio", LOG1P, NONE, OTHER, "Orders ever over sessions ever")           \
    X(views_7d, "Page views, 7 days", "views", LOG1P, NONE, OTHER, "Page, list and product views in the last 7 days")  \
    X(views_30d, "Page views, 30 days", "views", LOG1P, NONE, OTHER,                                                   \
      "Page, list and product views in the last 30 days")                                                              \
    X(views_90d, "Page views, 90 days", "views", LOG1P, NONE, OTHER,                                                   \
      "Page, list and product views in the last 90 days")                                                              \
    X(carts_30d, "Cart additions, 30 days", "events", LOG1P, NONE, OTHER, "Additions to the cart in the last 30 days") \
    X(carts_90d, "Cart additions, 90 days", "events", LOG1P, NONE, OTHER, "Additions to the cart in the last 90 days") \
    X(cart_abandon_rate, "Abandoned carts", "share", ARCSINE_SQRT, NONE, OTHER,                                        \
      "Share of sessions with a cart that no order followed within a day")                                             \
    X(searches_30d, "Searches, 30 days", "events", LOG1P, NONE, OTHER, "Searches in the last 30 days")                 \
    X(searches_90d, "Searches, 90 days", "events", LOG1P, NONE, OTHER, "Searches in the last 90 days")                 \
    X(wishes_90d, "Wishes and reviews, 90 days", "events", LOG1P, NONE, OTHER,                                         \
      "Wishlist additions and reviews in the last 90 days")                                                            \
    X(emails_sent_90d, "E-mails sent, 90 days", "e-mails", LOG1P, NONE, OTHER, "E-mails sent in the last 90 days")     \
    X(email_opens_30d, "E-mail opens, 30 days", "events", LOG1P, NONE, OTHER, "E-mail opens in the last 30 days")      \
    X(email_opens_90d, "E-mail opens, 90 days", "events", LOG1P, NONE, OTHER, "E-mail opens in the last 90 days")      \
    X(email_clicks_90d, "E-mail clicks, 90 days", "events", LOG1P, NONE, OTHER, "E-mail clicks in the last 90 days")   \
    X(email_open_rate, "E-mail open rate", "share", ARCSINE_SQRT, NONE, OTHER,                                         \
      "Share of e-mails sent that were opened")                                                                        \
    X(email_click_rate, "E-mail click rate", "share", ARCSINE_SQRT, NONE, OTHER,                                       \
      "Share of e-mails sent that were clicked")                                                                       \
    X(campaign_response_rate, "Campaign response", "share", ARCSINE_SQRT, NONE, OTHER,                                 \
      "Share of campaigns and e-mails sent that were answered by a response or a coupon")                              \
    X(responses_total, "Campaign responses", "events", LOG1P, NONE, OTHER,                                             \
      "Campaign responses and coupons redeemed, ever")                                                                 \
    X(unsubscribed, "Unsubscribed", "yes/no", NONE, NONE, OTHER, "1 where the customer ever unsubscribed, else 0")     \
    X(contacts_90d, "Calls and store visits, 90 days", "events", LOG1P, NONE, OTHER,                                   \
      "Calls and store visits in the last 90 days")                                                                    \
    X(complaints_365d, "Complaints, 365 days", "events", LOG1P, NONE, OTHER, "Complaints in the last 365 days")

#define COT_DEMOGRAPHIC_FEATURES(X)                                                                                    \
    X(country, "Country", "category", CATEGORY, TRAIT, COUNTRY, "Country as last stated")                              \
    X(age_years, "Age", "years", NONE, NONE, AGE, "Age now, from age, birth date or birth year")                       \
    X(age_band, "Age band", "category", CATEGORY, TRAIT, AGE_BAND, "Age band as stated, else from the age")            \
    X(income, "Income", "money", LOG1P, NONE, INCOME, "Income as last stated")                                         \
    X(income_band, "Income band", "category", CATEGORY, TRAIT, INCOME_BAND,                                            \
      "Income band as stated, else from the income")                                                                   \
    X(household_size, "Household size", "persons", LOG1P, NONE, HOUSEHOLD, "Persons in the household")

#define COT_CHANNEL_FEATURES(X)                                                                                        \
    X(channel_web_share, "Orders on the web", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders on the web")        \
    X(channel_app_share, "Orders in the app", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders in the app")        \
    X(channel_store_share, "Orders in the store", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders in the store")  \
    X(channel_phone_share, "Orders by phone", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders by phone")          \
    X(channel_catalog_share, "Catalog orders", "share", ARCSINE_SQRT, NONE, OTHER, "Share of orders from the catalog") \
    X(channel_marketplace_share, "Marketplace orders", "share", ARCSINE_SQRT, NONE, OTHER,                             \
      "Share of orders on marketplaces")                                                                               \
    X(channel_social_share, "Orders through social media", "share", ARCSINE_SQRT, NONE, OTHER,                         \
      "Share of orders through social media")                                                                          \
    X(channel_email_share, "Orders through e-mail", "share", ARCSINE_SQRT, NONE, OTHER,                                \
      "Share of orders through e-mail")                                                                                \
    X(channel_count, "Channels used", "channels", LOG1P, NONE, OTHER, "Distinct channels with an order")               \
    X(channel_main, "Main channel", "category", CATEGORY, CHANNEL, OTHER, "Channel with the most orders")

/* By the newest run of predictions that was made by then (prediction.h); those of three horizons, one question each. */
#define COT_PREDICTION_HORIZON(X, days)                                                                                \
    X(predicted_spend_##days##d, "Predicted spend, " #days " days", "money", SIGNED_LOG1P, NONE, OTHER,                \
      "Spend expected within " #days " days of the newest prediction, less what is given back")                        \
    X(predicted_orders_##days##d, "Predicted orders, " #days " days", "orders", LOG1P, NONE, OTHER,                    \
      "Days with an order expected within " #days " days of the newest prediction")                                    \
    X(predicted_churn_##days##d, "Predicted churn, " #days " days", "share", ARCSINE_SQRT, NONE, OTHER,                \
      "Probability of no order within " #days " days of the newest prediction")

#define COT_PREDICTION_FEATURES(X)                                                                                     \
    COT_PREDICTION_HORIZON(X, 30)                                                                                      \
    COT_PREDICTION_HORIZON(X, 90)                                                                                      \
    COT_PREDICTION_HORIZON(X, 365)                                                                                     \
    X(predicted_next_order_days, "Days to predicted order", "days", SIGNED_LOG1P, NONE, OTHER,                         \
      "Days from now until an order has come with a chance of a half, by the newest prediction; below 0 where that "   \
      "day has gone by, missing where one has come since")                                                             \
    X(value_tier, "Value tier", "category", CATEGORY, VALUE_TIER, OTHER,                                               \
      "A, B, C or D: place among all by predicted spend within the longest tested horizon (10, 20, 30 and 40% of "     \
      "them)")

#define X(name, title, unit, transform, labels, role, description)                                                     \
    float cot_feature_##name(const struct cot_customer *customer);
COT_PURCHASE_FEATURES(X)
COT_ENGAGEMENT_FEATURES(X)
COT_DEMOGRAPHIC_FEATURES(X)
COT_CHANNEL_FEATURES(X)
COT_PREDICTION_FEATURES(X)
#undef X

/* n / of, NaN where there is nothing to divide by. */
static inline float cot_feature_ratio(double n, double of)
{
    return of > 0 ? (float)(n / of) : __builtin_nanf("");
}

/* Parts of the day, six hours each. */
enum { COT_N_DAY_PARTS = 4 };
extern const char *const cot_day_part_names[COT_N_DAY_PARTS];
extern const char *const cot_weekday_names[COT_N_WEEKDAYS];

#endif
