#include "coterie/btyd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "coterie/spend.h"
#include "ml/btyd_model.h"
#include "num/check.h"
#include "num/rank.h"
#include "num/special.h"

/* Abramowitz and Stegun, table 6.1; exact values at 1/2 and whole numbers. */
static void test_digamma(void **state)
{
    const double euler = 0.57721566490153286;
    (void)state;
    assert_true(fabs(cot_digamma(1) + euler) < 1e-14);
    assert_true(fabs(cot_digamma(0.5) + euler + 2 * log(2)) < 1e-14);
    assert_true(fabs(cot_digamma(4) - (1 + 0.5 + 1.0 / 3 - euler)) < 1e-14);
    assert_true(fabs(cot_digamma(1000) - 6.9072551956488121) < 1e-13);
}

static void test_gauss_rules_integrate_polynomials(void **state)
{
    const struct cot_gauss_rule *const rules[] = {&cot_gauss_16, &cot_gauss_32};
    (void)state;
    for (size_t r = 0; r < 2; r++)
        for (int power = 0; power < (int)(2 * rules[r]->n); power += 7) {
            double sum = 0;
            for (size_t i = 0; i < rules[r]->n; i++)
                sum += rules[r]->weights[i] * pow(rules[r]->nodes[i], power);
            assert_true(fabs(sum * (power + 1) - 1) < 1e-13);
        }
}

static void test_spearman(void **state)
{
    const double a[] = {1, 2, 2, 3, 10};
    const double b[] = {5, 6, 7, 8, 7};
    double rho = 0;
    (void)state;
    assert_int_equal(cot_spearman(a, b, 5, &rho, NULL), COT_OK);
    /* ranks 0 1.5 1.5 3 4 and 0 1 2.5 4 2.5: by hand 7.25 / sqrt(9.5 * 9.5) */
    assert_true(fabs(rho - 7.25 / 9.5) < 1e-14);
}

static double *table(size_t n)
{
    double *result = cot_alloc_array(n, 1, sizeof *result);
    assert_non_null(result);
    return result;
}

static void free_tables(struct cot_btyd_tables *t)
{
    free(t->log_rising);
    free(t->psi_rising);
    free(t->log_beta);
    free(t->by_a);
    free(t->by_b);
}

/* Derivatives of one customer's log-likelihood against differences, every model, ordinary and extreme customers. */
static void test_gradients(void **state)
{
    static const struct cot_btyd_group groups[] = {{0, 0, 39, 1, 0},    {2, 30.4, 38.9, 1, 0}, {7, 12, 39, 1, 0},
                                                   {1, 0.1, 900, 1, 0}, {200, 51, 52, 1, 0},   {3, 20, 20, 1, 0}};
    static const double at[COT_BTYD_PARAMETERS] = {0.6, 8, 0.7, 5};
    (void)state;
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++)
        for (unsigned k = 1; k <= (kind == COT_BTYD_BGCNBDK || kind == COT_BTYD_MBGCNBDK ? 3 : 1); k++)
            for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
                const struct cot_btyd_model *ops = cot_btyd_model_of((enum cot_btyd_kind)kind);
                struct cot_btyd_tables t = {203, table(203), table(203), table(203), table(203), table(203)};
                struct cot_btyd model = {.kind = (enum cot_btyd_kind)kind, .k = k};
                double at_point[1 + COT_BTYD_PARAMETERS] = {0};
                memcpy(model.parameters, at, sizeof at);
                ops->tabulate(&model, &t);
                ops->add_log_likelihoods(&model, &t, groups + g, 1, at_point);
                assert_true(isfinite(at_point[0]));
                for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++) {
                    const double step = 1e-5;
                    double above[1 + COT_BTYD_PARAMETERS] = {0};
                    double below[1 + COT_BTYD_PARAMETERS] = {0};
                    model.parameters[p] = at[p] + step;
                    ops->tabulate(&model, &t);
                    ops->add_log_likelihoods(&model, &t, groups + g, 1, above);
                    model.parameters[p] = at[p] - step;
                    ops->tabulate(&model, &t);
                    ops->add_log_likelihoods(&model, &t, groups + g, 1, below);
                    model.parameters[p] = at[p];
                    double difference = (above[0] - below[0]) / (2 * step);
                    if (!(fabs(at_point[1 + p] - difference) < 1e-5 * (1 + fabs(difference))))
                        fail_msg("%s, k %u, customer %zu, %s: %.9g, by differences %.9g", ops->name, k, g,
                                 ops->parameters[p], at_point[1 + p], difference);
                }
                free_tables(&t);
            }
}

