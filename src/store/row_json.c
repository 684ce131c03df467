#include "store/row_json.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"

/* DuckDB's TIMESTAMP 'infinity' and '-infinity'. */
#define TIMESTAMP_INFINITY INT64_MAX

static cot_code json_at(yyjson_mut_doc *doc, duckdb_logical_type type, duckdb_vector vector, idx_t i,
                        yyjson_mut_val **ret_value, struct cot_err *err);

static yyjson_mut_val *real_json(yyjson_mut_doc *doc, double value)
{
    return isfinite(value) ? yyjson_mut_real(doc, value) : yyjson_mut_null(doc);
}

static yyjson_mut_val *time_json(yyjson_mut_doc *doc, int64_t value, int64_t per_ms_times, int64_t per_ms_divides)
{
    char text[COT_TIME_TEXT_SIZE];
    if (value == TIMESTAMP_INFINITY || value == -TIMESTAMP_INFINITY)
        return yyjson_mut_str(doc, value > 0 ? "infinity" : "-infinity");
    int64_t ms = value * per_ms_times;
    ms = ms / per_ms_divides - (ms % per_ms_divides < 0);
    cot_format_time(ms, text, sizeof text);
    return yyjson_mut_strcpy(doc, text);
}

static yyjson_mut_val *date_json(yyjson_mut_doc *doc, int32_t days)
{
    char text[COT_TIME_TEXT_SIZE];
    if (days == INT32_MAX || days == -INT32_MAX)
        return yyjson_mut_str(doc, days > 0 ? "infinity" : "-infinity");
    cot_format_date(days * COT_MS_PER_DAY, text, sizeof text);
    return yyjson_mut_strcpy(doc, text);
}

static yyjson_mut_val *clock_json(yyjson_mut_doc *doc, duckdb_time value)
{
    char text[32];
    duckdb_time_struct parts = duckdb_from_time(value);
    int used = snprintf(text, sizeof text, "%02d:%02d:%02d", parts.hour, parts.min, parts.sec);
    if (parts.micros != 0)
        snprintf(text + used, sizeof text - (size_t)used, ".%06d", parts.micros);
    return yyjson_mut_strcpy(doc, text);
}

static yyjson_mut_val *interval_json(yyjson_mut_doc *doc, duckdb_interval value)
{
    char text[96];
    if (value.micros == 0)
        snprintf(text, sizeof text, "P%dM%dD", value.months, value.days);
    else
        snprintf(text, sizeof text, "P%dM%dDT%.6gS", value.months, value.days, (double)value.micros / 1e6);
    return yyjson_mut_strcpy(doc, text);
}

/* Decimal digits of a 128-bit number; as a number where 64 bits hold it. */
static yyjson_mut_val *wide_json(yyjson_mut_doc *doc, uint64_t upper, uint64_t lower, bool is_signed)
{
    char text[48];
    char *at = text + sizeof text;
    unsigned __int128 value = ((unsigned __int128)upper << 64) | lower;
    bool negative = is_signed && (upper >> 63) != 0;
    if (negative)
        value = -value;
    if (value <= INT64_MAX)
        return yyjson_mut_sint(doc, negative ? -(int64_t)value : (int64_t)value);
    *--at = '\0';
    for (; value != 0; value /= 10)
        *--at = (char)('0' + (int)(value % 10));
    if (negative)
        *--at = '-';
    return yyjson_mut_strcpy(doc, at);
}

/* DuckDB keeps a UUID as a signed number whose order is that of the text: the top bit is flipped. */
static yyjson_mut_val *uuid_json(yyjson_mut_doc *doc, duckdb_hugeint value)
{
    char text[40];
    uint64_t high = (uint64_t)value.upper ^ (UINT64_C(1) << 63);
    snprintf(text, sizeof text, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
             (high >> 16) & 0xffff, high & 0xffff, value.lower >> 48, value.lower & UINT64_C(0xffffffffffff));
    return yyjson_mut_strcpy(doc, text);
}

