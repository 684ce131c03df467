#include "engine/segment_describe.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "coterie/medoids.h"

enum { MAX_SAMPLE = 100000, MAX_RULE_ROWS = 20000 };

void cot_description_free(struct cot_description *description)
{
    if (description == NULL)
        return;
    free(description->segments);
    free(description->contrasts);
    free(description->z_means);
    free(description->means);
    free(description->medians);
    free(description->overall_means);
    free(description->overall_medians);
    free(description->shares);
    free(description->overall_shares);
    free(description);
}

/* A sample of the learned customers with raw and standardised values; all of them up to MAX_SAMPLE. */
struct sample {
    const struct cot_feature_matrix *matrix;
    const struct cot_learned *learned;
    size_t n, d, c;
    uint32_t *rows;
    uint32_t *labels;
    bool *speaks; /* [n] whether the customer counts in what to do with the segment */
    float *raw;   /* n x c: the matrix's own values */
    float *z;     /* n x d; NaN where the raw value is missing */
};

static void sample_release(struct sample *s)
{
    free(s->rows);
    free(s->labels);
    free(s->speaks);
    free(s->raw);
    free(s->z);
}

static cot_code sample_init(struct sample *s, const struct cot_feature_matrix *matrix,
                            const struct cot_learned *learned, unsigned n_threads, struct cot_err *err)
{
    const struct cot_space *space = learned->space;
    size_t step = learned->n / MAX_SAMPLE + 1;
    *s = (struct sample){.matrix = matrix, .learned = learned, .d = space->d, .c = space->n_columns};
    s->n = (learned->n + step - 1) / step;
    s->rows = calloc(s->n + 1, sizeof *s->rows);
    s->labels = calloc(s->n + 1, sizeof *s->labels);
    s->speaks = calloc(s->n + 1, sizeof *s->speaks);
    s->raw = calloc(s->n * s->c + 1, sizeof *s->raw);
    s->z = calloc(s->n * s->d + 1, sizeof *s->z);
    if (s->rows == NULL || s->labels == NULL || s->speaks == NULL || s->raw == NULL || s->z == NULL)
        return cot_fail(err, COT_NOMEM, "description of %zu customers", s->n);
    for (size_t i = 0; i < s->n; i++) {
        s->rows[i] = learned->rows[i * step];
        s->labels[i] = learned->labels[i * step];
        for (size_t j = 0; j < s->c; j++)
            s->raw[i * s->c + j] = matrix->values[(size_t)s->rows[i] * matrix->d + space->columns[j].i_matrix];
    }
    cot_code rc = cot_space_apply(space, matrix, s->rows, s->n, n_threads, s->z, err);
    for (size_t o = 0; rc == COT_OK && o < s->d; o++) {
        size_t j = cot_transform_source(space->transform, o, NULL);
        for (size_t i = 0; i < s->n; i++)
            if (isnan(s->raw[i * s->c + j]))
                s->z[i * s->d + o] = NAN;
    }
    return rc;
}

static int float_compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean and median of raw column j over rows of one segment (SIZE_MAX: all); scratch: n floats. */
static void average(const struct sample *s, size_t j, size_t segment, float *scratch, double *ret_mean,
                    double *ret_median)
{
    size_t m = 0;
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        float value = s->raw[i * s->c + j];
        if (isnan(value) || (segment != SIZE_MAX && s->labels[i] != segment))
            continue;
        scratch[m++] = value;
        sum += (double)value;
    }
    qsort(scratch, m, sizeof *scratch, float_compare);
    *ret_mean = m > 0 ? sum / (double)m : NAN;
    *ret_median = m > 0 ? ((double)scratch[(m - 1) / 2] + (double)scratch[m / 2]) / 2 : NAN;
}

static cot_code average_all(const struct sample *s, struct cot_description *d, struct cot_err *err)
{
    float *scratch = malloc((s->n + 1) * sizeof *scratch);
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "medians of %zu customers", s->n);
    for (size_t j = 0; j < s->c; j++) {
        average(s, j, SIZE_MAX, scratch, &d->overall_means[j], &d->overall_medians[j]);
        for (size_t a = 0; a < d->k; a++)
            average(s, j, a, scratch, &d->means[a * d->c + j], &d->medians[a * d->c + j]);
    }
    free(scratch);
    return COT_OK;
}

