#include "engine/prediction_store.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "engine/context_store.h"
#include "predict/league_score.h"
#include "store/store.h"

/* ---- freezing ---- */

static const char *serving(const struct cot_league_result *result)
{
    size_t n = 0;
    return cot_league_candidates(result->question, &n)[result->serves].name;
}

/* Who says in which category customers will buy next; NULL where nobody was tested. */
static const char *category_model(const struct cot_shop_league *league, size_t h)
{
    const struct cot_propensity *propensity = league->propensities[h];
    const struct cot_propensity_score *score =
        propensity != NULL ? cot_propensity_score(propensity, COT_PROPENSITY_NEW) : NULL;
    return score != NULL && score->n_folds > 0 ? cot_propensity_candidates()[score->serves].name : NULL;
}

static void append_text(struct cot_appender *appender, const char *text)
{
    cot_append_text(appender, text, text != NULL ? strlen(text) : 0);
}

/* Of the categories that customer i has not bought in the most likely; none of who has bought in none. */
static void append_category(struct cot_appender *appender, const struct cot_shop_league *league, size_t h, size_t i)
{
    double chances[COT_PROPENSITY_MOST];
    size_t n = league->now.categories.view.n_categories;
    size_t best = n;
    uint64_t bought =
        category_model(league, h) != NULL ? cot_propensity_chances(league->propensities[h], i, chances) : 0;
    for (size_t k = 0; k < n && bought != 0; k++)
        if ((bought >> k & 1) == 0 && (best == n || chances[k] > chances[best]))
            best = k;
    append_text(appender, best < n ? league->now.categories.names[best] : NULL);
    cot_append_double(appender, best < n ? chances[best] : NAN);
}

