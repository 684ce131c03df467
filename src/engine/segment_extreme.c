#include "engine/segment_extreme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num/order.h"

/* Measures of size: what a wholesaler, a test account or a robot has far more or far less of. */
static const char *const measures[] = {
    "monetary_total",     "monetary_average",   "spend_365d",     "margin_total",   "frequency",
    "orders_365d",        "basket_units",       "basket_lines",   "basket_items",   "distinct_items",
    "unit_price_average", "interpurchase_days", "sessions_total", "session_events", "views_90d",
};
enum { N_MEASURES = sizeof measures / sizeof measures[0], MAX_ROWS = 200000 };

static const double min_coverage = 0.3; /* of values other than 0 */
static const double widening = 1.1;
static const int max_widenings = 12; /* 1.1^12 = 3.1 */

static double log_size(float value)
{
    return value < 0 ? -log1p(-(double)value) : log1p((double)value);
}

static double median_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, cot_compare_doubles);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void measure(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n, size_t column,
                    double *scratch, struct cot_extreme_limits *limits)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        float value = matrix->values[(size_t)rows[i] * matrix->d + column];
        if (!isnan(value) && value != 0)
            scratch[m++] = log_size(value);
    }
    if (m < 20 || (double)m < min_coverage * (double)n)
        return;
    double median = median_of(scratch, m);
    for (size_t i = 0; i < m; i++)
        scratch[i] = fabs(scratch[i] - median);
    double scale = 1.4826 * median_of(scratch, m);
    if (scale < 1e-6)
        return;
    struct cot_extreme_measure *made = &limits->measures[limits->n++];
    made->median = median;
    made->scale = scale;
    snprintf(made->name, sizeof made->name, "%s", matrix->columns[column].name);
}

static bool is_extreme(const struct cot_extreme_limits *limits, const size_t *columns,
                       const struct cot_feature_matrix *matrix, uint32_t row)
{
    size_t n_beyond = 0;
    for (size_t k = 0; k < limits->n; k++) {
        float value = columns[k] != SIZE_MAX ? matrix->values[(size_t)row * matrix->d + columns[k]] : NAN;
        if (isnan(value) || value == 0)
            continue;
        double score = fabs(log_size(value) - limits->measures[k].median) / limits->measures[k].scale;
        n_beyond += score > COT_EXTREME_TWO;
        if (score > COT_EXTREME_ONE || n_beyond >= 2)
            return true;
    }
    return false;
}

static void find_columns(const struct cot_extreme_limits *limits, const struct cot_feature_matrix *matrix,
                         size_t *ret_columns)
{
    for (size_t k = 0; k < limits->n; k++)
        ret_columns[k] = cot_feature_matrix_find(matrix, limits->measures[k].name);
}

bool cot_extreme_is(const struct cot_extreme_limits *limits, const struct cot_feature_matrix *matrix, uint32_t row)
{
    size_t columns[COT_EXTREME_MAX_MEASURES];
    find_columns(limits, matrix, columns);
    return is_extreme(limits, columns, matrix, row);
}

cot_code cot_extremes_find(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                           struct cot_extreme_limits *ret_limits, bool *ret_extreme, struct cot_err *err)
{
    struct cot_extreme_limits limits = {0};
    size_t m = n < MAX_ROWS ? n : MAX_ROWS, n_extreme = 0;
    size_t columns[COT_EXTREME_MAX_MEASURES];
    double *scratch = malloc((m + 1) * sizeof *scratch);
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "extremes among %zu customers", n);
    for (size_t k = 0; k < N_MEASURES; k++) {
        size_t column = cot_feature_matrix_find(matrix, measures[k]);
        if (column != SIZE_MAX)
            measure(matrix, rows, m, column, scratch, &limits);
    }
    free(scratch);
    find_columns(&limits, matrix, columns);
    for (int turn = 0; turn <= max_widenings; turn++) {
        n_extreme = 0;
        for (size_t i = 0; i < n; i++) {
            ret_extreme[i] = is_extreme(&limits, columns, matrix, rows[i]);
            n_extreme += ret_extreme[i];
        }
        if ((double)n_extreme <= COT_EXTREME_MAX_SHARE * (double)n)
            break;
        for (size_t k = 0; k < limits.n; k++)
            limits.measures[k].scale *= widening;
    }
    if ((double)n_extreme > COT_EXTREME_MAX_SHARE * (double)n) {
        memset(ret_extreme, 0, n * sizeof *ret_extreme);
        limits.n = 0;
    }
    *ret_limits = limits;
    return COT_OK;
}
