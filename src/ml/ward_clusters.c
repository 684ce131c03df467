#include "ml/ward_clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"

enum { LANES = 4, SPARE_SHARE = 8, MIN_SPARE = 16 };

typedef double lanes __attribute__((vector_size(32)));

size_t cot_clusters_capacity(size_t n)
{
    return n + n / SPARE_SHARE + MIN_SPARE;
}

static size_t padded(size_t d)
{
    return (d + LANES - 1) / LANES * LANES;
}

size_t cot_clusters_memory(size_t n, size_t d)
{
    size_t place = padded(d) * sizeof(double) + 2 * sizeof(double) + sizeof(uint32_t) + sizeof(struct cot_nearest);
    return cot_clusters_capacity(n) * place + cot_bound_points_memory(cot_clusters_capacity(n), d);
}

static void column_means(const struct cot_matrix *x, double *ret_means)
{
    memset(ret_means, 0, x->d * sizeof *ret_means);
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            ret_means[j] += (double)cot_matrix_row(x, i)[j];
    for (size_t j = 0; j < x->d; j++)
        ret_means[j] /= (double)x->n;
}

/* The power of two that brings the largest |x - centre| below 1. */
static double scale_for(const struct cot_matrix *x, const double *centre)
{
    double largest = 0;
    int exponent = 0;
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            largest = fmax(largest, fabs((double)cot_matrix_row(x, i)[j] - centre[j]));
    if (largest == 0)
        return 1;
    frexp(largest, &exponent);
    return ldexp(1, -exponent);
}

static double mass_scale_for(const float *weights, size_t n)
{
    double total = weights == NULL ? (double)n : 0;
    int exponent = 0;
    for (size_t i = 0; weights != NULL && i < n; i++)
        total += (double)weights[i];
    frexp(total, &exponent);
    return ldexp(1, -exponent);
}

static void place_row(struct cot_clusters *c, size_t i, const float *row, double mass)
{
    double *mean = c->means + i * c->d_padded;
    for (size_t j = 0; j < c->d; j++)
        mean[j] = (double)row[j];
    c->masses[i] = mass;
    c->leaves[i] = (uint32_t)i;
    cot_bound_points_set(&c->points, i, mean, mass);
}

cot_code cot_clusters_init(struct cot_clusters *ret_clusters, const struct cot_matrix *x, const float *weights,
                           struct cot_err *err)
{
    struct cot_clusters c = {.d = x->d, .d_padded = padded(x->d), .capacity = cot_clusters_capacity(x->n)};
    double *centre = cot_alloc_array(x->d, 1, sizeof *centre);
    cot_code rc = COT_OK;
    c.means = cot_alloc_aligned(c.capacity, c.d_padded, sizeof *c.means);
    c.masses = cot_alloc_array(c.capacity, 1, sizeof *c.masses);
    c.heights = cot_alloc_array(c.capacity, 1, sizeof *c.heights);
    c.leaves = cot_alloc_array(c.capacity, 1, sizeof *c.leaves);
    c.nearest = cot_alloc_array(c.capacity, 1, sizeof *c.nearest);
    if (centre == NULL || c.means == NULL || c.masses == NULL || c.heights == NULL || c.leaves == NULL ||
        c.nearest == NULL) {
        rc = cot_fail(err, COT_NOMEM, "Ward over %zu x %zu numbers", x->n, x->d);
        goto out;
    }
    column_means(x, centre);
    rc = cot_bound_points_init(&c.points, c.capacity, x->d, centre, scale_for(x, centre), mass_scale_for(weights, x->n),
                               err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < x->n; i++)
        place_row(&c, i, cot_matrix_row(x, i), weights != NULL ? (double)weights[i] : 1.0);
    c.used = c.n_live = x->n;
    *ret_clusters = c;
    c = (struct cot_clusters){0};
out:
    cot_clusters_release(&c);
    free(centre);
    return rc;
}

void cot_clusters_release(struct cot_clusters *clusters)
{
    free(clusters->means);
    free(clusters->masses);
    free(clusters->heights);
    free(clusters->leaves);
    free(clusters->nearest);
    cot_bound_points_release(&clusters->points);
    *clusters = (struct cot_clusters){0};
}

double cot_clusters_cost(const struct cot_clusters *clusters, size_t a, size_t b)
{
    const lanes *x = (const lanes *)(const void *)(clusters->means + a * clusters->d_padded);
    const lanes *y = (const lanes *)(const void *)(clusters->means + b * clusters->d_padded);
    double w = clusters->masses[a];
    double v = clusters->masses[b];
    lanes sum = {0};
    for (size_t j = 0; j < clusters->d_padded / LANES; j++) {
        lanes step = x[j] - y[j];
        sum += step * step;
    }
    return w * v / (w + v) * ((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

struct cot_merge cot_clusters_merge(struct cot_clusters *c, size_t a, size_t b)
{
    const double *x = c->means + a * c->d_padded;
    const double *y = c->means + b * c->d_padded;
    double *mean = c->means + c->used * c->d_padded;
    double w = c->masses[a];
    double v = c->masses[b];
    /* Rounding must not put a union below its parts. */
    double height = sqrt(2 * cot_clusters_cost(c, a, b));
    height = fmax(height, fmax(c->heights[a], c->heights[b]));
    struct cot_merge merge = {.a = c->leaves[a], .b = c->leaves[b], .height = height};
    for (size_t j = 0; j < c->d_padded; j++)
        mean[j] = (w * x[j] + v * y[j]) / (w + v);
    c->masses[c->used] = w + v;
    c->heights[c->used] = height;
    c->leaves[c->used] = merge.a;
    c->nearest[c->used].n = c->nearest[c->used].seen = 0;
    cot_bound_points_set(&c->points, c->used, mean, w + v);
    cot_bound_points_clear(&c->points, a);
    cot_bound_points_clear(&c->points, b);
    c->masses[a] = c->masses[b] = 0;
    c->used++;
    c->n_live--;
    return merge;
}

static void move_place(struct cot_clusters *c, size_t from, size_t to)
{
    if (from == to)
        return;
    memcpy(c->means + to * c->d_padded, c->means + from * c->d_padded, c->d_padded * sizeof *c->means);
    c->masses[to] = c->masses[from];
    c->heights[to] = c->heights[from];
    c->leaves[to] = c->leaves[from];
    c->nearest[to] = c->nearest[from];
    cot_bound_points_move(&c->points, from, to);
}

void cot_clusters_compact(struct cot_clusters *c, uint32_t *map)
{
    size_t n = 0;
    for (size_t i = 0; i < c->used; i++) {
        map[i] = (uint32_t)n;
        n += c->masses[i] > 0;
    }
    map[c->used] = (uint32_t)n;
    for (size_t i = 0; i < c->used; i++) {
        struct cot_nearest *nearest = &c->nearest[i];
        uint32_t kept = 0;
        if (c->masses[i] <= 0)
            continue;
        for (uint32_t l = 0; l < nearest->n; l++)
            if (c->masses[nearest->near[l].place] > 0)
                nearest->near[kept++] = nearest->near[l];
        nearest->n = kept;
        for (uint32_t l = 0; l < kept; l++)
            nearest->near[l].place = map[nearest->near[l].place];
        nearest->seen = map[nearest->seen];
    }
    for (size_t i = 0; i < c->used; i++)
        if (c->masses[i] > 0)
            move_place(c, i, map[i]);
    for (size_t i = n; i < c->used; i++)
        cot_bound_points_clear(&c->points, i);
    c->used = n;
}
