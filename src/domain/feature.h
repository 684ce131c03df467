/*
 * The feature catalogue: one row a feature, one function from a customer's timeline to a value.
 *
 * The same function serves training (replay up to a moment) and serving (live state): they agree to the bit. A feature
 * without data for a customer is NaN, never a made-up 0.
 */
#ifndef COT_DOMAIN_FEATURE_H
#define COT_DOMAIN_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/transform.h" /* enum cot_transform_kind */

enum cot_feature_group {
    COT_FEATURE_PURCHASE,
    COT_FEATURE_ENGAGEMENT,
    COT_FEATURE_DEMOGRAPHIC,
    COT_FEATURE_CHANNEL,
    COT_FEATURE_PREDICTION /* said by models that learn from the other groups, which never learn from this one */
};

enum cot_purpose {
    COT_PURPOSE_SERVICE,
    COT_PURPOSE_ANALYTICS,
    COT_PURPOSE_PERSONALISATION,
    COT_PURPOSE_MARKETING,
    COT_PURPOSE_ADVERTISING,
    COT_N_PURPOSES
};

/* What consent the models of predictions need, and so whoever shows or uses one. */
#define COT_PREDICTION_PURPOSE COT_PURPOSE_ANALYTICS

const char *cot_feature_group_name(enum cot_feature_group group);
const char *cot_purpose_name(enum cot_purpose purpose);

struct cot_customer; /* domain/feature_summary.h */

/* Whose codes a category feature's values are. */
enum cot_feature_labels {
    COT_LABELS_NONE, /* a number */
    COT_LABELS_CATEGORY,
    COT_LABELS_BRAND,
    COT_LABELS_CHANNEL,
    COT_LABELS_WEEKDAY,
    COT_LABELS_DAY_PART,
    COT_LABELS_VALUE_TIER,
    COT_LABELS_TRAIT /* words of trait values */
};

/* One row of the catalogue. */
struct cot_feature {
    const char *name;  /* "monetary_total": also the column in SQL and exports */
    const char *title; /* "Total spend": for people */
    enum cot_feature_group group;
    const char *unit;        /* "days", "orders", "money", "share", "count", "category", ... */
    const char *description; /* one sentence: what it is, over what */
    enum cot_transform_kind transform;
    enum cot_purpose purpose; /* consent that its use needs */
    enum cot_feature_labels labels;
    unsigned trait_role; /* demographic features: the enum cot_trait_role that they come from, else 0 */
    float (*value)(const struct cot_customer *customer);
};

/* The catalogue's own features; those of imported traits come with the shop. */
extern const struct cot_feature cot_features[];
extern const size_t cot_n_features;

/* Index in cot_features, or SIZE_MAX. */
size_t cot_feature_find(const char *name);

/* A column of a feature matrix: a catalogue feature or an imported trait. */
struct cot_feature_column {
    char *name;
    char *title;
    enum cot_feature_group group;
    const char *unit;
    const char *description;
    enum cot_transform_kind transform;
    enum cot_purpose purpose;
    bool timeless;         /* from undated traits: backtests also run without it */
    size_t n_categories;   /* COT_TRANSFORM_CATEGORY only */
    char **category_names; /* [n_categories] */
};

/* All features of all customers at one moment. Owns everything it points to. */
struct cot_feature_matrix {
    int64_t as_of_ms;
    size_t n;                           /* customers */
    size_t d;                           /* columns */
    struct cot_feature_column *columns; /* [d] */
    float *values;                      /* n x d, row-major; NaN: no value */
    uint32_t *customers;                /* [n] the customer's smallest node_id, ascending */
    bool *analytics;                    /* [n] consent to analytics: without it no training row, no learned segment */
};

void cot_feature_matrix_free(struct cot_feature_matrix *matrix);

/* Index of the column of that name, or SIZE_MAX. */
size_t cot_feature_matrix_find(const struct cot_feature_matrix *matrix, const char *name);

#endif
