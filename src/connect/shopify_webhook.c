/*
 * Shopify's webhooks of orders, refunds, customers and products. The topic ("orders/create") is the call's type.
 *
 * Revenue of a line is price x quantity less its discount allocations (prices include tax where taxes_included: it is
 * taken off). An order that comes again supersedes what was known of it; a cancelled one ends.
 */
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "connect/decode.h"

static bool read_person(struct cot_call_reader *reader, yyjson_val *object, yyjson_val *customer,
                        struct cot_record *record)
{
    struct cot_text email = cot_call_text_any(customer, "email");
    struct cot_text phone = cot_call_text_any(customer, "phone");
    record->user = cot_call_text(customer, "id");
    if (email.size == 0)
        email = cot_call_text_any(object, "email|contact_email");
    if (phone.size == 0)
        phone = cot_call_text(object, "phone");
    return cot_call_email(reader, email, &record->email) && cot_call_phone(reader, phone, &record->phone);
}

/* Sum of a money field over an array. */
static bool sum_of(struct cot_call_reader *reader, yyjson_val *array, const char *key, int exponent, int64_t *ret_sum)
{
    size_t i;
    size_t n;
    yyjson_val *element;
    *ret_sum = 0;
    yyjson_arr_foreach(cot_json_some(array), i, n, element)
    {
        int64_t minor = 0;
        bool given = false;
        if (!cot_call_money(reader, element, key, exponent, &minor, &given))
            return false;
        if (__builtin_add_overflow(*ret_sum, given ? minor : 0, ret_sum))
            return cot_call_reject(reader, "amount", "the sum of %s is too large", key);
    }
    return true;
}

/* The money of one line item: after its discounts, without tax. */
static bool read_line(struct cot_call_reader *reader, yyjson_val *order, yyjson_val *line, int exponent,
                      struct cot_record *record)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal price = {0};
    struct cot_decimal quantity = one;
    bool given = false;
    int64_t gross = 0;
    int64_t discount = 0;
    int64_t tax = 0;
    if (!cot_call_decimal(reader, line, "price", &price, &given) ||
        !cot_call_decimal(reader, line, "quantity", &quantity, &given))
        return false;
    if (!given)
        quantity = one;
    if (!cot_money_product(price, quantity, exponent, &gross))
        return cot_call_reject(reader, "amount", "price x quantity is too large");
    if (!sum_of(reader, yyjson_obj_get(line, "discount_allocations"), "amount", exponent, &discount) ||
        !sum_of(reader, yyjson_obj_get(line, "tax_lines"), "price", exponent, &tax))
        return false;
    record->product_id = cot_call_text_any(line, "sku|variant_id|product_id");
    record->name = cot_call_text_any(line, "title|name");
    record->brand = cot_call_text(line, "vendor");
    record->quantity = cot_decimal_double(quantity);
    record->amount_minor = gross - discount - (yyjson_is_true(yyjson_obj_get(order, "taxes_included")) ? tax : 0);
    record->discount_minor = discount;
    record->flags |= COT_RECORD_HAS_AMOUNT | COT_RECORD_HAS_DISCOUNT;
    return record->amount_minor >= 0 || cot_call_reject(reader, "amount", "a line below zero");
}

static bool begin_order(struct cot_call_reader *reader, const char *time_key, struct cot_record **ret_record)
{
    yyjson_val *order = reader->input->call;
    int64_t at_ms = COT_NO_TIME;
    if (!cot_call_time(reader, order, time_key, &at_ms))
        return false;
    at_ms = cot_call_occurred_at(reader->input->received_at_ms, COT_NO_TIME, at_ms);
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_EVENT, at_ms);
    if (record == NULL || !read_person(reader, order, yyjson_obj_get(order, "customer"), record))
        return false;
    record->channel = cot_text_of(cot_text_is(cot_call_text(order, "source_name"), "pos") ? "store" : "web");
    *ret_record = record;
    return true;
}

static bool take_order(struct cot_call_reader *reader)
{
    size_t i;
    size_t n;
    int exponent = 2;
    yyjson_val *line;
    yyjson_val *order = reader->input->call;
    struct cot_record *record = NULL;
    size_t i_record = reader->records->n_records;
    if (!begin_order(reader, "created_at", &record) ||
        !cot_call_currency(reader, cot_call_text(order, "currency"), record, &exponent))
        return false;
    record->event_kind = COT_EVENT_ORDER_LINE;
    record->order_key = cot_call_text_any(order, "id|name");
    record->detail = cot_call_text(yyjson_arr_get_first(yyjson_obj_get(order, "discount_codes")), "code");
    if (cot_call_text(order, "cancelled_at").size > 0) {
        record->event_kind = COT_EVENT_CUSTOM;
        record->detail = cot_text_of("order cancelled");
        record->flags |= COT_RECORD_ORDER_CANCELLED;
        return true;
    }
    yyjson_arr_foreach(cot_json_some(yyjson_obj_get(order, "line_items")), i, n, line)
    {
        record = i == 0 ? &reader->records->records[i_record] : cot_call_again(reader, i_record);
        if (record == NULL || !read_line(reader, order, line, exponent, record))
            return false;
    }
    return n > 0 || cot_call_reject(reader, "order", "an order without line_items");
}

