/* Products, campaigns and their targets and responses, coupons, promotions, rates. */
#include <math.h>
#include <string.h>

#include "connect/decode.h"

static bool needs(struct cot_decoder *d, enum cot_field field, struct cot_text *ret_text)
{
    *ret_text = cot_decode_text(d, field);
    if (ret_text->size > 0)
        return true;
    return cot_decode_reject(d, "missing", "column '%.60s' is empty", cot_decode_column(d, field));
}

static bool needs_someone(struct cot_decoder *d, struct cot_record *record)
{
    if (!cot_decode_identity(d, record))
        return false;
    if (cot_record_has_identity(record))
        return true;
    return cot_decode_reject(d, "nobody", "the row names no customer");
}

void cot_decode_product_row(struct cot_decoder *d)
{
    bool has_price = false;
    bool has_cost = false;
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_PRODUCT);
    if (record == NULL || !needs(d, COT_FIELD_PRODUCT_ID, &record->product_id) || !cot_decode_currency(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return;
    record->name = cot_decode_text(d, COT_FIELD_PRODUCT_NAME);
    record->category = cot_decode_text(d, COT_FIELD_CATEGORY);
    record->subcategory = cot_decode_text(d, COT_FIELD_SUBCATEGORY);
    record->brand = cot_decode_text(d, COT_FIELD_BRAND);
    if (!cot_decode_money(d, COT_FIELD_PRICE, &record->price_minor, &has_price) ||
        !cot_decode_money(d, COT_FIELD_UNIT_COST, &record->cost_minor, &has_cost))
        return;
    if (record->price_minor < 0 || record->cost_minor < 0) {
        cot_decode_reject(d, "number", "a price or cost below 0");
        return;
    }
    record->flags |= (has_price ? COT_RECORD_HAS_PRICE : 0U) | (has_cost ? COT_RECORD_HAS_COST : 0U);
}

void cot_decode_campaign_row(struct cot_decoder *d)
{
    bool given = false;
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_CAMPAIGN);
    if (record == NULL || !needs(d, COT_FIELD_CAMPAIGN, &record->campaign))
        return;
    record->name = cot_decode_text(d, COT_FIELD_CAMPAIGN_NAME);
    record->detail = cot_decode_text(d, COT_FIELD_CAMPAIGN_TYPE);
    record->channel = cot_decode_has(d, COT_FIELD_CHANNEL) ? cot_decode_channel(d) : cot_text_of("");
    if (!cot_decode_time(d, COT_FIELD_STARTS_AT, &record->starts_at_ms, &given) ||
        !cot_decode_time(d, COT_FIELD_ENDS_AT, &record->ends_at_ms, &given))
        return;
    if (record->ends_at_ms != 0 && record->ends_at_ms < record->starts_at_ms)
        cot_decode_reject(d, "date", "the campaign ends before it starts");
}

/* Dates of messages: the row's own, else the campaign's start as its description says. */
static bool date_by_campaign(struct cot_decoder *d, struct cot_record *record)
{
    if (!cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return false;
    if ((record->flags & COT_RECORD_TIMELESS) != 0)
        record->flags = (record->flags & ~(uint32_t)COT_RECORD_TIMELESS) | COT_RECORD_CAMPAIGN_DATE;
    return true;
}

void cot_decode_target_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_EVENT);
    if (record == NULL || !needs(d, COT_FIELD_CAMPAIGN, &record->campaign) || !needs_someone(d, record) ||
        !date_by_campaign(d, record))
        return;
    record->channel = cot_decode_channel(d);
    record->event_kind = cot_text_is_any(cot_decode_text(d, COT_FIELD_ARM), "control|holdout|held out|c|0")
                             ? COT_EVENT_CAMPAIGN_CONTROL
                             : COT_EVENT_CAMPAIGN_SENT;
}

/* A response without date and campaign is a mark of the person: a trait. */
static void response_as_trait(struct cot_decoder *d, struct cot_record *record, bool responded)
{
    record->kind = COT_RECORD_CUSTOMER;
    record->flags = COT_RECORD_TIMELESS;
    cot_decode_add_trait(d, record, "response", cot_text_of(responded ? "1" : "0"), responded, true);
}

