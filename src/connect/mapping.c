/* Mappings: the evidence of their columns, and what is decided from it (see connector.h). */
#include <stdlib.h>
#include <string.h>

#include "connect/connector.h"

/* Rows of evidence that are enough where nothing is open. */
enum { ENOUGH_ROWS = 20000 };

void cot_mapping_free(struct cot_mapping *mapping)
{
    if (mapping == NULL)
        return;
    for (size_t i = 0; i < mapping->n_columns; i++) {
        free(mapping->columns[i].name);
        free(mapping->columns[i].key);
    }
    free(mapping->columns);
    cot_zone_free(mapping->zone);
    free(mapping->channel);
    free(mapping->explanation);
    free(mapping);
}

static bool has_key(const struct cot_mapped_column *column)
{
    return column->field == COT_FIELD_TRAIT || column->field == COT_FIELD_PROPERTY;
}

static bool is_number(const struct cot_mapped_column *column)
{
    return has_key(column) || cot_field_type(column->field) == COT_FIELD_TYPE_NUMBER;
}

static bool is_time(const struct cot_mapped_column *column)
{
    return cot_field_type(column->field) == COT_FIELD_TYPE_TIME;
}

/* Traits and properties that can't be told stay text: no reason to refuse a file. */
static bool may_stay_open(const struct cot_mapped_column *column)
{
    return has_key(column) || column->field == COT_FIELD_BIRTH_DATE || column->field == COT_FIELD_SIGNED_UP_AT;
}

void cot_mapping_observe(struct cot_mapping *mapping, const struct cot_batch *batch)
{
    for (size_t i = 0; i < mapping->n_columns && i < batch->n_columns; i++) {
        struct cot_mapped_column *column = &mapping->columns[i];
        bool number = is_number(column);
        if (!number && !is_time(column))
            continue;
        for (size_t row = 0; row < batch->n_rows; row++) {
            const struct cot_cell *cell = cot_batch_cell(batch, row, i);
            if (number)
                cot_style_observe_number(&column->style, cell->data, cell->size);
            else
                cot_style_observe_date(&column->style, cell->data, cell->size);
        }
    }
    mapping->n_observed += batch->n_rows;
}

static bool is_open(const struct cot_mapping *mapping, const struct cot_mapped_column *column)
{
    const struct cot_column_style *style = &column->style;
    if (may_stay_open(column))
        return false;
    if (is_time(column))
        return mapping->date_order == COT_DATE_ORDER_UNKNOWN && style->n_either > 0 && style->n_dmy == style->n_mdy;
    return is_number(column) && mapping->decimal == COT_DECIMAL_UNKNOWN && style->n_mark_either > 0 &&
           style->n_point == style->n_comma;
}

bool cot_mapping_settled(const struct cot_mapping *mapping)
{
    for (size_t i = 0; i < mapping->n_columns; i++)
        if (is_open(mapping, &mapping->columns[i]))
            return false;
    return mapping->n_observed >= ENOUGH_ROWS;
}

/* What the columns of the file say together: a file has one way to write dates, and one for numbers. */
static void sum_styles(const struct cot_mapping *mapping, struct cot_column_style *dates,
                       struct cot_column_style *numbers)
{
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        if (is_time(column)) {
            dates->n_dmy += column->style.n_dmy;
            dates->n_mdy += column->style.n_mdy;
        } else if (is_number(column)) {
            numbers->n_point += column->style.n_point;
            numbers->n_comma += column->style.n_comma;
        }
    }
}

static cot_code settle_dates(const struct cot_mapping *mapping, struct cot_mapped_column *column,
                             const struct cot_column_style *all, struct cot_err *err)
{
    struct cot_column_style *style = &column->style;
    style->date_order = mapping->date_order;
    if (style->date_order == COT_DATE_ORDER_UNKNOWN)
        style->date_order = cot_style_date_order(style);
    bool mixed = style->date_order == COT_DATE_ORDER_UNKNOWN && style->n_dmy > 0 && style->n_mdy > 0;
    if (mixed && !may_stay_open(column))
        return cot_fail(
            err, COT_BAD_DATA,
            "column '%.60s': %llu of its dates can only be day first, %llu only month first: say which the "
            "others are by --date-order dmy or --date-order mdy, and what can't be read waits in quarantine",
            column->name, (unsigned long long)style->n_dmy, (unsigned long long)style->n_mdy);
    if (style->date_order == COT_DATE_ORDER_UNKNOWN)
        style->date_order = cot_style_date_order(all);
    if (style->date_order != COT_DATE_ORDER_UNKNOWN || style->n_either == 0 || may_stay_open(column))
        return COT_OK;
    return cot_fail(err, COT_BAD_DATA,
                    "column '%.60s': '%s' may be day first or month first, and no date of the file decides: say "
                    "--date-order dmy or --date-order mdy",
                    column->name, style->example);
}

