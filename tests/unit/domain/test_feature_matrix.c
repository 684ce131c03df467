/* Matrices of a larger random shop: columns, categories, imported traits, consent, and the same bytes at any number of
 * threads. */
#include "unit/domain/tiny.h"

#include "base/rng.h"

enum { N_NODES = 6000, N_EVENTS = 30000, N_TRAITS = 18000, N_ITEMS = 60 };

struct random_shop {
    struct tiny tiny;
    struct tiny_event *events;
    struct tiny_trait *traits;
    char (*texts)[80];
    uint32_t *roots;
};

static void shop_open(struct random_shop *shop)
{
    struct cot_rng rng;
    cot_rng_init(&rng, 7);
    shop->events = calloc(N_EVENTS, sizeof *shop->events);
    shop->traits = calloc(N_TRAITS, sizeof *shop->traits);
    shop->texts = calloc(N_EVENTS + N_TRAITS, sizeof *shop->texts);
    shop->roots = calloc(N_NODES, sizeof *shop->roots);
    for (uint32_t i = 0; i < N_NODES; i++)
        shop->roots[i] = i % 5 == 1 ? i - 1 : i;
    /* Times and words of their own; the events are given to nodes in a row, so that filling stays quick. */
    for (size_t i = 0; i < N_EVENTS; i++) {
        static const enum cot_event_kind kinds[] = {COT_EVENT_ORDER_LINE, COT_EVENT_ORDER_LINE, COT_EVENT_REFUND,
                                                    COT_EVENT_PRODUCT_VIEW, COT_EVENT_EMAIL_SENT};
        snprintf(shop->texts[i], sizeof *shop->texts, "2020-%02d-%02dT%02d:%02d:00Z", 1 + (int)cot_rng_below(&rng, 12),
                 1 + (int)cot_rng_below(&rng, 28), (int)cot_rng_below(&rng, 24), (int)cot_rng_below(&rng, 60));
        shop->events[i] = (struct tiny_event){.node = (uint32_t)(i / 5),
                                              .at = shop->texts[i],
                                              .kind = kinds[cot_rng_below(&rng, 5)],
                                              .channel = (enum cot_channel)cot_rng_below(&rng, 4),
                                              .order = cot_rng_below(&rng, 50),
                                              .item = (uint32_t)cot_rng_below(&rng, N_ITEMS),
                                              .quantity = 1 + (double)cot_rng_below(&rng, 3),
                                              .amount_minor = 100 + (int64_t)cot_rng_below(&rng, 5000),
                                              .discount_minor = NONE,
                                              .cost_minor = 50,
                                              .detail = (uint32_t)cot_rng_below(&rng, 9)};
    }
    for (size_t i = 0; i < N_TRAITS; i++) {
        static const char *const keys[] = {"Home Town", "Loyalty points", "First name"};
        char *text = shop->texts[N_EVENTS + i];
        snprintf(text, sizeof *shop->texts, "town %d", (int)cot_rng_below(&rng, 40));
        shop->traits[i] = (struct tiny_trait){.node = (uint32_t)(i / 3),
                                              .key = keys[i % 3],
                                              .value = i % 3 == 1 ? NULL : text,
                                              .number = (float)cot_rng_below(&rng, 100)};
    }
}

static void shop_release(struct random_shop *shop)
{
    tiny_close(&shop->tiny);
    free(shop->events);
    free(shop->traits);
    free(shop->texts);
    free(shop->roots);
}

