#include "engine/features.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/number.h"
#include "engine/context_store.h"
#include "engine/feature_table.h"
#include "store/store.h"

enum { N_BINS = 16, N_ENDS = 5 };

cot_code cot_features_compute(const struct cot_context *context, struct cot_store *store,
                              const struct cot_features_options *options, struct cot_shop **ret_shop,
                              struct cot_feature_matrix *ret_matrix, struct cot_err *err)
{
    struct cot_shop *shop = NULL;
    struct cot_shop_options shop_options = {
        .as_of_ms = COT_AS_OF_LAST_DAY, .n_threads = context->n_threads, .progress = &context->progress};
    struct cot_feature_matrix_options matrix_options = {.timeless = options->without_timeless ? COT_WITHOUT_TIMELESS
                                                                                              : COT_WITH_TIMELESS,
                                                        .n_threads = context->n_threads,
                                                        .progress = &context->progress};
    cot_code rc = COT_OK;
    if (options->as_of != NULL)
        rc = cot_shop_as_of(store, options->as_of, &shop_options.as_of_ms, err);
    if (rc == COT_OK)
        rc = cot_shop_load(store, &shop_options, &shop, err);
    if (rc == COT_OK)
        rc = cot_feature_matrix_fill(&shop->history, &matrix_options, ret_matrix, err);
    if (rc != COT_OK) {
        cot_shop_free(shop);
        return rc;
    }
    *ret_shop = shop;
    return COT_OK;
}

/* Features as they are looked at, without a change to the store. */
struct look {
    struct cot_store *store;
    struct cot_shop *shop;
    struct cot_feature_matrix matrix;
    yyjson_mut_doc *doc; /* the answer, and its root */
    yyjson_mut_val *root;
};

/* To be closed even where it fails. */
static cot_code look_open(const struct cot_context *context, const struct cot_features_options *options,
                          struct look *look, struct cot_err *err)
{
    *look = (struct look){0};
    cot_code rc = cot_json_document(&look->doc, &look->root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &look->store, err);
    return rc == COT_OK ? cot_features_compute(context, look->store, options, &look->shop, &look->matrix, err) : rc;
}

/* Ends a look that came to rc. */
static cot_code look_close(struct look *look, cot_code rc, yyjson_mut_doc **ret_doc)
{
    cot_feature_matrix_free(&look->matrix);
    cot_shop_free(look->shop);
    cot_store_close(look->store);
    return cot_json_finish(rc, look->doc, ret_doc);
}

static yyjson_mut_val *feature_json(yyjson_mut_doc *doc, const struct cot_feature_column *column)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, object, "name", column->name);
    yyjson_mut_obj_add_strcpy(doc, object, "title", column->title);
    yyjson_mut_obj_add_str(doc, object, "group", cot_feature_group_name(column->group));
    yyjson_mut_obj_add_strcpy(doc, object, "unit", column->unit);
    yyjson_mut_obj_add_strcpy(doc, object, "description", column->description);
    yyjson_mut_obj_add_str(doc, object, "transform", cot_transform_kind_name(column->transform));
    yyjson_mut_obj_add_str(doc, object, "purpose", cot_purpose_name(column->purpose));
    yyjson_mut_obj_add_bool(doc, object, "timeless", column->timeless);
    return object;
}

/* Adds coverage and whether the values differ, of column j. */
static void add_coverage(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_feature_matrix *matrix, size_t j)
{
    size_t n_present = 0;
    bool distinct = false;
    float first = NAN;
    for (size_t i = 0; i < matrix->n; i++) {
        float value = matrix->values[i * matrix->d + j];
        if (isnan(value))
            continue;
        if (n_present++ == 0)
            first = value;
        distinct |= value != first;
    }
    yyjson_mut_obj_add_real(doc, object, "coverage",
                            matrix->n > 0 ? cot_json_round((double)n_present / (double)matrix->n, 6) : 0);
    yyjson_mut_obj_add_bool(doc, object, "distinct", distinct);
}

