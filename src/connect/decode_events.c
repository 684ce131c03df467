/* Events: what people did on the site, in the app, with messages. */
#include <string.h>

#include "connect/decode.h"
#include "connect/header.h"

/* Spellings, squashed (lower case, letters and digits only). Sources: Segment's e-commerce specification v2 ("Product
 * Viewed") and v1 ("Viewed Product"), its e-mail and mobile specifications, Google Analytics 4 (view_item),
 * RetailRocket (view, addtocart, transaction), and our own names. */
static const struct {
    enum cot_event_kind kind;
    const char *spellings;
} kinds[] = {
    {COT_EVENT_ORDER_LINE,
     "order_line|order_completed|completed_order|purchase|purchased|order|transaction|order_placed|"
     "placed_order|checkout_completed|ordered_product|product_purchased|buy|order_paid|bought"},
    {COT_EVENT_REFUND, "refund|refunded|order_refunded|refunded_order|return|returned|product_returned"},
    {COT_EVENT_PRODUCT_VIEW,
     "product_view|product_viewed|viewed_product|view_item|view|product_clicked|clicked_product|"
     "select_item|view_product|item_view|product_detail_view|viewed_item|detail_view|"
     "product_page_view|product_details_viewed|click_product"},
    {COT_EVENT_LIST_VIEW, "list_view|product_list_viewed|viewed_product_category|product_category_viewed|"
                          "viewed_product_list|view_item_list|category_view|collection_viewed|view_category|"
                          "product_list_filtered|category_viewed"},
    {COT_EVENT_SEARCH, "search|products_searched|searched_products|searched|view_search_results|search_submitted|"
                       "search_performed|product_searched"},
    {COT_EVENT_CART_ADD, "cart_add|product_added|added_product|add_to_cart|addtocart|cart|product_added_to_cart|"
                         "added_to_cart|cart_added|basket_add|add_to_basket"},
    {COT_EVENT_CART_REMOVE, "cart_remove|product_removed|removed_product|remove_from_cart|removefromcart|"
                            "product_removed_from_cart|removed_from_cart|basket_remove"},
    {COT_EVENT_CHECKOUT_START, "checkout_start|checkout_started|started_checkout|begin_checkout|checkout|"
                               "checkout_begun|initiate_checkout|start_checkout"},
    {COT_EVENT_WISHLIST_ADD, "wishlist_add|product_added_to_wishlist|added_product_to_wishlist|add_to_wishlist|"
                             "wishlist|favourite|favorite|added_to_wishlist"},
    {COT_EVENT_REVIEW, "review|product_reviewed|reviewed_product|review_submitted|rating|rate"},
    {COT_EVENT_APP_OPEN, "app_open|application_opened|application_installed|app_launched|application_foregrounded|"
                         "opened_app|first_open"},
    {COT_EVENT_PAGE_VIEW, "page_view|page_viewed|viewed_page|page|pageview|visit|session_start|home_page_view|"
                          "screen|screen_view|screen_viewed"},
    {COT_EVENT_EMAIL_SENT, "email_sent|email_delivered|sent|delivered|received_email|email_received|send"},
    {COT_EVENT_EMAIL_OPEN, "email_open|email_opened|opened|open|opened_email"},
    {COT_EVENT_EMAIL_CLICK, "email_click|email_link_clicked|clicked|click|clicked_email|email_clicked"},
    {COT_EVENT_UNSUBSCRIBE, "unsubscribe|unsubscribed|email_unsubscribed|opt_out|opted_out|email_marked_as_spam"},
    {COT_EVENT_CAMPAIGN_SENT, "campaign_sent|push_sent|sms_sent|message_sent|push_notification_received"},
    {COT_EVENT_CAMPAIGN_RESPONSE, "campaign_response|responded|response|promotion_clicked|push_notification_tapped|"
                                  "push_opened|sms_clicked|conversion|converted"},
    {COT_EVENT_CAMPAIGN_CONTROL, "campaign_control|control|holdout"},
    {COT_EVENT_COUPON_REDEEMED, "coupon_redeemed|coupon_applied|redeemed_coupon|coupon_used"},
    {COT_EVENT_CALL, "call|phone_call|support_call|called"},
    {COT_EVENT_STORE_VISIT, "store_visit|visited_store|in_store_visit"},
    {COT_EVENT_COMPLAINT, "complaint|complained|support_ticket|ticket_created"},
    {COT_EVENT_CUSTOM, "custom"},
};

