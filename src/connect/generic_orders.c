/*
 * Orders and transactions of any shop, by the names that their columns usually have; the log of a loyalty card
 * (customer and date alone).
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {
    {COT_NAMES_CUSTOMER, COT_FIELD_CUSTOMER_ID, false},
    {COT_NAMES_EMAIL, COT_FIELD_EMAIL, false},
    {COT_NAMES_PHONE, COT_FIELD_PHONE, false},
    {COT_NAMES_LOYALTY, COT_FIELD_LOYALTY_CARD, false},
    {COT_NAMES_ANONYMOUS, COT_FIELD_ANONYMOUS_ID, false},
    {"order_id|order_number|order_no|order|invoice_id|invoice_no|invoice_number|invoice|transaction_id|trans_id|"
     "transaction|basket_id|receipt_id|receipt|receipt_no|ticket_id|purchase_id|sale_id|order_ref|bestellnummer|"
     "order_name|checkout_id",
     COT_FIELD_ORDER_ID, false},
    {"line_id|order_line_id|order_item_id|line_item_id|event_id", COT_FIELD_EVENT_ID, false},
    {"refund_of|original_order_id|original_order|refunded_order_id", COT_FIELD_REFUND_OF, false},
    {COT_NAMES_ORDER_DATE, COT_FIELD_OCCURRED_AT, true},
    {"time_of_day|order_time|purchase_time|transaction_time|clock", COT_FIELD_TIME_OF_DAY, false},
    {"recorded_at|updated_at|loaded_at|ingested_at|modified_at", COT_FIELD_RECORDED_AT, false},
    {"cancelled_at|canceled_at|cancel_date", COT_FIELD_CANCELLED_AT, false},
    {"refunded_at|refund_date|returned_at|return_date", COT_FIELD_REFUNDED_AT, false},
    {COT_NAMES_PRODUCT, COT_FIELD_PRODUCT_ID, false},
    {"product_name|item_name|product_title|title|description|product_description|item_description",
     COT_FIELD_PRODUCT_NAME, false},
    {"category|product_category|category_name|department|product_group|product_type|item_category", COT_FIELD_CATEGORY,
     false},
    {"subcategory|sub_category|product_subcategory|category_2", COT_FIELD_SUBCATEGORY, false},
    {"brand|vendor|manufacturer|brand_name", COT_FIELD_BRAND, false},
    {"quantity|qty|units|order_quantity|item_quantity|count|number_of_items|n_items|amount_of_items|menge|pieces",
     COT_FIELD_QUANTITY, false},
    {"unit_price|price|item_price|price_per_unit|product_price|unit_cost_price|selling_price|sale_price|einzelpreis",
     COT_FIELD_UNIT_PRICE, false},
    {"net_amount|net_sales|net_revenue|revenue|net_total|net_value|amount_net|line_total|amount|sales_value|sales|"
     "tran_amount|transaction_amount|order_value|order_amount|purchase_amount|value|spend|spent|monetary|"
     "total_amount|total_price|total_sales|payment_value|basket_value|umsatz|betrag",
     COT_FIELD_AMOUNT, false},
    {"gross_amount|subtotal|gross_sales|gross_value|amount_before_discount|list_amount", COT_FIELD_GROSS_AMOUNT, false},
    {"total|order_total|grand_total|total_paid|amount_paid|invoice_total|total_incl_tax|gross_total", COT_FIELD_TOTAL,
     false},
    {"discount|discount_amount|discount_value|total_discount|rebate|rabatt", COT_FIELD_DISCOUNT, false},
    {"discount_share|discount_percent|discount_rate|discount_pct", COT_FIELD_DISCOUNT_SHARE, false},
    {"tax|taxes|tax_amount|vat|vat_amount|sales_tax|total_tax|mwst", COT_FIELD_TAX, false},
    {"shipping|shipping_amount|shipping_cost|freight|freight_value|delivery_fee|postage|shipping_total|versand",
     COT_FIELD_SHIPPING, false},
    {"unit_cost|cost_per_unit|cost_price|purchase_price", COT_FIELD_UNIT_COST, false},
    {"cost|line_cost|cogs|total_cost", COT_FIELD_COST, false},
    {"profit|margin|gross_profit", COT_FIELD_PROFIT, false},
    {"refunded_amount|refund_amount|amount_refunded", COT_FIELD_REFUNDED_AMOUNT, false},
    {COT_NAMES_CURRENCY, COT_FIELD_CURRENCY, false},
    {COT_NAMES_CHANNEL, COT_FIELD_CHANNEL, false},
    {"status|order_status|financial_status|payment_status|state_of_order", COT_FIELD_STATUS, false},
    {"is_refund|refund|is_return|returned|return|refunded|transaction_type|type|is_returned", COT_FIELD_IS_REFUND,
     false},
    {"session_id|session|visit_id", COT_FIELD_SESSION_ID, false},
    {"campaign|campaign_id|utm_campaign", COT_FIELD_CAMPAIGN, false},
    {"coupon|coupon_code|discount_code|voucher|voucher_code|promo_code", COT_FIELD_COUPON, false},
    {"reason|return_reason|refund_reason", COT_FIELD_REASON, false},
    {"accepts_marketing|marketing_opt_in|newsletter", COT_FIELD_ACCEPTS_MARKETING, false},
    {"store|store_id|branch|shop_id|location_id", COT_FIELD_STORE, false},
    {"country|customer_country|billing_country|shipping_country|country_code", COT_FIELD_TRAIT, false},
    {"region|state|customer_state|province", COT_FIELD_TRAIT, false},
    {"gender|sex|customer_gender", COT_FIELD_TRAIT, false},
    {"age|customer_age", COT_FIELD_TRAIT, false},
    {"segment|customer_segment|customer_type|loyalty_tier|membership", COT_FIELD_TRAIT, false},
    {"id", COT_FIELD_CUSTOMER_ID, false},
    {"id", COT_FIELD_ORDER_ID, false},
    {"name|order", COT_FIELD_ORDER_ID, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_orders = {
    .name = "orders",
    .title = "orders and transactions",
    .kind = COT_KIND_ORDERS,
    .description =
        "Any table of orders, order lines or transactions. Revenue is the amount, or gross less discount, or "
        "total less tax and shipping, or price x quantity less discount, or the catalogue's price.",
    .columns = columns,
    .one_of = "order_id|amount|gross_amount|total|unit_price|quantity|product_id",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .is_generic = true,
    .unless = "event|event_name|event_type|purpose|consent|action",
    .decode = cot_decode_order_row};

static const struct cot_connector_column log_columns[] = {{COT_NAMES_CUSTOMER "|id", COT_FIELD_CUSTOMER_ID, true},
                                                          {COT_NAMES_ORDER_DATE, COT_FIELD_OCCURRED_AT, true},
                                                          {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_event_log = {
    .name = "purchase_log",
    .title = "customers and purchase dates",
    .kind = COT_KIND_ORDERS,
    .description = "Two columns, customer and date: every row is an order of unknown amount.",
    .columns = log_columns,
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .is_generic = true,
    .max_columns = 2,
    .decode = cot_decode_order_row};
