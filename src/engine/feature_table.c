#include "engine/feature_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/progress.h"
#include "engine/features.h"
#include "store/store.h"

static cot_code make_table(struct cot_store *store, enum cot_feature_table where, const char *table,
                           const struct cot_feature_matrix *matrix, struct cot_err *err)
{
    struct cot_buf sql = {0};
    cot_code rc = cot_buf_printf(&sql, err, "create or replace %stable %s(customer integer, customer_id varchar",
                                 where == COT_FEATURE_TABLE_TEMPORARY ? "temporary " : "", table);
    for (size_t j = 0; rc == COT_OK && j < matrix->d; j++)
        rc = cot_buf_printf(&sql, err, ", \"%s\" %s", matrix->columns[j].name,
                            matrix->columns[j].transform == COT_TRANSFORM_CATEGORY ? "varchar" : "float");
    if (rc == COT_OK)
        rc = cot_buf_puts(&sql, ")", err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "%s", cot_buf_text(&sql));
    cot_buf_release(&sql);
    return rc;
}

static void put_numbers(duckdb_vector vector, const struct cot_feature_matrix *matrix, size_t j, size_t first, size_t n)
{
    float *values = duckdb_vector_get_data(vector);
    uint64_t *validity = NULL;
    for (size_t i = 0; i < n; i++) {
        values[i] = matrix->values[(first + i) * matrix->d + j];
        if (!isnan(values[i]))
            continue;
        if (validity == NULL) {
            duckdb_vector_ensure_validity_writable(vector);
            validity = duckdb_vector_get_validity(vector);
        }
        duckdb_validity_set_row_invalid(validity, i);
    }
}

static void put_words(duckdb_vector vector, const struct cot_feature_matrix *matrix, size_t j, size_t first, size_t n)
{
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    for (size_t i = 0; i < n; i++) {
        float value = matrix->values[(first + i) * matrix->d + j];
        if (isnan(value))
            duckdb_validity_set_row_invalid(validity, i);
        else
            duckdb_vector_assign_string_element(vector, i, matrix->columns[j].category_names[(size_t)value]);
    }
}

static cot_code put_chunk(duckdb_appender appender, duckdb_data_chunk chunk, const struct cot_shop *shop,
                          const struct cot_feature_matrix *matrix, size_t first, size_t n, struct cot_err *err)
{
    duckdb_data_chunk_reset(chunk);
    int32_t *customers = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    duckdb_vector ids = duckdb_data_chunk_get_vector(chunk, 1);
    for (size_t i = 0; i < n; i++) {
        char buffer[COT_ANONYMOUS_ID_SIZE];
        size_t size = 0;
        const char *id = cot_shop_customer_id(shop, (uint32_t)(first + i), buffer, &size);
        customers[i] = (int32_t)matrix->customers[first + i];
        duckdb_vector_assign_string_element_len(ids, i, id, size);
    }
    for (size_t j = 0; j < matrix->d; j++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, j + 2);
        if (matrix->columns[j].transform == COT_TRANSFORM_CATEGORY)
            put_words(vector, matrix, j, first, n);
        else
            put_numbers(vector, matrix, j, first, n);
    }
    duckdb_data_chunk_set_size(chunk, n);
    if (duckdb_append_data_chunk(appender, chunk) == DuckDBSuccess)
        return COT_OK;
    duckdb_error_data data = duckdb_appender_error_data(appender);
    cot_code rc = cot_duckdb_fail(err, COT_IO, "storing features", duckdb_error_data_message(data));
    duckdb_destroy_error_data(&data);
    return rc;
}

static duckdb_data_chunk make_chunk(const struct cot_feature_matrix *matrix)
{
    duckdb_logical_type *types = calloc(matrix->d + 2, sizeof *types);
    if (types == NULL)
        return NULL;
    types[0] = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    types[1] = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    for (size_t j = 0; j < matrix->d; j++)
        types[j + 2] = duckdb_create_logical_type(
            matrix->columns[j].transform == COT_TRANSFORM_CATEGORY ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_FLOAT);
    duckdb_data_chunk chunk = duckdb_create_data_chunk(types, matrix->d + 2);
    for (size_t j = 0; j < matrix->d + 2; j++)
        duckdb_destroy_logical_type(&types[j]);
    free(types);
    return chunk;
}

