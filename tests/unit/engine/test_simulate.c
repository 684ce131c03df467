/* The simulated shop: its distributions against theory, its files against its truth. */
#include "engine/simulate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "domain/simulation.h"
#include "engine/simulate_rows.h"
#include "scratch.h"

enum { N = 4000 };

static struct cot_simulation *make_shop(uint64_t seed, unsigned n_segments, double outlier_share)
{
    struct cot_simulation_options options = {.seed = seed,
                                             .n_customers = N,
                                             .n_segments = n_segments,
                                             .n_months = 24,
                                             .outlier_share = outlier_share,
                                             .spread = 1,
                                             .activity = 1,
                                             .orders_only = true};
    struct cot_err err;
    struct cot_simulation *shop = malloc(sizeof *shop);
    assert_non_null(shop);
    assert_int_equal(cot_simulation_init(&options, shop, &err), COT_OK);
    return shop;
}

/* Gauss's series; 0 <= z < 1. */
static double hypergeometric(double a, double b, double c, double z)
{
    double term = 1;
    double sum = 1;
    for (int i = 0; i < 100000 && fabs(term) > 1e-14 * fabs(sum); i++) {
        term *= (a + i) * (b + i) / ((c + i) * (1 + i)) * z;
        sum += term;
    }
    return sum;
}

/* Expected repeat purchases in t of a customer drawn at random: equation 9 of Fader, Hardie and Lee (2005). */
static double bg_nbd_mean(const struct cot_simulation_segment *s, double t)
{
    double r = s->rate_shape;
    double alpha = s->rate_shape / (s->orders_per_year / 365.25);
    double a = s->dropout_a;
    double b = s->dropout_b;
    double h = hypergeometric(r, b, a + b - 1, t / (alpha + t));
    return (a + b - 1) / (a - 1) * (1 - pow(alpha / (alpha + t), r) * h);
}

static void repeat_purchases_follow_bg_nbd(void **state)
{
    (void)state;
    struct cot_err err;
    struct cot_simulation *shop = make_shop(7, 7, 0);
    struct cot_simulation_history history = {0};
    double expected[COT_SIMULATION_MAX_SEGMENTS] = {0};
    double found[COT_SIMULATION_MAX_SEGMENTS] = {0};
    double squares[COT_SIMULATION_MAX_SEGMENTS] = {0};
    for (size_t i = 0; i < N; i++) {
        struct cot_simulation_customer c;
        cot_simulation_customer_draw(shop, i, &c);
        assert_int_equal(cot_simulation_history_draw(shop, &c, &history, &err), COT_OK);
        double days = (double)(shop->end_ms - c.first_ms) / (double)COT_MS_PER_DAY;
        double mean = bg_nbd_mean(&shop->segments[c.segment], days);
        double difference = (double)history.n_orders - 1 - mean;
        expected[c.segment] += mean;
        found[c.segment] += (double)history.n_orders - 1;
        squares[c.segment] += difference * difference;
    }
    for (size_t i = 0; i < shop->n_segments; i++) /* within 4 standard errors */
        if (!(fabs(found[i] - expected[i]) < 4 * sqrt(squares[i])) || found[i] <= 0)
            fail_msg("%s: %g repeat purchases, theory %g", shop->segments[i].name, found[i], expected[i]);
    cot_simulation_history_release(&history);
    free(shop);
}

static void conditional_expectation_agrees_with_the_closed_form(void **state)
{
    (void)state;
    assert_float_equal(cot_simulation_expected_repeats(0.1, 0, 100), 10, 1e-9);
    assert_float_equal(cot_simulation_expected_repeats(0.1, 0.5, 100), (1 - exp(-5)) / 0.5, 1e-9);
    assert_float_equal(cot_simulation_expected_repeats(0.1, 0.5, -1), 0, 0);
}

static void order_values_and_shares_are_those_of_the_latent_vector(void **state)
{
    (void)state;
    struct cot_err err;
    struct cot_simulation *shop = make_shop(8, 7, 0);
    struct cot_simulation_history history = {0};
    double spent = 0, expected = 0, n_lines = 0, n_discounted = 0, expected_discounted = 0;
    for (size_t i = 0; i < N; i++) {
        struct cot_simulation_customer c;
        cot_simulation_customer_draw(shop, i, &c);
        assert_int_equal(cot_simulation_history_draw(shop, &c, &history, &err), COT_OK);
        expected += history.n_orders * c.traits[COT_SIMULATION_ORDER_VALUE];
        for (size_t j = 0; j < history.n_lines; j++) {
            const struct cot_simulation_line *line = &history.lines[j];
            assert_true(line->at_ms >= shop->start_ms && line->at_ms < shop->end_ms);
            if (line->quantity < 0)
                continue;
            spent += (double)(line->quantity * line->unit_minor - line->discount_minor) / 100;
            n_lines++;
            n_discounted += line->discount_minor > 0;
            expected_discounted += c.traits[COT_SIMULATION_DISCOUNT];
        }
    }
    /* The ladder of prices costs a little: nothing is cheaper than its lowest rung or dearer than its highest. */
    assert_true(fabs(spent / expected - 1) < 0.04);
    assert_true(fabs(n_discounted - expected_discounted) < 4 * sqrt(n_lines) / 2);
    cot_simulation_history_release(&history);
    free(shop);
}

