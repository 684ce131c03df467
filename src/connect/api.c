/*
 * What a shop says by the server's own paths: products, consent, traits.
 *
 *   product: {"product_id","name","category","subcategory","brand","price","cost","currency","timestamp"}
 *   consent: {"userId" | "email" | "phone" | "anonymousId" | "loyalty_card","purposes": {PURPOSE: bool},"timestamp"}
 *   traits:  {"kind","value": an identity,"traits": {KEY: text, number, bool or null (said no longer)},"timestamp"}
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "connect/decode.h"
#include "domain/consent.h"

static bool read_time(struct cot_call_reader *reader, int64_t *ret_at_ms)
{
    int64_t at_ms = COT_NO_TIME;
    if (!cot_call_time(reader, reader->input->call, "timestamp", &at_ms))
        return false;
    *ret_at_ms = cot_call_occurred_at(reader->input->received_at_ms, COT_NO_TIME, at_ms);
    return *ret_at_ms >= COT_EVENT_MIN_MS || cot_call_reject(reader, "time", "timestamp is before 1970");
}

static bool take_product(struct cot_call_reader *reader)
{
    yyjson_val *call = reader->input->call;
    int exponent = 2;
    int64_t at_ms = 0;
    bool has_price = false;
    bool has_cost = false;
    if (!read_time(reader, &at_ms))
        return false;
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_PRODUCT, at_ms);
    if (record == NULL || !cot_call_currency(reader, cot_call_text(call, "currency"), record, &exponent) ||
        !cot_call_money(reader, call, "price", exponent, &record->price_minor, &has_price) ||
        !cot_call_money(reader, call, "cost", exponent, &record->cost_minor, &has_cost))
        return false;
    record->exponent = (uint8_t)exponent;
    record->product_id = cot_call_text_any(call, "product_id|sku|id");
    record->name = cot_call_text_any(call, "name|title");
    record->category = cot_call_text(call, "category");
    record->subcategory = cot_call_text(call, "subcategory");
    record->brand = cot_call_text(call, "brand");
    record->flags |= (has_price ? COT_RECORD_HAS_PRICE : 0U) | (has_cost ? COT_RECORD_HAS_COST : 0U);
    if (record->product_id.size == 0)
        return cot_call_reject(reader, "product", "a product without product_id");
    return (record->price_minor >= 0 && record->cost_minor >= 0) ||
           cot_call_reject(reader, "amount", "a price or cost below zero");
}

static bool read_person(struct cot_call_reader *reader, struct cot_record *record)
{
    yyjson_val *call = reader->input->call;
    record->user = cot_call_text_any(call, "userId|user_id|customer_id");
    record->anonymous = cot_call_text_any(call, "anonymousId|anonymous_id");
    if (!cot_call_email(reader, cot_call_text(call, "email"), &record->email) ||
        !cot_call_phone(reader, cot_call_text(call, "phone"), &record->phone))
        return false;
    reader->rc = cot_record_add_identity(reader->records, record, COT_NODE_LOYALTY, cot_call_text(call, "loyalty_card"),
                                         reader->err);
    if (reader->rc != COT_OK)
        return false;
    return cot_record_has_identity(record) ||
           cot_call_reject(reader, "nobody", "none of userId, email, phone, anonymousId, loyalty_card names anybody");
}

static bool take_consent(struct cot_call_reader *reader)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    int64_t at_ms = 0;
    yyjson_val *purposes = yyjson_obj_get(reader->input->call, "purposes");
    size_t i_record = reader->records->n_records;
    if (!read_time(reader, &at_ms))
        return false;
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_LINK, at_ms); /* who; what follows repeats it */
    if (record == NULL || !read_person(reader, record))
        return false;
    if (yyjson_obj_size(purposes) == 0)
        return cot_call_reject(reader, "purpose", "\"purposes\" is an object of true and false by purpose");
    yyjson_obj_foreach(cot_json_some(purposes), i, n, key, value)
    {
        enum cot_purpose known;
        struct cot_text purpose = {yyjson_get_str(key), (uint32_t)yyjson_get_len(key)};
        if (!cot_purpose_from_name(purpose.data, purpose.size, &known) || !yyjson_is_bool(value))
            return cot_call_reject(reader, "purpose",
                                   "purposes.%.40s: true or false for service, analytics, personalisation, marketing "
                                   "or advertising",
                                   purpose.data);
        if (!cot_call_consent(reader, i_record, purpose, yyjson_get_bool(value)))
            return false;
    }
    return true;
}

