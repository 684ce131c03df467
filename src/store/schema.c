#include "store/schema.h"

#include <stdlib.h>

#include "store/store.h"

/* A table (column NULL) or a column of a schema step. */
struct schema_row {
    const char *table;
    const char *column;
    const char *type;
    const char *comment;
};

#define TABLE(table, comment) {#table, NULL, NULL, comment},
#define COLUMN(table, column, type, comment) {#table, #column, type, comment},
static const struct schema_row step_1[] = {
#include "store/schema_1.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_2[] = {
#include "store/schema_2.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_3[] = {
#include "store/schema_3.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_4[] = {
#include "store/schema_4.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_5[] = {
#include "store/schema_5.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_6[] = {
#include "store/schema_6.inc"
    {NULL, NULL, NULL, NULL},
};

static const struct schema_row step_7[] = {
#include "store/schema_7.inc"
    {NULL, NULL, NULL, NULL},
};

#undef TABLE
#undef COLUMN

static const struct schema_row *const steps[COT_SCHEMA_VERSION] = {step_1, step_2, step_3, step_4,
                                                                   step_5, step_6, step_7};

/* One row as SQL: a new table starts with its first column; every row brings its COMMENT. `before`: the row before it,
 * NULL at the first. */
static cot_code take_row(struct cot_store *store, const struct schema_row *row, const struct schema_row *before,
                         struct cot_err *err)
{
    char *comment = cot_sql_quote(row->comment);
    cot_code rc = comment == NULL ? cot_fail(err, COT_NOMEM, "schema") : COT_OK;
    if (rc == COT_OK && row->column == NULL) /* the column that follows is made with the table */
        rc = cot_store_exec(store, err, "create table %s(%s %s); comment on table %s is %s", row->table, row[1].column,
                            row[1].type, row->table, comment);
    else if (rc == COT_OK && (before == NULL || before->column != NULL))
        rc = cot_store_exec(store, err, "alter table %s add column %s %s", row->table, row->column, row->type);
    if (rc == COT_OK && row->column != NULL)
        rc = cot_store_exec(store, err, "comment on column %s.%s is %s", row->table, row->column, comment);
    free(comment);
    return rc;
}

cot_code cot_schema_version(struct cot_store *store, int *ret_version, struct cot_err *err)
{
    int64_t n = 0;
    int64_t version = 0;
    cot_code rc = cot_store_number(
        store, &n, err, "select count(*) from duckdb_tables() where table_name = 'setting' and not internal");
    if (rc == COT_OK && n > 0)
        rc = cot_store_number(store, &version, err,
                              "select cast(value as integer) from setting where key = 'schema_version'");
    if (rc == COT_OK)
        *ret_version = (int)version;
    return rc;
}

static cot_code take_step(struct cot_store *store, int to_version, struct cot_err *err)
{
    cot_code rc = cot_store_begin(store, err);
    if (rc != COT_OK)
        return rc;
    const struct schema_row *first = steps[to_version - 1];
    for (const struct schema_row *row = first; rc == COT_OK && row->table != NULL; row++)
        rc = take_row(store, row, row > first ? row - 1 : NULL, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "delete from setting where key = 'schema_version';"
                            "insert into setting values ('schema_version', '%d')",
                            to_version);
    if (rc == COT_OK)
        rc = cot_store_commit(store, err);
    if (rc != COT_OK)
        cot_store_rollback(store);
    return rc;
}

cot_code cot_schema_migrate(struct cot_store *store, struct cot_err *err)
{
    int version = 0;
    cot_code rc = cot_schema_version(store, &version, err);
    if (rc == COT_OK && version > COT_SCHEMA_VERSION)
        return cot_fail(err, COT_BAD_DATA, "%s has schema %d, this program knows up to %d: use a newer coterie",
                        cot_store_path(store), version, COT_SCHEMA_VERSION);
    for (int next = version + 1; rc == COT_OK && next <= COT_SCHEMA_VERSION; next++)
        rc = take_step(store, next, err);
    return rc;
}
