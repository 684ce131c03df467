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
#include "num/elementary.h"

enum { R, ALPHA, A, B };

static double stays_at_first(const struct cot_btyd *model)
{
    return model->kind == COT_BTYD_MBGCNBDK ? 1 : 0;
}

/* A customer of x repeat purchases has had a chance to leave. */
static bool may_be_gone(const struct cot_btyd *model, double x)
{
    return x > 0 || stays_at_first(model) > 0;
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
        if (j + 1 == k)
            break;
        psi += 1 / (shape + j);
        term *= (shape + j) / (j + 1) * gap / alpha_T;
    }
    double by_sum = 1 / sum;
    *ret_by_shape *= by_sum;
    *ret_by_alpha *= by_sum;
    return sum;
}

/* Of a batch. */
struct terms {
    double log_T[COT_BTYD_BATCH];    /* ln(alpha + T) */
    double log_lost[COT_BTYD_BATCH]; /* ln((alpha + T) / (alpha + tx)) */
    double by_T[COT_BTYD_BATCH];     /* 1 / (alpha + T), 1 / (alpha + tx) */
    double by_tx[COT_BTYD_BATCH];
    double odds[COT_BTYD_BATCH];     /* a / (b + x + d - 1) */
    double by_shape[COT_BTYD_BATCH]; /* derivatives of ln(still) */
    double by_alpha[COT_BTYD_BATCH];
    double log_sum[COT_BTYD_BATCH]; /* ln(dead + still) */
    double dead[COT_BTYD_BATCH];    /* share of dead in it */
};

static void terms_of(const struct cot_btyd *model, const struct cot_btyd_group *groups, size_t n,
                     struct terms *ret_terms)
{
    const struct cot_elementary *wide = cot_elementary_best();
    const double *at = model->parameters;
    double left = at[B] + stays_at_first(model) - 1;
    struct terms *t = ret_terms;
    double log_dead[COT_BTYD_BATCH];
    double log_still[COT_BTYD_BATCH];
    double share[COT_BTYD_MAX_K];
    for (size_t i = 0; i < n; i++) {
        const struct cot_btyd_group *g = groups + i;
        t->log_T[i] = at[ALPHA] + g->T;
        t->log_lost[i] = at[ALPHA] + g->tx;
        t->by_T[i] = 1 / t->log_T[i];
        t->by_tx[i] = 1 / t->log_lost[i];
        t->odds[i] = may_be_gone(model, g->x) ? at[A] / (left + g->x) : 1;
        log_still[i] = ticks_passed(model->k, at[R] + model->k * g->x, t->log_T[i], g->T - g->tx, share,
                                    t->by_shape + i, t->by_alpha + i);
    }
    wide->log(n, t->log_T, t->log_T);
    wide->log(n, t->log_lost, t->log_lost);
    wide->log(n, t->odds, log_dead);
    wide->log(n, log_still, log_still);
    for (size_t i = 0; i < n; i++) {
        t->log_lost[i] = t->log_T[i] - t->log_lost[i];
        log_dead[i] = may_be_gone(model, groups[i].x) ? log_dead[i] + (at[R] + model->k * groups[i].x) * t->log_lost[i]
                                                      : -(double)INFINITY;
    }
    cot_btyd_mix(n, log_dead, log_still, t->log_sum, t->dead);
}

static void add_log_likelihoods(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                                const struct cot_btyd_group *groups, size_t n, double sums[1 + COT_BTYD_PARAMETERS])
{
    double r = model->parameters[R];
    double by_alpha = 1 / model->parameters[ALPHA];
    double by_a = 1 / model->parameters[A];
    double log_alpha = log(model->parameters[ALPHA]);
    size_t first = (size_t)stays_at_first(model);
    struct terms t;
    terms_of(model, groups, n, &t);
    for (size_t i = 0; i < n; i++) {
        double m = groups[i].n;
        size_t x = (size_t)groups[i].x;
        double shape = r + model->k * groups[i].x;
        double dead = t.dead[i];
        double still = 1 - dead;
        sums[0] += m * (t.log_sum[i] + tables->log_rising[x] + r * log_alpha - shape * t.log_T[i] +
                        tables->log_beta[x + first]);
        sums[1 + R] +=
            m * (log_alpha + tables->psi_rising[x] - t.log_T[i] + dead * t.log_lost[i] + still * t.by_shape[i]);
        sums[1 + ALPHA] += m * (r * by_alpha - shape * (still * t.by_T[i] + dead * t.by_tx[i]) + still * t.by_alpha[i]);
        sums[1 + A] += m * (tables->by_a[x + first] + dead * by_a);
        sums[1 + B] += m * (tables->by_b[x + first] - dead * t.odds[i] * by_a);
    }
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
    if (may_be_gone(model, c.x)) {
        double log_dead = log(o.a / (o.b - 1)) + o.shape * log(o.scale / (model->parameters[ALPHA] + c.tx));
        o.alive = 1 / (1 + exp(log_dead - log(still)));
    }
    for (unsigned j = 0; j < model->k; j++)
        o.share[j] /= still;
    return o;
}

/* Negative binomial counts one after the other: P(ticks = i), P(ticks <= i). */
struct ticks {
    double shape, ratio; /* ratio: t / (scale + t) */
    double log_p;        /* of i, while p is too small for a number */
    double p;
    double cumulative; /* up to and with i */
    double i;
};

enum { TINY = -600 }; /* a logarithm: what is less is kept as one */

static struct ticks ticks_in(double shape, double scale, double t)
{
    struct ticks ticks = {.shape = shape, .ratio = t / (scale + t), .log_p = -shape * log1p(t / scale)};
    ticks.p = ticks.cumulative = ticks.log_p < TINY ? 0 : exp(ticks.log_p);
    return ticks;
}

static void next_tick(struct ticks *ticks)
{
    double growth = (ticks->shape + ticks->i) / (ticks->i + 1) * ticks->ratio;
    if (ticks->log_p < TINY) {
        ticks->log_p += log(growth);
        ticks->p = ticks->log_p < TINY ? 0 : exp(ticks->log_p);
    } else {
        ticks->p *= growth;
    }
    ticks->i += 1;
    ticks->cumulative += ticks->p;
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

static void score(const struct cot_btyd *model, size_t n, const double *x, const double *tx, const double *T, double t,
                  double *ret_expected, double *ret_alive)
{
    for (size_t i = 0; i < n; i++) {
        struct outlook o = outlook_of(model, (struct cot_btyd_customer){x[i], tx[i], T[i]});
        ret_alive[i] = o.alive;
        if (ret_expected != NULL)
            ret_expected[i] = sum_of_purchases(model, &o, t, 1, INFINITY);
    }
}

static double at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m)
{
    struct outlook o = outlook_of(model, c);
    return sum_of_purchases(model, &o, t, m, m);
}

#define BG(TITLE)                                                                                                      \
    {                                                                                                                  \
        .name = TITLE, .parameters = {"r", "alpha", "a", "b"}, .typical = {0.5, 0.3, 0.8, 2.5},                        \
        .scale = {false, true, false, false}, .groups_a_block = 16384, .tabulate = tabulate,                           \
        .add_log_likelihoods = add_log_likelihoods, .score = score, .at_least = at_least                               \
    }

const struct cot_btyd_model cot_btyd_bgnbd = BG("bgnbd");
const struct cot_btyd_model cot_btyd_bgcnbdk = BG("bgcnbdk");
const struct cot_btyd_model cot_btyd_mbgcnbdk = BG("mbgcnbdk");
