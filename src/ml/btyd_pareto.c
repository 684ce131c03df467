/*
 * Pareto/NBD. With E = r + x:
 *
 *   L = gamma(E) / gamma(r) alpha^r beta^s ((alpha + T)^-E (beta + T)^-s + s I)
 *   I = integral over u in (tx, T) of (alpha + u)^-E (beta + u)^-(s + 1)
 *
 * The literature writes I as a difference of two hypergeometric functions, which loses digits and is slow. It is
 * smooth: in v = ln((near + u) / (near + tx)), near the smaller of alpha and beta, nearly exponential, so that Gauss
 * and Legendre's rule gives it and its derivatives to about 1e-13 (1e-7 where alpha and beta are a factor of 10,000
 * apart), with half the points where the interval is short. One of the two logarithms at a point is v itself.
 */
#include <math.h>

#include "ml/btyd_model.h"
#include "num/elementary.h"
#include "num/special.h"

enum { R, ALPHA, S, BETA };

static void tabulate(const struct cot_btyd *model, struct cot_btyd_tables *tables)
{
    double log_rising = 0;
    double psi = 0;
    for (size_t x = 0; x < tables->n_x; x++) {
        double at = model->parameters[R] + (double)x;
        tables->log_rising[x] = log_rising;
        tables->psi_rising[x] = psi;
        log_rising += log(at);
        psi += 1 / at;
    }
}

/* The rule's points of a batch of customers, one customer's after the other's. */
struct points {
    const struct cot_gauss_rule *rule[COT_BTYD_BATCH];
    double near_power[COT_BTYD_BATCH]; /* the integrand over dv: (near + u)^-near_power (far + u)^-far_power */
    double far_power[COT_BTYD_BATCH];
    double log_near[COT_BTYD_BATCH]; /* ln(near + tx), ln(far + tx) */
    double log_far[COT_BTYD_BATCH];
    double span[COT_BTYD_BATCH]; /* of v */
    double v[COT_BTYD_BATCH * COT_GAUSS_MAX];
    double near_u[COT_BTYD_BATCH * COT_GAUSS_MAX]; /* near + u, far + u, ln(far + u) */
    double far_u[COT_BTYD_BATCH * COT_GAUSS_MAX];
    double log_far_u[COT_BTYD_BATCH * COT_GAUSS_MAX];
    double value[COT_BTYD_BATCH * COT_GAUSS_MAX]; /* weight times integrand, in units of its first value */
};

/* The parameters by their places in the integral. */
struct form {
    double near, far;            /* near <= far */
    size_t i_near, i_near_power; /* parameters: the smaller of alpha and beta, and r or s with it */
    size_t i_far, i_far_power;
};

static struct form form_of(const struct cot_btyd *model)
{
    double alpha = model->parameters[ALPHA];
    double beta = model->parameters[BETA];
    return alpha < beta ? (struct form){alpha, beta, ALPHA, R, BETA, S} : (struct form){beta, alpha, BETA, S, ALPHA, R};
}

/* The power of (alpha + u) or (beta + u) in the integrand over du, its sign reversed. */
static double power_of(const struct cot_btyd *model, size_t i_power, double x)
{
    return i_power == R ? model->parameters[R] + x : model->parameters[S] + 1;
}

/*
 * How far ln of the integrand falls over customer i's span; where that is more than matters, the span ends earlier, by
 * Newton's method from its end. It falls ever faster, so that no step goes too far.
 */
static double shorten(const struct form *form, double tx, double log_far_end, struct points *p, size_t i)
{
    const double enough = 50; /* e^-50 of the first value is nothing */
    const double limit = 55;
    double near_power = p->near_power[i];
    double far_power = p->far_power[i];
    double v = p->span[i];
    double fall = near_power * v + far_power * (log_far_end - p->log_far[i]);
    while (fall > limit) {
        double near_u = (tx + form->near) * exp(v);
        v -= (fall - enough) / (near_power + far_power * near_u / (near_u + (form->far - form->near)));
        near_u = (tx + form->near) * exp(v);
        fall = near_power * v + far_power * (log(near_u + (form->far - form->near)) - p->log_far[i]);
    }
    p->span[i] = v;
    return fall;
}

