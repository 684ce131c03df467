#include "engine/demand_document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/folder.h"
#include "base/json.h"
#include "num/check.h"

static const char *const every_names[] = {"week", "day"};
static const char *const by_names[] = {"product", "category", "shop"};
static const char *const measure_names[] = {"units", "revenue"};

static const char *const level_names[COT_DEMAND_MAX_LEVELS] = {"shop", "category", "product"};

static double rmse_of(const struct cot_demand_score *score)
{
    return score->n > 0 ? sqrt(score->squares / (double)score->n) : NAN;
}

static void add_score(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_demand_level *level, size_t c)
{
    const struct cot_demand_score *score = level->scores + c;
    cot_json_add_number(doc, object, "rmsse", level->n_scaled > 0 ? level->scaled[c] : NAN);
    cot_json_add_number(doc, object, "rmse", rmse_of(score));
    cot_json_add_number(doc, object, "wape", score->actual > 0 ? score->absolute / score->actual : NAN);
}

static void add_methods(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_demand_outcome *o, size_t level)
{
    size_t counts[COT_FORECAST_N_METHODS] = {0};
    yyjson_mut_val *methods = yyjson_mut_obj_add_obj(doc, object, "methods");
    for (size_t i = 0; i < o->result->n_series; i++)
        counts[o->result->forecasts[i].method] += o->now->series[i].level == level;
    for (int m = 0; m < COT_FORECAST_N_METHODS; m++)
        if (counts[m] > 0)
            yyjson_mut_obj_add_uint(doc, methods, cot_forecast_method_name((enum cot_forecast_method)m), counts[m]);
}

static void add_measured(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_demand_outcome *o,
                         const struct cot_demand_level *level)
{
    if (level->n_intervals > 0) {
        yyjson_mut_val *interval = yyjson_mut_obj_add_obj(doc, object, "interval");
        yyjson_mut_obj_add_real(doc, interval, "nominal", 0.8);
        yyjson_mut_obj_add_real(doc, interval, "coverage", (double)level->n_covered / (double)level->n_intervals);
    } else {
        yyjson_mut_obj_add_null(doc, object, "interval");
    }
    if (level->n_stocks > 0) {
        yyjson_mut_val *service = yyjson_mut_obj_add_obj(doc, object, "service");
        yyjson_mut_obj_add_real(doc, service, "nominal", o->use->service_level);
        yyjson_mut_obj_add_real(doc, service, "achieved", (double)level->n_met / (double)level->n_stocks);
        yyjson_mut_obj_add_uint(doc, service, "lead_times", level->n_stocks);
    } else {
        yyjson_mut_obj_add_null(doc, object, "service");
    }
}

static void add_level(yyjson_mut_doc *doc, yyjson_mut_val *levels, const struct cot_demand_outcome *o, size_t l)
{
    const struct cot_demand_level *level = o->result->levels + l;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, levels);
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    size_t naive = 0;
    yyjson_mut_obj_add_str(doc, object, "level", level_names[l]);
    yyjson_mut_obj_add_uint(doc, object, "series", level->n_series);
    for (size_t c = 0; c < COT_DEMAND_N_CANDIDATES; c++) {
        const struct cot_demand_candidate *candidate = cot_demand_candidates + c;
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_str(doc, row, "name", cot_forecast_method_name(candidate->method));
        yyjson_mut_obj_add_str(doc, row, "title", candidate->title);
        yyjson_mut_obj_add_bool(doc, row, "naive", candidate->naive);
        add_score(doc, row, level, c);
        if (candidate->naive && level->scaled[c] < level->scaled[naive])
            naive = c;
    }
    yyjson_mut_obj_add_val(doc, object, "candidates", rows);
    add_score(doc, yyjson_mut_obj_add_obj(doc, object, "serves"), level, COT_DEMAND_SERVES);
    add_score(doc, yyjson_mut_obj_add_obj(doc, object, "reconciled"), level, COT_DEMAND_RECONCILED);
    yyjson_mut_obj_add_str(doc, object, "best_naive", cot_forecast_method_name(cot_demand_candidates[naive].method));
    yyjson_mut_obj_add_bool(doc, object, "beats_naive",
                            level->n_scaled > 0 && level->scaled[COT_DEMAND_RECONCILED] < level->scaled[naive]);
    add_measured(doc, object, o, level);
    add_methods(doc, object, o, l);
}