/* A batch's sums are those of its customers one by one. */
static void test_batches_are_sums(void **state)
{
    static const double at[COT_BTYD_PARAMETERS] = {0.6, 8, 0.7, 5};
    (void)state;
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++) {
        const struct cot_btyd_model *ops = cot_btyd_model_of((enum cot_btyd_kind)kind);
        struct cot_btyd_tables t = {COT_BTYD_BATCH + 2,        table(COT_BTYD_BATCH + 2), table(COT_BTYD_BATCH + 2),
                                    table(COT_BTYD_BATCH + 2), table(COT_BTYD_BATCH + 2), table(COT_BTYD_BATCH + 2)};
        struct cot_btyd model = {.kind = (enum cot_btyd_kind)kind, .k = 1};
        struct cot_btyd_group groups[COT_BTYD_BATCH];
        double one_by_one[1 + COT_BTYD_PARAMETERS] = {0};
        double together[1 + COT_BTYD_PARAMETERS] = {0};
        memcpy(model.parameters, at, sizeof at);
        ops->tabulate(&model, &t);
        for (size_t i = 0; i < COT_BTYD_BATCH; i++) { /* some need many points of a rule, some few */
            groups[i] = (struct cot_btyd_group){(double)i, i > 0 ? (double)i : 0, 30 + pow(1.7, (double)i),
                                                1 + (double)(i % 3), 0};
            ops->add_log_likelihoods(&model, &t, groups + i, 1, one_by_one);
        }
        ops->add_log_likelihoods(&model, &t, groups, COT_BTYD_BATCH, together);
        assert_memory_equal(one_by_one, together, sizeof together);
        free_tables(&t);
    }
}

/* P(alive) of Pareto/NBD with its integral by panels of the plain integrand, which need no substitution. */
static double alive_by_panels(const double *at, struct cot_btyd_customer c)
{
    enum { PANELS = 4000 };
    double shape = at[0] + c.x;
    double sum = 0;
    for (int panel = 0; panel < PANELS; panel++) {
        double from = (c.T - c.tx) * pow((double)panel / PANELS, 4); /* short ones where it falls fast */
        double to = (c.T - c.tx) * pow((panel + 1.0) / PANELS, 4);
        for (size_t i = 0; i < cot_gauss_16.n; i++) {
            double u = c.tx + from + (to - from) * cot_gauss_16.nodes[i];
            sum +=
                cot_gauss_16.weights[i] * (to - from) *
                exp(shape * log((at[1] + c.T) / (at[1] + u)) + at[2] * log(at[3] + c.T) - (at[2] + 1) * log(at[3] + u));
        }
    }
    return 1 / (1 + at[2] * sum);
}

static void test_pareto_integral(void **state)
{
    enum { TRIALS = 100 };
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 31);
    for (int i = 0; i < TRIALS; i++) {
        struct cot_btyd m = {.kind = COT_BTYD_PARETO, .k = 1};
        struct cot_btyd_customer c = {.x = (double)cot_rng_below(&rng, 40), .T = exp(6 * cot_rng_uniform(&rng))};
        c.tx = c.x > 0 ? c.T * (0.01 + 0.98 * cot_rng_uniform(&rng)) : 0;
        for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++)
            m.parameters[p] = exp((p == 1 || p == 3 ? 5 : 4) * (2 * cot_rng_uniform(&rng) - 1));
        double right = alive_by_panels(m.parameters, c);
        double alive = cot_btyd_alive(&m, c);
        if (!(fabs(alive - right) < 1e-11 * right))
            fail_msg("r %g alpha %g s %g beta %g, customer %g %g %g: %.15g, by panels %.15g", m.parameters[0],
                     m.parameters[1], m.parameters[2], m.parameters[3], c.x, c.tx, c.T, alive, right);
    }
}