static bool take_refund(struct cot_call_reader *reader)
{
    size_t i;
    size_t n;
    int exponent = 2;
    yyjson_val *refund = reader->input->call;
    yyjson_val *line;
    struct cot_record *record = NULL;
    size_t i_record = reader->records->n_records;
    struct cot_text currency = cot_call_text(yyjson_arr_get_first(yyjson_obj_get(refund, "transactions")), "currency");
    if (!begin_order(reader, "created_at", &record) || !cot_call_currency(reader, currency, record, &exponent))
        return false;
    record->event_kind = COT_EVENT_REFUND;
    record->refund_of = cot_call_text(refund, "order_id");
    record->order_key = cot_call_text(refund, "id");
    record->detail = cot_call_text(refund, "note");
    yyjson_arr_foreach(cot_json_some(yyjson_obj_get(refund, "refund_line_items")), i, n, line)
    {
        bool given = false;
        struct cot_decimal quantity = {.mantissa = 1};
        record = i == 0 ? &reader->records->records[i_record] : cot_call_again(reader, i_record);
        if (record == NULL || !cot_call_money(reader, line, "subtotal", exponent, &record->amount_minor, &given) ||
            !cot_call_decimal(reader, line, "quantity", &quantity, &given))
            return false;
        if (record->amount_minor > 0)
            record->amount_minor = -record->amount_minor;
        record->flags |= COT_RECORD_HAS_AMOUNT;
        record->quantity = given ? cot_decimal_double(quantity) : 1;
        record->product_id = cot_call_text_any(yyjson_obj_get(line, "line_item"), "sku|variant_id|product_id");
    }
    if (n > 0)
        return true;
    int64_t sum = 0;
    if (!sum_of(reader, yyjson_obj_get(refund, "transactions"), "amount", exponent, &sum))
        return false;
    record->amount_minor = -sum;
    record->flags |= COT_RECORD_HAS_AMOUNT | COT_RECORD_ORDER_LEVEL;
    return true;
}

static bool take_customer(struct cot_call_reader *reader)
{
    static const char *const keys[] = {"first_name", "last_name", "tags", "state", "currency"};
    yyjson_val *customer = reader->input->call;
    int64_t at_ms = COT_NO_TIME;
    size_t i_record = reader->records->n_records;
    if (!cot_call_time(reader, customer, "updated_at", &at_ms))
        return false;
    at_ms = cot_call_occurred_at(reader->input->received_at_ms, COT_NO_TIME, at_ms);
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_CUSTOMER, at_ms);
    if (record == NULL || !read_person(reader, customer, customer, record))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!cot_call_add_trait(reader, record, keys[i], cot_call_text(customer, keys[i])))
            return false;
    if (!cot_call_add_trait(reader, record, "country", cot_call_text_at(customer, "default_address.country_code")))
        return false;
    struct cot_text said = cot_call_text_at(customer, "email_marketing_consent.state");
    return said.size == 0 ||
           cot_call_consent(reader, i_record, cot_text_of("marketing"), cot_text_is(said, "subscribed"));
}

/* Each variant is an item of its own. */
static bool take_product(struct cot_call_reader *reader)
{
    size_t i;
    size_t n;
    yyjson_val *product = reader->input->call;
    yyjson_val *variant;
    int64_t at_ms = COT_NO_TIME;
    if (!cot_call_time(reader, product, "updated_at", &at_ms))
        return false;
    at_ms = cot_call_occurred_at(reader->input->received_at_ms, COT_NO_TIME, at_ms);
    yyjson_arr_foreach(cot_json_some(yyjson_obj_get(product, "variants")), i, n, variant)
    {
        bool given = false;
        struct cot_record *record = cot_call_begin(reader, COT_RECORD_PRODUCT, at_ms);
        if (record == NULL ||
            !cot_call_money(reader, variant, "price", cot_currency_exponent(reader->input->base_currency),
                            &record->price_minor, &given))
            return false;
        record->product_id = cot_call_text_any(variant, "sku|id");
        record->name = cot_call_text(product, "title");
        record->category = cot_call_text(product, "product_type");
        record->brand = cot_call_text(product, "vendor");
        record->flags |= given ? COT_RECORD_HAS_PRICE : 0U;
    }
    return n > 0 || cot_call_reject(reader, "product", "a product without variants");
}

static const struct topic {
    const char *names;
    bool (*take)(struct cot_call_reader *reader);
} topics[] = {
    {"orders/create|orders/paid|orders/updated|orders/fulfilled|orders/edited|orders/cancelled", take_order},
    {"refunds/create", take_refund},
    {"customers/create|customers/update|customers/enable|customers/disable", take_customer},
    {"products/create|products/update", take_product},
};

static cot_code decode(const struct cot_live_input *input, struct cot_records *records, struct cot_text *ret_id,
                       struct cot_err *err)
{
    struct cot_call_reader reader = {.input = input,
                                     .records = records,
                                     .first_record = records->n_records,
                                     .first_trait = records->n_traits,
                                     .err = err};
    const struct topic *topic = NULL;
    struct cot_text name = cot_text_of(input->type != NULL ? input->type : "");
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (cot_text_is_any(name, topics[i].names))
            topic = &topics[i];
    *ret_id = (struct cot_text){"", 0}; /* it stands in a header */
    if (!yyjson_is_obj(input->call))
        cot_call_reject(&reader, "json", "the webhook's body is no JSON object");
    else if (topic == NULL)
        cot_call_reject(&reader, "topic", "topic '%.60s' is not taken in", name.data);
    else
        (void)topic->take(&reader);
    return cot_call_finish(&reader);
}

static const struct cot_connector shopify = {
    .name = "shopify_webhooks",
    .title = "Shopify webhooks",
    .kind = COT_KIND_EVENTS,
    .description =
        "Orders, refunds, customers and products as Shopify sends them. Revenue is after discounts, without tax.",
    .assumed_purposes = "service,analytics,personalisation"};

const struct cot_live_source cot_live_shopify = {.connector = &shopify, .decode = decode};
