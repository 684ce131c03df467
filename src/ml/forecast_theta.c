/*
 * The dynamic optimised Theta model. With the level's weight alpha given, its one-step errors are linear in the first
 * level and in w = 1 - 1 / theta: those two by least squares, alpha by a search over one variable.
 */
#include <math.h>

#include "ml/forecast_methods.h"

enum { LEAST = 4, FIRST_SCORED = 2, GRID = 20, ROUNDS = 4 };

struct state {
    double alpha;
    double level; /* smoothed */
    double decay; /* (1 - alpha)^n: what is left of the first level */
    double mean;  /* of the values so far */
    double slope; /* of the straight line through them */
    double n;
};

struct fit {
    double alpha, first, w;
    double loss;
};

static void take(struct state *s, double y)
{
    double before = s->mean;
    s->n += 1;
    s->level += s->alpha * (y - s->level);
    s->decay *= 1 - s->alpha;
    s->mean += (y - before) / s->n;
    s->slope = s->n > 1 ? ((s->n - 2) * s->slope + 6 * (y - before) / s->n) / (s->n + 1) : 0;
}

/* What the straight line adds to the next value's forecast, to be weighted by w. */
static double line_part(const struct state *s)
{
    double start = s->mean - s->slope * (s->n + 1) / 2;
    return s->decay * start + (1 - s->decay * (1 - s->alpha)) / s->alpha * s->slope;
}

/* w within [0, 1]: theta at least 1. Values count from the first one, which the first level takes up. */
static struct fit fit_at(const struct cot_series *series, double alpha)
{
    struct state s = {.alpha = alpha, .decay = 1};
    double pp = 0;
    double pg = 0;
    double gg = 0;
    double pr = 0;
    double gr = 0;
    double rr = 0;
    const double degenerate = 1e-12;
    for (size_t i = 0; i < series->n; i++) {
        double y = series->values[i] - series->values[0];
        if (i >= FIRST_SCORED) {
            double g = line_part(&s);
            double r = y - s.level;
            pp += s.decay * s.decay;
            pg += s.decay * g;
            gg += g * g;
            pr += s.decay * r;
            gr += g * r;
            rr += r * r;
        }
        take(&s, y);
    }
    double determinant = pp * gg - pg * pg;
    struct fit fit = {.alpha = alpha};
    if (determinant > degenerate * pp * gg)
        fit.w = fmin(fmax((pp * gr - pg * pr) / determinant, 0), 1);
    fit.first = pp > 0 ? (pr - fit.w * pg) / pp : 0;
    fit.loss = rr - 2 * (fit.first * pr + fit.w * gr) + fit.first * fit.first * pp + 2 * fit.first * fit.w * pg +
               fit.w * fit.w * gg;
    return fit;
}

static struct fit fit_best(const struct cot_series *series)
{
    const double least = 0.1;
    const double most = 0.99;
    double low = least;
    double high = most;
    struct fit best = {.loss = INFINITY};
    for (int round = 0; round < ROUNDS; round++) {
        double step = (high - low) / GRID;
        for (int i = 0; i <= GRID; i++) {
            struct fit fit = fit_at(series, low + i * step);
            if (fit.loss < best.loss)
                best = fit;
        }
        low = fmax(best.alpha - step, least);
        high = fmin(best.alpha + step, most);
    }
    return best;
}

static cot_code plain_dynamic_theta(const struct cot_series *series, size_t horizon, double *ret_mean,
                                    struct cot_err *err)
{
    if (series->n < LEAST)
        return cot_forecast_naive(series, horizon, ret_mean, err);
    struct fit fit = fit_best(series);
    struct state s = {.alpha = fit.alpha, .level = fit.first, .decay = 1};
    if (!(fit.alpha > 0)) /* values so large that no loss was a number */
        return cot_forecast_naive(series, horizon, ret_mean, err);
    for (size_t i = 0; i < series->n; i++)
        take(&s, series->values[i] - series->values[0]);
    for (size_t h = 0; h < horizon; h++) {
        double next = s.level + fit.w * line_part(&s);
        ret_mean[h] = series->values[0] + next;
        take(&s, next);
    }
    return COT_OK;
}

cot_code cot_forecast_dynamic_theta(const struct cot_series *series, size_t horizon, double *ret_mean,
                                    struct cot_err *err)
{
    return cot_forecast_with_season(plain_dynamic_theta, series, horizon, ret_mean, err);
}