/* With k = 1 the sums over ticks are the closed forms of BG/NBD's authors: P(alive) and the chance of no purchase. */
static void test_bgnbd_closed_forms(void **state)
{
    const struct cot_btyd m = {.kind = COT_BTYD_BGNBD, .k = 1, .parameters = {0.243, 4.414, 0.793, 2.426}};
    const struct cot_btyd_customer c = {2, 30.43, 38.86};
    double odds = 0.793 / (2.426 + 2 - 1) * pow((4.414 + 38.86) / (4.414 + 30.43), 0.243 + 2);
    (void)state;
    assert_true(fabs(cot_btyd_alive(&m, c) - 1 / (1 + odds)) < 1e-12);
    double none = pow((4.414 + 38.86) / (4.414 + 38.86 + 39), 2.243);
    assert_true(fabs(cot_btyd_at_least(&m, c, 39, 1) - (1 - none) / (1 + odds)) < 1e-12);
    /* Fader, Hardie, Lee (2005): 1.226 expected purchases of this customer in the next 39 weeks */
    assert_true(fabs(cot_btyd_expected(&m, c, 39) - 1.226) < 5e-4);
    assert_true(cot_btyd_alive(&m, (struct cot_btyd_customer){0, 0, 39}) == 1);
}

/* Expected purchases are the sum of P(at least m); quantiles invert them; nothing is NaN at the extremes. */
static void test_predictions_agree(void **state)
{
    static const double parameters[COT_BTYD_N_KINDS][COT_BTYD_PARAMETERS] = {
        {0.24, 4.4, 0.79, 2.4}, {0.5, 3, 0.6, 2}, {1.3, 2.8, 0.42, 0.79}, {0.55, 10.6, 1.6, 11.7}};
    static const struct cot_btyd_customer customers[] = {{0, 0, 39},   {3, 30, 39},       {60, 38, 39},
                                                         {5, 5, 3000}, {1000, 999, 1000}, {0, 0, 0}};
    (void)state;
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++)
        for (size_t i = 0; i < sizeof customers / sizeof *customers; i++) {
            struct cot_btyd m = {.kind = (enum cot_btyd_kind)kind,
                                 .k = kind == COT_BTYD_BGCNBDK    ? 3
                                      : kind == COT_BTYD_MBGCNBDK ? 2
                                                                  : 1};
            double sum = 0;
            memcpy(m.parameters, parameters[kind], sizeof parameters[kind]);
            double alive = cot_btyd_alive(&m, customers[i]);
            double expected = cot_btyd_expected(&m, customers[i], 20);
            assert_true(alive >= 0 && alive <= 1 && expected >= 0 && isfinite(expected));
            for (unsigned n = 1; n < 400; n++) {
                double term = cot_btyd_at_least(&m, customers[i], 20, n);
                assert_true(term >= 0 && term <= alive + 1e-9);
                sum += term;
                if (term < 1e-12)
                    break;
            }
            if (!(fabs(sum - expected) < 1e-5 * (1 + expected)))
                fail_msg("%s, customer %zu: %.9g expected, %.9g by the sum", cot_btyd_kind_name(m.kind), i, expected,
                         sum);
            double t = cot_btyd_next(&m, customers[i], 0.25);
            assert_true(t > 0);
            if (isfinite(t))
                assert_true(fabs(cot_btyd_at_least(&m, customers[i], t, 1) - 0.25) < 1e-6);
            unsigned median = cot_btyd_quantile(&m, customers[i], 20, 0.5);
            assert_true(1 - cot_btyd_at_least(&m, customers[i], 20, median + 1) >= 0.5);
            assert_true(median == 0 || 1 - cot_btyd_at_least(&m, customers[i], 20, median) < 0.5);
            double worth = cot_btyd_discounted(&m, customers[i], 20, 0.002);
            assert_true(worth <= expected && worth >= expected * pow(1.002, -20));
        }
}

enum { N_SIMULATED = 6000 };

struct simulated {
    double x[N_SIMULATED], tx[N_SIMULATED], T[N_SIMULATED], log_gaps[N_SIMULATED];
};

/* MBG/CNBD-k customers: Erlang gaps, a decision after each purchase, the first included. */
static void simulate(struct simulated *s, unsigned k, uint64_t seed)
{
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < N_SIMULATED; i++) {
        double rate = cot_rng_gamma(&rng, 1.2, 4);
        double leaves = cot_rng_beta(&rng, 0.8, 2.5);
        double t = 0;
        s->T[i] = 30 + 20 * cot_rng_uniform(&rng);
        s->x[i] = s->tx[i] = s->log_gaps[i] = 0;
        while (cot_rng_uniform(&rng) >= leaves) {
            double gap = cot_rng_gamma(&rng, k, rate);
            t += gap;
            if (t > s->T[i])
                break;
            s->x[i] += 1;
            s->tx[i] = t;
            s->log_gaps[i] += log(gap);
        }
    }
}

