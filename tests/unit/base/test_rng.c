#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { N = 200000 };

/* Mean and variance of N draws lie within 6 standard errors of theory (variance's own error from the 4th moment,
 * bounded). */
static void check_moments(const char *name, double (*draw)(struct cot_rng *), double mean, double variance)
{
    struct cot_rng rng;
    double sum = 0;
    double squares = 0;
    cot_rng_init(&rng, 42);
    for (int i = 0; i < N; i++) {
        double x = draw(&rng) - mean;
        sum += x;
        squares += x * x;
    }
    if (fabs(sum / N) > 6 * sqrt(variance / N) || fabs(squares / N / variance - 1) > 0.05)
        fail_msg("%s: mean off by %g, variance %g instead of %g", name, sum / N, squares / N, variance);
}

static double draw_normal(struct cot_rng *rng)
{
    return cot_rng_normal(rng);
}
static double draw_exponential(struct cot_rng *rng)
{
    return cot_rng_exponential(rng, 0.5);
}
static double draw_gamma_small(struct cot_rng *rng)
{
    return cot_rng_gamma(rng, 0.25, 2);
}
static double draw_gamma(struct cot_rng *rng)
{
    return cot_rng_gamma(rng, 6.25, 0.5);
}
static double draw_beta(struct cot_rng *rng)
{
    return cot_rng_beta(rng, 0.8, 2.4);
}
static double draw_poisson_small(struct cot_rng *rng)
{
    return (double)cot_rng_poisson(rng, 3.5);
}
static double draw_poisson_large(struct cot_rng *rng)
{
    return (double)cot_rng_poisson(rng, 250);
}
static double draw_below(struct cot_rng *rng)
{
    return (double)cot_rng_below(rng, 10);
}

static void moments_match_theory(void **state)
{
    (void)state;
    check_moments("normal", draw_normal, 0, 1);
    check_moments("exponential", draw_exponential, 2, 4);
    check_moments("gamma(.25, 2)", draw_gamma_small, 0.125, 0.0625);
    check_moments("gamma(6.25, .5)", draw_gamma, 12.5, 25);
    check_moments("beta(.8, 2.4)", draw_beta, 0.25, 0.8 * 2.4 / (3.2 * 3.2 * 4.2));
    check_moments("poisson(3.5)", draw_poisson_small, 3.5, 3.5);
    check_moments("poisson(250)", draw_poisson_large, 250, 250);
    check_moments("below(10)", draw_below, 4.5, 99.0 / 12);
}

static void same_seed_same_stream_and_splits_differ(void **state)
{
    (void)state;
    struct cot_rng a;
    struct cot_rng b;
    struct cot_rng c;
    cot_rng_split(&a, 1, 5);
    cot_rng_split(&b, 1, 5);
    cot_rng_split(&c, 1, 6);
    int n_equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = cot_rng_u64(&a);
        assert_true(x == cot_rng_u64(&b));
        n_equal += x == cot_rng_u64(&c);
    }
    assert_int_equal(n_equal, 0);
}

static void choice_follows_weights_and_skips_zero(void **state)
{
    (void)state;
    struct cot_rng rng;
    const double weights[] = {0, 1, 3, 0};
    int counts[4] = {0};
    cot_rng_init(&rng, 9);
    for (int i = 0; i < N; i++)
        counts[cot_rng_choice(&rng, weights, 4)]++;
    assert_int_equal(counts[0] + counts[3], 0);
    assert_true(fabs((double)counts[2] / N - 0.75) < 0.01);

    const double cumulative[] = {0, 1, 4, 4};
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < N; i++)
        counts[cot_rng_choice_cumulative(&rng, cumulative, 4)]++;
    assert_int_equal(counts[0] + counts[3], 0);
    assert_true(fabs((double)counts[2] / N - 0.75) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_match_theory),
        cmocka_unit_test(same_seed_same_stream_and_splits_differ),
        cmocka_unit_test(choice_follows_weights_and_skips_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
