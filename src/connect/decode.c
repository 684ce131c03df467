#include "connect/decode.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "connect/header.h"
#include "connect/properties.h"

/* Beyond, sums of a shop would leave the 53 bits of a double. */
#define MAX_MINOR INT64_C(900719925474099)

struct cot_text cot_decode_text(const struct cot_decoder *d, enum cot_field field)
{
    static const struct cot_text none = {.data = "", .size = 0};
    if (d->row != NULL)
        return d->row->fields[field];
    size_t i = d->mapping->field_column[field];
    if (i == SIZE_MAX)
        return none;
    const struct cot_cell *cell = cot_batch_cell(d->batch, d->i_row, i);
    const char *text = cell->data;
    size_t size = cell->size;
    if (size == 0)
        return none;
    cot_value_trim(&text, &size);
    if (cot_value_is_missing(text, size))
        return none;
    return (struct cot_text){.data = text, .size = (uint32_t)size};
}

bool cot_decode_has(const struct cot_decoder *d, enum cot_field field)
{
    return d->mapping->field_column[field] != SIZE_MAX;
}

const char *cot_decode_column(const struct cot_decoder *d, enum cot_field field)
{
    size_t i = d->mapping->field_column[field];
    return i != SIZE_MAX ? d->mapping->columns[i].name : cot_field_name(field);
}

bool cot_decode_no_memory(struct cot_decoder *d)
{
    d->rc = cot_fail(d->err, COT_NOMEM, "records of line %llu", (unsigned long long)d->line);
    d->rejected = true;
    return false;
}

bool cot_decode_reject(struct cot_decoder *d, const char *code, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (d->rejected)
        return false;
    d->records->n_records = d->first_record;
    d->records->n_traits = d->first_trait;
    d->rejected = true;
    size_t i_row = d->row != NULL ? d->row->i_row : d->i_row;
    cot_code rc = cot_records_reject(d->records, d->line, i_row, code, d->err, "%s", reason);
    if (rc != COT_OK)
        d->rc = rc;
    else if (d->row != NULL && d->row->i_row == SIZE_MAX) {
        char *raw = cot_arena_copy(&d->records->arena, d->row->raw.data, d->row->raw.size);
        if (raw == NULL)
            return cot_decode_no_memory(d);
        d->records->rejects[d->records->n_rejects - 1].raw = (struct cot_text){.data = raw, .size = d->row->raw.size};
    }
    return false;
}

static bool reject_value(struct cot_decoder *d, enum cot_field field, struct cot_text text, enum cot_value_error error)
{
    static const char *const codes[] = {
        [COT_FIELD_TYPE_TEXT] = "value", [COT_FIELD_TYPE_NUMBER] = "number", [COT_FIELD_TYPE_TIME] = "date"};
    return cot_decode_reject(d, codes[cot_field_type(field)], "column '%.60s': '%.*s' %s", cot_decode_column(d, field),
                             (int)(text.size < 100 ? text.size : 100), text.data, cot_value_error_text(error));
}

static const struct cot_column_style *style_of(const struct cot_decoder *d, enum cot_field field)
{
    static const struct cot_column_style none = {.decimal = COT_DECIMAL_POINT};
    size_t i = d->mapping->field_column[field];
    return i != SIZE_MAX ? &d->mapping->columns[i].style : &none;
}

bool cot_decode_number(struct cot_decoder *d, enum cot_field field, struct cot_decimal *ret_value, bool *ret_given)
{
    struct cot_text text = cot_decode_text(d, field);
    *ret_given = text.size > 0;
    if (text.size == 0)
        return true;
    enum cot_value_error error = cot_value_decimal(text.data, text.size, style_of(d, field)->decimal, ret_value, NULL);
    return error == COT_VALUE_OK || reject_value(d, field, text, error);
}