static void test_planted_parameters_are_found(void **state)
{
    static const double planted[COT_BTYD_PARAMETERS] = {1.2, 4, 0.8, 2.5};
    struct simulated *s = calloc(1, sizeof *s);
    struct cot_btyd_options options;
    struct cot_btyd model;
    (void)state;
    assert_non_null(s);
    simulate(s, 2, 11);
    const struct cot_btyd_customers customers = {N_SIMULATED, s->x, s->tx, s->T, s->log_gaps};
    cot_btyd_options_init(&options, COT_BTYD_MBGCNBDK);
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, NULL), COT_OK);
    assert_int_equal(model.k, 2);
    assert_false(model.at_boundary);
    for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++) /* within four of its own standard errors, and those are small */
        if (!(fabs(model.parameters[p] - planted[p]) < 4 * model.standard_errors[p] &&
              model.standard_errors[p] < 0.25 * planted[p]))
            fail_msg("%s: %.4f +- %.4f, planted %.4f", cot_btyd_parameter_name(model.kind, p), model.parameters[p],
                     model.standard_errors[p], planted[p]);
    free(s);
}

/* Every model's fit, which began on a sample, ends where no step of a thousandth of an error gains anything. */
static void test_fits_end_at_the_top(void **state)
{
    enum { MAX_X = 2000 };
    struct simulated *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    simulate(s, 1, 17);
    const struct cot_btyd_customers customers = {N_SIMULATED, s->x, s->tx, s->T, s->log_gaps};
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++) {
        const struct cot_btyd_model *ops = cot_btyd_model_of((enum cot_btyd_kind)kind);
        struct cot_btyd_tables t = {MAX_X, table(MAX_X), table(MAX_X), table(MAX_X), table(MAX_X), table(MAX_X)};
        struct cot_btyd_options options;
        struct cot_btyd model;
        double sums[1 + COT_BTYD_PARAMETERS] = {0};
        cot_btyd_options_init(&options, (enum cot_btyd_kind)kind);
        options.k = 1;
        assert_int_equal(cot_btyd_fit(&customers, &options, &model, NULL), COT_OK);
        ops->tabulate(&model, &t);
        for (size_t i = 0; i < N_SIMULATED; i++) {
            const struct cot_btyd_group one = {s->x[i], s->tx[i], s->T[i], 1, 0};
            assert_true(s->x[i] + 1 < MAX_X);
            ops->add_log_likelihoods(&model, &t, &one, 1, sums);
        }
        assert_true(fabs(sums[0] - model.log_likelihood) < 1e-9 * fabs(sums[0]));
        for (size_t p = 0; p < COT_BTYD_PARAMETERS; p++)
            if (!(fabs(sums[1 + p] * model.standard_errors[p]) < 1e-3))
                fail_msg("%s, %s: %g of an error from the top", ops->name, ops->parameters[p],
                         sums[1 + p] * model.standard_errors[p]);
        free_tables(&t);
    }
    free(s);
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct simulated *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    simulate(s, 1, 5);
    const struct cot_btyd_customers customers = {N_SIMULATED, s->x, s->tx, s->T, s->log_gaps};
    for (int kind = 0; kind < COT_BTYD_N_KINDS; kind++) {
        struct cot_btyd models[2];
        for (int i = 0; i < 2; i++) {
            struct cot_btyd_options options;
            cot_btyd_options_init(&options, (enum cot_btyd_kind)kind);
            options.n_threads = i == 0 ? 1 : 8;
            options.k = 1;
            assert_int_equal(cot_btyd_fit(&customers, &options, models + i, NULL), COT_OK);
        }
        assert_memory_equal(models[0].parameters, models[1].parameters, sizeof models[0].parameters);
        assert_true(models[0].log_likelihood == models[1].log_likelihood);
    }
    free(s);
}

/* One customer's past until T, and when after T the next purchase came: infinite where none ever does. */
static double simulate_next(struct cot_rng *rng, const struct cot_btyd *m, struct cot_btyd_customer *ret_c)
{
    const double *p = m->parameters;
    bool pareto = m->kind == COT_BTYD_PARETO;
    struct cot_btyd_customer c = {0, 0, 20 + 20 * cot_rng_uniform(rng)};
    double rate = cot_rng_gamma(rng, p[0], p[1]);
    double leaves = pareto ? 0 : cot_rng_beta(rng, p[2], p[3]);
    double lifetime = pareto ? -log1p(-cot_rng_uniform(rng)) / cot_rng_gamma(rng, p[2], p[3]) : INFINITY;
    double t = 0;
    double next = INFINITY;
    bool may_leave = m->kind == COT_BTYD_MBGCNBDK; /* after the first purchase, too */
    while (!(may_leave && cot_rng_uniform(rng) < leaves)) {
        t += cot_rng_gamma(rng, m->k, rate);
        if (t > lifetime)
            break;
        if (t > c.T) {
            next = t - c.T;
            break;
        }
        c.x += 1;
        c.tx = t;
        may_leave = !pareto;
    }
    *ret_c = c;
    return next;
}

