#include "engine/report_predictions.h"

#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "engine/prediction_newest.h"
#include "engine/shop_origins.h"
#include "store/store.h"

enum { N_ORDERS = 7, N_SILENT = 7 };

struct bin {
    int32_t least;
    const char *label;
};

static const struct bin order_bins[N_ORDERS] = {{1, "1"},   {2, "2"},      {3, "3"},   {4, "4–5"},
                                                {6, "6–9"}, {10, "10–19"}, {20, "20+"}};
static const struct bin silent_bins[N_SILENT] = {{0, "0–7"},     {8, "8–30"},      {31, "31–60"}, {61, "61–90"},
                                                 {91, "91–180"}, {181, "181–365"}, {366, "366+"}};

static size_t bin_of(const struct bin *bins, size_t n, int32_t value)
{
    size_t b = n - 1;
    while (b > 0 && value < bins[b].least)
        b--;
    return b;
}

struct matrix {
    double churn[N_ORDERS][N_SILENT];
    uint64_t customers[N_ORDERS][N_SILENT];
};

/* Days with an order and days of silence of a customer, as of a day; 0 days where there is none. */
static cot_code measure(const struct cot_shop *shop, struct cot_view *view, uint32_t customer, int64_t as_of_ms,
                        int32_t *ret_days, int32_t *ret_silent, struct cot_err *err)
{
    const struct cot_people *people = &shop->history.people;
    uint32_t begin = people->starts[customer];
    struct cot_run run = {0};
    int32_t last = INT32_MIN;
    int32_t n = 0;
    cot_code rc = cot_view_make(view, &shop->history.timelines, people->nodes + begin,
                                people->starts[customer + 1] - begin, &run, err);
    size_t n_entries = rc == COT_OK ? cot_run_until(&run, as_of_ms) : 0;
    for (size_t i = 0; i < n_entries; i++) {
        if (cot_entry_kind(run.entries + i) != COT_EVENT_ORDER_LINE)
            continue;
        int32_t day = cot_shop_day(shop, cot_entry_ms(run.entries + i));
        n += day > last;
        last = day > last ? day : last;
    }
    *ret_days = n;
    *ret_silent = cot_shop_day(shop, as_of_ms) - last;
    return rc;
}

static cot_code fill(struct cot_store *store, const struct cot_shop *shop, int64_t run_id, struct matrix *matrix,
                     struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_view view = {0};
    int64_t as_of_ms = 0;
    bool more = false;
    cot_code rc = cot_store_number(store, &as_of_ms, err,
                                   "select epoch_ms(as_of) from prediction_run where run_id = %" PRId64, run_id);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, "select customer, churn from prediction where run_id = %" PRId64, run_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t customer = cot_shop_customer_of(shop, (uint32_t)cot_rows_int(rows, 0));
        int32_t days = 0;
        int32_t silent = 0;
        if (customer == COT_NO_CUSTOMER || !cot_history_allows(&shop->history, customer, COT_PREDICTION_PURPOSE))
            continue;
        rc = measure(shop, &view, customer, as_of_ms, &days, &silent, err);
        if (rc != COT_OK || days == 0)
            continue;
        size_t f = bin_of(order_bins, N_ORDERS, days);
        size_t r = bin_of(silent_bins, N_SILENT, silent);
        matrix->customers[f][r]++;
        matrix->churn[f][r] += cot_rows_double(rows, 1);
    }
    cot_rows_close(rows);
    cot_view_release(&view);
    return rc;
}

static void add_matrix(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct matrix *matrix)
{
    yyjson_mut_val *orders = yyjson_mut_obj_add_arr(doc, object, "orders");
    yyjson_mut_val *silent = yyjson_mut_obj_add_arr(doc, object, "silent");
    yyjson_mut_val *customers = yyjson_mut_obj_add_arr(doc, object, "customers");
    yyjson_mut_val *churn = yyjson_mut_obj_add_arr(doc, object, "churn");
    for (size_t r = 0; r < N_SILENT; r++)
        yyjson_mut_arr_add_str(doc, silent, silent_bins[r].label);
    for (size_t f = 0; f < N_ORDERS; f++) {
        yyjson_mut_val *counts = yyjson_mut_arr_add_arr(doc, customers);
        yyjson_mut_val *chances = yyjson_mut_arr_add_arr(doc, churn);
        yyjson_mut_arr_add_str(doc, orders, order_bins[f].label);
        for (size_t r = 0; r < N_SILENT; r++) {
            uint64_t n = matrix->customers[f][r];
            yyjson_mut_arr_add_uint(doc, counts, n);
            if (n > 0)
                yyjson_mut_arr_add_real(doc, chances, cot_json_round(matrix->churn[f][r] / (double)n, 4));
            else
                yyjson_mut_arr_add_null(doc, chances);
        }
    }
}

/* The run whose chances are shown: the longest horizon that was tested, else the first. */
static yyjson_mut_val *shown_run(yyjson_mut_val *runs)
{
    yyjson_mut_val *shown = yyjson_mut_arr_get_first(runs);
    size_t i, n;
    yyjson_mut_val *run;
    yyjson_mut_arr_foreach(runs, i, n, run) /* by horizon */
        if (yyjson_mut_get_sint(yyjson_mut_obj_get(run, "folds")) > 0) shown = run;
    return shown;
}

static void consent_of(void *context, const uint32_t *nodes, size_t n, bool *ret_allowed)
{
    const struct cot_shop *shop = context;
    for (size_t i = 0; i < n; i++) {
        uint32_t customer = cot_shop_customer_of(shop, nodes[i]);
        ret_allowed[i] =
            customer != COT_NO_CUSTOMER && cot_history_allows(&shop->history, customer, COT_PREDICTION_PURPOSE);
    }
}

cot_code cot_report_predictions_add(struct cot_store *store, const struct cot_shop *shop, yyjson_mut_doc *doc,
                                    yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_prediction_consent consent = {consent_of, (void *)(uintptr_t)shop};
    struct matrix matrix = {0};
    yyjson_mut_val *runs = yyjson_mut_arr(doc);
    cot_code rc = cot_prediction_newest_add(store, shop->history.as_of_ms, &consent, doc, runs, err);
    if (rc == COT_OK && yyjson_mut_arr_size(runs) == 0)
        yyjson_mut_obj_add_null(doc, root, "predictions");
    if (rc != COT_OK || yyjson_mut_arr_size(runs) == 0)
        return rc;
    yyjson_mut_val *run = shown_run(runs);
    rc = fill(store, shop, yyjson_mut_get_sint(yyjson_mut_obj_get(run, "run")), &matrix, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *predictions = yyjson_mut_obj_add_obj(doc, root, "predictions");
    yyjson_mut_obj_add_val(doc, predictions, "runs", runs);
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, predictions, "matrix");
    yyjson_mut_obj_add_val(doc, object, "run", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(run, "run")));
    yyjson_mut_obj_add_val(doc, object, "days", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(run, "days")));
    add_matrix(doc, object, &matrix);
    return COT_OK;
}
