/* Reading live calls (see call.h). */
#include "connect/call.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "connect/properties.h"
#include "domain/consent.h"
#include "domain/money.h"

enum { MAX_TRAIT_DEPTH = 4, MAX_TRAITS = 500, MAX_KEY_SIZE = 200, MAX_TRAIT_SIZE = 4096 };

static struct cot_text text_of_value(yyjson_val *value)
{
    struct cot_text text = {"", 0};
    if (yyjson_is_str(value))
        text = (struct cot_text){yyjson_get_str(value), (uint32_t)yyjson_get_len(value)};
    else if (yyjson_is_raw(value))
        text = (struct cot_text){yyjson_get_raw(value), (uint32_t)yyjson_get_len(value)};
    else if (yyjson_is_bool(value))
        text = yyjson_get_bool(value) ? (struct cot_text){"true", 4} : (struct cot_text){"false", 5};
    size_t size = text.size;
    cot_value_trim(&text.data, &size);
    text.size = (uint32_t)size;
    if (text.size == 0 || cot_value_is_missing(text.data, text.size))
        text = (struct cot_text){"", 0};
    return text;
}

struct cot_text cot_call_text(yyjson_val *object, const char *key)
{
    return text_of_value(yyjson_obj_get(object, key));
}

yyjson_val *cot_call_value_at(yyjson_val *object, const char *path)
{
    while (object != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        object = yyjson_obj_getn(object, path, size);
        path += size + (path[size] == '.');
    }
    return object;
}

struct cot_text cot_call_text_at(yyjson_val *object, const char *path)
{
    return text_of_value(cot_call_value_at(object, path));
}

/* The value of the first key (by '|') that is neither absent nor null. */
static yyjson_val *value_any(yyjson_val *object, const char *keys)
{
    while (*keys != '\0') {
        size_t size = strcspn(keys, "|");
        yyjson_val *value = yyjson_obj_getn(object, keys, size);
        if (text_of_value(value).size > 0)
            return value;
        keys += size + (keys[size] == '|');
    }
    return NULL;
}

struct cot_text cot_call_text_any(yyjson_val *object, const char *keys)
{
    return text_of_value(value_any(object, keys));
}

bool cot_call_reject(struct cot_call_reader *reader, const char *code, const char *format, ...)
{
    char reason[400];
    va_list args;
    if (reader->rejected || reader->rc != COT_OK)
        return false;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reader->rejected = true;
    size_t i_call = reader->input->i_call;
    reader->rc = cot_records_reject(reader->records, i_call + 1, i_call, code, reader->err, "%s", reason);
    return false;
}

bool cot_call_no_memory(struct cot_call_reader *reader)
{
    reader->rc = cot_fail(reader->err, COT_NOMEM, "a call");
    return false;
}

bool cot_call_decimal(struct cot_call_reader *reader, yyjson_val *object, const char *keys,
                      struct cot_decimal *ret_value, bool *ret_given)
{
    struct cot_text text = cot_call_text_any(object, keys);
    *ret_given = text.size > 0;
    if (text.size == 0)
        return true;
    enum cot_value_error error = cot_value_decimal(text.data, text.size, COT_DECIMAL_POINT, ret_value, NULL);
    if (error == COT_VALUE_OK)
        return true;
    return cot_call_reject(reader, "number", "%.40s '%.*s' %s", keys, (int)(text.size < 60 ? text.size : 60), text.data,
                           cot_value_error_text(error));
}

bool cot_call_money(struct cot_call_reader *reader, yyjson_val *object, const char *keys, int exponent,
                    int64_t *ret_minor, bool *ret_given)
{
    struct cot_decimal value;
    if (!cot_call_decimal(reader, object, keys, &value, ret_given) || !*ret_given)
        return !reader->rejected;
    if (cot_money_from_decimal(value, exponent, ret_minor))
        return true;
    return cot_call_reject(reader, "amount", "%.40s is too large for 64 bits of minor units", keys);
}

bool cot_call_time(struct cot_call_reader *reader, yyjson_val *object, const char *key, int64_t *ret_ms)
{
    struct cot_text text = cot_call_text(object, key);
    *ret_ms = COT_NO_TIME;
    if (text.size == 0)
        return true;
    enum cot_value_error error = cot_value_time(text.data, text.size, COT_DATE_ORDER_UNKNOWN, NULL, ret_ms, NULL);
    if (error == COT_VALUE_OK)
        return true;
    return cot_call_reject(reader, "time", "%s '%.*s' %s: write ISO 8601", key, (int)(text.size < 60 ? text.size : 60),
                           text.data, cot_value_error_text(error));
}

int64_t cot_call_occurred_at(int64_t received_at_ms, int64_t sent_at_ms, int64_t original_ms)
{
    int64_t occurred_ms = original_ms;
    if (original_ms == COT_NO_TIME)
        return received_at_ms;
    if (sent_at_ms != COT_NO_TIME)
        occurred_ms = received_at_ms - (sent_at_ms - original_ms);
    return occurred_ms > received_at_ms ? received_at_ms : occurred_ms;
}

