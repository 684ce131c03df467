/* Calls of live sources: any JSON gives records or one reject, never both, and rejected calls keep nothing. The first
 * byte chooses the source and the kind of call. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connect/live.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cot_live_source *const sources[] = {&cot_live_segment, &cot_live_rudderstack, &cot_live_ga4,
                                                            &cot_live_shopify};
    static const char *const types[] = {NULL,
                                        "track",
                                        "identify",
                                        "page",
                                        "group",
                                        "alias",
                                        "t",
                                        "orders/create",
                                        "refunds/create",
                                        "customers/update",
                                        "products/update"};
    struct cot_err err = {0};
    struct cot_records records = {0};
    struct cot_text id = {"", 0};
    if (size < 2)
        return 0;
    yyjson_doc *doc = yyjson_read((const char *)data + 1, size - 1, YYJSON_READ_NUMBER_AS_RAW);
    if (doc == NULL)
        return 0;
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct cot_live_input input = {.call = root,
                                   .context = yyjson_obj_get(root, "context"),
                                   .type = types[data[0] / 4 % (sizeof types / sizeof *types)],
                                   .received_at_ms = INT64_C(1700000000000),
                                   .sent_at_ms = COT_NO_TIME,
                                   .opted_out = data[0] > 127,
                                   .base_currency = "EUR"};
    if (sources[data[0] % 4]->decode(&input, &records, &id, &err) != COT_OK)
        abort();
    if ((records.n_rejects > 0) == (records.n_records > 0) && (records.n_rejects > 0 || data[0] % 4 == 3))
        abort();
    if (records.n_rejects > 0 && records.n_traits > 0)
        abort();
    cot_records_release(&records);
    yyjson_doc_free(doc);
    return 0;
}
