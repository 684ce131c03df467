#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/simulate.h"

static const struct cot_option options[] = {
    {"customers", "N", "customers to simulate (default 5000)"},
    {"out", "DIR", "folder for the files, made where it is missing"},
    {"events", "N",
     "about so many rows of orders, events and responses (default: as the customers are, some 430 each)"},
    {"segments", "K", "planted segments, 1 to 10, with sizes from 20 down to 1 (default 7)"},
    {"months", "M", "length of the history in months, to the end of 2025 (default 24)"},
    {"dirty", "SHARE", "bad and repeated rows, as a share of the good ones (default 0.002)"},
    {"outliers", "SHARE", "wholesalers, bots and test accounts among the customers (default 0.05)"},
    {"difficulty", "LEVEL", "how far the segments overlap: easy, default or hard"},
    {"orders-only", NULL, "customers, products and orders; no visits, messages, campaigns"},
    {NULL, NULL, NULL},
};

static cot_code take_difficulty(const struct cot_call *call, enum cot_simulate_difficulty *ret_difficulty,
                                struct cot_err *err)
{
    static const char *const names[] = {
        [COT_SIMULATE_EASY] = "easy", [COT_SIMULATE_DEFAULT] = "default", [COT_SIMULATE_HARD] = "hard"};
    const char *text = cot_call_value(call, "difficulty");
    if (text == NULL)
        return COT_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_difficulty = (enum cot_simulate_difficulty)i;
            return COT_OK;
        }
    }
    return cot_fail(err, COT_USAGE, "--difficulty %s: give easy, default or hard", text);
}

static cot_code take_options(const struct cot_call *call, struct cot_simulate_options *o, struct cot_err *err)
{
    int64_t n_customers = 5000;
    int64_t n_events = 0;
    int64_t n_segments = o->n_segments;
    int64_t n_months = o->n_months;
    o->out_dir = cot_call_value(call, "out");
    o->orders_only = cot_call_flag(call, "orders-only");
    if (o->out_dir == NULL)
        return cot_fail(err, COT_USAGE, "'simulate' needs --out DIR, the folder for its files");
    cot_code rc = cot_call_int(call, "customers", 1, 100000000, &n_customers, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "events", 1, 100000000000, &n_events, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "segments", 1, 10, &n_segments, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "months", 1, 120, &n_months, err);
    if (rc == COT_OK)
        rc = cot_call_share(call, "dirty", 0, 0.5, &o->dirty_share, err);
    if (rc == COT_OK)
        rc = cot_call_share(call, "outliers", 0, 0.5, &o->outlier_share, err);
    if (rc == COT_OK)
        rc = take_difficulty(call, &o->difficulty, err);
    o->n_customers = (uint64_t)n_customers;
    o->n_events = (uint64_t)n_events;
    o->n_segments = (unsigned)n_segments;
    o->n_months = (unsigned)n_months;
    return rc;
}

static void print_tables(yyjson_mut_doc *doc, const char *out_dir)
{
    static const struct cot_column file_columns[] = {{"path", "File", COT_FORMAT_TEXT, 0},
                                                     {"rows", "Rows", COT_FORMAT_COUNT, 0},
                                                     {"quarantined", "Bad", COT_FORMAT_COUNT, 0},
                                                     {"duplicate", "Repeated", COT_FORMAT_COUNT, 0},
                                                     {NULL, NULL, COT_FORMAT_TEXT, 0}};
    static const struct cot_column segment_columns[] = {{"name", "Segment", COT_FORMAT_TEXT, 0},
                                                        {"kind", "Kind", COT_FORMAT_TEXT, 0},
                                                        {"size", "Customers", COT_FORMAT_COUNT, 0},
                                                        {NULL, NULL, COT_FORMAT_TEXT, 0}};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    cot_table_print(stdout, yyjson_mut_obj_get(root, "files"), file_columns);
    printf("\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "segments"), segment_columns);
    printf("\nThe truth is in truth.csv and truth.json. Next: coterie import %s\n", out_dir);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_simulate_options o = cot_simulate_defaults();
    yyjson_mut_doc *doc = NULL;
    cot_code rc = take_options(call, &o, err);
    if (rc == COT_OK)
        rc = cot_simulate_run(&call->context, &o, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_tables(doc, o.out_dir);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_simulate = {
    .name = "simulate",
    .arguments = "",
    .summary = "write a simulated shop, with planted segments and the truth",
    .help = "Writes the files of a shop that does not exist, ready for import: customers, products, orders, events,\n"
            "campaigns with randomised arms, consent; and truth.csv and truth.json, which say what is true of each\n"
            "customer (segment, purchase rate, dropout, uplift, ...) and how many rows are bad on purpose.\n\n"
            "  coterie simulate --customers 10000 --seed 7 --out shop\n"
            "  coterie import shop",
    .options = options,
    .run = run,
    .leaves_store = true,
};
