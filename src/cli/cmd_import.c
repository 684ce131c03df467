#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/import.h"

static const struct cot_option options[] = {
    {"dry-run", NULL, "show what each file would be understood as, and write nothing"},
    {"map", "COLUMN=FIELD", "what a column means, where its header doesn't say; may be repeated"},
    {"as", "SHAPE", "the shape of the file, where it is not to be found out"},
    {"kind", "KIND", "the kind of file likewise: orders, events, customers, products, ..."},
    {"source", "NAME", "where the rows come from: rows are told apart within a source (default: the shape's name)"},
    {"date-order", "ORDER", "dmy or mdy, where a column of dates can't tell (01/02/2025)"},
    {"decimal", "MARK", "point or comma, where a column of numbers can't tell (1,234)"},
    {"currency", "CODE", "ISO 4217 code of amounts that name none; of the first import: the shop's own"},
    {"time-zone", "ZONE", "IANA zone of times without offset (Europe/London); of the first import: the shop's own"},
    {"channel", "CHANNEL", "channel of rows that name none: web, app, store, ..."},
    {"encoding", "NAME", "character encoding, where it is not to be found out"},
    {"delimiter", "CHAR", "what separates columns: one character, tab or space"},
    {"header", "YES|NO", "whether the first line names the columns"},
    {NULL, NULL, NULL},
};

static const struct cot_column file_columns[] = {
    {"name", "File", COT_FORMAT_TEXT, 48},
    {"kind", "Kind", COT_FORMAT_TEXT, 0},
    {"rows_read", "Read", COT_FORMAT_COUNT, 0},
    {"rows_accepted", "Accepted", COT_FORMAT_COUNT, 0},
    {"rows_quarantined", "Quarantined", COT_FORMAT_COUNT, 0},
    {"rows_duplicate", "Duplicate", COT_FORMAT_COUNT, 0},
    {NULL, NULL, COT_FORMAT_TEXT, 0},
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_uint(yyjson_mut_obj_get(object, key));
}

static void print_failed(yyjson_mut_val *root)
{
    size_t i, n;
    yyjson_mut_val *failed;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "failed"), i, n, failed)
        printf("%sNot imported: %s\n", i == 0 ? "\n" : "", text_of(failed, "message"));
}

static void print_skipped(yyjson_mut_val *root)
{
    size_t i, n;
    yyjson_mut_val *path;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "skipped"), i, n, path)
        printf("%sLeft alone: %s\n", i == 0 ? "\n" : "", yyjson_mut_get_str(path));
}

static uint64_t print_reasons(yyjson_mut_val *root)
{
    size_t i, n, j, m;
    uint64_t n_quarantined = 0;
    yyjson_mut_val *file;
    yyjson_mut_val *reason;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "files"), i, n, file)
    {
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(file, "reasons"), j, m, reason)
        {
            if (n_quarantined == 0)
                printf("\nIn quarantine, not counted:\n");
            printf("  %llu row%s of %s, first line %llu: %s\n", (unsigned long long)number_of(reason, "rows"),
                   number_of(reason, "rows") == 1 ? "" : "s", text_of(file, "name"),
                   (unsigned long long)number_of(reason, "line"), text_of(reason, "example"));
            n_quarantined += number_of(reason, "rows");
        }
    }
    return n_quarantined;
}

/* The last part of a path is enough in a table; the documents have the whole. */
static void add_names(yyjson_mut_doc *doc, yyjson_mut_val *files)
{
    size_t i, n;
    yyjson_mut_val *file;
    yyjson_mut_arr_foreach(files, i, n, file)
    {
        const char *path = text_of(file, "path");
        const char *slash = strrchr(path, '/');
        yyjson_mut_obj_add_strcpy(doc, file, "name", slash != NULL ? slash + 1 : path);
    }
}

static void print_imported(const struct cot_call *call, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    char customers[64];
    char orders[64];
    add_names(doc, yyjson_mut_obj_get(root, "files"));
    cot_table_print(stdout, yyjson_mut_obj_get(root, "files"), file_columns);
    uint64_t n_quarantined = print_reasons(root);
    print_failed(root);
    print_skipped(root);
    cot_format_value(yyjson_mut_obj_get(root, "customers"), COT_FORMAT_COUNT, customers, sizeof customers);
    cot_format_value(yyjson_mut_obj_get(root, "orders"), COT_FORMAT_COUNT, orders, sizeof orders);
    printf("\nThe shop in '%s' now has %s customers and %s orders.\n", call->context.data_dir, customers, orders);
    if (n_quarantined > 0)
        printf("Look at what was put aside: coterie quarantine list --data %s\n", call->context.data_dir);
    printf("Next: coterie segment --data %s\n", call->context.data_dir);
}

