#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/prediction_store.h"

static yyjson_mut_val *of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_obj_get(object, key);
}

static void lift(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *question, const char *from, const char *to)
{
    yyjson_mut_obj_add_val(doc, row, to, yyjson_mut_val_mut_copy(doc, of(of(row, question), from)));
}

static void print_record(yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"run", "run", COT_FORMAT_COUNT, 0},
        {"as_of_day", "as of", COT_FORMAT_TEXT, 0},
        {"days", "days", COT_FORMAT_COUNT, 0},
        {"customers", "customers", COT_FORMAT_COUNT, 0},
        {"due", "due", COT_FORMAT_TEXT, 0},
        {"spend_said", "spend said", COT_FORMAT_MONEY, 0},
        {"spend_came", "came", COT_FORMAT_MONEY, 0},
        {"inside", "in intervals", COT_FORMAT_PERCENT, 0},
        {"churn_said", "no order said", COT_FORMAT_PERCENT, 0},
        {"churn_came", "came", COT_FORMAT_PERCENT, 0},
        {"log_loss", "log loss", COT_FORMAT_NUMBER, 0},
        {"calibration", "calibration error", COT_FORMAT_NUMBER, 0},
        {"category_said", "new category said", COT_FORMAT_PERCENT, 0},
        {"category_came", "came", COT_FORMAT_PERCENT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *row = NULL;
    size_t n_waiting = 0;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(of(root, "runs"));
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        n_waiting += yyjson_mut_is_false(of(row, "scored"));
        if (!yyjson_mut_is_true(of(row, "scored")))
            continue;
        lift(doc, row, "spend", "predicted", "spend_said");
        lift(doc, row, "spend", "actual", "spend_came");
        lift(doc, row, "spend", "coverage", "inside");
        lift(doc, row, "churn", "predicted", "churn_said");
        lift(doc, row, "churn", "actual", "churn_came");
        lift(doc, row, "churn", "log_loss", "log_loss");
        lift(doc, row, "churn", "calibration_error", "calibration");
        if (!yyjson_mut_is_obj(of(row, "category")))
            continue;
        lift(doc, row, "category", "predicted", "category_said");
        lift(doc, row, "category", "actual", "category_came");
    }
    cot_table_print(stdout, of(root, "runs"), columns);
    if (n_waiting > 0)
        printf("\n%zu not due yet: the data reach to %s.\n", n_waiting, yyjson_mut_get_str(of(root, "as_of_day")));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_predictions_record_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_record(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_predictions_record = {
    .name = "predictions record",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "what was predicted against what came",
    .help =
        "Scores every run of 'coterie predict' whose horizon is over: spend and orders said and come, the share of\n"
        "outcomes inside the 80% intervals, and whether probabilities (of no order, of buying in a category for the "
        "first\n"
        "time) meant what they said.\n\n"
        "  coterie predictions record\n"
        "  coterie predictions record --json",
    .options = NULL,
    .run = run,
};
