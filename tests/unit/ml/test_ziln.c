#include "ml/ziln.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "ml/dense.h"

/* Half the sum of squared outputs, weighted: any smooth loss will do. */
static double loss_of(struct cot_dense *net, const double *x, size_t n, double *ret_gradient)
{
    size_t out = net->sizes[net->n_layers];
    const double *outputs = cot_dense_forward(net, x, n);
    double loss = 0;
    for (size_t i = 0; i < n * out; i++) {
        double target = sin((double)i);
        loss += (outputs[i] - target) * (outputs[i] - target) / 2;
        ret_gradient[i] = outputs[i] - target;
    }
    return loss;
}

static void test_gradient_of_layers(void **state)
{
    enum { N = 7, D = 5 };
    static const size_t sizes[] = {D, 6, 4, 3};
    struct cot_dense net;
    struct cot_rng rng;
    double x[N * D];
    double gradient[N * 3];
    double ignored[N * 3];
    (void)state;
    cot_rng_init(&rng, 4);
    for (size_t i = 0; i < N * D; i++)
        x[i] = cot_rng_normal(&rng);
    assert_int_equal(cot_dense_init(&net, sizes, 3, N, 9, NULL), COT_OK);
    for (size_t i = 0; i < net.n_parameters; i++)
        net.parameters[i] += 0.3 * cot_rng_normal(&rng); /* the last layer begins at 0 */
    (void)loss_of(&net, x, N, gradient);
    cot_dense_backward(&net, gradient, N);
    for (size_t i = 0; i < net.n_parameters; i++) {
        const double h = 1e-6;
        double at = net.parameters[i];
        net.parameters[i] = at + h;
        double above = loss_of(&net, x, N, ignored);
        net.parameters[i] = at - h;
        double below = loss_of(&net, x, N, ignored);
        net.parameters[i] = at;
        assert_true(fabs((above - below) / (2 * h) - net.gradient[i]) < 1e-5);
    }
    cot_dense_release(&net);
}

static void test_gradient_of_loss(void **state)
{
    static const double amounts[] = {0, 0.01, 3, 250};
    const double h = 1e-6;
    (void)state;
    for (size_t a = 0; a < 4; a++) {
        double outputs[3] = {0.4, -0.7, 0.9};
        double gradient[3];
        double ignored[3];
        (void)cot_ziln_loss(amounts[a], -0.3, 20, outputs, gradient);
        for (size_t k = 0; k < 3; k++) {
            outputs[k] += h;
            double above = cot_ziln_loss(amounts[a], -0.3, 20, outputs, ignored);
            outputs[k] -= 2 * h;
            double below = cot_ziln_loss(amounts[a], -0.3, 20, outputs, ignored);
            outputs[k] += h;
            assert_true(fabs((above - below) / (2 * h) - gradient[k]) < 1e-6 * (1 + fabs(gradient[k])));
        }
    }
}

enum { ROWS = 6000, COLUMNS = 4 };

/* Chance and size depend on the first two columns; the other two are noise, one of them mostly missing. */
struct planted {
    float x[ROWS * COLUMNS], y[ROWS], odds[ROWS], start[ROWS];
    double chance[ROWS], mean[ROWS];
};

static void plant(struct planted *p, uint64_t seed)
{
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = p->x + i * COLUMNS;
        for (size_t j = 0; j < COLUMNS; j++)
            x[j] = (float)cot_rng_normal(&rng);
        x[3] = i % 10 == 0 ? x[3] : NAN;
        double sigma = 0.5;
        double mu = 3 + 0.8 * (double)x[1];
        p->chance[i] = 1 / (1 + exp(-(1.5 * (double)x[0])));
        p->mean[i] = p->chance[i] * exp(mu + sigma * sigma / 2);
        p->y[i] = cot_rng_uniform(&rng) < p->chance[i] ? (float)exp(mu + sigma * cot_rng_normal(&rng)) : 0;
        p->odds[i] = 0;
        p->start[i] = 40;
    }
}

static struct cot_ziln_rows part(const struct planted *p, size_t begin, size_t end)
{
    return (struct cot_ziln_rows){end - begin,  COLUMNS,         p->x + begin * COLUMNS,
                                  p->y + begin, p->odds + begin, p->start + begin};
}

