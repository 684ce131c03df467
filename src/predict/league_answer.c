/* The candidates: naive rules, models, trees, and blends of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"
#include "num/minimise.h"
#include "predict/league_view.h"

/* In each table: rules, models, learners, and last the blend of all but "zero" or the rules of churn. */
static const struct cot_candidate spends[] = {
    {"zero", "nobody orders again", true},
    {"past", "as much as in the same time before", true},
    {"rate", "as much as in all their time here, a day", true},
    {"bgnbd", "BG/NBD: buys at a rate, may drop out after any order", false},
    {"regular", "MBG/CNBD-k: the same for regular buyers", false},
    {"pareto", "Pareto/NBD: may drop out at any time", false},
    {"boosted", "gradient-boosted trees on all features, taught by earlier outcomes", false},
    {"ziln", "a zero-inflated log-normal net on all features, taught likewise", false},
    {"blend", "all but zero, weighted by what would have been best before", false},
};

static const struct cot_candidate counts[] = {
    {"zero", "nobody orders again", true},
    {"past", "as many as in the same time before", true},
    {"rate", "as many as in all their time here, a day", true},
    {"bgnbd", "BG/NBD: buys at a rate, may drop out after any order", false},
    {"regular", "MBG/CNBD-k: the same for regular buyers", false},
    {"pareto", "Pareto/NBD: may drop out at any time", false},
    {"boosted", "gradient-boosted trees on all features, taught by earlier outcomes", false},
    {"blend", "all but zero, weighted by what would have been best before", false},
};

static const struct cot_candidate chances[] = {
    {"base_rate", "the share of all that stayed away in the last horizon", true},
    {"last_gap", "that share, apart for those silent for longer than is usual for them", true},
    {"bgnbd", "BG/NBD, calibrated on earlier outcomes", false},
    {"regular", "MBG/CNBD-k, calibrated on earlier outcomes", false},
    {"pareto", "Pareto/NBD, calibrated on earlier outcomes", false},
    {"boosted", "gradient-boosted trees on all features, calibrated on earlier outcomes", false},
    {"ziln", "a zero-inflated log-normal net on all features, calibrated likewise", false},
    {"blend", "the log odds of all models, weighted by what would have been best before", false},
};

/* Columns of what is blended, in the order of the candidates: of amounts after "zero", of chances after both rules. */
enum { PAST, RATE, MODELS, BOOSTED = MODELS + COT_LEAGUE_N_MODELS, NETWORK, N_BLENDED };
enum { ODDS_BOOSTED = COT_LEAGUE_N_MODELS, ODDS_NETWORK, N_ODDS };
enum { AMOUNT_ZERO, AMOUNT_FIRST, CHANCE_BASE = 0, CHANCE_GAP, CHANCE_FIRST };

const struct cot_candidate *cot_league_candidates(enum cot_question question, size_t *ret_n)
{
    static const struct cot_candidate *const tables[COT_N_QUESTIONS] = {spends, counts, chances};
    static const size_t sizes[COT_N_QUESTIONS] = {sizeof spends / sizeof *spends, sizeof counts / sizeof *counts,
                                                  sizeof chances / sizeof *chances};
    *ret_n = sizes[question];
    return tables[question];
}

/* Columns of a question that are candidates of their own: all between the rules that are not blended and the blend. */
static size_t n_columns_of(enum cot_question question)
{
    size_t n = 0;
    cot_league_candidates(question, &n);
    return n - 1 - (question == COT_QUESTION_CHURN ? CHANCE_FIRST : AMOUNT_FIRST);
}

double cot_league_actual(enum cot_question question, const struct cot_league_view *view, size_t i)
{
    switch (question) {
    case COT_QUESTION_SPEND: return view->origin->spend[i];
    case COT_QUESTION_ORDERS: return view->origin->orders[i];
    default: return view->origin->orders[i] > 0 ? 0 : 1;
    }
}

