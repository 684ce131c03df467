/* The candidates: naive rules, models, and blends of both. */
#include <math.h>
#include <stdlib.h>

#include "ml/league_view.h"
#include "num/check.h"
#include "num/minimise.h"

static const struct cot_candidate amounts[] = {
    {"zero", "nobody orders again", true},
    {"past", "as much as in the same time before", true},
    {"rate", "as much as in all their time here, a day", true},
    {"bgnbd", "BG/NBD: buys at a rate, may drop out after any order", false},
    {"regular", "MBG/CNBD-k: the same for regular buyers", false},
    {"pareto", "Pareto/NBD: may drop out at any time", false},
    {"blend", "past, rate and the three models, weighted by the last horizon", false},
};

static const struct cot_candidate chances[] = {
    {"base_rate", "the share of all that stayed away in the last horizon", true},
    {"last_gap", "that share, apart for those silent for longer than is usual for them", true},
    {"bgnbd", "BG/NBD, calibrated on the last horizon", false},
    {"regular", "MBG/CNBD-k, calibrated on the last horizon", false},
    {"pareto", "Pareto/NBD, calibrated on the last horizon", false},
    {"blend", "the mean of the three (log odds), calibrated on the last horizon", false},
};

enum { AMOUNT_ZERO, AMOUNT_PAST, AMOUNT_RATE, AMOUNT_MODELS, AMOUNT_BLEND = AMOUNT_MODELS + COT_LEAGUE_N_MODELS };
enum { CHANCE_BASE, CHANCE_GAP, CHANCE_MODELS, CHANCE_BLEND = CHANCE_MODELS + COT_LEAGUE_N_MODELS };
enum { N_BLENDED = AMOUNT_BLEND - AMOUNT_PAST };

const struct cot_candidate *cot_league_candidates(enum cot_question question, size_t *ret_n)
{
    bool churn = question == COT_QUESTION_CHURN;
    *ret_n = churn ? sizeof chances / sizeof *chances : sizeof amounts / sizeof *amounts;
    return churn ? chances : amounts;
}

double cot_league_actual(enum cot_question question, const struct cot_league_view *view, size_t i)
{
    switch (question) {
    case COT_QUESTION_SPEND: return view->spend[i];
    case COT_QUESTION_ORDERS: return view->orders[i];
    default: return view->orders[i] > 0 ? 0 : 1;
    }
}

/* ---- amounts ---- */

/* All amounts but the blend, of one customer. */
static void amounts_of(enum cot_question question, const struct cot_league_view *v, size_t i, double horizon,
                       double ret[AMOUNT_BLEND])
{
    bool spend = question == COT_QUESTION_SPEND;
    double days = v->T[i] * 7 + 1;
    ret[AMOUNT_ZERO] = 0;
    ret[AMOUNT_PAST] = spend ? v->past_spend[i] : v->past_orders[i];
    ret[AMOUNT_RATE] = (v->x[i] + 1) * (spend ? v->mean[i] : 1) * fmin(horizon / days, 1);
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++)
        ret[AMOUNT_MODELS + m] = v->expected[m][i] * (spend ? v->worth[i] : 1);
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

/* Weights >= 0 that would have been best for the horizon before; what is NaN gets none. */
static cot_code fit_blend(enum cot_question question, const struct cot_league_view *before, double horizon,
                          double ret_weights[N_BLENDED], struct cot_err *err)
{
    static const double low[N_BLENDED] = {0};
    double high[N_BLENDED];
    struct squares s = {0};
    double unit = 0;
    for (size_t i = 0; i < before->n; i++) {
        double actual = cot_league_actual(question, before, i);
        unit += actual * actual;
    }
    unit = unit > 0 ? unit : 1;
    for (size_t i = 0; i < before->n; i++) {
        double values[AMOUNT_BLEND];
        double actual = cot_league_actual(question, before, i);
        amounts_of(question, before, i, horizon, values);
        for (size_t a = 0; a < N_BLENDED; a++) {
            double value = values[AMOUNT_PAST + a];
            if (!isfinite(value))
                continue;
            for (size_t b = 0; b < N_BLENDED; b++)
                if (isfinite(values[AMOUNT_PAST + b]))
                    s.products[a][b] += value * values[AMOUNT_PAST + b] / unit;
            s.targets[a] += value * actual / unit;
        }
        s.total += actual * actual / unit;
    }
    for (size_t a = 0; a < N_BLENDED; a++) {
        high[a] = s.products[a][a] > 0 ? 10 : 0;
        ret_weights[a] = s.products[a][a] > 0 ? 1.0 / N_BLENDED : 0;
    }
    return cot_minimise(squared_error, &s, N_BLENDED, ret_weights, low, high, &s.total, NULL, err);
}

