#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/rfm.h"

/* Ten customers in a row: two of each score. */
static void quintiles(void **state)
{
    float recency[10];
    float rising[10];
    struct cot_rfm_score scores[10];
    struct cot_err err;
    (void)state;
    for (int i = 0; i < 10; i++) {
        recency[i] = (float)(100 - i);
        rising[i] = (float)i;
    }
    assert_int_equal(cot_rfm_score(recency, rising, rising, 10, scores, &err), COT_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(scores[i].recency, 1 + i / 2);
        assert_int_equal(scores[i].frequency, 1 + i / 2);
        assert_int_equal(scores[i].monetary, 1 + i / 2);
    }
    assert_int_equal(scores[9].group, COT_RFM_CHAMPIONS);
    assert_int_equal(scores[0].group, COT_RFM_LOST);
}

/* Equals get equal scores, that of their mean rank; who never ordered gets none and counts for nobody's rank. */
static void ties_and_missing(void **state)
{
    const float recency[] = {1, 1, 1, 1, NAN, 9};
    const float frequency[] = {1, 1, 1, 1, 0, 7};
    const float monetary[] = {5, 4, 3, 2, -9, 1};
    struct cot_rfm_score scores[6];
    struct cot_err err;
    (void)state;
    assert_int_equal(cot_rfm_score(recency, frequency, monetary, 6, scores, &err), COT_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(scores[i].recency, 3);   /* places 1..4 of 0..4: mean 2.5, 1 + floor(12.5 / 5) = 3 */
        assert_int_equal(scores[i].frequency, 2); /* places 0..3: mean 1.5, 1 + floor(7.5 / 5) = 2 */
        assert_int_equal(scores[i].monetary, 5 - i);
    }
    assert_int_equal(scores[5].recency, 1);
    assert_int_equal(scores[5].frequency, 5);
    assert_int_equal(scores[4].group, COT_RFM_NONE);
    assert_int_equal(scores[4].recency, 0);
}

/* Every pair of scores lies within the range that was published for its group (R low, R high, FM low, FM high). */
static void published_ranges(void **state)
{
    static const unsigned ranges[COT_RFM_N_GROUPS][4] = {
        [COT_RFM_CHAMPIONS] = {4, 5, 4, 5},      [COT_RFM_LOYAL] = {2, 5, 3, 5},
        [COT_RFM_POTENTIAL] = {3, 5, 1, 3},      [COT_RFM_NEW] = {4, 5, 0, 1},
        [COT_RFM_PROMISING] = {3, 4, 0, 1},      [COT_RFM_ATTENTION] = {2, 3, 2, 3},
        [COT_RFM_ABOUT_TO_SLEEP] = {2, 3, 0, 2}, [COT_RFM_AT_RISK] = {0, 2, 2, 5},
        [COT_RFM_CANT_LOSE] = {0, 1, 4, 5},      [COT_RFM_HIBERNATING] = {1, 2, 1, 2},
        [COT_RFM_LOST] = {0, 2, 0, 2},
    };
    bool seen[COT_RFM_N_GROUPS] = {0};
    (void)state;
    for (unsigned r = 1; r <= 5; r++)
        for (unsigned fm = 1; fm <= 5; fm++) {
            const unsigned *range = ranges[cot_rfm_group_of(r, fm, fm)];
            seen[cot_rfm_group_of(r, fm, fm)] = true;
            assert_true(r >= range[0] && r <= range[1] && fm >= range[2] && fm <= range[3]);
        }
    for (unsigned group = 0; group < COT_RFM_N_GROUPS; group++)
        assert_true(seen[group]);
    assert_int_equal(cot_rfm_group_of(5, 3, 4), cot_rfm_group_of(5, 4, 4)); /* halves up */
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One among many is scored as all of them are, ties included; a newcomer where they would stand. */
static void one_is_scored_as_all(void **state)
{
    enum { MAX_N = 60 };
    (void)state;
    for (unsigned n = 1; n <= MAX_N; n++) {
        float recency[MAX_N], frequency[MAX_N], monetary[MAX_N];
        double sorted[MAX_N];
        struct cot_rfm_score scores[MAX_N];
        for (unsigned i = 0; i < n; i++) {
            recency[i] = (float)i;
            frequency[i] = (float)(i * 7919 % 5);
            monetary[i] = (float)(i * 104729 % 31);
            sorted[i] = (double)monetary[i];
        }
        assert_int_equal(cot_rfm_score(recency, frequency, monetary, n, scores, NULL), COT_OK);
        qsort(sorted, n, sizeof *sorted, ascending);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(cot_rfm_score_among(sorted, n, (double)monetary[i]), scores[i].monetary);
        for (unsigned i = 0; i < n; i++)
            sorted[i] = (double)frequency[i];
        qsort(sorted, n, sizeof *sorted, ascending);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(cot_rfm_score_among(sorted, n, (double)frequency[i]), scores[i].frequency);
        assert_int_equal(cot_rfm_score_among(sorted, n, -1), 1);
        assert_int_equal(cot_rfm_score_among(sorted, n, 99), 5);
    }
    assert_int_equal(cot_rfm_score_among(NULL, 0, 3), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quintiles),
        cmocka_unit_test(ties_and_missing),
        cmocka_unit_test(published_ranges),
        cmocka_unit_test(one_is_scored_as_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
