#include "ml/ets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ml/ets_start.h"
#include "num/check.h"
#include "num/minimise.h"

const struct cot_ets_form cot_ets_forms[COT_ETS_N_FORMS] = {
    {false, COT_ETS_NO_TREND, COT_ETS_NO_SEASON},     {true, COT_ETS_NO_TREND, COT_ETS_NO_SEASON},
    {false, COT_ETS_TREND, COT_ETS_NO_SEASON},        {true, COT_ETS_TREND, COT_ETS_NO_SEASON},
    {false, COT_ETS_DAMPED, COT_ETS_NO_SEASON},       {true, COT_ETS_DAMPED, COT_ETS_NO_SEASON},
    {false, COT_ETS_NO_TREND, COT_ETS_ADDITIVE},      {true, COT_ETS_NO_TREND, COT_ETS_ADDITIVE},
    {false, COT_ETS_TREND, COT_ETS_ADDITIVE},         {true, COT_ETS_TREND, COT_ETS_ADDITIVE},
    {false, COT_ETS_DAMPED, COT_ETS_ADDITIVE},        {true, COT_ETS_DAMPED, COT_ETS_ADDITIVE},
    {true, COT_ETS_NO_TREND, COT_ETS_MULTIPLICATIVE}, {true, COT_ETS_TREND, COT_ETS_MULTIPLICATIVE},
    {true, COT_ETS_DAMPED, COT_ETS_MULTIPLICATIVE},
};

void cot_ets_name(const struct cot_ets_form *form, char ret_name[8])
{
    static const char *const trends[] = {"N", "A", "Ad"};
    (void)snprintf(ret_name, 8, "%c%s%c", form->multiplicative_error ? 'M' : 'A', trends[form->trend],
                   "NAM"[form->season]);
}

/*
 * Variables of a fit: alpha, beta / alpha, gamma / (1 - alpha), phi, level, trend, seasonal states; those that the form
 * has not are left out. States are told by how many of these units they are from what the first values show: 3% of the
 * series' size, trends 0.1% a step. The last seasonal state makes them sum to 0 (additive) or to their number.
 */
static const double state_unit = 0.03;
static const double trend_unit = 0.001;

struct places {
    size_t beta, gamma, phi, level, trend, seasonal, n; /* 0: not there (alpha is always the first) */
};

static struct places places_of(const struct cot_ets_form *form, size_t season)
{
    struct places p = {.n = 1};
    if (form->trend != COT_ETS_NO_TREND)
        p.beta = p.n++;
    if (form->season != COT_ETS_NO_SEASON)
        p.gamma = p.n++;
    if (form->trend == COT_ETS_DAMPED)
        p.phi = p.n++;
    p.level = p.n++;
    if (form->trend != COT_ETS_NO_TREND)
        p.trend = p.n++;
    if (form->season != COT_ETS_NO_SEASON) {
        p.seasonal = p.n;
        p.n += season - 1;
    }
    return p;
}

/* What the backward run needs of a step. */
struct step {
    double q;        /* level and trend together, before the value */
    double seasonal; /* before the value */
    double trend;    /* before the value */
    double forecast;
};

struct fit {
    const struct cot_ets_form *form;
    const double *y; /* scaled */
    size_t n, season;
    struct places places;
    struct step *steps;
    double first[COT_ETS_MAX_VARIABLES]; /* states, where the variables have theirs, that the first values show */
};

struct state {
    double alpha, beta, gamma, phi;
    double level, trend;
    double seasonal[COT_ETS_MAX_SEASON]; /* [i % season] for value i */
};

static struct state state_of(const struct fit *f, const double *x)
{
    const struct places *p = &f->places;
    struct state s = {.alpha = x[0], .phi = 1};
    s.beta = p->beta > 0 ? s.alpha * x[p->beta] : 0;
    s.gamma = p->gamma > 0 ? (1 - s.alpha) * x[p->gamma] : 0;
    s.phi = p->phi > 0 ? x[p->phi] : 1;
    s.level = f->first[p->level] + state_unit * x[p->level];
    s.trend = p->trend > 0 ? f->first[p->trend] + trend_unit * x[p->trend] : 0;
    if (p->seasonal > 0) {
        double sum = 0;
        for (size_t i = 0; i + 1 < f->season; i++)
            sum += s.seasonal[i] = f->first[p->seasonal + i] + state_unit * x[p->seasonal + i];
        s.seasonal[f->season - 1] = (f->form->season == COT_ETS_MULTIPLICATIVE ? (double)f->season : 0) - sum;
    }
    return s;
}

/* Sum of squared (relative) errors, and of the logarithms of the forecasts; infinite where a multiplied state is not
 * above 0. The recursion of the states is the same with either error. */
