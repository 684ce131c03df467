#include "num/normal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%.17g instead of %.17g", value, expected);
}

/* SciPy 1.15.3: stats.norm.ppf and cdf. */
static void test_parity_with_scipy(void **state)
{
    static const double shares[] = {1e-300, 1e-7, 1e-3, 0.02, 0.08, 0.3, 0.5, 0.77, 0.999, 1 - 1e-10};
    static const double scores[] = {-37.0470962993612,
                                    -5.1993375821928165,
                                    -3.090232306167813,
                                    -2.053748910631823,
                                    -1.4050715603096329,
                                    -0.5244005127080409,
                                    0.0,
                                    0.7388468491852137,
                                    3.090232306167813,
                                    6.361340889697422};
    static const double at[] = {-30, -6, -1.5, 0, 0.3, 2, 5};
    static const double below[] = {4.906713927147908e-198, 9.865876450376946e-10, 0.06680720126885807, 0.5,
                                   0.6179114221889526,     0.9772498680518208,    0.9999997133484281};
    (void)state;
    for (int i = 0; i < 10; i++)
        near(cot_normal_quantile(shares[i]), scores[i], 1e-15);
    for (int i = 0; i < 7; i++)
        near(cot_normal_cdf(at[i]) / below[i], 1, 1e-13);
}

static void test_edges(void **state)
{
    (void)state;
    assert_true(cot_normal_quantile(0) == -INFINITY && cot_normal_quantile(1) == INFINITY);
    assert_true(isnan(cot_normal_quantile(-0.1)) && isnan(cot_normal_quantile(NAN)));
    for (double z = -8; z < 6; z += 0.37)
        near(cot_normal_quantile(cot_normal_cdf(z)), z, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parity_with_scipy),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
