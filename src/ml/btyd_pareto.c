/*
 * Pareto/NBD. With E = r + x:
 *
 *   L = gamma(E) / gamma(r) alpha^r beta^s ((alpha + T)^-E (beta + T)^-s + s I)
 *   I = integral over u in (tx, T) of (alpha + u)^-E (beta + u)^-(s + 1)
 *
 * The literature writes I as a difference of two hypergeometric functions, which loses digits and is slow. It is
 * smooth: in v = ln(u + c), c the smaller of alpha and beta, nearly exponential, so that Gauss and Legendre's rule
 * gives it and its derivatives to about 1e-14.
 */
#include <math.h>

#include "ml/btyd_model.h"
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

/* ln I and the derivatives of ln I. */
struct integral {
    double log_value;
    double by[COT_BTYD_PARAMETERS];
};

static struct integral died_between(const struct cot_btyd *model, double shape, double tx, double T)
{
    const double enough = 50; /* e^-50 of the first value is nothing */
    double alpha = model->parameters[ALPHA];
    double beta = model->parameters[BETA];
    double s = model->parameters[S];
    double c = alpha < beta ? alpha : beta;
    double span = log((T + c) / (tx + c));
    double steep = shape + s;
    if (steep * span > enough)
        span = enough / steep;
    double from_alpha = log(alpha + tx);
    double from_beta = log(beta + tx);
    double sum = 0;
    struct integral result = {0};
    for (size_t i = 0; i < COT_GAUSS_POINTS; i++) {
        double grown = (tx + c) * expm1(cot_gauss_nodes[i] * span); /* u - tx */
        double log_alpha = log(alpha + tx + grown);
        double log_beta = log(beta + tx + grown);
        double value = cot_gauss_weights[i] * (tx + c + grown) *
                       exp(-shape * (log_alpha - from_alpha) - (s + 1) * (log_beta - from_beta));
        sum += value;
        result.by[R] -= value * log_alpha;
        result.by[ALPHA] -= value * shape / (alpha + tx + grown);
        result.by[S] -= value * log_beta;
        result.by[BETA] -= value * (s + 1) / (beta + tx + grown);
    }
    for (size_t p = 0; p < COT_BTYD_PARAMETERS && sum > 0; p++)
        result.by[p] /= sum;
    result.log_value = log(sum * span) - shape * from_alpha - (s + 1) * from_beta;
    return result;
}

static double log_likelihood(const struct cot_btyd *model, const struct cot_btyd_tables *tables,
                             const struct cot_btyd_group *group, double ret_gradient[COT_BTYD_PARAMETERS])
{
    double r = model->parameters[R];
    double alpha = model->parameters[ALPHA];
    double s = model->parameters[S];
    double beta = model->parameters[BETA];
    double shape = r + group->x;
    double log_alpha_T = log(alpha + group->T);
    double log_beta_T = log(beta + group->T);
    double log_alive = -shape * log_alpha_T - s * log_beta_T;
    double result = log_alive;
    double dead = 0; /* share */
    struct integral integral = {0};
    if (group->T > group->tx) {
        integral = died_between(model, shape, group->tx, group->T);
        double log_dead = log(s) + integral.log_value;
        double most = log_dead > log_alive ? log_dead : log_alive;
        result = most + log(exp(log_dead - most) + exp(log_alive - most));
        dead = exp(log_dead - result);
    }
    double alive = 1 - dead;
    size_t x = (size_t)group->x;
    ret_gradient[R] = tables->psi_rising[x] + log(alpha) - alive * log_alpha_T + dead * integral.by[R];
    ret_gradient[ALPHA] = r / alpha - alive * shape / (alpha + group->T) + dead * integral.by[ALPHA];
    ret_gradient[S] = log(beta) - alive * log_beta_T + dead * (1 / s + integral.by[S]);
    ret_gradient[BETA] = s / beta - alive * s / (beta + group->T) + dead * integral.by[BETA];
    return result + tables->log_rising[x] + r * log(alpha) + s * log(beta);
}

static double alive(const struct cot_btyd *model, struct cot_btyd_customer c)
{
    double shape = model->parameters[R] + c.x;
    double s = model->parameters[S];
    if (!(c.T > c.tx))
        return 1;
    double log_alive = -shape * log(model->parameters[ALPHA] + c.T) - s * log(model->parameters[BETA] + c.T);
    return 1 / (1 + exp(log(s) + died_between(model, shape, c.tx, c.T).log_value - log_alive));
}

static double expected(const struct cot_btyd *model, struct cot_btyd_customer c, double t)
{
    double rate = (model->parameters[R] + c.x) / (model->parameters[ALPHA] + c.T);
    double left = model->parameters[BETA] + c.T;
    double s1 = model->parameters[S] - 1;
    double log_ratio = log1p(t / left);
    /* left / s1 (1 - (left / (left + t))^s1), which is left log_ratio at s1 = 0 */
    double lasts = fabs(s1 * log_ratio) < 1e-9 ? left * log_ratio : left * -expm1(-s1 * log_ratio) / s1;
    return alive(model, c) * rate * lasts;
}

/*
 * The m-th purchase comes at u after T with density gamma(E + m) / (gamma(E) (m - 1)!) u^(m - 1) (alpha + T)^E /
 * (alpha + T + u)^(E + m), if the customer is still there; v = u / (alpha + T + u) makes a beta density of it.
 */
static double at_least(const struct cot_btyd *model, struct cot_btyd_customer c, double t, unsigned m)
{
    enum { PANELS = 16 };
    double shape = model->parameters[R] + c.x;
    double scale = model->parameters[ALPHA] + c.T;
    double left = model->parameters[BETA] + c.T;
    double s = model->parameters[S];
    double end = t / (scale + t);
    double log_beta = cot_log_gamma(shape) + cot_log_gamma(m) - cot_log_gamma(shape + m);
    double sum = 0;
    for (int panel = 0; panel < PANELS; panel++)
        for (size_t i = 0; i < COT_GAUSS_POINTS; i++) {
            double v = end * (panel + cot_gauss_nodes[i]) / PANELS;
            double u = scale * v / (1 - v);
            sum += cot_gauss_weights[i] / PANELS * end *
                   exp((m - 1) * log(v) + (shape - 1) * log1p(-v) - log_beta - s * log1p(u / left));
        }
    return alive(model, c) * (sum < 1 ? sum : 1);
}

const struct cot_btyd_model cot_btyd_pareto = {.name = "pareto",
                                               .parameters = {"r", "alpha", "s", "beta"},
                                               .typical = {0.5, 0.3, 0.6, 0.4},
                                               .scale = {false, true, false, true},
                                               .tabulate = tabulate,
                                               .log_likelihood = log_likelihood,
                                               .alive = alive,
                                               .expected = expected,
                                               .at_least = at_least};
