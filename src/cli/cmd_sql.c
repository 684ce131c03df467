#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/sql.h"

enum { MAX_TABLE_COLUMNS = 24, MAX_CELL_WIDTH = 60 };

/* Nested values as JSON text. */
static void flatten_row(yyjson_mut_doc *doc, yyjson_mut_val *row)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(row);
    yyjson_mut_val *key = NULL;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        char *text = yyjson_mut_is_ctn(value) ? yyjson_mut_val_write(value, 0, NULL) : NULL;
        if (text != NULL)
            yyjson_mut_set_str(value, yyjson_mut_get_str(yyjson_mut_strcpy(doc, text)));
        free(text);
    }
}

static bool is_number(yyjson_mut_val *rows, const char *key)
{
    size_t i;
    size_t n;
    yyjson_mut_val *row;
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        yyjson_mut_val *value = yyjson_mut_obj_get(row, key);
        if (!yyjson_mut_is_null(value))
            return yyjson_mut_is_num(value);
    }
    return false;
}

/* A table of many columns is unreadable: a line a value instead. */
static void print_records(yyjson_mut_val *names, yyjson_mut_val *rows)
{
    size_t i;
    size_t j;
    size_t n;
    size_t m;
    char cell[512];
    yyjson_mut_val *row;
    yyjson_mut_val *name;
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        printf("row %zu\n", i + 1);
        yyjson_mut_arr_foreach(names, j, m, name)
        {
            const char *key = yyjson_mut_get_str(name);
            cot_format_value(yyjson_mut_obj_get(row, key), COT_FORMAT_NUMBER, cell, sizeof cell);
            printf("  %-32s %s\n", key, cell);
        }
    }
}

static void print_rows(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *names = yyjson_mut_obj_get(root, "columns");
    yyjson_mut_val *rows = yyjson_mut_obj_get(root, "rows");
    size_t n_columns = yyjson_mut_arr_size(names);
    struct cot_column columns[MAX_TABLE_COLUMNS + 1] = {{0}};
    size_t i;
    size_t n;
    yyjson_mut_val *row;
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        flatten_row(doc, row);
    }
    if (yyjson_mut_equals_str(yyjson_mut_arr_get_last(names), "explain_value")) {
        fputs(yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_arr_get_first(rows), "explain_value")), stdout);
    } else if (n_columns > MAX_TABLE_COLUMNS) {
        print_records(names, rows);
    } else {
        for (i = 0; i < n_columns; i++) {
            columns[i].key = columns[i].title = yyjson_mut_get_str(yyjson_mut_arr_get(names, i));
            columns[i].format = is_number(rows, columns[i].key) ? COT_FORMAT_NUMBER : COT_FORMAT_TEXT;
            columns[i].max_width = yyjson_mut_arr_size(rows) == 1 ? 0 : MAX_CELL_WIDTH;
        }
        cot_table_print(stdout, rows, columns);
    }
    if (yyjson_mut_arr_size(rows) == 0)
        printf("(no rows)\n");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_sql_run(&call->context, call->arguments[0], &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_rows(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_sql = {
    .name = "sql",
    .arguments = "QUERY",
    .n_min = 1,
    .n_max = 1,
    .summary = "ask the shop's tables and features in SQL, read-only",
    .help = "Runs one SQL query (DuckDB's dialect) over the shop's tables. It can't change anything, nor reach files,\n"
            "settings or the network. The view customers has a row a customer: the shop's own id, the segment, every\n"
            "feature. Long values are cut in tables and whole with --json.\n\n"
            "  coterie sql 'select segment, count(*) n, avg(monetary) from customers group by all order by n desc'\n"
            "  coterie sql 'show tables'\n"
            "  coterie sql 'describe event'",
    .run = run,
};