static double run_forward(const struct fit *f, struct state *s, double *ret_logs)
{
    const double least = 1e-6;
    bool relative = f->form->multiplicative_error;
    enum cot_ets_season kind = f->form->season;
    double squares = 0;
    double product = 1;
    size_t place = 0;
    *ret_logs = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct step *step = f->steps + i;
        double y = f->y[i];
        double seasonal = s->seasonal[place];
        double q = s->level + s->phi * s->trend;
        double forecast = kind == COT_ETS_MULTIPLICATIVE ? q * seasonal : q + seasonal;
        *step = (struct step){q, seasonal, s->trend, forecast};
        if (relative && !(forecast > least && (kind != COT_ETS_MULTIPLICATIVE || seasonal > least)))
            return INFINITY;
        double error = relative ? y / forecast - 1 : y - forecast;
        squares += error * error;
        if (relative) { /* one logarithm for many forecasts */
            product *= forecast;
            if (product > 1e100 || product < 1e-100) {
                *ret_logs += log(product);
                product = 1;
            }
        }
        double p = kind == COT_ETS_MULTIPLICATIVE ? y / seasonal : y - seasonal;
        s->level = q + s->alpha * (p - q);
        s->trend = s->phi * s->trend + s->beta * (p - q);
        if (kind != COT_ETS_NO_SEASON) {
            double t = kind == COT_ETS_MULTIPLICATIVE ? y / q : y - q;
            s->seasonal[place] = seasonal + s->gamma * (t - seasonal);
            place = place + 1 < f->season ? place + 1 : 0;
        }
    }
    *ret_logs += log(product);
    return squares;
}

/* Derivatives by weights and states: after the run, those by the first states. */
struct slope {
    double alpha, beta, gamma, phi, level, trend;
    double seasonal[COT_ETS_MAX_SEASON];
};

/* The recursion backwards: how the loss changes with each state before each value. */
static void run_backward(const struct fit *f, const struct state *s, double by_squares, struct slope *ret_slope)
{
    bool relative = f->form->multiplicative_error;
    enum cot_ets_season kind = f->form->season;
    struct slope d = {0};
    size_t place = f->n % f->season;
    for (size_t i = f->n; i-- > 0;) {
        const struct step *step = f->steps + i;
        double y = f->y[i];
        double q = step->q;
        double seasonal = step->seasonal;
        place = place > 0 ? place - 1 : f->season - 1;
        double inverse = relative ? 1 / step->forecast : 0;
        double error = relative ? y * inverse - 1 : y - step->forecast;
        double by_forecast =
            relative ? -2 * by_squares * error * y * inverse * inverse + 2 * inverse : -2 * by_squares * error;
        double p = kind == COT_ETS_MULTIPLICATIVE ? y / seasonal : y - seasonal;
        double by_p = s->alpha * d.level + s->beta * d.trend;
        double by_q = (1 - s->alpha) * d.level - s->beta * d.trend;
        d.alpha += (p - q) * d.level;
        d.beta += (p - q) * d.trend;
        d.phi += step->trend * d.trend;
        double by_trend = s->phi * d.trend;
        if (kind == COT_ETS_NO_SEASON) {
            by_q += by_forecast;
        } else {
            double after = d.seasonal[place];
            double by_t = s->gamma * after;
            double by_seasonal = (1 - s->gamma) * after;
            bool times = kind == COT_ETS_MULTIPLICATIVE;
            double t = times ? y / q : y - q;
            d.gamma += (t - seasonal) * after;
            by_q += by_forecast * (times ? seasonal : 1) - by_t * (times ? t / q : 1);
            by_seasonal += by_forecast * (times ? q : 1) - by_p * (times ? p / seasonal : 1);
            d.seasonal[place] = by_seasonal;
        }
        d.level = by_q;
        d.trend = by_trend + s->phi * by_q;
        d.phi += step->trend * by_q;
    }
    *ret_slope = d;
}

static void gradient_of(const struct fit *f, const double *x, const struct slope *d, double *ret_gradient)
{
    const struct places *p = &f->places;
    ret_gradient[0] = d->alpha;
    if (p->beta > 0) {
        ret_gradient[0] += x[p->beta] * d->beta;
        ret_gradient[p->beta] = x[0] * d->beta;
        ret_gradient[p->trend] = trend_unit * d->trend;
    }
    if (p->gamma > 0) {
        ret_gradient[0] -= x[p->gamma] * d->gamma;
        ret_gradient[p->gamma] = (1 - x[0]) * d->gamma;
        for (size_t i = 0; i + 1 < f->season; i++)
            ret_gradient[p->seasonal + i] = state_unit * (d->seasonal[i] - d->seasonal[f->season - 1]);
    }
    if (p->phi > 0)
        ret_gradient[p->phi] = d->phi;
    ret_gradient[p->level] = state_unit * d->level;
}