static void a_customer_does_not_depend_on_the_others(void **state)
{
    (void)state;
    struct cot_simulation *shop = make_shop(9, 7, 0.05);
    struct cot_simulation_customer first, again;
    memset(&first, 0, sizeof first);
    memset(&again, 0, sizeof again);
    cot_simulation_customer_draw(shop, 17, &first);
    cot_simulation_customer_draw(shop, 16, &again);
    assert_true(first.purchase_rate != again.purchase_rate);
    cot_simulation_customer_draw(shop, 17, &again);
    assert_float_equal(first.purchase_rate, again.purchase_rate, 0);
    assert_int_equal(first.segment, again.segment);
    free(shop);
}

static void sizes_are_twenty_to_one_with_outliers(void **state)
{
    (void)state;
    struct cot_simulation *shop = make_shop(10, 7, 0.05);
    size_t n_outliers = 0;
    for (size_t i = 0; i < N; i++) {
        struct cot_simulation_customer c;
        cot_simulation_customer_draw(shop, i, &c);
        n_outliers += c.outlier;
        assert_true(c.outlier == (strcmp(cot_simulation_label(shop, &c), "outlier") == 0));
    }
    assert_float_equal(shop->segments[0].weight / shop->segments[6].weight, 20, 1e-9);
    assert_true(fabs((double)n_outliers - 0.05 * N) < 5 * sqrt(0.05 * N));
    free(shop);
}

static char *read_file(const char *dir, const char *name, size_t *ret_size)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *ret_size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*ret_size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *ret_size, file), *ret_size);
    fclose(file);
    data[*ret_size] = '\0';
    return data;
}

static void the_threads_do_not_change_the_files(void **state)
{
    struct cot_simulate_options options = cot_simulate_defaults();
    struct cot_err err;
    const char *dir = *state;
    char folders[2][4100];
    options.n_customers = 700; /* several blocks, the last not full */
    options.n_months = 6;
    for (unsigned i = 0; i < 2; i++) {
        struct cot_context context = {.seed = 3, .n_threads = i == 0 ? 1 : 3};
        yyjson_mut_doc *doc = NULL;
        snprintf(folders[i], sizeof folders[i], "%s/threads%u", dir, i);
        options.out_dir = folders[i];
        assert_int_equal(cot_simulate_run(&context, &options, &doc, &err), COT_OK);
        yyjson_mut_doc_free(doc);
    }
    for (int i = 0; i <= COT_SIMULATE_N_FILES; i++) {
        const char *name = i < COT_SIMULATE_N_FILES ? cot_simulate_file_names[i] : "truth.json";
        size_t sizes[2];
        char *a = read_file(folders[0], name, &sizes[0]);
        char *b = read_file(folders[1], name, &sizes[1]);
        assert_true(sizes[0] > 0);
        if (sizes[0] != sizes[1] || memcmp(a, b, sizes[0]) != 0)
            fail_msg("%s differs between 1 and 3 threads", name);
        free(a);
        free(b);
    }
}

static void the_rows_asked_for_are_met(void **state)
{
    struct cot_simulate_options options = cot_simulate_defaults();
    struct cot_context context = {.seed = 4};
    struct cot_err err;
    char dir[4100];
    yyjson_mut_doc *doc = NULL;
    snprintf(dir, sizeof dir, "%s/events", (const char *)*state);
    options.out_dir = dir;
    options.n_customers = 3000;
    options.n_events = 60000;
    assert_int_equal(cot_simulate_run(&context, &options, &doc, &err), COT_OK);
    yyjson_mut_val *files = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "files");
    yyjson_mut_val *file;
    size_t i, n;
    uint64_t n_rows = 0;
    yyjson_mut_arr_foreach(files, i, n, file)
    {
        const char *kind = yyjson_mut_get_str(yyjson_mut_obj_get(file, "kind"));
        if (strcmp(kind, "orders") == 0 || strcmp(kind, "events") == 0 || strcmp(kind, "responses") == 0)
            n_rows += yyjson_mut_get_uint(yyjson_mut_obj_get(file, "accepted"));
    }
    assert_true(fabs((double)n_rows / 60000 - 1) < 0.1);
    yyjson_mut_doc_free(doc);
}

static void options_out_of_range_are_refused(void **state)
{
    struct cot_simulate_options options = cot_simulate_defaults();
    struct cot_context context = {.seed = 4};
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    char dir[4100];
    snprintf(dir, sizeof dir, "%s/refused", (const char *)*state);
    options.out_dir = dir;
    options.n_customers = 10;
    options.n_segments = 11;
    assert_int_equal(cot_simulate_run(&context, &options, &doc, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "11 segments"));
    options.n_segments = 7;
    options.dirty_share = NAN;
    assert_int_equal(cot_simulate_run(&context, &options, &doc, &err), COT_USAGE);
    options.dirty_share = 0;
    options.out_dir = "/dev/null/shop";
    assert_int_equal(cot_simulate_run(&context, &options, &doc, &err), COT_IO);
    assert_null(doc);
}

static int make_folder(void **state)
{
    *state = malloc(SCRATCH_PATH_SIZE);
    assert_non_null(*state);
    scratch_make(*state);
    return 0;
}

static int remove_folder(void **state)
{
    scratch_remove(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeat_purchases_follow_bg_nbd),
        cmocka_unit_test(conditional_expectation_agrees_with_the_closed_form),
        cmocka_unit_test(order_values_and_shares_are_those_of_the_latent_vector),
        cmocka_unit_test(a_customer_does_not_depend_on_the_others),
        cmocka_unit_test(sizes_are_twenty_to_one_with_outliers),
        cmocka_unit_test_setup_teardown(the_threads_do_not_change_the_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_rows_asked_for_are_met, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(options_out_of_range_are_refused, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
