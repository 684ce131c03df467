/* Events, people and catalogues; which shape a file is taken for; what is refused and how. */
#include "connect/decode.h"
#include "connect/header.h"
#include "table.h"

static void test_events(void **state)
{
    (void)state;
    check_table(
        "event_id|customer_id|anonymous_id|session_id|event|occurred_at|product_id|channel|campaign|search_term\n"
        "E1||a-1|S1|page_view|2024-04-05T18:15:10Z||web||\n"
        "E2|C1|a-1|S1|Product Viewed|2024-04-05T18:15:16Z|P1|iOS||\n"
        "E3|C1|||Products Searched|1712340000|||K1|red tea\n"
        "E4|C1|||Spun the wheel|2024-04-05T18:15:16Z||||\n"
        "E5|C1||||2024-04-05T18:15:16Z||||\n"
        "E6|C1|||add_to_cart|0000-00-00||||\n",
        "events",
        "2:page_view anon=a-1 key=E1 at=2024-04-05T18:15:10Z channel=web\n"
        "3:product_view user=C1 anon=a-1 key=E2 item=P1 at=2024-04-05T18:15:16Z channel=app\n"
        "4:search user=C1 key=E3 at=2024-04-05T18:00:00Z campaign=K1 detail=red tea\n"
        "5:custom user=C1 key=E4 at=2024-04-05T18:15:16Z detail=Spun the wheel\n"
        "6!event column 'event': no event name\n"
        "7!date column 'occurred_at': '0000-00-00' is a date outside the years 1970 to 2199\n");
}

static void test_segment_stream(void **state)
{
    (void)state;
    /* As JSON lines come out of the reader: dotted keys. */
    check_table("type|messageId|userId|anonymousId|event|timestamp|properties.product_id|properties.price|"
                "properties.quantity|properties.order_id|properties.currency\n"
                "track|m1|u1|a1|Order Completed|2024-01-02T03:04:05.678Z|p1|9.99|2|o1|USD\n"
                "track|m2||a1|Added Product|2024-01-02T03:04:05.678Z|p1||||\n",
                "events",
                "2:order_line user=u1 anon=a1 key=m1 order=o1 item=p1 at=2024-01-02T03:04:05.678Z n=2 amount=1998USD\n"
                "3:cart_add anon=a1 key=m2 item=p1 at=2024-01-02T03:04:05.678Z\n");
}

static void test_event_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum cot_event_kind kind;
    } cases[] = {{"Product Added", COT_EVENT_CART_ADD},
                 {"Added Product", COT_EVENT_CART_ADD},
                 {"addtocart", COT_EVENT_CART_ADD},
                 {"view_item", COT_EVENT_PRODUCT_VIEW},
                 {"Viewed Product", COT_EVENT_PRODUCT_VIEW},
                 {"Product List Viewed", COT_EVENT_LIST_VIEW},
                 {"Checkout Started", COT_EVENT_CHECKOUT_START},
                 {"Email Link Clicked", COT_EVENT_EMAIL_CLICK},
                 {"purchase", COT_EVENT_ORDER_LINE},
                 {"Application Opened", COT_EVENT_APP_OPEN},
                 {"unsubscribed", COT_EVENT_UNSUBSCRIBE},
                 {"transaction", COT_EVENT_ORDER_LINE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum cot_event_kind kind = COT_EVENT_CUSTOM;
        assert_true(cot_event_kind_from_spelling(cot_text_of(cases[i].name), &kind));
        if (kind != cases[i].kind)
            fail_msg("'%s' is %s", cases[i].name, cot_event_kind_name(kind));
    }
    /* Every kind is found by its own name. */
#define X(value, number, text, group)                                                                                  \
    {                                                                                                                  \
        enum cot_event_kind kind = 0;                                                                                  \
        assert_true(cot_event_kind_from_spelling(cot_text_of(text), &kind));                                           \
        assert_int_equal(kind, value);                                                                                 \
    }
    COT_EVENT_KINDS(X)
#undef X
}

