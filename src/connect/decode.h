/*
 * What shapes use to turn a row into records.
 *
 * A decoder stands at one row. The readers of fields return false where they have rejected the row: a shape then
 * returns at once. A row that is rejected keeps none of the records made of it. Want of memory is remembered and ends
 * the batch.
 */
#ifndef COT_CONNECT_DECODE_H
#define COT_CONNECT_DECODE_H

#include "connect/connector.h"
#include "domain/money.h"
#include "domain/record.h"

/* One row as texts of its fields: trimmed, empty where missing. */
struct cot_row {
    uint64_t line;
    size_t i_row; /* of the batch; SIZE_MAX: held over from an earlier one */
    struct cot_text fields[COT_N_FIELDS];
    struct cot_text raw; /* held-over rows only */
};

/* Rows of one order, for grouped shapes. */
struct cot_group {
    struct cot_row *rows;
    size_t n_rows;
    size_t capacity;
    struct cot_arena arenas[2]; /* texts of rows that were held over, the older and the newer */
    size_t i_arena;
};

struct cot_decoder {
    const struct cot_mapping *mapping;
    const struct cot_batch *batch;
    struct cot_records *records;
    const struct cot_row *row; /* grouped shapes; NULL: row i_row of the batch */
    size_t i_row;
    uint64_t line;
    size_t first_record; /* of this row */
    size_t first_trait;
    bool rejected;
    cot_code rc;
    struct cot_err *err;

    char currency[4]; /* the last one looked up, and its exponent */
    int exponent;
    char time_text[48]; /* the last time read in occurred_at: rows of one order repeat it */
    size_t time_size;
    int64_t time_ms;

    struct {
        char name[32];
        size_t size; /* 0: free */
        bool is_known;
        enum cot_event_kind kind;
    } spellings[32]; /* event names looked up, by a hash of the name: a file has few */

    struct cot_group group;
};

/* The text of a field in this row, trimmed; size 0: not mapped, empty or a word for nothing (NULL, N/A). */
struct cot_text cot_decode_text(const struct cot_decoder *decoder, enum cot_field field);
bool cot_decode_has(const struct cot_decoder *decoder, enum cot_field field);           /* the file has such a column */
const char *cot_decode_column(const struct cot_decoder *decoder, enum cot_field field); /* its name */

/* Rejects the row; always false. */
bool cot_decode_reject(struct cot_decoder *decoder, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool cot_decode_no_memory(struct cot_decoder *decoder);

/* ret_given false: the field has no value in this row. */
bool cot_decode_number(struct cot_decoder *decoder, enum cot_field field, struct cot_decimal *ret_value,
                       bool *ret_given);
bool cot_decode_time(struct cot_decoder *decoder, enum cot_field field, int64_t *ret_ms, bool *ret_given);
bool cot_decode_bool(struct cot_decoder *decoder, enum cot_field field, bool *ret_value, bool *ret_given);
/* An amount in minor units of the record's currency. */
bool cot_decode_money(struct cot_decoder *decoder, enum cot_field field, int64_t *ret_minor, bool *ret_given);
/* Rejects where a product of money does not fit. */
bool cot_decode_product(struct cot_decoder *decoder, struct cot_decimal price, struct cot_decimal quantity,
                        int64_t *ret_minor);

/* Begins a record of this row; NULL: no memory. The pointer is good until the next one begins. */
struct cot_record *cot_decode_begin(struct cot_decoder *decoder, enum cot_record_kind kind);
/* A further record of this row that repeats the one at index i_record of the records. */
struct cot_record *cot_decode_again(struct cot_decoder *decoder, size_t i_record);

/* user, email, anonymous, phone, loyalty card. False only for want of memory. */
bool cot_decode_identity(struct cot_decoder *decoder, struct cot_record *record);
/* currency of the record, and decoder->exponent. */
bool cot_decode_currency(struct cot_decoder *decoder, struct cot_record *record);
/* occurred_at (with time_of_day) and recorded_at; a row without occurred_at is rejected, or made timeless. */
enum cot_undated { COT_UNDATED_REJECT, COT_UNDATED_TIMELESS };
bool cot_decode_dates(struct cot_decoder *decoder, struct cot_record *record, enum cot_undated undated);
/* The traits of this row go to the record. */
bool cot_decode_traits(struct cot_decoder *decoder, struct cot_record *record, bool timeless);
/* The properties of this row's event go to the record, as JSON. */
bool cot_decode_properties(struct cot_decoder *decoder, struct cot_record *record);
/* Adds one trait to a record, which must be the last begun. */
bool cot_decode_add_trait(struct cot_decoder *decoder, struct cot_record *record, const char *key,
                          struct cot_text value, double number, bool timeless);
/* accepts_marketing, where the row says it: a consent record for whom `record` names. */
bool cot_decode_accepts_marketing(struct cot_decoder *decoder, size_t i_record);

struct cot_text cot_decode_channel(const struct cot_decoder *decoder);
static inline struct cot_text cot_text_of(const char *text)
{
    return (struct cot_text){.data = text, .size = (uint32_t)__builtin_strlen(text)};
}
bool cot_text_is(struct cot_text text, const char *word);      /* case-insensitive */
bool cot_text_is_any(struct cot_text text, const char *words); /* words by '|' */

/* Rows of each kind of file. */
void cot_decode_order_row(struct cot_decoder *decoder);
void cot_decode_order_group(struct cot_decoder *decoder);
void cot_decode_event_row(struct cot_decoder *decoder);
void cot_decode_customer_row(struct cot_decoder *decoder);
void cot_decode_product_row(struct cot_decoder *decoder);
void cot_decode_campaign_row(struct cot_decoder *decoder);
void cot_decode_target_row(struct cot_decoder *decoder);
void cot_decode_response_row(struct cot_decoder *decoder);
void cot_decode_coupon_row(struct cot_decoder *decoder);
void cot_decode_redemption_row(struct cot_decoder *decoder);
void cot_decode_promotion_row(struct cot_decoder *decoder);
void cot_decode_consent_row(struct cot_decoder *decoder);
void cot_decode_suppression_row(struct cot_decoder *decoder);
void cot_decode_rate_row(struct cot_decoder *decoder);
void cot_decode_link_row(struct cot_decoder *decoder);
void cot_decode_ignored_row(struct cot_decoder *decoder);

/* The kind of event that a name stands for (Segment's specification, GA4, common shop systems); false: none known. */
bool cot_event_kind_from_spelling(struct cot_text name, enum cot_event_kind *ret_kind);

#endif