/* tiny_fill looks at every event for every node: give it slices. */
static void shop_fill(struct random_shop *shop)
{
    struct cot_err err = {0};
    struct cot_history *history = &shop->tiny.history;
    tiny_open(&shop->tiny, "Europe/Berlin", "2020-12-31", N_NODES, shop->roots, NULL, 0, NULL, 0);
    free(history->timelines.entries);
    history->timelines.entries = calloc(N_EVENTS + 1, sizeof *history->timelines.entries);
    free(history->traits);
    history->traits = calloc(N_TRAITS + 1, sizeof *history->traits);
    uint64_t used = 0;
    bool *has_fact = calloc(N_NODES, sizeof *has_fact);
    for (uint32_t node = 0; node < N_NODES; node++) {
        struct cot_entry scratch[8];
        history->timelines.starts[node] = used;
        for (size_t i = (size_t)node * 5; i < (size_t)node * 5 + 5; i++) {
            const struct tiny_event *event = &shop->events[i];
            uint32_t detail = event->detail;
            bool refund = event->kind == COT_EVENT_REFUND;
            if (event->kind == COT_EVENT_ORDER_LINE || refund) {
                struct cot_line line = {refund ? -event->amount_minor : event->amount_minor, event->order,
                                        (float)event->quantity, 0};
                const struct cot_line_extra extra = {NONE, event->cost_minor, COT_NO_NOTE};
                assert_int_equal(cot_lines_add(&history->timelines.lines, &line, &extra, &detail, &err), COT_OK);
            }
            history->timelines.entries[used++] =
                cot_entry_make(tiny_time(event->at), event->kind, event->channel, event->item, detail);
        }
        cot_run_sort(history->timelines.entries + history->timelines.starts[node], 5, scratch);
        history->trait_starts[node] = node * 3;
        has_fact[node] = true;
    }
    history->timelines.starts[N_NODES] = used;
    history->trait_starts[N_NODES] = N_TRAITS;
    for (size_t i = 0; i < N_TRAITS; i++) {
        const struct tiny_trait *trait = &shop->traits[i];
        struct cot_trait_fact *fact = &history->traits[i];
        *fact = (struct cot_trait_fact){COT_TIMELESS, (uint32_t)i, COT_DICT_NONE,
                                        trait->value == NULL ? trait->number : NAN, 0};
        assert_int_equal(cot_trait_words_key(&history->words, trait->key, strlen(trait->key), &fact->key, &err),
                         COT_OK);
        if (trait->value != NULL)
            assert_int_equal(
                cot_dict_add(&history->words.values, 0, trait->value, strlen(trait->value), &fact->value, &err),
                COT_OK);
    }
    cot_people_release(&history->people);
    assert_int_equal(cot_people_init(&history->people, shop->roots, has_fact, N_NODES, &err), COT_OK);
    free(has_fact);
    for (size_t kind = 0; kind < 128; kind++)
        history->kind_since_ms[kind] = 0;
    tiny_items(&shop->tiny, NULL, N_ITEMS);
}

static struct cot_feature_matrix fill(const struct random_shop *shop, unsigned n_threads, enum cot_timeless timeless)
{
    struct cot_err err = {0};
    struct cot_feature_matrix matrix = {0};
    struct cot_feature_matrix_options options = {.timeless = timeless, .n_threads = n_threads};
    if (cot_feature_matrix_fill(&shop->tiny.history, &options, &matrix, &err) != COT_OK)
        fail_msg("%s", err.message);
    return matrix;
}

static void same_bytes_at_any_threads(void **state)
{
    const struct random_shop *shop = *state;
    struct cot_feature_matrix one = fill(shop, 1, COT_WITH_TIMELESS);
    for (unsigned n_threads = 2; n_threads <= 5; n_threads += 3) {
        struct cot_feature_matrix many = fill(shop, n_threads, COT_WITH_TIMELESS);
        assert_int_equal(one.n, many.n);
        assert_int_equal(one.d, many.d);
        assert_memory_equal(one.values, many.values, one.n * one.d * sizeof *one.values);
        cot_feature_matrix_free(&many);
    }
    assert_int_equal(one.n, N_NODES - N_NODES / 5);
    for (size_t i = 1; i < one.n; i++)
        assert_true(one.customers[i] > one.customers[i - 1]);
    cot_feature_matrix_free(&one);
}

