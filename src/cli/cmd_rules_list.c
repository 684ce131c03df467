#include "cli/command.h"
#include "cli/table.h"
#include "engine/rules.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},        {"version", "version", COT_FORMAT_COUNT, 0},
        {"members", "customers", COT_FORMAT_COUNT, 0},   {"created_at", "since", COT_FORMAT_TEXT, 0},
        {"error", "can't be read", COT_FORMAT_TEXT, 60}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rules_list(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *segments = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "segments");
    if (call->json)
        rc = cot_print_json(doc, err);
    else if (yyjson_mut_arr_size(segments) == 0)
        printf("no segments by rule: 'coterie rules put' makes one of a file\n");
    else
        cot_table_print(stdout, segments, columns);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_rules_list = {
    .name = "rules list",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "the segments by rule, and how many are in each now",
    .help = "Lists the segments by rule, each after those that it asks for. Who is in them is looked at by the wall\n"
            "clock, as a server does.\n\n"
            "  coterie rules list --data shop",
    .run = run,
};
