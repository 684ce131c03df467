#include "engine/segment_space.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "coterie/matrix.h"

enum {
    MAX_FIT_ROWS = 100000, /* quantiles and scales need no more */
    MAX_CORRELATION_ROWS = 20000,
    MAX_DISCRETE = 4, /* values of a number that is as good as a category: yes and no, a grade */
    BLOCK = 4096
};
/* A value that nearly everyone has says nothing: the rest is left to contrasts and rules. */
static const double max_same_share = 0.98;
/*
 * Drawn to the total variance: continuous columns a little, against columns that are nearly sums of others;
 * indicators of categories by half, since inside a cluster of one category they have no variance at all, which would
 * make any category the best segmentation there is.
 */
static const double shrinkage_numeric = 0.1;
static const double shrinkage_category = 0.9;

const char *cot_space_reason_name(enum cot_space_reason reason)
{
    static const char *const names[] = {"no data", "no variance", "duplicate", "excluded", "identifying"};
    return names[reason];
}

void cot_space_free(struct cot_space *space)
{
    if (space == NULL)
        return;
    for (size_t i = 0; i < space->n_columns; i++) {
        for (size_t c = 0; c < space->columns[i].n_categories && space->columns[i].category_names != NULL; c++)
            free(space->columns[i].category_names[c]);
        free(space->columns[i].category_names);
        free(space->columns[i].name);
    }
    free(space->columns);
    cot_transform_free(space->transform);
    free(space->scale);
    free(space->shrinkage);
    free(space->dropped);
    free(space);
}