/* The views among the earlier ones that say something on every column of a mask, as bits of indices. Columns are NaN
 * for all customers of an origin or for none. */
static unsigned usable_views(const struct cot_league_view *earlier, size_t n_earlier, size_t n_columns, unsigned mask,
                             void (*values)(enum cot_question, const struct cot_league_view *, size_t, double *),
                             enum cot_question question)
{
    unsigned usable = 0;
    double row[COT_LEAGUE_MAX_CANDIDATES];
    for (size_t e = 0; e < n_earlier; e++) {
        bool all = earlier[e].n > 0;
        if (all)
            values(question, earlier + e, 0, row);
        for (size_t c = 0; c < n_columns && all; c++)
            all = (mask >> c & 1) == 0 || isfinite(row[c]);
        usable |= (unsigned)all << e;
    }
    return usable;
}

/*
 * What may be combined in this view: columns it can say, as bits, and the earlier views that say all of them. Trees
 * that none of the earlier views had are left out: nobody knows yet what they are worth.
 */
static unsigned choose_columns(const struct cot_league_view *view, const struct cot_league_view *earlier,
                               size_t n_earlier, size_t n_columns, size_t first_learner,
                               void (*values)(enum cot_question, const struct cot_league_view *, size_t, double *),
                               enum cot_question question, unsigned *ret_views)
{
    double row[COT_LEAGUE_MAX_CANDIDATES];
    unsigned mask = 0;
    *ret_views = 0;
    if (view->n == 0)
        return 0;
    values(question, view, 0, row);
    for (size_t c = 0; c < n_columns; c++)
        mask |= (unsigned)isfinite(row[c]) << c;
    *ret_views = usable_views(earlier, n_earlier, n_columns, mask, values, question);
    if (*ret_views != 0 || mask >> first_learner == 0)
        return mask;
    mask &= (1U << first_learner) - 1;
    *ret_views = usable_views(earlier, n_earlier, n_columns, mask, values, question);
    return mask;
}

/* Shops drift: what came of an origin counts half as much as what came of the one after it. */
static double weight_of(size_t age)
{
    return pow(0.5, (double)age);
}

/* ---- amounts ---- */

/* All amounts that are blended, of one customer. */
static void amounts_of(enum cot_question question, const struct cot_league_view *v, size_t i, double *ret)
{
    bool spend = question == COT_QUESTION_SPEND;
    double days = v->T[i] * 7 + 1;
    ret[PAST] = spend ? v->past_spend[i] : v->past_orders[i];
    ret[RATE] = (v->x[i] + 1) * (spend ? v->mean[i] : 1) * fmin(v->horizon / days, 1);
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++)
        ret[MODELS + m] = v->expected[m][i] * (spend ? v->worth[i] : 1);
    ret[BOOSTED] = v->boosted[question][i];
    ret[NETWORK] = v->network[question][i];
}

/* Least squares through the origin from its normal equations. */
struct squares {
    double products[N_BLENDED][N_BLENDED];
    double targets[N_BLENDED];
    double total;
};

static double squared_error(void *context, size_t n, const double *w, double *ret_gradient)
{
    const struct squares *s = context;
    double value = s->total;
    for (size_t a = 0; a < n; a++) {
        double sum = 0;
        for (size_t b = 0; b < n; b++)
            sum += s->products[a][b] * w[b];
        value += w[a] * (sum - 2 * s->targets[a]);
        ret_gradient[a] = 2 * (sum - s->targets[a]);
    }
    return value;
}

static void add_squares(struct squares *s, enum cot_question question, const struct cot_league_view *view,
                        unsigned mask, double weight)
{
    for (size_t i = 0; i < view->n; i++) {
        double values[N_BLENDED];
        double actual = cot_league_actual(question, view, i);
        amounts_of(question, view, i, values);
        for (size_t a = 0; a < N_BLENDED; a++) {
            if ((mask >> a & 1) == 0)
                continue;
            for (size_t b = 0; b < N_BLENDED; b++)
                if (mask >> b & 1)
                    s->products[a][b] += weight * values[a] * values[b];
            s->targets[a] += weight * values[a] * actual;
        }
        s->total += weight * actual * actual;
    }
}

