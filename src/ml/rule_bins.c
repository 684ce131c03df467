#include "ml/rule_bins.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/check.h"
#include "num/order.h"

static const double SEGMENT_QUANTILES[] = {0.02, 0.1, 0.5, 0.9, 0.98};
enum { N_SEGMENT_QUANTILES = sizeof SEGMENT_QUANTILES / sizeof *SEGMENT_QUANTILES };

struct binning {
    const struct cot_matrix *x;
    const uint32_t *labels;
    size_t k;
    const struct cot_rule_options *options;
    struct cot_rule_bins *bins;
    _Atomic int no_memory;
};

/* The largest value that occurs and is <= the quantile: a cut is a value, so that "at most" has a next one. */
static float value_at(const float *sorted, size_t n, double q)
{
    return sorted[(size_t)(q * (double)(n - 1))];
}

/* Keeps distinct cuts below the maximum (x <= maximum is everybody). */
static size_t unique_cuts(float *cuts, size_t n_cuts, float largest, float *scratch)
{
    size_t n = 0;
    cot_sort_floats(cuts, n_cuts, scratch);
    for (size_t c = 0; c < n_cuts; c++)
        if (cuts[c] < largest && (n == 0 || cuts[c] > cuts[n - 1]))
            cuts[n++] = cuts[c];
    return n;
}

static int number_cuts(const struct binning *b, size_t j, struct cot_rule_column *column, float *values, float *work)
{
    size_t n = 0;
    size_t n_cuts = 0;
    size_t most = b->options->max_thresholds;
    float scratch[COT_RULE_MAX_CUTS];
    column->cuts = cot_alloc_array(COT_RULE_MAX_CUTS, 1, sizeof *column->cuts);
    column->next = cot_alloc_array(COT_RULE_MAX_CUTS, 1, sizeof *column->next);
    if (column->cuts == NULL || column->next == NULL)
        return 0;
    most = most < COT_RULE_MAX_CUTS ? most : COT_RULE_MAX_CUTS;
    for (size_t s = 0; s < b->k; s++) {
        n = 0;
        for (size_t i = 0; i < b->x->n; i++) {
            float value = cot_matrix_row(b->x, i)[j];
            if (b->labels[i] == s && !isnan(value))
                values[n++] = value;
        }
        if (n == 0 || n_cuts + N_SEGMENT_QUANTILES + most > COT_RULE_MAX_CUTS)
            continue;
        cot_sort_floats(values, n, work);
        for (size_t q = 0; q < N_SEGMENT_QUANTILES; q++)
            column->cuts[n_cuts++] = value_at(values, n, SEGMENT_QUANTILES[q]);
    }
    n = 0;
    for (size_t i = 0; i < b->x->n; i++) {
        float value = cot_matrix_row(b->x, i)[j];
        if (!isnan(value))
            values[n++] = value;
    }
    if (n == 0)
        return 1;
    cot_sort_floats(values, n, work);
    for (size_t q = 0; q < most; q++)
        column->cuts[n_cuts++] = value_at(values, n, (double)q / (double)most);
    column->n_cuts = unique_cuts(column->cuts, n_cuts, values[n - 1], scratch);
    for (size_t c = 0; c < column->n_cuts; c++)
        column->next[c] = values[cot_count_at_most(values, n, column->cuts[c])];
    return 1;
}

struct category {
    float value;
    size_t count;
};

