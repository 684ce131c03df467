#include "coterie/matching.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"

/* scipy.optimize.linear_sum_assignment of the same 5 x 7 matrix: total 19. */
static void test_parity_with_scipy(void **state)
{
    double cost[5 * 7];
    double transposed[7 * 5];
    size_t columns[7];
    size_t n_alone = 0;
    double total = 0;
    (void)state;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 7; j++)
            transposed[j * 5 + i] = cost[i * 7 + j] = (i * 37 + j * 53 + i * j * 7) % 29 + 0.5 * ((i * 3 + j) % 4);
    assert_int_equal(cot_matching_solve(cost, 5, 7, columns, &total, NULL), COT_OK);
    assert_true(total == 19);
    assert_int_equal(cot_matching_solve(transposed, 7, 5, columns, &total, NULL), COT_OK);
    assert_true(total == 19);
    for (int i = 0; i < 7; i++)
        n_alone += columns[i] == COT_MATCHING_NONE;
    assert_int_equal(n_alone, 2);
}

static double best_by_trying(const double *cost, size_t n_rows, size_t n_columns, size_t row, unsigned used)
{
    double best = INFINITY;
    if (row == n_rows)
        return 0;
    for (size_t j = 0; j < n_columns; j++)
        if ((used >> j & 1) == 0)
            best = fmin(best,
                        cost[row * n_columns + j] + best_by_trying(cost, n_rows, n_columns, row + 1, used | 1U << j));
    return best;
}

static void test_against_all_matchings(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 3);
    for (int round = 0; round < 300; round++) {
        double cost[6 * 6];
        size_t columns[6];
        double total = 0;
        size_t n_columns = 1 + (size_t)cot_rng_below(&rng, 6);
        size_t n_rows = 1 + (size_t)cot_rng_below(&rng, n_columns);
        unsigned used = 0;
        for (size_t i = 0; i < n_rows * n_columns; i++)
            cost[i] = floor(cot_rng_uniform(&rng) * 20) - 8; /* ties and negatives */
        assert_int_equal(cot_matching_solve(cost, n_rows, n_columns, columns, &total, NULL), COT_OK);
        assert_true(fabs(total - best_by_trying(cost, n_rows, n_columns, 0, 0)) < 1e-9);
        for (size_t i = 0; i < n_rows; i++) {
            assert_in_range(columns[i], 0, n_columns - 1);
            assert_false(used >> columns[i] & 1);
            used |= 1U << columns[i];
        }
    }
}

static void test_edges(void **state)
{
    double cost[2] = {1, NAN};
    size_t columns[2] = {5, 5};
    double total = 1;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_matching_solve(cost, 1, 2, columns, NULL, &err), COT_BAD_DATA);
    assert_int_equal(columns[0], 5);
    assert_int_equal(cot_matching_solve(cost, 2, 0, columns, &total, NULL), COT_OK);
    assert_true(columns[0] == COT_MATCHING_NONE && columns[1] == COT_MATCHING_NONE && total == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parity_with_scipy),
        cmocka_unit_test(test_against_all_matchings),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
