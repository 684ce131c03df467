#include "predict/league_next.h"

#include <math.h>
#include <stdlib.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/order.h"

static const double week = 7;

static const struct cot_candidate candidates[COT_LEAGUE_NEXT_CANDIDATES] = {
    {"as_before", "as all waited after the last origin", true},
    {"last_gap", "their usual gap after the last order, or as all before where they have none", true},
    {"bgnbd", "BG/NBD, levels set by earlier outcomes", false},
    {"regular", "MBG/CNBD-k, levels set by earlier outcomes", false},
    {"pareto", "Pareto/NBD, levels set by earlier outcomes", false},
};

const double cot_league_next_levels[COT_LEAGUE_NEXT_LEVELS] = {0.1, 0.5, 0.9};

enum { AS_BEFORE, LAST_GAP, MODELS };

/* Customers of each origin that are looked at: quantiles of models are searched for. */
enum { MOST = 1500 };

const struct cot_candidate *cot_league_next_candidates(void)
{
    return candidates;
}

/* The customers of a view that are looked at, evenly spread. */
static size_t stride_of(const struct cot_league_view *v)
{
    return v->n / (MOST + 1) + 1;
}

static size_t sample_size(const struct cot_league_view *v)
{
    return (v->n + stride_of(v) - 1) / stride_of(v);
}

static double wait_of(const struct cot_league_view *v, size_t i)
{
    return fmin(v->origin->waits[i], v->horizon);
}

/* Of one origin, what every candidate says of the sampled customers: [candidate][level][customer]. */
struct answers {
    size_t n;
    double *days[COT_LEAGUE_NEXT_CANDIDATES][COT_LEAGUE_NEXT_LEVELS];
};

static void answers_release(struct answers *a)
{
    for (size_t c = 0; c < COT_LEAGUE_NEXT_CANDIDATES; c++)
        for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++)
            free(a->days[c][l]);
}

static cot_code answers_init(struct answers *a, size_t n, struct cot_err *err)
{
    bool ok = true;
    a->n = n;
    for (size_t c = 0; c < COT_LEAGUE_NEXT_CANDIDATES; c++)
        for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++)
            ok &= (a->days[c][l] = cot_alloc_array(n, 1, sizeof *a->days[c][l])) != NULL;
    return ok ? COT_OK : cot_fail(err, COT_NOMEM, "waits of %zu customers", n);
}

/* Quantiles of n values, which are sorted; n > 0. */
static void quantiles(double *values, size_t n, double ret[COT_LEAGUE_NEXT_LEVELS])
{
    qsort(values, n, sizeof *values, cot_compare_doubles);
    for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++) {
        size_t at = (size_t)(cot_league_next_levels[l] * (double)n);
        ret[l] = values[at < n ? at : n - 1];
    }
}

/* How long all waited after an origin. */
static cot_code waits_of_all(const struct cot_league_view *v, double ret[COT_LEAGUE_NEXT_LEVELS], struct cot_err *err)
{
    double *waits = cot_alloc_array(v->n, 1, sizeof *waits);
    if (waits == NULL)
        return cot_fail(err, COT_NOMEM, "waits of %zu customers", v->n);
    for (size_t i = 0; i < v->n; i++)
        waits[i] = wait_of(v, i);
    if (v->n > 0)
        quantiles(waits, v->n, ret);
    free(waits);
    return COT_OK;
}

static bool is_fitted(const struct cot_league_view *v, size_t model)
{
    return v->n > 0 && isfinite(v->expected[model][0]) && isfinite(v->silent[model][0]);
}

/* ---- levels ---- */

/* Of one customer of an earlier origin: the model's chance of having ordered when they had (2: they had not within the
 * horizon), and that of having ordered by the horizon's end. */
struct outcome {
    double said, most;
};

struct levels_task {
    const struct cot_league_view *view;
    size_t model, stride;
    struct outcome *outcomes; /* [sample] */
};

