/* Fitting a transform: see coterie/transform.h. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/transform_internal.h"
#include "num/check.h"
#include "num/order.h"

void cot_transform_options_init(struct cot_transform_options *ret_options)
{
    *ret_options =
        (struct cot_transform_options){.winsor_low = 0.005, .winsor_high = 0.995, .category_min_share = 0.01};
}

struct cot_transform *cot_transform_new(size_t d_in)
{
    struct cot_transform *transform = calloc(1, sizeof *transform);
    if (transform == NULL)
        return NULL;
    transform->d_in = d_in;
    transform->columns = cot_alloc_array(d_in, 1, sizeof *transform->columns);
    if (transform->columns == NULL) {
        free(transform);
        return NULL;
    }
    return transform;
}

void cot_transform_free(struct cot_transform *transform)
{
    if (transform == NULL)
        return;
    for (size_t j = 0; j < transform->d_in; j++) {
        free(transform->columns[j].name);
        free(transform->columns[j].codes);
        free(transform->columns[j].shares);
        free(transform->columns[j].rare_codes);
    }
    free(transform->columns);
    free(transform);
}

void cot_transform_number(struct cot_transform *transform)
{
    transform->d_out = 0;
    for (size_t j = 0; j < transform->d_in; j++) {
        struct cot_transform_fitted *column = &transform->columns[j];
        size_t n_categories = column->n_codes + (column->rare_share > 0);
        column->i_out = transform->d_out;
        column->n_out = column->kind == COT_TRANSFORM_CATEGORY && n_categories > 0 ? n_categories : 1;
        transform->d_out += column->n_out;
    }
}

double cot_transform_function(enum cot_transform_kind kind, double x)
{
    switch (kind) {
    case COT_TRANSFORM_LOG1P: return x > 0 ? log1p(x) : 0;
    case COT_TRANSFORM_SIGNED_LOG1P: return copysign(log1p(fabs(x)), x);
    case COT_TRANSFORM_ARCSINE_SQRT: return x <= 0 ? 0 : x >= 1 ? M_PI_2 : asin(sqrt(x));
    case COT_TRANSFORM_NONE:
    case COT_TRANSFORM_CATEGORY: break;
    }
    return x;
}

static double value_of(const struct cot_transform_fitted *column, float raw)
{
    double x = isnan(raw) ? column->median : (double)raw;
    x = x < column->low ? column->low : x > column->high ? column->high : x;
    return cot_transform_function(column->kind, x);
}

struct fitting {
    const struct cot_matrix *x;
    const struct cot_transform_options *options;
    struct cot_transform *transform;
    _Atomic int no_memory;
};

static int fit_number(struct fitting *f, size_t j)
{
    struct cot_transform_fitted *column = &f->transform->columns[j];
    size_t n = f->x->n;
    size_t n_present = 0;
    double mean = 0;
    double squares = 0;
    float *values = cot_alloc_array(n, 2, sizeof *values);
    if (values == NULL)
        return 0;
    for (size_t i = 0; i < n; i++) {
        float value = cot_matrix_row(f->x, i)[j];
        if (!isnan(value))
            values[n_present++] = value;
    }
    if (n_present > 0) {
        cot_sort_floats(values, n_present, values + n);
        column->median = cot_quantile_sorted(values, n_present, 0.5);
        column->low = cot_quantile_sorted(values, n_present, f->options->winsor_low);
        column->high = cot_quantile_sorted(values, n_present, f->options->winsor_high);
    }
    free(values);
    for (size_t i = 0; i < n; i++)
        mean += value_of(column, cot_matrix_row(f->x, i)[j]);
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double step = value_of(column, cot_matrix_row(f->x, i)[j]) - mean;
        squares += step * step;
    }
    column->mean = mean;
    column->sd = sqrt(squares / (double)n);
    /* Rounding leaves crumbs of variance in a constant column. */
    column->constant = n_present == 0 || column->sd <= 1e-9 * fabs(mean) || !(column->sd > 0);
    if (column->constant)
        column->sd = 1;
    return 1;
}

static int fit_category(struct fitting *f, size_t j)
{
    struct cot_transform_fitted *column = &f->transform->columns[j];
    size_t counts[COT_TRANSFORM_MAX_CATEGORIES] = {0};
    size_t n_present = 0;
    size_t n_kinds = 0;
    size_t n_rare_rows = 0;
    for (size_t i = 0; i < f->x->n; i++) {
        float value = cot_matrix_row(f->x, i)[j];
        if (isnan(value))
            continue;
        n_kinds += counts[(size_t)value]++ == 0;
        n_present++;
    }
    column->sd = 1;
    column->codes = cot_alloc_array(n_kinds, 1, sizeof *column->codes);
    column->shares = cot_alloc_array(n_kinds, 1, sizeof *column->shares);
    column->rare_codes = cot_alloc_array(n_kinds, 1, sizeof *column->rare_codes);
    if (column->codes == NULL || column->shares == NULL || column->rare_codes == NULL)
        return 0;
    for (int32_t code = 0; code < COT_TRANSFORM_MAX_CATEGORIES; code++) {
        double share = n_present > 0 ? (double)counts[code] / (double)n_present : 0;
        if (counts[code] == 0)
            continue;
        if (share < f->options->category_min_share) {
            column->rare_codes[column->n_rare++] = code;
            n_rare_rows += counts[code];
            continue;
        }
        column->codes[column->n_codes] = code;
        column->shares[column->n_codes++] = share;
    }
    column->rare_share = n_present > 0 ? (double)n_rare_rows / (double)n_present : 0;
    column->constant = column->n_codes + (column->n_rare > 0) < 2;
    return 1;
}