static double sum_of(unsigned bits)
{
    double n = 0;
    for (; bits != 0; bits &= bits - 1)
        n += 1;
    return n;
}

/* Weights >= 0 that would have been best at earlier origins; without one, the models' mean. */
static cot_code fit_blend(enum cot_question question, const struct cot_league_view *view,
                          const struct cot_league_view *earlier, size_t n_earlier, double ret_weights[N_BLENDED],
                          struct cot_err *err)
{
    static const double low[N_BLENDED] = {0};
    const unsigned models = ((1U << COT_LEAGUE_N_MODELS) - 1) << MODELS;
    const double pull = 0.005; /* of the sum of squares, a column */
    double high[N_BLENDED];
    struct squares s = {0};
    unsigned views = 0;
    unsigned mask = choose_columns(view, earlier, n_earlier, N_BLENDED, BOOSTED, amounts_of, question, &views);
    for (size_t e = 0; e < n_earlier; e++)
        if (views >> e & 1)
            add_squares(&s, question, earlier + e, mask, weight_of(e));
    unsigned even = s.total > 0 ? mask : (mask & models) != 0 ? mask & models : mask;
    for (size_t a = 0; a < N_BLENDED; a++) {
        ret_weights[a] = even >> a & 1 ? 1 / sum_of(even) : 0;
        high[a] = s.products[a][a] > 0 ? 10 : 0;
        ret_weights[a] = s.total > 0 && high[a] == 0 ? 0 : ret_weights[a];
    }
    if (!(s.total > 0))
        return COT_OK;
    for (size_t a = 0; a < N_BLENDED; a++) {
        for (size_t b = 0; b < N_BLENDED; b++)
            s.products[a][b] /= s.total;
        s.targets[a] /= s.total;
        /* A pull to even weights: a few large buyers would else decide between columns that say nearly the same. */
        s.products[a][a] += high[a] > 0 ? pull : 0;
        s.targets[a] += pull * ret_weights[a];
    }
    s.total = 1;
    return cot_minimise(squared_error, &s, N_BLENDED, ret_weights, low, high, &s.total, NULL, err);
}

static cot_code answer_amount(enum cot_question question, struct cot_league_view *view,
                              const struct cot_league_view *earlier, size_t n_earlier, struct cot_err *err)
{
    double weights[N_BLENDED];
    double *const *answers = view->answers[question];
    size_t n_columns = n_columns_of(question);
    cot_code rc = fit_blend(question, view, earlier, n_earlier, weights, err);
    for (size_t i = 0; i < view->n && rc == COT_OK; i++) {
        double values[N_BLENDED];
        double blend = 0;
        amounts_of(question, view, i, values);
        answers[AMOUNT_ZERO][i] = 0;
        for (size_t a = 0; a < n_columns; a++) {
            answers[AMOUNT_FIRST + a][i] = values[a];
            if (weights[a] > 0)
                blend += weights[a] * values[a];
        }
        answers[AMOUNT_FIRST + n_columns][i] = blend;
    }
    return rc;
}

/* ---- chances ---- */

static double log_odds(double p)
{
    const double edge = 1e-6;
    p = p < edge ? edge : p > 1 - edge ? 1 - edge : p;
    return log(p / (1 - p));
}

static double chance_of(double log_odds)
{
    return 1 / (1 + exp(-log_odds));
}

/* Log odds of churn, before calibration. */
static void odds_of(enum cot_question question, const struct cot_league_view *v, size_t i, double *ret)
{
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++)
        ret[m] = isnan(v->silent[m][i]) ? NAN : log_odds(v->silent[m][i]);
    ret[ODDS_BOOSTED] = isnan(v->boosted[question][i]) ? NAN : log_odds(v->boosted[question][i]);
    ret[ODDS_NETWORK] = isnan(v->network[question][i]) ? NAN : log_odds(v->network[question][i]);
}

