#include "engine/lab_forecast.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/dict.h"
#include "base/json.h"
#include "base/threads.h"
#include "num/check.h"
#include "store/reader.h"

enum { COLUMN_SERIES, COLUMN_TIME, COLUMN_VALUE, N_COLUMNS, TIME_SIZE = 40 };

static const char *const column_names[N_COLUMNS] = {"series", "time", "value"};

struct series {
    double *values;
    size_t n, capacity;
    char last_time[TIME_SIZE];
    /* the forecast */
    enum cot_forecast_method method;
    double *mean, *low, *high; /* one allocation, at mean */
};

struct file {
    const char *path;
    struct cot_dict names;
    struct series *series;
    size_t capacity;
    size_t n_values, n_missing;
    size_t columns[N_COLUMNS];
};

static void file_release(struct file *file)
{
    for (size_t i = 0; i < file->names.n; i++) {
        free(file->series[i].values);
        free(file->series[i].mean);
    }
    free(file->series);
    cot_dict_release(&file->names);
}

/* ---- reading ---- */

static cot_code find_columns(struct file *file, const struct cot_reader_info *info, struct cot_err *err)
{
    for (size_t c = 0; c < N_COLUMNS; c++) {
        file->columns[c] = info->n_columns;
        for (size_t i = 0; i < info->n_columns; i++)
            if (strcmp(info->columns[i], column_names[c]) == 0)
                file->columns[c] = i;
        if (file->columns[c] == info->n_columns)
            return cot_fail(err, COT_BAD_DATA, "%s has no column '%s': its columns are to be series, time and value",
                            file->path, column_names[c]);
    }
    return COT_OK;
}

/* Text of a cell with an end; what does not fit is cut. */
static void copy_cell(const struct cot_cell *cell, char ret_text[TIME_SIZE])
{
    size_t n = cell->size < TIME_SIZE - 1 ? cell->size : TIME_SIZE - 1;
    memcpy(ret_text, cell->data, n);
    ret_text[n] = '\0';
}

static bool parse_number(const char *text, double *ret_value)
{
    char *end = NULL;
    *ret_value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret_value);
}

/* Numbers by value, all else as text: 1998-02 follows 1998-01. */
static bool goes_back(const char *before, const char *now)
{
    double a = 0;
    double b = 0;
    if (parse_number(before, &a) && parse_number(now, &b))
        return b <= a;
    return strcmp(now, before) <= 0;
}

static cot_code series_of(struct file *file, const struct cot_cell *name, struct series **ret_series,
                          struct cot_err *err)
{
    size_t n = file->names.n;
    uint32_t number = 0;
    cot_code rc = cot_dict_add(&file->names, 0, name->data, name->size, &number, err);
    if (rc != COT_OK)
        return rc;
    if (file->names.n > n) {
        struct series *grown = cot_array_reserve(file->series, &file->capacity, n + 1, sizeof *grown);
        if (grown == NULL) {
            cot_dict_truncate(&file->names, n);
            return cot_fail(err, COT_NOMEM, "%zu series", n + 1);
        }
        file->series = grown;
        file->series[n] = (struct series){0};
    }
    *ret_series = file->series + number;
    return COT_OK;
}

