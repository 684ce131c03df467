/* Any text as a table: detected, settled and decoded; every row gives records or exactly one reject. */
#include <stdbool.h>
#include <string.h>

#include "connect/connector.h"
#include "source_file.h"
#include "store/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accounts(const struct cot_records *records, const struct cot_batch *batch)
{
    for (size_t row = 0; row < batch->n_rows; row++) {
        size_t n_records = 0;
        size_t n_rejects = 0;
        for (size_t i = 0; i < records->n_records; i++)
            n_records += records->records[i].i_row == row;
        for (size_t i = 0; i < records->n_rejects; i++)
            n_rejects += records->rejects[i].i_row == row;
        if (n_rejects > 1 || (n_rejects == 1) == (n_records > 0))
            abort();
    }
}

static void decode(const struct cot_mapping *mapping, const struct cot_batch *batch)
{
    struct cot_decoder *decoder = NULL;
    struct cot_records records = {0};
    struct cot_err err;
    if (cot_decoder_open(mapping, &decoder, &err) != COT_OK ||
        cot_mapping_decode(mapping, decoder, batch, &records, &err) != COT_OK)
        abort();
    if (!mapping->connector->is_grouped && batch->n_rows <= 200)
        check_accounts(&records, batch);
    if (cot_decoder_finish(decoder, &records, &err) != COT_OK)
        abort();
    for (size_t i = 0; i < records.n_records; i++) {
        const struct cot_record *record = &records.records[i];
        cot_record_hash(record, record->n_traits > 0 ? records.traits + record->i_trait : NULL);
    }
    cot_decoder_free(decoder);
    cot_records_release(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct cot_reader *reader = NULL;
    struct cot_mapping *mapping = NULL;
    struct cot_batch batch = {0};
    struct cot_err err;
    bool more = false;
    if (size < 2 || memcmp(data, "PAR1", size < 4 ? size : 4) == 0)
        return 0;
    /* The first byte chooses a shape, so that all are reached. */
    size_t n = 0;
    while (cot_connectors[n] != NULL)
        n++;
    struct cot_mapping_options options = {.base_currency = "EUR", .decimal = data[0] & 0x80 ? COT_DECIMAL_COMMA : 0};
    size_t choice = (data[0] & 0x7f) % (n + 8);
    if (choice < n)
        options.connector = cot_connectors[choice]->name;
    int file = source_file_open(data + 1, size - 1, path);
    if (cot_reader_open(path, NULL, &reader, &err) == COT_OK &&
        cot_reader_next(reader, &batch, &more, &err) == COT_OK) {
        const struct cot_reader_info *info = cot_reader_info(reader);
        options.has_header = info->has_header;
        if (cot_connector_detect(info->columns, info->n_columns, &batch, &options, &mapping, &err) == COT_OK) {
            cot_mapping_observe(mapping, &batch);
            if (cot_mapping_settle(mapping, &err) == COT_OK)
                decode(mapping, &batch);
        }
    }
    cot_mapping_free(mapping);
    cot_batch_release(&batch);
    cot_reader_close(reader);
    close(file);
    return 0;
}
