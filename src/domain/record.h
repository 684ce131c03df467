/*
 * The canonical record: what a row of any known file says, before identity, item and money are resolved against the
 * store.
 *
 * Texts point into the batch or into the cot_records that holds the record: valid as long as both. Amounts are int64
 * minor units of the record's own currency (exponent per currency, domain/money.h); the importer converts to the base
 * currency by the dated rate table. Times are UTC milliseconds.
 *
 * Any record with more than one identity value says that they are one person, from occurred_at on. Any record that
 * names a person may carry traits of that person.
 */
#ifndef COT_DOMAIN_RECORD_H
#define COT_DOMAIN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "coterie/err.h"
#include "domain/batch.h"
#include "domain/event.h"
#include "domain/identity.h"

enum cot_record_kind {
    COT_RECORD_EVENT,       /* event_kind says which: order lines, refunds, views, e-mails, responses, redemptions */
    COT_RECORD_CUSTOMER,    /* identity and traits */
    COT_RECORD_PRODUCT,     /* facts of an item */
    COT_RECORD_LINK,        /* the identity values of the record are one person, from occurred_at on */
    COT_RECORD_CAMPAIGN,    /* campaign, name, detail = type, starts_at, ends_at */
    COT_RECORD_COUPON,      /* detail = coupon, product_id, campaign */
    COT_RECORD_CONSENT,     /* purpose, granted */
    COT_RECORD_SUPPRESSION, /* never write to this person: channel (none: all), detail = reason */
    COT_RECORD_RATE,        /* currency, rate, from the day of occurred_at on */
    COT_RECORD_PROMOTION    /* product_id, store, display, mailer, week */
};

enum cot_record_flag {
    COT_RECORD_UNDATED = 1 << 0,     /* recorded_at is not in the file: it is occurred_at */
    COT_RECORD_TIMELESS = 1 << 1,    /* no time at all (traits, products, consent): occurred_at and recorded_at are 0 */
    COT_RECORD_NEEDS_PRICE = 1 << 2, /* an order line or refund without an amount: quantity x the catalogue's price.
                                        Refunds: negative */
    COT_RECORD_HAS_AMOUNT = 1 << 3,  /* amount_minor is given */
    COT_RECORD_HAS_DISCOUNT = 1 << 4, /* discount_minor is given, >= 0: what the customer did not pay */
    COT_RECORD_HAS_COST = 1 << 5,     /* cost_minor of the whole line is given */
    COT_RECORD_HAS_PRICE = 1 << 6,    /* products: price_minor is given */
    COT_RECORD_HAS_TAX = 1 << 7,
    COT_RECORD_HAS_SHIPPING = 1 << 8,
    COT_RECORD_ADJUSTMENT = 1 << 9,   /* a ledger correction ("A" lines of Online Retail, bank charges): counts for the
                                         shop's money, is no item that anyone chose */
    COT_RECORD_ORDER_LEVEL = 1 << 10, /* the row stands for a whole order, not for one line */
    COT_RECORD_CURRENCY_ASSUMED = 1 << 12, /* not said by the row or its file: by an option or the shop */
    COT_RECORD_ORDER_CANCELLED = 1 << 13,  /* the order of that key holds no longer, from occurred_at on */
    COT_RECORD_CAMPAIGN_DATE = 1 << 11 /* no time in the row: it is the start of `campaign`, as its description says */
};

/* A trait of a person. */
struct cot_trait {
    struct cot_text key;
    struct cot_text value;
    double number; /* NaN where the value is no number */
    bool timeless; /* a snapshot without a date */
};

struct cot_record {
    enum cot_record_kind kind;
    enum cot_event_kind event_kind; /* COT_RECORD_EVENT only */
    uint32_t flags;                 /* enum cot_record_flag */
    uint32_t i_record;              /* 0, 1, ... among the records of one row */
    uint64_t line;                  /* the row's, as in the batch */
    size_t i_row; /* of the batch; SIZE_MAX where the row stood in an earlier batch (grouped shapes) */

    /* Who: normalised (trimmed; e-mail lower-cased; phone reduced to + and digits); all empty: nobody is named. */
    struct cot_text user;
    struct cot_text email;
    struct cot_text anonymous;
    struct cot_text phone;
    const struct cot_identity *others; /* devices, loyalty cards, other systems' ids */
    size_t n_others;