static void test_people(void **state)
{
    (void)state;
    check_table("customer_id|email|country|birth_year|signup_date|newsletter\n"
                "C1|Ada@Mail.example|United Kingdom|1990|2024-04-02|yes\nC2|not an address|NA|||\n||France|||\n",
                "customers",
                "2:customer user=C1 email=ada@mail.example timeless signed_up_at=2024-04-02 country=United Kingdom "
                "birth_year=1990\n"
                "2:consent user=C1 email=ada@mail.example timeless marketing=yes\n"
                "3:customer user=C2 timeless country=NA\n"
                "4!nobody the row names no customer\n");
    check_table("CustomerKey|Prefix|BirthDate|MaritalStatus|EmailAddress|AnnualIncome\n"
                "11000|MR.|04/08/1966|M|jon@a.com|$90,000 \n11001||5/14/1965|S|eu@a.com|$60,000 \n",
                "adventureworks_customers",
                "2:customer user=11000 email=jon@a.com timeless birth_date=1966-04-08 prefix=MR. marital_status=M "
                "annual_income=$90,000\n"
                "3:customer user=11001 email=eu@a.com timeless birth_date=1965-05-14 marital_status=S "
                "annual_income=$60,000\n");
    check_table(
        "customer_id|purpose|granted|occurred_at\nC1|marketing|no|2024-04-02T15:46:59Z\nC1|telepathy|yes|\n", "consent",
        "2:consent user=C1 at=2024-04-02T15:46:59Z marketing=no\n"
        "3!purpose 'telepathy' is not a purpose: service, analytics, personalisation, marketing or advertising\n");
    check_table(
        "user_id|device_id|linked_at\nu1|d1|2024-01-02\nu2||2024-01-02\n", "links",
        "2:link user=u1 anon=d1 at=2024-01-02T00:00:00Z\n3!nobody a link needs two identities, the row has 1\n");
}

static void test_suppression_needs_its_name(void **state)
{
    (void)state;
    static struct table t;
    table_init(&t, "column_1\na@x.org\nb@x.org\n");
    t.options.has_header = false;
    t.options.file_name = "Do-Not-Contact.txt";
    table_run(&t);
    assert_string_equal(t.out, "2:suppression email=a@x.org timeless\n3:suppression email=b@x.org timeless\n");
    table_release(&t);
    table_init(&t, "column_1\na@x.org\nb@x.org\n");
    t.options.has_header = false;
    t.options.file_name = "friends.txt";
    table_run(&t);
    assert_int_equal(t.rc, COT_BAD_DATA);
    table_release(&t);
}

static void test_catalogue(void **state)
{
    (void)state;
    check_table("product_id|name|category|brand|price|cost\nP1|Tea|grocery|Alder|1.49|0.67\n|x|||1|\nP2|y|||-1|\n",
                "products",
                "2:product item=P1 cost=67 price=149 timeless\n3!missing column 'product_id' is empty\n"
                "4!number a price or cost below 0\n");
    check_table("campaign_id|name|type|start_date|end_date\nK1|Spring|email|2024-09-13|2024-09-26\n"
                "K2|Late|email|2024-09-13|2024-09-01\n",
                "campaigns", "2:campaign campaign=K1 detail=email\n3!date the campaign ends before it starts\n");
    check_table("campaign_id|household_id\n1|105\n", "complete_journey_campaigns",
                "2:campaign_sent user=105 campaign_date channel=catalog campaign=1\n");
    check_table("date|currency|rate\n2024-01-01|USD|0.91\n2024-01-01|USD|0\n2024-01-01|EURO|1\n", "rates",
                "2:rate at=2024-01-01T00:00:00Z USD=0.91\n3!number column 'rate': a rate must be above 0\n"
                "4!currency column 'currency': 'EURO' is not a currency code (ISO 4217)\n");
}

