/* A small table as text ("a|b\n1|2\n") through detection and decoding, and its records as text. */
#ifndef COT_TESTS_UNIT_CONNECT_TABLE_H
#define COT_TESTS_UNIT_CONNECT_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connect/connector.h"

enum { TABLE_MAX_COLUMNS = 64, TABLE_MAX_ROWS = 64, TABLE_TEXT_SIZE = 16384 };

struct table {
    char text[TABLE_TEXT_SIZE]; /* cells, NUL-terminated one after the other */
    const char *columns[TABLE_MAX_COLUMNS];
    size_t n_columns;
    struct cot_cell cells[TABLE_MAX_COLUMNS * TABLE_MAX_ROWS];
    uint64_t lines[TABLE_MAX_ROWS];
    struct cot_batch batch;
    struct cot_mapping_options options;
    struct cot_mapping *mapping;
    struct cot_records records;
    struct cot_err err;
    cot_code rc;
    char out[TABLE_TEXT_SIZE];
};

static inline void table_init(struct table *t, const char *content)
{
    memset(t, 0, sizeof *t);
    t->options.has_header = true;
    assert_true(strlen(content) < sizeof t->text);
    snprintf(t->text, sizeof t->text, "%s", content);
    size_t n_rows = 0;
    size_t i_column = 0;
    bool in_header = true;
    t->batch.stride = TABLE_MAX_ROWS;
    for (char *at = t->text; *at != '\0';) {
        size_t size = strcspn(at, "|\n");
        char end = at[size];
        at[size] = '\0';
        if (in_header)
            t->columns[t->n_columns++] = at;
        else
            t->cells[i_column++ * TABLE_MAX_ROWS + n_rows] =
                (struct cot_cell){.data = at, .size = (uint32_t)size, .is_null = size == 0};
        at += size + (end != '\0');
        if (end != '\n')
            continue;
        if (!in_header) {
            assert_int_equal(i_column, t->n_columns);
            t->lines[n_rows] = n_rows + 2;
            n_rows++;
        }
        in_header = false;
        i_column = 0;
    }
    t->batch.n_rows = n_rows;
    t->batch.n_columns = t->n_columns;
    t->batch.cells = t->cells;
    t->batch.lines = t->lines;
}

static inline void table_add(struct table *t, const char *format, ...)
{
    size_t used = strlen(t->out);
    va_list args;
    va_start(args, format);
    vsnprintf(t->out + used, sizeof t->out - used, format, args);
    va_end(args);
}

static inline void table_add_text(struct table *t, const char *name, struct cot_text text)
{
    if (text.size > 0)
        table_add(t, " %s=%.*s", name, (int)text.size, text.data);
}

static inline void table_add_record(struct table *t, const struct cot_record *r)
{
    char moment[COT_TIME_TEXT_SIZE];
    table_add(t, "%llu:%s", (unsigned long long)r->line,
              r->kind == COT_RECORD_EVENT ? cot_event_kind_name(r->event_kind) : cot_record_kind_name(r->kind));
    table_add_text(t, "user", r->user);
    table_add_text(t, "email", r->email);
    table_add_text(t, "anon", r->anonymous);
    table_add_text(t, "phone", r->phone);
    table_add_text(t, "key", r->event_key);
    table_add_text(t, "order", r->order_key);
    table_add_text(t, "of", r->refund_of);
    table_add_text(t, "item", r->product_id);
    cot_format_time(r->occurred_at_ms, moment, sizeof moment);
    if (r->occurred_at_ms != 0)
        table_add(t, " at=%s", moment);
    if (r->quantity != 0)
        table_add(t, " n=%g", r->quantity);
    if (r->flags & COT_RECORD_HAS_AMOUNT)
        table_add(t, " amount=%lld%s", (long long)r->amount_minor, r->currency);
    if (r->flags & COT_RECORD_HAS_DISCOUNT)
        table_add(t, " discount=%lld", (long long)r->discount_minor);
    if (r->flags & COT_RECORD_HAS_COST)
        table_add(t, " cost=%lld", (long long)r->cost_minor);
    if (r->flags & COT_RECORD_HAS_PRICE)
        table_add(t, " price=%lld", (long long)r->price_minor);
    if (r->flags & COT_RECORD_NEEDS_PRICE)
        table_add(t, " needs_price");
    if (r->flags & COT_RECORD_ADJUSTMENT)
        table_add(t, " adjustment");
    if (r->flags & COT_RECORD_CAMPAIGN_DATE)
        table_add(t, " campaign_date");
    if (r->flags & COT_RECORD_TIMELESS)
        table_add(t, " timeless");
    table_add_text(t, "channel", r->channel);
    table_add_text(t, "campaign", r->campaign);
    table_add_text(t, "detail", r->detail);
    if (r->kind == COT_RECORD_CONSENT)
        table_add(t, " %.*s=%s", (int)r->purpose.size, r->purpose.data, r->granted ? "yes" : "no");
    if (r->kind == COT_RECORD_RATE)
        table_add(t, " %s=%g", r->currency, r->rate);
    for (size_t i = 0; i < r->n_traits; i++)
        table_add_text(t, t->records.traits[r->i_trait + i].key.data, t->records.traits[r->i_trait + i].value);
    table_add(t, "\n");
}

/* Detects, settles and decodes; records and rejects go to t->out, a line each. */
static inline void table_run(struct table *t)
{
    struct cot_decoder *decoder = NULL;
    t->rc = cot_connector_detect(t->columns, t->n_columns, &t->batch, &t->options, &t->mapping, &t->err);
    if (t->rc == COT_OK) {
        cot_mapping_observe(t->mapping, &t->batch);
        t->rc = cot_mapping_settle(t->mapping, &t->err);
    }
    if (t->rc != COT_OK) {
        table_add(t, "%s", t->err.message);
        return;
    }
    assert_int_equal(cot_decoder_open(t->mapping, &decoder, &t->err), COT_OK);
    assert_int_equal(cot_mapping_decode(t->mapping, decoder, &t->batch, &t->records, &t->err), COT_OK);
    assert_int_equal(cot_decoder_finish(decoder, &t->records, &t->err), COT_OK);
    for (size_t i = 0; i < t->records.n_records; i++)
        table_add_record(t, &t->records.records[i]);
    for (size_t i = 0; i < t->records.n_rejects; i++)
        table_add(t, "%llu!%s %s\n", (unsigned long long)t->records.rejects[i].line, t->records.rejects[i].code,
                  t->records.rejects[i].reason);
    cot_decoder_free(decoder);
}

static inline void table_release(struct table *t)
{
    cot_mapping_free(t->mapping);
    cot_records_release(&t->records);
}

/* Of which shape the table is and what its rows say. */
static inline void check_table(const char *content, const char *connector, const char *expected)
{
    static struct table t;
    table_init(&t, content);
    table_run(&t);
    if (t.rc == COT_OK)
        assert_string_equal(t.mapping->connector->name, connector);
    assert_string_equal(t.out, expected);
    table_release(&t);
}

#endif
