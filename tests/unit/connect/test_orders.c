/* What the rows of order files mean: revenue, refunds, discounts, tax, cost, identity. */
#include "table.h"

static void test_online_retail(void **state)
{
    (void)state;
    check_table(
        "InvoiceNo|StockCode|Description|Quantity|InvoiceDate|UnitPrice|CustomerID|Country\n"
        "536365|85123A|HEART|6|2010-12-01 08:26:00|2.55|17850|United Kingdom\n"
        "C536379|85123A|HEART|-1|2011-07-01 09:41:00|2.55|17850.0|United Kingdom\n"
        "A563185|B|Adjust bad debt|1|2011-08-12 14:50:00|11062.06||United Kingdom\n"
        "536589|21777|RECIPE BOX|-10|2010-12-01 16:50:00|0||United Kingdom\n"
        "536370|POST|POSTAGE|3|2010-12-01 08:45:00|18|12583|France\n",
        "uci_online_retail",
        "2:order_line user=17850 order=536365 item=85123A at=2010-12-01T08:26:00Z n=6 amount=1530GBP channel=web "
        "country=United Kingdom\n"
        "3:refund user=17850 order=C536379 item=85123A at=2011-07-01T09:41:00Z n=1 amount=-255GBP channel=web "
        "country=United Kingdom\n"
        "4:order_line order=A563185 item=B at=2011-08-12T14:50:00Z n=1 amount=1106206GBP adjustment channel=web "
        "country=United Kingdom\n"
        "5:refund order=536589 item=21777 at=2010-12-01T16:50:00Z n=10 amount=0GBP adjustment channel=web "
        "country=United Kingdom\n"
        "6:order_line user=12583 order=536370 item=POST at=2010-12-01T08:45:00Z n=3 amount=5400GBP adjustment "
        "channel=web country=France\n");
}

#define SHOPIFY                                                                                                        \
    "Name|Email|Financial Status|Accepts Marketing|Currency|Subtotal|Shipping|Taxes|Total|Discount Amount|Created "    \
    "at|Lineitem quantity|Lineitem name|Lineitem price|Lineitem sku|Lineitem discount|Cancelled at|Refunded Amount\n"

static void test_shopify_discount(void **state)
{
    (void)state;
    check_table(
        SHOPIFY "#1001|Ann@X.org|paid|yes|EUR|27.00|5.00|6.08|38.08|3.00|2025-01-02 10:11:12 +0900|2|Tea|10.00|T|0||0\n"
                "#1001|Ann@X.org||||||||||1|Cup|10.00|C|0||\n"
                "#1002|bob@x.org|partially_refunded|no|EUR|20.00|0|0|20.00|0|2025-01-03 00:00:00 "
                "+0000|1|Tea|20.00|T|||5.00\n",
        "shopify_orders",
        "2:order_line email=ann@x.org order=#1001 item=T at=2025-01-02T01:11:12Z n=2 amount=1800EUR discount=200 "
        "channel=web\n"
        "3:order_line email=ann@x.org order=#1001 item=C at=2025-01-02T01:11:12Z n=1 amount=900EUR discount=100 "
        "channel=web\n"
        "2:consent email=ann@x.org at=2025-01-02T01:11:12Z marketing=yes\n"
        "4:order_line email=bob@x.org order=#1002 item=T at=2025-01-03T00:00:00Z n=1 amount=2000EUR "
        "channel=web\n"
        "4:refund email=bob@x.org order=#1002 of=#1002 at=2025-01-03T00:00:00Z amount=-500EUR channel=web\n"
        "4:consent email=bob@x.org at=2025-01-03T00:00:00Z marketing=no\n");
}

static void test_shopify_tax_and_cancellation(void **state)
{
    (void)state;
    /* Prices include tax: total = subtotal + shipping, so 19.00 of 119.00 is not revenue. Cancelled a day later. */
    check_table(SHOPIFY
                "#1|a@x.org|refunded||EUR|119.00|0|19.00|119.00|0|2025-01-02|1|Bag|119.00|B||2025-01-03|119.00\n",
                "shopify_orders",
                "2:order_line email=a@x.org order=#1 item=B at=2025-01-02T00:00:00Z n=1 amount=10000EUR channel=web\n"
                "2:refund email=a@x.org order=#1 of=#1 at=2025-01-03T00:00:00Z amount=-10000EUR channel=web\n");
    check_table(SHOPIFY "#1|a@x.org|paid||EUR|10.00|0|0|10.00|0|2025-01-02|1|Bag|many|B|||\n"
                        "#2|a@x.org|paid||EUR|10.00|0|0|10.00|0|someday|1|Bag|10|B|||\n",
                "shopify_orders",
                "2!number column 'Lineitem price': 'many' is not a number\n"
                "3!date column 'Created at': 'someday' is not a date\n");
}

