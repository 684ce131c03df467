/*
 * Segment's tracking calls (identify, track, page, screen, group, alias), as its clients and RudderStack's send them.
 *
 * Revenue of an order is, in this order of preference: revenue; subtotal; total less tax and shipping; the products'
 * price x quantity less the discount. The whole's amount is shared out over the products, so that the lines sum to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "connect/decode.h"

enum { MAX_IDENTITY_SIZE = 256, MAX_TYPE_SIZE = 64 };

/* One call being read. */
struct tracked {
    struct cot_call_reader reader;
    yyjson_val *call;
    yyjson_val *own_context;   /* the call's; may be NULL */
    yyjson_val *batch_context; /* defaults; may be NULL */
    yyjson_val *properties;    /* or traits, of identify and group */
    int64_t occurred_at_ms;
    struct cot_text channel;
};

/* A value of the context: the call's own, else the batch's. */
static yyjson_val *context_at(const struct tracked *t, const char *path)
{
    yyjson_val *value = cot_call_value_at(t->own_context, path);
    return value != NULL ? value : cot_call_value_at(t->batch_context, path);
}

static struct cot_text context_text(const struct tracked *t, const char *path)
{
    struct cot_text text = cot_call_text_at(t->own_context, path);
    return text.size > 0 ? text : cot_call_text_at(t->batch_context, path);
}

static bool read_times(struct tracked *t)
{
    struct cot_call_reader *reader = &t->reader;
    int64_t original_ms = COT_NO_TIME;
    int64_t sent_ms = COT_NO_TIME;
    if (!cot_call_time(reader, t->call, "originalTimestamp", &original_ms) ||
        (original_ms == COT_NO_TIME && !cot_call_time(reader, t->call, "timestamp", &original_ms)) ||
        !cot_call_time(reader, t->call, "sentAt", &sent_ms))
        return false;
    if (sent_ms == COT_NO_TIME)
        sent_ms = reader->input->sent_at_ms;
    t->occurred_at_ms = cot_call_occurred_at(reader->input->received_at_ms, sent_ms, original_ms);
    if (t->occurred_at_ms < COT_EVENT_MIN_MS)
        return cot_call_reject(reader, "time", "the time, corrected by the client's clock, is before 1970");
    return true;
}

/* Identities of other systems, by Segment's names of their types. What isn't known stays under its own type. */
static const struct {
    const char *types;
    enum cot_node_kind kind; /* 0: nobody's */
} external_types[] = {
    {"device_id|device|ios.id|ios.idfa|ios.idfv|android.id|android.idfa|idfa|gaid|advertising_id", COT_NODE_DEVICE},
    {"loyalty|loyalty_card|loyalty_id|loyalty_number|loyaltycard|loyaltyid", COT_NODE_LOYALTY},
    {"anonymous_id|anonymousid", COT_NODE_ANONYMOUS},
    {"group_id|groupid|account_id", 0},
};

static enum cot_node_kind external_kind(struct cot_text type)
{
    for (size_t i = 0; i < sizeof external_types / sizeof *external_types; i++)
        if (cot_text_is_any(type, external_types[i].types))
            return external_types[i].kind;
    return COT_NODE_EXTERNAL;
}

static bool add_identity(struct tracked *t, struct cot_record *record, enum cot_node_kind kind, struct cot_text value)
{
    struct cot_call_reader *reader = &t->reader;
    if (value.size > MAX_TYPE_SIZE + 1 + MAX_IDENTITY_SIZE || cot_identity_is_blocked(kind, value.data, value.size))
        return true;
    reader->rc = cot_record_add_identity(reader->records, record, kind, value, reader->err);
    return reader->rc == COT_OK;
}

/* "type:id", the type in lower case. */
static bool add_external(struct tracked *t, struct cot_record *record, struct cot_text type, struct cot_text id)
{
    if (type.size == 0 || type.size > MAX_TYPE_SIZE || id.size > MAX_IDENTITY_SIZE ||
        cot_identity_is_blocked(COT_NODE_EXTERNAL, id.data, id.size))
        return true;
    char *text = cot_arena_alloc(&t->reader.records->arena, (size_t)type.size + 1 + id.size);
    if (text == NULL)
        return cot_call_no_memory(&t->reader);
    for (uint32_t i = 0; i < type.size; i++)
        text[i] = (char)(type.data[i] >= 'A' && type.data[i] <= 'Z' ? type.data[i] - 'A' + 'a' : type.data[i]);
    text[type.size] = ':';
    memcpy(text + type.size + 1, id.data, id.size);
    return add_identity(t, record, COT_NODE_EXTERNAL, (struct cot_text){text, type.size + 1 + id.size});
}