bool cot_call_email(struct cot_call_reader *reader, struct cot_text text, struct cot_text *ret_email)
{
    enum { ROOM = 256 };
    char email[ROOM];
    size_t size = 0;
    if (text.size == 0 || text.size >= ROOM || !cot_value_email(text.data, text.size, email, &size))
        return true;
    char *copy = cot_arena_copy(&reader->records->arena, email, size);
    if (copy == NULL)
        return cot_call_no_memory(reader);
    *ret_email = (struct cot_text){copy, (uint32_t)size};
    return true;
}

bool cot_call_phone(struct cot_call_reader *reader, struct cot_text text, struct cot_text *ret_phone)
{
    enum { MIN_DIGITS = 6, MAX_DIGITS = 20 };
    char phone[MAX_DIGITS + 1];
    size_t n = 0;
    bool international = false;
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '+' && n == 0)
            international = true;
        if (c < '0' || c > '9')
            continue;
        if (n == MAX_DIGITS)
            return true;
        phone[n++] = c;
    }
    size_t skip = !international && n > 2 && phone[0] == '0' && phone[1] == '0' ? 2 : 0;
    international |= skip > 0;
    if (n - skip < MIN_DIGITS)
        return true;
    char *copy = cot_arena_alloc(&reader->records->arena, n + 2);
    if (copy == NULL)
        return cot_call_no_memory(reader);
    memcpy(copy + 1, phone + skip, n - skip);
    copy[0] = '+';
    *ret_phone = (struct cot_text){international ? copy : copy + 1, (uint32_t)(n - skip + international)};
    return true;
}

bool cot_call_currency(struct cot_call_reader *reader, struct cot_text code, struct cot_record *record,
                       int *ret_exponent)
{
    if (code.size == 0) {
        *ret_exponent = cot_currency_exponent(reader->input->base_currency);
        return true;
    }
    if (!cot_currency_is_known(code.data, code.size))
        return cot_call_reject(reader, "currency", "currency '%.*s' is none of ISO 4217",
                               (int)(code.size < 20 ? code.size : 20), code.data);
    for (int i = 0; i < 3; i++)
        record->currency[i] = (char)(code.data[i] >= 'a' ? code.data[i] - 'a' + 'A' : code.data[i]);
    *ret_exponent = cot_currency_exponent(record->currency);
    return true;
}

struct cot_record *cot_call_begin(struct cot_call_reader *reader, enum cot_record_kind kind, int64_t occurred_at_ms)
{
    struct cot_record *record = NULL;
    size_t n = reader->records->n_records - reader->first_record;
    reader->rc = cot_records_add(reader->records, &record, reader->err);
    if (reader->rc != COT_OK)
        return NULL;
    record->kind = kind;
    record->i_record = (uint32_t)n;
    record->i_row = reader->input->i_call;
    record->line = reader->input->i_call + 1;
    record->occurred_at_ms = occurred_at_ms;
    record->recorded_at_ms = reader->input->received_at_ms;
    record->i_trait = reader->records->n_traits;
    return record;
}

struct cot_record *cot_call_again(struct cot_call_reader *reader, size_t i_record)
{
    struct cot_record *record = cot_call_begin(reader, COT_RECORD_EVENT, 0);
    if (record == NULL)
        return NULL;
    uint32_t i = record->i_record;
    *record = reader->records->records[i_record];
    record->i_record = i;
    record->n_traits = 0;
    return record;
}

bool cot_call_add_trait(struct cot_call_reader *reader, struct cot_record *record, const char *key,
                        struct cot_text value)
{
    struct cot_decimal number;
    struct cot_trait trait = {.value = value, .number = (double)NAN};
    if (value.size == 0 || value.size > MAX_TRAIT_SIZE || record->n_traits >= MAX_TRAITS)
        return true;
    char *copy = cot_arena_copy(&reader->records->arena, key, strlen(key));
    if (copy == NULL)
        return cot_call_no_memory(reader);
    trait.key = (struct cot_text){copy, (uint32_t)strlen(key)};
    if (cot_value_decimal(value.data, value.size, COT_DECIMAL_POINT, &number, NULL) == COT_VALUE_OK)
        trait.number = cot_decimal_double(number);
    reader->rc = cot_records_add_trait(reader->records, &trait, reader->err);
    record->n_traits += reader->rc == COT_OK;
    return reader->rc == COT_OK;
}