static cot_code take_row(struct file *file, const struct cot_batch *batch, size_t row, struct cot_err *err)
{
    const struct cot_cell *name = cot_batch_cell(batch, row, file->columns[COLUMN_SERIES]);
    unsigned long long line = batch->lines[row];
    char time[TIME_SIZE];
    char text[TIME_SIZE];
    double value = 0;
    struct series *series = NULL;
    copy_cell(cot_batch_cell(batch, row, file->columns[COLUMN_TIME]), time);
    copy_cell(cot_batch_cell(batch, row, file->columns[COLUMN_VALUE]), text);
    cot_code rc = series_of(file, name, &series, err);
    if (rc != COT_OK)
        return rc;
    if (series->last_time[0] != '\0' && goes_back(series->last_time, time))
        return cot_fail(err, COT_BAD_DATA,
                        "%s, line %llu: time '%s' of series '%.*s' does not come after '%s': sort by time", file->path,
                        line, time, (int)name->size, name->data, series->last_time);
    memcpy(series->last_time, time, sizeof time);
    if (text[0] == '\0') {
        file->n_missing++;
        return COT_OK;
    }
    if (!parse_number(text, &value))
        return cot_fail(err, COT_BAD_DATA, "%s, line %llu: value '%s' is not a finite number", file->path, line, text);
    double *grown = cot_array_reserve(series->values, &series->capacity, series->n + 1, sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu values", series->n + 1);
    series->values = grown;
    series->values[series->n++] = value;
    file->n_values++;
    return COT_OK;
}

static cot_code read_file(struct file *file, struct cot_err *err)
{
    const struct cot_reader_options options = {0};
    struct cot_reader *reader = NULL;
    struct cot_batch batch = {0};
    bool more = true;
    cot_code rc = cot_reader_open(file->path, &options, &reader, err);
    if (rc == COT_OK)
        rc = find_columns(file, cot_reader_info(reader), err);
    while (rc == COT_OK && (rc = cot_reader_next(reader, &batch, &more, err)) == COT_OK && more) {
        if (batch.n_rejects > 0)
            rc = cot_fail(err, COT_BAD_DATA, "%s, line %llu: %s", file->path, (unsigned long long)batch.rejects[0].line,
                          batch.rejects[0].reason);
        for (size_t row = 0; row < batch.n_rows && rc == COT_OK; row++)
            rc = take_row(file, &batch, row, err);
    }
    cot_batch_release(&batch);
    cot_reader_close(reader);
    if (rc == COT_OK && file->n_values == 0)
        rc = cot_fail(err, COT_BAD_DATA, "%s holds no value", file->path);
    return rc;
}

/* ---- forecasts ---- */

struct work {
    const struct cot_lab_forecast_options *options;
    struct file *file;
    cot_code *codes; /* one a series */
    struct cot_err *errs;
};

/* Values that the forecast may see; 0: none. */
static size_t n_known(const struct series *series, const struct cot_lab_forecast_options *options)
{
    if (!options->backtest)
        return series->n;
    return series->n > options->horizon ? series->n - options->horizon : 0;
}

static void forecast_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct work *work = context;
    size_t horizon = work->options->horizon;
    const struct cot_forecast_options how = {.method = work->options->method, .season = work->options->season};
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        struct series *s = work->file->series + i;
        size_t n = n_known(s, work->options);
        if (n == 0)
            continue;
        s->mean = cot_alloc_array(horizon, 3, sizeof *s->mean);
        if (s->mean == NULL) {
            work->codes[i] = cot_fail(work->errs + i, COT_NOMEM, "%zu steps ahead", horizon);
            continue;
        }
        s->low = s->mean + horizon;
        s->high = s->low + horizon;
        work->codes[i] =
            cot_forecast(s->values, n, &how, horizon, s->mean, s->low, s->high, &s->method, work->errs + i);
    }
}

static cot_code forecast_all(const struct cot_context *context, const struct cot_lab_forecast_options *options,
                             struct file *file, struct cot_err *err)
{
    enum { BLOCK = 8 };
    size_t n = file->names.n;
    struct work work = {.options = options, .file = file};
    cot_code rc = COT_OK;
    work.codes = cot_alloc_array(n, 1, sizeof *work.codes);
    work.errs = cot_alloc_array(n, 1, sizeof *work.errs);
    if (work.codes == NULL || work.errs == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu series", n);
    else
        cot_parallel_for(context->n_threads, n, BLOCK, forecast_block, &work);
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        if (work.codes[i] != COT_OK)
            rc = cot_fail(err, work.codes[i], "series %zu (counted from 0): %s", i, work.errs[i].message);
    free(work.codes);
    free(work.errs);
    return rc;
}

/* ---- scores ---- */

/* Mean absolute seasonal difference of the known values: what MASE divides by; 0 where there is none. */
static double naive_error(const double *values, size_t n, size_t season)
{
    double sum = 0;
    if (n <= season)
        return 0;
    for (size_t i = season; i < n; i++)
        sum += fabs(values[i] - values[i - season]);
    return sum / (double)(n - season);
}

static void add_scores(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct file *file,
                       const struct cot_lab_forecast_options *options)
{
    size_t horizon = options->horizon;
    size_t n_series = 0;
    size_t n_scaled = 0;
    double smape = 0;
    double absolute = 0;
    double squared = 0;
    double scaled = 0;
    double covered = 0;
    yyjson_mut_val *scores = yyjson_mut_obj_add_obj(doc, root, "scores");
    for (size_t i = 0; i < file->names.n; i++) {
        const struct series *s = file->series + i;
        if (s->mean == NULL)
            continue;
        size_t known = n_known(s, options);
        const double *actual = s->values + known;
        double unit = naive_error(s->values, known, options->season > 1 ? options->season : 1);
        double sum = 0;
        n_series++;
        smape += cot_forecast_smape(s->mean, actual, horizon);
        for (size_t h = 0; h < horizon; h++) {
            sum += fabs(s->mean[h] - actual[h]);
            squared += (s->mean[h] - actual[h]) * (s->mean[h] - actual[h]);
            covered += s->low[h] <= actual[h] && actual[h] <= s->high[h];
        }
        absolute += sum;
        if (unit > 0) {
            scaled += sum / (double)horizon / unit;
            n_scaled++;
        }
    }
    double n = (double)n_series * (double)horizon;
    yyjson_mut_obj_add_uint(doc, scores, "series", n_series);
    cot_json_add_number(doc, scores, "smape", smape / (double)n_series);
    cot_json_add_number(doc, scores, "mae", absolute / n);
    cot_json_add_number(doc, scores, "rmse", sqrt(squared / n));
    cot_json_add_number(doc, scores, "mase", scaled / (double)n_scaled);
    cot_json_add_number(doc, scores, "coverage", covered / n);
}

/* ---- the document ---- */

static void add_numbers(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const double *values, size_t n)
{
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, object, key);
    for (size_t i = 0; i < n; i++)
        yyjson_mut_arr_add_real(doc, array, values[i]);
}

