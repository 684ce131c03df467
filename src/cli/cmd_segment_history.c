#include "cli/command.h"
#include "cli/table.h"
#include "engine/segment.h"

/* One line a segment and run: nested lists are for programs. */
static yyjson_mut_val *flatten(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    yyjson_mut_val *segment, *entry, *run;
    size_t i, n, j, m;
    yyjson_mut_val *runs = yyjson_mut_obj_get(root, "runs");
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "segments"), i, n, segment)
    {
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(segment, "runs"), j, m, entry)
        {
            if (!yyjson_mut_is_obj(entry))
                continue;
            run = yyjson_mut_arr_get(runs, j);
            yyjson_mut_val *row = yyjson_mut_val_mut_copy(doc, entry);
            yyjson_mut_obj_add_val(doc, row, "name", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(segment, "name")));
            yyjson_mut_obj_add_strncpy(doc, row, "day", yyjson_mut_get_str(yyjson_mut_obj_get(run, "as_of")), 10);
            yyjson_mut_arr_append(rows, row);
        }
    }
    return rows;
}

static cot_code run_command(struct cot_call *call, struct cot_err *err)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},  {"run", "run", COT_FORMAT_COUNT, 0},
        {"day", "as of", COT_FORMAT_TEXT, 0},      {"size", "customers", COT_FORMAT_COUNT, 0},
        {"share", "share", COT_FORMAT_PERCENT, 0}, {"revenue", "revenue", COT_FORMAT_MONEY, 0},
        {"joined", "joined", COT_FORMAT_COUNT, 0}, {"left", "left", COT_FORMAT_COUNT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_segment_history_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        cot_table_print(stdout, flatten(doc), columns);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_segment_history = {
    .name = "segment history",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "size, revenue and movement of every segment over all runs",
    .help = "Shows each segment in each run: how many customers, what they brought, who joined and who left since the\n"
            "run before.\n\n"
            "  coterie segment history --json",
    .run = run_command,
};
