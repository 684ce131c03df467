#include <string.h>

#include "base/number.h"
#include "cli/command.h"
#include "cli/table.h"
#include "engine/export.h"

static long long count_of(yyjson_mut_val *object, const char *key)
{
    return (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(object, key));
}

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static void print_export(yyjson_mut_val *root)
{
    size_t i;
    size_t n;
    yyjson_mut_val *warning;
    yyjson_mut_val *excluded = yyjson_mut_obj_get(root, "excluded");
    printf("%s: %lld customers of '%s' for %s\n", text_of(root, "path"), count_of(root, "treated"),
           text_of(yyjson_mut_obj_get(root, "segment"), "name"), text_of(root, "purpose"));
    printf("%lld members: %lld in the file, %lld held out as control group of campaign '%s', %lld left out\n",
           count_of(root, "members"), count_of(root, "treated"), count_of(root, "held_out"), text_of(root, "campaign"),
           count_of(excluded, "total"));
    if (count_of(excluded, "total") > 0)
        printf(
            "left out: %lld suppressed, %lld unsubscribed, %lld refused, %lld with unknown consent where the source's"
            " policy does not assume it\n",
            count_of(excluded, "suppressed"), count_of(excluded, "unsubscribed"), count_of(excluded, "refused"),
            count_of(excluded, "unknown_consent"));
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "warnings"), i, n, warning)
    {
        printf("warning: %s\n", yyjson_mut_get_str(warning));
    }
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    const char *format = cot_call_value(call, "format");
    const char *purpose = cot_call_value(call, "purpose");
    struct cot_export_options options = {.segment = call->arguments[0],
                                         .format = format != NULL ? format : "csv",
                                         .out = cot_call_value(call, "out"),
                                         .purpose = purpose != NULL ? purpose : "marketing",
                                         .campaign = cot_call_value(call, "campaign"),
                                         .columns = cot_call_value(call, "columns"),
                                         .holdout = 0.1};
    cot_code rc = cot_call_share(call, "holdout", 0, 0.9, &options.holdout, err);
    if (rc == COT_OK)
        rc = cot_call_check_file(call, "out", err);
    if (rc == COT_OK)
        rc = cot_export_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_export(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options_table[] = {
    {"format", "FORMAT", "csv, parquet or json (a line an object); default csv"},
    {"out", "FILE", "where to (default: a new file in the data directory's exports/)"},
    {"holdout", "SHARE", "control group that stays out of the file, as 10% or 0.1 (default 10%)"},
    {"purpose", "PURPOSE", "service, analytics, personalisation, marketing (default) or advertising"},
    {"campaign", "NAME", "customers stay in the same arm for the same name (default: the segment's)"},
    {"columns", "A,B,...", "customer_id, email, phone, segment and any feature (default customer_id, email, segment)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_export_segment = {
    .name = "export segment",
    .arguments = "NAME|ID",
    .n_min = 1,
    .n_max = 1,
    .summary = "write a segment's customers to a file, with a control group",
    .help =
        "Writes the members of a segment of the latest run who may be addressed for the purpose. Whoever is\n"
        "suppressed, has unsubscribed or has refused is left out and counted. A control group stays out of the file,\n"
        "so that what the campaign does can be measured; it is the same for the same --campaign. Members, arms and\n"
        "time are logged ('coterie export list').\n\n"
        "  coterie export segment 'Loyal regulars' --out loyal.csv --campaign spring",
    .options = options_table,
    .run = run,
};

static const struct cot_column columns[] = {
    {"export", "export", COT_FORMAT_NUMBER, 0},
    {"created_at", "at", COT_FORMAT_TEXT, 0},
    {"segment", "segment", COT_FORMAT_TEXT, 28},
    {"purpose", "purpose", COT_FORMAT_TEXT, 0},
    {"campaign", "campaign", COT_FORMAT_TEXT, 24},
    {"holdout", "holdout", COT_FORMAT_PERCENT, 0},
    {"treated", "treated", COT_FORMAT_COUNT, 0},
    {"held_out", "held out", COT_FORMAT_COUNT, 0},
    {"excluded", "left out", COT_FORMAT_COUNT, 0},
    {"path", "file", COT_FORMAT_TEXT, 60},
    {NULL, NULL, COT_FORMAT_TEXT, 0},
};

static cot_code run_list(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_export_list_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *exports = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "exports");
    if (call->json)
        rc = cot_print_json(doc, err);
    else if (yyjson_mut_arr_size(exports) == 0)
        puts("no exports yet: 'coterie export segment' makes one");
    else
        cot_table_print(stdout, exports, columns);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_export_list = {
    .name = "export list",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "what was exported, when, for what",
    .help = "Lists every export with its purpose, its arms and how many were left out. Who was in it is in table\n"
            "export_member.\n\n"
            "  coterie export list",
    .run = run_list,
};
