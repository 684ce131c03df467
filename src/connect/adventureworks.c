/*
 * AdventureWorks (Microsoft's sample shop): sales without prices, which the importer looks up in the catalogue;
 * customers with (fictional) names and addresses; products with price and cost.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column sales_columns[] = {{"order_date", COT_FIELD_OCCURRED_AT, true},
                                                            {"stock_date", COT_FIELD_NONE, false},
                                                            {"order_number", COT_FIELD_ORDER_ID, true},
                                                            {"product_key", COT_FIELD_PRODUCT_ID, true},
                                                            {"customer_key", COT_FIELD_CUSTOMER_ID, true},
                                                            {"territory_key", COT_FIELD_TRAIT, false},
                                                            {"order_line_item", COT_FIELD_NONE, false},
                                                            {"order_quantity", COT_FIELD_QUANTITY, true},
                                                            {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_adventureworks_sales = {
    .name = "adventureworks_sales",
    .title = "AdventureWorks sales",
    .kind = COT_KIND_ORDERS,
    .description = "Order lines without amounts: revenue is quantity x the price of the products file, cost likewise.",
    .columns = sales_columns,
    .currency = "USD",
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .decode = cot_decode_order_row};

static const struct cot_connector_column customer_columns[] = {
    {"customer_key", COT_FIELD_CUSTOMER_ID, true}, {"email_address", COT_FIELD_EMAIL, false},
    {"birth_date", COT_FIELD_BIRTH_DATE, true},    {"marital_status", COT_FIELD_TRAIT, true},
    {"annual_income", COT_FIELD_TRAIT, true},      {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_adventureworks_customers = {
    .name = "adventureworks_customers",
    .title = "AdventureWorks customers",
    .kind = COT_KIND_CUSTOMERS,
    .description = "One row a customer; every column is a trait, undated.",
    .columns = customer_columns,
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .is_timeless = true,
    .other_columns_are_traits = true,
    .decode = cot_decode_customer_row};

static const struct cot_connector_column product_columns[] = {{"product_key", COT_FIELD_PRODUCT_ID, true},
                                                              {"product_name", COT_FIELD_PRODUCT_NAME, true},
                                                              {"product_subcategory_key", COT_FIELD_CATEGORY, true},
                                                              {"model_name", COT_FIELD_SUBCATEGORY, false},
                                                              {"product_cost", COT_FIELD_UNIT_COST, true},
                                                              {"product_price", COT_FIELD_PRICE, true},
                                                              {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_adventureworks_products = {
    .name = "adventureworks_products",
    .title = "AdventureWorks products",
    .kind = COT_KIND_PRODUCTS,
    .description = "Catalogue with price and cost in USD; the subcategory's number is the category.",
    .columns = product_columns,
    .currency = "USD",
    .is_timeless = true,
    .decode = cot_decode_product_row};