static yyjson_mut_val *blob_json(yyjson_mut_doc *doc, duckdb_string_t *value)
{
    static const char digits[] = "0123456789abcdef";
    size_t size = duckdb_string_t_length(*value);
    const unsigned char *bytes = (const unsigned char *)duckdb_string_t_data(value);
    char *hex = malloc(2 * size + 1);
    if (hex == NULL)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    yyjson_mut_val *json = yyjson_mut_strncpy(doc, hex, 2 * size);
    free(hex);
    return json;
}

static int64_t decimal_digits(duckdb_type storage, const void *data, idx_t i)
{
    return storage == DUCKDB_TYPE_SMALLINT  ? ((const int16_t *)data)[i]
           : storage == DUCKDB_TYPE_INTEGER ? ((const int32_t *)data)[i]
                                            : ((const int64_t *)data)[i];
}

static yyjson_mut_val *decimal_json(yyjson_mut_doc *doc, duckdb_logical_type type, const void *data, idx_t i)
{
    duckdb_type storage = duckdb_decimal_internal_type(type);
    double value = storage == DUCKDB_TYPE_HUGEINT ? duckdb_hugeint_to_double(((const duckdb_hugeint *)data)[i])
                                                  : (double)decimal_digits(storage, data, i);
    return real_json(doc, value / pow(10, duckdb_decimal_scale(type)));
}

static yyjson_mut_val *enum_json(yyjson_mut_doc *doc, duckdb_logical_type type, const void *data, idx_t i)
{
    duckdb_type storage = duckdb_enum_internal_type(type);
    idx_t code = storage == DUCKDB_TYPE_UTINYINT    ? ((const uint8_t *)data)[i]
                 : storage == DUCKDB_TYPE_USMALLINT ? ((const uint16_t *)data)[i]
                                                    : ((const uint32_t *)data)[i];
    char *text = duckdb_enum_dictionary_value(type, code);
    yyjson_mut_val *json = text != NULL ? yyjson_mut_strcpy(doc, text) : NULL;
    duckdb_free(text);
    return json;
}

static cot_code items_json(yyjson_mut_doc *doc, duckdb_logical_type child_type, duckdb_vector child, idx_t begin,
                           idx_t n, yyjson_mut_val **ret_value, struct cot_err *err)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    yyjson_mut_val *item = NULL;
    cot_code rc = array != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "result");
    for (idx_t i = begin; rc == COT_OK && i < begin + n; i++) {
        rc = json_at(doc, child_type, child, i, &item, err);
        if (rc == COT_OK)
            yyjson_mut_arr_append(array, item);
    }
    if (rc == COT_OK)
        *ret_value = array;
    return rc;
}

static cot_code list_json(yyjson_mut_doc *doc, duckdb_logical_type type, duckdb_vector vector, idx_t i,
                          yyjson_mut_val **ret_value, struct cot_err *err)
{
    bool is_array = duckdb_get_type_id(type) == DUCKDB_TYPE_ARRAY;
    duckdb_logical_type child_type = is_array ? duckdb_array_type_child_type(type) : duckdb_list_type_child_type(type);
    duckdb_vector child = is_array ? duckdb_array_vector_get_child(vector) : duckdb_list_vector_get_child(vector);
    idx_t size = is_array ? duckdb_array_type_array_size(type) : 0;
    duckdb_list_entry entry = {.offset = i * size, .length = size};
    if (!is_array)
        entry = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[i];
    cot_code rc = items_json(doc, child_type, child, entry.offset, entry.length, ret_value, err);
    duckdb_destroy_logical_type(&child_type);
    return rc;
}

static cot_code struct_json(yyjson_mut_doc *doc, duckdb_logical_type type, duckdb_vector vector, idx_t i,
                            yyjson_mut_val **ret_value, struct cot_err *err)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_val *item = NULL;
    cot_code rc = object != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "result");
    for (idx_t j = 0; rc == COT_OK && j < duckdb_struct_type_child_count(type); j++) {
        duckdb_logical_type child_type = duckdb_struct_type_child_type(type, j);
        char *name = duckdb_struct_type_child_name(type, j);
        rc = json_at(doc, child_type, duckdb_struct_vector_get_child(vector, j), i, &item, err);
        if (rc == COT_OK)
            yyjson_mut_obj_add(object, yyjson_mut_strcpy(doc, name), item);
        duckdb_free(name);
        duckdb_destroy_logical_type(&child_type);
    }
    if (rc == COT_OK)
        *ret_value = object;
    return rc;
}

