/*
 * WooCommerce order exports. Three common ones:
 *
 *   lines      "Advanced Order Export For WooCommerce" (default headers): Order Number, Order Status, Order Date, Email
 *              (Billing), Phone (Billing), Cart Discount Amount, Order Subtotal Amount, Order Shipping Amount, Order
 *              Total Amount, Order Total Tax Amount, SKU, Item #, Item Name, Quantity (- Refund), Item Cost, Coupon
 * Code. One row an item; fields of the order in every row or in the first. "Quantity (- Refund)" is already net of what
 * was given back, so partial refunds need no event of their own. orders     "Order Export & Order Import" and its like:
 * order_number or order_id, order_date, status, order_total, shipping_total, tax_total, order_currency, customer_id or
 * customer_user, billing_email. One row an order. analytics  WooCommerce's own Analytics > Orders: Date, Order #, N.
 * Revenue, Status, Customer, Product(s), Items sold, Coupon(s). One row an order; N(et) revenue is after discounts and
 * refunds, without tax and shipping.
 *
 * Pending, failed and draft orders are no sales and go to quarantine; cancelled ones are a sale and its refund.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column line_columns[] = {
    {"order_number|order_id", COT_FIELD_ORDER_ID, true},
    {"order_status", COT_FIELD_STATUS, true},
    {"order_date", COT_FIELD_OCCURRED_AT, true},
    {"email_billing|billing_email|email_address_billing", COT_FIELD_EMAIL, false},
    {"customer_user_id|customer_id|user_id", COT_FIELD_CUSTOMER_ID, false},
    {"phone_billing|billing_phone", COT_FIELD_PHONE, false},
    {"cart_discount_amount|cart_discount|order_discount_amount", COT_FIELD_ORDER_DISCOUNT, false},
    {"order_shipping_amount|order_shipping", COT_FIELD_SHIPPING, false},
    {"order_total_tax_amount|order_tax_amount", COT_FIELD_TAX, false},
    {"order_currency|currency", COT_FIELD_CURRENCY, false},
    {"sku|product_sku|item_sku", COT_FIELD_PRODUCT_ID, false},
    {"item_name|product_name", COT_FIELD_PRODUCT_NAME, true},
    {"quantity_refund|quantity|item_quantity|qty", COT_FIELD_QUANTITY, true},
    {"item_cost|item_price|product_price", COT_FIELD_UNIT_PRICE, true},
    {"coupon_code|coupon_codes", COT_FIELD_COUPON, false},
    {"category|product_categories|item_category", COT_FIELD_CATEGORY, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_woocommerce_lines = {
    .name = "woocommerce_lines",
    .title = "WooCommerce order lines (Advanced Order Export)",
    .kind = COT_KIND_ORDERS,
    .description =
        "One row an item. Revenue is Item Cost x Quantity less the cart discount, shared out over the lines, "
        "without tax and shipping. A later export of the same order replaces it.",
    .columns = line_columns,
    .one_of = "email|customer_id|phone",
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation",
    .has_natural_key = true,
    .is_grouped = true,
    .decode = cot_decode_order_group};

static const struct cot_connector_column order_columns[] = {
    {"order_number|order_id", COT_FIELD_ORDER_ID, true},
    {"order_date|date_created", COT_FIELD_OCCURRED_AT, true},
    {"status|order_status", COT_FIELD_STATUS, true},
    {"order_total", COT_FIELD_TOTAL, true},
    {"shipping_total|order_shipping", COT_FIELD_SHIPPING, true},
    {"tax_total|order_tax|total_tax", COT_FIELD_TAX, false},
    {"order_currency|currency", COT_FIELD_CURRENCY, false},
    {"discount_total|cart_discount", COT_FIELD_DISCOUNT, false},
    {"customer_id|customer_user|user_id", COT_FIELD_CUSTOMER_ID, false},
    {"billing_email|customer_email", COT_FIELD_EMAIL, true},
    {"billing_phone", COT_FIELD_PHONE, false},
    {"refunded_total|total_refunded|refund_amount", COT_FIELD_REFUNDED_AMOUNT, false},
    {"coupon_codes|coupon_code|coupons", COT_FIELD_COUPON, false},
    {"billing_country", COT_FIELD_TRAIT, false},
    {NULL, COT_FIELD_NONE, false}};

static void guest_has_no_id(struct cot_decoder *d, struct cot_record *record)
{
    (void)d; /* WooCommerce writes 0 where nobody was logged in */
    if (cot_text_is(record->user, "0"))
        record->user = (struct cot_text){0};
}

const struct cot_connector cot_connector_woocommerce_orders = {
    .name = "woocommerce_orders",
    .title = "WooCommerce orders",
    .kind = COT_KIND_ORDERS,
    .description = "One row an order. Revenue is the total less tax and shipping.",
    .columns = order_columns,
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation",
    .has_natural_key = true,
    .decode = cot_decode_order_row,
    .adjust = guest_has_no_id};

static const struct cot_connector_column analytics_columns[] = {
    {"date", COT_FIELD_OCCURRED_AT, true},
    {"order|order_number", COT_FIELD_ORDER_ID, true},
    {"n_revenue|net_revenue|net_sales|n_sales", COT_FIELD_AMOUNT, true},
    {"status", COT_FIELD_STATUS, true},
    {"customer", COT_FIELD_CUSTOMER_ID, true},
    {"items_sold", COT_FIELD_QUANTITY, true},
    {"coupons", COT_FIELD_COUPON, false},
    {NULL, COT_FIELD_NONE, false}};

/* Its net revenue has the refunds taken off already: the status adds none. */
static void decode_analytics(struct cot_decoder *d)
{
    cot_decode_order_row(d);
    if (d->rejected)
        return;
    while (d->records->n_records > d->first_record + 1 &&
           cot_text_is_any(cot_decode_text(d, COT_FIELD_STATUS), "refunded|wc-refunded"))
        d->records->n_records--;
}

const struct cot_connector cot_connector_woocommerce_analytics = {
    .name = "woocommerce_analytics",
    .title = "WooCommerce Analytics orders",
    .kind = COT_KIND_ORDERS,
    .description = "One row an order. Revenue is the net revenue as WooCommerce counts it; customers are known by name "
                   "only.",
    .columns = analytics_columns,
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation",
    .has_natural_key = true,
    .decode = decode_analytics};