/* Powers, spans, rules and v; returns the number of points. */
static size_t lay_points(const struct cot_btyd *model, const struct form *form, size_t n, const double *x,
                         const double *tx, const double *T, struct points *ret_points)
{
    const double short_fall = 16;
    const double short_span = 4; /* up to these, 16 points are as exact as 32 */
    const struct cot_elementary *wide = cot_elementary_best();
    struct points *p = ret_points;
    double log_far_end[COT_BTYD_BATCH];
    size_t n_points = 0;
    for (size_t i = 0; i < n; i++) {
        p->near_power[i] = power_of(model, form->i_near_power, x[i]) - 1; /* du = (near + u) dv */
        p->far_power[i] = power_of(model, form->i_far_power, x[i]);
        p->span[i] = (T[i] + form->near) / (tx[i] + form->near);
        p->log_near[i] = tx[i] + form->near;
        p->log_far[i] = tx[i] + form->far;
        log_far_end[i] = T[i] + form->far;
    }
    wide->log(n, p->span, p->span);
    wide->log(n, p->log_near, p->log_near);
    wide->log(n, p->log_far, p->log_far);
    wide->log(n, log_far_end, log_far_end);
    for (size_t i = 0; i < n; i++) {
        double fall = shorten(form, tx[i], log_far_end[i], p, i);
        const struct cot_gauss_rule *rule =
            fall <= short_fall && p->span[i] <= short_span ? &cot_gauss_16 : &cot_gauss_32;
        for (size_t k = 0; k < rule->n; k++)
            p->v[n_points + k] = rule->nodes[k] * p->span[i];
        n_points += rule->n;
        p->rule[i] = rule;
    }
    return n_points;
}

static void evaluate_points(const struct cot_btyd *model, const struct form *form, size_t n, const double *x,
                            const double *tx, const double *T, struct points *ret_points)
{
    struct points *p = ret_points;
    const struct cot_elementary *wide = cot_elementary_best();
    size_t n_points = lay_points(model, form, n, x, tx, T, p);
    wide->exp(n_points, p->v, p->near_u);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t end = at + p->rule[i]->n; at < end; at++) {
            p->near_u[at] *= tx[i] + form->near;
            p->far_u[at] = p->near_u[at] + (form->far - form->near);
        }
    wide->log(n_points, p->far_u, p->log_far_u);
    at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t end = at + p->rule[i]->n; at < end; at++)
            p->value[at] = -p->near_power[i] * p->v[at] - p->far_power[i] * (p->log_far_u[at] - p->log_far[i]);
    wide->exp(n_points, p->value, p->value);
    at = 0;
    for (size_t i = 0; i < n; at += p->rule[i]->n, i++)
        for (size_t k = 0; k < p->rule[i]->n; k++)
            p->value[at + k] *= p->rule[i]->weights[k];
}

/* ln I of a batch; -infinity where tx = T. */
static void died_between(const struct cot_btyd *model, const struct form *form, size_t n, const double *x,
                         const double *tx, const double *T, struct points *ret_points, double *ret_log)
{
    struct points *p = ret_points;
    size_t at = 0;
    evaluate_points(model, form, n, x, tx, T, p);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t end = at + p->rule[i]->n; at < end; at++)
            sum += p->value[at];
        ret_log[i] = sum * p->span[i];
    }
    cot_elementary_best()->log(n, ret_log, ret_log);
    for (size_t i = 0; i < n; i++)
        ret_log[i] = p->span[i] > 0 ? ret_log[i] - p->near_power[i] * p->log_near[i] - p->far_power[i] * p->log_far[i]
                                    : -(double)INFINITY;
}

