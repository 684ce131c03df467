#include "predict/league_network.h"

#include <math.h>
#include <stdlib.h>

#include "base/threads.h"
#include "ml/ziln.h"
#include "num/check.h"
#include "predict/league_rows.h"

/* Least rows that teach anything, and the most that are worth their time. */
enum { LEAST_ROWS = 500, MOST_ROWS = 20000 };

/* Rows with the two starts that the net takes: log odds of any spend, and the amount where there is one. */
struct net_rows {
    struct cot_league_rows rows;
    float *odds, *mean;
};

static void release(struct net_rows *rows)
{
    cot_league_rows_release(&rows->rows);
    free(rows->odds);
    free(rows->mean);
}

/* Rows of spend; the chance of any is what the model leaves of churn, the amount its expectation over that chance. */
static cot_code make(const struct cot_league_view *views, size_t first, size_t end, size_t most, struct net_rows *ret,
                     struct cot_err *err)
{
    const double edge = 1e-4;
    struct net_rows r = {0};
    struct cot_league_rows churn = {0};
    cot_code rc = cot_league_rows_make(views, first, end, COT_QUESTION_SPEND, most, &r.rows, err);
    if (rc == COT_OK)
        rc = cot_league_rows_make(views, first, end, COT_QUESTION_CHURN, most, &churn, err);
    r.odds = cot_alloc_array(r.rows.n, 1, sizeof *r.odds);
    r.mean = cot_alloc_array(r.rows.n, 1, sizeof *r.mean);
    if (rc == COT_OK && (r.odds == NULL || r.mean == NULL))
        rc = cot_fail(err, COT_NOMEM, "the net's rows: %zu", r.rows.n);
    for (size_t i = 0; i < r.rows.n && rc == COT_OK; i++) {
        double chance = 1 / (1 + exp((double)churn.start[i]));
        r.odds[i] = -churn.start[i];
        r.mean[i] = (float)(exp((double)r.rows.start[i]) / fmax(chance, edge));
    }
    cot_league_rows_release(&churn);
    if (rc != COT_OK) {
        release(&r);
        return rc;
    }
    *ret = r;
    return COT_OK;
}

static struct cot_ziln_rows part(const struct net_rows *r, size_t begin, size_t end)
{
    return (struct cot_ziln_rows){end - begin,       r->rows.d,       r->rows.x + begin * r->rows.d,
                                  r->rows.y + begin, r->odds + begin, r->mean + begin};
}

/* As trees are fitted (league_boost.c): epochs that are best for the newest of the teachers, then all of them. */
static cot_code fit(const struct cot_league_view *views, size_t first, size_t end, uint64_t seed,
                    struct cot_ziln **ret_model, struct cot_err *err)
{
    struct cot_ziln_options options;
    struct cot_ziln *trial = NULL;
    struct net_rows all = {0};
    struct net_rows newest = {0};
    struct net_rows older = {0};
    bool alone = end - first == 1;
    cot_ziln_options_init(&options);
    options.seed = seed;
    cot_code rc = make(views, first, end, MOST_ROWS, &all, err);
    if (rc == COT_OK && !alone)
        rc = make(views, first, first + 1, MOST_ROWS / 2, &newest, err);
    if (rc == COT_OK && !alone)
        rc = make(views, first + 1, end, MOST_ROWS, &older, err);
    if (rc == COT_OK) {
        struct cot_ziln_rows whole = part(&all, 0, all.rows.n);
        struct cot_ziln_rows teach = alone ? part(&all, 0, all.rows.n / 2) : part(&older, 0, older.rows.n);
        struct cot_ziln_rows judge = alone ? part(&all, all.rows.n / 2, all.rows.n) : part(&newest, 0, newest.rows.n);
        rc = cot_ziln_fit(&teach, &judge, &options, &trial, err);
        if (rc == COT_OK) {
            options.max_epochs = cot_ziln_epochs(trial);
            rc = cot_ziln_fit(&whole, NULL, &options, ret_model, err);
        }
    }
    cot_ziln_free(trial);
    release(&all);
    release(&newest);
    release(&older);
    return rc;
}

static cot_code answer(struct cot_league_view *view, struct cot_ziln *model, struct cot_err *err)
{
    struct net_rows rows = {0};
    cot_code rc = make(view, 0, 1, view->n, &rows, err);
    if (rc == COT_OK) {
        struct cot_ziln_rows all = part(&rows, 0, rows.rows.n);
        rc = cot_ziln_predict(model, &all, view->network[COT_QUESTION_SPEND], view->network[COT_QUESTION_CHURN], err);
    }
    for (size_t i = 0; i < view->n && rc == COT_OK; i++)
        view->network[COT_QUESTION_CHURN][i] = 1 - view->network[COT_QUESTION_CHURN][i];
    release(&rows);
    return rc;
}

/* One task a view; each writes its own columns alone. */
struct teaching {
    struct cot_league_view *views;
    size_t n_views;
    uint64_t seed;
    cot_code *codes;
    struct cot_err *errors;
};

static void teach_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct teaching *t = context;
    (void)i_block;
    (void)i_thread;
    for (size_t v = begin; v < end; v++) {
        struct cot_league_view *view = t->views + v;
        struct cot_ziln *model = NULL;
        size_t n_rows = 0;
        size_t n_teachers = cot_league_teachers(t->views, v + 1, t->n_views, &n_rows);
        for (size_t q = 0; q < COT_N_QUESTIONS; q++)
            for (size_t i = 0; i < view->n; i++)
                view->network[q][i] = NAN;
        if (n_rows < LEAST_ROWS || cot_league_view_model(view) == COT_LEAGUE_N_MODELS)
            continue;
        t->codes[v] = fit(t->views, v + 1, v + 1 + n_teachers, t->seed, &model, t->errors + v);
        if (t->codes[v] == COT_OK)
            t->codes[v] = answer(view, model, t->errors + v);
        cot_ziln_free(model);
    }
}

cot_code cot_league_network(struct cot_league_view *views, size_t n_views, unsigned n_threads, uint64_t seed,
                            struct cot_err *err)
{
    struct teaching t = {.views = views, .n_views = n_views, .seed = seed};
    t.codes = cot_alloc_array(n_views, 1, sizeof *t.codes);
    t.errors = cot_alloc_array(n_views, 1, sizeof *t.errors);
    cot_code rc = t.codes == NULL || t.errors == NULL ? cot_fail(err, COT_NOMEM, "nets") : COT_OK;
    if (rc == COT_OK)
        cot_parallel_for(n_threads, n_views, 1, teach_block, &t);
    for (size_t v = 0; v < n_views && rc == COT_OK; v++)
        if (t.codes[v] != COT_OK) {
            rc = t.codes[v];
            if (err != NULL)
                *err = t.errors[v];
        }
    free(t.codes);
    free(t.errors);
    return rc;
}
