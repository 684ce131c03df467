#include "engine/import_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

/* Records of one row beyond this many are a defect of a connector. */
enum { MAX_RECORDS_PER_ROW = 256 };

static const char code_erased[] = "erased";

/* Bytes that are no UTF-8 become '?': the quarantine keeps what a person can read. */
static char *to_utf8(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)text[i];
        size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
        bool valid = n > 0 && i + n <= size;
        for (size_t j = 1; valid && j < n; j++)
            valid = ((unsigned char)text[i + j] & 0xc0) == 0x80;
        if (valid && n == 3) /* neither overlong nor a surrogate */
            valid =
                !(c == 0xe0 && (unsigned char)text[i + 1] < 0xa0) && !(c == 0xed && (unsigned char)text[i + 1] > 0x9f);
        if (valid && n == 4)
            valid =
                !(c == 0xf0 && (unsigned char)text[i + 1] < 0x90) && !(c == 0xf4 && (unsigned char)text[i + 1] > 0x8f);
        if (valid) {
            memcpy(copy + i, text + i, n);
            i += n;
        } else {
            copy[i++] = '?';
        }
    }
    copy[size] = '\0';
    return copy;
}

static bool add_cell(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *name, const struct cot_cell *cell)
{
    yyjson_mut_val *key = yyjson_mut_str(doc, name);
    yyjson_mut_val *value = cell->is_null ? yyjson_mut_null(doc) : yyjson_mut_strn(doc, cell->data, cell->size);
    return yyjson_mut_obj_add(row, key, value);
}

char *cot_cells_json(const struct cot_batch *batch, size_t i_row, const char *const *columns, size_t *ret_size)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *row = yyjson_mut_obj(doc);
    char *text = NULL;
    bool done = doc != NULL && row != NULL;
    for (size_t i = 0; done && i < batch->n_columns; i++)
        done = add_cell(doc, row, columns[i], cot_batch_cell(batch, i_row, i));
    if (done) {
        yyjson_mut_doc_set_root(doc, row);
        text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, ret_size);
    }
    yyjson_mut_doc_free(doc);
    return text;
}

/* The text of a line that never became cells, as a JSON string. */
static char *line_json(struct cot_text raw, size_t *ret_size)
{
    char *clean = to_utf8(raw.data, raw.size);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    char *text = NULL;
    if (clean != NULL && doc != NULL) {
        yyjson_mut_doc_set_root(doc, yyjson_mut_strn(doc, clean, raw.size));
        text = yyjson_mut_write(doc, 0, ret_size);
    }
    yyjson_mut_doc_free(doc);
    free(clean);
    return text;
}

static void count_reason(struct cot_row_counts *counts, const char *code, const char *reason, uint64_t line)
{
    size_t i = 0;
    while (i < counts->n_reasons && strcmp(counts->reasons[i].code, code) != 0)
        i++;
    if (i == COT_MAX_REASONS) {
        i--;
        counts->reasons[i].code = "other";
    } else if (i == counts->n_reasons) {
        counts->n_reasons++;
        counts->reasons[i] = (struct cot_reason_count){.code = code, .first_line = line};
        strncpy(counts->reasons[i].example, reason, sizeof counts->reasons[i].example - 1);
    }
    counts->reasons[i].n++;
}

/* A hash that tells an erased person's row apart without saying anything about it. */
static struct cot_hash128 keyed_hash(const struct cot_import_shop *shop, struct cot_hash128 hash)
{
    char hex[COT_ERASED_HASH_SIZE];
    uint64_t words[2] = {hash.high, hash.low};
    cot_salted_hash(shop->salt, "row", (const char *)words, sizeof words, hex);
    return cot_hash128_bytes(hex, sizeof hex - 1);
}

