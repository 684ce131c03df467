#include "engine/predict_customer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { N_REASONS = 3 };

const char *cot_predict_customer_id(const struct cot_shop_league *league, size_t i, char buffer[COT_ANONYMOUS_ID_SIZE],
                                    size_t *ret_size)
{
    uint32_t customer = cot_shop_customer_of(league->shop, league->now.nodes[i]);
    return cot_shop_customer_id(league->shop, customer, buffer, ret_size);
}

struct cot_predict_past cot_predict_past(const struct cot_shop_league *league, size_t i)
{
    const struct cot_purchases *p = &league->now.league.purchases;
    const struct cot_purchase *days = p->days + p->starts[i];
    size_t n = p->starts[i + 1] - p->starts[i];
    struct cot_predict_past past = {.orders = (double)n,
                                    .first_day = days[0].day,
                                    .last_day = days[n - 1].day,
                                    .silent = p->last_day - days[n - 1].day};
    for (size_t k = 0; k < n; k++)
        past.spend += days[k].amount;
    past.usual_gap = n > 1 ? (double)(past.last_day - past.first_day) / (double)(n - 1) : NAN;
    return past;
}

/* By when an order has come, with three chances, as the longest tested horizon tells. */
static void add_next_order(const struct cot_shop_league *league, size_t i, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    static const char *const keys[COT_LEAGUE_NEXT_LEVELS] = {"early", "middle", "late"};
    double days[COT_LEAGUE_NEXT_LEVELS];
    cot_league_next_order(league->newest[cot_shop_league_value_horizon(league)], i, days);
    if (isnan(days[0])) {
        yyjson_mut_obj_add_null(doc, object, "next_order");
        return;
    }
    yyjson_mut_val *next = yyjson_mut_obj_add_obj(doc, object, "next_order");
    for (size_t k = 0; k < COT_LEAGUE_NEXT_LEVELS; k++)
        if (isfinite(days[k]))
            cot_json_add_day(doc, next, keys[k],
                             league->now.league.purchases.last_day + (int32_t)fmax(ceil(days[k]), 1));
        else
            yyjson_mut_obj_add_null(doc, next, keys[k]);
}

static void add_amount(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_served *served,
                       size_t i)
{
    yyjson_mut_val *amount = yyjson_mut_obj_add_obj(doc, object, key);
    cot_json_add_number(doc, amount, "value", served->predicted[i]);
    cot_json_add_number(doc, amount, "low", served->low[i]);
    cot_json_add_number(doc, amount, "high", served->high[i]);
}

/* ---- why ---- */

struct reason {
    const char *title;
    float weight;
};

static int reason_compare(const void *left, const void *right)
{
    float a = fabsf(((const struct reason *)left)->weight);
    float b = fabsf(((const struct reason *)right)->weight);
    return (a < b) - (a > b);
}

static void add_words(yyjson_mut_doc *doc, yyjson_mut_val *why, const struct reason *reasons, size_t n, bool more,
                      unsigned days)
{
    char text[512];
    size_t used = 0;
    size_t told = 0;
    for (size_t c = 0; c < n && told < N_REASONS; c++) {
        bool raises = reasons[c].weight > 0;
        if (raises != more || fabsf(reasons[c].weight) < 0.02F)
            continue;
        int size = snprintf(text + used, sizeof text - used, "%s%s (%+.2f)", told == 0 ? "" : ", ", reasons[c].title,
                            (double)reasons[c].weight);
        if (size < 0 || (size_t)size >= sizeof text - used)
            break;
        used += (size_t)size;
        told++;
    }
    if (told == 0)
        return;
    char line[600];
    snprintf(line, sizeof line, "%s the risk of no order within %u days, as the trees see it: %s",
             more ? "raises" : "lowers", days, text);
    yyjson_mut_arr_add_strcpy(doc, why, line);
}