static cot_code add_run(struct cot_store *store, const struct cot_shop_league *league, size_t h, int64_t run_id,
                        struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    const struct cot_league_result *results = league->results[h];
    cot_code rc = cot_appender_open(store, "prediction_run", &appender, err);
    if (rc != COT_OK)
        return rc;
    cot_append_int(appender, run_id);
    cot_append_time(appender, cot_wall_ms());
    cot_append_time(appender, league->shop->history.as_of_ms);
    cot_append_int(appender, league->horizons[h]);
    cot_append_text(appender, league->shop->currency, strlen(league->shop->currency));
    for (int q = 0; q < COT_N_QUESTIONS; q++)
        cot_append_text(appender, serving(results + q), strlen(serving(results + q)));
    cot_append_int(appender, results[0].n_folds);
    cot_append_int(appender, (int64_t)league->now.league.purchases.n);
    append_text(appender, category_model(league, h));
    rc = cot_appender_end_row(appender, err);
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

static cot_code add_predictions(struct cot_store *store, const struct cot_shop_league *league, size_t h, int64_t run_id,
                                struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    const struct cot_served *spend = &league->results[h][COT_QUESTION_SPEND].served;
    const struct cot_served *orders = &league->results[h][COT_QUESTION_ORDERS].served;
    const struct cot_served *churn = &league->results[h][COT_QUESTION_CHURN].served;
    double next_days[COT_LEAGUE_NEXT_LEVELS];
    cot_code rc = cot_appender_open(store, "prediction", &appender, err);
    for (size_t i = 0; i < league->now.league.purchases.n && rc == COT_OK; i++) {
        cot_append_int(appender, run_id);
        cot_append_int(appender, league->now.nodes[i]);
        cot_append_double(appender, spend->predicted[i]);
        cot_append_double(appender, spend->low[i]);
        cot_append_double(appender, spend->high[i]);
        cot_append_double(appender, orders->predicted[i]);
        cot_append_double(appender, orders->low[i]);
        cot_append_double(appender, orders->high[i]);
        cot_append_double(appender, churn->predicted[i]);
        cot_league_next_order(league->newest[h], i, next_days);
        cot_append_double(appender, next_days[COT_LEAGUE_NEXT_MIDDLE]);
        append_category(appender, league, h, i);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

cot_code cot_prediction_freeze(struct cot_store *store, const struct cot_shop_league *league, size_t h,
                               int64_t *ret_run_id, struct cot_err *err)
{
    int64_t as_of_ms = league->shop->history.as_of_ms;
    int64_t before = 0;
    int64_t last = 0;
    cot_code rc = cot_store_number(store, &before, err,
                                   "select coalesce(min(run_id), 0) from prediction_run where horizon_days = %u and"
                                   " as_of = epoch_ms(%" PRId64 ")::timestamp_ms",
                                   league->horizons[h], as_of_ms);
    if (rc == COT_OK)
        rc = cot_store_number(store, &last, err, "select coalesce(max(run_id), 0) from prediction_run");
    if (rc != COT_OK)
        return rc;
    *ret_run_id = before > 0 ? before : last + 1;
    if (before > 0)
        return COT_OK;
    rc = add_run(store, league, h, *ret_run_id, err);
    return rc == COT_OK ? add_predictions(store, league, h, *ret_run_id, err) : rc;
}

/* ---- scoring ---- */

struct run {
    int64_t run_id, as_of_ms, n_customers;
    unsigned days, folds;
    char models[COT_N_QUESTIONS][32];
    char category_model[32]; /* empty: none */
};

/* What was said and what came, of the customers who can be scored. */
struct scored {
    size_t n;
    double *said[COT_N_QUESTIONS], *came[COT_N_QUESTIONS];
    double n_intervals[COT_N_QUESTIONS], n_inside[COT_N_QUESTIONS];
    size_t n_categories; /* customers of whom a category was said */
    double *category_said, *category_came;
};

static void scored_release(struct scored *s)
{
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        free(s->said[q]);
        free(s->came[q]);
    }
    free(s->category_said);
    free(s->category_came);
}

static cot_code scored_init(struct scored *s, size_t n, struct cot_err *err)
{
    bool ok = true;
    for (int q = 0; q < COT_N_QUESTIONS; q++) {
        s->said[q] = calloc(n + 1, sizeof *s->said[q]);
        s->came[q] = calloc(n + 1, sizeof *s->came[q]);
        ok &= s->said[q] != NULL && s->came[q] != NULL;
    }
    s->category_said = calloc(n + 1, sizeof *s->category_said);
    s->category_came = calloc(n + 1, sizeof *s->category_came);
    ok &= s->category_said != NULL && s->category_came != NULL;
    return ok ? COT_OK : cot_fail(err, COT_NOMEM, "%zu predictions", n);
}

static int node_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What was said of customer i's next category, where it is still one of the shop's. */
static void join_category(const struct cot_rows *rows, size_t i_column, const struct cot_shop_origin *origin, size_t i,
                          struct scored *s)
{
    const struct cot_shop_categories *categories = &origin->categories;
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    for (size_t k = 0; k < categories->view.n_categories && text != NULL; k++)
        if (strlen(categories->names[k]) == size && memcmp(categories->names[k], text, size) == 0) {
            s->category_said[s->n_categories] = cot_rows_double(rows, i_column + 1);
            s->category_came[s->n_categories++] = categories->came[i] >> k & 1 ? 1 : 0;
        }
}

/* Joins a run's frozen rows with what came of its customers. */
static cot_code join(struct cot_store *store, const struct run *run, const struct cot_shop_origin *origin,
                     struct scored *s, struct cot_err *err)
{
    enum { FIRST_OF_SPEND = 1, FIRST_OF_ORDERS = 4, CHURN = 7, CATEGORY };
    static const size_t columns[COT_N_QUESTIONS] = {FIRST_OF_SPEND, FIRST_OF_ORDERS, CHURN};
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = scored_init(s, origin->league.purchases.n, err);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select customer, spend, spend_low, spend_high, orders, orders_low, orders_high, churn,"
                           " next_category, next_category_chance from prediction where run_id = %" PRId64
                           " order by customer",
                           run->run_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t node = (uint32_t)cot_rows_int(rows, 0);
        const uint32_t *found =
            bsearch(&node, origin->nodes, origin->league.purchases.n, sizeof *origin->nodes, node_compare);
        if (found == NULL || s->n == origin->league.purchases.n)
            continue;
        size_t i = (size_t)(found - origin->nodes);
        const double came[COT_N_QUESTIONS] = {origin->spend[i], origin->orders[i], origin->orders[i] > 0 ? 0 : 1};
        for (int q = 0; q < COT_N_QUESTIONS; q++) {
            s->said[q][s->n] = cot_rows_double(rows, columns[q]);
            s->came[q][s->n] = came[q];
            double low = q == COT_QUESTION_CHURN ? NAN : cot_rows_double(rows, columns[q] + 1);
            double high = q == COT_QUESTION_CHURN ? NAN : cot_rows_double(rows, columns[q] + 2);
            s->n_intervals[q] += isfinite(low) ? 1 : 0;
            s->n_inside[q] += isfinite(low) && low <= came[q] && (!isfinite(high) || came[q] <= high) ? 1 : 0;
        }
        join_category(rows, CATEGORY, origin, i, s);
        s->n++;
    }
    cot_rows_close(rows);
    return rc;
}

/* Tenths of probability: what was said and what came. */
static void add_bins(yyjson_mut_doc *doc, yyjson_mut_val *object, const double *said, const double *came, size_t n)
{
    enum { BINS = 10 };
    double sums[BINS][3] = {{0}};
    yyjson_mut_val *bins = yyjson_mut_obj_add_arr(doc, object, "bins");
    for (size_t i = 0; i < n; i++) {
        size_t b = said[i] < 1 ? (size_t)(said[i] * BINS) : BINS - 1;
        sums[b][0] += said[i];
        sums[b][1] += came[i];
        sums[b][2] += 1;
    }
    for (size_t b = 0; b < BINS; b++) {
        if (sums[b][2] == 0)
            continue;
        yyjson_mut_val *bin = yyjson_mut_arr_add_obj(doc, bins);
        yyjson_mut_obj_add_real(doc, bin, "said", sums[b][0] / sums[b][2]);
        yyjson_mut_obj_add_real(doc, bin, "came", sums[b][1] / sums[b][2]);
        yyjson_mut_obj_add_uint(doc, bin, "customers", (uint64_t)sums[b][2]);
    }
}

static double sum_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static cot_code add_chances(yyjson_mut_doc *doc, yyjson_mut_val *part, const double *said, const double *came, size_t n,
                            uint64_t seed, struct cot_err *err)
{
    struct cot_candidate_score score;
    cot_code rc = cot_league_score(COT_QUESTION_CHURN, said, came, n, seed, &score, err);
    cot_json_add_number(doc, part, "predicted", sum_of(said, n) / (double)n);
    cot_json_add_number(doc, part, "actual", sum_of(came, n) / (double)n);
    cot_json_add_number(doc, part, "log_loss", score.score);
    cot_json_add_number(doc, part, "spearman", score.spearman);
    cot_json_add_number(doc, part, "calibration_error", score.calibration_error);
    cot_json_add_number(doc, part, "calibration_band", score.calibration_band);
    add_bins(doc, part, said, came, n);
    return rc;
}

static cot_code add_amounts(yyjson_mut_doc *doc, yyjson_mut_val *part, const struct scored *s, enum cot_question q,
                            uint64_t seed, struct cot_err *err)
{
    struct cot_candidate_score score;
    cot_code rc = cot_league_score(q, s->said[q], s->came[q], s->n, seed, &score, err);
    cot_json_add_number(doc, part, "predicted", sum_of(s->said[q], s->n));
    cot_json_add_number(doc, part, "actual", sum_of(s->came[q], s->n));
    cot_json_add_number(doc, part, "rmse", score.score);
    cot_json_add_number(doc, part, "spearman", score.spearman);
    cot_json_add_number(doc, part, "coverage", s->n_intervals[q] > 0 ? s->n_inside[q] / s->n_intervals[q] : NAN);
    return rc;
}

static cot_code add_scores(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct scored *s, uint64_t seed,
                           struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int i = 0; i < COT_N_QUESTIONS && rc == COT_OK; i++) {
        enum cot_question q = (enum cot_question)i;
        yyjson_mut_val *part = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_val(doc, object, cot_question_name(q), part);
        rc = q == COT_QUESTION_CHURN ? add_chances(doc, part, s->said[q], s->came[q], s->n, seed, err)
                                     : add_amounts(doc, part, s, q, seed, err);
    }
    if (rc == COT_OK && s->n_categories > 0)
        return add_chances(doc, yyjson_mut_obj_add_obj(doc, object, "category"), s->category_said, s->category_came,
                           s->n_categories, seed, err);
    yyjson_mut_obj_add_null(doc, object, "category");
    return rc;
}

