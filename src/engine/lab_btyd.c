#include "engine/lab_btyd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/json.h"
#include "coterie/btyd.h"
#include "coterie/spend.h"
#include "engine/transactions.h"
#include "num/check.h"
#include "num/rank.h"

static const char spend_model[] = "gammagamma";

/* Customers as the models see them, and what they did afterwards. Arrays of n. */
struct history {
    size_t n;
    double *x, *tx, *T, *log_gaps;
    double *spend;       /* mean of the repeat purchases, 0 without any */
    double *later;       /* purchases of the holdout */
    double *later_spend; /* mean of them */
};

struct span {
    int32_t begin, end; /* days of the calibration */
    int32_t last;       /* of the holdout; end: there is none */
    double unit;        /* days */
};

static void history_release(struct history *h)
{
    free(h->x);
    free(h->tx);
    free(h->T);
    free(h->log_gaps);
    free(h->spend);
    free(h->later);
    free(h->later_spend);
    *h = (struct history){0};
}

static cot_code history_init(struct history *ret_history, size_t n, struct cot_err *err)
{
    struct history h = {0};
    double **const columns[] = {&h.x, &h.tx, &h.T, &h.log_gaps, &h.spend, &h.later, &h.later_spend};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        *columns[i] = cot_alloc_array(n, 1, sizeof **columns[i]);
        if (*columns[i] == NULL) {
            history_release(&h);
            return cot_fail(err, COT_NOMEM, "%zu customers", n);
        }
    }
    *ret_history = h;
    return COT_OK;
}

/* One customer's days, the first of them in the calibration. */
static void add_customer(struct history *h, const struct cot_purchase_day *days, size_t n, const struct span *span)
{
    size_t i = h->n++;
    double spend = 0;
    double later_spend = 0;
    for (size_t p = 1; p < n && days[p].day <= span->last; p++) {
        if (days[p].day > span->end) {
            h->later[i] += 1;
            later_spend += days[p].amount;
            continue;
        }
        h->x[i] += 1;
        h->tx[i] = (days[p].day - days[0].day) / span->unit;
        h->log_gaps[i] += log((days[p].day - days[p - 1].day) / span->unit);
        spend += days[p].amount;
    }
    h->T[i] = (span->end - days[0].day) / span->unit;
    h->spend[i] = h->x[i] > 0 ? spend / h->x[i] : 0;
    h->later_spend[i] = h->later[i] > 0 ? later_spend / h->later[i] : 0;
}

static cot_code observe(const struct cot_transactions *t, const struct span *span, struct history *ret_history,
                        struct cot_err *err)
{
    cot_code rc = history_init(ret_history, t->n_customers, err);
    for (size_t i = 0; i < t->n && rc == COT_OK;) {
        size_t end = i;
        while (end < t->n && t->days[end].customer == t->days[i].customer)
            end++;
        if (t->days[i].day <= span->end)
            add_customer(ret_history, t->days + i, end - i, span);
        i = end;
    }
    return rc;
}

/* ---- options ---- */

static cot_code parse_day(const char *option, const char *text, int32_t *ret_day, struct cot_err *err)
{
    int64_t ms = 0;
    if (strlen(text) != 10 || !cot_parse_iso(text, strlen(text), &ms))
        return cot_fail(err, COT_USAGE, "%s is '%s': a day such as 1997-09-30", option, text);
    *ret_day = (int32_t)cot_ms_to_days(ms);
    return COT_OK;
}

static void format_day(int32_t day, char ret_text[COT_TIME_TEXT_SIZE])
{
    cot_format_date((int64_t)day * COT_MS_PER_DAY, ret_text, COT_TIME_TEXT_SIZE);
}

