#include "num/minimise.h"

#include <math.h>
#include <nlopt.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_EVALUATIONS = 2000 };

struct objective {
    cot_minimise_function *function;
    void *context;
    unsigned n_evaluations;
    double best;
    double at[COT_MINIMISE_MAX];
};

static double evaluate(unsigned n, const double *x, double *gradient, void *context)
{
    const double bad = 1e100;
    struct objective *o = context;
    double own[COT_MINIMISE_MAX] = {0};
    double value = o->function(o->context, n, x, own);
    o->n_evaluations++;
    bool usable = isfinite(value);
    for (unsigned i = 0; i < n; i++)
        usable = usable && isfinite(own[i]);
    if (gradient != NULL)
        for (unsigned i = 0; i < n; i++)
            gradient[i] = usable ? own[i] : 0;
    if (!usable)
        return bad;
    if (value < o->best) {
        o->best = value;
        memcpy(o->at, x, n * sizeof *x);
    }
    return value;
}

cot_code cot_minimise(cot_minimise_function *function, void *context, size_t n, double *x, const double *low,
                      const double *high, double *ret_value, unsigned *ret_n, struct cot_err *err)
{
    const double enough = 1e-14;
    return cot_minimise_until(function, context, n, x, low, high, enough, ret_value, ret_n, err);
}

cot_code cot_minimise_until(cot_minimise_function *function, void *context, size_t n, double *x, const double *low,
                            const double *high, double enough, double *ret_value, unsigned *ret_n, struct cot_err *err)
{
    struct objective o = {.function = function, .context = context, .best = INFINITY};
    double value = 0;
    nlopt_opt optimiser = nlopt_create(NLOPT_LD_LBFGS, (unsigned)n);
    if (optimiser == NULL)
        return cot_fail(err, COT_NOMEM, "an optimiser of %zu variables", n);
    memcpy(o.at, x, n * sizeof *x);
    bool ready = nlopt_set_min_objective(optimiser, evaluate, &o) > 0 && nlopt_set_lower_bounds(optimiser, low) > 0 &&
                 nlopt_set_upper_bounds(optimiser, high) > 0 && nlopt_set_ftol_rel(optimiser, enough) > 0 &&
                 nlopt_set_xtol_rel(optimiser, 1e-10) > 0 && nlopt_set_maxeval(optimiser, MAX_EVALUATIONS) > 0;
    /* Its verdict does not matter (it calls a search that rounding ends a failure): the best point seen counts. */
    if (ready)
        (void)nlopt_optimize(optimiser, x, &value);
    nlopt_destroy(optimiser);
    if (!ready)
        return cot_fail(err, COT_INTERNAL, "the optimiser refused its settings");
    if (!isfinite(o.best))
        return cot_fail(err, COT_INTERNAL, "no point with a finite value was found in %u evaluations", o.n_evaluations);
    memcpy(x, o.at, n * sizeof *x);
    *ret_value = o.best;
    if (ret_n != NULL)
        *ret_n += o.n_evaluations;
    return COT_OK;
}

/* a'b */
static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* BFGS: the inverse Hessian learns that the gradient changed by `change` over a step. */
static void learn_curvature(size_t n, double *inverse, const double *step, const double *change)
{
    double curvature = dot(n, step, change);
    double turned[COT_MINIMISE_MAX];
    if (!(curvature > 0))
        return;
    for (size_t i = 0; i < n; i++)
        turned[i] = dot(n, inverse + i * n, change);
    double scale = (1 + dot(n, change, turned) / curvature) / curvature;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            inverse[i * n + j] += scale * step[i] * step[j] - (turned[i] * step[j] + step[i] * turned[j]) / curvature;
}

/*
 * A step of Newton's from x, halved until it stays inside and gains; x, gradient and inverse are the next point's.
 * False where no part of it does.
 */
static bool step_on(struct objective *o, size_t n, const double *low, const double *high, const double *whole,
                    double *x, double *gradient, double *value, double *inverse)
{
    enum { MAX_HALVINGS = 8 };
    const double rounding = 1e-13; /* of a value's size: what it may seem to lose */
    double share = 1;
    for (int halving = 0; halving < MAX_HALVINGS; halving++, share /= 2) {
        double step[COT_MINIMISE_MAX];
        double next[COT_MINIMISE_MAX];
        double change[COT_MINIMISE_MAX];
        bool inside = true;
        for (size_t i = 0; i < n; i++) {
            step[i] = share * whole[i];
            next[i] = x[i] + step[i];
            inside = inside && next[i] > low[i] && next[i] < high[i];
        }
        if (!inside)
            continue;
        double there = evaluate((unsigned)n, next, change, o);
        if (there > *value + rounding * fabs(*value))
            continue;
        for (size_t i = 0; i < n; i++) {
            double now = change[i];
            change[i] -= gradient[i];
            gradient[i] = now;
        }
        learn_curvature(n, inverse, step, change);
        memcpy(x, next, n * sizeof *x);
        *value = there;
        return true;
    }
    return false;
}

