#include "cli/command.h"
#include "cli/rules_print.h"
#include "cli/table.h"
#include "engine/rules.h"

static void print_list(yyjson_mut_val *segments)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},
        {"version", "version", COT_FORMAT_COUNT, 0},
        {"members", "customers", COT_FORMAT_COUNT, 0},
        {"created_at", "since", COT_FORMAT_TEXT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    size_t i;
    size_t n;
    yyjson_mut_val *segment;
    cot_table_print(stdout, segments, columns);
    yyjson_mut_arr_foreach(segments, i, n, segment)
    {
        const char *error = cot_rules_text(segment, "error");
        if (error[0] != '\0')
            printf("'%s' can't be read: %s\n", cot_rules_text(segment, "name"), error);
    }
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
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
        print_list(segments);
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
