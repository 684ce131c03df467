/*
 * Fully connected layers with ReLU between them, in double precision, trained by Adam on gradients of the caller's
 * loss.
 *
 * D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv:1412.6980; first weights by K. He et
 * al., "Delving deep into rectifiers", ICCV 2015, those of the last layer 0: a new net says nothing yet. One thread;
 * the same seed gives the same bytes.
 */
#ifndef COT_ML_DENSE_H
#define COT_ML_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

enum { COT_DENSE_MAX_LAYERS = 8 };

struct cot_dense {
    size_t n_layers;                         /* of weights */
    size_t sizes[COT_DENSE_MAX_LAYERS + 1];  /* inputs, hidden ..., outputs */
    size_t starts[COT_DENSE_MAX_LAYERS + 1]; /* of each layer in parameters: weights [inputs x outputs], then biases */
    size_t n_parameters;
    double *parameters, *gradient;
    double *first_moment, *second_moment;
    uint64_t n_steps;
    size_t max_batch;
    double *activations[COT_DENSE_MAX_LAYERS + 1]; /* [max_batch x sizes[l]] after ReLU; [0]: the input */
    double *deltas[2];                             /* [max_batch x the widest] */
};

/* sizes: [n_layers + 1], none 0. COT_USAGE for more layers than there may be, COT_NOMEM. */
cot_code cot_dense_init(struct cot_dense *ret_net, const size_t *sizes, size_t n_layers, size_t max_batch,
                        uint64_t seed, struct cot_err *err) COT_MUST_CHECK;
void cot_dense_release(struct cot_dense *net);

/* x: [n x sizes[0]], n <= max_batch. Returns the outputs, [n x sizes[n_layers]], valid until the next call. */
const double *cot_dense_forward(struct cot_dense *net, const double *x, size_t n);

/* After _forward: sets net->gradient from the loss' derivatives by the outputs. */
void cot_dense_backward(struct cot_dense *net, const double *output_gradient, size_t n);

/* One step of Adam against net->gradient, weights shrunk by rate x decay besides. */
void cot_dense_step(struct cot_dense *net, double rate, double decay);

#endif