cot_code cot_minimise_near(cot_minimise_function *function, void *context, size_t n, double *x,
                           const double *covariance, const double *low, const double *high, double *ret_value,
                           unsigned *ret_n, struct cot_err *err)
{
    enum { MAX_STEPS = 40 };
    const double enough = 1e-18; /* of the value's size: what the next step would gain */
    struct objective o = {.function = function, .context = context, .best = INFINITY};
    double inverse[COT_MINIMISE_MAX * COT_MINIMISE_MAX];
    double gradient[COT_MINIMISE_MAX];
    double value = evaluate((unsigned)n, x, gradient, &o);
    bool found = false;
    bool lost = !isfinite(o.best);
    memcpy(inverse, covariance, n * n * sizeof *inverse);
    for (int i = 0; i < MAX_STEPS && !found && !lost; i++) {
        double step[COT_MINIMISE_MAX];
        for (size_t j = 0; j < n; j++)
            step[j] = -dot(n, inverse + j * n, gradient);
        double gain = -dot(n, step, gradient) / 2;
        found = gain >= 0 && gain <= enough * fabs(value);
        lost = !found && !(gain > 0 && step_on(&o, n, low, high, step, x, gradient, &value, inverse));
    }
    if (ret_n != NULL)
        *ret_n += o.n_evaluations;
    if (!found)
        return cot_minimise(function, context, n, x, low, high, ret_value, ret_n, err);
    *ret_value = value;
    return COT_OK;
}

/* Gauss and Jordan with pivots; false where a is singular. */
static bool invert(size_t n, double *a, double *ret_inverse)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            ret_inverse[i * n + j] = i == j;
    for (size_t i = 0; i < n; i++) {
        size_t pivot = i;
        for (size_t r = i + 1; r < n; r++)
            if (fabs(a[r * n + i]) > fabs(a[pivot * n + i]))
                pivot = r;
        if (!(fabs(a[pivot * n + i]) > 0))
            return false;
        for (size_t j = 0; j < n; j++) {
            double t = a[i * n + j];
            a[i * n + j] = a[pivot * n + j];
            a[pivot * n + j] = t;
            t = ret_inverse[i * n + j];
            ret_inverse[i * n + j] = ret_inverse[pivot * n + j];
            ret_inverse[pivot * n + j] = t;
        }
        double scale = 1 / a[i * n + i];
        for (size_t j = 0; j < n; j++) {
            a[i * n + j] *= scale;
            ret_inverse[i * n + j] *= scale;
        }
        for (size_t r = 0; r < n; r++) {
            double factor = a[r * n + i];
            for (size_t j = 0; j < n && r != i; j++) {
                a[r * n + j] -= factor * a[i * n + j];
                ret_inverse[r * n + j] -= factor * ret_inverse[i * n + j];
            }
        }
    }
    return true;
}

cot_code cot_minimise_covariance(cot_minimise_function *function, void *context, size_t n, const double *x,
                                 double *ret_covariance, struct cot_err *err)
{
    const double relative = 1e-5;
    double hessian[COT_MINIMISE_MAX * COT_MINIMISE_MAX];
    double above[COT_MINIMISE_MAX];
    double below[COT_MINIMISE_MAX];
    double at[COT_MINIMISE_MAX];
    for (size_t i = 0; i < n; i++) {
        double step = relative * fmax(fabs(x[i]), 1e-8);
        memcpy(at, x, n * sizeof *x);
        at[i] = x[i] + step;
        (void)function(context, n, at, above);
        at[i] = x[i] - step;
        (void)function(context, n, at, below);
        for (size_t j = 0; j < n; j++)
            hessian[i * n + j] = (above[j] - below[j]) / (2 * step);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
    bool usable = true;
    for (size_t i = 0; i < n * n; i++)
        usable = usable && isfinite(hessian[i]);
    if (!usable || !invert(n, hessian, ret_covariance))
        return cot_fail(err, COT_BAD_DATA, "the second derivatives are no positive definite matrix");
    for (size_t i = 0; i < n; i++)
        if (!(ret_covariance[i * n + i] > 0))
            return cot_fail(err, COT_BAD_DATA, "the second derivatives are no positive definite matrix");
    return COT_OK;
}
