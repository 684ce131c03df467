/*
 * Connectors: what the columns of each known file mean. One row of a table (registry.c) a shape, one file a shape.
 *
 * How the importer uses this:
 *
 *   read the first batch of the file                         (store/reader.h)
 *   cot_connector_detect(columns, n, batch, options, &mapping, err)
 *   do cot_mapping_observe(mapping, batch) while more batches and not cot_mapping_settled(mapping)
 *   cot_mapping_settle(mapping, err)                         refuses what the columns can't tell (date order, decimals)
 *   rewind the reader; for each batch: cot_records_clear, cot_mapping_decode(mapping, decoder, batch, records, err)
 *   at the end: cot_decoder_finish(decoder, records, err)    what a grouped shape still holds
 *
 * A settled mapping is immutable and shared by threads; each thread has a decoder and a cot_records of its own. Where
 * mapping->connector->is_grouped (orders of several rows), one decoder takes all batches in file order; else any number
 * of decoders take them in any order, and the records depend on the batch alone.
 *
 * Every row of a batch gives at least one record or exactly one reject (grouped shapes: at the latest in _finish).
 */
#ifndef COT_CONNECT_CONNECTOR_H
#define COT_CONNECT_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/civil.h"
#include "coterie/err.h"
#include "domain/batch.h"
#include "domain/record.h"
#include "domain/value.h"

/* Kind of file: number, name as in import_run.kind and `import --json`. */
#define COT_FILE_KINDS(X)                                                                                              \
    X(COT_KIND_ORDERS, "orders")                                                                                       \
    X(COT_KIND_EVENTS, "events")                                                                                       \
    X(COT_KIND_CUSTOMERS, "customers")                                                                                 \
    X(COT_KIND_PRODUCTS, "products")                                                                                   \
    X(COT_KIND_CAMPAIGNS, "campaigns")                                                                                 \
    X(COT_KIND_RESPONSES, "responses")                                                                                 \
    X(COT_KIND_COUPONS, "coupons")                                                                                     \
    X(COT_KIND_PROMOTIONS, "promotions")                                                                               \
    X(COT_KIND_CONSENT, "consent")                                                                                     \
    X(COT_KIND_SUPPRESSION, "suppression")                                                                             \
    X(COT_KIND_RATES, "rates")                                                                                         \
    X(COT_KIND_LINKS, "links")

enum cot_file_kind {
#define X(kind, name) kind,
    COT_FILE_KINDS(X)
#undef X
        COT_N_KINDS
};

const char *cot_file_kind_name(enum cot_file_kind kind);