static void add_as_of(const struct look *look)
{
    cot_shop_add_as_of(look->doc, look->root, look->shop, look->matrix.as_of_ms);
    yyjson_mut_obj_add_uint(look->doc, look->root, "customers", look->matrix.n);
}

static void list_catalogue(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *array)
{
    yyjson_mut_obj_add_null(doc, root, "as_of");
    yyjson_mut_obj_add_null(doc, root, "as_of_day");
    yyjson_mut_obj_add_uint(doc, root, "customers", 0);
    for (size_t j = 0; j < cot_n_features; j++) {
        const struct cot_feature *feature = &cot_features[j];
        char *name = strdup(feature->name);
        char *title = strdup(feature->title);
        struct cot_feature_column column = {.name = name,
                                            .title = title,
                                            .group = feature->group,
                                            .unit = feature->unit,
                                            .description = feature->description,
                                            .transform = feature->transform,
                                            .purpose = feature->purpose};
        yyjson_mut_val *object = name != NULL && title != NULL ? feature_json(doc, &column) : NULL;
        if (object != NULL) {
            yyjson_mut_obj_add_null(doc, object, "coverage");
            yyjson_mut_obj_add_null(doc, object, "distinct");
            yyjson_mut_arr_append(array, object);
        }
        free(name);
        free(title);
    }
}

cot_code cot_features_list_run(const struct cot_context *context, const struct cot_features_options *options,
                               yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct look look;
    cot_code rc = look_open(context, options, &look, err);
    yyjson_mut_val *array = yyjson_mut_arr(look.doc);
    if (rc == COT_NOT_FOUND && options->as_of == NULL) {
        list_catalogue(look.doc, look.root, array);
        rc = COT_OK;
    } else if (rc == COT_OK) {
        add_as_of(&look);
        for (size_t j = 0; j < look.matrix.d; j++) {
            yyjson_mut_val *object = feature_json(look.doc, &look.matrix.columns[j]);
            add_coverage(look.doc, object, &look.matrix, j);
            yyjson_mut_arr_append(array, object);
        }
    }
    yyjson_mut_obj_add_val(look.doc, look.root, "features", array);
    return look_close(&look, rc, ret_doc);
}

/* The shortest decimal that says a float: 0.1, not 0.10000000149. */
static double plain(double value)
{
    char text[40];
    double result = value;
    int size = snprintf(text, sizeof text, "%.7g", value);
    return cot_parse_double(text, (size_t)size, &result) ? result : value;
}

/* A customer's value. */
struct ranked {
    float value;
    uint32_t i_customer;
};

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->i_customer < y->i_customer ? -1 : x->i_customer > y->i_customer;
}

static double to_scale(enum cot_transform_kind kind, double x)
{
    if (kind == COT_TRANSFORM_LOG1P || kind == COT_TRANSFORM_SIGNED_LOG1P)
        return x < 0 ? -log1p(-x) : log1p(x);
    return x;
}

static double from_scale(enum cot_transform_kind kind, double x)
{
    if (kind == COT_TRANSFORM_LOG1P || kind == COT_TRANSFORM_SIGNED_LOG1P)
        return x < 0 ? -expm1(-x) : expm1(x);
    return x;
}

/* Bins of equal width on the feature's own scale. */
static void add_histogram(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct ranked *ranked, size_t n,
                          enum cot_transform_kind kind)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    double low = n > 0 ? to_scale(kind, (double)ranked[0].value) : 0;
    double high = n > 0 ? to_scale(kind, (double)ranked[n - 1].value) : 0;
    size_t n_bins = high > low ? N_BINS : n > 0;
    size_t i = 0;
    for (size_t bin = 0; bin < n_bins; bin++) {
        double from = from_scale(kind, low + (high - low) * (double)bin / (double)n_bins);
        double to = from_scale(kind, low + (high - low) * (double)(bin + 1) / (double)n_bins);
        size_t start = i;
        while (i < n && (bin + 1 == n_bins || (double)ranked[i].value < to))
            i++;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_real(doc, object, "from", plain(bin == 0 ? (double)ranked[0].value : from));
        yyjson_mut_obj_add_real(doc, object, "to", plain(bin + 1 == n_bins ? (double)ranked[n - 1].value : to));
        yyjson_mut_obj_add_uint(doc, object, "customers", i - start);
        yyjson_mut_obj_add_real(doc, object, "share", cot_json_round((double)(i - start) / (double)n, 6));
    }
    yyjson_mut_obj_add_val(doc, root, "histogram", array);
}

