/* Learning segments from a matrix: quality, who takes part, what is left out, order of rows and threads. */
#include "engine/segment_learn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "coterie/metrics.h"
#include "unit/engine/synthetic.h"

static struct cot_learned *learn(const struct cot_feature_matrix *matrix, const struct cot_learn_options *options)
{
    struct cot_err err = {0};
    struct cot_learned *learned = NULL;
    if (cot_segments_learn(matrix, options, &learned, &err) != COT_OK)
        fail_msg("%s", err.message);
    return learned;
}

static double ari_of(const struct synthetic *s, const struct cot_learned *learned)
{
    struct cot_err err = {0};
    double ari = 0;
    uint32_t *truth = malloc(learned->n * sizeof *truth);
    for (size_t i = 0; i < learned->n; i++)
        truth[i] = s->truth[learned->rows[i]];
    assert_int_equal(cot_metric_ari(learned->labels, truth, learned->n, &ari, &err), COT_OK);
    free(truth);
    return ari;
}

static void finds_planted_segments(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct synthetic s = synthetic_make(1500, seed);
        struct cot_learn_options options = {.seed = 1};
        struct cot_learned *learned = learn(&s.matrix, &options);
        double ari = ari_of(&s, learned);
        if (ari < 0.9 || learned->k != SYNTHETIC_K + 1)
            fail_msg("seed %llu: ARI %.3f with %zu segments", (unsigned long long)seed, ari, learned->k);
        cot_learned_free(learned);
        synthetic_free(&s);
    }
}

static void wholesalers_stand_apart(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(1500, 5);
    struct cot_learn_options options = {.seed = 1, .k = 5};
    struct cot_learned *learned = learn(&s.matrix, &options);
    size_t n_right = 0, n_extreme = 0, n_wholesale = 0;
    assert_int_equal(learned->extreme, learned->k - 1);
    for (size_t i = 0; i < learned->n; i++) {
        bool wholesale = s.truth[learned->rows[i]] == SYNTHETIC_K;
        n_wholesale += wholesale;
        n_extreme += learned->labels[i] == learned->extreme;
        n_right += wholesale && learned->labels[i] == learned->extreme;
    }
    assert_true(n_right >= n_wholesale * 9 / 10);
    assert_true(n_extreme <= n_wholesale + learned->n / 100);
    cot_learned_free(learned);
    synthetic_free(&s);
}

static void consent_decides_who_takes_part(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(1000, 6);
    struct cot_learn_options options = {.seed = 1, .k = 4};
    struct cot_learned *learned = learn(&s.matrix, &options);
    assert_int_equal(learned->n_no_consent, 10);
    assert_int_equal(learned->n, 990);
    for (size_t i = 0; i < learned->n; i++)
        assert_true(s.matrix.analytics[learned->rows[i]] && (i == 0 || learned->rows[i] > learned->rows[i - 1]));
    cot_learned_free(learned);
    synthetic_free(&s);
}

static const struct cot_space_dropped *dropped(const struct cot_space *space, const struct cot_feature_matrix *matrix,
                                               const char *name)
{
    for (size_t i = 0; i < space->n_dropped; i++)
        if (strcmp(matrix->columns[space->dropped[i].i_column].name, name) == 0)
            return &space->dropped[i];
    fail_msg("'%s' was not dropped", name);
    return NULL;
}

static void says_what_it_leaves_out_and_why(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(800, 7);
    const char *exclude[] = {"noise_9"};
    struct cot_learn_options options = {.seed = 1, .k = 4, .space = {.exclude = exclude, .n_exclude = 1}};
    struct cot_learned *learned = learn(&s.matrix, &options);
    assert_int_equal(dropped(learned->space, &s.matrix, "empty")->reason, COT_SPACE_NO_DATA);
    assert_int_equal(dropped(learned->space, &s.matrix, "constant")->reason, COT_SPACE_NO_VARIANCE);
    assert_int_equal(dropped(learned->space, &s.matrix, "orders_365d")->reason, COT_SPACE_DUPLICATE);
    assert_int_equal(dropped(learned->space, &s.matrix, "loyalty_card_id")->reason, COT_SPACE_IDENTIFYING);
    assert_int_equal(dropped(learned->space, &s.matrix, "noise_9")->reason, COT_SPACE_EXCLUDED);
    assert_non_null(strstr(dropped(learned->space, &s.matrix, "orders_365d")->detail, "frequency"));
    cot_learned_free(learned);

    struct cot_err err = {0};
    exclude[0] = "no_such";
    assert_int_equal(cot_segments_learn(&s.matrix, &options, &learned, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "no_such"));
    synthetic_free(&s);
}