static bool read_moment(struct cot_decoder *d, enum cot_field field, struct cot_record *record, bool *ret_given)
{
    int64_t ms = 0;
    if (!cot_decode_time(d, field, &ms, ret_given))
        return false;
    if (*ret_given) {
        record->occurred_at_ms = record->recorded_at_ms = ms;
        record->flags =
            (record->flags & ~(uint32_t)(COT_RECORD_CAMPAIGN_DATE | COT_RECORD_TIMELESS)) | COT_RECORD_UNDATED;
    }
    return true;
}

void cot_decode_response_row(struct cot_decoder *d)
{
    bool responded = false;
    bool has_response = false;
    bool sent_given = false;
    bool given = false;
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_EVENT);
    if (record == NULL || !needs_someone(d, record) ||
        !cot_decode_bool(d, COT_FIELD_RESPONSE, &responded, &has_response))
        return;
    record->campaign = cot_decode_text(d, COT_FIELD_CAMPAIGN);
    record->channel = cot_decode_channel(d);
    if (!date_by_campaign(d, record) || !read_moment(d, COT_FIELD_SENT_AT, record, &sent_given))
        return;
    bool has_date = (record->flags & COT_RECORD_CAMPAIGN_DATE) == 0;
    bool has_responded_at = cot_decode_text(d, COT_FIELD_RESPONDED_AT).size > 0;
    if (!has_response && !cot_decode_has(d, COT_FIELD_RESPONSE) && has_responded_at)
        has_response = responded = true;
    if (!has_response) {
        cot_decode_reject(d, "response", "column '%.60s': neither yes nor no",
                          cot_decode_column(d, COT_FIELD_RESPONSE));
        return;
    }
    if (!has_date && !has_responded_at && record->campaign.size == 0) {
        response_as_trait(d, record, responded);
        return;
    }
    record->event_kind = cot_text_is_any(cot_decode_text(d, COT_FIELD_ARM), "control|holdout|held out|c|0")
                             ? COT_EVENT_CAMPAIGN_CONTROL
                             : COT_EVENT_CAMPAIGN_SENT;
    if (!responded)
        return;
    struct cot_record *response = cot_decode_again(d, d->records->n_records - 1);
    if (response == NULL)
        return;
    response->event_kind = COT_EVENT_CAMPAIGN_RESPONSE;
    read_moment(d, COT_FIELD_RESPONDED_AT, response, &given);
}

void cot_decode_coupon_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_COUPON);
    if (record == NULL || !needs(d, COT_FIELD_COUPON, &record->detail))
        return;
    record->product_id = cot_decode_text(d, COT_FIELD_PRODUCT_ID);
    record->campaign = cot_decode_text(d, COT_FIELD_CAMPAIGN);
}

void cot_decode_redemption_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_EVENT);
    if (record == NULL || !needs(d, COT_FIELD_COUPON, &record->detail) || !needs_someone(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_REJECT))
        return;
    record->event_kind = COT_EVENT_COUPON_REDEEMED;
    record->campaign = cot_decode_text(d, COT_FIELD_CAMPAIGN);
    record->order_key = cot_decode_text(d, COT_FIELD_ORDER_ID);
    record->channel = cot_decode_channel(d);
}

void cot_decode_promotion_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_PROMOTION);
    if (record == NULL || !needs(d, COT_FIELD_PRODUCT_ID, &record->product_id))
        return;
    record->store = cot_decode_text(d, COT_FIELD_STORE);
    record->display = cot_decode_text(d, COT_FIELD_DISPLAY);
    record->mailer = cot_decode_text(d, COT_FIELD_MAILER);
    record->week = cot_decode_text(d, COT_FIELD_WEEK);
}

void cot_decode_rate_row(struct cot_decoder *d)
{
    struct cot_text code;
    struct cot_decimal rate = {0};
    bool given = false;
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_RATE);
    if (record == NULL || !needs(d, COT_FIELD_CURRENCY, &code) || !cot_decode_currency(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_REJECT) || !cot_decode_number(d, COT_FIELD_RATE, &rate, &given))
        return;
    record->rate = cot_decimal_double(rate);
    if (!given || !isfinite(record->rate) || record->rate <= 0)
        cot_decode_reject(d, "number", "column '%.60s': a rate must be above 0", cot_decode_column(d, COT_FIELD_RATE));
}