static double at_step(const struct cot_demand_outcome *o, const double *values, size_t step)
{
    size_t at = cot_demand_open_step(&o->histories->now, step);
    return at == SIZE_MAX ? 0 : values[at];
}

static void add_steps(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_demand_outcome *o,
                      const double *values)
{
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, object, key);
    for (size_t i = 0; i < o->use->horizon; i++)
        yyjson_mut_arr_add_real(doc, array, at_step(o, values, i));
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        yyjson_mut_obj_add_strcpy(doc, object, key, text);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

static double naive_rmse(const struct cot_demand_forecast *forecast)
{
    return rmse_of(forecast->scores + forecast->best_naive);
}

static double own_rmse(const struct cot_demand_forecast *forecast)
{
    size_t c = 0;
    while (cot_demand_candidates[c].method != forecast->method)
        c++;
    return rmse_of(forecast->scores + c);
}

static const char *category_name(const struct cot_demand_history *h, size_t i)
{
    size_t parent = h->series[i].parent;
    return parent != COT_DEMAND_NO_PARENT && parent > 0 ? h->products[parent].name : NULL;
}

static void add_one(yyjson_mut_doc *doc, yyjson_mut_val *array, const struct cot_demand_outcome *o, size_t i)
{
    const struct cot_demand_forecast *forecast = o->result->forecasts + i;
    const struct cot_demand_product *product = o->histories->now.products + i;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
    double total = 0;
    yyjson_mut_obj_add_str(doc, object, "level", level_names[o->now->series[i].level]);
    add_text(doc, object, "id", product->id);
    add_text(doc, object, "name", product->name);
    add_text(doc, object, "category", category_name(&o->histories->now, i));
    yyjson_mut_obj_add_str(doc, object, "method", cot_forecast_method_name(forecast->method));
    yyjson_mut_obj_add_uint(doc, object, "tested", forecast->n_folds);
    yyjson_mut_obj_add_bool(doc, object, "beats_naive", forecast->beats_naive);
    if (forecast->n_folds > 0)
        yyjson_mut_obj_add_str(doc, object, "best_naive",
                               cot_forecast_method_name(cot_demand_candidates[forecast->best_naive].method));
    else
        yyjson_mut_obj_add_null(doc, object, "best_naive");
    cot_json_add_number(doc, object, "against_naive", forecast->against_naive);
    cot_json_add_number(doc, object, "rmse", own_rmse(forecast));
    cot_json_add_number(doc, object, "naive_rmse", naive_rmse(forecast));
    add_steps(doc, object, "mean", o, forecast->mean);
    add_steps(doc, object, "low", o, forecast->low);
    add_steps(doc, object, "high", o, forecast->high);
    for (size_t s = 0; s < o->use->horizon; s++)
        total += at_step(o, forecast->mean, s);
    yyjson_mut_obj_add_real(doc, object, "total", total);
    cot_json_add_number(doc, object, "stock", o->use->stock && product->id[0] != '\0' ? forecast->stock : NAN);
}

/* What the shop's customers say of it, and whether that is listened to. */
static void add_customers(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_demand_outcome *o)
{
    const struct cot_demand_customers *customers = &o->result->customers;
    if (o->now->customers == NULL) {
        yyjson_mut_obj_add_null(doc, root, "customers");
        return;
    }
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "customers");
    yyjson_mut_obj_add_uint(doc, object, "origins", customers->n_pasts);
    yyjson_mut_obj_add_uint(doc, object, "weighed", customers->n_weighed);
    cot_json_add_number(doc, object, "rmse", rmse_of(&customers->said));
    cot_json_add_number(doc, object, "wape",
                        customers->said.actual > 0 ? customers->said.absolute / customers->said.actual : NAN);
    cot_json_add_number(doc, object, "shop_rmse_without", rmse_of(&customers->without));
    cot_json_add_number(doc, object, "shop_rmse_with", rmse_of(&customers->with));
    yyjson_mut_obj_add_bool(doc, object, "serves", customers->serves);
    yyjson_mut_obj_add_real(doc, object, "weight", customers->weight);
    add_steps(doc, object, "mean", o, o->now->customers);
}