/* Derivatives of ln I of customer i, whose points begin at `at`, by the parameters. */
static void differentiate(const struct form *form, const struct points *p, size_t i, size_t at,
                          double ret_by[COT_BTYD_PARAMETERS])
{
    double sum = 0;
    double v = 0;
    double log_far = 0;
    double near = 0;
    double far = 0;
    for (size_t end = at + p->rule[i]->n; at < end; at++) {
        sum += p->value[at];
        v += p->value[at] * p->v[at];
        log_far += p->value[at] * p->log_far_u[at];
        near += p->value[at] / p->near_u[at];
        far += p->value[at] / p->far_u[at];
    }
    ret_by[form->i_near_power] = -(p->log_near[i] + v / sum);
    ret_by[form->i_far_power] = -log_far / sum;
    ret_by[form->i_near] = -(p->near_power[i] + 1) * near / sum;
    ret_by[form->i_far] = -p->far_power[i] * far / sum;
}

/* ln of being there at T, and of having left before, both without what they have in common. */
struct ends {
    double log_alpha_T[COT_BTYD_BATCH];
    double log_beta_T[COT_BTYD_BATCH];
    double log_alive[COT_BTYD_BATCH];
    double log_dead[COT_BTYD_BATCH];
};

static void ends_of(const struct cot_btyd *model, const struct form *form, size_t n, const double *x, const double *tx,
                    const double *T, struct points *ret_points, struct ends *ret_ends)
{
    const struct cot_elementary *wide = cot_elementary_best();
    double log_s = log(model->parameters[S]);
    for (size_t i = 0; i < n; i++) {
        ret_ends->log_alpha_T[i] = model->parameters[ALPHA] + T[i];
        ret_ends->log_beta_T[i] = model->parameters[BETA] + T[i];
    }
    wide->log(n, ret_ends->log_alpha_T, ret_ends->log_alpha_T);
    wide->log(n, ret_ends->log_beta_T, ret_ends->log_beta_T);
    died_between(model, form, n, x, tx, T, ret_points, ret_ends->log_dead);
    for (size_t i = 0; i < n; i++) {
        ret_ends->log_alive[i] =
            -(model->parameters[R] + x[i]) * ret_ends->log_alpha_T[i] - model->parameters[S] * ret_ends->log_beta_T[i];
        ret_ends->log_dead[i] += log_s;
    }
}

static void add_log_likelihoods(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                                const struct cot_btyd_group *groups, size_t n, double sums[1 + COT_BTYD_PARAMETERS])
{
    double r = model->parameters[R];
    double alpha = model->parameters[ALPHA];
    double s = model->parameters[S];
    double beta = model->parameters[BETA];
    double log_alpha = log(alpha);
    double log_beta = log(beta);
    const struct form form = form_of(model);
    struct points points;
    struct ends ends;
    double x[COT_BTYD_BATCH] = {0};
    double tx[COT_BTYD_BATCH] = {0};
    double T[COT_BTYD_BATCH] = {0};
    double log_sum[COT_BTYD_BATCH];
    double dead[COT_BTYD_BATCH];
    for (size_t i = 0; i < n; i++) {
        x[i] = groups[i].x;
        tx[i] = groups[i].tx;
        T[i] = groups[i].T;
    }
    ends_of(model, &form, n, x, tx, T, &points, &ends);
    cot_btyd_mix(n, ends.log_dead, ends.log_alive, log_sum, dead);
    for (size_t i = 0, at = 0; i < n; at += points.rule[i]->n, i++) {
        double by[COT_BTYD_PARAMETERS];
        double m = groups[i].n;
        double alive = 1 - dead[i];
        size_t n_x = (size_t)x[i];
        differentiate(&form, &points, i, at, by);
        sums[0] += m * (log_sum[i] + tables->log_rising[n_x] + r * log_alpha + s * log_beta);
        sums[1 + R] += m * (tables->psi_rising[n_x] + log_alpha - alive * ends.log_alpha_T[i] + dead[i] * by[R]);
        sums[1 + ALPHA] += m * (r / alpha - alive * (r + x[i]) / (alpha + T[i]) + dead[i] * by[ALPHA]);
        sums[1 + S] += m * (log_beta - alive * ends.log_beta_T[i] + dead[i] * (1 / s + by[S]));
        sums[1 + BETA] += m * (s / beta - alive * s / (beta + T[i]) + dead[i] * by[BETA]);
    }
}

