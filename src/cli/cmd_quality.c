#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/quality.h"

enum { WIDTH = 100 };

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

/* Words of text in lines of WIDTH cells, each after `indent` spaces. */
static void print_wrapped(const char *text, int indent)
{
    int column = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)(size < 255 ? size : 255), text);
        int width = (int)cot_text_width(word);
        if (column > 0 && column + 1 + width > WIDTH) {
            putchar('\n');
            column = 0;
        }
        if (column == 0)
            column = printf("%*s", indent, "");
        else
            column += printf(" ");
        fputs(word, stdout);
        column += width;
        text += size;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_example(yyjson_mut_val *example)
{
    size_t i;
    size_t n;
    bool first = true;
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    char cell[128];
    printf("      · ");
    yyjson_mut_obj_foreach(example, i, n, key, value)
    {
        if (yyjson_mut_is_null(value))
            continue;
        const char *name = yyjson_mut_get_str(key);
        bool is_share = strcmp(name, "share") == 0;
        bool is_money = strcmp(name, "amount") == 0 || strcmp(name, "revenue") == 0 || strcmp(name, "price") == 0 ||
                        (strcmp(name, "usual") == 0 && yyjson_mut_obj_get(example, "price") != NULL);
        bool is_count = yyjson_mut_is_num(value) && !is_share && !is_money && yyjson_mut_get_num(value) >= 1000 &&
                        strcmp(name, "customer") != 0;
        cot_format_value(value,
                         is_share   ? COT_FORMAT_PERCENT
                         : is_money ? COT_FORMAT_MONEY
                         : is_count ? COT_FORMAT_COUNT
                                    : COT_FORMAT_NUMBER,
                         cell, sizeof cell);
        printf("%s%s %s", first ? "" : ", ", name, cell);
        first = false;
    }
    putchar('\n');
}

static void print_finding(yyjson_mut_val *finding)
{
    enum { N_SHOWN = 3 };
    size_t i;
    size_t n;
    yyjson_mut_val *example;
    printf("\n[%s] %s\n", text_of(finding, "severity"), text_of(finding, "title"));
    print_wrapped(text_of(finding, "text"), 4);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(finding, "examples"), i, n, example)
    {
        if (i < N_SHOWN)
            print_example(example);
    }
    print_wrapped(text_of(finding, "means"), 4);
    const char *action = text_of(finding, "action");
    if (strncmp(action, "Nothing to do", 13) != 0)
        print_wrapped(action, 4);
}

static const struct cot_column columns[] = {
    {"source", "source", COT_FORMAT_TEXT, 28},           {"table", "table", COT_FORMAT_TEXT, 0},
    {"column", "column", COT_FORMAT_TEXT, 28},           {"rows", "rows", COT_FORMAT_COUNT, 0},
    {"completeness", "complete", COT_FORMAT_PERCENT, 0}, {"validity", "valid", COT_FORMAT_PERCENT, 0},
    {"uniqueness", "unique", COT_FORMAT_PERCENT, 0},     {"consistency", "consistent", COT_FORMAT_PERCENT, 0},
    {"timeliness", "timely", COT_FORMAT_PERCENT, 0},     {NULL, NULL, COT_FORMAT_TEXT, 0},
};

static void print_quality(yyjson_mut_val *root)
{
    char text[64];
    size_t i;
    size_t n;
    yyjson_mut_val *finding;
    yyjson_mut_val *findings = yyjson_mut_obj_get(root, "findings");
    cot_format_value(yyjson_mut_obj_get(yyjson_mut_obj_get(root, "totals"), "lines"), COT_FORMAT_COUNT, text,
                     sizeof text);
    printf("%s order and refund lines, %zu findings, worst first\n", text, yyjson_mut_arr_size(findings));
    yyjson_mut_arr_foreach(findings, i, n, finding)
    {
        print_finding(finding);
    }
    printf("\n");
    cot_table_print(stdout, yyjson_mut_obj_get(root, "columns"), columns);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_quality_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_quality(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_quality = {
    .name = "quality",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "what is wrong with the data, and what that means",
    .help =
        "Looks at everything that was imported: what is missing, impossible, doubled, contradictory or late; who is "
        "no\n"
        "ordinary customer (wholesalers, test accounts, staff, robots). Worst first, by the share of rows or of the\n"
        "turnover concerned: high from 5%, medium from 0.5%; findings that bend models beyond that share count\n"
        "double, those that models are robust to half. --json has all examples and the scores.\n\n"
        "  coterie quality",
    .run = run,
};