/* The log odds from the columns in a mask. Beta calibration (Kull, Silva Filho, Flach, AISTATS 2017): the last weight
 * is of their mean log p + log(1 - p), 0 at a half, which bends what a straight line in log odds can't. */
static double combine(const double *w, const double odds[N_ODDS], unsigned mask, double *ret_bend)
{
    double sum = w[0];
    double bend = 0;
    double n = 0;
    for (size_t c = 0; c < N_ODDS; c++) {
        if ((mask >> c & 1) == 0)
            continue;
        double p = chance_of(odds[c]);
        sum += w[1 + c] * odds[c];
        bend += log(4 * p * (1 - p));
        n += 1;
    }
    *ret_bend = n > 0 ? bend / n : 0;
    return sum + w[1 + N_ODDS] * *ret_bend;
}

/* Logistic regression on the log odds of the columns in a mask, over some of the earlier views. */
struct stacking {
    const struct cot_league_view *earlier;
    size_t n_earlier;
    unsigned views, mask;
    double n_rows;
};

/* Mean log loss of chance_of(w[0] + sum w[1 + c] * odds[c]), with a touch of pull to their plain mean. */
static double stacking_loss(void *context, size_t n, const double *w, double *ret_gradient)
{
    const struct stacking *s = context;
    double pull = 1 / s->n_rows; /* of one customer */
    double even = 1 / sum_of(s->mask);
    double value = pull * w[0] * w[0];
    memset(ret_gradient, 0, n * sizeof *ret_gradient);
    ret_gradient[0] = 2 * pull * w[0];
    for (size_t c = 0; c < N_ODDS; c++) {
        double off = w[1 + c] - (s->mask >> c & 1 ? even : 0);
        value += pull * off * off;
        ret_gradient[1 + c] = 2 * pull * off;
    }
    value += pull * w[1 + N_ODDS] * w[1 + N_ODDS];
    ret_gradient[1 + N_ODDS] = 2 * pull * w[1 + N_ODDS];
    for (size_t e = 0; e < s->n_earlier; e++) {
        const struct cot_league_view *v = s->earlier + e;
        double scale = weight_of(e) / s->n_rows;
        for (size_t i = 0; i < v->n && (s->views >> e & 1) != 0; i++) {
            double odds[N_ODDS];
            double bend = 0;
            odds_of(COT_QUESTION_CHURN, v, i, odds);
            double p = chance_of(combine(w, odds, s->mask, &bend));
            double actual = cot_league_actual(COT_QUESTION_CHURN, v, i);
            double off = scale * (p - actual);
            value -= scale * (actual > 0 ? log(fmax(p, 1e-300)) : log(fmax(1 - p, 1e-300)));
            ret_gradient[0] += off;
            ret_gradient[1 + N_ODDS] += off * bend;
            for (size_t c = 0; c < N_ODDS; c++)
                ret_gradient[1 + c] += s->mask >> c & 1 ? off * odds[c] : 0;
        }
    }
    return value;
}

/* Chances from the columns in `mask`, as calibrated on earlier outcomes as there are. */
static cot_code answer_stacked(struct cot_league_view *view, const struct stacking *stacking, double *ret_chances,
                               struct cot_err *err)
{
    static const double low[2 + N_ODDS] = {[0] = -20, [1 + N_ODDS] = -2};
    double high[2 + N_ODDS] = {[0] = 20, [1 + N_ODDS] = 2};
    double w[2 + N_ODDS] = {0};
    struct stacking s = *stacking;
    double loss = 0;
    cot_code rc = COT_OK;
    for (size_t e = 0; e < s.n_earlier; e++)
        s.n_rows += s.views >> e & 1 ? weight_of(e) * (double)s.earlier[e].n : 0;
    for (size_t c = 0; c < N_ODDS; c++) {
        high[1 + c] = s.mask >> c & 1 ? 20 : 0;
        w[1 + c] = s.mask >> c & 1 ? 1 / sum_of(s.mask) : 0;
    }
    if (s.mask != 0 && s.n_rows > 0)
        rc = cot_minimise(stacking_loss, &s, 2 + N_ODDS, w, low, high, &loss, NULL, err);
    for (size_t i = 0; i < view->n; i++) {
        double odds[N_ODDS];
        double bend = 0;
        odds_of(COT_QUESTION_CHURN, view, i, odds);
        ret_chances[i] = s.mask != 0 ? chance_of(combine(w, odds, s.mask, &bend)) : NAN;
    }
    return rc;
}

