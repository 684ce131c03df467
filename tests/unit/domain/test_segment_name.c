/* Names from contrasts, and names that stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/feature.h"
#include "domain/segment_name.h"

static void name(struct cot_name_request *requests, size_t n, char (*names)[COT_SEGMENT_NAME_SIZE])
{
    struct cot_err err = {0};
    if (cot_segment_names(requests, n, names, &err) != COT_OK)
        fail_msg("%s", err.message);
}

static void speaks_a_shops_words(void **state)
{
    (void)state;
    static const struct cot_name_contrast lapsed[] = {{"recency_days", "Days since last order", NULL, 1.8},
                                                      {"monetary_total", "Total spend", NULL, 1.2}};
    static const struct cot_name_contrast bargain[] = {{"discount_share", "Discount share", NULL, 1.5},
                                                       {"frequency", "Orders", NULL, 1.0}};
    static const struct cot_name_contrast new_ones[] = {{"tenure_days", "Days since first order", NULL, -2.0},
                                                        {"frequency", "Orders", NULL, -1.0}};
    static const struct cot_name_contrast browsing[] = {{"session_events", "Events per visit", NULL, 1.9},
                                                        {"channel_app_share", "Orders in the app", NULL, 1.4}};
    struct cot_name_request requests[] = {
        {.contrasts = lapsed, .n_contrasts = 2, .buyer_share = 1},
        {.contrasts = bargain, .n_contrasts = 2, .buyer_share = 1},
        {.contrasts = new_ones, .n_contrasts = 2, .buyer_share = 1, .one_time_share = 0.9},
        {.contrasts = browsing, .n_contrasts = 2, .buyer_share = 0.1},
        {.extreme = true, .buyer_share = 1},
        {.buyer_share = 1},
    };
    char names[6][COT_SEGMENT_NAME_SIZE];
    name(requests, 6, names);
    assert_string_equal(names[0], "Lapsed big spenders");
    assert_string_equal(names[1], "Frequent bargain hunters");
    assert_string_equal(names[2], "New one-time buyers");
    assert_string_equal(names[3], "App browsers");
    assert_string_equal(names[4], "Wholesale-size buyers");
    assert_string_equal(names[5], "Typical buyers");
}

static void siblings_never_share_a_name(void **state)
{
    (void)state;
    static const struct cot_name_contrast same[] = {{"recency_days", "Days since last order", NULL, 1.8},
                                                    {"monetary_total", "Total spend", NULL, 1.2},
                                                    {"weekend_share", "Weekend orders", NULL, 0.9}};
    struct cot_name_request requests[9];
    char names[9][COT_SEGMENT_NAME_SIZE];
    for (size_t i = 0; i < 9; i++)
        requests[i] = (struct cot_name_request){
            .contrasts = same, .n_contrasts = 3, .buyer_share = 1, .strength = 9.0 - (double)i};
    name(requests, 9, names);
    assert_string_equal(names[0], "Lapsed big spenders"); /* the strongest chooses first */
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
}

static void a_name_stays_while_it_is_true(void **state)
{
    (void)state;
    static const struct cot_name_contrast weaker[] = {{"monetary_total", "Total spend", NULL, 1.4},
                                                      {"recency_days", "Days since last order", NULL, 0.25}};
    static const struct cot_name_contrast opposite[] = {{"monetary_total", "Total spend", NULL, 1.4},
                                                        {"recency_days", "Days since last order", NULL, -0.9}};
    struct cot_name_request request = {
        .contrasts = weaker, .n_contrasts = 2, .buyer_share = 1, .previous = "Lapsed big spenders"};
    char names[1][COT_SEGMENT_NAME_SIZE];
    name(&request, 1, names);
    assert_string_equal(names[0], "Lapsed big spenders");
    request.contrasts = opposite;
    name(&request, 1, names);
    assert_string_equal(names[0], "Active big spenders");
}

static void categories_and_traits_have_words(void **state)
{
    (void)state;
    static const struct cot_name_contrast contrasts[] = {{"country", "Country", "Germany", 2.0},
                                                         {"shoe_size", "Shoe size", NULL, 1.5}};
    struct cot_name_request requests[] = {{.contrasts = contrasts, .n_contrasts = 1, .buyer_share = 1},
                                          {.contrasts = contrasts + 1, .n_contrasts = 1, .buyer_share = 1}};
    char names[2][COT_SEGMENT_NAME_SIZE];
    name(requests, 2, names);
    assert_string_equal(names[0], "Buyers from Germany");
    assert_string_equal(names[1], "Buyers with high shoe size");
}

static void long_words_do_not_overflow(void **state)
{
    (void)state;
    static char title[600];
    memset(title, 'x', sizeof title - 1);
    const struct cot_name_contrast contrasts[] = {{"trait", title, NULL, 2.0}, {"trait2", title, title, 2.0}};
    struct cot_name_request request = {.contrasts = contrasts, .n_contrasts = 2, .buyer_share = 1};
    char names[1][COT_SEGMENT_NAME_SIZE];
    name(&request, 1, names);
    assert_string_equal(names[0], "Typical buyers");
}

/* A word for a feature that the catalogue no longer has would never be said. */
static void every_phrase_is_of_a_feature(void **state)
{
    (void)state;
    for (size_t i = 0; cot_segment_name_feature(i) != NULL; i++) {
        size_t j = 0;
        while (j < cot_n_features && strcmp(cot_features[j].name, cot_segment_name_feature(i)) != 0)
            j++;
        if (j == cot_n_features)
            fail_msg("the phrases know '%s', the catalogue does not", cot_segment_name_feature(i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_a_shops_words),          cmocka_unit_test(siblings_never_share_a_name),
        cmocka_unit_test(a_name_stays_while_it_is_true), cmocka_unit_test(categories_and_traits_have_words),
        cmocka_unit_test(long_words_do_not_overflow),    cmocka_unit_test(every_phrase_is_of_a_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
