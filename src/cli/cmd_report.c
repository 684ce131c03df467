#include <sys/stat.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/report.h"

static void print_line(yyjson_mut_val *object, const char *title, const char *key, enum cot_format format)
{
    char text[64];
    cot_format_value(yyjson_mut_obj_get(object, key), format, text, sizeof text);
    printf("  %-12s %s\n", title, text);
}

static void print_report(yyjson_mut_val *root, const char *path)
{
    struct stat status = {0};
    yyjson_mut_val *headline = yyjson_mut_obj_get(root, "headline");
    yyjson_mut_val *segments = yyjson_mut_obj_get(root, "segments");
    yyjson_mut_val *notice;
    size_t i, n;
    print_line(headline, "Customers", "customers", COT_FORMAT_COUNT);
    print_line(headline, "Orders", "orders", COT_FORMAT_COUNT);
    print_line(headline, "Net revenue", "revenue", COT_FORMAT_MONEY);
    if (yyjson_mut_is_obj(segments))
        print_line(segments, "Segments", "k", COT_FORMAT_COUNT);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "notices"), i, n, notice)
        printf("  Note: %s\n", yyjson_mut_get_str(notice));
    if (stat(path, &status) == 0)
        printf("Written to %s (%.1f MB): open it in a browser. It holds figures and customer ids, no names or "
               "addresses.\n",
               path, (double)status.st_size / 1e6);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    const char *out = cot_call_value(call, "out");
    struct cot_report_options options = {.out_path = out != NULL || call->json ? out : "report.html",
                                         .always_check = cot_call_flag(call, "quality")};
    cot_code rc = cot_call_int(call, "run", 1, INT32_MAX, &options.run_id, err);
    if (rc == COT_OK)
        rc = cot_call_check_file(call, "out", err);
    if (rc == COT_OK)
        rc = cot_report_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_report(yyjson_mut_doc_get_root(doc), options.out_path);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"out", "FILE", "the HTML file to write (default report.html; with --json none)"},
    {"run", "N", "show this run of 'coterie segment' (default: the newest)"},
    {"quality", NULL, "check the data's quality beyond 2 million order lines too, where it takes minutes"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_report = {
    .name = "report",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "write the shop's figures and segments as one HTML page",
    .help =
        "Writes one HTML file that opens in any browser and fetches nothing: headline figures, the segments with\n"
        "their rules and what to do with them, a map of customers, RFM, retention by cohort, where the revenue\n"
        "comes from, what will sell in the next weeks, data quality and sources. It shows the newest run of 'coterie\n"
        "segment', as of that run's moment; --json prints the same figures.\n\n"
        "  coterie segment && coterie report --out /tmp/report.html",
    .options = options,
    .run = run,
};