cot_code cot_row_quarantine(struct cot_row_pass *pass, uint64_t line, const char *code, const char *reason,
                            struct cot_text raw, struct cot_hash128 hash, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    size_t reason_size = strlen(reason);
    char *clean = to_utf8(reason, reason_size);
    cot_code rc = clean == NULL ? cot_fail(err, COT_NOMEM, "line %llu", (unsigned long long)line)
                                : cot_import_shop_writer(pass->shop, COT_TABLE_quarantine, &writer, err);
    if (rc != COT_OK)
        goto out;
    cot_put_int64(writer, COT_quarantine_quarantine_id, pass->shop->next_quarantine_id++);
    cot_put_int32(writer, COT_quarantine_import_id, pass->shop->import_id);
    cot_put_text(writer, COT_quarantine_path, pass->path, strlen(pass->path));
    cot_put_int64(writer, COT_quarantine_line, (int64_t)line);
    cot_put_text(writer, COT_quarantine_code, code, strlen(code));
    cot_put_text(writer, COT_quarantine_reason, clean, reason_size);
    cot_put_text(writer, COT_quarantine_raw, raw.data, raw.size);
    cot_put_text(writer, COT_quarantine_status, "open", 4);
    cot_put_hash(writer, COT_quarantine_row_hash, hash);
    cot_put_time(writer, COT_quarantine_recorded_at, pass->now_ms);
    rc = cot_writer_end_row(writer, err);
out:
    free(clean);
    return rc;
}

/* Puts a row aside, or counts it as a duplicate where its like lies there already. */
static cot_code quarantine(struct cot_row_pass *pass, uint64_t line, const char *code, const char *reason, char *raw,
                           size_t raw_size, struct cot_hash128 hash, struct cot_err *err)
{
    bool duplicate = false;
    cot_code rc = COT_OK;
    if (raw == NULL && code != code_erased)
        return cot_fail(err, COT_NOMEM, "line %llu", (unsigned long long)line);
    if (pass->source->has_bad_history)
        rc = cot_seen_meet(&pass->source->seen_bad, hash, &duplicate, err);
    if (rc != COT_OK)
        return rc;
    if (duplicate) {
        pass->counts.n_duplicate++;
        return COT_OK;
    }
    pass->counts.n_quarantined++;
    count_reason(&pass->counts, code, reason, line);
    return cot_row_quarantine(pass, line, code, reason, (struct cot_text){raw, (uint32_t)raw_size}, hash, err);
}

static cot_code quarantine_reject(struct cot_row_pass *pass, const struct cot_batch *batch,
                                  const struct cot_reject *reject, struct cot_err *err)
{
    size_t size = 0;
    bool has_cells = reject->raw.data == NULL && reject->i_row < batch->n_rows;
    char *raw = has_cells ? cot_cells_json(batch, reject->i_row, pass->columns, &size)
                          : line_json(reject->raw.data != NULL ? reject->raw : (struct cot_text){"", 0}, &size);
    cot_code rc = quarantine(pass, reject->line, reject->code, reject->reason, raw, size,
                             cot_hash128_bytes(raw != NULL ? raw : "", size), err);
    free(raw);
    return rc;
}

static bool find_row(const struct cot_batch *batch, uint64_t line, size_t *ret_row)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        if (batch->lines[i] == line) {
            *ret_row = i;
            return true;
        }
    return false;
}

static cot_code quarantine_unit(struct cot_row_pass *pass, const struct cot_decoded *decoded,
                                const struct cot_decoded *before, const struct cot_row_unit *unit,
                                const struct cot_refusal *refusal, struct cot_err *err)
{
    size_t size = 0;
    size_t i_row = unit->i_row;
    const struct cot_batch *batch = &decoded->batch;
    char *raw = NULL;
    if (refusal->code == code_erased)
        return quarantine(pass, unit->line, refusal->code, refusal->reason, NULL, 0, keyed_hash(pass->shop, unit->hash),
                          err);
    bool found = i_row < batch->n_rows;
    if (!found && before != NULL) {
        batch = &before->batch;
        found = find_row(batch, unit->line, &i_row);
    }
    raw = found ? cot_cells_json(batch, i_row, pass->columns, &size) : line_json((struct cot_text){"", 0}, &size);
    cot_code rc = quarantine(pass, unit->line, refusal->code, refusal->reason, raw, size, unit->hash, err);
    free(raw);
    return rc;
}

