#include <string.h>

#include "cli/command.h"
#include "engine/features.h"

static const struct cot_option options[] = {
    {"out", "FILE", "the file to write (required)"},
    {"format", "csv|parquet", "format of the file; default: by the ending of its name, else csv"},
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"without-timeless", NULL, "leave out what undated traits say"},
    {NULL, NULL, NULL},
};

static cot_code format_of(const char *name, const char *path, enum cot_features_format *ret_format, struct cot_err *err)
{
    const char *ending = strrchr(path, '.');
    if (name == NULL)
        name = ending != NULL && strcmp(ending, ".parquet") == 0 ? "parquet" : "csv";
    if (strcmp(name, "csv") != 0 && strcmp(name, "parquet") != 0)
        return cot_fail(err, COT_USAGE, "--format '%s': write csv or parquet", name);
    *ret_format = strcmp(name, "csv") == 0 ? COT_FEATURES_CSV : COT_FEATURES_PARQUET;
    return COT_OK;
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    enum cot_features_format format = COT_FEATURES_CSV;
    const char *path = cot_call_value(call, "out");
    struct cot_features_options features = {.as_of = cot_call_value(call, "as-of"),
                                            .without_timeless = cot_call_flag(call, "without-timeless")};
    if (path == NULL)
        return cot_fail(err, COT_USAGE, "--out FILE is needed: where to write the features");
    cot_code rc = format_of(cot_call_value(call, "format"), path, &format, err);
    if (rc == COT_OK)
        rc = cot_call_check_file(call, "out", err);
    if (rc == COT_OK)
        rc = cot_features_export_run(&call->context, &features, path, format, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("%s: %llu features of %llu customers as of %s\n", path,
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "features")),
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "customers")),
               yyjson_mut_get_str(yyjson_mut_obj_get(root, "as_of_day")));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_features_export = {
    .name = "features export",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "write all features of all customers to a CSV or Parquet file",
    .help =
        "Writes a row a customer: the shop's own id and every feature; empty where there is no value. Computed as of\n"
        "one day, from what had happened and was known by then, so that a model trained on it sees no future.\n\n"
        "  coterie features export --out features.parquet\n"
        "  coterie features export --as-of 2011-06-30 --format csv --out june.csv",
    .options = options,
    .run = run,
};
