/* The known shapes, one file each; registry.c lists them. */
#ifndef COT_CONNECT_SHAPES_H
#define COT_CONNECT_SHAPES_H

#include "connect/connector.h"

extern const struct cot_connector cot_connector_online_retail;
extern const struct cot_connector cot_connector_shopify_orders;
extern const struct cot_connector cot_connector_shopify_customers;
extern const struct cot_connector cot_connector_woocommerce_lines;
extern const struct cot_connector cot_connector_woocommerce_orders;
extern const struct cot_connector cot_connector_woocommerce_analytics;
extern const struct cot_connector cot_connector_journey_transactions;
extern const struct cot_connector cot_connector_journey_products;
extern const struct cot_connector cot_connector_journey_demographics;
extern const struct cot_connector cot_connector_journey_campaigns;
extern const struct cot_connector cot_connector_journey_descriptions;
extern const struct cot_connector cot_connector_journey_coupons;
extern const struct cot_connector cot_connector_journey_redemptions;
extern const struct cot_connector cot_connector_journey_promotions;
extern const struct cot_connector cot_connector_adventureworks_sales;
extern const struct cot_connector cot_connector_adventureworks_customers;
extern const struct cot_connector cot_connector_adventureworks_products;
extern const struct cot_connector cot_connector_cdnow;
extern const struct cot_connector cot_connector_cdnow_sample;
extern const struct cot_connector cot_connector_superstore;
extern const struct cot_connector cot_connector_marketing_campaign;
extern const struct cot_connector cot_connector_event_log;
extern const struct cot_connector cot_connector_orders;
extern const struct cot_connector cot_connector_order_documents;
extern const struct cot_connector cot_connector_events;
extern const struct cot_connector cot_connector_customers;
extern const struct cot_connector cot_connector_products;
extern const struct cot_connector cot_connector_campaigns;
extern const struct cot_connector cot_connector_campaign_targets;
extern const struct cot_connector cot_connector_responses;
extern const struct cot_connector cot_connector_coupons;
extern const struct cot_connector cot_connector_redemptions;
extern const struct cot_connector cot_connector_consent;
extern const struct cot_connector cot_connector_suppression;
extern const struct cot_connector cot_connector_rates;
extern const struct cot_connector cot_connector_links;
extern const struct cot_connector cot_connector_simulator_truth;

/* Headers that several shapes share. */
#define COT_NAMES_CUSTOMER                                                                                             \
    "customer_id|customer|cust_id|cust|client_id|client|user_id|user|uid|member_id|member|household_id|household|"     \
    "customer_no|customer_number|customer_key|customer_code|buyer_id|shopper_id|account_id|contact_id|visitor_user_"   \
    "id|"                                                                                                              \
    "kunden_id|kundennummer|id_client|customer_ref|person_id"
#define COT_NAMES_EMAIL                                                                                                \
    "email|e_mail|email_address|customer_email|mail|user_email|billing_email|contact_email|email_billing"
#define COT_NAMES_PHONE "phone|phone_number|telephone|mobile|customer_phone|billing_phone|phone_billing"
#define COT_NAMES_LOYALTY                                                                                              \
    "loyalty_card|loyalty_card_number|loyalty_card_id|loyalty_id|loyalty_number|member_card|club_card"
#define COT_NAMES_ANONYMOUS                                                                                            \
    "anonymous_id|anon_id|visitor_id|visitor|device_id|cookie_id|client_cookie|browser_id|ga_client_id|user_pseudo_id"
#define COT_NAMES_PRODUCT                                                                                              \
    "product_id|sku|item_id|product|item|stock_code|product_code|article_id|article|upc|ean|product_key|variant_sku|"  \
    "item_sku|product_sku|item_code|material|product_number|artikelnummer|asin"
#define COT_NAMES_ORDER_DATE                                                                                           \
    "ordered_at|order_date|order_datetime|order_time|order_timestamp|purchased_at|purchase_date|purchase_time|"        \
    "transaction_date|transaction_timestamp|transaction_time|trans_date|invoice_date|sale_date|sales_date|sold_at|"    \
    "created_at|date_created|created|order_created_at|order_purchase_timestamp|placed_at|event_time|occurred_at|"      \
    "timestamp|datetime|date_time|date|time|day|dt|datum|bestelldatum"
#define COT_NAMES_CURRENCY "currency|currency_code|order_currency|iso_currency"
#define COT_NAMES_CHANNEL "channel|sales_channel|source_channel|order_channel|platform|order_source"

#endif
