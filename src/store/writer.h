/*
 * Bulk writing: rows into one table, by column, in blocks of 2,048, at the speed of DuckDB's appender.
 *
 * A writer belongs to the store's own connection and its transaction: its rows are there after cot_writer_close and a
 * commit, or not at all. Full blocks are taken to DuckDB by a thread of the writer's own, so that compressing them goes
 * on beside the caller's work; a table that gets less than a block never starts one. One thread puts values. Every
 * column of a row must be put; columns are those of the table in order (COT_TABLES below; a test compares them with the
 * schema).
 */
#ifndef COT_STORE_WRITER_H
#define COT_STORE_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "store/store.h"

/* The tables that are written in bulk, each with its columns: X(table) and Y(table, column). */
#define COT_TABLES(X)                                                                                                  \
    X(event)                                                                                                           \
    X(trait)                                                                                                           \
    X(node)                                                                                                            \
    X(link)                                                                                                            \
    X(item)                                                                                                            \
    X(item_fact)                                                                                                       \
    X(consent)                                                                                                         \
    X(suppression)                                                                                                     \
    X(campaign)                                                                                                        \
    X(coupon)                                                                                                          \
    X(promotion)                                                                                                       \
    X(rate)                                                                                                            \
    X(order_version)                                                                                                   \
    X(quarantine)                                                                                                      \
    X(message)

#define COT_COLUMNS_event(Y)                                                                                           \
    Y(event, event_id)                                                                                                 \
    Y(event, node_id)                                                                                                  \
    Y(event, kind)                                                                                                     \
    Y(event, occurred_at)                                                                                              \
    Y(event, recorded_at)                                                                                              \
    Y(event, superseded_at)                                                                                            \
    Y(event, order_key)                                                                                                \
    Y(event, item_id)                                                                                                  \
    Y(event, quantity)                                                                                                 \
    Y(event, amount_minor)                                                                                             \
    Y(event, discount_minor)                                                                                           \
    Y(event, cost_minor)                                                                                               \
    Y(event, amount_original)                                                                                          \
    Y(event, currency)                                                                                                 \
    Y(event, channel)                                                                                                  \
    Y(event, session)                                                                                                  \
    Y(event, campaign)                                                                                                 \
    Y(event, detail)                                                                                                   \
    Y(event, import_id)                                                                                                \
    Y(event, row_hash)                                                                                                 \
    Y(event, properties)
#define COT_COLUMNS_trait(Y)                                                                                           \
    Y(trait, node_id)                                                                                                  \
    Y(trait, key)                                                                                                      \
    Y(trait, value)                                                                                                    \
    Y(trait, number)                                                                                                   \
    Y(trait, occurred_at)                                                                                              \
    Y(trait, recorded_at)                                                                                              \
    Y(trait, timeless)                                                                                                 \
    Y(trait, import_id)                                                                                                \
    Y(trait, row_hash)
#define COT_COLUMNS_node(Y)                                                                                            \
    Y(node, node_id)                                                                                                   \
    Y(node, kind)                                                                                                      \
    Y(node, value)                                                                                                     \
    Y(node, import_id)
#define COT_COLUMNS_link(Y)                                                                                            \
    Y(link, node_a)                                                                                                    \
    Y(link, node_b)                                                                                                    \
    Y(link, op)                                                                                                        \
    Y(link, occurred_at)                                                                                               \
    Y(link, recorded_at)                                                                                               \
    Y(link, import_id)
#define COT_COLUMNS_item(Y)                                                                                            \
    Y(item, item_id)                                                                                                   \
    Y(item, product_id)
#define COT_COLUMNS_item_fact(Y)                                                                                       \
    Y(item_fact, item_id)                                                                                              \
    Y(item_fact, name)                                                                                                 \
    Y(item_fact, category)                                                                                             \
    Y(item_fact, subcategory)                                                                                          \
    Y(item_fact, brand)                                                                                                \
    Y(item_fact, price_minor)                                                                                          \
    Y(item_fact, cost_minor)                                                                                           \
    Y(item_fact, occurred_at)                                                                                          \
    Y(item_fact, recorded_at)                                                                                          \
    Y(item_fact, timeless)                                                                                             \
    Y(item_fact, row_hash)                                                                                             \
    Y(item_fact, import_id)