static yyjson_mut_val *key_text(yyjson_mut_doc *doc, yyjson_mut_val *key)
{
    if (yyjson_mut_is_str(key))
        return key;
    char *text = yyjson_mut_val_write(key, 0, NULL);
    yyjson_mut_val *json = text != NULL ? yyjson_mut_strcpy(doc, text) : NULL;
    free(text);
    return json;
}

/* A map is a list of structs of key and value. */
static cot_code map_json(yyjson_mut_doc *doc, duckdb_logical_type type, duckdb_vector vector, idx_t i,
                         yyjson_mut_val **ret_value, struct cot_err *err)
{
    duckdb_logical_type key_type = duckdb_map_type_key_type(type);
    duckdb_logical_type value_type = duckdb_map_type_value_type(type);
    duckdb_list_entry entry = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[i];
    duckdb_vector pairs = duckdb_list_vector_get_child(vector);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_val *key = NULL;
    yyjson_mut_val *value = NULL;
    cot_code rc = object != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "result");
    for (idx_t j = entry.offset; rc == COT_OK && j < entry.offset + entry.length; j++) {
        rc = json_at(doc, key_type, duckdb_struct_vector_get_child(pairs, 0), j, &key, err);
        if (rc == COT_OK)
            rc = json_at(doc, value_type, duckdb_struct_vector_get_child(pairs, 1), j, &value, err);
        if (rc == COT_OK && !yyjson_mut_obj_add(object, key_text(doc, key), value))
            rc = cot_fail(err, COT_NOMEM, "result");
    }
    duckdb_destroy_logical_type(&key_type);
    duckdb_destroy_logical_type(&value_type);
    if (rc == COT_OK)
        *ret_value = object;
    return rc;
}

static yyjson_mut_val *plain_json(yyjson_mut_doc *doc, duckdb_logical_type type, void *data, idx_t i)
{
    switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN: return yyjson_mut_bool(doc, ((bool *)data)[i]);
    case DUCKDB_TYPE_TINYINT: return yyjson_mut_sint(doc, ((int8_t *)data)[i]);
    case DUCKDB_TYPE_SMALLINT: return yyjson_mut_sint(doc, ((int16_t *)data)[i]);
    case DUCKDB_TYPE_INTEGER: return yyjson_mut_sint(doc, ((int32_t *)data)[i]);
    case DUCKDB_TYPE_BIGINT: return yyjson_mut_sint(doc, ((int64_t *)data)[i]);
    case DUCKDB_TYPE_UTINYINT: return yyjson_mut_uint(doc, ((uint8_t *)data)[i]);
    case DUCKDB_TYPE_USMALLINT: return yyjson_mut_uint(doc, ((uint16_t *)data)[i]);
    case DUCKDB_TYPE_UINTEGER: return yyjson_mut_uint(doc, ((uint32_t *)data)[i]);
    case DUCKDB_TYPE_UBIGINT: return yyjson_mut_uint(doc, ((uint64_t *)data)[i]);
    case DUCKDB_TYPE_FLOAT: return real_json(doc, (double)((float *)data)[i]);
    case DUCKDB_TYPE_DOUBLE: return real_json(doc, ((double *)data)[i]);
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return time_json(doc, ((int64_t *)data)[i], 1, 1000);
    case DUCKDB_TYPE_TIMESTAMP_S: return time_json(doc, ((int64_t *)data)[i], 1000, 1);
    case DUCKDB_TYPE_TIMESTAMP_MS: return time_json(doc, ((int64_t *)data)[i], 1, 1);
    case DUCKDB_TYPE_TIMESTAMP_NS: return time_json(doc, ((int64_t *)data)[i], 1, 1000000);
    case DUCKDB_TYPE_DATE: return date_json(doc, ((int32_t *)data)[i]);
    case DUCKDB_TYPE_TIME: return clock_json(doc, ((duckdb_time *)data)[i]);
    case DUCKDB_TYPE_INTERVAL: return interval_json(doc, ((duckdb_interval *)data)[i]);
    case DUCKDB_TYPE_HUGEINT: {
        duckdb_hugeint value = ((duckdb_hugeint *)data)[i];
        return wide_json(doc, (uint64_t)value.upper, value.lower, true);
    }
    case DUCKDB_TYPE_UHUGEINT: {
        duckdb_uhugeint value = ((duckdb_uhugeint *)data)[i];
        return wide_json(doc, value.upper, value.lower, false);
    }
    case DUCKDB_TYPE_UUID: return uuid_json(doc, ((duckdb_hugeint *)data)[i]);
    case DUCKDB_TYPE_DECIMAL: return decimal_json(doc, type, data, i);
    case DUCKDB_TYPE_ENUM: return enum_json(doc, type, data, i);
    case DUCKDB_TYPE_BLOB: return blob_json(doc, &((duckdb_string_t *)data)[i]);
    case DUCKDB_TYPE_VARCHAR: {
        duckdb_string_t *text = &((duckdb_string_t *)data)[i];
        return yyjson_mut_strncpy(doc, duckdb_string_t_data(text), duckdb_string_t_length(*text));
    }
    default: return yyjson_mut_null(doc);
    }
}

