/*
 * Events of any source, by the usual names; among them Segment's raw track/page/identify calls as JSON lines (fields
 * under "properties." are found) and Google Analytics' flat exports.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {
    {"event_id|message_id|hit_id|uuid", COT_FIELD_EVENT_ID, false},
    {COT_NAMES_CUSTOMER, COT_FIELD_CUSTOMER_ID, false},
    {COT_NAMES_EMAIL, COT_FIELD_EMAIL, false},
    {COT_NAMES_PHONE, COT_FIELD_PHONE, false},
    {COT_NAMES_LOYALTY, COT_FIELD_LOYALTY_CARD, false},
    {COT_NAMES_ANONYMOUS, COT_FIELD_ANONYMOUS_ID, false},
    {"event|event_name|event_type|action|activity|interaction|interaction_type|behavior|behaviour|behavior_type",
     COT_FIELD_EVENT, true},
    {"occurred_at|event_time|event_timestamp|timestamp|original_timestamp|sent_at|time|datetime|date_time|created_at|"
     "event_date|date|ts|received_at",
     COT_FIELD_OCCURRED_AT, true},
    {"recorded_at|received_at|loaded_at|ingested_at", COT_FIELD_RECORDED_AT, false},
    {"session_id|session|visit_id|ga_session_id|user_session", COT_FIELD_SESSION_ID, false},
    {COT_NAMES_PRODUCT, COT_FIELD_PRODUCT_ID, false},
    {"product_name|item_name|product_title", COT_FIELD_PRODUCT_NAME, false},
    {"category|category_code|product_category|category_name|item_category|category_id", COT_FIELD_CATEGORY, false},
    {"brand|item_brand", COT_FIELD_BRAND, false},
    {"order_id|transaction_id|transactionid|checkout_id", COT_FIELD_ORDER_ID, false},
    {"refund_of", COT_FIELD_REFUND_OF, false},
    {"quantity|qty", COT_FIELD_QUANTITY, false},
    {"unit_price|price|item_price", COT_FIELD_UNIT_PRICE, false},
    {"revenue|amount|value", COT_FIELD_AMOUNT, false},
    {"total", COT_FIELD_TOTAL, false},
    {COT_NAMES_CURRENCY, COT_FIELD_CURRENCY, false},
    {COT_NAMES_CHANNEL "|device|context_channel", COT_FIELD_CHANNEL, false},
    {"campaign|campaign_id|campaign_name|utm_campaign|context_campaign_name", COT_FIELD_CAMPAIGN, false},
    {"search_term|query|search_query|search|keyword|q", COT_FIELD_SEARCH_TERM, false},
    {"coupon|coupon_id|coupon_code", COT_FIELD_COUPON, false},
    {"url|page_url|page|path|page_location|context_page_url|link", COT_FIELD_URL, false},
    {"detail|details|label|comment", COT_FIELD_DETAIL, false},
    {"reason", COT_FIELD_REASON, false},
    {NULL, COT_FIELD_NONE, false}};

/* Segment's raw stream has the name of a "track" call in `event`, and in `type` that it is one. */
static void decode(struct cot_decoder *d)
{
    cot_decode_event_row(d);
}

const struct cot_connector cot_connector_events = {
    .name = "events",
    .title = "events",
    .kind = COT_KIND_EVENTS,
    .description =
        "One row an event of a person, known or anonymous: views, cart, search, messages, purchases. Names of "
        "Segment, Google Analytics and common shops are understood; others are kept as custom events. Every other "
        "column is "
        "a property of the event, which rules of segments can ask for.",
    .columns = columns,
    .one_of = "customer_id|email|anonymous_id|phone|loyalty_card|session_id",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .is_generic = true,
    .other_columns_are_properties = true,
    .decode = decode};