/* One of context.externalIds: {"id","type","collection","encoding"}. Plain addresses and numbers are what they are. */
static bool read_external(struct tracked *t, struct cot_record *record, yyjson_val *said)
{
    struct cot_text id = cot_call_text(said, "id");
    struct cot_text type = cot_call_text(said, "type");
    struct cot_text collection = cot_call_text(said, "collection");
    struct cot_text encoding = cot_call_text(said, "encoding");
    bool plain = encoding.size == 0 || cot_text_is(encoding, "none");
    if (id.size == 0 || (collection.size > 0 && !cot_text_is(collection, "users")))
        return true;
    if (plain && cot_text_is_any(type, "email") && record->email.size == 0)
        return cot_call_email(&t->reader, id, &record->email);
    if (plain && cot_text_is_any(type, "phone") && record->phone.size == 0)
        return cot_call_phone(&t->reader, id, &record->phone);
    if (plain && cot_text_is_any(type, "user_id|userid") && record->user.size == 0) {
        record->user = id;
        return true;
    }
    enum cot_node_kind kind = plain ? external_kind(type) : COT_NODE_EXTERNAL;
    if (kind == COT_NODE_EXTERNAL)
        return cot_text_is_any(type, "user_id|userid|email|phone") && plain ? true : add_external(t, record, type, id);
    return kind == 0 || add_identity(t, record, kind, id);
}

static bool read_other_identities(struct tracked *t, struct cot_record *record)
{
    static const char loyalty[] = "loyalty_card|loyaltyCard|loyalty_id|loyaltyId|loyalty_number|loyaltyNumber";
    size_t i;
    size_t n;
    yyjson_val *said;
    struct cot_text card = cot_call_text_any(yyjson_obj_get(t->call, "traits"), loyalty);
    if (card.size == 0)
        card = cot_call_text_any(context_at(t, "traits"), loyalty);
    if (card.size == 0)
        card = cot_call_text_any(t->properties, loyalty);
    if (!add_identity(t, record, COT_NODE_LOYALTY, card) ||
        !add_identity(t, record, COT_NODE_DEVICE, context_text(t, "device.id")) ||
        !add_identity(t, record, COT_NODE_DEVICE, context_text(t, "device.advertisingId")))
        return false;
    yyjson_arr_foreach(cot_json_some(context_at(t, "externalIds")), i, n, said)
    {
        if (!read_external(t, record, said))
            return false;
    }
    return true;
}

/* userId, anonymousId, and the address and telephone number among the traits. */
static bool read_identity(struct tracked *t, struct cot_record *record)
{
    yyjson_val *traits = context_at(t, "traits");
    struct cot_text email = cot_call_text(yyjson_obj_get(t->call, "traits"), "email");
    struct cot_text phone = cot_call_text(yyjson_obj_get(t->call, "traits"), "phone");
    record->user = cot_call_text(t->call, "userId");
    record->anonymous = cot_call_text(t->call, "anonymousId");
    if (email.size == 0)
        email = cot_call_text(traits, "email");
    if (phone.size == 0)
        phone = cot_call_text(traits, "phone");
    /* An address given with an order is the buyer's. */
    if (email.size == 0)
        email = cot_call_text(t->properties, "email");
    if (!cot_call_email(&t->reader, email, &record->email) || !cot_call_phone(&t->reader, phone, &record->phone))
        return false;
    if (record->email.size == 0 && record->user.size > 0 && memchr(record->user.data, '@', record->user.size) != NULL &&
        !cot_call_email(&t->reader, record->user, &record->email))
        return false;
    if (record->user.size == 0 && record->anonymous.size == 0)
        return cot_call_reject(&t->reader, "nobody", "neither userId nor anonymousId");
    return read_other_identities(t, record);
}

