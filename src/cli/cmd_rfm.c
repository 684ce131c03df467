#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/rfm.h"

static const struct cot_option options[] = {
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {NULL, NULL, NULL},
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "-";
}

/* Rows of the cross table as objects, for the table printer. */
static void print_cross(yyjson_mut_doc *doc, yyjson_mut_val *cross)
{
    yyjson_mut_val *segments = yyjson_mut_obj_get(cross, "segments");
    yyjson_mut_val *groups = yyjson_mut_obj_get(cross, "groups");
    yyjson_mut_val *counts = yyjson_mut_obj_get(cross, "counts");
    size_t n = yyjson_mut_arr_size(segments);
    struct cot_column *columns = calloc(n + 2, sizeof *columns);
    yyjson_mut_val *rows = yyjson_mut_arr(doc);
    if (columns == NULL)
        return;
    columns[0] = (struct cot_column){"group", "group", COT_FORMAT_TEXT, 0};
    for (size_t i = 0; i < n; i++) {
        const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_arr_get(segments, i), "name"));
        columns[i + 1] = (struct cot_column){name, name, COT_FORMAT_COUNT, 0};
    }
    for (size_t g = 0; g < yyjson_mut_arr_size(groups); g++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_strcpy(doc, row, "group", yyjson_mut_get_str(yyjson_mut_arr_get(groups, g)));
        for (size_t i = 0; i < n; i++)
            yyjson_mut_obj_add_uint(doc, row, columns[i + 1].key,
                                    yyjson_mut_get_uint(yyjson_mut_arr_get(yyjson_mut_arr_get(counts, g), i)));
    }
    printf("\nCustomers by RFM group and learned segment\n");
    cot_table_print(stdout, rows, columns);
    free(columns);
}

static void print_rfm(yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"group", "group", COT_FORMAT_TEXT, 0},
        {"customers", "customers", COT_FORMAT_COUNT, 0},
        {"share", "share", COT_FORMAT_PERCENT, 0},
        {"revenue_share", "of revenue", COT_FORMAT_PERCENT, 0},
        {"recency_days", "days since", COT_FORMAT_NUMBER, 0},
        {"orders", "orders", COT_FORMAT_NUMBER, 0},
        {"spend", "spend", COT_FORMAT_MONEY, 0},
        {"advice", "what to do", COT_FORMAT_TEXT, 80},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *cross = yyjson_mut_obj_get(root, "cross");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "groups"), columns);
    printf("\nAs of %s: %llu customers with an order, %llu without. Means a customer; spend in %s, net of refunds.\n",
           text_of(root, "as_of_day"), (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "scored")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "without_order")),
           text_of(root, "currency")[0] != '\0' ? text_of(root, "currency") : "the shop's currency");
    if (yyjson_mut_is_obj(cross))
        print_cross(doc, cross);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    struct cot_features_options features = {.as_of = cot_call_value(call, "as-of")};
    cot_code rc = cot_rfm_run(&call->context, &features, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_rfm(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_rfm = {
    .name = "rfm",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "customers by recency, frequency and monetary value, in the usual eleven groups",
    .help =
        "Scores every customer with an order from 1 to 5 by recency, frequency and revenue (quintiles; equal values\n"
        "get equal scores) and sorts them into the eleven groups that marketers know, with their share of revenue\n"
        "and what to do with them. After 'coterie segment' it also shows how they cross with the learned segments.\n\n"
        "  coterie rfm\n"
        "  coterie rfm --as-of 2011-06-30 --json",
    .options = options,
    .run = run,
};