bool cot_event_kind_from_spelling(struct cot_text name, enum cot_event_kind *ret_kind)
{
    char text[COT_HEADER_SIZE];
    char squashed[COT_HEADER_SIZE];
    if (name.size >= sizeof text)
        return false;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    cot_header_squash(text, squashed, sizeof squashed);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (cot_header_matches(squashed, kinds[i].spellings, NULL)) {
            *ret_kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static bool look_up_kind(struct cot_decoder *d, struct cot_text name, enum cot_event_kind *ret_kind)
{
    enum { N_SLOTS = sizeof d->spellings / sizeof d->spellings[0], NAME_SIZE = sizeof d->spellings[0].name };
    if (name.size > NAME_SIZE)
        return cot_event_kind_from_spelling(name, ret_kind);
    size_t slot = (name.size * 7 + (unsigned char)name.data[0] + 3U * (unsigned char)name.data[name.size - 1] +
                   5U * (unsigned char)name.data[name.size / 2]) %
                  N_SLOTS;
    if (d->spellings[slot].size != name.size || memcmp(d->spellings[slot].name, name.data, name.size) != 0) {
        d->spellings[slot].is_known = cot_event_kind_from_spelling(name, &d->spellings[slot].kind);
        d->spellings[slot].size = name.size;
        memcpy(d->spellings[slot].name, name.data, name.size);
    }
    *ret_kind = d->spellings[slot].kind;
    return d->spellings[slot].is_known;
}

static void read_subject(struct cot_decoder *d, struct cot_record *record)
{
    record->event_key = cot_decode_text(d, COT_FIELD_EVENT_ID);
    record->order_key = cot_decode_text(d, COT_FIELD_ORDER_ID);
    record->refund_of = cot_decode_text(d, COT_FIELD_REFUND_OF);
    record->product_id = cot_decode_text(d, COT_FIELD_PRODUCT_ID);
    record->name = cot_decode_text(d, COT_FIELD_PRODUCT_NAME);
    record->category = cot_decode_text(d, COT_FIELD_CATEGORY);
    record->brand = cot_decode_text(d, COT_FIELD_BRAND);
    record->session = cot_decode_text(d, COT_FIELD_SESSION_ID);
    record->campaign = cot_decode_text(d, COT_FIELD_CAMPAIGN);
    record->channel = cot_decode_channel(d);
}

static const enum cot_field details[] = {COT_FIELD_SEARCH_TERM, COT_FIELD_DETAIL, COT_FIELD_COUPON, COT_FIELD_REASON,
                                         COT_FIELD_URL};

static void read_detail(struct cot_decoder *d, struct cot_record *record)
{
    for (size_t i = 0; i < sizeof details / sizeof details[0] && record->detail.size == 0; i++)
        record->detail = cot_decode_text(d, details[i]);
}

/* A purchase among the events: an order line with what money the event names. */
static bool read_purchase(struct cot_decoder *d, struct cot_record *record)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal quantity = one;
    struct cot_decimal price;
    int64_t minor = 0;
    bool has_quantity = false;
    bool given = false;
    if (!cot_decode_currency(d, record) || !cot_decode_number(d, COT_FIELD_QUANTITY, &quantity, &has_quantity))
        return false;
    if (!has_quantity)
        quantity = one;
    static const enum cot_field amounts[] = {COT_FIELD_AMOUNT, COT_FIELD_GROSS_AMOUNT, COT_FIELD_TOTAL};
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0] && !given; i++)
        if (!cot_decode_money(d, amounts[i], &minor, &given))
            return false;
    if (!given) {
        if (!cot_decode_number(d, COT_FIELD_UNIT_PRICE, &price, &given) ||
            (given && !cot_decode_product(d, price, quantity, &minor)))
            return false;
    }
    record->flags |= given ? COT_RECORD_HAS_AMOUNT : record->product_id.size > 0 ? COT_RECORD_NEEDS_PRICE : 0U;
    record->flags |= record->product_id.size == 0 ? COT_RECORD_ORDER_LEVEL : 0U;
    double units = cot_decimal_double(quantity);
    record->quantity = units < 0 ? -units : units;
    record->amount_minor = minor;
    if (record->event_kind == COT_EVENT_ORDER_LINE && (minor < 0 || units < 0))
        record->event_kind = COT_EVENT_REFUND;
    if (record->event_kind == COT_EVENT_REFUND && record->amount_minor > 0)
        record->amount_minor = -record->amount_minor;
    return true;
}

void cot_decode_event_row(struct cot_decoder *d)
{
    struct cot_text name = cot_decode_text(d, COT_FIELD_EVENT);
    if (name.size == 0) {
        cot_decode_reject(d, "event", "column '%.60s': no event name", cot_decode_column(d, COT_FIELD_EVENT));
        return;
    }
    /* Segment's raw stream: the type says what kind of call it is, the name stands beside it for "track". */
    bool is_identify = cot_text_is_any(name, "identify|alias");
    struct cot_record *record = cot_decode_begin(d, is_identify ? COT_RECORD_CUSTOMER : COT_RECORD_EVENT);
    if (record == NULL || !cot_decode_identity(d, record) || !cot_decode_dates(d, record, COT_UNDATED_REJECT))
        return;
    if (is_identify) {
        if (!cot_record_has_identity(record)) {
            cot_decode_reject(d, "nobody", "an identify event that names nobody");
            return;
        }
        cot_decode_traits(d, record, false);
        return;
    }
    read_subject(d, record);
    read_detail(d, record);
    if (!cot_decode_properties(d, record))
        return;
    if (!look_up_kind(d, name, &record->event_kind)) {
        record->event_kind = COT_EVENT_CUSTOM;
        record->detail = name;
    }
    /* "view" of nothing is the view of a page. */
    if (record->event_kind == COT_EVENT_PRODUCT_VIEW && record->product_id.size == 0 && cot_text_is(name, "view"))
        record->event_kind = COT_EVENT_PAGE_VIEW;
    if (cot_event_kind_group(record->event_kind) == COT_EVENT_GROUP_PURCHASE && !read_purchase(d, record))
        return;
    if (cot_record_has_identity(record))
        cot_decode_traits(d, record, false);
}