static cot_code choose_span(const struct cot_lab_btyd_options *o, const struct cot_transactions *t,
                            struct span *ret_span, struct cot_err *err)
{
    struct span span = {
        .begin = t->first_day, .end = t->first_day + (t->last_day - t->first_day) / 2, .last = t->last_day, .unit = 7};
    cot_code rc = COT_OK;
    char first[COT_TIME_TEXT_SIZE];
    char last[COT_TIME_TEXT_SIZE];
    if (o->unit != NULL && strcmp(o->unit, "day") == 0)
        span.unit = 1;
    else if (o->unit != NULL && strcmp(o->unit, "week") != 0)
        rc = cot_fail(err, COT_USAGE, "--unit is '%s': day or week", o->unit);
    if (rc == COT_OK && o->calibration_end != NULL)
        rc = parse_day("--calibration-end", o->calibration_end, &span.end, err);
    if (rc == COT_OK && o->holdout_end != NULL)
        rc = parse_day("--holdout-end", o->holdout_end, &span.last, err);
    format_day(t->first_day, first);
    format_day(t->last_day, last);
    if (rc == COT_OK && (span.end <= t->first_day || span.end > t->last_day))
        rc = cot_fail(
            err, COT_USAGE,
            "the calibration would end on %s: give --calibration-end a day after %s and not after %s, the first "
            "and last day of the file",
            o->calibration_end != NULL ? o->calibration_end : first, first, last);
    if (rc == COT_OK && (span.last < span.end || span.last > t->last_day))
        rc = cot_fail(err, COT_USAGE, "--holdout-end is %s: not before the calibration's end and not after %s",
                      o->holdout_end != NULL ? o->holdout_end : last, last);
    *ret_span = span;
    return rc;
}

static cot_code choose_model(const char *name, bool *ret_spend, enum cot_btyd_kind *ret_kind, struct cot_err *err)
{
    *ret_spend = strcmp(name, spend_model) == 0;
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++)
        if (strcmp(cot_btyd_kind_name((enum cot_btyd_kind)kind), name) == 0) {
            *ret_kind = (enum cot_btyd_kind)kind;
            return COT_OK;
        }
    return *ret_spend
               ? COT_OK
               : cot_fail(err, COT_USAGE, "--model is '%s': bgnbd, bgcnbdk, mbgcnbdk, pareto or gammagamma", name);
}

/* ---- scores ---- */

static void add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
    if (isfinite(value))
        yyjson_mut_obj_add_real(doc, object, key, value);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

/* Scores of n expected values against what was. */
static cot_code add_scores(yyjson_mut_doc *doc, yyjson_mut_val *holdout, const double *expected, const double *actual,
                           size_t n, struct cot_err *err)
{
    double squares = 0;
    double errors = 0;
    double sum_expected = 0;
    double sum_actual = 0;
    double rho = NAN;
    for (size_t i = 0; i < n; i++) {
        squares += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        errors += fabs(expected[i] - actual[i]);
        sum_expected += expected[i];
        sum_actual += actual[i];
    }
    cot_code rc = cot_spearman(expected, actual, n, &rho, err);
    yyjson_mut_obj_add_uint(doc, holdout, "customers", n);
    add_number(doc, holdout, "rmse", sqrt(squares / (double)n));
    add_number(doc, holdout, "mae", errors / (double)n);
    add_number(doc, holdout, "spearman", rho);
    add_number(doc, holdout, "total_error", sum_expected / sum_actual - 1);
    return rc;
}

/* ---- fits ---- */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void add_fit(yyjson_mut_doc *doc, size_t n, const char *(*name)(const void *model, size_t i), const void *model,
                    const double *parameters, const double *errors)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *params = yyjson_mut_obj_add_obj(doc, root, "params");
    for (size_t i = 0; i < n; i++)
        add_number(doc, params, name(model, i), parameters[i]);
    yyjson_mut_val *standard_errors = yyjson_mut_obj_add_obj(doc, root, "standard_errors");
    for (size_t i = 0; i < n; i++)
        add_number(doc, standard_errors, name(model, i), errors[i]);
}

static const char *count_parameter(const void *model, size_t i)
{
    return cot_btyd_parameter_name(((const struct cot_btyd *)model)->kind, i);
}

static const char *spend_parameter(const void *model, size_t i)
{
    (void)model;
    return cot_spend_parameter_name(i);
}

