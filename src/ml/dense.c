#include "ml/dense.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "num/blas.h"
#include "num/check.h"

void cot_dense_release(struct cot_dense *net)
{
    free(net->parameters);
    free(net->gradient);
    free(net->first_moment);
    free(net->second_moment);
    for (size_t l = 0; l <= COT_DENSE_MAX_LAYERS; l++)
        free(net->activations[l]);
    free(net->deltas[0]);
    free(net->deltas[1]);
    *net = (struct cot_dense){0};
}

static double *weights_of(const struct cot_dense *net, double *of, size_t layer)
{
    return of + net->starts[layer];
}

static double *biases_of(const struct cot_dense *net, double *of, size_t layer)
{
    return of + net->starts[layer] + net->sizes[layer] * net->sizes[layer + 1];
}

static bool allocate(struct cot_dense *net)
{
    size_t widest = 0;
    bool ok = true;
    double **const arrays[] = {&net->parameters, &net->gradient, &net->first_moment, &net->second_moment};
    for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
        ok &= (*arrays[a] = cot_alloc_array(net->n_parameters, 1, sizeof **arrays[a])) != NULL;
    for (size_t l = 0; l <= net->n_layers; l++) {
        ok &= (net->activations[l] = cot_alloc_array(net->max_batch, net->sizes[l], sizeof(double))) != NULL;
        widest = net->sizes[l] > widest ? net->sizes[l] : widest;
    }
    for (size_t i = 0; i < 2; i++)
        ok &= (net->deltas[i] = cot_alloc_array(net->max_batch, widest, sizeof(double))) != NULL;
    return ok;
}

cot_code cot_dense_init(struct cot_dense *ret_net, const size_t *sizes, size_t n_layers, size_t max_batch,
                        uint64_t seed, struct cot_err *err)
{
    struct cot_dense net = {.n_layers = n_layers, .max_batch = max_batch};
    cot_blas_one_thread();
    if (n_layers == 0 || n_layers > COT_DENSE_MAX_LAYERS || max_batch == 0)
        return cot_fail(err, COT_USAGE, "%zu layers, batches of %zu: 1 to %d layers", n_layers, max_batch,
                        (int)COT_DENSE_MAX_LAYERS);
    for (size_t l = 0; l <= n_layers; l++) {
        net.sizes[l] = sizes[l];
        if (sizes[l] == 0)
            return cot_fail(err, COT_USAGE, "layer %zu has no units", l);
        net.starts[l] = net.n_parameters;
        net.n_parameters += l < n_layers ? (sizes[l] + 1) * sizes[l + 1] : 0;
    }
    if (!allocate(&net)) {
        cot_dense_release(&net);
        return cot_fail(err, COT_NOMEM, "a net of %zu parameters", net.n_parameters);
    }
    for (size_t l = 0; l + 1 < n_layers; l++) {
        double *w = weights_of(&net, net.parameters, l);
        double scale = sqrt(2 / (double)sizes[l]);
        struct cot_rng rng;
        cot_rng_split(&rng, seed, l);
        for (size_t i = 0; i < sizes[l] * sizes[l + 1]; i++)
            w[i] = scale * cot_rng_normal(&rng);
    }
    *ret_net = net;
    return COT_OK;
}

const double *cot_dense_forward(struct cot_dense *net, const double *x, size_t n)
{
    memcpy(net->activations[0], x, n * net->sizes[0] * sizeof *x);
    for (size_t l = 0; l < net->n_layers; l++) {
        size_t in = net->sizes[l];
        size_t out = net->sizes[l + 1];
        double *to = net->activations[l + 1];
        const double *bias = biases_of(net, net->parameters, l);
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * out, bias, out * sizeof *to);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n, (blasint)out, (blasint)in, 1,
                    net->activations[l], (blasint)in, weights_of(net, net->parameters, l), (blasint)out, 1, to,
                    (blasint)out);
        for (size_t i = 0; l + 1 < net->n_layers && i < n * out; i++)
            to[i] = to[i] > 0 ? to[i] : 0;
    }
    return net->activations[net->n_layers];
}

void cot_dense_backward(struct cot_dense *net, const double *output_gradient, size_t n)
{
    double *delta = net->deltas[0];
    double *below = net->deltas[1];
    memcpy(delta, output_gradient, n * net->sizes[net->n_layers] * sizeof *delta);
    for (size_t l = net->n_layers; l-- > 0;) {
        size_t in = net->sizes[l];
        size_t out = net->sizes[l + 1];
        double *bias = biases_of(net, net->gradient, l);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)in, (blasint)out, (blasint)n, 1,
                    net->activations[l], (blasint)in, delta, (blasint)out, 0, weights_of(net, net->gradient, l),
                    (blasint)out);
        memset(bias, 0, out * sizeof *bias);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < out; j++)
                bias[j] += delta[i * out + j];
        if (l == 0)
            break;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)in, (blasint)out, 1, delta,
                    (blasint)out, weights_of(net, net->parameters, l), (blasint)out, 0, below, (blasint)in);
        for (size_t i = 0; i < n * in; i++)
            below[i] = net->activations[l][i] > 0 ? below[i] : 0;
        double *swap = delta;
        delta = below;
        below = swap;
    }
}

void cot_dense_step(struct cot_dense *net, double rate, double decay)
{
    const double beta_1 = 0.9;
    const double beta_2 = 0.999;
    const double tiny = 1e-8;
    net->n_steps++;
    double unbias_1 = 1 / (1 - pow(beta_1, (double)net->n_steps));
    double unbias_2 = 1 / (1 - pow(beta_2, (double)net->n_steps));
    for (size_t i = 0; i < net->n_parameters; i++) {
        double g = net->gradient[i];
        net->first_moment[i] = beta_1 * net->first_moment[i] + (1 - beta_1) * g;
        net->second_moment[i] = beta_2 * net->second_moment[i] + (1 - beta_2) * g * g;
        net->parameters[i] -=
            rate * (net->first_moment[i] * unbias_1 / (sqrt(net->second_moment[i] * unbias_2) + tiny) +
                    decay * net->parameters[i]);
    }
}
