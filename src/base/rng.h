/*
 * Random numbers: xoshiro256** seeded by splitmix64 (Blackman and Vigna, doi:10.1145/3460772).
 *
 * The generator is an argument, never global: the same seed gives the same bytes on every machine and at any number of
 * threads (give each unit of work, not each thread, a generator of its own with cot_rng_split).
 */
#ifndef COT_BASE_RNG_H
#define COT_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct cot_rng {
    uint64_t state[4];
};

void cot_rng_init(struct cot_rng *rng, uint64_t seed);

/* A generator for unit of work `index`, independent of the others and of how many there are. */
void cot_rng_split(struct cot_rng *ret_rng, uint64_t seed, uint64_t index);

uint64_t cot_rng_u64(struct cot_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double cot_rng_uniform(struct cot_rng *rng);

/* Uniform in [0, n), unbiased (Lemire, doi:10.1145/3230636). n >= 1. */
uint64_t cot_rng_below(struct cot_rng *rng, uint64_t n);

double cot_rng_normal(struct cot_rng *rng);                           /* mean 0, variance 1 */
double cot_rng_exponential(struct cot_rng *rng, double rate);         /* mean 1 / rate */
double cot_rng_gamma(struct cot_rng *rng, double shape, double rate); /* mean shape / rate */
double cot_rng_beta(struct cot_rng *rng, double a, double b);
uint64_t cot_rng_poisson(struct cot_rng *rng, double mean);

/* Index drawn with probability weights[i] / sum. The weights are >= 0 and not all 0. */
size_t cot_rng_choice(struct cot_rng *rng, const double *weights, size_t n);

/* The same where the caller keeps the sums of the weights up to and with each index: one search. n >= 1. O(log n). */
size_t cot_rng_choice_cumulative(struct cot_rng *rng, const double *cumulative, size_t n);

#endif