static bool take_identity(struct cot_call_reader *reader, struct cot_record *record)
{
    enum cot_node_kind kind = COT_NODE_USER;
    struct cot_text name = cot_call_text(reader->input->call, "kind");
    struct cot_text value = cot_call_text(reader->input->call, "value");
    if (value.size == 0 || !cot_node_kind_from_name(name.data, name.size, &kind))
        return cot_call_reject(reader, "nobody", "kind '%.*s': the call names nobody",
                               (int)(name.size < 40 ? name.size : 40), name.data);
    switch (kind) {
    case COT_NODE_USER: record->user = value; return true;
    case COT_NODE_ANONYMOUS: record->anonymous = value; return true;
    case COT_NODE_PHONE: record->phone = value; return true;
    case COT_NODE_EMAIL: return cot_call_email(reader, value, &record->email);
    default: break;
    }
    reader->rc = cot_record_add_identity(reader->records, record, kind, value, reader->err);
    return reader->rc == COT_OK;
}

/* A trait that is said no longer: a fact without a value. */
static bool clear_trait(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *key)
{
    const struct cot_trait trait = {
        .key = {yyjson_get_str(key), (uint32_t)yyjson_get_len(key)}, .value = {"", 0}, .number = (double)NAN};
    reader->rc = cot_records_add_trait(reader->records, &trait, reader->err);
    record->n_traits += reader->rc == COT_OK;
    return reader->rc == COT_OK;
}

static bool take_traits(struct cot_call_reader *reader)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    int64_t at_ms = 0;
    yyjson_val *traits = yyjson_obj_get(reader->input->call, "traits");
    if (!read_time(reader, &at_ms))
        return false;
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_CUSTOMER, at_ms);
    if (record == NULL || !take_identity(reader, record) || !cot_call_traits(reader, record, traits, ""))
        return false;
    yyjson_obj_foreach(cot_json_some(traits), i, n, key, value)
    {
        if (yyjson_is_null(value) && !clear_trait(reader, record, key))
            return false;
    }
    return record->n_traits > 0 || cot_call_reject(reader, "traits", "the body holds no trait: {\"city\": \"Berlin\"}");
}

static const struct statement {
    const char *type;
    bool (*take)(struct cot_call_reader *reader);
} statements[] = {{"product", take_product}, {"consent", take_consent}, {"traits", take_traits}};

static cot_code decode(const struct cot_live_input *input, struct cot_records *records, struct cot_text *ret_id,
                       struct cot_err *err)
{
    struct cot_call_reader reader = {.input = input,
                                     .records = records,
                                     .first_record = records->n_records,
                                     .first_trait = records->n_traits,
                                     .err = err};
    const struct statement *statement = NULL;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && input->type != NULL; i++)
        if (strcmp(statements[i].type, input->type) == 0)
            statement = &statements[i];
    *ret_id = cot_call_text(input->call, "messageId");
    if (!yyjson_is_obj(input->call))
        cot_call_reject(&reader, "json", "not a JSON object");
    else if (statement == NULL)
        cot_call_reject(&reader, "type", "'%.40s' is none of product, consent, traits",
                        input->type != NULL ? input->type : "");
    else
        (void)statement->take(&reader);
    return cot_call_finish(&reader);
}

static const struct cot_connector api = {.name = "api",
                                         .title = "the server's own paths",
                                         .kind = COT_KIND_CUSTOMERS,
                                         .description = "Products, consent and traits that the shop states over HTTP.",
                                         .assumed_purposes = "service,analytics,personalisation,marketing"};

const struct cot_live_source cot_live_api = {.connector = &api, .decode = decode};
