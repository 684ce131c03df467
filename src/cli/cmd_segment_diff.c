#include <string.h>

#include "base/number.h"
#include "cli/command.h"
#include "cli/segment_print.h"
#include "cli/table.h"
#include "engine/segment.h"

static cot_code parse_run(const char *text, int64_t *ret_run, struct cot_err *err)
{
    if (!cot_parse_int(text, strlen(text), ret_run) || *ret_run < 1)
        return cot_fail(err, COT_USAGE, "'%s' is no run: give its number, 'coterie segment history' shows them", text);
    return COT_OK;
}

static void print_diff(yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},
        {"size_before", "before", COT_FORMAT_COUNT, 0},
        {"size_after", "after", COT_FORMAT_COUNT, 0},
        {"stayed", "stayed", COT_FORMAT_COUNT, 0},
        {"came", "came", COT_FORMAT_COUNT, 0},
        {"went", "went", COT_FORMAT_COUNT, 0},
        {"revenue_before", "revenue before", COT_FORMAT_MONEY, 0},
        {"revenue_after", "revenue after", COT_FORMAT_MONEY, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    cot_segment_print_changes(stdout, root);
    fputc('\n', stdout);
    cot_table_print(stdout, yyjson_mut_obj_get(root, "segments"), columns);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    int64_t runs[2] = {0, 0};
    yyjson_mut_doc *doc = NULL;
    cot_code rc = COT_OK;
    if (call->n_arguments == 1)
        return cot_fail(err, COT_USAGE, "one run: give two to compare, or none for the last two");
    for (size_t i = 0; rc == COT_OK && i < call->n_arguments; i++)
        rc = parse_run(call->arguments[i], &runs[i], err);
    if (rc == COT_OK)
        rc = cot_segment_diff_run(&call->context, runs[0], runs[1], &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_diff(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_segment_diff = {
    .name = "segment diff",
    .arguments = "[RUN_A RUN_B]",
    .n_min = 0,
    .n_max = 2,
    .summary = "what changed between two runs: births, deaths, splits, merges, customers moved",
    .help = "Compares two runs of 'coterie segment', the last two where none are named: segments that are new, gone,\n"
            "split or merged, and where customers went. With --json the whole migration matrix.\n\n"
            "  coterie segment diff\n"
            "  coterie segment diff 1 4 --json",
    .run = run,
};
