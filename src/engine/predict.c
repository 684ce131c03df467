#include "engine/predict.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "domain/value_tier.h"
#include "engine/context_store.h"
#include "engine/person.h"
#include "engine/predict_customer.h"
#include "engine/predict_offers.h"
#include "engine/prediction_store.h"
#include "store/store.h"

enum { DEFAULT_TOP = 10 };
static const double default_uplift = 0.1;

struct ranked {
    size_t i;
    double value;
};

static int ranked_compare(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

struct job {
    const struct cot_context *context;
    const struct cot_predict_options *options;
    struct cot_store *store;
    struct cot_shop_league league;
    size_t n, h_value; /* customers; the horizon by which value is told */
    struct ranked *by_spend;
    char *tiers; /* [n] 'A' .. */
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
};

static cot_code rank(struct job *job, struct cot_err *err)
{
    const double *spend = job->league.results[job->h_value][COT_QUESTION_SPEND].served.predicted;
    job->by_spend = calloc(job->n + 1, sizeof *job->by_spend);
    job->tiers = calloc(job->n + 1, 1);
    if (job->by_spend == NULL || job->tiers == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", job->n);
    for (size_t i = 0; i < job->n; i++)
        job->by_spend[i] = (struct ranked){i, spend[i]};
    qsort(job->by_spend, job->n, sizeof *job->by_spend, ranked_compare);
    for (size_t k = 0, tier = 0; k < job->n; k++) {
        while (k >= cot_value_tier_end(tier, job->n))
            tier++;
        job->tiers[job->by_spend[k].i] = cot_value_tier_name(tier);
    }
    return COT_OK;
}

/* ---- the parts of the document ---- */

static void add_question(const struct job *job, yyjson_mut_val *object, const struct cot_league_result *result)
{
    size_t n_candidates = 0;
    const struct cot_candidate *candidates = cot_league_candidates(result->question, &n_candidates);
    yyjson_mut_val *part = yyjson_mut_obj(job->doc);
    double total = 0;
    for (size_t i = 0; i < job->n; i++)
        total += result->served.predicted[i];
    yyjson_mut_obj_add_val(job->doc, object, cot_question_name(result->question), part);
    yyjson_mut_obj_add_str(job->doc, part, "model", candidates[result->serves].name);
    yyjson_mut_obj_add_str(job->doc, part, "title", candidates[result->serves].title);
    cot_json_add_number(job->doc, part, "total",
                        result->question == COT_QUESTION_CHURN ? total / (double)job->n : total);
    if (result->n_folds == 0) {
        yyjson_mut_obj_add_null(job->doc, part, "tested");
        return;
    }
    yyjson_mut_val *tested = yyjson_mut_obj_add_obj(job->doc, part, "tested");
    yyjson_mut_obj_add_str(job->doc, tested, "measure", cot_question_measure(result->question));
    cot_json_add_number(job->doc, tested, "score", result->scores[result->serves].score);
    yyjson_mut_obj_add_str(job->doc, tested, "naive", candidates[result->best_naive].name);
    cot_json_add_number(job->doc, tested, "naive_score", result->scores[result->best_naive].score);
}

static cot_code add_horizons(struct job *job, struct cot_err *err)
{
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(job->doc, job->root, "horizons");
    bool keep = job->options->keep && job->options->league.as_of == NULL;
    cot_code rc = keep ? cot_store_begin(job->store, err) : COT_OK;
    if (rc != COT_OK)
        return rc;
    for (size_t h = 0; h < job->league.n_horizons && rc == COT_OK; h++) {
        const struct cot_league_result *results = job->league.results[h];
        int64_t run = 0;
        if (keep)
            rc = cot_prediction_freeze(job->store, &job->league, h, &run, err);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(job->doc, array);
        yyjson_mut_obj_add_uint(job->doc, object, "days", job->league.horizons[h]);
        yyjson_mut_obj_add_uint(job->doc, object, "folds", results[0].n_folds);
        yyjson_mut_obj_add_uint(job->doc, object, "needs_days", cot_shop_league_needs_days(job->league.horizons[h]));
        yyjson_mut_obj_add_uint(job->doc, object, "learned_from", results[0].n_learned);
        if (run > 0)
            yyjson_mut_obj_add_sint(job->doc, object, "run", run);
        else
            yyjson_mut_obj_add_null(job->doc, object, "run");
        for (int q = 0; q < COT_N_QUESTIONS; q++)
            add_question(job, object, results + q);
    }
    if (keep && rc == COT_OK)
        rc = cot_store_commit(job->store, err);
    if (keep && rc != COT_OK)
        cot_store_rollback(job->store);
    return rc;
}

/* How far the numbers can be trusted, and why not further. */
static void add_confidence(struct job *job)
{
    enum { FEW = 500, FEW_REPEATS = 100, YEAR = 365, QUIET = 14, MOST = 200 };
    const struct cot_purchases *p = &job->league.now.league.purchases;
    yyjson_mut_val *confidence = yyjson_mut_obj_add_obj(job->doc, job->root, "confidence");
    yyjson_mut_val *because = yyjson_mut_arr(job->doc);
    int level = 2;
    size_t repeats = 0;
    int32_t last = p->first_day;
    char text[MOST];
    for (size_t i = 0; i < job->n; i++) {
        int32_t newest = p->days[p->starts[i + 1] - 1].day;
        repeats += p->starts[i + 1] - p->starts[i] > 1;
        last = newest > last ? newest : last;
    }
    if (job->n < FEW) {
        snprintf(text, sizeof text, "%zu customers have ordered; from %d on shares of them are steady", job->n, FEW);
        yyjson_mut_arr_add_strcpy(job->doc, because, text);
        level = 0;
    }
    if (repeats < FEW_REPEATS) {
        snprintf(text, sizeof text,
                 "%zu customers have ordered on more than one day: rates lean on what is usual in other shops",
                 repeats);
        yyjson_mut_arr_add_strcpy(job->doc, because, text);
        level = 0;
    }
    if (p->last_day - p->first_day < 2 * YEAR) {
        snprintf(text, sizeof text, "%d days of history: what a season does every year is not known yet",
                 p->last_day - p->first_day + 1);
        yyjson_mut_arr_add_strcpy(job->doc, because, text);
        level = level < 1 ? level : 1;
    }
    if (p->last_day - last > QUIET) {
        snprintf(text, sizeof text, "nobody has ordered in the last %d days: that reads as customers who have left",
                 p->last_day - last);
        yyjson_mut_arr_add_strcpy(job->doc, because, text);
        level = 0;
    }
    for (size_t h = 0; h < job->league.n_horizons; h++)
        if (job->league.results[h][0].n_folds == 0) {
            snprintf(text, sizeof text, "%u days ahead are untested: that takes %u days of history",
                     job->league.horizons[h], cot_shop_league_needs_days(job->league.horizons[h]));
            yyjson_mut_arr_add_strcpy(job->doc, because, text);
            level = h == job->h_value ? 0 : level;
        }
    yyjson_mut_obj_add_str(job->doc, confidence, "level", level == 0 ? "low" : level == 1 ? "fair" : "high");
    yyjson_mut_obj_add_val(job->doc, confidence, "because", because);
}

static void add_tiers(struct job *job)
{
    yyjson_mut_val *tiers = yyjson_mut_obj_add_obj(job->doc, job->root, "tiers");
    yyjson_mut_obj_add_uint(job->doc, tiers, "days", job->league.horizons[job->h_value]);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(job->doc, tiers, "rows");
    double total = 0;
    for (size_t k = 0; k < job->n; k++)
        total += job->by_spend[k].value;
    for (size_t tier = 0, k = 0; tier < COT_N_VALUE_TIERS; tier++) {
        const char name[] = {cot_value_tier_name(tier), '\0'};
        size_t begin = k;
        double sum = 0;
        for (; k < cot_value_tier_end(tier, job->n); k++)
            sum += job->by_spend[k].value;
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(job->doc, rows);
        yyjson_mut_obj_add_strcpy(job->doc, row, "tier", name);
        yyjson_mut_obj_add_uint(job->doc, row, "customers", k - begin);
        yyjson_mut_obj_add_real(job->doc, row, "share", (double)(k - begin) / (double)job->n);
        yyjson_mut_obj_add_real(job->doc, row, "spend", sum);
        cot_json_add_number(job->doc, row, "spend_share", total > 0 ? sum / total : NAN);
        cot_json_add_number(job->doc, row, "least", k > begin ? job->by_spend[k - 1].value : NAN);
    }
}

/*
 * Valuable and slipping: what they would spend within the horizon at the rate so far, times the chance that they order
 * nothing. Of those alone who have ordered on two days or more and whose chance to stay away is above a half.
 */
static double value_at_risk(const struct job *job, size_t i)
{
    struct cot_predict_past past = cot_predict_past(&job->league, i);
    double churn = job->league.results[job->h_value][COT_QUESTION_CHURN].served.predicted[i];
    double days = job->league.now.league.purchases.last_day - past.first_day + 1;
    double horizon = job->league.horizons[job->h_value];
    return past.orders > 1 && churn > 0.5 ? past.spend * fmin(horizon / days, 1) * churn : 0;
}

static cot_code add_list(struct job *job, yyjson_mut_val *rows, const struct ranked *ranked, size_t n, const char *key,
                         struct cot_err *err)
{
    size_t top = job->options->top > 0 ? job->options->top : DEFAULT_TOP;
    cot_code rc = COT_OK;
    for (size_t k = 0; k < n && k < top && rc == COT_OK; k++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(job->doc, rows);
        if (key != NULL)
            yyjson_mut_obj_add_real(job->doc, row, key, ranked[k].value);
        rc = cot_predict_customer(&job->league, ranked[k].i, job->tiers[ranked[k].i], job->doc, row, err);
    }
    return rc;
}

static cot_code add_retention(struct job *job, struct cot_err *err)
{
    struct ranked *ranked = calloc(job->n + 1, sizeof *ranked);
    size_t n = 0;
    if (ranked == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", job->n);
    for (size_t i = 0; i < job->n; i++) {
        double value = value_at_risk(job, i);
        if (value > 0)
            ranked[n++] = (struct ranked){i, value};
    }
    qsort(ranked, n, sizeof *ranked, ranked_compare);
    yyjson_mut_val *retention = yyjson_mut_obj_add_obj(job->doc, job->root, "retention");
    yyjson_mut_obj_add_uint(job->doc, retention, "days", job->league.horizons[job->h_value]);
    yyjson_mut_obj_add_uint(job->doc, retention, "customers", n);
    cot_code rc = add_list(job, yyjson_mut_obj_add_arr(job->doc, retention, "rows"), ranked, n, "at_risk", err);
    free(ranked);
    return rc;
}

static cot_code add_customer(struct job *job, struct cot_err *err)
{
    struct cot_person person = {0};
    cot_code rc = cot_person_find(job->store, job->options->customer, &person, err);
    if (rc != COT_OK)
        return rc;
    size_t i = 0;
    while (i < job->n && cot_shop_customer_of(job->league.shop, job->league.now.nodes[i]) !=
                             cot_shop_customer_of(job->league.shop, person.customer))
        i++;
    if (i == job->n)
        rc = cot_fail(err, COT_NOT_FOUND,
                      "nothing is predicted of '%s': no order as of then, or no consent to analytics",
                      job->options->customer);
    else
        rc = cot_predict_customer(&job->league, i, job->tiers[i], job->doc,
                                  yyjson_mut_obj_add_obj(job->doc, job->root, "customer"), err);
    cot_person_release(&person);
    return rc;
}

/* ---- the file ---- */

static void write_text(FILE *file, const char *text, size_t size)
{
    fputc('"', file);
    for (size_t k = 0; k < size; k++) {
        if (text[k] == '"')
            fputc('"', file);
        fputc(text[k], file);
    }
    fputc('"', file);
}

static void write_number(FILE *file, double value, int digits)
{
    if (isfinite(value))
        fprintf(file, ",%.*f", digits, value);
    else
        fputc(',', file);
}

static void write_rows(const struct job *job, FILE *file)
{
    fputs("customer_id,tier,orders,spend,silent_days", file);
    for (size_t h = 0; h < job->league.n_horizons; h++) {
        unsigned d = job->league.horizons[h];
        fprintf(file, ",spend_%u,spend_low_%u,spend_high_%u,orders_%u,orders_low_%u,orders_high_%u,churn_%u", d, d, d,
                d, d, d, d);
    }
    fputc('\n', file);
    for (size_t i = 0; i < job->n; i++) {
        char buffer[COT_ANONYMOUS_ID_SIZE];
        struct cot_predict_past past = cot_predict_past(&job->league, i);
        size_t size = 0;
        const char *id = cot_predict_customer_id(&job->league, i, buffer, &size);
        write_text(file, id, size);
        fprintf(file, ",%c,%.0f", job->tiers[i], past.orders);
        write_number(file, past.spend, 2);
        fprintf(file, ",%d", past.silent);
        for (size_t h = 0; h < job->league.n_horizons; h++) {
            for (int q = COT_QUESTION_SPEND; q <= COT_QUESTION_ORDERS; q++) {
                const struct cot_served *served = &job->league.results[h][q].served;
                int digits = q == COT_QUESTION_SPEND ? 2 : 4;
                write_number(file, served->predicted[i], digits);
                write_number(file, served->low[i], digits);
                write_number(file, served->high[i], digits);
            }
            write_number(file, job->league.results[h][COT_QUESTION_CHURN].served.predicted[i], 4);
        }
        fputc('\n', file);
    }
}

static cot_code write_file(const struct job *job, const char *path, struct cot_err *err)
{
    char *part = NULL;
    cot_code rc = COT_OK;
    if (asprintf(&part, "%s.part", path) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    FILE *file = fopen(part, "w");
    if (file == NULL) {
        rc = cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(errno));
    } else {
        write_rows(job, file);
        bool bad = ferror(file) != 0 || fflush(file) != 0 || fsync(fileno(file)) != 0;
        bad = fclose(file) != 0 || bad;
        if (bad || rename(part, path) != 0)
            rc = cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(errno));
        if (rc != COT_OK)
            unlink(part);
    }
    free(part);
    if (rc == COT_OK)
        yyjson_mut_obj_add_strcpy(job->doc, job->root, "path", path);
    return rc;
}

static cot_code describe(struct job *job, struct cot_err *err)
{
    job->n = job->league.now.league.purchases.n;
    job->h_value = cot_shop_league_value_horizon(&job->league);
    cot_shop_add_as_of(job->doc, job->root, job->league.shop, job->league.shop->history.as_of_ms);
    yyjson_mut_obj_add_strcpy(job->doc, job->root, "currency", job->league.shop->currency);
    yyjson_mut_obj_add_uint(job->doc, job->root, "customers", job->n);
    cot_code rc = rank(job, err);
    if (rc == COT_OK)
        add_confidence(job);
    if (rc == COT_OK)
        rc = add_horizons(job, err);
    if (rc == COT_OK && job->options->customer != NULL)
        rc = add_customer(job, err);
    if (rc == COT_OK && job->options->customer == NULL) {
        add_tiers(job);
        rc = add_retention(job, err);
        if (rc == COT_OK)
            rc = cot_predict_offers_add(&job->league, job->h_value, job->tiers,
                                        job->options->uplift > 0 ? job->options->uplift : default_uplift,
                                        job->options->top > 0 ? job->options->top : DEFAULT_TOP, job->doc, job->root,
                                        err);
        if (rc == COT_OK)
            rc = add_list(job, yyjson_mut_obj_add_arr(job->doc, job->root, "best"), job->by_spend, job->n, NULL, err);
    }
    return rc == COT_OK && job->options->out != NULL ? write_file(job, job->options->out, err) : rc;
}

cot_code cot_predict_run(const struct cot_context *context, const struct cot_predict_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct job job = {.context = context, .options = options};
    cot_code rc = cot_shop_league_check(&options->league, err);
    if (rc == COT_OK)
        rc = cot_json_document(&job.doc, &job.root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, options->keep ? COT_STORE_EXISTING : COT_STORE_READ_ONLY, &job.store, err);
    if (rc == COT_OK)
        rc = cot_shop_league_run(context, job.store, &options->league, &job.league, err);
    if (rc == COT_OK)
        rc = describe(&job, err);
    cot_store_close(job.store);
    cot_shop_league_release(&job.league);
    free(job.by_spend);
    free(job.tiers);
    return cot_json_finish(rc, job.doc, ret_doc);
}