/* Longer silent than their mean time between orders; those with one order, than they could have been seen twice. */
static bool is_overdue(const struct cot_league_view *v, size_t i)
{
    double silent = v->T[i] - v->tx[i];
    return v->x[i] > 0 ? silent > v->tx[i] / v->x[i] : silent > v->T[i] / 2;
}

/* Share without an order in the last horizon, of those known before it. */
static double share_silent(const struct cot_league_view *v)
{
    double silent = 0;
    double n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (v->T[i] * 7 >= v->horizon) {
            silent += v->past_orders[i] > 0 ? 0 : 1;
            n += 1;
        }
    return (silent + 0.5) / (n + 1);
}

/* Share of churn of those overdue or not at the origin before, each leaning on the share of all with the weight of
 * one. */
static void share_by_gap(const struct cot_league_view *before, double all, double ret_share[2])
{
    double churned[2] = {0};
    double n[2] = {0};
    for (size_t i = 0; before != NULL && i < before->n; i++) {
        int side = is_overdue(before, i);
        churned[side] += cot_league_actual(COT_QUESTION_CHURN, before, i);
        n[side] += 1;
    }
    for (int side = 0; side < 2; side++)
        ret_share[side] = (churned[side] + all) / (n[side] + 1);
}

static cot_code answer_chance(struct cot_league_view *view, const struct cot_league_view *earlier, size_t n_earlier,
                              struct cot_err *err)
{
    double *const *answers = view->answers[COT_QUESTION_CHURN];
    struct stacking blend = {.earlier = earlier, .n_earlier = n_earlier};
    double base = share_silent(view);
    double by_gap[2];
    share_by_gap(n_earlier > 0 ? earlier : NULL, base, by_gap);
    for (size_t i = 0; i < view->n; i++) {
        answers[CHANCE_BASE][i] = base;
        answers[CHANCE_GAP][i] = by_gap[is_overdue(view, i)];
    }
    blend.mask =
        choose_columns(view, earlier, n_earlier, N_ODDS, ODDS_BOOSTED, odds_of, COT_QUESTION_CHURN, &blend.views);
    cot_code rc = answer_stacked(view, &blend, answers[CHANCE_FIRST + N_ODDS], err);
    for (size_t c = 0; c < N_ODDS && rc == COT_OK; c++) {
        struct stacking one = blend;
        double row[N_ODDS];
        if (view->n > 0)
            odds_of(COT_QUESTION_CHURN, view, 0, row);
        one.mask = view->n > 0 && isfinite(row[c]) ? 1U << c : 0;
        one.views = usable_views(earlier, n_earlier, N_ODDS, one.mask, odds_of, COT_QUESTION_CHURN);
        rc = answer_stacked(view, &one, answers[CHANCE_FIRST + c], err);
    }
    return rc;
}

cot_code cot_league_answer(struct cot_league_view *view, const struct cot_league_view *earlier, size_t n_earlier,
                           struct cot_err *err)
{
    cot_code rc = answer_amount(COT_QUESTION_SPEND, view, earlier, n_earlier, err);
    if (rc == COT_OK)
        rc = answer_amount(COT_QUESTION_ORDERS, view, earlier, n_earlier, err);
    return rc == COT_OK ? answer_chance(view, earlier, n_earlier, err) : rc;
}