static void test_responses(void **state)
{
    (void)state;
    check_table("customer_id|campaign_id|arm|sent_at|response|responded_at\n"
                "C1|K2|treated|2024-11-25T09:00:00Z|1|2024-11-26T09:00:00Z\n"
                "C2|K2|control|2024-11-25T09:00:00Z|0|\n",
                "responses",
                "2:campaign_sent user=C1 at=2024-11-25T09:00:00Z campaign=K2\n"
                "2:campaign_response user=C1 at=2024-11-26T09:00:00Z campaign=K2\n"
                "3:campaign_control user=C2 at=2024-11-25T09:00:00Z campaign=K2\n");
    check_table("customer_id|response\nCS1112|0\nCS1113|1\nCS1114|\n", "responses",
                "2:customer user=CS1112 timeless response=0\n3:customer user=CS1113 timeless response=1\n"
                "4!response column 'response': neither yes nor no\n");
}

static void test_overrides(void **state)
{
    (void)state;
    static const struct cot_column_override overrides[] = {
        {"wer", "customer_id"}, {"Wann?", "occurred_at"}, {"3", "amount"}, {"farbe", "trait:colour"}};
    static struct table t;
    table_init(&t, "wer|wann|wieviel|farbe\n7|2024-01-02|5.50|red\n");
    t.options.overrides = overrides;
    t.options.n_overrides = 4;
    table_run(&t);
    assert_string_equal(t.out, "2:order_line user=7 at=2024-01-02T00:00:00Z amount=550 colour=red\n");
    table_release(&t);

    static const struct cot_column_override wrong[] = {{"nix", "customer_id"}, {"wer", "nonsense"}};
    for (size_t i = 0; i < 2; i++) {
        table_init(&t, "wer|wann\n7|2024-01-02\n");
        t.options.overrides = &wrong[i];
        t.options.n_overrides = 1;
        table_run(&t);
        assert_int_equal(t.rc, COT_USAGE);
        assert_non_null(strstr(t.err.message, i == 0 ? "no column 'nix'; it has wer, wann" : "'nonsense'"));
        table_release(&t);
    }
}

static void test_wrong_header(void **state)
{
    (void)state;
    static struct table t;
    table_init(&t, "foo|bar\n1|2\n");
    table_run(&t);
    assert_int_equal(t.rc, COT_BAD_DATA);
    assert_non_null(strstr(t.err.message, "foo, bar"));
    assert_non_null(strstr(t.err.message, "lacks"));
    assert_non_null(strstr(t.err.message, "--map"));
    table_release(&t);
    /* A date column that holds no dates is named. */
    table_init(&t, "customer_id|order_id|date|amount\n1|A|x|5\n1|B|y|5\n1|C|z|5\n1|D|x|5\n1|E|y|5\n");
    t.options.connector = "orders";
    table_run(&t);
    assert_int_equal(t.rc, COT_BAD_DATA);
    assert_non_null(strstr(t.err.message, "dates (column 'date' holds 'y')"));
    table_release(&t);
}

static void test_describe(void **state)
{
    (void)state;
    static struct table t;
    table_init(&t, "customer_id|order_id|date|amount|junk\n1|A|13/04/2024|5,5|x\n");
    table_run(&t);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, cot_mapping_describe(t.mapping, doc));
    char *json = yyjson_mut_write(doc, 0, NULL);
    assert_non_null(strstr(json, "{\"column\":\"date\",\"field\":\"occurred_at\",\"reads_as\":\"date, day first\"}"));
    assert_non_null(strstr(json, "\"reads_as\":\"number, decimal comma\""));
    assert_non_null(strstr(json, "{\"column\":\"junk\",\"field\":\"ignore\",\"reads_as\":\"text\"}"));
    free(json);
    yyjson_mut_doc_free(doc);
    table_release(&t);
}

