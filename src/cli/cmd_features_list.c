#include "cli/command.h"
#include "cli/table.h"
#include "engine/features.h"

static const struct cot_option options[] = {
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"without-timeless", NULL, "leave out what undated traits say"},
    {NULL, NULL, NULL},
};

static void print_list(yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"name", "feature", COT_FORMAT_TEXT, 0},      {"group", "group", COT_FORMAT_TEXT, 0},
        {"unit", "unit", COT_FORMAT_TEXT, 12},        {"coverage", "coverage", COT_FORMAT_PERCENT, 0},
        {"description", "what", COT_FORMAT_TEXT, 90}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *features = yyjson_mut_obj_get(root, "features");
    const char *as_of = yyjson_mut_get_str(yyjson_mut_obj_get(root, "as_of_day"));
    cot_table_print(stdout, features, columns);
    if (as_of != NULL)
        printf("\n%zu features of %llu customers as of %s; coverage: share of customers that have a value\n",
               yyjson_mut_arr_size(features),
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "customers")), as_of);
    else
        printf("\n%zu features; there is no shop here yet, so no coverage\n", yyjson_mut_arr_size(features));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    struct cot_features_options features = {.as_of = cot_call_value(call, "as-of"),
                                            .without_timeless = cot_call_flag(call, "without-timeless")};
    cot_code rc = cot_features_list_run(&call->context, &features, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_list(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_features_list = {
    .name = "features list",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "all features of customers, with group, unit, coverage and meaning",
    .help =
        "Lists what is known of every customer as numbers and categories: purchases, engagement, demography and\n"
        "channels, and the traits that were imported. A feature is computed from what had happened and was known at\n"
        "the end of one day (--as-of); where a customer has no data for it, it has no value.\n\n"
        "  coterie features list\n"
        "  coterie features list --as-of 2011-06-30 --json",
    .options = options,
    .run = run,
    .leaves_store = true,
};