static void test_planted_truth_is_found(void **state)
{
    static struct planted p;
    static double mean[ROWS], chance[ROWS];
    struct cot_ziln_options options;
    struct cot_ziln *model = NULL;
    double off_chance = 0;
    double off_mean = 0;
    double total = 0;
    (void)state;
    plant(&p, 12);
    struct cot_ziln_rows train = part(&p, 0, 4000);
    struct cot_ziln_rows validation = part(&p, 4000, 5000);
    struct cot_ziln_rows rest = part(&p, 5000, 6000);
    cot_ziln_options_init(&options);
    assert_int_equal(cot_ziln_fit(&train, &validation, &options, &model, NULL), COT_OK);
    assert_int_equal(cot_ziln_predict(model, &rest, mean, chance, NULL), COT_OK);
    for (size_t i = 0; i < 1000; i++) {
        off_chance += fabs(chance[i] - p.chance[5000 + i]) / 1000;
        off_mean += fabs(mean[i] - p.mean[5000 + i]);
        total += p.mean[5000 + i];
    }
    assert_true(cot_ziln_epochs(model) > 1);
    assert_true(off_chance < 0.04);
    assert_true(off_mean < 0.2 * total);
    cot_ziln_free(model);
}

/* Where the start is right already and the columns are noise, the start is what is said. */
static void test_start_is_kept(void **state)
{
    static struct planted p;
    static double mean[ROWS];
    struct cot_ziln_options options;
    struct cot_ziln *model = NULL;
    struct cot_rng rng;
    double off = 0;
    (void)state;
    plant(&p, 13);
    cot_rng_init(&rng, 99);
    for (size_t i = 0; i < ROWS; i++) {
        p.odds[i] = (float)(1.5 * (double)p.x[i * COLUMNS]);
        p.start[i] = (float)(p.mean[i] / p.chance[i]);
        for (size_t j = 0; j < COLUMNS; j++)
            p.x[i * COLUMNS + j] = (float)cot_rng_normal(&rng);
    }
    struct cot_ziln_rows train = part(&p, 0, 4000);
    struct cot_ziln_rows validation = part(&p, 4000, 6000);
    cot_ziln_options_init(&options);
    assert_int_equal(cot_ziln_fit(&train, &validation, &options, &model, NULL), COT_OK);
    assert_int_equal(cot_ziln_predict(model, &validation, mean, NULL, NULL), COT_OK);
    for (size_t i = 0; i < 2000; i++)
        off += fabs(log(mean[i] / p.mean[4000 + i])) / 2000;
    assert_true(off < 0.1);
    cot_ziln_free(model);
}

static void test_same_seed_same_bytes(void **state)
{
    static struct planted p;
    static double mean[3][1000];
    struct cot_ziln_options options;
    (void)state;
    plant(&p, 14);
    struct cot_ziln_rows train = part(&p, 0, 1000);
    cot_ziln_options_init(&options);
    options.max_epochs = 3;
    for (uint64_t i = 0; i < 3; i++) {
        struct cot_ziln *model = NULL;
        options.seed = i < 2 ? 5 : 6;
        assert_int_equal(cot_ziln_fit(&train, NULL, &options, &model, NULL), COT_OK);
        assert_int_equal(cot_ziln_epochs(model), 3);
        assert_int_equal(cot_ziln_predict(model, &train, mean[i], NULL, NULL), COT_OK);
        cot_ziln_free(model);
    }
    assert_memory_equal(mean[0], mean[1], sizeof mean[0]);
    assert_memory_not_equal(mean[0], mean[2], sizeof mean[0]);
}

static void test_what_cannot_be_learned_is_refused(void **state)
{
    static const float x[] = {1, 2};
    static const float bad[] = {3, -1};
    static const float start[] = {1, 1};
    struct cot_ziln_rows rows = {2, 1, x, bad, start, start};
    struct cot_ziln_options options;
    struct cot_ziln *model = NULL;
    struct cot_err err;
    (void)state;
    cot_ziln_options_init(&options);
    assert_int_equal(cot_ziln_fit(&rows, NULL, &options, &model, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "row 1: amount -1"));
    rows.n = 0;
    assert_int_equal(cot_ziln_fit(&rows, NULL, &options, &model, &err), COT_BAD_DATA);
    rows = (struct cot_ziln_rows){2, 1, x, start, start, start};
    options.rate = 0;
    assert_int_equal(cot_ziln_fit(&rows, NULL, &options, &model, &err), COT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_of_layers),     cmocka_unit_test(test_gradient_of_loss),
        cmocka_unit_test(test_planted_truth_is_found), cmocka_unit_test(test_start_is_kept),
        cmocka_unit_test(test_same_seed_same_bytes),   cmocka_unit_test(test_what_cannot_be_learned_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
