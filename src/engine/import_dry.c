#include "engine/import_dry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/money.h"
#include "engine/context_store.h"
#include "engine/import_detail.h"
#include "store/store.h"

enum { N_ROWS_SHOWN = 5 };

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *value, const char *key, struct cot_text text)
{
    if (text.size > 0)
        yyjson_mut_obj_add_strncpy(doc, value, key, text.data, text.size);
}

static void add_money(yyjson_mut_doc *doc, yyjson_mut_val *value, const char *key, const struct cot_record *record,
                      uint32_t flag, int64_t minor)
{
    if (record->flags & flag)
        yyjson_mut_obj_add_real(doc, value, key, (double)minor / pow(10, cot_currency_exponent(record->currency)));
}

static void add_record(yyjson_mut_doc *doc, yyjson_mut_val *array, const struct cot_records *records,
                       const struct cot_record *record)
{
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
    const char *what =
        record->kind == COT_RECORD_EVENT ? cot_event_kind_name(record->event_kind) : cot_record_kind_name(record->kind);
    yyjson_mut_obj_add_uint(doc, value, "line", record->line);
    yyjson_mut_obj_add_str(doc, value, "what", what);
    if (!(record->flags & COT_RECORD_TIMELESS))
        cot_json_add_time(doc, value, "occurred_at", record->occurred_at_ms);
    add_text(doc, value, "customer", record->user);
    add_text(doc, value, "email", record->email);
    add_text(doc, value, "anonymous", record->anonymous);
    add_text(doc, value, "phone", record->phone);
    add_text(doc, value, "order", record->order_key);
    add_text(doc, value, "refund_of", record->refund_of);
    add_text(doc, value, "product", record->product_id);
    add_text(doc, value, "name", record->name);
    add_text(doc, value, "category", record->category);
    if (record->quantity != 0)
        yyjson_mut_obj_add_real(doc, value, "quantity", record->quantity);
    add_money(doc, value, "amount", record, COT_RECORD_HAS_AMOUNT, record->amount_minor);
    add_money(doc, value, "discount", record, COT_RECORD_HAS_DISCOUNT, record->discount_minor);
    add_money(doc, value, "cost", record, COT_RECORD_HAS_COST, record->cost_minor);
    add_money(doc, value, "price", record, COT_RECORD_HAS_PRICE, record->price_minor);
    if (record->currency[0] != '\0')
        yyjson_mut_obj_add_strcpy(doc, value, "currency", record->currency);
    add_text(doc, value, "channel", record->channel);
    add_text(doc, value, "session", record->session);
    add_text(doc, value, "campaign", record->campaign);
    add_text(doc, value, "detail", record->detail);
    add_text(doc, value, "purpose", record->purpose);
    if (record->kind == COT_RECORD_CONSENT)
        yyjson_mut_obj_add_bool(doc, value, "granted", record->granted);
    if (record->kind == COT_RECORD_RATE)
        yyjson_mut_obj_add_real(doc, value, "rate", record->rate);
    if (record->n_traits > 0) {
        yyjson_mut_val *traits = yyjson_mut_obj_add_obj(doc, value, "traits");
        for (size_t i = record->i_trait; i < record->i_trait + record->n_traits; i++) {
            const struct cot_trait *trait = &records->traits[i];
            yyjson_mut_obj_add(traits, yyjson_mut_strncpy(doc, trait->key.data, trait->key.size),
                               yyjson_mut_strncpy(doc, trait->value.data, trait->value.size));
        }
    }
}

static void add_rejects(yyjson_mut_doc *doc, yyjson_mut_val *array, const struct cot_reject *rejects, size_t n)
{
    for (size_t i = 0; i < n && i < N_ROWS_SHOWN; i++) {
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_uint(doc, value, "line", rejects[i].line);
        yyjson_mut_obj_add_str(doc, value, "code", rejects[i].code);
        yyjson_mut_obj_add_strcpy(doc, value, "reason", rejects[i].reason);
    }
}

static void add_rows(yyjson_mut_doc *doc, yyjson_mut_val *array, const struct cot_batch *batch)
{
    for (size_t i_row = 0; i_row < batch->n_rows && i_row < N_ROWS_SHOWN; i_row++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_arr(doc, array);
        for (size_t i = 0; i < batch->n_columns; i++) {
            const struct cot_cell *cell = cot_batch_cell(batch, i_row, i);
            if (cell->is_null)
                yyjson_mut_arr_add_null(doc, row);
            else
                yyjson_mut_arr_add_strncpy(doc, row, cell->data, cell->size);
        }
    }
}

/* The records of the first rows. */
static void add_records(yyjson_mut_doc *doc, yyjson_mut_val *array, const struct cot_batch *batch,
                        const struct cot_records *records)
{
    uint64_t last =
        batch->n_rows == 0 ? 0 : batch->lines[(batch->n_rows < N_ROWS_SHOWN ? batch->n_rows : N_ROWS_SHOWN) - 1];
    for (size_t i = 0; i < records->n_records; i++)
        if (records->records[i].line <= last && yyjson_mut_arr_size(array) < 4 * N_ROWS_SHOWN)
            add_record(doc, array, records, &records->records[i]);
}