/*
 * The next purchase has come by the quantile at q with a share of q of simulated customers, with those who bought again
 * and those who never did; where the quantile is infinite, fewer than q ever come back.
 */
static void test_next_purchase_of_simulated_customers(void **state)
{
    enum { N = 1500, LEVELS = 3 };
    static const double levels[LEVELS] = {0.1, 0.4, 0.7};
    static const struct cot_btyd models[] = {
        {.kind = COT_BTYD_BGNBD, .k = 1, .parameters = {0.9, 5, 0.8, 2.4}},
        {.kind = COT_BTYD_MBGCNBDK, .k = 2, .parameters = {1.2, 4, 0.8, 2.5}},
        {.kind = COT_BTYD_PARETO, .k = 1, .parameters = {0.9, 6, 0.6, 12}},
    };
    (void)state;
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        double n[2][LEVELS][2] = {0}; /* by whether they bought again before T, level, whether the quantile is finite */
        double come[2][LEVELS][2] = {0};
        struct cot_rng rng;
        cot_rng_init(&rng, 23 + k);
        for (size_t i = 0; i < N; i++) {
            struct cot_btyd_customer c;
            double next = simulate_next(&rng, models + k, &c);
            for (size_t l = 0; l < LEVELS; l++) {
                double by = cot_btyd_next(models + k, c, levels[l]);
                n[c.x > 0][l][isfinite(by) != 0] += 1;
                come[c.x > 0][l][isfinite(by) != 0] += isfinite(by) ? next <= by : isfinite(next);
            }
        }
        for (int again = 0; again < 2; again++)
            for (size_t l = 0; l < LEVELS; l++) {
                double q = levels[l];
                double error = sqrt(q * (1 - q)); /* of one customer */
                const double *all = n[again][l];
                const double *hits = come[again][l];
                if (all[1] > 0 && !(fabs(hits[1] - q * all[1]) < 4 * error * sqrt(all[1])))
                    fail_msg("%s, bought again %d: %g of %g came by the quantile at %g",
                             cot_btyd_kind_name(models[k].kind), again, hits[1], all[1], q);
                if (all[0] > 0 && !(hits[0] < q * all[0] + 4 * error * sqrt(all[0])))
                    fail_msg("%s, bought again %d: %g of %g came, whose quantile at %g is never",
                             cot_btyd_kind_name(models[k].kind), again, hits[0], all[0], q);
                assert_true(again == 0 || l == LEVELS - 1 || all[1] > 100); /* it is tested on many */
            }
    }
}

static void test_small_and_wrong_data(void **state)
{
    const double one = 1;
    const double zero = 0;
    const double half = 0.5;
    const double week = 7;
    struct cot_btyd_options options;
    struct cot_btyd model;
    struct cot_err err = {0};
    (void)state;
    cot_btyd_options_init(&options, COT_BTYD_BGNBD);
    struct cot_btyd_customers customers = {.n = 1, .x = &zero, .tx = &zero, .T = &week};
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "bought twice"));
    customers.x = &half;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "customer 0"));
    customers.x = &one;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_BAD_DATA); /* a purchase, but none at tx */
    customers.tx = &half;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_OK);
    assert_true(model.at_boundary); /* one customer can't tell four parameters, and it says so */
    options.prior_weight = 10;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_OK);
    assert_false(model.at_boundary);
    options.k = 2;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_USAGE);
    options.kind = COT_BTYD_BGCNBDK;
    assert_int_equal(cot_btyd_fit(&customers, &options, &model, &err), COT_USAGE); /* no times between purchases */
}

/* The formula of the note, a customer at a time. */
static double naive_spend_likelihood(size_t n, const double *x, const double *m, const double *parameters)
{
    double p = parameters[0];
    double q = parameters[1];
    double gamma = parameters[2];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] > 0 && m[i] > 0)
            sum += lgamma(p * x[i] + q) - lgamma(p * x[i]) - lgamma(q) + q * log(gamma) + p * x[i] * log(m[i] * x[i]) -
                   log(m[i]) - (p * x[i] + q) * log(gamma + m[i] * x[i]);
    return sum;
}