bool cot_decode_time(struct cot_decoder *d, enum cot_field field, int64_t *ret_ms, bool *ret_given)
{
    struct cot_text text = cot_decode_text(d, field);
    *ret_given = text.size > 0;
    if (text.size == 0)
        return true;
    bool cached = field == COT_FIELD_OCCURRED_AT && text.size < sizeof d->time_text;
    if (cached && text.size == d->time_size && memcmp(text.data, d->time_text, text.size) == 0) {
        *ret_ms = d->time_ms;
        return true;
    }
    enum cot_value_error error =
        cot_value_time(text.data, text.size, style_of(d, field)->date_order, d->mapping->zone, ret_ms, NULL);
    if (error != COT_VALUE_OK)
        return reject_value(d, field, text, error);
    if (cached) {
        memcpy(d->time_text, text.data, text.size);
        d->time_size = text.size;
        d->time_ms = *ret_ms;
    }
    return true;
}

bool cot_decode_bool(struct cot_decoder *d, enum cot_field field, bool *ret_value, bool *ret_given)
{
    struct cot_text text = cot_decode_text(d, field);
    *ret_given = text.size > 0;
    if (text.size == 0)
        return true;
    enum cot_value_error error = cot_value_bool(text.data, text.size, ret_value);
    return error == COT_VALUE_OK || reject_value(d, field, text, error);
}

bool cot_decode_money(struct cot_decoder *d, enum cot_field field, int64_t *ret_minor, bool *ret_given)
{
    struct cot_decimal value = {0};
    if (!cot_decode_number(d, field, &value, ret_given))
        return false;
    if (!*ret_given)
        return true;
    if (cot_money_from_decimal(value, d->exponent, ret_minor) && llabs(*ret_minor) <= MAX_MINOR)
        return true;
    return reject_value(d, field, cot_decode_text(d, field), COT_VALUE_TOO_LARGE);
}

bool cot_decode_product(struct cot_decoder *d, struct cot_decimal price, struct cot_decimal quantity,
                        int64_t *ret_minor)
{
    if (cot_money_product(price, quantity, d->exponent, ret_minor) && llabs(*ret_minor) <= MAX_MINOR)
        return true;
    return cot_decode_reject(d, "number", "price times quantity is too large: %g x %g", cot_decimal_double(price),
                             cot_decimal_double(quantity));
}

/* Records */

static void place(const struct cot_decoder *d, struct cot_record *record)
{
    record->line = d->line;
    record->i_row = d->row != NULL ? d->row->i_row : d->i_row;
    record->i_record = (uint32_t)(d->records->n_records - 1 - d->first_record);
}

struct cot_record *cot_decode_begin(struct cot_decoder *d, enum cot_record_kind kind)
{
    struct cot_record *record = NULL;
    d->rc = cot_records_add(d->records, &record, d->err);
    if (d->rc != COT_OK) {
        d->rejected = true;
        return NULL;
    }
    record->kind = kind;
    record->i_trait = d->records->n_traits;
    place(d, record);
    return record;
}

struct cot_record *cot_decode_again(struct cot_decoder *d, size_t i_record)
{
    struct cot_record *record = NULL;
    d->rc = cot_records_add(d->records, &record, d->err);
    if (d->rc != COT_OK) {
        d->rejected = true;
        return NULL;
    }
    *record = d->records->records[i_record];
    record->n_traits = 0;
    place(d, record);
    return record;
}

/* "17850.0" is what a table of floating-point numbers makes of the id 17850. */
static struct cot_text clean_id(struct cot_text id)
{
    if (id.size < 3 || memcmp(id.data + id.size - 2, ".0", 2) != 0)
        return id;
    for (uint32_t i = 0; i + 2 < id.size; i++)
        if (id.data[i] < '0' || id.data[i] > '9')
            return id;
    id.size -= 2;
    return id;
}

static bool take_email(struct cot_decoder *d, struct cot_text text, struct cot_text *ret_email)
{
    enum { ROOM = 256 };
    char email[ROOM];
    size_t size = 0;
    if (text.size == 0 || text.size >= ROOM || !cot_value_email(text.data, text.size, email, &size))
        return true;
    char *copy = cot_arena_copy(&d->records->arena, email, size);
    if (copy == NULL)
        return cot_decode_no_memory(d);
    *ret_email = (struct cot_text){.data = copy, .size = (uint32_t)size};
    return true;
}