static struct cot_text channel_of(const struct tracked *t)
{
    static const struct {
        const char *names;
        const char *channel;
    } rows[] = {{"web|browser|client", "web"}, {"mobile|app|ios|android", "app"}, {"server", ""}};
    struct cot_text channel = cot_call_text(t->call, "channel");
    if (channel.size == 0)
        channel = context_text(t, "channel");
    if (channel.size == 0)
        channel = cot_call_text(t->properties, "channel");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cot_text_is_any(channel, rows[i].names))
            return cot_text_of(rows[i].channel);
    if (channel.size > 0)
        return channel;
    if (context_text(t, "device.type").size > 0)
        return cot_text_of("app");
    return context_text(t, "userAgent").size > 0 || context_text(t, "page.url").size > 0 ? cot_text_of("web")
                                                                                         : (struct cot_text){"", 0};
}

/* Begins the call's main record: whose it is, when and where. */
static struct cot_record *begin(struct tracked *t, enum cot_record_kind kind)
{
    struct cot_record *record = cot_call_begin(&t->reader, kind, t->occurred_at_ms);
    if (record == NULL || !read_identity(t, record))
        return NULL;
    if (kind == COT_RECORD_EVENT) {
        record->channel = t->channel;
        record->session = cot_call_text_any(t->properties, "session_id|sessionId");
        if (record->session.size == 0)
            record->session = context_text(t, "sessionId");
        record->campaign = context_text(t, "campaign.name");
        if (!cot_call_properties(&t->reader, record, t->properties))
            return NULL;
    }
    return record;
}

static bool take_identify(struct tracked *t)
{
    struct cot_record *record = begin(t, COT_RECORD_CUSTOMER);
    return record != NULL && cot_call_traits(&t->reader, record, t->properties, "");
}

static bool take_group(struct tracked *t)
{
    struct cot_text group = cot_call_text(t->call, "groupId");
    struct cot_record *record = begin(t, COT_RECORD_CUSTOMER);
    if (record == NULL)
        return false;
    if (group.size == 0)
        return cot_call_reject(&t->reader, "group", "a group call without groupId");
    return cot_call_add_trait(&t->reader, record, "group", group) &&
           cot_call_traits(&t->reader, record, t->properties, "group.");
}

static bool take_alias(struct tracked *t)
{
    struct cot_text previous = cot_call_text(t->call, "previousId");
    struct cot_record *record = cot_call_begin(&t->reader, COT_RECORD_LINK, t->occurred_at_ms);
    if (record == NULL)
        return false;
    record->user = cot_call_text(t->call, "userId");
    record->anonymous = previous;
    if (previous.size == 0 || record->user.size == 0)
        return cot_call_reject(&t->reader, "nobody", "an alias call needs previousId and userId");
    return true;
}

static bool take_page(struct tracked *t, const char *channel)
{
    struct cot_record *record = begin(t, COT_RECORD_EVENT);
    if (record == NULL)
        return false;
    record->event_kind = COT_EVENT_PAGE_VIEW;
    if (record->channel.size == 0)
        record->channel = cot_text_of(channel);
    record->detail = cot_call_text_any(t->properties, "path|url");
    if (record->detail.size == 0)
        record->detail = cot_call_text(t->call, "name");
    if (record->detail.size == 0)
        record->detail = context_text(t, "page.path");
    return true;
}

static bool take_page_view(struct tracked *t)
{
    return take_page(t, "web");
}

static bool take_screen_view(struct tracked *t)
{
    return take_page(t, "app");
}

/* The amounts of a whole order or refund. */
static bool read_whole(struct tracked *t, struct cot_call_order *order)
{
    struct cot_call_reader *reader = &t->reader;
    int64_t total = 0;
    int64_t tax = 0;
    int64_t shipping = 0;
    bool given = false;
    bool ignored = false;
    if (!cot_call_money(reader, t->properties, "revenue|subtotal", order->exponent, &order->amount_minor,
                        &order->has_amount) ||
        !cot_call_money(reader, t->properties, "total|value", order->exponent, &total, &given) ||
        !cot_call_money(reader, t->properties, "tax", order->exponent, &tax, &ignored) ||
        !cot_call_money(reader, t->properties, "shipping", order->exponent, &shipping, &ignored) ||
        !cot_call_money(reader, t->properties, "discount", order->exponent, &order->discount_minor,
                        &order->has_discount))
        return false;
    order->discount_minor = llabs(order->discount_minor);
    if (order->sign < 0 && order->has_amount)
        order->amount_minor = llabs(order->amount_minor);
    if (order->has_amount || !given)
        return true;
    if (llabs(tax) + llabs(shipping) > llabs(total))
        return cot_call_reject(reader, "amount", "tax and shipping are more than the total");
    order->has_amount = true;
    order->amount_minor = (order->sign < 0 ? llabs(total) : total) - llabs(tax) - llabs(shipping);
    return true;
}

