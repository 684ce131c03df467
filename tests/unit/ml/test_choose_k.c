#include "coterie/choose_k.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/ml/planted.h"

static struct cot_k_choice *choose(const struct cot_matrix *x, const struct cot_choose_k_options *options)
{
    struct cot_err err = {0};
    struct cot_k_choice *choice = NULL;
    if (cot_choose_k(x, options, &choice, &err) != COT_OK)
        fail_msg("%s", err.message);
    return choice;
}

/* Clean mixtures whose largest cluster is 20 times the smallest. */
static void test_finds_the_planted_k(void **state)
{
    static const struct {
        size_t k, d;
    } cases[] = {{2, 3}, {3, 2}, {4, 8}, {5, 4}, {7, 6}};
    struct cot_choose_k_options options;
    (void)state;
    cot_choose_k_options_init(&options);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct planted p = planted_make(3000, cases[c].d, cases[c].k, 20, 10, 100 + c);
        struct cot_matrix x = planted_view(&p);
        struct cot_k_choice *choice = choose(&x, &options);
        assert_int_equal(choice->k, cases[c].k);
        assert_int_equal(choice->n_evidence, 11);
        cot_k_choice_free(choice);
        planted_free(&p);
    }
}

static void test_same_bytes_at_any_number_of_threads(void **state)
{
    struct planted p = planted_make(1500, 4, 3, 5, 4, 5);
    struct cot_matrix x = planted_view(&p);
    struct cot_choose_k_options options;
    struct cot_k_choice *first = NULL;
    static const unsigned n_threads[] = {1, 2, 8};
    (void)state;
    cot_choose_k_options_init(&options);
    options.k_max = 5;
    options.max_sample = 900;
    for (int i = 0; i < 3; i++) {
        options.n_threads = n_threads[i];
        struct cot_k_choice *choice = choose(&x, &options);
        assert_int_equal(choice->n_sample, 900);
        for (size_t e = 0; first != NULL && e < choice->n_evidence; e++) {
            assert_true(choice->evidence[e].stability == first->evidence[e].stability);
            assert_true(choice->evidence[e].silhouette == first->evidence[e].silhouette);
            assert_true(choice->evidence[e].bic == first->evidence[e].bic);
        }
        if (first == NULL)
            first = choice;
        else
            cot_k_choice_free(choice);
    }
    cot_k_choice_free(first);
    planted_free(&p);
}

static void test_edges(void **state)
{
    float data[12] = {0};
    struct cot_matrix x = {.data = data, .n = 6, .d = 2, .stride = 2};
    struct cot_choose_k_options options;
    struct cot_k_choice *choice = NULL;
    struct cot_err err = {0};
    (void)state;
    cot_choose_k_options_init(&options);
    assert_int_equal(cot_choose_k(&x, &options, &choice, &err), COT_BAD_DATA);
    for (int i = 0; i < 12; i++)
        data[i] = (float)(i / 6 * 100 + i % 5);
    choice = choose(&x, &options);
    assert_int_equal(choice->n_evidence, 4);
    cot_k_choice_free(choice);
    choice = NULL;
    x.n = 2;
    assert_int_equal(cot_choose_k(&x, &options, &choice, &err), COT_USAGE);
    x.n = 6;
    options.k_min = 1;
    assert_int_equal(cot_choose_k(&x, &options, &choice, &err), COT_USAGE);
    assert_null(choice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_planted_k),
        cmocka_unit_test(test_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
