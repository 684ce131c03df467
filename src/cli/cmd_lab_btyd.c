#include "cli/command.h"
#include "engine/lab_btyd.h"

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static void print_parameters(yyjson_mut_val *root)
{
    yyjson_mut_val *errors = yyjson_mut_obj_get(root, "standard_errors");
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(yyjson_mut_obj_get(root, "params"));
    for (yyjson_mut_val *key = NULL; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        const char *name = yyjson_mut_get_str(key);
        if (name == NULL)
            continue;
        yyjson_mut_val *error = yyjson_mut_obj_get(errors, name);
        printf("  %-6s %12.5g", name, yyjson_mut_get_real(yyjson_mut_obj_iter_get_val(key)));
        if (yyjson_mut_is_real(error))
            printf("  +- %.3g\n", yyjson_mut_get_real(error));
        else
            printf("  (its error can't be told)\n");
    }
}

static void print_score(yyjson_mut_val *holdout, const char *key, const char *label, double scale, const char *unit)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(holdout, key);
    if (yyjson_mut_is_real(value))
        printf("  %-12s %8.4f%s\n", label, scale * yyjson_mut_get_real(value), unit);
}

static void print_outcome(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *calibration = yyjson_mut_obj_get(root, "calibration");
    yyjson_mut_val *holdout = yyjson_mut_obj_get(root, "holdout");
    printf("%s", text_of(root, "model"));
    if (yyjson_mut_obj_get(root, "k") != NULL)
        printf(", k = %llu", (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "k")));
    printf(", %llu customers, %s to %s, in %ss\n",
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "customers")),
           text_of(calibration, "begin"), text_of(calibration, "end"), text_of(root, "unit"));
    print_parameters(root);
    printf("log-likelihood %.3f, fitted in %.4f seconds\n",
           yyjson_mut_get_real(yyjson_mut_obj_get(root, "log_likelihood")),
           yyjson_mut_get_real(yyjson_mut_obj_get(root, "seconds")));
    if (yyjson_mut_get_bool(yyjson_mut_obj_get(root, "at_boundary")))
        printf("A parameter ran to the end of its range: this data does not tell it.\n");
    if (!yyjson_mut_is_obj(holdout))
        return;
    printf("holdout %s to %s, %llu customers\n", text_of(holdout, "begin"), text_of(holdout, "end"),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(holdout, "customers")));
    print_score(holdout, "rmse", "RMSE", 1, "");
    print_score(holdout, "mae", "MAE", 1, "");
    print_score(holdout, "spearman", "Spearman", 1, "");
    print_score(holdout, "total_error", "total error", 100, "%");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_lab_btyd_options options = {.input = cot_call_value(call, "input"),
                                           .model = cot_call_value(call, "model"),
                                           .calibration_end = cot_call_value(call, "calibration-end"),
                                           .holdout_end = cot_call_value(call, "holdout-end"),
                                           .unit = cot_call_value(call, "unit")};
    yyjson_mut_doc *doc = NULL;
    int64_t k = 0;
    cot_code rc = cot_call_int(call, "k", 1, 12, &k, err);
    if (rc == COT_OK)
        rc = cot_call_double(call, "prior", 0, 1e9, &options.prior_weight, err);
    if (rc == COT_OK && options.input == NULL)
        rc = cot_fail(err, COT_USAGE, "lab btyd needs --input FILE");
    if (rc != COT_OK)
        return rc;
    options.k = (unsigned)k;
    if (options.model == NULL)
        options.model = "bgnbd";
    rc = cot_lab_btyd_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_outcome(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options_of_lab_btyd[] = {
    {"input", "FILE", "orders in any shape that import knows: customer, date and, for gammagamma, amount"},
    {"model", "NAME", "bgnbd (default), bgcnbdk, mbgcnbdk (regular buyers), pareto, or gammagamma (spend a purchase)"},
    {"calibration-end", "DATE", "last day that the fit sees (default: the middle of the file)"},
    {"holdout-end", "DATE", "last day that the fit is scored on (default: the last of the file)"},
    {"unit", "NAME", "week (default) or day: what rates and times are in"},
    {"k", "K", "bgcnbdk, mbgcnbdk: regularity of purchases (default: the one of the highest likelihood)"},
    {"prior", "N", "pull towards usual shops with the weight of N customers, for small files (default 0: none)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_lab_btyd = {
    .name = "lab btyd",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "fit a buy-till-you-die model to a transactions file, without a shop",
    .help = "Fits purchase and drop-out rates up to a day, then scores expected against actual purchases after it.\n"
            "Purchases of one customer on one day count as one; the first does not count as a repeat.\n\n"
            "  coterie lab btyd --input CDNOW_sample.txt.gz --model pareto --calibration-end 1997-09-30\n"
            "  coterie lab btyd --input orders.csv --model mbgcnbdk --json",
    .options = options_of_lab_btyd,
    .run = run,
    .leaves_store = true,
};