static cot_code decode_first(struct cot_reader *reader, const struct cot_mapping *mapping, struct cot_batch *batch,
                             struct cot_records *records, struct cot_err *err)
{
    struct cot_decoder *decoder = NULL;
    bool more = false;
    cot_code rc = cot_reader_next(reader, batch, &more, err);
    if (rc == COT_OK)
        rc = cot_decoder_open(mapping, &decoder, err);
    if (rc == COT_OK && more)
        rc = cot_mapping_decode(mapping, decoder, batch, records, err);
    if (rc == COT_OK)
        rc = cot_decoder_finish(decoder, records, err);
    cot_decoder_free(decoder);
    return rc;
}

static cot_code describe_file(struct cot_import_file *file, const struct cot_file_options *options, yyjson_mut_doc *doc,
                              yyjson_mut_val *files, struct cot_err *err)
{
    struct cot_reader *reader = NULL;
    struct cot_batch batch = {0};
    struct cot_records records = {0};
    cot_code rc = cot_import_file_open(file, options, &reader, err);
    if (rc == COT_OK)
        rc = decode_first(reader, file->mapping, &batch, &records, err);
    if (rc == COT_OK) {
        const struct cot_reader_info *info = cot_reader_info(reader);
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, files);
        yyjson_mut_obj_add_strcpy(doc, value, "path", file->path);
        yyjson_mut_obj_add_str(doc, value, "kind", cot_file_kind_name(file->mapping->connector->kind));
        yyjson_mut_obj_add_strcpy(doc, value, "source", file->source_name);
        yyjson_mut_obj_add_val(doc, value, "reads_as", cot_import_reads_as(info, doc));
        yyjson_mut_obj_add_val(doc, value, "mapping", cot_mapping_describe(file->mapping, doc));
        yyjson_mut_val *columns = yyjson_mut_obj_add_arr(doc, value, "columns");
        for (size_t i = 0; i < info->n_columns; i++)
            yyjson_mut_arr_add_strcpy(doc, columns, info->columns[i]);
        add_rows(doc, yyjson_mut_obj_add_arr(doc, value, "rows"), &batch);
        add_records(doc, yyjson_mut_obj_add_arr(doc, value, "records"), &batch, &records);
        yyjson_mut_val *rejects = yyjson_mut_obj_add_arr(doc, value, "rejects");
        add_rejects(doc, rejects, batch.rejects, batch.n_rejects);
        add_rejects(doc, rejects, records.rejects, records.n_rejects);
    }
    cot_records_release(&records);
    cot_batch_release(&batch);
    cot_reader_close(reader);
    return rc;
}

/* The settings of a shop that is there already; none is fine. */
static cot_code read_settings(const struct cot_context *context, char **ret_currency, char **ret_zone,
                              struct cot_err *err)
{
    struct cot_store *store = NULL;
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_NOT_FOUND)
        return COT_OK;
    if (rc == COT_OK)
        rc = cot_store_setting(store, "base_currency", ret_currency, err);
    if (rc == COT_OK)
        rc = cot_store_setting(store, "time_zone", ret_zone, err);
    cot_store_close(store);
    return rc;
}

cot_code cot_import_dry_run(const struct cot_context *context, struct cot_import_files *files,
                            struct cot_file_options *options, yyjson_mut_doc *doc, struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    char *currency = NULL;
    char *zone = NULL;
    cot_code rc = read_settings(context, &currency, &zone, err);
    options->mapping.base_currency = currency;
    options->mapping.shop_time_zone = zone;
    yyjson_mut_obj_add_bool(doc, root, "dry_run", true);
    yyjson_mut_val *shown = yyjson_mut_obj_add_arr(doc, root, "files");
    yyjson_mut_val *failed = yyjson_mut_obj_add_arr(doc, root, "failed");
    for (size_t i = 0; i < files->n && rc == COT_OK; i++) {
        struct cot_import_file *file = &files->files[i];
        if (file->rc == COT_OK)
            file->rc = describe_file(file, options, doc, shown, &file->err);
        if (file->rc == COT_OK)
            continue;
        if (!file->from_folder) {
            rc = cot_fail(err, file->rc, "%s", file->err.message);
            break;
        }
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, failed);
        yyjson_mut_obj_add_strcpy(doc, value, "path", file->path);
        yyjson_mut_obj_add_str(doc, value, "code", cot_code_name(file->rc));
        yyjson_mut_obj_add_strcpy(doc, value, "message", file->err.message);
    }
    yyjson_mut_val *skipped = yyjson_mut_obj_add_arr(doc, root, "skipped");
    for (size_t i = 0; i < files->n_skipped; i++)
        yyjson_mut_arr_add_strcpy(doc, skipped, files->skipped[i]);
    options->mapping.base_currency = NULL;
    options->mapping.shop_time_zone = NULL;
    free(currency);
    free(zone);
    return rc;
}