/* Each row costs at most one reject, whatever is wrong with the order, and every row is accounted for. */
static void test_shopify_bad_order(void **state)
{
    (void)state;
    check_table(SHOPIFY "#1|a@x.org|paid||EUR|x|0|0|10.00|0|2025-01-02|1|Bag|10|B|||\n"
                        "#1|||||||||||1|Cup|many|C|||\n",
                "shopify_orders",
                "2!number column 'Subtotal': 'x' is not a number\n"
                "3!order the first line of the order was rejected\n");
}

static void test_woocommerce(void **state)
{
    (void)state;
    check_table("Order Number|Order Status|Order Date|Email (Billing)|Cart Discount Amount|SKU|Item Name|Quantity (- "
                "Refund)|Item Cost\n"
                "77|Completed|2024-05-01 10:00|a@x.org|2|S1|Mug|1|6\n"
                "77|Completed|2024-05-01 10:00|a@x.org|2|S2|Pot|1|14\n"
                "78|Failed|2024-05-02 10:00|a@x.org|0|S1|Mug|1|6\n",
                "woocommerce_lines",
                "2:order_line email=a@x.org order=77 item=S1 at=2024-05-01T10:00:00Z n=1 amount=540 discount=60 "
                "channel=web\n"
                "3:order_line email=a@x.org order=77 item=S2 at=2024-05-01T10:00:00Z n=1 amount=1260 discount=140 "
                "channel=web\n"
                "4!not_paid the order's status says that it is no sale\n");
    check_table(
        "order_id|order_date|status|order_total|shipping_total|tax_total|order_currency|customer_id|billing_email\n"
        "5|2024-05-01 10:00:00|wc-completed|121.00|10.00|19.00|EUR|0|a@x.org\n"
        "6|2024-05-02 10:00:00|wc-refunded|121.00|10.00|19.00|EUR|9|b@x.org\n",
        "woocommerce_orders",
        "2:order_line email=a@x.org order=5 at=2024-05-01T10:00:00Z amount=9200EUR channel=web\n"
        "3:order_line user=9 email=b@x.org order=6 at=2024-05-02T10:00:00Z amount=9200EUR channel=web\n"
        "3:refund user=9 email=b@x.org order=6 of=6 at=2024-05-02T10:00:00Z amount=-9200EUR channel=web\n");
}

/* As the APIs of Shopify and WooCommerce give them, a row a line inside. */
static void test_order_documents(void **state)
{
    (void)state;
    check_table("order_number|email|created_at|currency|financial_status|total_price|subtotal_price|total_tax|"
                "total_discounts|customer.id|line_items[].sku|line_items[].title|line_items[].quantity|"
                "line_items[].price\n"
                "1001|bob@x.org|2025-01-10|EUR|paid|31.00|27.00|4.00|3.00|77|T|Tea|2|10.00\n"
                "1001|bob@x.org|2025-01-10|EUR|paid|31.00|27.00|4.00|3.00|77|C|Cup|1|10.00\n",
                "order_documents",
                "2:order_line user=77 email=bob@x.org order=1001 item=T at=2025-01-10T00:00:00Z n=2 amount=1800EUR "
                "discount=200\n"
                "3:order_line user=77 email=bob@x.org order=1001 item=C at=2025-01-10T00:00:00Z n=1 amount=900EUR "
                "discount=100\n");
    /* A line's total is after the order's discount; customer 0 is nobody's number. */
    check_table("number|date_created|discount_total|customer_id|billing.email|items[].sku|items[].quantity|"
                "items[].total|items[].price\n"
                "727|2025-03-01|2.00|0|j@x.org|W1|2|11.00|6.00\n",
                "order_documents",
                "2:order_line email=j@x.org order=727 item=W1 at=2025-03-01T00:00:00Z n=2 amount=1100\n");
}