/* + and digits; "00" at the beginning is +. Too short to be anyone's: none. */
static bool take_phone(struct cot_decoder *d, struct cot_text text, struct cot_text *ret_phone)
{
    enum { MIN_DIGITS = 6, MAX_DIGITS = 20 };
    char phone[MAX_DIGITS + 2];
    size_t n = 0;
    size_t n_digits = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '+' && n == 0)
            phone[n++] = c;
        if (c < '0' || c > '9')
            continue;
        if (n_digits == MAX_DIGITS)
            return true;
        phone[n++] = c;
        n_digits++;
    }
    if (n_digits < MIN_DIGITS)
        return true;
    const char *begin = phone;
    if (phone[0] == '0' && phone[1] == '0') {
        phone[1] = '+';
        begin++;
        n--;
    }
    char *copy = cot_arena_copy(&d->records->arena, begin, n);
    if (copy == NULL)
        return cot_decode_no_memory(d);
    *ret_phone = (struct cot_text){.data = copy, .size = (uint32_t)n};
    return true;
}

bool cot_decode_identity(struct cot_decoder *d, struct cot_record *record)
{
    record->user = clean_id(cot_decode_text(d, COT_FIELD_CUSTOMER_ID));
    record->anonymous = cot_decode_text(d, COT_FIELD_ANONYMOUS_ID);
    if (!take_email(d, cot_decode_text(d, COT_FIELD_EMAIL), &record->email))
        return false;
    if (!take_phone(d, cot_decode_text(d, COT_FIELD_PHONE), &record->phone))
        return false;
    d->rc = cot_record_add_identity(d->records, record, COT_NODE_LOYALTY,
                                    clean_id(cot_decode_text(d, COT_FIELD_LOYALTY_CARD)), d->err);
    if (d->rc != COT_OK)
        return false;
    /* Shops whose customer id is the address. */
    if (record->email.size == 0 && record->user.size > 0 && memchr(record->user.data, '@', record->user.size) != NULL)
        return take_email(d, record->user, &record->email);
    return true;
}

bool cot_decode_currency(struct cot_decoder *d, struct cot_record *record)
{
    struct cot_text text = cot_decode_text(d, COT_FIELD_CURRENCY);
    char code[4] = "";
    if (text.size == 0) {
        memcpy(code, d->mapping->currency, sizeof code);
        record->flags |= d->mapping->currency_is_assumed ? COT_RECORD_CURRENCY_ASSUMED : 0U;
    } else if (text.size == 3) {
        for (int i = 0; i < 3; i++)
            code[i] = (char)(text.data[i] & ~0x20);
    }
    if (text.size > 0 && strcmp(code, d->currency) != 0 && !cot_currency_is_known(text.data, text.size))
        return cot_decode_reject(d, "currency", "column '%.60s': '%.*s' is not a currency code (ISO 4217)",
                                 cot_decode_column(d, COT_FIELD_CURRENCY), (int)(text.size < 40 ? text.size : 40),
                                 text.data);
    if (strcmp(code, d->currency) != 0) {
        memcpy(d->currency, code, sizeof code);
        d->exponent = cot_currency_exponent(code);
    }
    memcpy(record->currency, code, sizeof code);
    record->exponent = (uint8_t)d->exponent;
    return true;
}

/* A clock time in a column of its own belongs to the local day that the date column names. */
static bool add_time_of_day(struct cot_decoder *d, int64_t *ms)
{
    struct cot_text text = cot_decode_text(d, COT_FIELD_TIME_OF_DAY);
    int64_t clock_ms = 0;
    if (text.size == 0)
        return true;
    int64_t local = cot_zone_local(d->mapping->zone, *ms);
    if (local % COT_MS_PER_DAY != 0)
        return true;
    if (cot_value_clock(text.data, text.size, &clock_ms) != COT_VALUE_OK)
        return cot_decode_reject(d, "date", "column '%.60s': '%.*s' is not a clock time",
                                 cot_decode_column(d, COT_FIELD_TIME_OF_DAY), (int)(text.size < 60 ? text.size : 60),
                                 text.data);
    *ms = cot_zone_utc(d->mapping->zone, local + clock_ms);
    return true;
}

