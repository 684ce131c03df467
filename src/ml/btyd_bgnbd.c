/*
 * BG/NBD and its Erlang-k relatives. With E = r + k x and d = 1 where a customer may leave after the first purchase:
 *
 *   L = gamma(E) / gamma(r) alpha^r (alpha + T)^-E  B(a, b + x + d) / B(a, b)  (dead + still)
 *   dead  = [x > 0 or d] a / (b + x + d - 1) ((alpha + T) / (alpha + tx))^E
 *   still = sum over j < k of (E)_j / j! ((T - tx) / (alpha + T))^j
 *
 * The terms of `still` are the shares of how many of the k ticks to the next purchase have passed. Given j ticks, the
 * rate is gamma(E + j, alpha + T), ticks in a time t are negative binomial, and the m-th purchase needs m k - j of them
 * and m - 1 decisions to stay, whose chance is beta distributed: all that is asked of the future are sums of such
 * products, exact for any k.
 */
#include <float.h>
#include <math.h>

#include "ml/btyd_model.h"

enum { R, ALPHA, A, B };

static double stays_at_first(const struct cot_btyd *model)
{
    return model->kind == COT_BTYD_MBGCNBDK ? 1 : 0;
}

static void tabulate(const struct cot_btyd *model, struct cot_btyd_tables *tables)
{
    double r = model->parameters[R];
    double a = model->parameters[A];
    double b = model->parameters[B];
    double log_rising = 0;
    double psi = 0;
    double log_beta = 0;
    double by_a = 0;
    double by_b = 0;
    for (size_t x = 0; x < tables->n_x; x++) {
        double i = (double)x;
        tables->log_rising[x] = log_rising;
        tables->psi_rising[x] = psi;
        tables->log_beta[x] = log_beta;
        tables->by_a[x] = by_a;
        tables->by_b[x] = by_b;
        for (unsigned tick = 0; tick < model->k; tick++) {
            double at = r + (double)model->k * i + tick;
            log_rising += log(at);
            psi += 1 / at;
        }
        log_beta += log((b + i) / (a + b + i));
        by_a -= 1 / (a + b + i);
        by_b += 1 / (b + i) - 1 / (a + b + i);
    }
}

/* Shares of `still` (not normalised) by ticks passed; returns their sum, and its logarithm's derivatives. */
static double ticks_passed(unsigned k, double shape, double alpha_T, double gap, double *ret_share,
                           double *ret_by_shape, double *ret_by_alpha)
{
    double sum = 0;
    double term = 1;
    double psi = 0;
    *ret_by_shape = *ret_by_alpha = 0;
    for (unsigned j = 0; j < k; j++) {
        ret_share[j] = term;
        sum += term;
        *ret_by_shape += term * psi;
        *ret_by_alpha -= term * j / alpha_T;
        psi += 1 / (shape + j);
        term *= (shape + j) / (j + 1) * gap / alpha_T;
    }
    *ret_by_shape /= sum;
    *ret_by_alpha /= sum;
    return sum;
}

static double log_likelihood(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                             const struct cot_btyd_group *group, double ret_gradient[COT_BTYD_PARAMETERS])
{
    double r = model->parameters[R];
    double alpha = model->parameters[ALPHA];
    double a = model->parameters[A];
    double first = stays_at_first(model);
    double shape = r + model->k * group->x;
    double left = model->parameters[B] + group->x + first - 1;
    double share[COT_BTYD_MAX_K];
    double by_shape = 0;
    double by_alpha = 0;
    size_t x = (size_t)group->x;
    size_t stays = x + (size_t)first;
    double log_T = log(alpha + group->T);
    double still = ticks_passed(model->k, shape, alpha + group->T, group->T - group->tx, share, &by_shape, &by_alpha);
    double log_still = log(still);
    double result = log_still;
    double dead_share = 0; /* of dead in dead + still */
    double log_lost = 0;
    if (group->x > 0 || first > 0) {
        log_lost = log_T - log(alpha + group->tx);
        double log_dead = log(a / left) + shape * log_lost;
        double most = log_dead > log_still ? log_dead : log_still;
        result = most + log(exp(log_dead - most) + exp(log_still - most));
        dead_share = exp(log_dead - result);
    }
    double still_share = 1 - dead_share;
    double log_alpha = log(alpha);
    ret_gradient[R] = log_alpha + tables->psi_rising[x] - log_T + dead_share * log_lost + still_share * by_shape;
    ret_gradient[ALPHA] = r / alpha - shape / (alpha + group->T) +
                          dead_share * shape * (1 / (alpha + group->T) - 1 / (alpha + group->tx)) +
                          still_share * by_alpha;
    ret_gradient[A] = tables->by_a[stays] + dead_share / a;
    ret_gradient[B] = tables->by_b[stays] - (dead_share > 0 ? dead_share / left : 0);
    return result + tables->log_rising[x] + r * log_alpha - shape * log_T + tables->log_beta[stays];
}

