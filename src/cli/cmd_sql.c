#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/sql.h"

static void print_rows(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *names = yyjson_mut_obj_get(root, "columns");
    yyjson_mut_val *rows = yyjson_mut_obj_get(root, "rows");
    size_t n_columns = yyjson_mut_arr_size(names);
    struct cot_column *columns = calloc(n_columns + 1, sizeof *columns);
    for (size_t i = 0; columns != NULL && i < n_columns; i++) {
        columns[i].key = columns[i].title = yyjson_mut_get_str(yyjson_mut_arr_get(names, i));
        yyjson_mut_val *first = yyjson_mut_obj_get(yyjson_mut_arr_get_first(rows), columns[i].key);
        columns[i].format = yyjson_mut_is_num(first) ? COT_FORMAT_NUMBER : COT_FORMAT_TEXT;
        columns[i].max_width = 60;
    }
    if (columns != NULL)
        cot_table_print(stdout, rows, columns);
    free(columns);
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
    .help = "Runs one SQL query (DuckDB's dialect) over the shop's tables, without changing anything. The view\n"
            "customers has a row a customer: the shop's own id, the segment, every feature.\n\n"
            "  coterie sql 'select segment, count(*) n, avg(monetary) from customers group by all order by n desc'\n"
            "  coterie sql 'show tables'",
    .run = run,
};