static void fit_column(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct fitting *f = context;
    (void)i_block;
    (void)i_thread;
    for (size_t j = begin; j < end; j++) {
        bool category = f->transform->columns[j].kind == COT_TRANSFORM_CATEGORY;
        if (!(category ? fit_category(f, j) : fit_number(f, j)))
            atomic_store(&f->no_memory, 1);
    }
}

static cot_code check_codes(const struct cot_matrix *x, const struct cot_transform_column *columns, struct cot_err *err)
{
    for (size_t j = 0; j < x->d; j++) {
        if (columns[j].kind != COT_TRANSFORM_CATEGORY)
            continue;
        for (size_t i = 0; i < x->n; i++) {
            float value = cot_matrix_row(x, i)[j];
            if (!isnan(value) && (value < 0 || value >= COT_TRANSFORM_MAX_CATEGORIES || value != floorf(value)))
                return cot_fail(err, COT_BAD_DATA, "row %zu of category '%s' is %g: codes are whole numbers 0..%d", i,
                                columns[j].name, (double)value, COT_TRANSFORM_MAX_CATEGORIES - 1);
        }
    }
    return COT_OK;
}

static cot_code check_input(const struct cot_matrix *x, const struct cot_transform_column *columns,
                            const struct cot_transform_options *o, struct cot_err *err)
{
    if (x->n == 0 || x->d == 0 || x->d > COT_TRANSFORM_MAX_COLUMNS)
        return cot_fail(err, COT_USAGE, "a transform of %zu rows and %zu columns: 1 row and 1..%d columns", x->n, x->d,
                        COT_TRANSFORM_MAX_COLUMNS);
    if (!(o->winsor_low >= 0 && o->winsor_low < o->winsor_high && o->winsor_high <= 1))
        return cot_fail(err, COT_USAGE, "winsorising from quantile %g to %g: 0 <= low < high <= 1", o->winsor_low,
                        o->winsor_high);
    if (!(o->category_min_share >= 0 && o->category_min_share <= 1))
        return cot_fail(err, COT_USAGE, "category_min_share is %g: it is a share, 0..1", o->category_min_share);
    for (size_t j = 0; j < x->d; j++) {
        if (columns[j].name == NULL || strlen(columns[j].name) > COT_TRANSFORM_MAX_NAME)
            return cot_fail(err, COT_USAGE, "column %zu needs a name of at most %d bytes", j, COT_TRANSFORM_MAX_NAME);
        if ((unsigned)columns[j].kind > COT_TRANSFORM_CATEGORY)
            return cot_fail(err, COT_USAGE, "column '%s' has no transform %d", columns[j].name, (int)columns[j].kind);
    }
    cot_code rc = cot_check_finite(x, true, err);
    return rc != COT_OK ? rc : check_codes(x, columns, err);
}

cot_code cot_transform_fit(const struct cot_matrix *x, const struct cot_transform_column *columns,
                           const struct cot_transform_options *options, struct cot_transform **ret_transform,
                           struct cot_err *err)
{
    struct fitting f = {.x = x, .options = options};
    cot_code rc = check_input(x, columns, options, err);
    if (rc != COT_OK)
        return rc;
    f.transform = cot_transform_new(x->d);
    if (f.transform == NULL)
        return cot_fail(err, COT_NOMEM, "a transform of %zu columns", x->d);
    for (size_t j = 0; j < x->d; j++) {
        f.transform->columns[j].kind = columns[j].kind;
        f.transform->columns[j].name = strdup(columns[j].name);
        if (f.transform->columns[j].name == NULL)
            f.no_memory = 1;
    }
    cot_parallel_for(options->n_threads, x->d, 1, fit_column, &f);
    if (f.no_memory) {
        rc = cot_fail(err, COT_NOMEM, "a transform of %zu columns", x->d);
        goto out;
    }
    cot_transform_number(f.transform);
    *ret_transform = f.transform;
    f.transform = NULL;
out:
    cot_transform_free(f.transform);
    return rc;
}

/* ---- use ---- */

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
                z[column->i_out] =
                    column->constant ? 0 : (float)((value_of(column, row[j]) - column->mean) / column->sd);
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

double cot_transform_inverse(const struct cot_transform *transform, size_t i_out, double z)
{
    const struct cot_transform_fitted *column = &transform->columns[cot_transform_source(transform, i_out, NULL)];
    double t = z * column->sd + column->mean;
    switch (column->kind) {
    case COT_TRANSFORM_NONE: return t;
    case COT_TRANSFORM_LOG1P: return fmax(0, expm1(t));
    case COT_TRANSFORM_SIGNED_LOG1P: return copysign(expm1(fabs(t)), t);
    case COT_TRANSFORM_ARCSINE_SQRT: {
        double s = sin(fmin(M_PI_2, fmax(0, t)));
        return s * s;
    }
    case COT_TRANSFORM_CATEGORY: break;
    }
    return NAN;
}