static bool add_members(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object,
                        const char *prefix, int depth)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(cot_json_some(object), i, n, key, value)
    {
        char name[MAX_KEY_SIZE];
        int size = snprintf(name, sizeof name, "%s%s", prefix, yyjson_get_str(key));
        if (size <= 0 || (size_t)size + 1 >= sizeof name)
            continue;
        if (yyjson_is_obj(value) && depth < MAX_TRAIT_DEPTH) {
            name[size] = '.';
            name[size + 1] = '\0';
            if (!add_members(reader, record, value, name, depth + 1))
                return false;
        } else if (!cot_call_add_trait(reader, record, name, text_of_value(value))) {
            return false;
        }
    }
    return true;
}

bool cot_call_traits(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object, const char *prefix)
{
    return add_members(reader, record, object, prefix, 0);
}

/* A text, number or truth; NULL: what rules can't ask for, or too long. */
static yyjson_mut_val *property_copy(yyjson_mut_doc *doc, yyjson_val *value)
{
    enum { MAX_VALUE = 1024 };
    if (yyjson_is_str(value) && yyjson_get_len(value) > 0 && yyjson_get_len(value) <= MAX_VALUE)
        return yyjson_mut_strn(doc, yyjson_get_str(value), yyjson_get_len(value));
    if (yyjson_is_raw(value) && yyjson_get_len(value) <= MAX_VALUE)
        return yyjson_mut_rawn(doc, yyjson_get_raw(value), yyjson_get_len(value));
    return yyjson_is_bool(value) ? yyjson_mut_bool(doc, yyjson_get_bool(value)) : NULL;
}

static void add_properties(struct cot_properties *properties, yyjson_val *object, const char *prefix, int depth)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(cot_json_some(object), i, n, key, value)
    {
        char name[MAX_KEY_SIZE];
        int size = snprintf(name, sizeof name, "%s%s", prefix, yyjson_get_str(key));
        if (size <= 0 || (size_t)size + 1 >= sizeof name)
            continue;
        if (yyjson_is_obj(value) && depth < MAX_TRAIT_DEPTH) {
            name[size] = '.';
            name[size + 1] = '\0';
            add_properties(properties, value, name, depth + 1);
            continue;
        }
        cot_properties_begin(properties);
        if (!properties->failed)
            cot_properties_add(properties, name, (size_t)size, property_copy(properties->doc, value));
    }
}

bool cot_call_properties(struct cot_call_reader *reader, struct cot_record *record, yyjson_val *object)
{
    struct cot_properties properties = {0};
    add_properties(&properties, object, "", 0);
    return cot_properties_end(&properties, &reader->records->arena, &record->properties) || cot_call_no_memory(reader);
}

bool cot_call_consent(struct cot_call_reader *reader, size_t i_record, struct cot_text purpose, bool granted)
{
    enum cot_purpose known;
    if (!cot_purpose_from_name(purpose.data, purpose.size, &known))
        return true;
    struct cot_record *record = cot_call_again(reader, i_record);
    if (record == NULL)
        return false;
    const char *name = cot_purpose_name(known);
    record->kind = COT_RECORD_CONSENT;
    record->purpose = (struct cot_text){name, (uint32_t)strlen(name)};
    record->granted = granted;
    return true;
}

bool cot_user_agent_is_bot(const char *user_agent, size_t size)
{
    static const char *const words[] = {
        "bot/",    "bot;",     "bot)",      "bot ",       "googlebot", "bingbot",  "crawler",    "spider",
        "slurp",   "headless", "phantomjs", "lighthouse", "pingdom",   "uptime",   "monitoring", "facebookexternalhit",
        "preview", "gtmetrix", "puppeteer", "playwright", "selenium",  "archiver", "scrapy"};
    char lower[512];
    size_t n = size < sizeof lower - 2 ? size : sizeof lower - 2;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(user_agent[i] >= 'A' && user_agent[i] <= 'Z' ? user_agent[i] - 'A' + 'a' : user_agent[i]);
    lower[n] = ' '; /* an agent that ends in "bot" */
    lower[n + 1] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(lower, words[i]) != NULL)
            return true;
    return false;
}

void cot_call_strip_marked(struct cot_call_reader *reader)
{
    struct cot_records *records = reader->records;
    size_t n = reader->first_record;
    if (reader->mark == NULL)
        return;
    for (size_t i = reader->first_record; i < records->n_records; i++) {
        struct cot_record *record = &records->records[i];
        if (record->kind != COT_RECORD_EVENT)
            continue;
        record->user = record->email = record->anonymous = record->phone = (struct cot_text){"", 0};
        record->n_others = 0;
        record->channel = (struct cot_text){reader->mark, (uint32_t)strlen(reader->mark)};
        record->n_traits = 0;
        records->records[n] = *record;
        records->records[n].i_record = (uint32_t)(n - reader->first_record);
        n++;
    }
    records->n_records = n;
}

cot_code cot_call_finish(struct cot_call_reader *reader)
{
    if (reader->rejected || reader->rc != COT_OK) {
        reader->records->n_records = reader->first_record;
        reader->records->n_traits = reader->first_trait;
    }
    return reader->rc;
}
