/*
 * Taking the rows of one file: each row read is accepted, quarantined or a duplicate, exactly one of the three.
 */
#ifndef COT_ENGINE_IMPORT_ROWS_H
#define COT_ENGINE_IMPORT_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/import_pipeline.h"
#include "engine/import_shop.h"
#include "engine/import_source.h"
#include "engine/import_write.h"

enum { COT_MAX_REASONS = 32 };

struct cot_reason_count {
    const char *code; /* static */
    char example[256];
    uint64_t first_line;
    uint64_t n;
};

struct cot_row_counts {
    uint64_t n_accepted;
    uint64_t n_quarantined;
    uint64_t n_duplicate;
    uint64_t n_undated;
    uint64_t n_timeless;
    struct cot_reason_count reasons[COT_MAX_REASONS]; /* of the rows quarantined; the last one takes what is left */
    size_t n_reasons;
};

struct cot_row_pass {
    struct cot_import_shop *shop;
    struct cot_source *source;
    const char *path; /* as it goes to the quarantine */
    const char *const *columns;
    size_t n_columns;
    int64_t now_ms;
    bool is_replay;   /* rows one by one: their like may be in the store already, whatever the source */
    bool by_versions; /* a source with natural keys and a history: the orders' fates are settled already */
    struct cot_row_counts counts;
};

/* cot_pipeline_take: takes rows for good; context is a struct cot_row_pass. */
cot_pipeline_take cot_rows_take;

/* cot_pipeline_take: only adds the rows of a source with natural keys to their orders. */
cot_pipeline_take cot_rows_add_to_orders;

/* Takes one row as cot_rows_take does, without putting refusals into the quarantine: for a replay. */
enum cot_row_fate { COT_ROW_ACCEPTED, COT_ROW_DUPLICATE, COT_ROW_REFUSED };
cot_code cot_row_take(struct cot_row_pass *pass, const struct cot_decoded *decoded, const struct cot_row_unit *unit,
                      enum cot_row_fate *ret_fate, struct cot_refusal *ret_refusal, struct cot_err *err) COT_MUST_CHECK;

/* Puts a row into the quarantine, as it stood (raw: JSON, data NULL: not kept). Of the pass it needs shop, path and
 * now_ms. */
cot_code cot_row_quarantine(struct cot_row_pass *pass, uint64_t line, const char *code, const char *reason,
                            struct cot_text raw, struct cot_hash128 hash, struct cot_err *err) COT_MUST_CHECK;

/* A row of cells as a JSON object, column names as keys; a fresh string of *ret_size bytes. NULL: no memory. */
char *cot_cells_json(const struct cot_batch *batch, size_t i_row, const char *const *columns, size_t *ret_size);

#endif