static bool take_order(struct tracked *t, size_t i_record, int sign)
{
    struct cot_record *record = &t->reader.records->records[i_record];
    struct cot_call_order order = {.object = t->properties, .products = "products", .sign = sign, .i_record = i_record};
    record->order_key = cot_call_text_any(t->properties, "order_id|orderId|transaction_id|checkout_id");
    record->detail = sign > 0 ? cot_call_text(t->properties, "coupon") : cot_call_text(t->properties, "reason");
    if (sign < 0) {
        record->refund_of = record->order_key;
        record->order_key = cot_call_text(t->properties, "refund_id");
    }
    if (!cot_call_currency(&t->reader, cot_call_text(t->properties, "currency"), record, &order.exponent) ||
        !read_whole(t, &order))
        return false;
    return cot_call_order_lines(&t->reader, &order);
}

/* One product bought, said by itself ("product purchased"): a line of its order. */
static bool is_single_product(const struct tracked *t)
{
    return yyjson_arr_size(yyjson_obj_get(t->properties, "products")) == 0 &&
           cot_call_text_any(t->properties, "product_id|sku").size > 0;
}

static bool take_single_line(struct tracked *t, size_t i_record, int sign)
{
    struct cot_call_reader *reader = &t->reader;
    struct cot_record *record = &reader->records->records[i_record];
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal price;
    struct cot_decimal quantity = one;
    bool has_price = false;
    bool given = false;
    bool has_amount = false;
    int exponent = 2;
    int64_t minor = 0;
    if (!cot_call_currency(reader, cot_call_text(t->properties, "currency"), record, &exponent) ||
        !cot_call_decimal(reader, t->properties, "quantity", &quantity, &given) ||
        !cot_call_money(reader, t->properties, "revenue|value|total", exponent, &minor, &has_amount) ||
        !cot_call_decimal(reader, t->properties, "price", &price, &has_price))
        return false;
    if (!given)
        quantity = one;
    if (!has_amount && has_price && !cot_money_product(price, quantity, exponent, &minor))
        return cot_call_reject(reader, "amount", "price x quantity is too large");
    if (quantity.mantissa < 0 || minor < 0)
        return cot_call_reject(reader, "amount", "an amount below zero: what is given back is a refund of its own");
    record->order_key = cot_call_text_any(t->properties, "order_id|orderId|transaction_id");
    if (sign < 0)
        record->refund_of = record->order_key;
    record->quantity = cot_decimal_double(quantity);
    record->amount_minor = sign * minor;
    record->flags |= has_amount || has_price ? COT_RECORD_HAS_AMOUNT : COT_RECORD_NEEDS_PRICE;
    return true;
}

static const char cancelled[] = "order_cancelled|order cancelled|cancelled order|order canceled|ordercancelled";

static bool take_track(struct tracked *t)
{
    struct cot_text name = cot_call_text(t->call, "event");
    struct cot_record *record = begin(t, COT_RECORD_EVENT);
    if (record == NULL)
        return false;
    size_t i_record = t->reader.records->n_records - 1;
    if (name.size == 0)
        return cot_call_reject(&t->reader, "event", "a track call without the event's name");
    bool updates = cot_text_is_any(name, "order updated|order_updated|updated order");
    if (updates) {
        record->event_kind = COT_EVENT_ORDER_LINE;
    } else if (!cot_event_kind_from_spelling(name, &record->event_kind)) {
        record->event_kind = COT_EVENT_CUSTOM;
    }
    cot_call_product(t->properties, record);
    record->quantity = 0;
    if (record->event_kind == COT_EVENT_ORDER_LINE || record->event_kind == COT_EVENT_REFUND) {
        int sign = record->event_kind == COT_EVENT_REFUND ? -1 : 1;
        return is_single_product(t) ? take_single_line(t, i_record, sign) : take_order(t, i_record, sign);
    }
    if (cot_text_is_any(name, cancelled)) {
        record->order_key = cot_call_text_any(t->properties, "order_id|orderId");
        record->flags |= COT_RECORD_ORDER_CANCELLED;
    }
    record->detail = record->event_kind == COT_EVENT_CUSTOM
                         ? name
                         : cot_call_text_any(t->properties, "query|coupon|coupon_id|promotion_id|url|path");
    return true;
}