/* Words that make a trait identify a person rather than describe one. */
static bool names_a_person(const char *name)
{
    static const char *const words[] = {"email",       "e_mail",     "phone",     "address", "postcode",
                                        "zip",         "first_name", "last_name", "surname", "full_name",
                                        "customer_id", "user_id",    "ip_address"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    size_t size = strlen(name);
    return strcasecmp(name, "id") == 0 || (size > 3 && strcasecmp(name + size - 3, "_id") == 0);
}

static bool listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static cot_code check_names(const struct cot_feature_matrix *matrix, const char *const *names, size_t n,
                            struct cot_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (cot_feature_matrix_find(matrix, names[i]) == SIZE_MAX)
            return cot_fail(err, COT_USAGE, "no feature '%s': 'coterie features list' shows them all", names[i]);
    return COT_OK;
}

static float value_of(const struct cot_feature_matrix *matrix, uint32_t row, size_t column)
{
    return matrix->values[(size_t)row * matrix->d + column];
}

static int float_compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

struct column_facts {
    double coverage;
    double same_share; /* of the most frequent value among those present */
    size_t n_distinct;
    bool all_distinct; /* whole numbers, no two alike: a running number */
};

/* scratch: n floats. */
static struct column_facts facts_of(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                                    size_t column, float *scratch)
{
    size_t n_present = 0, longest = 0, run = 0, n_distinct = 0;
    bool whole = true;
    for (size_t i = 0; i < n; i++) {
        float value = value_of(matrix, rows[i], column);
        if (isnan(value))
            continue;
        whole = whole && value == rintf(value);
        scratch[n_present++] = value;
    }
    qsort(scratch, n_present, sizeof *scratch, float_compare);
    for (size_t i = 0; i < n_present; i++) {
        run = i > 0 && scratch[i] == scratch[i - 1] ? run + 1 : 1;
        longest = run > longest ? run : longest;
        n_distinct += run == 1;
    }
    return (struct column_facts){
        .coverage = n > 0 ? (double)n_present / (double)n : 0,
        .same_share = n_present > 0 ? (double)longest / (double)n_present : 1,
        .n_distinct = n_distinct,
        .all_distinct = whole && longest == 1 && n_present > 50,
    };
}

static bool is_catalogue_feature(const char *name)
{
    for (size_t i = 0; i < cot_n_features; i++)
        if (strcmp(cot_features[i].name, name) == 0)
            return true;
    return false;
}

/* Segments are of what people did, unless what they are expected to do is asked for: predictions are made from the same
 * behaviour and would count it twice. */
static bool is_unasked_prediction(const struct cot_feature_column *column, const struct cot_space_options *options)
{
    return column->group == COT_FEATURE_PREDICTION && !options->with_predictions &&
           !listed(options->features, options->n_features, column->name);
}

/* Whether a column is left out by itself (duplicates are found later); fills `dropped`. */
static bool is_dropped(const struct cot_feature_matrix *matrix, size_t column, const struct column_facts *facts,
                       const struct cot_space_options *options, struct cot_space_dropped *dropped)
{
    const char *name = matrix->columns[column].name;
    bool trait = !is_catalogue_feature(name);
    *dropped = (struct cot_space_dropped){.i_column = column};
    if ((options->n_features > 0 && !listed(options->features, options->n_features, name)) ||
        listed(options->exclude, options->n_exclude, name)) {
        dropped->reason = COT_SPACE_EXCLUDED;
        snprintf(dropped->detail, sizeof dropped->detail, "by option");
        return true;
    }
    if (is_unasked_prediction(&matrix->columns[column], options)) {
        dropped->reason = COT_SPACE_EXCLUDED;
        snprintf(dropped->detail, sizeof dropped->detail, "a prediction: --with-predictions uses it");
        return true;
    }
    if (trait && (names_a_person(name) || (facts->all_distinct && matrix->columns[column].n_categories == 0))) {
        dropped->reason = COT_SPACE_IDENTIFYING;
        snprintf(dropped->detail, sizeof dropped->detail, "names a person rather than describing one");
        return true;
    }
    if (facts->coverage < COT_SPACE_MIN_COVERAGE) {
        dropped->reason = COT_SPACE_NO_DATA;
        snprintf(dropped->detail, sizeof dropped->detail, "%.0f%% of customers have a value", 100 * facts->coverage);
        return true;
    }
    if (facts->same_share > max_same_share) {
        dropped->reason = COT_SPACE_NO_VARIANCE;
        snprintf(dropped->detail, sizeof dropped->detail, "%.1f%% have the same value", 100 * facts->same_share);
        return true;
    }
    return false;
}

/* Shares that are counted over a customer's orders. */
static bool is_share_of_orders(const struct cot_feature_column *column)
{
    return column->transform == COT_TRANSFORM_ARCSINE_SQRT &&
           (column->group == COT_FEATURE_PURCHASE || column->group == COT_FEATURE_CHANNEL);
}

static double mean_of(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n, size_t column)
{
    double sum = 0, m = 0;
    for (size_t i = 0; i < n; i++) {
        float value = value_of(matrix, rows[i], column);
        sum += isnan(value) ? 0 : (double)value;
        m += !isnan(value);
    }
    return m > 0 ? sum / m : NAN;
}

/* Columns are chosen from `use` flags over the matrix's. */
static cot_code add_columns(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n, const bool *use,
                            struct cot_space *space, struct cot_err *err)
{
    for (size_t j = 0; j < matrix->d; j++) {
        if (!use[j])
            continue;
        const struct cot_feature_column *from = &matrix->columns[j];
        struct cot_space_column *column = &space->columns[space->n_columns++];
        *column = (struct cot_space_column){.name = strdup(from->name), .i_matrix = j, .prior = NAN};
        if (is_share_of_orders(from))
            column->prior = mean_of(matrix, rows, n, j);
        column->category_names = calloc(from->n_categories + 1, sizeof *column->category_names);
        if (column->name == NULL || column->category_names == NULL)
            return cot_fail(err, COT_NOMEM, "column '%s'", from->name);
        column->n_categories = from->transform == COT_TRANSFORM_CATEGORY ? from->n_categories : 0;
        for (size_t c = 0; c < column->n_categories; c++) {
            column->category_names[c] = strdup(from->category_names[c]);
            if (column->category_names[c] == NULL)
                return cot_fail(err, COT_NOMEM, "categories of column '%s'", from->name);
        }
    }
    return COT_OK;
}

static void clear_columns(struct cot_space *space)
{
    for (size_t i = 0; i < space->n_columns; i++) {
        for (size_t c = 0; c < space->columns[i].n_categories; c++)
            free(space->columns[i].category_names[c]);
        free(space->columns[i].category_names);
        free(space->columns[i].name);
    }
    space->n_columns = 0;
}

/* Where the space's columns and codes are in a matrix. */
struct mapping {
    size_t *columns; /* [n_columns], SIZE_MAX: not there */
    float **codes;   /* [n_columns]: the space's code of each of the matrix's; NULL for numbers */
    size_t orders;   /* the column of the number of orders, SIZE_MAX */
};

static void mapping_release(struct mapping *mapping, size_t n)
{
    for (size_t j = 0; j < n && mapping->codes != NULL; j++)
        free(mapping->codes[j]);
    free(mapping->codes);
    free(mapping->columns);
}

static cot_code mapping_init(struct mapping *mapping, const struct cot_space *space,
                             const struct cot_feature_matrix *matrix, struct cot_err *err)
{
    mapping->columns = calloc(space->n_columns + 1, sizeof *mapping->columns);
    mapping->codes = calloc(space->n_columns + 1, sizeof *mapping->codes);
    if (mapping->columns == NULL || mapping->codes == NULL)
        return cot_fail(err, COT_NOMEM, "columns of segments");
    mapping->orders = cot_feature_matrix_find(matrix, "frequency");
    for (size_t j = 0; j < space->n_columns; j++) {
        const struct cot_space_column *column = &space->columns[j];
        size_t at = cot_feature_matrix_find(matrix, column->name);
        mapping->columns[j] = at;
        if (at == SIZE_MAX || column->n_categories == 0)
            continue;
        size_t n = matrix->columns[at].n_categories;
        mapping->codes[j] = calloc(n + 1, sizeof(float));
        if (mapping->codes[j] == NULL)
            return cot_fail(err, COT_NOMEM, "categories of '%s'", column->name);
        for (size_t c = 0; c < n; c++) {
            mapping->codes[j][c] = NAN; /* a category that was not there before counts as missing */
            for (size_t k = 0; k < column->n_categories; k++)
                if (strcmp(column->category_names[k], matrix->columns[at].category_names[c]) == 0)
                    mapping->codes[j][c] = (float)k;
        }
    }
    return COT_OK;
}

static void fill_raw(const struct cot_space *space, const struct mapping *mapping,
                     const struct cot_feature_matrix *matrix, uint32_t row, float *raw)
{
    double orders = mapping->orders != SIZE_MAX ? (double)value_of(matrix, row, mapping->orders) : NAN;
    for (size_t j = 0; j < space->n_columns; j++) {
        double prior = space->columns[j].prior;
        size_t at = mapping->columns[j];
        float value = at != SIZE_MAX ? value_of(matrix, row, at) : NAN;
        if (mapping->codes[j] != NULL && !isnan(value))
            value =
                value >= 0 && value < (float)matrix->columns[at].n_categories ? mapping->codes[j][(size_t)value] : NAN;
        if (!isnan(prior) && !isnan(value) && orders >= 0)
            value =
                (float)((orders * (double)value + COT_SPACE_PRIOR_ORDERS * prior) / (orders + COT_SPACE_PRIOR_ORDERS));
        raw[j] = value;
    }
}

static cot_code fit_transform(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                              unsigned n_threads, struct cot_space *space, struct cot_err *err)
{
    struct cot_transform_options options;
    struct cot_transform_column *columns = calloc(space->n_columns + 1, sizeof *columns);
    float *raw = calloc(n * space->n_columns + 1, sizeof *raw);
    struct mapping mapping = {0};
    cot_code rc = COT_OK;
    if (columns == NULL || raw == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu rows of %zu features", n, space->n_columns);
        goto out;
    }
    for (size_t j = 0; j < space->n_columns; j++) {
        columns[j].name = space->columns[j].name;
        columns[j].kind = matrix->columns[space->columns[j].i_matrix].transform;
    }
    rc = mapping_init(&mapping, space, matrix, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < n; i++)
        fill_raw(space, &mapping, matrix, rows[i], raw + i * space->n_columns);
    cot_transform_options_init(&options);
    options.n_threads = n_threads;
    struct cot_matrix x = {.data = raw, .n = n, .d = space->n_columns, .stride = space->n_columns};
    cot_transform_free(space->transform);
    space->transform = NULL;
    rc = cot_transform_fit(&x, columns, &options, &space->transform, err);
    if (rc == COT_OK)
        rc = cot_space_finish(space, err);
out:
    mapping_release(&mapping, space->n_columns);
    free(columns);
    free(raw);
    return rc;
}

/* The first column before j (among those in use) that says the same as numeric column j; SIZE_MAX: none. */
static size_t twin_of(const float *z, size_t n, size_t d, const struct cot_space *space, const size_t *place,
                      const bool *use, size_t j, double *ret_r)
{
    for (size_t i = 0; i < j; i++) {
        double xy = 0, xx = 0, yy = 0;
        if (place[i] == SIZE_MAX || !use[space->columns[i].i_matrix])
            continue;
        for (size_t r = 0; r < n; r++) {
            double x = (double)z[r * d + place[i]];
            double y = (double)z[r * d + place[j]];
            xy += x * y;
            xx += x * x;
            yy += y * y;
        }
        *ret_r = xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
        if (fabs(*ret_r) > COT_SPACE_DUPLICATE_R)
            return i;
    }
    return SIZE_MAX;
}

/* Drops near-duplicates: the better covered of two stays, the first where they are alike. */
static cot_code drop_twins(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n, unsigned n_threads,
                           struct cot_space *space, bool *use, const double *coverage, struct cot_err *err)
{
    size_t m = n < MAX_CORRELATION_ROWS ? n : MAX_CORRELATION_ROWS;
    float *z = malloc((m * space->d + 1) * sizeof *z);
    size_t *place = malloc((space->n_columns + 1) * sizeof *place);
    cot_code rc = z == NULL || place == NULL ? cot_fail(err, COT_NOMEM, "correlations") : COT_OK;
    if (rc == COT_OK)
        rc = cot_space_apply(space, matrix, rows, m, n_threads, z, err);
    if (rc != COT_OK)
        goto out;
    for (size_t j = 0; j < space->n_columns; j++)
        place[j] = SIZE_MAX;
    for (size_t o = 0; o < space->d; o++) {
        size_t j = cot_transform_source(space->transform, o, NULL);
        if (space->columns[j].n_categories == 0 && !cot_transform_is_constant(space->transform, j))
            place[j] = o;
    }
    for (size_t j = 0; j < space->n_columns; j++) {
        double r = 0;
        size_t twin = place[j] != SIZE_MAX ? twin_of(z, m, space->d, space, place, use, j, &r) : SIZE_MAX;
        if (cot_transform_is_constant(space->transform, j)) {
            struct cot_space_dropped *dropped = &space->dropped[space->n_dropped++];
            *dropped =
                (struct cot_space_dropped){.i_column = space->columns[j].i_matrix, .reason = COT_SPACE_NO_VARIANCE};
            snprintf(dropped->detail, sizeof dropped->detail, "the rare other values count as one");
            use[space->columns[j].i_matrix] = false;
        }
        if (twin == SIZE_MAX)
            continue;
        size_t a = space->columns[twin].i_matrix, b = space->columns[j].i_matrix;
        /* b is after a: traits come after the catalogue and never replace one of its features */
        bool better = coverage[b] > coverage[a] + 0.01 && is_catalogue_feature(matrix->columns[b].name);
        size_t loser = better ? a : b;
        struct cot_space_dropped *dropped = &space->dropped[space->n_dropped++];
        *dropped = (struct cot_space_dropped){.i_column = loser, .reason = COT_SPACE_DUPLICATE};
        snprintf(dropped->detail, sizeof dropped->detail, "r = %.2f with %s", r,
                 matrix->columns[loser == a ? b : a].title);
        use[loser] = false;
    }
out:
    free(z);
    free(place);
    return rc;
}

cot_code cot_space_finish(struct cot_space *space, struct cot_err *err)
{
    free(space->shrinkage);
    free(space->scale);
    space->d = cot_transform_d_out(space->transform);
    space->shrinkage = calloc(space->d + 1, sizeof *space->shrinkage);
    space->scale = calloc(space->d + 1, sizeof *space->scale);
    if (space->shrinkage == NULL || space->scale == NULL)
        return cot_fail(err, COT_NOMEM, "%zu columns", space->d);
    for (size_t o = 0; o < space->d; o++) {
        size_t j = cot_transform_source(space->transform, o, NULL);
        size_t n = 0;
        for (size_t other = 0; other < space->d; other++)
            n += cot_transform_source(space->transform, other, NULL) == j;
        bool category = space->columns[j].n_categories > 0;
        space->shrinkage[o] = category || space->columns[j].discrete ? shrinkage_category : shrinkage_numeric;
        space->scale[o] = category && n > 1 ? (float)(1 / sqrt((double)n - 1)) : 1;
    }
    return COT_OK;
}

static cot_code choose_columns(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                               const struct cot_space_options *options, struct cot_space *space, bool *use,
                               double *coverage, struct cot_err *err)
{
    float *scratch = malloc((n + 1) * sizeof *scratch);
    size_t n_used = 0;
    cot_code rc = COT_OK;
    if (scratch == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t j = 0; j < matrix->d; j++) {
        struct column_facts facts = facts_of(matrix, rows, n, j, scratch);
        coverage[j] = facts.coverage;
        use[j] = !is_dropped(matrix, j, &facts, options, &space->dropped[space->n_dropped]);
        space->n_dropped += !use[j];
        n_used += use[j];
    }
    if (n_used >= 2)
        rc = add_columns(matrix, rows, n, use, space, err);
    for (size_t j = 0; rc == COT_OK && n_used >= 2 && j < space->n_columns; j++)
        space->columns[j].discrete =
            facts_of(matrix, rows, n, space->columns[j].i_matrix, scratch).n_distinct <= MAX_DISCRETE;
    free(scratch);
    if (n_used < 2)
        return cot_fail(err, COT_BAD_DATA,
                        "%zu of %zu features are of use for segments: two are needed; import orders or events, or "
                        "exclude fewer features",
                        n_used, matrix->d);
    return rc;
}

cot_code cot_space_fit(const struct cot_feature_matrix *matrix, const uint32_t *rows, size_t n,
                       const struct cot_space_options *options, struct cot_space **ret_space, struct cot_err *err)
{
    size_t m = n < MAX_FIT_ROWS ? n : MAX_FIT_ROWS;
    struct cot_space *space = calloc(1, sizeof *space);
    bool *use = calloc(matrix->d + 1, sizeof *use);
    bool *discrete = calloc(matrix->d + 1, sizeof *discrete);
    double *coverage = calloc(matrix->d + 1, sizeof *coverage);
    cot_code rc = check_names(matrix, options->features, options->n_features, err);
    if (rc == COT_OK)
        rc = check_names(matrix, options->exclude, options->n_exclude, err);
    if (rc == COT_OK && (space == NULL || use == NULL || discrete == NULL || coverage == NULL))
        rc = cot_fail(err, COT_NOMEM, "columns of segments");
    if (rc != COT_OK)
        goto out;
    space->columns = calloc(matrix->d + 1, sizeof *space->columns);
    space->dropped = calloc(2 * matrix->d + 1, sizeof *space->dropped);
    if (space->columns == NULL || space->dropped == NULL) {
        rc = cot_fail(err, COT_NOMEM, "columns of segments");
        goto out;
    }
    rc = choose_columns(matrix, rows, m, options, space, use, coverage, err);
    if (rc == COT_OK)
        rc = fit_transform(matrix, rows, m, options->n_threads, space, err);
    if (rc == COT_OK)
        rc = drop_twins(matrix, rows, m, options->n_threads, space, use, coverage, err);
    if (rc != COT_OK)
        goto out;
    for (size_t j = 0; j < space->n_columns; j++)
        discrete[space->columns[j].i_matrix] = space->columns[j].discrete;
    clear_columns(space);
    rc = add_columns(matrix, rows, m, use, space, err);
    for (size_t j = 0; rc == COT_OK && j < space->n_columns; j++)
        space->columns[j].discrete = discrete[space->columns[j].i_matrix];
    if (rc == COT_OK)
        rc = fit_transform(matrix, rows, m, options->n_threads, space, err);
    if (rc != COT_OK)
        goto out;
    for (size_t j = 0; j < space->n_columns; j++)
        space->columns[j].coverage = coverage[space->columns[j].i_matrix];
    *ret_space = space;
    space = NULL;
out:
    cot_space_free(space);
    free(use);
    free(discrete);
    free(coverage);
    return rc;
}

void cot_space_raw(const struct cot_space *space, const struct cot_feature_matrix *matrix, uint32_t row, float *raw)
{
    struct mapping mapping = {0};
    struct cot_err ignored;
    for (size_t j = 0; j < space->n_columns; j++)
        raw[j] = NAN;
    if (mapping_init(&mapping, space, matrix, &ignored) == COT_OK)
        fill_raw(space, &mapping, matrix, row, raw);
    mapping_release(&mapping, space->n_columns);
}

cot_code cot_space_apply_raw(const struct cot_space *space, const float *raw, size_t n, unsigned n_threads,
                             float *ret_z, struct cot_err *err)
{
    struct cot_matrix x = {.data = raw, .n = n, .d = space->n_columns, .stride = space->n_columns};
    cot_code rc = cot_transform_apply(space->transform, &x, n_threads, ret_z, err);
    for (size_t i = 0; rc == COT_OK && i < n; i++)
        for (size_t o = 0; o < space->d; o++)
            ret_z[i * space->d + o] *= space->scale[o];
    return rc;
}

cot_code cot_space_apply(const struct cot_space *space, const struct cot_feature_matrix *matrix, const uint32_t *rows,
                         size_t n, unsigned n_threads, float *ret_z, struct cot_err *err)
{
    struct mapping mapping = {0};
    float *raw = malloc(((size_t)BLOCK * space->n_columns + 1) * sizeof *raw);
    cot_code rc = raw == NULL ? cot_fail(err, COT_NOMEM, "rows of segments") : COT_OK;
    if (rc == COT_OK)
        rc = mapping_init(&mapping, space, matrix, err);
    for (size_t begin = 0; rc == COT_OK && begin < n; begin += BLOCK) {
        size_t m = n - begin < BLOCK ? n - begin : BLOCK;
        for (size_t i = 0; i < m; i++)
            fill_raw(space, &mapping, matrix, rows[begin + i], raw + i * space->n_columns);
        rc = cot_space_apply_raw(space, raw, m, n_threads, ret_z + begin * space->d, err);
    }
    mapping_release(&mapping, space->n_columns);
    free(raw);
    return rc;
}
