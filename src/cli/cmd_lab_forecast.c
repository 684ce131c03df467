#include "cli/command.h"
#include "cli/table.h"
#include "engine/lab_forecast.h"

enum { MAX_HORIZON = 1000, MAX_SEASON = 1000, SHOWN = 10 };

static double number_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_num(yyjson_mut_obj_get(object, key));
}

static void print_chosen(yyjson_mut_val *chosen)
{
    yyjson_mut_val *key = NULL;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(chosen);
    printf("methods:");
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        const char *name = yyjson_mut_get_str(key);
        printf(" %s %.0f", name != NULL ? name : "-", yyjson_mut_get_num(yyjson_mut_obj_iter_get_val(key)));
    }
    printf("\n");
}

/* The first series' next step and the last one that is forecast. */
static void print_series(yyjson_mut_doc *doc, yyjson_mut_val *forecasts)
{
    static const struct cot_column columns[] = {
        {"series", "series", COT_FORMAT_TEXT, 40},
        {"method", "method", COT_FORMAT_TEXT, 0},
        {"first", "next", COT_FORMAT_NUMBER, 0},
        {"first_low", "low", COT_FORMAT_NUMBER, 0},
        {"first_high", "high", COT_FORMAT_NUMBER, 0},
        {"last", "last", COT_FORMAT_NUMBER, 0},
        {"last_low", "low", COT_FORMAT_NUMBER, 0},
        {"last_high", "high", COT_FORMAT_NUMBER, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const char *const keys[][3] = {
        {"mean", "first", "last"}, {"low", "first_low", "last_low"}, {"high", "first_high", "last_high"}};
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    size_t n = yyjson_mut_arr_size(forecasts);
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        yyjson_mut_val *forecast = yyjson_mut_arr_get(forecasts, i);
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_strcpy(doc, row, "series", yyjson_mut_get_str(yyjson_mut_obj_get(forecast, "series")));
        yyjson_mut_obj_add_strcpy(doc, row, "method", yyjson_mut_get_str(yyjson_mut_obj_get(forecast, "method")));
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            yyjson_mut_val *values = yyjson_mut_obj_get(forecast, keys[k][0]);
            yyjson_mut_obj_add_real(doc, row, keys[k][1], yyjson_mut_get_num(yyjson_mut_arr_get_first(values)));
            yyjson_mut_obj_add_real(doc, row, keys[k][2], yyjson_mut_get_num(yyjson_mut_arr_get_last(values)));
        }
    }
    cot_table_print(stdout, rows, columns);
    if (n > SHOWN)
        printf("... and %zu more; --json has them all\n", n - SHOWN);
}

static void print_outcome(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *scores = yyjson_mut_obj_get(root, "scores");
    printf("%.0f series, %.0f values, %.0f missing; %.0f steps ahead in %.2f s\n", number_of(root, "series"),
           number_of(root, "values"), number_of(root, "missing"), number_of(root, "horizon"),
           number_of(root, "seconds"));
    print_chosen(yyjson_mut_obj_get(root, "chosen"));
    print_series(doc, yyjson_mut_obj_get(root, "forecasts"));
    if (!yyjson_mut_is_obj(scores))
        return;
    printf("\nheld back, %.0f series: sMAPE %.2f, MASE %.3f, MAE %.4g, RMSE %.4g; 80%% intervals held %.1f%%\n",
           number_of(scores, "series"), number_of(scores, "smape"), number_of(scores, "mase"), number_of(scores, "mae"),
           number_of(scores, "rmse"), 100 * number_of(scores, "coverage"));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_lab_forecast_options options = {.input = cot_call_value(call, "input"),
                                               .backtest = cot_call_flag(call, "backtest")};
    const char *method = cot_call_value(call, "method");
    yyjson_mut_doc *doc = NULL;
    int64_t horizon = 0;
    int64_t season = 1;
    cot_code rc = cot_call_int(call, "horizon", 1, MAX_HORIZON, &horizon, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "season", 1, MAX_SEASON, &season, err);
    if (rc == COT_OK && method != NULL)
        rc = cot_forecast_method_parse(method, &options.method, err);
    if (rc == COT_OK && (options.input == NULL || horizon == 0))
        rc = cot_fail(err, COT_USAGE, "lab forecast needs --input FILE and --horizon H");
    if (rc != COT_OK)
        return rc;
    options.horizon = (size_t)horizon;
    options.season = (unsigned)season;
    rc = cot_lab_forecast_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_outcome(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options_of_lab_forecast[] = {
    {"input", "FILE", "columns series, time and value: a row a value, each series in order of time"},
    {"horizon", "H", "how many steps ahead"},
    {"method", "NAME",
     "auto (default: combined, or imapa for many zeros, unless another was clearly better at a series' last origins), "
     "naive, snaive, mean, ses, damped, theta, dotm, ets, combined (the mean of ets, theta and dotm), croston, sba, "
     "tsb, "
     "adida or imapa"},
    {"season", "N", "values a season: 12 for months, 7 for days (default 1: none)"},
    {"backtest", NULL, "hold the last H values of each series back and score the forecasts of them"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_lab_forecast = {
    .name = "lab forecast",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "forecast the series of a file, without a shop",
    .help = "Forecasts each series with an 80% interval. With --backtest the last values are held back and the\n"
            "forecasts scored on them: sMAPE and MASE (means over series), MAE and RMSE (over all values).\n\n"
            "  coterie lab forecast --input demand.csv --horizon 6 --season 12\n"
            "  coterie lab forecast --input parts.csv --horizon 12 --method tsb --backtest --json",
    .options = options_of_lab_forecast,
    .run = run,
    .leaves_store = true,
};