static double expected_if_alive(const struct cot_btyd *model, double x, double T, double t)
{
    double rate = (model->parameters[R] + x) / (model->parameters[ALPHA] + T);
    double left = model->parameters[BETA] + T;
    double s1 = model->parameters[S] - 1;
    double log_ratio = log1p(t / left);
    /* left / s1 (1 - (left / (left + t))^s1), which is left log_ratio at s1 = 0 */
    double lasts = fabs(s1 * log_ratio) < 1e-9 ? left * log_ratio : left * -expm1(-s1 * log_ratio) / s1;
    return rate * lasts;
}

static void score(const struct cot_btyd *model, size_t n, const double *x, const double *tx, const double *T, double t,
                  double *ret_expected, double *ret_alive)
{
    const struct form form = form_of(model);
    struct points points;
    struct ends ends;
    double odds[COT_BTYD_BATCH]; /* of dead to alive */
    ends_of(model, &form, n, x, tx, T, &points, &ends);
    for (size_t i = 0; i < n; i++)
        odds[i] = ends.log_dead[i] - ends.log_alive[i];
    cot_elementary_best()->exp(n, odds, odds);
    for (size_t i = 0; i < n; i++) {
        ret_alive[i] = 1 / (1 + odds[i]);
        if (ret_expected != NULL)
            ret_expected[i] = ret_alive[i] * expected_if_alive(model, x[i], T[i], t);
    }
}

/*
 * The m-th purchase comes at u after T with density gamma(E + m) / (gamma(E) (m - 1)!) u^(m - 1) (alpha + T)^E /
 * (alpha + T + u)^(E + m), if the customer is still there; v = u / (alpha + T + u) makes a beta density of it.
 */
static double at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m)
{
    enum { PANELS = 16, POINTS = PANELS * COT_GAUSS_MAX };
    const struct cot_gauss_rule *rule = &cot_gauss_32;
    const struct cot_elementary *wide = cot_elementary_best();
    double shape = model->parameters[R] + c.x;
    double scale = model->parameters[ALPHA] + c.T;
    double left = model->parameters[BETA] + c.T;
    double s = model->parameters[S];
    double end = t / (scale + t);
    double log_beta = cot_log_gamma(shape) + cot_log_gamma(m) - cot_log_gamma(shape + m);
    double log_v[POINTS];
    double log_rest[POINTS];  /* ln(1 - v) */
    double log_lasts[POINTS]; /* ln(1 + u / left) */
    double sum = 0;
    double alive = 0;
    for (size_t i = 0; i < POINTS; i++) {
        double v = end * ((double)(i / rule->n) + rule->nodes[i % rule->n]) / PANELS;
        log_v[i] = v;
        log_rest[i] = 1 - v;
        log_lasts[i] = 1 + scale * v / (1 - v) / left;
    }
    wide->log(POINTS, log_v, log_v);
    wide->log(POINTS, log_rest, log_rest);
    wide->log(POINTS, log_lasts, log_lasts);
    for (size_t i = 0; i < POINTS; i++)
        log_v[i] = (m - 1) * log_v[i] + (shape - 1) * log_rest[i] - log_beta - s * log_lasts[i];
    wide->exp(POINTS, log_v, log_v);
    for (size_t i = 0; i < POINTS; i++)
        sum += rule->weights[i % rule->n] / PANELS * end * log_v[i];
    score(model, 1, &c.x, &c.tx, &c.T, 0, NULL, &alive);
    return alive * (sum < 1 ? sum : 1);
}

const struct cot_btyd_model cot_btyd_pareto = {.name = "pareto",
                                               .parameters = {"r", "alpha", "s", "beta"},
                                               .typical = {0.5, 0.3, 0.6, 0.4},
                                               .scale = {false, true, false, true},
                                               .groups_a_block = 2048,
                                               .tabulate = tabulate,
                                               .add_log_likelihoods = add_log_likelihoods,
                                               .score = score,
                                               .at_least = at_least};
