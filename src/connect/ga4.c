/*
 * Google Analytics 4, Measurement Protocol: each element of "events" is a call; client_id, user_id, timestamp_micros,
 * user_properties and consent stand beside it, in the body.
 */
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "connect/decode.h"

static bool read_whole(struct cot_call_reader *reader, yyjson_val *params, struct cot_call_order *order)
{
    /* "value" is the sum of price x quantity: without tax and shipping, as GA4's reference says. */
    return cot_call_money(reader, params, "value", order->exponent, &order->amount_minor, &order->has_amount) &&
           cot_call_money(reader, params, "discount", order->exponent, &order->discount_minor, &order->has_discount);
}

static bool take_order(struct cot_call_reader *reader, yyjson_val *params, size_t i_record, int sign)
{
    struct cot_record *record = &reader->records->records[i_record];
    struct cot_call_order order = {.object = params, .products = "items", .sign = sign, .i_record = i_record};
    record->order_key = cot_call_text(params, "transaction_id");
    record->detail = cot_call_text(params, "coupon");
    if (sign < 0) {
        record->refund_of = record->order_key;
        record->order_key = (struct cot_text){"", 0};
    }
    return cot_call_currency(reader, cot_call_text(params, "currency"), record, &order.exponent) &&
           read_whole(reader, params, &order) && cot_call_order_lines(reader, &order);
}

/* Microseconds since 1970, of the event or of the body; never after now, and at most 72 hours back as GA4 has it. */
static int64_t occurred_at(const struct cot_live_input *input)
{
    enum { BACK_HOURS = 72 };
    int64_t micros = 0;
    struct cot_text text = cot_call_text(input->call, "timestamp_micros");
    if (text.size == 0)
        text = cot_call_text(input->context, "timestamp_micros");
    if (text.size == 0 || cot_value_int(text.data, text.size, &micros) != COT_VALUE_OK)
        return input->received_at_ms;
    int64_t ms = cot_call_occurred_at(input->received_at_ms, COT_NO_TIME, micros / 1000);
    int64_t earliest_ms = input->received_at_ms - BACK_HOURS * COT_MS_PER_HOUR;
    return ms < earliest_ms ? earliest_ms : ms;
}

static bool take_user_properties(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *properties)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(cot_json_some(properties), i, n, key, value)
    {
        if (!cot_call_add_trait(reader, record, yyjson_get_str(key), cot_call_text(value, "value")))
            return false;
    }
    return true;
}

static bool take_consent(struct cot_call_reader *reader, size_t i_record)
{
    static const char *const keys[] = {"ad_user_data", "ad_personalization"};
    for (size_t i = 0; i < 2; i++) {
        struct cot_text said = cot_call_text_at(yyjson_obj_get(reader->input->context, "consent"), keys[i]);
        if (said.size > 0 &&
            !cot_call_consent(reader, i_record, cot_text_of("advertising"), cot_text_is(said, "granted")))
            return false;
    }
    return !reader->input->opted_out || cot_call_consent(reader, i_record, cot_text_of("advertising"), false);
}

static bool take_event(struct cot_call_reader *reader, const struct cot_live_input *input)
{
    struct cot_text name = cot_call_text(input->call, "name");
    yyjson_val *params = yyjson_obj_get(input->call, "params");
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_EVENT, occurred_at(input));
    size_t i_record = reader->records->n_records - 1;
    if (record == NULL)
        return false;
    record->user = cot_call_text(input->context, "user_id");
    record->anonymous = cot_call_text_any(input->context, "client_id|app_instance_id");
    record->session = cot_call_text_any(params, "session_id|ga_session_id");
    record->campaign = cot_call_text_any(params, "campaign|campaign_id");
    record->channel = cot_text_of(cot_call_text(input->context, "app_instance_id").size > 0 ? "app" : "web");
    if (name.size == 0)
        return cot_call_reject(reader, "event", "an event without a name");
    if (record->user.size == 0 && record->anonymous.size == 0)
        return cot_call_reject(reader, "nobody", "neither client_id nor user_id");
    if (!cot_call_properties(reader, record, params))
        return false;
    if (!take_user_properties(reader, record, yyjson_obj_get(input->context, "user_properties")))
        return false;
    bool known = cot_event_kind_from_spelling(name, &record->event_kind);
    if (!known)
        record->event_kind = COT_EVENT_CUSTOM;
    if (record->event_kind == COT_EVENT_ORDER_LINE || record->event_kind == COT_EVENT_REFUND) {
        if (!take_order(reader, params, i_record, record->event_kind == COT_EVENT_REFUND ? -1 : 1))
            return false;
    } else {
        yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(params, "items"));
        cot_call_product(first != NULL ? first : params, record);
        record->detail = known ? cot_call_text_any(params, "search_term|page_location|coupon") : name;
    }
    if (cot_text_is_any(cot_call_text(params, "traffic_type"), "internal"))
        reader->mark = "internal";
    return take_consent(reader, i_record);
}

static cot_code decode(const struct cot_live_input *input, struct cot_records *records, struct cot_text *ret_id,
                       struct cot_err *err)
{
    struct cot_call_reader reader = {.input = input,
                                     .records = records,
                                     .first_record = records->n_records,
                                     .first_trait = records->n_traits,
                                     .err = err};
    *ret_id = cot_call_text_any(input->call, "event_id|message_id");
    if (!yyjson_is_obj(input->call))
        cot_call_reject(&reader, "json", "the event is no JSON object");
    else if (take_event(&reader, input))
        cot_call_strip_marked(&reader);
    return cot_call_finish(&reader);
}

static const struct cot_connector ga4 = {
    .name = "ga4",
    .title = "Google Analytics 4, Measurement Protocol",
    .kind = COT_KIND_EVENTS,
    .description = "Events in GA4's own form. Revenue of a purchase is its value, shared out over the items.",
    .assumed_purposes = "service,analytics,personalisation,marketing"};

const struct cot_live_source cot_live_ga4 = {.connector = &ga4, .decode = decode};