/* Fields that a column can be mapped to, by shapes and by --map column=field: name, type, help. */
#define COT_FIELDS(X)                                                                                                  \
    X(COT_FIELD_CUSTOMER_ID, "customer_id", TEXT, "the shop's own id of the customer")                                 \
    X(COT_FIELD_EMAIL, "email", TEXT, "e-mail address")                                                                \
    X(COT_FIELD_ANONYMOUS_ID, "anonymous_id", TEXT, "browser or device id")                                            \
    X(COT_FIELD_PHONE, "phone", TEXT, "telephone number")                                                              \
    X(COT_FIELD_LOYALTY_CARD, "loyalty_card", TEXT, "number of a loyalty card")                                        \
    X(COT_FIELD_ORDER_ID, "order_id", TEXT, "order, invoice or basket number")                                         \
    X(COT_FIELD_EVENT_ID, "event_id", TEXT, "the source's own id of the event or line: makes it idempotent")           \
    X(COT_FIELD_REFUND_OF, "refund_of", TEXT, "order that a refund gives back")                                        \
    X(COT_FIELD_EVENT, "event", TEXT, "what happened: page_view, Product Viewed, ...")                                 \
    X(COT_FIELD_OCCURRED_AT, "occurred_at", TIME, "when it happened")                                                  \
    X(COT_FIELD_TIME_OF_DAY, "time_of_day", TEXT, "clock time beside a column that has the date only")                 \
    X(COT_FIELD_RECORDED_AT, "recorded_at", TIME, "when the shop knew")                                                \
    X(COT_FIELD_CANCELLED_AT, "cancelled_at", TIME, "when the order was cancelled")                                    \
    X(COT_FIELD_REFUNDED_AT, "refunded_at", TIME, "when the money was given back")                                     \
    X(COT_FIELD_PRODUCT_ID, "product_id", TEXT, "product number, SKU or UPC")                                          \
    X(COT_FIELD_PRODUCT_NAME, "product_name", TEXT, "name of the product")                                             \
    X(COT_FIELD_CATEGORY, "category", TEXT, "product category or department")                                          \
    X(COT_FIELD_SUBCATEGORY, "subcategory", TEXT, "finer product category")                                            \
    X(COT_FIELD_BRAND, "brand", TEXT, "brand, vendor or manufacturer")                                                 \
    X(COT_FIELD_QUANTITY, "quantity", NUMBER, "units; negative: given back")                                           \
    X(COT_FIELD_UNIT_PRICE, "unit_price", NUMBER, "price of one unit before discount")                                 \
    X(COT_FIELD_AMOUNT, "amount", NUMBER, "revenue of the row after discount, without tax and shipping")               \
    X(COT_FIELD_GROSS_AMOUNT, "gross_amount", NUMBER, "the row before discount: discount is taken off")                \
    X(COT_FIELD_TOTAL, "total", NUMBER, "the row with tax and shipping: they are taken off where given")               \
    X(COT_FIELD_DISCOUNT, "discount", NUMBER, "discount of the row, as an amount")                                     \
    X(COT_FIELD_COUPON_DISCOUNT, "coupon_discount", NUMBER, "further discount of the row, by a coupon")                \
    X(COT_FIELD_MATCH_DISCOUNT, "match_discount", NUMBER, "further discount of the row, matching a coupon")            \
    X(COT_FIELD_DISCOUNT_SHARE, "discount_share", NUMBER, "discount as a share 0..1 (or %), included in amount")       \
    X(COT_FIELD_ORDER_DISCOUNT, "order_discount", NUMBER, "discount of the whole order, shared out over its lines")    \
    X(COT_FIELD_ORDER_SUBTOTAL, "order_subtotal", NUMBER, "all lines of the order after all discounts")                \
    X(COT_FIELD_TAX, "tax", NUMBER, "tax")                                                                             \
    X(COT_FIELD_SHIPPING, "shipping", NUMBER, "shipping")                                                              \
    X(COT_FIELD_UNIT_COST, "unit_cost", NUMBER, "what one unit costs the shop")                                        \
    X(COT_FIELD_COST, "cost", NUMBER, "what the row costs the shop")                                                   \
    X(COT_FIELD_PROFIT, "profit", NUMBER, "amount less cost")                                                          \
    X(COT_FIELD_REFUNDED_AMOUNT, "refunded_amount", NUMBER, "given back of this order or row so far")                  \
    X(COT_FIELD_CURRENCY, "currency", TEXT, "ISO 4217 code")                                                           \
    X(COT_FIELD_CHANNEL, "channel", TEXT, "web, app, store, phone, ...")                                               \
    X(COT_FIELD_STATUS, "status", TEXT, "order status: paid, cancelled, refunded, ...")                                \
    X(COT_FIELD_IS_REFUND, "is_refund", TEXT, "yes/no: the row is a refund")                                           \
    X(COT_FIELD_SESSION_ID, "session_id", TEXT, "visit")                                                               \
    X(COT_FIELD_URL, "url", TEXT, "page")                                                                              \
    X(COT_FIELD_SEARCH_TERM, "search_term", TEXT, "what was searched")                                                 \
    X(COT_FIELD_DETAIL, "detail", TEXT, "anything else worth keeping with the event")                                  \
    X(COT_FIELD_CAMPAIGN, "campaign", TEXT, "campaign id")                                                             \
    X(COT_FIELD_CAMPAIGN_NAME, "campaign_name", TEXT, "campaign name")                                                 \
    X(COT_FIELD_CAMPAIGN_TYPE, "campaign_type", TEXT, "campaign type")                                                 \
    X(COT_FIELD_STARTS_AT, "starts_at", TIME, "first moment of the campaign")                                          \
    X(COT_FIELD_ENDS_AT, "ends_at", TIME, "last day of the campaign")                                                  \
    X(COT_FIELD_SENT_AT, "sent_at", TIME, "when the campaign's message was sent")                                      \
    X(COT_FIELD_RESPONDED_AT, "responded_at", TIME, "when the customer responded")                                     \
    X(COT_FIELD_ARM, "arm", TEXT, "treated or control")                                                                \
    X(COT_FIELD_RESPONSE, "response", TEXT, "yes/no: did the customer respond")                                        \
    X(COT_FIELD_COUPON, "coupon", TEXT, "coupon code")                                                                 \
    X(COT_FIELD_PRICE, "price", NUMBER, "catalogue price of one unit")                                                 \
    X(COT_FIELD_PURPOSE, "purpose", TEXT, "service, analytics, personalisation, marketing or advertising")             \
    X(COT_FIELD_CONSENT, "consent", TEXT, "yes/no: consent given")                                                     \
    X(COT_FIELD_REASON, "reason", TEXT, "why a person is suppressed, or an order was given back")                      \
    X(COT_FIELD_RATE, "rate", NUMBER, "units of the base currency for one unit of the currency")                       \
    X(COT_FIELD_STORE, "store", TEXT, "branch")                                                                        \
    X(COT_FIELD_DISPLAY, "display", TEXT, "place of the promotion in the store")                                       \
    X(COT_FIELD_MAILER, "mailer", TEXT, "place of the promotion in the mailer")                                        \
    X(COT_FIELD_WEEK, "week", TEXT, "week of the promotion")                                                           \
    X(COT_FIELD_BIRTH_DATE, "birth_date", TIME, "date of birth: becomes a trait")                                      \
    X(COT_FIELD_SIGNED_UP_AT, "signed_up_at", TIME, "since when a customer: becomes a trait")                          \
    X(COT_FIELD_ACCEPTS_MARKETING, "accepts_marketing", TEXT, "yes/no: consent to marketing")                          \
    X(COT_FIELD_TRAIT, "trait", TEXT, "a trait of the customer, under the column's name")                              \
    X(COT_FIELD_PROPERTY, "property", TEXT, "a property of the event, under the column's name")                        \
    X(COT_FIELD_NONE, "ignore", TEXT, "not used")