/* Means of z by segment (missing left out) and shares of categories. */
static cot_code measure_z(const struct sample *s, struct cot_description *d, struct cot_err *err)
{
    double *counts = calloc((d->k + 1) * d->d + 1, sizeof *counts);
    if (counts == NULL)
        return cot_fail(err, COT_NOMEM, "means of %zu segments", d->k);
    for (size_t i = 0; i < s->n; i++)
        for (size_t o = 0; o < d->d; o++) {
            float z = s->z[i * d->d + o];
            size_t at = s->labels[i] * d->d + o;
            if (isnan(z))
                continue;
            d->z_means[at] += (double)z;
            counts[at] += 1;
            counts[d->k * d->d + o] += 1;
            if (s->learned->space->columns[cot_transform_source(s->learned->space->transform, o, NULL)].n_categories ==
                0)
                continue;
            d->shares[at] += z > 0; /* an indicator minus its share: positive where it is that category */
            d->overall_shares[o] += z > 0;
        }
    for (size_t o = 0; o < d->d; o++) {
        for (size_t a = 0; a < d->k; a++) {
            size_t at = a * d->d + o;
            d->z_means[at] = counts[at] > 0 ? d->z_means[at] / counts[at] : 0;
            d->shares[at] = counts[at] > 0 ? d->shares[at] / counts[at] : 0;
        }
        double all = counts[d->k * d->d + o];
        d->overall_shares[o] = all > 0 ? d->overall_shares[o] / all : 0;
    }
    free(counts);
    return COT_OK;
}

/* Rules on a sample of the sample; their figures over everyone. */
static cot_code find_rules(const struct sample *s, unsigned n_threads, struct cot_description *d, struct cot_err *err)
{
    struct cot_rule_options options;
    const struct cot_learned *learned = s->learned;
    size_t step = s->n / MAX_RULE_ROWS + 1;
    size_t n = (s->n + step - 1) / step;
    struct cot_rule *rules = calloc(d->k + 1, sizeof *rules);
    unsigned char *is_category = calloc(s->c + 1, sizeof *is_category);
    uint32_t *labels = calloc(n + 1, sizeof *labels);
    double *hits = calloc(2 * d->k + 1, sizeof *hits);
    float *row = calloc(s->c + 1, sizeof *row);
    cot_code rc = COT_OK;
    if (rules == NULL || is_category == NULL || labels == NULL || hits == NULL || row == NULL) {
        rc = cot_fail(err, COT_NOMEM, "rules of %zu segments", d->k);
        goto out;
    }
    for (size_t j = 0; j < s->c; j++)
        is_category[j] = learned->space->columns[j].n_categories > 0;
    for (size_t i = 0; i < n; i++)
        labels[i] = s->labels[i * step];
    cot_rule_options_init(&options);
    options.is_category = is_category;
    options.n_threads = n_threads;
    options.max_thresholds = 32;
    struct cot_matrix x = {.data = s->raw, .n = n, .d = s->c, .stride = s->c * step};
    rc = cot_rules_find(&x, labels, d->k, &options, rules, err);
    for (size_t i = 0; rc == COT_OK && i < learned->n; i++) {
        for (size_t j = 0; j < s->c; j++)
            row[j] = s->matrix->values[(size_t)learned->rows[i] * s->matrix->d + learned->space->columns[j].i_matrix];
        for (size_t a = 0; a < d->k; a++) {
            if (!cot_rule_matches(&rules[a], row))
                continue;
            hits[2 * a] += 1;
            hits[2 * a + 1] += learned->labels[i] == a;
        }
    }
    for (size_t a = 0; rc == COT_OK && a < d->k; a++) {
        rules[a].n_matching = (size_t)hits[2 * a];
        rules[a].coverage = d->segments[a].size > 0 ? hits[2 * a + 1] / (double)d->segments[a].size : 0;
        rules[a].precision = hits[2 * a] > 0 ? hits[2 * a + 1] / hits[2 * a] : 0;
        d->segments[a].rule = rules[a];
    }
out:
    free(rules);
    free(is_category);
    free(labels);
    free(hits);
    free(row);
    return rc;
}

static cot_code find_prototypes(const struct cot_learned *learned, struct cot_description *d, struct cot_err *err)
{
    size_t q = learned->discriminant->q;
    struct cot_matrix y = {.data = learned->y, .n = learned->n, .d = q, .stride = q};
    size_t *rows = calloc(d->k * COT_PROTOTYPES + 1, sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "prototypes of %zu segments", d->k);
    cot_code rc = cot_medoids_find(&y, learned->labels, learned->centroids, d->k, COT_PROTOTYPES, rows, err);
    for (size_t a = 0; rc == COT_OK && a < d->k; a++)
        for (size_t i = 0; i < COT_PROTOTYPES; i++) {
            size_t row = rows[a * COT_PROTOTYPES + i];
            double sum = 0;
            for (size_t j = 0; row != COT_MEDOIDS_NONE && j < q; j++) {
                double gap = (double)learned->y[row * q + j] - (double)learned->centroids[a * q + j];
                sum += gap * gap;
            }
            d->segments[a].prototypes[i] = row;
            d->segments[a].prototype_distances[i] = sqrt(sum);
        }
    free(rows);
    return rc;
}