static void add_ends(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_shop *shop,
                     const struct ranked *ranked, size_t n, bool highest)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < n && i < N_ENDS; i++) {
        const struct ranked *end = &ranked[highest ? n - 1 - i : i];
        char buffer[COT_ANONYMOUS_ID_SIZE];
        size_t size = 0;
        const char *id = cot_shop_customer_id(shop, end->i_customer, buffer, &size);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strncpy(doc, object, "customer_id", id, size);
        yyjson_mut_obj_add_real(doc, object, "value", plain((double)end->value));
    }
    yyjson_mut_obj_add_val(doc, root, highest ? "highest" : "lowest", array);
}

static void add_numbers(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_shop *shop,
                        const struct ranked *ranked, size_t n, enum cot_transform_kind kind)
{
    static const double shares[] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};
    yyjson_mut_val *quantiles = yyjson_mut_arr(doc);
    double mean = 0;
    double m2 = 0;
    for (size_t i = 0; i < n; i++) {
        double delta = (double)ranked[i].value - mean;
        mean += delta / (double)(i + 1);
        m2 += delta * ((double)ranked[i].value - mean);
    }
    cot_json_add_number(doc, root, "mean", n > 0 ? mean : NAN);
    cot_json_add_number(doc, root, "deviation", n > 1 ? sqrt(m2 / (double)(n - 1)) : NAN);
    for (size_t q = 0; n > 0 && q < sizeof shares / sizeof *shares; q++) {
        double place = shares[q] * (double)(n - 1);
        size_t i = (size_t)place;
        double next = (double)ranked[i + 1 < n ? i + 1 : i].value;
        double value = (double)ranked[i].value + (place - (double)i) * (next - (double)ranked[i].value);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, quantiles);
        yyjson_mut_obj_add_real(doc, object, "share", shares[q]);
        yyjson_mut_obj_add_real(doc, object, "value", plain(value));
    }
    yyjson_mut_obj_add_val(doc, root, "quantiles", quantiles);
    add_histogram(doc, root, ranked, n, kind);
    add_ends(doc, root, shop, ranked, n, true);
    add_ends(doc, root, shop, ranked, n, false);
}

static void add_categories(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_feature_column *column,
                           const struct ranked *ranked, size_t n)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    size_t i = 0;
    for (size_t code = 0; code < column->n_categories; code++) {
        size_t start = i;
        while (i < n && ranked[i].value <= (float)code)
            i++;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strcpy(doc, object, "name", column->category_names[code]);
        yyjson_mut_obj_add_uint(doc, object, "customers", i - start);
        yyjson_mut_obj_add_real(doc, object, "share", cot_json_round((double)(i - start) / (double)n, 6));
    }
    yyjson_mut_obj_add_val(doc, root, "categories", array);
}

/* Names that share the first letters with what was asked for. */
static cot_code fail_unknown(const struct cot_feature_matrix *matrix, const char *name, struct cot_err *err)
{
    char near[400] = "";
    size_t used = 0;
    size_t prefix = strcspn(name, "_") < 4 ? strcspn(name, "_") : 4;
    for (size_t j = 0; j < matrix->d; j++)
        if (prefix > 0 && strncmp(matrix->columns[j].name, name, prefix) == 0 &&
            used + strlen(matrix->columns[j].name) + 3 < sizeof near)
            used += (size_t)snprintf(near + used, sizeof near - used, "%s%s", used > 0 ? ", " : "",
                                     matrix->columns[j].name);
    return cot_fail(err, COT_NOT_FOUND, "no feature '%s': %s%s'coterie features list' shows all", name,
                    used > 0 ? near : "", used > 0 ? " are near; " : "");
}