static cot_code fit_counts(const struct cot_context *context, const struct cot_lab_btyd_options *o,
                           enum cot_btyd_kind kind, const struct history *h, const struct span *span,
                           yyjson_mut_doc *doc, yyjson_mut_val *holdout, struct cot_err *err)
{
    struct cot_btyd_customers customers = {.n = h->n, .x = h->x, .tx = h->tx, .T = h->T, .log_gaps = h->log_gaps};
    struct cot_btyd_options options;
    struct cot_btyd model = {0};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    cot_btyd_options_init(&options, kind);
    options.k = o->k;
    options.prior_weight = o->prior_weight;
    options.n_threads = context->n_threads;
    double start = seconds_now();
    cot_code rc = cot_btyd_fit(&customers, &options, &model, err);
    if (rc != COT_OK)
        return rc;
    double seconds = seconds_now() - start;
    if (kind == COT_BTYD_BGCNBDK || kind == COT_BTYD_MBGCNBDK)
        yyjson_mut_obj_add_uint(doc, root, "k", model.k);
    yyjson_mut_obj_add_uint(doc, root, "customers", model.n);
    yyjson_mut_obj_add_uint(doc, root, "groups", model.n_groups);
    add_fit(doc, COT_BTYD_PARAMETERS, count_parameter, &model, model.parameters, model.standard_errors);
    add_number(doc, root, "log_likelihood", model.log_likelihood);
    yyjson_mut_obj_add_bool(doc, root, "at_boundary", model.at_boundary);
    yyjson_mut_obj_add_real(doc, root, "seconds", seconds);
    if (holdout == NULL)
        return COT_OK;
    double *expected = cot_alloc_array(h->n, 1, sizeof *expected);
    double purchases = 0;
    rc = expected != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "%zu customers", h->n);
    if (rc == COT_OK)
        rc = cot_btyd_score(&model, &customers, (span->last - span->end) / span->unit, context->n_threads, expected,
                            NULL, err);
    for (size_t i = 0; i < h->n; i++)
        purchases += h->later[i];
    yyjson_mut_obj_add_uint(doc, holdout, "purchases", (uint64_t)purchases);
    if (rc == COT_OK)
        rc = add_scores(doc, holdout, expected, h->later, h->n, err);
    free(expected);
    return rc;
}

static cot_code fit_spend(const struct cot_context *context, const struct history *h, yyjson_mut_doc *doc,
                          yyjson_mut_val *holdout, struct cot_err *err)
{
    struct cot_spend model = {0};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    double start = seconds_now();
    cot_code rc = cot_spend_fit(h->n, h->x, h->spend, context->n_threads, &model, err);
    if (rc != COT_OK)
        return rc;
    double seconds = seconds_now() - start;
    yyjson_mut_obj_add_uint(doc, root, "customers", model.n);
    add_fit(doc, COT_SPEND_PARAMETERS, spend_parameter, &model, model.parameters, model.standard_errors);
    add_number(doc, root, "log_likelihood", model.log_likelihood);
    yyjson_mut_obj_add_bool(doc, root, "at_boundary", model.at_boundary);
    yyjson_mut_obj_add_real(doc, root, "seconds", seconds);
    double *values = cot_alloc_array(h->n, 2, sizeof *values);
    size_t n = 0;
    if (values == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", h->n);
    for (size_t i = 0; i < h->n && holdout != NULL; i++)
        if (h->spend[i] > 0 && h->later[i] > 0) {
            values[n] = cot_spend_expected(&model, h->x[i], h->spend[i]);
            values[h->n + n++] = h->later_spend[i];
        }
    if (n > 0)
        rc = add_scores(doc, holdout, values, values + h->n, n, err);
    free(values);
    return rc;
}

static void add_span(yyjson_mut_doc *doc, yyjson_mut_val *object, int32_t begin, int32_t end)
{
    cot_json_add_day(doc, object, "begin", begin);
    cot_json_add_day(doc, object, "end", end);
}

cot_code cot_lab_btyd_run(const struct cot_context *context, const struct cot_lab_btyd_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_transactions transactions = {0};
    struct history history = {0};
    struct span span = {0};
    enum cot_btyd_kind kind = COT_BTYD_BGNBD;
    bool is_spend = false;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    yyjson_mut_val *holdout = NULL;
    cot_code rc = choose_model(options->model, &is_spend, &kind, err);
    if (rc == COT_OK)
        rc = cot_transactions_read(context, options->input, &transactions, err);
    if (rc == COT_OK)
        rc = choose_span(options, &transactions, &span, err);
    if (rc == COT_OK)
        rc = observe(&transactions, &span, &history, err);
    cot_transactions_release(&transactions);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK) {
        history_release(&history);
        return rc;
    }
    yyjson_mut_obj_add_strcpy(doc, root, "model", options->model);
    yyjson_mut_obj_add_str(doc, root, "unit", span.unit > 1 ? "week" : "day");
    add_span(doc, yyjson_mut_obj_add_obj(doc, root, "calibration"), span.begin, span.end);
    if (span.last > span.end) {
        holdout = yyjson_mut_obj_add_obj(doc, root, "holdout");
        add_span(doc, holdout, span.end + 1, span.last);
    } else {
        yyjson_mut_obj_add_null(doc, root, "holdout");
    }
    rc = is_spend ? fit_spend(context, &history, doc, holdout, err)
                  : fit_counts(context, options, kind, &history, &span, doc, holdout, err);
    history_release(&history);
    return cot_json_finish(rc, doc, ret_doc);
}
