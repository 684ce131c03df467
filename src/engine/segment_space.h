/*
 * From a feature matrix to the standardised columns that segments are learned on: which columns, and how.
 *
 * A space remembers columns and categories by name, so that it can be applied to a later matrix whose columns or codes
 * have moved. Immutable once fitted or decoded.
 */
#ifndef COT_ENGINE_SEGMENT_SPACE_H
#define COT_ENGINE_SEGMENT_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "coterie/err.h"
#include "coterie/transform.h"
#include "domain/feature.h"

/* Why a column is not used; `detail` is for people. */
enum cot_space_reason {
    COT_SPACE_NO_DATA,
    COT_SPACE_NO_VARIANCE,
    COT_SPACE_DUPLICATE,
    COT_SPACE_EXCLUDED,
    COT_SPACE_IDENTIFYING
};
const char *cot_space_reason_name(enum cot_space_reason reason);

struct cot_space_dropped {
    size_t i_column; /* of the matrix it was fitted on */
    enum cot_space_reason reason;
    char detail[96];
};

struct cot_space_column {
    char *name;
    size_t i_matrix; /* column of the matrix it was fitted on */
    double coverage; /* share of rows with a value */
    bool discrete;   /* a few values only: as crisp as a category */
    double prior;    /* mean share of all customers, to which shares of few orders are drawn; NaN: as it is */
    size_t n_categories;
    char **category_names;
};

/*
 * A share of one order is 0 or 1, which says little and would make crisp groups of nothing. So shares of orders are
 * drawn to the mean of all customers as if that had been seen in so many orders more (the posterior mean of a beta
 * prior): x' = (n x + m prior) / (n + m), n the customer's orders.
 */
#define COT_SPACE_PRIOR_ORDERS 2.0

struct cot_space {
    size_t n_columns;
    struct cot_space_column *columns;
    struct cot_transform *transform; /* d_in = n_columns */
    size_t d;                        /* columns of z */
    float *scale;                    /* [d] so that a category of many values is no louder than a number */
    double *shrinkage;               /* [d] for coterie/discriminant.h */
    size_t n_dropped;
    struct cot_space_dropped *dropped;
};

struct cot_space_options {
    const char *const *features; /* these alone; n_features 0: all */
    size_t n_features;
    const char *const *exclude;
    size_t n_exclude;
    bool with_predictions; /* also what was predicted; else of that only what `features` names */
    unsigned n_threads;
};

/* A column is used from this share of customers with a value on... */
#define COT_SPACE_MIN_COVERAGE 0.2
/* ... unless it says the same as one before it, on the transformed scale. */
#define COT_SPACE_DUPLICATE_R 0.97

/*
 * rows: n row indices of the matrix. COT_USAGE for an unknown feature name, COT_BAD_DATA where fewer than two columns
 * are left (it says why).
 */
cot_code cot_space_fit(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                       const struct cot_space_options *options, struct cot_space **ret_space,
                       struct cot_err *err) COT_MUST_CHECK;
void cot_space_free(struct cot_space *space);

/* ret_z: n x d. Columns that the matrix has no more count as missing. O(n d). */
cot_code cot_space_apply(const struct cot_space *space, const struct cot_feature_matrix *matrix, const uint32_t *rows,
                         size_t n, unsigned n_threads, float *ret_z, struct cot_err *err) COT_MUST_CHECK;

/* One row of raw values by the space's own columns and codes; `raw` [n_columns] is for cot_space_apply_raw. */
void cot_space_raw(const struct cot_space *space, const struct cot_feature_matrix *matrix, uint32_t row, float *raw);
cot_code cot_space_apply_raw(const struct cot_space *space, const float *raw, size_t n, unsigned n_threads,
                             float *ret_z, struct cot_err *err) COT_MUST_CHECK;

/* Scale and shrinkage from columns and transform: the last step of fitting and of decoding. */
cot_code cot_space_finish(struct cot_space *space, struct cot_err *err) COT_MUST_CHECK;

/* Bytes for a model file, and back: COT_BAD_DATA for anything damaged. */
cot_code cot_space_encode(const struct cot_space *space, struct cot_buf *buf, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_space_decode(const unsigned char *bytes, size_t size, struct cot_space **ret_space,
                          struct cot_err *err) COT_MUST_CHECK;

#endif