/* Everything about a customer that the future depends on. */
struct outlook {
    double alive;
    double shape, scale;          /* of the rate, with 0 ticks passed */
    double share[COT_BTYD_MAX_K]; /* of ticks passed, sum 1 */
    double a, b;                  /* of the chance to leave after a purchase */
};

static struct outlook outlook_of(const struct cot_btyd *model, struct cot_btyd_customer c)
{
    double first = stays_at_first(model);
    double by_shape = 0;
    double by_alpha = 0;
    struct outlook o = {.alive = 1,
                        .shape = model->parameters[R] + model->k * c.x,
                        .scale = model->parameters[ALPHA] + c.T,
                        .a = model->parameters[A],
                        .b = model->parameters[B] + c.x + first};
    double still = ticks_passed(model->k, o.shape, o.scale, c.T - c.tx, o.share, &by_shape, &by_alpha);
    if (c.x > 0 || first > 0) {
        double log_dead = log(o.a / (o.b - 1)) + o.shape * log(o.scale / (model->parameters[ALPHA] + c.tx));
        o.alive = 1 / (1 + exp(log_dead - log(still)));
    }
    for (unsigned j = 0; j < model->k; j++)
        o.share[j] /= still;
    return o;
}

static double alive(const struct cot_btyd *model, struct cot_btyd_customer c)
{
    return outlook_of(model, c).alive;
}

/* Negative binomial counts one after the other: P(ticks = i), P(ticks <= i). */
struct ticks {
    double shape, ratio; /* ratio: t / (scale + t) */
    double log_p;        /* of i */
    double cumulative;   /* up to and with i */
    double i;
};

static struct ticks ticks_in(double shape, double scale, double t)
{
    struct ticks ticks = {.shape = shape, .ratio = t / (scale + t), .log_p = -shape * log1p(t / scale)};
    ticks.cumulative = exp(ticks.log_p);
    return ticks;
}

static void next_tick(struct ticks *ticks)
{
    ticks->log_p += log((ticks->shape + ticks->i) / (ticks->i + 1) * ticks->ratio);
    ticks->i += 1;
    ticks->cumulative += exp(ticks->log_p);
}

/* P(at least n ticks), n not below earlier calls'. */
static double tail(struct ticks *ticks, double n)
{
    if (n <= 0)
        return 1;
    while (ticks->i < n - 1)
        next_tick(ticks);
    return ticks->cumulative < 1 ? 1 - ticks->cumulative : 0;
}

/* Sums P(m-th purchase in t) over m in [first, last]; the terms fall, so it ends where they are nothing. */
static double sum_of_purchases(const struct cot_btyd *model, const struct outlook *o, double t, double first,
                               double last)
{
    const double nothing = 1e-13;
    double total = 0;
    for (unsigned j = 0; j < model->k; j++) {
        struct ticks ticks = ticks_in(o->shape + j, o->scale, t);
        double stays = 1;
        double sum = 0;
        double m = 1;
        while (m <= last) {
            if (m >= first) {
                double term = stays * tail(&ticks, m * model->k - j);
                sum += term;
                if (term < nothing * (1 + sum))
                    break;
            }
            stays *= (o->b + m - 1) / (o->a + o->b + m - 1);
            m += 1;
        }
        total += o->share[j] * sum;
    }
    return o->alive * total;
}

static double expected(const struct cot_btyd *model, struct cot_btyd_customer c, double t)
{
    struct outlook o = outlook_of(model, c);
    return sum_of_purchases(model, &o, t, 1, INFINITY);
}

static double at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m)
{
    struct outlook o = outlook_of(model, c);
    return sum_of_purchases(model, &o, t, m, m);
}

#define BG(TITLE)                                                                                                      \
    {                                                                                                                  \
        .name = TITLE, .parameters = {"r", "alpha", "a", "b"}, .typical = {0.5, 0.3, 0.8, 2.5},                        \
        .scale = {false, true, false, false}, .tabulate = tabulate, .log_likelihood = log_likelihood, .alive = alive,  \
        .expected = expected, .at_least = at_least                                                                     \
    }

const struct cot_btyd_model cot_btyd_bgnbd = BG("bgnbd");
const struct cot_btyd_model cot_btyd_bgcnbdk = BG("bgcnbdk");
const struct cot_btyd_model cot_btyd_mbgcnbdk = BG("mbgcnbdk");
