#include <string.h>

#include "cli/command.h"
#include "cli/segment_print.h"
#include "cli/table.h"
#include "engine/customer.h"

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static void print_profile(yyjson_mut_val *root)
{
    yyjson_mut_val *entry;
    size_t i, n;
    printf("Customer %s\n", text_of(root, "customer_id"));
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "identities"), i, n, entry)
        printf("  %s: %s\n", text_of(entry, "kind"), text_of(entry, "value"));
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "traits"), i, n, entry)
        printf("  %s: %s\n", text_of(entry, "key"), text_of(entry, "value"));
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "consent"), i, n, entry) printf(
        "  %s %s since %.10s\n", yyjson_mut_get_bool(yyjson_mut_obj_get(entry, "granted")) ? "allows" : "refuses",
        text_of(entry, "purpose"), text_of(entry, "since"));
}

static void print_totals(yyjson_mut_val *root)
{
    char orders[64], revenue[64], refunds[64];
    yyjson_mut_val *totals = yyjson_mut_obj_get(root, "totals");
    yyjson_mut_val *rfm = yyjson_mut_obj_get(root, "rfm");
    cot_format_value(yyjson_mut_obj_get(totals, "orders"), COT_FORMAT_COUNT, orders, sizeof orders);
    cot_format_value(yyjson_mut_obj_get(totals, "revenue"), COT_FORMAT_MONEY, revenue, sizeof revenue);
    cot_format_value(yyjson_mut_obj_get(totals, "refunds"), COT_FORMAT_MONEY, refunds, sizeof refunds);
    printf("\n%s orders worth %s %s (refunds %s), from %s to %s\n", orders, revenue, text_of(root, "currency"), refunds,
           text_of(totals, "first_order_day"), text_of(totals, "last_order_day"));
    if (yyjson_mut_is_obj(rfm))
        printf("RFM %llu-%llu-%llu: %s\n", (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(rfm, "recency")),
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(rfm, "frequency")),
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(rfm, "monetary")), text_of(rfm, "group"));
}

static void print_segment(yyjson_mut_val *root)
{
    yyjson_mut_val *segment = yyjson_mut_obj_get(root, "segment");
    yyjson_mut_val *nearest = yyjson_mut_obj_get(root, "nearest");
    if (!yyjson_mut_is_obj(segment)) {
        printf("\nNo segment: no run yet, no consent to analytics, or no data.\n");
        return;
    }
    printf("\nSegment: %s (id %lld)%s\n", text_of(segment, "name"),
           (long long)yyjson_mut_get_int(yyjson_mut_obj_get(segment, "id")),
           strcmp(text_of(segment, "assigned_by"), "model") == 0 ? ", by the model: came after the newest run" : "");
    cot_print_wrapped(stdout, "  ", text_of(segment, "why"));
    if (!yyjson_mut_is_obj(nearest))
        return;
    printf("Nearest other: %s\n", text_of(nearest, "name"));
    cot_print_wrapped(stdout, "  ", text_of(nearest, "why"));
}

static void print_customer(yyjson_mut_doc *doc)
{
    static const struct cot_column events[] = {
        {"at", "when", COT_FORMAT_TEXT, 20},       {"kind", "what", COT_FORMAT_TEXT, 0},
        {"order", "order", COT_FORMAT_TEXT, 16},   {"item", "item", COT_FORMAT_TEXT, 16},
        {"name", "name", COT_FORMAT_TEXT, 32},     {"quantity", "quantity", COT_FORMAT_NUMBER, 0},
        {"amount", "amount", COT_FORMAT_MONEY, 0}, {"channel", "channel", COT_FORMAT_TEXT, 12},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    static const struct cot_column features[] = {
        {"title", "feature", COT_FORMAT_TEXT, 40}, {"value", "value", COT_FORMAT_NUMBER, 0},
        {"unit", "unit", COT_FORMAT_TEXT, 12},     {"percentile", "percentile", COT_FORMAT_PERCENT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    print_profile(root);
    print_totals(root);
    print_segment(root);
    printf("\nLast events\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "timeline"), events);
    printf("\nFeatures as of %s; percentile: share of customers with less\n", text_of(root, "as_of_day"));
    cot_table_print(stdout, yyjson_mut_obj_get(root, "features"), features);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_customer_show_run(&call->context, call->arguments[0], &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_customer(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_customer_show = {
    .name = "customer show",
    .arguments = "ID",
    .n_min = 1,
    .n_max = 1,
    .summary = "one customer: profile, timeline, features, segment and why, what would move them",
    .help = "Shows what is known of one person: by the shop's id, an e-mail address, or our own id (anon-...). The\n"
            "segment comes with what pulls the customer there and with the smallest change, in what a shop can\n"
            "influence, that would move them to another one.\n\n"
            "  coterie customer show 12347\n"
            "  coterie customer show jo@example.org --json",
    .run = run,
};