/* Lines with a net amount beside lines with a price: the order's discount comes off the latter. */
static void test_order_documents_partly_net(void **state)
{
    (void)state;
    check_table("number|date_created|discount_total|customer_id|items[].sku|items[].quantity|items[].total|"
                "items[].price\n"
                "1|2025-03-01|5|7|A|1|10|10\n1||||B|1||10\n1||||C|2||15\n"
                "2|2025-03-01|5|7|A|1|8|10\n2||||B|1||10\n"   /* 2 of the 5 are in A's total */
                "3|2025-03-01|50|7|A|1|8|x\n3||||B|1||10\n"   /* more than there is */
                "4|2025-03-01|5|7|A|1|8|10\n4||||B|1|9|10\n", /* nothing is open */
                "order_documents",
                "2:order_line user=7 order=1 item=A at=2025-03-01T00:00:00Z n=1 amount=1000\n"
                "3:order_line user=7 order=1 item=B at=2025-03-01T00:00:00Z n=1 amount=875 discount=125\n"
                "4:order_line user=7 order=1 item=C at=2025-03-01T00:00:00Z n=2 amount=2625 discount=375\n"
                "5:order_line user=7 order=2 item=A at=2025-03-01T00:00:00Z n=1 amount=800\n"
                "6:order_line user=7 order=2 item=B at=2025-03-01T00:00:00Z n=1 amount=700 discount=300\n"
                "7:order_line user=7 order=3 item=A at=2025-03-01T00:00:00Z n=1 amount=800\n"
                "8:order_line user=7 order=3 item=B at=2025-03-01T00:00:00Z n=1 amount=0 discount=1000\n"
                "9:order_line user=7 order=4 item=A at=2025-03-01T00:00:00Z n=1 amount=800\n"
                "10:order_line user=7 order=4 item=B at=2025-03-01T00:00:00Z n=1 amount=900\n");
    /* The subtotal is the truth where there is one. */
    check_table("number|date_created|subtotal_price|customer_id|line_items[].sku|line_items[].quantity|"
                "line_items[].total|line_items[].price\n"
                "1|2025-03-01|16|7|A|1|10|12\n1||||B|1||10\n",
                "order_documents",
                "2:order_line user=7 order=1 item=A at=2025-03-01T00:00:00Z n=1 amount=1000\n"
                "3:order_line user=7 order=1 item=B at=2025-03-01T00:00:00Z n=1 amount=600 discount=400\n");
}

static void test_complete_journey(void **state)
{
    (void)state;
    check_table(
        "household_id|store_id|basket_id|product_id|quantity|sales_value|retail_disc|coupon_disc|coupon_match_disc|"
        "week|transaction_timestamp\n"
        "2261|309|31625220889|940996|1|3.86|0.43|0.10|0.05|5|2017-01-28 14:06:53\n"
        "2261|309|31625220889|940996|1|3.86|0.43|0|0|5|2017-01-28T19:06:53.000Z\n",
        "complete_journey_transactions",
        "2:order_line user=2261 order=31625220889 item=940996 at=2017-01-28T19:06:53Z n=1 amount=386USD "
        "discount=58 channel=store\n"
        "3:order_line user=2261 order=31625220889 item=940996 at=2017-01-28T19:06:53Z n=1 amount=386USD "
        "discount=43 channel=store\n");
}

static void test_superstore_and_adventureworks(void **state)
{
    (void)state;
    check_table("Order ID|Order Date|Customer ID|Product ID|Sales|Quantity|Discount|Profit\n"
                "CA-1|11/8/2016|CG-1|FUR-1|80|2|0.2|30\nCA-2|11/18/2016|CG-1|FUR-1|80|2|0|-5.5\n",
                "superstore",
                "2:order_line user=CG-1 order=CA-1 item=FUR-1 at=2016-11-08T00:00:00Z n=2 amount=8000USD discount=2000 "
                "cost=5000\n"
                "3:order_line user=CG-1 order=CA-2 item=FUR-1 at=2016-11-18T00:00:00Z n=2 amount=8000USD discount=0 "
                "cost=8550\n");
    check_table("OrderDate|StockDate|OrderNumber|ProductKey|CustomerKey|TerritoryKey|OrderLineItem|OrderQuantity\n"
                "01/02/2017|9/21/2001|SO45080|332|14657|1|1|2\n9/21/2017|9/21/2001|SO45081|1||1|1|0\n",
                "adventureworks_sales",
                "2:order_line user=14657 order=SO45080 item=332 at=2017-01-02T00:00:00Z n=2 needs_price channel=web "
                "territory_key=1\n"
                "3:order_line order=SO45081 item=1 at=2017-09-21T00:00:00Z needs_price channel=web territory_key=1\n");
}

