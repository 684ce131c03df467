#include "engine/import_detail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/hash.h"
#include "base/json.h"
#include "domain/batch.h"

static const char *const compressions[] = {"none", "gzip", "zstd"};
static const char *const formats[] = {"delimited", "json lines", "json array", "parquet"};

yyjson_mut_val *cot_import_reads_as(const struct cot_reader_info *info, yyjson_mut_doc *doc)
{
    char delimiter[2] = {info->delimiter, '\0'};
    yyjson_mut_val *value = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, value, "format", formats[info->format]);
    yyjson_mut_obj_add_strcpy(doc, value, "encoding", info->encoding != NULL ? info->encoding : "");
    yyjson_mut_obj_add_str(doc, value, "compression", compressions[info->compression]);
    yyjson_mut_obj_add_strcpy(doc, value, "delimiter", delimiter);
    yyjson_mut_obj_add_bool(doc, value, "header", info->has_header);
    return value;
}

static void hash_string(struct cot_hasher *hasher, const char *text)
{
    cot_hasher_text(hasher, text, text != NULL ? strlen(text) : 0);
}

cot_code cot_import_reading(const struct cot_import_file *file, const struct cot_reader_info *info, char **ret_reading,
                            struct cot_err *err)
{
    struct cot_hasher hasher;
    const struct cot_mapping *mapping = file->mapping;
    cot_hasher_init(&hasher);
    hash_string(&hasher, mapping->connector->name);
    hash_string(&hasher, info->encoding);
    cot_hasher_int(&hasher, info->delimiter);
    cot_hasher_int(&hasher, info->has_header);
    hash_string(&hasher, mapping->currency);
    hash_string(&hasher, mapping->channel);
    hash_string(&hasher, mapping->zone != NULL ? cot_zone_name(mapping->zone) : NULL);
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        hash_string(&hasher, column->name);
        hash_string(&hasher, cot_field_name(column->field));
        hash_string(&hasher, column->key);
        cot_hasher_int(&hasher, column->style.date_order);
        cot_hasher_int(&hasher, column->style.decimal);
    }
    struct cot_hash128 hash = cot_hasher_finish(&hasher);
    if (asprintf(ret_reading, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low) < 0)
        return cot_fail(err, COT_NOMEM, "import");
    return COT_OK;
}

static yyjson_mut_val *describe_columns(const struct cot_mapping *mapping, yyjson_mut_doc *doc)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_str(doc, value, "field", cot_field_name(column->field));
        if (column->key != NULL)
            yyjson_mut_obj_add_strcpy(doc, value, "key", column->key);
        yyjson_mut_obj_add_int(doc, value, "date_order", column->style.date_order);
        yyjson_mut_obj_add_int(doc, value, "decimal", column->style.decimal);
        yyjson_mut_obj_add_strcpy(doc, value, "currency", column->style.currency);
    }
    return array;
}

static yyjson_mut_val *describe_reasons(const struct cot_row_counts *counts, yyjson_mut_doc *doc)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < counts->n_reasons; i++) {
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_str(doc, value, "code", counts->reasons[i].code);
        yyjson_mut_obj_add_uint(doc, value, "rows", counts->reasons[i].n);
    }
    return array;
}

cot_code cot_import_detail(const struct cot_import_file *file, const struct cot_reader_info *info, const char *reading,
                           const struct cot_row_counts *counts, char **ret_detail, struct cot_err *err)
{
    const struct cot_mapping *mapping = file->mapping;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    char *detail = NULL;
    if (doc != NULL) {
        yyjson_mut_val *root = cot_import_reads_as(info, doc);
        yyjson_mut_val *columns = yyjson_mut_arr(doc);
        yyjson_mut_doc_set_root(doc, root);
        yyjson_mut_obj_add_str(doc, root, "reading", reading);
        for (size_t i = 0; i < info->n_columns; i++)
            yyjson_mut_arr_add_str(doc, columns, info->columns[i]);
        yyjson_mut_obj_add_val(doc, root, "columns", columns);
        yyjson_mut_obj_add_str(doc, root, "connector", mapping->connector->name);
        yyjson_mut_obj_add_str(doc, root, "source", file->source_name);
        yyjson_mut_obj_add_str(doc, root, "zone", mapping->zone != NULL ? cot_zone_name(mapping->zone) : "UTC");
        yyjson_mut_obj_add_str(doc, root, "currency", mapping->currency);
        if (mapping->channel != NULL)
            yyjson_mut_obj_add_str(doc, root, "channel", mapping->channel);
        yyjson_mut_obj_add_val(doc, root, "fields", describe_columns(mapping, doc));
        yyjson_mut_obj_add_val(doc, root, "mapping", cot_mapping_describe(mapping, doc));
        yyjson_mut_obj_add_uint(doc, root, "undated", counts->n_undated);
        yyjson_mut_obj_add_uint(doc, root, "timeless", counts->n_timeless);
        yyjson_mut_obj_add_val(doc, root, "reasons", describe_reasons(counts, doc));
        detail = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL);
    }
    yyjson_mut_doc_free(doc);
    if (detail == NULL)
        return cot_fail(err, COT_NOMEM, "import");
    *ret_detail = detail;
    return COT_OK;
}

void cot_import_columns_free(char **columns)
{
    for (size_t i = 0; columns != NULL && columns[i] != NULL; i++)
        free(columns[i]);
    free(columns);
}