static void the_order_of_rows_and_threads_do_not_matter(void **state)
{
    (void)state;
    enum { N = 900 };
    struct synthetic s = synthetic_make(N, 8);
    struct cot_learn_options options = {.seed = 1, .n_threads = 1};
    struct cot_learned *learned = learn(&s.matrix, &options);

    struct synthetic t = synthetic_make(N, 8); /* the same customers, another order */
    for (size_t i = 0; i < N; i++) {
        size_t from = (i * 7 + 13) % N;
        memcpy(t.matrix.values + i * t.matrix.d, s.matrix.values + from * s.matrix.d, s.matrix.d * sizeof(float));
        t.matrix.analytics[i] = s.matrix.analytics[from];
    }
    options.n_threads = 8;
    struct cot_learned *other = learn(&t.matrix, &options);
    assert_int_equal(other->k, learned->k);
    uint32_t by_row[N];
    memset(by_row, 0xff, sizeof by_row);
    for (size_t i = 0; i < other->n; i++)
        by_row[(other->rows[i] * 7 + 13) % N] = other->labels[i];
    for (size_t i = 0; i < learned->n; i++)
        assert_int_equal(by_row[learned->rows[i]], learned->labels[i]);
    cot_learned_free(other);

    other = learn(&s.matrix, &options);
    assert_memory_equal(other->labels, learned->labels, learned->n * sizeof(uint32_t));
    assert_memory_equal(other->y, learned->y, learned->n * learned->discriminant->q * sizeof(float));
    cot_learned_free(other);
    cot_learned_free(learned);
    synthetic_free(&s);
    synthetic_free(&t);
}

static void k_is_kept_unless_the_evidence_is_clear(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(800, 9);
    struct cot_learn_options options = {.seed = 1, .preferred_k = 5};
    struct cot_learned *learned = learn(&s.matrix, &options);
    assert_int_equal(learned->evidence.k, 5);
    cot_learned_free(learned);
    options.k = 3;
    learned = learn(&s.matrix, &options);
    assert_int_equal(learned->k, 4);
    cot_learned_free(learned);
    synthetic_free(&s);
}

static void too_few_customers_are_refused(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(30, 10);
    struct cot_learn_options options = {.seed = 1};
    struct cot_learned *learned = NULL;
    struct cot_err err = {0};
    assert_int_equal(cot_segments_learn(&s.matrix, &options, &learned, &err), COT_BAD_DATA);
    assert_null(learned);
    synthetic_free(&s);
}

/* Those without an order have no purchase features: they begin apart, and stay together. */
static void visitors_get_a_segment(void **state)
{
    (void)state;
    struct synthetic s = synthetic_make(1000, 11);
    for (size_t i = 0; i < s.matrix.n; i += 10) {
        float *row = s.matrix.values + i * s.matrix.d;
        for (size_t j = 0; j < 8; j++)
            row[j] = NAN;
        row[1] = row[2] = row[20] = 0;
    }
    struct cot_learn_options options = {.seed = 1, .k = 5};
    struct cot_learned *learned = learn(&s.matrix, &options);
    size_t n_visitors = 0, n_together = 0;
    assert_int_equal(learned->k, 6);
    assert_int_not_equal(learned->visitors, SIZE_MAX);
    for (size_t i = 0; i < learned->n; i++) {
        bool visitor = learned->rows[i] % 10 == 0;
        n_visitors += visitor;
        n_together += visitor && learned->labels[i] == learned->visitors;
    }
    assert_true(n_together >= n_visitors * 9 / 10);
    cot_learned_free(learned);
    synthetic_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_planted_segments),
        cmocka_unit_test(wholesalers_stand_apart),
        cmocka_unit_test(consent_decides_who_takes_part),
        cmocka_unit_test(says_what_it_leaves_out_and_why),
        cmocka_unit_test(the_order_of_rows_and_threads_do_not_matter),
        cmocka_unit_test(k_is_kept_unless_the_evidence_is_clear),
        cmocka_unit_test(too_few_customers_are_refused),
        cmocka_unit_test(visitors_get_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
