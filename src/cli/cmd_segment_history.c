#include "cli/command.h"
#include "cli/table.h"
#include "engine/segment.h"
#include "engine/segment_days.h"

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
            yyjson_mut_obj_add_val(doc, row, "day", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(run, "as_of_day")));
            yyjson_mut_arr_append(rows, row);
        }
    }
    return rows;
}

/* One line a segment and day. */
static yyjson_mut_val *flatten_days(yyjson_mut_doc *doc)
{
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    yyjson_mut_val *segment, *day;
    size_t i, n, j, m;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "segments"), i, n, segment)
    {
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(segment, "days"), j, m, day)
        {
            yyjson_mut_val *row = yyjson_mut_val_mut_copy(doc, day);
            yyjson_mut_obj_add_val(doc, row, "name", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(segment, "name")));
            yyjson_mut_arr_append(rows, row);
        }
    }
    return rows;
}

static void print_days(yyjson_mut_val *rows)
{
    static const struct cot_column columns[] = {
        {"name", "segment", COT_FORMAT_TEXT, 48},         {"day", "day", COT_FORMAT_TEXT, 0},
        {"size", "customers", COT_FORMAT_COUNT, 0},       {"entered", "entered", COT_FORMAT_COUNT, 0},
        {"exited", "left", COT_FORMAT_COUNT, 0},          {"revenue_30", "revenue 30 days", COT_FORMAT_MONEY, 0},
        {"revenue_365", "365 days", COT_FORMAT_MONEY, 0}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    if (yyjson_mut_arr_size(rows) == 0)
        puts("no snapshots yet: 'coterie serve' takes them at the shop's midnight");
    else
        cot_table_print(stdout, rows, columns);
}

static cot_code run_days(struct cot_call *call, struct cot_err *err)
{
    int64_t days = 0;
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_call_int(call, "days", 1, 36500, &days, err);
    if (rc == COT_OK)
        rc = cot_segment_days_run(&call->context, call->n_arguments > 0 ? call->arguments[0] : NULL, days, &doc, err);
    if (rc == COT_OK && call->json)
        rc = cot_print_json(doc, err);
    else if (rc == COT_OK)
        print_days(flatten_days(doc));
    yyjson_mut_doc_free(doc);
    return rc;
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
    if (cot_call_value(call, "days") != NULL)
        return run_days(call, err);
    if (call->n_arguments > 0)
        return cot_fail(err, COT_USAGE, "'segment history %s' needs --days N: one segment is shown day by day",
                        call->arguments[0]);
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

static const struct cot_option options[] = {
    {"days", "N", "instead of runs the last N daily snapshots, of segments by rule, too"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_segment_history = {
    .name = "segment history",
    .arguments = "[SEGMENT]",
    .n_min = 0,
    .n_max = 1,
    .summary = "size, revenue and movement of every segment over all runs, or day by day",
    .help =
        "Shows each segment in each run: how many customers, what they brought, who joined and who left since the\n"
        "run before. With --days the snapshots that a server took at the shop's midnights: of all segments, or of\n"
        "one (the name of a segment by rule, the id of a learned one). A day on which no server ran is made up for\n"
        "where nothing was recorded since; else it is shown without numbers.\n\n"
        "  coterie segment history --json\n"
        "  coterie segment history buyers --days 30",
    .options = options,
    .run = run_command,
};
