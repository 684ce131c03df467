#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/demand.h"

enum { SHOWN = 30, MAX_FOLDS = 12 };

static const struct cot_option options[] = {
    {"by", "LEVEL", "product (default: the shop, its categories, its best products and the others), category or shop"},
    {"every", "STEP", "week (default; Monday to Sunday, whole weeks only) or day"},
    {"horizon", "H", "how many weeks or days ahead (default 4 or 28)"},
    {"measure", "WHAT", "units (default) or revenue"},
    {"top", "N", "products with a series of their own, by what sold in the last 91 days (default 50)"},
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"backtest", NULL, "show who would have been right, and what intervals and stock levels held"},
    {"folds", "N", "origins a horizon apart that choose and score, as far as the history reaches (default 5)"},
    {"service-level", "P", "stock advice: the chance of not running out, above 0.5 and below 1 (default 0.95)"},
    {"lead-time", "N", "stock advice: weeks or days until a delivery is there (default 1)"},
    {"without-customers", NULL, "forecast from past sales alone, whatever the customers' own rates say"},
    {"out", "FILE", "write every step of every series as CSV, too"},
    {NULL, NULL, NULL},
};

static double number_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_num(yyjson_mut_obj_get(object, key));
}

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "-";
}

static void print_head(yyjson_mut_val *root)
{
    yyjson_mut_val *weekday = NULL;
    yyjson_mut_arr_iter closed = yyjson_mut_arr_iter_with(yyjson_mut_obj_get(root, "closed_weekdays"));
    printf("%.0f %ss of %s, %s to %s; %.0f ahead.", number_of(root, "steps_known"), text_of(root, "every"),
           text_of(root, "measure"), text_of(root, "first_day"), text_of(root, "last_day"), number_of(root, "horizon"));
    while ((weekday = yyjson_mut_arr_iter_next(&closed)) != NULL) {
        const char *name = yyjson_mut_get_str(weekday);
        printf(" Closed on %ss.", name != NULL ? name : "");
    }
    if (number_of(root, "days_filled_in") > 0)
        printf(" %.0f day(s) without any sale were taken for holidays.", number_of(root, "days_filled_in"));
    printf("\n");
    if (number_of(root, "origins") == 0)
        printf("Untested: the history is too short to go back by one horizon (a score takes %.0f %ss).\n",
               number_of(root, "needs_steps"), text_of(root, "every"));
}

/* The first step to come that the shop is open on; 0 where there is none. */
static size_t next_open(yyjson_mut_val *root)
{
    yyjson_mut_val *steps = yyjson_mut_obj_get(root, "steps");
    size_t n = yyjson_mut_arr_size(steps);
    for (size_t i = 0; i < n; i++)
        if (!yyjson_mut_get_bool(yyjson_mut_obj_get(yyjson_mut_arr_get(steps, i), "closed")))
            return i;
    return 0;
}

static void add_next(yyjson_mut_doc *doc, yyjson_mut_val *row, yyjson_mut_val *series, size_t next)
{
    static const char *const keys[][2] = {{"mean", "first"}, {"low", "first_low"}, {"high", "first_high"}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        yyjson_mut_val *values = yyjson_mut_obj_get(series, keys[k][0]);
        yyjson_mut_obj_add_real(doc, row, keys[k][1], yyjson_mut_get_num(yyjson_mut_arr_get(values, next)));
    }
}

/* The next step and the whole horizon of each series. */
static void print_series(yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    static const struct cot_column columns[] = {
        {"level", "level", COT_FORMAT_TEXT, 0},         {"label", "series", COT_FORMAT_TEXT, 44},
        {"first", "next", COT_FORMAT_NUMBER, 0},        {"first_low", "low", COT_FORMAT_NUMBER, 0},
        {"first_high", "high", COT_FORMAT_NUMBER, 0},   {"total", "all steps", COT_FORMAT_NUMBER, 0},
        {"stock", "order up to", COT_FORMAT_COUNT, 0},  {"method", "served by", COT_FORMAT_TEXT, 0},
        {"verdict", "on its past", COT_FORMAT_TEXT, 0}, {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *series = yyjson_mut_obj_get(root, "series");
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    size_t n = yyjson_mut_arr_size(series);
    size_t next = next_open(root);
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        yyjson_mut_val *one = yyjson_mut_arr_get(series, i);
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        char label[256];
        const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(one, "id"));
        const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(one, "name"));
        (void)snprintf(label, sizeof label, "%s%s%s", id != NULL ? id : "", id != NULL && name != NULL ? "  " : "",
                       name != NULL ? name : "");
        yyjson_mut_obj_add_str(doc, row, "level", text_of(one, "level"));
        yyjson_mut_obj_add_strcpy(doc, row, "label", label);
        add_next(doc, row, one, next);
        yyjson_mut_obj_add_real(doc, row, "total", number_of(one, "total"));
        if (!yyjson_mut_is_null(yyjson_mut_obj_get(one, "stock")))
            yyjson_mut_obj_add_sint(doc, row, "stock", (int64_t)number_of(one, "stock"));
        yyjson_mut_obj_add_str(doc, row, "method", text_of(one, "method"));
        yyjson_mut_obj_add_str(doc, row, "verdict",
                               number_of(one, "tested") == 0                                 ? "untested"
                               : yyjson_mut_get_bool(yyjson_mut_obj_get(one, "beats_naive")) ? "beats naive"
                                                                                             : "naive is best");
    }
    cot_table_print(stdout, rows, columns);
    if (n > SHOWN)
        printf("... and %zu more; --json and --out have them all\n", n - SHOWN);
}