static cot_code settle_numbers(const struct cot_mapping *mapping, struct cot_mapped_column *column,
                               const struct cot_column_style *all, struct cot_err *err)
{
    struct cot_column_style *style = &column->style;
    style->decimal = mapping->decimal;
    if (style->decimal == COT_DECIMAL_UNKNOWN)
        style->decimal = cot_style_decimal(style);
    /* A column without any mark takes the file's: "1.234" alone is not evidence, nor are whole numbers. */
    if (mapping->decimal == COT_DECIMAL_UNKNOWN && style->n_point == style->n_comma && all->n_point != all->n_comma)
        style->decimal = cot_style_decimal(all);
    if (style->decimal != COT_DECIMAL_UNKNOWN || may_stay_open(column))
        return COT_OK;
    return cot_fail(err, COT_BAD_DATA,
                    "column '%.60s': '%s' may be a number with a decimal comma or with thousands, and no number of the "
                    "file decides: say --decimal comma or --decimal point",
                    column->name, style->example);
}

/* A currency sign in the amounts, where neither option, shape nor column names one. */
static void settle_currency(struct cot_mapping *mapping)
{
    for (size_t i = 0; i < mapping->n_columns && mapping->currency[0] == '\0'; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        if (cot_field_type(column->field) == COT_FIELD_TYPE_NUMBER && column->style.currency[0] != '\0')
            memcpy(mapping->currency, column->style.currency, sizeof mapping->currency);
    }
    mapping->currency_is_assumed = mapping->has_currency_option || mapping->currency[0] == '\0';
    if (mapping->currency[0] == '\0')
        memcpy(mapping->currency, mapping->base_currency, sizeof mapping->currency);
}

cot_code cot_mapping_settle(struct cot_mapping *mapping, struct cot_err *err)
{
    struct cot_column_style dates = {0};
    struct cot_column_style numbers = {0};
    cot_code rc = COT_OK;
    sum_styles(mapping, &dates, &numbers);
    for (size_t i = 0; i < mapping->n_columns && rc == COT_OK; i++) {
        struct cot_mapped_column *column = &mapping->columns[i];
        if (is_time(column))
            rc = settle_dates(mapping, column, &dates, err);
        else if (is_number(column))
            rc = settle_numbers(mapping, column, &numbers, err);
    }
    if (rc == COT_OK) {
        settle_currency(mapping);
        mapping->is_settled = true;
    }
    return rc;
}

static const char *reads_as(const struct cot_mapping *mapping, const struct cot_mapped_column *column)
{
    if (is_time(column)) {
        if (column->style.date_order == COT_DATE_ORDER_DMY)
            return "date, day first";
        return column->style.date_order == COT_DATE_ORDER_MDY ? "date, month first" : "date";
    }
    if (column->field == COT_FIELD_TRAIT || !mapping->is_settled)
        return "text";
    if (is_number(column))
        return column->style.decimal == COT_DECIMAL_COMMA ? "number, decimal comma" : "number, decimal point";
    return "text";
}

yyjson_mut_val *cot_mapping_describe(const struct cot_mapping *mapping, yyjson_mut_doc *doc)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_val *columns = yyjson_mut_arr(doc);
    yyjson_mut_obj_add_str(doc, object, "connector", mapping->connector->name);
    yyjson_mut_obj_add_str(doc, object, "title", mapping->connector->title);
    yyjson_mut_obj_add_str(doc, object, "kind", cot_file_kind_name(mapping->connector->kind));
    yyjson_mut_obj_add_strcpy(doc, object, "currency", mapping->currency);
    yyjson_mut_obj_add_strcpy(doc, object, "time_zone", cot_zone_name(mapping->zone));
    yyjson_mut_obj_add_str(doc, object, "description", mapping->connector->description);
    yyjson_mut_obj_add_strcpy(doc, object, "why", mapping->explanation);
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct cot_mapped_column *column = &mapping->columns[i];
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, columns);
        yyjson_mut_obj_add_strcpy(doc, row, "column", column->name);
        yyjson_mut_obj_add_str(doc, row, "field", cot_field_name(column->field));
        if (column->key != NULL)
            yyjson_mut_obj_add(row, yyjson_mut_strcpy(doc, cot_field_name(column->field)),
                               yyjson_mut_strcpy(doc, column->key));
        yyjson_mut_obj_add_str(doc, row, "reads_as", reads_as(mapping, column));
    }
    yyjson_mut_obj_add_val(doc, object, "columns", columns);
    return object;
}
