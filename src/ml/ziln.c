#include "ml/ziln.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ml/dense.h"
#include "num/check.h"

enum { N_OUTPUTS = 3, ODDS = 0, LOCATION = 1, SPREAD = 2, N_LAYERS = 3, SHUFFLE_STREAM = 77 };

struct cot_ziln {
    size_t d;
    double *shift, *scale; /* [d] of the signed logarithms */
    struct cot_dense net;
    unsigned epochs;
};

void cot_ziln_options_init(struct cot_ziln_options *options)
{
    *options = (struct cot_ziln_options){
        .hidden = {32, 16}, .max_epochs = 50, .patience = 4, .batch = 128, .rate = 2e-3, .decay = 0.01, .seed = 1};
}

void cot_ziln_free(struct cot_ziln *model)
{
    if (model == NULL)
        return;
    free(model->shift);
    free(model->scale);
    cot_dense_release(&model->net);
    free(model);
}

unsigned cot_ziln_epochs(const struct cot_ziln *model)
{
    return model->epochs;
}

/* ---- the distribution ---- */

struct ziln {
    double chance, mu, sigma;
};

static const double sigma_least = 0.1;
static const double sigma_most = 2.5;

/* sigma = 1 at an output of 0, between a tenth and two and a half: beyond, a single sale would rule the mean. */
static double sigma_of(double output)
{
    const double middle = log((1 - sigma_least) / (sigma_most - 1));
    return sigma_least + (sigma_most - sigma_least) / (1 + exp(-(output + middle)));
}

/* The start's mean is kept while sigma changes: mu makes up for it. */
static struct ziln ziln_of(double start_odds, double start_mean, const double outputs[N_OUTPUTS])
{
    double sigma = sigma_of(outputs[SPREAD]);
    return (struct ziln){1 / (1 + exp(-(start_odds + outputs[ODDS]))),
                         log(start_mean) - sigma * sigma / 2 + outputs[LOCATION], sigma};
}

double cot_ziln_loss(double y, double start_odds, double start_mean, const double outputs[3], double ret_gradient[3])
{
    const double half_log_2_pi = 0.91893853320467274;
    const double least = 1e-12;
    struct ziln z = ziln_of(start_odds, start_mean, outputs);
    double any = y > 0 ? 1 : 0;
    ret_gradient[ODDS] = z.chance - any;
    ret_gradient[LOCATION] = ret_gradient[SPREAD] = 0;
    double loss = -log(fmax(any > 0 ? z.chance : 1 - z.chance, least));
    if (!(y > 0))
        return loss;
    double off = (log(y) - z.mu) / z.sigma;
    double share = (z.sigma - sigma_least) / (sigma_most - sigma_least);
    double sigma_by_output = (sigma_most - sigma_least) * share * (1 - share);
    ret_gradient[LOCATION] = -off / z.sigma;
    /* by sigma directly, and through mu, which falls by sigma as sigma grows */
    ret_gradient[SPREAD] = ((1 - off * off) / z.sigma + off) * sigma_by_output;
    return loss + log(y) + log(z.sigma) + half_log_2_pi + off * off / 2;
}

/* ---- rows ---- */

static double signed_log(float value)
{
    return value < 0 ? -log1p(-(double)value) : log1p((double)value);
}

static cot_code learn_scales(struct cot_ziln *model, const struct cot_ziln_rows *rows, struct cot_err *err)
{
    model->shift = cot_alloc_array(rows->d, 1, sizeof *model->shift);
    model->scale = cot_alloc_array(rows->d, 1, sizeof *model->scale);
    if (model->shift == NULL || model->scale == NULL)
        return cot_fail(err, COT_NOMEM, "%zu columns", rows->d);
    for (size_t j = 0; j < rows->d; j++) {
        double n = 0;
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < rows->n; i++)
            if (isfinite(rows->x[i * rows->d + j])) {
                n += 1;
                sum += signed_log(rows->x[i * rows->d + j]);
            }
        model->shift[j] = n > 0 ? sum / n : 0;
        for (size_t i = 0; i < rows->n; i++)
            if (isfinite(rows->x[i * rows->d + j]))
                squares += pow(signed_log(rows->x[i * rows->d + j]) - model->shift[j], 2);
        model->scale[j] = squares > 0 ? sqrt(n / squares) : 0;
    }
    return COT_OK;
}

