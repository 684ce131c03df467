/*
 * Orders as documents with their lines inside, as shops' APIs give them: Shopify's and WooCommerce's REST orders, and
 * any JSON of the kind {"order_id", "customer_id", "date", "items": [{"sku", "quantity", "price"}, ...]}. The reader
 * gives a row a line, whose own columns begin with "[]" here.
 *
 * Revenue of a line is what the line says of its amount after discounts ("total", "amount"); else price x quantity less
 * its own discount and its part of the order's, as in Shopify's export (shopify_orders.c).
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {
    {COT_NAMES_CUSTOMER, COT_FIELD_CUSTOMER_ID, false},
    {COT_NAMES_EMAIL, COT_FIELD_EMAIL, false},
    {COT_NAMES_PHONE, COT_FIELD_PHONE, false},
    {COT_NAMES_ANONYMOUS, COT_FIELD_ANONYMOUS_ID, false},
    {"order_id|order_number|order_no|number|order|invoice_id|invoice_number|transaction_id|receipt_id|id|name",
     COT_FIELD_ORDER_ID, true},
    {COT_NAMES_ORDER_DATE, COT_FIELD_OCCURRED_AT, true},
    {"recorded_at|updated_at|date_modified_gmt|date_modified|modified_at", COT_FIELD_RECORDED_AT, false},
    {"financial_status|payment_status|order_status|status", COT_FIELD_STATUS, false},
    {"cancelled_at|canceled_at", COT_FIELD_CANCELLED_AT, false},
    {"current_subtotal_price|subtotal_price", COT_FIELD_ORDER_SUBTOTAL, false},
    {"total_discounts|discount_total|total_discount|discount_amount|order_discount|discount", COT_FIELD_ORDER_DISCOUNT,
     false},
    {"total_tax|tax_total|tax_amount|tax|taxes|vat", COT_FIELD_TAX, false},
    {"total_shipping_price_set_shop_money_amount|shipping_total|shipping_amount|shipping_cost|shipping",
     COT_FIELD_SHIPPING, false},
    {"total_price|order_total|grand_total|total_amount|total", COT_FIELD_TOTAL, false},
    {"refunded_amount|total_refunded|amount_refunded|refund_amount", COT_FIELD_REFUNDED_AMOUNT, false},
    {COT_NAMES_CURRENCY, COT_FIELD_CURRENCY, false},
    {COT_NAMES_CHANNEL "|source_name", COT_FIELD_CHANNEL, false},
    {"coupon_code|coupon|discount_code|voucher_code", COT_FIELD_COUPON, false},
    {"buyer_accepts_marketing|accepts_marketing", COT_FIELD_ACCEPTS_MARKETING, false},
    {"country|country_code", COT_FIELD_TRAIT, false},
    {"[]sku|[]product_id|[]product_code|[]product|[]item_id|[]item|[]article_id|[]variant_id|[]id",
     COT_FIELD_PRODUCT_ID, false},
    {"[]name|[]title|[]product_name|[]product_title|[]description", COT_FIELD_PRODUCT_NAME, false},
    {"[]category|[]product_type|[]product_category", COT_FIELD_CATEGORY, false},
    {"[]vendor|[]brand", COT_FIELD_BRAND, false},
    {"[]quantity|[]qty|[]units|[]count", COT_FIELD_QUANTITY, false},
    {"[]total|[]amount|[]line_total|[]net_amount|[]revenue|[]total_price", COT_FIELD_AMOUNT, false},
    {"[]price|[]unit_price|[]item_price|[]price_amount|[]unit_amount", COT_FIELD_UNIT_PRICE, false},
    {"[]total_discount|[]discount|[]discount_amount", COT_FIELD_DISCOUNT, false},
    {"[]unit_cost|[]cost_price", COT_FIELD_UNIT_COST, false},
    {"[]cost|[]line_cost", COT_FIELD_COST, false},
    {NULL, COT_FIELD_NONE, false}};

/* WooCommerce writes 0 where nobody was logged in. */
static void decode_document(struct cot_decoder *d)
{
    for (size_t i = 0; i < d->group.n_rows; i++) {
        struct cot_text *user = &d->group.rows[i].fields[COT_FIELD_CUSTOMER_ID];
        if (cot_text_is(*user, "0"))
            *user = (struct cot_text){0};
    }
    cot_decode_order_group(d);
}

const struct cot_connector cot_connector_order_documents = {
    .name = "order_documents",
    .title = "orders with their lines inside (JSON)",
    .kind = COT_KIND_ORDERS,
    .description = "One document an order, as the APIs of Shopify and WooCommerce give it. Revenue of a line is its "
                   "total after discounts, or price x quantity less discounts (the order's shared out over its lines), "
                   "without tax and shipping. A later version of the same order replaces it.",
    .columns = columns,
    .one_of = "unit_price|amount",
    .assumed_purposes = "service,analytics,personalisation",
    .has_natural_key = true,
    .is_grouped = true,
    .decode = decode_document};
