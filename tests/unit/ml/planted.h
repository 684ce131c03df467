/* Data for tests: points whose clusters are known, and a fixed table that other programs can make too. */
#ifndef COT_TESTS_PLANTED_H
#define COT_TESTS_PLANTED_H

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "coterie/matrix.h"

struct planted {
    size_t n, d, k;
    float *x;
    uint32_t *truth;
};

static inline struct cot_matrix planted_view(const struct planted *p)
{
    return (struct cot_matrix){.data = p->x, .n = p->n, .d = p->d, .stride = p->d};
}

static inline void planted_free(struct planted *p)
{
    free(p->x);
    free(p->truth);
}

/*
 * k spherical Gaussians of standard deviation 1, the largest `imbalance` times the smallest (geometric in between),
 * centres at least `apart` from each other, rows shuffled.
 */
static inline struct planted planted_make(size_t n, size_t d, size_t k, double imbalance, double apart, uint64_t seed)
{
    struct planted p = {.n = n, .d = d, .k = k};
    struct cot_rng rng;
    double centres[32 * 32];
    double weights[32];
    cot_rng_init(&rng, seed);
    for (size_t c = 0; c < k;) {
        int far = 1;
        for (size_t j = 0; j < d; j++)
            centres[c * d + j] = (cot_rng_uniform(&rng) - 0.5) * apart * 3;
        for (size_t b = 0; b < c && far; b++) {
            double d2 = 0;
            for (size_t j = 0; j < d; j++)
                d2 += (centres[c * d + j] - centres[b * d + j]) * (centres[c * d + j] - centres[b * d + j]);
            far = d2 >= apart * apart;
        }
        c += (size_t)far;
    }
    double weight = 1;
    for (size_t c = 0; c < k; c++) {
        weights[c] = weight;
        weight *= k > 1 ? __builtin_pow(imbalance, -1.0 / (double)(k - 1)) : 1;
    }
    p.x = malloc(n * d * sizeof *p.x);
    p.truth = malloc(n * sizeof *p.truth);
    for (size_t i = 0; i < n; i++) {
        p.truth[i] = i < k ? (uint32_t)i : (uint32_t)cot_rng_choice(&rng, weights, k);
        for (size_t j = 0; j < d; j++)
            p.x[i * d + j] = (float)(centres[p.truth[i] * d + j] + cot_rng_normal(&rng));
    }
    return p;
}

enum { FIXED_N = 60, FIXED_D = 3 };

/*
 * 60 x 3, the same as in NumPy:
 *   np.array([[((i*7919+j*104729+(i*j)%13*31)%1000)/1000 + (i%3)*(0.8 if j==0 else 0.3) for j in range(3)]
 *             for i in range(60)], dtype=np.float32)
 */
static inline void fixed_table(float *ret_x)
{
    for (int i = 0; i < FIXED_N; i++)
        for (int j = 0; j < FIXED_D; j++)
            ret_x[i * FIXED_D + j] = (float)((double)((i * 7919 + j * 104729 + (i * j) % 13 * 31) % 1000) / 1000 +
                                             (i % 3) * (j == 0 ? 0.8 : 0.3));
}

#endif