static void scale_row(const struct cot_ziln *model, const float *x, double *ret)
{
    const double most = 5;
    for (size_t j = 0; j < model->d; j++) {
        double value = isfinite(x[j]) ? (signed_log(x[j]) - model->shift[j]) * model->scale[j] : 0;
        ret[j] = value > most ? most : value < -most ? -most : value;
    }
}

static cot_code check(const struct cot_ziln_rows *rows, struct cot_err *err)
{
    if (rows->n == 0 || rows->d == 0)
        return cot_fail(err, COT_BAD_DATA, "a net needs rows and columns, not %zu x %zu", rows->n, rows->d);
    for (size_t i = 0; i < rows->n; i++)
        if (!isfinite(rows->y[i]) || rows->y[i] < 0 || !isfinite(rows->start_odds[i]) || !(rows->start_mean[i] > 0))
            return cot_fail(err, COT_BAD_DATA,
                            "row %zu: amount %g, start %g and %g: an amount is finite and at least 0", i,
                            (double)rows->y[i], (double)rows->start_odds[i], (double)rows->start_mean[i]);
    return COT_OK;
}

/* ---- training ---- */

/* All rows as the net takes them, made once, and room for one batch of them. */
struct batch {
    size_t size;
    double *x, *gradient;
    double *train, *validation; /* [rows x d] */
};

static void batch_release(struct batch *batch)
{
    free(batch->x);
    free(batch->gradient);
    free(batch->train);
    free(batch->validation);
}

static double *scale_rows(const struct cot_ziln *model, const struct cot_ziln_rows *rows)
{
    double *scaled = cot_alloc_array(rows->n, rows->d, sizeof *scaled);
    for (size_t i = 0; scaled != NULL && i < rows->n; i++)
        scale_row(model, rows->x + i * rows->d, scaled + i * rows->d);
    return scaled;
}

static double mean_loss(struct cot_ziln *model, const struct cot_ziln_rows *rows, struct batch *batch)
{
    double loss = 0;
    for (size_t begin = 0; begin < rows->n; begin += batch->size) {
        size_t n = rows->n - begin < batch->size ? rows->n - begin : batch->size;
        double ignored[N_OUTPUTS];
        const double *outputs = cot_dense_forward(&model->net, batch->validation + begin * rows->d, n);
        for (size_t i = 0; i < n; i++)
            loss += cot_ziln_loss((double)rows->y[begin + i], (double)rows->start_odds[begin + i],
                                  (double)rows->start_mean[begin + i], outputs + i * N_OUTPUTS, ignored);
    }
    return loss / (double)rows->n;
}

static void train_epoch(struct cot_ziln *model, const struct cot_ziln_rows *rows, const struct cot_ziln_options *o,
                        const uint32_t *order, struct batch *batch)
{
    for (size_t begin = 0; begin < rows->n; begin += batch->size) {
        size_t n = rows->n - begin < batch->size ? rows->n - begin : batch->size;
        for (size_t i = 0; i < n; i++)
            memcpy(batch->x + i * rows->d, batch->train + order[begin + i] * rows->d, rows->d * sizeof *batch->x);
        const double *outputs = cot_dense_forward(&model->net, batch->x, n);
        for (size_t i = 0; i < n; i++) {
            size_t row = order[begin + i];
            double *gradient = batch->gradient + i * N_OUTPUTS;
            (void)cot_ziln_loss((double)rows->y[row], (double)rows->start_odds[row], (double)rows->start_mean[row],
                                outputs + i * N_OUTPUTS, gradient);
            for (size_t k = 0; k < N_OUTPUTS; k++)
                gradient[k] /= (double)n;
        }
        cot_dense_backward(&model->net, batch->gradient, n);
        cot_dense_step(&model->net, o->rate, o->decay);
    }
}

