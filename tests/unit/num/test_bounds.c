#include "num/bounds.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 83, MAX_D = 70, EMPTY = 11 };

enum shape { NORMAL, UNIFORM_GRID, DENORMAL, HUGE_NUMBERS, CONSTANT, DUPLICATES, OUTLIER, OFFSET, N_SHAPES };

/* Rows as doubles that are float32 numbers, as leaves are. */
static void make_rows(enum shape shape, size_t d, struct cot_rng *rng, double *ret_x)
{
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < d; j++) {
            double z = cot_rng_normal(rng);
            double values[N_SHAPES] = {
                [NORMAL] = z,
                [UNIFORM_GRID] = (double)cot_rng_below(rng, 3),
                [DENORMAL] = z * 1e-41,
                [HUGE_NUMBERS] = z * 5e37,
                [CONSTANT] = 0.1,
                [DUPLICATES] = sin((double)(i % 4 * d + j)),
                [OUTLIER] = i == 7 ? 1e9 * z : z,
                [OFFSET] = 1e6 + z,
            };
            ret_x[i * d + j] = (double)(float)values[shape];
        }
}

static double squared_distance(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

static void fill(struct cot_bound_points *points, const double *x, const double *mass, size_t d)
{
    double centre[MAX_D] = {0};
    double largest = 0;
    double total = 0;
    int exponent = 0;
    int mass_exponent = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < d; j++)
            centre[j] += x[i * d + j] / N;
    for (size_t i = 0; i < N; i++) {
        total += mass[i];
        for (size_t j = 0; j < d; j++)
            largest = fmax(largest, fabs(x[i * d + j] - centre[j]));
    }
    frexp(largest, &exponent);
    frexp(total, &mass_exponent);
    assert_int_equal(cot_bound_points_init(points, N, d, centre, largest > 0 ? ldexp(1, -exponent) : 1,
                                           ldexp(1, -mass_exponent), NULL),
                     COT_OK);
    for (size_t i = 0; i < N; i++)
        cot_bound_points_set(points, i, x + i * d, mass[i]);
}

/* Every pair below the limit is named; one that is named without being below is within the bound's own error. */
static void check_pairs(cot_bound_filter *filter, const struct cot_bound_points *points, const double *x,
                        const double *mass, size_t d, double share)
{
    float values[MAX_D * COT_BOUND_QUERIES] = {0};
    struct cot_bound_queries queries = {.values = values};
    double e = (2 * (double)d + 16) * 0x1p-24;
    double unit = points->scale * points->scale;
    for (size_t first = 0; first < 36; first += COT_BOUND_QUERIES) {
        double limits[COT_BOUND_QUERIES];
        char named[COT_BOUND_QUERIES][N + COT_BOUND_TILE] = {{0}};
        uint32_t masks[COT_BOUND_QUERIES];
        for (size_t u = 0; u < COT_BOUND_QUERIES; u++) {
            size_t i = first + u;
            size_t other = (i * 17 + 5) % N;
            double m = mass[i] * mass[other] / (mass[i] + mass[other]);
            limits[u] = share * m * squared_distance(x + i * d, x + other * d, d);
            cot_bound_queries_set(&queries, u, points, i);
            cot_bound_queries_limit(&queries, u, points, mass[i], limits[u]);
        }
        for (size_t t = 0; (t = filter(points, t, points->n_tiles, &queries, masks)) < points->n_tiles; t++)
            for (size_t u = 0; u < COT_BOUND_QUERIES; u++)
                for (size_t l = 0; l < COT_BOUND_TILE; l++)
                    named[u][t * COT_BOUND_TILE + l] = (masks[u] >> l & 1) != 0;
        for (size_t u = 0; u < COT_BOUND_QUERIES; u++)
            for (size_t b = 0; b < N + COT_BOUND_TILE; b++) {
                size_t i = first + u;
                if (i == EMPTY)
                    continue;
                if (b >= N || b == EMPTY) {
                    assert_int_equal(named[u][b], 0); /* empty places */
                    continue;
                }
                double m = mass[i] * mass[b] / (mass[i] + mass[b]);
                double cost = m * squared_distance(x + i * d, x + b * d, d);
                if (cost < limits[u])
                    assert_int_equal(named[u][b], 1);
                if (!named[u][b])
                    continue;
                double norms = ((double)points->norms[i] + (double)points->norms[b]) / (1 - e) / unit;
                double error = 2.1 * e * norms + 1e-37 / unit;
                assert_true(cost - m * error <= limits[u] * (1 + 0x1p-18) + 1e-37 / unit / points->mass_scale);
            }
    }
}