static cot_code score_run(const struct cot_context *context, struct cot_store *store, const struct cot_shop *shop,
                          const struct run *run, yyjson_mut_doc *doc, yyjson_mut_val *object, struct cot_err *err)
{
    struct cot_shop_origin origin = {0};
    struct cot_shop_origins_options options = {
        .horizon = run->days, .without_features = true, .n_threads = context->n_threads};
    struct scored scored = {0};
    cot_code rc = cot_shop_origin_make(store, shop, cot_shop_day(shop, run->as_of_ms), &options, &origin, err);
    if (rc == COT_OK)
        rc = join(store, run, &origin, &scored, err);
    if (rc == COT_OK) {
        yyjson_mut_obj_add_sint(doc, object, "missing", run->n_customers - (int64_t)scored.n);
        yyjson_mut_obj_add_bool(doc, object, "scored", scored.n > 0);
    }
    if (rc == COT_OK && scored.n > 0)
        rc = add_scores(doc, object, &scored, context->seed, err);
    scored_release(&scored);
    cot_shop_origin_release(&origin);
    return rc;
}

static void copy_text(const struct cot_rows *rows, size_t i_column, char *ret, size_t size)
{
    size_t n = 0;
    const char *text = cot_rows_text(rows, i_column, &n);
    n = n < size ? n : size - 1;
    if (text != NULL)
        memcpy(ret, text, n);
    ret[text != NULL ? n : 0] = '\0';
}

