/*
 * Shopify: "Export orders" (one row a line item; fields of the order stand in its first row only) and "Export
 * customers".
 *
 * Revenue of a line is its price times quantity less its own discount and its part of the order's discount, shared out
 * in proportion; the order's Subtotal (after all discounts) is what the lines sum to. Where prices include tax (Total =
 * Subtotal + Shipping) the tax comes off in proportion. Refunded Amount becomes a refund of the order, for the part of
 * the money that was revenue, dated at Cancelled at or else at the order (Shopify does not export when it was given
 * back). Pending and authorised orders count: they were placed.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column order_columns[] = {
    {"name", COT_FIELD_ORDER_ID, true},
    {"email", COT_FIELD_EMAIL, true},
    {"customer_id", COT_FIELD_CUSTOMER_ID, false},
    {"financial_status", COT_FIELD_STATUS, true},
    {"created_at", COT_FIELD_OCCURRED_AT, true},
    {"accepts_marketing|buyer_accepts_marketing", COT_FIELD_ACCEPTS_MARKETING, false},
    {"currency", COT_FIELD_CURRENCY, false},
    {"subtotal", COT_FIELD_ORDER_SUBTOTAL, false},
    {"shipping", COT_FIELD_SHIPPING, false},
    {"taxes", COT_FIELD_TAX, false},
    {"total", COT_FIELD_TOTAL, false},
    {"discount_code", COT_FIELD_COUPON, false},
    {"discount_amount", COT_FIELD_ORDER_DISCOUNT, false},
    {"lineitem_quantity", COT_FIELD_QUANTITY, true},
    {"lineitem_name", COT_FIELD_PRODUCT_NAME, true},
    {"lineitem_price", COT_FIELD_UNIT_PRICE, true},
    {"lineitem_sku", COT_FIELD_PRODUCT_ID, false},
    {"lineitem_discount", COT_FIELD_DISCOUNT, false},
    {"cancelled_at", COT_FIELD_CANCELLED_AT, false},
    {"refunded_amount", COT_FIELD_REFUNDED_AMOUNT, false},
    {"vendor", COT_FIELD_BRAND, false},
    {"source", COT_FIELD_CHANNEL, false},
    {"phone", COT_FIELD_PHONE, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_shopify_orders = {
    .name = "shopify_orders",
    .title = "Shopify order export",
    .kind = COT_KIND_ORDERS,
    .description = "One row a line item. Revenue is price x quantity less discounts (the order's shared out over its "
                   "lines), without tax and shipping. Refunded Amount is a refund of the order. A later export of the "
                   "same order replaces it.",
    .columns = order_columns,
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation",
    .has_natural_key = true,
    .is_grouped = true,
    .decode = cot_decode_order_group};

static const struct cot_connector_column customer_columns[] = {
    {"customer_id|id", COT_FIELD_CUSTOMER_ID, false},
    {"email", COT_FIELD_EMAIL, true},
    {"phone|default_address_phone", COT_FIELD_PHONE, false},
    {"accepts_email_marketing|accepts_marketing", COT_FIELD_ACCEPTS_MARKETING, true},
    {"default_address_country_code|country_code|country", COT_FIELD_TRAIT, false},
    {"total_spent", COT_FIELD_TRAIT, true},
    {"total_orders", COT_FIELD_TRAIT, true},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_shopify_customers = {
    .name = "shopify_customers",
    .title = "Shopify customer export",
    .kind = COT_KIND_CUSTOMERS,
    .description = "One row a customer, known by e-mail (and id where exported). Other columns are traits, undated.",
    .columns = customer_columns,
    .assumed_purposes = "service,analytics,personalisation",
    .is_timeless = true,
    .other_columns_are_traits = true,
    .decode = cot_decode_customer_row};
