/*
 * The canonical event: what every source becomes.
 *
 * An event has two times: occurred_at (when the customer did it) and recorded_at (when the shop knew). Undated imports
 * take recorded_at = occurred_at. Money is in minor units of the base currency and stands on order lines and refunds.
 */
#ifndef COT_DOMAIN_EVENT_H
#define COT_DOMAIN_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kind, number in the file format (never changed), name, group. */
#define COT_EVENT_KINDS(X)                                                                                             \
    X(COT_EVENT_ORDER_LINE, 1, "order_line", COT_EVENT_GROUP_PURCHASE)                                                 \
    X(COT_EVENT_REFUND, 2, "refund", COT_EVENT_GROUP_PURCHASE)                                                         \
    X(COT_EVENT_PAGE_VIEW, 10, "page_view", COT_EVENT_GROUP_ENGAGEMENT)                                                \
    X(COT_EVENT_PRODUCT_VIEW, 11, "product_view", COT_EVENT_GROUP_ENGAGEMENT)                                          \
    X(COT_EVENT_LIST_VIEW, 12, "list_view", COT_EVENT_GROUP_ENGAGEMENT)                                                \
    X(COT_EVENT_SEARCH, 13, "search", COT_EVENT_GROUP_ENGAGEMENT)                                                      \
    X(COT_EVENT_CART_ADD, 14, "cart_add", COT_EVENT_GROUP_ENGAGEMENT)                                                  \
    X(COT_EVENT_CART_REMOVE, 15, "cart_remove", COT_EVENT_GROUP_ENGAGEMENT)                                            \
    X(COT_EVENT_CHECKOUT_START, 16, "checkout_start", COT_EVENT_GROUP_ENGAGEMENT)                                      \
    X(COT_EVENT_WISHLIST_ADD, 17, "wishlist_add", COT_EVENT_GROUP_ENGAGEMENT)                                          \
    X(COT_EVENT_REVIEW, 18, "review", COT_EVENT_GROUP_ENGAGEMENT)                                                      \
    X(COT_EVENT_APP_OPEN, 19, "app_open", COT_EVENT_GROUP_ENGAGEMENT)                                                  \
    X(COT_EVENT_EMAIL_SENT, 30, "email_sent", COT_EVENT_GROUP_MESSAGE)                                                 \
    X(COT_EVENT_EMAIL_OPEN, 31, "email_open", COT_EVENT_GROUP_MESSAGE)                                                 \
    X(COT_EVENT_EMAIL_CLICK, 32, "email_click", COT_EVENT_GROUP_MESSAGE)                                               \
    X(COT_EVENT_UNSUBSCRIBE, 33, "unsubscribe", COT_EVENT_GROUP_MESSAGE)                                               \
    X(COT_EVENT_CAMPAIGN_SENT, 34, "campaign_sent", COT_EVENT_GROUP_MESSAGE)                                           \
    X(COT_EVENT_CAMPAIGN_RESPONSE, 35, "campaign_response", COT_EVENT_GROUP_MESSAGE)                                   \
    X(COT_EVENT_COUPON_REDEEMED, 36, "coupon_redeemed", COT_EVENT_GROUP_MESSAGE)                                       \
    X(COT_EVENT_CAMPAIGN_CONTROL, 37, "campaign_control", COT_EVENT_GROUP_MESSAGE) /* held out: not written to */      \
    X(COT_EVENT_CALL, 50, "call", COT_EVENT_GROUP_SERVICE)                                                             \
    X(COT_EVENT_STORE_VISIT, 51, "store_visit", COT_EVENT_GROUP_SERVICE)                                               \
    X(COT_EVENT_COMPLAINT, 52, "complaint", COT_EVENT_GROUP_SERVICE)                                                   \
    X(COT_EVENT_CUSTOM, 99, "custom", COT_EVENT_GROUP_ENGAGEMENT)

enum cot_event_group {
    COT_EVENT_GROUP_PURCHASE,
    COT_EVENT_GROUP_ENGAGEMENT,
    COT_EVENT_GROUP_MESSAGE,
    COT_EVENT_GROUP_SERVICE
};

enum cot_event_kind {
#define X(kind, number, name, group) kind = number,
    COT_EVENT_KINDS(X)
#undef X
};

/* Channels, numbered as stored in timelines; the text stands in the file. Unknown channels are "other". */
#define COT_CHANNELS(X)                                                                                                \
    X(COT_CHANNEL_UNKNOWN, 0, "unknown")                                                                               \
    X(COT_CHANNEL_WEB, 1, "web")                                                                                       \
    X(COT_CHANNEL_APP, 2, "app")                                                                                       \
    X(COT_CHANNEL_EMAIL, 3, "email")                                                                                   \
    X(COT_CHANNEL_STORE, 4, "store")                                                                                   \
    X(COT_CHANNEL_PHONE, 5, "phone")                                                                                   \
    X(COT_CHANNEL_CATALOG, 6, "catalog")                                                                               \
    X(COT_CHANNEL_MARKETPLACE, 7, "marketplace")                                                                       \
    X(COT_CHANNEL_SOCIAL, 8, "social")                                                                                 \
    X(COT_CHANNEL_OTHER, 9, "other")

enum cot_channel {
#define X(channel, number, name) channel = number,
    COT_CHANNELS(X)
#undef X
        COT_N_CHANNELS
};

/* Times beyond are refused at the door: a shop has no orders in the year 0 or 9999. 1970-01-01 .. 2200-01-01. */
#define COT_EVENT_MIN_MS INT64_C(0)
#define COT_EVENT_MAX_MS INT64_C(7258118400000)

const char *cot_event_kind_name(enum cot_event_kind kind); /* NULL for a number that is no kind */
bool cot_event_kind_from_name(const char *name, size_t size, enum cot_event_kind *ret_kind);
enum cot_event_group cot_event_kind_group(enum cot_event_kind kind);

const char *cot_channel_name(enum cot_channel channel);
enum cot_channel cot_channel_from_name(const char *name, size_t size); /* case-insensitive; unknown words: OTHER */

#endif