static cot_code show_column(const struct look *look, size_t j, struct cot_err *err)
{
    const struct cot_feature_matrix *matrix = &look->matrix;
    const struct cot_feature_column *column = &matrix->columns[j];
    yyjson_mut_doc *doc = look->doc;
    yyjson_mut_val *root = look->root;
    yyjson_mut_val *feature = feature_json(doc, column);
    size_t n = 0;
    struct ranked *ranked = malloc((matrix->n + 1) * sizeof *ranked);
    if (ranked == NULL)
        return cot_fail(err, COT_NOMEM, "values of %zu customers", matrix->n);
    for (size_t i = 0; i < matrix->n; i++) {
        float value = matrix->values[i * matrix->d + j];
        if (!isnan(value))
            ranked[n++] = (struct ranked){value, (uint32_t)i};
    }
    qsort(ranked, n, sizeof *ranked, ranked_compare);
    add_coverage(doc, feature, matrix, j);
    yyjson_mut_obj_add_val(doc, root, "feature", feature);
    add_as_of(look);
    yyjson_mut_obj_add_uint(doc, root, "missing", matrix->n - n);
    if (column->transform == COT_TRANSFORM_CATEGORY)
        add_categories(doc, root, column, ranked, n);
    else
        add_numbers(doc, root, look->shop, ranked, n, column->transform);
    free(ranked);
    return COT_OK;
}

cot_code cot_features_show_run(const struct cot_context *context, const char *name,
                               const struct cot_features_options *options, yyjson_mut_doc **ret_doc,
                               struct cot_err *err)
{
    struct look look;
    cot_code rc = look_open(context, options, &look, err);
    size_t j = rc == COT_OK ? cot_feature_matrix_find(&look.matrix, name) : SIZE_MAX;
    if (rc == COT_OK)
        rc = j == SIZE_MAX ? fail_unknown(&look.matrix, name, err) : show_column(&look, j, err);
    return look_close(&look, rc, ret_doc);
}

static cot_code copy_to_file(struct cot_store *store, const char *path, enum cot_features_format format,
                             struct cot_err *err)
{
    char *part = NULL;
    char *quoted = NULL;
    cot_code rc = COT_OK;
    if (asprintf(&part, "%s.part", path) < 0)
        part = NULL;
    quoted = part != NULL ? cot_sql_quote(part) : NULL;
    if (quoted == NULL)
        rc = cot_fail(err, COT_NOMEM, "export");
    else
        rc = cot_store_exec(store, err, "copy (select * exclude (customer) from temp.feature_export) to %s (%s)",
                            quoted, format == COT_FEATURES_PARQUET ? "format parquet" : "format csv, header true");
    if (rc == COT_OK && rename(part, path) != 0)
        rc = cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(errno));
    if (rc != COT_OK && part != NULL)
        unlink(part);
    free(part);
    free(quoted);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc == COT_USAGE || rc == COT_BAD_DATA ? COT_IO : rc, "'%s'", path);
}

cot_code cot_features_export_run(const struct cot_context *context, const struct cot_features_options *options,
                                 const char *path, enum cot_features_format format, yyjson_mut_doc **ret_doc,
                                 struct cot_err *err)
{
    struct look look;
    cot_code rc = look_open(context, options, &look, err);
    if (rc == COT_OK)
        rc = cot_feature_table_write(look.store, COT_FEATURE_TABLE_TEMPORARY, "feature_export", look.shop, &look.matrix,
                                     &context->progress, err);
    if (rc == COT_OK)
        rc = copy_to_file(look.store, path, format, err);
    if (rc == COT_OK) {
        add_as_of(&look);
        yyjson_mut_obj_add_uint(look.doc, look.root, "features", look.matrix.d);
        yyjson_mut_obj_add_strcpy(look.doc, look.root, "path", path);
        yyjson_mut_obj_add_str(look.doc, look.root, "format", format == COT_FEATURES_PARQUET ? "parquet" : "csv");
    }
    return look_close(&look, rc, ret_doc);
}
