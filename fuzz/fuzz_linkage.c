/*
 * Linkages against their definition: a few points of any finite bits, or on a small grid so that many distances tie.
 * Each join must be of two clusters that are there, at their distance by definition, and no two others may be nearer.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coterie/linkage.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

enum { MAX_N = 24, MAX_D = 5, MAX_NODES = 2 * MAX_N - 1 };

struct source {
    const unsigned char *bytes;
    size_t size;
};

static unsigned char next_byte(struct source *source)
{
    if (source->size == 0)
        return 0;
    source->size--;
    return *source->bytes++;
}

static float next_float(struct source *source)
{
    uint32_t bits = 0;
    float value = 0;
    for (int i = 0; i < 4; i++)
        bits = bits << 8 | next_byte(source);
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 0;
}

struct scene {
    size_t n, d;
    enum cot_linkage_method method;
    float x[MAX_N * MAX_D];
    float weights[MAX_N];
    double largest; /* of the distances */
};

static double point_distance(const struct scene *s, size_t a, size_t b)
{
    double sum = 0;
    for (size_t j = 0; j < s->d; j++) {
        double difference = (double)s->x[a * s->d + j] - (double)s->x[b * s->d + j];
        sum += difference * difference;
    }
    return sqrt(sum);
}

/* Clusters as sets of leaves, a bit each. */
static double ward_distance(const struct scene *s, uint32_t a, uint32_t b)
{
    double mass[2] = {0};
    double mean[2][MAX_D] = {{0}};
    double d2 = 0;
    for (size_t i = 0; i < s->n; i++) {
        int side = (b >> i & 1) != 0;
        if (((a | b) >> i & 1) == 0)
            continue;
        mass[side] += (double)s->weights[i];
        for (size_t j = 0; j < s->d; j++)
            mean[side][j] += (double)s->weights[i] * (double)s->x[i * s->d + j];
    }
    for (size_t j = 0; j < s->d; j++) {
        double difference = mean[0][j] / mass[0] - mean[1][j] / mass[1];
        d2 += difference * difference;
    }
    return sqrt(2 * mass[0] * mass[1] / (mass[0] + mass[1]) * d2);
}

static double pair_distance(const struct scene *s, uint32_t a, uint32_t b)
{
    double least = INFINITY;
    double most = 0;
    double sum = 0;
    double mass = 0;
    if (s->method == COT_LINKAGE_WARD)
        return ward_distance(s, a, b);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->n; j++) {
            if ((a >> i & 1) == 0 || (b >> j & 1) == 0)
                continue;
            double distance = point_distance(s, i, j);
            double weight = (double)s->weights[i] * (double)s->weights[j];
            least = distance < least ? distance : least;
            most = distance > most ? distance : most;
            sum += weight * distance;
            mass += weight;
        }
    return s->method == COT_LINKAGE_SINGLE ? least : s->method == COT_LINKAGE_COMPLETE ? most : sum / mass;
}

static void check_joins(const struct scene *s, const struct cot_linkage *linkage)
{
    uint32_t clusters[MAX_NODES] = {0}; /* 0: joined, or not made yet */
    double before = 0;
    for (size_t i = 0; i < s->n; i++)
        clusters[i] = 1U << i;
    for (size_t row = 0; row + 1 < s->n; row++) {
        const double *z = linkage->z + 4 * row;
        size_t a = (size_t)z[0];
        size_t b = (size_t)z[1];
        if (!(a < b && b < s->n + row) || clusters[a] == 0 || clusters[b] == 0 || !(z[2] >= before))
            abort();
        double slack = 1e-9 * (z[2] + s->largest) + 1e-40;
        if (!(fabs(pair_distance(s, clusters[a], clusters[b]) - z[2]) <= slack))
            abort();
        for (size_t p = 0; p < s->n + row; p++)
            for (size_t q = p + 1; q < s->n + row; q++)
                if (clusters[p] != 0 && clusters[q] != 0 &&
                    pair_distance(s, clusters[p], clusters[q]) < z[2] - 2 * slack)
                    abort();
        clusters[s->n + row] = clusters[a] | clusters[b];
        clusters[a] = clusters[b] = 0;
        if ((int)z[3] != __builtin_popcount(clusters[s->n + row]))
            abort();
        before = z[2];
    }
}

static struct cot_linkage *fit(const struct scene *s, unsigned n_threads, enum cot_isa isa)
{
    struct cot_matrix x = {.data = s->x, .n = s->n, .d = s->d, .stride = s->d};
    struct cot_linkage_options options = {
        .method = s->method, .weights = s->weights, .n_threads = n_threads, .isa = isa};
    struct cot_linkage *linkage = NULL;
    if (cot_linkage_fit(&x, &options, &linkage, NULL) != COT_OK)
        abort();
    return linkage;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct source source = {.bytes = bytes, .size = size};
    struct scene s = {.n = next_byte(&source) % MAX_N + 1U, .d = next_byte(&source) % MAX_D + 1U};
    unsigned char kind = next_byte(&source);
    s.method = (enum cot_linkage_method)(kind & 3);
    for (size_t i = 0; i < s.n; i++)
        s.weights[i] = s.method == COT_LINKAGE_WARD || s.method == COT_LINKAGE_AVERAGE
                           ? (float)(1 + ((kind & 4) != 0 ? next_byte(&source) % 9 : 0))
                           : 1;
    for (size_t i = 0; i < s.n * s.d; i++)
        s.x[i] = (kind & 8) != 0 ? (float)(next_byte(&source) % 4) : next_float(&source);
    for (size_t i = 0; i < s.n; i++)
        for (size_t j = 0; j < i; j++)
            s.largest = fmax(s.largest, point_distance(&s, i, j));
    struct cot_linkage *linkage = fit(&s, 1, COT_ISA_SCALAR);
    struct cot_linkage *other = fit(&s, 2, COT_ISA_BEST);
    check_joins(&s, linkage);
    if (s.n > 1 && memcmp(linkage->z, other->z, (s.n - 1) * 4 * sizeof *linkage->z) != 0)
        abort();
    cot_linkage_free(linkage);
    cot_linkage_free(other);
    return 0;
}
