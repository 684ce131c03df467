#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/predict.h"

static const struct cot_option options[] = {
    {"as-of", "DATE",
     "what was known at the end of that day (nothing is kept then); default: the last day of the data"},
    {"horizon", "DAYS", "how far ahead, in days; several with commas (default 30,90,365)"},
    {"folds", "N", "origins on which the candidates are tested, as far as the history reaches (default 3)"},
    {"customer", "ID", "this customer alone: the shop's id, an e-mail address, a phone number"},
    {"top", "N", "how long the lists are (default 10)"},
    {"uplift", "SHARE", "what offers are assumed to bring of what is open, for their gain (default 0.1)"},
    {"out", "FILE.csv", "writes the predictions of all customers"},
    {"no-keep", NULL, "do not freeze what is said for 'coterie predictions record'"},
    {NULL, NULL, NULL},
};

static yyjson_mut_val *of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_obj_get(object, key);
}

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(of(object, key));
    return text != NULL ? text : "-";
}

static const char *words(yyjson_mut_val *text)
{
    return yyjson_mut_is_str(text) ? yyjson_mut_get_str(text) : "-";
}

/* Lifts the fields of a customer's first prediction into the customer, for a table. */
static void flatten(yyjson_mut_doc *doc, yyjson_mut_val *customer, size_t i_horizon)
{
    yyjson_mut_val *prediction = yyjson_mut_arr_get(of(customer, "predictions"), i_horizon);
    yyjson_mut_val *spend = of(prediction, "spend");
    yyjson_mut_obj_add_val(doc, customer, "value", yyjson_mut_val_mut_copy(doc, of(spend, "value")));
    yyjson_mut_obj_add_val(doc, customer, "low", yyjson_mut_val_mut_copy(doc, of(spend, "low")));
    yyjson_mut_obj_add_val(doc, customer, "high", yyjson_mut_val_mut_copy(doc, of(spend, "high")));
    yyjson_mut_obj_add_val(doc, customer, "churn", yyjson_mut_val_mut_copy(doc, of(prediction, "churn")));
    yyjson_mut_val *next = of(of(customer, "next_order"), "middle");
    yyjson_mut_obj_add_val(doc, customer, "next", yyjson_mut_val_mut_copy(doc, next));
}

