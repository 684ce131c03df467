#include "engine/backtest.h"

#include <math.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "store/store.h"

static void add_question(yyjson_mut_doc *doc, yyjson_mut_val *questions, const struct cot_league_result *result)
{
    size_t n = 0;
    const struct cot_candidate *candidates = cot_league_candidates(result->question, &n);
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, questions);
    bool beats = !candidates[result->best].naive;
    yyjson_mut_obj_add_str(doc, object, "question", cot_question_name(result->question));
    yyjson_mut_obj_add_str(doc, object, "measure", cot_question_measure(result->question));
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
    if (result->question == COT_QUESTION_CHURN)
        return;
    yyjson_mut_val *interval = yyjson_mut_obj_add_obj(doc, object, "interval");
    yyjson_mut_obj_add_real(doc, interval, "nominal", 0.8);
    cot_json_add_number(doc, interval, "coverage", result->interval.coverage);
    cot_json_add_number(doc, interval, "share_positive", result->interval.share_positive);
    cot_json_add_number(doc, interval, "coverage_positive", result->interval.coverage_positive);
    yyjson_mut_val *pit = yyjson_mut_obj_add_arr(doc, interval, "pit");
    for (size_t bin = 0; bin < COT_PIT_BINS && isfinite(result->interval.pit[bin]); bin++)
        yyjson_mut_arr_add_real(doc, pit, result->interval.pit[bin]);
}

static void add_next(yyjson_mut_doc *doc, yyjson_mut_val *questions, const struct cot_league_next *next)
{
    const struct cot_candidate *candidates = cot_league_next_candidates();
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, questions);
    bool beats = !candidates[next->best].naive;
    yyjson_mut_obj_add_str(doc, object, "question", "next");
    yyjson_mut_obj_add_str(doc, object, "measure", "pinball");
    yyjson_mut_obj_add_uint(doc, object, "predictions", next->n);
    yyjson_mut_obj_add_str(doc, object, "best", candidates[next->best].name);
    yyjson_mut_obj_add_str(doc, object, "best_naive", candidates[next->best_naive].name);
    yyjson_mut_obj_add_str(doc, object, "serves", candidates[beats ? next->best : next->best_naive].name);
    yyjson_mut_obj_add_bool(doc, object, "beats_naive", beats);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "candidates");
    for (size_t c = 0; c < COT_LEAGUE_NEXT_CANDIDATES; c++) {
        static const char *const keys[COT_LEAGUE_NEXT_LEVELS] = {"held_10", "held_50", "held_90"};
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_str(doc, row, "name", candidates[c].name);
        yyjson_mut_obj_add_str(doc, row, "title", candidates[c].title);
        yyjson_mut_obj_add_bool(doc, row, "naive", candidates[c].naive);
        cot_json_add_number(doc, row, "score", next->loss[c]);
        for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++)
            cot_json_add_number(doc, row, keys[l], next->held[c][l]);
    }
}

static void add_category(yyjson_mut_doc *doc, yyjson_mut_val *questions, enum cot_propensity_kind kind,
                         const struct cot_propensity_score *score)
{
    const struct cot_candidate *candidates = cot_propensity_candidates();
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, questions);
    yyjson_mut_obj_add_str(doc, object, "question", cot_propensity_name(kind));
    yyjson_mut_obj_add_str(doc, object, "measure", cot_question_measure(COT_QUESTION_CHURN));
    yyjson_mut_obj_add_uint(doc, object, "predictions", score->n);
    yyjson_mut_obj_add_str(doc, object, "best", candidates[score->best].name);
    yyjson_mut_obj_add_str(doc, object, "best_naive", candidates[score->best_naive].name);
    yyjson_mut_obj_add_str(doc, object, "serves", candidates[score->serves].name);
    yyjson_mut_obj_add_bool(doc, object, "beats_naive", !candidates[score->best].naive);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "candidates");
    for (size_t c = 0; c < COT_PROPENSITY_CANDIDATES; c++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_str(doc, row, "name", candidates[c].name);
        yyjson_mut_obj_add_str(doc, row, "title", candidates[c].title);
        yyjson_mut_obj_add_bool(doc, row, "naive", candidates[c].naive);
        cot_json_add_number(doc, row, "score", score->candidates[c].score);
        cot_json_add_number(doc, row, "spearman", score->candidates[c].spearman);
        cot_json_add_number(doc, row, "total_error", score->candidates[c].total_error);
        cot_json_add_number(doc, row, "calibration_error", score->candidates[c].calibration_error);
        cot_json_add_number(doc, row, "calibration_band", score->candidates[c].calibration_band);
    }
}

static void add_horizon(yyjson_mut_doc *doc, yyjson_mut_val *horizons, unsigned days,
                        const struct cot_league_result *results, const struct cot_league_newest *newest,
                        const struct cot_propensity *propensity)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, horizons);
    yyjson_mut_obj_add_uint(doc, object, "days", days);
    yyjson_mut_obj_add_uint(doc, object, "folds", results[0].n_folds);
    yyjson_mut_obj_add_uint(doc, object, "needs_days", cot_shop_league_needs_days(days));
    yyjson_mut_val *questions = yyjson_mut_obj_add_arr(doc, object, "questions");
    for (int q = 0; q < COT_N_QUESTIONS && results[0].n_folds > 0; q++)
        add_question(doc, questions, results + q);
    if (results[0].n_folds > 0)
        add_next(doc, questions, cot_league_newest_next(newest));
    for (int kind = 0; kind < COT_PROPENSITY_N_KINDS && results[0].n_folds > 0 && propensity != NULL; kind++)
        add_category(doc, questions, (enum cot_propensity_kind)kind,
                     cot_propensity_score(propensity, (enum cot_propensity_kind)kind));
}

static void describe(const struct cot_shop_league *league, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    cot_shop_add_as_of(doc, root, league->shop, league->shop->history.as_of_ms);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", league->shop->currency);
    yyjson_mut_obj_add_uint(doc, root, "customers", league->now.league.purchases.n);
    cot_json_add_day(doc, root, "first_day", league->now.league.purchases.first_day);
    cot_json_add_day(doc, root, "last_day", league->now.league.purchases.last_day);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "horizons");
    for (size_t h = 0; h < league->n_horizons; h++)
        add_horizon(doc, array, league->horizons[h], league->results[h], league->newest[h], league->propensities[h]);
}

cot_code cot_backtest_run(const struct cot_context *context, const struct cot_shop_league_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_shop_league league = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_shop_league_check(options, err);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_shop_league_run(context, store, options, &league, err);
    cot_store_close(store);
    if (rc == COT_OK)
        describe(&league, doc, root);
    cot_shop_league_release(&league);
    return cot_json_finish(rc, doc, ret_doc);
}