/* Median (share = false) or mean of a matrix column over a segment's sample; NaN where under half have a value. */
static double summarise(const struct sample *s, const char *feature, size_t segment, bool mean, float *scratch)
{
    size_t column = cot_feature_matrix_find(s->matrix, feature);
    size_t m = 0, all = 0;
    double sum = 0;
    if (column == SIZE_MAX)
        return NAN;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->speaks[i] || (segment != SIZE_MAX && s->labels[i] != segment))
            continue;
        float value = s->matrix->values[(size_t)s->rows[i] * s->matrix->d + column];
        all++;
        if (isnan(value))
            continue;
        scratch[m++] = value;
        sum += (double)value;
    }
    if (m == 0 || 2 * m < all)
        return NAN;
    if (mean)
        return sum / (double)m;
    qsort(scratch, m, sizeof *scratch, float_compare);
    return ((double)scratch[(m - 1) / 2] + (double)scratch[m / 2]) / 2;
}

/* Shares of a segment's customers with at least one order, and with exactly one. */
static void count_orders(const struct sample *s, size_t segment, double *ret_buyers, double *ret_one_time)
{
    size_t column = cot_feature_matrix_find(s->matrix, "frequency");
    double all = 0, buyers = 0, once = 0;
    for (size_t i = 0; i < s->n; i++) {
        float orders = column != SIZE_MAX ? s->matrix->values[(size_t)s->rows[i] * s->matrix->d + column] : 0;
        if (!s->speaks[i] || s->labels[i] != segment)
            continue;
        all++;
        buyers += orders >= 1;
        once += orders == 1;
    }
    *ret_buyers = all > 0 ? buyers / all : 0;
    *ret_one_time = buyers > 0 ? once / buyers : 0;
}

/* Among the extremes are wholesalers, test accounts and robots: what to do is decided by those who bring money. */
static void choose_who_speaks(struct sample *s, const int64_t *revenue_minor, double mean_revenue)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        bool extreme = s->labels[i] == s->learned->extreme;
        s->speaks[i] = !extreme || (double)revenue_minor[s->rows[i]] > mean_revenue;
        any = any || (extreme && s->speaks[i]);
    }
    for (size_t i = 0; i < s->n && !any; i++)
        s->speaks[i] = true;
}

static cot_code advise(struct sample *s, const int64_t *revenue_minor, struct cot_description *d, struct cot_err *err)
{
    float *scratch = malloc((s->n + 1) * sizeof *scratch);
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "strategies");
    /* the average customer is one of the ordinary ones: a few wholesalers would make everyone else worthless */
    double n_ordinary = 0, ordinary_minor = 0;
    for (size_t a = 0; a < d->k; a++) {
        bool ordinary = a != s->learned->extreme || d->k == 1;
        n_ordinary += ordinary ? (double)d->segments[a].size : 0;
        ordinary_minor += ordinary ? (double)d->segments[a].revenue_minor : 0;
    }
    double mean_revenue = n_ordinary > 0 ? ordinary_minor / n_ordinary : 0;
    choose_who_speaks(s, revenue_minor, mean_revenue);
    double gap = summarise(s, "interpurchase_days", SIZE_MAX, false, scratch);
    for (size_t a = 0; a < d->k; a++) {
        struct cot_segment_numbers *numbers = &d->segments[a];
        struct cot_strategy_input *in = &numbers->strategy_input;
        double own = numbers->size > 0 ? (double)numbers->revenue_minor / (double)numbers->size : NAN;
        *in = (struct cot_strategy_input){
            .value_ratio = mean_revenue > 0 ? own / mean_revenue : NAN,
            .revenue_share = d->revenue_minor > 0 ? (double)numbers->revenue_minor / (double)d->revenue_minor : NAN,
            .overdue = summarise(s, "overdue_ratio", a, false, scratch),
            .overall_gap = gap,
            .recency_days = summarise(s, "recency_days", a, false, scratch),
            .orders = summarise(s, "frequency", a, false, scratch),
            .tenure_days = summarise(s, "tenure_days", a, false, scratch),
            .trend = summarise(s, "spend_trend_90d", a, true, scratch),
        };
        count_orders(s, a, &in->buyer_share, &in->one_time_share);
        cot_strategy_advise(in, &numbers->advice);
    }
    free(scratch);
    return COT_OK;
}

