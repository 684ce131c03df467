#include "cli/command.h"
#include "cli/rules_print.h"
#include "cli/table.h"
#include "engine/rules.h"

static void print_preview(yyjson_mut_val *root)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},
        {"members", "customers", COT_FORMAT_COUNT, 0},
        {"both", "in both", COT_FORMAT_COUNT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    char count[64];
    char customers[64];
    cot_format_value(yyjson_mut_obj_get(root, "count"), COT_FORMAT_COUNT, count, sizeof count);
    cot_format_value(yyjson_mut_obj_get(root, "customers"), COT_FORMAT_COUNT, customers, sizeof customers);
    printf("'%s' would have %s of %s customers\n", cot_rules_text(root, "name"), count, customers);
    cot_rules_print_movement(stdout, root);
    yyjson_mut_val *overlap = yyjson_mut_obj_get(root, "overlap");
    if (yyjson_mut_arr_size(overlap) > 0) {
        putchar('\n');
        cot_table_print(stdout, overlap, columns);
    }
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rules_preview(&call->context, call->arguments[0], cot_call_value(call, "name"), &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_preview(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"name", "NAME", "the segment that it would replace (default: the file's)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_rules_preview = {
    .name = "rules preview",
    .arguments = "FILE",
    .n_min = 1,
    .n_max = 1,
    .summary = "whom a segment file would select: who would enter, who would leave",
    .help =
        "A dry run: nothing is written. Says how many customers the rule selects, who of them is not in the segment\n"
        "now and who would leave it (up to 20 each), and how many are in the other segments, too.\n\n"
        "  coterie rules preview big.segment",
    .options = options,
    .run = run,
};
