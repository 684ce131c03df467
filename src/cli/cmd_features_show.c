#include "cli/command.h"
#include "cli/table.h"
#include "engine/features.h"

static const struct cot_option options[] = {
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"without-timeless", NULL, "leave out what undated traits say"},
    {NULL, NULL, NULL},
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "-";
}

/* Rows with a bar after them: as long as the share, the longest 40 cells. */
static void print_bars(yyjson_mut_val *rows, bool categories)
{
    enum { BAR_CELLS = 40 };
    double largest = 0;
    yyjson_mut_val *row;
    size_t i;
    size_t n;
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        double share = yyjson_mut_get_num(yyjson_mut_obj_get(row, "share"));
        largest = share > largest ? share : largest;
    }
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        char from[64] = "";
        char to[64] = "";
        char count[64];
        char share_text[64];
        double share = yyjson_mut_get_num(yyjson_mut_obj_get(row, "share"));
        cot_format_value(yyjson_mut_obj_get(row, "customers"), COT_FORMAT_COUNT, count, sizeof count);
        cot_format_value(yyjson_mut_obj_get(row, "share"), COT_FORMAT_PERCENT, share_text, sizeof share_text);
        if (!categories) {
            cot_format_value(yyjson_mut_obj_get(row, "from"), COT_FORMAT_NUMBER, from, sizeof from);
            cot_format_value(yyjson_mut_obj_get(row, "to"), COT_FORMAT_NUMBER, to, sizeof to);
            printf("  %10s to %-10s %10s %6s  ", from, to, count, share_text);
        } else {
            const char *name = text_of(row, "name");
            size_t width = cot_text_width(name);
            printf("  %s%*s %10s %6s  ", name, (int)(width < 28 ? 28 - width : 0), "", count, share_text);
        }
        int cells = largest > 0 ? (int)(share / largest * BAR_CELLS + 0.5) : 0;
        for (int cell = 0; cell < cells; cell++)
            fputs("█", stdout);
        fputc('\n', stdout);
    }
}

static void print_numbers(yyjson_mut_val *root)
{
    static const struct cot_column quantiles[] = {{"share", "share of customers below", COT_FORMAT_PERCENT, 0},
                                                  {"value", "value", COT_FORMAT_NUMBER, 0},
                                                  {NULL, NULL, COT_FORMAT_TEXT, 0}};
    static const struct cot_column ends[] = {{"customer_id", "customer", COT_FORMAT_TEXT, 40},
                                             {"value", "value", COT_FORMAT_NUMBER, 0},
                                             {NULL, NULL, COT_FORMAT_TEXT, 0}};
    print_bars(yyjson_mut_obj_get(root, "histogram"), false);
    fputc('\n', stdout);
    cot_table_print(stdout, yyjson_mut_obj_get(root, "quantiles"), quantiles);
    printf("\nHighest\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "highest"), ends);
    printf("\nLowest\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "lowest"), ends);
}

static void print_feature(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *feature = yyjson_mut_obj_get(root, "feature");
    yyjson_mut_val *categories = yyjson_mut_obj_get(root, "categories");
    char customers[64];
    char missing[64];
    cot_format_value(yyjson_mut_obj_get(root, "customers"), COT_FORMAT_COUNT, customers, sizeof customers);
    cot_format_value(yyjson_mut_obj_get(root, "missing"), COT_FORMAT_COUNT, missing, sizeof missing);
    printf("%s: %s (%s, %s)\n%s.\n", text_of(feature, "name"), text_of(feature, "title"), text_of(feature, "group"),
           text_of(feature, "unit"), text_of(feature, "description"));
    printf("As of %s: %s customers, %s without a value. Scale for learning: %s.%s\n\n", text_of(root, "as_of_day"),
           customers, missing, text_of(feature, "transform"),
           yyjson_mut_get_bool(yyjson_mut_obj_get(feature, "timeless")) ? " From undated traits." : "");
    if (categories != NULL)
        print_bars(categories, true);
    else
        print_numbers(root);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    struct cot_features_options features = {.as_of = cot_call_value(call, "as-of"),
                                            .without_timeless = cot_call_flag(call, "without-timeless")};
    cot_code rc = cot_features_show_run(&call->context, call->arguments[0], &features, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_feature(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_features_show = {
    .name = "features show",
    .arguments = "NAME",
    .n_min = 1,
    .n_max = 1,
    .summary = "one feature: what it means, how it is distributed, who is at its ends",
    .help =
        "Shows how a feature is distributed over the customers: histogram on the feature's own scale, quantiles, how\n"
        "many have no value, and the customers with the highest and the lowest values.\n\n"
        "  coterie features show recency_days\n"
        "  coterie features show country --json",
    .options = options,
    .run = run,
};