static void shuffle(uint32_t *order, size_t n, uint64_t seed, unsigned epoch)
{
    struct cot_rng rng;
    cot_rng_split(&rng, seed + SHUFFLE_STREAM, epoch);
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)(cot_rng_uniform(&rng) * (double)i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

static cot_code train(struct cot_ziln *model, const struct cot_ziln_rows *rows, const struct cot_ziln_rows *validation,
                      const struct cot_ziln_options *o, struct cot_err *err)
{
    struct batch batch = {.size = o->batch};
    double *best = cot_alloc_array(model->net.n_parameters, 1, sizeof *best);
    uint32_t *order = cot_alloc_array(rows->n, 1, sizeof *order);
    batch.x = cot_alloc_array(o->batch, rows->d, sizeof *batch.x);
    batch.gradient = cot_alloc_array(o->batch, N_OUTPUTS, sizeof *batch.gradient);
    batch.train = scale_rows(model, rows);
    batch.validation = validation != NULL ? scale_rows(model, validation) : NULL;
    bool ok = best != NULL && order != NULL && batch.x != NULL && batch.gradient != NULL && batch.train != NULL &&
              (validation == NULL || batch.validation != NULL);
    if (ok) {
        double least = validation != NULL ? mean_loss(model, validation, &batch) : 0; /* of saying the start */
        memcpy(best, model->net.parameters, model->net.n_parameters * sizeof *best);
        for (size_t i = 0; i < rows->n; i++)
            order[i] = (uint32_t)i;
        for (unsigned epoch = 0; epoch < o->max_epochs; epoch++) {
            shuffle(order, rows->n, o->seed, epoch);
            train_epoch(model, rows, o, order, &batch);
            double loss = validation != NULL ? mean_loss(model, validation, &batch) : -1 - (double)epoch;
            if (loss < least) {
                least = loss;
                model->epochs = epoch + 1;
                memcpy(best, model->net.parameters, model->net.n_parameters * sizeof *best);
            } else if (epoch + 1 >= model->epochs + o->patience) {
                break;
            }
        }
        memcpy(model->net.parameters, best, model->net.n_parameters * sizeof *best);
    }
    free(best);
    free(order);
    batch_release(&batch);
    return ok ? COT_OK : cot_fail(err, COT_NOMEM, "%zu rows", rows->n);
}

cot_code cot_ziln_fit(const struct cot_ziln_rows *train_rows, const struct cot_ziln_rows *validation,
                      const struct cot_ziln_options *options, struct cot_ziln **ret_model, struct cot_err *err)
{
    const size_t sizes[N_LAYERS + 1] = {train_rows->d, options->hidden[0], options->hidden[1], N_OUTPUTS};
    cot_code rc = check(train_rows, err);
    if (rc == COT_OK && validation != NULL)
        rc = validation->d == train_rows->d
                 ? check(validation, err)
                 : cot_fail(err, COT_USAGE, "%zu columns to validate, %zu to train", validation->d, train_rows->d);
    if (rc == COT_OK && (!(options->rate > 0) || options->decay < 0))
        rc = cot_fail(err, COT_USAGE, "rate %g, decay %g: above 0, at least 0", options->rate, options->decay);
    if (rc != COT_OK)
        return rc;
    struct cot_ziln *model = calloc(1, sizeof *model);
    if (model == NULL)
        return cot_fail(err, COT_NOMEM, "net");
    model->d = train_rows->d;
    rc = learn_scales(model, train_rows, err);
    if (rc == COT_OK)
        rc = cot_dense_init(&model->net, sizes, N_LAYERS, options->batch, options->seed, err);
    if (rc == COT_OK)
        rc = train(model, train_rows, validation, options, err);
    if (rc != COT_OK) {
        cot_ziln_free(model);
        return rc;
    }
    *ret_model = model;
    return COT_OK;
}

cot_code cot_ziln_predict(struct cot_ziln *model, const struct cot_ziln_rows *rows, double *ret_mean,
                          double *ret_chance, struct cot_err *err)
{
    size_t batch = model->net.max_batch;
    if (rows->d != model->d)
        return cot_fail(err, COT_USAGE, "%zu columns, the net knows %zu", rows->d, model->d);
    double *x = cot_alloc_array(batch, rows->d, sizeof *x);
    if (x == NULL)
        return cot_fail(err, COT_NOMEM, "%zu columns", rows->d);
    for (size_t begin = 0; begin < rows->n; begin += batch) {
        size_t n = rows->n - begin < batch ? rows->n - begin : batch;
        for (size_t i = 0; i < n; i++)
            scale_row(model, rows->x + (begin + i) * rows->d, x + i * rows->d);
        const double *outputs = cot_dense_forward(&model->net, x, n);
        for (size_t i = 0; i < n; i++) {
            struct ziln z = ziln_of((double)rows->start_odds[begin + i], (double)rows->start_mean[begin + i],
                                    outputs + i * N_OUTPUTS);
            if (ret_mean != NULL)
                ret_mean[begin + i] = z.chance * exp(z.mu + z.sigma * z.sigma / 2);
            if (ret_chance != NULL)
                ret_chance[begin + i] = z.chance;
        }
    }
    free(x);
    return COT_OK;
}