#define COT_COLUMNS_consent(Y)                                                                                         \
    Y(consent, node_id)                                                                                                \
    Y(consent, purpose)                                                                                                \
    Y(consent, granted)                                                                                                \
    Y(consent, occurred_at)                                                                                            \
    Y(consent, recorded_at)                                                                                            \
    Y(consent, import_id)                                                                                              \
    Y(consent, row_hash)
#define COT_COLUMNS_suppression(Y)                                                                                     \
    Y(suppression, node_id)                                                                                            \
    Y(suppression, channel)                                                                                            \
    Y(suppression, reason)                                                                                             \
    Y(suppression, occurred_at)                                                                                        \
    Y(suppression, recorded_at)                                                                                        \
    Y(suppression, import_id)                                                                                          \
    Y(suppression, row_hash)
#define COT_COLUMNS_campaign(Y)                                                                                        \
    Y(campaign, campaign)                                                                                              \
    Y(campaign, name)                                                                                                  \
    Y(campaign, type)                                                                                                  \
    Y(campaign, starts_at)                                                                                             \
    Y(campaign, ends_at)                                                                                               \
    Y(campaign, import_id)                                                                                             \
    Y(campaign, row_hash)
#define COT_COLUMNS_coupon(Y)                                                                                          \
    Y(coupon, coupon)                                                                                                  \
    Y(coupon, product_id)                                                                                              \
    Y(coupon, campaign)                                                                                                \
    Y(coupon, import_id)                                                                                               \
    Y(coupon, row_hash)
#define COT_COLUMNS_promotion(Y)                                                                                       \
    Y(promotion, product_id)                                                                                           \
    Y(promotion, store)                                                                                                \
    Y(promotion, display)                                                                                              \
    Y(promotion, mailer)                                                                                               \
    Y(promotion, week)                                                                                                 \
    Y(promotion, import_id)                                                                                            \
    Y(promotion, row_hash)
#define COT_COLUMNS_rate(Y)                                                                                            \
    Y(rate, currency)                                                                                                  \
    Y(rate, day)                                                                                                       \
    Y(rate, rate)                                                                                                      \
    Y(rate, import_id)                                                                                                 \
    Y(rate, row_hash)
#define COT_COLUMNS_order_version(Y)                                                                                   \
    Y(order_version, source_id)                                                                                        \
    Y(order_version, order_key)                                                                                        \
    Y(order_version, version)                                                                                          \
    Y(order_version, digest)                                                                                           \
    Y(order_version, import_id)
#define COT_COLUMNS_quarantine(Y)                                                                                      \
    Y(quarantine, quarantine_id)                                                                                       \
    Y(quarantine, import_id)                                                                                           \
    Y(quarantine, path)                                                                                                \
    Y(quarantine, line)                                                                                                \
    Y(quarantine, code)                                                                                                \
    Y(quarantine, reason)                                                                                              \
    Y(quarantine, raw)                                                                                                 \
    Y(quarantine, status)                                                                                              \
    Y(quarantine, row_hash)                                                                                            \
    Y(quarantine, recorded_at)
#define COT_COLUMNS_message(Y)                                                                                         \
    Y(message, row_hash)                                                                                               \
    Y(message, recorded_at)

enum cot_table {
#define X(table) COT_TABLE_##table,
    COT_TABLES(X)
#undef X
        COT_N_TABLES
};

/* Column numbers: COT_event_node_id and the like. */
#define Y(table, column) COT_##table##_##column,
#define X(table) enum { COT_COLUMNS_##table(Y) COT_N_COLUMNS_##table };
COT_TABLES(X)
#undef X
#undef Y

const char *cot_table_name(enum cot_table table);
size_t cot_table_n_columns(enum cot_table table);
const char *cot_table_column_name(enum cot_table table, size_t i_column);

