#include "coterie/migration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

enum { N = 100 };
#define NONE COT_MIGRATION_NONE
#define ABSENT COT_MIGRATION_ABSENT

/*
 * Ten points a letter. Before: 0 = ABCD, 1 = EF, 2 = GH, 3 = I. After: 0 = EF without a point (same), 1 = AB,
 * 2 = CD (0 has split), 3 = GHI (2 and 3 have merged), 4 = J (new points: a birth).
 */
static void fill(uint32_t *from, uint32_t *to)
{
    static const uint32_t before[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, ABSENT};
    static const uint32_t after[] = {1, 1, 2, 2, 0, 0, 3, 3, 3, 4};
    for (size_t i = 0; i < N; i++) {
        from[i] = before[i / 10];
        to[i] = after[i / 10];
    }
    to[45] = ABSENT;
}

static void test_what_happened(void **state)
{
    uint32_t from[N], to[N];
    size_t match[5];
    size_t parts[5];
    struct cot_migration m = {0};
    struct cot_migration_options options;
    (void)state;
    fill(from, to);
    assert_int_equal(cot_migration_count(from, 4, to, 5, N, &m, NULL), COT_OK);
    assert_int_equal(m.n_common, 89);
    assert_int_equal(m.n_joined, 10);
    assert_int_equal(m.n_left, 1);
    assert_int_equal(cot_migration_cell(&m, 0, 1), 20);
    assert_int_equal(cot_migration_cell(&m, 4, 4), 10);
    assert_int_equal(cot_migration_cell(&m, 1, 5), 1);
    assert_int_equal(cot_migration_common(&m, COT_MIGRATION_FROM, 1), 19);
    assert_int_equal(cot_migration_common(&m, COT_MIGRATION_TO, 3), 30);
    assert_true(fabs(cot_migration_jaccard(&m, 2, 3) - 20.0 / 30) < 1e-15);
    assert_true(cot_migration_jaccard(&m, 0, 0) == 0);
    cot_migration_options_init(&options);
    assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_OK);
    assert_int_equal(match[0], 1);
    assert_true((match[1] == 0) != (match[2] == 0)); /* one half of the split continues it, the other is born */
    assert_int_equal(match[3], 2);
    assert_true(match[4] == NONE);
    assert_int_equal(cot_migration_moved(&m, match), 20 + 10); /* the other half, and I */
    assert_int_equal(cot_migration_parts(&m, COT_MIGRATION_FROM, 0, 0.2, parts), 2);
    assert_true(parts[0] == 1 && parts[1] == 2);
    assert_int_equal(cot_migration_parts(&m, COT_MIGRATION_FROM, 1, 0.2, parts), 0);
    assert_int_equal(cot_migration_parts(&m, COT_MIGRATION_TO, 3, 0.2, parts), 2);
    assert_true(parts[0] == 2 && parts[1] == 3);
    assert_int_equal(cot_migration_parts(&m, COT_MIGRATION_TO, 3, 0.4, parts), 0);
    /* Forbidden pairs and thresholds out of reach. */
    unsigned char forbidden[4 * 5] = {0};
    forbidden[1 * 5 + 0] = 1;
    options.forbidden = forbidden;
    assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_OK);
    assert_true(match[0] == NONE);
    options = (struct cot_migration_options){.min_jaccard = 2, .min_overlap = 2};
    assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_OK);
    for (int j = 0; j < 5; j++)
        assert_true(match[j] == NONE);
    options.min_jaccard = NAN;
    assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_USAGE);
    cot_migration_release(&m);
}

/* Renamed segments are found again, and time reversed turns joined into left. */
static void test_properties(void **state)
{
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 4);
    for (int round = 0; round < 50; round++) {
        uint32_t from[N], to[N], names[6] = {0, 1, 2, 3, 4, 5};
        size_t match[6];
        struct cot_migration m = {0};
        struct cot_migration back = {0};
        struct cot_migration_options options;
        for (size_t i = 5; i > 0; i--) {
            size_t other = (size_t)cot_rng_below(&rng, i + 1);
            uint32_t swap = names[i];
            names[i] = names[other];
            names[other] = swap;
        }
        for (size_t i = 0; i < N; i++) {
            from[i] = i < 6 ? (uint32_t)i : (uint32_t)cot_rng_below(&rng, 6);
            to[i] = names[from[i]];
        }
        assert_int_equal(cot_migration_count(from, 6, to, 6, N, &m, NULL), COT_OK);
        cot_migration_options_init(&options);
        assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_OK);
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(match[names[i]], i);
        assert_int_equal(cot_migration_moved(&m, match), 0);
        cot_migration_release(&m);
        from[50] = to[60] = to[61] = ABSENT;
        assert_int_equal(cot_migration_count(from, 6, to, 6, N, &m, NULL), COT_OK);
        assert_int_equal(cot_migration_count(to, 6, from, 6, N, &back, NULL), COT_OK);
        assert_true(m.n_joined == back.n_left && m.n_left == back.n_joined && m.n_common == back.n_common);
        for (size_t i = 0; i <= 6; i++)
            for (size_t j = 0; j <= 6; j++)
                assert_int_equal(cot_migration_cell(&m, i, j), cot_migration_cell(&back, j, i));
        cot_migration_release(&m);
        cot_migration_release(&back);
    }
}

static void test_centroids(void **state)
{
    float from[] = {0, 0, 10, 10};
    float to[] = {9, 10, 50, 50, 1, 0};
    size_t match[3];
    (void)state;
    assert_int_equal(cot_migration_match_centroids(from, 2, to, 3, 2, 5, match, NULL), COT_OK);
    assert_true(match[0] == 1 && match[1] == NONE && match[2] == 0);
    assert_int_equal(cot_migration_match_centroids(from, 2, to, 3, 2, 0.5, match, NULL), COT_OK);
    assert_true(match[0] == NONE && match[1] == NONE && match[2] == NONE);
    assert_int_equal(cot_migration_match_centroids(from, 2, to, 3, 2, NAN, match, NULL), COT_USAGE);
    to[3] = INFINITY;
    assert_int_equal(cot_migration_match_centroids(from, 2, to, 3, 2, INFINITY, match, NULL), COT_BAD_DATA);
}

static void test_edges(void **state)
{
    uint32_t labels[2] = {0, 5};
    size_t match[2];
    struct cot_migration m = {0};
    struct cot_migration_options options;
    struct cot_err err = {0};
    (void)state;
    assert_int_equal(cot_migration_count(labels, 1, labels, 6, 2, &m, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "earlier label 1"));
    assert_null(m.counts);
    cot_migration_options_init(&options);
    labels[1] = ABSENT;
    assert_int_equal(cot_migration_count(labels + 1, 0, labels, 1, 1, &m, &err), COT_OK); /* a first segmentation */
    assert_int_equal(m.n_joined, 1);
    assert_int_equal(cot_migration_match(&m, &options, match, NULL), COT_OK);
    assert_true(match[0] == NONE);
    cot_migration_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_happened),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_centroids),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
