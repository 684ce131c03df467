/* Fitting a transform: see coterie/transform.h. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/transform_quantile.h"
#include "num/check.h"
#include "num/order.h"

void cot_transform_options_init(struct cot_transform_options *ret_options)
{
    *ret_options = (struct cot_transform_options){
        .winsor_low = 0.005, .winsor_high = 0.995, .category_min_share = 0.01, .n_quantiles = 1000};
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
        free(transform->columns[j].quantiles);
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

struct fitting {
    const struct cot_matrix *x;
    const struct cot_transform_options *options;
    struct cot_transform *transform;
    _Atomic int no_memory;
};

/* Everything that comes from the sorted values. False: no memory. */
static bool fit_order(const struct fitting *f, struct cot_transform_fitted *column, const float *sorted, size_t n)
{
    bool quantile = cot_transform_is_quantile(column->kind);
    column->median = cot_quantile_sorted(sorted, n, 0.5);
    column->low = quantile ? (double)sorted[0] : cot_quantile_sorted(sorted, n, f->options->winsor_low);
    column->high = quantile ? (double)sorted[n - 1] : cot_quantile_sorted(sorted, n, f->options->winsor_high);
    column->constant = column->low == column->high; /* once winsorised */
    if (column->kind == COT_TRANSFORM_ROBUST) {
        double range = cot_quantile_sorted(sorted, n, 0.75) - cot_quantile_sorted(sorted, n, 0.25);
        column->mean = column->median;
        column->sd = range > 0 ? range : 1;
    }
    size_t n_quantiles = f->options->n_quantiles < f->x->n ? f->options->n_quantiles : f->x->n;
    return !quantile || cot_transform_quantiles_fit(column, sorted, n, n_quantiles);
}

/* Mean and deviation of the transformed values. */
static void fit_moments(const struct fitting *f, struct cot_transform_fitted *column, size_t j)
{
    size_t n = f->x->n;
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += cot_transform_value(column, cot_matrix_row(f->x, i)[j]);
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double step = cot_transform_value(column, cot_matrix_row(f->x, i)[j]) - mean;
        squares += step * step;
    }
    column->mean = mean;
    column->sd = sqrt(squares / (double)n);
    /* Rounding leaves crumbs of variance in a constant column. */
    column->constant = column->constant || column->sd <= 1e-9 * fabs(mean) || !(column->sd > 0);
    if (column->constant)
        column->sd = 1;
}

static bool fit_number(struct fitting *f, size_t j)
{
    struct cot_transform_fitted *column = &f->transform->columns[j];
    size_t n = f->x->n;
    size_t n_present = 0;
    float none = 0;
    float *values = cot_alloc_array(n, 2, sizeof *values);
    if (values == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        float value = cot_matrix_row(f->x, i)[j];
        if (!isnan(value))
            values[n_present++] = value;
    }
    cot_sort_floats(values, n_present, values + n);
    column->sd = 1;
    bool ok = fit_order(f, column, n_present > 0 ? values : &none, n_present > 0 ? n_present : 1);
    free(values);
    if (ok && column->kind != COT_TRANSFORM_ROBUST && !cot_transform_is_quantile(column->kind))
        fit_moments(f, column, j);
    return ok;
}

static bool fit_category(struct fitting *f, size_t j)
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
        return false;
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
    return true;
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
    if (o->n_quantiles < 2 || o->n_quantiles > COT_TRANSFORM_MAX_QUANTILES)
        return cot_fail(err, COT_USAGE, "%zu quantiles: give 2..%d", o->n_quantiles, COT_TRANSFORM_MAX_QUANTILES);
    for (size_t j = 0; j < x->d; j++) {
        if (columns[j].name == NULL || strlen(columns[j].name) > COT_TRANSFORM_MAX_NAME)
            return cot_fail(err, COT_USAGE, "column %zu needs a name of at most %d bytes", j, COT_TRANSFORM_MAX_NAME);
        if ((unsigned)columns[j].kind >= COT_TRANSFORM_N_KINDS)
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