static void print_level(yyjson_mut_doc *doc, yyjson_mut_val *level)
{
    static const struct cot_column columns[] = {
        {"mark", "", COT_FORMAT_TEXT, 0},
        {"name", "candidate", COT_FORMAT_TEXT, 0},
        {"rmsse", "scaled error", COT_FORMAT_NUMBER, 0},
        {"rmse", "RMSE", COT_FORMAT_NUMBER, 0},
        {"wape", "off by", COT_FORMAT_PERCENT, 0},
        {"title", "how it forecasts", COT_FORMAT_TEXT, 80},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const char *const totals[][2] = {
        {"serves", "what each series' origins by then chose"},
        {"reconciled", "the same, made to add up"},
    };
    yyjson_mut_val *rows = yyjson_mut_obj_get(level, "candidates");
    yyjson_mut_val *interval = yyjson_mut_obj_get(level, "interval");
    yyjson_mut_val *service = yyjson_mut_obj_get(level, "service");
    yyjson_mut_val *row = NULL;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(rows);
    while ((row = yyjson_mut_arr_iter_next(&iter)) != NULL)
        yyjson_mut_obj_add_str(doc, row, "mark", yyjson_mut_get_bool(yyjson_mut_obj_get(row, "naive")) ? "naive" : "");
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
        yyjson_mut_val *total = yyjson_mut_obj_get(level, totals[t][0]);
        yyjson_mut_obj_add_str(doc, total, "mark", totals[t][0]);
        yyjson_mut_obj_add_str(doc, total, "title", totals[t][1]);
        yyjson_mut_arr_append(rows, yyjson_mut_val_mut_copy(doc, total));
    }
    printf("\n%s, %.0f series:\n", text_of(level, "level"), number_of(level, "series"));
    cot_table_print(stdout, rows, columns);
    if (!yyjson_mut_get_bool(yyjson_mut_obj_get(level, "beats_naive")))
        printf("Over these series together what serves does not beat %s.\n", text_of(level, "best_naive"));
    if (yyjson_mut_is_obj(interval))
        printf("80%% intervals held %.1f%% of what came.\n", 100 * number_of(interval, "coverage"));
    if (yyjson_mut_is_obj(service))
        printf("Stock levels for %.1f%% sufficed in %.1f%% of %.0f lead times.\n", 100 * number_of(service, "nominal"),
               100 * number_of(service, "achieved"), number_of(service, "lead_times"));
}

/* Whether what the shop's customers say is part of the forecast, and why. */
static void print_customers(yyjson_mut_val *root)
{
    static const char said[] = "\nWhat customers are to order by their own rates";
    yyjson_mut_val *customers = yyjson_mut_obj_get(root, "customers");
    char with[64], without[64];
    if (!yyjson_mut_is_obj(customers))
        return;
    cot_format_value(yyjson_mut_obj_get(customers, "shop_rmse_with"), COT_FORMAT_NUMBER, with, sizeof with);
    cot_format_value(yyjson_mut_obj_get(customers, "shop_rmse_without"), COT_FORMAT_NUMBER, without, sizeof without);
    if (yyjson_mut_get_bool(yyjson_mut_obj_get(customers, "serves")))
        printf("%s has %.0f%% of the weight in the shop's forecast: at %.0f past origins it was off by %s with it, %s "
               "without (RMSE).\n",
               said, 100 * number_of(customers, "weight"), number_of(customers, "weighed"), with, without);
    else if (number_of(customers, "weighed") < 2)
        printf("%s is left out: the history is too short to tell what that is worth.\n", said);
    else
        printf("%s is left out: at %.0f past origins the shop's forecast was off by %s with it, %s without (RMSE).\n",
               said, number_of(customers, "weighed"), with, without);
}

