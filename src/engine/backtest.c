#include "engine/backtest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/segment_json.h"
#include "engine/shop_purchases.h"
#include "ml/league.h"
#include "store/store.h"

static const char *const measures[COT_N_QUESTIONS] = {"rmse", "rmse", "log_loss"};

enum { DEFAULT_FOLDS = 3, FOLD_HORIZONS = 4, MAX_DAYS = 3650 };

static cot_code parse_horizons(const char *text, unsigned *ret_horizons, size_t *ret_n, struct cot_err *err)
{
    const char *at = text;
    *ret_n = 0;
    for (;;) {
        char *end = NULL;
        errno = 0;
        long days = strtol(at, &end, 10);
        if (end == at || errno != 0 || days < 1 || days > MAX_DAYS || (*end != ',' && *end != '\0') ||
            *ret_n == COT_BACKTEST_MAX_HORIZONS)
            return cot_fail(err, COT_USAGE, "--horizon is '%s': 1 to %d numbers of days up to %d, such as 30,90", text,
                            (int)COT_BACKTEST_MAX_HORIZONS, (int)MAX_DAYS);
        ret_horizons[(*ret_n)++] = (unsigned)days;
        if (*end == '\0')
            return COT_OK;
        at = end + 1;
    }
}

static void add_question(yyjson_mut_doc *doc, yyjson_mut_val *questions, const struct cot_league_result *result)
{
    size_t n = 0;
    const struct cot_candidate *candidates = cot_league_candidates(result->question, &n);
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, questions);
    bool beats = !candidates[result->best].naive;
    yyjson_mut_obj_add_str(doc, object, "question", cot_question_name(result->question));
    yyjson_mut_obj_add_str(doc, object, "measure", measures[result->question]);
    yyjson_mut_obj_add_uint(doc, object, "predictions", result->n);
    yyjson_mut_obj_add_str(doc, object, "best", candidates[result->best].name);
    yyjson_mut_obj_add_str(doc, object, "best_naive", candidates[result->best_naive].name);
    yyjson_mut_obj_add_str(doc, object, "serves", candidates[beats ? result->best : result->best_naive].name);
    yyjson_mut_obj_add_bool(doc, object, "beats_naive", beats);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "candidates");
    for (size_t c = 0; c < n; c++) {
        const struct cot_candidate_score *score = result->scores + c;
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_str(doc, row, "name", candidates[c].name);
        yyjson_mut_obj_add_str(doc, row, "title", candidates[c].title);
        yyjson_mut_obj_add_bool(doc, row, "naive", candidates[c].naive);
        cot_json_add_number(doc, row, "score", score->score);
        cot_json_add_number(doc, row, "spearman", score->spearman);
        cot_json_add_number(doc, row, "total_error", score->total_error);
        if (result->question != COT_QUESTION_CHURN)
            continue;
        cot_json_add_number(doc, row, "calibration_error", score->calibration_error);
        cot_json_add_number(doc, row, "calibration_band", score->calibration_band);
    }
    if (result->question != COT_QUESTION_SPEND)
        return;
    yyjson_mut_val *interval = yyjson_mut_obj_add_obj(doc, object, "interval");
    yyjson_mut_obj_add_real(doc, interval, "nominal", 0.8);
    cot_json_add_number(doc, interval, "coverage", result->interval.coverage);
    cot_json_add_number(doc, interval, "share_positive", result->interval.share_positive);
    cot_json_add_number(doc, interval, "coverage_positive", result->interval.coverage_positive);
}

static cot_code add_horizon(const struct cot_context *context, const struct cot_purchases *purchases, unsigned days,
                            unsigned max_folds, yyjson_mut_doc *doc, yyjson_mut_val *horizons, struct cot_err *err)
{
    struct cot_league_result results[COT_N_QUESTIONS];
    cot_code rc = cot_league_run(purchases, days, max_folds, context->n_threads, context->seed, results, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, horizons);
    yyjson_mut_obj_add_uint(doc, object, "days", days);
    yyjson_mut_obj_add_uint(doc, object, "folds", results[0].n_folds);
    yyjson_mut_obj_add_uint(doc, object, "needs_days", (uint64_t)days * FOLD_HORIZONS);
    yyjson_mut_val *questions = yyjson_mut_obj_add_arr(doc, object, "questions");
    for (int q = 0; q < COT_N_QUESTIONS && results[0].n_folds > 0; q++)
        add_question(doc, questions, results + q);
    cot_league_release(results);
    return COT_OK;
}

static void add_day(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int32_t day)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_date((int64_t)day * 86400000, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static cot_code describe(const struct cot_context *context, const struct cot_shop *shop,
                         const struct cot_backtest_options *options, const unsigned *horizons, size_t n_horizons,
                         yyjson_mut_doc *doc, struct cot_err *err)
{
    struct cot_shop_purchases purchases = {0};
    char as_of[COT_TIME_TEXT_SIZE];
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    unsigned max_folds = options->max_folds > 0 ? options->max_folds : DEFAULT_FOLDS;
    cot_code rc = cot_shop_purchases_make(shop, &purchases, err);
    if (rc != COT_OK)
        return rc;
    cot_format_time(shop->history.as_of_ms, as_of, sizeof as_of);
    yyjson_mut_obj_add_strcpy(doc, root, "as_of", as_of);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", shop->currency);
    yyjson_mut_obj_add_uint(doc, root, "customers", purchases.purchases.n);
    add_day(doc, root, "first_day", purchases.purchases.first_day);
    add_day(doc, root, "last_day", purchases.purchases.last_day);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "horizons");
    for (size_t h = 0; h < n_horizons && rc == COT_OK; h++) {
        cot_progress_report(&context->progress, "backtest", h, n_horizons);
        rc = add_horizon(context, &purchases.purchases, horizons[h], max_folds, doc, array, err);
    }
    cot_progress_report(&context->progress, "backtest", n_horizons, n_horizons);
    cot_shop_purchases_release(&purchases);
    return rc;
}

cot_code cot_backtest_run(const struct cot_context *context, const struct cot_backtest_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_shop *shop = NULL;
    struct cot_store_options store_options = {.mode = COT_STORE_READ_ONLY, .n_threads = context->n_threads};
    struct cot_shop_options shop_options = {
        .as_of_ms = COT_AS_OF_LAST_DAY, .n_threads = context->n_threads, .progress = &context->progress};
    unsigned horizons[COT_BACKTEST_MAX_HORIZONS];
    size_t n_horizons = 0;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    if (doc == NULL)
        return cot_fail(err, COT_NOMEM, "backtest");
    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    cot_code rc =
        parse_horizons(options->horizons != NULL ? options->horizons : "30,90,365", horizons, &n_horizons, err);
    if (rc == COT_OK)
        rc = cot_store_open(context->data_dir, &store_options, &store, err);
    if (rc == COT_OK && options->as_of != NULL)
        rc = cot_shop_as_of(store, options->as_of, &shop_options.as_of_ms, err);
    if (rc == COT_OK)
        rc = cot_shop_load(store, &shop_options, &shop, err);
    if (rc == COT_OK)
        rc = describe(context, shop, options, horizons, n_horizons, doc, err);
    cot_shop_free(shop);
    cot_store_close(store);
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}