enum { COT_WRITER_BLOCK = 2048, COT_WRITER_MAX_COLUMNS = 24 };

struct cot_writer_queue;

/* The fields are for the inline functions below only. */
struct cot_writer {
    struct {
        void *data;
        uint64_t *validity;
        duckdb_vector vector;
    } columns[COT_WRITER_MAX_COLUMNS];
    size_t row; /* of the current block */
    size_t n_columns;
    uint64_t n_rows; /* put since it was opened */
    struct cot_writer_queue *queue;
};

cot_code cot_writer_open(struct cot_store *store, enum cot_table table, struct cot_writer **ret_writer,
                         struct cot_err *err) COT_MUST_CHECK;

/* Writes what is left and stays open, for further rows of this or a later transaction of the store. */
cot_code cot_writer_flush(struct cot_writer *writer, struct cot_err *err) COT_MUST_CHECK;

/* Writes what is left and frees; NULL is fine. COT_IO or COT_NOMEM where any block failed: roll back then. */
cot_code cot_writer_close(struct cot_writer *writer, struct cot_err *err) COT_MUST_CHECK;

/* Frees without caring for the rows: call it before rolling back. NULL is fine. */
void cot_writer_abandon(struct cot_writer *writer);

/* Ends the row. Reports a block that failed, at the latest by cot_writer_close. */
cot_code cot_writer_end_block(struct cot_writer *writer, struct cot_err *err) COT_MUST_CHECK;

static inline cot_code cot_writer_end_row(struct cot_writer *writer, struct cot_err *err)
{
    writer->n_rows++;
    return ++writer->row < COT_WRITER_BLOCK ? COT_OK : cot_writer_end_block(writer, err);
}

static inline void cot_put_null(struct cot_writer *writer, size_t column)
{
    writer->columns[column].validity[writer->row / 64] &= ~(UINT64_C(1) << (writer->row % 64));
}

static inline void cot_put_int8(struct cot_writer *writer, size_t column, int8_t value)
{
    ((int8_t *)writer->columns[column].data)[writer->row] = value;
}

static inline void cot_put_int32(struct cot_writer *writer, size_t column, int32_t value)
{
    ((int32_t *)writer->columns[column].data)[writer->row] = value;
}

/* BIGINT columns. */
static inline void cot_put_int64(struct cot_writer *writer, size_t column, int64_t value)
{
    ((int64_t *)writer->columns[column].data)[writer->row] = value;
}

/* TIMESTAMP_MS columns; INT64_MIN: NULL. */
static inline void cot_put_time(struct cot_writer *writer, size_t column, int64_t ms)
{
    if (ms == INT64_MIN)
        cot_put_null(writer, column);
    else
        cot_put_int64(writer, column, ms);
}

/* NaN: NULL. */
static inline void cot_put_double(struct cot_writer *writer, size_t column, double value)
{
    if (value != value)
        cot_put_null(writer, column);
    else
        ((double *)writer->columns[column].data)[writer->row] = value;
}

static inline void cot_put_hash(struct cot_writer *writer, size_t column, struct cot_hash128 hash)
{
    ((duckdb_uhugeint *)writer->columns[column].data)[writer->row] =
        (duckdb_uhugeint){.lower = hash.low, .upper = hash.high};
}

/* text NULL: NULL. Must be UTF-8. Short texts stand in the column itself, as DuckDB has them. */
static inline void cot_put_text(struct cot_writer *writer, size_t column, const char *text, size_t size)
{
    if (text == NULL) {
        cot_put_null(writer, column);
    } else if (size <= 12) {
        duckdb_string_t *string = &((duckdb_string_t *)writer->columns[column].data)[writer->row];
        memset(string, 0, sizeof *string);
        string->value.inlined.length = (uint32_t)size;
        memcpy(string->value.inlined.inlined, text, size);
    } else {
        duckdb_vector_assign_string_element_len(writer->columns[column].vector, writer->row, text, size);
    }
}

#endif