bool cot_decode_dates(struct cot_decoder *d, struct cot_record *record, enum cot_undated undated)
{
    bool given = false;
    bool recorded = false;
    if (!cot_decode_time(d, COT_FIELD_OCCURRED_AT, &record->occurred_at_ms, &given))
        return false;
    if (!given && undated == COT_UNDATED_REJECT)
        return cot_decode_reject(d, "date", "column '%.60s': no date", cot_decode_column(d, COT_FIELD_OCCURRED_AT));
    if (!given) {
        record->flags |= COT_RECORD_TIMELESS;
        return true;
    }
    if (!add_time_of_day(d, &record->occurred_at_ms))
        return false;
    if (!cot_decode_time(d, COT_FIELD_RECORDED_AT, &record->recorded_at_ms, &recorded))
        return false;
    /* Nobody knows a thing before it happens: a recorded_at before occurred_at is not one. */
    if (!recorded || record->recorded_at_ms < record->occurred_at_ms) {
        record->recorded_at_ms = record->occurred_at_ms;
        record->flags |= recorded ? 0 : COT_RECORD_UNDATED;
    }
    return true;
}

/* Traits */

bool cot_decode_add_trait(struct cot_decoder *d, struct cot_record *record, const char *key, struct cot_text value,
                          double number, bool timeless)
{
    struct cot_trait trait = {.key = cot_text_of(key), .value = value, .number = number, .timeless = timeless};
    d->rc = cot_records_add_trait(d->records, &trait, d->err);
    if (d->rc != COT_OK) {
        d->rejected = true;
        return false;
    }
    record->n_traits++;
    return true;
}

/* A date of birth or of signing up: the ISO date, and as a number the year or the days since 1970. A date that can't be
 * read stays as it stands. */
static bool add_date_trait(struct cot_decoder *d, struct cot_record *record, enum cot_field field, const char *key,
                           bool timeless)
{
    struct cot_text text = cot_decode_text(d, field);
    struct cot_civil civil = {0};
    char iso[16];
    if (text.size == 0)
        return true;
    enum cot_value_error error = cot_value_civil(text.data, text.size, style_of(d, field)->date_order, &civil);
    if (error != COT_VALUE_OK || civil.year < 1800)
        return cot_decode_add_trait(d, record, key, text, NAN, timeless);
    int size = snprintf(iso, sizeof iso, "%04d-%02d-%02d", civil.year % 10000, civil.month % 100, civil.day % 100);
    char *copy = cot_arena_copy(&d->records->arena, iso, (size_t)size);
    if (copy == NULL)
        return cot_decode_no_memory(d);
    double number =
        field == COT_FIELD_BIRTH_DATE ? civil.year : (double)cot_days_from_civil(civil.year, civil.month, civil.day);
    return cot_decode_add_trait(d, record, key, (struct cot_text){.data = copy, .size = (uint32_t)size}, number,
                                timeless);
}

static double trait_number(const struct cot_mapped_column *column, struct cot_text text)
{
    struct cot_decimal value;
    if (cot_value_decimal(text.data, text.size, column->style.decimal, &value, NULL) != COT_VALUE_OK)
        return NAN;
    return cot_decimal_double(value);
}