static void test_hash_is_of_content(void **state)
{
    (void)state;
    static struct table a;
    static struct table b;
    table_init(&a, "customer_id|order_id|date|amount\n1|A|13/04/2024|5.50\n1|A|13/04/2024|5.51\n");
    table_init(&b, "amount|date|customer_id|order_id|note\n5,5|2024-04-13|1|A|n\n");
    table_run(&a);
    table_run(&b);
    struct cot_hash128 x = cot_record_hash(&a.records.records[0], NULL);
    assert_true(cot_hash128_equal(x, cot_record_hash(&b.records.records[0], NULL)));
    assert_false(cot_hash128_equal(x, cot_record_hash(&a.records.records[1], NULL)));
    table_release(&a);
    table_release(&b);
}

static struct cot_hash128 hash_of_price(const char *content, const char *base_currency)
{
    static struct table t;
    table_init(&t, content);
    t.options.base_currency = base_currency;
    table_run(&t);
    assert_int_equal(t.rc, COT_OK);
    assert_int_equal(t.records.n_records, 1);
    struct cot_hash128 hash = cot_record_hash(&t.records.records[0], NULL);
    table_release(&t);
    return hash;
}

/* A row is the same whether the shop's currency, and so the decimals of its amounts, is known yet or not. */
static void test_hash_without_currency(void **state)
{
    (void)state;
    static const char *const contents[] = {"product_id|name|price\nP1|Tea|500\n",
                                           "customer_id|order_id|date|amount\n1|A|2024-04-13|500\n"};
    static const char *const currencies[] = {"EUR", "JPY", "KWD"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct cot_hash128 unknown = hash_of_price(contents[i], NULL);
        for (size_t j = 0; j < sizeof currencies / sizeof *currencies; j++)
            assert_true(cot_hash128_equal(unknown, hash_of_price(contents[i], currencies[j])));
    }
    /* What the file says is no assumption. */
    static const char *const yen = "product_id|name|price|currency\nP1|Tea|500|JPY\n";
    assert_false(cot_hash128_equal(hash_of_price(contents[0], "JPY"), hash_of_price(yen, "JPY")));
    assert_true(cot_hash128_equal(hash_of_price(yen, NULL), hash_of_price(yen, "JPY")));
}

static void test_headers(void **state)
{
    (void)state;
    char text[COT_HEADER_SIZE];
    static const char *const snakes[][2] = {{"CustomerID", "customer_id"},
                                            {"Order Date", "order_date"},
                                            {"SKUName", "sku_name"},
                                            {" 'Lineitem  price' ", "lineitem_price"},
                                            {"Quantity (- Refund)", "quantity_refund"},
                                            {"ITEM", "item"},
                                            {"MntWines", "mnt_wines"}};
    for (size_t i = 0; i < sizeof snakes / sizeof snakes[0]; i++) {
        cot_header_snake(snakes[i][0], text, sizeof text);
        assert_string_equal(text, snakes[i][1]);
    }
}

/* The tables themselves: unique names, described, every row's names usable. */
static void test_registry(void **state)
{
    (void)state;
    for (size_t i = 0; cot_connectors[i] != NULL; i++) {
        const struct cot_connector *connector = cot_connectors[i];
        assert_ptr_equal(cot_connector_find(connector->name), connector);
        assert_true(strlen(connector->title) > 0 && strlen(connector->description) > 20);
        assert_non_null(connector->decode);
        assert_true(connector->columns != NULL || connector->fits_cells != NULL);
        assert_true(!connector->has_natural_key || connector->kind == COT_KIND_ORDERS);
    }
    for (int i = 0; i < COT_N_FIELDS; i++) {
        enum cot_field field = COT_FIELD_NONE;
        assert_true(cot_field_from_name(cot_field_name((enum cot_field)i), &field));
        assert_int_equal(field, i);
        assert_true(strlen(cot_field_help((enum cot_field)i)) > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_segment_stream),
        cmocka_unit_test(test_event_spellings),
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_suppression_needs_its_name),
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_wrong_header),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_hash_is_of_content),
        cmocka_unit_test(test_hash_without_currency),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