static const char *text_at(yyjson_val *object, const char *key)
{
    const char *text = yyjson_get_str(yyjson_obj_get(object, key));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Column names and, of each column that no option of now names, what it was understood as. */
static cot_code list_columns(yyjson_val *root, const struct cot_mapping_options *options, char **columns,
                             struct cot_column_override *overrides, size_t *ret_n_overrides, struct cot_err *err)
{
    size_t i, n;
    yyjson_val *name;
    yyjson_val *fields = yyjson_obj_get(root, "fields");
    size_t n_overrides = 0;
    yyjson_arr_foreach(cot_json_some(yyjson_obj_get(root, "columns")), i, n, name)
    {
        yyjson_val *field = yyjson_arr_get(fields, i);
        char *number = NULL;
        char *what = NULL;
        columns[i] = strdup(yyjson_get_str(name) != NULL ? yyjson_get_str(name) : "");
        bool named = false;
        for (size_t j = 0; j < options->n_overrides && columns[i] != NULL; j++)
            named |= strcmp(options->overrides[j].column, columns[i]) == 0;
        if (named)
            continue;
        const char *key = text_at(field, "key") != NULL ? text_at(field, "key") : text_at(field, "trait");
        const char *word = text_at(field, "field") != NULL ? text_at(field, "field") : "ignore";
        if (asprintf(&number, "%zu", i + 1) < 0 ||
            asprintf(&what, "%s%s%s", word, key != NULL ? ":" : "", key != NULL ? key : "") < 0 || columns[i] == NULL) {
            free(number);
            return cot_fail(err, COT_NOMEM, "columns");
        }
        overrides[n_overrides++] = (struct cot_column_override){.column = number, .field = what};
        *ret_n_overrides = n_overrides;
    }
    return COT_OK;
}

/* Sets what was decided on each column then, unless an option of now decides. */
static void settle_as_then(struct cot_mapping *mapping, yyjson_val *fields, const struct cot_mapping_options *options)
{
    for (size_t i = 0; i < mapping->n_columns; i++) {
        yyjson_val *field = yyjson_arr_get(fields, i);
        struct cot_column_style *style = &mapping->columns[i].style;
        const char *currency = text_at(field, "currency");
        style->date_order = options->date_order != COT_DATE_ORDER_UNKNOWN
                                ? options->date_order
                                : (enum cot_date_order)yyjson_get_int(yyjson_obj_get(field, "date_order"));
        style->decimal = options->decimal != COT_DECIMAL_UNKNOWN
                             ? options->decimal
                             : (enum cot_decimal_mark)yyjson_get_int(yyjson_obj_get(field, "decimal"));
        if (currency != NULL)
            snprintf(style->currency, sizeof style->currency, "%s", currency);
    }
    mapping->is_settled = true;
}

cot_code cot_import_detail_mapping(const char *detail, size_t size, const struct cot_mapping_options *options,
                                   struct cot_mapping **ret_mapping, char ***ret_columns, size_t *ret_n_columns,
                                   struct cot_err *err)
{
    yyjson_doc *doc = NULL;
    if (cot_json_read(detail, size, YYJSON_READ_ALLOW_INVALID_UNICODE, &doc, err) == COT_NOMEM)
        return COT_NOMEM;
    yyjson_val *root = yyjson_doc_get_root(doc);
    size_t n_columns = yyjson_arr_size(yyjson_obj_get(root, "columns"));
    char **columns = calloc(n_columns + 1, sizeof *columns);
    struct cot_column_override *overrides = calloc(n_columns + options->n_overrides + 1, sizeof *overrides);
    size_t n_own = 0;
    struct cot_mapping *mapping = NULL;
    const struct cot_batch no_rows = {.n_columns = n_columns};
    cot_code rc = COT_OK;
    if (columns == NULL || overrides == NULL) {
        rc = cot_fail(err, COT_NOMEM, "columns");
        goto out;
    }
    if (n_columns == 0) {
        rc = cot_fail(err, COT_BAD_DATA, "the import's record of how its file was understood is damaged");
        goto out;
    }
    rc = list_columns(root, options, columns, overrides, &n_own, err);
    if (rc != COT_OK)
        goto out;
    struct cot_mapping_options then = *options;
    for (size_t i = 0; i < options->n_overrides; i++)
        overrides[n_own + i] = options->overrides[i];
    then.overrides = overrides;
    then.n_overrides = n_own + options->n_overrides;
    then.connector = text_at(root, "connector");
    then.currency = options->currency != NULL ? options->currency : text_at(root, "currency");
    then.time_zone = options->time_zone != NULL ? options->time_zone : text_at(root, "zone");
    then.channel = options->channel != NULL ? options->channel : text_at(root, "channel");
    then.has_header = yyjson_get_bool(yyjson_obj_get(root, "header"));
    rc = cot_connector_detect((const char *const *)columns, n_columns, &no_rows, &then, &mapping, err);
    if (rc != COT_OK)
        goto out;
    settle_as_then(mapping, yyjson_obj_get(root, "fields"), options);
    *ret_mapping = mapping;
    *ret_columns = columns;
    *ret_n_columns = n_columns;
    columns = NULL;
out:
    for (size_t i = 0; i < n_own; i++) {
        free((void *)(uintptr_t)overrides[i].column);
        free((void *)(uintptr_t)overrides[i].field);
    }
    free(overrides);
    cot_import_columns_free(columns);
    yyjson_doc_free(doc);
    return rc;
}