static int more_frequent(const void *a, const void *b)
{
    const struct category *x = a;
    const struct category *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static int category_cuts(const struct binning *b, size_t j, struct cot_rule_column *column, float *values, float *work)
{
    size_t n = 0;
    size_t n_kinds = 0;
    for (size_t i = 0; i < b->x->n; i++) {
        float value = cot_matrix_row(b->x, i)[j];
        if (!isnan(value))
            values[n++] = value;
    }
    struct category *kinds = cot_alloc_array(n, 1, sizeof *kinds);
    column->cuts = cot_alloc_array(COT_RULE_MAX_CUTS, 1, sizeof *column->cuts);
    if (kinds == NULL || column->cuts == NULL) {
        free(kinds);
        return 0;
    }
    cot_sort_floats(values, n, work);
    for (size_t i = 0; i < n; i++) {
        if (n_kinds == 0 || kinds[n_kinds - 1].value != values[i])
            kinds[n_kinds++].value = values[i];
        kinds[n_kinds - 1].count++;
    }
    qsort(kinds, n_kinds, sizeof *kinds, more_frequent);
    column->n_cuts = n_kinds < COT_RULE_MAX_CUTS ? n_kinds : COT_RULE_MAX_CUTS;
    for (size_t c = 0; c < column->n_cuts; c++)
        column->cuts[c] = kinds[c].value;
    cot_sort_floats(column->cuts, column->n_cuts, work);
    free(kinds);
    return 1;
}

static unsigned char bin_of(const struct cot_rule_column *column, float value)
{
    if (isnan(value))
        return COT_RULE_MISSING;
    size_t at_most = cot_count_at_most(column->cuts, column->n_cuts, value);
    bool on_cut = at_most > 0 && column->cuts[at_most - 1] == value;
    if (column->is_category)
        return on_cut ? (unsigned char)(at_most - 1) : COT_RULE_OTHER;
    return (unsigned char)(at_most - on_cut);
}

static void bin_columns(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct binning *b = context;
    size_t n = b->x->n;
    (void)i_block;
    (void)i_thread;
    for (size_t j = begin; j < end; j++) {
        struct cot_rule_column *column = &b->bins->columns[j];
        float *values = cot_alloc_array(n > COT_RULE_MAX_CUTS ? n : COT_RULE_MAX_CUTS, 2, sizeof *values);
        float *work = values != NULL ? values + (n > COT_RULE_MAX_CUTS ? n : COT_RULE_MAX_CUTS) : NULL;
        column->is_category = b->options->is_category != NULL && b->options->is_category[j];
        column->bins = cot_alloc_array(n, 1, 1);
        int ok =
            values != NULL && column->bins != NULL &&
            (column->is_category ? category_cuts(b, j, column, values, work) : number_cuts(b, j, column, values, work));
        if (!ok)
            atomic_store(&b->no_memory, 1);
        for (size_t i = 0; ok && i < n; i++)
            column->bins[i] = bin_of(column, cot_matrix_row(b->x, i)[j]);
        free(values);
    }
}

cot_code cot_rule_bins_init(struct cot_rule_bins *ret_bins, const struct cot_matrix *x, const uint32_t *labels,
                            size_t k, const struct cot_rule_options *options, struct cot_err *err)
{
    struct cot_rule_bins bins = {.n = x->n, .d = x->d};
    struct binning b = {.x = x, .labels = labels, .k = k, .options = options, .bins = &bins};
    bins.columns = cot_alloc_array(x->d, 1, sizeof *bins.columns);
    if (bins.columns != NULL)
        cot_parallel_for(options->n_threads, x->d, 1, bin_columns, &b);
    if (bins.columns == NULL || b.no_memory) {
        cot_rule_bins_release(&bins);
        return cot_fail(err, COT_NOMEM, "bins of %zu x %zu features", x->n, x->d);
    }
    *ret_bins = bins;
    return COT_OK;
}

void cot_rule_bins_release(struct cot_rule_bins *bins)
{
    for (size_t j = 0; bins->columns != NULL && j < bins->d; j++) {
        free(bins->columns[j].cuts);
        free(bins->columns[j].next);
        free(bins->columns[j].bins);
    }
    free(bins->columns);
    *bins = (struct cot_rule_bins){0};
}

double cot_rule_round_between(double low, double high)
{
    double middle = low + (high - low) / 2;
    if (low <= 0 && high > 0)
        return 0;
    if (!isfinite(middle))
        return low;
    for (int digits = 1; digits <= 17; digits++) {
        int shift = digits - 1 - (int)floor(log10(fabs(middle)));
        double scale = pow(10, abs(shift));
        double scaled = shift >= 0 ? middle * scale : middle / scale;
        double rounded[2] = {round(scaled), floor(scaled)};
        for (int i = 0; i < 2; i++) {
            double value = shift >= 0 ? rounded[i] / scale : rounded[i] * scale;
            if (value >= low && value < high)
                return value;
        }
    }
    return low;
}
