#include "num/order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/tiles.h"

static void test_sort_and_quantiles(void **state)
{
    enum { N = 1001 };
    float values[N], scratch[N];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 1);
    for (int i = 0; i < N; i++) {
        values[i] = (float)(cot_rng_normal(&rng) * pow(10, (double)cot_rng_below(&rng, 60) - 30));
    }
    values[3] = -INFINITY;
    values[4] = INFINITY;
    cot_sort_floats(values, N, scratch);
    for (int i = 1; i < N; i++)
        assert_true(values[i - 1] <= values[i]);
    assert_true(values[0] == -INFINITY && values[N - 1] == INFINITY);
    /* numpy.quantile([1, 2, 4, 8], q) */
    static const float few[4] = {1, 2, 4, 8};
    assert_true(cot_quantile_sorted(few, 4, 0) == 1);
    assert_true(fabs(cot_quantile_sorted(few, 4, 0.5) - 3) < 1e-12);
    assert_true(fabs(cot_quantile_sorted(few, 4, 0.9) - 6.8) < 1e-12);
    assert_true(cot_quantile_sorted(few, 4, 1) == 8);
    assert_int_equal(cot_count_at_most(few, 4, 0.5F), 0);
    assert_int_equal(cot_count_at_most(few, 4, 2), 2);
    assert_int_equal(cot_count_at_most(few, 4, 9), 4);
}

/* Tiles against plain loops, for all remainders of centres and points. */
static void test_nearest_against_plain_loops(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 2);
    for (size_t n = 1; n < 40; n += 3)
        for (size_t k = 1; k < 11; k++) {
            enum { D = 5 };
            float x[40 * D], centres[10 * D], inward[10 * D];
            struct cot_matrix view = {.data = x, .n = n, .d = D, .stride = D};
            struct cot_tiles tiles = {0};
            for (size_t i = 0; i < n * D; i++)
                x[i] = (float)cot_rng_normal(&rng);
            for (size_t i = 0; i < k * D; i++)
                centres[i] = (float)cot_rng_normal(&rng);
            assert_int_equal(cot_tiles_init(&tiles, &view, NULL, 2, NULL), COT_OK);
            for (size_t c = 0; c < k; c++)
                cot_tiles_inward(&tiles, centres + c * D, inward + c * D);
            for (size_t i = 0; i < n; i++) {
                float d2[COT_TILE];
                uint32_t index[COT_TILE];
                size_t best = 0;
                double least = INFINITY;
                for (size_t c = 0; c < k; c++) {
                    double sum = 0;
                    for (size_t j = 0; j < D; j++)
                        sum += pow((double)x[i * D + j] - (double)centres[c * D + j], 2);
                    if (sum < least) {
                        least = sum;
                        best = c;
                    }
                }
                cot_tile_nearest(cot_tile(&tiles, i / COT_TILE), D, inward, k, d2, index);
                assert_int_equal(index[i % COT_TILE], best);
                assert_true(fabs((double)d2[i % COT_TILE] / (tiles.scale * tiles.scale) - least) < 1e-5 * (1 + least));
            }
            cot_tiles_release(&tiles);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_and_quantiles),
        cmocka_unit_test(test_nearest_against_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