    int64_t occurred_at_ms;
    int64_t recorded_at_ms;

    /* What */
    struct cot_text event_key; /* the source's own id of this event or order line: equal keys are the same thing */
    struct cot_text order_key; /* empty: an order of its own */
    struct cot_text refund_of; /* refunds that name the original order: its key; empty: not known */
    struct cot_text product_id;
    struct cot_text name; /* products and order lines: the item's; campaigns: theirs */
    struct cot_text category;
    struct cot_text subcategory;
    struct cot_text brand;

    double quantity;        /* order lines >= 0; refunds: units given back, >= 0; 0: not known */
    int64_t amount_minor;   /* revenue after discount, without tax and shipping; refunds negative */
    int64_t discount_minor; /* see flags for which of these are given */
    int64_t cost_minor;     /* products: of one unit */
    int64_t tax_minor;
    int64_t shipping_minor;
    int64_t price_minor; /* products: of one unit */
    uint8_t exponent;    /* decimals of the amounts above: the currency's */
    char currency[4];    /* ISO 4217; "": neither file, option nor shape says it (then 2 decimals were assumed) */

    struct cot_text channel; /* as in domain/event.h where the word is known, else the source's own */
    struct cot_text session;
    struct cot_text campaign;
    struct cot_text detail;     /* search term, coupon, reason, custom event's name, campaign type */
    struct cot_text properties; /* what else an event said: a JSON object of texts, numbers, truths; empty: nothing */

    /* Campaigns; 0: not given */
    int64_t starts_at_ms;
    int64_t ends_at_ms;

    /* Consent: one of service, analytics, personalisation, marketing, advertising */
    struct cot_text purpose;
    bool granted;

    double rate; /* units of the base currency for one unit of `currency` */

    /* Promotions */
    struct cot_text store;
    struct cot_text display;
    struct cot_text mailer;
    struct cot_text week;

    size_t i_trait; /* the record's traits are traits[i_trait .. i_trait + n_traits) of its cot_records */
    size_t n_traits;
};

/*
 * The records of a batch. All zero is empty; _clear keeps the memory. Several threads: one each.
 */
struct cot_records {
    struct cot_record *records;
    size_t n_records;
    struct cot_trait *traits;
    size_t n_traits;
    struct cot_reject *rejects;
    size_t n_rejects;
    size_t records_capacity, traits_capacity, rejects_capacity;
    struct cot_arena arena; /* of texts that are not in the batch */
};

void cot_records_clear(struct cot_records *records);
void cot_records_release(struct cot_records *records);

/* Texts that are in no batch are allocated from records->arena and live until _clear. */

/* Room for one more record (all zero), trait or reject. Pointers to earlier ones are void then: use indexes. */
cot_code cot_records_add(struct cot_records *records, struct cot_record **ret_record,
                         struct cot_err *err) COT_MUST_CHECK;
cot_code cot_records_add_trait(struct cot_records *records, const struct cot_trait *trait,
                               struct cot_err *err) COT_MUST_CHECK;

/* Gives a record, the last one added, one more identity of the kinds that it has no field for; the text is borrowed. */
cot_code cot_record_add_identity(struct cot_records *records, struct cot_record *record, enum cot_node_kind kind,
                                 struct cot_text value, struct cot_err *err) COT_MUST_CHECK;

/* Whether it names anybody; the identities that it names, at most max, in the order of kinds. */
bool cot_record_has_identity(const struct cot_record *record);
enum { COT_RECORD_MAX_IDENTITIES = 16 };
size_t cot_record_identities(const struct cot_record *record,
                             struct cot_identity ret_identities[COT_RECORD_MAX_IDENTITIES]);

/* A reject of row i_row at `line`; code is a static word; the formatted reason is copied. */
cot_code cot_records_reject(struct cot_records *records, uint64_t line, size_t i_row, const char *code,
                            struct cot_err *err, const char *format, ...)
    __attribute__((format(printf, 6, 7))) COT_MUST_CHECK;

/* 128-bit hash of what the record says (not of where it stood or how it was written: the same facts from CSV and from
 * Parquet are equal). `traits` are the record's own. Properties do not count: what was taken in before they were kept
 * stays the same row. */
struct cot_hash128 cot_record_hash(const struct cot_record *record, const struct cot_trait *traits);

const char *cot_record_kind_name(enum cot_record_kind kind);

#endif
