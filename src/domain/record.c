#include "domain/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cot_records_clear(struct cot_records *records)
{
    records->n_records = records->n_traits = records->n_rejects = 0;
    cot_arena_clear(&records->arena);
}

void cot_records_release(struct cot_records *records)
{
    free(records->records);
    free(records->traits);
    free(records->rejects);
    cot_arena_release(&records->arena);
    *records = (struct cot_records){0};
}

/* Room for one more element in an array; NULL: no memory. */
static void *grow(void *array, size_t n, size_t *capacity, size_t element_size)
{
    if (n < *capacity)
        return array;
    size_t wanted = *capacity > 0 ? 2 * *capacity : 256;
    void *grown = realloc(array, wanted * element_size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

cot_code cot_records_add(struct cot_records *records, struct cot_record **ret_record, struct cot_err *err)
{
    struct cot_record *array = grow(records->records, records->n_records, &records->records_capacity, sizeof *array);
    if (array == NULL)
        return cot_fail(err, COT_NOMEM, "%zu records", records->n_records);
    records->records = array;
    struct cot_record *record = &array[records->n_records++];
    memset(record, 0, sizeof *record);
    *ret_record = record;
    return COT_OK;
}

cot_code cot_records_add_trait(struct cot_records *records, const struct cot_trait *trait, struct cot_err *err)
{
    struct cot_trait *array = grow(records->traits, records->n_traits, &records->traits_capacity, sizeof *array);
    if (array == NULL)
        return cot_fail(err, COT_NOMEM, "%zu traits", records->n_traits);
    records->traits = array;
    array[records->n_traits++] = *trait;
    return COT_OK;
}

cot_code cot_records_reject(struct cot_records *records, uint64_t line, size_t i_row, const char *code,
                            struct cot_err *err, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    struct cot_reject *array = grow(records->rejects, records->n_rejects, &records->rejects_capacity, sizeof *array);
    if (array == NULL)
        return cot_fail(err, COT_NOMEM, "%zu rejected rows", records->n_rejects);
    records->rejects = array;
    char *copy = cot_arena_copy(&records->arena, reason, strlen(reason));
    if (copy == NULL)
        return cot_fail(err, COT_NOMEM, "%zu rejected rows", records->n_rejects);
    array[records->n_rejects++] = (struct cot_reject){.line = line, .i_row = i_row, .code = code, .reason = copy};
    return COT_OK;
}

static void hash_text(struct cot_hasher *hasher, struct cot_text text)
{
    cot_hasher_text(hasher, text.size > 0 ? text.data : NULL, text.size);
}

/* Minor units as they count in the hash. Those of an assumed currency depend on what is assumed: they are brought to
 * ten-thousandths of the major unit, so that 500 is the same whether yen were known or not (fractions of a unit that
 * the currency has not got are rounded before). Wraps instead of overflowing. */
static int64_t hashed_minor(const struct cot_record *r, int64_t minor)
{
    enum { HASHED_EXPONENT = 4 };
    uint64_t scale = 1;
    if (!(r->flags & COT_RECORD_CURRENCY_ASSUMED))
        return minor;
    for (int i = r->exponent; i < HASHED_EXPONENT; i++)
        scale *= 10;
    return (int64_t)((uint64_t)minor * scale);
}

struct cot_hash128 cot_record_hash(const struct cot_record *r, const struct cot_trait *traits)
{
    const struct cot_text texts[] = {
        r->user,       r->email,  r->anonymous, r->phone,       r->event_key, r->order_key, r->refund_of,
        r->product_id, r->name,   r->category,  r->subcategory, r->brand,     r->channel,   r->session,
        r->campaign,   r->detail, r->purpose,   r->store,       r->display,   r->mailer,    r->week};
    /* What is assumed may be known better another time: the row stays the same. */
    const bool assumed = r->flags & COT_RECORD_CURRENCY_ASSUMED;
    const int64_t flags = r->flags & ~(uint32_t)COT_RECORD_CURRENCY_ASSUMED;
    const int64_t numbers[] = {r->kind,
                               r->event_kind,
                               flags,
                               r->occurred_at_ms,
                               r->recorded_at_ms,
                               hashed_minor(r, r->amount_minor),
                               hashed_minor(r, r->discount_minor),
                               hashed_minor(r, r->cost_minor),
                               hashed_minor(r, r->tax_minor),
                               hashed_minor(r, r->shipping_minor),
                               hashed_minor(r, r->price_minor),
                               r->starts_at_ms,
                               r->ends_at_ms,
                               r->granted};
    struct cot_hasher hasher;
    cot_hasher_init(&hasher);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cot_hasher_int(&hasher, numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        hash_text(&hasher, texts[i]);
    cot_hasher_double(&hasher, r->quantity);
    cot_hasher_double(&hasher, r->rate);
    cot_hasher_text(&hasher, r->currency, assumed ? 0 : strlen(r->currency));
    for (size_t i = 0; i < r->n_traits; i++) {
        hash_text(&hasher, traits[i].key);
        hash_text(&hasher, traits[i].value);
        cot_hasher_int(&hasher, traits[i].timeless);
    }
    for (size_t i = 0; i < r->n_others; i++) {
        cot_hasher_int(&hasher, r->others[i].kind);
        hash_text(&hasher, r->others[i].value);
    }
    return cot_hasher_finish(&hasher);
}

bool cot_record_has_identity(const struct cot_record *record)
{
    return record->user.size + record->email.size + record->anonymous.size + record->phone.size + record->n_others > 0;
}

size_t cot_record_identities(const struct cot_record *record,
                             struct cot_identity ret_identities[COT_RECORD_MAX_IDENTITIES])
{
    const struct cot_identity all[] = {{COT_NODE_USER, record->user},
                                       {COT_NODE_EMAIL, record->email},
                                       {COT_NODE_ANONYMOUS, record->anonymous},
                                       {COT_NODE_PHONE, record->phone}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value.size > 0)
            ret_identities[n++] = all[i];
    for (size_t i = 0; i < record->n_others && n < COT_RECORD_MAX_IDENTITIES; i++)
        ret_identities[n++] = record->others[i];
    return n;
}

cot_code cot_record_add_identity(struct cot_records *records, struct cot_record *record, enum cot_node_kind kind,
                                 struct cot_text value, struct cot_err *err)
{
    size_t n = record->n_others;
    for (size_t i = 0; i < n; i++)
        if (record->others[i].kind == kind && record->others[i].value.size == value.size &&
            memcmp(record->others[i].value.data, value.data, value.size) == 0)
            return COT_OK;
    if (value.size == 0 || n >= COT_RECORD_MAX_IDENTITIES - 4)
        return COT_OK;
    struct cot_identity *others = cot_arena_alloc(&records->arena, (n + 1) * sizeof *others);
    if (others == NULL)
        return cot_fail(err, COT_NOMEM, "the identities of a record");
    if (n > 0)
        memcpy(others, record->others, n * sizeof *others);
    others[n] = (struct cot_identity){kind, value};
    record->others = others;
    record->n_others = n + 1;
    return COT_OK;
}

const char *cot_record_kind_name(enum cot_record_kind kind)
{
    static const char *const names[] = {
        [COT_RECORD_EVENT] = "event",        [COT_RECORD_CUSTOMER] = "customer",       [COT_RECORD_PRODUCT] = "product",
        [COT_RECORD_LINK] = "link",          [COT_RECORD_CAMPAIGN] = "campaign",       [COT_RECORD_COUPON] = "coupon",
        [COT_RECORD_CONSENT] = "consent",    [COT_RECORD_SUPPRESSION] = "suppression", [COT_RECORD_RATE] = "rate",
        [COT_RECORD_PROMOTION] = "promotion"};
    return names[kind];
}
