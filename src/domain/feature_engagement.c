/* Values of the engagement and demographic features: each documented by its row in feature_catalogue.h. */
#include <math.h>

#include "domain/feature_catalogue.h"

static bool shop_has_any(const struct cot_customer *customer, enum cot_event_group group)
{
#define X(kind, number, name, kind_group)                                                                              \
    if ((kind_group) == group && cot_customer_shop_has(customer, kind))                                                \
        return true;
    COT_EVENT_KINDS(X)
#undef X
    return false;
}

/* A count is missing where nobody in the shop ever did such a thing: the shop doesn't record it. */
static float count_of(const struct cot_customer *customer, bool recorded, enum cot_activity activity,
                      enum cot_window window)
{
    return recorded ? (float)customer->counts[activity][window] : NAN;
}

static float sessions_of(const struct cot_customer *customer, enum cot_window window)
{
    return count_of(customer, shop_has_any(customer, COT_EVENT_GROUP_ENGAGEMENT), COT_ACTIVITY_SESSIONS, window);
}

static float views_of(const struct cot_customer *customer, enum cot_window window)
{
    bool recorded = cot_customer_shop_has(customer, COT_EVENT_PAGE_VIEW) ||
                    cot_customer_shop_has(customer, COT_EVENT_PRODUCT_VIEW) ||
                    cot_customer_shop_has(customer, COT_EVENT_LIST_VIEW);
    return count_of(customer, recorded, COT_ACTIVITY_VIEWS, window);
}

static float kind_of(const struct cot_customer *customer, enum cot_event_kind kind, enum cot_activity activity,
                     enum cot_window window)
{
    return count_of(customer, cot_customer_shop_has(customer, kind), activity, window);
}

float cot_feature_visit_recency_days(const struct cot_customer *customer)
{
    int64_t last_ms = customer->fold->last_visit_ms;
    return last_ms >= 0 ? (float)((double)(customer->as_of_ms - last_ms) / (double)COT_MS_PER_DAY) : NAN;
}

float cot_feature_sessions_7d(const struct cot_customer *customer)
{
    return sessions_of(customer, COT_WINDOW_7);
}

float cot_feature_sessions_30d(const struct cot_customer *customer)
{
    return sessions_of(customer, COT_WINDOW_30);
}

float cot_feature_sessions_90d(const struct cot_customer *customer)
{
    return sessions_of(customer, COT_WINDOW_90);
}

float cot_feature_sessions_total(const struct cot_customer *customer)
{
    return shop_has_any(customer, COT_EVENT_GROUP_ENGAGEMENT) ? (float)customer->fold->n_sessions : NAN;
}

float cot_feature_session_trend_30d(const struct cot_customer *customer)
{
    double now = customer->counts[COT_ACTIVITY_SESSIONS][COT_WINDOW_30];
    double before = (double)customer->counts[COT_ACTIVITY_SESSIONS][COT_WINDOW_60] - now;
    return cot_feature_ratio(now - before, now + before);
}

float cot_feature_session_events(const struct cot_customer *customer)
{
    return cot_feature_ratio((double)customer->n_session_events, (double)customer->fold->n_sessions);
}

float cot_feature_orders_per_session(const struct cot_customer *customer)
{
    return cot_feature_ratio((double)customer->fold->n_orders, (double)customer->fold->n_sessions);
}

float cot_feature_views_7d(const struct cot_customer *customer)
{
    return views_of(customer, COT_WINDOW_7);
}

float cot_feature_views_30d(const struct cot_customer *customer)
{
    return views_of(customer, COT_WINDOW_30);
}

float cot_feature_views_90d(const struct cot_customer *customer)
{
    return views_of(customer, COT_WINDOW_90);
}

float cot_feature_carts_30d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_CART_ADD, COT_ACTIVITY_CARTS, COT_WINDOW_30);
}

float cot_feature_carts_90d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_CART_ADD, COT_ACTIVITY_CARTS, COT_WINDOW_90);
}

float cot_feature_cart_abandon_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_carts_abandoned, customer->n_carts);
}

float cot_feature_searches_30d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_SEARCH, COT_ACTIVITY_SEARCHES, COT_WINDOW_30);
}

float cot_feature_searches_90d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_SEARCH, COT_ACTIVITY_SEARCHES, COT_WINDOW_90);
}

float cot_feature_wishes_90d(const struct cot_customer *customer)
{
    bool recorded =
        cot_customer_shop_has(customer, COT_EVENT_WISHLIST_ADD) || cot_customer_shop_has(customer, COT_EVENT_REVIEW);
    return count_of(customer, recorded, COT_ACTIVITY_WISHES, COT_WINDOW_90);
}

float cot_feature_emails_sent_90d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_EMAIL_SENT, COT_ACTIVITY_SENT, COT_WINDOW_90);
}

float cot_feature_email_opens_30d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_EMAIL_OPEN, COT_ACTIVITY_OPENS, COT_WINDOW_30);
}

float cot_feature_email_opens_90d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_EMAIL_OPEN, COT_ACTIVITY_OPENS, COT_WINDOW_90);
}

float cot_feature_email_clicks_90d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_EMAIL_CLICK, COT_ACTIVITY_CLICKS, COT_WINDOW_90);
}

float cot_feature_email_open_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_emails_opened, customer->n_emails);
}

float cot_feature_email_click_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_emails_clicked, customer->n_emails);
}

float cot_feature_campaign_response_rate(const struct cot_customer *customer)
{
    return cot_feature_ratio(customer->n_messages_responded, customer->n_messages);
}

float cot_feature_responses_total(const struct cot_customer *customer)
{
    const uint32_t *counts = customer->fold->kind_counts;
    bool recorded = cot_customer_shop_has(customer, COT_EVENT_CAMPAIGN_RESPONSE) ||
                    cot_customer_shop_has(customer, COT_EVENT_COUPON_REDEEMED);
    return recorded ? (float)(counts[COT_EVENT_CAMPAIGN_RESPONSE] + counts[COT_EVENT_COUPON_REDEEMED]) : NAN;
}

float cot_feature_unsubscribed(const struct cot_customer *customer)
{
    if (!cot_customer_shop_has(customer, COT_EVENT_UNSUBSCRIBE))
        return NAN;
    return customer->fold->kind_counts[COT_EVENT_UNSUBSCRIBE] > 0 ? 1 : 0;
}

float cot_feature_contacts_90d(const struct cot_customer *customer)
{
    bool recorded =
        cot_customer_shop_has(customer, COT_EVENT_CALL) || cot_customer_shop_has(customer, COT_EVENT_STORE_VISIT);
    return count_of(customer, recorded, COT_ACTIVITY_CONTACTS, COT_WINDOW_90);
}

float cot_feature_complaints_365d(const struct cot_customer *customer)
{
    return kind_of(customer, COT_EVENT_COMPLAINT, COT_ACTIVITY_COMPLAINTS, COT_WINDOW_365);
}

static float code_of(uint32_t code)
{
    return code != COT_DICT_NONE ? (float)code : NAN;
}

float cot_feature_country(const struct cot_customer *customer)
{
    return code_of(customer->profile->country);
}

float cot_feature_age_years(const struct cot_customer *customer)
{
    return customer->profile->age_years;
}

float cot_feature_age_band(const struct cot_customer *customer)
{
    return code_of(customer->profile->age_band);
}

float cot_feature_income(const struct cot_customer *customer)
{
    return customer->profile->income;
}

float cot_feature_income_band(const struct cot_customer *customer)
{
    return code_of(customer->profile->income_band);
}

float cot_feature_household_size(const struct cot_customer *customer)
{
    return customer->profile->household_size;
}
