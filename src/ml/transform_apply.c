/* Using a transform, forth and back: see coterie/transform.h. */
#include <float.h>
#include <math.h>

#include "base/threads.h"
#include "ml/transform_quantile.h"
#include "num/check.h"

/* ---- forth ---- */

double cot_transform_value(const struct cot_transform_fitted *column, float raw)
{
    double x = isnan(raw) ? column->median : (double)raw;
    x = x < column->low ? column->low : x > column->high ? column->high : x;
    switch (column->kind) {
    case COT_TRANSFORM_LOG1P: return x > 0 ? log1p(x) : 0;
    case COT_TRANSFORM_SIGNED_LOG1P: return copysign(log1p(fabs(x)), x);
    case COT_TRANSFORM_ARCSINE_SQRT: return x <= 0 ? 0 : x >= 1 ? M_PI_2 : asin(sqrt(x));
    case COT_TRANSFORM_QUANTILE_UNIFORM:
    case COT_TRANSFORM_QUANTILE_NORMAL: return cot_transform_quantiles_forward(column, x);
    case COT_TRANSFORM_NONE:
    case COT_TRANSFORM_ROBUST:
    case COT_TRANSFORM_CATEGORY:
    case COT_TRANSFORM_N_KINDS: break;
    }
    return x;
}

float cot_transform_score(const struct cot_transform_fitted *column, float raw)
{
    return column->constant ? 0 : (float)((cot_transform_value(column, raw) - column->mean) / column->sd);
}

static bool has_code(const int32_t *codes, size_t n, int32_t code, size_t *ret_at)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (codes[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_at = low;
    return low < n && codes[low] == code;
}

static void apply_category(const struct cot_transform_fitted *column, float raw, float *ret_z)
{
    size_t at = 0;
    int32_t code = isnan(raw) || raw < 0 || raw >= COT_TRANSFORM_MAX_CATEGORIES ? -1 : (int32_t)raw;
    for (size_t c = 0; c < column->n_out; c++)
        ret_z[c] = 0;
    if (column->constant || code < 0)
        return;
    bool frequent = has_code(column->codes, column->n_codes, code, &at);
    if (!frequent) {
        size_t rare_at = 0;
        at = column->n_codes;
        if (!has_code(column->rare_codes, column->n_rare, code, &rare_at))
            return;
    }
    for (size_t c = 0; c < column->n_out; c++) {
        double share = c < column->n_codes ? column->shares[c] : column->rare_share;
        ret_z[c] = (float)(((c == at) - share) / sqrt(share));
    }
}

struct applying {
    const struct cot_transform *transform;
    const struct cot_matrix *x;
    float *z;
};

static void apply_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct applying *a = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *row = cot_matrix_row(a->x, i);
        float *z = a->z + i * a->transform->d_out;
        for (size_t j = 0; j < a->transform->d_in; j++) {
            const struct cot_transform_fitted *column = &a->transform->columns[j];
            if (column->kind == COT_TRANSFORM_CATEGORY)
                apply_category(column, row[j], z + column->i_out);
            else
                z[column->i_out] = cot_transform_score(column, row[j]);
        }
    }
}

cot_code cot_transform_apply(const struct cot_transform *transform, const struct cot_matrix *x, unsigned n_threads,
                             float *ret_z, struct cot_err *err)
{
    struct applying a = {.transform = transform, .x = x, .z = ret_z};
    if (x->d != transform->d_in)
        return cot_fail(err, COT_USAGE, "%zu columns, but the transform is of %zu", x->d, transform->d_in);
    cot_code rc = cot_check_finite(x, true, err);
    if (rc != COT_OK)
        return rc;
    cot_parallel_for(n_threads, x->n, 1024, apply_block, &a);
    return COT_OK;
}

size_t cot_transform_d_in(const struct cot_transform *transform)
{
    return transform->d_in;
}

size_t cot_transform_d_out(const struct cot_transform *transform)
{
    return transform->d_out;
}

const char *cot_transform_name(const struct cot_transform *transform, size_t i_in)
{
    return transform->columns[i_in].name;
}

enum cot_transform_kind cot_transform_kind_of(const struct cot_transform *transform, size_t i_in)
{
    return transform->columns[i_in].kind;
}

bool cot_transform_is_constant(const struct cot_transform *transform, size_t i_in)
{
    return transform->columns[i_in].constant;
}

double cot_transform_median(const struct cot_transform *transform, size_t i_in)
{
    return transform->columns[i_in].kind == COT_TRANSFORM_CATEGORY ? NAN : transform->columns[i_in].median;
}