static void test_spend_fit_is_the_top_of_the_formula(void **state)
{
    enum { N = 1003 };
    double *x = table(N);
    double *m = table(N);
    struct cot_rng rng;
    struct cot_spend fit;
    struct cot_spend reversed;
    (void)state;
    cot_rng_init(&rng, 8);
    for (size_t i = 0; i < N; i++) { /* x need not be whole; some are alone with theirs, and values span decades */
        x[i] = i % 7 == 0 ? 0.5 + (double)i : (double)cot_rng_below(&rng, 5);
        m[i] = exp(2 + 1.5 * cot_rng_normal(&rng));
    }
    m[1] = 1e-310;
    assert_int_equal(cot_spend_fit(N, x, m, 1, &fit, NULL), COT_OK);
    m[1] = 0; /* no purchase of any value, as one too small to be told from none */
    double top = naive_spend_likelihood(N, x, m, fit.parameters);
    assert_true(fabs(fit.log_likelihood - top) < 1e-9 * fabs(top));
    for (size_t p = 0; p < COT_SPEND_PARAMETERS; p++)
        for (int side = -1; side <= 1; side += 2) {
            double moved[COT_SPEND_PARAMETERS];
            memcpy(moved, fit.parameters, sizeof moved);
            moved[p] += 0.1 * side * fit.standard_errors[p];
            assert_true(naive_spend_likelihood(N, x, m, moved) < top);
        }
    for (size_t i = 0; i < N / 2; i++) {
        double other = x[i];
        x[i] = x[N - 1 - i];
        x[N - 1 - i] = other;
        other = m[i];
        m[i] = m[N - 1 - i];
        m[N - 1 - i] = other;
    }
    assert_int_equal(cot_spend_fit(N, x, m, 1, &reversed, NULL), COT_OK);
    assert_memory_equal(&fit.parameters, &reversed.parameters, sizeof fit.parameters);
    m[0] = x[0] = 1e200;
    assert_int_equal(cot_spend_fit(N, x, m, 1, &fit, NULL), COT_BAD_DATA);
    free(x);
    free(m);
}

static void test_spend_of_planted_customers(void **state)
{
    enum { N = 60000 }; /* several blocks */
    double *x = table(N);
    double *m = table(N);
    struct cot_rng rng;
    struct cot_spend one;
    struct cot_spend eight;
    (void)state;
    cot_rng_init(&rng, 3);
    for (size_t i = 0; i < N; i++) { /* p 6, q 4, gamma 15 */
        double nu = cot_rng_gamma(&rng, 4, 15);
        x[i] = (double)cot_rng_below(&rng, 6);
        for (size_t n = 0; n < (size_t)x[i]; n++)
            m[i] += cot_rng_gamma(&rng, 6, nu) / x[i];
    }
    assert_int_equal(cot_spend_fit(N, x, m, 1, &one, NULL), COT_OK);
    assert_int_equal(cot_spend_fit(N, x, m, 8, &eight, NULL), COT_OK);
    assert_memory_equal(one.parameters, eight.parameters, sizeof one.parameters);
    static const double planted[COT_SPEND_PARAMETERS] = {6, 4, 15};
    for (size_t p = 0; p < COT_SPEND_PARAMETERS; p++)
        assert_true(fabs(one.parameters[p] - planted[p]) < 4 * one.standard_errors[p] &&
                    one.standard_errors[p] < 0.2 * planted[p]);
    assert_true(cot_spend_expected(&one, 1, 90) < cot_spend_expected(&one, 9, 90));
    x[0] = NAN;
    assert_int_equal(cot_spend_fit(N, x, m, 1, &one, NULL), COT_BAD_DATA);
    free(x);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digamma),
        cmocka_unit_test(test_gauss_rules_integrate_polynomials),
        cmocka_unit_test(test_spearman),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_batches_are_sums),
        cmocka_unit_test(test_pareto_integral),
        cmocka_unit_test(test_bgnbd_closed_forms),
        cmocka_unit_test(test_predictions_agree),
        cmocka_unit_test(test_planted_parameters_are_found),
        cmocka_unit_test(test_fits_end_at_the_top),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_next_purchase_of_simulated_customers),
        cmocka_unit_test(test_small_and_wrong_data),
        cmocka_unit_test(test_spend_fit_is_the_top_of_the_formula),
        cmocka_unit_test(test_spend_of_planted_customers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