bool cot_decode_traits(struct cot_decoder *d, struct cot_record *record, bool timeless)
{
    const struct cot_mapping *mapping = d->mapping;
    record->i_trait = d->records->n_traits;
    record->n_traits = 0;
    if (!add_date_trait(d, record, COT_FIELD_BIRTH_DATE, "birth_date", timeless) ||
        !add_date_trait(d, record, COT_FIELD_SIGNED_UP_AT, "signed_up_at", timeless))
        return false;
    for (size_t i = 0; i < mapping->n_columns && d->row == NULL; i++) {
        if (mapping->columns[i].field != COT_FIELD_TRAIT)
            continue;
        const struct cot_cell *cell = cot_batch_cell(d->batch, d->i_row, i);
        const char *text = cell->data;
        size_t size = cell->size;
        cot_value_trim(&text, &size);
        if (cot_value_is_missing(text, size) && !(size == 2 && text[1] == 'A')) /* "NA" is Namibia's code too */
            continue;
        struct cot_text value = {.data = text, .size = (uint32_t)size};
        if (!cot_decode_add_trait(d, record, mapping->columns[i].key, value, trait_number(&mapping->columns[i], value),
                                  timeless))
            return false;
    }
    return true;
}

/* A cell as a number, where it is one, a truth or a text; NULL: nothing. */
static yyjson_mut_val *property_value(yyjson_mut_doc *doc, const struct cot_mapped_column *column, struct cot_text text)
{
    double number = trait_number(column, text);
    if (cot_text_is(text, "true") || cot_text_is(text, "false"))
        return yyjson_mut_bool(doc, cot_text_is(text, "true"));
    return isnan(number) ? yyjson_mut_strn(doc, text.data, text.size) : yyjson_mut_real(doc, number);
}

bool cot_decode_properties(struct cot_decoder *d, struct cot_record *record)
{
    const struct cot_mapping *mapping = d->mapping;
    struct cot_properties properties = {0};
    for (size_t i = 0; i < mapping->n_columns && d->row == NULL; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        if (column->field != COT_FIELD_PROPERTY)
            continue;
        const struct cot_cell *cell = cot_batch_cell(d->batch, d->i_row, i);
        const char *text = cell->data;
        size_t size = cell->size;
        cot_value_trim(&text, &size);
        if (cot_value_is_missing(text, size))
            continue;
        cot_properties_begin(&properties);
        if (!properties.failed)
            cot_properties_add(&properties, column->key, strlen(column->key),
                               property_value(properties.doc, column, (struct cot_text){text, (uint32_t)size}));
    }
    return cot_properties_end(&properties, &d->records->arena, &record->properties) || cot_decode_no_memory(d);
}

bool cot_decode_accepts_marketing(struct cot_decoder *d, size_t i_record)
{
    struct cot_text text = cot_decode_text(d, COT_FIELD_ACCEPTS_MARKETING);
    bool granted = false;
    if (text.size == 0 || !cot_record_has_identity(&d->records->records[i_record]) ||
        cot_value_bool(text.data, text.size, &granted) != COT_VALUE_OK)
        return true;
    const struct cot_record source = d->records->records[i_record];
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_CONSENT);
    if (record == NULL)
        return false;
    record->user = source.user;
    record->email = source.email;
    record->anonymous = source.anonymous;
    record->phone = source.phone;
    record->others = source.others;
    record->n_others = source.n_others;
    record->occurred_at_ms = source.occurred_at_ms;
    record->recorded_at_ms = source.recorded_at_ms;
    record->flags = source.flags & (COT_RECORD_TIMELESS | COT_RECORD_UNDATED);
    record->purpose = cot_text_of("marketing");
    record->granted = granted;
    return true;
}

/* Words */

