#include "predict/league_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

static const char *const own_titles[COT_LEAGUE_N_OWN] = {
    "Days with an order after the first", "Weeks from first to last order", "Weeks since the first order",
    "Weeks since the last order",         "Spend a day with an order",      "Orders in the last horizon",
    "Spend in the last horizon",          "Orders expected by the model",   "Chance of none, by the model",
    "Spend an order, by the model",
};

const char *cot_league_own_column(size_t column)
{
    return own_titles[column];
}

static void own_columns(const struct cot_league_view *v, size_t model, size_t i, float *ret)
{
    const double values[COT_LEAGUE_N_OWN] = {v->x[i],
                                             v->tx[i],
                                             v->T[i],
                                             v->T[i] - v->tx[i],
                                             v->mean[i],
                                             v->past_orders[i],
                                             v->past_spend[i],
                                             v->expected[model][i],
                                             v->silent[model][i],
                                             v->worth[i]};
    for (size_t c = 0; c < COT_LEAGUE_N_OWN; c++)
        ret[c] = isfinite(values[c]) ? (float)values[c] : NAN;
}

float cot_league_start(enum cot_question question, const struct cot_league_view *v, size_t model, size_t i)
{
    const double least = 1e-3;
    const double edge = 1e-4;
    double p = fmin(fmax(v->silent[model][i], edge), 1 - edge);
    double expected = v->expected[model][i];
    if (question == COT_QUESTION_CHURN)
        return (float)log(p / (1 - p));
    if (question == COT_QUESTION_SPEND)
        expected *= isfinite(v->worth[i]) ? v->worth[i] : v->mean[i];
    return (float)log(fmax(expected, least));
}

void cot_league_rows_release(struct cot_league_rows *rows)
{
    free(rows->x);
    free(rows->y);
    free(rows->start);
    *rows = (struct cot_league_rows){0};
}

void cot_league_row(const struct cot_league_view *view, size_t model, size_t i, float *x)
{
    size_t n_features = view->origin->n_features;
    if (n_features > 0)
        memcpy(x, view->origin->features + i * n_features, n_features * sizeof *x);
    own_columns(view, model, i, x + n_features);
}

cot_code cot_league_rows_make(const struct cot_league_view *views, size_t first, size_t end, enum cot_question question,
                              size_t most, struct cot_league_rows *ret_rows, struct cot_err *err)
{
    struct cot_league_rows rows = {.d = views[first].origin->n_features + COT_LEAGUE_N_OWN};
    size_t total = 0;
    size_t seen = 0;
    for (size_t v = first; v < end; v++)
        total += views[v].n;
    size_t stride = total / (most + 1) + 1;
    rows.x = cot_alloc_array(total / stride + 1, rows.d, sizeof *rows.x);
    rows.y = cot_alloc_array(total / stride + 1, 1, sizeof *rows.y);
    rows.start = cot_alloc_array(total / stride + 1, 1, sizeof *rows.start);
    if (rows.x == NULL || rows.y == NULL || rows.start == NULL) {
        cot_league_rows_release(&rows);
        return cot_fail(err, COT_NOMEM, "rows to learn from: %zu x %zu", total / stride + 1, rows.d);
    }
    for (size_t v = first; v < end; v++) {
        const struct cot_league_view *view = views + v;
        size_t model = cot_league_view_model(view);
        for (size_t i = 0; i < view->n; i++) {
            if (seen++ % stride != 0)
                continue;
            cot_league_row(view, model, i, rows.x + rows.n * rows.d);
            rows.y[rows.n] = view->origin->orders != NULL ? (float)fmax(cot_league_actual(question, view, i), 0) : 0;
            rows.start[rows.n++] = cot_league_start(question, view, model, i);
        }
    }
    *ret_rows = rows;
    return COT_OK;
}

size_t cot_league_teachers(const struct cot_league_view *views, size_t first, size_t n_views, size_t *ret_n_rows)
{
    size_t v = first;
    *ret_n_rows = 0;
    for (; v < n_views && cot_league_view_model(views + v) < COT_LEAGUE_N_MODELS &&
           views[v].origin->n_features == views[first].origin->n_features;
         v++)
        *ret_n_rows += views[v].n;
    return v - first;
}