/* What the trees add to the log odds of churn, the largest first. */
static cot_code add_reasons(const struct cot_shop_league *league, size_t h, size_t i, yyjson_mut_doc *doc,
                            yyjson_mut_val *why, struct cot_err *err)
{
    size_t n_features = league->now.league.n_features;
    size_t n = n_features + COT_LEAGUE_N_OWN;
    float *weights = malloc(n * sizeof *weights);
    struct reason *reasons = malloc(n * sizeof *reasons);
    struct cot_err ignored;
    float start = 0;
    cot_code rc = weights == NULL || reasons == NULL ? cot_fail(err, COT_NOMEM, "reasons") : COT_OK;
    if (rc == COT_OK)
        rc = cot_league_reasons(league->newest[h], COT_QUESTION_CHURN, i, weights, &start, &ignored);
    for (size_t c = 0; c < n && rc == COT_OK; c++)
        reasons[c] = (struct reason){
            c < n_features ? cot_shop_origin_feature(c) : cot_league_own_column(c - n_features), weights[c]};
    if (rc == COT_OK) {
        qsort(reasons, n, sizeof *reasons, reason_compare);
        add_words(doc, why, reasons, n, true, league->horizons[h]);
        add_words(doc, why, reasons, n, false, league->horizons[h]);
    }
    free(weights);
    free(reasons);
    if (rc != COT_OK && rc != COT_NOT_FOUND && rc != COT_NOMEM)
        return cot_fail(err, rc, "%s", ignored.message);
    return rc == COT_NOT_FOUND ? COT_OK : rc;
}

static void add_habit(yyjson_mut_doc *doc, yyjson_mut_val *why, const struct cot_predict_past *past)
{
    char text[160];
    if (past->orders < 2)
        snprintf(text, sizeof text, "one day with an order, %d days ago", past->silent);
    else
        snprintf(text, sizeof text, "%.0f days with an order, one every %.0f days; the last %d days ago", past->orders,
                 past->usual_gap, past->silent);
    yyjson_mut_arr_add_strcpy(doc, why, text);
}

cot_code cot_predict_customer(const struct cot_shop_league *league, size_t i, char tier, yyjson_mut_doc *doc,
                              yyjson_mut_val *object, struct cot_err *err)
{
    char buffer[COT_ANONYMOUS_ID_SIZE];
    const char tier_text[] = {tier, '\0'};
    struct cot_predict_past past = cot_predict_past(league, i);
    size_t size = 0;
    const char *id = cot_predict_customer_id(league, i, buffer, &size);
    yyjson_mut_obj_add_strncpy(doc, object, "customer_id", id, size);
    yyjson_mut_obj_add_strcpy(doc, object, "tier", tier_text);
    yyjson_mut_obj_add_uint(doc, object, "orders", (uint64_t)past.orders);
    yyjson_mut_obj_add_real(doc, object, "spend", past.spend);
    cot_json_add_day(doc, object, "first_order", past.first_day);
    cot_json_add_day(doc, object, "last_order", past.last_day);
    yyjson_mut_obj_add_int(doc, object, "silent_days", past.silent);
    cot_json_add_number(doc, object, "usual_gap_days", past.usual_gap);
    add_next_order(league, i, doc, object);
    yyjson_mut_val *predictions = yyjson_mut_obj_add_arr(doc, object, "predictions");
    for (size_t h = 0; h < league->n_horizons; h++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, predictions);
        yyjson_mut_obj_add_uint(doc, row, "days", league->horizons[h]);
        add_amount(doc, row, "spend", &league->results[h][COT_QUESTION_SPEND].served, i);
        add_amount(doc, row, "orders", &league->results[h][COT_QUESTION_ORDERS].served, i);
        cot_json_add_number(doc, row, "churn", league->results[h][COT_QUESTION_CHURN].served.predicted[i]);
    }
    yyjson_mut_val *why = yyjson_mut_obj_add_arr(doc, object, "why");
    add_habit(doc, why, &past);
    return add_reasons(league, cot_shop_league_value_horizon(league), i, doc, why, err);
}