static void print_customers(yyjson_mut_doc *doc, yyjson_mut_val *rows, size_t i_horizon, bool risk)
{
    static const struct cot_column columns[] = {
        {"customer_id", "customer", COT_FORMAT_TEXT, 24},
        {"tier", "tier", COT_FORMAT_TEXT, 0},
        {"orders", "orders", COT_FORMAT_COUNT, 0},
        {"spend", "spent", COT_FORMAT_MONEY, 0},
        {"silent_days", "silent", COT_FORMAT_COUNT, 0},
        {"value", "will spend", COT_FORMAT_MONEY, 0},
        {"low", "at least", COT_FORMAT_MONEY, 0},
        {"high", "at most", COT_FORMAT_MONEY, 0},
        {"churn", "no order", COT_FORMAT_PERCENT, 0},
        {"next", "next by (50%)", COT_FORMAT_TEXT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column risk_columns[] = {
        {"customer_id", "customer", COT_FORMAT_TEXT, 24},
        {"tier", "tier", COT_FORMAT_TEXT, 0},
        {"orders", "orders", COT_FORMAT_COUNT, 0},
        {"spend", "spent", COT_FORMAT_MONEY, 0},
        {"usual_gap_days", "every", COT_FORMAT_NUMBER, 0},
        {"silent_days", "silent", COT_FORMAT_COUNT, 0},
        {"churn", "no order", COT_FORMAT_PERCENT, 0},
        {"at_risk", "at risk", COT_FORMAT_MONEY, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *row = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(rows);
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL)
        flatten(doc, row, i_horizon);
    cot_table_print(stdout, rows, risk ? risk_columns : columns);
}

static void print_confidence(yyjson_mut_val *confidence)
{
    yyjson_mut_val *reason = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(of(confidence, "because"));
    printf("\nConfidence: %s", text_of(confidence, "level"));
    for (const char *word = ", because "; (reason = yyjson_mut_arr_iter_next(&iter)) != NULL; word = "; ")
        printf("%s%s", word, words(reason));
    printf(".\n");
}

static void print_horizons(yyjson_mut_doc *doc, yyjson_mut_val *horizons)
{
    static const char *const questions[] = {"spend", "orders", "churn"};
    static const struct cot_column columns[] = {
        {"days", "days ahead", COT_FORMAT_COUNT, 0},        {"question", "question", COT_FORMAT_TEXT, 0},
        {"total", "of all together", COT_FORMAT_NUMBER, 0}, {"model", "by", COT_FORMAT_TEXT, 0},
        {"score", "error so far", COT_FORMAT_NUMBER, 0},    {"naive", "best naive rule", COT_FORMAT_TEXT, 0},
        {"naive_score", "its error", COT_FORMAT_NUMBER, 0}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    yyjson_mut_val *horizon = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(horizons);
    while ((horizon = yyjson_mut_arr_iter_next(&iter)) != NULL)
        for (size_t q = 0; q < sizeof questions / sizeof *questions; q++) {
            yyjson_mut_val *row = yyjson_mut_val_mut_copy(doc, of(horizon, questions[q]));
            yyjson_mut_val *tested = of(row, "tested");
            yyjson_mut_obj_add_val(doc, row, "days", yyjson_mut_val_mut_copy(doc, of(horizon, "days")));
            yyjson_mut_obj_add_str(doc, row, "question", q == 2 ? "no order (share)" : questions[q]);
            if (yyjson_mut_is_obj(tested)) {
                yyjson_mut_obj_add_val(doc, row, "score", yyjson_mut_val_mut_copy(doc, of(tested, "score")));
                yyjson_mut_obj_add_val(doc, row, "naive", yyjson_mut_val_mut_copy(doc, of(tested, "naive")));
                yyjson_mut_obj_add_val(doc, row, "naive_score",
                                       yyjson_mut_val_mut_copy(doc, of(tested, "naive_score")));
            } else {
                yyjson_mut_obj_add_str(doc, row, "naive", "untested");
            }
            yyjson_mut_arr_append(rows, row);
        }
    cot_table_print(stdout, rows, columns);
}

/* Place of the horizon of so many days. */
static size_t place_of(yyjson_mut_val *horizons, uint64_t days)
{
    size_t i = 0;
    while (i + 1 < yyjson_mut_arr_size(horizons) &&
           yyjson_mut_get_uint(of(yyjson_mut_arr_get(horizons, i), "days")) != days)
        i++;
    return i;
}

static void print_one(yyjson_mut_doc *doc, yyjson_mut_val *customer, const char *currency)
{
    static const struct cot_column columns[] = {
        {"days", "days ahead", COT_FORMAT_COUNT, 0},
        {"value", "will spend", COT_FORMAT_MONEY, 0},
        {"low", "at least", COT_FORMAT_MONEY, 0},
        {"high", "at most", COT_FORMAT_MONEY, 0},
        {"n", "orders", COT_FORMAT_NUMBER, 0},
        {"churn", "no order", COT_FORMAT_PERCENT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *row = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(of(customer, "predictions"));
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_obj_add_val(doc, row, "value", yyjson_mut_val_mut_copy(doc, of(of(row, "spend"), "value")));
        yyjson_mut_obj_add_val(doc, row, "low", yyjson_mut_val_mut_copy(doc, of(of(row, "spend"), "low")));
        yyjson_mut_obj_add_val(doc, row, "high", yyjson_mut_val_mut_copy(doc, of(of(row, "spend"), "high")));
        yyjson_mut_obj_add_val(doc, row, "n", yyjson_mut_val_mut_copy(doc, of(of(row, "orders"), "value")));
    }
    printf("\n%s, tier %s, spent %.2f %s\n\n", text_of(customer, "customer_id"), text_of(customer, "tier"),
           yyjson_mut_get_num(of(customer, "spend")), currency);
    cot_table_print(stdout, of(customer, "predictions"), columns);
    yyjson_mut_val *next = of(customer, "next_order");
    if (yyjson_mut_is_obj(next))
        printf("\nNext order by %s with a chance of 10%%, by %s with 50%%, by %s with 90%%.\n", text_of(next, "early"),
               text_of(next, "middle"), text_of(next, "late"));
    printf("\nWhy:\n");
    iter = yyjson_mut_arr_iter_with(of(customer, "why"));
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL)
        printf("  %s\n", words(row));
}

static void print_offers(yyjson_mut_val *offers)
{
    static const struct cot_column cross_columns[] = {
        {"customer_id", "customer", COT_FORMAT_TEXT, 24},
        {"tier", "tier", COT_FORMAT_TEXT, 0},
        {"category", "could buy", COT_FORMAT_TEXT, 32},
        {"because", "as they buy", COT_FORMAT_TEXT, 32},
        {"follows", "of whom so many do", COT_FORMAT_PERCENT, 0},
        {"chance", "chance", COT_FORMAT_PERCENT, 0},
        {"gain", "gain", COT_FORMAT_MONEY, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column up_columns[] = {
        {"customer_id", "customer", COT_FORMAT_TEXT, 24},
        {"tier", "tier", COT_FORMAT_TEXT, 0},
        {"order", "an order", COT_FORMAT_MONEY, 0},
        {"usual", "usual in the tier", COT_FORMAT_MONEY, 0},
        {"orders", "orders to come", COT_FORMAT_NUMBER, 0},
        {"gain", "gain", COT_FORMAT_MONEY, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    unsigned long long days = yyjson_mut_get_uint(of(offers, "days"));
    if (!yyjson_mut_is_null(of(offers, "cross_sell"))) {
        printf("\nA category they do not buy yet, gain within %llu days (%s):\n", days, text_of(offers, "assumes"));
        cot_table_print(stdout, of(offers, "cross_sell"), cross_columns);
        yyjson_mut_val *tested = of(offers, "cross_sell_tested");
        printf("Chances by %s: log loss %.4f on the past, %s had %.4f.\n", text_of(tested, "model"),
               yyjson_mut_get_num(of(tested, "score")), text_of(tested, "naive"),
               yyjson_mut_get_num(of(tested, "naive_score")));
    }
    printf("\nOrders smaller than their tier's, gain within %llu days (%s):\n", days, text_of(offers, "assumes"));
    cot_table_print(stdout, of(offers, "up_sell"), up_columns);
}

static void print_predictions(yyjson_mut_doc *doc)
{
    static const struct cot_column tier_columns[] = {
        {"tier", "tier", COT_FORMAT_TEXT, 0},
        {"customers", "customers", COT_FORMAT_COUNT, 0},
        {"share", "of them", COT_FORMAT_PERCENT, 0},
        {"spend", "will spend", COT_FORMAT_MONEY, 0},
        {"spend_share", "of all", COT_FORMAT_PERCENT, 0},
        {"least", "each at least", COT_FORMAT_MONEY, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *horizons = of(root, "horizons");
    const char *currency = text_of(root, "currency");
    char customers[32];
    cot_format_value(of(root, "customers"), COT_FORMAT_COUNT, customers, sizeof customers);
    printf("As of %s: %s customers with an order, amounts in %s less what is given back.\n\n",
           text_of(root, "as_of_day"), customers, currency[0] != '\0' ? currency : "the shop's currency");
    print_horizons(doc, horizons);
    print_confidence(of(root, "confidence"));
    if (of(root, "customer") != NULL) {
        print_one(doc, of(root, "customer"), currency);
        return;
    }
    uint64_t days = yyjson_mut_get_uint(of(of(root, "tiers"), "days"));
    size_t place = place_of(horizons, days);
    printf("\nTiers by spend within %llu days:\n", (unsigned long long)days);
    cot_table_print(stdout, of(of(root, "tiers"), "rows"), tier_columns);
    printf("\nValuable and slipping, %.0f customers; the most at risk within %llu days:\n",
           yyjson_mut_get_num(of(of(root, "retention"), "customers")), (unsigned long long)days);
    print_customers(doc, of(of(root, "retention"), "rows"), place, true);
    printf("\nMost spend to come within %llu days:\n", (unsigned long long)days);
    print_customers(doc, of(root, "best"), place, false);
    print_offers(of(root, "offers"));
    if (of(root, "path") != NULL)
        printf("\nAll customers: %s\n", text_of(root, "path"));
}

/* Whoever names a Parquet file should not find text in it. */
static cot_code check_out(const struct cot_call *call, struct cot_err *err)
{
    static const char *const others[] = {".parquet", ".json", ".jsonl", ".xlsx"};
    const char *path = cot_call_value(call, "out");
    const char *ending = path != NULL ? strrchr(path, '.') : NULL;
    for (size_t i = 0; ending != NULL && i < sizeof others / sizeof *others; i++)
        if (strcmp(ending, others[i]) == 0)
            return cot_fail(err, COT_USAGE, "--out '%s': predictions are written as CSV, name a file such as out.csv",
                            path);
    return cot_call_check_file(call, "out", err);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    int64_t folds = 0;
    int64_t top = 0;
    double uplift = 0;
    cot_code rc = cot_call_int(call, "folds", 1, COT_LEAGUE_MAX_FOLDS, &folds, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "top", 1, 10000, &top, err);
    if (rc == COT_OK)
        rc = cot_call_share(call, "uplift", 0.0001, 1, &uplift, err);
    if (rc == COT_OK)
        rc = check_out(call, err);
    if (rc != COT_OK)
        return rc;
    struct cot_predict_options predict = {.league = {.as_of = cot_call_value(call, "as-of"),
                                                     .horizons = cot_call_value(call, "horizon"),
                                                     .max_folds = (unsigned)folds},
                                          .customer = cot_call_value(call, "customer"),
                                          .top = (size_t)top,
                                          .uplift = uplift,
                                          .out = cot_call_value(call, "out"),
                                          .keep =
                                              !cot_call_flag(call, "no-keep") && cot_call_value(call, "as-of") == NULL};
    rc = cot_predict_run(&call->context, &predict, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_predictions(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_predict = {
    .name = "predict",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "what each customer will spend and order, who is about to leave",
    .help = "For every customer who has ordered: spend and days with an order within each horizon with 80% intervals,\n"
            "the chance of no order at all (churn), and when the next order is due. Each question is answered by the\n"
            "candidate that was right most often on the shop's own past ('coterie backtest' shows the league); what\n"
            "the history is too short to test is said to be untested. Tiers tell where the money to come is, the\n"
            "retention list who is valuable and slipping.\n\n"
            "What is said is kept, with its date: 'coterie predictions record' scores it once the outcome is there.\n\n"
            "  coterie predict\n"
            "  coterie predict --customer anna@example.com --horizon 30,90\n"
            "  coterie predict --out predictions.csv --json",
    .options = options,
    .run = run,
};