enum cot_field {
#define X(field, name, type, help) field,
    COT_FIELDS(X)
#undef X
        COT_N_FIELDS
};

enum cot_field_type { COT_FIELD_TYPE_TEXT, COT_FIELD_TYPE_NUMBER, COT_FIELD_TYPE_TIME };

const char *cot_field_name(enum cot_field field);
const char *cot_field_help(enum cot_field field);
enum cot_field_type cot_field_type(enum cot_field field);
bool cot_field_from_name(const char *name, enum cot_field *ret_field);

struct cot_mapping;
struct cot_decoder;

/* A column of a shape: `names` are the headers that mean it, normalised (lower case, words by '_'), by '|'. */
struct cot_connector_column {
    const char *names;
    enum cot_field field;
    bool required; /* without it the file is not of this shape */
};

/* One known shape. Its hooks use connect/decode.h. */
struct cot_connector {
    const char *name;  /* "shopify_orders" */
    const char *title; /* "Shopify order export" */
    enum cot_file_kind kind;
    const char *description;                    /* how it is understood, for people: what revenue is, what is refused */
    const struct cot_connector_column *columns; /* ends with names NULL */
    const char *one_of;    /* fields of which at least one must be there, by '|', groups by ';' ("customer_id|email") */
    const char *currency;  /* default; NULL: not known */
    const char *time_zone; /* of times without offset; NULL: UTC */
    const char *channel;   /* default; NULL: not known */
    const char *assumed_purposes; /* consent where nothing is recorded (source.consent_policy), by ',' */
    bool has_natural_key;         /* order_key identifies the order: a re-export with the same key supersedes */
    bool is_grouped;              /* consecutive rows make one order: see above */
    bool is_generic;              /* by synonyms: loses to any specific shape that fits */
    bool is_timeless;             /* traits and products without a date */
    bool other_columns_are_traits;
    bool other_columns_are_properties; /* of events */
    bool is_ignored;                   /* known, and nothing in it to import (the simulator's truth): skip the file */
    size_t max_columns;                /* a file of this shape has at most so many columns; 0: any number */
    const char *needs_file_name; /* words of which the file's name must hold one, by '|'; NULL: any name will do */
    const char *unless;          /* headers that a file of this shape never has, by '|'; NULL: any */
    /* For files without a header: says from the cells whether the file is of this shape, and the field of each column.
     * NULL: needs a header. */
    bool (*fits_cells)(const struct cot_batch *sample, enum cot_field *ret_fields);
    /* What a row says: adds records, or rejects it. Grouped shapes: what the rows of decoder->group say. */
    void (*decode)(struct cot_decoder *decoder);
    /* The last word on a record before it is kept; may be NULL. */
    void (*adjust)(struct cot_decoder *decoder, struct cot_record *record);
};