/* What would have been said of the shop at each past origin, and what came. */
static void add_backtest(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_demand_outcome *o)
{
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "backtest");
    const double *said = o->result->said;
    for (size_t p = 0; p < o->histories->n_pasts; p++) {
        const struct cot_demand_history *past = o->histories->pasts + p;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        cot_json_add_day(doc, object, "last_day", past->last_day);
        yyjson_mut_obj_add_uint(doc, object, "series", past->n_series);
        yyjson_mut_val *mean = yyjson_mut_obj_add_arr(doc, object, "mean");
        yyjson_mut_val *actual = yyjson_mut_obj_add_arr(doc, object, "actual");
        for (size_t i = 0; i < past->n_calendar_ahead; i++) {
            size_t step = past->steps_ahead[i];
            yyjson_mut_arr_add_real(doc, mean, step == SIZE_MAX ? 0 : said[step]);
            yyjson_mut_arr_add_real(doc, actual, step == SIZE_MAX ? 0 : past->actual[step]);
        }
        said += past->n_ahead;
    }
}

/* The shop's last steps: what the first series is to go on from. */
static void add_past(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_demand_history *h)
{
    enum { SHOWN = 104 };
    yyjson_mut_val *past = yyjson_mut_obj_add_arr(doc, root, "past");
    size_t step = 0;
    bool weeks = h->every == COT_DEMAND_EVERY_WEEK;
    for (int32_t day = h->first_day; day <= h->last_day; day += weeks ? COT_DEMAND_DAYS_A_WEEK : 1) {
        if (!weeks && h->closed_weekday[cot_demand_weekday(day)])
            continue;
        if (step + SHOWN >= h->n_steps) {
            yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, past);
            cot_json_add_day(doc, one, "start", day);
            yyjson_mut_obj_add_real(doc, one, "value", h->series[0].values[step]);
        }
        step++;
    }
}

static void add_calendar(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_demand_outcome *o)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    const struct cot_demand_history *h = &o->histories->now;
    cot_json_add_day(doc, root, "first_day", h->first_day);
    cot_json_add_day(doc, root, "last_day", h->last_day);
    yyjson_mut_obj_add_uint(doc, root, "steps_known", h->n_steps);
    yyjson_mut_val *closed = yyjson_mut_obj_add_arr(doc, root, "closed_weekdays");
    for (int w = 0; w < COT_DEMAND_DAYS_A_WEEK; w++)
        if (h->closed_weekday[w])
            yyjson_mut_arr_add_str(doc, closed, weekdays[w]);
    yyjson_mut_obj_add_uint(doc, root, "days_filled_in", h->n_filled);
    yyjson_mut_val *steps = yyjson_mut_obj_add_arr(doc, root, "steps");
    for (size_t i = 0; i < o->use->horizon; i++) {
        yyjson_mut_val *step = yyjson_mut_arr_add_obj(doc, steps);
        cot_json_add_day(doc, step, "start", cot_demand_next_day(h, i));
        yyjson_mut_obj_add_bool(doc, step, "closed", cot_demand_open_step(h, i) == SIZE_MAX);
    }
}

static void add_head(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_demand_outcome *o)
{
    enum { FIRST_FOLDS = 2 };
    unsigned n_folds = 0;
    for (size_t i = 0; i < o->result->n_series; i++)
        n_folds = o->result->forecasts[i].n_folds > n_folds ? o->result->forecasts[i].n_folds : n_folds;
    cot_json_add_time(doc, root, "as_of", o->histories->now.as_of_ms);
    yyjson_mut_obj_add_str(doc, root, "every", every_names[o->use->every]);
    yyjson_mut_obj_add_str(doc, root, "measure", measure_names[o->use->measure]);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", o->histories->now.currency);
    yyjson_mut_obj_add_str(doc, root, "by", by_names[o->use->by]);
    yyjson_mut_obj_add_uint(doc, root, "horizon", o->use->horizon);
    yyjson_mut_obj_add_uint(doc, root, "season", o->now->season);
    yyjson_mut_obj_add_uint(doc, root, "origins", n_folds);
    yyjson_mut_obj_add_uint(doc, root, "scored_origins", o->result->levels[0].n_scored);
    yyjson_mut_obj_add_uint(doc, root, "needs_steps",
                            COT_DEMAND_LEAST_HISTORY + FIRST_FOLDS * (uint64_t)o->now->horizon);
    if (o->use->stock) {
        yyjson_mut_val *stock = yyjson_mut_obj_add_obj(doc, root, "stock");
        yyjson_mut_obj_add_real(doc, stock, "service_level", o->use->service_level);
        yyjson_mut_obj_add_uint(doc, stock, "lead_time", o->use->lead_time);
    } else {
        yyjson_mut_obj_add_null(doc, root, "stock");
    }
}