static void print_mapping(yyjson_mut_val *file)
{
    static const struct cot_column mapping_columns[] = {
        {"column", "Column", COT_FORMAT_TEXT, 30},
        {"field", "Is understood as", COT_FORMAT_TEXT, 30},
        {"reads_as", "Written as", COT_FORMAT_TEXT, 40},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *mapping = yyjson_mut_obj_get(file, "mapping");
    yyjson_mut_val *reads_as = yyjson_mut_obj_get(file, "reads_as");
    printf("%s\n  %s (%s): %s\n  %s, %s, currency %s, time zone %s\n\n", text_of(file, "path"),
           text_of(mapping, "title"), text_of(mapping, "kind"), text_of(mapping, "why"), text_of(reads_as, "format"),
           text_of(reads_as, "encoding"), text_of(mapping, "currency")[0] != '\0' ? text_of(mapping, "currency") : "?",
           text_of(mapping, "time_zone")[0] != '\0' ? text_of(mapping, "time_zone") : "UTC");
    cot_table_print(stdout, yyjson_mut_obj_get(mapping, "columns"), mapping_columns);
}

static void print_dry(yyjson_mut_val *root)
{
    size_t i, n, j, m;
    yyjson_mut_val *file;
    yyjson_mut_val *value;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "files"), i, n, file)
    {
        print_mapping(file);
        printf("\n  The first rows, as understood:\n");
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(file, "records"), j, m, value)
        {
            char *text = yyjson_mut_val_write(value, 0, NULL);
            printf("  %s\n", text != NULL ? text : "");
            free(text);
        }
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(file, "rejects"), j, m, value)
            printf("  line %llu would be put aside: %s\n", (unsigned long long)number_of(value, "line"),
                   text_of(value, "reason"));
        printf("\n");
    }
    print_failed(root);
    print_skipped(root);
    printf("Nothing was written. A column that is misread: --map COLUMN=FIELD; the whole file: --as or --kind.\n");
}

static const char **values_of(const struct cot_call *call, const char *name, size_t *ret_n)
{
    size_t n = 0;
    while (cot_call_nth(call, name, n) != NULL)
        n++;
    const char **values = calloc(n + 1, sizeof *values);
    for (size_t i = 0; values != NULL && i < n; i++)
        values[i] = cot_call_nth(call, name, i);
    *ret_n = n;
    return values;
}

/* The rest of a folder is in, but not all of it: the documents say so, and so does the exit status. */
static cot_code check_failed(struct cot_call *call, yyjson_mut_val *root, struct cot_err *err)
{
    yyjson_mut_val *failed = yyjson_mut_obj_get(root, "failed");
    size_t n_failed = yyjson_mut_arr_size(failed);
    cot_code code = COT_BAD_DATA;
    size_t i;
    size_t n;
    yyjson_mut_val *file;
    if (n_failed == 0)
        return COT_OK;
    yyjson_mut_arr_foreach(failed, i, n, file) if (yyjson_mut_equals_str(yyjson_mut_obj_get(file, "code"), "COT_IO"))
        code = COT_IO;
    call->json = false; /* the document that was printed names them */
    return cot_fail(err, code, "%zu file%s could not be used; the others %s", n_failed, n_failed == 1 ? "" : "s",
                    cot_call_flag(call, "dry-run") ? "could" : "were imported");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    size_t n_map = 0;
    const char **map = values_of(call, "map", &n_map);
    struct cot_import_options import = {
        .paths = call->arguments,
        .n_paths = call->n_arguments,
        .dry_run = cot_call_flag(call, "dry-run"),
        .map = map,
        .n_map = n_map,
        .connector = cot_call_value(call, "as"),
        .kind = cot_call_value(call, "kind"),
        .source = cot_call_value(call, "source"),
        .date_order = cot_call_value(call, "date-order"),
        .decimal = cot_call_value(call, "decimal"),
        .currency = cot_call_value(call, "currency"),
        .time_zone = cot_call_value(call, "time-zone"),
        .channel = cot_call_value(call, "channel"),
        .encoding = cot_call_value(call, "encoding"),
        .delimiter = cot_call_value(call, "delimiter"),
        .header = cot_call_value(call, "header"),
    };
    cot_code rc =
        map == NULL ? cot_fail(err, COT_NOMEM, "options") : cot_import_run(&call->context, &import, &doc, err);
    free(map);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else if (import.dry_run)
        print_dry(root);
    else
        print_imported(call, doc);
    if (rc == COT_OK)
        rc = check_failed(call, root, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_import = {
    .name = "import",
    .arguments = "FILE|FOLDER...",
    .n_min = 1,
    .n_max = SIZE_MAX,
    .summary = "take a shop's files in: orders, customers, products, events, campaigns, ...",
    .help = "Reads CSV, TSV, JSON lines and Parquet (plain, gzip or zstd) and finds out what each file is: its shape,\n"
            "encoding, separators, how it writes numbers and dates. Each file goes in wholly or not at all. Giving a\n"
            "file or folder again takes in what is new. Rows that can't be used go to quarantine with their reason.\n"
            "Every row read is accepted, quarantined or a duplicate.\n\n"
            "  coterie import orders.csv --dry-run\n"
            "  coterie import exports/ --data shop\n"
            "  coterie import sales.csv --map 'Bill to=customer_id' --date-order dmy --currency EUR",
    .options = options,
    .run = run,
};