extern const struct cot_connector *const cot_connectors[]; /* ends with NULL */
const struct cot_connector *cot_connector_find(const char *name);

struct cot_column_override {
    const char *column; /* as in the file, or its number from 1 */
    const char *field;  /* of COT_FIELDS, "trait:NAME" or "property:NAME" */
};

struct cot_mapping_options {
    const char *connector; /* --as NAME: this shape; NULL: the best */
    const struct cot_column_override *overrides;
    size_t n_overrides;
    const char *currency;      /* --currency; NULL: the file's, the shape's, else base_currency */
    const char *base_currency; /* the shop's setting; NULL: none yet */
    const char *time_zone;     /* --time-zone; NULL: the shape's, else the shop's (shop_time_zone), else UTC */
    const char *shop_time_zone;
    const char *channel;            /* --channel */
    enum cot_date_order date_order; /* --date-order dmy|mdy; COT_DATE_ORDER_UNKNOWN: by the column */
    enum cot_decimal_mark decimal;  /* --decimal comma|point; COT_DECIMAL_UNKNOWN: by the column */
    const char *file_name;          /* breaks ties between kinds ("customers.csv"); may be NULL */
    bool has_header;                /* of the file: cot_reader_info */
};

/* One column of the file as understood. */
struct cot_mapped_column {
    char *name; /* as in the file */
    enum cot_field field;
    char *key;                     /* COT_FIELD_TRAIT, COT_FIELD_PROPERTY: theirs */
    struct cot_column_style style; /* numbers and dates: evidence, and what was decided */
};

struct cot_mapping {
    const struct cot_connector *connector;
    size_t n_columns;
    struct cot_mapped_column *columns;
    size_t field_column[COT_N_FIELDS]; /* index of the column of each field, SIZE_MAX: none */
    char currency[4];                  /* of rows that name none; "": not known */
    struct cot_zone *zone;             /* of times without offset; NULL: UTC */
    char *channel;                     /* default; NULL: none */
    enum cot_date_order date_order;    /* asked for */
    enum cot_decimal_mark decimal;     /* asked for */
    uint64_t n_observed;               /* rows taken as evidence */
    bool has_currency_option;
    bool currency_is_assumed; /* no word of the file or its shape: by the option or the shop's own */
    char base_currency[4];
    bool is_settled;
    char *explanation; /* why this shape, in a sentence */
};

/* Picks the shape that fits best and maps the columns. COT_BAD_DATA where none fits: lists the columns seen and, for
 * the nearest shapes, what is missing. COT_USAGE for a wrong override. The sample is the file's first batch (may be
 * empty).
 */
cot_code cot_connector_detect(const char *const *columns, size_t n_columns, const struct cot_batch *sample,
                              const struct cot_mapping_options *options, struct cot_mapping **ret_mapping,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_mapping_free(struct cot_mapping *mapping);

/* Takes a batch's cells as evidence for how numbers and dates are written. */
void cot_mapping_observe(struct cot_mapping *mapping, const struct cot_batch *batch);

/* True where further batches can't decide anything that is open. */
bool cot_mapping_settled(const struct cot_mapping *mapping);

/* Decides. COT_BAD_DATA where a column can't tell: names it, two readings of a value, and the option that decides. */
cot_code cot_mapping_settle(struct cot_mapping *mapping, struct cot_err *err) COT_MUST_CHECK;

/* {"connector","title","kind","currency","time_zone","why","columns":[{"column","field","reads_as"}]} into doc. */
yyjson_mut_val *cot_mapping_describe(const struct cot_mapping *mapping, yyjson_mut_doc *doc);

cot_code cot_decoder_open(const struct cot_mapping *mapping, struct cot_decoder **ret_decoder,
                          struct cot_err *err) COT_MUST_CHECK;
void cot_decoder_free(struct cot_decoder *decoder);

/* Appends the records and rejects of a batch. Fails for want of memory only: bad rows are rejects. */
cot_code cot_mapping_decode(const struct cot_mapping *mapping, struct cot_decoder *decoder,
                            const struct cot_batch *batch, struct cot_records *records,
                            struct cot_err *err) COT_MUST_CHECK;

/* Appends what a grouped shape still holds, at the end of the file. */
cot_code cot_decoder_finish(struct cot_decoder *decoder, struct cot_records *records,
                            struct cot_err *err) COT_MUST_CHECK;

#endif
