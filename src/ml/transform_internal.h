/* What a transform holds: shared by its fitting, its use and its encoding. */
#ifndef COT_ML_TRANSFORM_INTERNAL_H
#define COT_ML_TRANSFORM_INTERNAL_H

#include "coterie/transform.h"

struct cot_transform_fitted {
    char *name;
    enum cot_transform_kind kind;
    bool constant;
    size_t i_out, n_out; /* its output columns */
    /* numbers */
    double median;    /* raw */
    double low, high; /* raw: winsorised to these */
    double mean, sd;  /* of the transformed values (robust: median and interquartile range); sd > 0 */
    size_t n_quantiles;
    double *quantiles; /* ascending; of the quantile kinds only */
    /* categories: one output column each, then one for the rare ones together */
    size_t n_codes;
    int32_t *codes;    /* ascending */
    double *shares;    /* 0..1 */
    double rare_share; /* > 0: there is a column for them */
    size_t n_rare;
    int32_t *rare_codes; /* ascending */
};

struct cot_transform {
    size_t d_in, d_out;
    struct cot_transform_fitted *columns;
};

/* A transform of d_in empty columns, or NULL. */
struct cot_transform *cot_transform_new(size_t d_in);

/* Numbers the output columns. */
void cot_transform_number(struct cot_transform *transform);

static inline bool cot_transform_is_quantile(enum cot_transform_kind kind)
{
    return kind == COT_TRANSFORM_QUANTILE_UNIFORM || kind == COT_TRANSFORM_QUANTILE_NORMAL;
}

/* A raw number imputed, winsorised and put through the column's function, before it is standardised. */
double cot_transform_value(const struct cot_transform_fitted *column, float raw);

/* What a number becomes in the end; rises with raw, though not strictly. */
float cot_transform_score(const struct cot_transform_fitted *column, float raw);

#endif