static cot_code list_runs(struct cot_store *store, struct run **ret_runs, size_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct run *runs = NULL;
    size_t n = 0;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select run_id, as_of, horizon_days, folds, n_customers, spend_model, orders_model,"
                                " churn_model, coalesce(category_model, '') from prediction_run order by run_id");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        struct run *grown = realloc(runs, (n + 1) * sizeof *grown);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "%zu runs", n + 1);
            break;
        }
        runs = grown;
        runs[n] = (struct run){.run_id = cot_rows_int(rows, 0),
                               .as_of_ms = cot_rows_int(rows, 1),
                               .days = (unsigned)cot_rows_int(rows, 2),
                               .folds = (unsigned)cot_rows_int(rows, 3),
                               .n_customers = cot_rows_int(rows, 4)};
        for (size_t q = 0; q < COT_N_QUESTIONS; q++)
            copy_text(rows, 5 + q, runs[n].models[q], sizeof runs[n].models[q]);
        copy_text(rows, 5 + COT_N_QUESTIONS, runs[n].category_model, sizeof runs[n].category_model);
        n++;
    }
    cot_rows_close(rows);
    *ret_runs = runs;
    *ret_n = n;
    return rc;
}

static cot_code describe_run(const struct cot_context *context, struct cot_store *store, const struct cot_shop *shop,
                             const struct run *run, yyjson_mut_doc *doc, yyjson_mut_val *object, struct cot_err *err)
{
    int32_t due = cot_shop_day(shop, run->as_of_ms) + (int32_t)run->days;
    yyjson_mut_obj_add_sint(doc, object, "run", run->run_id);
    cot_shop_add_as_of(doc, object, shop, run->as_of_ms);
    yyjson_mut_obj_add_uint(doc, object, "days", run->days);
    yyjson_mut_obj_add_sint(doc, object, "customers", run->n_customers);
    yyjson_mut_val *models = yyjson_mut_obj_add_obj(doc, object, "models");
    for (int q = 0; q < COT_N_QUESTIONS; q++)
        yyjson_mut_obj_add_strcpy(doc, models, cot_question_name((enum cot_question)q), run->models[q]);
    if (run->category_model[0] != '\0')
        yyjson_mut_obj_add_strcpy(doc, models, "category", run->category_model);
    else
        yyjson_mut_obj_add_null(doc, models, "category");
    yyjson_mut_obj_add_uint(doc, object, "folds", run->folds);
    cot_json_add_day(doc, object, "due", due);
    if (due <= cot_shop_day(shop, shop->history.as_of_ms))
        return score_run(context, store, shop, run, doc, object, err);
    yyjson_mut_obj_add_bool(doc, object, "scored", false);
    return COT_OK;
}

static cot_code record(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc *doc,
                       yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_shop_options options = {
        .as_of_ms = COT_AS_OF_LAST_DAY, .n_threads = context->n_threads, .progress = &context->progress};
    struct cot_shop *shop = NULL;
    struct run *runs = NULL;
    size_t n = 0;
    cot_code rc = list_runs(store, &runs, &n, err);
    if (rc == COT_OK && n == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "nothing was predicted yet: 'coterie predict' does, and keeps what it says");
    if (rc == COT_OK)
        rc = cot_shop_load(store, &options, &shop, err);
    if (rc == COT_OK) {
        cot_shop_add_as_of(doc, root, shop, shop->history.as_of_ms);
        yyjson_mut_obj_add_strcpy(doc, root, "currency", shop->currency);
        yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "runs");
        for (size_t i = 0; i < n && rc == COT_OK; i++) {
            cot_progress_report(&context->progress, "scoring", i, n);
            rc = describe_run(context, store, shop, runs + i, doc, yyjson_mut_arr_add_obj(doc, array), err);
        }
        cot_progress_report(&context->progress, "scoring", n, n);
    }
    cot_shop_free(shop);
    free(runs);
    return rc;
}

cot_code cot_predictions_record(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = record(context, store, doc, root, err);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_predictions_record_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_predictions_record(context, store, ret_doc, err);
    cot_store_close(store);
    return rc;
}
