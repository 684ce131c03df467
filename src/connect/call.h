/*
 * What decoders of live calls use: reading a JSON call into records (see decode.h for its sister, rows of files).
 *
 * A reader stands at one call. Functions that return bool are false where the call was rejected or memory was short;
 * the decoder then returns at once.
 */
#ifndef COT_CONNECT_CALL_H
#define COT_CONNECT_CALL_H

#include "connect/live.h"
#include "domain/value.h"

struct cot_call_reader {
    const struct cot_live_input *input;
    struct cot_records *records;
    size_t first_record, first_trait;
    bool rejected;
    cot_code rc;
    struct cot_err *err;
    const char *mark; /* "bot" or "internal": traffic that is nobody's; NULL: a person's */
};

/* The text of a string or number; size 0: absent, null, or a word for nothing. */
struct cot_text cot_call_text(yyjson_val *object, const char *key);
/* The same by a path of keys ("campaign.name"). */
yyjson_val *cot_call_value_at(yyjson_val *object, const char *path);
struct cot_text cot_call_text_at(yyjson_val *object, const char *path);

/* The first of several keys (by '|') that has a text. */
struct cot_text cot_call_text_any(yyjson_val *object, const char *keys);

/* Rejects the call; always false. */
bool cot_call_reject(struct cot_call_reader *reader, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool cot_call_no_memory(struct cot_call_reader *reader);

/* Exact numbers. ret_given false: absent. A text that is no number rejects. */
bool cot_call_decimal(struct cot_call_reader *reader, yyjson_val *object, const char *keys,
                      struct cot_decimal *ret_value, bool *ret_given);
bool cot_call_money(struct cot_call_reader *reader, yyjson_val *object, const char *keys, int exponent,
                    int64_t *ret_minor, bool *ret_given);

/* ISO times (and epochs). COT_NO_TIME where absent. */
bool cot_call_time(struct cot_call_reader *reader, yyjson_val *object, const char *key, int64_t *ret_ms);

/* When it happened, by a client's clock that may be wrong: received - (sent - original), never after received. */
int64_t cot_call_occurred_at(int64_t received_at_ms, int64_t sent_at_ms, int64_t original_ms);

/* E-mail lower-cased, phone as + and digits; texts that are neither are left out. */
bool cot_call_email(struct cot_call_reader *reader, struct cot_text text, struct cot_text *ret_email);
bool cot_call_phone(struct cot_call_reader *reader, struct cot_text text, struct cot_text *ret_phone);

/* The currency of an object's money into record and its exponent. Rejects what ISO 4217 doesn't know. */
bool cot_call_currency(struct cot_call_reader *reader, struct cot_text code, struct cot_record *record,
                       int *ret_exponent);

/* Begins a record of this call with its times; NULL: no memory. The pointer is good until the next one begins. */
struct cot_record *cot_call_begin(struct cot_call_reader *reader, enum cot_record_kind kind, int64_t occurred_at_ms);
/* A further record that repeats the one at index i_record. */
struct cot_record *cot_call_again(struct cot_call_reader *reader, size_t i_record);

/* Traits to the last record begun: every member of an object, nested ones by dotted keys, under a prefix ("" or
 * "group."). */
bool cot_call_traits(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object, const char *prefix);
bool cot_call_add_trait(struct cot_call_reader *reader, struct cot_record *record, const char *key,
                        struct cot_text value);

/* What else the event of a record said: the texts, numbers and truths of an object, nested ones by dotted keys, as
 * JSON; lists and what says who somebody is are left out. */
bool cot_call_properties(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object);

/* A consent record of whom the record at i_record names. */
bool cot_call_consent(struct cot_call_reader *reader, size_t i_record, struct cot_text purpose, bool granted);

/* Marks what the records say as nobody's, where the call comes from a robot or from the shop's own people. */
bool cot_user_agent_is_bot(const char *user_agent, size_t size);
void cot_call_strip_marked(struct cot_call_reader *reader);

/* After decoding: a rejected call keeps no record. */
cot_code cot_call_finish(struct cot_call_reader *reader);

/* Order lines or refunds of a call. */
struct cot_call_order {
    yyjson_val *object;   /* has the amounts and the products */
    const char *products; /* key of the array */
    int sign;             /* 1 order, -1 refund */
    int exponent;
    /* amounts of the whole, where given */
    bool has_amount, has_discount;
    int64_t amount_minor, discount_minor;
    size_t i_record; /* what all lines repeat */
};

/* One line a product, the whole's amount and discount shared out by price x quantity; one line for the whole where
 * there are no products. */
bool cot_call_order_lines(struct cot_call_reader *reader, const struct cot_call_order *order);

/* What a product object says of its item, into an event record. */
void cot_call_product(yyjson_val *product, struct cot_record *record);

#endif
