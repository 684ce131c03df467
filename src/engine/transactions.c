#include "engine/transactions.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/civil.h"
#include "base/dict.h"
#include "engine/import_files.h"
#include "engine/import_pipeline.h"

struct taking {
    const char *path;
    struct cot_dict customers;
    struct cot_transactions taken;
    size_t capacity;
};

static cot_code refuse_first(const struct taking *taking, const struct cot_reject *rejects, size_t n,
                             struct cot_err *err)
{
    if (n == 0)
        return COT_OK;
    return cot_fail(err, COT_BAD_DATA, "%s, line %llu: %s", taking->path, (unsigned long long)rejects[0].line,
                    rejects[0].reason);
}

/* What names the customer, the shop's own id first. */
static struct cot_text name_of(const struct cot_record *record)
{
    const struct cot_text names[] = {record->user, record->email, record->phone, record->anonymous};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].size > 0)
            return names[i];
    return (struct cot_text){0};
}

static cot_code take_record(struct taking *taking, const struct cot_record *record, struct cot_err *err)
{
    struct cot_transactions *t = &taking->taken;
    struct cot_text name = name_of(record);
    uint32_t customer = 0;
    if (record->kind != COT_RECORD_EVENT || record->event_kind != COT_EVENT_ORDER_LINE || name.size == 0)
        return COT_OK;
    cot_code rc = cot_dict_add(&taking->customers, 0, name.data, name.size, &customer, err);
    if (rc != COT_OK)
        return rc;
    struct cot_purchase_day *grown = cot_array_reserve(t->days, &taking->capacity, t->n + 1, sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu purchases", t->n + 1);
    t->days = grown;
    t->days[t->n++] = (struct cot_purchase_day){
        .customer = customer,
        .day = (int32_t)cot_ms_to_days(record->occurred_at_ms),
        .amount = (record->flags & COT_RECORD_HAS_AMOUNT) != 0
                      ? (double)record->amount_minor / pow(10, (double)record->exponent)
                      : 0,
    };
    return COT_OK;
}

static cot_code take_batch(void *context, const struct cot_decoded *decoded, const struct cot_decoded *before,
                           struct cot_err *err)
{
    struct taking *taking = context;
    (void)before;
    cot_code rc = refuse_first(taking, decoded->batch.rejects, decoded->batch.n_rejects, err);
    if (rc == COT_OK)
        rc = refuse_first(taking, decoded->records.rejects, decoded->records.n_rejects, err);
    taking->taken.n_rows += decoded->batch.n_rows;
    for (size_t i = 0; i < decoded->records.n_records && rc == COT_OK; i++)
        rc = take_record(taking, decoded->records.records + i, err);
    return rc;
}

static int compare_days(const void *left, const void *right)
{
    const struct cot_purchase_day *a = left;
    const struct cot_purchase_day *b = right;
    if (a->customer != b->customer)
        return a->customer < b->customer ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->amount > b->amount) - (a->amount < b->amount); /* sums in one order */
}

/* Purchases of one customer on one day become one. */
static void merge_days(struct cot_transactions *t)
{
    size_t n = 0;
    qsort(t->days, t->n, sizeof *t->days, compare_days);
    for (size_t i = 0; i < t->n; i++) {
        const struct cot_purchase_day *day = t->days + i;
        if (n > 0 && t->days[n - 1].customer == day->customer && t->days[n - 1].day == day->day)
            t->days[n - 1].amount += day->amount;
        else
            t->days[n++] = *day;
    }
    t->n = n;
    t->first_day = t->last_day = t->days[0].day;
    for (size_t i = 0; i < n; i++) {
        t->first_day = t->days[i].day < t->first_day ? t->days[i].day : t->first_day;
        t->last_day = t->days[i].day > t->last_day ? t->days[i].day : t->last_day;
    }
}

cot_code cot_transactions_read(const struct cot_context *context, const char *path,
                               struct cot_transactions *ret_transactions, struct cot_err *err)
{
    const struct cot_import_options as_is = {.kind = "orders"};
    struct cot_file_options options = {0};
    struct taking taking = {.path = path};
    struct cot_import_file file = {.path = (char *)(uintptr_t)path};
    struct cot_reader *reader = NULL;
    struct cot_pipeline_options how = {.n_threads = context->n_threads,
                                       .progress = context->progress,
                                       .stage = "reading transactions",
                                       .take = take_batch,
                                       .context = &taking};
    cot_dict_init(&taking.customers);
    cot_code rc = cot_file_options_parse(&as_is, &options, err);
    if (rc == COT_OK)
        rc = cot_import_file_open(&file, &options, &reader, err);
    if (rc == COT_OK)
        rc = cot_pipeline_run(reader, file.mapping, &how, err);
    if (rc == COT_OK && taking.taken.n == 0)
        rc = cot_fail(err, COT_BAD_DATA, "%s holds no purchase of anybody in %zu rows", path, taking.taken.n_rows);
    if (rc == COT_OK) {
        merge_days(&taking.taken);
        taking.taken.n_customers = taking.customers.n;
        *ret_transactions = taking.taken;
        taking.taken = (struct cot_transactions){0};
    }
    cot_transactions_release(&taking.taken);
    cot_reader_close(reader);
    cot_mapping_free(file.mapping);
    cot_file_options_release(&options);
    cot_dict_release(&taking.customers);
    return rc;
}

void cot_transactions_release(struct cot_transactions *transactions)
{
    free(transactions->days);
    *transactions = (struct cot_transactions){0};
}
