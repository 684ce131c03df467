#include "cli/command.h"
#include "engine/rules.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    int64_t version = 0;
    cot_code rc = cot_call_int(call, "version", 1, INT32_MAX, &version, err);
    if (rc == COT_OK)
        rc = cot_rules_show(&call->context, call->arguments[0], version, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        fputs(yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "text")), stdout);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"version", "N", "an older version (default: the one that holds)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_rules_show = {
    .name = "rules show",
    .arguments = "NAME",
    .n_min = 1,
    .n_max = 1,
    .summary = "a segment by rule as the file that makes it",
    .help =
        "Prints the file that was put, or one made around a rule that came by the server's API: what is printed can\n"
        "be put again.\n\n"
        "  coterie rules show 'big spenders' --version 2 > big.segment",
    .options = options,
    .run = run,
};
