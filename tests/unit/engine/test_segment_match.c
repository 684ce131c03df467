/* Ids, colours and customers that stay; what changed between two runs. */
#include "engine/segment_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/segment_diff.h"

enum { N = 300 };

struct runs {
    uint32_t customers[N];
    int32_t segments[N];
    struct cot_segment_members members;
    struct cot_segment_row rows[3];
    struct cot_segment_run_row run;
};

/* Segments 4 (100 customers), 7 (100) and 9, the extremes (100). */
static void make_before(struct runs *before)
{
    static char names[3][8] = {"four", "seven", "nine"}, colors[3][8] = {"#0072B2", "#E69F00", "#009E73"};
    static const int32_t ids[3] = {4, 7, 9};
    memset(before, 0, sizeof *before);
    for (uint32_t i = 0; i < N; i++) {
        before->customers[i] = 10 + i;
        before->segments[i] = ids[i / 100];
    }
    before->members = (struct cot_segment_members){N, before->customers, before->segments};
    for (size_t s = 0; s < 3; s++)
        before->rows[s] = (struct cot_segment_row){
            .id = ids[s], .name = names[s], .color = colors[s], .size = 100, .revenue_minor = 1000};
    before->run =
        (struct cot_segment_run_row){.run_id = 1, .n_customers = N, .n_segments = 3, .segments = before->rows};
}

static void ids_follow_the_customers(void **state)
{
    (void)state;
    struct runs before;
    uint32_t labels[N];
    int32_t ids[4];
    struct cot_err err = {0};
    make_before(&before);
    /* labels are numbered anew; 40 of the first moved to a new segment; the extremes are label 3 */
    for (uint32_t i = 0; i < N; i++)
        labels[i] = i < 60 ? 1 : i < 100 ? 2 : i < 200 ? 0 : 3;
    struct cot_segment_now now = {.n = N, .customers = before.customers, .labels = labels, .k = 4, .extreme = 3};
    struct cot_segment_before was = {.members = &before.members, .run = &before.run, .extreme_id = 9};
    assert_int_equal(cot_segment_match_ids(&now, &was, 10, ids, &err), COT_OK);
    assert_int_equal(ids[0], 7);
    assert_int_equal(ids[1], 4);
    assert_int_equal(ids[2], 10);
    assert_int_equal(ids[3], 9);

    const char *colors[4];
    cot_segment_colors(ids, 4, &before.run, colors);
    assert_string_equal(colors[1], "#0072B2");
    assert_string_equal(colors[0], "#E69F00");
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(colors[i], colors[j]);
}

static void the_first_run_starts_at_the_next_id(void **state)
{
    (void)state;
    const uint32_t customers[] = {1, 2}, labels[] = {0, 1};
    struct cot_segment_now now = {.n = 2, .customers = customers, .labels = labels, .k = 2, .extreme = SIZE_MAX};
    struct cot_segment_before was = {0};
    int32_t ids[2];
    struct cot_err err = {0};
    assert_int_equal(cot_segment_match_ids(&now, &was, 1, ids, &err), COT_OK);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
}

static void strangers_are_nobodys_heirs(void **state)
{
    (void)state;
    struct runs before;
    uint32_t customers[N], labels[N];
    int32_t ids[2];
    struct cot_err err = {0};
    make_before(&before);
    for (uint32_t i = 0; i < N; i++) {
        customers[i] = 5000 + i; /* nobody known */
        labels[i] = i % 2;
    }
    struct cot_segment_now now = {.n = N, .customers = customers, .labels = labels, .k = 2, .extreme = SIZE_MAX};
    struct cot_segment_before was = {.members = &before.members, .run = &before.run, .extreme_id = 9};
    assert_int_equal(cot_segment_match_ids(&now, &was, 10, ids, &err), COT_OK);
    assert_int_equal(ids[0], 10);
    assert_int_equal(ids[1], 11);
}