static cot_code answer_amount(enum cot_question question, const struct cot_league_view *view,
                              const struct cot_league_view *before, double horizon, double *const *ret_predicted,
                              struct cot_err *err)
{
    double weights[N_BLENDED];
    cot_code rc = fit_blend(question, before, horizon, weights, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < view->n; i++) {
        double values[AMOUNT_BLEND];
        double blend = 0;
        amounts_of(question, view, i, horizon, values);
        for (size_t c = 0; c < AMOUNT_BLEND; c++)
            ret_predicted[c][i] = values[c];
        for (size_t a = 0; a < N_BLENDED; a++)
            if (weights[a] > 0)
                blend += weights[a] * values[AMOUNT_PAST + a];
        ret_predicted[AMOUNT_BLEND][i] = blend;
    }
    return COT_OK;
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

/* A model's raw log odds of churn; the blend's are the mean of the models that could be fitted. */
static double raw_log_odds(const struct cot_league_view *v, size_t candidate, size_t i)
{
    double sum = 0;
    double n = 0;
    if (candidate != CHANCE_BLEND)
        return isnan(v->silent[candidate - CHANCE_MODELS][i]) ? NAN : log_odds(v->silent[candidate - CHANCE_MODELS][i]);
    for (size_t m = 0; m < COT_LEAGUE_N_MODELS; m++)
        if (!isnan(v->silent[m][i])) {
            sum += log_odds(v->silent[m][i]);
            n += 1;
        }
    return n > 0 ? sum / n : NAN;
}

struct recalibration {
    const struct cot_league_view *before;
    size_t candidate;
};

/* Mean log loss of chance_of(w[0] + w[1] * raw), with a touch of pull to w = (0, 1). */
static double calibration_loss(void *context, size_t n, const double *w, double *ret_gradient)
{
    const struct recalibration *r = context;
    const struct cot_league_view *v = r->before;
    double scale = 1 / (double)(v->n > 0 ? v->n : 1);
    double pull = scale; /* of one customer */
    double value = pull * (w[0] * w[0] + (w[1] - 1) * (w[1] - 1));
    (void)n;
    ret_gradient[0] = 2 * pull * w[0];
    ret_gradient[1] = 2 * pull * (w[1] - 1);
    for (size_t i = 0; i < v->n; i++) {
        double raw = raw_log_odds(v, r->candidate, i);
        if (isnan(raw))
            continue;
        double p = chance_of(w[0] + w[1] * raw);
        double actual = cot_league_actual(COT_QUESTION_CHURN, v, i);
        value -= scale * (actual > 0 ? log(fmax(p, 1e-300)) : log(fmax(1 - p, 1e-300)));
        ret_gradient[0] += scale * (p - actual);
        ret_gradient[1] += scale * (p - actual) * raw;
    }
    return value;
}

/* Longer silent than their mean time between orders; those with one order, than they could have been seen twice. */
static bool is_overdue(const struct cot_league_view *v, size_t i)
{
    double silent = v->T[i] - v->tx[i];
    return v->x[i] > 0 ? silent > v->tx[i] / v->x[i] : silent > v->T[i] / 2;
}

/* Share of churn of those overdue or not, each leaning on the share of all with the weight of one. */
static void share_by_gap(const struct cot_league_view *v, double ret_share[2], double *ret_all)
{
    double churned[2] = {0};
    double n[2] = {0};
    for (size_t i = 0; i < v->n; i++) {
        int side = is_overdue(v, i);
        churned[side] += cot_league_actual(COT_QUESTION_CHURN, v, i);
        n[side] += 1;
    }
    *ret_all = (churned[0] + churned[1] + 0.5) / (n[0] + n[1] + 1);
    for (int side = 0; side < 2; side++)
        ret_share[side] = (churned[side] + *ret_all) / (n[side] + 1);
}

static cot_code answer_chance(const struct cot_league_view *view, const struct cot_league_view *before,
                              double *const *ret_predicted, struct cot_err *err)
{
    static const double low[] = {-20, 0};
    static const double high[] = {20, 20};
    double by_gap[2];
    double base = 0;
    share_by_gap(before, by_gap, &base);
    for (size_t i = 0; i < view->n; i++) {
        ret_predicted[CHANCE_BASE][i] = base;
        ret_predicted[CHANCE_GAP][i] = by_gap[is_overdue(view, i)];
    }
    for (size_t c = CHANCE_MODELS; c <= CHANCE_BLEND; c++) {
        struct recalibration r = {before, c};
        double w[] = {0, 1};
        double loss = 0;
        cot_code rc = cot_minimise(calibration_loss, &r, 2, w, low, high, &loss, NULL, err);
        if (rc != COT_OK)
            return rc;
        for (size_t i = 0; i < view->n; i++)
            ret_predicted[c][i] = chance_of(w[0] + w[1] * raw_log_odds(view, c, i));
    }
    return COT_OK;
}

cot_code cot_league_answer(enum cot_question question, const struct cot_league_view *view,
                           const struct cot_league_view *before, double horizon, double *const *ret_predicted,
                           struct cot_err *err)
{
    return question == COT_QUESTION_CHURN ? answer_chance(view, before, ret_predicted, err)
                                          : answer_amount(question, view, before, horizon, ret_predicted, err);
}
