/*
 * From raw features to what clustering sees: impute, winsorise, transform, standardise; categories by FAMD scaling.
 *
 * A numeric column, in this order: missing values (NaN) take the column's median; values beyond the low and high
 * quantile are moved to it; the column's own function; minus mean, over standard deviation of the fitted rows.
 * Robust and quantile columns are scikit-learn's RobustScaler and QuantileTransformer instead of standardised:
 *   robust    (x - median) / (75% quantile - 25% quantile), the divisor 1 where that is 0; winsorised before
 *   quantile  x's place between the n_quantiles fitted quantiles, 0..1 (uniform), or that as a normal score, which is
 *             cut at shares 1e-7 from 0 and 1 (normal); equal quantiles share the middle of their places
 * A category column holds codes 0, 1, 2, ... and becomes one indicator column a category, (indicator - p) / sqrt(p)
 * with p its share (factor analysis of mixed data: Escofier 1979; Pages 2004). Categories rarer than category_min_share
 * share one indicator. Missing and never-seen codes are 0 everywhere: the average.
 * A column without variance (once winsorised) becomes 0 throughout (an output all the same, so that shapes do not
 * depend on data).
 *
 * Example: examples/transform.c.
 * A transform is immutable once fitted or decoded, shared by threads, freed with cot_transform_free.
 */
#ifndef COTERIE_TRANSFORM_H
#define COTERIE_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

enum cot_transform_kind {
    COT_TRANSFORM_NONE,
    COT_TRANSFORM_LOG1P,        /* log(1 + x), x < 0 counts as 0 */
    COT_TRANSFORM_SIGNED_LOG1P, /* sign(x) log(1 + |x|) */
    COT_TRANSFORM_ARCSINE_SQRT, /* asin(sqrt(x)) for shares, x cut to 0..1 */
    COT_TRANSFORM_CATEGORY,
    COT_TRANSFORM_ROBUST,           /* by median and interquartile range */
    COT_TRANSFORM_QUANTILE_UNIFORM, /* 0..1 */
    COT_TRANSFORM_QUANTILE_NORMAL,  /* -5.2..5.2 */
    COT_TRANSFORM_N_KINDS
};

/* "log1p", "quantile, normal", ... */
const char *cot_transform_kind_name(enum cot_transform_kind kind);

struct cot_transform_column {
    const char *name; /* UTF-8, at most COT_TRANSFORM_MAX_NAME bytes */
    enum cot_transform_kind kind;
};

enum {
    COT_TRANSFORM_MAX_COLUMNS = 65536,
    COT_TRANSFORM_MAX_NAME = 255,
    COT_TRANSFORM_MAX_CATEGORIES = 4096, /* codes a column */
    COT_TRANSFORM_MAX_QUANTILES = 65536
};

struct cot_transform_options {
    double winsor_low, winsor_high; /* quantiles, 0 <= low < high <= 1 */
    double category_min_share;      /* 0..1 */
    size_t n_quantiles;             /* of quantile columns, 2..COT_TRANSFORM_MAX_QUANTILES; cut to the rows */
    unsigned n_threads;             /* 0: all cores */
};

/* Quantiles .005 and .995, category_min_share .01, 1000 quantiles, all cores. */
void cot_transform_options_init(struct cot_transform_options *ret_options);

struct cot_transform;

/*
 * x: n x d float32, NaN is missing, infinity refused; columns: d. Quantiles are exact, by linear interpolation (R's
 * type 7, NumPy's default), over the values that are there. Errors: COT_BAD_DATA (infinity, a code that is not a whole
 * number 0..4095), COT_USAGE (n = 0, bad quantiles, n_quantiles or names), COT_NOMEM. O(d * n log n) time, O(n) memory
 * a thread.
 */
cot_code cot_transform_fit(const struct cot_matrix *x, const struct cot_transform_column *columns,
                           const struct cot_transform_options *options, struct cot_transform **ret_transform,
                           struct cot_err *err) COT_MUST_CHECK;
void cot_transform_free(struct cot_transform *transform);

size_t cot_transform_d_in(const struct cot_transform *transform);
size_t cot_transform_d_out(const struct cot_transform *transform);

/* What one input or output column is, for explanations. Names belong to the transform. */
const char *cot_transform_name(const struct cot_transform *transform, size_t i_in);
enum cot_transform_kind cot_transform_kind_of(const struct cot_transform *transform, size_t i_in);
bool cot_transform_is_constant(const struct cot_transform *transform, size_t i_in); /* no variance: 0 throughout */
double cot_transform_median(const struct cot_transform *transform, size_t i_in);    /* of the raw column */

/* The input column that output column i_out is from; ret_code (may be NULL): its category, -1 for "rare" and numbers.
 */
size_t cot_transform_source(const struct cot_transform *transform, size_t i_out, int32_t *ret_code);

/* ret_z: n x d_out float32, row-major. COT_BAD_DATA for infinity, COT_USAGE where x->d is not d_in. O(n * d_out). */
cot_code cot_transform_apply(const struct cot_transform *transform, const struct cot_matrix *x, unsigned n_threads,
                             float *ret_z, struct cot_err *err) COT_MUST_CHECK;

/* The raw value that a standardised one stands for (inverse of a numeric column); NaN for categories. */
double cot_transform_inverse(const struct cot_transform *transform, size_t i_out, double z);

/*
 * The raw rows that standardised ones stand for. z: n x d_out, finite (COT_BAD_DATA else); ret_x: n x d_in row-major.
 * Numbers as cot_transform_inverse: what was winsorised or missing comes back as the bound or the median. A category is
 * the one whose indicator is largest, the lowest rare code for the indicator of the rare ones, and NaN where all are
 * exactly 0, as for a missing one. Applying the transform again gives z where z came from it. COT_USAGE where z->d is
 * not d_out. O(n d_out).
 */
cot_code cot_transform_inverse_rows(const struct cot_transform *transform, const struct cot_matrix *z,
                                    unsigned n_threads, float *ret_x, struct cot_err *err) COT_MUST_CHECK;

/*
 * Bytes: magic "COTX", version, size, content (little-endian), XXH3-64 of all before. The decoder checks everything,
 * reads versions 1 and 2, and refuses damage, other versions and impossible values with COT_BAD_DATA. ret_bytes is
 * freed with free().
 */
cot_code cot_transform_encode(const struct cot_transform *transform, unsigned char **ret_bytes, size_t *ret_size,
                              struct cot_err *err) COT_MUST_CHECK;
cot_code cot_transform_decode(const unsigned char *bytes, size_t size, struct cot_transform **ret_transform,
                              struct cot_err *err) COT_MUST_CHECK;

#endif