cot_code cot_feature_table_write(struct cot_store *store, enum cot_feature_table where, const char *table,
                                 const struct cot_shop *shop, const struct cot_feature_matrix *matrix,
                                 const struct cot_progress *progress, struct cot_err *err)
{
    duckdb_appender appender = NULL;
    duckdb_data_chunk chunk = NULL;
    size_t block = duckdb_vector_size();
    cot_code rc = make_table(store, where, table, matrix, err);
    if (rc != COT_OK)
        return rc;
    const char *catalog = where == COT_FEATURE_TABLE_TEMPORARY ? "temp" : NULL;
    if (duckdb_appender_create_ext(cot_store_connection(store), catalog, NULL, table, &appender) != DuckDBSuccess) {
        rc = cot_fail(err, COT_IO, "table %s can't be written", table);
        goto out;
    }
    chunk = make_chunk(matrix);
    if (chunk == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu features", matrix->d);
    for (size_t first = 0; rc == COT_OK && first < matrix->n; first += block) {
        size_t n = matrix->n - first < block ? matrix->n - first : block;
        rc = put_chunk(appender, chunk, shop, matrix, first, n, err);
        cot_progress_report(progress, "storing features", first + n, matrix->n);
    }
    if (rc == COT_OK && duckdb_appender_close(appender) != DuckDBSuccess)
        rc = cot_fail(err, COT_IO, "table %s can't be written", table);
out:
    duckdb_destroy_data_chunk(&chunk);
    duckdb_appender_destroy(&appender);
    return rc;
}

/* COMMENT ON for the table and every column: the documentation of the schema is made from these. */
static cot_code comment_table(struct cot_store *store, const struct cot_feature_matrix *matrix, struct cot_err *err)
{
    char as_of[COT_TIME_TEXT_SIZE];
    struct cot_buf sql = {0};
    cot_format_time(matrix->as_of_ms, as_of, sizeof as_of);
    cot_code rc = cot_buf_printf(&sql, err,
                                 "comment on table feature_value is 'features of the customers as of %s, made anew by"
                                 " each segmentation';"
                                 "comment on column feature_value.customer is 'smallest node_id of the person';"
                                 "comment on column feature_value.customer_id is 'the shop''s own id, ours where it has"
                                 " none';",
                                 as_of);
    for (size_t j = 0; rc == COT_OK && j < matrix->d; j++) {
        const struct cot_feature_column *column = &matrix->columns[j];
        char *text = NULL;
        char *quoted = NULL;
        if (asprintf(&text, "%s (%s, %s)", column->description, cot_feature_group_name(column->group), column->unit) <
            0)
            text = NULL;
        quoted = text != NULL ? cot_sql_quote(text) : NULL;
        rc = quoted == NULL
                 ? cot_fail(err, COT_NOMEM, "comments")
                 : cot_buf_printf(&sql, err, "comment on column feature_value.\"%s\" is %s;", column->name, quoted);
        free(text);
        free(quoted);
    }
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "%s", cot_buf_text(&sql));
    cot_buf_release(&sql);
    return rc;
}

cot_code cot_features_store(struct cot_store *store, const struct cot_shop *shop,
                            const struct cot_feature_matrix *matrix, const struct cot_progress *progress,
                            struct cot_err *err)
{
    cot_code rc =
        cot_feature_table_write(store, COT_FEATURE_TABLE_STORED, "feature_value", shop, matrix, progress, err);
    if (rc == COT_OK)
        rc = comment_table(store, matrix, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "create or replace view customers as"
                            " select f.customer_id, s.name as segment, f.* exclude (customer, customer_id)"
                            " from feature_value f left join (select m.customer, g.name from segment_member m"
                            " join segment g on g.run_id = m.run_id and g.segment_id = m.segment_id"
                            " where m.run_id = (select max(run_id) from segment_run)) s on s.customer = f.customer;"
                            "comment on view customers is 'a row a customer: id, segment in the latest run, features'");
    return rc;
}
