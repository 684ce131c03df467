/* Feature matrices with planted segments, without a shop. */
#ifndef COT_TESTS_UNIT_ENGINE_SYNTHETIC_H
#define COT_TESTS_UNIT_ENGINE_SYNTHETIC_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "domain/feature.h"

enum { SYNTHETIC_NOISE = 10, SYNTHETIC_K = 5 };

/*
 * Customers of five kinds: frequency, order value, discount share, app share and favourite category differ; recency is
 * the kinds' own; ten features are noise, of which five repeat one another; three are of no use (empty, constant, a
 * copy of frequency); one identifies. Every fiftieth customer is a wholesaler with 40 times the spend and units.
 */
struct synthetic {
    struct cot_feature_matrix matrix;
    uint32_t *truth; /* SYNTHETIC_K: a wholesaler */
};

static inline void synthetic_column(struct cot_feature_matrix *m, const char *name, const char *unit,
                                    enum cot_feature_group group, enum cot_transform_kind transform)
{
    m->columns = realloc(m->columns, (m->d + 1) * sizeof *m->columns);
    m->columns[m->d++] = (struct cot_feature_column){.name = strdup(name),
                                                     .title = strdup(name),
                                                     .group = group,
                                                     .unit = unit,
                                                     .description = "made up",
                                                     .transform = transform,
                                                     .purpose = COT_PURPOSE_ANALYTICS};
}

static inline void synthetic_columns(struct cot_feature_matrix *m)
{
    static const char *const words[] = {"home", "beauty", "toys", "sports", "garden"};
    synthetic_column(m, "recency_days", "days", COT_FEATURE_PURCHASE, COT_TRANSFORM_LOG1P);
    synthetic_column(m, "frequency", "orders", COT_FEATURE_PURCHASE, COT_TRANSFORM_LOG1P);
    synthetic_column(m, "monetary_total", "money", COT_FEATURE_PURCHASE, COT_TRANSFORM_SIGNED_LOG1P);
    synthetic_column(m, "monetary_average", "money", COT_FEATURE_PURCHASE, COT_TRANSFORM_LOG1P);
    synthetic_column(m, "basket_units", "units", COT_FEATURE_PURCHASE, COT_TRANSFORM_LOG1P);
    synthetic_column(m, "discount_share", "share", COT_FEATURE_PURCHASE, COT_TRANSFORM_ARCSINE_SQRT);
    synthetic_column(m, "channel_app_share", "share", COT_FEATURE_CHANNEL, COT_TRANSFORM_ARCSINE_SQRT);
    synthetic_column(m, "category_main", "category", COT_FEATURE_PURCHASE, COT_TRANSFORM_CATEGORY);
    m->columns[7].n_categories = 5;
    m->columns[7].category_names = calloc(5, sizeof(char *));
    for (size_t i = 0; i < 5; i++)
        m->columns[7].category_names[i] = strdup(words[i]);
    for (int i = 0; i < SYNTHETIC_NOISE; i++) {
        char name[16];
        snprintf(name, sizeof name, "noise_%d", i);
        synthetic_column(m, name, "index", COT_FEATURE_ENGAGEMENT, COT_TRANSFORM_NONE);
    }
    synthetic_column(m, "empty", "index", COT_FEATURE_DEMOGRAPHIC, COT_TRANSFORM_NONE);
    synthetic_column(m, "constant", "index", COT_FEATURE_DEMOGRAPHIC, COT_TRANSFORM_NONE);
    synthetic_column(m, "orders_365d", "orders", COT_FEATURE_PURCHASE, COT_TRANSFORM_LOG1P);
    synthetic_column(m, "loyalty_card_id", "number", COT_FEATURE_DEMOGRAPHIC, COT_TRANSFORM_NONE);
}

static inline double synthetic_share(struct cot_rng *rng, double mean, double n)
{
    double p = cot_rng_beta(rng, 12 * mean, 12 * (1 - mean)), hits = 0;
    for (int i = 0; i < (int)n; i++)
        hits += cot_rng_uniform(rng) < p;
    return hits / n;
}

static inline void synthetic_row(struct cot_rng *rng, uint32_t kind, size_t i, float *v)
{
    static const double orders[] = {4, 12, 7, 20, 5}, value[] = {40, 20, 160, 60, 320},
                        discount[] = {.15, .7, .05, .3, .6};
    static const double app[] = {.1, .2, .15, .8, .05}, recency[] = {40, 20, 30, 8, 160}, units[] = {2, 4, 1.5, 8, 3};
    double n = 1 + (double)cot_rng_poisson(rng, orders[kind] * exp(0.3 * cot_rng_normal(rng)));
    double average = value[kind] * exp(0.3 * cot_rng_normal(rng));
    double common = cot_rng_normal(rng);
    bool wholesaler = i % 50 == 7;
    v[0] = (float)(recency[kind] * exp(0.5 * cot_rng_normal(rng)));
    v[1] = (float)n;
    v[3] = (float)(average * (wholesaler ? 40 : 1));
    v[2] = v[1] * v[3];
    v[4] = (float)(units[kind] * exp(0.25 * cot_rng_normal(rng)) * (wholesaler ? 40 : 1));
    v[5] = (float)synthetic_share(rng, discount[kind], n);
    v[6] = (float)synthetic_share(rng, app[kind], n);
    v[7] = (float)(cot_rng_uniform(rng) < 0.7 ? kind : cot_rng_below(rng, 5));
    for (int j = 0; j < SYNTHETIC_NOISE; j++)
        v[8 + j] = (float)(j < 5 ? 2 * common + 0.8 * cot_rng_normal(rng) : cot_rng_normal(rng));
    v[18] = i % 40 == 0 ? 1 : NAN;
    v[19] = 3;
    v[20] = v[1];
    v[21] = (float)(i * 7 + 1000);
}

static inline struct synthetic synthetic_make(size_t n, uint64_t seed)
{
    static const double weights[SYNTHETIC_K] = {.4, .25, .15, .12, .08};
    struct synthetic s = {.matrix = {.as_of_ms = 1700000000000, .n = n}};
    struct cot_rng rng;
    cot_rng_init(&rng, seed);
    synthetic_columns(&s.matrix);
    s.matrix.values = calloc(n * s.matrix.d, sizeof(float));
    s.matrix.customers = calloc(n, sizeof(uint32_t));
    s.matrix.analytics = calloc(n, sizeof(bool));
    s.truth = calloc(n, sizeof *s.truth);
    for (size_t i = 0; i < n; i++) {
        uint32_t kind = (uint32_t)cot_rng_choice(&rng, weights, SYNTHETIC_K);
        synthetic_row(&rng, kind, i, s.matrix.values + i * s.matrix.d);
        s.truth[i] = i % 50 == 7 ? SYNTHETIC_K : kind;
        s.matrix.customers[i] = (uint32_t)(3 * i + 1);
        s.matrix.analytics[i] = i % 100 != 11;
    }
    return s;
}

static inline void synthetic_free(struct synthetic *s)
{
    cot_feature_matrix_free(&s->matrix);
    free(s->truth);
}

#endif
