#include "cli/command.h"
#include "cli/table.h"
#include "engine/segment.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    static const struct cot_column columns[] = {
        {"id", "id", COT_FORMAT_COUNT, 0},
        {"name", "segment", COT_FORMAT_TEXT, 48},
        {"size", "customers", COT_FORMAT_COUNT, 0},
        {"share", "share", COT_FORMAT_PERCENT, 0},
        {"revenue", "revenue", COT_FORMAT_MONEY, 0},
        {"revenue_share", "of revenue", COT_FORMAT_PERCENT, 0},
        {"strategy", "do", COT_FORMAT_TEXT, 0},
        {"change", "change", COT_FORMAT_TEXT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_segment_list_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        cot_table_print(stdout, yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "segments"), columns);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_segment_list = {
    .name = "segment list",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "the segments of the newest run",
    .help = "Lists the segments as the newest run of 'coterie segment' found them, by revenue.\n\n"
            "  coterie segment list --json",
    .run = run,
};