static cot_code json_at(yyjson_mut_doc *doc, duckdb_logical_type type, duckdb_vector vector, idx_t i,
                        yyjson_mut_val **ret_value, struct cot_err *err)
{
    uint64_t *validity = duckdb_vector_get_validity(vector);
    yyjson_mut_val *value = NULL;
    if (validity != NULL && !duckdb_validity_row_is_valid(validity, i)) {
        value = yyjson_mut_null(doc);
    } else {
        switch (duckdb_get_type_id(type)) {
        case DUCKDB_TYPE_LIST:
        case DUCKDB_TYPE_ARRAY: return list_json(doc, type, vector, i, ret_value, err);
        case DUCKDB_TYPE_STRUCT: return struct_json(doc, type, vector, i, ret_value, err);
        case DUCKDB_TYPE_MAP: return map_json(doc, type, vector, i, ret_value, err);
        case DUCKDB_TYPE_UNION:
        case DUCKDB_TYPE_BIT:
        case DUCKDB_TYPE_BIGNUM:
        case DUCKDB_TYPE_TIME_TZ:
        case DUCKDB_TYPE_TIME_NS:
            return cot_fail(err, COT_USAGE,
                            "a column has a type that can't be shown as it is: write cast(... as varchar)");
        default: value = plain_json(doc, type, duckdb_vector_get_data(vector), i);
        }
    }
    if (value == NULL)
        return cot_fail(err, COT_NOMEM, "result");
    *ret_value = value;
    return COT_OK;
}

cot_code cot_row_json(yyjson_mut_doc *doc, struct cot_rows *rows, size_t i_column, yyjson_mut_val **ret_value,
                      struct cot_err *err)
{
    size_t i_row = 0;
    duckdb_logical_type type = cot_rows_logical_type(rows, i_column);
    duckdb_vector vector = cot_rows_duckdb_vector(rows, i_column, &i_row);
    cot_code rc = json_at(doc, type, vector, i_row, ret_value, err);
    duckdb_destroy_logical_type(&type);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "column '%s'", cot_rows_column_name(rows, i_column));
}

void cot_row_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                      size_t i_column)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    if (text == NULL)
        yyjson_mut_obj_add_null(doc, object, key);
    else
        yyjson_mut_obj_add_strncpy(doc, object, key, text, size);
}

void cot_row_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                      size_t i_column)
{
    if (cot_rows_is_null(rows, i_column))
        yyjson_mut_obj_add_null(doc, object, key);
    else
        cot_json_add_time(doc, object, key, cot_rows_int(rows, i_column));
}
