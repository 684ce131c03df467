#include "cli/identity_print.h"

#include <string.h>

#include "base/buf.h"
#include "cli/table.h"

static unsigned long long number_at(yyjson_mut_val *object, const char *key)
{
    return (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(object, key));
}

void cot_identity_print_rules(FILE *stream, yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"kind", "kind", COT_FORMAT_TEXT, 0},
        {"limit", "limit a customer", COT_FORMAT_COUNT, 0},
        {"priority", "priority", COT_FORMAT_COUNT, 0},
        {"exclusive", "exclusive", COT_FORMAT_TEXT, 0},
        {"identities", "identities", COT_FORMAT_COUNT, 0},
        {"largest", "most of one", COT_FORMAT_COUNT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    size_t i;
    size_t n;
    yyjson_mut_val *row;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *rows = yyjson_mut_obj_get(root, "kinds");
    yyjson_mut_arr_foreach(rows, i, n, row)
    {
        bool exclusive = yyjson_mut_get_bool(yyjson_mut_obj_remove_key(row, "exclusive"));
        yyjson_mut_obj_add_str(doc, row, "exclusive", exclusive ? "yes" : "no");
    }
    cot_table_print(stream, rows, columns);
    fprintf(stream,
            "\n%llu identities of %llu customers; %llu pairs that records name together are kept apart\n"
            "%zu values blocked besides placeholders; rules: %s\n",
            number_at(root, "identities"), number_at(root, "customers"), number_at(root, "refused"),
            yyjson_mut_arr_size(yyjson_mut_obj_get(yyjson_mut_obj_get(root, "rules"), "blocked")),
            yyjson_mut_get_bool(yyjson_mut_obj_get(root, "own")) ? "the shop's own" : "the default ones");
}

/* The texts of an array, "a, b, ... (n)" where n is more than those that are shown. */
static void add_list(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, yyjson_mut_val *array, size_t n_all,
                     const char *between)
{
    struct cot_buf text = {0};
    size_t i;
    size_t n;
    yyjson_mut_val *value;
    cot_code rc = COT_OK;
    yyjson_mut_arr_foreach(array, i, n, value)
    {
        if (rc == COT_OK)
            rc = cot_buf_printf(&text, NULL, "%s%s", i > 0 ? between : "", yyjson_mut_get_str(value));
    }
    if (rc == COT_OK && n_all > n)
        rc = cot_buf_printf(&text, NULL, "%s... (%zu)", between, n_all);
    if (rc == COT_OK)
        yyjson_mut_obj_add_strcpy(doc, row, key, cot_buf_text(&text));
    cot_buf_release(&text);
}

static void print_joins(FILE *stream, yyjson_mut_doc *doc, yyjson_mut_val *joins)
{
    static const struct cot_column columns[] = {{"one", "would be one", COT_FORMAT_TEXT, 60},
                                                {"by", "by", COT_FORMAT_TEXT, 60},
                                                {NULL, NULL, COT_FORMAT_TEXT, 0}};
    size_t i;
    size_t n;
    yyjson_mut_val *row;
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(joins, "sample"), i, n, row)
    {
        yyjson_mut_val *shown = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_val *by = yyjson_mut_obj_get(row, "by");
        add_list(doc, shown, "one", yyjson_mut_obj_get(row, "customers"), number_at(row, "n"), ", ");
        add_list(doc, shown, "by", by, yyjson_mut_arr_size(by), ", ");
    }
    fprintf(stream, "joins: %llu customers would be %llu\n", number_at(joins, "customers"), number_at(joins, "groups"));
    if (yyjson_mut_arr_size(rows) > 0)
        cot_table_print(stream, rows, columns);
}

static void print_splits(FILE *stream, yyjson_mut_doc *doc, yyjson_mut_val *splits)
{
    static const struct cot_column columns[] = {{"customer", "customer", COT_FORMAT_TEXT, 40},
                                                {"parts", "would be parted", COT_FORMAT_TEXT, 90},
                                                {NULL, NULL, COT_FORMAT_TEXT, 0}};
    size_t i;
    size_t n;
    size_t j;
    size_t m;
    yyjson_mut_val *row;
    yyjson_mut_val *part;
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(splits, "sample"), i, n, row)
    {
        yyjson_mut_val *shown = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_val *parts = yyjson_mut_arr(doc);
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(row, "parts"), j, m, part)
        {
            yyjson_mut_val *holder = yyjson_mut_obj(doc);
            add_list(doc, holder, "text", part, yyjson_mut_arr_size(part), " + ");
            yyjson_mut_arr_add_str(doc, parts, yyjson_mut_get_str(yyjson_mut_obj_get(holder, "text")));
        }
        yyjson_mut_obj_add_str(doc, shown, "customer", yyjson_mut_get_str(yyjson_mut_obj_get(row, "customer")));
        add_list(doc, shown, "parts", parts, number_at(row, "n"), " | ");
    }
    fprintf(stream, "splits: %llu customers would be %llu\n", number_at(splits, "customers"),
            number_at(splits, "parts"));
    if (yyjson_mut_arr_size(rows) > 0)
        cot_table_print(stream, rows, columns);
}

void cot_identity_print_change(FILE *stream, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *customers = yyjson_mut_obj_get(root, "customers");
    bool applied = yyjson_mut_get_bool(yyjson_mut_obj_get(root, "applied"));
    fprintf(stream, "%llu customers %s, %llu %s\n", number_at(customers, "now"), applied ? "before" : "now",
            number_at(customers, "then"), applied ? "now: the rules are taken up" : "by these rules");
    print_joins(stream, doc, yyjson_mut_obj_get(root, "joins"));
    print_splits(stream, doc, yyjson_mut_obj_get(root, "splits"));
}