/* The natural key of a row's order; size 0: it has none. */
static struct cot_text order_of(const struct cot_row_pass *pass, const struct cot_decoded *decoded,
                                const struct cot_row_unit *unit)
{
    if (pass->source->connector->has_natural_key)
        for (size_t i = unit->first; i < unit->first + unit->n; i++) {
            const struct cot_record *record = &decoded->records.records[i];
            if (record->kind == COT_RECORD_EVENT && record->order_key.size > 0)
                return record->order_key;
        }
    return (struct cot_text){"", 0};
}

static cot_code add_to_order(struct cot_row_pass *pass, const struct cot_decoded *decoded,
                             const struct cot_row_unit *unit, struct cot_text order, struct cot_err *err)
{
    const struct cot_record *record = &decoded->records.records[unit->first];
    int64_t recorded_at_ms = record->flags & COT_RECORD_UNDATED ? INT64_MIN : record->recorded_at_ms;
    return cot_source_add_to_order(pass->source, order, unit->hash, recorded_at_ms, err);
}

static cot_code is_duplicate(struct cot_row_pass *pass, const struct cot_row_unit *unit, struct cot_text order,
                             bool *ret_duplicate, struct cot_err *err)
{
    *ret_duplicate = false;
    if (order.size > 0 && !pass->is_replay) {
        *ret_duplicate = pass->by_versions && cot_source_order_fate(pass->source, order) == COT_ORDER_KNOWN;
        return COT_OK;
    }
    if (unit->has_key)
        return cot_seen_meet_once(&pass->source->seen, unit->hash, ret_duplicate, err);
    if (pass->source->has_history || pass->is_replay)
        return cot_seen_meet(&pass->source->seen, unit->hash, ret_duplicate, err);
    return COT_OK;
}

static cot_code write_unit(struct cot_row_pass *pass, const struct cot_decoded *decoded,
                           const struct cot_row_unit *unit, const struct cot_money *money, bool *ret_accepted,
                           struct cot_err *err)
{
    struct cot_row_write write = {.hash = unit->hash};
    const struct cot_records *records = &decoded->records;
    cot_code rc = COT_OK;
    for (int events = 1; events >= 0; events--) /* an event carries the row's hash where there is one */
        for (size_t i = 0; i < unit->n && rc == COT_OK; i++) {
            const struct cot_record *record = &records->records[unit->first + i];
            if ((record->kind == COT_RECORD_EVENT) == (events == 1))
                rc = cot_record_write(pass->shop, record, records->traits + record->i_trait, &money[i], &write, err);
        }
    pass->counts.n_undated += write.n_undated > 0;
    pass->counts.n_timeless += write.n_timeless > 0;
    *ret_accepted = write.hash_written || write.changed;
    return rc;
}

cot_code cot_row_take(struct cot_row_pass *pass, const struct cot_decoded *decoded, const struct cot_row_unit *unit,
                      enum cot_row_fate *ret_fate, struct cot_refusal *ret_refusal, struct cot_err *err)
{
    struct cot_money money[MAX_RECORDS_PER_ROW];
    struct cot_text order = order_of(pass, decoded, unit);
    bool duplicate = false;
    bool accepted = false;
    ret_refusal->code = NULL;
    if (unit->n > MAX_RECORDS_PER_ROW)
        return cot_fail(err, COT_INTERNAL, "line %llu gives %zu records", (unsigned long long)unit->line, unit->n);
    for (size_t i = 0; i < unit->n && ret_refusal->code == NULL; i++)
        if (cot_record_is_erased(pass->shop, &decoded->records.records[unit->first + i])) {
            ret_refusal->code = code_erased;
            snprintf(ret_refusal->reason, sizeof ret_refusal->reason, "the row is of a person who was erased");
        }
    if (ret_refusal->code != NULL) {
        *ret_fate = COT_ROW_REFUSED;
        return COT_OK;
    }
    cot_code rc = is_duplicate(pass, unit, order, &duplicate, err);
    if (rc != COT_OK || duplicate) {
        *ret_fate = COT_ROW_DUPLICATE;
        return rc;
    }
    for (size_t i = 0; i < unit->n && ret_refusal->code == NULL; i++)
        cot_money_resolve(pass->shop, &decoded->records.records[unit->first + i], &money[i], ret_refusal);
    if (ret_refusal->code != NULL) {
        if (pass->is_replay || (order.size == 0 && (unit->has_key || pass->source->has_history)))
            cot_seen_unmeet(&pass->source->seen, unit->hash);
        *ret_fate = COT_ROW_REFUSED;
        return COT_OK;
    }
    rc = write_unit(pass, decoded, unit, money, &accepted, err);
    *ret_fate = accepted ? COT_ROW_ACCEPTED : COT_ROW_DUPLICATE;
    return rc;
}