static void levels_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const double never = 2;
    const struct levels_task *t = context;
    (void)i_block;
    (void)i_thread;
    for (size_t k = begin; k < end; k++) {
        size_t i = k * t->stride;
        const struct cot_league_view *v = t->view;
        struct cot_btyd_customer c = {v->x[i], v->tx[i], v->T[i]};
        double wait = v->origin->waits[i];
        bool came = wait <= v->horizon;
        t->outcomes[k] = (struct outcome){came ? cot_btyd_at_least(v->models + t->model, c, wait / week, 1) : never,
                                          1 - v->silent[t->model][i]};
    }
}

/* How often a chance p held, of those of whom it was said of a day within the horizon. NaN: of too few. */
static double share_held(const struct outcome *outcomes, size_t n, double p)
{
    enum { FEW = 50 };
    double possible = 0;
    double held = 0;
    for (size_t i = 0; i < n; i++) {
        possible += outcomes[i].most >= p;
        held += outcomes[i].most >= p && outcomes[i].said <= p;
    }
    return possible >= FEW ? held / possible : NAN;
}

/* The chance of the model's own that held in a share of cases: the level itself where nothing tells. */
static double find_level(const struct outcome *outcomes, size_t n, double level)
{
    enum { STEPS = 100 };
    double best = level;
    double least = INFINITY;
    for (int step = 1; step < STEPS; step++) {
        double p = (double)step / STEPS;
        double off = fabs(share_held(outcomes, n, p) - level);
        if (off < least) { /* false for NaN */
            least = off;
            best = p;
        }
    }
    /* Where few chances reach as high as is asked for, what held best may be far below: the model is not shifted. */
    return least < 0.1 ? best : level;
}

/* The model's own chances that held in 10, 50 and 90% at earlier origins. */
static cot_code set_levels(const struct cot_league_view *earlier, size_t n_earlier, size_t model, unsigned n_threads,
                           double ret[COT_LEAGUE_NEXT_LEVELS], struct cot_err *err)
{
    enum { BLOCK = 64 };
    size_t n = 0;
    size_t room = 0;
    for (size_t e = 0; e < n_earlier; e++)
        room += sample_size(earlier + e);
    struct outcome *outcomes = cot_alloc_array(room, 1, sizeof *outcomes);
    if (outcomes == NULL)
        return cot_fail(err, COT_NOMEM, "waits of %zu customers", room);
    for (size_t e = 0; e < n_earlier; e++) {
        struct levels_task task = {earlier + e, model, stride_of(earlier + e), outcomes + n};
        if (!is_fitted(earlier + e, model))
            continue;
        cot_parallel_for(n_threads, sample_size(earlier + e), BLOCK, levels_block, &task);
        n += sample_size(earlier + e);
    }
    for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++) {
        ret[l] = find_level(outcomes, n, cot_league_next_levels[l]);
        ret[l] = l > 0 && ret[l] < ret[l - 1] ? ret[l - 1] : ret[l];
    }
    free(outcomes);
    return COT_OK;
}

/* ---- answers ---- */

struct answer_task {
    const struct cot_league_view *view;
    struct answers *answers;
    size_t stride;
    const double *as_before; /* [levels] */
    double levels[COT_LEAGUE_N_MODELS][COT_LEAGUE_NEXT_LEVELS];
};

static double model_quantile(const struct cot_league_view *v, size_t model, size_t i, double level)
{
    struct cot_btyd_customer c = {v->x[i], v->tx[i], v->T[i]};
    return level < 1 ? week * cot_btyd_next(v->models + model, c, level) : INFINITY;
}

static void answer_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct answer_task *t = context;
    const struct cot_league_view *v = t->view;
    (void)i_block;
    (void)i_thread;
    for (size_t k = begin; k < end; k++) {
        size_t i = k * t->stride;
        double due = v->x[i] > 0 ? week * (v->tx[i] / v->x[i] - (v->T[i] - v->tx[i])) : NAN;
        for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++) {
            t->answers->days[AS_BEFORE][l][k] = t->as_before[l];
            t->answers->days[LAST_GAP][l][k] = isfinite(due) ? fmin(fmax(due, 1), v->horizon) : t->as_before[l];
            for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++)
                t->answers->days[MODELS + m][l][k] =
                    is_fitted(v, m) ? fmin(fmax(model_quantile(v, m, i, t->levels[m][l]), 1), v->horizon) : NAN;
        }
    }
}

