#include "base/rng.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void cot_rng_init(struct cot_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

void cot_rng_split(struct cot_rng *ret_rng, uint64_t seed, uint64_t index)
{
    uint64_t state = seed;
    uint64_t mixed = splitmix64(&state) ^ (index * 0xD1342543DE82EF95u + 0x632BE59BD9B4E019u);
    cot_rng_init(ret_rng, splitmix64(&mixed));
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t cot_rng_u64(struct cot_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double cot_rng_uniform(struct cot_rng *rng)
{
    return (double)(cot_rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t cot_rng_below(struct cot_rng *rng, uint64_t n)
{
    unsigned __int128 product = (unsigned __int128)cot_rng_u64(rng) * n;
    uint64_t low = (uint64_t)product;
    if (low < n) {
        uint64_t threshold = -n % n;
        while (low < threshold) {
            product = (unsigned __int128)cot_rng_u64(rng) * n;
            low = (uint64_t)product;
        }
    }
    return (uint64_t)(product >> 64);
}

double cot_rng_normal(struct cot_rng *rng)
{
    /* Marsaglia's polar method; the second value is thrown away so that the state is the four words alone. */
    for (;;) {
        double u = 2 * cot_rng_uniform(rng) - 1;
        double v = 2 * cot_rng_uniform(rng) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1)
            return u * sqrt(-2 * log(s) / s);
    }
}

double cot_rng_exponential(struct cot_rng *rng, double rate)
{
    return -log1p(-cot_rng_uniform(rng)) / rate;
}

double cot_rng_gamma(struct cot_rng *rng, double shape, double rate)
{
    /* Marsaglia and Tsang, doi:10.1145/358407.358414. */
    if (shape < 1) {
        double boost = pow(1 - cot_rng_uniform(rng), 1 / shape);
        return boost * cot_rng_gamma(rng, shape + 1, rate);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x = cot_rng_normal(rng);
        double v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = 1 - cot_rng_uniform(rng);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v / rate;
    }
}

double cot_rng_beta(struct cot_rng *rng, double a, double b)
{
    double x = cot_rng_gamma(rng, a, 1);
    double y = cot_rng_gamma(rng, b, 1);
    return x + y > 0 ? x / (x + y) : a / (a + b);
}

uint64_t cot_rng_poisson(struct cot_rng *rng, double mean)
{
    uint64_t total = 0;
    /* Halved by a gamma step while large (Ahrens and Dieter), then counted by multiplication. */
    while (mean > 30) {
        uint64_t m = (uint64_t)(mean * 0.875);
        double x = cot_rng_gamma(rng, (double)m, 1);
        if (x > mean) {
            for (uint64_t i = 0; i + 1 < m; i++)
                total += cot_rng_uniform(rng) < mean / x;
            return total;
        }
        total += m;
        mean -= x;
    }
    double limit = exp(-mean);
    double product = cot_rng_uniform(rng);
    while (product > limit) {
        product *= cot_rng_uniform(rng);
        total++;
    }
    return total;
}

size_t cot_rng_choice(struct cot_rng *rng, const double *weights, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    double left = cot_rng_uniform(rng) * sum;
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if (weights[i] <= 0)
            continue;
        last = i;
        left -= weights[i];
        if (left < 0)
            return i;
    }
    return last;
}

size_t cot_rng_choice_cumulative(struct cot_rng *rng, const double *cumulative, size_t n)
{
    size_t low = 0;
    size_t high = n - 1;
    double at = cot_rng_uniform(rng) * cumulative[high];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