/*
 * What is not known better is expected to be within a unit of what the first values show, and trends to change little
 * (the weight's share about 0.07). Without it the likelihood follows what chance did to a few values: M3's monthly
 * sMAPE, held back in the training part, was 15.8 instead of 14.4.
 */
static double add_prior(const struct fit *f, const double *x, double *ret_gradient)
{
    const double changes = 30;
    const struct places *p = &f->places;
    double sum = 0;
    for (size_t i = p->level; i < p->n; i++) {
        sum += x[i] * x[i];
        if (ret_gradient != NULL)
            ret_gradient[i] += 2 * x[i];
    }
    if (p->beta > 0) {
        sum += changes * x[p->beta];
        if (ret_gradient != NULL)
            ret_gradient[p->beta] += changes;
    }
    return sum;
}

/* Minus twice the logarithm of the likelihood, its variance taken at its best, and of the prior. */
static double loss(void *context, size_t n, const double *x, double *ret_gradient)
{
    const struct fit *f = context;
    const double nothing = 1e-12; /* a series that is hit exactly would have a likelihood without bound */
    struct state before = state_of(f, x);
    struct state after = before;
    struct slope slope;
    double logs = 0;
    double size = (double)f->n;
    double squares = run_forward(f, &after, &logs) + nothing * size;
    (void)n;
    if (!isfinite(squares))
        return INFINITY;
    if (ret_gradient != NULL) {
        run_backward(f, &before, size / squares, &slope);
        gradient_of(f, x, &slope, ret_gradient);
    }
    return size * log(squares) + 2 * logs + add_prior(f, x, ret_gradient);
}

bool cot_ets_possible(const struct cot_ets_form *form, const double *y, size_t n, size_t season)
{
    struct places p = places_of(form, season);
    bool multiplies = form->multiplicative_error || form->season == COT_ETS_MULTIPLICATIVE;
    const size_t spare = 2; /* AICc divides by values less variables, the variance among them */
    if (n < p.n + 1 + spare)
        return false;
    if (form->season != COT_ETS_NO_SEASON && (season < 2 || season > COT_ETS_MAX_SEASON || n < 2 * season + 1))
        return false;
    for (size_t i = 0; i < n && multiplies; i++)
        if (!(y[i] > 0))
            return false;
    return true;
}

static void bounds(const struct fit *f, double *ret_low, double *ret_high)
{
    const double edge = 1e-4;
    const struct places *p = &f->places;
    for (size_t i = 0; i < p->n; i++) {
        bool weight = i == 0 || (p->beta > 0 && i == p->beta) || (p->gamma > 0 && i == p->gamma);
        ret_low[i] = weight ? edge : -HUGE_VAL;
        ret_high[i] = weight ? 1 - edge : HUGE_VAL;
    }
    if (p->phi > 0) {
        ret_low[p->phi] = 0.8;
        ret_high[p->phi] = 0.98;
    }
}

static void find_first(struct fit *f)
{
    const struct places *p = &f->places;
    struct cot_ets_first first;
    cot_ets_first(f->form, f->y, f->n, f->season, &first);
    f->first[p->level] = first.level;
    if (p->trend > 0)
        f->first[p->trend] = first.trend;
    for (size_t i = 0; i + 1 < f->season && p->seasonal > 0; i++)
        f->first[p->seasonal + i] = first.seasonal[i];
}

/* Weights to start from: the best of a few. */
static void start_variables(struct fit *f, double *ret_x)
{
    static const double alphas[] = {0.02, 0.15, 0.5, 0.9};
    static const double shares[] = {0.02, 0.2};
    const struct places *p = &f->places;
    double best = INFINITY;
    double best_alpha = alphas[1];
    double best_share = shares[0];
    memset(ret_x, 0, p->n * sizeof *ret_x);
    if (p->phi > 0)
        ret_x[p->phi] = 0.95;
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++)
        for (size_t b = 0; b < sizeof shares / sizeof *shares; b++) {
            ret_x[0] = alphas[a];
            if (p->beta > 0)
                ret_x[p->beta] = shares[b];
            if (p->gamma > 0)
                ret_x[p->gamma] = shares[b];
            double value = loss(f, p->n, ret_x, NULL);
            if (value < best) {
                best = value;
                best_alpha = alphas[a];
                best_share = shares[b];
            }
        }
    ret_x[0] = best_alpha;
    if (p->beta > 0)
        ret_x[p->beta] = best_share;
    if (p->gamma > 0)
        ret_x[p->gamma] = best_share;
}

