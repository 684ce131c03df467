/* Products, campaigns, who got them and who responded, coupons, redemptions and rates, by the usual names. */
#include "connect/decode.h"
#include "connect/shapes.h"

#define PURPOSES "service,analytics,personalisation,marketing"

static const struct cot_connector_column product_columns[] = {
    {COT_NAMES_PRODUCT "|handle", COT_FIELD_PRODUCT_ID, false},
    {"name|product_name|title|item_name|product_title|description", COT_FIELD_PRODUCT_NAME, false},
    {"category|product_category|department|category_name|product_type|type|product_group", COT_FIELD_CATEGORY, false},
    {"subcategory|sub_category|product_subcategory", COT_FIELD_SUBCATEGORY, false},
    {"brand|vendor|manufacturer", COT_FIELD_BRAND, false},
    {"price|unit_price|list_price|product_price|variant_price|retail_price|sale_price", COT_FIELD_PRICE, false},
    {"cost|unit_cost|product_cost|cost_per_item|cost_price|purchase_price", COT_FIELD_UNIT_COST, false},
    {COT_NAMES_CURRENCY, COT_FIELD_CURRENCY, false},
    {"updated_at|valid_from|as_of", COT_FIELD_OCCURRED_AT, false},
    {"id|code", COT_FIELD_PRODUCT_ID, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_products = {
    .name = "products",
    .title = "products",
    .kind = COT_KIND_PRODUCTS,
    .description = "Catalogue: name, category, brand, price and cost of a product.",
    .columns = product_columns,
    .one_of = "product_id;product_name|category|price|unit_cost|brand",
    .is_generic = true,
    .is_timeless = true,
    .unless = COT_NAMES_CUSTOMER "|" COT_NAMES_EMAIL "|order_id|order_date|event|quantity",
    .decode = cot_decode_product_row};

static const struct cot_connector_column campaign_columns[] = {
    {"campaign_id|campaign|campaign_code", COT_FIELD_CAMPAIGN, true},
    {"name|campaign_name|title|description", COT_FIELD_CAMPAIGN_NAME, false},
    {"type|campaign_type|kind", COT_FIELD_CAMPAIGN_TYPE, false},
    {"channel|medium", COT_FIELD_CHANNEL, false},
    {"start_date|starts_at|start|started_at|from|begin", COT_FIELD_STARTS_AT, false},
    {"end_date|ends_at|end|ended_at|to|until", COT_FIELD_ENDS_AT, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_campaigns = {
    .name = "campaigns",
    .title = "campaigns",
    .kind = COT_KIND_CAMPAIGNS,
    .description = "One row a campaign: name, type, first and last day.",
    .columns = campaign_columns,
    .one_of = "campaign_name|campaign_type|starts_at",
    .is_generic = true,
    .unless = COT_NAMES_CUSTOMER "|" COT_NAMES_EMAIL "|coupon|product_id|event",
    .decode = cot_decode_campaign_row};

#define PEOPLE                                                                                                         \
    {COT_NAMES_CUSTOMER, COT_FIELD_CUSTOMER_ID, false}, {COT_NAMES_EMAIL, COT_FIELD_EMAIL, false},                     \
        {COT_NAMES_PHONE, COT_FIELD_PHONE, false},                                                                     \
    {                                                                                                                  \
        COT_NAMES_ANONYMOUS, COT_FIELD_ANONYMOUS_ID, false                                                             \
    }
#define NAMES_ARM "arm|treatment|treated|test_group|is_control|assignment|experiment_group"

static const struct cot_connector_column target_columns[] = {
    PEOPLE,
    {"campaign_id|campaign|campaign_code|campaign_name", COT_FIELD_CAMPAIGN, true},
    {"channel|medium", COT_FIELD_CHANNEL, false},
    {NAMES_ARM, COT_FIELD_ARM, false},
    {"sent_at|sent_date|date|occurred_at|timestamp|contacted_at|contact_date", COT_FIELD_OCCURRED_AT, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_campaign_targets = {
    .name = "campaign_targets",
    .title = "campaign targets",
    .kind = COT_KIND_RESPONSES,
    .description = "Who received which campaign; without a date at the campaign's start.",
    .columns = target_columns,
    .one_of = "customer_id|email|anonymous_id|phone",
    .assumed_purposes = PURPOSES,
    .is_generic = true,
    .max_columns = 6,
    .unless = "event|event_name|coupon|coupon_code|order_id|response|responded|converted|conversion|product_id",
    .decode = cot_decode_target_row};

static const struct cot_connector_column response_columns[] = {
    PEOPLE,
    {"campaign_id|campaign|campaign_code|campaign_name", COT_FIELD_CAMPAIGN, false},
    {"channel|medium", COT_FIELD_CHANNEL, false},
    {NAMES_ARM, COT_FIELD_ARM, false},
    {"sent_at|sent_date|contacted_at|contact_date", COT_FIELD_SENT_AT, false},
    {"response|responded|converted|conversion|response_flag|clicked|accepted", COT_FIELD_RESPONSE, true},
    {"responded_at|response_date|converted_at", COT_FIELD_RESPONDED_AT, false},
    {"date|occurred_at|timestamp", COT_FIELD_OCCURRED_AT, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_responses = {
    .name = "responses",
    .title = "campaign responses",
    .kind = COT_KIND_RESPONSES,
    .description = "Who responded to which campaign. Without campaign and date the response is an undated trait of the "
                   "customer. Members of a control arm are kept as such.",
    .columns = response_columns,
    .one_of = "customer_id|email|anonymous_id|phone",
    .assumed_purposes = PURPOSES,
    .is_generic = true,
    .max_columns = 9,
    .unless = "event|event_name|order_id|product_id|purpose",
    .decode = cot_decode_response_row};

static const struct cot_connector_column coupon_columns[] = {
    {"coupon|coupon_id|coupon_code|code|coupon_upc|voucher|voucher_code", COT_FIELD_COUPON, true},
    {COT_NAMES_PRODUCT, COT_FIELD_PRODUCT_ID, false},
    {"campaign|campaign_id|campaign_name", COT_FIELD_CAMPAIGN, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_coupons = {.name = "coupons",
                                                    .title = "coupons",
                                                    .kind = COT_KIND_COUPONS,
                                                    .description = "Which coupon is for which product and campaign.",
                                                    .columns = coupon_columns,
                                                    .one_of = "product_id|campaign",
                                                    .is_generic = true,
                                                    .is_timeless = true,
                                                    .unless = COT_NAMES_CUSTOMER "|" COT_NAMES_EMAIL "|order_id",
                                                    .decode = cot_decode_coupon_row};

static const struct cot_connector_column redemption_columns[] = {
    PEOPLE,
    {"coupon|coupon_id|coupon_code|code|coupon_upc|voucher|voucher_code", COT_FIELD_COUPON, true},
    {"redeemed_at|redemption_date|date|occurred_at|timestamp|used_at", COT_FIELD_OCCURRED_AT, true},
    {"campaign|campaign_id|campaign_name", COT_FIELD_CAMPAIGN, false},
    {"order_id|order_number", COT_FIELD_ORDER_ID, false},
    {"channel", COT_FIELD_CHANNEL, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_redemptions = {.name = "redemptions",
                                                        .title = "coupon redemptions",
                                                        .kind = COT_KIND_RESPONSES,
                                                        .description = "Who redeemed which coupon, and when.",
                                                        .columns = redemption_columns,
                                                        .one_of = "customer_id|email|anonymous_id|phone",
                                                        .assumed_purposes = PURPOSES,
                                                        .is_generic = true,
                                                        .max_columns = 8,
                                                        .unless =
                                                            "event|event_name|amount|total|quantity|unit_price|price",
                                                        .decode = cot_decode_redemption_row};

static const struct cot_connector_column rate_columns[] = {
    {"currency|currency_code|code|from|iso_currency", COT_FIELD_CURRENCY, true},
    {"rate|exchange_rate|fx_rate|value", COT_FIELD_RATE, true},
    {"date|day|valid_from|occurred_at|as_of|timestamp", COT_FIELD_OCCURRED_AT, true},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_rates = {
    .name = "rates",
    .title = "exchange rates",
    .kind = COT_KIND_RATES,
    .description = "Units of the shop's base currency for one unit of a currency, from a day on.",
    .columns = rate_columns,
    .is_generic = true,
    .max_columns = 5,
    .unless = COT_NAMES_CUSTOMER "|" COT_NAMES_EMAIL "|" COT_NAMES_PRODUCT "|order_id",
    .decode = cot_decode_rate_row};