size_t cot_transform_source(const struct cot_transform *transform, size_t i_out, int32_t *ret_code)
{
    size_t j = 0;
    while (j + 1 < transform->d_in && transform->columns[j + 1].i_out <= i_out)
        j++;
    const struct cot_transform_fitted *column = &transform->columns[j];
    size_t c = i_out - column->i_out;
    if (ret_code != NULL)
        *ret_code = c < column->n_codes ? column->codes[c] : -1;
    return j;
}

/* ---- back ---- */

static double inverse_number(const struct cot_transform_fitted *column, double z)
{
    double t = z * column->sd + column->mean;
    switch (column->kind) {
    case COT_TRANSFORM_NONE:
    case COT_TRANSFORM_ROBUST: return t;
    case COT_TRANSFORM_LOG1P: return fmax(0, expm1(t));
    case COT_TRANSFORM_SIGNED_LOG1P: return copysign(expm1(fabs(t)), t);
    case COT_TRANSFORM_ARCSINE_SQRT: {
        double s = sin(fmin(M_PI_2, fmax(0, t)));
        return s * s;
    }
    case COT_TRANSFORM_QUANTILE_UNIFORM:
    case COT_TRANSFORM_QUANTILE_NORMAL:
        return column->constant ? column->median : cot_transform_quantiles_inverse(column, z);
    case COT_TRANSFORM_CATEGORY:
    case COT_TRANSFORM_N_KINDS: break;
    }
    return NAN;
}

double cot_transform_inverse(const struct cot_transform *transform, size_t i_out, double z)
{
    return inverse_number(&transform->columns[cot_transform_source(transform, i_out, NULL)], z);
}

/* The category whose indicator (z sqrt(p) + p) is largest. */
static double inverse_category(const struct cot_transform_fitted *column, const float *z)
{
    size_t best = 0;
    double most = -INFINITY;
    bool missing = !column->constant;
    for (size_t c = 0; c < column->n_out && !column->constant; c++) {
        double share = c < column->n_codes ? column->shares[c] : column->rare_share;
        double indicator = (double)z[c] * sqrt(share) + share;
        missing = missing && z[c] == 0;
        if (indicator > most) {
            most = indicator;
            best = c;
        }
    }
    if (missing || column->n_codes + column->n_rare == 0)
        return NAN;
    return best < column->n_codes ? column->codes[best] : column->rare_codes[0];
}

static void inverse_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct applying *a = context;
    (void)i_block;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        const float *z = cot_matrix_row(a->x, i);
        float *row = a->z + i * a->transform->d_in;
        for (size_t j = 0; j < a->transform->d_in; j++) {
            const struct cot_transform_fitted *column = &a->transform->columns[j];
            double value = column->kind == COT_TRANSFORM_CATEGORY ? inverse_category(column, z + column->i_out)
                                                                  : inverse_number(column, (double)z[column->i_out]);
            row[j] = (float)fmin(fmax(value, -FLT_MAX), FLT_MAX);
            if (isnan(value))
                row[j] = NAN;
        }
    }
}

cot_code cot_transform_inverse_rows(const struct cot_transform *transform, const struct cot_matrix *z,
                                    unsigned n_threads, float *ret_x, struct cot_err *err)
{
    struct applying a = {.transform = transform, .x = z, .z = ret_x};
    if (z->d != transform->d_out)
        return cot_fail(err, COT_USAGE, "%zu columns, but the transform makes %zu", z->d, transform->d_out);
    cot_code rc = cot_check_finite(z, false, err);
    if (rc == COT_OK)
        cot_parallel_for(n_threads, z->n, 1024, inverse_block, &a);
    return rc;
}

const char *cot_transform_kind_name(enum cot_transform_kind kind)
{
    static const char *const names[COT_TRANSFORM_N_KINDS] = {
        [COT_TRANSFORM_NONE] = "none",
        [COT_TRANSFORM_LOG1P] = "log1p",
        [COT_TRANSFORM_SIGNED_LOG1P] = "signed log1p",
        [COT_TRANSFORM_ARCSINE_SQRT] = "arcsine square root",
        [COT_TRANSFORM_CATEGORY] = "category",
        [COT_TRANSFORM_ROBUST] = "robust",
        [COT_TRANSFORM_QUANTILE_UNIFORM] = "quantile, uniform",
        [COT_TRANSFORM_QUANTILE_NORMAL] = "quantile, normal",
    };
    return (unsigned)kind < COT_TRANSFORM_N_KINDS ? names[kind] : "unknown";
}