/* The series in units of its mean size, so that all variables are about 1. */
static double unit_of(const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(y[i]) / (double)n;
    return sum > 0 && isfinite(sum) ? sum : 1;
}

static void finish(const struct fit *f, double unit, const double *x, double value, struct cot_ets *ret_ets)
{
    struct state s = state_of(f, x);
    double logs = 0;
    double n = (double)f->n;
    double k = (double)f->places.n + 1; /* and the variance */
    bool adds = f->form->season == COT_ETS_ADDITIVE;
    (void)run_forward(f, &s, &logs);
    *ret_ets = (struct cot_ets){.form = *f->form,
                                .season = f->form->season == COT_ETS_NO_SEASON ? 1 : f->season,
                                .alpha = s.alpha,
                                .beta = s.beta,
                                .gamma = s.gamma,
                                .phi = s.phi,
                                .level = s.level * unit,
                                .trend = s.trend * unit,
                                .loss = value,
                                .aicc = value + 2 * k + 2 * k * (k + 1) / (n - k - 1),
                                .n_variables = f->places.n};
    for (size_t i = 0; i < ret_ets->season; i++)
        ret_ets->seasonal[i] = s.seasonal[(f->n + i) % f->season] * (adds ? unit : 1);
    memcpy(ret_ets->variables, x, f->places.n * sizeof *x);
}

cot_code cot_ets_fit(const struct cot_ets_form *form, const double *y, size_t n, size_t season,
                     const struct cot_ets *start, struct cot_ets *ret_ets, struct cot_err *err)
{
    const double enough = 1e-6;
    double x[COT_ETS_MAX_VARIABLES];
    double low[COT_ETS_MAX_VARIABLES];
    double high[COT_ETS_MAX_VARIABLES];
    double value = 0;
    double unit = unit_of(y, n);
    double *scaled = cot_alloc_array(n, 1, sizeof *scaled);
    struct fit f = {.form = form, .y = scaled, .n = n, .season = season};
    f.places = places_of(form, season);
    f.steps = cot_alloc_array(n, 1, sizeof *f.steps);
    cot_code rc = scaled == NULL || f.steps == NULL ? cot_fail(err, COT_NOMEM, "a series of %zu values", n) : COT_OK;
    if (rc == COT_OK && form->season == COT_ETS_NO_SEASON)
        f.season = 1;
    if (rc == COT_OK) {
        for (size_t i = 0; i < n; i++)
            scaled[i] = y[i] / unit;
        find_first(&f);
        if (start != NULL && start->n_variables == f.places.n)
            memcpy(x, start->variables, f.places.n * sizeof *x);
        else
            start_variables(&f, x);
        bounds(&f, low, high);
        rc = cot_minimise_until(loss, &f, f.places.n, x, low, high, enough, &value, NULL, err);
        if (rc == COT_INTERNAL)
            rc = cot_fail(err, COT_BAD_DATA, "no weights of this form have a finite likelihood");
    }
    if (rc == COT_OK)
        finish(&f, unit, x, value, ret_ets);
    free(f.steps);
    free(scaled);
    return rc;
}

cot_code cot_ets_choose(const double *y, size_t n, size_t season, struct cot_ets *ret_ets, struct cot_err *err)
{
    bool found = false;
    cot_code rc = COT_OK;
    for (size_t i = 0; i < COT_ETS_N_FORMS && rc == COT_OK; i++) {
        struct cot_ets ets;
        if (!cot_ets_possible(cot_ets_forms + i, y, n, season))
            continue;
        rc = cot_ets_fit(cot_ets_forms + i, y, n, season, NULL, &ets, err);
        if (rc == COT_OK && isfinite(ets.aicc) && (!found || ets.aicc < ret_ets->aicc)) {
            *ret_ets = ets;
            found = true;
        }
        if (rc == COT_BAD_DATA)
            rc = COT_OK;
    }
    if (rc == COT_OK && !found)
        rc = cot_fail(err, COT_BAD_DATA, "%zu values are too few for exponential smoothing", n);
    return rc;
}

void cot_ets_forecast(const struct cot_ets *ets, size_t horizon, double *ret_mean)
{
    double trend = 0;
    double power = ets->phi;
    for (size_t h = 0; h < horizon; h++) {
        double seasonal = ets->seasonal[h % ets->season];
        trend += power * ets->trend;
        power *= ets->phi;
        double q = ets->level + trend;
        ret_mean[h] = ets->form.season == COT_ETS_MULTIPLICATIVE ? q * seasonal : q + seasonal;
    }
}