bool cot_text_is(struct cot_text text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

bool cot_text_is_any(struct cot_text text, const char *words)
{
    for (const char *at = words; at != NULL;) {
        const char *bar = strchr(at, '|');
        size_t size = bar != NULL ? (size_t)(bar - at) : strlen(at);
        if (size == text.size && strncasecmp(text.data, at, size) == 0)
            return true;
        at = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

struct cot_text cot_decode_channel(const struct cot_decoder *d)
{
    static const struct {
        const char *words;
        const char *channel;
    } synonyms[] = {{"web|online|website|site|desktop|browser|mobile web|www|online store|e-commerce|ecommerce", "web"},
                    {"app|mobile|mobile app|ios|android|iphone|ipad", "app"},
                    {"email|e-mail|newsletter|mail", "email"},
                    {"store|in-store|instore|in store|shop|pos|offline|retail|branch|physical", "store"},
                    {"phone|call|telephone|call center|call centre|telesales", "phone"},
                    {"catalog|catalogue|mail order", "catalog"},
                    {"marketplace|amazon|ebay|etsy|otto|zalando", "marketplace"},
                    {"social|facebook|instagram|tiktok|pinterest", "social"}};
    struct cot_text text = cot_decode_text(d, COT_FIELD_CHANNEL);
    if (text.size == 0)
        return d->mapping->channel != NULL ? cot_text_of(d->mapping->channel) : text;
    /* The plain names first: most files have them. */
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strlen(synonyms[i].channel) == text.size && memcmp(synonyms[i].channel, text.data, text.size) == 0)
            return text;
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (cot_text_is_any(text, synonyms[i].words))
            return cot_text_of(synonyms[i].channel);
    return text;
}

/* Batches */

cot_code cot_decoder_open(const struct cot_mapping *mapping, struct cot_decoder **ret_decoder, struct cot_err *err)
{
    struct cot_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return cot_fail(err, COT_NOMEM, "decoding rows");
    decoder->mapping = mapping;
    decoder->exponent = cot_currency_exponent("");
    *ret_decoder = decoder;
    return COT_OK;
}

void cot_decoder_free(struct cot_decoder *decoder)
{
    if (decoder == NULL)
        return;
    free(decoder->group.rows);
    cot_arena_release(&decoder->group.arenas[0]);
    cot_arena_release(&decoder->group.arenas[1]);
    free(decoder);
}

static bool row_is_empty(const struct cot_batch *batch, size_t i_row)
{
    for (size_t i = 0; i < batch->n_columns; i++)
        if (cot_batch_cell(batch, i_row, i)->size > 0)
            return false;
    return true;
}

static void stand_at(struct cot_decoder *d, size_t i_row)
{
    d->row = NULL;
    d->i_row = i_row;
    d->line = d->batch->lines[i_row];
    d->first_record = d->records->n_records;
    d->first_trait = d->records->n_traits;
    d->rejected = false;
}

static void adjust_records(struct cot_decoder *d)
{
    void (*adjust)(struct cot_decoder *, struct cot_record *) = d->mapping->connector->adjust;
    for (size_t i = d->first_record; adjust != NULL && !d->rejected && i < d->records->n_records; i++)
        adjust(d, &d->records->records[i]);
}

/* Grouped shapes: rows of one order are gathered, and decoded when the next order begins. */

static void flush_group(struct cot_decoder *d)
{
    if (d->group.n_rows == 0)
        return;
    d->mapping->connector->decode(d);
    d->row = NULL;
    d->group.n_rows = 0;
}

static bool add_to_group(struct cot_decoder *d, size_t i_row)
{
    struct cot_group *group = &d->group;
    if (group->n_rows == group->capacity) {
        size_t capacity = group->capacity > 0 ? 2 * group->capacity : 64;
        struct cot_row *rows = realloc(group->rows, capacity * sizeof *rows);
        if (rows == NULL)
            return cot_decode_no_memory(d);
        group->rows = rows;
        group->capacity = capacity;
    }
    struct cot_row *row = &group->rows[group->n_rows];
    memset(row, 0, sizeof *row);
    row->line = d->batch->lines[i_row];
    row->i_row = i_row;
    for (int field = 0; field < COT_N_FIELDS; field++)
        row->fields[field] = cot_decode_text(d, (enum cot_field)field);
    group->n_rows++;
    return true;
}

static bool begins_group(struct cot_decoder *d)
{
    struct cot_text key = cot_decode_text(d, COT_FIELD_ORDER_ID);
    if (d->group.n_rows == 0 || key.size == 0)
        return false;
    struct cot_text first = d->group.rows[0].fields[COT_FIELD_ORDER_ID];
    return first.size != key.size || memcmp(first.data, key.data, key.size) != 0;
}

/* The row as text, for a reject that comes when its batch is gone. */
static bool keep_raw(struct cot_decoder *d, struct cot_arena *arena, struct cot_row *row)
{
    size_t size = 0;
    for (size_t i = 0; i < d->batch->n_columns; i++)
        size += cot_batch_cell(d->batch, row->i_row, i)->size + 1U;
    char *raw = cot_arena_alloc(arena, size + 1);
    if (raw == NULL)
        return cot_decode_no_memory(d);
    size_t at = 0;
    for (size_t i = 0; i < d->batch->n_columns; i++) {
        const struct cot_cell *cell = cot_batch_cell(d->batch, row->i_row, i);
        memcpy(raw + at, cell->data, cell->size);
        at += cell->size;
        raw[at++] = ',';
    }
    size_t kept = at > 0 ? at - 1 : 0;
    row->raw =
        (struct cot_text){.data = raw, .size = (uint32_t)(kept < COT_REJECT_RAW_MAX ? kept : COT_REJECT_RAW_MAX)};
    return true;
}

/* The open group outlives the batch: its texts move to an arena of ours. */
static bool hold_over(struct cot_decoder *d)
{
    struct cot_group *group = &d->group;
    struct cot_arena *arena = &group->arenas[1 - group->i_arena];
    cot_arena_clear(arena);
    for (size_t i = 0; i < group->n_rows; i++) {
        struct cot_row *row = &group->rows[i];
        if (row->i_row != SIZE_MAX) {
            if (!keep_raw(d, arena, row))
                return false;
        } else {
            row->raw.data = cot_arena_copy(arena, row->raw.data, row->raw.size);
            if (row->raw.data == NULL)
                return cot_decode_no_memory(d);
        }
        for (int field = 0; field < COT_N_FIELDS; field++) {
            if (row->fields[field].size == 0)
                continue;
            row->fields[field].data = cot_arena_copy(arena, row->fields[field].data, row->fields[field].size);
            if (row->fields[field].data == NULL)
                return cot_decode_no_memory(d);
        }
        row->i_row = SIZE_MAX;
    }
    group->i_arena = 1 - group->i_arena;
    return true;
}

static void group_row(struct cot_decoder *d, size_t i_row)
{
    enum { MAX_ORDER_ROWS = 20000 };
    if (begins_group(d)) {
        flush_group(d);
        stand_at(d, i_row);
    }
    if (d->rc != COT_OK)
        return;
    if (d->group.n_rows == 0 && cot_decode_text(d, COT_FIELD_ORDER_ID).size == 0)
        cot_decode_reject(d, "order", "column '%.60s': no order number, and no order before it",
                          cot_decode_column(d, COT_FIELD_ORDER_ID));
    else if (d->group.n_rows == MAX_ORDER_ROWS)
        cot_decode_reject(d, "order", "an order of more than %d lines", (int)MAX_ORDER_ROWS);
    else
        add_to_group(d, i_row);
}

cot_code cot_mapping_decode(const struct cot_mapping *mapping, struct cot_decoder *d, const struct cot_batch *batch,
                            struct cot_records *records, struct cot_err *err)
{
    bool is_grouped = mapping->connector->is_grouped;
    d->batch = batch;
    d->records = records;
    d->err = err;
    d->rc = COT_OK;
    for (size_t i = 0; i < batch->n_rows && d->rc == COT_OK; i++) {
        stand_at(d, i);
        if (row_is_empty(batch, i)) {
            cot_decode_reject(d, "empty", "the row has no content");
            continue;
        }
        if (is_grouped) {
            group_row(d, i);
            continue;
        }
        mapping->connector->decode(d);
        adjust_records(d);
        /* A defect in a shape must not lose a row. */
        if (!d->rejected && records->n_records == d->first_record)
            cot_decode_reject(d, "unused", "the row says nothing that is kept");
    }
    if (is_grouped && d->rc == COT_OK)
        hold_over(d);
    return d->rc;
}

cot_code cot_decoder_finish(struct cot_decoder *d, struct cot_records *records, struct cot_err *err)
{
    d->records = records;
    d->err = err;
    d->rc = COT_OK;
    if (d->mapping->connector->is_grouped)
        flush_group(d);
    return d->rc;
}