static void test_generic_amounts(void **state)
{
    (void)state;
    /* price x quantity less discount; refunds by a negative quantity, a flag, a status with and without sign */
    check_table("client|order no|created_at|sku|qty|price|discount|status|refund_of\n"
                "7|A1|2024-01-02|P|3|1.99|0.97|paid|\n"
                "7|R1|2024-01-05|P|-2|1.99|0|refunded|A1\n"
                "7|A2|2024-01-06|P|1|5|0|refunded|\n"
                "7|A3|2024-01-07|P|1|5|0|cancelled|\n"
                "7|A4|2024-01-08|P|1|5|0|pending|\n"
                "7|A5|2024-01-09|P|1|5|6|paid|\n"
                "7|A6|2024-01-10|P|1|||paid|\n",
                "orders",
                "2:order_line user=7 order=A1 item=P at=2024-01-02T00:00:00Z n=3 amount=500 discount=97\n"
                "3:refund user=7 order=R1 of=A1 item=P at=2024-01-05T00:00:00Z n=2 amount=-398 discount=0\n"
                "4:order_line user=7 order=A2 item=P at=2024-01-06T00:00:00Z n=1 amount=500 discount=0\n"
                "4:refund user=7 order=A2 of=A2 item=P at=2024-01-06T00:00:00Z n=1 amount=-500\n"
                "5:order_line user=7 order=A3 item=P at=2024-01-07T00:00:00Z n=1 amount=500 discount=0\n"
                "5:refund user=7 order=A3 of=A3 item=P at=2024-01-07T00:00:00Z n=1 amount=-500\n"
                "8:order_line user=7 order=A6 item=P at=2024-01-10T00:00:00Z n=1 needs_price\n"
                "6!not_paid column 'status': 'pending' is not a sale; import the file again once it is\n"
                "7!amount the discount is larger than the amount before it\n");
    check_table("user_id|invoice|date|total|tax|shipping|currency\n"
                "1|I1|2024-01-02|120|20|5|JPY\n1|I2|2024-01-02|10.5|0|0|KWD\n1|I3|2024-01-02|1|0|0|XYZW\n"
                "1|I4|2024-01-02|1e308|0|0|EUR\n1|I5|2024-01-02|nan|0|0|EUR\n|||||| \n",
                "orders",
                "2:order_line user=1 order=I1 at=2024-01-02T00:00:00Z amount=95JPY\n"
                "3:order_line user=1 order=I2 at=2024-01-02T00:00:00Z amount=10500KWD\n"
                "4!currency column 'currency': 'XYZW' is not a currency code (ISO 4217)\n"
                "5!number column 'total': '1e308' is too large\n"
                "6!amount the row has neither an amount nor a product whose price could be looked up\n"
                "7!date column 'date': no date\n");
    check_table("cust|date\n1|2006-01-01\n2|2006-12-19\n", "purchase_log",
                "2:order_line user=1 at=2006-01-01T00:00:00Z\n3:order_line user=2 at=2006-12-19T00:00:00Z\n");
}

static void test_decimal_comma_and_currency_sign(void **state)
{
    (void)state;
    check_table("kundennummer|bestellnummer|bestelldatum|betrag\n1|B1|03.04.2024|1.234,50 €\n2|B2|15.04.2024|7,00 €\n",
                "orders",
                "2:order_line user=1 order=B1 at=2024-04-03T00:00:00Z amount=123450EUR\n"
                "3:order_line user=2 order=B2 at=2024-04-15T00:00:00Z amount=700EUR\n");
}