static const struct call_type {
    const char *names; /* the last ones are the short paths of the browser's client */
    bool (*take)(struct tracked *t);
    const char *properties;
} call_types[] = {
    {"track|t", take_track, "properties"},    {"identify|i", take_identify, "traits"},
    {"page|p", take_page_view, "properties"}, {"screen|s", take_screen_view, "properties"},
    {"group|g", take_group, "traits"},        {"alias|a|merge", take_alias, "traits"},
};

static const struct call_type *call_type_of(const struct cot_live_input *input)
{
    struct cot_text name =
        input->type != NULL ? cot_text_of(input->type) : cot_call_text_any(input->call, "type|action");
    for (size_t i = 0; i < sizeof call_types / sizeof *call_types; i++)
        if (cot_text_is_any(name, call_types[i].names))
            return &call_types[i];
    return NULL;
}

/* Consent that the call states: Segment's object, and the browser's signal against advertising. */
static bool take_consent(struct tracked *t)
{
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    struct cot_call_reader *reader = &t->reader;
    if (reader->records->n_records == reader->first_record)
        return true;
    size_t i_record = reader->first_record;
    yyjson_obj_iter iter = yyjson_obj_iter_with(context_at(t, "consent.categoryPreferences")); /* NULL: empty */
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        struct cot_text purpose = {yyjson_get_str(key), (uint32_t)yyjson_get_len(key)};
        value = yyjson_obj_iter_get_val(key);
        if (yyjson_is_bool(value) && !cot_call_consent(reader, i_record, purpose, yyjson_get_bool(value)))
            return false;
    }
    return !reader->input->opted_out || cot_call_consent(reader, i_record, cot_text_of("advertising"), false);
}

static const char *mark_of(const struct tracked *t)
{
    struct cot_text agent = context_text(t, "userAgent");
    if (agent.size == 0 && t->reader.input->user_agent != NULL)
        agent = cot_text_of(t->reader.input->user_agent);
    if (agent.size > 0 && cot_user_agent_is_bot(agent.data, agent.size))
        return "bot";
    return cot_text_is_any(cot_call_text(t->properties, "traffic_type"), "internal") ? "internal" : NULL;
}

static cot_code decode(const struct cot_live_input *input, struct cot_records *records, struct cot_text *ret_id,
                       struct cot_err *err)
{
    struct tracked t = {.reader = {.input = input,
                                   .records = records,
                                   .first_record = records->n_records,
                                   .first_trait = records->n_traits,
                                   .err = err},
                        .call = input->call,
                        .own_context = yyjson_obj_get(input->call, "context"),
                        .batch_context = input->context};
    const struct call_type *type = call_type_of(input);
    *ret_id = cot_call_text_any(input->call, "messageId|message_id");
    if (!yyjson_is_obj(input->call)) {
        cot_call_reject(&t.reader, "json", "the call is no JSON object");
    } else if (type == NULL) {
        struct cot_text name = cot_call_text_any(input->call, "type|action");
        cot_call_reject(&t.reader, "type", "type '%.*s': a call is one of track, identify, page, screen, group, alias",
                        (int)(name.size < 40 ? name.size : 40), name.data);
    } else {
        t.properties = yyjson_obj_get(input->call, type->properties);
        t.channel = channel_of(&t);
        t.reader.mark = mark_of(&t);
        if (read_times(&t) && type->take(&t) && take_consent(&t))
            cot_call_strip_marked(&t.reader);
    }
    return cot_call_finish(&t.reader);
}

static const struct cot_connector segment = {
    .name = "segment",
    .title = "Segment tracking API",
    .kind = COT_KIND_EVENTS,
    .description =
        "Calls of Segment's clients over HTTP. Revenue is revenue, else subtotal, else total less tax and shipping, "
        "else the products' prices less the discount.",
    .assumed_purposes = "service,analytics,personalisation,marketing"};

static const struct cot_connector rudderstack = {
    .name = "rudderstack",
    .title = "RudderStack",
    .kind = COT_KIND_EVENTS,
    .description = "Calls of RudderStack's clients over HTTP, understood as Segment's.",
    .assumed_purposes = "service,analytics,personalisation,marketing"};

const struct cot_live_source cot_live_segment = {.connector = &segment, .decode = decode};
const struct cot_live_source cot_live_rudderstack = {.connector = &rudderstack, .decode = decode};