static void print_forecast(yyjson_mut_doc *doc, bool backtest)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *level = NULL;
    yyjson_mut_arr_iter levels = yyjson_mut_arr_iter_with(yyjson_mut_obj_get(root, "levels"));
    print_head(root);
    printf("\n");
    print_series(doc, root);
    print_customers(root);
    if (!backtest)
        return;
    if (number_of(root, "scored_origins") == 0) {
        printf("\nNo backtest: one scored origin takes %.0f %ss of history.\n", number_of(root, "needs_steps"),
               text_of(root, "every"));
        return;
    }
    printf("\nBacktest, %.0f origin(s) a horizon apart:\n", number_of(root, "scored_origins"));
    while ((level = yyjson_mut_arr_iter_next(&levels)) != NULL)
        print_level(doc, level);
}

static cot_code read_numbers(const struct cot_call *call, struct cot_demand_use *use, struct cot_err *err)
{
    const double half = 0.5;
    int64_t horizon = 0;
    int64_t top = 0;
    int64_t folds = 0;
    int64_t lead = 1;
    cot_code rc = cot_call_int(call, "horizon", 1, COT_DEMAND_MAX_HORIZON, &horizon, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "top", 1, COT_DEMAND_MAX_TOP, &top, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "folds", 1, MAX_FOLDS, &folds, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "lead-time", 0, COT_DEMAND_MAX_HORIZON - 1, &lead, err);
    if (rc == COT_OK)
        rc = cot_call_share(call, "service-level", half, 1, &use->service_level, err);
    if (rc == COT_OK && cot_call_value(call, "service-level") != NULL &&
        !(use->service_level > half && use->service_level < 1))
        rc = cot_fail(err, COT_USAGE, "--service-level is '%s': above 0.5 and below 1, such as 0.95",
                      cot_call_value(call, "service-level"));
    use->horizon = (size_t)horizon;
    use->top = (size_t)top;
    use->folds = (unsigned)folds;
    use->lead_time = (size_t)lead;
    use->stock = cot_call_value(call, "service-level") != NULL || cot_call_value(call, "lead-time") != NULL;
    return rc;
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_demand_use use = {.as_of = cot_call_value(call, "as-of"),
                                 .out = cot_call_value(call, "out"),
                                 .without_customers = cot_call_flag(call, "without-customers")};
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_call_check_file(call, "out", err);
    if (rc == COT_OK)
        rc = cot_demand_by_parse(cot_call_value(call, "by"), &use.by, err);
    if (rc == COT_OK)
        rc = cot_demand_every_parse(cot_call_value(call, "every"), &use.every, err);
    if (rc == COT_OK)
        rc = cot_demand_measure_parse(cot_call_value(call, "measure"), &use.measure, err);
    if (rc == COT_OK)
        rc = read_numbers(call, &use, err);
    if (rc == COT_OK)
        rc = cot_demand_use_run(&call->context, &use, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_forecast(doc, cot_call_flag(call, "backtest"));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_forecast = {
    .name = "forecast",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "what the shop will sell, by product and category, and how much stock that takes",
    .help =
        "Forecasts sales (order lines before refunds) of the shop, its categories and its best products, with 80%\n"
        "intervals; products sum to categories, categories to the shop. Each series is served by what earned it:\n"
        "origins lie a horizon apart back in time, models and naive rules forecast from what was known by then, and\n"
        "a model that does not beat every naive rule there does not serve (the series' own origins count, and as\n"
        "far as they are few, those of all series of its level). --backtest shows what would have been said at past\n"
        "origins, with the products, categories, calendar and choices of then, and what that was worth. Weekdays on "
        "which the shop never sells are no steps; days on which a shop that sells\n"
        "daily sold nothing are taken for holidays, and are expected to come again on their date. An order line\n"
        "that its customer gave back whole within a day is no demand.\n\n"
        "What the shop's customers are to order, each by their own rate and chance of having left (Pareto/NBD), and\n"
        "those yet to come, is one more forecast of the shop. It is weighted by what it missed at past origins, and\n"
        "is left out where it did not make the shop's forecast better there.\n\n"
        "With --lead-time or --service-level each product gets an order-up-to level: the stock, in hand and on\n"
        "order, that lasts until the order after the next one is delivered, with that chance.\n\n"
        "  coterie forecast --horizon 8 --backtest\n"
        "  coterie forecast --every day --horizon 14 --lead-time 5 --service-level 0.98 --top 200 --out demand.csv\n"
        "  coterie forecast --by shop --measure revenue --as-of 2011-09-30 --json",
    .options = options,
    .run = run,
};