static void add_forecasts(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct file *file, size_t horizon)
{
    size_t chosen[COT_FORECAST_N_METHODS] = {0};
    yyjson_mut_val *counts = yyjson_mut_obj(doc);
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < file->names.n; i++) {
        const struct series *s = file->series + i;
        const struct cot_dict_entry *name = cot_dict_entry(&file->names, (uint32_t)i);
        if (s->mean == NULL)
            continue;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strncpy(doc, object, "series", name->text, name->size);
        yyjson_mut_obj_add_str(doc, object, "method", cot_forecast_method_name(s->method));
        add_numbers(doc, object, "mean", s->mean, horizon);
        add_numbers(doc, object, "low", s->low, horizon);
        add_numbers(doc, object, "high", s->high, horizon);
        chosen[s->method]++;
    }
    for (int m = 0; m < COT_FORECAST_N_METHODS; m++)
        if (chosen[m] > 0)
            yyjson_mut_obj_add_uint(doc, counts, cot_forecast_method_name((enum cot_forecast_method)m), chosen[m]);
    yyjson_mut_obj_add_val(doc, root, "chosen", counts);
    yyjson_mut_obj_add_val(doc, root, "forecasts", array);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

cot_code cot_lab_forecast_run(const struct cot_context *context, const struct cot_lab_forecast_options *options,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct file file = {.path = options->input};
    double seconds = 0;
    size_t n_forecast = 0;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_dict_init(&file.names);
    cot_code rc = read_file(&file, err);
    if (rc == COT_OK) {
        double start = seconds_now();
        rc = forecast_all(context, options, &file, err);
        seconds = seconds_now() - start;
    }
    for (size_t i = 0; i < file.names.n; i++)
        n_forecast += file.series[i].mean != NULL;
    if (rc == COT_OK && n_forecast == 0)
        rc = cot_fail(err, COT_BAD_DATA, "%s: no series has more than the %zu values that --backtest holds back",
                      options->input, options->horizon);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK) {
        yyjson_mut_obj_add_str(doc, root, "method", cot_forecast_method_name(options->method));
        yyjson_mut_obj_add_uint(doc, root, "season", options->season > 1 ? options->season : 1);
        yyjson_mut_obj_add_uint(doc, root, "horizon", options->horizon);
        yyjson_mut_obj_add_uint(doc, root, "series", file.names.n);
        yyjson_mut_obj_add_uint(doc, root, "values", file.n_values);
        yyjson_mut_obj_add_uint(doc, root, "missing", file.n_missing);
        yyjson_mut_obj_add_real(doc, root, "seconds", seconds);
        if (options->backtest)
            add_scores(doc, root, &file, options);
        else
            yyjson_mut_obj_add_null(doc, root, "scores");
        add_forecasts(doc, root, &file, options->horizon);
        *ret_doc = doc;
    }
    file_release(&file);
    return rc;
}