static void imported_traits(void **state)
{
    const struct random_shop *shop = *state;
    struct cot_feature_matrix matrix = fill(shop, 1, COT_WITH_TIMELESS);
    size_t town = cot_feature_matrix_find(&matrix, "home_town");
    size_t points = cot_feature_matrix_find(&matrix, "loyalty_points");
    assert_int_equal(matrix.d, cot_n_features + 2);
    assert_int_equal(cot_feature_matrix_find(&matrix, "first_name"), SIZE_MAX); /* names a person */
    assert_true(town != SIZE_MAX && points != SIZE_MAX);
    assert_int_equal(matrix.columns[points].transform, COT_TRANSFORM_SIGNED_LOG1P);
    assert_int_equal(matrix.columns[town].transform, COT_TRANSFORM_CATEGORY);
    assert_int_equal(matrix.columns[town].n_categories, COT_MAX_CATEGORIES + 1); /* 40 towns */
    assert_string_equal(matrix.columns[town].category_names[COT_MAX_CATEGORIES], "other");
    assert_true(matrix.columns[town].timeless);
    /* Codes fall in frequency, and none lies outside. */
    size_t counts[COT_MAX_CATEGORIES + 1] = {0};
    for (size_t i = 0; i < matrix.n; i++) {
        float code = matrix.values[i * matrix.d + town];
        assert_true(code >= 0 && code < (float)matrix.columns[town].n_categories);
        counts[(size_t)code]++;
    }
    for (size_t i = 1; i < COT_MAX_CATEGORIES; i++)
        assert_true(counts[i] <= counts[i - 1]);
    cot_feature_matrix_free(&matrix);
    matrix = fill(shop, 1, COT_WITHOUT_TIMELESS);
    assert_int_equal(matrix.d, cot_n_features);
    cot_feature_matrix_free(&matrix);
}

static void consent_decides(void **state)
{
    struct random_shop *shop = *state;
    struct cot_history *history = &shop->tiny.history;
    uint32_t starts[N_NODES + 1] = {0};
    uint8_t withheld[N_NODES] = {0};
    int64_t now_ms = history->as_of_ms;
    struct cot_consent_fact facts[] = {
        {now_ms - 10, 0, COT_PURPOSE_ANALYTICS, true},
        {now_ms - 5, 1, COT_PURPOSE_ANALYTICS, false}, /* node 0: the later word */
        {now_ms - 5, 2, COT_PURPOSE_MARKETING, false}, /* node 2: of something else */
        {now_ms + 5, 3, COT_PURPOSE_ANALYTICS, false}, /* node 2: not yet */
        {now_ms - 5, 4, COT_PURPOSE_ANALYTICS, true},  /* node 3, whose source assumes nothing */
    };
    for (size_t i = 0; i <= N_NODES; i++)
        starts[i] = i == 0 ? 0 : i <= 2 ? 2 : i == 3 ? 4 : 5;
    withheld[3] = withheld[4] = cot_consent_policy_withheld("service, marketing", strlen("service, marketing"));
    history->consent_starts = starts;
    history->consents = facts;
    history->withheld = withheld;
    struct cot_feature_matrix matrix = fill(shop, 2, COT_WITH_TIMELESS);
    assert_int_equal(matrix.customers[1], 2);
    assert_false(matrix.analytics[0]);
    assert_true(matrix.analytics[1]);
    assert_true(matrix.analytics[2]);
    assert_false(matrix.analytics[3]); /* node 4: nothing said, nothing assumed */
    assert_true(matrix.analytics[4]);
    assert_int_equal(cot_consent_policy_withheld(NULL, 0), 0);
    history->consent_starts = NULL;
    history->consents = NULL;
    history->withheld = NULL;
    cot_feature_matrix_free(&matrix);
}

static int setup(void **state)
{
    struct random_shop *shop = calloc(1, sizeof *shop);
    shop_open(shop);
    shop_fill(shop);
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_release(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_at_any_threads),
        cmocka_unit_test(imported_traits),
        cmocka_unit_test(consent_decides),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