cot_code cot_demand_document_fill(const struct cot_demand_outcome *o, yyjson_mut_doc *doc, struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    add_head(doc, root, o);
    add_calendar(doc, root, o);
    add_past(doc, root, &o->histories->now);
    add_customers(doc, root, o);
    add_backtest(doc, root, o);
    yyjson_mut_val *levels = yyjson_mut_obj_add_arr(doc, root, "levels");
    for (size_t l = 0; l < COT_DEMAND_MAX_LEVELS; l++)
        if (o->result->levels[l].n_series > 0)
            add_level(doc, levels, o, l);
    yyjson_mut_val *series = yyjson_mut_obj_add_arr(doc, root, "series");
    for (size_t i = 0; i < o->result->n_series; i++)
        add_one(doc, series, o, i);
    return series != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "forecast");
}

/* ---- the file ---- */

/* Quotes are doubled; a cell that a spreadsheet would take for a formula gets an apostrophe. */
static void put_cell(FILE *file, const char *text)
{
    fputc('"', file);
    if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
        fputc('\'', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputs("\",", file);
}

static void put_series(FILE *file, const struct cot_demand_outcome *o, size_t i)
{
    const struct cot_demand_history *h = &o->histories->now;
    const struct cot_demand_forecast *forecast = o->result->forecasts + i;
    const char *category = category_name(h, i);
    for (size_t s = 0; s < o->use->horizon; s++) {
        char day[COT_TIME_TEXT_SIZE];
        cot_format_date((int64_t)cot_demand_next_day(h, s) * COT_MS_PER_DAY, day, sizeof day);
        fprintf(file, "%s,", level_names[h->series[i].level]);
        put_cell(file, h->products[i].id);
        put_cell(file, h->products[i].name);
        put_cell(file, category != NULL ? category : "");
        fprintf(file, "%s,%.17g,%.17g,%.17g,%s", day, at_step(o, forecast->mean, s), at_step(o, forecast->low, s),
                at_step(o, forecast->high, s), cot_forecast_method_name(forecast->method));
        if (o->use->stock)
            fprintf(file, h->products[i].id[0] != '\0' ? ",%.17g" : ",", forecast->stock);
        fputc('\n', file);
    }
}

cot_code cot_demand_file_write(const struct cot_demand_outcome *o, const char *path, struct cot_err *err)
{
    static const char suffix[] = ".part";
    size_t size = strlen(path) + sizeof suffix;
    char *part = cot_alloc_array(size, 1, 1);
    if (part == NULL)
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    (void)snprintf(part, size, "%s%s", path, suffix);
    FILE *file = fopen(part, "w");
    cot_code rc = COT_OK;
    if (file == NULL) {
        rc = cot_fail(err, COT_IO, "'%s' can't be written: %s", path, strerror(errno));
        free(part);
        return rc;
    }
    fprintf(file, "level,id,name,category,%s,mean,low,high,method%s\n", every_names[o->use->every],
            o->use->stock ? ",stock" : "");
    for (size_t i = 0; i < o->result->n_series; i++)
        put_series(file, o, i);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (failed)
        rc = cot_fail(err, COT_IO, "'%s' can't be written: %s", path, strerror(errno));
    if (rc == COT_OK)
        rc = cot_file_sync(part, err);
    if (rc == COT_OK && rename(part, path) != 0)
        rc = cot_fail(err, COT_IO, "'%s' can't take its name: %s", path, strerror(errno));
    if (rc != COT_OK)
        unlink(part);
    else
        rc = cot_folder_sync_parent(path, err);
    free(part);
    return rc;
}