/* What row i will look up, made ready while the rows before it are taken. */
static void look_ahead(const struct cot_row_pass *pass, const struct cot_decoded *decoded, size_t i)
{
    enum { STEP = 6 };
    const struct cot_dict *nodes = &pass->shop->nodes;
    const struct cot_row_unit *units = decoded->units;
    size_t n = decoded->n_units;
    if (i + 3 * STEP < n) {
        cot_dict_prefetch_slot(nodes, units[i + 3 * STEP].node_hash);
        cot_seen_prefetch(&pass->source->seen, units[i + 3 * STEP].hash);
    }
    if (i + 2 * STEP < n)
        cot_dict_prefetch_entry(nodes, units[i + 2 * STEP].node_hash);
    if (i + STEP < n)
        cot_dict_prefetch_text(nodes, units[i + STEP].node_hash);
}

cot_code cot_rows_take(void *context, const struct cot_decoded *decoded, const struct cot_decoded *before,
                       struct cot_err *err)
{
    struct cot_row_pass *pass = context;
    cot_code rc = COT_OK;
    for (size_t i = 0; i < decoded->batch.n_rejects && rc == COT_OK; i++)
        rc = quarantine_reject(pass, &decoded->batch, &decoded->batch.rejects[i], err);
    for (size_t i = 0; i < decoded->records.n_rejects && rc == COT_OK; i++)
        rc = quarantine_reject(pass, &decoded->batch, &decoded->records.rejects[i], err);
    for (size_t i = 0; i < decoded->n_units && rc == COT_OK; i++) {
        const struct cot_row_unit *unit = &decoded->units[i];
        enum cot_row_fate fate = COT_ROW_DUPLICATE;
        struct cot_refusal refusal;
        struct cot_text order = order_of(pass, decoded, unit);
        look_ahead(pass, decoded, i);
        if (order.size > 0 && !pass->by_versions)
            rc = add_to_order(pass, decoded, unit, order, err);
        if (rc == COT_OK)
            rc = cot_row_take(pass, decoded, unit, &fate, &refusal, err);
        if (rc != COT_OK)
            break;
        if (fate == COT_ROW_REFUSED)
            rc = quarantine_unit(pass, decoded, before, unit, &refusal, err);
        else if (fate == COT_ROW_ACCEPTED)
            pass->counts.n_accepted++;
        else
            pass->counts.n_duplicate++;
    }
    return rc;
}

cot_code cot_rows_add_to_orders(void *context, const struct cot_decoded *decoded, const struct cot_decoded *before,
                                struct cot_err *err)
{
    struct cot_row_pass *pass = context;
    cot_code rc = COT_OK;
    (void)before;
    for (size_t i = 0; i < decoded->n_units && rc == COT_OK; i++) {
        struct cot_text order = order_of(pass, decoded, &decoded->units[i]);
        if (order.size > 0)
            rc = add_to_order(pass, decoded, &decoded->units[i], order, err);
    }
    return rc;
}