static void test_ambiguous_is_refused(void **state)
{
    (void)state;
    check_table("customer_id|order_id|date|amount\n1|A|03/04/2024|5\n2|B|05/06/2024|6\n", "orders",
                "column 'date': '03/04/2024' may be day first or month first, and no date of the file decides: say "
                "--date-order dmy or --date-order mdy");
    check_table("customer_id|order_id|date|amount\n1|A|2024-01-01|1,234\n2|B|2024-01-01|6\n", "orders",
                "column 'amount': '1,234' may be a number with a decimal comma or with thousands, and no number of the "
                "file decides: say --decimal comma or --decimal point");
    static struct table t;
    table_init(&t, "customer_id|order_id|date|amount\n1|A|03/04/2024|1,234\n");
    t.options.date_order = COT_DATE_ORDER_MDY;
    t.options.decimal = COT_DECIMAL_POINT;
    t.options.currency = "usd";
    t.options.time_zone = "America/New_York";
    t.options.channel = "store";
    table_run(&t);
    assert_string_equal(t.out, "2:order_line user=1 order=A at=2024-03-04T05:00:00Z amount=123400USD channel=store\n");
    table_release(&t);
}

/* A grouped order that spans two batches is one order, and its held rows keep their text for a late reject. */
static void test_group_across_batches(void **state)
{
    (void)state;
    static struct table first;
    static struct table second;
    struct cot_decoder *decoder = NULL;
    table_init(&first, SHOPIFY "#1|a@x.org|paid||EUR|27|0|0|27|3|2025-01-02|1|Tea|10|T|||\n");
    table_init(&second,
               SHOPIFY "#1|||||||||||2|Cup|10|C|||\n#2|a@x.org|failed||EUR|1|0|0|1|0|2025-01-03|1|Pot|1|P|||\n");
    second.batch.lines[0] = 3;
    second.batch.lines[1] = 4;
    assert_int_equal(
        cot_connector_detect(first.columns, first.n_columns, &first.batch, &first.options, &first.mapping, &first.err),
        COT_OK);
    assert_int_equal(cot_mapping_settle(first.mapping, &first.err), COT_OK);
    assert_int_equal(cot_decoder_open(first.mapping, &decoder, &first.err), COT_OK);
    assert_int_equal(cot_mapping_decode(first.mapping, decoder, &first.batch, &first.records, &first.err), COT_OK);
    assert_int_equal(first.records.n_records, 0); /* held: the order may go on */
    memset(first.text, '?', sizeof first.text);   /* the batch is used again */
    assert_int_equal(cot_mapping_decode(first.mapping, decoder, &second.batch, &second.records, &second.err), COT_OK);
    for (size_t i = 0; i < second.records.n_records; i++)
        table_add_record(&second, &second.records.records[i]);
    assert_string_equal(
        second.out,
        "2:order_line email=a@x.org order=#1 item=T at=2025-01-02T00:00:00Z n=1 amount=900EUR discount=100 "
        "channel=web\n"
        "3:order_line email=a@x.org order=#1 item=C at=2025-01-02T00:00:00Z n=2 amount=1800EUR discount=200 "
        "channel=web\n");
    cot_records_clear(&second.records);
    assert_int_equal(cot_decoder_finish(decoder, &second.records, &second.err), COT_OK);
    assert_int_equal(second.records.n_records, 0);
    assert_int_equal(second.records.n_rejects, 1);
    assert_string_equal(second.records.rejects[0].code, "not_paid");
    assert_int_equal(second.records.rejects[0].line, 4);
    assert_memory_equal(second.records.rejects[0].raw.data, "#2,a@x.org,failed", 17);
    cot_decoder_free(decoder);
    table_release(&first);
    table_release(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_online_retail),
        cmocka_unit_test(test_shopify_discount),
        cmocka_unit_test(test_shopify_tax_and_cancellation),
        cmocka_unit_test(test_shopify_bad_order),
        cmocka_unit_test(test_woocommerce),
        cmocka_unit_test(test_order_documents),
        cmocka_unit_test(test_order_documents_partly_net),
        cmocka_unit_test(test_complete_journey),
        cmocka_unit_test(test_superstore_and_adventureworks),
        cmocka_unit_test(test_generic_amounts),
        cmocka_unit_test(test_decimal_comma_and_currency_sign),
        cmocka_unit_test(test_ambiguous_is_refused),
        cmocka_unit_test(test_group_across_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
