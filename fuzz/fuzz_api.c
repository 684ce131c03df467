/* What a shop states by the server's own paths (products, consent, traits), and calls with identities of other systems:
 * any JSON gives records or one reject, never both. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>

#include "connect/live.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"product", "consent", "traits", "identify", "no such"};
    struct cot_err err = {0};
    struct cot_records records = {0};
    struct cot_text id = {"", 0};
    if (size < 2)
        return 0;
    yyjson_doc *doc = yyjson_read((const char *)data + 1, size - 1, YYJSON_READ_NUMBER_AS_RAW);
    if (doc == NULL)
        return 0;
    unsigned i_type = data[0] % (sizeof types / sizeof *types);
    const struct cot_live_input input = {.call = yyjson_doc_get_root(doc),
                                         .type = types[i_type],
                                         .received_at_ms = INT64_C(1700000000000),
                                         .sent_at_ms = COT_NO_TIME,
                                         .base_currency = data[0] > 127 ? "JPY" : ""};
    const struct cot_live_source *source = i_type == 3 ? &cot_live_segment : &cot_live_api;
    if (source->decode(&input, &records, &id, &err) != COT_OK)
        abort();
    if ((records.n_rejects > 0) == (records.n_records > 0) || (records.n_rejects > 0 && records.n_traits > 0))
        abort();
    for (size_t i = 0; i < records.n_records; i++) {
        struct cot_identity identities[COT_RECORD_MAX_IDENTITIES];
        size_t n = cot_record_identities(&records.records[i], identities);
        for (size_t j = 0; j < n; j++)
            if (identities[j].value.size == 0 || cot_node_kind_name(identities[j].kind) == NULL)
                abort();
    }
    cot_records_release(&records);
    yyjson_doc_free(doc);
    return 0;
}