/* 0 and 10 are the centres. At 5.1 one is nearer to the second, but not clearly. */
static void only_who_clearly_moved_moves(void **state)
{
    (void)state;
    struct runs before;
    const float y[] = {5.1f, 5.6f, 4.9f, 9.0f};
    const float centroids[] = {0, 10};
    const int32_t ids[] = {4, 7};
    const uint32_t customers[] = {10, 11, 110, 999}; /* two of 4, one of 7, a new one */
    uint32_t labels[] = {1, 1, 0, 1};
    make_before(&before);
    struct cot_segment_before was = {.members = &before.members, .run = &before.run, .extreme_id = 9};
    struct cot_matrix view = {.data = y, .n = 4, .d = 1, .stride = 1};
    assert_int_equal(cot_segment_hold(&was, ids, 2, SIZE_MAX, customers, &view, centroids, labels), 2);
    assert_int_equal(labels[0], 0); /* 4.9 against 5.1: held */
    assert_int_equal(labels[1], 1); /* 4.4 against 5.6: moved */
    assert_int_equal(labels[2], 1); /* held in 7 */
    assert_int_equal(labels[3], 1);
}

static yyjson_mut_val *diff(const struct runs *a, const struct runs *b, yyjson_mut_doc *doc)
{
    struct cot_err err = {0};
    yyjson_mut_val *value = NULL;
    struct cot_segment_side from = {&a->run, &a->members}, to = {&b->run, &b->members};
    if (cot_segment_diff_build(&from, &to, 100, doc, &value, &err) != COT_OK)
        fail_msg("%s", err.message);
    return value;
}

static int64_t number(yyjson_mut_val *object, const char *key)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(object, key);
    assert_true(yyjson_mut_is_int(value));
    return yyjson_mut_get_sint(value);
}

static void tells_births_deaths_splits_and_moves(void **state)
{
    (void)state;
    struct runs a, b;
    static char name[] = "new";
    make_before(&a);
    make_before(&b);
    /* half of 4 becomes the new 12; 9 is gone, its customers left; one joins 7 */
    for (size_t i = 0; i < 50; i++)
        b.segments[i] = 12;
    b.members.n = 201;
    b.customers[200] = 9999;
    b.segments[200] = 7;
    b.rows[0].size = 50;
    b.rows[1].size = 101;
    b.rows[2] = (struct cot_segment_row){.id = 12, .name = name, .color = name, .size = 50, .revenue_minor = 500};
    b.run.run_id = 2;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *value = diff(&a, &b, doc);
    assert_int_equal(number(value, "common"), 200);
    assert_int_equal(number(value, "moved"), 50);
    assert_int_equal(number(value, "joined"), 1);
    assert_int_equal(number(value, "left"), 100);
    assert_int_equal(number(yyjson_mut_arr_get_first(yyjson_mut_obj_get(value, "births")), "id"), 12);
    assert_int_equal(number(yyjson_mut_arr_get_first(yyjson_mut_obj_get(value, "deaths")), "id"), 9);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(value, "splits")), 1);
    yyjson_mut_val *split = yyjson_mut_arr_get_first(yyjson_mut_obj_get(value, "splits"));
    assert_int_equal(number(split, "id"), 4);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(split, "into")), 2);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(value, "merges")), 0);

    yyjson_mut_val *counts = yyjson_mut_obj_get(yyjson_mut_obj_get(value, "migration"), "counts");
    int64_t total = 0;
    for (size_t i = 0; i < yyjson_mut_arr_size(counts); i++)
        for (size_t j = 0; j < yyjson_mut_arr_size(yyjson_mut_arr_get(counts, i)); j++)
            total += yyjson_mut_get_sint(yyjson_mut_arr_get(yyjson_mut_arr_get(counts, i), j));
    assert_int_equal(total, 200);

    yyjson_mut_val *back = diff(&b, &a, doc); /* time reversed: a split is a merge */
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(back, "merges")), 1);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_obj_get(back, "splits")), 0);
    yyjson_mut_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_follow_the_customers),
        cmocka_unit_test(the_first_run_starts_at_the_next_id),
        cmocka_unit_test(strangers_are_nobodys_heirs),
        cmocka_unit_test(only_who_clearly_moved_moves),
        cmocka_unit_test(tells_births_deaths_splits_and_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