static cot_code answer(const struct cot_league_view *view, const struct cot_league_view *earlier, size_t n_earlier,
                       unsigned n_threads, struct answers *answers, struct cot_err *err)
{
    enum { BLOCK = 16 };
    double as_before[COT_LEAGUE_NEXT_LEVELS];
    struct answer_task task = {.view = view, .answers = answers, .stride = stride_of(view), .as_before = as_before};
    cot_code rc = waits_of_all(earlier, as_before, err);
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS && rc == COT_OK; m++)
        rc = set_levels(earlier, n_earlier, m, n_threads, task.levels[m], err);
    if (rc == COT_OK)
        rc = answers_init(answers, sample_size(view), err);
    if (rc == COT_OK)
        cot_parallel_for(n_threads, answers->n, BLOCK, answer_block, &task);
    return rc;
}

/* ---- scores ---- */

static double pinball(double level, double said, double came)
{
    return came >= said ? level * (came - said) : (1 - level) * (said - came);
}

/* Adds the losses of one origin, and how often what came was within each level. */
struct sums {
    double n, loss[COT_LEAGUE_NEXT_CANDIDATES];
    double within[COT_LEAGUE_NEXT_CANDIDATES][COT_LEAGUE_NEXT_LEVELS];
    double possible[COT_LEAGUE_NEXT_CANDIDATES][COT_LEAGUE_NEXT_LEVELS]; /* said before the horizon's end */
};

static void add_losses(const struct cot_league_view *view, const struct answers *answers, struct sums *sums)
{
    for (size_t k = 0; k < answers->n; k++) {
        double came = wait_of(view, k * stride_of(view));
        sums->n += 1;
        for (size_t c = 0; c < COT_LEAGUE_NEXT_CANDIDATES; c++)
            for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++) {
                double said = answers->days[c][l][k];
                sums->loss[c] += pinball(cot_league_next_levels[l], said, came) / COT_LEAGUE_NEXT_LEVELS;
                if (said < view->horizon) {
                    sums->possible[c][l] += 1;
                    sums->within[c][l] += came <= said;
                }
            }
    }
}

static void finish(const struct sums *sums, struct cot_league_next *next)
{
    for (size_t c = 0; c < COT_LEAGUE_NEXT_CANDIDATES; c++) {
        next->loss[c] = sums->n > 0 ? sums->loss[c] / sums->n : NAN;
        for (size_t l = 0; l < COT_LEAGUE_NEXT_LEVELS; l++)
            next->held[c][l] = sums->possible[c][l] > 0 ? sums->within[c][l] / sums->possible[c][l] : NAN;
        if (next->loss[c] < next->loss[next->best])
            next->best = c;
        if (candidates[c].naive && next->loss[c] < next->loss[next->best_naive])
            next->best_naive = c;
    }
    next->n = (size_t)sums->n;
}

cot_code cot_league_next_run(const struct cot_league_view *views, size_t n_views, unsigned n_folds, unsigned n_threads,
                             struct cot_league_next *ret_next, struct cot_err *err)
{
    struct cot_league_next next = {.n_folds = n_folds};
    struct sums sums = {0};
    cot_code rc = COT_OK;
    for (size_t v = 1; v <= n_folds && rc == COT_OK; v++) {
        struct answers answers = {0};
        rc = answer(views + v, views + v + 1, n_views - v - 1, n_threads, &answers, err);
        if (rc == COT_OK)
            add_losses(views + v, &answers, &sums);
        answers_release(&answers);
    }
    finish(&sums, &next);
    /* Dates are served by a model even where a rule was nearer: rules give no chances. */
    next.model = COT_LEAGUE_N_MODELS;
    for (size_t m = COT_LEAGUE_N_MODELS; m-- > 0;)
        if (is_fitted(views, m) &&
            (next.model == COT_LEAGUE_N_MODELS || next.loss[MODELS + m] < next.loss[MODELS + next.model]))
            next.model = m;
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS && rc == COT_OK; m++)
        if (m == next.model)
            rc = set_levels(views + 1, n_views - 1, m, n_threads, next.levels, err);
    if (rc == COT_OK)
        *ret_next = next;
    return rc;
}
