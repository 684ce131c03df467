#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/backtest.h"

static const struct cot_option options[] = {
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"horizon", "DAYS", "how far ahead, in days; several with commas (default 30,90,365)"},
    {"folds", "N", "origins a horizon, as far as the history reaches (default 3)"},
    {NULL, NULL, NULL},
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "-";
}

static double number_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_num(yyjson_mut_obj_get(object, key));
}

/* A question for people. */
static const char *title_of(const char *question)
{
    static const char *const titles[][2] = {
        {"next", "next order"},
        {"category_again", "category, of those bought before"},
        {"category_new", "category, of those not bought yet"},
    };
    for (size_t t = 0; t < sizeof titles / sizeof *titles; t++)
        if (strcmp(question, titles[t][0]) == 0)
            return titles[t][1];
    return question;
}

static void print_question(yyjson_mut_doc *doc, yyjson_mut_val *question, const char *currency)
{
    static const struct cot_column amount_columns[] = {
        {"mark", "", COT_FORMAT_TEXT, 0},
        {"name", "candidate", COT_FORMAT_TEXT, 0},
        {"score", "RMSE", COT_FORMAT_NUMBER, 0},
        {"spearman", "rank correlation", COT_FORMAT_NUMBER, 0},
        {"total_error", "sum off by", COT_FORMAT_PERCENT, 0},
        {"title", "how it predicts", COT_FORMAT_TEXT, 80},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column chance_columns[] = {
        {"mark", "", COT_FORMAT_TEXT, 0},
        {"name", "candidate", COT_FORMAT_TEXT, 0},
        {"score", "log loss", COT_FORMAT_NUMBER, 0},
        {"spearman", "rank correlation", COT_FORMAT_NUMBER, 0},
        {"calibration_error", "calibration error", COT_FORMAT_NUMBER, 0},
        {"calibration_band", "if it were right", COT_FORMAT_NUMBER, 0},
        {"title", "how it predicts", COT_FORMAT_TEXT, 80},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column next_columns[] = {
        {"mark", "", COT_FORMAT_TEXT, 0},
        {"name", "candidate", COT_FORMAT_TEXT, 0},
        {"score", "pinball loss, days", COT_FORMAT_NUMBER, 0},
        {"held_10", "10% held", COT_FORMAT_PERCENT, 0},
        {"held_50", "50% held", COT_FORMAT_PERCENT, 0},
        {"held_90", "90% held", COT_FORMAT_PERCENT, 0},
        {"title", "how it predicts", COT_FORMAT_TEXT, 80},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    bool next = strcmp(text_of(question, "question"), "next") == 0;
    bool chance = strcmp(text_of(question, "measure"), "log_loss") == 0;
    bool spend = strcmp(text_of(question, "question"), "spend") == 0;
    yyjson_mut_val *rows = yyjson_mut_obj_get(question, "candidates");
    yyjson_mut_val *interval = yyjson_mut_obj_get(question, "interval");
    yyjson_mut_val *row = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(rows);
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        bool serves = strcmp(text_of(row, "name"), text_of(question, "serves")) == 0;
        yyjson_mut_obj_add_str(doc, row, "mark",
                               serves                                                  ? "serves"
                               : yyjson_mut_get_bool(yyjson_mut_obj_get(row, "naive")) ? "naive"
                                                                                       : "");
    }
    printf("\n%s%s%s%s, %.0f predictions:\n", title_of(text_of(question, "question")), spend ? " (" : "",
           spend ? currency : "", spend ? ")" : "", number_of(question, "predictions"));
    cot_table_print(stdout, rows, next ? next_columns : chance ? chance_columns : amount_columns);
    if (!yyjson_mut_get_bool(yyjson_mut_obj_get(question, "beats_naive")))
        printf("No model beats the naive candidates here, so none serves.\n");
    if (interval == NULL)
        return;
    printf("80%% intervals held %.1f%% of what came", 100 * number_of(interval, "coverage"));
    if (!yyjson_mut_is_null(yyjson_mut_obj_get(interval, "coverage_positive")))
        printf("; %.1f%% where they do not reach down to 0 (%.1f%% of customers)",
               100 * number_of(interval, "coverage_positive"), 100 * number_of(interval, "share_positive"));
    printf(".\nShares below each tenth of what was said (PIT, 10%% each were it right):");
    yyjson_mut_val *share = NULL;
    yyjson_mut_arr_iter shares = yyjson_mut_arr_iter_with(yyjson_mut_obj_get(interval, "pit"));
    while ((share = yyjson_mut_arr_iter_next(&shares)) != NULL)
        printf(" %.0f%%", 100 * yyjson_mut_get_num(share));
    printf("\n");
}

static void print_backtest(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *horizon = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(yyjson_mut_obj_get(root, "horizons"));
    printf("%.0f customers with an order, %s to %s.\n", number_of(root, "customers"), text_of(root, "first_day"),
           text_of(root, "last_day"));
    while ((horizon = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *question = NULL;
        yyjson_mut_arr_iter questions = yyjson_mut_arr_iter_with(yyjson_mut_obj_get(horizon, "questions"));
        if (number_of(horizon, "folds") == 0) {
            printf("\n%.0f days ahead: untested, the history is too short (it takes %.0f days)\n",
                   number_of(horizon, "days"), number_of(horizon, "needs_days"));
            continue;
        }
        printf("\n%.0f days ahead, %.0f origin(s)\n", number_of(horizon, "days"), number_of(horizon, "folds"));
        while ((question = yyjson_mut_arr_iter_next(&questions)) != NULL)
            print_question(doc, question, text_of(root, "currency"));
    }
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    int64_t folds = 0;
    cot_code rc = cot_call_int(call, "folds", 1, COT_LEAGUE_MAX_FOLDS, &folds, err);
    if (rc != COT_OK)
        return rc;
    struct cot_shop_league_options backtest = {.as_of = cot_call_value(call, "as-of"),
                                               .horizons = cot_call_value(call, "horizon"),
                                               .max_folds = (unsigned)folds};
    rc = cot_backtest_run(&call->context, &backtest, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_backtest(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_backtest = {
    .name = "backtest",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "which predictions of spend, orders, churn and categories would have been right",
    .help =
        "Goes back in time by one horizon after the other, predicts every customer known by then from what had\n"
        "happened by then, and compares with what came: spend (less what was given back) and days with an order by "
        "root mean\n"
        "square error, no order at all (churn) by log loss, the days until the next order by\n"
        "pinball loss, purchases in a category by log loss. Buy-till-you-die models compete with naive rules; what\n"
        "does not beat every naive rule does not serve. Weights, calibration and intervals are learned\n"
        "at earlier origins. Horizons that the history is too short for are said to be untested.\n\n"
        "  coterie backtest\n"
        "  coterie backtest --horizon 28,84 --folds 6 --json",
    .options = options,
    .run = run,
};