const struct cot_feature_column *cot_describe_output(const struct cot_feature_matrix *matrix,
                                                     const struct cot_space *space, size_t o, const char **ret_category)
{
    int32_t code = -1;
    size_t j = cot_transform_source(space->transform, o, &code);
    const struct cot_space_column *column = &space->columns[j];
    *ret_category = column->n_categories > 0 && code >= 0 && (size_t)code < column->n_categories
                        ? column->category_names[code]
                        : NULL;
    return &matrix->columns[column->i_matrix];
}

struct ranked {
    size_t o;
    double difference;
};

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (fabs(x->difference) != fabs(y->difference))
        return fabs(x->difference) < fabs(y->difference) ? 1 : -1;
    return (x->o > y->o) - (x->o < y->o);
}

size_t cot_describe_differences(const struct cot_feature_matrix *matrix, const struct cot_space *space,
                                const double *differences, struct cot_name_contrast *ret_contrasts, size_t *ret_outputs)
{
    struct ranked *ranked = malloc((space->d + 1) * sizeof *ranked);
    size_t n = 0;
    if (ranked == NULL)
        return 0;
    for (size_t o = 0; o < space->d; o++)
        ranked[o] = (struct ranked){o, differences[o]};
    qsort(ranked, space->d, sizeof *ranked, ranked_compare);
    for (size_t i = 0; i < space->d; i++) {
        const char *category = NULL;
        const struct cot_feature_column *column = cot_describe_output(matrix, space, ranked[i].o, &category);
        if (column->transform == COT_TRANSFORM_CATEGORY && category == NULL)
            continue; /* "any of the rare ones" says nothing */
        if (ret_outputs != NULL)
            ret_outputs[n] = ranked[i].o;
        ret_contrasts[n++] = (struct cot_name_contrast){
            .feature = column->name, .title = column->title, .category = category, .difference = ranked[i].difference};
    }
    free(ranked);
    return n;
}

static cot_code description_init(struct cot_description *d, const struct cot_learned *learned, struct cot_err *err)
{
    d->k = learned->k;
    d->d = learned->space->d;
    d->c = learned->space->n_columns;
    d->segments = calloc(d->k + 1, sizeof *d->segments);
    d->contrasts = calloc(d->k * d->d + 1, sizeof *d->contrasts);
    d->z_means = calloc(d->k * d->d + 1, sizeof *d->z_means);
    d->means = calloc(d->k * d->c + 1, sizeof *d->means);
    d->medians = calloc(d->k * d->c + 1, sizeof *d->medians);
    d->overall_means = calloc(d->c + 1, sizeof *d->overall_means);
    d->overall_medians = calloc(d->c + 1, sizeof *d->overall_medians);
    d->shares = calloc(d->k * d->d + 1, sizeof *d->shares);
    d->overall_shares = calloc(d->d + 1, sizeof *d->overall_shares);
    if (d->segments == NULL || d->contrasts == NULL || d->z_means == NULL || d->means == NULL || d->medians == NULL ||
        d->overall_means == NULL || d->overall_medians == NULL || d->shares == NULL || d->overall_shares == NULL)
        return cot_fail(err, COT_NOMEM, "description of %zu segments", d->k);
    return COT_OK;
}

cot_code cot_describe(const struct cot_feature_matrix *matrix, const struct cot_learned *learned,
                      const int64_t *revenue_minor, unsigned n_threads, struct cot_description **ret_description,
                      struct cot_err *err)
{
    struct cot_description *d = calloc(1, sizeof *d);
    struct sample s = {0};
    cot_code rc = d == NULL ? cot_fail(err, COT_NOMEM, "description of segments") : COT_OK;
    if (rc == COT_OK)
        rc = description_init(d, learned, err);
    if (rc == COT_OK)
        rc = sample_init(&s, matrix, learned, n_threads, err);
    if (rc != COT_OK)
        goto out;
    d->n_sample = s.n;
    for (size_t i = 0; i < learned->n; i++) {
        d->segments[learned->labels[i]].size++;
        d->segments[learned->labels[i]].revenue_minor += revenue_minor[learned->rows[i]];
        d->revenue_minor += revenue_minor[learned->rows[i]];
    }
    struct cot_matrix z = {.data = s.z, .n = s.n, .d = s.d, .stride = s.d};
    rc = cot_contrasts_compute(&z, s.labels, d->k, n_threads, d->contrasts, err);
    if (rc == COT_OK)
        rc = measure_z(&s, d, err);
    if (rc == COT_OK)
        rc = average_all(&s, d, err);
    if (rc == COT_OK)
        rc = find_rules(&s, n_threads, d, err);
    if (rc == COT_OK)
        rc = find_prototypes(learned, d, err);
    if (rc == COT_OK)
        rc = advise(&s, revenue_minor, d, err);
    if (rc != COT_OK)
        goto out;
    *ret_description = d;
    d = NULL;
out:
    sample_release(&s);
    cot_description_free(d);
    return rc;
}