static void test_no_pair_is_left_out(void **state)
{
    static const size_t ds[] = {1, 2, 3, 8, 31, 70};
    static const double shares[] = {1, 1 + 1e-15, 0.5, 2, 0, INFINITY};
    static double x[N * MAX_D];
    double mass[N];
    struct cot_rng rng;
    size_t n_ran = 0;
    (void)state;
    cot_rng_init(&rng, 5);
    for (int isa = COT_ISA_SCALAR; isa <= COT_ISA_AVX512; isa++) {
        cot_bound_filter *filter = NULL;
        if (!cot_isa_supported((enum cot_isa)isa))
            continue;
        assert_int_equal(cot_bound_filter_for((enum cot_isa)isa, &filter, NULL), COT_OK);
        n_ran++;
        for (int shape = 0; shape < N_SHAPES; shape++)
            for (size_t c = 0; c < sizeof ds / sizeof *ds; c++) {
                struct cot_bound_points points = {0};
                for (size_t i = 0; i < N; i++)
                    mass[i] = c % 2 == 0 ? 1 : exp(3 * cot_rng_normal(&rng));
                make_rows((enum shape)shape, ds[c], &rng, x);
                fill(&points, x, mass, ds[c]);
                cot_bound_points_clear(&points, EMPTY);
                for (size_t s = 0; s < sizeof shares / sizeof *shares; s++)
                    check_pairs(filter, &points, x, mass, ds[c], shares[s]);
                cot_bound_points_release(&points);
            }
    }
    assert_true(n_ran >= 1);
}

static void test_moved_points_are_found(void **state)
{
    double centre[2] = {0, 0};
    double near[2] = {0.25, 0.25};
    double far[2] = {-0.75, 0.5};
    float values[2 * COT_BOUND_QUERIES] = {0};
    struct cot_bound_queries queries = {.values = values};
    struct cot_bound_points points = {0};
    uint32_t masks[COT_BOUND_QUERIES];
    cot_bound_filter *filter = NULL;
    (void)state;
    assert_int_equal(cot_bound_filter_for(COT_ISA_BEST, &filter, NULL), COT_OK);
    assert_int_equal(cot_bound_points_init(&points, 40, 2, centre, 1, 0.25, NULL), COT_OK);
    for (size_t u = 0; u < COT_BOUND_QUERIES; u++)
        queries.limits[u] = -INFINITY;
    cot_bound_points_set(&points, 0, far, 1);
    cot_bound_points_set(&points, 33, near, 1);
    cot_bound_points_set(&points, 39, near, 1);
    cot_bound_points_move(&points, 33, 20);
    cot_bound_queries_set(&queries, 2, &points, 39);
    cot_bound_queries_limit(&queries, 2, &points, 1, 0.1);
    assert_int_equal(filter(&points, 0, 3, &queries, masks), 1);
    assert_int_equal(masks[2], 1 << 4);
    assert_int_equal(masks[0], 0);
    assert_int_equal(filter(&points, 2, 3, &queries, masks), 2); /* itself */
    assert_int_equal(masks[2], 1 << 7);
    cot_bound_queries_limit(&queries, 2, &points, 1, 0);
    assert_int_equal(filter(&points, 0, 3, &queries, masks), 3);
    cot_bound_points_release(&points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_pair_is_left_out),
        cmocka_unit_test(test_moved_points_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
