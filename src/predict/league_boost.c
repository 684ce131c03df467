#include "predict/league_boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "predict/boosted.h"
#include "predict/league_rows.h"

/* Least rows that teach anything, and the most that are worth their time. */
enum { LEAST_ROWS = 200, MOST_ROWS = 200000 };

static const enum cot_boosted_objective objectives[COT_N_QUESTIONS] = {
    [COT_QUESTION_SPEND] = COT_BOOSTED_TWEEDIE,
    [COT_QUESTION_ORDERS] = COT_BOOSTED_POISSON,
    [COT_QUESTION_CHURN] = COT_BOOSTED_LOGISTIC,
};

static struct cot_boosted_rows view_of(const struct cot_league_rows *rows, size_t begin, size_t end)
{
    return (struct cot_boosted_rows){end - begin, rows->d, rows->x + begin * rows->d, rows->y + begin,
                                     rows->start + begin};
}

/* Trees from the views [first, end): rounds that are best for the newest of them after learning from the others, or,
 * where there is one only, for its second half after learning from its first; then all of it. */
static cot_code fit(const struct cot_league_view *views, size_t first, size_t end, enum cot_question question,
                    uint64_t seed, struct cot_boosted **ret_model, struct cot_err *err)
{
    struct cot_boosted_options options;
    struct cot_boosted *trial = NULL;
    struct cot_league_rows all = {0};
    struct cot_league_rows newest = {0};
    struct cot_league_rows older = {0};
    bool alone = end - first == 1;
    cot_boosted_options_init(&options, objectives[question]);
    options.seed = seed;
    cot_code rc = cot_league_rows_make(views, first, end, question, MOST_ROWS, &all, err);
    if (rc == COT_OK && !alone)
        rc = cot_league_rows_make(views, first, first + 1, question, MOST_ROWS / 2, &newest, err);
    if (rc == COT_OK && !alone)
        rc = cot_league_rows_make(views, first + 1, end, question, MOST_ROWS, &older, err);
    if (rc == COT_OK) {
        struct cot_boosted_rows whole = view_of(&all, 0, all.n);
        struct cot_boosted_rows teach = alone ? view_of(&all, 0, all.n / 2) : view_of(&older, 0, older.n);
        struct cot_boosted_rows judge = alone ? view_of(&all, all.n / 2, all.n) : view_of(&newest, 0, newest.n);
        rc = cot_boosted_fit(&teach, &judge, &options, &trial, err);
        if (rc == COT_OK) {
            options.max_rounds = cot_boosted_rounds(trial) > 0 ? cot_boosted_rounds(trial) : 1;
            options.patience = 0;
            rc = cot_boosted_fit(&whole, NULL, &options, ret_model, err);
        }
    }
    cot_boosted_free(trial);
    cot_league_rows_release(&all);
    cot_league_rows_release(&newest);
    cot_league_rows_release(&older);
    return rc;
}

static cot_code answer(struct cot_league_view *view, enum cot_question question, struct cot_boosted *model,
                       struct cot_err *err)
{
    struct cot_league_rows rows = {0};
    float *mean = cot_alloc_array(view->n, 1, sizeof *mean);
    cot_code rc = mean == NULL ? cot_fail(err, COT_NOMEM, "%zu predictions", view->n)
                               : cot_league_rows_make(view, 0, 1, question, view->n, &rows, err);
    if (rc == COT_OK) {
        struct cot_boosted_rows all = view_of(&rows, 0, rows.n);
        rc = cot_boosted_predict(model, &all, mean, err);
    }
    for (size_t i = 0; i < view->n && rc == COT_OK; i++)
        view->boosted[question][i] = (double)mean[i];
    cot_league_rows_release(&rows);
    free(mean);
    return rc;
}

/* One task a view and question; each writes its own column alone. */
struct boosting {
    struct cot_league_view *views;
    size_t n_views;
    uint64_t seed;
    cot_code *codes;
    struct cot_err *errors;
};

static void boost_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct boosting *b = context;
    (void)i_block;
    (void)i_thread;
    for (size_t task = begin; task < end; task++) {
        struct cot_league_view *view = b->views + task / COT_N_QUESTIONS;
        enum cot_question question = (enum cot_question)(task % COT_N_QUESTIONS);
        size_t first = task / COT_N_QUESTIONS + 1;
        size_t n_rows = 0;
        struct cot_boosted *model = NULL;
        for (size_t i = 0; i < view->n; i++)
            view->boosted[question][i] = NAN;
        size_t last = first + cot_league_teachers(b->views, first, b->n_views, &n_rows);
        if (n_rows < LEAST_ROWS || cot_league_view_model(view) == COT_LEAGUE_N_MODELS)
            continue;
        b->codes[task] = fit(b->views, first, last, question, b->seed, &model, b->errors + task);
        if (b->codes[task] == COT_OK)
            b->codes[task] = answer(view, question, model, b->errors + task);
        if (view == b->views && b->codes[task] == COT_OK)
            view->trees[question] = model;
        else
            cot_boosted_free(model);
    }
}

cot_code cot_league_boost(struct cot_league_view *views, size_t n_views, unsigned n_threads, uint64_t seed,
                          struct cot_err *err)
{
    size_t n_tasks = n_views * COT_N_QUESTIONS;
    struct boosting b = {.views = views, .n_views = n_views, .seed = seed};
    b.codes = cot_alloc_array(n_tasks, 1, sizeof *b.codes);
    b.errors = cot_alloc_array(n_tasks, 1, sizeof *b.errors);
    cot_code rc = b.codes == NULL || b.errors == NULL ? cot_fail(err, COT_NOMEM, "trees") : COT_OK;
    if (rc == COT_OK)
        cot_parallel_for(n_threads, n_tasks, 1, boost_block, &b);
    for (size_t task = 0; task < n_tasks && rc == COT_OK; task++)
        if (b.codes[task] != COT_OK) {
            rc = b.codes[task];
            if (err != NULL)
                *err = b.errors[task];
        }
    free(b.codes);
    free(b.errors);
    return rc;
}

cot_code cot_league_boost_reasons(const struct cot_league_view *view, enum cot_question question, size_t i,
                                  float *ret_reasons, float *ret_start, struct cot_err *err)
{
    size_t d = view->origin->n_features + COT_LEAGUE_N_OWN;
    size_t model = cot_league_view_model(view);
    if (view->trees[question] == NULL || model == COT_LEAGUE_N_MODELS)
        return cot_fail(err, COT_NOT_FOUND, "no trees: the history is too short to teach them");
    float *x = cot_alloc_array(2 * d + 1, 1, sizeof *x);
    if (x == NULL)
        return cot_fail(err, COT_NOMEM, "reasons");
    float start = cot_league_start(question, view, model, i);
    struct cot_boosted_rows row = {.n = 1, .d = d, .x = x, .start = &start};
    cot_league_row(view, model, i, x);
    cot_code rc = cot_boosted_contributions(view->trees[question], &row, x + d, err);
    if (rc == COT_OK) {
        memcpy(ret_reasons, x + d, d * sizeof *x);
        *ret_start = x[2 * d];
    }
    free(x);
    return rc;
}
