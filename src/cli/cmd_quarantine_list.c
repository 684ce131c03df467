#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/quarantine.h"

static const struct cot_option options[] = {
    {"code", "CODE", "only rows put aside for this reason"},
    {"limit", "N", "rows to list (default 20)"},
    {NULL, NULL, NULL},
};

static void print(yyjson_mut_val *root)
{
    static const struct cot_column summary_columns[] = {
        {"path", "File", COT_FORMAT_TEXT, 40},       {"code", "Code", COT_FORMAT_TEXT, 0},
        {"rows", "Rows", COT_FORMAT_COUNT, 0},       {"first_line", "First line", COT_FORMAT_COUNT, 0},
        {"example", "Such as", COT_FORMAT_TEXT, 80}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column row_columns[] = {
        {"path", "File", COT_FORMAT_TEXT, 30},  {"line", "Line", COT_FORMAT_COUNT, 0},
        {"reason", "Why", COT_FORMAT_TEXT, 60}, {"raw", "Row", COT_FORMAT_TEXT, 60},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *summary = yyjson_mut_obj_get(root, "summary");
    if (yyjson_mut_arr_size(summary) == 0) {
        printf("Nothing is in quarantine.\n");
        return;
    }
    cot_table_print(stdout, summary, summary_columns);
    printf("\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "rows"), row_columns);
    printf("\nOnce what was missing is there: coterie quarantine replay\n");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    int64_t limit = 20;
    struct cot_quarantine_options asked = {.code = cot_call_value(call, "code")};
    cot_code rc = cot_call_int(call, "limit", 0, INT64_MAX, &limit, err);
    asked.limit = (uint64_t)limit;
    if (rc == COT_OK)
        rc = cot_quarantine_list(&call->context, &asked, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_quarantine_list = {
    .name = "quarantine list",
    .arguments = "",
    .summary = "show the rows that could not be used, and why",
    .help =
        "Rows that an import could not use are kept with their file, line and reason: a summary by file and reason,\n"
        "then the rows themselves.\n\n"
        "  coterie quarantine list --code no_rate --limit 100",
    .options = options,
    .run = run,
};
